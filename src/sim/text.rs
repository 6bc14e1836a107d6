//! What simulated models say: a few true answers, and sentences that admit to be simulated.

use super::hash::hash;

/// Words a question must hold, in lower case, and the answer to it.
const KNOWN: [(&[&str], &str); 14] = [
    (
        &["sky", "blue"],
        "Sunlight holds all colours, and the air scatters the short blue waves far more than the long red ones. That scattered blue light reaches your eyes from every part of the sky. At sunset the light has crossed so much air that mostly the red is left.",
    ),
    (&["capital", "france"], "The capital of France is Paris."),
    (&["2+2"], "2 + 2 = 4."),
    (&["2 + 2"], "2 + 2 = 4."),
    (&["haiku"], "Rain on the window,\na quiet machine replies\nwith borrowed seasons."),
    (
        &["joke"],
        "A simulated model walks into a bar. The bartender asks what it will have. \"Whatever the seed says.\"",
    ),
    (
        &["reverse", "string"],
        "Reverse the characters, not the bytes:\n\n```rust\nfn reverse(text: &str) -> String {\n    text.chars().rev().collect()\n}\n```\n\nThis keeps every character whole, though not every combined one.",
    ),
    (
        &["fibonacci"],
        "Each number is the sum of the two before it:\n\n```python\ndef fibonacci(n):\n    a, b = 0, 1\n    for _ in range(n):\n        a, b = b, a + b\n    return a\n```",
    ),
    (
        &["speed", "light"],
        "Light travels at 299,792,458 metres per second in a vacuum. The metre is defined by it, so the number is exact.",
    ),
    (
        &["rust", "ownership"],
        "Every value in Rust has one owner, and it is dropped when its owner goes out of scope. Others may borrow it: many readers at once, or a single writer.",
    ),
    (
        &["tcp", "udp"],
        "TCP delivers a stream of bytes, in order and without gaps, and slows down when the network is full. UDP sends single packets and promises nothing, which suits calls and games.",
    ),
    (&["primes"], "The first five prime numbers are 2, 3, 5, 7 and 11."),
    (
        &["tides"],
        "The Moon pulls the near side of the Earth more strongly than the far side, which stretches the oceans. As the Earth turns, most coasts pass through two high tides a day.",
    ),
    (
        &["translate", "good morning"],
        "In French it is \"bonjour\", in Spanish \"buenos días\", and in German \"guten Morgen\".",
    ),
];

const SENTENCES: [&str; 12] = [
    "No model was asked, and nothing left this machine.",
    "A real provider would think about it longer.",
    "The same seed and the same prompt give the same text again.",
    "Everything around this answer, the limits and the failures too, behaves as it would over the network.",
    "Add a key of your own to hear from a model.",
    "The words were drawn from a short list.",
    "It arrives word by word when it is streamed.",
    "Its tokens are counted as a provider would count them.",
    "If this route runs dry, the next one answers.",
    "Ask something else and the sentences change.",
    "There is no opinion in it.",
    "It is only here so that you can see the path a request takes.",
];

/// The answer to `question` by `model`; `salt` decides what the seed may decide.
pub(super) fn reply(question: &str, model: &str, salt: u64) -> String {
    known(question).map_or_else(|| generic(question, model, salt), str::to_owned)
}

/// The first words of a text, for quoting.
pub(super) fn first_words(text: &str) -> String {
    const WORDS: usize = 8;
    const LONGEST: usize = 80;
    let quoted = text.split_whitespace().take(WORDS).collect::<Vec<_>>().join(" ");
    match quoted.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &quoted[..end]),
        None if text.split_whitespace().nth(WORDS).is_some() => format!("{quoted}…"),
        None => quoted,
    }
}

fn known(question: &str) -> Option<&'static str> {
    // A long prompt only mentions a known question.
    const LONGEST: usize = 200;
    if question.len() > LONGEST {
        return None;
    }
    let question = question.to_lowercase();
    KNOWN.iter().find(|(words, _)| words.iter().all(|word| question.contains(word))).map(|(_, answer)| *answer)
}

fn generic(question: &str, model: &str, salt: u64) -> String {
    let quoted = first_words(question);
    let mut text = if quoted.is_empty() {
        format!("This is a simulated answer by {model} to an empty prompt.")
    } else {
        format!("This is a simulated answer by {model} to “{quoted}”.")
    };
    let mut random = fastrand::Rng::with_seed(hash(salt, &[question]));
    let mut sentences = SENTENCES;
    random.shuffle(&mut sentences);
    for sentence in &sentences[..random.usize(2..=4)] {
        text.push(' ');
        text.push_str(sentence);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_questions_get_true_answers() {
        assert!(reply("Why is the sky blue?", "sim-m", 1).contains("scatters"));
        assert_eq!(reply("What is the capital of France?", "sim-m", 1), reply("the CAPITAL of france", "sim-other", 2));
    }

    #[test]
    fn other_answers_quote_the_prompt_and_vary_with_it_and_the_salt() {
        let text = reply("Tell me about the seven hills of old Rome please", "sim-m", 1);
        assert!(text.contains("“Tell me about the seven hills of old…”") && text.contains("sim-m"), "{text}");
        assert_eq!(text, reply("Tell me about the seven hills of old Rome please", "sim-m", 1));
        assert_ne!(reply("one", "sim-m", 1), reply("two", "sim-m", 1));
        assert_ne!(reply("one", "sim-m", 1), reply("one", "sim-m", 2));
    }
}

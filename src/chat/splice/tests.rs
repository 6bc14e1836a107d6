//! Seams between two authors, wherever the first broke off.

use proptest::prelude::*;

use super::*;

const PROSE: &str = "Sure! The sky is blue because molecules of air scatter short waves of light far more than long ones. \
    Violet is scattered even more, but the sun sends less of it, and our eyes are less awake to it.\n\n\
    At dusk the light's way is longer: the blue is gone before it arrives, and what is left is red.";
const LIST: &str = "Here is a list:\n\n1. Apples, which are red\n2. Bananas, which are yellow\n10. Cherries\n11. Dates\n\n\
    - one thing\n- another thing\n  - a thing below it\n- the last thing\n";
const CODE: &str = "A program:\n\n```rust\nfn main() {\n    for row in 0..10 {\n        if row > 1 {\n            println!(\"{row}\");\n        }\n    }\n}\n```\n\nRun it with `cargo run`.";

/// Letters of two, three and four bytes, one of several code points, and no spaces between words.
const LETTERS: &str = "Größe zählt: 😀 und 👩‍👩‍👧 sind je ein Zeichen.\n\n空が青いのは、空気の分子が短い波長の光を強く散乱させるためです。\n\n- ключ: «значение»\n\
    - Ελλάδα, e\u{301}te\u{301} und نهاية.\n";
const TEXTS: [&str; 4] = [PROSE, LIST, CODE, LETTERS];

/// What says the same again because it means to.
const SAID_AGAIN: &str = "He had had enough, and the the was a mistake, very very odd. No, no, no; again and again and again.\n\n\
    - one thing is left\n- one thing is right\n- one thing is left\n\nIt is 0.00001, 1 1 1, 11 and 1,000,000 or #ffffff. For i in it, he held.\n\n\
    ```py\nt.go(10)\nt.go(10)\nt.forward(100)\nt.forward(100)\nt.forward(100)\na = [0, 0, 0, 0]\nm = [\n    [0, 0, 0, 0, 0, 0],\n    [0, 0, 0, 0, 0, 0],\n]\n\
    struct point point;\nfor i in i:\n    }\n    }\n```\n\nこれはいろいろな人々がますます増えて、木がどんどん育ちます。";

fn sewn(first: &str, second: &str, piece: usize) -> Result<String, Astray> {
    let mut splice = Splice::new(first.to_owned());
    let mut all = first.to_owned();
    let characters: Vec<char> = second.chars().collect();
    for piece in characters.chunks(piece) {
        all.push_str(&splice.push(&piece.iter().collect::<String>())?);
    }
    all.push_str(&splice.end()?);
    Ok(all)
}

fn cuts(text: &str) -> impl Iterator<Item = usize> {
    (1..text.len()).filter(|at| text.is_char_boundary(*at))
}

#[test]
fn an_author_who_goes_on_exactly_is_left_alone() {
    for text in [PROSE, LIST, CODE, LETTERS, SAID_AGAIN] {
        for cut in cuts(text) {
            for piece in [1, 4, 1_000] {
                let all = sewn(&text[..cut], &text[cut..], piece);
                assert_eq!(all.as_deref(), Ok(text), "cut before {:?}", &text[cut..]);
            }
        }
    }
}

#[test]
fn an_author_who_begins_anew_goes_on_where_the_first_stopped() {
    for text in TEXTS {
        for cut in cuts(text) {
            assert_eq!(sewn(&text[..cut], text, 5).as_deref(), Ok(text), "cut at {cut}");
        }
    }
}

#[test]
fn an_author_who_repeats_the_last_line_or_sentence_says_it_once() {
    for text in TEXTS {
        for cut in cuts(text) {
            let line = text[..cut].rfind('\n').map_or(0, |at| at + 1);
            // Of a line hardly begun not enough stands there to be told from a new one.
            if text[line..cut].chars().filter(|c| c.is_alphanumeric()).count() < LEAST_REPEATED {
                continue;
            }
            assert_eq!(sewn(&text[..cut], &text[line..], 3).as_deref(), Ok(text), "cut at {cut}");
        }
    }
}

#[test]
fn an_author_who_repeats_the_last_characters_from_within_a_word_says_them_once() {
    for text in [PROSE, LETTERS] {
        for length in [20, 50, 80] {
            for (cut, _) in text.char_indices().skip(length) {
                let start = text[..cut].char_indices().rev().nth(length - 1).map_or(0, |(at, _)| at);
                if is_much(text[start..cut].trim_start()) {
                    assert_eq!(sewn(&text[..cut], &text[start..], 3).as_deref(), Ok(text), "{:?}", &text[start..cut]);
                }
            }
        }
    }
}

#[test]
fn an_author_who_restarts_the_word_completes_it() {
    for text in TEXTS {
        for cut in cuts(text) {
            let word = text[..cut].trim_end_matches(char::is_alphabetic).len();
            if word < cut && text[cut..].starts_with(char::is_alphabetic) {
                assert_eq!(sewn(&text[..cut], &text[word..], 2).as_deref(), Ok(text), "cut at {cut}");
            }
        }
    }
}

#[test]
fn an_author_who_remarks_on_going_on_is_heard_from_there() {
    let remarks = [
        "Sure, continuing:\n\n",
        "Certainly! Here is the continuation:\n",
        "Of course. Continuing from where I left off: ",
        "**Continued:**\n\n",
        "(continued)\n",
        "Sorry, my answer was cut off. Here’s the rest:\n\n",
    ];
    for text in TEXTS {
        for (turn, cut) in cuts(text).enumerate() {
            let line = text[..cut].rfind('\n').map_or(0, |at| at + 1);
            if text[line..cut].chars().filter(|c| c.is_alphanumeric()).count() < LEAST_REPEATED {
                continue;
            }
            let remark = remarks[turn % remarks.len()];
            for second in [text, &text[line..]] {
                let all = sewn(&text[..cut], &format!("{remark}{}", second.trim_start()), 3);
                assert_eq!(all.as_deref(), Ok(text), "{remark:?} at {cut}");
            }
        }
    }
}

#[test]
fn a_fence_is_opened_once_wherever_in_its_line_the_cut_is() {
    let text = "Run:\n\n```python\nprint(1)\nprint(22)\n```\nDone.";
    let from = text.find("```").expect("a fence");
    for cut in from..text.find("print").expect("code") {
        let (first, second) = text.split_at(cut);
        for again in [second, &text[from..], text] {
            assert_eq!(sewn(first, again, 2).as_deref(), Ok(text), "{first:?} + {again:?}");
        }
    }
}

#[test]
fn seams_of_many_kinds() {
    let table = [
        ("The sky is bl", " blue today", "The sky is blue today"),
        ("The man saw the", " theory fail", "The man saw the theory fail"),
        ("It is blue.", "The sea is, too", "It is blue. The sea is, too"),
        ("It is ", " blue", "It is blue"),
        ("- a\n- ", "- b\n- c", "- a\n- b\n- c"),
        ("1. a\n2", "2. b", "1. a\n2. b"),
        ("so 2", "2 of them", "so 22 of them"),
        ("It is very ", "very good", "It is very very good"),
        ("```py\nx = 1\ny =", "```py\ny = 2\n```", "```py\nx = 1\ny = 2\n```"),
        ("```py\nx = 1\n", "```\nDone.", "```py\nx = 1\n```\nDone."),
        ("", "all of it", "all of it"),
        ("It has", " had enough", "It has had enough"),
        ("He had", " had enough", "He had had enough"),
        ("The river ", "river flows", "The river flows"),
        ("The river", " river flows", "The river flows"),
        ("It has sand, stones,", "stones, and more", "It has sand, stones, and more"),
        ("the meadows in su", "eadows in summer", "the meadows in summer"),
        ("yes,no,yes,", "yes,no", "yes,no,yes,yes,no"),
        ("砂と石を運び、決して止ま", "石を運び、決して止まりません", "砂と石を運び、決して止まりません"),
        ("It is", "Sure, continuing: blue", "It is blue"),
        ("It is ", "...blue", "It is blue"),
        ("It is", "… blue", "It is blue"),
        ("Well.", "...", "Well...."),
        ("```js\nf(", "...all)", "```js\nf(...all)"),
        ("It is ", "sure to continue: always", "It is sure to continue: always"),
        ("Is it? ", "Sure: it is", "Is it? Sure: it is"),
        ("Sure, continuing: a b", "Sure, continuing: a b c", "Sure, continuing: a b c"),
    ];
    for (first, second, all) in table {
        for piece in [1, 3, 100] {
            assert_eq!(sewn(first, second, piece).as_deref(), Ok(all), "{first:?} + {second:?}");
        }
    }
}

#[test]
fn another_answer_is_followed_to_the_words_it_shares_or_given_up() {
    let first = "The sky is blue because of the way that sunlight meets the molecules of the";
    let found = "The sky is blue because of physics: sunlight meets the molecules of the air.";
    assert_eq!(
        sewn(first, found, 4).as_deref(),
        Ok("The sky is blue because of the way that sunlight meets the molecules of the air.")
    );
    assert_eq!(sewn(first, "The sky is blue because of physics, and that is all.", 4), Err(Astray));
    assert_eq!(sewn(first, "The sky is blue because", 4), Err(Astray));
}

#[test]
fn a_megabyte_begun_anew_is_followed_in_no_time() {
    let text = PROSE.repeat(2_500);
    let started = std::time::Instant::now();
    assert_eq!(sewn(&text[..text.len() - 7], &text, 8).as_deref(), Ok(text.as_str()));
    // Compared from its beginning for each piece it would be ten thousand million bytes.
    assert!(started.elapsed().as_secs() < 5);
}

proptest! {
    #[test]
    fn nothing_panics_and_what_was_said_stays(first in "\\PC{0,60}", second in "\\PC{0,60}", piece in 1usize..9) {
        if let Ok(all) = sewn(&first, &second, piece) {
            prop_assert!(all.starts_with(&first));
        }
    }
}

//! What a conversation is counted as, against what o200k makes of its texts: prose of four languages, code and data, of several sizes.

use std::fmt::Write as _;

use super::planted::{Dice, Talk};
use super::*;
use crate::chat::tokens::upper_bound;

/// Bytes of the texts, cut into messages of up to 2,000.
const SIZES: [usize; 4] = [1_000, 5_000, 20_000, 100_000];

/// Kinds of text, and the highest that the cheap bound and the count that has to fit may be, in percent of the real count.
const KINDS: [(&str, u64, u64); 6] = [
    ("English", 200, 125),
    ("German", 200, 125),
    ("Chinese", 220, 110),
    ("Arabic", 165, 155),
    ("Python", 210, 115),
    ("JSON", 195, 110),
];

fn text(kind: &str, size: usize) -> String {
    let mut dice = Dice(size as u64);
    let mut text = String::new();
    while text.len() < size {
        match kind {
            "Python" => python(&mut dice, &mut text),
            "JSON" => record(&mut dice, &mut text),
            language => {
                text.push_str(&Talk::in_language(language, "").message("assistant", &mut dice));
                text.push_str("\n\n");
            }
        }
    }
    text
}

const NOUNS: [&str; 10] =
    ["order", "invoice", "customer", "session", "token", "report", "address", "payment", "shipment", "account"];
const VERBS: [&str; 8] = ["load", "parse", "validate", "merge", "render", "fetch", "archive", "count"];

fn python(dice: &mut Dice, text: &mut String) {
    let (verb, noun, other) = (dice.pick(&VERBS), dice.pick(&NOUNS), dice.pick(&NOUNS));
    let (first, second) = (dice.below(5_000), dice.below(90));
    write!(
        text,
        "def {verb}_{noun}({noun}_id: int, *, retries: int = {second}) -> dict[str, Any]:\n    \"\"\"{verb} one {noun} \
         and its {other}s, at most {first} of them.\"\"\"\n    for attempt in range(retries):\n        try:\n            \
         rows = self._client.get(f\"/v1/{noun}s/{{{noun}_id}}/{other}s?limit={first}\")\n        except TimeoutError as \
         error:\n            logger.warning(\"%s failed, attempt %d: %r\", \"{verb}_{noun}\", attempt, error)\n            \
         continue\n        return {{row[\"id\"]: row for row in rows if row[\"{other}\"] is not None}}\n    raise \
         RuntimeError(\"no {noun} after {second} attempts\")\n\n\n"
    )
    .expect("a string");
}

fn record(dice: &mut Dice, text: &mut String) {
    let id = format!("{:08x}-{:04x}", dice.below(usize::MAX), dice.below(65_536));
    let record = json!({
        "id": id, "kind": dice.pick(&NOUNS), "created_at": format!("2025-{:02}-{:02}T{:02}:41:07Z", 1 + dice.below(12), 1 + dice.below(28), dice.below(24)),
        "total": {"amount": dice.below(100_000), "currency": "EUR"}, "tags": [dice.pick(&NOUNS), dice.pick(&VERBS)],
        "url": format!("https://api.example.com/v2/{}s/{id}", dice.pick(&NOUNS)), "active": dice.below(2) == 0, "note": null
    });
    // Half of them as programs send it, half as people read it.
    let written = if dice.below(2) == 0 { record.to_string() } else { format!("{record:#}") };
    text.push_str(&written);
    text.push('\n');
}

/// The text as a conversation.
fn conversation(text: &str) -> Vec<String> {
    let mut messages = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (said, more) = rest.split_at(rest.floor_char_boundary(2_000));
        messages.push(if messages.len() % 2 == 0 { user(said) } else { assistant(said) }.to_string());
        rest = more;
    }
    messages
}

#[test]
#[expect(clippy::print_stdout, reason = "the figures are for people")]
fn a_conversation_counts_what_o200k_counts_within_a_tenth() {
    let o200k = tiktoken::encoding::o200k_base();
    println!("{:8} {:>7} {:>7} {:>9} {:>8} {:>8}", "kind", "bytes", "o200k", "counted", "to fit", "bound");
    for ((kind, most_bound, most_to_fit), size) in KINDS.into_iter().flat_map(|kind| SIZES.map(|size| (kind, size))) {
        let text = text(kind, size);
        let messages = conversation(&text);
        let (digest, raws) = digest(&messages);
        // By OpenAI's recipe each message costs three tokens more than its text, and a chat three.
        let real = o200k.encode(&text).len() as u64 + 3 * raws.len() as u64 + 3;
        let percent = |tokens: u64| tokens * 100 / real;
        let (counted, to_fit) = (percent(digest.exact_tokens()), percent(digest.tokens()));
        let bound = percent(raws.iter().map(upper_bound).sum());
        println!("{kind:8} {:>7} {real:>7} {counted:>8}% {to_fit:>7}% {bound:>7}%", text.len());
        assert!((90..=110).contains(&counted), "{kind} of {size}: {counted} %");
        assert!((counted..=most_to_fit).contains(&to_fit), "{kind} of {size}: {to_fit} % has to fit");
        assert!((100..=most_bound).contains(&bound), "{kind} of {size}: the bound is {bound} %");
    }
}

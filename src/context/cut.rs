//! Cuts one message that is too long alone: its beginning and its end stay, with a mark between them, and code stays fenced.

use std::borrow::Cow;

use crate::chat::Message;
use crate::chat::fence::Fences;
use crate::chat::fields::{EditedObject, list, quoted};
use crate::chat::tokens::exact;

use super::digest::fitting;

/// The beginning keeps this part of what stays: a text says at its start what it is about.
const HEAD_PERCENT: usize = 60;
/// A cut is moved back by up to this many bytes to fall between lines or words.
const MOST_SHIFT: usize = 160;

/// The message with its longest text cut to at most `tokens`; `None` where it has no text to cut.
pub fn message(raw: &str, tokens: u64) -> Option<String> {
    let mut object = EditedObject::parse(raw).ok()?;
    let content = object.get("content")?.to_owned();
    if content.starts_with('"') {
        let text: String = serde_json::from_str(&content).ok()?;
        object.set("content", quoted(&middle(&text, tokens)));
        return Some(object.render());
    }
    let mut parts: Vec<Cow<'_, str>> = list(&content).ok()?.into_iter().map(Cow::Borrowed).collect();
    let text_of = |part: &str| EditedObject::parse(part).ok().and_then(|part| part.text("text"));
    let longest = (0..parts.len()).max_by_key(|index| text_of(&parts[*index]).map_or(0, |text| text.len()))?;
    let rest: u64 = Message::parse(raw).ok().map(|message| exact(&message.text())).unwrap_or_default();
    let text = text_of(&parts[longest])?;
    let others = rest.saturating_sub(exact(&text));
    let mut part = EditedObject::parse(&parts[longest]).ok()?;
    part.set("text", quoted(&middle(&text, tokens.saturating_sub(others))));
    let cut = part.render();
    parts[longest] = Cow::Owned(cut);
    let cut = format!("[{}]", parts.join(","));
    object.set("content", cut);
    Some(object.render())
}

/// `text` without its middle, in at most `tokens`.
pub fn middle(text: &str, tokens: u64) -> String {
    let all = size(text);
    if all <= tokens {
        return text.to_owned();
    }
    let mut keep = proportion(text.len(), tokens, all);
    loop {
        let cut = without_middle(text, keep, all);
        if size(&cut) <= tokens || keep == 0 {
            return cut;
        }
        keep = (keep * 9 / 10).min(keep.saturating_sub(8));
    }
}

/// What counts for a text that is written as a JSON string.
fn size(text: &str) -> u64 {
    fitting(exact(text), quoted(text).len())
}

fn proportion(bytes: usize, part: u64, all: u64) -> usize {
    let kept = bytes as u128 * u128::from(part) / u128::from(all.max(1));
    usize::try_from(kept).unwrap_or(bytes)
}

fn without_middle(text: &str, keep: usize, all: u64) -> String {
    let head_end = between(text, keep * HEAD_PERCENT / 100);
    let tail_start = text.len() - (keep - keep * HEAD_PERCENT / 100).min(text.len() - head_end);
    let tail_start = after(text, tail_start.max(head_end));
    let (head, tail) = (&text[..head_end], &text[tail_start..]);
    let mut fences = Fences::default();
    fences.follow(head);
    let closing = fences.open_at_end().map(|fence| fence.closing(head.ends_with('\n'))).unwrap_or_default();
    fences.follow(&text[head_end..tail_start]);
    let opening = fences.open_at_end().map(|fence| fence.opening()).unwrap_or_default();
    let left_out = all
        - u64::try_from(proportion(usize::try_from(all).unwrap_or(usize::MAX), keep as u64, text.len() as u64))
            .unwrap_or(0);
    format!("{head}{closing}\n\n[… about {left_out} tokens left out here …]\n\n{opening}{tail}")
}

/// A place at or before `at` between lines, else between words, else between characters.
fn between(text: &str, at: usize) -> usize {
    let at = text.floor_char_boundary(at);
    let from = text.floor_char_boundary(at.saturating_sub(MOST_SHIFT));
    let near = &text[from..at];
    near.rfind('\n').or_else(|| near.rfind(' ')).map_or(at, |place| from + place + 1)
}

/// The same at or behind `at`.
fn after(text: &str, at: usize) -> usize {
    let at = text.ceil_char_boundary(at);
    let near = &text[at..text.ceil_char_boundary((at + MOST_SHIFT).min(text.len()))];
    near.find('\n').or_else(|| near.find(' ')).map_or(at, |place| at + place + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn beginning_and_end_stay_within_the_tokens() {
        let lines: Vec<String> = (0..4_000).map(|number| format!("Line {number} of the report.\n")).collect();
        let text = lines.concat();
        for tokens in [60, 300, 5_000] {
            let cut = middle(&text, tokens);
            assert!(size(&cut) <= tokens, "{} > {tokens}", size(&cut));
            assert!(size(&cut) * 10 >= tokens * 6, "{} is far below {tokens}", size(&cut));
            assert!(cut.starts_with("Line 0 of") && cut.ends_with("Line 3999 of the report.\n"), "{cut}");
            assert!(cut.contains("tokens left out here …]"));
        }
        assert_eq!(middle("short", 100), "short");
        assert!(size(&middle(&"字".repeat(9_000), 100)) <= 100);
    }

    #[test]
    fn code_stays_fenced_on_both_sides() {
        let text = format!("Look:\n```rust\n{}```\nWhat is wrong?", "let x = 1;\n".repeat(900));
        let cut = middle(&text, 200);
        let (head, tail) = cut.split_once("[…").expect("a mark");
        for half in [head, tail] {
            let mut fences = Fences::default();
            fences.follow(half);
            assert_eq!(fences.open_at_end(), None, "{half}");
        }
        assert!(tail.contains("\n```rust\nlet x = 1;"), "{tail}");
    }

    #[test]
    fn parts_and_fields_stay() {
        let long = "word ".repeat(2_000);
        let raw = format!(
            r#"{{"role":"user","x":1e400,"content":[{{"type":"text","text":"{long}"}},{{"type":"image_url","image_url":{{"url":"data:,"}}}},{{"type":"text","text":"What?"}}]}}"#
        );
        let cut = message(&raw, 100).expect("a text");
        let parsed = Message::parse(&cut).expect("valid");
        assert!(
            exact(&parsed.text()) <= 110
                && cut.contains(r#""x":1e400"#)
                && cut.contains("data:,")
                && parsed.text().ends_with("What?")
        );
        assert_eq!(message(r#"{"role":"assistant","content":null}"#, 10), None);
    }
}

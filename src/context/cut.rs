//! Cuts one message that is too long alone: its beginning and its end stay, with a mark between them, and code stays fenced.

use crate::chat::fence::Fences;
use crate::chat::fields::{EditedObject, list, quoted};

use super::digest::{Facts, size};

/// The beginning keeps this part of what stays: a text says at its start what it is about.
const HEAD_PERCENT: usize = 60;
/// A cut is moved back by up to this many bytes to fall between lines or words.
const MOST_SHIFT: usize = 160;

/// The message with its longest texts cut, so that it counts at most `tokens`; `None` where that cannot be.
pub fn message(raw: &str, tokens: u64) -> Option<String> {
    let content = EditedObject::parse(raw).ok()?.get("content")?.to_owned();
    let whole = Facts::of(raw).text_tokens;
    let parts = texts(&content)?;
    let sizes: Vec<u64> = parts.iter().filter_map(|part| part.text.as_deref().map(size)).collect();
    let beside = whole.saturating_sub(sizes.iter().sum());
    let mut target = tokens.saturating_sub(beside);
    // Joined, texts may count a little more than apart.
    for _ in 0..4 {
        let level = level(&sizes, target);
        let mut object = EditedObject::parse(raw).ok()?;
        object.set("content", content_of(&parts, level, content.starts_with('[')));
        let cut = object.render();
        let over = Facts::of(&cut).text_tokens.saturating_sub(tokens);
        if over == 0 {
            return Some(cut);
        }
        target = target.saturating_sub(over);
    }
    None
}

/// One part of a message's content.
struct Part<'a> {
    raw: &'a str,
    /// Where it is a text: its words.
    text: Option<String>,
}

/// The parts of a content; of a plain text, the one.
fn texts(content: &str) -> Option<Vec<Part<'_>>> {
    if content.starts_with('"') {
        let text = Some(serde_json::from_str(content).ok()?);
        return Some(vec![Part { raw: content, text }]);
    }
    let text = |raw| EditedObject::parse(raw).ok().and_then(|part| part.text("text"));
    Some(list(content).ok()?.into_iter().map(|raw| Part { raw, text: text(raw) }).collect())
}

/// The content as JSON, its texts cut to `level`.
fn content_of(parts: &[Part<'_>], level: u64, is_list: bool) -> String {
    let cut = |part: &Part<'_>| {
        let Some(text) = part.text.as_deref() else { return part.raw.to_owned() };
        let text = quoted(&middle(text, level));
        match EditedObject::parse(part.raw) {
            Ok(mut object) => {
                object.set("text", text);
                object.render()
            }
            Err(_) => text,
        }
    };
    let cut: Vec<String> = parts.iter().map(cut).collect();
    if is_list { format!("[{}]", cut.join(",")) } else { cut.concat() }
}

/// The length to which the longest have to be cut for all to fit.
pub fn level(lengths: &[u64], budget: u64) -> u64 {
    let mut sorted = lengths.to_vec();
    sorted.sort_unstable();
    let (mut left, mut count) = (budget, sorted.len() as u64);
    for length in sorted {
        if length * count > left {
            return left / count;
        }
        left -= length;
        count -= 1;
    }
    u64::MAX
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
    use crate::chat::Message;
    use crate::chat::tokens::exact;

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

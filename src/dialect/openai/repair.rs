//! Mends what a client of OpenAI's would stumble over in an answer: calls without index, a wrong end, contents in parts.

use std::borrow::Cow;

use crate::chat::event::Finish;
use crate::chat::fields::{EditedObject, list, quoted};
use crate::chat::{Chunk, RawObject};

/// What has been seen of one answer's tool calls.
#[derive(Debug, Default)]
pub struct Repair {
    /// Calls begun so far.
    calls: usize,
}

impl Repair {
    /// The chunk (or whole answer) mended; `None` where it is right as it is.
    pub fn mend(&mut self, json: &[u8], chunk: &Chunk<'_>) -> Option<String> {
        let choices = chunk.choices.as_deref()?;
        let first = choices.first()?;
        let delta = first.delta.as_ref();
        let calls = delta.and_then(|delta| delta.tool_calls).filter(|calls| calls.starts_with('['));
        let indexed = calls.and_then(|calls| self.index(calls, is_stream(json)));
        let ends_wrong = self.calls > 0 && first.finish_reason.as_deref().map(Finish::of) == Some(Finish::Stop);
        let in_parts = delta.and_then(|delta| delta.content).filter(|content| content.starts_with('['));
        if indexed.is_none() && !ends_wrong && in_parts.is_none() {
            return None;
        }
        mended(std::str::from_utf8(json).ok()?, indexed, ends_wrong, in_parts)
    }

    /// Counts the calls; gives them back numbered where a number is missing.
    fn index(&mut self, calls: &str, stream: bool) -> Option<String> {
        let mut missing = false;
        let mut numbered = Vec::new();
        for raw in list(calls).ok()? {
            let mut call = EditedObject::parse(raw).ok()?;
            let own: Option<usize> = call.get("index").and_then(|index| index.parse().ok());
            // A piece without an id goes on with the call before it.
            let begins = call.get("id").is_some_and(|id| id != "null" && id != "\"\"") || self.calls == 0;
            let index = own.unwrap_or(if begins { self.calls } else { self.calls - 1 });
            self.calls = self.calls.max(index + 1);
            if own.is_none() && stream {
                missing = true;
                call.set("index", index.to_string());
                numbered.push(Cow::Owned(call.render()));
            } else {
                numbered.push(Cow::Borrowed(raw));
            }
        }
        missing.then(|| format!("[{}]", numbered.join(",")))
    }
}

fn is_stream(json: &[u8]) -> bool {
    memchr::memmem::find(json, b"\"delta\"").is_some()
}

fn mended(json: &str, calls: Option<String>, ends_wrong: bool, in_parts: Option<&str>) -> Option<String> {
    let object = RawObject::parse(json.as_bytes()).ok()?;
    let choices = list(object.get("choices")?).ok()?;
    let mut choice = EditedObject::parse(choices.first()?).ok()?;
    let place = if choice.get("delta").is_some() { "delta" } else { "message" };
    if let Some(delta) = choice.get(place).map(str::to_owned) {
        let mut delta = EditedObject::parse(&delta).ok()?;
        if let Some(calls) = calls {
            delta.set("tool_calls", calls);
        }
        if let Some(parts) = in_parts {
            let (text, thinking) = split_parts(parts);
            delta.set("content", quoted(&text));
            if !thinking.is_empty() {
                delta.set("reasoning_content", quoted(&thinking));
            }
        }
        choice.set(place, delta.render());
    }
    if ends_wrong {
        choice.set("finish_reason", "\"tool_calls\"");
    }
    let mut rest: Vec<Cow<'_, str>> = choices.into_iter().map(Cow::Borrowed).collect();
    rest[0] = Cow::Owned(choice.render());
    let mut whole = EditedObject::parse(json).ok()?;
    whole.set("choices", format!("[{}]", rest.join(",")));
    Some(whole.render())
}

/// The text of a content in parts, and its thinking (Mistral's reasoning models, 2026-08).
fn split_parts(parts: &str) -> (String, String) {
    let (mut text, mut thinking) = (String::new(), String::new());
    for raw in list(parts).unwrap_or_default() {
        let Ok(part) = EditedObject::parse(raw) else { continue };
        match part.text("type").as_deref() {
            Some("thinking") => match part.get("thinking") {
                Some(inner) if inner.starts_with('[') => thinking.push_str(&split_parts(inner).0),
                _ => thinking.push_str(&part.text("thinking").unwrap_or_default()),
            },
            _ => text.push_str(&part.text("text").unwrap_or_default()),
        }
    }
    (text, thinking)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mend(repair: &mut Repair, json: &str) -> Option<String> {
        repair.mend(json.as_bytes(), &Chunk::parse(json.as_bytes()).expect("a chunk"))
    }

    #[test]
    fn right_chunks_stay_as_they_are() {
        let mut repair = Repair::default();
        for json in [
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a"}]}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
            r#"{"choices":[{"message":{"tool_calls":[{"id":"a"}]},"finish_reason":"tool_calls"}]}"#,
            r#"{"choices":[]}"#,
        ] {
            assert_eq!(mend(&mut repair, json), None, "{json}");
        }
    }

    #[test]
    fn calls_get_their_numbers_and_the_stream_its_right_end() {
        let mut repair = Repair::default();
        let two = r#"{"id":1e400,"choices":[{"index":0,"delta":{"tool_calls":[{"id":"a"},{"id":"b"}]}}]}"#;
        let expected = r#"{"id":1e400,"choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","index":0},{"id":"b","index":1}]}}]}"#;
        assert_eq!(mend(&mut repair, two).as_deref(), Some(expected));
        let more = r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"x"}}]}}]}"#;
        assert!(mend(&mut repair, more).is_some_and(|json| json.contains(r#""index":1"#)));
        let end = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
        assert_eq!(
            mend(&mut repair, end).as_deref(),
            Some(r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#)
        );
    }

    #[test]
    fn a_content_in_parts_becomes_text_and_reasoning() {
        let json = r#"{"choices":[{"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"18"}]}}]}"#;
        let expected = r#"{"choices":[{"message":{"role":"assistant","content":"18","reasoning_content":"hm"}}]}"#;
        assert_eq!(mend(&mut Repair::default(), json).as_deref(), Some(expected));
    }
}

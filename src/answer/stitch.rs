//! Makes the events of a continuation part of the stream they continue: one id, one text, one sum of tokens.

use serde_json::{Map, Value};

use crate::chat::splice::{Astray, Splice};
use crate::chat::{Chunk, Signs, StreamEvent, Usage};
use crate::dialect::sse;

use super::transcript::Head;

/// The seam between a stream and its continuation.
#[derive(Debug)]
pub struct Stitch {
    head: Head,
    splice: Splice,
    /// What the parts before have used.
    before: Usage,
    /// The comment that names the routes, until it is told.
    comment: Option<String>,
}

impl Stitch {
    /// `routes` are those of the whole stream, in their order.
    pub fn new(head: Head, so_far: String, before: Usage, routes: &str) -> Self {
        let comment = Some(format!(": relay-continued {routes}\n\n"));
        Self { head, splice: Splice::new(so_far), before, comment }
    }

    /// The comment that names the routes, once, before the end.
    pub fn comment_before(&mut self, event: &StreamEvent) -> Option<StreamEvent> {
        let comment = self.comment.take_if(|_| event.signs.done)?;
        Some(StreamEvent { bytes: comment.into(), signs: Signs::default() })
    }

    /// The event as part of the whole stream; an event without bytes where it says nothing new.
    pub fn sew(&mut self, mut event: StreamEvent) -> Result<StreamEvent, Astray> {
        if let Some(usage) = &mut event.signs.usage {
            usage.prompt_tokens = usage.prompt_tokens.saturating_add(self.before.prompt_tokens);
            usage.completion_tokens = usage.completion_tokens.saturating_add(self.before.completion_tokens);
        }
        if event.signs.done {
            return Ok(event);
        }
        let json = sse::data(&event.bytes).and_then(|data| Some((serde_json::from_slice(&data).ok()?, said(&data))));
        let Some((Value::Object(mut chunk), said)) = json else {
            // A comment of the provider's own.
            event.bytes = bytes::Bytes::new();
            return Ok(event);
        };
        event.signs.text = None;
        self.put_head(&mut chunk);
        if let (Some(usage), Some(Value::Object(sum))) = (event.signs.usage, chunk.get_mut("usage")) {
            sum.insert("prompt_tokens".to_owned(), usage.prompt_tokens.into());
            sum.insert("completion_tokens".to_owned(), usage.completion_tokens.into());
            sum.insert("total_tokens".to_owned(), usage.total().into());
        }
        let goes_on = self.sew_text(&mut chunk, &said, event.signs.finish.is_some())?;
        let shown = goes_on || event.signs.usage_only || event.signs.finish.is_some();
        event.bytes = if shown { format!("data: {}\n\n", Value::Object(chunk)).into() } else { bytes::Bytes::new() };
        Ok(event)
    }

    fn put_head(&self, chunk: &mut Map<String, Value>) {
        let Head { id, created, model } = self.head.clone();
        let fields =
            [("id", id.map(Value::from)), ("created", created.map(Value::from)), ("model", model.map(Value::from))];
        for (name, value) in fields {
            if let Some(value) = value {
                chunk.insert(name.to_owned(), value);
            }
        }
    }

    /// Puts the new of the text in the place of all of it. Says whether the chunk has anything to tell.
    fn sew_text(&mut self, chunk: &mut Map<String, Value>, said: &Said, ends: bool) -> Result<bool, Astray> {
        let mut text = if said.text.is_empty() { String::new() } else { self.splice.push(&said.text)? };
        if ends || said.more {
            text.push_str(&self.splice.end()?);
        }
        let delta =
            chunk.get_mut("choices").and_then(|choices| choices.get_mut(0)).and_then(|choice| choice.get_mut("delta"));
        let Some(Value::Object(delta)) = delta else { return Ok(false) };
        delta.remove("role");
        let has_text = !text.is_empty();
        if has_text {
            delta.insert("content".to_owned(), text.into());
        } else {
            delta.remove("content");
        }
        Ok(has_text || said.more || said.reasons)
    }
}

/// What a chunk says, as far as the seam is concerned.
#[derive(Default)]
struct Said {
    text: String,
    reasons: bool,
    more: bool,
}

fn said(data: &[u8]) -> Said {
    let Ok(chunk) = Chunk::parse(data) else { return Said::default() };
    Said {
        text: chunk.text().unwrap_or_default().into_owned(),
        reasons: chunk.reasoning().is_some_and(|text| !text.is_empty()),
        more: chunk.has_more_than_text(),
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn event(json: &str) -> StreamEvent {
        let signs = Chunk::parse(json.as_bytes()).expect("a chunk").signs();
        StreamEvent { bytes: Bytes::from(format!("data: {json}\n\n")), signs }
    }

    #[test]
    fn one_id_one_text_one_sum() {
        let head = Head { id: Some("first".to_owned()), created: Some(7), model: Some("m".to_owned()) };
        let before = Usage { prompt_tokens: 10, completion_tokens: 3 };
        let mut stitch = Stitch::new(head, "The sky is bl".to_owned(), before, "a/m, b/n");
        let chunk = |delta: &str| {
            event(&format!(r#"{{"id":"x","created":9,"model":"n","choices":[{{"index":0,"delta":{delta}}}]}}"#))
        };
        let mut sewn = |event| String::from_utf8(stitch.sew(event).expect("no astray").bytes.to_vec()).expect("UTF-8");
        assert_eq!(sewn(chunk(r#"{"role":"assistant","content":"The sky"}"#)), "");
        let next = sewn(chunk(r#"{"content":" is blue today"}"#));
        assert!(next.contains(r#""id":"first""#) && next.contains(r#""content":"ue today""#), "{next}");
        let end = sewn(event(
            r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":5,"completion_tokens":2,"x":1}}"#,
        ));
        assert!(
            end.contains(r#""completion_tokens":5,"prompt_tokens":15"#) && end.contains(r#""total_tokens":20"#),
            "{end}"
        );
        let done = StreamEvent {
            bytes: Bytes::from_static(b"data: [DONE]\n\n"),
            signs: Signs { done: true, ..Signs::default() },
        };
        let comment = stitch.comment_before(&done).expect("not told yet");
        assert_eq!(comment.bytes, ": relay-continued a/m, b/n\n\n");
        assert_eq!((stitch.comment_before(&done), stitch.sew(done.clone())), (None, Ok(done)));
    }
}

//! What the server said in OpenAI's shape: whole answers, chunks of a stream, and the ids the server does not give.

use jiff::Timestamp;
use serde::Serialize;

use crate::chat::Usage;

use super::native::{Call, Said};

/// What all parts of one answer share.
#[derive(Debug, Clone)]
pub struct Head {
    /// Distinguishes this answer's ids from those of other answers in a conversation.
    stem: String,
    created: i64,
    model: String,
}

impl Head {
    pub fn new(model: &str, now: Timestamp) -> Self {
        Self { stem: format!("{:x}", now.as_nanosecond()), created: now.as_second(), model: model.to_owned() }
    }

    /// A whole answer.
    pub fn completion(&self, said: &Said<'_>, finish: &str, usage: Option<Usage>) -> Vec<u8> {
        let message = Message {
            role: Some("assistant"),
            // Null beside calls alone, as OpenAI has it.
            content: Some(said.content().or_else(|| said.calls().is_empty().then_some(""))),
            reasoning_content: said.thinking(),
            tool_calls: self.calls(said.calls(), 0, false),
        };
        let choice = Choice { index: 0, message: Some(message), delta: None, finish_reason: Some(finish) };
        self.write("chat.completion", &[choice], usage)
    }

    /// One piece of a stream. `called` is the number of tool calls before it.
    pub fn piece(&self, said: &Said<'_>, is_first: bool, called: usize) -> Vec<u8> {
        let delta = Message {
            role: is_first.then_some("assistant"),
            content: said.content().map(Some),
            reasoning_content: said.thinking(),
            tool_calls: self.calls(said.calls(), called, true),
        };
        self.chunk(&[Choice { index: 0, message: None, delta: Some(delta), finish_reason: None }], None)
    }

    /// The chunk that says why a stream ended.
    pub fn end(&self, finish: &str) -> Vec<u8> {
        let delta = Some(Message::default());
        self.chunk(&[Choice { index: 0, message: None, delta, finish_reason: Some(finish) }], None)
    }

    /// The chunk that holds nothing but usage.
    pub fn usage(&self, usage: Usage) -> Vec<u8> {
        self.chunk(&[], Some(usage))
    }

    fn chunk(&self, choices: &[Choice<'_>], usage: Option<Usage>) -> Vec<u8> {
        let mut event = b"data: ".to_vec();
        event.append(&mut self.write("chat.completion.chunk", choices, usage));
        event.extend_from_slice(b"\n\n");
        event
    }

    fn write(&self, object: &str, choices: &[Choice<'_>], usage: Option<Usage>) -> Vec<u8> {
        let completion = Completion {
            id: format!("chatcmpl-{}", self.stem),
            object,
            created: self.created,
            model: &self.model,
            choices,
            usage: usage.map(|usage| Counts {
                prompt_tokens: usage.prompt_tokens,
                completion_tokens: usage.completion_tokens,
                total_tokens: usage.total(),
            }),
        };
        serde_json::to_vec(&completion).expect("texts and numbers serialize")
    }

    fn calls(&self, calls: &[Call<'_>], called: usize, indexed: bool) -> Vec<ToolCall> {
        let numbered = (called..).zip(calls);
        numbered
            .map(|(index, call)| ToolCall {
                index: indexed.then_some(index),
                id: match call.id.as_deref() {
                    Some(id) if !id.is_empty() => id.to_owned(),
                    _ => format!("call_{}_{index}", self.stem),
                },
                r#type: "function",
                function: Called {
                    name: call.function.name.clone().into_owned(),
                    arguments: call.function.arguments().into_owned(),
                },
            })
            .collect()
    }
}

/// The reason in OpenAI's words. Calls end an answer whatever the server says.
pub fn finish_reason(done_reason: Option<&str>, has_calls: bool) -> &'static str {
    match done_reason {
        _ if has_calls => "tool_calls",
        Some("length") => "length",
        _ => "stop",
    }
}

#[derive(Serialize)]
struct Completion<'a> {
    id: String,
    object: &'a str,
    created: i64,
    model: &'a str,
    choices: &'a [Choice<'a>],
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<Counts>,
}

#[derive(Serialize)]
#[expect(clippy::struct_field_names, reason = "these are the names on the wire")]
struct Counts {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
}

#[derive(Serialize)]
struct Choice<'a> {
    index: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delta: Option<Message<'a>>,
    finish_reason: Option<&'a str>,
}

#[derive(Default, Serialize)]
#[expect(clippy::option_option, reason = "a message's content is absent, null or a text")]
struct Message<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<Option<&'a str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_content: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<ToolCall>,
}

#[derive(Serialize)]
struct ToolCall {
    #[serde(skip_serializing_if = "Option::is_none")]
    index: Option<usize>,
    id: String,
    r#type: &'static str,
    function: Called,
}

#[derive(Serialize)]
struct Called {
    name: String,
    arguments: String,
}

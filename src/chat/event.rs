//! One event of an answer's stream, in OpenAI's framing, and what it tells about the answer.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;

use super::chunk::string;
use super::fault::Fault;

/// An event ready to be passed on, with what was read from it in passing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEvent {
    /// The event as it goes to the caller: one or more whole lines and the blank line that ends it.
    pub bytes: Bytes,
    pub signs: Signs,
}

/// What an event tells.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Signs {
    /// The event carries part of the answer: text, reasoning, a tool call, a refusal, or an end that says why there is none.
    pub real: bool,
    /// The event carries usage and no choice at all.
    pub usage_only: bool,
    pub usage: Option<Usage>,
    /// A choice ended, for the reason named.
    pub finish: Option<Finish>,
    /// The provider reports a failure inside the stream.
    pub error: Option<Fault>,
    /// The end marker `[DONE]`.
    pub done: bool,
    /// Where the text of the first choice stands in the event's bytes, a JSON string with its quotes; `None` where nobody looked.
    pub text: Option<Range<usize>>,
}

impl StreamEvent {
    /// Whether it says nothing but that somebody is there: a comment, blank lines, an event's name, or data that is for nobody's eyes.
    pub fn is_comment(&self) -> bool {
        self.signs == Signs::default() && memchr::memmem::find(&self.bytes, b"data:").is_none()
    }

    /// The text of the first choice, where it is known to stand in the event's bytes.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        let raw = self.bytes.get(self.signs.text.clone()?)?;
        string(std::str::from_utf8(raw).ok()?).ok()
    }
}

/// Why an answer ended, as far as relay acts on it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Finish {
    Stop,
    Length,
    ToolCalls,
    ContentFilter,
    /// The provider gave up: `error` and its kin.
    Failed,
}

impl Finish {
    /// A word that nobody knows says no more than that there is an end.
    pub fn of(reason: &str) -> Self {
        match reason {
            // Z.ai's for an answer that is too long for the context, Mistral's, Anthropic's (2026-11).
            "length" | "model_context_window_exceeded" | "model_length" | "max_tokens" => Self::Length,
            "tool_calls" | "function_call" => Self::ToolCalls,
            // The second is Z.ai's (2026-11).
            "content_filter" | "sensitive" => Self::ContentFilter,
            "error" | "network_error" | "insufficient_system_resource" => Self::Failed,
            _ => Self::Stop,
        }
    }
}

/// Tokens a provider says a request used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub struct Usage {
    #[serde(default)]
    pub prompt_tokens: u64,
    #[serde(default)]
    pub completion_tokens: u64,
}

impl Usage {
    pub const fn total(&self) -> u64 {
        self.prompt_tokens.saturating_add(self.completion_tokens)
    }
}

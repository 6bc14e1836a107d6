//! Wire protocols as pure functions: a request out, a response in, a failure classified, a stream scanned.

mod front;
pub mod gemini;
pub mod listing;
pub mod ollama;
pub mod openai;
mod place;
pub mod sse;

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;

use crate::chat::chunk::string;
use crate::chat::event::Finish;
use crate::chat::{ChatRequest, Fault, Period, Slices, StreamEvent, Usage};
use crate::quota::Fact;

pub use ollama::installed;

/// A wire protocol. Adding one is a module here and an arm in each function below.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Dialect {
    OpenAi,
    Gemini,
    Ollama,
}

/// What one provider wants otherwise than its dialect says. Comes from the `[wire]` table of its catalogue file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// Request fields that are left out.
    pub drop: Vec<String>,
    /// The only request fields a closed schema takes, by the names it has for them; empty means any.
    pub only: Vec<String>,
    /// Request fields that go by another name, old and new.
    pub rename: Vec<(String, String)>,
    /// Request fields sent with this raw JSON value when the caller gives none.
    pub defaults: Vec<(String, String)>,
    /// The most that a field may be, or hold where it is a list, as raw JSON: more is brought down to it.
    pub most: Vec<(String, String)>,
    /// Words of `reasoning_effort` that another one is sent for.
    pub efforts: Vec<(String, String)>,
    /// Where the model list is asked, below the base URL; empty where there is none.
    pub models: String,
    /// A model that is not on the list is not offered. Some lists leave out what they serve.
    pub lists_all: bool,
    /// Where a key can be tested, below the base URL. Without it the model list's refusal tells; empty says that nothing does.
    pub key_check: Option<String>,
    /// The path of the usage object in a stream's chunks, where it is not `usage`.
    pub usage_at: Vec<String>,
    /// The path of an error in a stream's chunks, where it is not `error`.
    pub error_at: Vec<String>,
    /// The period of a rate header that says `requests` and no more.
    pub requests_header: Period,
    /// Whether `stream_options` may be sent; where not, usage comes anyway.
    pub stream_options: bool,
    /// Whether the role `developer` is known; where not, it is sent as `system`.
    pub developer: bool,
    /// Which messages may have a `name`.
    pub names: Names,
    /// The only fields a message may have; empty means any.
    pub message_fields: Vec<String>,
    /// Contents made of text parts alone are sent as one string.
    pub flatten: bool,
    /// Whether `content` may be null; where not, an empty string is sent.
    pub null_content: bool,
    /// Whether it may be null in an assistant's message that makes no call.
    pub null_answers: bool,
    pub tool_ids: ToolIds,
    /// The last message must be the user's or a tool's, every call has its one result right behind it, no user follows a tool.
    pub strict_order: bool,
    /// System messages must stand before all others, and cannot be alone.
    pub system_first: bool,
    /// The only words that `tool_choice` may have; `None` means any, and objects.
    pub tool_choices: Option<Vec<String>>,
    /// The name under which a model's reasoning is sent back to it; without one it is left out of the history.
    pub reasoning_field: Option<String>,
    /// Request fields sent with this raw JSON value where a call in the history lacks the reasoning that the provider insists on.
    pub without_reasoning: Vec<(String, String)>,
    /// Texts that are no answers, where they are all there is: the word of a guard in a model's place.
    pub no_answers: Vec<String>,
}

impl Wire {
    /// Whether a text might still become one of those that are no answers; `is_over` where it becomes nothing else.
    pub fn may_be_no_answer(&self, text: &str, is_over: bool) -> bool {
        let text = text.trim();
        let is_one = |none: &String| if is_over { none == text } else { none.starts_with(text) };
        !text.is_empty() && self.no_answers.iter().any(is_one)
    }

    /// Whether even plain messages may have to be put in another order.
    pub const fn minds_order(&self) -> bool {
        self.strict_order || self.system_first
    }

    /// Whether a request's field of this name is sent on.
    pub fn takes(&self, field: &str) -> bool {
        let is = |name: &String| name == field;
        !self.drop.iter().any(is) && (self.only.is_empty() || self.only.iter().any(is))
    }
}

/// Messages that may carry a `name`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Names {
    #[default]
    All,
    Tool,
    None,
}

impl Names {
    pub const NAMES: [(&'static str, Self); 3] = [("all", Self::All), ("tool", Self::Tool), ("none", Self::None)];
}

/// What the ids of tool calls may look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ToolIds {
    #[default]
    Any,
    /// Nine letters and digits.
    Alphanumeric9,
}

impl ToolIds {
    pub const NAMES: [(&'static str, Self); 2] = [("any", Self::Any), ("alphanumeric9", Self::Alphanumeric9)];
}

impl Default for Wire {
    fn default() -> Self {
        Self {
            drop: Vec::new(),
            only: Vec::new(),
            rename: Vec::new(),
            defaults: Vec::new(),
            most: Vec::new(),
            efforts: Vec::new(),
            models: "/models".to_owned(),
            lists_all: true,
            key_check: None,
            usage_at: Vec::new(),
            error_at: Vec::new(),
            requests_header: Period::Minute,
            stream_options: true,
            developer: false,
            names: Names::All,
            message_fields: Vec::new(),
            flatten: false,
            null_content: true,
            null_answers: true,
            tool_ids: ToolIds::Any,
            strict_order: false,
            system_first: false,
            tool_choices: None,
            reasoning_field: None,
            without_reasoning: Vec::new(),
            no_answers: Vec::new(),
        }
    }
}

/// Where a request goes, as far as its body and its answer are concerned.
#[derive(Debug, Clone, Copy)]
pub struct Target<'a> {
    pub model: &'a str,
    pub wire: &'a Wire,
    /// Whether the model is known to think before it answers.
    pub thinks: bool,
    /// The model's context length, in tokens.
    pub context: u64,
    /// What the prompt is estimated at, and what is kept for the answer, in tokens.
    pub input_tokens: u64,
    pub answer_tokens: u64,
}

/// How a dialect carries the key: a header, and what stands before the key in its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyHeader {
    pub name: &'static str,
    pub prefix: &'static str,
}

/// A request ready to be sent: the path below the provider's base URL, and the body in pieces.
#[derive(Debug)]
pub struct Outgoing {
    pub path: Cow<'static, str>,
    pub body: Slices,
}

/// A whole answer in OpenAI's shape.
#[derive(Debug)]
pub struct Whole {
    pub body: Bytes,
    /// Where the text of the first choice stands in `body`, a JSON string with its quotes; `None` where nobody looked, or it is none.
    pub text: Option<Range<usize>>,
    pub usage: Option<Usage>,
    pub finish: Option<Finish>,
}

impl Whole {
    /// The text of the first choice, where it is known to stand in the body.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        string(std::str::from_utf8(self.body.get(self.text.clone()?)?).ok()?).ok()
    }
}

/// How a stream's bytes are turned into events.
#[derive(Debug)]
pub enum Scanner {
    OpenAi(openai::Scanner),
    Gemini(gemini::Scanner),
    Ollama(ollama::Scanner),
}

impl Dialect {
    pub const NAMES: [(&'static str, Self); 3] =
        [("openai", Self::OpenAi), ("gemini", Self::Gemini), ("ollama", Self::Ollama)];

    /// How the provider wants its key.
    pub const fn key_header(self) -> KeyHeader {
        match self {
            Self::OpenAi | Self::Ollama => KeyHeader { name: "authorization", prefix: "Bearer " },
            Self::Gemini => KeyHeader { name: "x-goog-api-key", prefix: "" },
        }
    }

    /// Whether a server can be asked which models it has, in the way of `installed`.
    pub const fn lists_installed(self) -> bool {
        matches!(self, Self::Ollama)
    }

    /// Whether a request names the context it wants, so that the prompt's tokens have to be known.
    pub const fn sizes_context(self) -> bool {
        matches!(self, Self::Ollama)
    }

    /// Whether a request can say that a tool has to be called. Where it cannot, that is left to the model.
    pub fn insists_on_tools(self, wire: &Wire) -> bool {
        let knows = |words: &Vec<String>| words.iter().any(|word| word == "required");
        match self {
            Self::OpenAi => wire.takes("tool_choice") && wire.tool_choices.as_ref().is_none_or(knows),
            Self::Gemini => true,
            Self::Ollama => false,
        }
    }

    /// The request in this protocol, or why the target cannot take it.
    pub fn encode(self, request: &ChatRequest, target: Target<'_>) -> Result<Outgoing, Fault> {
        match self {
            Self::OpenAi => openai::encode(request, target),
            Self::Gemini => gemini::encode(request, target),
            Self::Ollama => ollama::encode(request, target),
        }
    }

    /// What a response that is no success means.
    pub fn classify(self, status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Fault {
        match self {
            Self::OpenAi => openai::classify(status, headers, body, now),
            Self::Gemini => gemini::classify(status, headers, body, now),
            Self::Ollama => ollama::classify(status, headers, body, now),
        }
    }

    /// The limits that a refusal names as overrun.
    pub fn facts(self, refusal: &[u8]) -> Vec<Fact> {
        match self {
            Self::OpenAi => openai::facts(refusal),
            Self::Gemini => gemini::facts(refusal),
            Self::Ollama => Vec::new(),
        }
    }

    /// The answer in a successful plain response, or the failure hidden in it.
    pub fn decode(self, body: Bytes, target: Target<'_>, now: Timestamp) -> Result<Whole, Fault> {
        match self {
            Self::OpenAi => openai::decode(body, target, now),
            Self::Gemini => gemini::decode(body, target, now),
            Self::Ollama => ollama::decode(body, target, now),
        }
    }

    /// `include_usage`: the caller asked for the usage chunk at the end.
    pub fn scanner(self, target: Target<'_>, include_usage: bool) -> Scanner {
        match self {
            Self::OpenAi => Scanner::OpenAi(openai::Scanner::new(target.wire, include_usage)),
            Self::Gemini => Scanner::Gemini(gemini::Scanner::new(target, include_usage)),
            Self::Ollama => Scanner::Ollama(ollama::Scanner::new(target, include_usage)),
        }
    }
}

impl Scanner {
    /// Takes the next bytes of the stream.
    pub fn push(&mut self, frame: Bytes, now: Timestamp) -> Result<(), Fault> {
        match self {
            Self::OpenAi(scanner) => scanner.push(frame, now),
            Self::Gemini(scanner) => scanner.push(frame, now),
            Self::Ollama(scanner) => scanner.push(frame, now),
        }
    }

    /// Takes note that the stream's bytes have ended. Fails with `Cut` when the answer had not.
    pub fn end(&mut self, now: Timestamp) -> Result<(), Fault> {
        match self {
            Self::OpenAi(scanner) => scanner.end(now),
            Self::Gemini(scanner) => scanner.end(now),
            Self::Ollama(scanner) => scanner.end(now),
        }
    }

    /// The next complete event, in the order of the bytes.
    pub fn next_event(&mut self) -> Option<StreamEvent> {
        match self {
            Self::OpenAi(scanner) => scanner.next_event(),
            Self::Gemini(scanner) => scanner.next_event(),
            Self::Ollama(scanner) => scanner.next_event(),
        }
    }
}

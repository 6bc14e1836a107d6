//! What a simulated provider does with one call: answer, refuse, or break in one of the known ways.

use std::time::Duration;

use serde_json::Value;

/// One behaviour for one chat call. Scripted acts win over limits, and those that answer still count against them.
#[derive(Debug, Clone, PartialEq)]
pub enum Act {
    /// The simulator's own answer to the prompt.
    Answer,
    /// This text, verbatim.
    Text(String),
    /// A call of this tool; `arguments` is JSON text, or broken JSON where a test wants that.
    Tool { name: String, arguments: String },
    /// Several calls at once, each a name and its arguments.
    Tools(Vec<(String, String)>),
    /// Thinks aloud first, the way this provider shows thoughts; `then` is one of the acts above.
    Think { reasoning: String, then: Box<Act> },
    /// Any status with any body; the content type is JSON unless `headers` name one.
    Status { status: u16, body: String, headers: Vec<(String, String)> },
    /// 429 for a short while.
    Busy { retry_after: Option<Duration> },
    /// 429 until the day turns at 00:00 UTC.
    Spent,
    /// 402, no credit left.
    PaymentRequired,
    /// 401, the key is not known.
    Denied,
    /// 404 `model_not_found`.
    Gone,
    /// 413, larger than a minute's tokens; its `retry-after` can never help.
    TooLarge,
    /// 400 `context_length_exceeded`.
    TooLong,
    /// 400 with this message.
    BadRequest(String),
    /// 200 with a web page.
    Html,
    /// 200 that breaks off inside its JSON.
    NotJson,
    /// 200 with no bytes.
    EmptyBody,
    /// 200 without an answer: a stream of only `[DONE]`, or a body without choices.
    EmptyStream,
    /// 200 whose JSON body is an error object.
    ErrorIn200,
    /// 200 whose first event is an error object; a plain call gets `ErrorIn200`.
    ErrorInStream,
    /// An error event after this many events, and the end.
    ErrorAfter { after: usize },
    /// The connection breaks after this many events (the role chunk counts), or in the middle of a plain body.
    Cut { after: usize },
    /// Silence after this many events, until the client leaves.
    Stall { after: usize },
    /// Silence from the start, until the client leaves.
    Hang,
    /// The TCP connection is reset before any answer.
    Reset,
    /// These bytes as the body of a 200, written `piece` bytes at a time.
    Raw { content_type: String, body: Vec<u8>, piece: usize },
}

impl Act {
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    pub fn tool(name: impl Into<String>, arguments: &Value) -> Self {
        Self::Tool { name: name.into(), arguments: arguments.to_string() }
    }

    /// Calls of several tools in one answer.
    pub fn tools<'a>(calls: impl IntoIterator<Item = (&'a str, Value)>) -> Self {
        Self::Tools(calls.into_iter().map(|(name, arguments)| (name.to_owned(), arguments.to_string())).collect())
    }

    /// The act `then`, thought about first.
    pub fn think(reasoning: impl Into<String>, then: Self) -> Self {
        Self::Think { reasoning: reasoning.into(), then: Box::new(then) }
    }

    /// 429 with a `retry-after` of `seconds`.
    pub const fn busy(seconds: u64) -> Self {
        Self::Busy { retry_after: Some(Duration::from_secs(seconds)) }
    }

    /// A status whose error body says nothing more.
    pub fn status(status: u16) -> Self {
        let body = format!(
            r#"{{"error":{{"message":"simulated status {status}","type":"server_error","param":null,"code":null}}}}"#
        );
        Self::Status { status, body, headers: Vec::new() }
    }

    /// An event stream of these bytes, written `piece` bytes at a time.
    pub fn raw_stream(body: impl Into<Vec<u8>>, piece: usize) -> Self {
        Self::Raw { content_type: "text/event-stream".to_owned(), body: body.into(), piece }
    }

    /// The ways a call fails that the next one may not meet. Refusals that blame the request are not among them.
    pub fn passing() -> [Self; 16] {
        [
            Self::busy(1),
            Self::busy(5),
            Self::Busy { retry_after: None },
            Self::status(500),
            Self::status(502),
            Self::status(503),
            Self::Html,
            Self::NotJson,
            Self::EmptyBody,
            Self::EmptyStream,
            Self::ErrorIn200,
            Self::ErrorInStream,
            Self::ErrorAfter { after: 4 },
            Self::Cut { after: 0 },
            Self::Cut { after: 4 },
            Self::Reset,
        ]
    }

    /// Those that last: a quota, a key or a model is gone.
    pub const fn lasting() -> [Self; 4] {
        [Self::Spent, Self::PaymentRequired, Self::Denied, Self::Gone]
    }

    /// Those that only a time-out ends.
    pub const fn silent() -> [Self; 3] {
        [Self::Hang, Self::Stall { after: 0 }, Self::Stall { after: 4 }]
    }

    /// Whether the act means anything for a call that does not stream.
    pub(super) const fn only_streams(&self) -> bool {
        matches!(self, Self::Cut { .. } | Self::Stall { .. } | Self::ErrorAfter { .. })
    }
}

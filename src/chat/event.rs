//! One event of an answer's stream, in OpenAI's framing, and what it tells about the answer.

use std::borrow::Cow;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;

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
    /// The event carries part of the answer: text, reasoning, a tool call, a refusal, or its end.
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
    Other,
}

impl Finish {
    pub fn of(reason: &str) -> Self {
        match reason {
            "stop" => Self::Stop,
            "length" => Self::Length,
            "tool_calls" | "function_call" => Self::ToolCalls,
            "content_filter" => Self::ContentFilter,
            "error" | "network_error" | "insufficient_system_resource" => Self::Failed,
            _ => Self::Other,
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

/// The parts of a chunk, or of a whole answer, that relay reads.
#[derive(Debug, Deserialize)]
pub struct Chunk<'a> {
    #[serde(borrow, default)]
    pub choices: Option<Vec<Choice<'a>>>,
    #[serde(borrow, default)]
    pub usage: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub error: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
pub struct Choice<'a> {
    #[serde(default)]
    pub index: Option<u64>,
    /// The increment of a stream, or the message of a whole answer.
    #[serde(borrow, default, alias = "message")]
    pub delta: Option<Delta<'a>>,
    #[serde(borrow, default)]
    pub finish_reason: Option<Cow<'a, str>>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Delta<'a> {
    #[serde(borrow, default)]
    pub content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub refusal: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub reasoning: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub tool_calls: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub function_call: Option<&'a RawValue>,
    #[serde(borrow, default)]
    pub audio: Option<&'a RawValue>,
}

impl<'a> Chunk<'a> {
    pub fn parse(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// What this chunk tells, apart from errors, whose meaning is the dialect's to say.
    pub fn signs(&self) -> Signs {
        let choices = self.choices.as_deref().unwrap_or_default();
        let usage = self.usage.and_then(|usage| serde_json::from_str(usage.get()).ok());
        let finish = choices.iter().find_map(|choice| choice.finish_reason.as_deref()).map(Finish::of);
        Signs {
            real: finish.is_some() || choices.iter().any(Choice::has_substance),
            usage_only: usage.is_some() && choices.is_empty(),
            usage,
            finish,
            error: None,
            done: false,
        }
    }

    /// The visible text of the first choice, unescaped.
    pub fn text(&self) -> Option<Cow<'a, str>> {
        self.first_delta()?.content.and_then(text_of)
    }

    /// The reasoning of the first choice, under either of its names.
    pub fn reasoning(&self) -> Option<Cow<'a, str>> {
        let delta = self.first_delta()?;
        delta.reasoning_content.or(delta.reasoning).and_then(text_of)
    }

    /// Whether the first choice has begun what is no text: a call, a refusal, audio.
    pub fn has_more_than_text(&self) -> bool {
        self.first_delta().is_some_and(|delta| {
            [delta.tool_calls, delta.function_call, delta.refusal, delta.audio].into_iter().flatten().any(is_something)
        })
    }

    fn first_delta(&self) -> Option<&Delta<'a>> {
        self.choices.as_deref()?.first()?.delta.as_ref()
    }
}

impl Choice<'_> {
    pub fn has_substance(&self) -> bool {
        let Some(delta) = &self.delta else { return false };
        [
            delta.content,
            delta.refusal,
            delta.reasoning,
            delta.reasoning_content,
            delta.tool_calls,
            delta.function_call,
            delta.audio,
        ]
        .into_iter()
        .flatten()
        .any(is_something)
    }
}

fn is_something(value: &RawValue) -> bool {
    !matches!(value.get(), "null" | "\"\"" | "[]" | "{}")
}

/// A raw value as text: a string, or the text parts of a list of parts.
fn text_of(raw: &RawValue) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct TextPart<'a> {
        #[serde(borrow)]
        text: Option<Cow<'a, str>>,
    }
    let raw = raw.get();
    if raw.starts_with('[') {
        let parts: Vec<TextPart<'_>> = serde_json::from_str(raw).ok()?;
        return Some(parts.into_iter().filter_map(|part| part.text).collect::<String>().into());
    }
    if raw.as_bytes().contains(&b'\\') {
        return serde_json::from_str::<String>(raw).ok().map(Cow::Owned);
    }
    serde_json::from_str::<&str>(raw).ok().map(Cow::Borrowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signs(json: &str) -> Signs {
        Chunk::parse(json.as_bytes()).expect("valid chunk").signs()
    }

    #[test]
    fn a_role_or_an_empty_delta_is_not_yet_an_answer() {
        assert!(
            !signs(r#"{"choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}]}"#).real
        );
        assert!(!signs(r#"{"choices":[{"delta":{"role":"assistant","content":null,"tool_calls":[]}}]}"#).real);
        assert!(!signs(r#"{"choices":[]}"#).real);
        assert!(!signs(r#"{"choices":null,"usage":null}"#).real);
    }

    #[test]
    fn text_reasoning_tool_calls_and_an_end_are() {
        for delta in
            [r#"{"content":"x"}"#, r#"{"reasoning":"x"}"#, r#"{"tool_calls":[{"index":0}]}"#, r#"{"refusal":"no"}"#]
        {
            assert!(signs(&format!(r#"{{"choices":[{{"delta":{delta}}}]}}"#)).real, "{delta}");
        }
        let end = signs(
            r#"{"choices":[{"delta":{},"finish_reason":"length"}],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#,
        );
        assert_eq!((end.real, end.finish, end.usage_only), (true, Some(Finish::Length), false));
        assert_eq!(end.usage.map(|usage| usage.total()), Some(7));
    }

    #[test]
    fn text_is_read_from_strings_and_from_parts() {
        let chunk = |content: &str| format!(r#"{{"choices":[{{"delta":{{"content":{content}}}}}]}}"#);
        for (content, text) in [
            (r#""h\u00e9""#, "hé"),
            (r#""plain""#, "plain"),
            (r#"[{"type":"text","text":"a"},{"type":"text","text":"b"}]"#, "ab"),
        ] {
            let json = chunk(content);
            assert_eq!(Chunk::parse(json.as_bytes()).expect("valid").text().as_deref(), Some(text));
        }
    }
}

//! What relay reads of an answer's JSON, a stream's chunk or a whole one: found in one pass that copies nothing.

use std::borrow::Cow;
use std::ops::Range;

use serde::Deserialize;
use simdutf8::basic::from_utf8;
use smallvec::SmallVec;

use super::event::{Finish, Signs, Usage};
use super::skim::{Malformed, Skim};

/// The parts of a chunk, or of a whole answer, that relay reads. Values are raw JSON; one that is null is not there.
#[derive(Debug, Default)]
pub struct Chunk<'a> {
    pub choices: Option<SmallVec<[Choice<'a>; 1]>>,
    pub usage: Option<&'a str>,
    /// The usage, where it was read in passing.
    counted: Option<Usage>,
    pub error: Option<&'a str>,
}

#[derive(Debug, Default)]
pub struct Choice<'a> {
    pub index: Option<u64>,
    /// The increment of a stream, or the message of a whole answer.
    pub delta: Option<Delta<'a>>,
    /// It goes by the name that belongs to the other kind of answer.
    pub is_misnamed: bool,
    pub finish_reason: Option<Cow<'a, str>>,
}

#[derive(Debug, Default)]
pub struct Delta<'a> {
    pub content: Option<&'a str>,
    pub refusal: Option<&'a str>,
    pub reasoning: Option<&'a str>,
    pub reasoning_content: Option<&'a str>,
    pub tool_calls: Option<&'a str>,
    pub function_call: Option<&'a str>,
    pub audio: Option<&'a str>,
}

/// What a choice says goes by this name in a stream, and by the other in a whole answer.
const IN_STREAM: &[u8] = b"delta";
const IN_WHOLE: &[u8] = b"message";

impl<'a> Chunk<'a> {
    /// A chunk of a stream.
    pub fn parse(json: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_with(json, IN_STREAM)
    }

    /// A whole answer.
    pub fn parse_whole(json: &'a [u8]) -> Result<Self, Malformed> {
        Self::parse_with(json, IN_WHOLE)
    }

    fn parse_with(json: &'a [u8], own: &[u8]) -> Result<Self, Malformed> {
        let json = from_utf8(json).map_err(|_| Malformed)?;
        let (mut chunk, mut skim) = (Self::default(), Skim::new(json));
        skim.object(|skim, name| {
            match name.text {
                b"choices" => chunk.choices = choices(json, skim, own)?,
                b"usage" => (chunk.usage, chunk.counted) = usage(json, skim)?,
                b"error" => chunk.error = value(json, skim)?,
                _ => {
                    skim.value()?;
                }
            }
            Ok::<_, Malformed>(())
        })?;
        skim.end()?;
        Ok(chunk)
    }

    /// What this chunk tells, apart from errors, whose meaning is the dialect's to say.
    pub fn signs(&self) -> Signs {
        let choices = self.choices.as_deref().unwrap_or_default();
        let usage = self.counted.or_else(|| serde_json::from_str(self.usage?).ok());
        let finish = choices.iter().find_map(|choice| choice.finish_reason.as_deref()).map(Finish::of);
        Signs {
            // An end says something of its own where it tells why there is no text; a mere stop does not.
            real: finish.is_some_and(|finish| finish != Finish::Stop) || choices.iter().any(Choice::has_substance),
            usage_only: usage.is_some() && choices.is_empty(),
            usage,
            finish,
            error: None,
            done: false,
            text: None,
        }
    }

    /// Where in `json`, which it was read from, the first choice's text stands, if that is one string and all there is.
    pub fn text_place(&self, json: &[u8]) -> Option<Range<usize>> {
        if self.has_more_than_text() {
            return None;
        }
        let first = self.choices.as_deref()?.first()?;
        let text = first.delta.as_ref()?.content.filter(|content| content.starts_with('"'))?;
        let start = text.as_ptr().addr().checked_sub(json.as_ptr().addr())?;
        (first.index.unwrap_or(0) == 0).then_some(start..start + text.len())
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
    /// Whether it says anything to the caller: thoughts alone do not, nor do blanks.
    pub fn has_answer(&self) -> bool {
        let Some(delta) = &self.delta else { return false };
        let has_text = || delta.content.and_then(text_of).is_some_and(|text| !text.trim().is_empty());
        let others = [delta.refusal, delta.tool_calls, delta.function_call, delta.audio];
        others.into_iter().flatten().any(is_something) || has_text()
    }

    /// Whether it says anything at all.
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

fn is_something(value: &str) -> bool {
    !matches!(value, "\"\"" | "[]" | "{}")
}

fn choices<'a>(json: &'a str, skim: &mut Skim<'_>, own: &[u8]) -> Result<Option<SmallVec<[Choice<'a>; 1]>>, Malformed> {
    if skim.peek() != Some(b'[') {
        return value(json, skim)?.map_or(Ok(None), |_| Err(Malformed));
    }
    let mut choices = SmallVec::new();
    skim.list(|skim, _| {
        choices.push(choice(json, skim, own)?);
        Ok::<_, Malformed>(())
    })?;
    Ok(Some(choices))
}

/// `own` is the name that what it says should have. Some servers have both, and repeat by the other one all that was said so far.
fn choice<'a>(json: &'a str, skim: &mut Skim<'_>, own: &[u8]) -> Result<Choice<'a>, Malformed> {
    let mut choice = Choice::default();
    skim.object(|skim, name| {
        match name.text {
            b"index" => choice.index = value(json, skim)?.and_then(|index| index.parse().ok()),
            IN_STREAM | IN_WHOLE => {
                let (said, is_own) = (delta(json, skim)?, name.text == own);
                if said.is_some() && (is_own || choice.delta.is_none()) {
                    (choice.delta, choice.is_misnamed) = (said, !is_own);
                }
            }
            b"finish_reason" => {
                let reason = value(json, skim)?.map(string).transpose()?;
                // Some servers send an empty one in every chunk that is not the last.
                choice.finish_reason = reason.filter(|reason| !reason.is_empty());
            }
            _ => {
                skim.value()?;
            }
        }
        Ok::<_, Malformed>(())
    })?;
    Ok(choice)
}

fn delta<'a>(json: &'a str, skim: &mut Skim<'_>) -> Result<Option<Delta<'a>>, Malformed> {
    if skim.peek() != Some(b'{') {
        return value(json, skim)?.map_or(Ok(None), |_| Err(Malformed));
    }
    let mut delta = Delta::default();
    skim.object(|skim, name| {
        let value = value(json, skim)?;
        match name.text {
            b"content" => delta.content = value,
            b"refusal" => delta.refusal = value,
            b"reasoning" => delta.reasoning = value,
            b"reasoning_content" => delta.reasoning_content = value,
            b"tool_calls" => delta.tool_calls = value,
            b"function_call" => delta.function_call = value,
            b"audio" => delta.audio = value,
            _ => {}
        }
        Ok::<_, Malformed>(())
    })?;
    Ok(Some(delta))
}

/// Passes the usage, and reads its numbers where they are as they should be.
fn usage<'a>(json: &'a str, skim: &mut Skim<'_>) -> Result<(Option<&'a str>, Option<Usage>), Malformed> {
    if skim.peek() != Some(b'{') {
        return Ok((value(json, skim)?, None));
    }
    let (mut prompt, mut completion, mut is_sure) = (None, None, true);
    let place = skim.object(|skim, name| {
        let place = skim.value()?;
        is_sure &= !name.has_escape;
        let slot = match name.text {
            b"prompt_tokens" => &mut prompt,
            b"completion_tokens" => &mut completion,
            _ => return Ok(()),
        };
        let count = json[place].parse().ok();
        is_sure &= count.is_some() && slot.is_none();
        *slot = count;
        Ok::<_, Malformed>(())
    })?;
    let counted = Usage { prompt_tokens: prompt.unwrap_or(0), completion_tokens: completion.unwrap_or(0) };
    Ok((Some(&json[place]), is_sure.then_some(counted)))
}

/// Passes a value; nothing where it is null.
fn value<'a>(json: &'a str, skim: &mut Skim<'_>) -> Result<Option<&'a str>, Malformed> {
    // Of all values only null begins so.
    let is_null = skim.peek() == Some(b'n');
    let place = skim.value()?;
    Ok((!is_null).then(|| &json[place]))
}

/// The text of a string that is known to be JSON.
pub fn string(raw: &str) -> Result<Cow<'_, str>, Malformed> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        // Half a surrogate pair is no text.
        Some(text) if memchr::memchr(b'\\', text.as_bytes()).is_some() => {
            serde_json::from_str(raw).map(Cow::Owned).map_err(|_| Malformed)
        }
        Some(text) => Ok(Cow::Borrowed(text)),
        None => Err(Malformed),
    }
}

/// A raw value as text: a string, or the text parts of a list of parts.
fn text_of(raw: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct TextPart<'a> {
        #[serde(borrow)]
        text: Option<Cow<'a, str>>,
    }
    if !raw.starts_with('[') {
        return string(raw).ok();
    }
    let parts: Vec<TextPart<'_>> = serde_json::from_str(raw).ok()?;
    Some(parts.into_iter().filter_map(|part| part.text).collect::<String>().into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::event::Finish;

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
        let stop = signs(r#"{"choices":[{"delta":{"content":""},"finish_reason":"stop"}]}"#);
        assert_eq!((stop.real, stop.finish), (false, Some(Finish::Stop)));
        let unknown = signs(r#"{"choices":[{"delta":{"content":""},"finish_reason":"abort"}]}"#);
        assert_eq!((unknown.real, unknown.finish), (false, Some(Finish::Stop)));
        assert_eq!(end.usage.map(|usage| usage.total()), Some(7));
    }

    #[test]
    fn an_empty_reason_is_no_end() {
        for (delta, real) in [(r#"{"role":"assistant","content":""}"#, false), (r#"{"content":"x"}"#, true)] {
            let signs = signs(&format!(r#"{{"choices":[{{"delta":{delta},"finish_reason":""}}]}}"#));
            assert_eq!((signs.real, signs.finish), (real, None), "{delta}");
        }
    }

    #[test]
    fn usage_read_in_passing_is_what_a_parser_reads() {
        for usage in [
            r#"{"prompt_tokens":3,"x":{"prompt_tokens":9},"completion_tokens":4}"#,
            r#"{"prompt_tokens":3}"#,
            "{}",
            "null",
            r#"{"prompt_tokens":null}"#,
            r#"{"prompt_tokens":3.0}"#,
            r#"{"prompt_tokens":-0}"#,
            r#"{"prompt_tokens":18446744073709551616}"#,
            r#"{"prompt_tokens":1,"prompt_tokens":2}"#,
            r#"{"prompt\u005ftokens":3,"completion_tokens":4}"#,
            r#"{"\ud800":1}"#,
            "[1,2]",
            "7",
        ] {
            let read = signs(&format!(r#"{{"choices":[],"usage":{usage}}}"#)).usage;
            assert_eq!(read, serde_json::from_str::<Usage>(usage).ok(), "{usage}");
        }
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

    #[test]
    fn what_is_no_answer_s_shape_is_malformed_and_null_is_nothing() {
        for json in [
            "7",
            "[]",
            "{",
            r#"{"choices":{}}"#,
            r#"{"choices":[7]}"#,
            r#"{"choices":[{"delta":"x"}]}"#,
            r#"{"choices":[{"finish_reason":7}]}"#,
            r#"{"choices":[]} x"#,
        ] {
            assert!(Chunk::parse(json.as_bytes()).is_err(), "{json}");
        }
        let json = r#"{"choices":[{"index":null,"delta":null,"message":{"content":null},"finish_reason":null}],"usage":null,"error":null}"#;
        let chunk = Chunk::parse(json.as_bytes()).expect("valid");
        let choice = &chunk.choices.as_deref().expect("a list")[0];
        assert!(chunk.usage.is_none() && chunk.error.is_none() && choice.index.is_none());
        assert!(choice.finish_reason.is_none() && choice.delta.as_ref().expect("a message").content.is_none());
    }

    #[test]
    fn names_and_reasons_may_be_escaped() {
        let json = r#"{"cho\u0069ces":[{"delta":{"content":"x"},"finish_reason":"st\u006fp"}]}"#;
        let signs = signs(json);
        assert_eq!((signs.real, signs.finish), (true, Some(Finish::Stop)));
    }
}

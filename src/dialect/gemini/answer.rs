//! Google's candidates in OpenAI's words: text, thoughts, calls, the reason of an end, usage.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

use crate::chat::event::Finish;
use crate::chat::{Breakage, Fault, Usage};

use super::call_id::call_id;
use super::response::{Content, UsageMetadata};

/// What the parts of one candidate say.
#[derive(Debug, Default)]
pub struct Said {
    pub text: String,
    pub reasoning: String,
    pub calls: Vec<Call>,
}

/// A tool call in OpenAI's shape.
#[derive(Debug, Serialize)]
pub struct Call {
    /// Its place in the answer; streams only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub index: Option<usize>,
    pub id: String,
    r#type: &'static str,
    function: Function,
    /// Where Google's own OpenAI surface puts it, so that callers who know that one send it back.
    #[serde(skip_serializing_if = "Option::is_none")]
    extra_content: Option<ExtraContent>,
}

#[derive(Debug, Serialize)]
struct Function {
    name: String,
    arguments: String,
}

#[derive(Debug, Serialize)]
struct ExtraContent {
    google: Signature,
}

#[derive(Debug, Serialize)]
struct Signature {
    thought_signature: String,
}

/// Names an answer's calls.
#[derive(Debug, Clone, Copy)]
pub struct Naming<'a> {
    pub model: &'a str,
    pub answer: &'a str,
    pub choice: u32,
    /// Calls of this choice that came before.
    pub calls_before: usize,
    pub with_index: bool,
}

impl Said {
    pub fn of(content: Option<Content<'_>>, naming: Naming<'_>) -> Self {
        let mut said = Self::default();
        for part in content.and_then(|content| content.parts).unwrap_or_default() {
            if let Some(function) = part.function_call {
                let index = naming.calls_before + said.calls.len();
                said.calls.push(Call {
                    index: naming.with_index.then_some(index),
                    id: call_id(naming.model, naming.answer, naming.choice, index),
                    r#type: "function",
                    function: Function { name: function.name.into_owned(), arguments: arguments(function.args) },
                    extra_content: part.thought_signature.map(|signature| ExtraContent {
                        google: Signature { thought_signature: signature.into_owned() },
                    }),
                });
            } else if let Some(text) = part.text {
                // Signatures of text parts are advice only and have no place in OpenAI's shape: they are dropped.
                if part.thought { said.reasoning.push_str(&text) } else { said.text.push_str(&text) }
            }
        }
        said
    }

    pub fn is_empty(&self) -> bool {
        self.text.is_empty() && self.reasoning.is_empty() && self.calls.is_empty()
    }
}

/// The arguments as JSON text. Whole answers come indented; what goes back into the history need not be.
fn arguments(args: Option<&RawValue>) -> String {
    let Some(args) = args else { return "{}".to_owned() };
    let (mut in_string, mut is_escaped) = (false, false);
    let kept = args.get().chars().filter(|c| {
        if in_string {
            in_string = is_escaped || *c != '"';
            is_escaped = !is_escaped && *c == '\\';
            return true;
        }
        in_string = *c == '"';
        !c.is_ascii_whitespace()
    });
    kept.collect()
}

/// Why an answer ended, in OpenAI's words; or what is wrong with an answer that ended so.
pub fn finish(reason: &str, has_calls: bool, is_empty: bool) -> Result<Finish, Fault> {
    match reason {
        "MAX_TOKENS" => Ok(Finish::Length),
        "SAFETY"
        | "RECITATION"
        | "LANGUAGE"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "IMAGE_SAFETY"
        | "IMAGE_PROHIBITED_CONTENT"
        | "IMAGE_RECITATION" => Ok(Finish::ContentFilter),
        "MALFORMED_FUNCTION_CALL"
        | "MALFORMED_RESPONSE"
        | "UNEXPECTED_TOOL_CALL"
        | "TOO_MANY_TOOL_CALLS"
        | "MISSING_THOUGHT_SIGNATURE" => Err(Fault::Broken(Breakage::InBand)),
        // STOP also ends calls. OTHER and what is new say nothing about the words that came before.
        _ if has_calls => Ok(Finish::ToolCalls),
        _ if is_empty => Err(Fault::Broken(Breakage::Empty)),
        _ => Ok(Finish::Stop),
    }
}

/// A reason of `finish` as it is written.
pub const fn finish_word(finish: Finish) -> &'static str {
    match finish {
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
        Finish::Stop | Finish::Failed => "stop",
    }
}

/// Usage as OpenAI writes it.
#[derive(Debug, Serialize)]
pub struct UsageJson {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    prompt_tokens_details: PromptDetails,
    completion_tokens_details: CompletionDetails,
}

#[derive(Debug, Serialize)]
struct PromptDetails {
    cached_tokens: u64,
}

#[derive(Debug, Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
}

/// Thoughts are part of the answer, results of Google's own tools part of the prompt.
pub fn usage(metadata: UsageMetadata) -> Usage {
    Usage {
        prompt_tokens: metadata.prompt.saturating_add(metadata.tool_use_prompt),
        completion_tokens: metadata.candidates.saturating_add(metadata.thoughts),
    }
}

pub fn usage_json(metadata: UsageMetadata) -> UsageJson {
    let usage = usage(metadata);
    UsageJson {
        prompt_tokens: usage.prompt_tokens,
        completion_tokens: usage.completion_tokens,
        total_tokens: usage.total(),
        prompt_tokens_details: PromptDetails { cached_tokens: metadata.cached },
        completion_tokens_details: CompletionDetails { reasoning_tokens: metadata.thoughts },
    }
}

/// The answer's own id, or one made of the moment where it has none.
pub fn answer_id(response_id: Option<Cow<'_, str>>, now: jiff::Timestamp) -> String {
    match response_id.filter(|id| !id.is_empty()) {
        Some(id) => id.into_owned(),
        None => format!("chatcmpl-{:x}", now.as_nanosecond()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_lose_white_space_outside_strings_only() {
        let raw =
            RawValue::from_string("{\n  \"b \\\" c\": [1, 2],\n  \"a\\\\\": \" x \"\n}".to_owned()).expect("JSON");
        assert_eq!(arguments(Some(&raw)), r#"{"b \" c":[1,2],"a\\":" x "}"#);
        assert_eq!(arguments(None), "{}");
    }

    #[test]
    fn ends_are_told_in_openais_words() {
        let broken = |breakage| Err(Fault::Broken(breakage));
        let cases = [
            ("STOP", false, false, Ok(Finish::Stop)),
            ("STOP", true, true, Ok(Finish::ToolCalls)),
            ("STOP", false, true, broken(Breakage::Empty)),
            ("OTHER", false, false, Ok(Finish::Stop)),
            ("OTHER", false, true, broken(Breakage::Empty)),
            ("MAX_TOKENS", false, true, Ok(Finish::Length)),
            ("SAFETY", false, true, Ok(Finish::ContentFilter)),
            ("PROHIBITED_CONTENT", false, false, Ok(Finish::ContentFilter)),
            ("MALFORMED_FUNCTION_CALL", false, true, broken(Breakage::InBand)),
            ("NO_IMAGE", false, true, broken(Breakage::Empty)),
        ];
        for (reason, has_calls, is_empty, expected) in cases {
            assert_eq!(finish(reason, has_calls, is_empty), expected, "{reason}");
        }
    }
}

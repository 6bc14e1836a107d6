//! What Google answers, whole or as one event of a stream, as far as relay reads it.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// An answer or an event. Every field may be missing.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Response<'a> {
    #[serde(borrow, default)]
    pub candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    pub prompt_feedback: Option<PromptFeedback<'a>>,
    #[serde(default)]
    pub usage_metadata: Option<UsageMetadata>,
    #[serde(borrow, default)]
    pub model_version: Option<Cow<'a, str>>,
    #[serde(borrow, default, rename = "responseId")]
    pub id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub error: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Candidate<'a> {
    #[serde(borrow, default)]
    pub content: Option<Content<'a>>,
    #[serde(borrow, default)]
    pub finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub finish_message: Option<Cow<'a, str>>,
    /// Left out where it is 0.
    #[serde(default)]
    pub index: u32,
}

/// May lack its parts altogether.
#[derive(Debug, Deserialize)]
pub struct Content<'a> {
    #[serde(borrow, default)]
    pub parts: Option<Vec<Part<'a>>>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Part<'a> {
    #[serde(borrow, default)]
    pub text: Option<Cow<'a, str>>,
    /// The text is a summary of the model's thoughts.
    #[serde(default)]
    pub thought: bool,
    #[serde(borrow, default)]
    pub thought_signature: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub function_call: Option<FunctionCall<'a>>,
}

#[derive(Debug, Deserialize)]
pub struct FunctionCall<'a> {
    #[serde(borrow, default)]
    pub name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub args: Option<&'a RawValue>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PromptFeedback<'a> {
    #[serde(borrow, default)]
    pub block_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub block_reason_message: Option<Cow<'a, str>>,
}

/// Tokens, cumulative over a stream.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct UsageMetadata {
    #[serde(rename = "promptTokenCount")]
    pub prompt: u64,
    #[serde(rename = "candidatesTokenCount")]
    pub candidates: u64,
    #[serde(rename = "thoughtsTokenCount")]
    pub thoughts: u64,
    #[serde(rename = "cachedContentTokenCount")]
    pub cached: u64,
    #[serde(rename = "toolUsePromptTokenCount")]
    pub tool_use_prompt: u64,
}

impl<'a> Response<'a> {
    pub fn parse(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// Why the prompt was refused as a whole; such an answer has no candidates.
    pub fn block(&self) -> Option<String> {
        let feedback = self.prompt_feedback.as_ref()?;
        let reason = feedback.block_reason.as_deref()?;
        Some(refusal("the prompt was blocked", reason, feedback.block_reason_message.as_deref()))
    }
}

impl Candidate<'_> {
    /// What to tell the caller of an answer that was withheld.
    pub fn refusal(&self) -> String {
        refusal(
            "the answer was withheld",
            self.finish_reason.as_deref().unwrap_or_default(),
            self.finish_message.as_deref(),
        )
    }
}

fn refusal(what: &str, reason: &str, message: Option<&str>) -> String {
    match message.filter(|message| !message.is_empty()) {
        Some(message) => format!("{what} ({reason}): {message}"),
        None => format!("{what} ({reason})"),
    }
}

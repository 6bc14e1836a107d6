//! The server's objects as they arrive: a whole answer, or one line of a stream.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::chat::Usage;

/// A whole answer, or a piece of one. The last has `done`, its reason and the counts.
#[derive(Debug, Deserialize)]
pub struct Native<'a> {
    #[serde(borrow, default)]
    pub message: Option<Said<'a>>,
    #[serde(default)]
    pub done: bool,
    /// `stop`, `length`, `load` or `unload`.
    #[serde(borrow, default)]
    pub done_reason: Option<Cow<'a, str>>,
    #[serde(default)]
    pub prompt_eval_count: Option<u64>,
    #[serde(default)]
    pub eval_count: Option<u64>,
    #[serde(borrow, default)]
    pub error: Option<&'a RawValue>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Said<'a> {
    #[serde(borrow, default)]
    pub content: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub thinking: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    pub tool_calls: Option<Vec<Call<'a>>>,
}

#[derive(Debug, Deserialize)]
pub struct Call<'a> {
    /// Only newer servers give one.
    #[serde(borrow, default)]
    pub id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    pub function: Function<'a>,
}

#[derive(Debug, Deserialize)]
pub struct Function<'a> {
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    #[serde(borrow, default)]
    pub arguments: Option<&'a RawValue>,
}

impl<'a> Native<'a> {
    pub fn parse(json: &'a [u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(json)
    }

    /// The tokens used, where the server counted any.
    pub fn usage(&self) -> Option<Usage> {
        (self.prompt_eval_count.is_some() || self.eval_count.is_some()).then(|| Usage {
            prompt_tokens: self.prompt_eval_count.unwrap_or(0),
            completion_tokens: self.eval_count.unwrap_or(0),
        })
    }
}

impl Said<'_> {
    pub fn content(&self) -> Option<&str> {
        self.content.as_deref().filter(|text| !text.is_empty())
    }

    pub fn thinking(&self) -> Option<&str> {
        self.thinking.as_deref().filter(|text| !text.is_empty())
    }

    pub fn calls(&self) -> &[Call<'_>] {
        self.tool_calls.as_deref().unwrap_or_default()
    }

    /// Whether it says anything to the caller: thoughts alone do not, nor do blanks.
    pub fn has_answer(&self) -> bool {
        self.content().is_some_and(|text| !text.trim().is_empty()) || !self.calls().is_empty()
    }

    pub fn is_empty(&self) -> bool {
        self.content().is_none() && self.thinking().is_none() && self.calls().is_empty()
    }
}

impl Function<'_> {
    /// The arguments as JSON text. Some models' servers send that text instead of the object.
    pub fn arguments(&self) -> Cow<'_, str> {
        let Some(raw) = self.arguments.filter(|raw| raw.get() != "null") else { return Cow::Borrowed("{}") };
        serde_json::from_str::<String>(raw.get()).map_or(Cow::Borrowed(raw.get()), Cow::Owned)
    }
}

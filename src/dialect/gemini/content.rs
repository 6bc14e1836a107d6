//! A request's turns as Google's JSON has them.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::value::RawValue;

/// One turn.
#[derive(Debug, Serialize)]
pub struct Content<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    pub parts: Vec<Part<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    User,
    Model,
}

/// One part: exactly one of the first four is set.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Part<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text: Option<Cow<'a, str>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub inline_data: Option<InlineData<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_call: Option<FunctionCall<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub function_response: Option<FunctionResponse<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub thought_signature: Option<Cow<'a, str>>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InlineData<'a> {
    pub mime_type: Cow<'a, str>,
    /// Base64.
    pub data: &'a str,
}

/// Without an id: it is optional, and calls and responses already stand in the same order.
#[derive(Debug, Serialize)]
pub struct FunctionCall<'a> {
    pub name: &'a str,
    pub args: Box<RawValue>,
}

#[derive(Debug, Serialize)]
pub struct FunctionResponse<'a> {
    pub name: &'a str,
    pub response: Box<RawValue>,
}

impl<'a> Part<'a> {
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self { text: Some(text.into()), ..Self::default() }
    }

    pub fn data(mime_type: impl Into<Cow<'a, str>>, data: &'a str) -> Self {
        Self { inline_data: Some(InlineData { mime_type: mime_type.into(), data }), ..Self::default() }
    }

    pub fn response(name: &'a str, response: Box<RawValue>) -> Self {
        Self { function_response: Some(FunctionResponse { name, response }), ..Self::default() }
    }
}

impl Content<'_> {
    /// A turn has nothing beside responses or none at all, so that its last part tells.
    pub fn holds_responses(&self) -> bool {
        self.parts.last().is_some_and(|part| part.function_response.is_some())
    }
}

/// `text` itself where it is a JSON object, else an object that holds it under `name`: Google takes nothing but objects.
pub fn object_or(name: &str, text: &str) -> Box<RawValue> {
    let text = text.trim();
    if text.starts_with('{')
        && let Ok(object) = serde_json::from_str::<Box<RawValue>>(text)
    {
        return object;
    }
    wrapped(name, text)
}

pub fn wrapped(name: &str, text: &str) -> Box<RawValue> {
    let object = format!("{{{}:{}}}", serde_json::Value::from(name), serde_json::Value::from(text));
    RawValue::from_string(object).expect("two JSON strings make an object")
}

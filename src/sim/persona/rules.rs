//! What the checks of several personas share: the parts of a chat request, and names a schema does not know.

use serde_json::Value;

/// The first field of `object` that `known` lacks.
pub(super) fn stranger<'a>(object: &'a Value, known: &[&str]) -> Option<&'a str> {
    object.as_object()?.keys().map(String::as_str).find(|name| !known.contains(name))
}

pub(super) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// The messages, each with its place.
pub(super) fn messages(body: &Value) -> impl Iterator<Item = (usize, &Value)> {
    list(&body["messages"]).iter().enumerate()
}

pub(super) fn role(message: &Value) -> &str {
    message["role"].as_str().unwrap_or_default()
}

pub(super) fn calls(message: &Value) -> &[Value] {
    list(&message["tool_calls"])
}

/// Whether a field is there and not null.
pub(super) fn has(object: &Value, name: &str) -> bool {
    object.get(name).is_some_and(|value| !value.is_null())
}

/// Whether any content of the chat is an image.
pub(super) fn has_images(body: &Value) -> bool {
    messages(body).any(|(_, message)| list(&message["content"]).iter().any(|part| part["type"] == "image_url"))
}

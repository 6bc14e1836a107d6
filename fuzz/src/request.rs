//! A request's body: read as a JSON parser reads it, and rewritten for a provider without a change to what nobody meant to change.

use std::collections::BTreeMap;

use bytes::Bytes;
use relay::chat::{ChatRequest, RawObject};
use relay::dialect::{Dialect, Names, ToolIds, Wire};

use super::{is_json, target};

/// What relay sets, or keeps to itself.
const ITS_OWN: [&str; 5] = ["model", "stream_options", "model_type", "model_scale", "model_name"];

/// Reads `input` as a caller's body and encodes it for every dialect.
pub fn request(input: &[u8]) {
    let Ok(request) = ChatRequest::parse(Bytes::copy_from_slice(input)) else { return };
    assert!(is_json(input), "taken, and no JSON");
    assert!(request.messages.count > 0 && request.raw("messages").is_some(), "taken without messages");
    let (usual, strict) = (Wire::default(), strict());
    for (name, dialect) in Dialect::NAMES {
        for wire in [&usual, &strict] {
            let Ok(outgoing) = dialect.encode(&request, target(wire)) else { continue };
            let sent = outgoing.body.concat();
            assert!(is_json(&sent), "{name} makes no JSON of it: {}", String::from_utf8_lossy(&sent));
            if dialect == Dialect::OpenAi && *wire == usual {
                only_its_own_changed(input, &sent, request.messages.plain);
            }
        }
    }
    let other = request.with_messages("[]");
    assert_eq!(other.raw("messages"), Some("[]"));
    assert_eq!((other.raw("tools"), other.raw("user")), (request.raw("tools"), request.raw("user")));
}

/// A provider that wants everything otherwise.
fn strict() -> Wire {
    Wire {
        drop: vec!["logprobs".to_owned()],
        rename: vec![("max_completion_tokens".to_owned(), "max_tokens".to_owned())],
        stream_options: false,
        names: Names::None,
        flatten: true,
        null_content: false,
        tool_ids: ToolIds::Alphanumeric9,
        strict_order: true,
        ..Wire::default()
    }
}

fn only_its_own_changed(before: &[u8], after: &[u8], plain: bool) {
    // Names may hold half a character, which no parser makes text of; they pass as they are.
    let (Some(before), Some(after)) = (fields(before), fields(after)) else { return };
    let is_meant = |name: &str| ITS_OWN.contains(&name) || (name == "messages" && !plain);
    for (name, value) in before.iter().filter(|(name, _)| !is_meant(name)) {
        assert_eq!(after.get(name), Some(value), "`{name}` changed");
    }
    for name in after.keys().filter(|name| !before.contains_key(*name)) {
        assert!(["model", "stream_options"].contains(&name.as_str()), "`{name}` was added");
    }
}

fn fields(json: &[u8]) -> Option<BTreeMap<String, &str>> {
    let object = RawObject::parse(json).ok()?;
    Some(object.fields.into_iter().map(|(name, value)| (name.into_owned(), value.get())).collect())
}

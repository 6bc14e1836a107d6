//! A request's messages as this protocol has them: text as one string, images apart, tool results by their tool's name.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use crate::chat::{self, Fault, Part, Unfit};

/// One message.
#[derive(Debug, Serialize)]
pub struct Message<'a> {
    role: &'a str,
    content: String,
    /// Base64 without a `data:` prefix.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    images: Vec<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tool_name: Option<&'a str>,
}

#[derive(Debug, Serialize)]
struct Call<'a> {
    function: Function<'a>,
}

#[derive(Debug, Serialize)]
struct Function<'a> {
    name: &'a str,
    arguments: Cow<'a, RawValue>,
}

/// All messages, or what the protocol cannot say of them.
pub fn of<'a>(messages: &'a [chat::Message<'a>]) -> Result<Vec<Message<'a>>, Fault> {
    let mut tools = HashMap::new();
    let mut ordered: Vec<&chat::Message<'_>> = messages.iter().collect();
    ordered.chunk_by_mut(|_, next| next.role == "tool").for_each(answer_in_order);
    ordered
        .into_iter()
        .map(|message| {
            tools.extend(message.tool_calls.iter().map(|call| (call.id.as_ref(), call.name.as_ref())));
            one(message, &tools)
        })
        .collect()
}

/// Puts the results behind a message into the order of its calls: here they have no ids, and a server matches them by their places.
fn answer_in_order(turn: &mut [&chat::Message<'_>]) {
    let Some((asking, results)) = turn.split_first_mut().filter(|(_, results)| results.len() > 1) else { return };
    let calls: HashMap<&str, usize> = asking.tool_calls.iter().map(|call| call.id.as_ref()).zip(0..).collect();
    // What answers none of them stays behind the others.
    let place = |id: &str| calls.get(id).copied();
    results.sort_by_key(|result| result.tool_call_id.as_deref().and_then(place).unwrap_or(usize::MAX));
}

/// `tools`: the names of the tools called so far, by the calls' ids.
fn one<'a>(message: &'a chat::Message<'a>, tools: &HashMap<&'a str, &'a str>) -> Result<Message<'a>, Fault> {
    let role = match message.role.as_ref() {
        "developer" => "system",
        role => role,
    };
    let called = message.tool_call_id.as_deref().and_then(|id| tools.get(id).copied());
    Ok(Message {
        role,
        content: message.text(),
        images: images(&message.parts)?,
        thinking: message.reasoning.as_deref().filter(|text| role == "assistant" && !text.is_empty()),
        tool_calls: message.tool_calls.iter().map(Call::of).collect(),
        tool_name: if role == "tool" { called.or(message.name.as_deref()) } else { None },
    })
}

fn images<'a>(parts: &'a [Part<'a>]) -> Result<Vec<&'a str>, Fault> {
    let lacks = |feature| Err(Fault::Unfit(Unfit::Lacks(feature)));
    let mut images = Vec::new();
    for part in parts {
        match part {
            Part::Text(_) => {}
            Part::Image(url) => match base64(url) {
                Some(data) => images.push(data),
                // The server takes no URLs (2026-08), and relay fetches none that a request names.
                None => return lacks("image-urls"),
            },
            Part::Audio { .. } => return lacks("audio"),
            // Refusals and thoughts in the history are an assistant's words, not the caller's, and say nothing further.
            Part::Other(kind) if matches!(kind.as_ref(), "refusal" | "thinking" | "redacted_thinking") => {}
            Part::Other(kind) if kind == "file" => return lacks("file"),
            Part::Other(_) => return lacks("content_part"),
        }
    }
    Ok(images)
}

/// The base64 of a `data:` URI, or a bare one. `None` for anything that would have to be fetched.
fn base64(url: &str) -> Option<&str> {
    match url.strip_prefix("data:") {
        Some(rest) => rest.split_once(";base64,").map(|(_, data)| data),
        None => (!url.contains("://")).then_some(url),
    }
}

impl<'a> Call<'a> {
    fn of(call: &'a chat::ToolCall<'a>) -> Self {
        Self { function: Function { name: &call.name, arguments: object(&call.arguments) } }
    }
}

/// Arguments as the object the server insists on. What a model wrote wrong is kept as the object's one text.
fn object(text: &str) -> Cow<'_, RawValue> {
    let raw: Result<&RawValue, _> = serde_json::from_str(text.trim());
    match raw {
        Ok(raw) if raw.get().starts_with('{') => Cow::Borrowed(raw),
        _ => {
            let kept =
                if text.trim().is_empty() { serde_json::json!({}) } else { serde_json::json!({ "arguments": text }) };
            Cow::Owned(to_raw_value(&kept).expect("an object of texts serializes"))
        }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::chat::ChatRequest;

    fn converted(messages: &str) -> Result<String, Fault> {
        let request = ChatRequest::parse(Bytes::from(format!("{{\"messages\":{messages}}}"))).expect("valid");
        let typed = request.typed_messages().expect("typed");
        of(&typed).map(|messages| serde_json::to_string(&messages).expect("messages serialize"))
    }

    #[test]
    fn roles_parts_and_images_are_rewritten() {
        let converted = converted(
            r#"[{"role":"developer","content":"be brief"},{"role":"user","name":"bob","content":[{"type":"text","text":"a"},{"type":"text","text":"b"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}},{"type":"image_url","image_url":{"url":"BBBB"}}]}]"#,
        );
        assert_eq!(
            converted.expect("fits"),
            r#"[{"role":"system","content":"be brief"},{"role":"user","content":"a\nb","images":["AAAA","BBBB"]}]"#
        );
    }

    #[test]
    fn a_result_carries_its_tools_name_and_arguments_are_objects_whatever_the_model_wrote() {
        let converted = converted(
            r#"[{"role":"assistant","content":null,"reasoning":"hm","tool_calls":[{"id":"1","function":{"name":"f","arguments":"{\"n\": 1e400}"}},{"id":"2","function":{"name":"g","arguments":""}},{"id":"3","function":{"name":"h","arguments":"[1"}}]},{"role":"tool","tool_call_id":"2","content":"ok"},{"role":"tool","tool_call_id":"9","name":"x","content":"?"}]"#,
        );
        assert_eq!(
            converted.expect("fits"),
            r#"[{"role":"assistant","content":"","thinking":"hm","tool_calls":[{"function":{"name":"f","arguments":{"n": 1e400}}},{"function":{"name":"g","arguments":{}}},{"function":{"name":"h","arguments":{"arguments":"[1"}}}]},{"role":"tool","content":"ok","tool_name":"g"},{"role":"tool","content":"?","tool_name":"x"}]"#
        );
    }

    #[test]
    fn results_stand_in_the_order_of_their_calls() {
        let result = |id: &str| format!(r#"{{"role":"tool","tool_call_id":"{id}","content":"of {id}"}}"#);
        let calls =
            ["a", "b", "c"].map(|id| format!(r#"{{"id":"{id}","function":{{"name":"f","arguments":"{{}}"}}}}"#));
        let [a, b, c, stray] = ["a", "b", "c", "x"].map(result);
        let calls = calls.join(",");
        let messages = format!(r#"[{{"role":"assistant","content":"","tool_calls":[{calls}]}},{stray},{c},{a},{b}]"#);
        let converted = converted(&messages).expect("fits");
        let places = ["of a", "of b", "of c", "of x"].map(|text| converted.find(text));
        assert!(places.is_sorted() && places[0].is_some(), "{converted}");
    }

    #[test]
    fn what_the_server_cannot_take_is_named() {
        let lacking = |part: &str| match converted(&format!(r#"[{{"role":"user","content":[{part}]}}]"#)) {
            Err(fault) => fault.word(),
            Ok(json) => json,
        };
        for url in ["https://a.example/x.png", "http://a.example/x.png", "data:image/png,raw"] {
            let part = format!(r#"{{"type":"image_url","image_url":{{"url":"{url}"}}}}"#);
            assert_eq!(lacking(&part), "no-image-urls", "{url}");
        }
        assert_eq!(lacking(r#"{"type":"input_audio","input_audio":{"data":"AA","format":"wav"}}"#), "no-audio");
        assert_eq!(lacking(r#"{"type":"file","file":{}}"#), "no-file");
    }
}

//! The request in this protocol's own shape, its parameters under the names the server honours.
//!
//! Of `[wire]` the lists `drop` and `defaults` count here. A `tool_choice` other than `none` cannot be said and is left
//! out (of a named tool the others are too), as are `n`, `logit_bias`, `logprobs`, `parallel_tool_calls` and `user` (2026-08).

use std::borrow::Cow;
use std::collections::BTreeMap;

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::{RawValue, to_raw_value};
use smallvec::smallvec;

use crate::chat::{BadRequest, ChatRequest, Fault, Unfit};
use crate::dialect::{Outgoing, Target, Wire};

use super::messages::{self, Message};
use super::window;

/// Parameters that go into `options` under their own names, as they came.
const OPTIONS: [&str; 8] =
    ["temperature", "top_p", "top_k", "min_p", "seed", "frequency_penalty", "presence_penalty", "repeat_penalty"];

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tools: Option<Cow<'a, RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    format: Option<Cow<'a, RawValue>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    think: Option<Think>,
    /// Always said: without it the server streams.
    stream: bool,
    /// A prompt that does not fit after all is refused instead of cut, an answer that fills the context ends
    /// (since 0.12.6; older servers ignore both).
    truncate: bool,
    shift: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    keep_alive: Option<Cow<'a, RawValue>>,
    options: BTreeMap<&'static str, Cow<'a, RawValue>>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Think {
    Off(bool),
    Level(&'static str),
}

/// The request for the target's model, or what the protocol cannot say of it.
pub fn encode(request: &ChatRequest, target: Target<'_>) -> Result<Outgoing, Fault> {
    let fields = Fields { request, wire: target.wire };
    let typed = request.typed_messages().map_err(|BadRequest { message, param }| Fault::Invalid {
        status: 400,
        message,
        param,
        code: None,
    })?;
    if fields.get("tools").is_none() && request.features.tools {
        // The older `functions` would be answered by calls its caller does not read.
        return Err(Fault::Unfit(Unfit::Lacks("functions")));
    }
    let body = Body {
        model: target.model,
        messages: messages::of(&typed)?,
        tools: fields.tools(),
        format: fields.format(),
        think: fields.think(target.thinks),
        stream: request.stream,
        truncate: false,
        shift: false,
        keep_alive: fields.get("keep_alive").map(Cow::Borrowed),
        options: fields.options(target),
    };
    let body = serde_json::to_vec(&body).expect("texts, numbers and raw JSON serialize");
    Ok(Outgoing { path: "/api/chat".into(), body: smallvec![Bytes::from(body)] })
}

/// A request's fields as the provider's `[wire]` table lets them through.
struct Fields<'a> {
    request: &'a ChatRequest,
    wire: &'a Wire,
}

impl<'a> Fields<'a> {
    /// The field's JSON, or its default; `None` where it is dropped, missing or null.
    fn get(&self, name: &str) -> Option<&'a RawValue> {
        let default = || self.wire.defaults.iter().find(|(field, _)| field == name).map(|(_, value)| value.as_str());
        let own =
            self.request.raw(name).filter(|raw| *raw != "null" && !self.wire.drop.iter().any(|drop| drop == name));
        serde_json::from_str(own.or_else(default)?).ok()
    }

    fn text(&self, name: &str) -> Option<String> {
        serde_json::from_str(self.get(name)?.get()).ok()
    }

    /// No tools where none may be called, and one alone where it has to be that one.
    fn tools(&self) -> Option<Cow<'a, RawValue>> {
        let all = self.get("tools").filter(|_| self.text("tool_choice").as_deref() != Some("none"))?;
        let only = self.request.named_tool().and_then(|tool| serde_json::from_str::<&RawValue>(tool).ok());
        Some(only.map_or(Cow::Borrowed(all), |only| raw([only])))
    }

    /// `"json"`, or the schema itself.
    fn format(&self) -> Option<Cow<'a, RawValue>> {
        #[derive(Deserialize)]
        struct ResponseFormat<'a> {
            r#type: String,
            #[serde(borrow)]
            json_schema: Option<JsonSchema<'a>>,
        }
        #[derive(Deserialize)]
        struct JsonSchema<'a> {
            #[serde(borrow)]
            schema: Option<&'a RawValue>,
        }
        let format: ResponseFormat<'a> = serde_json::from_str(self.get("response_format")?.get()).ok()?;
        match (format.r#type.as_str(), format.json_schema.and_then(|named| named.schema)) {
            ("json_schema", Some(schema)) => Some(Cow::Borrowed(schema)),
            ("json_schema" | "json_object", _) => Some(raw("json")),
            _ => None,
        }
    }

    /// Not said unless asked for, and no level to a model that is not known to think: one that cannot refuses each of them, one that can
    /// thinks all the same.
    fn think(&self, model_thinks: bool) -> Option<Think> {
        let level = match self.text("reasoning_effort")?.as_str() {
            "none" => return Some(Think::Off(false)),
            "minimal" | "low" => "low",
            "medium" => "medium",
            "high" | "xhigh" | "max" => "high",
            _ => return None,
        };
        model_thinks.then_some(Think::Level(level))
    }

    fn options(&self, target: Target<'_>) -> BTreeMap<&'static str, Cow<'a, RawValue>> {
        let most = self.request.max_tokens;
        let mut options: BTreeMap<_, _> =
            OPTIONS.into_iter().filter_map(|name| Some((name, Cow::Borrowed(self.get(name)?)))).collect();
        options.insert("num_ctx", raw(window::size(target, most)));
        options.extend(most.map(|most| ("num_predict", raw(most))));
        // The server takes a list only.
        options.extend(self.get("stop").map(|stop| {
            let stop = if stop.get().starts_with('"') { raw([stop]) } else { Cow::Borrowed(stop) };
            ("stop", stop)
        }));
        options
    }
}

fn raw(value: impl Serialize) -> Cow<'static, RawValue> {
    Cow::Owned(to_raw_value(&value).expect("texts and numbers serialize"))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn encoded(extra: &str, wire: &Wire) -> Value {
        encoded_for(true, extra, wire)
    }

    fn encoded_for(thinks: bool, extra: &str, wire: &Wire) -> Value {
        let json = format!(r#"{{"model":"auto","messages":[{{"role":"user","content":"hi"}}],{extra}}}"#);
        let request = ChatRequest::parse(Bytes::from(json)).expect("valid");
        let target = Target { model: "m", wire, thinks, context: 8192, input_tokens: 3, answer_tokens: 1024 };
        let outgoing = encode(&request, target).expect("encoded");
        assert_eq!(outgoing.path, "/api/chat");
        serde_json::from_slice(&outgoing.body.concat()).expect("JSON")
    }

    #[test]
    fn parameters_become_options_and_unknown_ones_stay_behind() {
        let body = encoded(
            r#""temperature":0.30000000000000004,"top_p":0.9,"top_k":40,"min_p":0.05,"seed":7,"stop":"END","frequency_penalty":0.1,"presence_penalty":null,"max_completion_tokens":50,"logprobs":true,"user":"u","store":false"#,
            &Wire::default(),
        );
        let options = json!({"temperature":0.300_000_000_000_000_04,"top_p":0.9,"top_k":40,"min_p":0.05,"seed":7,"stop":["END"],"frequency_penalty":0.1,"num_predict":50,"num_ctx":4096});
        let expected = json!({"model":"m","messages":[{"role":"user","content":"hi"}],"stream":false,"truncate":false,"shift":false,"options":options});
        assert_eq!(body, expected);
    }

    #[test]
    fn formats_thinking_tools_and_keep_alive_have_their_own_fields() {
        let wire = Wire { defaults: vec![("keep_alive".to_owned(), "\"5m\"".to_owned())], ..Wire::default() };
        let schema =
            r#""response_format":{"type":"json_schema","json_schema":{"name":"x","schema":{"type":"object"}}}"#;
        let cases = [
            (schema, "format", json!({"type":"object"})),
            (r#""response_format":{"type":"json_object"}"#, "format", json!("json")),
            (r#""response_format":{"type":"text"}"#, "format", Value::Null),
            (r#""reasoning_effort":"none""#, "think", json!(false)),
            (r#""reasoning_effort":"high""#, "think", json!("high")),
            (r#""seed":1"#, "think", Value::Null),
            (r#""tools":[{"type":"function"}],"tool_choice":"required""#, "tools", json!([{"type":"function"}])),
            (r#""tools":[{"type":"function"}],"tool_choice":"none""#, "tools", Value::Null),
            (r#""seed":1"#, "keep_alive", json!("5m")),
            (r#""keep_alive":-1"#, "keep_alive", json!(-1)),
            (r#""stream":true"#, "stream", json!(true)),
        ];
        for (extra, field, expected) in cases {
            assert_eq!(encoded(extra, &wire)[field], expected, "{extra}");
        }
    }

    #[test]
    fn a_model_that_does_not_think_is_told_no_effort() {
        for (effort, told) in [("low", Value::Null), ("high", Value::Null), ("none", json!(false))] {
            let body = encoded_for(false, &format!(r#""reasoning_effort":"{effort}""#), &Wire::default());
            assert_eq!(body["think"], told, "{effort}");
        }
    }

    #[test]
    fn a_named_tool_is_offered_alone() {
        let tool = |name: &str| json!({"type":"function","function":{"name":name}});
        let extra = format!(r#""tools":[{},{}],"tool_choice":{}"#, tool("f"), tool("g"), tool("g"));
        assert_eq!(encoded(&extra, &Wire::default())["tools"], json!([tool("g")]));
    }

    #[test]
    fn the_wire_table_drops_fields_by_the_callers_names() {
        let wire = Wire { drop: vec!["reasoning_effort".to_owned(), "seed".to_owned()], ..Wire::default() };
        let body = encoded(r#""reasoning_effort":"low","seed":1"#, &wire);
        assert!(body.get("think").is_none() && body["options"].get("seed").is_none(), "{body}");
    }
}

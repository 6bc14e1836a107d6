//! Answers in Gemini's own dialect: candidates with parts, thoughts marked and calls signed, usage on every chunk.

use bytes::Bytes;
use serde_json::{Value, json};

use super::read::signs;
use crate::sim::answer::{Answer, Called, Content};
use crate::sim::spec::ProviderSpec;
use crate::sim::wire::{Head, words};

/// How the signatures of this fake begin; base64, as the field is bytes.
const SIGNATURE: &str = "c2ltdWxhdGVkLXNpZ25hdHVyZS0";

/// A plain answer.
pub(in crate::sim::persona) fn whole(head: &Head<'_>, answer: &Answer) -> Value {
    let thoughts = answer.thoughts.iter().map(|text| json!({"text": text, "thought": true}));
    let parts: Vec<Value> = match &answer.content {
        Content::Text(text) => thoughts.chain([json!({"text": text})]).collect(),
        Content::Tools(calls) => thoughts.chain(call_parts(head, calls)).collect(),
    };
    body(head, Some(parts), Some(finish(answer)), usage(head, answer))
}

/// The events of a stream, the end of the connection being its end.
pub(in crate::sim::persona) fn events(head: &Head<'_>, answer: &Answer) -> Vec<Bytes> {
    let usage_so_far = json!({"promptTokenCount": head.prompt_tokens, "totalTokenCount": head.prompt_tokens});
    let chunk = |part: Value| event(&body(head, Some(vec![part]), None, usage_so_far.clone()));
    let thoughts = answer.thoughts.as_deref().map(words).unwrap_or_default();
    let mut events: Vec<Bytes> =
        thoughts.into_iter().map(|word| chunk(json!({"text": word, "thought": true}))).collect();
    let last = match &answer.content {
        Content::Text(text) => {
            events.extend(words(text).into_iter().map(|word| chunk(json!({"text": word}))));
            json!({"text": ""})
        }
        Content::Tools(calls) => {
            events.extend(call_parts(head, calls).into_iter().map(&chunk));
            json!({"text": ""})
        }
    };
    events.push(event(&body(head, Some(vec![last]), Some(finish(answer)), usage(head, answer))));
    events
}

/// An answer whose candidate has no parts, which the real one gives too.
pub(in crate::sim::persona) fn empty(head: &Head<'_>) -> Value {
    body(
        head,
        None,
        Some("STOP"),
        json!({"promptTokenCount": head.prompt_tokens, "totalTokenCount": head.prompt_tokens}),
    )
}

pub(in crate::sim::persona) fn empty_event(head: &Head<'_>) -> Bytes {
    event(&empty(head))
}

/// The body of `GET /models`.
pub(in crate::sim::persona) fn models(spec: &ProviderSpec) -> Value {
    let listed = spec.models.iter().filter(|model| !model.vanished);
    let models: Vec<Value> = listed
        .map(|model| {
            json!({
                "name": format!("models/{}", model.id), "version": "001", "displayName": model.id, "description": "simulated",
                "inputTokenLimit": model.context, "outputTokenLimit": 65_536, "temperature": 1, "maxTemperature": 2, "topP": 0.95, "topK": 64,
                "supportedGenerationMethods": ["generateContent", "countTokens"], "thinking": model.has("reasoning"),
            })
        })
        .collect();
    json!({"models": models})
}

/// Calls whole, the first of them signed.
fn call_parts(head: &Head<'_>, calls: &[Called]) -> Vec<Value> {
    let part = |(place, call): (usize, &Called)| {
        // Arguments broken on purpose cannot stand where an object has to.
        let arguments: Value = serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
        let mut part = json!({"functionCall": {"name": call.name, "args": arguments}});
        if place == 0 && signs(head.model) {
            part["thoughtSignature"] = format!("{SIGNATURE}{:016x}", call.salt).into();
        }
        part
    };
    calls.iter().enumerate().map(part).collect()
}

/// `STOP` for calls too.
fn finish(answer: &Answer) -> &'static str {
    if answer.finish == "length" { "MAX_TOKENS" } else { "STOP" }
}

fn body(head: &Head<'_>, parts: Option<Vec<Value>>, finish: Option<&str>, usage: Value) -> Value {
    let mut content = json!({"role": "model"});
    if let Some(parts) = parts {
        content["parts"] = parts.into();
    }
    let mut candidate = json!({"content": content, "index": 0});
    if let Some(finish) = finish {
        candidate["finishReason"] = finish.into();
    }
    json!({
        "candidates": [candidate], "usageMetadata": usage, "modelVersion": head.model, "responseId": format!("sim{:08}", head.number),
        "xSim": {"kept": true},
    })
}

fn usage(head: &Head<'_>, answer: &Answer) -> Value {
    let thoughts = answer.thought_tokens();
    let mut usage = json!({
        "promptTokenCount": head.prompt_tokens, "candidatesTokenCount": answer.tokens - thoughts,
        "totalTokenCount": head.prompt_tokens + answer.tokens,
    });
    if thoughts > 0 {
        usage["thoughtsTokenCount"] = thoughts.into();
    }
    usage
}

fn event(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\r\n\r\n"))
}

//! Answers in Ollama's own dialect: one JSON a line, the last with the counts; and what it says of its models.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::sim::answer::{Answer, Called, Content};
use crate::sim::refusal::Refusal;
use crate::sim::spec::{ModelSpec, ProviderSpec};
use crate::sim::wire::{Head, words};

/// A plain answer.
pub(in crate::sim::persona) fn whole(head: &Head<'_>, answer: &Answer) -> Value {
    let mut message = match &answer.content {
        Content::Text(text) => json!({"role": "assistant", "content": text}),
        Content::Tools(calls) => json!({"role": "assistant", "content": "", "tool_calls": written(calls)}),
    };
    if let Some(thoughts) = &answer.thoughts {
        message["thinking"] = thoughts.as_str().into();
    }
    ended(head, &message, answer.tokens, reason(answer))
}

/// The lines of a stream.
pub(in crate::sim::persona) fn lines(head: &Head<'_>, answer: &Answer) -> Vec<Bytes> {
    let part = |message: Value| {
        line(&json!({"model": head.model, "created_at": date(head), "message": message, "done": false}))
    };
    let thoughts = answer.thoughts.as_deref().map(words).unwrap_or_default();
    let thoughts = thoughts.into_iter().map(|word| part(json!({"role": "assistant", "content": "", "thinking": word})));
    let mut lines: Vec<Bytes> = thoughts.collect();
    match &answer.content {
        Content::Text(text) => {
            lines.extend(words(text).into_iter().map(|word| part(json!({"role": "assistant", "content": word}))));
        }
        Content::Tools(calls) => {
            lines.push(part(json!({"role": "assistant", "content": "", "tool_calls": written(calls)})));
        }
    }
    lines.push(last_line(head, answer.tokens, reason(answer)));
    lines
}

/// The line that ends a stream.
pub(in crate::sim::persona) fn last_line(head: &Head<'_>, tokens: u64, reason: &str) -> Bytes {
    line(&ended(head, &json!({"role": "assistant", "content": ""}), tokens, reason))
}

pub(in crate::sim::persona) fn empty(head: &Head<'_>) -> Value {
    ended(head, &json!({"role": "assistant", "content": ""}), 0, "stop")
}

/// A failure inside of a stream.
pub(in crate::sim::persona) fn failure(told: &Refusal) -> Bytes {
    line(&told.body())
}

/// The body of `/api/tags`.
pub(in crate::sim::persona) fn tags(spec: &ProviderSpec) -> Value {
    let listed = spec.models.iter().filter(|model| !model.vanished);
    let models: Vec<Value> = listed
        .map(|model| {
            json!({
                "name": model.id, "model": model.id, "modified_at": "2026-08-21T00:00:00Z", "size": 2_019_393_189, "digest": "sim",
                "details": {"format": "gguf", "family": "llama", "parameter_size": "3.2B", "quantization_level": "Q4_K_M"},
            })
        })
        .collect();
    json!({"models": models})
}

/// The body of `/api/show`.
pub(in crate::sim::persona) fn show(model: &ModelSpec) -> Value {
    let features = [("tools", "tools"), ("vision", "vision"), ("reasoning", "thinking")];
    let features = features.into_iter().filter(|(feature, _)| model.has(feature)).map(|(_, name)| name);
    let capabilities: Vec<&str> = ["completion"].into_iter().chain(features).collect();
    json!({
        "details": {"format": "gguf", "family": "llama", "parameter_size": "3.2B", "quantization_level": "Q4_K_M"},
        "model_info": {"general.architecture": "llama", "llama.context_length": model.context}, "capabilities": capabilities,
    })
}

pub(in crate::sim::persona) fn version() -> Value {
    json!({"version": "0.12.0"})
}

/// Arguments are an object, and the calls have no ids.
fn written(calls: &[Called]) -> Vec<Value> {
    let arguments = |call: &Called| serde_json::from_str(&call.arguments).unwrap_or_else(|_| json!({}));
    calls.iter().map(|call| json!({"function": {"name": call.name, "arguments": arguments(call)}})).collect()
}

/// `stop` for calls too.
fn reason(answer: &Answer) -> &'static str {
    if answer.finish == "length" { "length" } else { "stop" }
}

/// Durations are nanoseconds.
fn ended(head: &Head<'_>, message: &Value, tokens: u64, reason: &str) -> Value {
    json!({
        "model": head.model, "created_at": date(head), "message": message, "done": true, "done_reason": reason,
        "total_duration": 4_000_000, "load_duration": 1_000_000, "prompt_eval_count": head.prompt_tokens, "prompt_eval_duration": 1_000_000,
        "eval_count": tokens, "eval_duration": 2_000_000,
    })
}

fn date(head: &Head<'_>) -> String {
    jiff::Timestamp::from_second(head.created).map(|moment| moment.to_string()).unwrap_or_default()
}

fn line(value: &Value) -> Bytes {
    Bytes::from(format!("{value}\n"))
}

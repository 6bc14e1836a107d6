//! Mistral: a closed schema with 422 in two shapes, nine-character call ids, an order of messages, thoughts as content chunks.

use bytes::Bytes;
use serde_json::{Value, json};

use super::rules::{calls, list, messages, role, stranger};
use crate::sim::habit::{Habits, Thoughts};
use crate::sim::limit::Unit;
use crate::sim::refusal::{Reason, Refusal};
use crate::sim::spec::UsageAt;
use crate::sim::wire::event;

const FIELDS: [&str; 22] = [
    "model",
    "messages",
    "temperature",
    "top_p",
    "max_tokens",
    "stream",
    "stop",
    "random_seed",
    "metadata",
    "response_format",
    "tools",
    "tool_choice",
    "presence_penalty",
    "frequency_penalty",
    "n",
    "prediction",
    "parallel_tool_calls",
    "prompt_mode",
    "reasoning_effort",
    "guardrails",
    "prompt_cache_key",
    "safe_prompt",
];

pub(super) const fn habits(usage_at: UsageAt) -> Habits {
    Habits { thoughts: Thoughts::Chunks, whole_calls: true, short_ids: true, ..Habits::bare(usage_at) }
}

pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    if let Some(name) = stranger(body, &FIELDS) {
        return Err(unprocessable(
            "extra_forbidden",
            &json!(["body", name]),
            "Extra inputs are not permitted",
            &body[name],
        ));
    }
    if body["temperature"].as_f64().is_some_and(|temperature| !(0.0..=1.5).contains(&temperature)) {
        let loc = json!(["body", "temperature"]);
        return Err(unprocessable(
            "less_than_equal",
            &loc,
            "Input should be less than or equal to 1.5",
            &body["temperature"],
        ));
    }
    for (field, values) in
        [("tool_choice", &["auto", "none", "any", "required"][..]), ("reasoning_effort", &["high", "none"])]
    {
        if body[field].as_str().is_some_and(|value| !values.contains(&value)) {
            let message = format!("Input should be {}", values.join(" or "));
            return Err(unprocessable("enum", &json!(["body", field]), &message, &body[field]));
        }
    }
    messages(body).try_for_each(|(place, message)| check_message(place, message))?;
    check_order(list(&body["messages"]))
}

fn check_message(place: usize, message: &Value) -> Result<(), Refusal> {
    let known: &[&str] = match role(message) {
        "system" | "user" => &["role", "content"],
        "assistant" => &["role", "content", "tool_calls", "prefix"],
        "tool" => &["role", "content", "name", "tool_call_id"],
        _ => {
            let loc = json!(["body", "messages", place]);
            let text = "Input tag found using 'role' does not match any of the expected tags: 'assistant', 'system', 'tool', 'user'";
            return Err(unprocessable("union_tag_invalid", &loc, text, &message["role"]));
        }
    };
    if let Some(name) = stranger(message, known) {
        let loc = json!(["body", "messages", place, role(message), name]);
        return Err(unprocessable("extra_forbidden", &loc, "Extra inputs are not permitted", &message[name]));
    }
    if role(message) == "assistant" && calls(message).is_empty() && is_empty(&message["content"]) {
        return Err(order("Assistant message must have either content or tool_calls, but not none."));
    }
    let ids = calls(message).iter().map(|call| &call["id"]).chain(message.get("tool_call_id"));
    for id in ids.filter_map(Value::as_str) {
        if id.len() != 9 || !id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            let message = format!("Tool call id was {id} but must be a-z, A-Z, 0-9, with a length of 9.");
            return Err(refused(400, message, "invalid_function_call", "3280"));
        }
    }
    Ok(())
}

/// Every call has its result directly behind it, no user speaks after a tool, and the last word is not the assistant's.
fn check_order(messages: &[Value]) -> Result<(), Refusal> {
    let mut waiting = 0;
    for pair in messages.windows(2) {
        let (before, role) = (role(&pair[0]), role(&pair[1]));
        if before == "assistant" {
            waiting = calls(&pair[0]).len();
        }
        if role == "tool" {
            if waiting == 0 {
                return Err(order("Not the same number of function calls and responses"));
            }
            waiting -= 1;
        } else if waiting > 0 {
            return Err(order("Not the same number of function calls and responses"));
        }
        // Only older models refuse it (PROVIDERS.md 3.4); the strict reading.
        if before == "tool" && ["user", "system"].contains(&role) {
            return Err(order(&format!("Unexpected role '{role}' after role 'tool'")));
        }
    }
    if waiting > 0 {
        return Err(order("Not the same number of function calls and responses"));
    }
    match messages.last() {
        Some(last) if role(last) == "assistant" && last["prefix"] != true => {
            Err(order("Expected last role User or Tool (or Assistant with prefix True) for serving but got assistant"))
        }
        Some(last) if role(last) == "system" => {
            Err(order("Expected last role User or Tool (or Assistant with prefix True) for serving but got system"))
        }
        _ => Ok(()),
    }
}

/// The request without the thoughts that it gives back; what is left is a chat like any other.
pub(super) fn without_thoughts(mut body: Value) -> Value {
    for message in body["messages"].as_array_mut().into_iter().flatten() {
        if let Some(chunks) = message["content"].as_array_mut() {
            chunks.retain(|chunk| chunk["type"] != "thinking");
        }
    }
    body
}

fn is_empty(content: &Value) -> bool {
    content.is_null() || content == "" || content.as_array().is_some_and(Vec::is_empty)
}

fn order(message: &str) -> Refusal {
    refused(400, message.to_owned(), "invalid_request_message_order", "3230")
}

fn refused(status: u16, message: String, kind: &str, code: &str) -> Refusal {
    let body = said(status, &message, kind, code);
    Refusal::own(status, message, body)
}

fn said(status: u16, message: &str, kind: &str, code: &str) -> Value {
    json!({"object": "error", "message": message, "type": kind, "param": null, "code": code, "raw_status_code": status})
}

/// A 422. Both shapes were seen for the same mistake; which one comes depends on the field, so that a test can have either.
fn unprocessable(kind: &str, loc: &Value, message: &str, input: &Value) -> Refusal {
    let detail = json!({"detail": [{"type": kind, "loc": loc, "msg": message, "input": input}]});
    let wrapped = loc.to_string().len().is_multiple_of(2);
    let body = if wrapped {
        json!({"object": "error", "message": detail, "type": "invalid_request_error", "param": null, "code": null})
    } else {
        detail
    };
    Refusal::own(422, format!("{kind}: {loc}"), body)
}

/// 1300 is all it says of any limit. Without a day of its own, a spent quota is the limit of 0 that benches for long.
pub(super) fn tell(refusal: Refusal) -> Refusal {
    const LIMIT: &str = "x-ratelimit-limit-req-minute";
    const REMAINING: &str = "x-ratelimit-remaining-req-minute";
    let limited = || said(429, "Rate limit exceeded", "rate_limited", "1300");
    let zero = |refusal: Refusal, limit: u64| refusal.with(LIMIT, limit.to_string()).with(REMAINING, "0".to_owned());
    match refusal.why.reason.clone() {
        Reason::Busy { .. } => zero(refusal.without("retry-after").said(429, limited()), 30),
        Reason::UsedUp { limit, .. } => {
            let refusal = refusal.without("retry-after").said(429, limited());
            let told = refusal.headers.iter().any(|(name, _)| *name == LIMIT);
            if told || limit.unit != Unit::Requests { refusal } else { zero(refusal, 0) }
        }
        Reason::Denied => refusal.said(401, json!({"detail": "Unauthorized"})),
        Reason::Unknown | Reason::Gone => {
            let body = said(400, &format!("Invalid model: {}", refusal.why.model), "invalid_model", "1500");
            refusal.said(400, body)
        }
        // The sentence is background knowledge; its fragment is what clients look for.
        Reason::TooLong { context, tokens } => too_long(refusal, context, tokens),
        Reason::TooLarge { limit, tokens } => too_long(refusal.without("retry-after"), limit.amount, tokens),
        Reason::PaymentRequired => refusal.said(402, json!({"detail": "Payment required"})),
        Reason::NoSuchPlace => refusal.said(404, json!({"message": "no Route matched with those values"})),
        Reason::BadRequest | Reason::Lacks(_) | Reason::WrongMethod => {
            let body = json!({"object": "error", "message": refusal.message, "type": "invalid_request_error", "param": null, "code": null, "raw_status_code": refusal.status});
            let status = refusal.status;
            refusal.said(status, body)
        }
        Reason::Own => refusal,
    }
}

fn too_long(refusal: Refusal, most: u64, tokens: u64) -> Refusal {
    let message = format!(
        "Prompt contains {tokens} tokens and 0 draft tokens, too large for model with {most} maximum context length"
    );
    refusal.said(400, said(400, &message, "invalid_request_prompt", "3051"))
}

/// A stream that fails ends with this finish reason.
pub(super) fn failure(model: &str) -> Bytes {
    event(
        &json!({"id": "sim", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error"}]}),
    )
}

/// `GET /models`.
pub(super) fn model(id: &str, context: u64, has: impl Fn(&str) -> bool) -> Value {
    json!({
        "id": id, "object": "model", "created": 0, "owned_by": "mistralai", "max_context_length": context, "aliases": [], "type": "base",
        "capabilities": {"completion_chat": true, "function_calling": has("tools"), "completion_fim": false, "vision": has("vision"), "ocr": false, "audio": false},
    })
}

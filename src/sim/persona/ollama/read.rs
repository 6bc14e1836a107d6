//! A request in Ollama's own dialect: refused where Go cannot decode it, else read as the chat it means. Refusals are one string.

use serde_json::{Value, json};

use crate::chat::Period;
use crate::sim::persona::rules::{calls, has, list, messages, role};
use crate::sim::refusal::{Reason, Refusal};
use crate::sim::request::Asked;

/// The context when `num_ctx` is not sent: 4K on most machines.
const CONTEXT: u64 = 4_096;

const WHOLE_NUMBERS: [&str; 8] =
    ["num_ctx", "num_predict", "num_keep", "seed", "top_k", "repeat_last_n", "num_batch", "num_thread"];
const NUMBERS: [&str; 7] =
    ["temperature", "top_p", "min_p", "typical_p", "repeat_penalty", "presence_penalty", "frequency_penalty"];

/// The chat, and whether its prompt is cut.
pub(in crate::sim::persona) fn read(body: &Value) -> Result<(Asked, bool), Refusal> {
    check(body)?;
    let mut asked = Asked::parse(chat(body).to_string().as_bytes())?;
    let context = body["options"]["num_ctx"].as_u64().unwrap_or(CONTEXT);
    let cut = asked.prompt_tokens > context;
    asked.prompt_tokens = asked.prompt_tokens.min(context);
    Ok((asked, cut))
}

/// Unknown fields are ignored; fields of the wrong type are not.
fn check(body: &Value) -> Result<(), Refusal> {
    if has(body, "format") && body["format"] != "json" && !body["format"].is_object() {
        return Err(refused(&format!(
            "invalid format: {}; expected \"json\" or a valid JSON Schema object",
            body["format"]
        )));
    }
    let levels = ["low", "medium", "high", "max"];
    if has(body, "think") && !body["think"].is_boolean() && !levels.iter().any(|level| body["think"] == *level) {
        return Err(refused("invalid think value: must be a boolean or one of \"high\", \"medium\", \"low\", \"max\""));
    }
    if let Some(options) = body["options"].as_object() {
        for (name, value) in options.iter().filter(|(_, value)| !value.is_null()) {
            let whole = WHOLE_NUMBERS.contains(&name.as_str());
            if (whole && value.as_i64().is_none()) || (NUMBERS.contains(&name.as_str()) && !value.is_number()) {
                let kind = if whole { "integer" } else { "float32" };
                return Err(refused(&format!("option \"{name}\" must be of type {kind}")));
            }
        }
        if has(&body["options"], "stop") && !body["options"]["stop"].is_array() {
            return Err(refused("option \"stop\" must be of type array"));
        }
    }
    messages(body).try_for_each(|(_, message)| check_message(message))
}

fn check_message(message: &Value) -> Result<(), Refusal> {
    let mistyped = |value: &str, field: &str, kind: &str| {
        Err(refused(&format!(
            "json: cannot unmarshal {value} into Go struct field ChatRequest.messages.{field} of type {kind}"
        )))
    };
    // Newer servers hand an unknown role to the template, which drops its words; older ones refuse it: the strict reading.
    if !["system", "user", "assistant", "tool"].contains(&role(message)) {
        return Err(refused(&format!(
            "invalid role: \"{}\", role must be one of [system, user, assistant, tool]",
            role(message)
        )));
    }
    if has(message, "content") && !message["content"].is_string() {
        return mistyped("array", "content", "string");
    }
    for call in calls(message) {
        let arguments = &call["function"]["arguments"];
        if !arguments.is_null() && !arguments.is_object() {
            return mistyped("string", "tool_calls.function.arguments", "map[string]interface {}");
        }
    }
    for image in list(&message["images"]) {
        let is_base64 = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte));
        if !image.as_str().is_some_and(is_base64) {
            return Err(refused("illegal base64 data at input byte 4"));
        }
    }
    Ok(())
}

/// The same chat as a request of OpenAI's. Calls have no ids here: results answer them in their order.
fn chat(body: &Value) -> Value {
    let mut waiting: Vec<String> = Vec::new();
    let mut converted = Vec::new();
    for (place, message) in messages(body) {
        let mut content = message["content"].clone();
        if content.is_null() {
            content = json!("");
        }
        let mut plain = json!({"role": role(message), "content": content});
        if !calls(message).is_empty() {
            waiting = (0..calls(message).len()).map(|number| format!("{place}-{number}")).rev().collect();
            let ids = waiting.iter().rev().zip(calls(message));
            plain["tool_calls"] = ids.map(|(id, call)| json!({"id": id, "function": call["function"]})).collect();
        }
        if role(message) == "tool" {
            plain["tool_call_id"] = waiting.pop().unwrap_or_default().into();
        }
        if !list(&message["images"]).is_empty() {
            let images = list(&message["images"]).iter().map(|_| json!({"type": "image_url"}));
            plain["content"] = [json!({"type": "text", "text": plain["content"]})].into_iter().chain(images).collect();
        }
        converted.push(plain);
    }
    let mut chat = json!({
        "model": body["model"], "messages": converted, "tools": body["tools"], "stream": body["stream"].as_bool().unwrap_or(true),
        "max_tokens": body["options"]["num_predict"].as_u64(),
    });
    if body["format"] == "json" {
        chat["response_format"] = json!({"type": "json_object"});
    } else if body["format"].is_object() {
        chat["response_format"] = json!({"type": "json_schema", "json_schema": {"schema": body["format"]}});
    }
    chat
}

fn refused(message: &str) -> Refusal {
    Refusal::own(400, message, json!({"error": message}))
}

pub(in crate::sim::persona) fn tell(refusal: Refusal) -> Refusal {
    let upgrade = "upgrade for higher limits: https://ollama.com/upgrade (ref: sim)";
    let (status, message) = match &refusal.why.reason {
        Reason::Busy { .. } => (503, "server busy, please try again.  maximum pending requests exceeded".to_owned()),
        Reason::UsedUp { limit, .. } if limit.period >= Period::Day => {
            (429, format!("you (sim) have reached your session usage limit, {upgrade}"))
        }
        Reason::UsedUp { .. } => (429, format!("you (sim) have reached your hourly usage limit, {upgrade}")),
        Reason::Denied => (401, "unauthorized".to_owned()),
        Reason::PaymentRequired => (
            403,
            "this model requires a subscription, upgrade for access: https://ollama.com/upgrade (ref: sim)".to_owned(),
        ),
        Reason::Unknown | Reason::Gone => (404, format!("model '{}' not found", refusal.why.model)),
        // On its own it cuts instead; this is what its runner says when it may not.
        Reason::TooLong { .. } | Reason::TooLarge { .. } => {
            (400, "the input length exceeds the context length".to_owned())
        }
        Reason::Lacks("tools") => {
            (400, format!("registry.ollama.ai/library/{} does not support tools", refusal.why.model))
        }
        Reason::Lacks("reasoning") => (400, format!("\"{}\" does not support thinking", refusal.why.model)),
        Reason::BadRequest | Reason::Lacks(_) | Reason::WrongMethod => (refusal.status, refusal.message.clone()),
        Reason::NoSuchPlace => (404, "404 page not found".to_owned()),
        Reason::Own => return refusal,
    };
    refusal.without("retry-after").said(status, json!({"error": message}))
}

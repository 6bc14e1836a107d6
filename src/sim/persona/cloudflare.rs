//! Cloudflare Workers AI: envelopes with numbered errors, 256 tokens unless told otherwise, and models that take only strings.

use serde_json::{Value, json};

use super::rules::{calls, has, messages, role};
use crate::chat::Period;
use crate::sim::refusal::{Reason, Refusal};
use crate::sim::request::Asked;

/// Answers end here when the request has no `max_tokens`.
const TOKENS: u64 = 256;

pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    let model = body["model"].as_str().unwrap_or_default();
    // Told to be dropped, without evidence of what else happens (PROVIDERS.md 1.3): the strict reading.
    if let Some(name) = ["logit_bias", "logprobs", "top_logprobs"].into_iter().find(|name| body.get(*name).is_some()) {
        return mismatch(&format!("Additional properties are not allowed at '/': '{name}'"));
    }
    messages(body).try_for_each(|(place, message)| {
        let content = &message["content"];
        if !["system", "user", "assistant", "tool"].contains(&role(message)) {
            return mismatch(&format!("Enum mismatch of '/messages/{place}/role'"));
        }
        if content.is_null() {
            return mismatch(&format!("Type mismatch of '/messages/{place}/content', 'null' not in 'string','array'"));
        }
        if content.is_array() && only_strings(model) {
            return mismatch(&format!("Type mismatch of '/messages/{place}/content', 'array' not in 'string'"));
        }
        if calls(message).is_empty() && message.get("tool_calls").is_some() {
            return mismatch(&format!("Too few items at '/messages/{place}/tool_calls'"));
        }
        Ok(())
    })
}

/// Older models want plain text (seen on Llama).
fn only_strings(model: &str) -> bool {
    model.contains("llama")
}

/// `max_tokens` counts alone, and has a small default.
pub(super) fn settle(asked: &mut Asked, body: &Value) {
    asked.max_tokens =
        Some(if has(body, "max_tokens") { body["max_tokens"].as_u64().unwrap_or(TOKENS) } else { TOKENS });
}

fn mismatch(what: &str) -> Result<(), Refusal> {
    let message =
        format!("5006: Error: oneOf at '/' not met, 0 matches: required properties at '/' are 'prompt', {what}");
    let body = envelope(5006, &message);
    Err(Refusal::own(400, message, body))
}

fn envelope(code: u16, message: &str) -> Value {
    json!({"result": null, "success": false, "errors": [{"code": code, "message": message}], "messages": []})
}

pub(super) fn tell(refusal: Refusal) -> Refusal {
    const SPENT: &str = "4006: you have used up your daily free allocation of 10,000 neurons, please upgrade to Cloudflare's Workers Paid plan if you would like to continue usage.";
    let (status, code, message) = match &refusal.why.reason {
        Reason::Busy { .. } => (429, 3040, "Capacity temporarily exceeded, please try again.".to_owned()),
        Reason::UsedUp { limit, .. } if limit.period >= Period::Day => (429, 3036, SPENT.to_owned()),
        Reason::UsedUp { .. } => (429, 3040, "Too many requests.".to_owned()),
        Reason::Denied => (401, 10000, "Authentication error".to_owned()),
        Reason::Unknown => (400, 5007, format!("No such model {} or task", refusal.why.model)),
        Reason::Gone => (404, 3042, format!("Model {} not found", refusal.why.model)),
        Reason::TooLarge { .. } => (413, 3006, "Request is too large".to_owned()),
        Reason::TooLong { context, tokens } => (
            400,
            3003,
            format!(
                "The estimated number of input and maximum output tokens ({tokens}) exceeded this model context window limit ({context})."
            ),
        ),
        Reason::PaymentRequired => (403, 5018, "Account is not allowed to use this model".to_owned()),
        Reason::NoSuchPlace => (405, 7001, "Method GET not available for that URI.".to_owned()),
        Reason::BadRequest | Reason::Lacks(_) | Reason::WrongMethod => (refusal.status, 5004, refusal.message.clone()),
        Reason::Own => return refusal,
    };
    refusal.without("retry-after").said(status, envelope(code, &message))
}

/// The list of `…/ai/models/search`, which has a shape of its own.
pub(super) fn models<'a>(models: impl Iterator<Item = (&'a str, u64, bool)>) -> Value {
    let result: Vec<Value> = models
        .map(|(id, context, tools)| {
            json!({"id": "sim", "name": id, "description": "simulated", "task": {"name": "Text Generation"}, "properties": [
                {"property_id": "context_window", "value": context.to_string()}, {"property_id": "function_calling", "value": tools.to_string()}
            ]})
        })
        .collect();
    json!({"success": true, "result": result, "errors": [], "messages": [], "result_info": {"page": 1, "per_page": 100}})
}

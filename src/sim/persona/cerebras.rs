//! Cerebras: flat errors, an unknown field is `wrong_api_format`, rate headers in float seconds, tool calls without an index.

use bytes::Bytes;
use serde_json::{Value, json};

use super::rules::{calls, messages, role, stranger};
use crate::sim::habit::{Habits, Thoughts};
use crate::sim::limit::Unit;
use crate::sim::refusal::{Reason, Refusal};
use crate::sim::spec::UsageAt;
use crate::sim::wire::event;

/// The SDK's fields of 2026-01-06 without those that older docs answer with 400 (penalties, `parallel_tool_calls`, `service_tier`).
const FIELDS: [&str; 23] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_completion_tokens",
    "max_tokens",
    "min_tokens",
    "temperature",
    "top_p",
    "stop",
    "seed",
    "n",
    "logprobs",
    "top_logprobs",
    "response_format",
    "tools",
    "tool_choice",
    "prediction",
    "reasoning_effort",
    "reasoning_format",
    "clear_thinking",
    "disable_reasoning",
    "user",
];

pub(super) const fn habits(usage_at: UsageAt) -> Habits {
    Habits {
        thoughts: Thoughts::Field("reasoning"),
        indexed: false,
        at_end: r#","time_info":{"queue_time":0.0001,"prompt_time":0.002,"completion_time":0.01,"total_time":0.0121,"created":1800000000.5}"#,
        in_usage: r#","prompt_tokens_details":{"cached_tokens":0}"#,
        ..Habits::bare(usage_at)
    }
}

pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    if let Some(name) = stranger(body, &FIELDS) {
        return refuse(&format!("body.{name}"), name);
    }
    if body["temperature"].as_f64().is_some_and(|temperature| !(0.0..=1.5).contains(&temperature)) {
        return refuse_as("body.temperature: must be between 0 and 1.5".to_owned());
    }
    messages(body).try_for_each(|(place, message)| {
        // `name` is typed but nobody has seen it taken (PROVIDERS.md 1.3, "ok?"): the strict reading.
        let known: &[&str] = match role(message) {
            "system" | "user" => &["role", "content"],
            "assistant" => &["role", "content", "tool_calls", "reasoning"],
            "tool" => &["role", "content", "tool_call_id"],
            role => return refuse_as(format!("body.messages.{place}.role: '{role}' is not a known role")),
        };
        if role(message) == "assistant" && message["content"].is_null() && calls(message).is_empty() {
            return refuse_as(format!(
                "body.messages.{place}.assistant.content: must be a string where no tool is called"
            ));
        }
        match stranger(message, known) {
            Some(name) => refuse(&format!("body.messages.{place}.{}.{name}", role(message)), name),
            None => Ok(()),
        }
    })
}

fn refuse(place: &str, name: &str) -> Result<(), Refusal> {
    refuse_as(format!("{place}: property '{name}' is unsupported"))
}

fn refuse_as(message: String) -> Result<(), Refusal> {
    let body = flat(&message, "invalid_request_error", "validation_error", "wrong_api_format");
    Err(Refusal::own(400, message, body))
}

fn flat(message: &str, kind: &str, param: &str, code: &str) -> Value {
    json!({"message": message, "type": kind, "param": param, "code": code})
}

pub(super) fn tell(refusal: Refusal) -> Refusal {
    let too_long = |tokens: u64, most: u64| {
        let message = format!(
            "Please reduce the length of the messages or completion. Current length is {tokens} while limit is {most}"
        );
        (400, flat(&message, "invalid_request_error", "messages", "context_length_exceeded"))
    };
    let (status, body) = match &refusal.why.reason {
        Reason::Busy { .. } | Reason::UsedUp { .. } => (429, too_many(&refusal.why.reason)),
        Reason::Denied => (401, flat("Wrong API Key", "invalid_request_error", "api_key", "wrong_api_key")),
        Reason::Unknown => {
            let message = format!("Model {} does not exist or you do not have access to it.", refusal.why.model);
            (404, flat(&message, "not_found_error", "model", "model_not_found"))
        }
        Reason::Gone => {
            let message = format!("Model {} has been archived.", refusal.why.model);
            (404, flat(&message, "not_found_error", "model", "model_archived"))
        }
        Reason::TooLong { context, tokens } => too_long(*tokens, *context),
        Reason::TooLarge { limit, tokens } => too_long(*tokens, limit.amount),
        Reason::PaymentRequired => {
            (402, flat("Payment required", "payment_required_error", "quota", "payment_required"))
        }
        Reason::BadRequest | Reason::Lacks(_) | Reason::NoSuchPlace | Reason::WrongMethod => {
            (refusal.status, flat(&refusal.message, "invalid_request_error", "validation_error", "wrong_api_format"))
        }
        Reason::Own => return refusal,
    };
    let never = matches!(refusal.why.reason, Reason::TooLarge { .. });
    let refusal = if never { refusal.without("retry-after") } else { refusal };
    refusal.said(status, body)
}

/// The message names the window; without a time to wait it is the queue that is full.
fn too_many(reason: &Reason) -> Value {
    let said = |message: &str, param: &str, code: &str| flat(message, "too_many_requests_error", param, code);
    match reason {
        Reason::UsedUp { limit, .. } if limit.unit == Unit::Requests => {
            let message = format!("Requests per {} limit exceeded - too many requests sent.", limit.period.word());
            said(&message, "quota", "request_quota_exceeded")
        }
        Reason::UsedUp { limit, .. } => {
            let message = format!("Tokens per {} limit exceeded - too many tokens processed.", limit.period.word());
            said(&message, "quota", "token_quota_exceeded")
        }
        Reason::Busy { retry_after: Some(_) } => {
            said("Requests per minute limit exceeded - too many requests sent.", "quota", "request_quota_exceeded")
        }
        _ => said("We're experiencing high traffic right now! Please try again soon.", "queue", "queue_exceeded"),
    }
}

pub(super) fn failure(told: &Refusal) -> Bytes {
    event(&json!({"error": told.body(), "status_code": told.status}))
}

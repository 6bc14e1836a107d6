//! DeepSeek: thinks unless told not to and wants its thoughts back after tool calls; waits in blank lines and comments.

use serde_json::{Value, json};

use super::rules::{calls, has, has_images, messages, role};
use crate::chat::Period;
use crate::sim::habit::Habits;
use crate::sim::refusal::{Reason, Refusal};
use crate::sim::spec::UsageAt;

pub(super) const fn habits(usage_at: UsageAt) -> Habits {
    Habits {
        before_stream: ": keep-alive\n\n: keep-alive\n\n",
        before_json: "\n\n\n",
        in_usage: r#","prompt_cache_hit_tokens":0,"prompt_cache_miss_tokens":0,"prompt_tokens_details":{"cached_tokens":0}"#,
        ..Habits::bare(usage_at)
    }
}

pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    let thinking = body["thinking"]["type"] != "disabled";
    for (place, message) in messages(body) {
        let role = role(message);
        if !["system", "user", "assistant", "tool"].contains(&role) {
            let message = format!(
                "Failed to deserialize the JSON body into the target type: messages[{place}].role: unknown variant `{role}`, expected one of `system`, `user`, `assistant`, `tool`"
            );
            return refuse(422, &message);
        }
        if role == "assistant" && message["content"].is_null() && calls(message).is_empty() {
            return refuse(400, "Invalid assistant message: content or tool_calls must be set");
        }
        // Any text will do: whether it is the one that was thought nobody checks.
        if thinking && !calls(message).is_empty() && !message["reasoning_content"].is_string() {
            return refuse(400, "The reasoning_content in the thinking mode must be passed back to the API.");
        }
    }
    if has_images(body) {
        return refuse(400, "Model do not support image input");
    }
    // `seed` and `logit_bias` are "not supported" on background knowledge only (PROVIDERS.md 1.3): the strict reading.
    let unsupported = ["seed", "logit_bias"].into_iter().find(|name| has(body, name));
    let unthinkable = ["logprobs", "top_logprobs"].into_iter().find(|name| thinking && has(body, name));
    if let Some(name) = unsupported.or(unthinkable) {
        return refuse(400, &format!("This model does not support {name}"));
    }
    match body["response_format"]["type"].as_str() {
        Some("json_schema") => refuse(400, "This response_format type is unavailable now"),
        Some("json_object") if !body["messages"].to_string().to_lowercase().contains("json") => refuse(
            400,
            "Prompt must contain the word 'json' in some form to use 'response_format' of type 'json_object'.",
        ),
        _ => Ok(()),
    }
}

fn refuse(status: u16, message: &str) -> Result<(), Refusal> {
    Err(Refusal::own(status, message, error(message, "invalid_request_error")))
}

fn error(message: &str, kind: &str) -> Value {
    json!({"error": {"message": message, "type": kind, "param": null, "code": "invalid_request_error"}})
}

pub(super) fn tell(refusal: Refusal) -> Refusal {
    let too_long = |most: u64, tokens: u64| {
        format!(
            "This model's maximum context length is {most} tokens. However, you requested {tokens} tokens. Please reduce the length of the messages or completion."
        )
    };
    let (status, body) = match &refusal.why.reason {
        Reason::UsedUp { limit, .. } if limit.period < Period::Day => {
            (429, error("Rate limit reached", "rate_limit_error"))
        }
        Reason::Busy { .. } => (429, error("Rate limit reached", "rate_limit_error")),
        Reason::Denied => {
            let message = "Authentication Fails, Your api key is invalid";
            (
                401,
                json!({"error": {"message": message, "type": "authentication_error", "param": null, "code": "invalid_request_error"}}),
            )
        }
        // It has no quota but the balance: once spent, this is what it says.
        Reason::PaymentRequired | Reason::UsedUp { .. } => (402, error("Insufficient Balance", "unknown_error")),
        Reason::Unknown | Reason::Gone => (400, error("Model Not Exist", "invalid_request_error")),
        Reason::TooLong { context, tokens } => (400, error(&too_long(*context, *tokens), "invalid_request_error")),
        Reason::TooLarge { limit, tokens } => (400, error(&too_long(limit.amount, *tokens), "invalid_request_error")),
        Reason::BadRequest | Reason::Lacks(_) | Reason::WrongMethod | Reason::NoSuchPlace => {
            (refusal.status, error(&refusal.message, "invalid_request_error"))
        }
        Reason::Own => return refusal,
    };
    refusal.without("retry-after").said(status, body)
}

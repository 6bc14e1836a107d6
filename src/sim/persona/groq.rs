//! Groq: refuses what OpenAI has and it has not, in sentences with the field's path; six rate headers in Go's durations.

use bytes::Bytes;
use serde_json::{Value, json};

use super::rules::{has, list, messages, role, stranger};
use crate::sim::habit::{Habits, Thoughts};
use crate::sim::refusal::{Reason, Refusal, go_duration, label};
use crate::sim::spec::UsageAt;
use crate::sim::wire::event;

/// 400 for the first three (documented); "mostly tolerated, some 400" for the others (PROVIDERS.md 1.3): the strict reading.
const UNSUPPORTED: [&str; 9] =
    ["logprobs", "top_logprobs", "logit_bias", "top_k", "min_p", "store", "metadata", "prompt_cache_key", "verbosity"];
const ASSISTANT: [&str; 4] = ["role", "content", "tool_calls", "reasoning"];

pub(super) const fn habits(usage_at: UsageAt) -> Habits {
    Habits { thoughts: Thoughts::Field("reasoning"), ..Habits::bare(usage_at) }
}

pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    if let Some(name) = UNSUPPORTED.iter().find(|name| body.get(**name).is_some()) {
        return refuse(format!("property '{name}' is unsupported"));
    }
    if has(body, "n") && body["n"] != 1 {
        return refuse("'n' : number must be at most 1".to_owned());
    }
    if list(&body["tools"]).len() > 128 || list(&body["stop"]).len() > 4 {
        return refuse("'tools' : maximum number of items is 128, 'stop' : maximum number of items is 4".to_owned());
    }
    if has(body, "reasoning_format") && has(body, "include_reasoning") {
        return refuse("`reasoning_format` and `include_reasoning` cannot be combined".to_owned());
    }
    let structured = ["json_object", "json_schema"].iter().any(|kind| body["response_format"]["type"] == *kind);
    if structured && !list(&body["tools"]).is_empty() {
        return refuse("json mode cannot be combined with tool/function calling".to_owned());
    }
    messages(body).try_for_each(|(place, message)| check_message(place, message))
}

fn check_message(place: usize, message: &Value) -> Result<(), Refusal> {
    let role = role(message);
    let unmet = |what: &str| {
        refuse(format!(
            "'messages.{place}' : for 'role:{role}' the following must be satisfied[('messages.{place}{what})]"
        ))
    };
    if !["system", "user", "assistant", "tool"].contains(&role) {
        return refuse(format!("'messages.{place}' : discriminator property 'role' has invalid value"));
    }
    if role == "system" && !message["content"].is_string() {
        return unmet(".content' : value must be a string");
    }
    if message.get("name").is_some() && role != "tool" {
        return unmet("' : property 'name' is unsupported");
    }
    match stranger(message, &ASSISTANT) {
        Some(name) if role == "assistant" => unmet(&format!("' : property '{name}' is unsupported")),
        _ => Ok(()),
    }
}

fn refuse(message: String) -> Result<(), Refusal> {
    let body = json!({"error": {"message": message, "type": "invalid_request_error"}});
    Err(Refusal::own(400, message, body))
}

pub(super) fn tell(refusal: Refusal) -> Refusal {
    let of = format!("for model `{}` in organization `org_sim` service tier `on_demand`", refusal.why.model);
    let upgrade = "Need more tokens? Upgrade to Dev Tier today at https://console.groq.com/settings/billing";
    let limited = |message: String, kind: &str| json!({"error": {"message": message, "type": kind, "param": null, "code": "rate_limit_exceeded"}});
    let (status, body) = match &refusal.why.reason {
        Reason::Busy { retry_after } => {
            let wait =
                retry_after.map(|wait| format!(" Please try again in {}.", go_duration(wait))).unwrap_or_default();
            let used = "on requests per minute (RPM): Limit 30, Used 30, Requested 1.";
            (429, limited(format!("Rate limit reached {of} {used}{wait} {upgrade}"), "requests"))
        }
        Reason::UsedUp { limit, used, requested, wait, .. } => {
            let (label, wait) = (label(limit), go_duration(*wait));
            let amount = limit.amount;
            let message = format!(
                "Rate limit reached {of} on {label}: Limit {amount}, Used {used}, Requested {requested}. Please try again in {wait}. {upgrade}"
            );
            (429, limited(message, crate::sim::refusal::kind(limit)))
        }
        Reason::TooLarge { limit, tokens } => {
            let message = format!(
                "Request too large {of} on {}: Limit {}, Requested {tokens}, please reduce your message size and try again. {upgrade}",
                label(limit),
                limit.amount
            );
            (413, limited(message, crate::sim::refusal::kind(limit)))
        }
        _ => return tell_the_rest(refusal),
    };
    refusal.said(status, body)
}

fn tell_the_rest(refusal: Refusal) -> Refusal {
    let said = |message: &str, param: Option<&str>, code: &str| json!({"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}});
    match &refusal.why.reason {
        Reason::Denied => refusal.said(401, said("Invalid API Key", None, "invalid_api_key")),
        Reason::TooLong { .. } => {
            let message = "Please reduce the length of the messages or completion.";
            refusal.said(400, said(message, Some("messages"), "context_length_exceeded"))
        }
        _ => refusal,
    }
}

/// As the first event: a call that could not be made, said in a stream under status 200. Later: `x_groq.error`.
pub(super) fn failure(model: &str, first: bool) -> Bytes {
    if first {
        let message = "Failed to call a function. Please adjust your prompt. See 'failed_generation' for more details.";
        return event(
            &json!({"error": {"message": message, "type": "invalid_request_error", "code": "tool_use_failed", "failed_generation": "<function=simulated{", "status_code": 400}}),
        );
    }
    event(
        &json!({"id": "chatcmpl-sim", "object": "chat.completion.chunk", "created": 0, "model": model, "choices": [], "x_groq": {"id": "req_sim", "error": "over_capacity"}}),
    )
}

//! OpenRouter: drops what it does not know, numbers its codes, tells limits in the body's metadata, and fails inside of a 200.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::chat::Period;
use crate::sim::habit::{Habits, Thoughts};
use crate::sim::limit::Limit;
use crate::sim::refusal::{Reason, Refusal};
use crate::sim::spec::UsageAt;
use crate::sim::wire::event;

pub(super) const fn habits(usage_at: UsageAt) -> Habits {
    Habits {
        thoughts: Thoughts::Details,
        before_stream: ": OPENROUTER PROCESSING\n\n: OPENROUTER PROCESSING\n\n",
        beside: r#","provider":"Simulated""#,
        at_finish: r#","native_finish_reason":"stop""#,
        in_usage: r#","cost":0,"cost_details":{"upstream_inference_cost":null},"prompt_tokens_details":{"cached_tokens":0,"cache_write_tokens":0}"#,
        ..Habits::bare(usage_at)
    }
}

pub(super) fn tell(refusal: Refusal) -> Refusal {
    let coded = |code: u16, message: &str| json!({"error": {"code": code, "message": message}});
    match refusal.why.reason.clone() {
        Reason::Busy { .. } => {
            let raw = format!(
                "{} is temporarily rate-limited upstream. Please retry shortly, or add your own key",
                refusal.why.model
            );
            refusal.said(429, json!({"error": {"code": 429, "message": "Provider returned error", "metadata": {"raw": raw, "provider_name": "Simulated", "is_byok": false, "limit_source": "upstream_provider_shared_pool", "error_type": "rate_limit_exceeded"}}, "user_id": "user_sim"}))
        }
        Reason::UsedUp { limit, moment, .. } => used_up(refusal, &limit, moment.as_millisecond()),
        Reason::PaymentRequired => {
            let message = "Insufficient credits. Add more using https://openrouter.ai/settings/credits";
            refusal.said(
                402,
                json!({"error": {"code": 402, "message": message, "metadata": {"limit_source": "openrouter_credits"}}}),
            )
        }
        Reason::Denied => refusal.said(401, coded(401, "User not found.")),
        Reason::Unknown => {
            let message = format!("{} is not a valid model ID", refusal.why.model);
            refusal.said(400, coded(400, &message))
        }
        Reason::Gone => {
            let message = format!("No endpoints found for {}.", refusal.why.model);
            refusal.said(404, coded(404, &message))
        }
        Reason::TooLong { context, tokens } => too_long(refusal, context, tokens),
        Reason::TooLarge { limit, tokens } => too_long(refusal.without("retry-after"), limit.amount, tokens),
        Reason::Lacks(feature) => {
            let what = if feature == "vision" { "image input" } else { "tool use" };
            refusal.said(404, coded(404, &format!("No endpoints found that support {what}.")))
        }
        Reason::BadRequest | Reason::WrongMethod | Reason::NoSuchPlace => {
            let (status, message) = (refusal.status, refusal.message.clone());
            refusal.said(status, coded(status, &message))
        }
        Reason::Own => refusal,
    }
}

/// The reset is in unix milliseconds, in the body and as headers alike.
fn used_up(refusal: Refusal, limit: &Limit, reset: i64) -> Refusal {
    let day = limit.period >= Period::Day;
    let (message, source) = if day {
        (
            "Rate limit exceeded: free-models-per-day. Add 10 credits to unlock 1000 free model requests per day",
            "openrouter_free_tier_daily",
        )
    } else {
        ("Rate limit exceeded: free-models-per-min. ", "openrouter_free_tier_minute")
    };
    let (amount, reset) = (limit.amount.to_string(), reset.to_string());
    let headers = json!({"X-RateLimit-Limit": amount, "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset});
    let body = json!({"error": {"code": 429, "message": message, "metadata": {"headers": headers, "limit_source": source}}, "user_id": "user_sim"});
    let refusal = refusal.without("retry-after").said(429, body);
    refusal
        .with("x-ratelimit-limit", amount)
        .with("x-ratelimit-remaining", "0".to_owned())
        .with("x-ratelimit-reset", reset)
}

fn too_long(refusal: Refusal, most: u64, tokens: u64) -> Refusal {
    let message = format!(
        "This endpoint's maximum context length is {most} tokens. However, you requested about {tokens} tokens. Please reduce the length of either one."
    );
    refusal.said(400, json!({"error": {"code": 400, "message": message, "metadata": {"provider_name": null}}}))
}

/// What a success says that is none.
pub(super) fn in_success() -> Value {
    json!({"error": {"code": 502, "message": "Provider returned error", "metadata": {"provider_name": "Simulated", "raw": "upstream connect error"}}, "user_id": "user_sim"})
}

pub(super) fn failure(model: &str) -> Bytes {
    event(&json!({
        "id": "gen-sim", "object": "chat.completion.chunk", "created": 0, "model": model, "provider": "Simulated",
        "error": {"code": 502, "message": "Provider disconnected"},
        "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "error", "native_finish_reason": "error"}],
    }))
}

/// An item of `GET /models`.
pub(super) fn model(id: &str, context: u64, vision: bool) -> Value {
    let inputs: &[&str] = if vision { &["text", "image"] } else { &["text"] };
    json!({
        "id": id, "canonical_slug": id, "name": id, "created": 0, "description": "simulated", "context_length": context,
        "architecture": {"modality": "text->text", "input_modalities": inputs, "output_modalities": ["text"], "tokenizer": "Other"},
        "pricing": {"prompt": "0", "completion": "0", "request": "0", "image": "0"},
        "top_provider": {"context_length": context, "max_completion_tokens": null, "is_moderated": false},
        "supported_parameters": ["max_tokens", "temperature", "tools"], "per_request_limits": null,
    })
}

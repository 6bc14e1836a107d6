//! Gemini's refusals: google.rpc.Status in JSON, quotas by their ids, a bad key as 400.

use bytes::Bytes;
use serde_json::{Value, json};

use crate::chat::Period;
use crate::sim::limit::Unit;
use crate::sim::refusal::{Reason, Refusal};

/// A 400 about a field or a turn.
pub(super) fn invalid(message: &str) -> Refusal {
    let mut body = status(400, message, "INVALID_ARGUMENT");
    body["error"]["details"] = json!([{
        "@type": "type.googleapis.com/google.rpc.BadRequest", "fieldViolations": [{"description": message}]
    }]);
    Refusal::own(400, message, body)
}

fn status(code: u16, message: &str, status: &str) -> Value {
    json!({"error": {"code": code, "message": message, "status": status}})
}

pub(in crate::sim::persona) fn tell(refusal: Refusal) -> Refusal {
    let model = refusal.why.model.clone();
    let too_long = |tokens: u64, most: u64| {
        let message =
            format!("The input token count ({tokens}) exceeds the maximum number of tokens allowed ({most}).");
        (400, status(400, &message, "INVALID_ARGUMENT"))
    };
    let (code, body) = match &refusal.why.reason {
        Reason::Busy { .. } | Reason::UsedUp { .. } => (429, exhausted(&model, &refusal.why.reason)),
        Reason::Denied => (400, bad_key()),
        Reason::PaymentRequired => (
            402,
            status(
                402,
                "Your prepayment credits are depleted. Please go to AI Studio to manage your billing.",
                "RESOURCE_EXHAUSTED",
            ),
        ),
        Reason::Unknown | Reason::Gone => {
            let message = format!(
                "models/{model} is not found for API version v1beta, or is not supported for generateContent. Call ListModels to see the list of available models and their supported methods."
            );
            (404, status(404, &message, "NOT_FOUND"))
        }
        Reason::TooLong { context, tokens } => too_long(*tokens, *context),
        Reason::TooLarge { limit, tokens } => too_long(*tokens, limit.amount),
        Reason::BadRequest | Reason::Lacks(_) => (400, status(400, &refusal.message, "INVALID_ARGUMENT")),
        Reason::NoSuchPlace | Reason::WrongMethod => (404, status(404, "Requested entity was not found.", "NOT_FOUND")),
        Reason::Own => return refusal,
    };
    refusal.without("retry-after").said(code, body)
}

/// A quota by its id. The delay stands beside a day's quota too, and means nothing there.
fn exhausted(model: &str, reason: &Reason) -> Value {
    const REQUESTS: &str = "GenerateRequestsPerMinutePerProjectPerModel-FreeTier";
    match reason {
        Reason::UsedUp { limit, wait, .. } => {
            let day = limit.period >= Period::Day;
            let seconds = if day { 38.3 } else { wait.as_secs_f64() };
            let (id, metric) = match (limit.unit, day) {
                (Unit::Requests, true) => ("GenerateRequestsPerDayPerProjectPerModel-FreeTier", "requests"),
                (Unit::Requests, false) => (REQUESTS, "requests"),
                (_, true) => ("GenerateContentInputTokensPerModelPerDay-FreeTier", "input_token_count"),
                (_, false) => ("GenerateContentInputTokensPerModelPerMinute-FreeTier", "input_token_count"),
            };
            quota(model, id, metric, limit.amount, seconds)
        }
        Reason::Busy { retry_after: Some(wait) } => quota(model, REQUESTS, "requests", 5, wait.as_secs_f64()),
        _ => quota(model, REQUESTS, "requests", 5, 37.9),
    }
}

fn bad_key() -> Value {
    let mut body = status(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT");
    body["error"]["details"] = json!([{
        "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com",
        "metadata": {"service": "generativelanguage.googleapis.com"},
    }]);
    body
}

fn quota(model: &str, id: &str, metric: &str, limit: u64, seconds: f64) -> Value {
    let metric = format!("generativelanguage.googleapis.com/generate_content_free_tier_{metric}");
    let message = format!(
        "You exceeded your current quota, please check your plan and billing details. For more information on this error, head to: https://ai.google.dev/gemini-api/docs/rate-limits.\n* Quota exceeded for metric: {metric}, limit: {limit}, model: {model}\nPlease retry in {seconds}s."
    );
    let mut body = status(429, &message, "RESOURCE_EXHAUSTED");
    body["error"]["details"] = json!([
        {"@type": "type.googleapis.com/google.rpc.Help", "links": [{"description": "Learn more about Gemini API quotas", "url": "https://ai.google.dev/gemini-api/docs/rate-limits"}]},
        {"@type": "type.googleapis.com/google.rpc.QuotaFailure", "violations": [{"quotaMetric": metric, "quotaId": id, "quotaDimensions": {"location": "global", "model": model}, "quotaValue": limit.to_string()}]},
        {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": format!("{seconds}s")},
    ]);
    body
}

/// A failure inside of a stream.
pub(in crate::sim::persona) fn failure(told: &Refusal) -> Bytes {
    Bytes::from(format!("data: {}\r\n\r\n", told.body()))
}

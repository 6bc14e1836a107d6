//! Every refusal Google is known for, and what it means.

use http::HeaderMap;

use super::golden::{fixture, now};
use crate::chat::{Breakage, Fault, Period, Scope, Unfit};
use crate::clock::until;
use crate::dialect::Dialect;
use crate::quota::Kind;

fn fault(status: u16, body: &str) -> Fault {
    Dialect::Gemini.classify(status, &HeaderMap::new(), body.as_bytes(), now())
}

fn error(status: &str, message: &str) -> String {
    serde_json::json!({"error": {"status": status, "message": message}}).to_string()
}

#[test]
fn fixtures_mean_what_their_names_say() {
    let busy = fault(429, fixture!("busy.response.json"));
    let Fault::Busy { until: Some(moment), scope, period } = busy else { panic!("{busy:?}") };
    assert_eq!((until(now(), moment).as_millis(), scope, period), (56_713, Some(Scope::Model), Some(Period::Minute)));
    let day = Fault::Spent { until: None, scope: Some(Scope::Model), period: Some(Period::Day) };
    assert_eq!(fault(429, fixture!("spent.response.json")), day);
    assert_eq!(fault(429, &format!("[{}]", fixture!("spent.response.json"))), day);
    assert_eq!(fault(400, fixture!("denied.response.json")), Fault::Denied);
    assert_eq!(fault(404, fixture!("gone.response.json")), Fault::Gone);
    let too_long = Unfit::ContextTooLong { needed: 1_300_000, context: 1_048_576 };
    assert_eq!(fault(400, fixture!("too_large.response.json")), Fault::Unfit(too_long));
    let invalid = fault(400, fixture!("invalid.response.json"));
    let Fault::Invalid { status: 400, message, param, code } = invalid else { panic!("{invalid:?}") };
    assert!(message.starts_with("Invalid JSON payload"));
    assert_eq!((param.as_deref(), code.as_deref()), (Some("generation_config"), Some("INVALID_ARGUMENT")));
}

#[test]
fn limits_are_read_from_quotas_and_from_the_message() {
    let told = |body: &str| -> Vec<(Kind, Period, Option<u64>)> {
        Dialect::Gemini.facts(body.as_bytes()).iter().map(|fact| (fact.kind, fact.period, fact.limit)).collect()
    };
    let violations = serde_json::json!({"error": {"code": 429, "details": [{"violations": [
        {"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "20"},
        {"quotaId": "GenerateContentInputTokensPerModelPerMinute-FreeTier", "quotaValue": "250000"},
        {"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "quotaValue": "0"},
        {"quotaId": "SomethingElsePerDay", "quotaValue": "7"},
    ]}]}});
    let expected = [(Kind::Requests, Period::Day, Some(20)), (Kind::InputTokens, Period::Minute, Some(250_000))];
    assert_eq!(told(&violations.to_string()), expected);
    let words =
        "* Quota exceeded for metric: x.googleapis.com/generate_requests_per_model_per_day, limit: 250, model: m";
    assert_eq!(told(&error("RESOURCE_EXHAUSTED", words)), [(Kind::Requests, Period::Day, Some(250))]);
    assert_eq!(told(fixture!("gone.response.json")), []);
}

#[test]
fn refusals_are_told_apart_by_status_reason_and_the_messages_beginning() {
    let quota = |ids: &[&str], value: &str| {
        let violations: Vec<_> = ids.iter().map(|id| serde_json::json!({"quotaId": id, "quotaValue": value})).collect();
        serde_json::json!({"error": {"code": 429, "details": [{"violations": violations}, {"retryDelay": "38s"}]}})
            .to_string()
    };
    let minute = "GenerateContentInputTokensPerModelPerMinute-FreeTier";
    let day = "GenerateRequestsPerDayPerProjectPerModel-FreeTier";
    let reason = |reason: &str, message: &str| {
        serde_json::json!({"error": {"message": message, "details": [{"reason": reason}]}}).to_string()
    };
    let metric = |metric: &str, limit: u32, wait: &str| {
        error(
            "RESOURCE_EXHAUSTED",
            &format!(
                "You exceeded your current quota.\n* Quota exceeded for metric: generativelanguage.googleapis.com/{metric}, limit: {limit}, model: gemini-2.5-pro\nPlease retry in {wait}."
            ),
        )
    };
    let requests = "generate_content_free_tier_requests";
    let cases = [
        (429, quota(&[minute], "250000"), "429-minute"),
        (429, quota(&[minute, day], "20"), "429-day"),
        (429, quota(&[day], "0"), "gone"),
        (429, metric(requests, 0, "37.94s"), "gone"),
        (429, metric(requests, 20, "37.94s"), "busy"),
        (429, metric(requests, 100, "9h12m3s"), "spent"),
        (429, metric("generate_requests_per_model_per_day", 250, "37.94s"), "429-day"),
        (429, error("RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."), "busy"),
        (429, error("RESOURCE_EXHAUSTED", "The words limit: 0 and PerDay in a prompt mean nothing."), "busy"),
        (429, String::new(), "busy"),
        (402, error("RESOURCE_EXHAUSTED", "Your prepayment credits are depleted."), "spent"),
        (400, error("INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."), "denied"),
        (400, reason("API_KEY_INVALID", "API key expired. Please renew the API key."), "denied"),
        (400, error("FAILED_PRECONDITION", "User location is not supported for the API use."), "400"),
        (
            400,
            error("FAILED_PRECONDITION", "Gemini API free tier is not available in your country. Enable billing."),
            "400",
        ),
        (400, error("FAILED_PRECONDITION", "Enable billing for this project."), "denied"),
        (403, error("PERMISSION_DENIED", "User location is not supported for the API use."), "403"),
        (401, error("UNAUTHENTICATED", "Request had invalid authentication credentials."), "denied"),
        (403, reason("SERVICE_DISABLED", "Generative Language API has not been used in project 1 before."), "denied"),
        (403, error("PERMISSION_DENIED", "Your API key was reported as leaked."), "denied"),
        (403, reason("CONSUMER_SUSPENDED", "models/x: the consumer has been suspended."), "denied"),
        (403, error("PERMISSION_DENIED", "You do not have permission to access models/gemini-9 here."), "gone"),
        (404, error("NOT_FOUND", "models/x is not found for API version v1beta."), "gone"),
        (
            400,
            error("INVALID_ARGUMENT", "The input token count exceeds the maximum number of tokens allowed 1048576."),
            "too-large",
        ),
        (400, error("INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."), "too-large"),
        (413, String::new(), "too-large"),
        (400, error("INVALID_ARGUMENT", "Function calling is not enabled for models/gemma-3-27b-it"), "no-tools"),
        (400, error("INVALID_ARGUMENT", "JSON mode is not enabled for models/gemma-3-27b-it"), "no-json"),
        (400, error("INVALID_ARGUMENT", "Image input modality is not enabled for models/gemma-3-1b-it"), "no-vision"),
        (400, error("INVALID_ARGUMENT", "Temperature must be at most 2; the input token count is fine."), "400"),
        (400, "<html>".to_owned(), "400"),
        (499, error("CANCELLED", "The operation was cancelled."), "499"),
        (500, error("INTERNAL", "An internal error has occurred."), "500"),
        (503, error("UNAVAILABLE", "The model is overloaded. Please try again later."), "503"),
        (504, error("DEADLINE_EXCEEDED", "Deadline expired before operation could complete."), "504"),
    ];
    for (status, body, word) in cases {
        assert_eq!(fault(status, &body).word(), word, "{status} {body}");
    }
}

/// The network between, not Google: the key is as good as it was.
#[test]
fn a_web_page_says_nothing_of_the_key() {
    for status in [400, 401, 403, 422] {
        let page = "<!DOCTYPE html><html><title>Access denied by your network</title></html>";
        assert_eq!(fault(status, page), Fault::Broken(Breakage::Status(status)));
    }
}

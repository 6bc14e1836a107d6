//! What a refusal means: by status, then by parsed code, then by a short stable phrase of the message.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use crate::chat::{Breakage, Fault, Period, Unfit};
use crate::clock::until;
use crate::quota::signal::retry_after;

/// A wait longer than this is a long window's, whatever the provider calls it.
const LONG_WAIT: Duration = Duration::from_secs(3600);

/// Beside a long window a wait shorter than this is the minute window's, and would have the route hammered all day.
const LEAST_LONG_WAIT: Duration = Duration::from_secs(60);

/// Codes that say the request does not fit the model's context.
const TOO_LONG_CODES: [&str; 4] =
    ["context_length_exceeded", "tokens_limit_reached", "string_above_max_length", "1261"];

/// Phrases of a 400 that say the same where a provider has no code for it.
const TOO_LONG_PHRASES: [&str; 6] = [
    "maximum context length",
    "context window",
    "prompt is too long",
    "input token count",
    "reduce the length",
    "exceeds max length",
];

const KEY_CODES: [&str; 4] = ["invalid_api_key", "wrong_api_key", "API_KEY_INVALID", "10000"];

const MODEL_CODES: [&str; 8] = [
    "model_not_found",
    "model_archived",
    "model_decommissioned",
    "model_not_supported",
    "model_unavailable",
    "invalid_model",
    "1211",
    "5007",
];

/// The meaning of a response that is no success.
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Fault {
    fault_of(status, &ProviderError::parse(body).unwrap_or_default(), retry_after(headers, now), now)
}

/// The meaning of an error object inside a success; `None` where there is none.
pub fn in_band(body: &[u8], now: Timestamp) -> Option<Fault> {
    let error = ProviderError::parse(body)?;
    let status = error.code.parse().ok().filter(|code| (400..600).contains(code)).or_else(|| error.implied_status());
    let fault = status.map_or(Fault::Broken(Breakage::InBand), |status| fault_of(status, &error, None, now));
    // A provider that took the request and then calls it wrong has failed; the caller has not.
    Some(if matches!(fault, Fault::Invalid { .. }) { Fault::Broken(Breakage::InBand) } else { fault })
}

fn fault_of(status: u16, error: &ProviderError, retry: Option<Timestamp>, now: Timestamp) -> Fault {
    match status {
        413 => Fault::Unfit(Unfit::TooLarge),
        400 | 422 if error.says_too_long() => Fault::Unfit(Unfit::TooLarge),
        400 | 403 | 404 if error.has_code(&MODEL_CODES) => Fault::Gone,
        401 | 403 => Fault::Denied,
        400 if error.has_code(&KEY_CODES) => Fault::Denied,
        402 => Fault::Spent { until: None, scope: None, period: None },
        404 | 410 => Fault::Gone,
        429 | 498 => limited(error, retry, now),
        400 | 422 => error.clone().into_invalid(status),
        _ => Fault::Broken(Breakage::Status(status)),
    }
}

fn limited(error: &ProviderError, retry: Option<Timestamp>, now: Timestamp) -> Fault {
    let period = error.period();
    let wait = retry.map(|moment| until(now, moment));
    let long = matches!(period, Some(Period::Day | Period::Month))
        || error.code == "insufficient_quota"
        || wait.is_some_and(|wait| wait > LONG_WAIT);
    if long {
        let believed = wait.is_some_and(|wait| wait >= LEAST_LONG_WAIT);
        Fault::Spent { until: retry.filter(|_| believed), scope: None, period }
    } else {
        Fault::Busy { until: retry, scope: None, period }
    }
}

/// A provider's error, whatever its shape: `error` as object or string, flat, in a list, or Cloudflare's `errors`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct ProviderError {
    message: String,
    kind: String,
    code: String,
    param: Option<String>,
    /// Reasons and quota names of Google's error details.
    details: Vec<String>,
}

impl ProviderError {
    fn parse(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let value = value.get(0).unwrap_or(&value);
        let error = value.get("error").filter(|error| !error.is_null());
        let listed = value.pointer("/errors/0");
        match error.or(listed) {
            Some(Value::String(message)) => Some(Self { message: message.clone(), ..Self::default() }),
            Some(object @ Value::Object(_)) => Some(Self::of_object(object)),
            _ => {
                let flat = ["message", "detail", "title"].iter().any(|name| value.get(name).is_some());
                (flat && value.get("choices").is_none()).then(|| Self::of_object(value))
            }
        }
    }

    fn of_object(object: &Value) -> Self {
        let text = |name: &str| match object.get(name) {
            Some(Value::String(text)) => text.clone(),
            Some(Value::Number(number)) => number.to_string(),
            Some(Value::Null) | None => String::new(),
            Some(other) => other.to_string(),
        };
        let message =
            ["message", "detail", "title"].into_iter().map(text).find(|text| !text.is_empty()).unwrap_or_default();
        let details =
            object.get("details").and_then(Value::as_array).into_iter().flatten().flat_map(detail_words).collect();
        Self {
            message,
            kind: text("type"),
            code: text("code"),
            param: Some(text("param")).filter(|param| !param.is_empty()),
            details,
        }
    }

    fn has_code(&self, codes: &[&str]) -> bool {
        codes
            .iter()
            .any(|code| self.code == *code || self.kind == *code || self.details.iter().any(|detail| detail == code))
    }

    fn says_too_long(&self) -> bool {
        self.has_code(&TOO_LONG_CODES) || TOO_LONG_PHRASES.iter().any(|phrase| self.message.contains(phrase))
    }

    /// The status an error has when a provider puts it into a success without one.
    fn implied_status(&self) -> Option<u16> {
        match () {
            () if self.has_code(&[
                "rate_limit_exceeded",
                "insufficient_quota",
                "rate_limited",
                "too_many_requests_error",
                "1300",
            ]) =>
            {
                Some(429)
            }
            () if self.has_code(&KEY_CODES) => Some(401),
            () if self.has_code(&MODEL_CODES) => Some(404),
            () if self.says_too_long() => Some(400),
            () => None,
        }
    }

    /// The window that was overrun, where the error names it.
    fn period(&self) -> Option<Period> {
        const MARKS: [(Period, [&str; 4]); 4] = [
            (Period::Month, ["per month", "/ month", "PerMonth", "-per-month"]),
            (Period::Day, ["per day", "(RPD)", "(TPD)", "-per-day"]),
            (Period::Hour, ["per hour", "/ hour", "PerHour", "-per-hour"]),
            (Period::Minute, ["per minute", "(RPM)", "(TPM)", "-per-min"]),
        ];
        // Of several overrun windows the longest decides.
        MARKS
            .iter()
            .find(|(period, marks)| {
                let named = format!("Per{}{}", &period.word()[..1].to_uppercase(), &period.word()[1..]);
                marks.iter().any(|mark| self.message.contains(mark))
                    || self.details.iter().any(|detail| detail.contains(&named))
            })
            .map(|(period, _)| *period)
    }

    fn into_invalid(self, status: u16) -> Fault {
        let message =
            if self.message.is_empty() { "the provider rejected the request".to_owned() } else { self.message };
        Fault::Invalid { status, message, param: self.param, code: Some(self.code).filter(|code| !code.is_empty()) }
    }
}

fn detail_words(detail: &Value) -> Vec<String> {
    let violations = detail.get("violations").and_then(Value::as_array).into_iter().flatten();
    violations
        .filter_map(|violation| violation.get("quotaId"))
        .chain(detail.get("reason"))
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, retry: Option<&'static str>, body: &str) -> Fault {
        let mut headers = HeaderMap::new();
        if let Some(retry) = retry {
            headers.insert("retry-after", retry.parse().expect("a header value"));
        }
        classify(status, &headers, body.as_bytes(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn refusals_are_told_apart_by_status_code_and_phrase() {
        let cases: [(u16, &str, &str); 17] = [
            (
                429,
                r#"{"error":{"message":"Rate limit reached on tokens per minute (TPM): Limit 8000","type":"tokens","code":"rate_limit_exceeded"}}"#,
                "429-minute",
            ),
            (
                429,
                r#"{"error":{"message":"Rate limit reached on requests per day (RPD): Limit 1000","code":"rate_limit_exceeded"}}"#,
                "429-day",
            ),
            (429, r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#, "spent"),
            (429, r#"{"status":429,"title":"Too Many Requests"}"#, "busy"),
            (
                429,
                r#"[{"error":{"code":429,"status":"RESOURCE_EXHAUSTED","details":[{"violations":[{"quotaId":"GenerateRequestsPerDayPerProjectPerModel-FreeTier"}]}]}}]"#,
                "429-day",
            ),
            (429, "plain text", "busy"),
            (402, r#"{"error":"You have depleted your monthly included credits."}"#, "spent"),
            (401, r#"{"detail":"Unauthorized"}"#, "denied"),
            (
                400,
                r#"{"error":{"code":400,"message":"API key not valid.","details":[{"reason":"API_KEY_INVALID"}]}}"#,
                "denied",
            ),
            (404, r#"{"message":"Model x does not exist","code":"model_not_found"}"#, "gone"),
            (410, "", "gone"),
            (400, r#"{"success":false,"errors":[{"code":5007,"message":"No such model"}]}"#, "gone"),
            (413, r#"{"error":{"message":"Request too large","code":"rate_limit_exceeded"}}"#, "too-large"),
            (400, r#"{"error":{"message":"This model's maximum context length is 8192 tokens"}}"#, "too-large"),
            (
                400,
                r#"{"error":{"message":"the word generate is too rated per dayly","type":"invalid_request_error"}}"#,
                "400",
            ),
            (503, "<html>", "503"),
            (520, "", "520"),
        ];
        for (status, body, word) in cases {
            assert_eq!(fault(status, None, body).word(), word, "{status} {body}");
        }
    }

    #[test]
    fn a_short_wait_beside_a_day_window_is_ignored_and_a_long_wait_is_a_long_window() {
        let day = fault(429, Some("38"), r#"{"error":{"message":"on requests per day (RPD)"}}"#);
        assert!(matches!(day, Fault::Spent { until: None, .. }), "{day:?}");
        let long = fault(429, Some("25273"), "{}");
        assert!(matches!(long, Fault::Spent { until: Some(_), .. }), "{long:?}");
        let busy = fault(429, Some("2"), "{}");
        assert!(matches!(busy, Fault::Busy { until: Some(_), .. }), "{busy:?}");
    }

    #[test]
    fn the_callers_own_mistake_keeps_the_providers_words() {
        let invalid = fault(
            400,
            None,
            r#"{"error":{"message":"temperature must be at most 2","param":"temperature","code":"invalid_value"}}"#,
        );
        let Fault::Invalid { message, param, code, .. } = invalid else { panic!("{invalid:?}") };
        assert_eq!(
            (message.as_str(), param.as_deref(), code.as_deref()),
            ("temperature must be at most 2", Some("temperature"), Some("invalid_value"))
        );
    }

    #[test]
    fn errors_inside_a_success_are_found() {
        let found = |body: &str| in_band(body.as_bytes(), Timestamp::UNIX_EPOCH).map(|fault| fault.word());
        assert_eq!(found(r#"{"error":{"code":429,"message":"Provider returned error"}}"#).as_deref(), Some("busy"));
        assert_eq!(found(r#"{"message":"Tokens per minute limit exceeded","type":"too_many_requests_error","code":"token_quota_exceeded"}"#).as_deref(), Some("429-minute"));
        assert_eq!(
            found(r#"{"error":{"message":"tool call failed","code":"tool_use_failed"}}"#).as_deref(),
            Some("error-in-200")
        );
        assert_eq!(found(r#"{"error":null,"choices":[]}"#), None);
    }
}

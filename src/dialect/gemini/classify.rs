//! What a refusal means: by status, then by the reasons and quotas of the error's details, last by how its message begins.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use crate::chat::{Breakage, Fault, Period, Scope, Unfit};
use crate::clock::{later, until};
use crate::quota::signal::{LEAST_WAIT, duration, retry_after};
use crate::quota::{Fact, Kind};

use super::super::{front, place};

/// A wait longer than this is a long window's, whatever else the error says.
const LONG_WAIT: Duration = Duration::from_hours(1);

/// How a 400 begins that says what the model lacks: Gemma and older models (2025-03 to 2026-08).
const LACKS: [(&str, &str); 6] = [
    ("Function calling with a response mime type", "json-beside-tools"),
    ("Function calling is not enabled", "tools"),
    ("Tool use with function calling is unsupported", "tools"),
    ("JSON mode is not enabled", "json"),
    ("Image input modality is not enabled", "vision"),
    ("Audio input modality is not enabled", "audio"),
];

/// The meaning of a response that is no success.
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Fault {
    if matches!(status, 400 | 401 | 403 | 422) && front::speaks(&String::from_utf8_lossy(body)) {
        return Fault::Broken(Breakage::Status(status));
    }
    fault_of(status, &GoogleError::parse(body).unwrap_or_default(), retry_after(headers, now), now)
}

/// The meaning of an error inside a success; `None` where there is none.
pub fn in_band(body: &[u8], now: Timestamp) -> Option<Fault> {
    let error = GoogleError::parse(body)?;
    let Some(status) = error.http_status() else { return Some(Fault::Broken(Breakage::InBand)) };
    let fault = fault_of(status, &error, None, now);
    // A provider that took the request and then calls it wrong has failed; the caller has not.
    Some(if matches!(fault, Fault::Invalid { .. }) { Fault::Broken(Breakage::InBand) } else { fault })
}

/// The limits a refusal names as overrun.
pub fn facts(body: &[u8]) -> Vec<Fact> {
    let quotas = GoogleError::parse(body).unwrap_or_default().quotas;
    quotas.iter().filter_map(|quota| Fact::of_refusal(quota.kind?, quota.period?, quota.limit?)).collect()
}

fn fault_of(status: u16, error: &GoogleError, retry: Option<Timestamp>, now: Timestamp) -> Fault {
    match status {
        _ if place::is_refused(status, &error.message) => Fault::Broken(Breakage::Status(status)),
        429 => limited(error, retry, now),
        // Prepaid credit is the account's, and no clock brings it back.
        402 => Fault::Spent { until: None, scope: Some(Scope::Key), period: None },
        403 if error.is_about_a_model() => Fault::Gone,
        401 | 403 => Fault::Denied,
        404 | 410 => Fault::Gone,
        413 => Fault::Unfit(Unfit::TooLarge),
        400 => bad_request(error),
        422 => error.invalid(status),
        _ => Fault::Broken(Breakage::Status(status)),
    }
}

/// A wrong key is a 400 here, and so is what the account lacks: both last until its owner acts.
fn bad_request(error: &GoogleError) -> Fault {
    let begins = |words: &str| error.message.starts_with(words);
    let is_key = error.reasons.iter().any(|reason| reason == "API_KEY_INVALID")
        || begins("API key not valid")
        || begins("API key expired");
    if is_key || error.status == "FAILED_PRECONDITION" {
        return Fault::Denied;
    }
    if begins("The input token count") {
        return Fault::Unfit(too_long(&error.message));
    }
    if begins("Request payload size exceeds") {
        return Fault::Unfit(Unfit::TooLarge);
    }
    match LACKS.iter().find(|(words, _)| begins(words)) {
        Some((_, feature)) => Fault::Unfit(Unfit::Lacks(feature)),
        None => error.invalid(400),
    }
}

/// "The input token count (9999) exceeds the maximum number of tokens allowed (8192)." Either number may be missing.
fn too_long(message: &str) -> Unfit {
    let numbers = message.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok());
    match numbers.collect::<Vec<u64>>()[..] {
        [needed, context] => Unfit::ContextTooLong { needed, context },
        _ => Unfit::TooLarge,
    }
}

fn limited(error: &GoogleError, retry: Option<Timestamp>, now: Timestamp) -> Fault {
    // A limit of 0 is no limit but the lack of a free tier: waiting never helps.
    if error.quotas.iter().any(Quota::is_never) {
        return Fault::Gone;
    }
    let scope = Some(Scope::Model);
    // Of several overrun windows the longest decides.
    let period = error.quotas.iter().filter_map(|quota| quota.period).max();
    let delay = error.retry_delay.filter(|delay| *delay >= LEAST_WAIT);
    let told = delay.map(|delay| later(now, delay)).or(retry);
    match period {
        // The delay named beside a day's quota is the minute window's and would have the route hammered all day.
        Some(Period::Day | Period::Month) => Fault::Spent { until: None, scope, period },
        None if told.is_some_and(|moment| until(now, moment) > LONG_WAIT) => {
            Fault::Spent { until: told, scope, period }
        }
        _ => Fault::Busy { until: told, scope, period },
    }
}

/// Google's error, alone or in a list.
#[derive(Debug, Default)]
struct GoogleError {
    code: Option<u16>,
    /// `INVALID_ARGUMENT`, `RESOURCE_EXHAUSTED`, …
    status: String,
    message: String,
    /// Of `ErrorInfo`.
    reasons: Vec<String>,
    /// Of `QuotaFailure`; of the message where there are no details.
    quotas: Vec<Quota>,
    /// Of `RetryInfo`; of the message where there are no details.
    retry_delay: Option<Duration>,
    /// The first of `BadRequest`.
    field: Option<String>,
}

#[derive(Debug, PartialEq, Eq)]
struct Quota {
    kind: Option<Kind>,
    period: Option<Period>,
    limit: Option<u64>,
}

impl Quota {
    const fn is_never(&self) -> bool {
        matches!(self.limit, Some(0))
    }
}

impl GoogleError {
    fn parse(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let value = value.get(0).unwrap_or(&value);
        let error = value.get("error").filter(|error| !error.is_null())?;
        if let Some(message) = error.as_str() {
            return Some(Self { message: message.to_owned(), ..Self::default() });
        }
        let text = |name: &str| error.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
        let mut parsed = Self {
            code: error.get("code").and_then(Value::as_u64).and_then(|code| code.try_into().ok()),
            status: text("status"),
            message: text("message"),
            ..Self::default()
        };
        for detail in error.get("details").and_then(Value::as_array).into_iter().flatten() {
            parsed.read_detail(detail);
        }
        parsed.read_message();
        Some(parsed)
    }

    fn read_detail(&mut self, detail: &Value) {
        let text = |value: &Value, name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        self.reasons.extend(text(detail, "reason"));
        for violation in detail.get("violations").and_then(Value::as_array).into_iter().flatten() {
            let id = text(violation, "quotaId").unwrap_or_default();
            let metric = text(violation, "quotaMetric").unwrap_or_default();
            let limit = text(violation, "quotaValue").and_then(|value| value.parse().ok());
            let period = period_of_id(&id).or_else(|| period_of_metric(&metric));
            self.quotas.push(Quota { kind: kind_of(&id).or_else(|| kind_of(&metric)), period, limit });
        }
        if let Some(delay) = text(detail, "retryDelay").and_then(|delay| duration(&delay)) {
            self.retry_delay = Some(delay);
        }
        let field = detail.pointer("/fieldViolations/0").and_then(|violation| text(violation, "field"));
        self.field = self.field.take().or(field).filter(|field| !field.is_empty());
    }

    /// Lines such as `* Quota exceeded for metric: …/generate_requests_per_model_per_day, limit: 20, model: …` and
    /// `Please retry in 37.94s.`
    fn read_message(&mut self) {
        for line in self.message.lines() {
            let line = line.trim_start_matches(['*', ' ']);
            if let Some(rest) = line.strip_prefix("Quota exceeded for metric: ") {
                let mut items = rest.split(", ");
                let metric = items.next().unwrap_or_default();
                let limit = items.find_map(|item| item.strip_prefix("limit: ")).and_then(|limit| limit.parse().ok());
                self.quotas.push(Quota { kind: kind_of(metric), period: period_of_metric(metric), limit });
            } else if let Some(rest) = line.strip_prefix("Please retry in ") {
                self.retry_delay = self.retry_delay.or_else(|| duration(rest.trim_end().trim_end_matches('.')));
            }
        }
    }

    /// The status an error has that came inside a success.
    fn http_status(&self) -> Option<u16> {
        let named = match self.status.as_str() {
            "INVALID_ARGUMENT" | "FAILED_PRECONDITION" => Some(400),
            "UNAUTHENTICATED" => Some(401),
            "PERMISSION_DENIED" => Some(403),
            "NOT_FOUND" => Some(404),
            "RESOURCE_EXHAUSTED" => Some(429),
            "CANCELLED" => Some(499),
            "INTERNAL" => Some(500),
            "UNAVAILABLE" => Some(503),
            "DEADLINE_EXCEEDED" => Some(504),
            _ => None,
        };
        self.code.filter(|code| (400..600).contains(code)).or(named)
    }

    /// A 403 with a reason is about the key or its project (`SERVICE_DISABLED`, `CONSUMER_SUSPENDED`, …).
    fn is_about_a_model(&self) -> bool {
        self.reasons.is_empty() && self.message.split([' ', '\'', '"']).any(|word| word.starts_with("models/"))
    }

    fn invalid(&self, status: u16) -> Fault {
        let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        Fault::Invalid {
            status,
            message: given(&self.message).unwrap_or_else(|| "the provider rejected the request".to_owned()),
            param: self.field.clone(),
            code: given(&self.status),
        }
    }
}

/// What a quota counts, by its id or its metric: `GenerateContentInputTokensPerModelPerMinute`, `…free_tier_requests`.
fn kind_of(name: &str) -> Option<Kind> {
    let name = name.to_ascii_lowercase().replace('_', "");
    [("inputtoken", Kind::InputTokens), ("requests", Kind::Requests)]
        .into_iter()
        .find(|(word, _)| name.contains(word))
        .map(|(_, kind)| kind)
}

/// The window in a quota's id: `GenerateRequestsPerDayPerProjectPerModel-FreeTier`.
fn period_of_id(id: &str) -> Option<Period> {
    let words = id.split('-').next().unwrap_or_default().split("Per").skip(1);
    words.filter_map(|word| period_of_word(&word.to_ascii_lowercase())).max()
}

/// The window in a metric's name, where it has one: `…/generate_requests_per_model_per_day`.
fn period_of_metric(metric: &str) -> Option<Period> {
    metric.split("_per_").skip(1).filter_map(period_of_word).max()
}

fn period_of_word(word: &str) -> Option<Period> {
    [Period::Second, Period::Minute, Period::Hour, Period::Day, Period::Month]
        .into_iter()
        .find(|period| period.word() == word)
}

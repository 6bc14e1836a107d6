//! A provider's error, whatever its shape: `error` as object or string, flat, in a list, or in `errors`.

use serde_json::Value;

use crate::chat::{Fault, Period};

/// What an error body says, as far as it can be relied on: codes, and short stable phrases of its message.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refusal {
    pub message: String,
    pub kind: String,
    pub code: String,
    pub param: Option<String>,
    /// Reasons and names of overrun quotas, where the error lists them.
    pub details: Vec<String>,
    /// When the window turns, in milliseconds since the epoch (OpenRouter's `metadata.headers`, 2026-10).
    pub resets_at_ms: Option<i64>,
}

impl Refusal {
    /// `None` where the body holds no error.
    pub fn parse(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let value = value.get(0).unwrap_or(&value);
        let error = value.get("error").filter(|error| !error.is_null());
        let listed = value.pointer("/errors/0").or_else(|| value.get("errors").filter(|errors| errors.is_object()));
        match error.or(listed).unwrap_or(value) {
            Value::String(message) => Some(Self { message: message.clone(), ..Self::default() }),
            object @ Value::Object(_) if error.is_some() || listed.is_some() => Some(Self::of_object(object)),
            object @ Value::Object(_) => {
                let flat = ["message", "detail", "title"].iter().any(|name| object.get(name).is_some());
                (flat && object.get("choices").is_none()).then(|| Self::of_object(object))
            }
            _ => None,
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
        let listed = object.get("details").and_then(Value::as_array).into_iter().flatten().flat_map(detail_words);
        let metadata = object.get("metadata");
        let source =
            metadata.and_then(|metadata| metadata.get("limit_source")).and_then(Value::as_str).map(str::to_owned);
        let flagged = metadata.and_then(|metadata| metadata.get("reasons")).map(|_| "moderation".to_owned());
        let reset = metadata.and_then(|metadata| metadata.pointer("/headers/X-RateLimit-Reset"));
        Self {
            message,
            kind: text("type"),
            code: text("code"),
            param: Some(text("param")).filter(|param| !param.is_empty()),
            details: listed.chain(source).chain(flagged).collect(),
            resets_at_ms: reset.and_then(|reset| reset.as_i64().or_else(|| reset.as_str()?.parse().ok())),
        }
    }

    /// Whether the code, the type or a listed reason is exactly `word`.
    pub fn names(&self, word: &str) -> bool {
        self.code == word || self.kind == word || self.details.iter().any(|detail| detail == word)
    }

    /// The longest window the error names as overrun.
    pub fn period(&self) -> Option<Period> {
        const MARKS: [(Period, &[&str], &str); 4] = [
            (Period::Month, &["per month", "/ month", "monthly included credits"], "PerMonth"),
            (Period::Day, &["per day", "(RPD)", "(TPD)", "(ASD)", "-per-day", "daily free allocation"], "PerDay"),
            (Period::Hour, &["per hour", "/ hour", "(ASH)", "-per-hour"], "PerHour"),
            (
                Period::Minute,
                &["per minute", "/ minute", "(RPM)", "(TPM)", "-per-min", "RPM limit reached", "TPM limit reached"],
                "PerMinute",
            ),
        ];
        let named = |(_, phrases, quota): &(Period, &[&str], &str)| {
            phrases.iter().any(|phrase| self.message.contains(phrase))
                || self.details.iter().any(|detail| detail.contains(quota))
        };
        MARKS.into_iter().find(named).map(|(period, ..)| period)
    }

    /// The wait in "Please try again in 7m12.5s" (Groq, where `retry-after` is missing).
    pub fn wait_in_words(&self) -> Option<std::time::Duration> {
        let words = self.message.split_once("Please try again in ")?.1;
        let end = words.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(words.len());
        crate::quota::signal::duration(words[..end].trim_end_matches('.'))
    }

    /// The caller's own mistake, in the provider's words.
    pub fn into_invalid(self, status: u16) -> Fault {
        let message =
            if self.message.is_empty() { "the provider rejected the request".to_owned() } else { self.message };
        Fault::Invalid { status, message, param: self.param, code: Some(self.code).filter(|code| !code.is_empty()) }
    }
}

fn detail_words(detail: &Value) -> Vec<String> {
    let violations = detail.get("violations").and_then(Value::as_array).into_iter().flatten();
    let quotas = violations.filter_map(|violation| violation.get("quotaId"));
    quotas.chain(detail.get("reason")).filter_map(Value::as_str).map(str::to_owned).collect()
}

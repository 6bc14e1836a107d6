//! Refusals as every provider of this dialect says them: status, error body, and the headers that go with them.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::{seconds_up, until};

use super::limit::{Limit, Unit};
use crate::chat::Period;

/// A failure said with a status of 400 or more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub status: u16,
    pub kind: &'static str,
    pub code: Option<&'static str>,
    pub param: Option<&'static str>,
    pub message: String,
    pub headers: Vec<(&'static str, String)>,
    pub why: Box<Why>,
}

/// What stands behind a refusal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Why {
    pub reason: Reason,
    /// Of the request, where it is known.
    pub model: String,
    /// The body in a provider's own shape.
    pub own_body: Option<Value>,
    /// The request itself was at fault.
    pub rejects: bool,
}

/// Why a call is refused. Personas say the same thing in their own words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reason {
    BadRequest,
    /// The model cannot do what the request needs.
    Lacks(&'static str),
    Denied,
    /// No such model.
    Unknown,
    /// A model that was there and is no more.
    Gone,
    NoSuchPlace,
    WrongMethod,
    /// Tokens the model accepts, and those of the request.
    TooLong {
        context: u64,
        tokens: u64,
    },
    /// More than a whole window of this limit holds.
    TooLarge {
        limit: Limit,
        tokens: u64,
    },
    PaymentRequired,
    Busy {
        retry_after: Option<Duration>,
    },
    UsedUp {
        limit: Limit,
        used: u64,
        requested: u64,
        moment: Timestamp,
        wait: Duration,
    },
    /// Said in the provider's own words already.
    Own,
}

impl Refusal {
    pub(super) fn bad_request(message: impl Into<String>, param: Option<&'static str>) -> Self {
        Self::new(400, "invalid_request_error", None, message.into()).about(param)
    }

    pub(super) fn lacks(model: &str, feature: &'static str, param: &'static str) -> Self {
        let message = format!("`{feature}` is not supported with this model: {model}");
        Self::bad_request(message, Some(param)).because(Reason::Lacks(feature)).of(model)
    }

    /// A refusal in a provider's own words.
    pub(super) fn own(status: u16, message: impl Into<String>, body: Value) -> Self {
        let refusal = Self::new(status, "invalid_request_error", None, message.into());
        refusal.because(Reason::Own).said(status, body)
    }

    pub(super) fn denied() -> Self {
        let message = "Incorrect API key provided. This simulated provider has another one.".to_owned();
        Self::new(401, "invalid_request_error", Some("invalid_api_key"), message).because(Reason::Denied)
    }

    pub(super) fn gone(model: &str) -> Self {
        let message = format!("The model `{model}` does not exist or you do not have access to it.");
        let refusal = Self::new(404, "invalid_request_error", Some("model_not_found"), message).about(Some("model"));
        refusal.because(Reason::Gone).of(model)
    }

    pub(super) fn unknown(model: &str) -> Self {
        Self::gone(model).because(Reason::Unknown)
    }

    pub(super) fn no_such_place(path: &str) -> Self {
        Self::new(404, "invalid_request_error", Some("unknown_url"), format!("Unknown request URL: {path}."))
            .because(Reason::NoSuchPlace)
    }

    pub(super) fn wrong_method() -> Self {
        Self::new(
            405,
            "invalid_request_error",
            Some("method_not_supported"),
            "Not allowed with this method.".to_owned(),
        )
        .because(Reason::WrongMethod)
    }

    pub(super) fn too_long(context: u64, tokens: u64) -> Self {
        let message = format!(
            "This model's maximum context length is {context} tokens. However, your messages resulted in {tokens} tokens. Please reduce the length of the messages."
        );
        let refusal = Self::new(400, "invalid_request_error", Some("context_length_exceeded"), message);
        refusal.about(Some("messages")).because(Reason::TooLong { context, tokens })
    }

    /// Groq's answer to a request larger than a whole window: its `retry-after` can never help (PROVIDERS.md, 2026-10).
    pub(super) fn too_large(model: &str, limit: &Limit, tokens: u64) -> Self {
        let message = format!(
            "Request too large for model `{model}` on {}: Limit {}, Requested {tokens}, please reduce your message size and try again.",
            label(limit),
            limit.amount
        );
        let refusal = Self::new(413, kind(limit), Some("rate_limit_exceeded"), message);
        let reason = Reason::TooLarge { limit: limit.clone(), tokens };
        refusal.with("retry-after", "65".to_owned()).because(reason).of(model)
    }

    pub(super) fn payment_required() -> Self {
        Self::new(402, "billing_error", Some("insufficient_balance"), "Insufficient balance.".to_owned())
            .because(Reason::PaymentRequired)
    }

    pub(super) fn busy(model: &str, retry_after: Option<Duration>) -> Self {
        let refusal = Self::new(
            429,
            "requests",
            Some("rate_limit_exceeded"),
            format!("Rate limit reached for model `{model}` on requests per minute (RPM)."),
        )
        .because(Reason::Busy { retry_after })
        .of(model);
        match retry_after {
            None => refusal,
            Some(wait) if wait.subsec_nanos() == 0 => refusal.with("retry-after", wait.as_secs().to_string()),
            Some(wait) => refusal.with("retry-after", format!("{:.3}", wait.as_secs_f64())),
        }
    }

    /// A limit is used up until `moment`. A day or a month is `insufficient_quota`, unless the provider speaks as Groq does.
    pub(super) fn used_up(
        model: &str,
        limit: &Limit,
        used: u64,
        requested: u64,
        moment: Timestamp,
        now: Timestamp,
        as_groq: bool,
    ) -> Self {
        let wait = until(now, moment);
        let seconds = seconds_up(wait).max(1).to_string();
        let message = format!(
            "Rate limit reached for model `{model}` on {}: Limit {}, Used {used}, Requested {requested}. Please try again in {}.",
            label(limit),
            limit.amount,
            go_duration(wait)
        );
        let reason = Reason::UsedUp { limit: limit.clone(), used, requested, moment, wait };
        if limit.period < Period::Day || as_groq {
            let refusal = Self::new(429, kind(limit), Some("rate_limit_exceeded"), message);
            return refusal.with("retry-after", seconds).because(reason).of(model);
        }
        let message = format!(
            "You exceeded your current quota of {} {} per {}; it resets at {moment:.0}.",
            limit.amount,
            kind(limit),
            limit.period.word()
        );
        let refusal = Self::new(429, "insufficient_quota", Some("insufficient_quota"), message);
        refusal.with("retry-after", seconds).because(reason).of(model)
    }

    /// The body: an object with `error`, if no provider has its own.
    pub(super) fn body(&self) -> Value {
        if let Some(body) = &self.why.own_body {
            return body.clone();
        }
        json!({"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}})
    }

    fn new(status: u16, kind: &'static str, code: Option<&'static str>, message: String) -> Self {
        Self {
            status,
            kind,
            code,
            param: None,
            message,
            headers: Vec::new(),
            why: Box::new(Why { reason: Reason::BadRequest, model: String::new(), own_body: None, rejects: false }),
        }
    }

    /// The same refusal with another status and body.
    pub(super) fn said(mut self, status: u16, body: Value) -> Self {
        self.status = status;
        self.why.own_body = Some(body);
        self
    }

    /// The request is what was wrong.
    pub(super) fn rejecting(mut self) -> Self {
        self.why.rejects = true;
        self
    }

    pub(super) fn of(mut self, model: &str) -> Self {
        model.clone_into(&mut self.why.model);
        self
    }

    pub(super) fn without(mut self, header: &str) -> Self {
        self.headers.retain(|(name, _)| *name != header);
        self
    }

    pub(super) fn with(mut self, header: &'static str, value: String) -> Self {
        self.headers.push((header, value));
        self
    }

    fn because(mut self, reason: Reason) -> Self {
        self.why.reason = reason;
        self
    }

    fn about(mut self, param: Option<&'static str>) -> Self {
        self.param = param;
        self
    }
}

/// A duration as Go prints it: `194ms`, `1.57s`, `2m52.8s`, `7h12m3s`.
pub(super) fn go_duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    if millis < 1_000 {
        return format!("{millis}ms");
    }
    let (minutes, millis) = (millis / 60_000, millis % 60_000);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    let fraction = format!("{:03}", millis % 1_000);
    let fraction = fraction.trim_end_matches('0');
    let dot = if fraction.is_empty() { "" } else { "." };
    let seconds = format!("{}{dot}{fraction}s", millis / 1_000);
    match (hours, minutes) {
        (0, 0) => seconds,
        (0, _) => format!("{minutes}m{seconds}"),
        _ => format!("{hours}h{minutes}m{seconds}"),
    }
}

/// `requests per minute (RPM)` and the like.
pub(super) fn label(limit: &Limit) -> String {
    let words = match limit.unit {
        Unit::Requests => "requests",
        Unit::InputTokens => "input tokens",
        Unit::Tokens => "tokens",
    };
    let initial = |text: &str| text.chars().next().map_or(' ', |first| first.to_ascii_uppercase());
    format!("{words} per {} ({}P{})", limit.period.word(), initial(kind(limit)), initial(limit.period.word()))
}

pub(super) const fn kind(limit: &Limit) -> &'static str {
    match limit.unit {
        Unit::Requests => "requests",
        Unit::InputTokens | Unit::Tokens => "tokens",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sim::limit::turn_after;

    #[test]
    fn durations_print_as_go_prints_them() {
        for (millis, text) in [
            (194, "194ms"),
            (6_000, "6s"),
            (1_570, "1.57s"),
            (172_800, "2m52.8s"),
            (25_923_000, "7h12m3s"),
            (3_600_000, "1h0m0s"),
        ] {
            assert_eq!(go_duration(Duration::from_millis(millis)), text);
        }
    }

    #[test]
    fn a_used_up_limit_says_which_and_until_when() {
        let now: Timestamp = "2026-10-09T22:00:00.5Z".parse().expect("a time");
        let limit = Limit::requests(20, Period::Day);
        let refusal = Refusal::used_up("m", &limit, 20, 1, turn_after(Period::Day, now), now, false);
        assert_eq!(
            (refusal.code, refusal.headers),
            (Some("insufficient_quota"), vec![("retry-after", "7200".to_owned())])
        );
        assert!(refusal.message.ends_with("resets at 2026-10-10T00:00:00Z."), "{}", refusal.message);
        let refusal = Refusal::used_up("m", &limit, 20, 1, turn_after(Period::Day, now), now, true);
        assert!(
            refusal
                .message
                .contains("on requests per day (RPD): Limit 20, Used 20, Requested 1. Please try again in 1h59m59.5s."),
            "{}",
            refusal.message
        );
    }
}

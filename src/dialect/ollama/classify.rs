//! What a refusal means: by status and the server's exact phrases; what is not this server's own, as OpenAI's dialect has it.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use crate::chat::{Breakage, Fault, Period, Scope, Unfit};
use crate::clock::{later, until};
use crate::dialect::openai;
use crate::quota::signal::retry_after;

/// The cloud service's session window; a refusal does not say when it began (2026-10).
const SESSION: Duration = Duration::from_hours(5);

/// A wait shorter than this beside a usage limit is not that limit's.
const LEAST_LONG_WAIT: Duration = Duration::from_mins(1);

/// Usage limits of the cloud service by the word in their text.
const USAGE_LIMITS: [(&str, Usage); 4] = [
    ("reached your hourly usage limit", Usage::Hourly),
    ("reached your session usage limit", Usage::Session),
    ("reached your weekly usage limit", Usage::Weekly),
    ("reached your monthly usage limit", Usage::Monthly),
];

#[derive(Debug, Clone, Copy)]
enum Usage {
    Hourly,
    Session,
    Weekly,
    Monthly,
}

/// The meaning of a response that is no success.
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Fault {
    Refusal::parse(body)
        .and_then(|refusal| refusal.own_fault(Some(status), retry_after(headers, now), now))
        .unwrap_or_else(|| openai::classify(status, headers, body, now))
}

/// The meaning of an error object inside a success, which has no status but the one it may name itself.
pub fn in_band(body: &[u8], now: Timestamp) -> Fault {
    let in_band = Fault::Broken(Breakage::InBand);
    let Some(refusal) = Refusal::parse(body) else { return in_band };
    let named = |status| match openai::classify(status, &HeaderMap::new(), body, now) {
        // A server that took the request and then calls it wrong has failed; the caller has not.
        Fault::Invalid { .. } => None,
        fault => Some(fault),
    };
    refusal.own_fault(None, None, now).or_else(|| named(refusal.status?)).unwrap_or(in_band)
}

/// An error: a text, sometimes the JSON of the model runner's own error in that text (0.34 and later), or an object.
#[derive(Debug, Default)]
struct Refusal {
    message: String,
    kind: String,
    status: Option<u16>,
}

impl Refusal {
    fn parse(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let status = value.get("status").and_then(Value::as_u64).and_then(|status| u16::try_from(status).ok());
        let status = status.filter(|status| (400..600).contains(status));
        let error = value.get("error")?;
        let inner = error.as_str().and_then(|text| serde_json::from_str::<Value>(text).ok());
        let inner = inner.as_ref().and_then(|inner| inner.get("error"));
        let refusal = match inner.unwrap_or(error) {
            Value::String(message) => Self { message: message.clone(), ..Self::default() },
            object => {
                let text = |name| object.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
                Self { message: text("message"), kind: text("type"), ..Self::default() }
            }
        };
        Some(Self { status, ..refusal })
    }

    /// The fault, where the words are this server's own. Without a status the words have to do.
    fn own_fault(&self, status: Option<u16>, retry: Option<Timestamp>, now: Timestamp) -> Option<Fault> {
        let may_be = |expected: u16| status.is_none_or(|status| status == expected);
        match () {
            () if may_be(404) && self.says_model_missing() => Some(Fault::Gone),
            () if may_be(403) && self.message.starts_with("this model requires a subscription") => Some(Fault::Gone),
            () if may_be(400) && self.says_too_long() => Some(Fault::Unfit(Unfit::TooLarge)),
            () if may_be(503) && self.message.starts_with("server busy, please try again") => {
                Some(Fault::Busy { until: retry, scope: None, period: None })
            }
            () if may_be(429) => self.usage_limit().map(|usage| usage.spent(retry, now)),
            () => None,
        }
        .or_else(|| may_be(400).then(|| self.incapable()).flatten())
    }

    fn says_model_missing(&self) -> bool {
        let ends = ["' not found", "\" not found", "\" not found, try pulling it first"];
        self.message.starts_with("model ") && ends.iter().any(|end| self.message.ends_with(end))
    }

    /// Refused because of `truncate: false`: 0.12.6's words, and the model runner's type since 0.34.
    fn says_too_long(&self) -> bool {
        self.kind == "exceed_context_size_error" || self.message == "the input length exceeds the context length"
    }

    fn usage_limit(&self) -> Option<Usage> {
        USAGE_LIMITS.iter().find(|(phrase, _)| self.message.contains(phrase)).map(|(_, usage)| *usage)
    }

    /// `NAME does not support tools`, or several such words, one a line.
    fn incapable(&self) -> Option<Fault> {
        if self.message == "Multimodal data provided, but model does not support multimodal requests." {
            return Some(Fault::Unfit(Unfit::Lacks("vision")));
        }
        let (_, words) = self.message.rsplit_once(" does not support ")?;
        let faults: Option<Vec<Fault>> = words.lines().map(lacking).collect();
        faults?.into_iter().next()
    }
}

fn lacking(capability: &str) -> Option<Fault> {
    match capability {
        "tools" => Some(Fault::Unfit(Unfit::Lacks("tools"))),
        "vision" => Some(Fault::Unfit(Unfit::Lacks("vision"))),
        "thinking" => Some(Fault::Unfit(Unfit::Lacks("reasoning"))),
        // A model that makes embeddings answers nobody.
        "chat" | "completion" => Some(Fault::Gone),
        _ => None,
    }
}

impl Usage {
    /// The account rests: these limits count all models together. A moment the service names comes first. Weekly and
    /// monthly limits end at moments nobody tells; asking once a day (the rest without a moment) costs one refusal.
    fn spent(self, retry: Option<Timestamp>, now: Timestamp) -> Fault {
        let named = retry.filter(|moment| until(now, *moment) >= LEAST_LONG_WAIT);
        let (guess, period) = match self {
            Self::Hourly => (Some(Duration::from_hours(1)), Some(Period::Hour)),
            Self::Session => (Some(SESSION), None),
            Self::Weekly => (None, None),
            Self::Monthly => (None, Some(Period::Month)),
        };
        let until = named.or_else(|| guess.map(|wait| later(now, wait)));
        Fault::Spent { until, scope: Some(Scope::Key), period }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(status: u16, body: &str) -> Fault {
        classify(status, &HeaderMap::new(), body.as_bytes(), Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn refusals_are_told_apart_by_status_and_exact_phrase() {
        let runner = |message: &str, kind: &str| {
            let inner = serde_json::json!({ "error": { "code": 400, "message": message, "type": kind } });
            serde_json::json!({ "error": inner.to_string() }).to_string()
        };
        let too_long = runner(
            "request (2622 tokens) exceeds the available context size (512 tokens), try increasing it",
            "exceed_context_size_error",
        );
        let no_images = runner(
            "Multimodal data provided, but model does not support multimodal requests.",
            "invalid_request_error",
        );
        let cases = [
            (404, r#"{"error":"model 'x' not found"}"#, "gone"),
            (404, r#"{"error":"model \"x\" not found, try pulling it first"}"#, "gone"),
            (404, "404 page not found", "gone"),
            (400, r#"{"error":"registry.ollama.ai/library/gemma3:4b does not support tools"}"#, "no-tools"),
            (400, r#"{"error":"registry.ollama.ai/library/x:latest does not support vision"}"#, "no-vision"),
            (400, r#"{"error":"\"x\" does not support tools\nthinking"}"#, "no-tools"),
            (400, r#"{"error":"\"llama3.2\" does not support thinking"}"#, "no-reasoning"),
            (400, r#"{"error":"\"nomic-embed-text\" does not support chat"}"#, "gone"),
            (400, no_images.as_str(), "no-vision"),
            (400, too_long.as_str(), "too-large"),
            (400, r#"{"error":"the input length exceeds the context length"}"#, "too-large"),
            (400, r#"{"error":"illegal base64 data at input byte 0"}"#, "400"),
            (400, r#"{"error":"the schema does not support tools of that kind"}"#, "400"),
            (503, r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#, "busy"),
            (503, r#"{"error":"loading"}"#, "503"),
            (500, r#"{"error":"model requires more system memory (8.0 GiB) than is available (4.0 GiB)"}"#, "500"),
            (500, r#"{"error":"model 'x' not found"}"#, "500"),
            (401, r#"{"error":"unauthorized"}"#, "denied"),
            (
                403,
                r#"{"error":"this model requires a subscription, upgrade for access: https://ollama.com/upgrade (ref: 1)"}"#,
                "gone",
            ),
            (403, r#"{"error":"forbidden"}"#, "denied"),
            (
                429,
                r#"{"error":"you (ann) have reached your session usage limit, upgrade for higher limits: x"}"#,
                "spent",
            ),
            (
                429,
                r#"{"error":"you (ann) have reached your weekly usage limit, upgrade for higher limits: x"}"#,
                "spent",
            ),
            (429, r#"{"error":"you (ann) have reached your hourly usage limit"}"#, "429-hour"),
            (429, r#"{"error":"you (ann) have reached your monthly usage limit"}"#, "429-month"),
            (429, r#"{"error":"too many concurrent requests"}"#, "busy"),
            (400, r#"{"error":"you have reached your session usage limit"}"#, "400"),
            (502, "<html>", "502"),
        ];
        for (status, body, word) in cases {
            assert_eq!(fault(status, body).word(), word, "{status} {body}");
        }
    }

    #[test]
    fn usage_limits_rest_the_account_as_long_as_they_say() {
        let body = |which: &str| format!(r#"{{"error":"you (ann) have reached your {which} usage limit"}}"#);
        let spent = |wait: Option<u64>, period| Fault::Spent {
            until: wait.map(|wait| later(Timestamp::UNIX_EPOCH, Duration::from_secs(wait))),
            scope: Some(Scope::Key),
            period,
        };
        assert_eq!(fault(429, &body("session")), spent(Some(18_000), None));
        assert_eq!(fault(429, &body("weekly")), spent(None, None));
        assert_eq!(fault(429, &body("monthly")), spent(None, Some(Period::Month)));
        let named = |seconds: &'static str| {
            let headers = HeaderMap::from_iter([(http::header::RETRY_AFTER, http::HeaderValue::from_static(seconds))]);
            classify(429, &headers, body("session").as_bytes(), Timestamp::UNIX_EPOCH)
        };
        assert_eq!((named("900"), named("2")), (spent(Some(900), None), spent(Some(18_000), None)));
    }

    #[test]
    fn errors_inside_a_success_go_by_their_words_or_the_status_they_name() {
        let word = |body: &str| in_band(body.as_bytes(), Timestamp::UNIX_EPOCH).word();
        assert_eq!(word(r#"{"error":"server busy, please try again.  maximum pending requests exceeded"}"#), "busy");
        assert_eq!(word(r#"{"error":"model 'x' not found"}"#), "gone");
        assert_eq!(word(r#"{"error":"an error was encountered while running the model: busy"}"#), "error-in-200");
        assert_eq!(word(r#"{"error":"unauthorized","status":401}"#), "denied");
        assert_eq!(word(r#"{"error":"bad","status":400}"#), "error-in-200");
        assert_eq!(word(r#"{"error":{"message":"x"}}"#), "error-in-200");
    }
}

//! A provider's error, whatever its shape: `error` as object or string, flat, in a list, or in `errors`.

use std::time::Duration;

use serde_json::Value;

use crate::chat::{Fault, Period, Unfit};
use crate::quota::{Fact, Kind, signal};

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
    /// What the window allows (from the same place).
    pub requests_limit: Option<u64>,
}

/// What stands before a context's number in refusals, and whether it says so without a second number. OpenAI, vLLM and
/// OpenRouter; Cerebras; GitHub Models; Mistral; Cloudflare; Anthropic; Cohere; Hugging Face's TGI; llama.cpp (2026-08 to 2026-10).
const CONTEXTS: [(&str, bool); 9] = [
    ("context length is ", false),
    ("while limit is ", false),
    ("Max size: ", true),
    ("too large for model with ", true),
    ("context window limit (", true),
    (" tokens > ", false),
    ("in the prompt cannot exceed ", false),
    ("max_new_tokens must be <= ", true),
    ("available context size (", true),
];

/// The limits a refusal names as overrun.
pub fn facts(body: &[u8]) -> Vec<Fact> {
    Refusal::parse(body).and_then(|refusal| refusal.limit()).into_iter().collect()
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
            _ => String::new(),
        };
        let told = ["message", "detail", "title"].into_iter().filter_map(|name| object.get(name));
        let message = told.map(words).find(|words| !words.is_empty()).unwrap_or_default();
        let listed = object.get("details").and_then(Value::as_array).into_iter().flatten().flat_map(detail_words);
        let metadata = object.get("metadata");
        // Its first word is whose limit it is, the rest which one.
        let source = metadata.and_then(|metadata| metadata.get("limit_source")).and_then(Value::as_str);
        let source = source.and_then(|source| source.split_once('_')).map(|(_, which)| which.to_owned());
        let flagged = metadata.and_then(|metadata| metadata.get("reasons")).map(|_| "moderation".to_owned());
        let number = |name: &str| {
            let value = metadata?.get("headers")?.get(name)?;
            value.as_i64().or_else(|| value.as_str()?.parse().ok())
        };
        Self {
            message,
            kind: text("type"),
            code: text("code"),
            param: Some(text("param")).filter(|param| !param.is_empty()).or_else(|| place(object)),
            details: listed.chain(source).chain(flagged).collect(),
            resets_at_ms: number("X-RateLimit-Reset"),
            requests_limit: number("X-RateLimit-Limit").and_then(|limit| limit.try_into().ok()),
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

    /// The context that a refusal of a long request names, and what the request needed; that is 0 where the provider does not say.
    ///
    /// A number counts as the context only behind words that say so, and only where a larger one says what was asked of it, or
    /// where the words leave no doubt.
    pub fn too_long(&self) -> Unfit {
        let plain = self.message.replace([',', '`'], "");
        let behind = |(words, is_certain): &(&str, bool)| {
            let digits = plain.split_once(words)?.1.split(|c: char| !c.is_ascii_digit()).next()?;
            Some((digits.parse::<u64>().ok()?, *is_certain))
        };
        let Some((context, is_certain)) = CONTEXTS.iter().find_map(behind) else { return Unfit::TooLarge };
        // Digits within a model's name are no number of tokens.
        let words = plain.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ';' | '=' | '<' | '>'));
        let numbers = words.filter_map(|word| word.trim_end_matches(['.', ':', '!']).parse::<u64>().ok());
        match numbers.filter(|number| *number > context).max() {
            Some(needed) => Unfit::ContextTooLong { needed, context },
            None if is_certain => Unfit::ContextTooLong { needed: 0, context },
            None => Unfit::TooLarge,
        }
    }

    /// The limit named as overrun: in words such as "on tokens per minute (TPM): Limit 8000, Used 2591" (Groq), or as a header
    /// kept in the body (OpenRouter).
    fn limit(&self) -> Option<Fact> {
        const MARKS: [(&str, Kind, Period); 6] = [
            ("(RPM): Limit ", Kind::Requests, Period::Minute),
            ("(RPH): Limit ", Kind::Requests, Period::Hour),
            ("(RPD): Limit ", Kind::Requests, Period::Day),
            ("(TPM): Limit ", Kind::Tokens, Period::Minute),
            ("(TPH): Limit ", Kind::Tokens, Period::Hour),
            ("(TPD): Limit ", Kind::Tokens, Period::Day),
        ];
        if let Some(limit) = self.requests_limit {
            return Fact::of_refusal(Kind::Requests, self.period()?, limit);
        }
        let (mark, kind, period) = MARKS.into_iter().find(|(mark, ..)| self.message.contains(mark))?;
        let words = self.message.split_once(mark)?.1;
        let digits = words.split(|c: char| !c.is_ascii_digit()).next()?;
        Fact::of_refusal(kind, period, digits.parse().ok()?)
    }

    /// The wait in "Please try again in 7m12.5s" (Groq, where `retry-after` is missing).
    pub fn wait_in_words(&self) -> Option<Duration> {
        let words = self.message.split_once("Please try again in ")?.1;
        let end = words.find(|c: char| !c.is_ascii_alphanumeric() && c != '.').unwrap_or(words.len());
        signal::duration(words[..end].trim_end_matches('.')).filter(|wait| *wait >= signal::LEAST_WAIT)
    }

    /// The caller's own mistake, in the provider's words.
    pub fn into_invalid(self, status: u16) -> Fault {
        let message =
            if self.message.is_empty() { "the provider rejected the request".to_owned() } else { self.message };
        Fault::Invalid { status, message, param: self.param, code: Some(self.code).filter(|code| !code.is_empty()) }
    }
}

/// What an error says, and nothing of what it repeats: `FastAPI` puts the input, perhaps the whole prompt, beside each mistake.
fn words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Array(items) => {
            let all: Vec<String> = items.iter().map(words).filter(|words| !words.is_empty()).collect();
            all.join("; ")
        }
        Value::Object(object) => {
            let said = ["msg", "message", "detail"].into_iter().find_map(|name| object.get(name)).map(words);
            match (object.get("loc").and_then(location), said) {
                (Some(place), Some(said)) => format!("{place}: {said}"),
                (_, said) => said.unwrap_or_default(),
            }
        }
        Value::Null | Value::Bool(_) => String::new(),
    }
}

/// `["body", "messages", 0, "content"]` as `messages.0.content`.
fn location(loc: &Value) -> Option<String> {
    let names = loc.as_array()?.iter().filter(|name| name.as_str() != Some("body")).map(words);
    Some(names.collect::<Vec<_>>().join(".")).filter(|place| !place.is_empty())
}

/// Where the first of the mistakes is that an error lists.
fn place(object: &Value) -> Option<String> {
    let detail = object.get("detail").or_else(|| object.get("message")?.get("detail"))?;
    detail.get(0)?.get("loc").and_then(location)
}

fn detail_words(detail: &Value) -> Vec<String> {
    let violations = detail.get("violations").and_then(Value::as_array).into_iter().flatten();
    let quotas = violations.filter_map(|violation| violation.get("quotaId"));
    quotas.chain(detail.get("reason")).filter_map(Value::as_str).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_error_repeats_of_the_request_is_left_out() {
        let listed = serde_json::json!([{ "type": "missing", "loc": ["body", "messages", 0, "content"], "msg": "Field required", "input": "the prompt" },
            { "loc": ["header", "authorization"], "msg": "wrong", "input": "Bearer key" }]);
        let said = "messages.0.content: Field required; header.authorization: wrong";
        for body in [
            serde_json::json!({ "detail": listed }),
            serde_json::json!({ "object": "error", "message": { "detail": listed } }),
        ] {
            let refusal = Refusal::parse(body.to_string().as_bytes()).expect("an error");
            assert_eq!((refusal.message.as_str(), refusal.param.as_deref()), (said, Some("messages.0.content")));
        }
        let unknown =
            Refusal::parse(br#"{"error":{"message":{"input":"the prompt"},"code":{"a":1}}}"#).expect("an error");
        assert_eq!((unknown.message.as_str(), unknown.code.as_str()), ("", ""));
    }

    #[test]
    fn limits_in_refusals_are_read_where_kind_and_period_are_told() {
        let told = |body: &str| facts(body.as_bytes()).iter().map(|fact| (fact.kind, fact.period, fact.limit)).next();
        let message = |text: &str| serde_json::json!({ "error": { "message": text } }).to_string();
        let kept = |limit: &str| {
            serde_json::json!({ "error": { "code": 429, "message": "Rate limit exceeded: free-models-per-day. Add credits.",
                "metadata": { "headers": { "X-RateLimit-Limit": limit, "X-RateLimit-Remaining": "0" } } } })
            .to_string()
        };
        let minute =
            "Rate limit reached for model `m` on tokens per minute (TPM): Limit 8000, Used 2591, Requested 5863.";
        let large =
            "Request too large for model `m` on tokens per minute (TPM): Limit 6000, Requested 11088, please reduce.";
        let day = "Rate limit reached for model `m` on requests per day (RPD): Limit 1000, Used 1000, Requested 1.";
        let cases = [
            (message(minute), Some((Kind::Tokens, Period::Minute, Some(8_000)))),
            (message(large), Some((Kind::Tokens, Period::Minute, Some(6_000)))),
            (message(day), Some((Kind::Requests, Period::Day, Some(1_000)))),
            (kept("50"), Some((Kind::Requests, Period::Day, Some(50)))),
            (kept("0"), None),
            (kept("many"), None),
            (message("Limit 5 reached"), None),
            (message("(TPM): Limit none"), None),
            ("no JSON".to_owned(), None),
        ];
        for (body, expected) in cases {
            assert_eq!(told(&body), expected, "{body}");
        }
    }
}

//! What a refusal means: by its code, then by its status, then by a short stable phrase together with its status.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;

use crate::chat::{Breakage, Fault, Period, Scope, Unfit};
use crate::clock::{later, until};
use crate::quota::signal;

use super::super::{front, place};
use super::refusal::Refusal;

/// A wait longer than this is a long window's, whatever the provider calls it.
const LONG_WAIT: Duration = Duration::from_hours(1);

/// Beside a long window a header's wait that is shorter than this is the minute window's, and would have the route hammered all day.
const LEAST_LONG_WAIT: Duration = Duration::from_mins(1);

/// What a code can mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Meaning {
    KeyRejected,
    /// The model is not to be had here, at least not with this account.
    NotOffered,
    TooLong,
    Busy(Scope),
    /// The model is answering as many requests as it may at a time: there is room when one of them ends.
    Crowded,
    /// A long window is used up.
    Spent(Scope, Option<Period>),
    /// None of the model's hosts does what this request asks for.
    Lacks(&'static str),
    /// The model or its host failed at a task it took.
    Failed,
    CallersMistake,
}

use Meaning::{Busy, CallersMistake, Crowded, Failed, KeyRejected, Lacks, NotOffered, Spent, TooLong};

/// Codes, types and reasons with one meaning wherever they occur. The numbers are Mistral's, Cloudflare's and Z.ai's; none
/// of them is used twice. Collected from the providers' documents and published measurements, 2026-08 to 2026-10.
const CODES: [(&str, Meaning); 73] = [
    ("invalid_api_key", KeyRejected),
    ("wrong_api_key", KeyRejected),
    ("API_KEY_INVALID", KeyRejected),
    ("authentication_error", KeyRejected),
    ("UNAUTHORIZED", KeyRejected),
    ("1000", KeyRejected),
    ("1001", KeyRejected),
    ("1002", KeyRejected),
    ("1003", KeyRejected),
    ("1004", KeyRejected),
    ("10000", KeyRejected),
    // A wrong account id.
    ("7000", KeyRejected),
    ("7003", KeyRejected),
    ("model_not_found", NotOffered),
    ("model_archived", NotOffered),
    ("model_decommissioned", NotOffered),
    ("model_not_supported", NotOffered),
    ("model_unavailable", NotOffered),
    ("model_permission_blocked_org", NotOffered),
    ("model_permission_blocked_project", NotOffered),
    ("invalid_model", NotOffered),
    ("ModelNotOpen", NotOffered),
    ("InvalidEndpointOrModel.NotFound", NotOffered),
    ("github_models_retirement_brownout", NotOffered),
    // The free allowance of this one model is over for good.
    ("AllocationQuota.FreeTierOnly", NotOffered),
    ("1113", NotOffered),
    ("1211", NotOffered),
    ("1214", NotOffered),
    ("1309", NotOffered),
    ("1311", NotOffered),
    ("1314", NotOffered),
    ("1500", NotOffered),
    ("1913", NotOffered),
    ("3023", NotOffered),
    ("3041", NotOffered),
    ("3042", NotOffered),
    ("5007", NotOffered),
    ("5016", NotOffered),
    ("5018", NotOffered),
    ("context_length_exceeded", TooLong),
    ("tokens_limit_reached", TooLong),
    ("string_above_max_length", TooLong),
    ("1261", TooLong),
    ("3003", TooLong),
    ("3006", TooLong),
    ("queue_exceeded", Busy(Scope::Model)),
    ("capacity_exceeded", Busy(Scope::Model)),
    ("service_tier_capacity_exceeded", Busy(Scope::Model)),
    ("provider_shared_pool", Busy(Scope::Model)),
    ("ServerOverloaded", Busy(Scope::Model)),
    ("1302", Crowded),
    ("1303", Busy(Scope::Key)),
    ("1305", Busy(Scope::Model)),
    ("3040", Busy(Scope::Model)),
    ("3505", Busy(Scope::Model)),
    ("free_tier_daily", Spent(Scope::Key, Some(Period::Day))),
    ("credits", Spent(Scope::Key, None)),
    ("Arrearage", Spent(Scope::Key, None)),
    ("AccountOverdueError", Spent(Scope::Key, None)),
    ("SetLimitExceeded", Spent(Scope::Model, None)),
    ("QuotaExceeded", Spent(Scope::Model, None)),
    ("1304", Spent(Scope::Key, Some(Period::Day))),
    ("1308", Spent(Scope::Key, None)),
    ("1310", Spent(Scope::Key, None)),
    ("3036", Spent(Scope::Key, Some(Period::Day))),
    ("4006", Spent(Scope::Key, Some(Period::Day))),
    ("tool_use_failed", Failed),
    ("json_validate_failed", Failed),
    ("3007", Failed),
    ("3008", Failed),
    ("moderation", CallersMistake),
    ("content_filter", CallersMistake),
    ("content_policy_violation", CallersMistake),
];

/// Phrases where a provider has no code: they count only with their status, and no ordinary message holds them by chance.
const PHRASES: [(u16, &str, Meaning); 34] = [
    (400, "maximum context length", TooLong),
    (400, "context window", TooLong),
    (400, "prompt is too long", TooLong),
    (400, "input token count", TooLong),
    (400, "reduce the length", TooLong),
    (400, "exceeds max length", TooLong),
    // Cohere, vLLM, SGLang, llama.cpp, Hugging Face's TGI, SiliconFlow, DashScope, in this order.
    (400, "too many tokens: total number of tokens in the prompt", TooLong),
    (400, "longer than the maximum model length", TooLong),
    (400, "longer than the model's context length", TooLong),
    (400, "available context size", TooLong),
    (400, "`inputs` tokens + `max_new_tokens` must be", TooLong),
    (400, "must be less than max_seq_len", TooLong),
    (400, "Range of input length should be", TooLong),
    (400, "is not a valid model ID", NotOffered),
    (400, "DEGRADED function cannot be invoked", Failed),
    (400, "Invalid model:", NotOffered),
    // OpenRouter, of a model whose hosts are many: with other features, or other settings of privacy, one of them may answer.
    (404, "No endpoints found that support tool", Lacks("tools")),
    (404, "No endpoints found that support image", Lacks("vision")),
    (404, "No endpoints found that support input audio", Lacks("audio")),
    (404, "No endpoints found that can handle the requested parameters", Lacks("parameters")),
    (403, "this model requires a subscription", NotOffered),
    (403, "Free tier does not support this model", NotOffered),
    // Hugging Face, of a model whose owner admits users one by one.
    (403, "Access to model", NotOffered),
    (403, "was flagged", CallersMistake),
    (403, "content policy", CallersMistake),
    (422, "maximum context length", TooLong),
    (429, "insufficient balance (1008)", NotOffered),
    (429, "4006: you have used up your daily free allocation", Spent(Scope::Key, Some(Period::Day))),
    (429, "free-models-per-day", Spent(Scope::Key, Some(Period::Day))),
    (429, "free-models-per-min", Busy(Scope::Key)),
    (429, "session usage limit", Spent(Scope::Key, None)),
    (429, "weekly usage limit", Spent(Scope::Key, None)),
    (429, "Free usage exceeded", Spent(Scope::Key, None)),
    (429, "API calls / month", Spent(Scope::Key, Some(Period::Month))),
];

/// The meaning of a response that is no success.
pub fn classify(status: u16, headers: &HeaderMap, body: &[u8], now: Timestamp) -> Fault {
    let refusal = Refusal::parse(body).unwrap_or_else(|| Refusal { message: plain_text(body), ..Refusal::default() });
    // A plan without this model says so by a limit of nothing (Mistral since 2026-09-29).
    if status == 429 && signal::allows_nothing(headers) {
        return Fault::Gone;
    }
    let wait = Wait::of(signal::retry_after(headers, now), &refusal, now);
    fault_of(status, refusal, wait, now)
}

/// When a refusal says that it may be tried again.
#[derive(Debug, Clone, Copy)]
struct Wait {
    moment: Option<Timestamp>,
    /// It says so itself, of the very limit that it names.
    is_in_words: bool,
}

impl Wait {
    /// `told` by its headers, else by its words or its details.
    fn of(told: Option<Timestamp>, refusal: &Refusal, now: Timestamp) -> Self {
        let words = refusal.wait_in_words().map(|wait| later(now, wait));
        let reset = || Timestamp::from_millisecond(refusal.resets_at_ms?).ok().filter(|moment| *moment > now);
        Self { moment: told.or(words).or_else(reset), is_in_words: words.is_some() }
    }

    /// The wait for a long window.
    fn long(self, now: Timestamp) -> Option<Timestamp> {
        self.moment.filter(|moment| self.is_in_words || until(now, *moment) >= LEAST_LONG_WAIT)
    }

    /// Lack of capacity passes in minutes; hours beside it belong to something else.
    fn short(self, now: Timestamp) -> Option<Timestamp> {
        self.moment.filter(|moment| until(now, *moment) <= LONG_WAIT)
    }
}

/// The meaning of an error object inside a success; `None` where there is none.
pub fn in_band(body: &[u8], now: Timestamp) -> Option<Fault> {
    let refusal = Refusal::parse(body)?;
    let named: Option<u16> = refusal.code.parse().ok().filter(|code| (400..600).contains(code));
    let limited = ["rate_limit_exceeded", "insufficient_quota", "rate_limited", "too_many_requests_error", "1300"];
    let implied =
        if limited.iter().any(|code| refusal.names(code)) { Some(429) } else { meaning(0, &refusal).map(|_| 400) };
    let Some(status) = named.or(implied) else { return Some(Fault::Broken(Breakage::InBand)) };
    let wait = Wait::of(None, &refusal, now);
    let fault = fault_of(status, refusal, wait, now);
    // A provider that took the request and then calls it wrong has failed; the caller has not.
    Some(if matches!(fault, Fault::Invalid { .. }) { Fault::Broken(Breakage::InBand) } else { fault })
}

fn meaning(status: u16, refusal: &Refusal) -> Option<Meaning> {
    let by_code = CODES.iter().find(|(code, _)| refusal.names(code)).map(|(_, meaning)| *meaning);
    let phrase = |(of, phrase, _): &&(u16, &str, Meaning)| *of == status && refusal.message.contains(phrase);
    by_code.or_else(|| PHRASES.iter().find(phrase).map(|(.., meaning)| *meaning))
}

fn fault_of(status: u16, refusal: Refusal, wait: Wait, now: Timestamp) -> Fault {
    if status >= 500 {
        return Fault::Broken(Breakage::Status(status));
    }
    // Too large once is too large always: a wait beside it can never help.
    if status == 413 || status == 416 {
        return Fault::Unfit(refusal.too_long());
    }
    if refusal.names("unsupported_country_region_territory") || place::is_refused(status, &refusal.message) {
        return Fault::Broken(Breakage::Status(status));
    }
    let busy = |scope, period| Fault::Busy { until: wait.short(now), scope: Some(scope), period };
    match meaning(status, &refusal) {
        Some(KeyRejected) => return Fault::Denied,
        Some(NotOffered) => return Fault::Gone,
        Some(TooLong) => return Fault::Unfit(refusal.too_long()),
        Some(Busy(scope)) => return busy(scope, refusal.period()),
        Some(Crowded) => return busy(Scope::Model, Some(Period::Second)),
        Some(Lacks(feature)) => return Fault::Unfit(Unfit::Lacks(feature)),
        Some(Spent(scope, period)) => {
            let period = period.or_else(|| refusal.period());
            return Fault::Spent { until: wait.long(now), scope: Some(scope), period };
        }
        Some(Failed) => return Fault::Broken(Breakage::Status(status)),
        Some(CallersMistake) => return refusal.into_invalid(status),
        None => {}
    }
    match status {
        400 | 403 | 422 if front::speaks(&refusal.message) => Fault::Broken(Breakage::Status(status)),
        401 | 403 | 498 => Fault::Denied,
        422 if refusal.param.as_deref() == Some("header.authorization") => Fault::Denied,
        402 => Fault::Spent { until: wait.long(now), scope: Some(Scope::Key), period: refusal.period() },
        404 | 410 => Fault::Gone,
        429 => limited(&refusal, wait, now),
        400 | 422 => refusal.into_invalid(status),
        _ => Fault::Broken(Breakage::Status(status)),
    }
}

fn limited(refusal: &Refusal, wait: Wait, now: Timestamp) -> Fault {
    let period = refusal.period();
    let waits_long = wait.moment.is_some_and(|moment| until(now, moment) > LONG_WAIT);
    if matches!(period, Some(Period::Day | Period::Month)) || refusal.names("insufficient_quota") || waits_long {
        Fault::Spent { until: wait.long(now), scope: None, period }
    } else {
        Fault::Busy { until: wait.moment, scope: None, period }
    }
}

/// The beginning of a body that is no JSON, for its phrases.
fn plain_text(body: &[u8]) -> String {
    String::from_utf8_lossy(&body[..body.len().min(500)]).into_owned()
}

#[cfg(test)]
mod tests;

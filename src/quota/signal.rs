//! What a response tells about quota: waiting times in every format providers use.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::fmt::rfc2822;
use jiff::tz::TimeZone;

use crate::chat::{Period, Scope};
use crate::clock::{later, until};

use super::limit::{Kind, Source};
use super::policy;

/// A shorter wait is no statement: whoever asks again at once is refused again at once.
pub const LEAST_WAIT: Duration = Duration::from_millis(1);

/// The longest wait a provider is believed (a day): some send seconds where they mean milliseconds.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

/// Something a provider told about a quota: so much of this kind per this period.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fact {
    pub kind: Kind,
    pub period: Period,
    pub limit: Option<u64>,
    pub remaining: Option<u64>,
    pub resets_at: Option<Timestamp>,
    /// Whom it counts together, where its name says so.
    pub scope: Option<Scope>,
    /// A header's word, or a refusal's.
    pub source: Source,
}

impl Fact {
    /// A limit that a refusal names. One of nothing is no limit: the model is not offered.
    pub fn of_refusal(kind: Kind, period: Period, limit: u64) -> Option<Self> {
        let source = Source::Error;
        let fact = Self { kind, period, limit: Some(limit), remaining: None, resets_at: None, scope: None, source };
        (limit > 0).then_some(fact)
    }
}

/// The rate headers in use, each as what stands before and after the word it tells: `limit`, `remaining` or `reset`.
const FORMATS: [(&str, &str, Kind, Span); 18] = [
    ("x-ratelimit-", "-requests", Kind::Requests, Span::Usual),
    ("x-ratelimit-", "-tokens", Kind::Tokens, Span::Of(Period::Minute)),
    ("x-ratelimit-", "-requests-minute", Kind::Requests, Span::Of(Period::Minute)),
    ("x-ratelimit-", "-requests-hour", Kind::Requests, Span::Of(Period::Hour)),
    ("x-ratelimit-", "-requests-day", Kind::Requests, Span::Of(Period::Day)),
    ("x-ratelimit-", "-tokens-minute", Kind::Tokens, Span::Of(Period::Minute)),
    ("x-ratelimit-", "-tokens-hour", Kind::Tokens, Span::Of(Period::Hour)),
    ("x-ratelimit-", "-tokens-day", Kind::Tokens, Span::Of(Period::Day)),
    ("x-ratelimit-", "-tokens-month", Kind::Tokens, Span::Of(Period::Month)),
    ("x-ratelimit-", "-req-minute", Kind::Requests, Span::Of(Period::Minute)),
    ("x-ratelimitbysize-", "-minute", Kind::Tokens, Span::Of(Period::Minute)),
    ("x-ratelimitbysize-", "-month", Kind::Tokens, Span::Of(Period::Month)),
    ("x-trial-endpoint-call-", "", Kind::Requests, Span::Of(Period::Minute)),
    ("-ratelimit-requests-", "", Kind::Requests, Span::Day(Scope::Key)),
    ("-ratelimit-model-requests-", "", Kind::Requests, Span::Day(Scope::Model)),
    ("x-tokenlimit-", "", Kind::Tokens, Span::Of(Period::Minute)),
    ("x-ratelimit-", "", Kind::Requests, Span::Unnamed),
    ("ratelimit-", "", Kind::Requests, Span::Unnamed),
];

/// The response whose headers are read. A refusal's are read as soon as they are there, and those again, once its body has been read, whose
/// period that may tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Response {
    Answer,
    Refusal,
    /// The refusal named this period, if any.
    Refused(Option<Period>),
}

/// The period that a header's numbers are of.
#[derive(Debug, Clone, Copy)]
enum Span {
    Of(Period),
    /// A day, of all that the account counts together, or of one of its models.
    Day(Scope),
    /// Per minute with most providers, per day with some (Groq): `usual` says which.
    Usual,
    /// The same, but in a refusal that names a period they are of that one: OpenRouter sends those of the quota that is used up.
    Unnamed,
}

impl Span {
    /// Nothing where this response is not the one to be asked.
    fn period(self, usual: Period, response: Response) -> Option<Period> {
        match (self, response) {
            (Self::Unnamed, Response::Refused(named)) => Some(named.unwrap_or(usual)),
            (Self::Unnamed, Response::Refusal) | (_, Response::Refused(_)) => None,
            (Self::Of(period), _) => Some(period),
            (Self::Day(_), _) => Some(Period::Day),
            (Self::Usual | Self::Unnamed, _) => Some(usual),
        }
    }

    const fn scope(self) -> Option<Scope> {
        match self {
            Self::Day(scope) => Some(scope),
            Self::Of(_) | Self::Usual | Self::Unnamed => None,
        }
    }
}

/// What the headers of one format tell.
#[derive(Debug, Clone, Copy, Default)]
struct Told<'h> {
    limit: Option<&'h str>,
    remaining: Option<&'h str>,
    reset: Option<&'h str>,
}

/// Every quota a response's headers tell of. `usual` is the period of requests where a header names none.
pub fn facts(headers: &HeaderMap, usual: Period, response: Response, now: Timestamp) -> Vec<Fact> {
    let mut told = [Told::default(); FORMATS.len()];
    let (mut any, mut has_policy) = (false, false);
    for (name, value) in headers {
        let name = name.as_str();
        has_policy |= name == policy::QUOTAS;
        if !may_tell(name.as_bytes()) {
            continue;
        }
        let Ok(text) = value.to_str() else { continue };
        for ((before, after, ..), told) in FORMATS.iter().zip(&mut told) {
            let place = match word(name, before, after) {
                Some("limit") => &mut told.limit,
                Some("remaining") => &mut told.remaining,
                Some("reset") => &mut told.reset,
                _ => continue,
            };
            any = true;
            *place = place.or(Some(text.trim()));
        }
    }
    let is_named = has_policy && !matches!(response, Response::Refused(_));
    let mut facts = if is_named { policy::facts(headers, usual, now) } else { Vec::new() };
    if !any {
        return facts;
    }
    let fact = |((_, _, kind, span), told): (&(&str, &str, Kind, Span), &Told<'_>)| {
        let count = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        let (limit, remaining) = (count(told.limit), count(told.remaining));
        let resets_at = told.reset.and_then(|text| moment(text, now));
        let (kind, period, scope) = (*kind, span.period(usual, response)?, span.scope());
        let fact = Fact { kind, period, limit, remaining, resets_at, scope, source: Source::Header };
        (limit.is_some() || remaining.is_some()).then_some(fact)
    };
    facts.extend(FORMATS.iter().zip(&told).filter_map(fact));
    facts
}

/// A look at each header's name, to go on with those that may be of one of the formats: they have one of two words before a dash.
fn may_tell(name: &[u8]) -> bool {
    name.starts_with(b"x-trial-") || memchr::memchr_iter(b'm', name).any(|at| name[..at].ends_with(b"li"))
}

/// The word that a header's name holds between what stands before and after it. What begins with a dash stands behind a provider's own
/// name.
fn word<'n>(name: &'n str, before: &str, after: &str) -> Option<&'n str> {
    let behind_own = || name.split_once(before).filter(|(own, _)| *own != "x").map(|(_, rest)| rest);
    let rest = if before.starts_with('-') { behind_own()? } else { name.strip_prefix(before)? };
    rest.strip_suffix(after)
}

/// Whether a header says that this plan allows nothing at all of the model.
pub fn allows_nothing(headers: &HeaderMap) -> bool {
    facts(headers, Period::Minute, Response::Answer, Timestamp::UNIX_EPOCH).iter().any(|fact| fact.limit == Some(0))
}

/// A moment as providers write it: how long until then, seconds or milliseconds since the epoch, or a date of HTTP's or of ISO 8601.
pub(super) fn moment(text: &str, now: Timestamp) -> Option<Timestamp> {
    /// Numbers from here on are moments: as durations they would be 30 years.
    const EPOCH_SECONDS: Duration = Duration::from_secs(1_000_000_000);
    const EPOCH_MILLIS: Duration = Duration::from_secs(1_000_000_000_000);
    let since_epoch = |time| Timestamp::UNIX_EPOCH.checked_add(time).ok();
    match duration(text) {
        Some(millis) if millis >= EPOCH_MILLIS => since_epoch(millis / 1_000),
        Some(seconds) if seconds >= EPOCH_SECONDS => since_epoch(seconds),
        Some(wait) => Some(later(now, wait)),
        // HTTP dates are RFC 2822 dates whose zone is spelled GMT.
        None => rfc2822::DateTimeParser::new()
            .parse_timestamp(text)
            .ok()
            .or_else(|| text.parse().ok())
            .or_else(|| obsolete_date(text)),
    }
}

/// A date in one of the two forms that HTTP has from before 1996: `Sunday, 06-Nov-94 08:49:37 GMT` and `Sun Nov  6 08:49:37 1994`. Who
/// receives one must read it (RFC 9110, 5.6.7).
fn obsolete_date(text: &str) -> Option<Timestamp> {
    const FORMS: [&str; 2] = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let read = |form| DateTime::strptime(form, text).ok()?.to_zoned(TimeZone::UTC).ok();
    FORMS.into_iter().find_map(read).map(|date| date.timestamp())
}

/// The moment a `retry-after-ms` or `retry-after` header names.
///
/// Zero, garbage and dates in the past are no statement; what is longer than a day is a day.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wait = text("retry-after-ms")
        .and_then(|text| seconds(text).map(|wait| wait / 1000))
        .or_else(|| text("retry-after").and_then(|text| moment(text, now)).map(|moment| until(now, moment)))?;
    (wait >= LEAST_WAIT).then(|| later(now, wait.min(LONGEST_WAIT)))
}

/// A duration as providers write it: `12`, `3.405`, `1.57s`, `194ms`, `2m52.8s`, `7h12m3s`.
pub fn duration(text: &str) -> Option<Duration> {
    if let Some(plain) = seconds(text) {
        return Some(plain);
    }
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let number = seconds(&rest[..digits])?;
        let unit_end = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |length| digits + length);
        let part = match &rest[digits..unit_end] {
            "d" => number.checked_mul(86_400)?,
            "h" => number.checked_mul(3_600)?,
            "m" => number.checked_mul(60)?,
            "s" => number,
            "ms" => number / 1_000,
            "us" | "µs" => number / 1_000_000,
            _ => return None,
        };
        total = total.checked_add(part)?;
        rest = &rest[unit_end..];
    }
    (!text.trim().is_empty()).then_some(total)
}

/// A plain number of seconds. Refuses signs, exponents and anything a duration cannot hold.
fn seconds(text: &str) -> Option<Duration> {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let number: f64 = plain.then(|| text.parse().ok())??;
    Duration::try_from_secs_f64(number).ok()
}

#[cfg(test)]
mod tests;

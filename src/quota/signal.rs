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

/// The period that a header's numbers are of.
#[derive(Debug, Clone, Copy)]
enum Span {
    Of(Period),
    /// A day, of all that the account counts together, or of one of its models.
    Day(Scope),
    /// Per minute with most providers, per day with some (Groq): `requests_period` says which.
    Usual,
    /// The same, but in a refusal that names a period they are of that one: OpenRouter sends those of the quota that is used up.
    Unnamed,
}

impl Span {
    fn period(self, usual: Period, refused: Option<Period>) -> Period {
        match self {
            Self::Of(period) => period,
            Self::Day(_) => Period::Day,
            Self::Usual => usual,
            Self::Unnamed => refused.unwrap_or(usual),
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

/// Every quota a response's headers tell of; a refusal may have named the period that is used up.
pub fn facts(headers: &HeaderMap, requests_period: Period, refused: Option<Period>, now: Timestamp) -> Vec<Fact> {
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
    let mut facts = if has_policy { policy::facts(headers, requests_period, now) } else { Vec::new() };
    if !any {
        return facts;
    }
    let fact = |((_, _, kind, span), told): (&(&str, &str, Kind, Span), &Told<'_>)| {
        let count = |text: Option<&str>| text.and_then(|text| text.parse().ok());
        let (limit, remaining) = (count(told.limit), count(told.remaining));
        let resets_at = told.reset.and_then(|text| moment(text, now));
        let (kind, period, scope) = (*kind, span.period(requests_period, refused), span.scope());
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
    facts(headers, Period::Minute, None, Timestamp::UNIX_EPOCH).iter().any(|fact| fact.limit == Some(0))
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
mod tests {
    use super::*;

    #[test]
    fn durations_of_every_provider_are_read() {
        let cases = [
            ("12", 12_000),
            ("3.405", 3_405),
            ("33011.382867", 33_011_382),
            ("1.57s", 1_570),
            ("194ms", 194),
            ("2m52.8s", 172_800),
            ("1m26.4s", 86_400),
            ("7h12m3s", 25_923_000),
            ("1d", 86_400_000),
            ("0", 0),
            ("6m0s", 360_000),
        ];
        for (text, millis) in cases {
            assert_eq!(duration(text).map(|wait| wait.as_millis()), Some(millis), "{text}");
        }
        for text in [
            "",
            "soon",
            "-1",
            "1e9",
            "5x",
            "s",
            "1h soon",
            "99999999999999999999999d",
            "18446744073709549568s1d18446744073709549568s",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    /// Headers, the period of a bare `requests`, what they tell.
    type Case = (&'static [(&'static str, &'static str)], Period, Fact);

    #[test]
    fn rate_headers_of_every_format_are_read() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a moment");
        let fact = |kind, period, limit, remaining, seconds: Option<u64>| Fact {
            kind,
            period,
            limit,
            remaining,
            scope: None,
            source: Source::Header,
            resets_at: seconds.map(|seconds| later(now, Duration::from_secs(seconds))),
        };
        let (minute, day) = (Period::Minute, Period::Day);
        let cases: [Case; 13] = [
            (
                &[
                    ("x-ratelimit-limit-requests", "1000"),
                    ("x-ratelimit-remaining-requests", "0"),
                    ("x-ratelimit-reset-requests", "1m26s"),
                ],
                day,
                fact(Kind::Requests, day, Some(1000), Some(0), Some(86)),
            ),
            (
                &[
                    ("x-ratelimit-limit-tokens", "8000"),
                    ("x-ratelimit-remaining-tokens", "7997"),
                    ("x-ratelimit-reset-tokens", "2s"),
                ],
                day,
                fact(Kind::Tokens, minute, Some(8000), Some(7997), Some(2)),
            ),
            (
                &[("x-ratelimit-remaining-requests-day", "14"), ("x-ratelimit-reset-requests-day", "33011")],
                minute,
                fact(Kind::Requests, day, None, Some(14), Some(33011)),
            ),
            (
                &[("x-ratelimit-limit-tokens-minute", "30000")],
                minute,
                fact(Kind::Tokens, minute, Some(30000), None, None),
            ),
            (
                &[("x-ratelimit-limit-req-minute", "50"), ("x-ratelimit-remaining-req-minute", "49")],
                minute,
                fact(Kind::Requests, minute, Some(50), Some(49), None),
            ),
            (
                &[("x-trial-endpoint-call-limit", "20"), ("x-trial-endpoint-call-remaining", "19")],
                minute,
                fact(Kind::Requests, minute, Some(20), Some(19), None),
            ),
            (
                &[("x-ratelimitbysize-limit-minute", "500000"), ("x-ratelimitbysize-remaining-minute", "0")],
                minute,
                fact(Kind::Tokens, minute, Some(500_000), Some(0), None),
            ),
            (
                &[
                    ("modelscope-ratelimit-model-requests-limit", "200"),
                    ("modelscope-ratelimit-model-requests-remaining", "3"),
                ],
                minute,
                Fact { scope: Some(Scope::Model), ..fact(Kind::Requests, day, Some(200), Some(3), None) },
            ),
            (
                &[("modelscope-ratelimit-requests-limit", "125"), ("modelscope-ratelimit-requests-remaining", "0")],
                minute,
                Fact { scope: Some(Scope::Key), ..fact(Kind::Requests, day, Some(125), Some(0), None) },
            ),
            (
                &[("x-ratelimit-limit", "50"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1795341660000")],
                minute,
                fact(Kind::Requests, minute, Some(50), Some(0), Some(60)),
            ),
            (
                &[("ratelimit-limit", "50"), ("ratelimit-remaining", "0"), ("ratelimit-reset", "42")],
                minute,
                fact(Kind::Requests, minute, Some(50), Some(0), Some(42)),
            ),
            (
                &[("ratelimit-remaining", "0"), ("ratelimit-reset", "Sun, 22 Nov 2026 10:00:30 GMT")],
                minute,
                fact(Kind::Requests, minute, None, Some(0), Some(30)),
            ),
            (
                &[("ratelimit-remaining", "0"), ("ratelimit-reset", "2026-11-22T10:00:30Z")],
                minute,
                fact(Kind::Requests, minute, None, Some(0), Some(30)),
            ),
        ];
        for (pairs, requests_period, expected) in cases {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(http::HeaderName::from_static(name), value.parse().expect("a value"));
            }
            assert_eq!(facts(&headers, requests_period, None, now), [expected], "{pairs:?}");
        }
        assert_eq!(facts(&HeaderMap::new(), minute, None, now), []);
    }

    /// OpenRouter's refusal of a day's quota, and Groq's of a minute's tokens.
    #[test]
    fn a_refusals_period_is_that_of_headers_that_name_none() {
        let pairs = [("x-ratelimit-limit", "50"), ("x-ratelimit-remaining-requests", "7")];
        let headers = pairs
            .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
            .into_iter()
            .collect();
        let periods = |usual, refused| {
            let facts = facts(&headers, usual, refused, Timestamp::UNIX_EPOCH);
            facts.iter().map(|fact| (fact.limit, fact.period)).collect::<Vec<_>>()
        };
        let (minute, day) = (Period::Minute, Period::Day);
        assert_eq!(periods(minute, None), [(None, minute), (Some(50), minute)]);
        assert_eq!(periods(minute, Some(day)), [(None, minute), (Some(50), day)]);
        assert_eq!(periods(day, Some(minute)), [(None, day), (Some(50), minute)]);
    }

    #[test]
    fn retry_after_is_believed_within_reason() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a moment");
        let cases = [
            ("retry-after", "65", Some(65)),
            ("retry-after", "0", None),
            ("retry-after", "864000", Some(86_400)),
            ("retry-after", "later", None),
            ("retry-after-ms", "1500", Some(1)),
            ("retry-after", "Sun, 22 Nov 2026 10:00:30 GMT", Some(30)),
            ("retry-after", "Sun, 22 Nov 2026 09:00:00 GMT", None),
            ("retry-after", "Sunday, 22-Nov-26 10:00:30 GMT", Some(30)),
            ("retry-after", "Sunday, 22-Nov-26 09:00:00 GMT", None),
            ("retry-after", "Sun Nov 22 10:00:30 2026", Some(30)),
            ("retry-after", "Tue Dec  1 10:00:00 2026", Some(86_400)),
            ("retry-after", "Sun Nov  1 10:00:00 2026", None),
            ("retry-after", "Someday, 22-Nov-26 10:00:30 GMT", None),
            ("retry-after", "1795341690", Some(90)),
            ("retry-after", "1795341690000", Some(90)),
            ("retry-after", "1795341690.5", Some(90)),
            ("retry-after", "2026-11-22T10:01:30Z", Some(90)),
            ("retry-after", "1795341590", None),
        ];
        for (name, value, seconds) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header value"));
            let wait = retry_after(&headers, now).map(|moment| until(now, moment).as_secs());
            assert_eq!(wait, seconds, "{name}: {value}");
        }
    }
}

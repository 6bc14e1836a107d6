//! What a response tells about quota: waiting times in every format providers use.

use std::time::Duration;

use http::HeaderMap;
use jiff::Timestamp;
use jiff::fmt::rfc2822;

use crate::chat::{Fault, Scope};
use crate::clock::{later, until};

/// The longest wait a provider is believed (a day): some send seconds where they mean milliseconds.
const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3600);

/// Something a provider told about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// Nothing counted over `scope` is answered before `until`.
    NotBefore { scope: Scope, until: Timestamp, cause: Fault },
    /// The model answered with a smaller context than the catalogue says.
    ContextAtMost(u64),
}

/// The moment a `retry-after-ms` or `retry-after` header names: seconds, milliseconds or an HTTP date.
///
/// Zero, garbage and dates in the past are no statement; what is longer than a day is a day.
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Timestamp> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wait = text("retry-after-ms")
        .and_then(|text| seconds(text).map(|wait| wait / 1000))
        .or_else(|| text("retry-after").and_then(|text| duration(text).or_else(|| date(text, now))))?;
    (!wait.is_zero()).then(|| later(now, wait.min(LONGEST_WAIT)))
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
        total += match &rest[digits..unit_end] {
            "d" => number.checked_mul(86_400)?,
            "h" => number.checked_mul(3_600)?,
            "m" => number.checked_mul(60)?,
            "s" => number,
            "ms" => number / 1_000,
            "us" | "µs" => number / 1_000_000,
            _ => return None,
        };
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

fn date(text: &str, now: Timestamp) -> Option<Duration> {
    // HTTP dates are RFC 2822 dates whose zone is spelled GMT.
    let moment = rfc2822::DateTimeParser::new().parse_timestamp(text).ok()?;
    Some(until(now, moment))
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
        for text in ["", "soon", "-1", "1e9", "5x", "s", "1h soon", "99999999999999999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
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
        ];
        for (name, value, seconds) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(name, value.parse().expect("a header value"));
            let wait = retry_after(&headers, now).map(|moment| until(now, moment).as_secs());
            assert_eq!(wait, seconds, "{name}: {value}");
        }
    }
}

//! Waiting times and rate headers, in every spelling and none.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use relay::chat::Period;
use relay::quota::signal;

const NOW: Timestamp = Timestamp::constant(1_795_341_600, 0);
/// No provider is believed that wants more.
const LONGEST_WAIT: Duration = Duration::from_hours(24);

const RATES: [&str; 8] = [
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-reset-tokens",
    "x-ratelimit-remaining-tokens-day",
    "x-ratelimit-reset-tokens-day",
    "any-ratelimit-model-requests-remaining",
    "x-ratelimit-reset",
];

/// Reads each line of `input` as the value of every header that tells about quota.
pub fn headers(input: &[u8]) {
    for line in input.split(|byte| *byte == b'\n') {
        if let Ok(text) = std::str::from_utf8(line)
            && let Some(wait) = signal::duration(text)
        {
            let written = |c: char| c.is_ascii_digit() || ".dhmsuµ ".contains(c);
            assert!(text.trim().chars().all(written), "{text:?} is {wait:?}");
        }
        let Ok(value) = HeaderValue::from_bytes(line) else { continue };
        for name in ["retry-after", "retry-after-ms"] {
            let headers = HeaderMap::from_iter([(HeaderName::from_static(name), value.clone())]);
            if let Some(moment) = signal::retry_after(&headers, NOW) {
                let is_sane = moment >= NOW && moment <= NOW + LONGEST_WAIT;
                assert!(is_sane, "{name}: {value:?} is {moment}");
            }
        }
        let headers = HeaderMap::from_iter(RATES.map(|name| (HeaderName::from_static(name), value.clone())));
        let facts = signal::facts(&headers, Period::Minute, signal::Response::Answer, NOW);
        assert_eq!(facts, signal::facts(&headers, Period::Minute, signal::Response::Answer, NOW));
    }
}

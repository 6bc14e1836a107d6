//! What headers tell, in every format providers use.

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
        (&[("x-ratelimit-limit-tokens-minute", "30000")], minute, fact(Kind::Tokens, minute, Some(30000), None, None)),
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
        assert_eq!(facts(&headers, requests_period, Response::Answer, now), [expected], "{pairs:?}");
    }
    assert_eq!(facts(&HeaderMap::new(), minute, Response::Answer, now), []);
}

/// OpenRouter's refusal of a day's quota, and Groq's of a minute's tokens.
#[test]
fn a_refusals_period_is_that_of_headers_that_name_none() {
    let pairs = [("x-ratelimit-limit", "50"), ("x-ratelimit-remaining-requests", "7")];
    let headers = pairs
        .map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)))
        .into_iter()
        .collect();
    let periods = |usual, response| {
        let facts = facts(&headers, usual, response, Timestamp::UNIX_EPOCH);
        facts.iter().map(|fact| (fact.limit, fact.period)).collect::<Vec<_>>()
    };
    let (minute, day) = (Period::Minute, Period::Day);
    assert_eq!(periods(minute, Response::Answer), [(None, minute), (Some(50), minute)]);
    for (usual, refused, period) in [(minute, None, minute), (minute, Some(day), day), (day, Some(minute), minute)] {
        assert_eq!(periods(usual, Response::Refusal), [(None, usual)], "at once");
        assert_eq!(periods(usual, Response::Refused(refused)), [(Some(50), period)]);
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

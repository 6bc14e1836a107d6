//! The structured rate headers of the IETF's draft: `RateLimit: "default";r=0;t=53`, `RateLimit-Policy: "default";q=100;w=60`.
//!
//! Up to its seventh version: `RateLimit: limit=100, remaining=0, reset=53`, `RateLimit-Policy: 100;w=60`.

use http::HeaderMap;
use jiff::Timestamp;

use crate::chat::Period;

use super::limit::{Kind, Source};
use super::signal::{Fact, moment};

/// The header that tells what is left, without which the other tells nothing.
pub(super) const QUOTAS: &str = "ratelimit";

/// What the two headers tell of each quota. One whose window is none of the known lengths, such as five minutes, is told only while
/// nothing is left of it: its numbers would be mistaken for those of another window.
pub fn facts(headers: &HeaderMap, requests_period: Period, now: Timestamp) -> Vec<Fact> {
    let policies: Vec<Item<'_>> = items(headers, "ratelimit-policy").collect();
    let fact = |quota: Item<'_>, [left, most, reset]: [&str; 3]| {
        let policy = policies.iter().find(|policy| policy.name == quota.name);
        let number = |key: &str| quota.number(key).or_else(|| policy?.number(key));
        let unit = quota.text("qu").or_else(|| policy?.text("qu")).unwrap_or("requests");
        let remaining = quota.number(left)?;
        let (period, is_known) = number("w").map_or((requests_period, true), period_of);
        let kind = match unit {
            _ if quota.name.contains("token") => Kind::Tokens,
            "requests" => Kind::Requests,
            _ => return None,
        };
        let resets_at = quota.text(reset).and_then(|text| moment(text, now));
        let limit = number(most).filter(|_| is_known);
        let (remaining, scope, source) = (Some(remaining), None, Source::Header);
        let fact = Fact { kind, period, limit, remaining, resets_at, scope, source };
        (is_known || remaining == Some(0)).then_some(fact)
    };
    let named = items(headers, QUOTAS).filter_map(|quota| fact(quota, ["r", "q", "t"]));
    named.chain(nameless(headers).and_then(|quota| fact(quota, ["remaining", "limit", "reset"]))).collect()
}

/// The one quota of the earlier form, whose limit is the name of its policy.
fn nameless(headers: &HeaderMap) -> Option<Item<'_>> {
    let parameters = headers.get(QUOTAS)?.to_str().ok()?;
    let item = Item { name: "", parameters };
    Some(Item { name: item.text("limit").unwrap_or_default(), parameters })
}

/// One quota of a header: its name, and what stands behind it.
struct Item<'h> {
    name: &'h str,
    parameters: &'h str,
}

impl<'h> Item<'h> {
    fn text(&self, key: &str) -> Option<&'h str> {
        let pairs = self.parameters.split([';', ',']).filter_map(|pair| pair.trim().split_once('='));
        pairs.into_iter().find(|(name, _)| *name == key).map(|(_, value)| value.trim_matches('"'))
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }
}

fn items<'h>(headers: &'h HeaderMap, name: &str) -> impl Iterator<Item = Item<'h>> {
    let texts = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    texts.flat_map(|text| text.split(',')).filter_map(|item| {
        let (name, parameters) = item.split_once(';')?;
        Some(Item { name: name.trim().trim_matches('"'), parameters })
    })
}

/// The period of a window of so many seconds, the next longer one where it is none exactly, and whether it is one.
fn period_of(seconds: u64) -> (Period, bool) {
    const LENGTHS: [(u64, Period); 4] =
        [(1, Period::Second), (60, Period::Minute), (3_600, Period::Hour), (86_400, Period::Day)];
    let found = LENGTHS.into_iter().find(|(length, _)| seconds <= *length);
    found.map_or((Period::Month, false), |(length, period)| (period, seconds == length))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn structured_headers_tell_what_is_left_of_each_quota() {
        let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a moment");
        let told = |quota: &'static str, policy: &'static str| {
            let pairs = [("ratelimit", quota), ("ratelimit-policy", policy)];
            let headers =
                pairs.map(|(name, value)| (http::HeaderName::from_static(name), http::HeaderValue::from_static(value)));
            let facts = facts(&headers.into_iter().collect(), Period::Day, now);
            let told = |fact: Fact| {
                let wait = fact.resets_at.map(|reset| crate::clock::until(now, reset).as_secs());
                (fact.kind, fact.period, fact.limit, fact.remaining, wait)
            };
            facts.into_iter().map(told).collect::<Vec<_>>()
        };
        let (requests, tokens) = (Kind::Requests, Kind::Tokens);
        let (minute, hour, day) = (Period::Minute, Period::Hour, Period::Day);
        let cases = [
            ("\"default\";r=0;t=53", "\"default\";q=100;w=60", vec![(requests, minute, Some(100), Some(0), Some(53))]),
            ("\"default\"; r=7", "", vec![(requests, day, None, Some(7), None)]),
            (
                "\"hourly\";r=9;t=5, \"tokens\";r=80;t=6",
                "\"tokens\";q=90;w=60, \"hourly\";q=10;w=3600",
                vec![(requests, hour, Some(10), Some(9), Some(5)), (tokens, minute, Some(90), Some(80), Some(6))],
            ),
            // A window of five minutes, as Hugging Face's.
            ("\"api\";r=499;t=280", "\"api\";q=500;w=300", vec![]),
            ("\"api\";r=0;t=280", "\"api\";q=500;w=300", vec![(requests, hour, None, Some(0), Some(280))]),
            ("\"size\";r=5;t=1", "\"size\";q=9;w=60;qu=\"content-bytes\"", vec![]),
            ("limit=100, remaining=0, reset=30", "", vec![(requests, day, Some(100), Some(0), Some(30))]),
            (
                "limit=100,remaining=7,reset=5",
                "100;w=60, 5000;w=3600",
                vec![(requests, minute, Some(100), Some(7), Some(5))],
            ),
            ("limit=500, remaining=499, reset=280", "500;w=300", vec![]),
            ("remaining=3", "", vec![(requests, day, None, Some(3), None)]),
            ("limit=100", "", vec![]),
            ("soon", "never", vec![]),
            ("\"a\";r=-1;t=x", "\"a\";q=;w=60", vec![]),
        ];
        for (quota, policy, expected) in cases {
            assert_eq!(told(quota, policy), expected, "{quota} {policy}");
        }
    }
}

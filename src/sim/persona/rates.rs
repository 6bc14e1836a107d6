//! Rate headers of a success, as each provider writes them; most write none.

use std::time::Duration;

use jiff::Timestamp;

use super::persona::Persona;
use crate::chat::Period;
use crate::clock::until;
use crate::sim::limit::{Cost, Meter, Unit};
use crate::sim::refusal::go_duration;

type Headers = Vec<(&'static str, String)>;

/// `x-ratelimit-*` of these meters. A provider without a persona speaks as Groq does.
pub(in crate::sim) fn rate_headers(
    persona: Option<Persona>,
    meters: &mut [&mut Meter],
    cost: Option<Cost>,
    now: Timestamp,
) -> Headers {
    match persona {
        None | Some(Persona::Groq) => groq(meters, now),
        Some(Persona::Cerebras) => cerebras(meters, now),
        Some(Persona::Mistral) => mistral(meters, cost, now),
        Some(_) => Vec::new(),
    }
}

/// Requests of the longest window, tokens of the shortest, resets as Go prints durations.
fn groq(meters: &mut [&mut Meter], now: Timestamp) -> Headers {
    const REQUESTS: [&str; 3] =
        ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"];
    const TOKENS: [&str; 3] = ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"];
    let of = |unit: Unit| move |meter: &&mut Meter| meter.limit.unit == unit;
    let requests =
        meters.iter_mut().map(|meter| &mut **meter).filter(of(Unit::Requests)).max_by_key(|meter| meter.limit.period);
    let mut headers = requests.map(|meter| triple(REQUESTS, meter, now, go_duration)).unwrap_or_default();
    let tokens =
        meters.iter_mut().map(|meter| &mut **meter).filter(of(Unit::Tokens)).min_by_key(|meter| meter.limit.period);
    headers.extend(tokens.map(|meter| triple(TOKENS, meter, now, go_duration)).unwrap_or_default());
    headers
}

/// All of {limit, remaining, reset} × {requests, tokens} × {minute, hour, day}, resets as float seconds (live keys, 2026-09-24).
fn cerebras(meters: &mut [&mut Meter], now: Timestamp) -> Headers {
    let seconds = |reset: Duration| format!("{:.6}", reset.as_secs_f64());
    let named = meters.iter_mut().filter_map(|meter| Some((cerebras_names(&meter.limit)?, meter)));
    named.flat_map(|(names, meter)| triple(names, meter, now, seconds)).collect()
}

fn cerebras_names(limit: &crate::sim::limit::Limit) -> Option<[&'static str; 3]> {
    macro_rules! names {
        ($of:literal) => {
            Some([
                concat!("x-ratelimit-limit-", $of),
                concat!("x-ratelimit-remaining-", $of),
                concat!("x-ratelimit-reset-", $of),
            ])
        };
    }
    match (limit.unit, limit.period) {
        (Unit::Requests, Period::Minute) => names!("requests-minute"),
        (Unit::Requests, Period::Hour) => names!("requests-hour"),
        (Unit::Requests, Period::Day) => names!("requests-day"),
        (Unit::Tokens, Period::Minute) => names!("tokens-minute"),
        (Unit::Tokens, Period::Hour) => names!("tokens-hour"),
        (Unit::Tokens, Period::Day) => names!("tokens-day"),
        _ => None,
    }
}

/// The pairs of a minute, and what the request cost; no reset. A refusal has no token pair.
fn mistral(meters: &mut [&mut Meter], cost: Option<Cost>, now: Timestamp) -> Headers {
    const REQUESTS: [&str; 2] = ["x-ratelimit-limit-req-minute", "x-ratelimit-remaining-req-minute"];
    const TOKENS: [&str; 2] = ["x-ratelimit-limit-tokens-minute", "x-ratelimit-remaining-tokens-minute"];
    let mut headers = Vec::new();
    for meter in meters.iter_mut().filter(|meter| meter.limit.period == Period::Minute) {
        let names = match meter.limit.unit {
            Unit::Requests => REQUESTS,
            Unit::Tokens if cost.is_some() => TOKENS,
            Unit::Tokens | Unit::InputTokens => continue,
        };
        headers.extend(names.into_iter().zip([meter.limit.amount.to_string(), meter.remaining(now).to_string()]));
    }
    headers.extend(cost.map(|cost| ("x-ratelimit-tokens-query-cost", cost.of(Unit::Tokens).to_string())));
    headers
}

/// Reset: when something is free again if nothing is left, else when all of it is.
fn triple(
    names: [&'static str; 3],
    meter: &mut Meter,
    now: Timestamp,
    written: impl Fn(Duration) -> String,
) -> Headers {
    let remaining = meter.remaining(now);
    let wanted = if remaining == 0 { 1.min(meter.limit.amount) } else { meter.limit.amount };
    let reset = meter.fits_at(wanted, now).map_or(Duration::ZERO, |moment| until(now, moment));
    names.into_iter().zip([meter.limit.amount.to_string(), remaining.to_string(), written(reset)]).collect()
}

//! A limit of a simulated provider, and the meter that enforces it exactly.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::chat::Period;
use crate::clock::later;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Requests,
    InputTokens,
    /// Tokens of prompt and answer together.
    Tokens,
}

/// So much of a unit per period. Up to an hour it rolls, a day and a month turn at 00:00 UTC.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limit {
    pub unit: Unit,
    /// What is really enforced.
    pub amount: u64,
    pub period: Period,
    pub rolling: bool,
    /// What the catalogue says; `None` when the provider does not tell.
    pub documented: Option<u64>,
    /// How much of it is gone when the simulator starts.
    pub used: u64,
}

impl Limit {
    pub const fn requests(amount: u64, period: Period) -> Self {
        Self::new(Unit::Requests, amount, period)
    }

    pub const fn tokens(amount: u64, period: Period) -> Self {
        Self::new(Unit::Tokens, amount, period)
    }

    pub const fn input_tokens(amount: u64, period: Period) -> Self {
        Self::new(Unit::InputTokens, amount, period)
    }

    /// Enforced, but not in the catalogue.
    pub const fn undocumented(mut self) -> Self {
        self.documented = None;
        self
    }

    /// The catalogue says `amount`, whatever is enforced.
    pub const fn documented_as(mut self, amount: u64) -> Self {
        self.documented = Some(amount);
        self
    }

    /// Rolls even though its period is a day or a month.
    pub const fn rolling(mut self) -> Self {
        self.rolling = true;
        self
    }

    /// All of it is gone from the start.
    pub const fn exhausted(mut self) -> Self {
        self.used = self.amount;
        self
    }

    const fn new(unit: Unit, amount: u64, period: Period) -> Self {
        let rolling = matches!(period, Period::Second | Period::Minute | Period::Hour);
        Self { unit, amount, period, rolling, documented: Some(amount), used: 0 }
    }
}

impl Unit {
    /// The unit as the catalogue and the rate-limit headers name it.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::InputTokens => "input_tokens",
            Self::Tokens => "tokens",
        }
    }
}

/// The window's length; a rolling month counts as 30 days.
const fn length(period: Period) -> Duration {
    Duration::from_secs(match period {
        Period::Second => 1,
        Period::Minute => 60,
        Period::Hour => 3_600,
        Period::Day => 86_400,
        Period::Month => 30 * 86_400,
    })
}

/// The next moment a calendar window of this length begins in UTC, after `now`. Worked out apart from `quota`, which it tests.
pub(super) fn turn_after(period: Period, now: Timestamp) -> Timestamp {
    if period == Period::Month {
        let first = now.to_zoned(TimeZone::UTC).date().last_of_month().tomorrow();
        return first.and_then(|date| date.to_zoned(TimeZone::UTC)).map_or(Timestamp::MAX, |zoned| zoned.timestamp());
    }
    let length = i64::try_from(length(period).as_secs()).expect("a period is at most a month of seconds");
    let second = (now.as_second().div_euclid(length) + 1) * length;
    Timestamp::from_second(second).unwrap_or(Timestamp::MAX)
}

/// What one call uses up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cost {
    pub prompt: u64,
    pub answer: u64,
}

impl Cost {
    pub(super) const fn of(self, unit: Unit) -> u64 {
        match unit {
            Unit::Requests => 1,
            Unit::InputTokens => self.prompt,
            Unit::Tokens => self.prompt + self.answer,
        }
    }
}

/// The count against one limit.
#[derive(Debug)]
pub(super) struct Meter {
    pub limit: Limit,
    used: u64,
    window: Window,
}

#[derive(Debug)]
enum Window {
    /// What was used, oldest first. Uses within 1/6000 of the window share an entry, dated at the first of them.
    Rolling(VecDeque<(Timestamp, u64)>),
    Calendar {
        turn: Timestamp,
    },
}

impl Meter {
    pub(super) fn new(limit: Limit, now: Timestamp) -> Self {
        let used = limit.used;
        let window = match limit.rolling {
            true if used == 0 => Window::Rolling(VecDeque::new()),
            true => Window::Rolling(VecDeque::from([(now, used)])),
            false => Window::Calendar { turn: turn_after(limit.period, now) },
        };
        Self { limit, used, window }
    }

    /// What is used at `now`, after forgetting what lies before the window.
    pub(super) fn used(&mut self, now: Timestamp) -> u64 {
        match &mut self.window {
            Window::Rolling(entries) => {
                while let Some((at, amount)) = entries.front()
                    && later(*at, length(self.limit.period)) <= now
                {
                    self.used -= amount;
                    entries.pop_front();
                }
            }
            Window::Calendar { turn } => {
                if now >= *turn {
                    *turn = turn_after(self.limit.period, now);
                    self.used = 0;
                }
            }
        }
        self.used
    }

    pub(super) fn remaining(&mut self, now: Timestamp) -> u64 {
        self.limit.amount.saturating_sub(self.used(now))
    }

    pub(super) fn charge(&mut self, amount: u64, now: Timestamp) {
        self.used(now);
        self.used += amount;
        let Window::Rolling(entries) = &mut self.window else { return };
        let slot = length(self.limit.period) / 6_000;
        match entries.back_mut() {
            Some((at, sum)) if later(*at, slot) > now => *sum += amount,
            _ => entries.push_back((now, amount)),
        }
    }

    /// The first moment from `now` on at which `amount` fits, if nothing else is used; `None` when it never does.
    pub(super) fn fits_at(&mut self, amount: u64, now: Timestamp) -> Option<Timestamp> {
        let room = self.limit.amount.checked_sub(amount)?;
        let mut used = self.used(now);
        if used <= room {
            return Some(now);
        }
        match &self.window {
            Window::Calendar { turn } => Some(*turn),
            Window::Rolling(entries) => entries.iter().find_map(|(at, sum)| {
                used -= sum;
                (used <= room).then(|| later(*at, length(self.limit.period)))
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().expect("a time")
    }

    #[test]
    fn a_rolling_minute_frees_each_use_sixty_seconds_later() {
        let start = at("2026-10-09T10:00:00Z");
        let second = |n| later(start, Duration::from_secs(n));
        let mut meter = Meter::new(Limit::requests(2, Period::Minute), start);
        meter.charge(1, start);
        meter.charge(1, second(20));
        assert_eq!(meter.fits_at(1, second(30)), Some(second(60)));
        assert_eq!(meter.fits_at(2, second(30)), Some(second(80)));
        assert_eq!(meter.fits_at(3, second(30)), None);
        assert_eq!(meter.remaining(later(second(59), Duration::from_millis(999))), 0);
        assert_eq!(meter.remaining(second(60)), 1);
        assert_eq!(meter.remaining(second(80)), 2);
    }

    #[test]
    fn days_and_months_turn_at_midnight_utc() {
        let now = at("2026-12-31T23:59:58.5Z");
        let mut day = Meter::new(Limit::tokens(100, Period::Day).exhausted(), now);
        assert_eq!(day.fits_at(1, now), Some(at("2027-01-01T00:00:00Z")));
        assert_eq!(day.remaining(at("2027-01-01T00:00:00Z")), 100);
        assert_eq!(turn_after(Period::Month, at("2028-02-01T00:00:00Z")), at("2028-03-01T00:00:00Z"));
        assert_eq!(turn_after(Period::Month, now), at("2027-01-01T00:00:00Z"));
    }

    #[test]
    fn a_busy_rolling_window_keeps_few_entries() {
        let start = at("2026-10-09T10:00:00Z");
        let mut meter = Meter::new(Limit::requests(u64::MAX, Period::Minute), start);
        for n in 0..100_000 {
            meter.charge(1, later(start, Duration::from_micros(n)));
        }
        let Window::Rolling(entries) = &meter.window else { panic!("a minute rolls") };
        assert!(entries.len() < 20, "{}", entries.len());
    }
}

//! A limit's count: how much is used, how much fits, and the exact moment from which it does.

use std::time::Duration;

use jiff::Timestamp;

use crate::clock::later;

use super::limit::{Kind, Limit, Source};
use super::window::{Window, next_boundary};

/// Sub-buckets of a rolling window: an amount is given back at most one sixtieth of the length late, never early.
const BUCKETS: i64 = 60;

/// The sixty and the one under way.
const SLOTS: usize = 61;

/// Whether an amount fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    Now,
    /// Not before this moment, if nothing else is used until then.
    At(Timestamp),
    /// The amount is larger than the limit.
    Never,
}

/// A meter's value at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub used: u64,
    pub limit: u64,
    /// When the window turns, or when a rolling one has given everything back.
    pub resets_at: Option<Timestamp>,
    pub used_source: Source,
    pub limit_source: Source,
}

impl Reading {
    pub const fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// The count against one limit.
#[derive(Debug, Clone)]
pub struct Meter {
    pub limit: Limit,
    count: Count,
}

#[derive(Debug, Clone)]
enum Count {
    Rolling(Box<Rolling>),
    Calendar { turns_at: Timestamp, used: u64 },
}

impl Meter {
    pub fn new(limit: Limit) -> Self {
        let count = match limit.window {
            Window::Rolling { length } => Count::Rolling(Box::new(Rolling::new(length))),
            Window::Calendar { .. } => Count::Calendar { turns_at: Timestamp::MIN, used: 0 },
        };
        Self { limit, count }
    }

    pub const fn kind(&self) -> Kind {
        self.limit.kind
    }

    /// Whether `amount` more fits at `now`, and if not, when.
    pub fn fit(&self, amount: u64, now: Timestamp) -> Fit {
        let Some(room) = self.limit.amount.checked_sub(amount) else { return Fit::Never };
        match &self.count {
            Count::Rolling(rolling) => rolling.fit(room, now),
            Count::Calendar { turns_at, used } => {
                if *turns_at <= now || *used <= room {
                    Fit::Now
                } else {
                    Fit::At(*turns_at)
                }
            }
        }
    }

    /// Counts `amount` as used at `now`.
    pub fn add(&mut self, amount: u64, now: Timestamp) {
        match (&mut self.count, &self.limit.window) {
            (Count::Rolling(rolling), _) => rolling.add(amount, now),
            (Count::Calendar { turns_at, used }, Window::Calendar { every, at, zone }) => {
                if *turns_at <= now {
                    *turns_at = next_boundary(*every, *at, zone, now);
                    *used = 0;
                }
                *used = used.saturating_add(amount);
            }
            (Count::Calendar { .. }, Window::Rolling { .. }) => unreachable!("`new` pairs counts with windows"),
        }
    }

    /// Takes back `amount` that was counted at `at`; what its window has given back since is not taken twice.
    pub fn take_back(&mut self, amount: u64, at: Timestamp, now: Timestamp) {
        match &mut self.count {
            Count::Rolling(rolling) => rolling.take_back(amount, at, now),
            Count::Calendar { turns_at, used } => {
                let same_window = match &self.limit.window {
                    Window::Calendar { every, at: turn, zone } => next_boundary(*every, *turn, zone, at) == *turns_at,
                    Window::Rolling { .. } => false,
                };
                if same_window {
                    *used = used.saturating_sub(amount);
                }
            }
        }
    }

    pub fn reading(&self, now: Timestamp) -> Reading {
        let (used, resets_at) = match &self.count {
            Count::Rolling(rolling) => (rolling.used(now), rolling.empty_at(now)),
            Count::Calendar { turns_at, used } if *turns_at > now => (*used, Some(*turns_at)),
            Count::Calendar { .. } => (0, None),
        };
        Reading {
            used,
            limit: self.limit.amount,
            resets_at,
            used_source: Source::Counted,
            limit_source: self.limit.source,
        }
    }
}

/// Amounts of the last `BUCKETS` stretches of time and the one under way.
#[derive(Debug, Clone)]
struct Rolling {
    length: Duration,
    /// Microseconds a bucket spans.
    width: i64,
    /// The stretch, counted from the epoch, that the newest amount belongs to.
    newest: i64,
    amounts: [u64; SLOTS],
}

impl Rolling {
    fn new(length: Duration) -> Self {
        let micros = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        Self { length, width: (micros / BUCKETS).max(1), newest: 0, amounts: [0; SLOTS] }
    }

    fn stretch(&self, at: Timestamp) -> i64 {
        at.as_microsecond().div_euclid(self.width)
    }

    fn slot(stretch: i64) -> usize {
        usize::try_from(stretch.rem_euclid(BUCKETS + 1)).expect("a remainder is not negative")
    }

    /// When what was used in `stretch` is given back: its last instant plus the window's length.
    fn given_back(&self, stretch: i64) -> Timestamp {
        let end = Timestamp::from_microsecond((stretch + 1).saturating_mul(self.width)).unwrap_or(Timestamp::MAX);
        later(end, self.length)
    }

    /// The stretches that still count at `now`, oldest first, with their amounts.
    fn counting(&self, now: Timestamp) -> impl Iterator<Item = (i64, u64)> {
        (self.newest - BUCKETS..=self.newest)
            .map(|stretch| (stretch, self.amounts[Self::slot(stretch)]))
            .filter(move |(stretch, amount)| *amount > 0 && self.given_back(*stretch) > now)
    }

    fn used(&self, now: Timestamp) -> u64 {
        self.counting(now).map(|(_, amount)| amount).sum()
    }

    fn empty_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.counting(now).last().map(|(stretch, _)| self.given_back(stretch))
    }

    fn fit(&self, room: u64, now: Timestamp) -> Fit {
        let mut used = self.used(now);
        if used <= room {
            return Fit::Now;
        }
        for (stretch, amount) in self.counting(now) {
            used -= amount;
            if used <= room {
                return Fit::At(self.given_back(stretch));
            }
        }
        Fit::Never
    }

    fn add(&mut self, amount: u64, now: Timestamp) {
        // A clock that was set back counts into the newest stretch: late, never early.
        let stretch = self.stretch(now).max(self.newest);
        let passed = stretch - self.newest;
        for cleared in 1..=passed.min(BUCKETS + 1) {
            self.amounts[Self::slot(self.newest + cleared)] = 0;
        }
        self.newest = stretch;
        let slot = &mut self.amounts[Self::slot(stretch)];
        *slot = slot.saturating_add(amount);
    }

    fn take_back(&mut self, amount: u64, at: Timestamp, now: Timestamp) {
        let stretch = self.stretch(at);
        if self.given_back(stretch) > now && stretch > self.newest - BUCKETS - 1 {
            let slot = &mut self.amounts[Self::slot(stretch.min(self.newest))];
            *slot = slot.saturating_sub(amount);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::chat::{Period, Scope};

    fn meter(amount: u64, window: Window, period: Period) -> Meter {
        Meter::new(Limit {
            kind: Kind::Requests,
            amount,
            period,
            window,
            scope: Scope::Model,
            source: Source::Docs,
            evidence: None,
        })
    }

    fn at(seconds: f64) -> Timestamp {
        later(Timestamp::UNIX_EPOCH, Duration::from_secs_f64(1e9 + seconds))
    }

    #[test]
    fn a_calendar_window_gives_everything_back_at_its_turn() {
        let mut meter = meter(2, Window::usual(Period::Day), Period::Day);
        meter.add(2, at(0.0));
        let Fit::At(turn) = meter.fit(1, at(1.0)) else { panic!("the limit is used up") };
        assert_eq!(turn.to_string(), "2001-09-10T00:00:00Z");
        assert_eq!(meter.fit(1, turn), Fit::Now);
        assert_eq!(meter.reading(turn).used, 0);
    }

    #[test]
    fn what_is_larger_than_the_limit_never_fits() {
        assert_eq!(meter(5, Window::rolling(Period::Minute), Period::Minute).fit(6, at(0.0)), Fit::Never);
    }

    #[test]
    fn a_refund_is_not_taken_from_a_later_window() {
        let mut meter = meter(5, Window::usual(Period::Day), Period::Day);
        meter.add(3, at(0.0));
        meter.add(2, at(86_400.0));
        meter.take_back(3, at(0.0), at(86_401.0));
        assert_eq!(meter.reading(at(86_401.0)).used, 2);
    }

    proptest! {
        #[test]
        fn a_refusal_names_the_exact_moment(
            uses in prop::collection::vec((0.0..90.0_f64, 1..4_u64), 1..40),
            amount in 1..10_u64,
        ) {
            let mut meter = meter(10, Window::rolling(Period::Minute), Period::Minute);
            let mut uses = uses;
            uses.sort_by(|a, b| a.0.total_cmp(&b.0));
            let mut granted: Vec<(Timestamp, u64)> = Vec::new();
            for (seconds, amount) in &uses {
                if meter.fit(*amount, at(*seconds)) == Fit::Now {
                    meter.add(*amount, at(*seconds));
                    granted.push((at(*seconds), *amount));
                }
            }
            let now = at(uses.last().expect("one use at least").0);
            if let Fit::At(moment) = meter.fit(amount, now) {
                let before = Timestamp::from_microsecond(moment.as_microsecond() - 1).expect("in range");
                prop_assert_ne!(meter.fit(amount, before), Fit::Now);
                prop_assert_eq!(meter.fit(amount, moment), Fit::Now);
                // Never early: the uses of the true last minute before the moment leave room.
                let start = later(moment, Duration::ZERO).checked_sub(Duration::from_mins(1)).expect("in range");
                let used: u64 = granted.iter().filter(|(at, _)| *at > start).map(|(_, amount)| amount).sum();
                prop_assert!(used + amount <= 10);
            }
        }
    }
}

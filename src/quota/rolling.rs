//! Amounts of a rolling window in sixty stretches of time: constant memory, never early, at most a sixtieth late.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::later;

use super::meter::Fit;

/// Sub-buckets of a rolling window: an amount is given back at most one sixtieth of the length late, never early.
const BUCKETS: i64 = 60;

/// The sixty and the one under way.
const SLOTS: usize = 61;

/// Amounts of the last `BUCKETS` stretches of time and the one under way.
#[derive(Debug, Clone)]
pub(super) struct Rolling {
    length: Duration,
    /// Microseconds a bucket spans.
    width: i64,
    /// The stretch, counted from the epoch, that the newest amount belongs to.
    newest: i64,
    amounts: [u64; SLOTS],
}

impl Rolling {
    pub(super) fn new(length: Duration) -> Self {
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

    pub(super) fn used(&self, now: Timestamp) -> u64 {
        self.counting(now).map(|(_, amount)| amount).sum()
    }

    pub(super) fn empty_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.counting(now).last().map(|(stretch, _)| self.given_back(stretch))
    }

    pub(super) fn fit(&self, room: u64, now: Timestamp) -> Fit {
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

    pub(super) fn add(&mut self, amount: u64, now: Timestamp) {
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

    pub(super) fn take_back(&mut self, amount: u64, at: Timestamp, now: Timestamp) {
        let stretch = self.stretch(at);
        if self.given_back(stretch) > now && stretch > self.newest - BUCKETS - 1 {
            let slot = &mut self.amounts[Self::slot(stretch.min(self.newest))];
            *slot = slot.saturating_sub(amount);
        }
    }

    /// Takes back `amount`, oldest first: what the provider has given back already is what was used longest ago.
    pub(super) fn take_oldest(&mut self, mut amount: u64, now: Timestamp) {
        let counting: Vec<i64> = self.counting(now).map(|(stretch, _)| stretch).collect();
        for stretch in counting {
            let slot = &mut self.amounts[Self::slot(stretch)];
            let taken = amount.min(*slot);
            *slot -= taken;
            amount -= taken;
        }
    }

    /// The stretches with their amounts, to be kept.
    pub(super) fn save(&self) -> Saved {
        let stretches =
            (self.newest - BUCKETS..=self.newest).map(|stretch| (stretch, self.amounts[Self::slot(stretch)]));
        Saved {
            width: self.width,
            newest: self.newest,
            amounts: stretches
                .filter(|(_, amount)| *amount > 0)
                .map(|(stretch, amount)| (self.newest - stretch, amount))
                .collect(),
        }
    }

    /// What was saved of a window of this length; `None` when it was another one's.
    pub(super) fn restore(length: Duration, saved: &Saved) -> Option<Self> {
        let mut rolling = Self::new(length);
        if saved.width != rolling.width {
            return None;
        }
        rolling.newest = saved.newest;
        for (age, amount) in saved.amounts.iter().filter(|(age, _)| (0..=BUCKETS).contains(age)) {
            rolling.amounts[Self::slot(saved.newest - age)] = *amount;
        }
        Some(rolling)
    }
}

/// A rolling window as it is kept: the stretches that hold anything, by their age in stretches.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    width: i64,
    newest: i64,
    amounts: Vec<(i64, u64)>,
}

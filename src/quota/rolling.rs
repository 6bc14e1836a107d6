//! Amounts of a rolling window in sixty stretches of time: constant memory, never early, at most a sixtieth late.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::clock::later;

use super::meter::Fit;

/// Sub-buckets of a rolling window: an amount is given back at most one sixtieth of the length late, never early.
const BUCKETS: i64 = 60;

/// A provider counts a request when it arrives, and the next one may be quicker on its way: what is given back to the moment may be
/// too early there.
pub(super) const TRANSIT: Duration = Duration::from_millis(50);

/// The sixty and the one under way.
const SLOTS: usize = 61;

/// Amounts of the last `BUCKETS` stretches of time and the one under way. What was used at one moment of a stretch alone is given
/// back without delay.
#[derive(Debug, Clone)]
pub(super) struct Rolling {
    /// How long an amount counts.
    length: Duration,
    /// Microseconds a bucket spans.
    width: i64,
    /// The stretch, counted from the epoch, that the newest amount belongs to.
    newest: i64,
    amounts: [u64; SLOTS],
    /// Microseconds since the epoch: when each stretch was last used. Its amount is given back a window's length after that.
    last_uses: [i64; SLOTS],
    /// All of `amounts` together: ranking asks for the sum far more often than anything is added.
    total: u64,
}

impl Rolling {
    pub(super) fn new(length: Duration) -> Self {
        let length = length.saturating_add(TRANSIT);
        let micros = i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        // Rounded up: sixty stretches are never shorter than the window.
        Self {
            length,
            width: micros / BUCKETS + i64::from(micros % BUCKETS > 0),
            newest: 0,
            amounts: [0; SLOTS],
            last_uses: [0; SLOTS],
            total: 0,
        }
    }

    fn stretch(&self, at: Timestamp) -> i64 {
        at.as_microsecond().div_euclid(self.width)
    }

    fn slot(stretch: i64) -> usize {
        usize::try_from(stretch.rem_euclid(BUCKETS + 1)).expect("a remainder is not negative")
    }

    /// When what was used in `stretch` is given back.
    fn given_back(&self, stretch: i64) -> Timestamp {
        let last_use = Timestamp::from_microsecond(self.last_uses[Self::slot(stretch)]).unwrap_or(Timestamp::MAX);
        later(last_use, self.length)
    }

    /// The stretches that still count at `now`, oldest first, with their amounts.
    fn counting(&self, now: Timestamp) -> impl Iterator<Item = (i64, u64)> {
        (self.newest - BUCKETS..=self.newest)
            .map(|stretch| (stretch, self.amounts[Self::slot(stretch)]))
            .filter(move |(stretch, amount)| *amount > 0 && self.given_back(*stretch) > now)
    }

    pub(super) fn used(&self, now: Timestamp) -> u64 {
        let length = i64::try_from(self.length.as_micros()).unwrap_or(i64::MAX);
        let counts_from = now.as_microsecond().saturating_sub(length);
        let is_over = |slot: usize| self.last_uses[slot] <= counts_from;
        if self.total == 0 || is_over(Self::slot(self.newest)) {
            return 0;
        }
        let slots = (self.newest - BUCKETS..self.newest).map(Self::slot);
        // Stretches without any use were cleared together with their last use.
        let over = slots.take_while(|slot| self.amounts[*slot] == 0 || is_over(*slot));
        self.total - over.map(|slot| self.amounts[slot]).sum::<u64>()
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
            let slot = Self::slot(self.newest + cleared);
            self.total -= std::mem::take(&mut self.amounts[slot]);
            self.last_uses[slot] = 0;
        }
        self.newest = stretch;
        let last_use = &mut self.last_uses[Self::slot(stretch)];
        // Rounded up: never early. A clock that was set back gives nothing back sooner.
        let micros = now.as_microsecond() + i64::from(now.subsec_nanosecond() % 1_000 > 0);
        *last_use = (*last_use).max(micros);
        let amount = amount.min(u64::MAX - self.total);
        self.amounts[Self::slot(stretch)] += amount;
        self.total += amount;
    }

    pub(super) fn take_back(&mut self, amount: u64, at: Timestamp, now: Timestamp) {
        let stretch = self.stretch(at);
        if stretch >= self.newest - BUCKETS && self.given_back(stretch.min(self.newest)) > now {
            let slot = &mut self.amounts[Self::slot(stretch.min(self.newest))];
            let taken = amount.min(*slot);
            *slot -= taken;
            self.total -= taken;
        }
    }

    /// Takes back `amount`, oldest first: what the provider has given back already is what was used longest ago.
    pub(super) fn take_oldest(&mut self, mut amount: u64, now: Timestamp) {
        let counting: Vec<i64> = self.counting(now).map(|(stretch, _)| stretch).collect();
        for stretch in counting {
            let slot = &mut self.amounts[Self::slot(stretch)];
            let taken = amount.min(*slot);
            *slot -= taken;
            self.total -= taken;
            amount -= taken;
        }
    }

    /// The stretches with their amounts, to be kept.
    pub(super) fn save(&self) -> Saved {
        let stretches = (self.newest - BUCKETS..=self.newest).map(|stretch| (stretch, Self::slot(stretch)));
        let used = stretches.filter(|(_, slot)| self.amounts[*slot] > 0);
        let kept = used.map(|(stretch, slot)| {
            (self.newest - stretch, self.amounts[slot], self.last_uses[slot] - stretch * self.width)
        });
        Saved { width: self.width, newest: self.newest, amounts: kept.collect() }
    }

    /// What was saved of a window of this length; `None` when it was another one's.
    pub(super) fn restore(length: Duration, saved: &Saved) -> Option<Self> {
        let mut rolling = Self::new(length);
        if saved.width != rolling.width {
            return None;
        }
        rolling.newest = saved.newest;
        for (age, amount, last_use) in saved.amounts.iter().filter(|(age, ..)| (0..=BUCKETS).contains(age)) {
            let stretch = saved.newest - age;
            rolling.amounts[Self::slot(stretch)] = *amount;
            rolling.last_uses[Self::slot(stretch)] = stretch * rolling.width + last_use;
        }
        // All of the newest stretch may have been taken back.
        let newest = &mut rolling.last_uses[Self::slot(saved.newest)];
        if *newest == 0 {
            *newest = saved.newest * rolling.width;
        }
        rolling.total = rolling.amounts.iter().fold(0, |sum: u64, amount| sum.saturating_add(*amount));
        Some(rolling)
    }
}

/// A rolling window as it is kept: the stretches that hold anything, each by its age in stretches, its amount, and when after its
/// beginning it was last used, in microseconds.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Saved {
    width: i64,
    newest: i64,
    amounts: Vec<(i64, u64, i64)>,
}

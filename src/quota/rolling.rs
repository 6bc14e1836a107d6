//! Amounts of a rolling window in sixty stretches of time: constant memory, never early, at most a sixtieth late.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use crate::clock::{earlier, later, until};

use super::meter::Fit;

/// Sub-buckets of a rolling window: an amount is given back at most one sixtieth of the length late, never early.
const BUCKETS: i64 = 60;

/// A provider counts a request when it arrives, and the next one may be quicker on its way: what is given back to the moment may be
/// too early there.
pub(super) const TRANSIT: Duration = Duration::from_millis(50);

/// Moments of several processes, and of a clock that was set back a little, may come so far out of order.
pub(super) const DISORDER: Duration = Duration::from_mins(1);

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
    /// All of `amounts` together: ranking asks for the sum far more often than anything is added.
    total: u64,
    /// A bit for each slot whose amount is not zero: most windows of most meters hold few.
    filled: u64,
    amounts: [u64; SLOTS],
    /// Microseconds since the epoch: when each stretch was last used. Its amount is given back a window's length after that.
    last_uses: [i64; SLOTS],
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
            total: 0,
            filled: 0,
            amounts: [0; SLOTS],
            last_uses: [0; SLOTS],
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

    /// The stretches that hold anything, oldest first, with their amounts.
    fn holding(&self) -> impl Iterator<Item = (i64, u64)> {
        const ALL: u64 = (1 << SLOTS) - 1;
        let oldest = self.newest - BUCKETS;
        let shift = Self::slot(oldest);
        let mut by_age = (self.filled >> shift | self.filled << (SLOTS - shift)) & ALL;
        std::iter::from_fn(move || {
            let age = (by_age != 0).then(|| i64::from(by_age.trailing_zeros()))?;
            by_age &= by_age - 1;
            Some((oldest + age, self.amounts[Self::slot(oldest + age)]))
        })
    }

    /// Those of them that still count at `now`.
    fn counting(&self, now: Timestamp) -> impl Iterator<Item = (i64, u64)> {
        let is_ahead = self.is_ahead(now);
        self.holding().skip_while(move |(stretch, _)| is_ahead || self.given_back(*stretch) <= now)
    }

    /// Whether everything was counted after `now`, by a clock that was ahead and was put right: it says nothing of now.
    fn is_ahead(&self, now: Timestamp) -> bool {
        self.last_uses[Self::slot(self.newest)] > later(now, self.length + DISORDER).as_microsecond()
    }

    fn set(&mut self, slot: usize, amount: u64) {
        self.total = self.total - self.amounts[slot] + amount;
        self.amounts[slot] = amount;
        self.filled = self.filled & !(1 << slot) | u64::from(amount > 0) << slot;
    }

    pub(super) fn used(&self, now: Timestamp) -> u64 {
        if self.total == 0 {
            return 0;
        }
        let length = i64::try_from(self.length.as_micros()).unwrap_or(i64::MAX);
        let counts_from = now.as_microsecond().saturating_sub(length);
        let is_over = |stretch| self.last_uses[Self::slot(stretch)] <= counts_from;
        if is_over(self.newest) || self.is_ahead(now) {
            return 0;
        }
        let over = self.holding().take_while(|(stretch, _)| is_over(*stretch));
        self.total - over.map(|(_, amount)| amount).sum::<u64>()
    }

    /// What is used at `now`, without the stretches in which anything was used at `since` or later.
    pub(super) fn used_before(&self, since: Timestamp, now: Timestamp) -> u64 {
        let before = |(stretch, _): &(i64, u64)| self.last_uses[Self::slot(*stretch)] < since.as_microsecond();
        self.counting(now).take_while(before).map(|(_, amount)| amount).sum()
    }

    /// Until when as much is used as at `now`, if nothing is added.
    pub(super) fn changes_at(&self, now: Timestamp) -> Timestamp {
        if self.total == 0 {
            return Timestamp::MAX;
        }
        // What a clock that was ahead counted begins to count at no moment that is worth finding.
        if self.is_ahead(now) {
            return now;
        }
        let length = i64::try_from(self.length.as_micros()).unwrap_or(i64::MAX);
        let counts_from = now.as_microsecond().saturating_sub(length);
        // All of it is over with the newest, at the latest.
        let newest = self.last_uses[Self::slot(self.newest)];
        let mut last_uses = self.holding().map(|(stretch, _)| self.last_uses[Self::slot(stretch)]);
        let oldest = last_uses.find(|last_use| *last_use > counts_from).map_or(newest, |oldest| oldest.min(newest));
        if oldest <= counts_from {
            return Timestamp::MAX;
        }
        Timestamp::from_microsecond(oldest.saturating_add(length)).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn empty_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.counting(now).last().map(|(stretch, _)| self.given_back(stretch))
    }

    /// When `used`, what counts at `now`, will be no more than `room`.
    pub(super) fn fit(&self, mut used: u64, room: u64, now: Timestamp) -> Fit {
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
        if self.is_ahead(now) {
            // So long ago that nothing of it is kept.
            self.newest = self.stretch(now) - BUCKETS - 1;
        }
        // A clock that was set back by less counts into the newest stretch: late, never early.
        let stretch = self.stretch(now).max(self.newest);
        let passed = stretch - self.newest;
        for cleared in 1..=passed.min(BUCKETS + 1) {
            let slot = Self::slot(self.newest + cleared);
            self.set(slot, 0);
            self.last_uses[slot] = 0;
        }
        self.newest = stretch;
        let last_use = &mut self.last_uses[Self::slot(stretch)];
        // Rounded up: never early. A clock that was set back gives nothing back sooner.
        let micros = now.as_microsecond() + i64::from(now.subsec_nanosecond() % 1_000 > 0);
        *last_use = (*last_use).max(micros);
        let slot = Self::slot(stretch);
        self.set(slot, self.amounts[slot] + amount.min(u64::MAX - self.total));
    }

    /// Counts what somebody else used, whose provider says when it is given back: all of it at that moment, or bit by bit until then.
    pub(super) fn add_until(&mut self, amount: u64, reset: Timestamp, is_refilled: bool, now: Timestamp) {
        let reset = reset.clamp(now, later(now, self.length));
        if self.is_ahead(now) {
            self.add(0, now);
        }
        let pieces = if is_refilled { u32::try_from(amount.clamp(1, BUCKETS.unsigned_abs())).unwrap_or(1) } else { 1 };
        let passes = until(now, reset);
        let whole = |piece: u32| u128::from(amount) * u128::from(piece) / u128::from(pieces);
        for piece in 1..=pieces {
            let part = u64::try_from(whole(piece) - whole(piece - 1)).unwrap_or(amount);
            self.add_earlier(part, earlier(later(now, passes * piece / pieces), self.length));
        }
    }

    /// Counts what was used at a moment that may lie before the newest.
    fn add_earlier(&mut self, amount: u64, at: Timestamp) {
        let stretch = self.stretch(at).max(self.newest - BUCKETS);
        if stretch > self.newest {
            return self.add(amount, at);
        }
        let slot = Self::slot(stretch);
        self.set(slot, self.amounts[slot] + amount.min(u64::MAX - self.total));
        self.last_uses[slot] = self.last_uses[slot].max(at.as_microsecond());
    }

    pub(super) fn take_back(&mut self, amount: u64, at: Timestamp, now: Timestamp) {
        let stretch = self.stretch(at);
        let is_kept = (self.newest - BUCKETS..=self.newest).contains(&stretch);
        if is_kept && self.given_back(stretch) > now {
            let slot = Self::slot(stretch);
            self.set(slot, self.amounts[slot].saturating_sub(amount));
        }
    }

    /// Takes back `amount`, oldest first: what the provider has given back already is what was used longest ago.
    pub(super) fn take_oldest(&mut self, mut amount: u64, now: Timestamp) {
        let counting: Vec<i64> = self.counting(now).map(|(stretch, _)| stretch).collect();
        for stretch in counting {
            let slot = Self::slot(stretch);
            let taken = amount.min(self.amounts[slot]);
            self.set(slot, self.amounts[slot] - taken);
            amount -= taken;
        }
    }

    /// The stretches with their amounts, to be kept, at the end of a text: `Saved` in JSON.
    pub(super) fn save_to(&self, text: &mut String) {
        put(text, r#"{"width":"#, self.width);
        put(text, r#","newest":"#, self.newest);
        let mut before = r#","amounts":[["#;
        for (stretch, amount) in self.holding() {
            put(text, before, self.newest - stretch);
            put(text, ",", amount);
            put(text, ",", self.last_uses[Self::slot(stretch)] - stretch * self.width);
            before = "],[";
        }
        text.push_str(if self.filled == 0 { r#","amounts":[]}"# } else { "]]}" });
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
            rolling.set(Self::slot(stretch), (*amount).min(u64::MAX - rolling.total));
            rolling.last_uses[Self::slot(stretch)] = stretch * rolling.width + last_use;
        }
        // All of the newest stretch may have been taken back.
        let newest = &mut rolling.last_uses[Self::slot(saved.newest)];
        if *newest == 0 {
            *newest = saved.newest * rolling.width;
        }
        Some(rolling)
    }
}

/// A number, behind what stands before it.
pub(super) fn put(text: &mut String, before: &str, number: impl itoa::Integer) {
    text.push_str(before);
    text.push_str(itoa::Buffer::new().format(number));
}

/// A rolling window as it is kept: the stretches that hold anything, each by its age in stretches, its amount, and when after its
/// beginning it was last used, in microseconds.
#[derive(Debug, Deserialize)]
pub(super) struct Saved {
    width: i64,
    newest: i64,
    amounts: Vec<(i64, u64, i64)>,
}

//! Amounts of a rolling window in sixty stretches of time: bounded memory, never early, at most a sixtieth late.

use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use smallvec::SmallVec;

use crate::clock::{earlier, later, until};

use super::meter::Fit;

/// Stretches of a rolling window: an amount is given back at most one sixtieth of the length late, never early.
const STRETCHES: i64 = 60;

/// A provider counts a request when it arrives, and the next one may be quicker on its way: what is given back to the moment may be
/// too early there.
pub(super) const TRANSIT: Duration = Duration::from_millis(50);

/// Moments of several processes, and of a clock that was set back a little, may come so far out of order.
pub(super) const DISORDER: Duration = Duration::from_mins(1);

/// Amounts of the last sixty stretches of time and the one under way. What was used at one moment of a stretch alone is given back without
/// delay.
#[derive(Debug)]
pub(super) struct Rolling {
    /// How long an amount counts.
    length: Duration,
    /// Microseconds a stretch spans.
    width: i64,
    /// All amounts together: ranking asks for the sum far more often than anything is added.
    total: u64,
    /// Those that were used, oldest first: most windows of most meters hold few.
    stretches: SmallVec<[Stretch; 2]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    /// Counted from the epoch.
    number: i64,
    amount: u64,
    /// Microseconds since the epoch. The amount is given back a window's length after that.
    last_use: i64,
}

impl Clone for Rolling {
    fn clone(&self) -> Self {
        Self { stretches: self.stretches.clone(), ..*self }
    }

    fn clone_from(&mut self, source: &Self) {
        (self.length, self.width, self.total) = (source.length, source.width, source.total);
        self.stretches.clone_from(&source.stretches);
    }
}

impl Rolling {
    pub(super) fn new(length: Duration) -> Self {
        let length = length.saturating_add(TRANSIT);
        let micros = micros(length);
        // Rounded up: sixty stretches are never shorter than the window.
        let width = micros / STRETCHES + i64::from(micros % STRETCHES > 0);
        Self { length, width, total: 0, stretches: SmallVec::new() }
    }

    fn number(&self, at: Timestamp) -> i64 {
        at.as_microsecond().div_euclid(self.width)
    }

    fn newest(&self) -> Option<&Stretch> {
        self.stretches.last()
    }

    /// What was last used by this moment counts no more at `now`.
    fn counts_from(&self, now: Timestamp) -> i64 {
        now.as_microsecond().saturating_sub(micros(self.length))
    }

    /// When what was used in a stretch is given back.
    fn given_back(&self, stretch: &Stretch) -> Timestamp {
        let last_use = Timestamp::from_microsecond(stretch.last_use).unwrap_or(Timestamp::MAX);
        later(last_use, self.length)
    }

    /// The stretches that hold anything, oldest first.
    fn holding(&self) -> impl DoubleEndedIterator<Item = &Stretch> {
        self.stretches.iter().filter(|stretch| stretch.amount > 0)
    }

    /// Those of them that still count at `now`.
    fn counting(&self, now: Timestamp) -> impl Iterator<Item = &Stretch> {
        let is_ahead = self.is_ahead(now);
        self.holding().skip_while(move |stretch| is_ahead || self.given_back(stretch) <= now)
    }

    /// Whether everything was counted after `now`, by a clock that was ahead and was put right: it says nothing of now.
    fn is_ahead(&self, now: Timestamp) -> bool {
        self.newest().is_some_and(|newest| newest.last_use > later(now, self.length + DISORDER).as_microsecond())
    }

    pub(super) fn used(&self, now: Timestamp) -> u64 {
        let counts_from = self.counts_from(now);
        if self.newest().is_none_or(|newest| newest.last_use <= counts_from) || self.is_ahead(now) {
            return 0;
        }
        let over = self.holding().take_while(|stretch| stretch.last_use <= counts_from);
        self.total - over.map(|stretch| stretch.amount).sum::<u64>()
    }

    /// What is used at `now`, without the stretches in which anything was used at `since` or later.
    pub(super) fn used_before(&self, since: Timestamp, now: Timestamp) -> u64 {
        let before = |stretch: &&Stretch| stretch.last_use < since.as_microsecond();
        self.counting(now).take_while(before).map(|stretch| stretch.amount).sum()
    }

    /// Until when as much is used as at `now`, if nothing is added.
    pub(super) fn changes_at(&self, now: Timestamp) -> Timestamp {
        let Some(newest) = self.newest().filter(|_| self.total > 0) else { return Timestamp::MAX };
        // What a clock that was ahead counted begins to count at no moment that is worth finding.
        if self.is_ahead(now) {
            return now;
        }
        let counts_from = self.counts_from(now);
        // All of it is over with the newest, at the latest.
        let mut last_uses = self.holding().map(|stretch| stretch.last_use);
        let oldest = last_uses.find(|last_use| *last_use > counts_from);
        let oldest = oldest.map_or(newest.last_use, |oldest| oldest.min(newest.last_use));
        if oldest <= counts_from {
            return Timestamp::MAX;
        }
        Timestamp::from_microsecond(oldest.saturating_add(micros(self.length))).unwrap_or(Timestamp::MAX)
    }

    pub(super) fn empty_at(&self, now: Timestamp) -> Option<Timestamp> {
        self.counting(now).last().map(|stretch| self.given_back(stretch))
    }

    /// When `used`, what counts at `now`, will be no more than `room`.
    pub(super) fn fit(&self, mut used: u64, room: u64, now: Timestamp) -> Fit {
        if used <= room {
            return Fit::Now;
        }
        for stretch in self.counting(now) {
            used -= stretch.amount;
            if used <= room {
                return Fit::At(self.given_back(stretch));
            }
        }
        Fit::Never
    }

    pub(super) fn add(&mut self, amount: u64, now: Timestamp) {
        if self.is_ahead(now) {
            self.total = 0;
            self.stretches.clear();
        }
        // A clock that was set back by less counts into the newest stretch: late, never early.
        let number = self.newest().map_or(i64::MIN, |newest| newest.number).max(self.number(now));
        // Rounded up: never early. A clock that was set back gives nothing back sooner.
        self.count(number, amount, now.as_microsecond() + i64::from(now.subsec_nanosecond() % 1_000 > 0));
    }

    /// Counts what somebody else used, whose provider says when it is given back: all of it at that moment, or bit by bit until then.
    pub(super) fn add_until(&mut self, amount: u64, reset: Timestamp, is_refilled: bool, now: Timestamp) {
        let reset = reset.clamp(now, later(now, self.length));
        if self.is_ahead(now) {
            self.add(0, now);
        }
        let pieces =
            if is_refilled { u32::try_from(amount.clamp(1, STRETCHES.unsigned_abs())).unwrap_or(1) } else { 1 };
        let passes = until(now, reset);
        let whole = |piece: u32| u128::from(amount) * u128::from(piece) / u128::from(pieces);
        for piece in 1..=pieces {
            let part = u64::try_from(whole(piece) - whole(piece - 1)).unwrap_or(amount);
            self.add_earlier(part, earlier(later(now, passes * piece / pieces), self.length));
        }
    }

    /// Counts what was used at a moment that may lie before the newest.
    fn add_earlier(&mut self, amount: u64, at: Timestamp) {
        match self.newest().map(|newest| newest.number) {
            Some(newest) if self.number(at) <= newest => {
                self.count(self.number(at).max(newest - STRETCHES), amount, at.as_microsecond());
            }
            _ => self.add(amount, at),
        }
    }

    /// Counts an amount into a stretch that is none of those forgotten.
    fn count(&mut self, number: i64, amount: u64, last_use: i64) {
        let place = self.place(number);
        let amount = amount.min(u64::MAX - self.total);
        self.total += amount;
        let stretch = &mut self.stretches[place];
        stretch.amount += amount;
        stretch.last_use = stretch.last_use.max(last_use);
    }

    /// Where a stretch stands from now on. With a new one those are forgotten that count no more.
    fn place(&mut self, number: i64) -> usize {
        let before = self.stretches.iter().rposition(|stretch| stretch.number <= number);
        if let Some(place) = before.filter(|place| self.stretches[*place].number == number) {
            return place;
        }
        let forgotten = self.stretches.partition_point(|stretch| stretch.number < number - STRETCHES);
        self.total -= self.stretches.drain(..forgotten).map(|stretch| stretch.amount).sum::<u64>();
        let place = before.map_or(0, |before| before + 1 - forgotten);
        self.stretches.insert(place, Stretch { number, amount: 0, last_use: 0 });
        place
    }

    pub(super) fn take_back(&mut self, amount: u64, at: Timestamp, now: Timestamp) {
        let number = self.number(at);
        let place = self.stretches.iter().rposition(|stretch| stretch.number == number);
        if let Some(place) = place.filter(|place| self.given_back(&self.stretches[*place]) > now) {
            self.take(place, amount);
        }
    }

    /// Takes back `amount`, oldest first: what the provider has given back already is what was used longest ago.
    pub(super) fn take_oldest(&mut self, mut amount: u64, now: Timestamp) {
        let Some(oldest) = self.counting(now).next().map(|oldest| oldest.number) else { return };
        let first = self.stretches.partition_point(|stretch| stretch.number < oldest);
        for place in first..self.stretches.len() {
            amount -= self.take(place, amount);
        }
    }

    /// Takes so much from a stretch, or all there is, and says how much that was.
    fn take(&mut self, place: usize, amount: u64) -> u64 {
        let taken = amount.min(self.stretches[place].amount);
        self.stretches[place].amount -= taken;
        self.total -= taken;
        taken
    }

    /// The stretches with their amounts, to be kept, at the end of a text: `Saved` in JSON.
    pub(super) fn save_to(&self, text: &mut String) {
        put(text, r#"{"width":"#, self.width);
        put(text, r#","newest":"#, self.newest_number());
        text.push_str(r#","amounts":["#);
        self.put_stretches(self.holding().copied(), text);
        text.push_str("]}");
    }

    /// The same of those that are otherwise than they were `before`: `Saved` in JSON too, without its names.
    pub(super) fn save_since(&self, before: &Self, text: &mut String) {
        put(text, "[", self.width);
        put(text, ",", self.newest_number());
        text.push_str(",[");
        self.put_stretches(self.changed_since(before), text);
        text.push_str("]]");
    }

    pub(super) const fn is_as_long_as(&self, other: &Self) -> bool {
        self.width == other.width
    }

    fn newest_number(&self) -> i64 {
        self.newest().map_or(0, |newest| newest.number)
    }

    fn put_stretches(&self, stretches: impl Iterator<Item = Stretch>, text: &mut String) {
        let newest = self.newest_number();
        for (stretch, place) in stretches.zip(0..) {
            put(text, if place == 0 { "[" } else { ",[" }, newest - stretch.number);
            put(text, ",", stretch.amount);
            put(text, ",", stretch.last_use - stretch.number * self.width);
            text.push(']');
        }
    }

    /// The stretches that are otherwise than they were, mostly the newest ones; of those that are gone, and not for their age, nothing is left.
    fn changed_since(&self, before: &Self) -> impl Iterator<Item = Stretch> {
        let oldest = self.newest_number() - STRETCHES;
        let known = &before.stretches[before.stretches.partition_point(|stretch| stretch.number < oldest)..];
        let same = self.stretches.iter().zip(known).take_while(|(now, before)| now == before).count();
        let (now, known) = (&self.stretches[same..], &known[same..]);
        let is_there = |stretch: &Stretch| now.iter().any(|now| now.number == stretch.number);
        let gone = known.iter().filter(move |stretch| stretch.amount > 0 && !is_there(stretch));
        let changed = now.iter().filter(|stretch| !known.contains(stretch)).copied();
        changed.chain(gone.map(|stretch| Stretch { amount: 0, ..*stretch }))
    }

    /// Takes over what was saved: all of a window, or those of its stretches that changed. What is of another window says nothing here.
    pub(super) fn update(&mut self, saved: &Saved) {
        let begins = saved.newest.checked_mul(self.width);
        if saved.width != self.width || begins.is_none_or(|begins| Timestamp::from_microsecond(begins).is_err()) {
            return;
        }
        let is_kept = |stretch: &mut Stretch| (saved.newest - STRETCHES..=saved.newest).contains(&stretch.number);
        self.stretches.retain(is_kept);
        for (age, amount, last_use) in saved.amounts.iter().filter(|(age, ..)| (0..=STRETCHES).contains(age)) {
            let number = saved.newest - age;
            let place = self.place(number);
            let last_use = (number * self.width).saturating_add(*last_use);
            self.stretches[place] = Stretch { number, amount: *amount, last_use };
        }
        // All of the newest stretch may have been taken back.
        let newest = self.place(saved.newest);
        self.stretches[newest].last_use = self.stretches[newest].last_use.max(saved.newest * self.width);
        self.total = 0;
        for stretch in &mut self.stretches {
            stretch.amount = stretch.amount.min(u64::MAX - self.total);
            self.total += stretch.amount;
        }
    }

    /// What is kept of a window, with what changed of it since, where nobody here knows its length.
    pub(super) fn merged(kept: Option<&Saved>, changed: &Saved) -> String {
        let length = Duration::from_micros(changed.width.saturating_mul(STRETCHES).unsigned_abs());
        let mut rolling = Self { length, width: changed.width, total: 0, stretches: SmallVec::new() };
        for saved in kept.into_iter().chain([changed]) {
            rolling.update(saved);
        }
        let mut text = String::new();
        rolling.save_to(&mut text);
        text
    }
}

fn micros(length: Duration) -> i64 {
    i64::try_from(length.as_micros()).unwrap_or(i64::MAX)
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

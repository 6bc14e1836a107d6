//! A limit's count: how much is used, how much fits, and the exact moment from which it does.

use std::time::Duration;

use jiff::Timestamp;

use crate::chat::Period;
use crate::clock::{later, until};

use super::limit::{Kind, Limit, Source};
use super::rolling::{DISORDER, Rolling};
use super::signal::Fact;
use super::window::{self, Window, next_boundary};

pub use saved::merged;

/// After so many windows without a refusal a guessed limit is raised by a tenth.
const WINDOWS_TO_A_RAISE: u32 = 10;

/// Up to a calendar's turn there is less time with each moment: a hundredth of it matters to no price.
const PRECISION: u32 = 100;

/// Whether an amount fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fit {
    Now,
    /// Not before this moment, if nothing else is used until then.
    At(Timestamp),
    /// The amount is larger than the limit.
    Never,
}

/// How full a meter is at an instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    pub used: u64,
    pub limit: u64,
}

impl Level {
    pub const fn left(self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// What a meter shows at an instant, and goes on showing as time passes and nothing else does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Glance {
    pub level: Level,
    /// How long what is left has to last: until a calendar's turn, or as long as a rolling window takes to give everything back.
    pub lasts: Duration,
    /// Before this moment the level is the same, and `lasts` at most a hundredth too long.
    pub until: Timestamp,
}

/// A meter's value at an instant, and who says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    pub used: u64,
    pub limit: u64,
    /// When the window turns, or when a rolling one has given everything back.
    pub resets_at: Option<Timestamp>,
    pub used_source: Source,
    pub limit_source: Source,
    /// When a provider last said something about it.
    pub observed_at: Option<Timestamp>,
    /// The limit that a header last named, and when.
    pub named: Option<(u64, Timestamp)>,
}

impl Reading {
    pub const fn remaining(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// The count against one limit, and what its provider said about both.
#[derive(Debug)]
pub struct Meter {
    pub limit: Limit,
    count: Count,
    learned: Option<Learned>,
    /// When a header last told what remains.
    told_at: Option<Timestamp>,
    /// The limit that a header last named, also where it is the documented one: evidence on what the documents say.
    named: Option<(u64, Timestamp)>,
}

#[derive(Debug)]
enum Count {
    Rolling(Rolling),
    Calendar { turns_at: Timestamp, used: u64, added_at: Timestamp },
}

/// A limit other than the documented one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Learned {
    amount: u64,
    source: Source,
    /// Nobody named it: a refusal came at this count.
    guessed: bool,
    at: Timestamp,
}

/// Into the place of one that was the same: what stands there is used again.
impl Clone for Meter {
    fn clone(&self) -> Self {
        Self { limit: self.limit.clone(), count: self.count.clone(), ..*self }
    }

    fn clone_from(&mut self, source: &Self) {
        if self.limit != source.limit {
            self.limit.clone_from(&source.limit);
        }
        self.count.clone_from(&source.count);
        (self.learned, self.told_at, self.named) = (source.learned, source.told_at, source.named);
    }
}

impl Clone for Count {
    fn clone(&self) -> Self {
        match self {
            Self::Rolling(rolling) => Self::Rolling(rolling.clone()),
            Self::Calendar { turns_at, used, added_at } => {
                Self::Calendar { turns_at: *turns_at, used: *used, added_at: *added_at }
            }
        }
    }

    fn clone_from(&mut self, source: &Self) {
        match (self, source) {
            (Self::Rolling(rolling), Self::Rolling(source)) => rolling.clone_from(source),
            (count, source) => *count = source.clone(),
        }
    }
}

impl Meter {
    pub fn new(limit: Limit) -> Self {
        let count = match limit.window {
            Window::Rolling { length } => Count::Rolling(Rolling::new(length)),
            Window::Calendar { .. } => Count::Calendar { turns_at: Timestamp::MIN, used: 0, added_at: Timestamp::MIN },
        };
        Self { limit, count, learned: None, told_at: None, named: None }
    }

    pub const fn kind(&self) -> Kind {
        self.limit.kind
    }

    /// The limit that counts at `now`, and who says so: the user, else a header or refusal, else the documents.
    fn amount(&self, now: Timestamp) -> (u64, Source) {
        let documented = (self.limit.amount, self.limit.source);
        match &self.learned {
            _ if self.limit.source == Source::User => documented,
            None => documented,
            Some(learned) if !learned.guessed => (learned.amount, learned.source),
            Some(learned) => {
                let raised = learned.raised(&self.limit.window, now);
                if raised < self.limit.amount { (raised, learned.source) } else { documented }
            }
        }
    }

    /// No amount above this ever fits. A guess forbids nothing for good: it may be wrong. Nor does what was named long ago, for what is
    /// never asked is never named again.
    pub fn ceiling(&self, now: Timestamp) -> u64 {
        match &self.learned {
            Some(learned) if !learned.guessed && self.limit.source != Source::User => {
                let documented = if learned.is_stale(self.limit.period, now) { self.limit.amount } else { 0 };
                learned.amount.max(documented)
            }
            _ => self.limit.amount,
        }
    }

    /// Whether `amount` more fits at `now`, and if not, when.
    pub fn fit(&self, amount: u64, now: Timestamp) -> Fit {
        self.fit_from(self.level(now), amount, now)
    }

    /// The same where the level at `now` is known.
    pub fn fit_from(&self, level: Level, amount: u64, now: Timestamp) -> Fit {
        if amount > self.ceiling(now) {
            return Fit::Never;
        }
        let room = level.limit.saturating_sub(amount);
        match &self.count {
            Count::Rolling(rolling) => rolling.fit(level.used, room, now),
            Count::Calendar { .. } if level.used <= room => Fit::Now,
            Count::Calendar { turns_at, .. } => Fit::At(*turns_at),
        }
    }

    /// What it shows at `now`, and until when, if nothing changes it.
    pub fn glance(&self, now: Timestamp) -> Glance {
        let turn = self.turn(now);
        let limit = self.amount(now).0;
        let (used, lasts, until) = match (&self.count, &self.limit.window) {
            (Count::Rolling(rolling), Window::Rolling { length }) => {
                (rolling.used(now), *length, rolling.changes_at(now))
            }
            (Count::Calendar { used, turns_at, .. }, window) => {
                let lasts = until(now, turn.unwrap_or_else(|| window.restored_after(now)));
                // One that was counted in by a clock that is ahead begins to count at no moment that is worth finding.
                let is_ahead = turn.is_none() && *turns_at > now;
                (turn.map_or(0, |_| *used), lasts, if is_ahead { now } else { later(now, lasts / PRECISION) })
            }
            (Count::Rolling(_), Window::Calendar { .. }) => unreachable!("`new` pairs counts with windows"),
        };
        // A guessed limit is raised as time passes.
        let is_guessed = self.learned.is_some_and(|learned| learned.guessed);
        Glance { level: Level { used, limit }, lasts, until: if is_guessed { now } else { until } }
    }

    /// What is used at `now`, of how much.
    pub fn level(&self, now: Timestamp) -> Level {
        Level { used: self.used(now), limit: self.amount(now).0 }
    }

    /// When `amount` fits once so much else has been taken before it. More than one window holds is spread over as many as it needs.
    pub fn fit_after(&self, before: u64, amount: u64, now: Timestamp) -> Fit {
        let most = self.amount(now).0.max(amount).max(1);
        let all = before.saturating_add(amount);
        let windows = all.saturating_sub(1) / most;
        let fit = self.fit(all - windows * most, now);
        let (Fit::Now | Fit::At(_)) = fit else { return fit };
        let moment = if let Fit::At(moment) = fit { moment } else { now };
        let turn = |moment, _| self.limit.window.restored_after(moment);
        if windows == 0 { fit } else { Fit::At((0..windows).fold(moment, turn)) }
    }

    /// Counts `amount` as used at `now`.
    pub fn add(&mut self, amount: u64, now: Timestamp) {
        let is_under_way = self.turn(now).is_some();
        match &mut self.count {
            Count::Rolling(rolling) => rolling.add(amount, now),
            Count::Calendar { turns_at, used, added_at } => {
                *added_at = now.max(*added_at);
                if !is_under_way {
                    (*turns_at, *used, *added_at) = (self.limit.window.restored_after(now), 0, now);
                    self.told_at = None;
                }
                *used = used.saturating_add(amount);
            }
        }
    }

    /// Takes back `amount` that was counted at `at`; what its window has given back since is not taken twice.
    pub fn take_back(&mut self, amount: u64, at: Timestamp, now: Timestamp) {
        match &mut self.count {
            Count::Rolling(rolling) => rolling.take_back(amount, at, now),
            Count::Calendar { turns_at, used, .. } => {
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

    /// Takes a header's word: the limit, what remains of it, and when it is whole again.
    ///
    /// `open` is what is reserved and not settled yet, which the provider may not have counted. More use than was counted here
    /// is somebody else's; less means that the provider has given back sooner than its documents say. Providers reckon as a request comes
    /// in: of what was counted since this one was reserved, at `since`, its headers know nothing.
    pub fn tell(&mut self, fact: &Fact, open: u64, since: Timestamp, now: Timestamp) {
        let Fact { limit, remaining, resets_at, .. } = *fact;
        if let Some(limit) = limit.filter(|limit| *limit > 0) {
            let learned = Learned { amount: limit, source: Source::Header, guessed: false, at: now };
            self.learned = (limit != self.limit.amount).then_some(learned);
            self.named = Some((limit, now));
        }
        let Some(remaining) = remaining else { return };
        let reported = limit.unwrap_or(self.amount(now).0).saturating_sub(remaining);
        let counted = self.used(now);
        if reported > counted {
            self.add_of_others(reported - counted, resets_at.filter(|reset| *reset > now), now);
        } else {
            self.give_back(self.used_before(since, now).saturating_sub(reported.saturating_add(open)), now);
        }
        self.told_at = Some(now);
    }

    /// Nobody knows when it was used; the provider may have said when it is given back. Long windows that roll are refilled by the clock.
    fn add_of_others(&mut self, amount: u64, resets_at: Option<Timestamp>, now: Timestamp) {
        match (&mut self.count, resets_at) {
            (Count::Rolling(rolling), Some(reset)) => {
                rolling.add_until(amount, reset, self.limit.period >= Period::Hour, now);
            }
            _ => self.add(amount, now),
        }
    }

    /// Takes a refusal's word for the limit, which may only lower it.
    pub fn tell_lower(&mut self, limit: u64, now: Timestamp) {
        if limit > 0 && limit < self.ceiling(now) {
            self.learned = Some(Learned { amount: limit, source: Source::Error, guessed: false, at: now });
        }
    }

    /// A refusal came although `amount` seemed to fit: what was counted before it is the limit, for all that is known.
    /// Says whether that was believed. Where less than half was used, something else is the likelier cause; and of a calendar's
    /// window the reset is what counts, not a limit that somebody else's use made look small.
    pub fn refuse(&mut self, amount: u64, now: Timestamp) -> bool {
        let before = self.used(now).saturating_sub(amount);
        let (most, _) = self.amount(now);
        let is_rolling = matches!(self.count, Count::Rolling(_));
        if !is_rolling || self.limit.source == Source::User || before == 0 || before.saturating_mul(2) < most {
            return false;
        }
        if before < most {
            self.learned = Some(Learned { amount: before, source: Source::Error, guessed: true, at: now });
        }
        true
    }

    fn give_back(&mut self, amount: u64, now: Timestamp) {
        match &mut self.count {
            Count::Rolling(rolling) => rolling.take_oldest(amount, now),
            Count::Calendar { used, .. } => *used = used.saturating_sub(amount),
        }
    }

    fn used(&self, now: Timestamp) -> u64 {
        match &self.count {
            Count::Rolling(rolling) => rolling.used(now),
            Count::Calendar { used, .. } => self.turn(now).map_or(0, |_| *used),
        }
    }

    /// When the calendar's window turns that was counted in, while it is under way. One that has not begun was counted in by a clock that was
    /// ahead, and says nothing of now.
    fn turn(&self, now: Timestamp) -> Option<Timestamp> {
        let Count::Calendar { turns_at, .. } = self.count else { return None };
        let is_under_way = || turns_at <= self.limit.window.restored_after(later(now, DISORDER));
        (turns_at > now && is_under_way()).then_some(turns_at)
    }

    /// What is used at `now` and was counted before `since` for certain. A calendar's window knows when it was last added to, and no more.
    fn used_before(&self, since: Timestamp, now: Timestamp) -> u64 {
        match &self.count {
            Count::Rolling(rolling) => rolling.used_before(since, now),
            Count::Calendar { added_at, .. } if *added_at > since => 0,
            Count::Calendar { .. } => self.used(now),
        }
    }

    pub fn reading(&self, now: Timestamp) -> Reading {
        let (limit, limit_source) = self.amount(now);
        let (resets_at, told_at) = match (&self.count, &self.limit.window) {
            // What was told a window ago says nothing about this one.
            (Count::Rolling(rolling), Window::Rolling { length }) => {
                (rolling.empty_at(now), self.told_at.filter(|told| until(*told, now) < *length))
            }
            _ => self.turn(now).map_or((None, None), |turn| (Some(turn), self.told_at)),
        };
        let used_source = if told_at.is_some() { Source::Header } else { Source::Counted };
        Reading {
            used: self.used(now),
            limit,
            resets_at,
            used_source,
            limit_source,
            observed_at: told_at,
            named: self.named,
        }
    }
}

impl Learned {
    /// Whether it was named more than a window, and more than an hour ago.
    fn is_stale(&self, period: Period, now: Timestamp) -> bool {
        until(self.at, now) > window::length(period.max(Period::Hour))
    }

    /// A guess grows while nothing speaks against it, so that what was another program's use is not held against the limit for ever.
    fn raised(&self, window: &Window, now: Timestamp) -> u64 {
        let Window::Rolling { length } = window else { return self.amount };
        let step = length.saturating_mul(WINDOWS_TO_A_RAISE).max(Duration::from_secs(1));
        let steps = u64::try_from(until(self.at, now).as_nanos() / step.as_nanos()).unwrap_or(u64::MAX);
        self.amount.saturating_add(steps.saturating_mul((self.amount / 10).max(1)))
    }
}

mod saved;
#[cfg(test)]
mod tests;

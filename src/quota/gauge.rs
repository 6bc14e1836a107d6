//! What a meter shows at a glance: enough for most requests, in one place of memory. Ranking asks hundreds of meters, and changes none.

use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;

use super::limit::Kind;
use super::meter::Meter;
use super::window::next_midnight;

/// A meter that is shared with readers, and its glance.
#[derive(Debug, Clone)]
pub struct Gauged {
    glance: Glance,
    meter: Arc<Meter>,
}

/// How many times something is given back before a glance has to be renewed: more than most windows hold.
pub(super) const STEPS: usize = 2;

/// What is used as time passes and nothing else does. Moments are microseconds since the epoch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Glance {
    pub kind: Kind,
    pub limit: u64,
    /// So much is used until then, step by step.
    pub steps: [(i64, u64); STEPS],
    /// From then on nothing is used.
    pub empty_from: i64,
    pub lasts: Lasts,
}

/// How long what is left has to last.
#[derive(Debug, Clone, Copy)]
pub(super) enum Lasts {
    /// So many seconds: a rolling window's length.
    For(f64),
    /// Up to a calendar window's turn.
    Until(i64),
    /// Up to the next midnight in UTC.
    UntilMidnight,
}

/// A moment to look at meters, reckoned once for hundreds of them.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    micros: i64,
    /// Seconds up to the next midnight in UTC.
    to_midnight: f64,
}

impl Look {
    pub fn at(now: Timestamp) -> Self {
        let micros = now.as_microsecond();
        Self { micros, to_midnight: seconds(micros, next_midnight(now.as_second()) * 1_000_000) }
    }
}

impl Gauged {
    pub fn new(meter: Meter) -> Self {
        Self { glance: meter.glance(), meter: Arc::new(meter) }
    }

    /// Changes the meter; whoever reads it now goes on reading it as it was.
    pub fn change<T>(&mut self, change: impl FnOnce(&mut Meter) -> T) -> T {
        let changed = change(Arc::make_mut(&mut self.meter));
        self.glance = self.meter.glance();
        changed
    }

    pub const fn kind(&self) -> Kind {
        self.glance.kind
    }

    /// The meter as it is now, for later.
    pub fn kept(&self) -> Arc<Meter> {
        Arc::clone(&self.meter)
    }

    /// Where `amount` fits for all a glance tells: what is left, and for how many seconds it has to last.
    pub fn at_a_glance(&self, amount: u64, look: Look) -> Option<(u64, f64)> {
        let Glance { limit, ref steps, empty_from, lasts, .. } = self.glance;
        let now = look.micros;
        let used = match steps.iter().find(|(until, _)| now < *until) {
            Some((_, used)) => *used,
            None if now >= empty_from => 0,
            None => return None,
        };
        if used > limit || amount > limit - used {
            return None;
        }
        let lasts = match lasts {
            Lasts::For(seconds) => seconds,
            Lasts::Until(turn) => seconds(now, turn),
            Lasts::UntilMidnight => look.to_midnight,
        };
        Some((limit - used, lasts))
    }
}

/// From one moment to another, in microseconds since the epoch.
#[expect(clippy::cast_precision_loss, reason = "prices need no exact moments")]
fn seconds(from: i64, to: i64) -> f64 {
    (to - from).max(0) as f64 / 1e6
}

impl Deref for Gauged {
    type Target = Meter;

    fn deref(&self) -> &Meter {
        &self.meter
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;
    use crate::chat::{Period, Scope};
    use crate::clock::later;
    use crate::quota::{Fact, Fit, Limit, Source, Window};

    fn meter(window: Window, period: Period) -> Meter {
        let (kind, scope, source) = (Kind::Requests, Scope::Model, Source::Docs);
        Meter::new(Limit { kind, amount: 100, period, window, scope, source, evidence: None })
    }

    /// Something is left, and all of it is back after half a minute.
    fn told(remaining: u64, now: Timestamp) -> Fact {
        let (kind, period, source) = (Kind::Requests, Period::Minute, Source::Header);
        let resets_at = Some(later(now, Duration::from_secs(30)));
        Fact { kind, period, limit: Some(90), remaining: Some(remaining), resets_at, source }
    }

    proptest! {
        /// Whatever was done to a meter, and whenever it is looked at: a glance says nothing, or what the meter itself says.
        #[test]
        fn a_glance_says_what_the_meter_says(
            rolling in any::<bool>(),
            acts in prop::collection::vec((0_u8..5, 0_u64..120, 0_u64..40_000), 1..40),
            looks in prop::collection::vec((0_u64..120_000, 0_u64..150), 1..8),
        ) {
            let minute = Window::Rolling { length: Duration::from_mins(1) };
            let meter = if rolling { meter(minute, Period::Minute) } else { meter(Window::usual(Period::Day), Period::Day) };
            let mut gauged = Gauged::new(meter);
            let mut now = Timestamp::from_second(1_000_000_000).expect("a moment");
            for (act, amount, passed) in acts {
                now = later(now, Duration::from_millis(passed));
                gauged.change(|meter| match act {
                    0 | 1 => meter.add(amount, now),
                    2 => meter.take_back(amount, now, now),
                    3 => meter.tell(&told(amount, now), 3, now, now),
                    _ => _ = meter.refuse(amount, now),
                });
            }
            for (passed, amount) in looks {
                let then = later(now, Duration::from_millis(passed));
                if let Some((left, lasts)) = gauged.at_a_glance(amount, Look::at(then)) {
                    prop_assert_eq!(left, gauged.level(then).left());
                    prop_assert_eq!(Fit::Now, gauged.fit(amount, then));
                    prop_assert!((lasts - gauged.lasts(then).as_secs_f64()).abs() < 1e-5);
                }
            }
        }
    }

    #[test]
    fn a_meter_at_rest_needs_no_more_than_a_glance() {
        let mut gauged = Gauged::new(meter(Window::Rolling { length: Duration::from_mins(1) }, Period::Minute));
        let now = Timestamp::from_second(1_000_000_000).expect("a moment");
        let glance = |gauged: &Gauged, seconds| {
            gauged.at_a_glance(1, Look::at(later(now, Duration::from_secs(seconds)))).map(|(left, _)| 100 - left)
        };
        assert_eq!(glance(&gauged, 0), Some(0));
        gauged.change(|meter| meter.add(3, now));
        gauged.change(|meter| meter.add(4, later(now, Duration::from_secs(30))));
        assert_eq!([31, 70, 200].map(|seconds| glance(&gauged, seconds)), [Some(7), Some(4), Some(0)]);
        (31..50).for_each(|second| gauged.change(|meter| meter.add(1, later(now, Duration::from_secs(second)))));
        assert_eq!([50, 70, 100, 200].map(|seconds| glance(&gauged, seconds)), [Some(26), Some(23), None, Some(0)]);
    }
}

//! How a route has fared lately: breaker, latency, failures, usual answer. Known to this process only.

use std::ops::Deref;
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::{later, until};

use super::changes::Changes;
use super::fleet::{Fleet, RouteId};

/// Failures in a row that open the breaker.
const FAILURES_TO_OPEN: u32 = 3;

/// How long an opened breaker stays open at first, doubling with each failed probe.
const OPEN_FOR: Duration = Duration::from_secs(15);
const OPEN_AT_MOST: Duration = Duration::from_mins(10);
/// A local endpoint is restarted within seconds.
const LOCAL_OPEN_AT_MOST: Duration = Duration::from_secs(5);

/// After so long a failure counts half.
const FORGETTING: Duration = Duration::from_secs(10);

/// A smaller share of failures is none: its price is less than a wait that anybody notices.
const NO_SHARE: f64 = 0.001;

/// How much the newest observation weighs in a running mean.
const NEWEST_WEIGHT: f64 = 0.2;

/// Whether calls go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Breaker {
    Closed {
        failures: u32,
    },
    /// No calls while others can answer; from `until` on, one probe.
    Open {
        until: Timestamp,
        opened: u32,
    },
    /// One call is under way to see whether it works again; if it never reports, another may go at `until`.
    Probing {
        until: Timestamp,
        opened: u32,
    },
}

/// One route's recent past.
#[derive(Debug, Clone)]
pub struct Health {
    pub breaker: Breaker,
    /// Mean milliseconds to the first event; `None` before the first answer.
    pub first_event_ms: Option<f64>,
    /// Mean share of attempts that failed, 0 to 1, as of the last failure.
    failure_share: f64,
    failed_at: Timestamp,
    /// Mean tokens of an answer; `None` before the first.
    answer_tokens: Option<f64>,
    /// The same in whole tokens: ranking asks for it far more often than it changes.
    usual_answer: Option<u64>,
    /// Its provider counts all that an answer may take, however short answers are.
    is_counted_in_full: bool,
}

impl Default for Health {
    fn default() -> Self {
        Self {
            breaker: Breaker::Closed { failures: 0 },
            first_event_ms: None,
            failure_share: 0.0,
            failed_at: Timestamp::MIN,
            answer_tokens: None,
            usual_answer: None,
            is_counted_in_full: false,
        }
    }
}

/// The health of all routes, by `RouteId`, read as a slice. Changed by `change` alone, so that nothing changes unseen.
#[derive(Debug, Clone)]
pub struct Healths {
    all: Vec<Health>,
    /// The routes whose health was changed.
    changes: Changes,
}

impl Healths {
    /// Nothing known of any route.
    pub fn new(fleet: &Fleet) -> Self {
        let routes = fleet.routes.len();
        Self { all: vec![Health::default(); routes], changes: Changes::of(routes) }
    }

    pub fn change(&mut self, route: RouteId) -> &mut Health {
        self.changes.note(route.0);
        &mut self.all[route.0]
    }

    /// By `RouteId`: whose health was changed, each time.
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }
}

impl Deref for Healths {
    type Target = [Health];

    fn deref(&self) -> &[Health] {
        &self.all
    }
}

impl Health {
    /// It works, and its failures are forgotten: no moment changes what is said of it.
    #[inline]
    pub const fn is_sound(&self) -> bool {
        self.failure_share == 0.0 && matches!(self.breaker, Breaker::Closed { .. })
    }

    /// The share of attempts that are expected to fail: failures of long ago say little about now. An opened breaker whose time is over
    /// says nothing: the next request is the probe, and finds out.
    #[inline]
    pub fn failure_share_at(&self, now: Timestamp) -> f64 {
        if self.failure_share == 0.0 { 0.0 } else { self.lasting_share(now) }
    }

    fn lasting_share(&self, now: Timestamp) -> f64 {
        let is_due = matches!(self.breaker, Breaker::Open { until, .. } if until <= now);
        if is_due { 0.0 } else { self.faded_share(now) }
    }

    fn faded_share(&self, now: Timestamp) -> f64 {
        let passed = until(self.failed_at, now).as_secs_f64() / FORGETTING.as_secs_f64();
        self.failure_share * 0.5_f64.powf(passed)
    }

    /// Whether calls should rather go elsewhere at `now`.
    #[inline]
    pub fn is_shunned(&self, now: Timestamp) -> bool {
        match self.breaker {
            Breaker::Closed { .. } => false,
            Breaker::Open { until, .. } | Breaker::Probing { until, .. } => until > now,
        }
    }

    /// A call is about to go out. The first one past an open breaker's time is the probe.
    pub fn tried(&mut self, now: Timestamp) {
        if let Breaker::Open { until, opened } | Breaker::Probing { until, opened } = self.breaker
            && until <= now
        {
            self.breaker = Breaker::Probing { until: later(now, OPEN_FOR), opened };
        }
    }

    pub fn answered(&mut self, first_event: Duration) {
        // A probe that was answered has found the route as good as new.
        let was_opened = !matches!(self.breaker, Breaker::Closed { .. });
        let share = if was_opened { 0.0 } else { self.failure_share * (1.0 - NEWEST_WEIGHT) };
        self.failure_share = if share < NO_SHARE { 0.0 } else { share };
        self.breaker = Breaker::Closed { failures: 0 };
        self.first_event_ms = Some(mean(self.first_event_ms, first_event.as_secs_f64() * 1_000.0));
    }

    #[expect(clippy::cast_precision_loss, reason = "token counts are far below 2^52")]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of token counts, saturating")]
    pub fn used(&mut self, answer_tokens: u64) {
        let tokens = mean(self.answer_tokens, answer_tokens as f64);
        self.answer_tokens = Some(tokens);
        self.usual_answer = Some(tokens.ceil() as u64).filter(|_| !self.is_counted_in_full);
    }

    /// A request was too large for what the caller allows its answer to take.
    pub const fn counted_in_full(&mut self) {
        self.is_counted_in_full = true;
        self.usual_answer = None;
    }

    /// The usual seconds to the first event.
    #[inline]
    pub fn wait(&self) -> f64 {
        self.first_event_ms.unwrap_or(0.0) / 1_000.0
    }

    /// Tokens of an answer as it usually is, where that is what counts.
    #[inline]
    pub const fn usual_answer(&self) -> Option<u64> {
        self.usual_answer
    }

    /// A call failed in a way that is the route's own fault.
    pub fn broke(&mut self, now: Timestamp, local: bool) {
        self.failure_share = mean(Some(self.faded_share(now)), 1.0);
        self.failed_at = now;
        let opened = match self.breaker {
            Breaker::Closed { failures } if failures + 1 < FAILURES_TO_OPEN => {
                self.breaker = Breaker::Closed { failures: failures + 1 };
                return;
            }
            Breaker::Closed { .. } => 0,
            Breaker::Open { opened, .. } | Breaker::Probing { opened, .. } => opened + 1,
        };
        let most = if local { LOCAL_OPEN_AT_MOST } else { OPEN_AT_MOST };
        let open_for = OPEN_FOR.saturating_mul(1 << opened.min(10)).min(most);
        self.breaker = Breaker::Open { until: later(now, open_for), opened };
    }
}

fn mean(so_far: Option<f64>, newest: f64) -> f64 {
    so_far.map_or(newest, |mean| mean + (newest - mean) * NEWEST_WEIGHT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Timestamp {
        later(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds))
    }

    #[test]
    fn three_failures_open_the_breaker_and_one_answer_closes_it() {
        let mut health = Health::default();
        health.broke(at(0), false);
        health.broke(at(1), false);
        assert!(!health.is_shunned(at(1)));
        health.broke(at(2), false);
        assert!(health.is_shunned(at(2)) && !health.is_shunned(at(17)));
        health.tried(at(17));
        assert!(health.is_shunned(at(18)), "one probe at a time");
        health.broke(at(18), false);
        assert!(health.is_shunned(at(47)) && !health.is_shunned(at(48)), "the second time lasts twice as long");
        health.answered(Duration::from_millis(10));
        assert!(!health.is_shunned(at(19)));
    }

    #[test]
    fn failures_fade_and_a_probe_that_is_due_or_answered_starts_anew() {
        let mut health = Health::default();
        (0..3).for_each(|_| health.broke(at(0), false));
        let share = health.failure_share_at(at(0));
        assert!(share > 0.4 && (health.failure_share_at(at(10)) - share / 2.0).abs() < 1e-9);
        assert!(health.failure_share_at(at(15)) < 1e-9, "the probe is due");
        health.tried(at(15));
        assert!(health.failure_share_at(at(15)) > 0.1, "one probe, no more");
        health.answered(Duration::from_millis(10));
        assert!(health.failure_share_at(at(16)) < 1e-9);
    }

    #[test]
    fn a_local_endpoint_is_shunned_for_seconds_only() {
        let mut health = Health::default();
        (0..9).for_each(|second| health.broke(at(second), true));
        assert!(!health.is_shunned(at(13)));
    }
}

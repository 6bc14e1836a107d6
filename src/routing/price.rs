//! What using a route costs, in seconds: the quota it takes, the time it lasts, and how often it fails.
//!
//! Quota that is left has to last until it comes back. A request that takes a hundredth of it takes a hundredth of that time:
//! one of 30 requests a minute costs two seconds, one of the last three of a day that has six hours left costs two hours, and a
//! thousand that nobody will use before the day turns in a minute cost nothing. So requests go where quota expires soonest, and
//! the dear ones are left for the hour that needs them.

use jiff::Timestamp;

use crate::catalog::Scale;

use super::fleet::{MeterId, Outline, Route};
use super::health::Health;
use super::need::Need;

/// A route whose provider tells no limits is taken to have 30 requests a minute.
const UNTOLD: f64 = 2.0;

/// A local model takes its owner's machine: it goes after quota that is there for the taking, and before a day's is spent.
const LOCAL: f64 = 30.0;

/// Strong models are kept for requests that ask for them.
const STRONG: f64 = 2.0;

/// What an attempt that fails costs, in seconds.
const FAILURE: f64 = 20.0;

/// Of equals, none is so cheap that the others get nothing.
pub(super) const LEAST: f64 = 1.0;

/// What a request over a route costs, in seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Price {
    /// The time that the quota taken would have lasted, of the dearest limit.
    pub quota: f64,
    /// The limit that says so.
    pub binding: Option<MeterId>,
    /// Of a strong model for a request that any would do for: more than one.
    pub factor: f64,
    /// The usual time to the first event.
    pub wait: f64,
    /// What failures will cost, going by those lately.
    pub failures: f64,
}

impl Price {
    /// `quota` is the time of the dearest limit, and which one that is. `strong` is the factor of strong models.
    #[inline]
    pub fn of(
        outline: &Outline,
        strong: f64,
        (quota, binding): (f64, Option<MeterId>),
        health: &Health,
        now: Timestamp,
    ) -> Self {
        Self {
            quota: if quota > outline.untold { quota } else { outline.untold },
            binding,
            factor: if outline.is_large { strong } else { 1.0 },
            wait: health.wait(),
            failures: FAILURE * health.failure_share_at(now),
        }
    }

    /// What is taken for the quota's time of a route that has no limits.
    pub fn untold(route: &Route) -> f64 {
        match (route.meters.is_empty(), route.is_local()) {
            (false, _) => 0.0,
            (true, true) => LOCAL,
            (true, false) => UNTOLD,
        }
    }

    /// The factor of strong models for this need.
    pub fn strong_for(need: &Need) -> f64 {
        if need.filters.scale == Some(Scale::Large) { 1.0 } else { STRONG }
    }

    /// All of it.
    #[inline]
    pub fn total(&self) -> f64 {
        LEAST + self.quota * self.factor + self.wait + self.failures
    }
}

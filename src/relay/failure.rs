//! A request that got no answer: what it came to, and each route's reason.

use std::sync::Arc;

use jiff::Timestamp;

use crate::answer::Attempt;
use crate::chat::{Breakage, Fault};
use crate::routing::{Rejection, Route, Trip};

use super::Relay;

/// A request that got no answer.
#[derive(Debug, Clone)]
pub struct Failure {
    pub fault: Fault,
    pub attempts: Vec<Attempt>,
    /// Routes that were not tried, and why: name and reason.
    pub rejections: Vec<(Arc<str>, Rejection)>,
}

impl Failure {
    /// Each route once, with why it gave no answer and the moment from which it may.
    pub fn reasons(&self) -> Vec<(&str, String, Option<Timestamp>)> {
        let rest =
            |route: &str| self.rejections.iter().find(|(name, _)| **name == *route).and_then(|(_, why)| why.until());
        let mut reasons: Vec<(&str, String, Option<Timestamp>)> = Vec::new();
        for attempt in &self.attempts {
            let Some(fault) = &attempt.fault else { continue };
            // What a route was tried for says more than that it now rests; the rest says until when.
            reasons.retain(|(route, ..)| **route != *attempt.route);
            reasons.push((&attempt.route, fault.word(), fault.until().or_else(|| rest(&attempt.route))));
        }
        for (route, why) in &self.rejections {
            if !reasons.iter().any(|(known, ..)| **known == **route) {
                reasons.push((route, why.text(), why.until()));
            }
        }
        reasons
    }
}

impl Relay {
    /// The failure, with why each route gave no answer.
    pub(super) fn failure(&self, fault: Fault, attempts: Vec<Attempt>, trip: &Trip) -> Failure {
        let only_local = self.fleet.routes.iter().all(Route::is_local);
        let nobody_there = !attempts.is_empty()
            && attempts.iter().all(|attempt| attempt.fault == Some(Fault::Broken(Breakage::Unreachable)));
        // A local server that is merely not running is no set-up: the user has to be told how to get one.
        let fault = if only_local && nobody_there { Fault::NothingSetUp } else { fault };
        let rejections = trip
            .rejections
            .iter()
            .map(|(route, rejection)| (Arc::clone(&self.fleet.route(*route).name), rejection.clone()))
            .collect();
        Failure { fault, attempts, rejections }
    }
}

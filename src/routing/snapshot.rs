//! Readings of all meters, rests and health of all routes, at one instant.

use jiff::Timestamp;

use crate::chat::Fault;
use crate::quota::{Cost, Fit, Meter, Reading};

use super::fleet::{MarkId, MeterId, RouteId};
use super::health::Health;

/// Not before this moment, because of this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub until: Timestamp,
    pub cause: Fault,
}

/// What routing knows. Possibly stale: choosing prefers, reserving decides.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub now: Timestamp,
    pub meters: Vec<Meter>,
    /// By `MarkId`.
    pub marks: Vec<Option<Mark>>,
    /// By `RouteId`.
    pub health: Vec<Health>,
    /// Keys that were rejected, by `KeyId`.
    pub rejected_keys: Vec<bool>,
}

impl Snapshot {
    pub fn reading(&self, meter: MeterId) -> Reading {
        self.meters[meter.0].reading(self.now)
    }

    pub fn fit(&self, meter: MeterId, cost: &Cost) -> Fit {
        let meter = &self.meters[meter.0];
        meter.fit(cost.of(meter.kind()), self.now)
    }

    /// The mark, while it still holds.
    pub fn mark(&self, id: MarkId) -> Option<&Mark> {
        self.marks[id.0].as_ref().filter(|mark| mark.until > self.now)
    }

    pub fn health(&self, route: RouteId) -> &Health {
        &self.health[route.0]
    }
}

//! Requests that wait for quota, each in its place: nobody takes the room that one before it waits for.

use std::collections::BTreeMap;

use jiff::Timestamp;

use crate::quota::{Fit, Kind, Meter};

use super::fleet::{Fleet, MeterId, RouteId};

/// All that wait, by place. A place is kept for the life of a request, also while it tries.
#[derive(Debug, Default)]
pub struct Queue {
    next: u64,
    waiting: BTreeMap<u64, Claim>,
}

/// One of its requests' room: from this moment on, on this route.
#[derive(Debug, Clone, Copy)]
struct Claim {
    route: RouteId,
    from: Timestamp,
}

impl Queue {
    /// Takes a place, or keeps the one it has, and waits for this route.
    pub fn wait(&mut self, place: Option<u64>, route: RouteId, from: Timestamp) -> u64 {
        let place = place.unwrap_or(self.next);
        self.next = self.next.max(place + 1);
        self.waiting.insert(place, Claim { route, from });
        place
    }

    /// Waits no more.
    pub fn leave(&mut self, place: u64) {
        self.waiting.remove(&place);
    }

    /// What those before this place will take; one without a place comes after all.
    pub fn before(&self, place: Option<u64>, fleet: &Fleet) -> Claims {
        let mut claims = Claims::default();
        for claim in self.waiting.range(..place.unwrap_or(u64::MAX)).map(|(_, claim)| claim) {
            for &meter in &fleet.route(claim.route).meters {
                claims.add(meter, claim.from, fleet);
            }
        }
        claims
    }
}

/// Requests that will be made by others before, by meter.
///
/// Tokens are not claimed: a small request may pass a large one that waits for more of them than there are, or a minute's tokens would
/// lie idle until they are enough for the large one.
#[derive(Debug, Clone, Default)]
pub struct Claims(Vec<Claimed>);

#[derive(Debug, Clone, Copy)]
struct Claimed {
    meter: MeterId,
    requests: u64,
    /// When the last of them is to be made.
    until: Timestamp,
}

impl Claims {
    fn add(&mut self, meter: MeterId, from: Timestamp, fleet: &Fleet) {
        if fleet.meter_spec(meter).limit.kind != Kind::Requests {
            return;
        }
        match self.0.iter_mut().find(|claimed| claimed.meter == meter) {
            Some(claimed) => {
                claimed.requests += 1;
                claimed.until = claimed.until.max(from);
            }
            None => self.0.push(Claimed { meter, requests: 1, until: from }),
        }
    }

    pub const fn are_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `amount` fits the meter without keeping anybody before from the room it waits for; and if not, when.
    pub fn fit(&self, id: MeterId, meter: &Meter, amount: u64, now: Timestamp) -> Fit {
        self.refit(meter.fit(amount, now), id, meter, amount, now)
    }

    /// The same where it is known whether the amount fits by itself.
    pub fn refit(&self, own: Fit, id: MeterId, meter: &Meter, amount: u64, now: Timestamp) -> Fit {
        let Some(claimed) = self.0.iter().find(|claimed| claimed.meter == id) else { return own };
        match (own, meter.fit_after(claimed.requests, amount, now)) {
            (Fit::Never, _) => Fit::Never,
            (_, Fit::At(moment)) if moment > claimed.until => Fit::At(moment),
            _ => own,
        }
    }
}

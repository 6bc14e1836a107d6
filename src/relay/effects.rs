//! What answers and faults do to their routes: the failure policy's effects, and what is learned on the way.

use std::time::Duration;

use jiff::Timestamp;

use crate::chat::fault;
use crate::chat::{Fault, Period, Scope};
use crate::clock::later;
use crate::routing::{Route, RouteId};
use crate::store::{Lease, Settlement};

use super::Relay;

/// Called by attempts in flight, once each.
impl Relay {
    pub(crate) fn settle(&self, lease: Lease, settlement: Settlement) {
        self.store.settle(lease, settlement, self.clock.now());
    }

    pub(crate) fn note_answer(&self, route: RouteId, first_event: Duration) {
        let mut learned = self.learned();
        learned.health[route.0].answered(first_event);
        learned.guessed_rests[route.0] = 0;
    }

    pub(crate) fn note_usage(&self, route: RouteId, answer_tokens: u64) {
        self.learned().health[route.0].used(answer_tokens);
    }

    /// The effect of a fault on its route: the one table of ARCHITECTURE.md, in code.
    pub(crate) fn note_fault(&self, route: RouteId, fault: &Fault) {
        let now = self.clock.now();
        let route = self.fleet.route(route);
        match fault {
            Fault::Busy { scope, .. } | Fault::Spent { scope, .. } => self.rest(route, *scope, fault, now),
            Fault::Gone => self.rest(route, Some(Scope::Model), fault, now),
            Fault::Denied => {
                if let Some(key) = route.key {
                    self.learned().rejected_keys[key.0] = true;
                }
            }
            Fault::Broken(_) | Fault::Cut => self.learned().health[route.id.0].broke(now, route.is_local()),
            Fault::Unfit(_)
            | Fault::Invalid { .. }
            | Fault::Full { .. }
            | Fault::Unknown { .. }
            | Fault::NothingSetUp
            | Fault::StoreLost => {}
        }
    }

    /// When the route's own limit of this period is whole again, where the catalogue knows one.
    fn documented_reset(&self, route: &Route, period: Period, now: Timestamp) -> Option<Timestamp> {
        let limits = route.meters.iter().map(|meter| &self.fleet.meter_spec(*meter).limit);
        limits.filter(|limit| limit.period == period).map(|limit| limit.window.restored_after(now)).max()
    }

    fn rest(&self, route: &Route, scope: Option<Scope>, fault: &Fault, now: Timestamp) {
        let period = if let Fault::Spent { period, .. } = fault { *period } else { None };
        let moment = fault.until().or_else(|| self.documented_reset(route, period?, now)).or_else(|| {
            let repeats = &mut self.learned().guessed_rests[route.id.0];
            let rest = fault::rest(fault, *repeats, route.is_local())?;
            *repeats += 1;
            Some(later(now, rest))
        });
        if let Some(moment) = moment {
            self.store.mark(route.mark_for(scope), moment, fault);
        }
    }
}

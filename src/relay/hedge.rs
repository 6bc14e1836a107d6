//! Hedging: where a first event is late, a second cheap route is asked beside the first, and whoever answers first wins.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::answer::{self, Attempt};
use crate::chat::fault::Stage;
use crate::chat::{Breakage, Fault};
use crate::clock::{later, until};
use crate::routing::{Candidate, RouteId, Trip};

use super::Relay;
use super::attempt::Tried;
use super::shape::Asking;

/// A first event is late when it takes so many times as long as it usually does on its route.
const LATE: f64 = 3.0;

/// Nobody is late before this, however fast a route usually is.
const NEVER_BEFORE: Duration = Duration::from_secs(1);

/// A second route that costs more than this, in the seconds of its price, is not worth the time it may save.
const MOST_PRICE: f64 = 10.0;

impl Relay {
    /// An attempt over `first`, and one beside it where hedging is on and `first` is late. What became of them, an answer last.
    pub(super) async fn race(
        self: &Arc<Self>,
        asking: Asking<'_>,
        trip: &mut Trip,
        first: &Candidate,
        attempts: &[Attempt],
    ) -> Vec<Tried> {
        let number = u32::try_from(answer::count(attempts) + 1).unwrap_or(u32::MAX);
        let sent = self.clock.now();
        trip.allow(self.first_event(self.fleet.route(first.route)), sent);
        let trip = &*trip;
        let Some(late) = self.late(first.route, sent) else {
            let ends = self.patient_until(asking, trip, first.route, sent);
            return vec![self.attempt(asking, &trip.need, first, number, ends).await];
        };
        // In a box of its own: every request has to make room for what is here.
        Box::pin(self.hedge(asking, trip, first, number, sent, late)).await
    }

    /// Asks another route beside the first once that is late.
    async fn hedge(
        self: &Arc<Self>,
        asking: Asking<'_>,
        trip: &Trip,
        first: &Candidate,
        number: u32,
        sent: Timestamp,
        late: Timestamp,
    ) -> Vec<Tried> {
        let mut one = pin!(self.attempt(asking, &trip.need, first, number, trip.ends()));
        tokio::select! {
            biased;
            tried = &mut one => return vec![tried],
            () = self.clock.sleep_until(late) => {}
        }
        let Some(second) =
            trip.beside(&self.fleet, &self.snapshot(), first).filter(|other| other.price.total() <= MOST_PRICE)
        else {
            return vec![one.await];
        };
        tracing::debug!(request = %asking.options.request_id, late = %self.fleet.route(first.route).name, "hedging");
        let ends = later(self.clock.now(), self.first_event(self.fleet.route(second.route))).max(trip.ends());
        let mut two = pin!(self.attempt(asking, &trip.need, &second, number.saturating_add(1), ends));
        tokio::select! {
            tried = &mut one => if tried.result.is_ok() { vec![tried] } else { vec![tried, two.await] },
            tried = &mut two => match tried.result {
                Ok(_) => vec![self.given_up(first.route, sent), tried],
                Err(_) => vec![tried, one.await],
            },
        }
    }

    /// When an attempt's first event must be there, without hedging. A stream that is silent for half of the deadline is given up
    /// where another route could answer. A whole answer is silent while it is made, and who asked for a time gets it.
    fn patient_until(&self, asking: Asking<'_>, trip: &Trip, route: RouteId, sent: Timestamp) -> Timestamp {
        let is_told = self.timeouts.first_event_is_users || self.fleet.route(route).provider.first_event.is_some();
        if is_told || !asking.request.stream || !trip.has_others {
            return trip.ends();
        }
        later(sent, trip.patience.deadline / 2).min(trip.ends())
    }

    /// When the first event of a call that was sent over this route would be late; never where that is not known, or nobody hedges.
    fn late(&self, route: RouteId, sent: Timestamp) -> Option<Timestamp> {
        if !self.routing.hedge {
            return None;
        }
        let usual = self.learned().health[route.0].first_event_ms?;
        let late = Duration::from_secs_f64(usual * LATE / 1_000.0).max(NEVER_BEFORE);
        Some(later(sent, late))
    }

    /// The late one of two, which is dropped and so cancelled.
    fn given_up(&self, route: RouteId, sent: Timestamp) -> Tried {
        let fault = Fault::Broken(Breakage::Timeout(Stage::FirstEvent));
        let attempt = Attempt {
            route: Arc::clone(&self.fleet.route(route).name),
            sent: true,
            http_status: None,
            fault: Some(fault.clone()),
            elapsed: until(sent, self.clock.now()),
            cut: None,
        };
        Tried { route, attempt: Some(attempt), result: Err(fault) }
    }
}

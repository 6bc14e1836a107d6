//! Hedging: where a first event is late, a second route is asked beside the first, and whoever answers first wins.

use std::pin::{Pin, pin};
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

/// A second route that costs more than this, in the seconds of its price, is not worth the time that hedging may save.
const MOST_PRICE: f64 = 10.0;

/// A call that is under way.
struct Start<'a> {
    asking: Asking<'a>,
    trip: &'a Trip,
    first: &'a Candidate,
    number: u32,
    sent: Timestamp,
}

impl Relay {
    /// An attempt over `first`, and one beside it where that is late. What became of them, an answer last.
    pub(super) async fn race(
        self: &Arc<Self>,
        asking: Asking<'_>,
        trip: &mut Trip,
        first: &Candidate,
        attempts: &[Attempt],
    ) -> Vec<Tried> {
        let number = u32::try_from(answer::count(attempts) + 1).unwrap_or(u32::MAX);
        let sent = self.clock.now();
        trip.allow(self.first_event(self.fleet.route(first.route), asking.request.stream), sent);
        let trip = &*trip;
        let late = self.late(asking, trip, first.route, sent);
        let ends = if late.is_some() { trip.ends() } else { self.patient_until(asking, trip, first.route, sent) };
        let mut one = pin!(self.attempt(asking, &trip.need, first, number, sent..ends));
        let Some(late) = late else { return vec![one.await] };
        // In boxes of their own: every request has to make room for what is here.
        tokio::select! {
            biased;
            tried = &mut one => return vec![tried],
            () = Box::pin(self.clock.rings_at(late, sent, &self.alarms)) => {}
        }
        Box::pin(self.hedge(Start { asking, trip, first, number, sent }, one)).await
    }

    /// Asks another route beside the first, which is late.
    async fn hedge(self: &Arc<Self>, start: Start<'_>, mut one: Pin<&mut impl Future<Output = Tried>>) -> Vec<Tried> {
        let Start { asking, trip, first, number, sent } = start;
        let is_worth_it = |other: &Candidate| !self.routing.hedge || other.price.total() <= MOST_PRICE;
        let second = trip.beside(&self.fleet, &self.snapshot(), &mut self.board(), first);
        let Some(second) = second.filter(is_worth_it) else {
            return vec![one.await];
        };
        tracing::debug!(request = %asking.options.request_id, late = %self.fleet.route(first.route).name, "hedging");
        let time = self.first_event(self.fleet.route(second.route), asking.request.stream);
        let now = self.clock.now();
        let ends = later(now, time).max(trip.ends());
        let mut two = pin!(self.attempt(asking, &trip.need, &second, number.saturating_add(1), now..ends));
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

    /// When the first event of a call would be late; never where nobody is to be asked beside it. With hedging that is known by how long
    /// it takes as a rule. Without, a whole answer that is not there at the deadline is long or its provider dead, and to give
    /// it up would be to lose a long one.
    fn late(&self, asking: Asking<'_>, trip: &Trip, first: RouteId, sent: Timestamp) -> Option<Timestamp> {
        if self.routing.hedge
            && let Some(usual) = self.learned().health[first.0].first_event_ms
        {
            let late = Duration::from_secs_f64(usual * LATE / 1_000.0).max(NEVER_BEFORE);
            return Some(later(sent, late));
        }
        let is_doubtful = !asking.request.stream && !self.timeouts.first_event_is_users && trip.has_others;
        is_doubtful.then(|| later(sent, trip.patience.deadline))
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

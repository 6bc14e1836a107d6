//! Requests that wait for quota: each in its place, woken when its moment comes or as soon as something is given back.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::{SignedDuration, Timestamp};
use tokio::sync::Notify;
use tokio::sync::futures::Notified;

use crate::clock::until;
use crate::quota::Cost;
use crate::routing::{Queue, Snapshot, Step, Trip};
use crate::store::{Lease, LedgerRow, Settlement};

use super::Relay;

/// All requests of this process that wait.
#[derive(Debug, Default)]
pub(super) struct Waiting {
    queue: Mutex<Queue>,
    given_back: Notify,
}

impl Waiting {
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn leave(&self, trip: &Trip) {
        if let Some(place) = trip.place {
            self.queue().leave(place);
        }
    }
}

/// A trip under way. However it ends, its place is free for those behind it.
pub(super) struct Travelling<'r> {
    relay: &'r Relay,
    pub trip: Trip,
    /// By how much the machine's clock was ahead of the steady one at the last look.
    ahead_ms: i64,
}

impl<'r> Travelling<'r> {
    pub(super) fn new(relay: &'r Relay, trip: Trip) -> Self {
        Self { relay, trip, ahead_ms: relay.clock_is_ahead_ms() }
    }

    /// Some time has passed: the deadline is where it was, also where the machine's clock was set meanwhile.
    pub(super) fn keep_time(&mut self) {
        let ahead_ms = self.relay.clock_is_ahead_ms();
        self.trip.clock_was_set(SignedDuration::from_millis(ahead_ms - self.ahead_ms));
        self.ahead_ms = ahead_ms;
    }

    /// A notice of what is given back from now on.
    pub(super) fn listen(&self) -> Notified<'r> {
        self.relay.waiting.given_back.notified()
    }

    /// Waits for the moment, or until something was given back that may be enough.
    pub(super) async fn wait(&mut self, moment: Timestamp, given_back: Notified<'r>) {
        let start = self.relay.steady.now();
        tokio::select! {
            () = self.relay.clock.sleep_until(moment) => {}
            () = given_back => {}
        }
        self.trip.slept(until(start, self.relay.steady.now()));
    }
}

impl Drop for Travelling<'_> {
    fn drop(&mut self) {
        self.relay.waiting.leave(&self.trip);
    }
}

impl Relay {
    /// What a trip does next, behind those that have waited longer. One that waits is in its place until it goes on.
    pub fn step(&self, trip: &mut Trip) -> Step {
        let step = self.next_of(trip);
        match (&step, trip.waits_for()) {
            (Step::Sleep(_), Some((route, from))) => {
                trip.place = Some(self.waiting.queue().wait(trip.place, route, from));
            }
            _ => self.waiting.leave(trip),
        }
        step
    }

    /// A trip's next step, for all that is known now. The snapshot is taken once the board is free and dropped with it: what a store has
    /// to change while it is read is copied.
    pub(super) fn next_of(&self, trip: &mut Trip) -> Step {
        let mut board = self.board();
        trip.next(&self.fleet, &self.snapshot_behind(trip.place), &mut board)
    }

    /// Meters, rests and health, and what those before this place will take; one without a place comes after all.
    pub(super) fn snapshot_behind(&self, place: Option<u64>) -> Snapshot {
        let claims = self.waiting.queue().before(place, &self.fleet);
        Snapshot { claims, ..self.snapshot() }
    }

    /// An attempt has ended. What it did not use after all is for those that wait: says whether that is anything.
    pub fn settle(&self, lease: Lease, settlement: Settlement, row: LedgerRow, now: Timestamp) -> bool {
        let less = |used: Cost| {
            let mut kinds = lease.meters.iter().map(|meter| self.fleet.meter_spec(*meter).limit.kind);
            kinds.any(|kind| used.of(kind) < lease.cost.of(kind))
        };
        let gives_back = match settlement {
            Settlement::Used(used) => less(used),
            Settlement::AsReserved => false,
            Settlement::Refunded => true,
        };
        self.store.settle(lease, settlement, row, now);
        if gives_back {
            self.room_was_made();
        }
        gives_back
    }

    /// By how much the machine's clock is ahead of one that nobody sets.
    fn clock_is_ahead_ms(&self) -> i64 {
        self.clock.now().as_millisecond() - self.steady.now().as_millisecond()
    }

    /// Whoever waits may go on.
    pub fn room_was_made(&self) {
        self.waiting.given_back.notify_waiters();
    }
}

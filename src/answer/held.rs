//! An attempt with its lease: settled exactly once, however it ends.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use crate::chat::session::SessionKey;
use crate::chat::{Fault, Usage};
use crate::clock::{millis, until};
use crate::quota::Cost;
use crate::relay::{Options, Place, Relay};
use crate::routing::RouteId;
use crate::store::{Lease, LedgerRow, Settlement};

use super::Body;

/// A count of more tokens is a mistake, and as good as none reported: no model takes so many. (Its context is no bound for that: the
/// catalogue's may be smaller than what the provider really takes.)
const MOST_TOKENS: u64 = 100_000_000;

/// An attempt from its place to its end. Whatever drops it, its lease is settled, the ledger has its row, and its place is free.
pub struct Held {
    pub(super) relay: Arc<Relay>,
    route: RouteId,
    /// `None` until it is granted, and once it is settled.
    pub lease: Option<Lease>,
    attempt: u32,
    request_id: Arc<str>,
    session: Option<SessionKey>,
    pub started: Timestamp,
    /// Its provider may have seen the request.
    pub sent: bool,
    /// The HTTP status, once there is one.
    pub status: Option<u16>,
    /// Its place at a provider that is asked only so many things at a time.
    pub place: Option<Place>,
    first_event: Option<Duration>,
    pub(super) usage: Option<Usage>,
    /// It goes on with the answer of an attempt that broke off.
    pub continues: bool,
    /// How the conversation was cut for it, where it was.
    pub cut: Option<Arc<str>>,
}

impl Held {
    pub fn new(relay: Arc<Relay>, route: RouteId, attempt: u32, options: &Options, started: Timestamp) -> Self {
        relay.in_flight.fetch_add(1, Ordering::Relaxed);
        Self {
            relay,
            route,
            lease: None,
            attempt,
            request_id: Arc::clone(&options.request_id),
            session: options.session,
            started,
            sent: false,
            status: None,
            place: None,
            first_event: None,
            usage: None,
            continues: false,
            cut: None,
        }
    }

    /// The attempt has its first event: a whole answer is settled at once, a stream takes the lease along.
    pub fn answered(mut self, body: Body, now: Timestamp) -> (Body, Duration) {
        let first_event = until(self.started, now);
        self.first_event = Some(first_event);
        self.relay.note_answer(self.route, first_event);
        match body {
            Body::Whole(whole) => {
                self.usage = whole.usage;
                self.end(None, false, now);
                (Body::Whole(whole), first_event)
            }
            Body::Stream(mut stream) => {
                stream.carry(self);
                (Body::Stream(stream), first_event)
            }
        }
    }

    /// A stream has come to its end.
    pub fn ended(mut self) {
        let now = self.relay.clock.now();
        self.end(None, false, now);
    }

    pub fn failed(mut self, fault: &Fault, now: Timestamp) {
        // What relay itself found too long, no provider has said.
        if self.status.is_some() || !matches!(fault, Fault::Unfit(_)) {
            self.relay.note_fault(self.route, self.lease.as_ref(), fault);
        }
        self.end(Some(fault.clone()), false, now);
    }

    /// Past the commit point the stream is cut, whatever broke it. Where its provider says that a quota is gone, its route rests, and has
    /// not failed once more.
    pub fn cut(mut self, told: Option<&Fault>, now: Timestamp) {
        let is_quota = |told: &&Fault| matches!(told, Fault::Busy { .. } | Fault::Spent { .. });
        self.relay.note_fault(self.route, self.lease.as_ref(), told.filter(is_quota).unwrap_or(&Fault::Cut));
        self.end(Some(Fault::Cut), false, now);
    }

    fn settlement(&self, fault: Option<&Fault>) -> Settlement {
        match (self.usage, fault, self.status) {
            (Some(usage), _, _) => {
                let cost = Cost::request(usage.prompt_tokens, usage.completion_tokens);
                Settlement::Used(cost.in_units(self.relay.fleet.route(self.route).model.unit_price))
            }
            (None, _, _) if !self.sent => Settlement::Refunded,
            // A refusal counts as a request there for all we know; tokens it cannot have used.
            (None, Some(_), Some(status)) if !(200..300).contains(&status) => Settlement::Used(Cost::request(0, 0)),
            (None, _, _) => Settlement::AsReserved,
        }
    }

    fn end(&mut self, fault: Option<Fault>, cancelled: bool, now: Timestamp) {
        let Some(lease) = self.lease.take() else { return };
        self.usage = self.usage.filter(|usage| usage.prompt_tokens.max(usage.completion_tokens) <= MOST_TOKENS);
        let settlement = self.settlement(fault.as_ref());
        if let Some(usage) = self.usage {
            self.relay.note_usage(self.route, usage.completion_tokens);
        }
        let row = LedgerRow {
            at: self.started,
            request_id: Arc::clone(&self.request_id),
            session: self.session,
            route: self.route,
            attempt: self.attempt,
            fault,
            cancelled,
            continues: self.continues,
            usage: self.usage,
            http_status: self.status,
            first_event_ms: self.first_event.map(millis),
            total_ms: millis(until(self.started, now)),
        };
        self.relay.metrics.attempt(&self.relay.fleet, &row);
        self.relay.settle(lease, settlement, row, now);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Still held here means that the caller left: nobody waits for the answer any more.
        if self.lease.is_some() {
            let now = self.relay.clock.now();
            self.end(None, true, now);
        }
        if self.place.take().is_some() {
            self.relay.room_was_made();
        }
        self.relay.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

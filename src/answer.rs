//! A reply in flight, whole or as a stream, with its lease: settled exactly once, however it ends.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::chat::fault::Stage;
use crate::chat::fields::{Rewrite, locate};
use crate::chat::{Breakage, Fault, RawObject, StreamEvent, Usage};
use crate::clock::until;
use crate::dialect::Whole;
use crate::quota::Cost;
use crate::relay::Relay;
use crate::routing::{Route, RouteId};
use crate::store::{Lease, LedgerRow, Settlement};
use crate::upstream::EventStream;

/// An answer, from the moment its first event is there.
#[derive(Debug)]
pub struct Answer {
    pub route: Route,
    /// Every attempt of this request in its order, the answering one last.
    pub attempts: Vec<Attempt>,
    /// From the last attempt's start to its first event.
    pub first_event: Duration,
    pub body: Body,
}

/// One attempt as it is told to the caller: nothing a provider said, no key, no URL.
#[derive(Debug, Clone)]
pub struct Attempt {
    /// `provider/model`.
    pub route: Arc<str>,
    /// Whether it was made; one that was not says why the request went elsewhere from the start.
    pub sent: bool,
    pub http_status: Option<u16>,
    /// `None` for the one that answered.
    pub fault: Option<Fault>,
    /// From sending to the first event, or to the failure.
    pub elapsed: Duration,
}

#[derive(Debug)]
pub enum Body {
    Whole(Whole),
    Stream(Box<AnswerStream>),
}

/// What relay adds to a whole answer.
#[derive(Debug, Serialize)]
pub struct Meta<'a> {
    pub provider: &'a str,
    pub model: &'a str,
    pub latency_ms: u64,
    pub attempt: usize,
}

impl Answer {
    /// The failed attempts before this answer, as `route=word, …`.
    pub fn trail(&self) -> String {
        trail(&self.attempts)
    }

    /// Attempts that were made.
    pub fn tries(&self) -> usize {
        count(&self.attempts)
    }

    pub fn meta(&self) -> Meta<'_> {
        let latency_ms = u64::try_from(self.first_event.as_millis()).unwrap_or(u64::MAX);
        Meta { provider: &self.route.provider.id, model: &self.route.model.id, latency_ms, attempt: self.tries() }
    }
}

/// How many of these attempts were made.
pub fn count(attempts: &[Attempt]) -> usize {
    attempts.iter().filter(|attempt| attempt.sent).count()
}

/// The failed ones of these attempts, as `route=word, …`.
pub fn trail(attempts: &[Attempt]) -> String {
    let failed =
        attempts.iter().filter_map(|attempt| Some(format!("{}={}", attempt.route, attempt.fault.as_ref()?.word())));
    failed.collect::<Vec<_>>().join(", ")
}

/// The provider's own JSON with `meta` added at its end, in pieces; everything else byte for byte.
pub fn with_meta(body: &Bytes, meta: &Meta<'_>) -> Vec<Bytes> {
    let meta = Bytes::from(serde_json::to_vec(meta).expect("names and numbers serialize"));
    let end = body.trim_ascii_end().len().saturating_sub(1);
    let has_meta = memchr::memmem::find(body, b"\"meta\"").is_some()
        && RawObject::parse(body).is_ok_and(|object| object.get("meta").is_some());
    if has_meta && let Ok(fields) = locate(body) {
        let mut rewrite = Rewrite::new(body, &fields);
        rewrite.set("meta", meta);
        return rewrite.finish();
    }
    vec![body.slice(..end), Bytes::from_static(b",\"meta\":"), meta, Bytes::from_static(b"}")]
}

/// An attempt that holds a lease. Whatever drops it, the lease is settled and the ledger has its row.
pub struct Held {
    relay: Arc<Relay>,
    route: RouteId,
    lease: Option<Lease>,
    attempt: u32,
    request_id: String,
    pub started: Timestamp,
    /// The HTTP status, once there is one.
    pub status: Option<u16>,
    first_event: Option<Duration>,
    usage: Option<Usage>,
}

impl Held {
    pub fn new(
        relay: Arc<Relay>,
        route: RouteId,
        lease: Lease,
        attempt: u32,
        request_id: String,
        started: Timestamp,
    ) -> Self {
        relay.in_flight.fetch_add(1, Ordering::Relaxed);
        Self {
            relay,
            route,
            lease: Some(lease),
            attempt,
            request_id,
            started,
            status: None,
            first_event: None,
            usage: None,
        }
    }

    /// The attempt has its first event: a whole answer is settled at once, a stream takes the lease along.
    pub fn answered(mut self, body: Body) -> (Body, Duration) {
        let first_event = until(self.started, self.relay.clock.now());
        self.first_event = Some(first_event);
        self.relay.note_answer(self.route, first_event);
        match body {
            Body::Whole(whole) => {
                self.usage = whole.usage;
                self.end(None, false);
                (Body::Whole(whole), first_event)
            }
            Body::Stream(mut stream) => {
                stream.held = Some(self);
                (Body::Stream(stream), first_event)
            }
        }
    }

    pub fn failed(mut self, fault: &Fault) {
        self.relay.note_fault(self.route, self.lease.as_ref(), fault);
        self.end(Some(fault.clone()), false);
    }

    fn settlement(&self, fault: Option<&Fault>) -> Settlement {
        match (self.usage, fault, self.status) {
            (Some(usage), _, _) => {
                let cost = Cost::request(usage.prompt_tokens, usage.completion_tokens);
                Settlement::Used(cost.in_units(self.relay.fleet.route(self.route).model.unit_price))
            }
            (None, Some(Fault::Broken(Breakage::Unreachable | Breakage::Timeout(Stage::Connect))), _) => {
                Settlement::Refunded
            }
            // What the dialect could not say was never sent.
            (None, Some(Fault::Unfit(_) | Fault::Invalid { .. }), None) => Settlement::Refunded,
            // A refusal counts as a request there for all we know; tokens it cannot have used.
            (None, Some(_), Some(status)) if !(200..300).contains(&status) => Settlement::Used(Cost::request(0, 0)),
            (None, _, _) => Settlement::AsReserved,
        }
    }

    fn end(&mut self, fault: Option<Fault>, cancelled: bool) {
        let Some(lease) = self.lease.take() else { return };
        let settlement = self.settlement(fault.as_ref());
        if let Some(usage) = self.usage {
            self.relay.note_usage(self.route, usage.completion_tokens);
        }
        let now = self.relay.clock.now();
        let row = LedgerRow {
            at: self.started,
            request_id: std::mem::take(&mut self.request_id),
            route: self.route,
            attempt: self.attempt,
            fault,
            cancelled,
            usage: self.usage,
            http_status: self.status,
            first_event_ms: self.first_event.map(millis),
            total_ms: millis(until(self.started, now)),
        };
        self.relay.metrics.attempt(self.relay.fleet.route(self.route), &row);
        self.relay.store().settle(lease, settlement, row, now);
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // Still held here means that the caller left: nobody waits for the answer any more.
        self.end(None, true);
        self.relay.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

/// A stream past its commit point.
pub struct AnswerStream {
    events: EventStream,
    ready: VecDeque<StreamEvent>,
    held: Option<Held>,
}

impl std::fmt::Debug for AnswerStream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AnswerStream").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}

impl AnswerStream {
    pub fn new(events: EventStream, first: Vec<StreamEvent>) -> Self {
        Self { events, ready: first.into(), held: None }
    }

    /// The next event; `None` after the end. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<StreamEvent, Fault>> {
        let held = self.held.as_mut()?;
        let next = match self.ready.pop_front() {
            Some(event) => Ok(Some(event)),
            None => self.events.next(&held.relay.clock).await,
        };
        let next = next.and_then(|event| match event {
            Some(StreamEvent { signs, .. }) if signs.error.is_some() => Err(Fault::Cut),
            event => Ok(event),
        });
        match next {
            Ok(Some(event)) => {
                held.usage = event.signs.usage.or(held.usage);
                Some(Ok(event))
            }
            Ok(None) => {
                held.end(None, false);
                self.held = None;
                None
            }
            Err(_) => {
                // Whatever broke it, past the commit point the stream is cut.
                if let Some(held) = self.held.take() {
                    held.failed(&Fault::Cut);
                }
                Some(Err(Fault::Cut))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn meta_joins_the_providers_own_bytes() {
        let meta = Meta { provider: "p", model: "m", latency_ms: 7, attempt: 2 };
        let added = r#""meta":{"provider":"p","model":"m","latency_ms":7,"attempt":2}"#;
        let joined = |json: &'static str| {
            String::from_utf8(with_meta(&Bytes::from_static(json.as_bytes()), &meta).concat()).expect("UTF-8")
        };
        assert_eq!(
            joined("{\"id\":1e400, \"x\":{\"meta\":0} }\n"),
            format!("{{\"id\":1e400, \"x\":{{\"meta\":0}} ,{added}}}")
        );
        assert_eq!(joined("{\"meta\":0,\"id\":1}"), format!("{{{added},\"id\":1}}"));
    }
}

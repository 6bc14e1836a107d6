//! One attempt: reserve, encode, send, and wait for the first event or the fault.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Uri};
use jiff::Timestamp;

use crate::answer::{AnswerStream, Attempt, Body, Held};
use crate::chat::fault::Stage;
use crate::chat::{Breakage, ChatRequest, Fault, StreamEvent, Unfit};
use crate::clock::{later, until};
use crate::config::Timeouts;
use crate::dialect::{Dialect, Target, Wire};
use crate::quota::Cost;
use crate::quota::signal::Response;
use crate::routing::{Candidate, Need, Route, RouteId, rank};
use crate::store::Refusal;
use crate::style::{self, Style, answer::Cleaning};
use crate::upstream::{Call, EventStream, Received, ResponseBody, call_headers, read_whole};

use super::Relay;
use super::continuation::with_so_far;
use super::shape::Asking;

/// A whole answer may take so many times the deadline.
const WHOLE: u32 = 10;

/// A whole answer larger than this is none.
const MOST_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Of a refusal no more than this is read.
const MOST_REFUSAL_BYTES: usize = 256 * 1024;
/// Nor is it waited for longer: others may answer meanwhile.
const REFUSAL_TIME: Duration = Duration::from_secs(2);

/// Where a route is called, with the headers of every call.
#[derive(Debug)]
pub(super) struct Destination {
    path: Cow<'static, str>,
    uri: Uri,
    headers: HeaderMap,
}

/// What became of one attempt.
pub(super) struct Tried {
    pub route: RouteId,
    /// As it is told to the caller; `None` where the reservation was refused and nothing was sent.
    pub attempt: Option<Attempt>,
    /// The answer, with the time to its first event.
    pub result: Result<(Body, Duration), Fault>,
}

impl Relay {
    /// One attempt, from the reservation to the first event, which must be there at the end of `time`; it begins now.
    pub(super) async fn attempt(
        self: &Arc<Self>,
        asking: Asking<'_>,
        need: &Need,
        candidate: &Candidate,
        number: u32,
        time: Range<Timestamp>,
    ) -> Tried {
        let route = self.fleet.route(candidate.route);
        let mut held = match self.reserve(route, candidate.cost, number, asking, time.start).await {
            Ok(held) => held,
            Err(fault) => return Tried { route: route.id, attempt: None, result: Err(fault) },
        };
        let sent = self.clock.now();
        let moment = later(sent, self.first_event(route, asking.request.stream)).min(time.end);
        self.learned().health(route.id).tried(sent);
        let body = tokio::select! {
            biased;
            body = self.exchange(asking, need, route, &candidate.cost, &mut held) => body,
            () = self.clock.rings_at(moment, sent, &self.alarms) => Err(Fault::Broken(Breakage::Timeout(Stage::FirstEvent))),
        };
        let now = self.clock.now();
        let attempt = Some(attempted(route, &held, body.as_ref().err(), until(sent, now)));
        let result = match body {
            Ok(body) => Ok(held.answered(body, now)),
            Err(fault) => {
                held.failed(&fault, now);
                Err(fault)
            }
        };
        Tried { route: route.id, attempt, result }
    }

    /// Takes what the attempt is expected to cost, from all of the route's meters or from none.
    async fn reserve(
        self: &Arc<Self>,
        route: &Route,
        cost: Cost,
        number: u32,
        asking: Asking<'_>,
        now: Timestamp,
    ) -> Result<Held, Fault> {
        let options = asking.options;
        let place = self.crowd.enter(&self.fleet.outlines[route.id.0]);
        let place = place.map_err(|()| Fault::Full { until: Some(later(now, rank::CROWDED)) })?;
        let mut held = Held::new(Arc::clone(self), route.id, number, options, now);
        held.continues = asking.so_far.is_some();
        held.place = place;
        held.lease = Some(self.store.reserve(route, cost, now).await.map_err(refused)?);
        tracing::debug!(request = %options.request_id, route = %route.name, attempt = number, "trying");
        if let Some(on_attempt) = &options.on_attempt {
            on_attempt(&route.name);
        }
        Ok(held)
    }

    /// How long the route's first event may take. A whole answer is its own first event, and comes when all of it is made: for eight
    /// thousand tokens that takes minutes, which OpenAI's clients wait for.
    pub(super) fn first_event(&self, route: &Route, is_stream: bool) -> Duration {
        let Timeouts { first_event, first_event_is_users, deadline, .. } = self.timeouts;
        let own = route.provider.first_event.filter(|_| !first_event_is_users).unwrap_or(first_event);
        if is_stream || first_event_is_users { own } else { own.max(deadline * WHOLE) }
    }

    /// Sends the request and waits until there is something to show for it.
    async fn exchange(
        &self,
        asking: Asking<'_>,
        need: &Need,
        route: &Route,
        cost: &Cost,
        held: &mut Held,
    ) -> Result<Body, Fault> {
        let style = self.style(asking.request, asking.options);
        let provider = &route.provider;
        let (mut request, cut) = self.shaped(asking, need, route, cost).await?;
        held.cut = cut;
        if let Some(so_far) = asking.so_far {
            request = Cow::Owned(with_so_far(&request, so_far.text, provider.prefill));
        }
        let request = &*request;
        let target = Target {
            model: &route.model.id,
            wire: provider.wire_of(&route.model),
            thinks: route.model.features.reasoning,
            context: route.model.context,
            input_tokens: cost.input_tokens,
            answer_tokens: cost.output_tokens,
        };
        let outgoing = provider.dialect.encode(request, target)?;
        let (uri, headers) = self.destination(route, outgoing.path)?;
        // Whatever else is ready comes first. So requests that arrive together go out together, and a receiver that the first of them
        // has woken is still awake for the others: waking one costs more than a request of 1 KB takes in all to read.
        tokio::task::yield_now().await;
        let call = Call { uri, headers, body: outgoing.body, stream: request.stream };
        let received = self.client.send(call, &mut held.sent).await?;
        held.status = Some(received.status);
        if !(200..300).contains(&received.status) {
            let fault = Box::pin(self.refusal(route, received, held.started)).await;
            return Err(with_needed(fault, cost));
        }
        self.note_facts(route, &received.headers, Response::Answer, held.started);
        self.received(received.body, request, provider.dialect, target, style, asking.so_far.is_some()).await
    }

    /// Where a call over the route goes, and its headers. Most routes are called at one path, for which both are made once, and most of a
    /// provider's at the same: of hundreds of routes the next one's is at hand.
    fn destination(&self, route: &Route, path: Cow<'static, str>) -> Result<(Uri, HeaderMap), Fault> {
        let usual = &self.destinations[route.id.0];
        if let Some(known) = usual.get().filter(|known| known.path == path) {
            return Ok((known.uri.clone(), known.headers.clone()));
        }
        let alike = |it: &&Route| Arc::ptr_eq(&it.provider, &route.provider) && it.key == route.key;
        let mut known = self.fleet.routes.iter().filter(alike).filter_map(|it| self.destinations[it.id.0].get());
        let destination = match known.find(|known| known.path == path) {
            Some(known) => Arc::clone(known),
            None => Arc::new(self.new_destination(route, path)?),
        };
        let (uri, headers) = (destination.uri.clone(), destination.headers.clone());
        usual.get_or_init(|| destination);
        Ok((uri, headers))
    }

    fn new_destination(&self, route: &Route, path: Cow<'static, str>) -> Result<Destination, Fault> {
        let uri: Uri =
            format!("{}{path}", route.provider.base_url).parse().map_err(|_| Fault::Broken(Breakage::Unreachable))?;
        let headers = call_headers(&uri, route.key.and_then(|key| self.credentials[key.place].clone()));
        Ok(Destination { path, uri, headers })
    }

    /// What a success holds: a whole answer, or a stream up to its first real event.
    async fn received(
        &self,
        body: ResponseBody,
        request: &ChatRequest,
        dialect: Dialect,
        target: Target<'_>,
        style: Style,
        goes_on: bool,
    ) -> Result<Body, Fault> {
        if request.stream {
            let scanner = dialect.scanner(target, request.include_usage);
            let events = EventStream::new(body, scanner, self.timeouts.idle, &self.clock);
            // In a box of its own: a whole answer has to make room for what is here.
            let wire = (!goes_on).then_some(target.wire);
            return Box::pin(self.begun(events, style, wire)).await;
        }
        let body = read_whole(body, MOST_ANSWER_BYTES).await?;
        let mut whole = dialect.decode(body, target, self.clock.now())?;
        if whole.text().is_some_and(|text| target.wire.may_be_no_answer(&text, true)) {
            return Err(Fault::Broken(Breakage::Empty));
        }
        if let Some(cleaned) = style::answer::whole(&whole.body, whole.text.clone(), style) {
            whole.body = cleaned;
        }
        Ok(Body::Whole(whole))
    }

    /// A stream whose first real event is there.
    async fn begun(&self, mut events: EventStream, style: Style, wire: Option<&Wire>) -> Result<Body, Fault> {
        let first = first_events(&mut events, wire).await?;
        let stream = AnswerStream::new(events, first, Cleaning::of(style), self.clock.clone());
        Ok(Body::Stream(Box::new(stream)))
    }

    /// What a refusal means, whose request was reserved at `since`.
    async fn refusal(&self, route: &Route, received: Received, since: Timestamp) -> Fault {
        // Its body may be long in coming, and nobody wait for it.
        self.note_facts(route, &received.headers, Response::Refusal, since);
        // What cannot be read of a refusal leaves its status and headers to go by.
        let read = tokio::time::timeout(REFUSAL_TIME, read_whole(received.body, MOST_REFUSAL_BYTES)).await;
        let body = read.map_or_else(|_| Bytes::new(), Result::unwrap_or_default);
        let fault = self.note_refusal(route, received.status, &received.headers, &body);
        self.note_facts(route, &received.headers, Response::Refused(fault.period()), since);
        fault
    }
}

/// Events up to the first one that carries part of an answer, which may be more than a guard's word. Until then a failure can be healed
/// unseen. Where an answer is gone on with, which has no `wire`, there may be nothing left to say.
async fn first_events(events: &mut EventStream, wire: Option<&Wire>) -> Result<Vec<StreamEvent>, Fault> {
    let guarded = wire.filter(|wire| !wire.no_answers.is_empty());
    let (mut first, mut text, mut has_begun) = (Vec::new(), String::new(), false);
    loop {
        let event = match events.next().await {
            Ok(Some(event)) => event,
            Ok(None) | Err(Fault::Cut) => return Err(Fault::Broken(Breakage::Empty)),
            Err(fault) => return Err(fault),
        };
        if let Some(fault) = event.signs.error {
            return Err(fault);
        }
        let is_over = event.signs.finish.is_some();
        has_begun |= event.signs.real || (wire.is_none() && is_over);
        let is_doubtful = guarded.is_some_and(|wire| {
            text.extend(event.text());
            wire.may_be_no_answer(&text, is_over)
        });
        // Nothing comes behind the marker, whenever the response ends.
        let is_empty = event.signs.done && !has_begun;
        first.push(event);
        match (is_doubtful, is_over) {
            _ if is_empty => return Err(Fault::Broken(Breakage::Empty)),
            (true, true) => return Err(Fault::Broken(Breakage::Empty)),
            (false, _) if has_begun => return Ok(first),
            _ => {}
        }
    }
}

/// The attempt as it is told to the caller. What a dialect could not say was not sent.
fn attempted(route: &Route, held: &Held, fault: Option<&Fault>, elapsed: Duration) -> Attempt {
    Attempt {
        route: Arc::clone(&route.name),
        sent: held.status.is_some() || !matches!(fault, Some(Fault::Unfit(_) | Fault::Invalid { .. })),
        http_status: held.status,
        fault: fault.cloned(),
        elapsed,
        cut: held.cut.clone(),
    }
}

/// A refusal that names a context, with what the request needed: by relay's own count where the provider does not say.
fn with_needed(fault: Fault, cost: &Cost) -> Fault {
    match fault {
        Fault::Unfit(Unfit::ContextTooLong { needed: 0, context }) => {
            let needed = (cost.input_tokens + cost.output_tokens).max(context + 1);
            Fault::Unfit(Unfit::ContextTooLong { needed, context })
        }
        fault => fault,
    }
}

fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Until(_, moment) => Fault::Full { until: Some(moment) },
        Refusal::Never(_) => Fault::Unfit(Unfit::TooLarge),
        Refusal::Lost(reason) => {
            tracing::error!(%reason, "the state store is lost");
            Fault::StoreLost
        }
    }
}

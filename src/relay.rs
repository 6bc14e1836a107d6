//! One path for every request: snapshot, step, attempt, settle, until an answer or a reason why there is none.

mod effects;
mod metrics;
mod plan;
mod usage;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Uri};
use jiff::Timestamp;

use crate::answer::{self, Answer, AnswerStream, Attempt, Body, Held};
use crate::chat::fault::Stage;
use crate::chat::{Breakage, ChatRequest, Fault};
use crate::clock::{Clock, later, until};
use crate::config::{Routing, Settings, Timeouts};
use crate::dialect::Target;
use crate::quota::Cost;
use crate::routing::{Candidate, Fleet, Health, Need, Rejection, Route, RouteId, Snapshot, Step, Strategy, Trip, rank};
use crate::store::{Refusal, Store};
use crate::upstream::{Call, Client, EventStream, Key, Received, read_whole};

pub use metrics::Metrics;
pub use usage::{ModelWindows, UsageReport};

/// A whole answer larger than this is none.
const MOST_ANSWER_BYTES: usize = 64 * 1024 * 1024;
/// Of a refusal no more than this is read.
const MOST_REFUSAL_BYTES: usize = 256 * 1024;

/// The core: everything a request needs, shared by all requests.
pub struct Relay {
    pub fleet: Fleet,
    pub clock: Clock,
    pub metrics: Metrics,
    routing: Routing,
    timeouts: Timeouts,
    answer_reserve: u64,
    /// The header that carries each key, by `KeyId`; `None` for a key no route uses.
    credentials: Vec<Option<(HeaderName, HeaderValue)>>,
    store: Arc<dyn Store>,
    client: Client,
    learned: Mutex<Learned>,
    turn: AtomicU64,
    pub(crate) in_flight: Arc<AtomicUsize>,
}

/// What this process has seen of its routes and keys.
struct Learned {
    health: Vec<Health>,
    rejected_keys: Vec<bool>,
    /// Rests in a row without a moment of the provider's own, by route.
    guessed_rests: Vec<u32>,
}

/// Hears of attempts as they are made.
pub type OnAttempt = Arc<dyn Fn(&str) + Send + Sync>;

/// What a caller wants beside the request itself.
#[derive(Clone, Default)]
pub struct Options {
    pub request_id: String,
    /// In the place of the configured one.
    pub max_wait: Option<Duration>,
    pub max_attempts: Option<usize>,
    /// In the place of both configured ones.
    pub strategy: Option<Strategy>,
    /// `provider/model` names or provider ids to leave out.
    pub avoid: Vec<String>,
    pub strict_free: bool,
    /// Told the name of each route as it is tried.
    pub on_attempt: Option<OnAttempt>,
}

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
    pub fn new(settings: &Settings, fleet: Fleet, store: Arc<dyn Store>, clock: Clock) -> Self {
        let learned = Learned {
            health: vec![Health::default(); fleet.routes.len()],
            rejected_keys: vec![false; settings.keys.len()],
            guessed_rests: vec![0; fleet.routes.len()],
        };
        Self {
            clock,
            metrics: Metrics::default(),
            routing: settings.routing.clone(),
            timeouts: settings.timeouts.clone(),
            answer_reserve: settings.context.answer_reserve,
            credentials: credentials(&settings.keys, &fleet),
            store,
            client: Client::new(settings.timeouts.connect),
            learned: Mutex::new(learned),
            turn: AtomicU64::new(0),
            in_flight: Arc::new(AtomicUsize::new(0)),
            fleet,
        }
    }

    /// Answers a request by the best route that can, moving on to the next until one does.
    pub async fn send(self: &Arc<Self>, request: &ChatRequest, options: &Options) -> Result<Answer, Box<Failure>> {
        let start = self.clock.now();
        let mut attempts = Vec::new();
        let mut trip = match self.trip(request, options) {
            Ok((trip, moved)) => {
                attempts.extend(moved);
                trip
            }
            Err(fault) => return Err(Box::new(Failure { fault, attempts, rejections: Vec::new() })),
        };
        loop {
            let mut step = trip.next(&self.fleet, &self.snapshot());
            if !matches!(step, Step::Try(_)) && trip.should_count() {
                trip.need.count_exactly(plan::count_exactly(request).await, request);
                step = trip.next(&self.fleet, &self.snapshot());
            }
            match step {
                Step::Try(candidate) => {
                    if let Some(answer) = self.attempt(request, options, &mut trip, candidate, &mut attempts).await {
                        self.note_overhead(&answer, &trip, until(start, self.clock.now()));
                        return Ok(answer);
                    }
                }
                Step::Sleep(moment) => {
                    let start = self.clock.now();
                    self.clock.sleep_until(moment).await;
                    trip.slept(until(start, self.clock.now()));
                }
                Step::Stop(fault) => return Err(Box::new(self.failure(fault, attempts, &trip))),
            }
        }
    }

    /// Each route with what keeps it from answering a small request now, if anything does.
    pub fn standing(&self) -> Vec<(RouteId, Option<Rejection>)> {
        let ranking = rank(&self.fleet, &Need::smallest(), &self.snapshot());
        let free = ranking.candidates.into_iter().map(|candidate| (candidate.route, None));
        let mut standing: Vec<_> =
            free.chain(ranking.rejections.into_iter().map(|(route, rejection)| (route, Some(rejection)))).collect();
        standing.sort_by_key(|(route, _)| *route);
        standing
    }

    /// Meters, rests and health at this instant.
    pub fn snapshot(&self) -> Snapshot {
        let view = self.store.view();
        let learned = self.learned();
        Snapshot {
            now: self.clock.now(),
            view,
            health: learned.health.clone(),
            rejected_keys: learned.rejected_keys.clone(),
        }
    }

    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Requests that are being answered, streams until their end.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One attempt, from the reservation to the first event. `None` when it failed and the trip goes on.
    async fn attempt(
        self: &Arc<Self>,
        request: &ChatRequest,
        options: &Options,
        trip: &mut Trip,
        candidate: Candidate,
        attempts: &mut Vec<Attempt>,
    ) -> Option<Answer> {
        let route = self.fleet.route(candidate.route);
        let number = u32::try_from(answer::count(attempts) + 1).unwrap_or(u32::MAX);
        let mut held = match self.reserve(route, candidate.cost, number, options).await {
            Ok(held) => held,
            Err(fault) => {
                trip.failed(route.id, fault);
                return None;
            }
        };
        let (sent, first_event) = (self.clock.now(), self.first_event(route));
        trip.allow(first_event, sent);
        let moment = later(sent, first_event).min(trip.ends());
        self.learned().health[route.id.0].tried(sent);
        let body = tokio::select! {
            biased;
            body = self.exchange(request, route, &candidate.cost, &mut held) => body,
            () = self.clock.sleep_until(moment) => Err(Fault::Broken(Breakage::Timeout(Stage::FirstEvent))),
        };
        attempts.push(self.attempted(route, &held, body.as_ref().err(), sent));
        match body {
            Ok(body) => {
                let (body, first_event) = held.answered(body);
                Some(Answer { route: route.clone(), attempts: std::mem::take(attempts), first_event, body })
            }
            Err(fault) => {
                held.failed(&fault);
                trip.failed(route.id, fault);
                None
            }
        }
    }

    /// Takes what the attempt is expected to cost, from all of the route's meters or from none.
    async fn reserve(
        self: &Arc<Self>,
        route: &Route,
        cost: Cost,
        number: u32,
        options: &Options,
    ) -> Result<Held, Fault> {
        let now = self.clock.now();
        let lease = self.store.reserve(route, cost, now).await.map_err(refused)?;
        tracing::debug!(request = %options.request_id, route = %route.name, attempt = number, "trying");
        if let Some(on_attempt) = &options.on_attempt {
            on_attempt(&route.name);
        }
        Ok(Held::new(Arc::clone(self), route.id, lease, number, options.request_id.clone(), now))
    }

    /// The attempt as it is told to the caller. What a dialect could not say was not sent.
    fn attempted(&self, route: &Route, held: &Held, fault: Option<&Fault>, sent: Timestamp) -> Attempt {
        Attempt {
            route: Arc::clone(&route.name),
            sent: held.status.is_some() || !matches!(fault, Some(Fault::Unfit(_) | Fault::Invalid { .. })),
            http_status: held.status,
            fault: fault.cloned(),
            elapsed: until(sent, self.clock.now()),
        }
    }

    /// How long the route's first event may take.
    fn first_event(&self, route: &Route) -> Duration {
        let usual = self.timeouts.first_event;
        match route.provider.first_event {
            Some(own) if !self.timeouts.first_event_is_users => own,
            _ => usual,
        }
    }

    /// Sends the request and waits until there is something to show for it.
    async fn exchange(
        &self,
        request: &ChatRequest,
        route: &Route,
        cost: &Cost,
        held: &mut Held,
    ) -> Result<Body, Fault> {
        let provider = &route.provider;
        let target = Target {
            model: &route.model.id,
            wire: &provider.wire,
            context: route.model.context,
            input_tokens: cost.input_tokens,
            answer_tokens: cost.output_tokens,
        };
        let outgoing = provider.dialect.encode(request, target)?;
        let uri: Uri = format!("{}{}", provider.base_url, outgoing.path)
            .parse()
            .map_err(|_| Fault::Broken(Breakage::Unreachable))?;
        let credential = route.key.and_then(|key| self.credentials[key.0].clone());
        let received = self.client.send(Call { uri, credential, body: outgoing.body, stream: request.stream }).await?;
        held.status = Some(received.status);
        self.note_facts(route, &received.headers);
        if !(200..300).contains(&received.status) {
            return Err(self.refusal(route, received).await);
        }
        if request.stream {
            let scanner = provider.dialect.scanner(target, request.include_usage);
            let mut events = EventStream::new(received.body, scanner, self.timeouts.idle, self.clock.now());
            let first = self.first_events(&mut events).await?;
            return Ok(Body::Stream(Box::new(AnswerStream::new(events, first))));
        }
        let body = read_whole(received.body, MOST_ANSWER_BYTES).await?;
        provider.dialect.decode(body, target, self.clock.now()).map(Body::Whole)
    }

    async fn refusal(&self, route: &Route, received: Received) -> Fault {
        // What cannot be read of a refusal leaves its status and headers to go by.
        let body = read_whole(received.body, MOST_REFUSAL_BYTES).await.unwrap_or_default();
        self.note_refusal(route, received.status, &received.headers, &body)
    }

    /// Events up to the first one that carries part of an answer. Until then a failure can be healed unseen.
    async fn first_events(&self, events: &mut EventStream) -> Result<Vec<crate::chat::StreamEvent>, Fault> {
        let mut first = Vec::new();
        loop {
            let event = match events.next(&self.clock).await {
                Ok(Some(event)) => event,
                Ok(None) | Err(Fault::Cut) => return Err(Fault::Broken(Breakage::Empty)),
                Err(fault) => return Err(fault),
            };
            if let Some(fault) = event.signs.error {
                return Err(fault);
            }
            let real = event.signs.real;
            first.push(event);
            if real {
                return Ok(first);
            }
        }
    }

    fn failure(&self, fault: Fault, attempts: Vec<Attempt>, trip: &Trip) -> Failure {
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

fn credentials(keys: &[Key], fleet: &Fleet) -> Vec<Option<(HeaderName, HeaderValue)>> {
    let mut credentials = vec![None; keys.len()];
    for route in &fleet.routes {
        let Some(key) = route.key else { continue };
        credentials[key.0] = Some(keys[key.0].header(route.provider.dialect));
    }
    credentials
}

fn refused(refusal: Refusal) -> Fault {
    match refusal {
        Refusal::Until(_, moment) => Fault::Full { until: Some(moment) },
        Refusal::Never(_) => Fault::Unfit(crate::chat::Unfit::TooLarge),
        Refusal::Lost(reason) => {
            tracing::error!(%reason, "the state store is lost");
            Fault::StoreLost
        }
    }
}

//! One path for every request: snapshot, step, attempt, settle, until an answer or a reason why there is none.

mod affinity;
mod aside;
mod attempt;
mod continuation;
mod crowd;
mod effects;
mod failure;
mod forecast;
mod hedge;
mod limits;
mod metrics;
mod plan;
mod probe;
mod remote;
mod remote_usage;
mod shape;
mod usage;
mod waiting;

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use jiff::Timestamp;

use crate::answer::{Answer, Attempt, Body};
use crate::chat::session::SessionKey;
use crate::chat::{ChatRequest, Fault};
use crate::clock::{Alarms, Clock, until};
use crate::config::{self, Routing, Settings, Timeouts};
use crate::context::Memory;
use crate::routing::{
    Board, Claims, Fleet, Health, Healths, Need, Rejection, RouteId, Snapshot, Step, Strategy, Trip, rank,
};
use crate::store::{SessionBounds, Store};
use crate::style::{Directive, StyleMode};
use crate::upstream::{Client, Key};

use attempt::{Destination, Tried};
use crowd::Crowd;

pub use crate::store::{LEDGER_KEPT, Quarter};
pub use continuation::{Continuation, Continued};
pub use crowd::Place;
pub use failure::Failure;
pub use limits::Adopted;
pub use metrics::Metrics;
pub use probe::{Checked, Condition, Probe};
pub use remote::{Refused, Remote, RemoteAnswer, RemoteStream, RemoteWhole};
pub use usage::{ModelUsage, ModelWindows, Sums, UsageReport, WindowUsage};

use shape::Asking;
use waiting::{Travelling, Waiting};

/// The core: everything a request needs, shared by all requests.
pub struct Relay {
    pub fleet: Fleet,
    pub clock: Clock,
    /// The same time as of the start, for how long things last: nobody sets it.
    steady: Clock,
    /// For what hardly ever takes too long: one for each attempt, and for each head of a request.
    pub alarms: Alarms,
    pub metrics: Metrics,
    routing: Routing,
    timeouts: Timeouts,
    context: config::Context,
    voice: config::Voice,
    directive: Directive,
    sessions: config::Sessions,
    conversations: Arc<Mutex<Memory>>,
    /// The header that carries each key, by `KeyId`; `None` for a key no route uses.
    credentials: Vec<Option<(HeaderName, HeaderValue)>>,
    /// By `RouteId`: where it was first called.
    destinations: Vec<OnceLock<Arc<Destination>>>,
    store: Arc<dyn Store>,
    client: Client,
    learned: Mutex<Learned>,
    /// What ranking knows of the store's meters. Held while a ranking is made.
    board: Mutex<Board>,
    turn: AtomicU64,
    waiting: Waiting,
    crowd: Crowd,
    pub(crate) in_flight: Arc<AtomicUsize>,
}

/// What this process has seen of its routes. Shared with snapshots; a change while one is read is made to a copy.
struct Learned {
    health: Arc<Healths>,
    /// Rests in a row without a moment of the provider's own, by route.
    guessed_rests: Vec<u32>,
}

/// Hears of attempts as they are made.
pub type OnAttempt = Arc<dyn Fn(&str) + Send + Sync>;

/// A name for a request: its moment, and chance enough that no two are alike. It is no secret, and asks the system for nothing.
pub fn request_id(now: Timestamp) -> Arc<str> {
    let millis = u64::try_from(now.as_millisecond()).unwrap_or_default();
    let chance = fastrand::u128(..).to_ne_bytes();
    let id = uuid::Builder::from_unix_timestamp_millis(millis, chance.first_chunk().expect("ten of sixteen bytes"))
        .into_uuid();
    Arc::from(&*id.simple().encode_lower(&mut uuid::Uuid::encode_buffer()))
}

/// What a caller wants beside the request itself.
#[derive(Clone, Default)]
pub struct Options {
    pub request_id: Arc<str>,
    /// In the place of the configured one.
    pub max_wait: Option<Duration>,
    pub max_attempts: Option<usize>,
    /// In the place of both configured ones.
    pub strategy: Option<Strategy>,
    /// `provider/model` names or provider ids to leave out.
    pub avoid: Vec<String>,
    pub strict_free: bool,
    /// Asks also where a rest or a rejected key keeps it from asking, unless its provider named the moment.
    pub despite_guesses: bool,
    /// The conversation the request belongs to.
    pub session: Option<SessionKey>,
    /// A stream that breaks off ends so, and is not continued on another route.
    pub no_continuation: bool,
    /// In the place of the configured one.
    pub style: Option<StyleMode>,
    /// The caller's own system prompt stands alone.
    pub without_directive: bool,
    /// Told the name of each route as it is tried.
    pub on_attempt: Option<OnAttempt>,
}

impl Relay {
    /// How long a request may wait for quota that does not say so itself.
    pub const fn usual_wait(&self) -> Duration {
        self.routing.max_wait
    }

    pub fn new(settings: &Settings, fleet: Fleet, store: Arc<dyn Store>, clock: Clock) -> Self {
        let health = Arc::new(Healths::new(&fleet));
        let learned = Learned { health, guessed_rests: vec![0; fleet.routes.len()] };
        let sessions = settings.sessions.clone();
        store.bound_sessions(SessionBounds { most: sessions.max_sessions, ttl: sessions.ttl });
        Self {
            steady: clock.steady(),
            clock,
            alarms: Alarms::default(),
            metrics: Metrics::new(&fleet),
            routing: settings.routing.clone(),
            timeouts: settings.timeouts.clone(),
            context: settings.context.clone(),
            directive: Directive::of(&settings.voice.directive),
            voice: settings.voice.clone(),
            sessions,
            conversations: Arc::default(),
            credentials: credentials(&settings.keys, &fleet),
            destinations: fleet.routes.iter().map(|_| OnceLock::new()).collect(),
            store,
            client: Client::new(&settings.network, settings.timeouts.connect),
            learned: Mutex::new(learned),
            board: Mutex::new(Board::new(&fleet)),
            turn: AtomicU64::new(0),
            waiting: Waiting::default(),
            crowd: Crowd::new(&fleet),
            in_flight: Arc::new(AtomicUsize::new(0)),
            fleet,
        }
    }

    /// Answers a request by the best route that can, moving on to the next until one does.
    pub async fn send(self: &Arc<Self>, request: &ChatRequest, options: &Options) -> Result<Answer, Box<Failure>> {
        let start = self.clock.now();
        let (trip, moved) = self
            .trip(request, options, start)
            .map_err(|fault| Box::new(Failure { fault, attempts: Vec::new(), rejections: Vec::new() }))?;
        let mut travelling = Travelling::new(self, trip);
        let asking = Asking { request, options, conversation: None, so_far: None };
        let mut answer = self.answer(asking, &mut travelling, moved.into_iter().collect()).await?;
        self.note_overhead(&answer, &travelling.trip, until(start, self.clock.now()));
        if let Body::Stream(stream) = &mut answer.body
            && let Some(continuation) = self.continuation(asking, &answer.attempts)
        {
            stream.may_continue(continuation);
        }
        Ok(answer)
    }

    /// Follows a trip to its answer. `attempts` are those of this request so far.
    async fn answer(
        self: &Arc<Self>,
        asking: Asking<'_>,
        travelling: &mut Travelling<'_>,
        mut attempts: Vec<Attempt>,
    ) -> Result<Answer, Box<Failure>> {
        let mut conversation = None;
        loop {
            let given_back = travelling.listen();
            let next = |trip: &mut Trip| self.step(trip);
            match self.shaped_step(&mut travelling.trip, asking, &mut conversation, next).await {
                Step::Try(candidate) => {
                    let trip = &mut travelling.trip;
                    let asking = Asking { conversation: conversation.as_ref(), ..asking };
                    for Tried { route, attempt, mut result } in self.race(asking, trip, &candidate, &attempts).await {
                        attempts.extend(attempt);
                        if let Ok((Body::Stream(stream), _)) = &result
                            && stream.needs_all()
                        {
                            result = Box::pin(self.with_all(result, &mut attempts)).await;
                        }
                        match result {
                            Err(fault) => trip.failed(route, fault),
                            Ok((body, first_event)) => {
                                return Ok(Answer { route, attempts, first_event, body });
                            }
                        }
                    }
                }
                Step::Sleep(moment) => travelling.wait(moment, given_back).await,
                Step::Stop(fault) => {
                    let fault = shape::why_too_long(fault, &travelling.trip.need, conversation.as_ref());
                    return Err(Box::new(self.failure(fault, attempts, &travelling.trip)));
                }
            }
            travelling.keep_time();
        }
    }

    /// The answer of the last of these attempts, whose caller gets nothing before all of it is here: until then another route may begin anew.
    async fn with_all(
        &self,
        answered: Result<(Body, Duration), Fault>,
        attempts: &mut [Attempt],
    ) -> Result<(Body, Duration), Fault> {
        let (stream, first_event) = match answered {
            Ok((Body::Stream(stream), first_event)) => (stream, first_event),
            other => return other,
        };
        let begun = self.clock.now();
        let gathered = stream.gathered().await;
        if let Some(attempt) = attempts.last_mut() {
            attempt.elapsed += until(begun, self.clock.now());
            attempt.fault = gathered.as_ref().err().cloned();
        }
        gathered.map(|stream| (Body::Stream(stream), first_event))
    }

    /// Each route with what keeps it from answering a small request now, if anything does.
    pub fn standing(&self) -> Vec<(RouteId, Option<Rejection>)> {
        self.standing_for(&Need::smallest())
    }

    /// Where every model stands. Several keys make several routes of one model; the best of them speaks for it.
    pub fn standing_by_model(&self) -> Vec<(RouteId, Option<Rejection>)> {
        let mut models: Vec<(RouteId, Option<Rejection>)> = Vec::new();
        for (id, rejection) in self.standing() {
            let name = &self.fleet.route(id).name;
            match models.iter_mut().find(|(known, _)| self.fleet.route(*known).name == *name) {
                None => models.push((id, rejection)),
                Some((_, best)) if Rejection::order(best.as_ref()) <= Rejection::order(rejection.as_ref()) => {}
                Some(known) => *known = (id, rejection),
            }
        }
        models
    }

    fn standing_for(&self, need: &Need) -> Vec<(RouteId, Option<Rejection>)> {
        let ranking = rank(&self.fleet, need, &self.snapshot(), &mut self.board());
        let free = ranking.contenders(&self.fleet).map(|contender| (contender.route, None));
        let rejected = ranking.rejections.iter().map(|(route, rejection)| (*route, Some(rejection.clone())));
        let mut standing: Vec<_> = free.chain(rejected).collect();
        standing.sort_by_key(|(route, _)| *route);
        standing
    }

    /// Meters, rests and health at this instant.
    pub fn snapshot(&self) -> Snapshot {
        let view = self.store.view();
        let learned = self.learned();
        let health = Arc::clone(&learned.health);
        Snapshot { now: self.clock.now(), view, health, claims: Claims::default(), full: self.crowd.full() }
    }

    pub fn store(&self) -> &dyn Store {
        self.store.as_ref()
    }

    /// Requests that are being answered, streams until their end.
    pub fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Relaxed)
    }

    fn board(&self) -> MutexGuard<'_, Board> {
        // A panic elsewhere leaves outlooks that are still outlooks, or that are looked at again.
        self.board.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn learned(&self) -> MutexGuard<'_, Learned> {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Learned {
    fn health(&mut self, route: RouteId) -> &mut Health {
        Arc::make_mut(&mut self.health).change(route)
    }
}

fn credentials(keys: &[Key], fleet: &Fleet) -> Vec<Option<(HeaderName, HeaderValue)>> {
    let mut credentials = vec![None; keys.len()];
    for route in &fleet.routes {
        let Some(key) = route.key else { continue };
        credentials[key.place] = Some(keys[key.place].header(route.provider.dialect));
    }
    credentials
}

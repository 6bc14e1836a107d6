//! Plays a trace through the real core in simulated time: routing, reservations, refusals and what is learned, without a network.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use jiff::Timestamp;
use relay::catalog::Overlay;
use relay::chat::{ChatRequest, Fault, Usage};
use relay::clock::{Clock, Hand, later, until};
use relay::config::{Environment, Flags, Simulated, load};
use relay::quota::Cost;
use relay::quota::signal::Response;
use relay::relay::{Options, Relay};
use relay::routing::{Candidate, Fleet, RouteId, Step, Strategy, Trip};
use relay::sim::{ModelSpec, Offline, ProviderSpec, Unit};
use relay::store::{Lease, LedgerRow, Memory, Refusal, Settlement};

use super::trace::{CLASSES, Class, MAX_WAIT, Trace, Traffic};

/// Twelve hours before a day turns.
pub const START: &str = "2026-11-23T12:00:00Z";

/// A refusal takes its time, too.
const REFUSAL: Duration = Duration::from_millis(80);

/// A client whose request failed for good asks again after this.
const PAUSE: Duration = Duration::from_secs(1);

/// What became of a trace.
#[derive(Debug, Default)]
pub struct Outcome {
    pub answers: u64,
    pub tokens: u64,
    pub calls: u64,
    pub refused: u64,
    /// Seconds each answered request waited before it was taken.
    waits: Vec<f64>,
}

impl Outcome {
    /// The wait that this share of the answered requests stayed below.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
    pub fn wait(&self, share: f64) -> f64 {
        let place = (self.waits.len() as f64 * share) as usize;
        self.waits.get(place).copied().unwrap_or_default()
    }
}

/// Whether a model can answer a class at all: by what it is, by its context, by its true limits.
pub fn fits(class: &Class, spec: &ProviderSpec, model: &ModelSpec) -> bool {
    let room = spec.limits.iter().chain(&model.limits).all(|limit| match limit.unit {
        Unit::Requests => limit.amount >= 1,
        Unit::InputTokens => limit.amount >= class.prompt,
        Unit::Tokens => limit.amount >= class.prompt + class.answer,
    });
    room && class.prompt + class.answer <= model.context
        && class.model_type.is_none_or(|kind| model.types.iter().any(|known| known == kind))
        && class.scale.is_none_or(|scale| model.scale == scale)
}

/// A request on its way.
struct Asked {
    class: usize,
    since: Timestamp,
    trip: Trip,
    attempts: u32,
    waits_since: Option<Timestamp>,
    /// The moment it last waited for, and the place in `happenings` that stands for it.
    waits_until: Option<(Timestamp, usize)>,
}

/// Something that happens at its moment.
enum Happening {
    /// A request arrives; in a closed loop its client asks.
    Arrival(usize),
    /// A request goes on after a refusal or a wait.
    GoOn(Box<Asked>),
    /// An answer ends.
    End { class: usize, route: RouteId, lease: Lease, sent: Timestamp, attempts: u32 },
}

struct Play<'t> {
    relay: Relay,
    hand: Hand,
    providers: Vec<Offline>,
    requests: Vec<ChatRequest>,
    random: fastrand::Rng,
    queue: BinaryHeap<Reverse<(Timestamp, u64)>>,
    /// By the second part of a queue's entry. `None` when it happened already: something was given back before.
    happenings: Vec<Option<Happening>>,
    /// Places in `happenings` of requests that wait for quota, in their order.
    waiting: BTreeSet<usize>,
    trace: &'t Trace,
    options: Options,
    end: Timestamp,
    outcome: Outcome,
}

/// Plays the whole trace and tells what came of it.
pub fn play(specs: &[ProviderSpec], trace: &Trace, strategy: Strategy) -> Outcome {
    let start: Timestamp = START.parse().expect("a moment");
    let (clock, hand) = Clock::manual(start);
    let providers: Vec<Offline> = specs.iter().map(|spec| Offline::new(spec.clone(), 1, start)).collect();
    let simulated: Vec<Simulated> = providers.iter().map(simulated).collect();
    let settings = load(&Flags::default(), &Environment::from([]), Some(&simulated)).settings;
    let fleet = Fleet::new(&settings.accounts);
    let store = Arc::new(Memory::new(&fleet));
    let mut play = Play {
        relay: Relay::new(&settings, fleet, store, clock),
        hand,
        providers,
        requests: CLASSES.iter().map(request).collect(),
        random: fastrand::Rng::with_seed(3),
        queue: BinaryHeap::new(),
        happenings: Vec::new(),
        waiting: BTreeSet::new(),
        trace,
        options: Options { max_wait: Some(MAX_WAIT), strategy: Some(strategy), ..Options::default() },
        end: later(start, trace.length),
        outcome: Outcome::default(),
    };
    play.run(start);
    play.outcome.waits.sort_by(f64::total_cmp);
    play.outcome
}

fn simulated(provider: &Offline) -> Simulated {
    let told = provider.described();
    Simulated {
        catalogue: Overlay { id: told.id.clone(), place: format!("{} of the bench", told.id), text: told.catalogue },
        key: told.key,
    }
}

/// A request whose prompt is about as many tokens as its class says.
fn request(class: &Class) -> ChatRequest {
    let words = "word ".repeat(usize::try_from(class.prompt.saturating_sub(8)).expect("a few thousand"));
    let mut body = serde_json::json!({ "model": "meta-model", "messages": [{ "role": "user", "content": words }] });
    for (field, value) in [("model_type", class.model_type), ("model_scale", class.scale)] {
        if let Some(value) = value {
            body[field] = value.into();
        }
    }
    ChatRequest::parse(body.to_string().into()).expect("a valid request")
}

impl Play<'_> {
    fn run(&mut self, start: Timestamp) {
        match &self.trace.traffic {
            Traffic::Open(requests) => {
                for (at, class) in requests {
                    self.at(later(start, Duration::from_secs_f64(*at)), Happening::Arrival(*class));
                }
            }
            Traffic::Closed { clients, class } => {
                for client in 0..*clients {
                    self.at(later(start, Duration::from_millis(7 * client as u64)), Happening::Arrival(*class));
                }
            }
        }
        while let Some(Reverse((moment, index))) = self.queue.pop() {
            if moment >= self.end {
                return;
            }
            let index = usize::try_from(index).expect("an index");
            self.waiting.remove(&index);
            self.hand.advance(until(self.relay.clock.now(), moment));
            match self.happenings[index].take() {
                Some(Happening::Arrival(class)) => self.arrive(class),
                Some(Happening::GoOn(asked)) => self.go_on(*asked),
                Some(Happening::End { class, route, lease, sent, attempts }) => {
                    self.answered(class, route, lease, sent, attempts);
                }
                None => {}
            }
        }
    }

    fn at(&mut self, moment: Timestamp, happening: Happening) {
        self.queue.push(Reverse((moment, self.happenings.len() as u64)));
        self.happenings.push(Some(happening));
    }

    fn arrive(&mut self, class: usize) {
        let request_id = self.random.u64(..).to_string().into();
        let options = Options { request_id, ..self.options.clone() };
        let now = self.relay.clock.now();
        let (mut trip, _) =
            self.relay.trip(&self.requests[class], &options, now).expect("the classes ask for what there is");
        trip.need.count_exactly(CLASSES[class].prompt);
        self.go_on(Asked {
            class,
            since: self.relay.clock.now(),
            trip,
            attempts: 0,
            waits_since: None,
            waits_until: None,
        });
    }

    fn go_on(&mut self, mut asked: Asked) {
        let now = self.relay.clock.now();
        if let Some(since) = asked.waits_since.take() {
            asked.trip.slept(until(since, now));
        }
        loop {
            match self.relay.step(&mut asked.trip) {
                Step::Try(candidate) => match self.attempt(asked, &candidate) {
                    Some(refused) => asked = refused,
                    None => return,
                },
                Step::Sleep(moment) => {
                    asked.waits_since = Some(now);
                    return self.wait(asked, moment);
                }
                Step::Stop(_) => return self.ask_again(asked.class, PAUSE),
            }
        }
    }

    /// Woken in vain, a request waits on in the place it had.
    fn wait(&mut self, mut asked: Asked, moment: Timestamp) {
        let index = match asked.waits_until {
            Some((known, index)) if known == moment => index,
            _ => {
                self.queue.push(Reverse((moment, self.happenings.len() as u64)));
                self.happenings.push(None);
                self.happenings.len() - 1
            }
        };
        asked.waits_until = Some((moment, index));
        self.waiting.insert(index);
        self.happenings[index] = Some(Happening::GoOn(Box::new(asked)));
    }

    /// Reserves and asks. `None` when the request is taken care of: answered, or going on later.
    fn attempt(&mut self, mut asked: Asked, candidate: &Candidate) -> Option<Asked> {
        let now = self.relay.clock.now();
        let route = self.relay.fleet.route(candidate.route).clone();
        let reserved = self.relay.store().reserve(&route, candidate.cost, now).now_or_never();
        let lease = match reserved.expect("memory never waits") {
            Ok(lease) => lease,
            Err(refusal) => {
                let until = if let Refusal::Until(_, moment) = refusal { Some(moment) } else { None };
                asked.trip.failed(route.id, Fault::Full { until });
                return Some(asked);
            }
        };
        asked.attempts += 1;
        self.outcome.calls += 1;
        let class = &CLASSES[asked.class];
        let provider = self.providers.iter().find(|provider| provider.spec().id == route.provider.id);
        let provider = provider.expect("every route is somebody's");
        let told = provider.ask(&route.model.id, class.prompt, class.answer, now);
        if told.status == 200 {
            self.relay.note_facts(&route, &told.headers, Response::Answer, now);
            let pace = self.pace(&route.provider.id);
            self.outcome.waits.push(until(asked.since, now).as_secs_f64());
            let first = later(now, pace.0);
            self.relay.note_answer(route.id, pace.0);
            let end = later(first, pace.1.saturating_mul(u32::try_from(class.answer).expect("a short answer")));
            let (class, attempts) = (asked.class, asked.attempts);
            self.at(end, Happening::End { class, route: route.id, lease, sent: now, attempts });
            return None;
        }
        self.outcome.refused += 1;
        self.relay.note_facts(&route, &told.headers, Response::Refusal, now);
        let fault = self.relay.note_refusal(&route, told.status, &told.headers, &told.body);
        self.relay.note_facts(&route, &told.headers, Response::Refused(fault.period()), now);
        self.relay.note_fault(route.id, Some(&lease), &fault);
        let row = row(route.id, now, asked.attempts, Some(fault.clone()), None);
        self.settle(lease, Cost::request(0, 0), row);
        asked.trip.failed(route.id, fault);
        self.at(later(now, REFUSAL), Happening::GoOn(Box::new(asked)));
        None
    }

    /// Time to the first event, and per token.
    fn pace(&mut self, provider: &str) -> (Duration, Duration) {
        let spec = self.providers.iter().map(Offline::spec).find(|spec| spec.id == provider).expect("a known provider");
        let (first, per_token) = (spec.first_token_ms.clone(), spec.per_token_ms.clone());
        (Duration::from_millis(self.random.u64(first)), Duration::from_millis(self.random.u64(per_token)))
    }

    fn answered(&mut self, class: usize, route: RouteId, lease: Lease, sent: Timestamp, attempts: u32) {
        let shape = &CLASSES[class];
        let usage = Usage { prompt_tokens: shape.prompt, completion_tokens: shape.answer };
        self.outcome.answers += 1;
        self.outcome.tokens += usage.total();
        self.relay.note_usage(route, usage.completion_tokens);
        let row = row(route, sent, attempts, None, Some(usage));
        self.settle(lease, Cost::request(shape.prompt, shape.answer), row);
        self.ask_again(class, Duration::ZERO);
    }

    /// What was not used after all wakes those that wait, longest first.
    fn settle(&mut self, lease: Lease, used: Cost, row: LedgerRow) {
        if !self.relay.settle(lease, Settlement::Used(used), row, self.relay.clock.now()) {
            return;
        }
        for index in std::mem::take(&mut self.waiting) {
            if let Some(Happening::GoOn(asked)) = self.happenings[index].take() {
                self.go_on(*asked);
            }
        }
    }

    /// In a closed loop the client asks for its next.
    fn ask_again(&mut self, class: usize, after: Duration) {
        if let Traffic::Closed { .. } = self.trace.traffic {
            self.at(later(self.relay.clock.now(), after), Happening::Arrival(class));
        }
    }
}

fn row(route: RouteId, at: Timestamp, attempt: u32, fault: Option<Fault>, usage: Option<Usage>) -> LedgerRow {
    LedgerRow {
        session: None,
        at,
        request_id: "".into(),
        route,
        attempt,
        fault,
        cancelled: false,
        continues: false,
        usage,
        http_status: None,
        first_event_ms: None,
        total_ms: 0,
    }
}

//! What `/metrics` tells: counters and histograms of this process, and the quota at the moment of asking.

use std::sync::{Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use prometheus::core::Collector as _;
use prometheus::{
    Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry,
    TextEncoder,
};

use crate::chat::Usage;
use crate::routing::{Fleet, Route, RouteId};
use crate::store::LedgerRow;

use super::usage::ModelWindows;

/// Upper bounds of relay's own time, in seconds: from 50 microseconds on, doubling.
const OVERHEAD_BUCKETS: [f64; 12] =
    [0.000_05, 0.000_1, 0.000_2, 0.000_4, 0.000_8, 0.001_6, 0.003_2, 0.006_4, 0.012_8, 0.025_6, 0.1, 1.0];

/// The outcome of an attempt that answered.
const ANSWERED: &str = "ok";

/// Upper bounds of the time to a first event, in seconds.
const FIRST_EVENT_BUCKETS: [f64; 11] = [0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 15.0, 30.0, 60.0];

/// The counters of one core.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    requests: IntCounterVec,
    attempts: IntCounterVec,
    tokens: IntCounterVec,
    first_event: HistogramVec,
    overhead: Histogram,
    in_flight: IntGauge,
    answered: OnceLock<IntCounter>,
    /// By `RouteId`, from a route's first answer on.
    routes: Vec<OnceLock<OfRoute>>,
    uncounted: Mutex<Vec<Answered>>,
}

/// An attempt that answered, and is in no series yet.
#[derive(Debug, Clone, Copy)]
struct Answered {
    route: RouteId,
    usage: Option<Usage>,
    first_event_ms: Option<u64>,
}

/// So many answers are counted together, if nobody asks before. The series of hundreds of routes lie too far from the processor for one
/// answer each; the way to those of one route is the same for several.
const UNCOUNTED: usize = 1_024;

/// A route's series that every answer moves, found once: to look them up by their labels takes longer than to move them.
#[derive(Debug)]
struct OfRoute {
    answered: IntCounter,
    prompt: IntCounter,
    completion: IntCounter,
    first_event: Histogram,
}

impl OfRoute {
    /// What an attempt took, whatever became of it.
    fn took(&self, usage: Option<Usage>, first_event_ms: Option<u64>) {
        if let Some(usage) = usage {
            self.prompt.inc_by(usage.prompt_tokens);
            self.completion.inc_by(usage.completion_tokens);
        }
        if let Some(millis) = first_event_ms {
            self.first_event.observe(Duration::from_millis(millis).as_secs_f64());
        }
    }
}

fn counters(name: &str, help: &str, labels: &[&str]) -> IntCounterVec {
    IntCounterVec::new(Opts::new(name, help), labels).expect("a constant name")
}

impl Metrics {
    pub fn new(fleet: &Fleet) -> Self {
        let first_event =
            HistogramOpts::new("relay_first_event_seconds", "From an attempt's start to its first event.");
        let overhead = HistogramOpts::new(
            "relay_overhead_seconds",
            "What relay itself took until the first event: no provider, no wait for quota.",
        );
        let metrics = Self {
            registry: Registry::new(),
            requests: counters("relay_requests_total", "Chats that ended; 499: the caller left.", &["status"]),
            attempts: counters("relay_attempts_total", "Attempts that ended.", &["provider", "model", "outcome"]),
            tokens: counters("relay_tokens_total", "Tokens providers reported.", &["provider", "model", "kind"]),
            first_event: HistogramVec::new(first_event.buckets(FIRST_EVENT_BUCKETS.to_vec()), &["provider", "model"])
                .expect("a constant name"),
            overhead: Histogram::with_opts(overhead.buckets(OVERHEAD_BUCKETS.to_vec())).expect("a constant name"),
            in_flight: IntGauge::new("relay_in_flight", "Attempts under way, streams until their end.")
                .expect("a constant name"),
            answered: OnceLock::new(),
            routes: fleet.routes.iter().map(|_| OnceLock::new()).collect(),
            uncounted: Mutex::default(),
        };
        metrics.register();
        metrics
    }

    fn register(&self) {
        let all: [Box<dyn prometheus::core::Collector>; 6] = [
            Box::new(self.requests.clone()),
            Box::new(self.attempts.clone()),
            Box::new(self.tokens.clone()),
            Box::new(self.first_event.clone()),
            Box::new(self.overhead.clone()),
            Box::new(self.in_flight.clone()),
        ];
        for collector in all {
            self.registry.register(collector).expect("six different names");
        }
    }

    /// A chat has ended with this HTTP status.
    pub fn request(&self, status: u16) {
        let of = |status: &str| self.requests.with_label_values(&[status]);
        match status {
            200 => self.answered.get_or_init(|| of("200")).inc(),
            other => of(&other.to_string()).inc(),
        }
    }

    fn of(&self, route: &Route) -> &OfRoute {
        let (provider, model) = (route.provider.id.as_str(), route.model.id.as_str());
        self.routes[route.id.0].get_or_init(|| OfRoute {
            answered: self.attempts.with_label_values(&[provider, model, ANSWERED]),
            prompt: self.tokens.with_label_values(&[provider, model, "prompt"]),
            completion: self.tokens.with_label_values(&[provider, model, "completion"]),
            first_event: self.first_event.with_label_values(&[provider, model]),
        })
    }

    /// An attempt has ended.
    pub(crate) fn attempt(&self, fleet: &Fleet, row: &LedgerRow) {
        let (&LedgerRow { route, usage, first_event_ms, .. }, outcome) = (row, row.outcome());
        if outcome != ANSWERED {
            let route = fleet.route(route);
            self.attempts.with_label_values(&[&route.provider.id, &route.model.id, outcome.as_ref()]).inc();
            // A series of tokens or times is there once there is something in it.
            if usage.is_some() || first_event_ms.is_some() {
                self.of(route).took(usage, first_event_ms);
            }
            return;
        }
        let mut uncounted = self.uncounted();
        uncounted.push(Answered { route, usage, first_event_ms });
        if uncounted.len() >= UNCOUNTED {
            self.count(fleet, uncounted);
        }
    }

    fn uncounted(&self) -> MutexGuard<'_, Vec<Answered>> {
        self.uncounted.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn count(&self, fleet: &Fleet, mut uncounted: MutexGuard<'_, Vec<Answered>>) {
        uncounted.sort_unstable_by_key(|answered| answered.route);
        for answered in uncounted.drain(..) {
            let series = self.of(fleet.route(answered.route));
            series.answered.inc();
            series.took(answered.usage, answered.first_event_ms);
        }
    }

    /// A request has its first event, after so much of relay's own time.
    pub(super) fn overhead(&self, own: Duration) {
        self.overhead.observe(own.as_secs_f64());
    }

    /// Everything, in Prometheus' text format 0.0.4.
    pub(super) fn text(&self, fleet: &Fleet, in_flight: usize, quota: &[ModelWindows]) -> String {
        self.count(fleet, self.uncounted());
        self.in_flight.set(i64::try_from(in_flight).unwrap_or(i64::MAX));
        let mut families = self.registry.gather();
        // The encoder refuses a family without a series, which is what it has where no route has a limit.
        families.extend(remaining(quota).collect().into_iter().filter(|family| !family.get_metric().is_empty()));
        TextEncoder::new().encode_to_string(&families).expect("every family has a name, a type and a series")
    }
}

/// What is left, as it is known now.
fn remaining(quota: &[ModelWindows]) -> IntGaugeVec {
    let opts = Opts::new("relay_quota_remaining", "What is left of a limit's window, as far as relay knows.");
    let gauges = IntGaugeVec::new(opts, &["provider", "model", "kind", "period"]).expect("a constant name");
    for model in quota {
        for window in &model.windows {
            let labels = [model.provider.as_str(), model.model.as_str(), window.kind.word(), window.period.word()];
            gauges.with_label_values(&labels).set(i64::try_from(window.remaining).unwrap_or(i64::MAX));
        }
    }
    gauges
}

//! One simulated provider at work: its script, its faults, its meters and what it remembers.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;
use serde_json::Value;

use super::act::Act;
use super::call::Log;
use super::catalogue::catalogue;
use super::endpoint::Endpoint;
use super::habit::Habits;
use super::hash::hash;
use super::limit::{Cost, Limit, Meter};
use super::persona::{Persona, Tongue, rate_headers};
use super::refusal::Refusal;
use super::spec::{ModelSpec, ProviderSpec};
use super::wire::{event, models};

/// What the outside knows of a simulated provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimProvider {
    pub id: String,
    /// As its catalogue says it too; ends in `/v1`, or as its persona's does.
    pub base_url: String,
    /// The text of its catalogue file.
    pub catalogue: String,
    /// The key it accepts.
    pub key: String,
}

#[derive(Debug)]
pub(super) struct Provider {
    pub spec: ProviderSpec,
    pub key: String,
    pub log: Arc<Log>,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    script: VecDeque<Act>,
    list_script: VecDeque<Act>,
    random: fastrand::Rng,
    shared: Vec<Meter>,
    /// By the model's place in the spec.
    models: Vec<Vec<Meter>>,
}

impl Provider {
    pub(super) fn new(spec: ProviderSpec, seed: u64, now: Timestamp) -> Self {
        let meters = |limits: &[Limit]| limits.iter().map(|limit| Meter::new(limit.clone(), now)).collect();
        let state = State {
            script: spec.opening.clone().into(),
            list_script: VecDeque::new(),
            random: fastrand::Rng::with_seed(hash(seed, &[&spec.id, "faults"])),
            shared: meters(&spec.limits),
            models: spec.models.iter().map(|model| meters(&model.limits)).collect(),
        };
        let key = format!("{}-key-{:016x}", spec.id, hash(seed, &[&spec.id, "key"]));
        Self { spec, key, log: Arc::default(), state: Mutex::new(state) }
    }

    /// As seen from outside, when it is served under `origin`.
    pub(super) fn described(&self, origin: &str) -> SimProvider {
        let path = self.spec.persona.map_or("/v1", Persona::base_path);
        let base_url = format!("{origin}/{}{path}", self.spec.id);
        SimProvider {
            id: self.spec.id.clone(),
            catalogue: catalogue(&self.spec, &base_url),
            base_url,
            key: self.key.clone(),
        }
    }

    pub(super) fn model(&self, id: &str) -> Option<(usize, &ModelSpec)> {
        self.spec.models.iter().enumerate().find(|(_, model)| model.id == id && !model.vanished)
    }

    pub(super) fn script(&self, acts: impl IntoIterator<Item = Act>) {
        self.state().script.extend(acts);
    }

    pub(super) fn unscript(&self) {
        self.state().script.clear();
    }

    pub(super) fn script_list(&self, acts: impl IntoIterator<Item = Act>) {
        self.state().list_script.extend(acts);
    }

    /// The next scripted act for the model list, if there is one.
    pub(super) fn next_for_list(&self) -> Option<Act> {
        self.state().list_script.pop_front()
    }

    /// What to do with the next chat call, and whether that was scripted.
    pub(super) fn next(&self, stream: bool) -> (Act, bool) {
        let mut state = self.state();
        if let Some(act) = state.script.pop_front() {
            return (act, true);
        }
        if self.spec.faults.is_empty() || state.random.f64() >= self.spec.fault_rate {
            return (Act::Answer, false);
        }
        let fault = self.spec.faults[state.random.usize(..self.spec.faults.len())].clone();
        (if fault.only_streams() && !stream { Act::Answer } else { fault }, false)
    }

    /// Counts `cost` against every limit of the model and the key, or against none and says which refuses. `forced` only counts.
    pub(super) fn admit(&self, model: usize, cost: Cost, now: Timestamp, forced: bool) -> Result<(), Refusal> {
        let id = &self.spec.models[model].id;
        let mut state = self.state();
        // The longest wait decides, so that whoever waits as told is not refused again.
        let mut refused: Option<(Timestamp, Refusal)> = None;
        for meter in state.meters(model).filter(|_| !forced) {
            let amount = cost.of(meter.limit.unit);
            let Some(moment) = meter.fits_at(amount, now) else {
                return Err(Refusal::too_large(id, &meter.limit, amount));
            };
            if moment > now && refused.as_ref().is_none_or(|(latest, _)| moment > *latest) {
                let used = meter.used(now);
                refused = Some((
                    moment,
                    Refusal::used_up(id, &meter.limit, used, amount, moment, now, self.spec.rate_headers),
                ));
            }
        }
        if let Some((_, refusal)) = refused {
            return Err(refusal);
        }
        for meter in state.meters(model) {
            meter.charge(cost.of(meter.limit.unit), now);
        }
        Ok(())
    }

    /// `x-ratelimit-*` after a call of this cost, or after a refusal.
    pub(super) fn rate_headers(&self, model: usize, cost: Option<Cost>, now: Timestamp) -> Vec<(&'static str, String)> {
        if !self.spec.rate_headers {
            return Vec::new();
        }
        let mut state = self.state();
        let mut meters: Vec<&mut Meter> = state.meters(model).collect();
        rate_headers(self.spec.persona, &mut meters, cost, now)
    }

    /// The dialect of its answers.
    pub(super) const fn tongue(&self) -> Tongue {
        match self.spec.persona {
            None => Tongue::OpenAi(Habits::plain(self.spec.usage_at)),
            Some(persona) => persona.tongue(self.spec.usage_at),
        }
    }

    /// The refusal as this provider says it.
    pub(super) fn tell(&self, refusal: Refusal) -> Refusal {
        match self.spec.persona {
            None => refusal,
            Some(persona) => persona.tell(refusal),
        }
    }

    /// An error as the body of a success.
    pub(super) fn in_success(&self, busy: Refusal) -> Value {
        let told = self.tell(busy);
        self.spec.persona.map_or_else(|| told.body(), |persona| persona.in_success(&told))
    }

    /// An error inside of a stream; `first` when nothing came before it.
    pub(super) fn failure(&self, busy: Refusal, first: bool) -> Bytes {
        let told = self.tell(busy);
        self.spec.persona.map_or_else(|| event(&told.body()), |persona| persona.failure(&told, first))
    }

    pub(super) fn is_silent_after_the_head(&self) -> bool {
        self.spec.persona.is_some_and(Persona::is_silent_after_the_head)
    }

    /// Where `path`, below the provider's folder, leads.
    pub(super) fn endpoint(&self, path: &str, query: &str) -> Option<Endpoint> {
        match (self.spec.persona, path) {
            (Some(persona), _) => persona.endpoint(path, query),
            (None, "/v1/chat/completions") => Some(Endpoint::Chat),
            (None, "/v1/models") => Some(Endpoint::Models),
            (None, _) => None,
        }
    }

    /// Whether the request shows the key the way the provider wants it.
    pub(super) fn knows(&self, headers: &HeaderMap) -> bool {
        let shown = match self.spec.persona {
            Some(Persona::Ollama) => return true,
            Some(Persona::Gemini) => headers.get("x-goog-api-key").map(HeaderValue::as_bytes),
            _ => headers.get(AUTHORIZATION).and_then(|value| value.as_bytes().strip_prefix(b"Bearer ")),
        };
        shown == Some(self.key.as_bytes())
    }

    /// The body of the model list.
    pub(super) fn list(&self, created: i64) -> Bytes {
        match self.spec.persona {
            None => models(&self.spec, created),
            Some(persona) => persona.list(&self.spec, created),
        }
    }

    /// What it tells of a model or of itself.
    pub(super) fn describe(&self, endpoint: &Endpoint, body: &[u8]) -> Result<Value, Refusal> {
        match self.spec.persona {
            None => Err(Refusal::no_such_place("/api")),
            Some(_) => Persona::describe(&self.spec, endpoint, body),
        }
    }

    /// The time to the first token, and from each to the next.
    pub(super) fn pace(&self) -> (Duration, Duration) {
        let (first, gap) = (&self.spec.first_token_ms, &self.spec.per_token_ms);
        if *first.end() == 0 && *gap.end() == 0 {
            return (Duration::ZERO, Duration::ZERO);
        }
        let mut state = self.state();
        let mut draw = |range: &RangeInclusive<u64>| Duration::from_millis(state.random.u64(range.clone()));
        (draw(first), draw(gap))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn meters(&mut self, model: usize) -> impl Iterator<Item = &mut Meter> {
        self.models[model].iter_mut().chain(&mut self.shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::Period;
    use crate::clock::later;

    const COST: Cost = Cost { prompt: 10, answer: 20 };

    fn now() -> Timestamp {
        "2026-10-09T10:00:00Z".parse().expect("a time")
    }

    fn provider(spec: ProviderSpec) -> Provider {
        Provider::new(spec.model(ModelSpec::new("sim-m").limit(Limit::tokens(50, Period::Minute))), 1, now())
    }

    #[test]
    fn all_limits_count_or_none_does() {
        let provider = provider(ProviderSpec::new("sim-alpha").limit(Limit::requests(2, Period::Day)));
        assert_eq!(provider.admit(0, COST, now(), false), Ok(()));
        let refusal = provider.admit(0, COST, now(), false).expect_err("30 of 50 tokens are used");
        assert_eq!(
            (refusal.status, refusal.kind, refusal.headers),
            (429, "tokens", vec![("retry-after", "60".to_owned())])
        );
        let minute_later = later(now(), Duration::from_mins(1));
        assert_eq!(provider.admit(0, COST, minute_later, false), Ok(()));
        let refusal = provider.admit(0, COST, minute_later, false).expect_err("both limits are used up");
        assert_eq!(refusal.code, Some("insufficient_quota"));
        assert_eq!(
            provider.admit(0, Cost { prompt: 51, answer: 0 }, now(), false).expect_err("larger than the limit").status,
            413
        );
        assert_eq!(provider.admit(0, COST, minute_later, true), Ok(()));
    }

    #[test]
    fn headers_tell_of_the_day_and_of_the_minutes_tokens() {
        let provider = provider(
            ProviderSpec::new("sim-alpha")
                .rate_headers()
                .limit(Limit::requests(1_000, Period::Day))
                .limit(Limit::requests(30, Period::Minute)),
        );
        provider.admit(0, COST, now(), false).expect("room");
        let headers = provider.rate_headers(0, None, now());
        let values: Vec<&str> = headers.iter().map(|(_, value)| value.as_str()).collect();
        assert_eq!(values, ["1000", "999", "14h0m0s", "50", "20", "1m0s"]);
    }

    #[test]
    fn the_script_comes_first_and_faults_follow_the_seed() {
        let spec = ProviderSpec::new("sim-alpha").opening([Act::Gone]).faulty(0.3, [Act::Html, Act::Cut { after: 1 }]);
        let drawn = |seed| {
            let provider = Provider::new(spec.clone(), seed, now());
            (0..1_000).map(|_| provider.next(true)).collect::<Vec<_>>()
        };
        let acts = drawn(1);
        assert_eq!(acts[0], (Act::Gone, true));
        let faults = acts.iter().filter(|(act, _)| *act != Act::Answer).count();
        assert!((250..350).contains(&faults), "{faults}");
        assert_eq!(acts, drawn(1));
        assert_ne!(acts, drawn(2));
    }
}

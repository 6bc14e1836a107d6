//! One simulated provider at work: its script, its faults, its meters and what it remembers.

use std::collections::VecDeque;
use std::ops::RangeInclusive;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;

use crate::clock::until;

use super::act::Act;
use super::call::Log;
use super::catalogue::catalogue;
use super::hash::hash;
use super::limit::{Cost, Limit, Meter, Unit};
use super::refusal::{Refusal, go_duration};
use super::spec::{ModelSpec, ProviderSpec};

/// What the outside knows of a simulated provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SimProvider {
    pub id: String,
    /// Ends in `/v1`, as its catalogue says it too.
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
        let base_url = format!("{origin}/{}/v1", self.spec.id);
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

    /// `x-ratelimit-*` as Groq sends them: requests of the longest window, tokens of the shortest.
    pub(super) fn rate_headers(&self, model: usize, now: Timestamp) -> Vec<(&'static str, String)> {
        const REQUESTS: [&str; 3] =
            ["x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"];
        const TOKENS: [&str; 3] =
            ["x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"];
        if !self.spec.rate_headers {
            return Vec::new();
        }
        let mut state = self.state();
        let requests = state
            .meters(model)
            .filter(|meter| meter.limit.unit == Unit::Requests)
            .max_by_key(|meter| meter.limit.period);
        let mut headers = requests.map(|meter| triple(REQUESTS, meter, now)).unwrap_or_default();
        let tokens =
            state.meters(model).filter(|meter| meter.limit.unit == Unit::Tokens).min_by_key(|meter| meter.limit.period);
        headers.extend(tokens.map(|meter| triple(TOKENS, meter, now)).unwrap_or_default());
        headers
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

/// Reset: when something is free again if nothing is left, else when all of it is.
fn triple(names: [&'static str; 3], meter: &mut Meter, now: Timestamp) -> Vec<(&'static str, String)> {
    let remaining = meter.remaining(now);
    let wanted = if remaining == 0 { 1.min(meter.limit.amount) } else { meter.limit.amount };
    let reset = meter.fits_at(wanted, now).map_or(Duration::ZERO, |moment| until(now, moment));
    names.into_iter().zip([meter.limit.amount.to_string(), remaining.to_string(), go_duration(reset)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::later;
    use crate::sim::limit::Period;

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
        let headers = provider.rate_headers(0, now());
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

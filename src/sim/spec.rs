//! How a simulated provider is described before it runs: its models, limits, habits and faults.

use std::ops::RangeInclusive;

use super::act::Act;
use super::limit::Limit;
use super::persona::Persona;

/// One provider. `new` gives a healthy one without models, limits, latency or rate-limit headers.
#[must_use]
#[derive(Debug, Clone, PartialEq)]
pub struct ProviderSpec {
    pub id: String,
    pub models: Vec<ModelSpec>,
    /// Limits that all models of the key share.
    pub limits: Vec<Limit>,
    /// Milliseconds before an answer begins.
    pub first_token_ms: RangeInclusive<u64>,
    /// Milliseconds from one token to the next.
    pub per_token_ms: RangeInclusive<u64>,
    /// Sends `x-ratelimit-*` the way its persona does; without one as Groq does: requests of the longest window, tokens of the shortest,
    /// Go durations.
    pub rate_headers: bool,
    pub usage_at: UsageAt,
    /// The real provider it pretends to be: its rules, words, headers and dialect.
    pub persona: Option<Persona>,
    /// How often, from 0 to 1, a call meets one of `faults`.
    pub fault_rate: f64,
    pub faults: Vec<Act>,
    /// Acts for the first calls.
    pub opening: Vec<Act>,
}

/// Where a stream says what it cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageAt {
    /// A chunk of its own without choices, only when the request has `include_usage`.
    OwnChunk,
    /// In the chunk that has the finish reason, always.
    LastChunk,
    /// As `x_groq.usage` in that chunk, always, besides the chunk of its own when asked for.
    XGroq,
}

/// One model. `new` gives a medium text model with tools, JSON and schema and a context of 131 072 tokens.
#[must_use]
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelSpec {
    pub id: String,
    pub types: Vec<String>,
    pub scale: String,
    /// Tokens of prompt it accepts.
    pub context: u64,
    pub features: Vec<String>,
    pub limits: Vec<Limit>,
    /// In the catalogue, but neither listed nor served.
    pub vanished: bool,
}

impl ProviderSpec {
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            models: Vec::new(),
            limits: Vec::new(),
            first_token_ms: 0..=0,
            per_token_ms: 0..=0,
            rate_headers: false,
            usage_at: UsageAt::OwnChunk,
            persona: None,
            fault_rate: 0.0,
            faults: Vec::new(),
            opening: Vec::new(),
        }
    }

    /// `sim-groq` and so on, as strict and as odd as the real one, with models of its own (`sim-…`) and without its scarcity.
    pub fn impersonating(persona: Persona) -> Self {
        Self {
            models: persona.models(),
            limits: persona.limits(),
            rate_headers: true,
            usage_at: persona.usage_at(),
            persona: Some(persona),
            ..Self::new(format!("sim-{}", persona.id()))
        }
    }

    pub fn model(mut self, model: ModelSpec) -> Self {
        self.models.push(model);
        self
    }

    /// This model in the place of all others.
    pub fn only_model(mut self, model: ModelSpec) -> Self {
        self.models = vec![model];
        self
    }

    pub fn limit(mut self, limit: Limit) -> Self {
        self.limits.push(limit);
        self
    }

    pub fn latency_ms(mut self, first_token: RangeInclusive<u64>, per_token: RangeInclusive<u64>) -> Self {
        self.first_token_ms = first_token;
        self.per_token_ms = per_token;
        self
    }

    pub fn rate_headers(mut self) -> Self {
        self.rate_headers = true;
        self
    }

    pub fn usage_at(mut self, place: UsageAt) -> Self {
        self.usage_at = place;
        self
    }

    /// Meets one of `faults` at `rate`, drawn from the seed; an act listed twice is twice as likely.
    pub fn faulty(mut self, rate: f64, faults: impl IntoIterator<Item = Act>) -> Self {
        self.fault_rate = rate;
        self.faults = faults.into_iter().collect();
        self
    }

    pub fn opening(mut self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.opening = acts.into_iter().collect();
        self
    }
}

impl ModelSpec {
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            types: vec!["text".to_owned()],
            scale: "medium".to_owned(),
            context: 131_072,
            features: ["tools", "json", "schema"].map(str::to_owned).to_vec(),
            limits: Vec::new(),
            vanished: false,
        }
    }

    pub fn types(mut self, types: &[&str]) -> Self {
        self.types = types.iter().map(ToString::to_string).collect();
        self
    }

    pub fn scale(mut self, scale: &str) -> Self {
        scale.clone_into(&mut self.scale);
        self
    }

    pub fn context(mut self, tokens: u64) -> Self {
        self.context = tokens;
        self
    }

    pub fn features(mut self, features: &[&str]) -> Self {
        self.features = features.iter().map(ToString::to_string).collect();
        self
    }

    pub fn limit(mut self, limit: Limit) -> Self {
        self.limits.push(limit);
        self
    }

    pub fn vanished(mut self) -> Self {
        self.vanished = true;
        self
    }

    pub(super) fn has(&self, feature: &str) -> bool {
        self.features.iter().any(|known| known == feature)
    }
}

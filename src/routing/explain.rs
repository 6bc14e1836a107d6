//! What would become of a request, and why: every candidate in its order, every gate with its numbers, every rejection by name.

use std::borrow::Cow;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalog::Status;
use crate::chat::Fault;

use super::board::Board;
use super::fleet::{Fleet, Route, RouteId};
use super::gate::{Gate, gates};
use super::health::Breaker;
use super::need::{Need, Wanted};
use super::order::{Order, Ordering, Strategy};
use super::price::Price;
use super::rank::{self, Contender, rank};
use super::reject::Rejection;
use super::snapshot::Snapshot;
use super::trip::{Patience, outcome};

/// The document, `relay.route/1`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Explanation {
    pub schema: Cow<'static, str>,
    pub as_of: Timestamp,
    pub verdict: Verdict,
    /// Why, in a sentence.
    pub because: String,
    /// The route that would be tried first.
    pub route: Option<String>,
    /// With the verdict `wait`: when the first route is free again.
    pub until: Option<Timestamp>,
    /// Whether the request may wait that long; if not, it is refused at once.
    pub within_max_wait: Option<bool>,
    pub request: Asked,
    /// What is done about a conversation's length.
    pub context: ContextStory,
    /// The conversation that the request belongs to.
    pub session: SessionStory,
    pub strategy: Strategies,
    /// In the order they would be tried.
    pub candidates: Vec<CandidateStory>,
    pub rejections: Vec<RejectionStory>,
    /// Routes that the request's `model` does not name.
    pub not_asked_for: usize,
}

/// What would become of the request now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// There is a route to try.
    Try,
    /// Every route that could answer waits for quota.
    Wait,
    /// No time helps: another request is needed, or another setup.
    Never,
}

impl Verdict {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Try => "try",
            Self::Wait => "wait",
            Self::Never => "never",
        }
    }
}

/// What the request needs, as far as choosing goes.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Asked {
    /// `meta-model`, a provider, a model, or `provider/model`.
    pub model: String,
    pub model_type: Option<Cow<'static, str>>,
    pub model_scale: Option<Cow<'static, str>>,
    pub model_name: Option<String>,
    pub features: Vec<Cow<'static, str>>,
    pub input_tokens: u64,
    /// Whether `input_tokens` is counted exactly; else it is a bound that is never too low.
    pub input_tokens_are_exact: bool,
    pub max_tokens: Option<u64>,
    /// Kept for the answer where `max_tokens` is not set and the route's usual answer is not known.
    pub answer_reserve: u64,
    pub avoid: Vec<String>,
    pub strict_free: bool,
    pub no_training: bool,
    pub max_wait_s: f64,
}

/// What is done about a conversation's length.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct ContextStory {
    /// As configured.
    pub mode: Cow<'static, str>,
    /// The mode that acts for this conversation, where it was read to find out.
    pub acts: Option<Cow<'static, str>>,
    /// Whether no route takes it as it is, and it would be cut.
    pub cuts: bool,
    /// What it would be cut to where there is room.
    pub cut_to_tokens: Option<u64>,
}

/// The conversation that a request belongs to.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct SessionStory {
    /// Whether something names it.
    pub named: bool,
    /// The route that answered it last: it goes first where it can answer.
    pub stays_with: Option<String>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Strategies {
    pub providers: Cow<'static, str>,
    pub models: Cow<'static, str>,
}

/// A route that can answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CandidateStory {
    /// Counted from 1.
    pub place: usize,
    #[serde(flatten)]
    pub route: RouteStory,
    /// Why it stands in this place, in a few words.
    pub because: String,
    /// Seconds; the sum of its parts.
    pub price: f64,
    pub price_parts: PriceParts,
    pub expected: Expected,
    pub health: HealthStory,
    pub gates: Vec<Gate>,
}

/// A route that is left out.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RejectionStory {
    #[serde(flatten)]
    pub route: RouteStory,
    /// The first gate that does not let it through, in a word.
    pub code: Cow<'static, str>,
    pub text: String,
    /// From when on it may answer, where that is known.
    pub until: Option<Timestamp>,
    pub gates: Vec<Gate>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RouteStory {
    /// `provider/model`.
    pub route: String,
    pub provider: String,
    pub model: String,
    pub types: Vec<Cow<'static, str>>,
    pub scale: Cow<'static, str>,
    /// Whether it is `free`, `local`, a `trial`, `paid` or `keyless`.
    pub status: Cow<'static, str>,
}

/// What a price is made of, in seconds: `least + quota * factor + wait + failures`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PriceParts {
    pub least: f64,
    /// How long the quota that the request takes would have lasted, by the dearest limit.
    pub quota: f64,
    /// That limit.
    pub binding: Option<String>,
    /// More than one where a strong model is kept for those who ask for one.
    pub factor: f64,
    /// The usual time to the first event.
    pub wait: f64,
    /// What failures will cost, going by those lately.
    pub failures: f64,
}

/// What the request is expected to take.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Expected {
    pub input_tokens: u64,
    pub output_tokens: u64,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct HealthStory {
    /// `closed`, `open` or `probing`. An open one comes after all others.
    pub breaker: Cow<'static, str>,
    pub first_event_ms: Option<f64>,
    /// Of attempts lately, 0 to 1.
    pub failure_share: f64,
}

/// A request before it is sent.
pub struct Prospect<'a> {
    pub fleet: &'a Fleet,
    pub need: &'a Need,
    pub snapshot: &'a Snapshot,
    pub order: Order,
    pub patience: Patience,
    /// The route that answered the request's session last.
    pub stays_with: Option<RouteId>,
}

impl Prospect<'_> {
    pub fn explain(&self) -> Explanation {
        let ranking = rank(self.fleet, self.need, self.snapshot, &mut Board::new(self.fleet));
        let ordering = Ordering { order: self.order, fleet: self.fleet, need: self.need, snapshot: self.snapshot };
        let mut ordered = ordering.all(&ranking);
        let stays = self.stays_with.and_then(|route| ordering.stays(&ranking, route)).map(|contender| contender.route);
        let rejections = &ranking.rejections;
        ordered.sort_by_key(|contender| Some(contender.route) != stays || stays.is_none());
        let fault = if ordered.is_empty() { outcome(&[], rejections) } else { None };
        let until = fault.as_ref().and_then(Fault::until).filter(|_| matches!(fault, Some(Fault::Full { .. })));
        let verdict = match (ordered.is_empty(), &fault) {
            (false, _) => Verdict::Try,
            (true, Some(Fault::Full { .. })) => Verdict::Wait,
            (true, _) => Verdict::Never,
        };
        let all = ordered.len() + rejections.len();
        Explanation {
            schema: "relay.route/1".into(),
            as_of: self.snapshot.now,
            verdict,
            because: because(verdict, ordered.len(), all, fault.as_ref()),
            route: ordered.first().map(|first| self.fleet.route(first.route).name.to_string()),
            until,
            within_max_wait: until
                .map(|moment| crate::clock::until(self.snapshot.now, moment) <= self.patience.max_wait),
            request: self.asked(),
            context: ContextStory::default(),
            session: SessionStory {
                named: false,
                stays_with: self.stays_with.map(|route| self.fleet.route(route).name.to_string()),
            },
            strategy: Strategies {
                providers: self.order.providers.word().into(),
                models: self.order.models.word().into(),
            },
            candidates: (1..).zip(ordered).map(|(place, contender)| self.candidate(place, &contender, stays)).collect(),
            rejections: rejections.iter().map(|(route, rejection)| self.rejection(*route, rejection)).collect(),
            not_asked_for: self.fleet.routes.len() - all,
        }
    }

    fn asked(&self) -> Asked {
        let need = self.need;
        Asked {
            model: match &need.wanted {
                Wanted::Any => crate::chat::request::META_MODEL.to_owned(),
                Wanted::Provider(provider) => provider.clone(),
                Wanted::Model { provider: Some(provider), model } => format!("{provider}/{model}"),
                Wanted::Model { provider: None, model } => model.clone(),
            },
            model_type: need.filters.model_type.map(|kind| kind.word().into()),
            model_scale: need.filters.scale.map(|scale| scale.word().into()),
            model_name: need.filters.name.clone(),
            features: rank::words(need.features)
                .into_iter()
                .filter(|(_, needed)| *needed)
                .map(|(name, _)| name.into())
                .collect(),
            input_tokens: need.input_tokens,
            input_tokens_are_exact: need.counted,
            max_tokens: need.max_tokens,
            answer_reserve: need.answer_reserve,
            avoid: need.avoid.clone(),
            strict_free: need.strict_free,
            no_training: need.no_training,
            max_wait_s: self.patience.max_wait.as_secs_f64(),
        }
    }

    fn candidate(&self, place: usize, contender: &Contender, stays: Option<RouteId>) -> CandidateStory {
        let candidate = contender.in_full(self.fleet, self.need, self.snapshot);
        let route = self.fleet.route(candidate.route);
        let health = self.snapshot.health(route.id);
        CandidateStory {
            place,
            route: RouteStory::of(route),
            because: if stays == Some(route.id) {
                "answered this session last".to_owned()
            } else {
                self.place(route, &candidate.price)
            },
            price: candidate.price.total(),
            price_parts: self.parts(&candidate.price),
            expected: Expected {
                input_tokens: candidate.cost.input_tokens,
                output_tokens: candidate.cost.output_tokens,
            },
            health: HealthStory {
                breaker: match health.breaker {
                    Breaker::Closed { .. } => "closed",
                    Breaker::Open { .. } => "open",
                    Breaker::Probing { .. } => "probing",
                }
                .into(),
                first_event_ms: health.first_event_ms,
                failure_share: health.failure_share_at(self.snapshot.now),
            },
            gates: gates(route, self.fleet, self.need, self.snapshot),
        }
    }

    /// What decides about a route's place: what sets it behind others, or the largest part of its price.
    fn place(&self, route: &Route, price: &Price) -> String {
        if self.snapshot.health(route.id).is_shunned(self.snapshot.now) {
            return "breaker open: after all others".to_owned();
        }
        if route.provider.status == Status::Paid {
            return "paid: after all free ones".to_owned();
        }
        if self.order.providers != Strategy::Auto {
            return format!("by `{}`", self.order.providers.word());
        }
        let quota = price.quota * price.factor;
        let largest = quota.max(price.wait).max(price.failures);
        if largest <= super::price::LEAST {
            return "costs next to nothing".to_owned();
        }
        let binding = price.binding.map(|meter| self.fleet.meter_spec(meter).limit.label());
        match binding.filter(|_| quota >= largest) {
            Some(limit) if price.factor > 1.0 => format!("{limit}, dearer: a strong model"),
            Some(limit) => format!("what it takes of {limit}"),
            None if price.failures >= largest => "it failed lately".to_owned(),
            None => "its usual wait".to_owned(),
        }
    }

    fn parts(&self, price: &Price) -> PriceParts {
        PriceParts {
            least: super::price::LEAST,
            quota: price.quota,
            binding: price.binding.map(|meter| self.fleet.meter_spec(meter).limit.label()),
            factor: price.factor,
            wait: price.wait,
            failures: price.failures,
        }
    }

    fn rejection(&self, id: RouteId, rejection: &Rejection) -> RejectionStory {
        let route = self.fleet.route(id);
        RejectionStory {
            route: RouteStory::of(route),
            code: rejection.code().into(),
            text: rejection.text(),
            until: rejection.until(),
            gates: gates(route, self.fleet, self.need, self.snapshot),
        }
    }
}

impl RouteStory {
    fn of(route: &Route) -> Self {
        Self {
            route: route.name.to_string(),
            provider: route.provider.id.clone(),
            model: route.model.id.clone(),
            types: route.model.types.iter().map(|kind| kind.word().into()).collect(),
            scale: route.model.scale.word().into(),
            status: route.provider.status.word().into(),
        }
    }
}

fn because(verdict: Verdict, candidates: usize, all: usize, fault: Option<&Fault>) -> String {
    match (verdict, fault) {
        (Verdict::Try, _) => format!("{candidates} of {all} routes can answer"),
        (Verdict::Wait, _) => "every route that could answer waits for quota".to_owned(),
        (Verdict::Never, Some(Fault::Unfit(unfit))) => unfit.text(),
        (Verdict::Never, Some(Fault::Denied)) => "every provider that could answer rejected its key".to_owned(),
        (Verdict::Never, Some(Fault::Gone)) => "every model that could answer is offered no more".to_owned(),
        (Verdict::Never, _) => "no route can answer this".to_owned(),
    }
}

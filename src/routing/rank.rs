//! Which routes can answer a need, best first; and for each of the others, why not.

use crate::catalog::Status;
use crate::quota::{Cost, Fit};

use super::fleet::{Fleet, MeterId, Route, RouteId};
use super::need::{Need, Wanted};
use super::reject::Rejection;
use super::snapshot::Snapshot;

/// How candidates are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// By the scarcity of what the request would take, then reliability; equals share the traffic.
    #[default]
    Auto,
    /// One after the other, request by request.
    RoundRobin,
    Random,
    /// By the usual time to the first event; unmeasured routes first.
    Fastest,
    /// By the user's `priority`, highest first.
    Priority,
}

impl Strategy {
    pub const NAMES: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("round-robin", Self::RoundRobin),
        ("random", Self::Random),
        ("fastest", Self::Fastest),
        ("priority", Self::Priority),
    ];
}

/// A route that can answer, with what its place in the order rests on.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub route: RouteId,
    pub cost: Cost,
    /// The share of its tightest limit that would be used after this request, 0 to 1.
    pub scarcity: f64,
}

/// The outcome of ranking: whom to try in this order, and why not the others.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    pub candidates: Vec<Candidate>,
    pub rejections: Vec<(RouteId, Rejection)>,
}

/// Ranks the routes `need` allows. `turn` counts requests, for strategies that take turns.
pub fn rank(fleet: &Fleet, need: &Need, snapshot: &Snapshot, strategy: Strategy, turn: u64) -> Ranking {
    let mut ranking = Ranking::default();
    let mut shunned = Vec::new();
    for route in fleet.routes.iter().filter(|route| need.wanted.allows(route)) {
        match judge(route, fleet, need, snapshot) {
            Err(rejection) => ranking.rejections.push((route.id, rejection)),
            // A breaker only says "rather not": where nobody else can answer, it is worth a try.
            Ok(candidate) if snapshot.health(route.id).is_shunned(snapshot.now) => shunned.push(candidate),
            Ok(candidate) => ranking.candidates.push(candidate),
        }
    }
    order(&mut ranking.candidates, fleet, need, snapshot, strategy, turn);
    order(&mut shunned, fleet, need, snapshot, strategy, turn);
    ranking.candidates.append(&mut shunned);
    ranking
}

/// What one request over `route` is expected to take.
pub fn expected_cost(route: &Route, need: &Need, snapshot: &Snapshot) -> Cost {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of token counts, saturating")]
    let usual = snapshot.health(route.id).answer_tokens.map(|tokens| tokens.ceil() as u64);
    let answer = match (need.max_tokens, usual) {
        (Some(most), Some(usual)) => most.min(usual.saturating_mul(2)),
        (Some(most), None) => most,
        (None, usual) => usual.unwrap_or(need.answer_reserve),
    };
    Cost::request(need.input_tokens, answer).in_units(route.model.unit_price)
}

fn judge(route: &Route, fleet: &Fleet, need: &Need, snapshot: &Snapshot) -> Result<Candidate, Rejection> {
    fits_intent(route, need)?;
    fits_features(route, need)?;
    let needed = need.input_tokens.saturating_add(need.answer_tokens());
    if needed > route.model.context {
        return Err(Rejection::ContextTooSmall { context: route.model.context, needed });
    }
    if route.key.is_some_and(|key| snapshot.rejected_keys[key.0]) {
        return Err(Rejection::KeyRejected);
    }
    let marks = [route.model_mark, route.account_mark].into_iter().filter_map(|mark| snapshot.mark(mark));
    if let Some(mark) = marks.max_by_key(|mark| mark.until) {
        return Err(Rejection::Resting { cause: mark.cause.clone(), until: mark.until });
    }
    let cost = expected_cost(route, need, snapshot);
    let scarcity = fits_quota(route, fleet, &cost, snapshot)?;
    Ok(Candidate { route: route.id, cost, scarcity })
}

fn fits_intent(route: &Route, need: &Need) -> Result<(), Rejection> {
    let provider = &route.provider;
    if !need.filters.allow(route) {
        return Err(Rejection::Filtered);
    }
    if need.avoid.iter().any(|avoided| **avoided == *route.name || *avoided == provider.id) {
        return Err(Rejection::Avoided);
    }
    if need.strict_free && route.might_bill() {
        return Err(Rejection::MightBill);
    }
    if need.no_training && route.trains() {
        return Err(Rejection::TrainsOnPrompts);
    }
    Ok(())
}

fn fits_features(route: &Route, need: &Need) -> Result<(), Rejection> {
    let (needs, has) = (need.features, route.model.features);
    let lacks = [
        ("tools", needs.tools && !has.tools),
        ("vision", needs.vision && !has.vision),
        ("audio", needs.audio && !has.audio),
        ("schema", needs.schema && !has.schema),
        ("json", needs.json && !has.json),
    ];
    // Whoever names one model means it; that provider's own word then decides about `json` and `schema`.
    let named = matches!(need.wanted, Wanted::Model { .. });
    match lacks.into_iter().find(|(name, lacks)| *lacks && !(named && matches!(*name, "json" | "schema"))) {
        Some((name, _)) => Err(Rejection::Lacks(name)),
        None => Ok(()),
    }
}

/// The scarcity of the tightest limit, or the limit that refuses.
fn fits_quota(route: &Route, fleet: &Fleet, cost: &Cost, snapshot: &Snapshot) -> Result<f64, Rejection> {
    let mut scarcity: f64 = 0.0;
    let mut latest: Option<(MeterId, jiff::Timestamp)> = None;
    for &meter in &route.meters {
        match snapshot.fit(meter, cost) {
            Fit::Now => scarcity = scarcity.max(share_after(meter, cost, fleet, snapshot)),
            Fit::At(until) => latest = latest.filter(|(_, latest)| *latest >= until).or(Some((meter, until))),
            Fit::Never => {
                let limit = &fleet.meter_spec(meter).limit;
                return Err(Rejection::NeverFits {
                    limit: limit.label(),
                    amount: limit.kind.shown(snapshot.reading(meter).limit),
                    needed: limit.kind.shown(cost.of(limit.kind)),
                });
            }
        }
    }
    latest.map_or(Ok(scarcity), |(meter, until)| {
        Err(Rejection::OutOfQuota { limit: fleet.meter_spec(meter).limit.label(), until })
    })
}

#[expect(clippy::cast_precision_loss, reason = "shares need no exact counts")]
fn share_after(meter: MeterId, cost: &Cost, fleet: &Fleet, snapshot: &Snapshot) -> f64 {
    let reading = snapshot.reading(meter);
    let used = reading.used.saturating_add(cost.of(fleet.meter_spec(meter).limit.kind));
    used as f64 / reading.limit.max(1) as f64
}

fn order(
    candidates: &mut Vec<Candidate>,
    fleet: &Fleet,
    need: &Need,
    snapshot: &Snapshot,
    strategy: Strategy,
    turn: u64,
) {
    let mut keyed: Vec<(Place, Candidate)> =
        candidates.drain(..).map(|candidate| (place(&candidate, fleet, need, snapshot, strategy), candidate)).collect();
    keyed.sort_by(|(a, _), (b, _)| a.compare(b));
    candidates.extend(keyed.into_iter().map(|(_, candidate)| candidate));
    if strategy == Strategy::RoundRobin && !candidates.is_empty() {
        let first = usize::try_from(turn % candidates.len() as u64).expect("a remainder of a length is one");
        candidates.rotate_left(first);
    }
    breadth_first(candidates, fleet);
}

/// A candidate's place: paid routes last under every strategy, then what the strategy looks at, then a share of chance.
struct Place {
    paid: bool,
    merit: f64,
    chance: u64,
}

impl Place {
    fn compare(&self, other: &Self) -> std::cmp::Ordering {
        self.paid.cmp(&other.paid).then(self.merit.total_cmp(&other.merit)).then(self.chance.cmp(&other.chance))
    }
}

fn place(candidate: &Candidate, fleet: &Fleet, need: &Need, snapshot: &Snapshot, strategy: Strategy) -> Place {
    let route = fleet.route(candidate.route);
    let health = snapshot.health(candidate.route);
    #[expect(clippy::cast_precision_loss, reason = "priorities are small numbers")]
    let merit = match strategy {
        Strategy::Auto => auto_merit(candidate.scarcity, health.failure_share, health.first_event_ms),
        Strategy::Fastest => health.first_event_ms.unwrap_or(0.0),
        Strategy::Priority => -(route.priority as f64),
        Strategy::RoundRobin => candidate.route.0 as f64,
        Strategy::Random => 0.0,
    };
    let chance = mix(need.seed ^ mix(candidate.route.0 as u64 + 1));
    Place { paid: route.provider.status == Status::Paid, merit, chance }
}

/// Small is good. Steps, so that routes of about the same standing are equals and share the traffic.
fn auto_merit(scarcity: f64, failure_share: f64, first_event_ms: Option<f64>) -> f64 {
    let scarce = (scarcity.clamp(0.0, 1.0) * 4.0).floor();
    let failing = (failure_share * 4.0).floor() * 2.0;
    // A fourfold time to the first event is a step; unmeasured counts as quick, so that it gets measured.
    let slow = first_event_ms.map_or(0.0, |millis| ((millis / 1_000.0).max(1.0).log2() / 2.0).floor());
    scarce + failing + slow
}

/// The best route of each provider before the second of any, each round in the order of merit.
fn breadth_first(candidates: &mut [Candidate], fleet: &Fleet) {
    let mut seen: Vec<&str> = Vec::with_capacity(candidates.len());
    let mut rounds: Vec<(bool, usize, RouteId)> = Vec::with_capacity(candidates.len());
    for candidate in candidates.iter() {
        let provider = fleet.route(candidate.route).provider.as_ref();
        let round = seen.iter().filter(|id| **id == provider.id).count();
        seen.push(&provider.id);
        rounds.push((provider.status == Status::Paid, round, candidate.route));
    }
    candidates.sort_by_key(|candidate| {
        rounds.iter().find(|(_, _, route)| *route == candidate.route).map(|(paid, round, _)| (*paid, *round))
    });
}

/// The finaliser of `SplitMix64`: spreads neighbouring numbers over the whole range.
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9E37_79B9_7F4A_7C15);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

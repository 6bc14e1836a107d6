//! Which routes can answer a need and at what price; and for each of the others, why not.

use crate::quota::{Cost, Fit};

use super::fleet::{Fleet, MeterId, Route, RouteId};
use super::need::{Need, Wanted};
use super::price::Price;
use super::reject::Rejection;
use super::snapshot::Snapshot;

/// A route that can answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub route: RouteId,
    pub cost: Cost,
    pub price: Price,
}

/// The routes a need allows, in the fleet's order: those that can answer, and why the others cannot.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    pub candidates: Vec<Candidate>,
    pub rejections: Vec<(RouteId, Rejection)>,
}

/// Judges every route that `need` allows.
pub fn rank(fleet: &Fleet, need: &Need, snapshot: &Snapshot) -> Ranking {
    let mut ranking = Ranking::default();
    for route in fleet.routes.iter().filter(|route| need.wanted.allows(route)) {
        match judge(route, fleet, need, snapshot) {
            Err(rejection) => ranking.rejections.push((route.id, rejection)),
            Ok(candidate) => ranking.candidates.push(candidate),
        }
    }
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
    fits_quota(route, fleet, &cost, snapshot)?;
    Ok(Candidate { route: route.id, cost, price: Price::of(route, need, &cost, snapshot) })
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

/// The limit that refuses, if one does.
fn fits_quota(route: &Route, fleet: &Fleet, cost: &Cost, snapshot: &Snapshot) -> Result<(), Rejection> {
    let mut latest: Option<(MeterId, jiff::Timestamp)> = None;
    for &meter in &route.meters {
        match snapshot.fit(meter, cost) {
            Fit::Now => {}
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
    latest.map_or(Ok(()), |(meter, until)| {
        Err(Rejection::OutOfQuota { limit: fleet.meter_spec(meter).limit.label(), until })
    })
}

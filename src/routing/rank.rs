//! Which routes can answer a need and at what price; and for each of the others, why not.

use crate::catalog::Status;
use crate::chat::Features;
use crate::quota::{Cost, Fit, Kind, Look};

use super::fleet::{Fleet, MeterId, Route, RouteId};
use super::need::{Need, Wanted};
use super::price::Price;
use super::reject::Rejection;
use super::snapshot::{Mark, Snapshot};

/// A route that can answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub route: RouteId,
    pub cost: Cost,
    pub price: Price,
    /// Its breaker is open: it comes after all whose is not.
    pub is_shunned: bool,
    /// Its provider bills: it comes after those that do not.
    pub is_paid: bool,
}

/// The routes a need allows, in the fleet's order: those that can answer, and why the others cannot.
#[derive(Debug, Clone, Default)]
pub struct Ranking {
    pub candidates: Vec<Candidate>,
    pub rejections: Vec<(RouteId, Rejection)>,
}

/// Judges every route that `need` allows.
pub fn rank(fleet: &Fleet, need: &Need, snapshot: &Snapshot) -> Ranking {
    let mut ranking = Ranking { candidates: Vec::with_capacity(fleet.routes.len()), rejections: Vec::new() };
    let look = Look::at(snapshot.now);
    for route in fleet.routes.iter().filter(|route| need.wanted.allows(route)) {
        match judge(route, fleet, need, snapshot, look) {
            Err(rejection) => ranking.rejections.push((route.id, rejection)),
            Ok((cost, quota)) => ranking.candidates.push(Candidate {
                route: route.id,
                cost,
                price: Price::of(route, need, quota, snapshot),
                is_shunned: snapshot.health(route.id).is_shunned(snapshot.now),
                is_paid: route.provider.status == Status::Paid,
            }),
        }
    }
    ranking
}

/// What one request over `route` is expected to take.
pub fn expected_cost(route: &Route, need: &Need, snapshot: &Snapshot) -> Cost {
    let usual = snapshot.health(route.id).usual_answer();
    let answer = match (need.max_tokens, usual) {
        (Some(most), Some(usual)) => most.min(usual.saturating_mul(2)),
        (Some(most), None) => most,
        (None, usual) => usual.unwrap_or(need.answer_reserve),
    };
    let input = if need.trim.is_none() { need.input_tokens } else { need.input_within(room(route, need, snapshot)) };
    Cost::request(input, answer).in_units(route.model.unit_price)
}

/// Tokens that prompt and answer may have together: the context's, and where the prompt can be cut, no more than a limit ever
/// grants.
fn room(route: &Route, need: &Need, snapshot: &Snapshot) -> u64 {
    let granted = route.meters.iter().filter_map(|meter| match snapshot.view.meters[meter.0].kind() {
        Kind::Tokens => Some(snapshot.reading(*meter).limit),
        Kind::InputTokens => Some(snapshot.reading(*meter).limit.saturating_add(need.answer_tokens())),
        Kind::Requests | Kind::Units => None,
    });
    granted.fold(context(route, snapshot), u64::min)
}

/// What a request over `route` takes, and the dearest limit's price; or what keeps it from there.
#[inline]
fn judge(
    route: &Route,
    fleet: &Fleet,
    need: &Need,
    snapshot: &Snapshot,
    look: Look,
) -> Result<(Cost, Dearest), Rejection> {
    fits_intent(route, need)?;
    fits_features(route, need)?;
    fits_context(route, need, snapshot)?;
    has_key(route, need, snapshot)?;
    is_rested(route, need, snapshot)?;
    let cost = expected_cost(route, need, snapshot);
    match dearest_at_a_glance(route, &cost, snapshot, look) {
        Some(dearest) => Ok((cost, dearest)),
        None => Ok((cost, fits_quota(route, fleet, &cost, snapshot)?)),
    }
}

pub(super) fn fits_intent(route: &Route, need: &Need) -> Result<(), Rejection> {
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

pub(super) fn fits_features(route: &Route, need: &Need) -> Result<(), Rejection> {
    if need.features == Features::default() {
        return Ok(());
    }
    // Whoever names one model means it; that provider's own word then decides about `json` and `schema`.
    let named = matches!(need.wanted, Wanted::Model { .. });
    let lacks = |((name, needed), (_, has)): &((&str, bool), (&str, bool))| {
        *needed && !has && !(named && matches!(*name, "json" | "schema"))
    };
    match words(need.features).into_iter().zip(words(route.model.features)).find(lacks) {
        Some(((name, _), _)) => Err(Rejection::Lacks(name)),
        None => Ok(()),
    }
}

/// Features by their names, in the order a lack of them is told.
pub(super) const fn words(features: Features) -> [(&'static str, bool); 5] {
    [
        ("tools", features.tools),
        ("vision", features.vision),
        ("audio", features.audio),
        ("schema", features.schema),
        ("json", features.json),
    ]
}

/// The catalogue's context length, or the smaller one that its provider has named.
pub(super) fn context(route: &Route, snapshot: &Snapshot) -> u64 {
    snapshot.view.context(route, snapshot.now)
}

pub(super) fn fits_context(route: &Route, need: &Need, snapshot: &Snapshot) -> Result<(), Rejection> {
    let context = context(route, snapshot);
    let needed = need.input_within(context).saturating_add(need.answer_tokens());
    if needed > context { Err(Rejection::ContextTooSmall { context, needed }) } else { Ok(()) }
}

pub(super) fn has_key(route: &Route, need: &Need, snapshot: &Snapshot) -> Result<(), Rejection> {
    if snapshot.now >= snapshot.view.believed_from {
        return Ok(());
    }
    let mark = route.key_mark.and_then(|mark| snapshot.mark(mark)).filter(|mark| holds(mark, need));
    if mark.is_some() { Err(Rejection::KeyRejected) } else { Ok(()) }
}

pub(super) fn is_rested(route: &Route, need: &Need, snapshot: &Snapshot) -> Result<(), Rejection> {
    if snapshot.now >= snapshot.view.rested_from {
        return Ok(());
    }
    let marks = [route.model_mark, route.account_mark].into_iter().filter_map(|mark| snapshot.mark(mark));
    match marks.filter(|mark| holds(mark, need)).max_by_key(|mark| mark.until) {
        Some(mark) => Err(Rejection::Resting { cause: mark.cause.clone(), until: mark.until }),
        None => Ok(()),
    }
}

fn holds(mark: &Mark, need: &Need) -> bool {
    !(need.despite_guesses && mark.is_guess())
}

/// The dearest limit's price, and which one that is.
type Dearest = (f64, Option<MeterId>);

/// The same, where a glance at each limit shows that the cost fits. Of hundreds of routes most are judged by this alone.
#[inline]
fn dearest_at_a_glance(route: &Route, cost: &Cost, snapshot: &Snapshot, look: Look) -> Option<Dearest> {
    let mut dearest = (0.0, None);
    for &meter in &route.meters {
        let price = snapshot.price_at_a_glance(meter, cost, look)?;
        if price > dearest.0 {
            dearest = (price, Some(meter));
        }
    }
    Some(dearest)
}

/// The dearest limit's price, or the limit that refuses.
fn fits_quota(route: &Route, fleet: &Fleet, cost: &Cost, snapshot: &Snapshot) -> Result<Dearest, Rejection> {
    let mut dearest = (0.0, None);
    let mut latest: Option<(MeterId, jiff::Timestamp)> = None;
    let mut may_settle = true;
    for &meter in &route.meters {
        let (fit, price) = snapshot.quote(meter, cost);
        match fit {
            Fit::Now if price > dearest.0 => dearest = (price, Some(meter)),
            Fit::Now => {}
            Fit::At(until) => {
                latest = latest.filter(|(_, latest)| *latest >= until).or(Some((meter, until)));
                may_settle &= snapshot.might_fit(meter, cost);
            }
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
    latest.map_or(Ok(dearest), |(meter, until)| {
        let limit = &fleet.meter_spec(meter).limit;
        Err(Rejection::OutOfQuota { kind: limit.kind, limit: limit.label(), until, may_settle })
    })
}

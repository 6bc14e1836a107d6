//! Which routes can answer a need and at what price; and for each of the others, why not.

use std::time::Duration;

use crate::chat::Features;
use crate::clock::later;
use crate::quota::{Cost, Fit, Kind};

use super::board::{Board, Glances, Outlooks};
use super::fleet::{Fleet, MeterId, Outline, Route, RouteId};
use super::health::Health;
use super::lines::{Ask, single};
use super::need::{Need, Wanted};
use super::price::Price;
use super::reject::Rejection;
use super::snapshot::{Mark, Snapshot};

/// A route that can answer, as far as its place among others goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Contender {
    pub route: RouteId,
    /// In seconds.
    pub price: f32,
    /// Neighbours with the same number have the same provider.
    pub provider: u32,
    /// Its breaker is open: it comes after all whose is not.
    pub is_shunned: bool,
    /// Its provider bills: it comes after those that do not.
    pub is_paid: bool,
}

/// A route that can answer, and what that takes.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    pub route: RouteId,
    pub cost: Cost,
    pub price: Price,
}

/// The routes a need allows: those that can answer, and why the others cannot.
#[derive(Debug, Clone)]
pub struct Ranking {
    /// By `RouteId`, in seconds; not a number where a route cannot answer or is not asked for.
    prices: Vec<f32>,
    /// Those that can answer, but have their breaker open.
    shunned: Vec<RouteId>,
    /// The lowest price of those that work and bill nothing; infinite where there is none.
    pub least: f32,
    pub rejections: Vec<(RouteId, Rejection)>,
}

/// Judges every route that `need` allows: most by what the board knows, the others closely.
pub fn rank(fleet: &Fleet, need: &Need, snapshot: &Snapshot, board: &mut Board) -> Ranking {
    let judge = Judge::new(fleet, need, snapshot);
    let outlooks = board.read(fleet, snapshot);
    let Some(Glances { prices, least, are_all_told }) = judge.at_a_glance(&outlooks) else {
        return judge.one_by_one(&outlooks, Ranking::of_none(fleet.routes.len()));
    };
    let ranking = Ranking { prices, least, ..Ranking::of_none(0) };
    if are_all_told { ranking } else { judge.one_by_one(&outlooks, ranking) }
}

impl Ranking {
    /// Of so many routes none can answer.
    pub fn of_none(routes: usize) -> Self {
        Self { prices: vec![f32::NAN; routes], shunned: Vec::new(), least: f32::INFINITY, rejections: Vec::new() }
    }

    pub fn add(&mut self, contender: Contender) {
        if contender.is_first_choice() && contender.price < self.least {
            self.least = contender.price;
        }
        if contender.is_shunned {
            self.shunned.push(contender.route);
        }
        self.prices[contender.route.0] = contender.price;
    }

    /// How many routes were judged, and may or may not contend.
    pub const fn routes(&self) -> usize {
        self.prices.len()
    }

    /// A route, where it can answer.
    #[inline]
    pub fn contender(&self, fleet: &Fleet, route: RouteId) -> Option<Contender> {
        let price = Some(self.prices[route.0]).filter(|price| !price.is_nan())?;
        let Outline { provider, is_paid, .. } = fleet.outlines[route.0];
        Some(Contender { route, price, provider, is_shunned: self.shunned.contains(&route), is_paid })
    }

    /// Those that can answer, in the fleet's order.
    pub fn contenders(&self, fleet: &Fleet) -> impl Iterator<Item = Contender> {
        (0..self.prices.len()).filter_map(|place| self.contender(fleet, RouteId(place)))
    }
}

impl Contender {
    /// It works, and bills nothing.
    #[inline]
    pub const fn is_first_choice(&self) -> bool {
        !self.is_shunned && !self.is_paid
    }

    /// With what it takes, by the fleet, need and snapshot that it was found with.
    pub fn in_full(&self, fleet: &Fleet, need: &Need, snapshot: &Snapshot) -> Candidate {
        let (route, outline) = (fleet.route(self.route), &fleet.outlines[self.route.0]);
        let judged = Judge::new(fleet, need, snapshot).closely(route);
        let (cost, dearest) = judged.expect("who contends can answer");
        let price = Price::of(outline, Price::strong_for(need), dearest, snapshot.health(self.route), snapshot.now);
        Candidate { route: self.route, cost, price }
    }
}

/// What is the same for all routes while they are judged.
pub(super) struct Judge<'a> {
    fleet: &'a Fleet,
    need: &'a Need,
    snapshot: &'a Snapshot,
    /// Whoever has quota and room for the prompt can answer: nothing else is asked for, and nothing else keeps anybody away.
    is_open_to_all: bool,
    /// Tokens of prompt and answer. More than any context has where a glance tells nothing: where the prompt is not as long for every
    /// route, or somebody waits for the same quota.
    needed: u64,
    /// What a strong model's quota is dearer by.
    strong: f64,
}

impl<'a> Judge<'a> {
    pub(super) fn new(fleet: &'a Fleet, need: &'a Need, snapshot: &'a Snapshot) -> Self {
        let is_plain = need.trim.is_none() && snapshot.claims.are_none();
        let is_modest = need.features == Features::default() && !need.is_particular();
        Self {
            fleet,
            need,
            snapshot,
            is_open_to_all: is_modest && snapshot.full.is_empty() && snapshot.view.is_calm(snapshot.now),
            needed: if is_plain { need.input_tokens.saturating_add(need.answer_tokens()) } else { u64::MAX },
            strong: Price::strong_for(need),
        }
    }

    /// What glances tell, where they can tell anything.
    fn at_a_glance(&self, outlooks: &Outlooks<'_>) -> Option<Glances> {
        let ask = Ask::of(self.need, self.needed, self.strong).filter(|_| self.need.wanted == Wanted::Any)?;
        Some(outlooks.glances(ask, (!self.is_open_to_all).then_some(|route| self.is_open_to(route))))
    }

    /// Adds to a ranking what glances did not tell.
    fn one_by_one(&self, outlooks: &Outlooks<'_>, mut ranking: Ranking) -> Ranking {
        for (place, route) in self.fleet.routes.iter().enumerate() {
            if !ranking.prices[place].is_nan() || !self.need.wanted.allows(route) {
                continue;
            }
            match self.by_outlook(route, outlooks) {
                Ok(contender) => ranking.add(contender),
                Err(rejection) => ranking.rejections.push((route.id, rejection)),
            }
        }
        ranking
    }

    /// A route that can answer, by its outlook, else closely; or what keeps it from answering.
    fn by_outlook(&self, route: &Route, outlooks: &Outlooks<'_>) -> Result<Contender, Rejection> {
        let (id, outline, health) = (route.id, &self.fleet.outlines[route.id.0], self.snapshot.health(route.id));
        let is_open = self.needed <= outline.context && (self.is_open_to_all || self.is_open_to(id));
        let cost = || {
            let answer = expected_answer(self.need, health.usual_answer());
            Cost::request(self.need.input_tokens, answer).in_units(route.model.unit_price)
        };
        let dearest = is_open.then(|| outlooks.dearest(outline, cost())).flatten();
        let dearest = dearest.map_or_else(|| self.closely(route).map(|(_, (dearest, _))| dearest), Ok)?;
        Ok(self.contender(id, outline, health, dearest))
    }

    fn is_open_to(&self, id: RouteId) -> bool {
        let Self { fleet, need, snapshot, .. } = *self;
        let outline = &fleet.outlines[id.0];
        !snapshot.view.holds_any(outline, snapshot.now)
            && !snapshot.full.contains(&outline.provider)
            && fits_features(outline.features, need).is_ok()
            && (!need.is_particular() || fits_intent(fleet.route(id), need).is_ok())
    }

    /// The same for any route, with what the request takes; or what keeps it from there.
    pub(super) fn closely(&self, route: &Route) -> Result<(Cost, Dearest), Rejection> {
        let Self { fleet, need, snapshot, .. } = *self;
        fits_intent(route, need)?;
        fits_features(route.model.features, need)?;
        fits_context(route, need, snapshot)?;
        has_key(route, need, snapshot)?;
        let cost = expected_cost(route, need, snapshot);
        let quota = fits_quota(route, fleet, &cost, snapshot);
        is_rested(route, need, snapshot).map_err(|rest| rest.at_least_until(quota.as_ref()))?;
        let dearest = quota?;
        has_place(&fleet.outlines[route.id.0], snapshot)?;
        Ok((cost, dearest))
    }

    pub(super) fn contender(&self, route: RouteId, outline: &Outline, health: &Health, dearest: f64) -> Contender {
        Contender {
            route,
            price: single(Price::of(outline, self.strong, (dearest, None), health, self.snapshot.now).total()),
            provider: outline.provider,
            is_shunned: health.is_shunned(self.snapshot.now),
            is_paid: outline.is_paid,
        }
    }
}

/// What one request over `route` is expected to take.
pub fn expected_cost(route: &Route, need: &Need, snapshot: &Snapshot) -> Cost {
    let answer = expected_answer(need, snapshot.health(route.id).usual_answer());
    let input = if need.trim.is_none() { need.input_tokens } else { need.input_within(room(route, need, snapshot)) };
    // What is only expected must not be more than a limit ever grants: it would keep every request away for good.
    let answer = if need.max_tokens.is_some() { answer } else { answer.min(most_answer(route, input, snapshot)) };
    Cost::request(input, answer).in_units(route.model.unit_price)
}

/// Tokens that limits leave for the answer to a prompt of so many, with nothing else used.
fn most_answer(route: &Route, input: u64, snapshot: &Snapshot) -> u64 {
    let meters = route.meters.iter().map(|meter| &snapshot.view.meters[meter.0]);
    let most = meters.filter(|meter| meter.kind() == Kind::Tokens).map(|meter| meter.ceiling(snapshot.now)).min();
    most.map_or(u64::MAX, |most| most.saturating_sub(input).max(1))
}

/// Tokens of the answer as it usually is, no more than the caller allows.
#[inline]
fn expected_answer(need: &Need, usual: Option<u64>) -> u64 {
    match (need.max_tokens, usual) {
        (Some(most), Some(usual)) => most.min(usual.saturating_mul(2)),
        (Some(most), None) => most,
        (None, usual) => usual.unwrap_or(need.answer_reserve),
    }
}

/// Tokens that prompt and answer may have together: the context's, and where the prompt can be cut, no more than a limit ever
/// grants.
pub(super) fn room(route: &Route, need: &Need, snapshot: &Snapshot) -> u64 {
    let granted = route.meters.iter().filter_map(|meter| match snapshot.view.meters[meter.0].kind() {
        Kind::Tokens => Some(snapshot.reading(*meter).limit),
        Kind::InputTokens => Some(snapshot.reading(*meter).limit.saturating_add(need.answer_tokens())),
        Kind::Requests | Kind::Units => None,
    });
    granted.fold(context(route, snapshot), u64::min)
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

pub(super) fn fits_features(has: Features, need: &Need) -> Result<(), Rejection> {
    if need.features == Features::default() {
        return Ok(());
    }
    // Whoever names one model means it; that provider's own word then decides about `json` and `schema`.
    let named = matches!(need.wanted, Wanted::Model { .. });
    let lacks = |((name, needed), (_, has)): &((&str, bool), (&str, bool))| {
        *needed && !has && !(named && matches!(*name, "json" | "schema"))
    };
    match words(need.features).into_iter().zip(words(has)).find(lacks) {
        Some(((name, _), _)) => Err(Rejection::Lacks(name)),
        None => Ok(()),
    }
}

/// Features by their names, in the order a lack of them is told.
pub(super) const fn words(features: Features) -> [(&'static str, bool); 6] {
    [
        ("tools", features.tools),
        ("tool_choice", features.tool_choice),
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

/// A provider that is asked all it may be asked at a time is looked at again after this long, if nobody has said before that there is room.
pub const CROWDED: Duration = Duration::from_secs(1);

pub(super) fn has_place(outline: &Outline, snapshot: &Snapshot) -> Result<(), Rejection> {
    if !snapshot.full.contains(&outline.provider) {
        return Ok(());
    }
    let (kind, limit) = (Kind::Requests, "max_concurrency".to_owned());
    Err(Rejection::OutOfQuota { kind, limit, until: later(snapshot.now, CROWDED), may_settle: true })
}

fn holds(mark: &Mark, need: &Need) -> bool {
    !(need.despite_guesses && mark.is_guess())
}

/// The dearest limit's price, and which one that is.
type Dearest = (f64, Option<MeterId>);

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
                    amount: limit.kind.shown(snapshot.view.meters[meter.0].ceiling(snapshot.now)),
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

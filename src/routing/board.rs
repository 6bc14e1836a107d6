//! What each bundle of meters allows, and each route with it, kept from one ranking to the next: of hundreds a request changes two.

use std::mem;
use std::ops::Range;

use smallvec::SmallVec;

use crate::quota::{Cost, Glance, Kind};

use super::fleet::{BundleId, Fleet, Outline, RouteId};
use super::lines::{Ask, Common, Line, Lines};
use super::snapshot::Snapshot;

/// What the bundles of one fleet allowed when they were last looked at, and how its routes fared. It is for the views of one store and
/// the health that one process knows, of whose changes it remembers how many it has seen.
#[derive(Debug)]
pub struct Board {
    /// By `BundleId`.
    outlooks: Vec<Outlook>,
    /// By `BundleId`: for how long its outlook is right, while nothing changes the meters.
    terms: Vec<Term>,
    /// For how long all of them are.
    term: Term,
    seen_of_meters: u64,
    seen_of_health: u64,
    /// By `BundleId`: the routes whose own it is.
    owners: Vec<SmallVec<[RouteId; 1]>>,
    /// By `RouteId`.
    lines: Lines,
    runs: Vec<Run>,
    /// How often a bundle was looked at, which is what a board is there to spare.
    pub looks: u64,
}

/// From one moment to another, in microseconds since the epoch.
#[derive(Debug, Clone, Copy)]
struct Term {
    from: i64,
    until: i64,
}

/// Routes of one account, which follow one another, and the bundle they share.
#[derive(Debug)]
struct Run {
    routes: Range<usize>,
    shared: BundleId,
}

/// What a bundle's meters allow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Outlook {
    pub tokens: Allowance,
    /// The seconds that a request costs, however small it is.
    pub request: f64,
    /// There are limits on something else than requests and tokens.
    pub has_others: bool,
    input_tokens: Allowance,
    units: Allowance,
}

/// What all limits on one thing together allow.
#[derive(Debug, Clone, Copy)]
pub(super) struct Allowance {
    /// Fewer than so many fit for certain.
    pub below: u64,
    /// The seconds that each costs.
    pub each: f64,
}

/// A board's word on the meters of one snapshot.
pub(super) struct Outlooks<'a> {
    all: &'a [Outlook],
    lines: &'a Lines,
    runs: &'a [Run],
}

/// What glances at all routes tell.
pub(super) struct Glances {
    /// By `RouteId`, in seconds, at most a hundredth too dear; not a number where the route has to be looked at closely.
    pub prices: Vec<f32>,
    /// The lowest of those that do not bill; infinite where there is none.
    pub least: f32,
    pub are_all_told: bool,
}

impl Board {
    pub fn new(fleet: &Fleet) -> Self {
        let (bundles, routes) = (fleet.bundles.len(), fleet.routes.len());
        let mut owners = vec![SmallVec::new(); bundles];
        for (outline, place) in fleet.outlines.iter().zip(0..) {
            owners[outline.own.0].push(RouteId(place));
        }
        Self {
            outlooks: vec![Outlook::UNLIMITED; bundles],
            terms: vec![Term::NEVER; bundles],
            term: Term::NEVER,
            seen_of_meters: 0,
            seen_of_health: 0,
            owners,
            lines: Lines::new(routes),
            runs: runs(fleet),
            looks: 0,
        }
    }

    /// Looks at the bundles that changed, at those whose meters say something else by now, and at routes that fared otherwise.
    pub(super) fn read(&mut self, fleet: &Fleet, snapshot: &Snapshot) -> Outlooks<'_> {
        self.look_at_meters(fleet, snapshot);
        self.look_at_health(fleet, snapshot);
        Outlooks { all: &self.outlooks, lines: &self.lines, runs: &self.runs }
    }

    fn look_at_meters(&mut self, fleet: &Fleet, snapshot: &Snapshot) {
        let (now, changes) = (snapshot.now.as_microsecond(), snapshot.view.meters.changes());
        let seen = mem::replace(&mut self.seen_of_meters, changes.count());
        match changes.since(seen) {
            Some(news) => news.for_each(|bundle| self.terms[bundle] = Term::NEVER),
            None => self.terms.fill(Term::NEVER),
        }
        match changes.since(seen).filter(|_| self.term.holds(now)) {
            Some(news) => self.look_at_bundles(news, fleet, snapshot),
            None => {
                self.look_at_bundles(0..self.terms.len(), fleet, snapshot);
                self.term = self.terms.iter().copied().fold(Term::EVER, Term::and);
            }
        }
    }

    fn look_at_bundles(&mut self, bundles: impl Iterator<Item = usize>, fleet: &Fleet, snapshot: &Snapshot) {
        let now = snapshot.now.as_microsecond();
        for bundle in bundles {
            if !self.terms[bundle].holds(now) {
                self.look_at_bundle(bundle, fleet, snapshot);
            }
        }
    }

    fn look_at_bundle(&mut self, bundle: usize, fleet: &Fleet, snapshot: &Snapshot) {
        let now = snapshot.now.as_microsecond();
        let (mut outlook, mut until) = (Outlook::UNLIMITED, i64::MAX);
        for meter in fleet.bundles[bundle].iter().map(|id| &snapshot.view.meters[id.0]) {
            let glance = meter.glance(snapshot.now);
            until = until.min(glance.until.as_microsecond());
            outlook = outlook.with(meter.kind(), glance);
        }
        self.terms[bundle] = Term { from: now, until };
        self.term = self.term.and(self.terms[bundle]);
        self.outlooks[bundle] = outlook;
        for route in &self.owners[bundle] {
            self.lines.set(route.0, Line::of(&fleet.outlines[route.0], &outlook, &snapshot.health[route.0]));
        }
        self.looks += 1;
    }

    fn look_at_health(&mut self, fleet: &Fleet, snapshot: &Snapshot) {
        let changes = snapshot.health.changes();
        match changes.since(mem::replace(&mut self.seen_of_health, changes.count())) {
            Some(news) => news.for_each(|route| self.look_at_route(route, fleet, snapshot)),
            None => (0..self.lines.routes()).for_each(|route| self.look_at_route(route, fleet, snapshot)),
        }
    }

    fn look_at_route(&mut self, route: usize, fleet: &Fleet, snapshot: &Snapshot) {
        let outline = &fleet.outlines[route];
        self.lines.set(route, Line::of(outline, &self.outlooks[outline.own.0], &snapshot.health[route]));
    }
}

fn runs(fleet: &Fleet) -> Vec<Run> {
    let mut begin = 0;
    let runs = fleet.outlines.chunk_by(|a, b| a.shared == b.shared).map(|run| {
        let routes = begin..begin + run.len();
        begin = routes.end;
        Run { routes, shared: run[0].shared }
    });
    runs.collect()
}

impl Outlooks<'_> {
    /// What a glance tells of each route. Others than `is_open` ones have to be looked at closely in any case.
    pub fn glances(&self, ask: Ask, is_open: Option<impl Fn(RouteId) -> bool>) -> Glances {
        let mut prices = Vec::with_capacity(self.lines.routes());
        for Run { routes, shared } in self.runs {
            match Common::of(&self.all[shared.0]) {
                Some(common) => self.lines.prices(routes.clone(), common, ask, &mut prices),
                None => prices.resize(routes.end, f32::NAN),
            }
        }
        if let Some(is_open) = is_open {
            let closed =
                prices.iter_mut().zip(0..).filter(|(price, place)| !price.is_nan() && !is_open(RouteId(*place)));
            closed.for_each(|(price, _)| *price = f32::NAN);
        }
        let (least, are_all_told) = self.lines.least(&prices);
        Glances { prices, least, are_all_told }
    }

    /// The seconds that a request costs by the dearest limit, where all of it fits for certain: `cost` is all that the request takes.
    pub fn dearest(&self, outline: &Outline, cost: Cost) -> Option<f64> {
        let (own, shared) = (&self.all[outline.own.0], &self.all[outline.shared.0]);
        let tokens = own.tokens.price(&shared.tokens, cost.of(Kind::Tokens))?;
        let input = own.input_tokens.price(&shared.input_tokens, cost.input_tokens)?;
        let units = own.units.price(&shared.units, cost.units)?;
        Some(larger(larger(tokens, larger(own.request, shared.request)), larger(input, units)))
    }
}

impl Term {
    /// As it is before the first look.
    const NEVER: Self = Self { from: i64::MAX, until: i64::MIN };
    const EVER: Self = Self { from: i64::MIN, until: i64::MAX };

    const fn holds(self, now: i64) -> bool {
        self.from <= now && now < self.until
    }

    fn and(self, other: Self) -> Self {
        Self { from: self.from.max(other.from), until: self.until.min(other.until) }
    }
}

impl Outlook {
    /// As it is where nothing is limited.
    const UNLIMITED: Self = Self {
        tokens: Allowance::UNLIMITED,
        request: 0.0,
        has_others: false,
        input_tokens: Allowance::UNLIMITED,
        units: Allowance::UNLIMITED,
    };

    /// With one more of the bundle's meters.
    fn with(mut self, kind: Kind, Glance { level, lasts, .. }: Glance) -> Self {
        let allowance = Allowance {
            // Where more is used than there is, not even nothing fits.
            below: if level.used > level.limit { 0 } else { level.left().saturating_add(1) },
            each: lasts.as_secs_f64() / float(level.left().max(1)),
        };
        match kind {
            Kind::Requests => self.request = larger(self.request, allowance.each),
            Kind::Tokens => self.tokens = self.tokens.and(&allowance),
            Kind::InputTokens => self.input_tokens = self.input_tokens.and(&allowance),
            Kind::Units => self.units = self.units.and(&allowance),
        }
        self.has_others |= matches!(kind, Kind::InputTokens | Kind::Units);
        if allowance.below == 0 || (kind == Kind::Requests && allowance.below == 1) {
            // No request fits at all; and of every one it is asked how many tokens it takes.
            self.tokens.below = 0;
        }
        self
    }
}

impl Allowance {
    const UNLIMITED: Self = Self { below: u64::MAX, each: 0.0 };

    fn and(&self, other: &Self) -> Self {
        Self { below: self.below.min(other.below), each: larger(self.each, other.each) }
    }

    /// The seconds that an amount costs, where both allow it.
    #[inline]
    fn price(&self, other: &Self, amount: u64) -> Option<f64> {
        let Self { below, each } = self.and(other);
        (amount < below).then(|| float(amount) * each)
    }
}

/// In one step of the processor: there is no need to look for what is not a number.
#[inline]
fn larger(one: f64, other: f64) -> f64 {
    if one > other { one } else { other }
}

/// Of a signed number the processor makes a float in one step.
#[expect(clippy::cast_precision_loss, reason = "prices need no exact counts")]
#[inline]
fn float(count: u64) -> f64 {
    i64::try_from(count).unwrap_or(i64::MAX) as f64
}

//! What each bundle of meters allows, kept from one ranking to the next: of hundreds of bundles a request changes two.

use crate::quota::{Cost, Glance, Kind};

use super::fleet::{BundleId, Fleet, Outline};
use super::snapshot::Snapshot;

/// What the bundles of one fleet allowed when they were last looked at. It is for the views of one store alone, whose versions it knows.
#[derive(Debug)]
pub struct Board {
    /// By `BundleId`.
    outlooks: Vec<Outlook>,
    /// How often a bundle was looked at, which is what a board is there to spare.
    pub looks: u64,
}

/// What a bundle's meters allow from one moment to another, while nothing changes them.
#[derive(Debug, Clone, Copy)]
struct Outlook {
    tokens: Allowance,
    /// The seconds that a request costs, however small it is.
    request: f64,
    /// There are limits on something else than requests and tokens.
    has_others: bool,
    input_tokens: Allowance,
    units: Allowance,
    version: u64,
    /// In microseconds since the epoch.
    from: i64,
    until: i64,
}

/// What all limits on one thing together allow.
#[derive(Debug, Clone, Copy)]
struct Allowance {
    /// Fewer than so many fit for certain.
    below: u64,
    /// The seconds that each costs.
    each: f64,
}

/// A board's word on the meters of one snapshot.
pub(super) struct Outlooks<'a> {
    all: &'a [Outlook],
    /// That of the bundle which routes of one account share, who follow one another.
    shared: (BundleId, Outlook),
}

impl Board {
    pub fn new(fleet: &Fleet) -> Self {
        Self { outlooks: vec![Outlook::NONE; fleet.bundles.len()], looks: 0 }
    }

    /// Looks at the bundles that changed, and at those whose meters say something else by now.
    pub(super) fn read(&mut self, fleet: &Fleet, snapshot: &Snapshot) -> Outlooks<'_> {
        let now = snapshot.now.as_microsecond();
        let bundles = fleet.bundles.iter().zip(snapshot.view.meters.versions());
        for (outlook, (bundle, version)) in self.outlooks.iter_mut().zip(bundles) {
            if outlook.version != *version || now < outlook.from || now >= outlook.until {
                let meters = bundle.iter().map(|id| &snapshot.view.meters[id.0]);
                let new = Outlook { version: *version, from: now, ..Outlook::UNLIMITED };
                *outlook = meters.fold(new, |outlook, meter| outlook.with(meter.kind(), meter.glance(snapshot.now)));
                self.looks += 1;
            }
        }
        Outlooks { all: &self.outlooks, shared: (BundleId(usize::MAX), Outlook::NONE) }
    }
}

impl Outlooks<'_> {
    /// The seconds that a request of so many tokens costs by the dearest limit, where all of it fits for certain. At most a hundredth
    /// too dear. `cost` tells all that it takes, where there are limits on something else.
    #[inline]
    pub fn dearest(&mut self, outline: &Outline, tokens: u64, cost: impl FnOnce() -> Cost) -> Option<f64> {
        if self.shared.0 != outline.shared {
            self.shared = (outline.shared, self.all[outline.shared.0]);
        }
        let (own, shared) = (&self.all[outline.own.0], &self.shared.1);
        let dearest = own.tokens.price(&shared.tokens, tokens)?;
        let dearest = larger(dearest, larger(own.request, shared.request));
        if own.has_others || shared.has_others { own.others(shared, dearest, cost()) } else { Some(dearest) }
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
        version: 0,
        from: i64::MIN,
        until: i64::MAX,
    };

    /// As it is before the first look.
    const NONE: Self = Self { until: i64::MIN, ..Self::UNLIMITED };

    /// With one more of the bundle's meters.
    fn with(mut self, kind: Kind, Glance { level, lasts, until }: Glance) -> Self {
        self.until = self.until.min(until.as_microsecond());
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

    /// Few bundles have such limits.
    #[inline(never)]
    fn others(&self, other: &Self, dearest: f64, cost: Cost) -> Option<f64> {
        let input = self.input_tokens.price(&other.input_tokens, cost.input_tokens)?;
        let units = self.units.price(&other.units, cost.units)?;
        Some(larger(dearest, larger(input, units)))
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

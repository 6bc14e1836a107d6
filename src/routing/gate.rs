//! What a route has to pass to be a candidate, gate by gate, with the numbers of each.

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, Serialize};

use crate::chat::{Period, Scope};
use crate::quota::{Cost, Fit, Kind, Source, UNIT};

use super::fleet::{Fleet, MeterId, Route};
use super::need::Need;
use super::rank;
use super::reject::Rejection;
use super::snapshot::Snapshot;

/// Something a route has to pass, with its numbers where it has any.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Gate {
    /// `intent`, `features`, `context`, `key`, `rest`, `max_concurrency`, or a limit such as `requests/minute`.
    pub gate: String,
    pub fits: bool,
    pub used: Option<Amount>,
    pub limit: Option<Amount>,
    pub remaining: Option<Amount>,
    pub needed: Option<Amount>,
    /// When it will let the request through, where it does not now and ever will.
    pub fits_at: Option<Timestamp>,
    /// When the window turns, or a rolling one is empty.
    pub resets_at: Option<Timestamp>,
    /// Who says what the limit is.
    pub source: Option<Source>,
    /// Who says what is used.
    pub used_source: Option<Source>,
    pub scope: Option<Scope>,
    pub kind: Option<Kind>,
    pub period: Option<Period>,
    /// Why it does not let the request through.
    pub text: Option<String>,
}

/// A number of requests or tokens, or of a provider's own units, which may be a fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    pub kind: Kind,
    pub amount: u64,
}

impl Serialize for Amount {
    #[expect(clippy::cast_precision_loss, reason = "units are told in thousandths")]
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.kind {
            Kind::Units => serializer.serialize_f64(self.amount as f64 / UNIT as f64),
            Kind::Requests | Kind::Tokens | Kind::InputTokens => serializer.serialize_u64(self.amount),
        }
    }
}

impl<'de> Deserialize<'de> for Amount {
    /// As it was told: a whole number, or one in a provider's own units.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "counts, told by a gateway"
    )]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let told = f64::deserialize(deserializer)?.max(0.0);
        Ok(if told.fract() == 0.0 {
            Self { kind: Kind::Tokens, amount: told as u64 }
        } else {
            Self { kind: Kind::Units, amount: (told * UNIT as f64) as u64 }
        })
    }
}

/// Every gate of a route, in the order they are judged, also those behind the first that stays shut.
pub(super) fn gates(route: &Route, fleet: &Fleet, need: &Need, snapshot: &Snapshot) -> Vec<Gate> {
    let limit = rank::context(route, snapshot);
    let needed = need.input_within(limit).saturating_add(need.answer_tokens());
    let tokens = |amount| Some(Amount { kind: Kind::Tokens, amount });
    let told = snapshot.view.told_context(route, snapshot.now);
    let context = Gate {
        needed: tokens(needed),
        limit: tokens(limit),
        source: Some(if told.is_some() { Source::Error } else { Source::Docs }),
        ..Gate::new("context", rank::fits_context(route, need, snapshot))
    };
    let mut gates = vec![
        Gate::new("intent", rank::fits_intent(route, need)),
        Gate::new("features", rank::fits_features(route.model.features, need)),
        context,
        Gate::new("key", rank::has_key(route, need, snapshot)),
        Gate::new("rest", rank::is_rested(route, need, snapshot)),
    ];
    let cost = rank::expected_cost(route, need, snapshot);
    gates.extend(route.meters.iter().map(|meter| quota(*meter, &cost, fleet, snapshot)));
    if route.max_concurrency.is_some() {
        gates.push(Gate::new("max_concurrency", rank::has_place(&fleet.outlines[route.id.0], snapshot)));
    }
    gates
}

fn quota(id: MeterId, cost: &Cost, fleet: &Fleet, snapshot: &Snapshot) -> Gate {
    let (limit, reading) = (&fleet.meter_spec(id).limit, snapshot.reading(id));
    let kind = limit.kind;
    let amount = |amount| Some(Amount { kind, amount });
    let fit = snapshot.fit(id, cost);
    let text = match fit {
        Fit::Now => None,
        Fit::At(_) => Some("used up".to_owned()),
        Fit::Never => Some("the request alone is larger than the limit".to_owned()),
    };
    Gate {
        gate: limit.label(),
        fits: fit == Fit::Now,
        used: amount(reading.used),
        limit: amount(reading.limit),
        remaining: amount(reading.remaining()),
        needed: amount(cost.of(kind)),
        fits_at: if let Fit::At(moment) = fit { Some(moment) } else { None },
        resets_at: reading.resets_at,
        source: Some(reading.limit_source),
        used_source: Some(reading.used_source),
        scope: Some(limit.scope),
        kind: Some(kind),
        period: Some(limit.period),
        text,
    }
}

impl Gate {
    fn new(name: &str, judged: Result<(), Rejection>) -> Self {
        let rejection = judged.err();
        Self {
            gate: name.to_owned(),
            fits: rejection.is_none(),
            used: None,
            limit: None,
            remaining: None,
            needed: None,
            fits_at: rejection.as_ref().and_then(Rejection::until),
            resets_at: None,
            source: None,
            used_source: None,
            scope: None,
            kind: None,
            period: None,
            text: rejection.as_ref().map(Rejection::text),
        }
    }
}

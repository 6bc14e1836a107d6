//! What was used and what is left, model by model: the document of `/v1/usage` and `relay usage`.

use std::borrow::Cow;
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::chat::{Period, Scope};
use crate::clock::{earlier, later};
use crate::quota::{Cost, Kind, Source};
use crate::routing::{MeterId, Rejection, Route, RouteId, Snapshot};
use crate::store::{Quarter, Totals};

use super::Relay;

/// A forecast goes by what was used in the time just past.
const FORECAST_FROM: Duration = Duration::from_hours(1);

/// The state of a model that only the ledger knows.
const NO_ROUTE: &str = "no route";

/// The document, `relay.usage/1`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct UsageReport {
    pub schema: Cow<'static, str>,
    pub as_of: Timestamp,
    /// From when on `totals` and `counts` are counted.
    pub since: Timestamp,
    pub totals: Sums,
    pub models: Vec<ModelUsage>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Sums {
    pub ok: u64,
    pub rate_limited: u64,
    pub errors: u64,
    /// Attempts that failed, and after which their requests went on.
    pub failovers: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

/// One model of one provider, over all of its keys.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelUsage {
    #[serde(flatten)]
    pub quota: ModelWindows,
    /// The window with the least left of it.
    pub binding: Option<Binding>,
    /// When a window will be used up, if the use of the last hour goes on.
    pub exhausts_at: Option<Timestamp>,
    pub counts: Counts,
}

/// A model's windows, and whether it can be used.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ModelWindows {
    pub provider: String,
    pub model: String,
    /// `ready`, or why not: `limited`, `cooldown`, `gone`, `bad key`; `no route` where the ledger alone still knows it.
    pub state: Cow<'static, str>,
    pub available_at: Option<Timestamp>,
    pub windows: Vec<WindowUsage>,
    #[serde(skip)]
    meters: Vec<MeterId>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Binding {
    pub kind: Kind,
    pub period: Period,
}

/// One limit and what is used of it. Keys whose quotas add up are added up.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct WindowUsage {
    pub kind: Kind,
    pub period: Period,
    pub scope: Scope,
    pub used: u64,
    pub limit: u64,
    pub remaining: u64,
    pub resets_at: Option<Timestamp>,
    pub used_source: Source,
    pub limit_source: Source,
    pub observed_at: Option<Timestamp>,
    /// The limit that a response's header last named, and when.
    #[serde(skip)]
    pub named: Option<(u64, Timestamp)>,
}

#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Counts {
    pub ok: u64,
    pub rate_limited: u64,
    pub errors: u64,
    pub failover_out: u64,
    pub failover_in: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

impl Relay {
    /// What was used since a moment, and what is left. Reads the ledger, which may be a file: not for a runtime's worker.
    pub fn usage(&self, since: Timestamp) -> Result<UsageReport, String> {
        let mut used = used_by_model(self.store.history(since)?);
        let snapshot = self.snapshot();
        let lately = self.store.totals(earlier(snapshot.now, FORECAST_FROM))?;
        let rates = self.use_by_meter(&lately);
        let models = self.windows().into_iter().map(|quota| ModelUsage {
            binding: quota.binding(),
            exhausts_at: quota.meters.iter().filter_map(|meter| exhausts_at(*meter, rates[meter.0], &snapshot)).min(),
            counts: used.remove(&(quota.provider.clone(), quota.model.clone())).unwrap_or_default(),
            quota,
        });
        let mut models: Vec<ModelUsage> = models.collect();
        for ((provider, model), counts) in used {
            let place =
                models.iter().rposition(|it| it.quota.provider == provider).map_or(models.len(), |last| last + 1);
            models.insert(place, ModelUsage::without_route(provider, model, counts));
        }
        Ok(UsageReport {
            schema: "relay.usage/1".into(),
            as_of: snapshot.now,
            since,
            totals: Sums::of(models.iter().map(|model| &model.counts)),
            models,
        })
    }

    /// Everything of `/metrics`.
    pub fn metrics_text(&self) -> String {
        self.metrics.text(&self.fleet, self.in_flight(), &self.windows())
    }

    /// Every model's windows as they are known now, in the fleet's order.
    pub fn windows(&self) -> Vec<ModelWindows> {
        let snapshot = self.snapshot();
        let windows = |(id, rejection): (RouteId, Option<Rejection>)| {
            let best = self.fleet.route(id);
            let mut model = ModelWindows::new(best, rejection.as_ref());
            for route in self.fleet.routes.iter().filter(|route| route.name == best.name) {
                model.add(route, &snapshot);
            }
            model
        };
        self.standing_by_model().into_iter().map(windows).collect()
    }

    /// What was taken from each meter, going by the ledger.
    fn use_by_meter(&self, totals: &[Totals]) -> Vec<Cost> {
        let mut taken = vec![Cost::default(); self.fleet.meters.len()];
        for route in &self.fleet.routes {
            let totals = &totals[route.id.0];
            let cost = Cost {
                requests: totals.ok + totals.rate_limited + totals.errors,
                ..Cost::request(totals.prompt_tokens, totals.completion_tokens).in_units(route.model.unit_price)
            };
            for meter in &route.meters {
                taken[meter.0] = taken[meter.0] + cost;
            }
        }
        taken
    }
}

impl ModelUsage {
    /// One whose key or entry has gone. What was used of it stays used.
    fn without_route(provider: String, model: String, counts: Counts) -> Self {
        let (state, windows, meters) = (NO_ROUTE.into(), Vec::new(), Vec::new());
        let quota = ModelWindows { provider, model, state, available_at: None, windows, meters };
        Self { quota, binding: None, exhausts_at: None, counts }
    }
}

impl ModelWindows {
    fn new(route: &Route, rejection: Option<&Rejection>) -> Self {
        Self {
            provider: route.provider.id.clone(),
            model: route.model.id.clone(),
            state: rejection.map_or("ready", Rejection::state).into(),
            available_at: rejection.and_then(Rejection::until),
            windows: Vec::new(),
            meters: Vec::new(),
        }
    }

    /// Whether it may ever be asked as things are.
    pub fn has_route(&self) -> bool {
        self.state != NO_ROUTE
    }

    /// Adds a route of this model.
    fn add(&mut self, route: &Route, snapshot: &Snapshot) {
        for meter in &route.meters {
            if !self.meters.contains(meter) {
                self.meters.push(*meter);
                self.count(*meter, snapshot);
            }
        }
    }

    fn count(&mut self, meter: MeterId, snapshot: &Snapshot) {
        let window = WindowUsage::of(meter, snapshot);
        let same = |known: &&mut WindowUsage| {
            (known.kind, known.period, known.scope) == (window.kind, window.period, window.scope)
        };
        match self.windows.iter_mut().find(same) {
            Some(known) => known.add(&window),
            None => self.windows.push(window),
        }
    }

    /// The window with the least share left; of equals the longer one.
    pub fn binding(&self) -> Option<Binding> {
        let left = |window: &WindowUsage| u128::from(window.remaining) * 1_000_000 / u128::from(window.limit.max(1));
        let least = self.windows.iter().min_by_key(|window| (left(window), Reverse(window.period)))?;
        Some(Binding { kind: least.kind, period: least.period })
    }
}

impl WindowUsage {
    fn of(meter: MeterId, snapshot: &Snapshot) -> Self {
        let limit = &snapshot.view.meters[meter.0].limit;
        let reading = snapshot.reading(meter);
        let shown = |amount| limit.kind.shown(amount);
        let (used, most) = (shown(reading.used), shown(reading.limit));
        Self {
            kind: limit.kind,
            period: limit.period,
            scope: limit.scope,
            used,
            limit: most,
            remaining: most.saturating_sub(used),
            resets_at: reading.resets_at,
            used_source: reading.used_source,
            limit_source: reading.limit_source,
            observed_at: reading.observed_at,
            named: reading.named.map(|(limit, at)| (shown(limit), at)),
        }
    }

    /// The same window of another account.
    fn add(&mut self, other: &Self) {
        self.used += other.used;
        self.limit += other.limit;
        self.remaining += other.remaining;
        self.resets_at = self.resets_at.min(other.resets_at).or(self.resets_at).or(other.resets_at);
    }
}

impl From<Totals> for Counts {
    fn from(totals: Totals) -> Self {
        let Totals { ok, rate_limited, errors, failover_out, failover_in, prompt_tokens, completion_tokens } = totals;
        Self { ok, rate_limited, errors, failover_out, failover_in, prompt_tokens, completion_tokens }
    }
}

/// What the ledger counts of each model, by provider and model: also of those that nobody can be asked for any more.
fn used_by_model(quarters: Vec<Quarter>) -> BTreeMap<(String, String), Counts> {
    let mut totals: BTreeMap<(String, String), Totals> = BTreeMap::new();
    for quarter in quarters {
        *totals.entry((quarter.provider, quarter.model)).or_default() += quarter.totals;
    }
    totals.into_iter().map(|(model, totals)| (model, totals.into())).collect()
}

impl Sums {
    fn of<'c>(counts: impl Iterator<Item = &'c Counts>) -> Self {
        counts.fold(Self::default(), |sum, counts| Self {
            ok: sum.ok + counts.ok,
            rate_limited: sum.rate_limited + counts.rate_limited,
            errors: sum.errors + counts.errors,
            failovers: sum.failovers + counts.failover_out,
            prompt_tokens: sum.prompt_tokens + counts.prompt_tokens,
            completion_tokens: sum.completion_tokens + counts.completion_tokens,
        })
    }
}

/// When what is left will be gone at this rate, if that is before it comes back.
fn exhausts_at(meter: MeterId, lately: Cost, snapshot: &Snapshot) -> Option<Timestamp> {
    let (limit, reading) = (&snapshot.view.meters[meter.0].limit, snapshot.reading(meter));
    let rate = u128::from(lately.of(limit.kind));
    // A window no longer than the time looked back on gives back as fast as it is used.
    if rate == 0 || reading.remaining() == 0 || limit.period < Period::Day {
        return None;
    }
    let millis = u128::from(reading.remaining()) * FORECAST_FROM.as_millis() / rate;
    let moment = later(snapshot.now, Duration::from_millis(u64::try_from(millis).unwrap_or(u64::MAX)));
    (moment < limit.window.restored_after(snapshot.now)).then_some(moment)
}

//! How long the quota of all routes takes to allow so many more requests.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::clock::{later, until};
use crate::quota::{self, Cost, Window};
use crate::routing::{MeterId, Route, Snapshot};

use super::Relay;

/// Nothing is forecast beyond this.
const FURTHEST: Duration = Duration::from_hours(24 * 366);

/// The search ends when it knows the time this well.
const PRECISION: Duration = Duration::from_secs(1);

impl Relay {
    /// When quota alone decides: the time until so many requests of this cost have been allowed, or `None` within a year.
    pub fn time_for(&self, requests: u64, cost: Cost) -> Option<Duration> {
        let snapshot = self.snapshot();
        #[expect(clippy::cast_precision_loss, reason = "a forecast, not an account")]
        let requests = requests as f64;
        let allows = |time| self.allowed_within(time, cost, &snapshot) >= requests;
        if allows(Duration::ZERO) {
            return Some(Duration::ZERO);
        }
        let (mut too_short, mut enough) = (Duration::ZERO, FURTHEST);
        if !allows(enough) {
            return None;
        }
        while enough > too_short + PRECISION {
            let middle = (too_short + enough) / 2;
            if allows(middle) { enough = middle } else { too_short = middle }
        }
        Some(enough)
    }

    /// How many such requests all routes together allow within `time`: what is left now, and what comes back.
    fn allowed_within(&self, time: Duration, cost: Cost, snapshot: &Snapshot) -> f64 {
        let mut sharers = vec![0_usize; self.fleet.meters.len()];
        for meter in self.fleet.routes.iter().flat_map(|route| &route.meters) {
            sharers[meter.0] += 1;
        }
        // By account: what its routes allow each for itself, and what the limits they share allow all of them.
        let mut accounts: BTreeMap<usize, (f64, f64)> = BTreeMap::new();
        for route in self.fleet.routes.iter().filter(|route| is_open_within(route, time, snapshot)) {
            let cost = cost.in_units(route.model.unit_price);
            let allowed = |shared: bool| {
                let meters = route.meters.iter().filter(|meter| (sharers[meter.0] > 1) == shared);
                meters.map(|meter| self.meter_allows(*meter, time, &cost, snapshot)).fold(f64::INFINITY, f64::min)
            };
            let (own, shared) = (allowed(false), allowed(true));
            let account = accounts.entry(route.account_mark.0).or_insert((0.0, f64::INFINITY));
            account.0 += own.min(shared);
            account.1 = account.1.min(shared);
        }
        accounts.values().map(|(own, shared)| own.min(*shared)).sum()
    }

    #[expect(clippy::cast_precision_loss, reason = "a forecast, not an account")]
    fn meter_allows(&self, meter: MeterId, time: Duration, cost: &Cost, snapshot: &Snapshot) -> f64 {
        let limit = &self.fleet.meter_spec(meter).limit;
        let reading = snapshot.reading(meter);
        let each = cost.of(limit.kind);
        if each == 0 {
            return f64::INFINITY;
        }
        let given_back = match &limit.window {
            Window::Rolling { length } => time.as_secs_f64() / length.as_secs_f64(),
            window @ Window::Calendar { .. } => {
                let first = until(snapshot.now, window.restored_after(snapshot.now));
                let length = quota::length(limit.period).as_secs_f64();
                time.checked_sub(first).map_or(0.0, |past| 1.0 + (past.as_secs_f64() / length).floor())
            }
        };
        (reading.remaining() as f64 + reading.limit as f64 * given_back) / each as f64
    }
}

fn is_open_within(route: &Route, time: Duration, snapshot: &Snapshot) -> bool {
    let by = later(snapshot.now, time);
    let rests = [route.model_mark, route.account_mark].into_iter().filter_map(|mark| snapshot.mark(mark));
    route.key_mark.is_none_or(|mark| snapshot.mark(mark).is_none()) && rests.into_iter().all(|mark| mark.until <= by)
}

//! Readings of all meters, rests and health of all routes, at one instant.

use std::ops::Deref;
use std::sync::Arc;

use jiff::Timestamp;
use smallvec::SmallVec;

use crate::chat::{Fault, Unfit};
use crate::quota::{Cost, Fit, Glance, Kind, Meter, Reading};

use super::changes::Changes;
use super::fleet::{BundleId, Fleet, MarkId, MeterId, Outline, Route, RouteId};
use super::health::{Health, Healths};
use super::queue::Claims;

/// Not before this moment, because of this.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub until: Timestamp,
    pub cause: Fault,
}

impl Mark {
    /// Nobody named the moment: whoever asks before may find that it is over.
    pub const fn is_guess(&self) -> bool {
        self.cause.until().is_none()
    }
}

/// All meters, by `MeterId`, read as a slice. Changed by `change` alone, so that nothing changes unseen.
#[derive(Debug, Clone, Default)]
pub struct Meters {
    all: Vec<Arc<Meter>>,
    /// The bundles whose meters were changed.
    changes: Changes,
    /// By `MeterId`: the bundles it is in.
    bundles_of: Arc<Vec<SmallVec<[BundleId; 1]>>>,
}

impl Meters {
    /// Nothing used.
    fn new(fleet: &Fleet) -> Self {
        Self {
            all: fleet.meters.iter().map(|spec| Arc::new(Meter::new(spec.limit.clone()))).collect(),
            changes: Changes::of(fleet.bundles.len()),
            bundles_of: Arc::clone(&fleet.bundles_of),
        }
    }

    /// Changes a meter; whoever reads it now goes on reading it as it was.
    pub fn change<T>(&mut self, id: MeterId, change: impl FnOnce(&mut Meter) -> T) -> T {
        for bundle in &self.bundles_of[id.0] {
            self.changes.note(bundle.0);
        }
        change(Arc::make_mut(&mut self.all[id.0]))
    }

    /// By `BundleId`: whose meters were changed, each time.
    pub const fn changes(&self) -> &Changes {
        &self.changes
    }
}

impl Deref for Meters {
    type Target = [Arc<Meter>];

    fn deref(&self) -> &[Arc<Meter>] {
        &self.all
    }
}

/// Meters and rests as a store last saw them. Shared with whoever reads it; a store changes a copy of what is being read.
#[derive(Debug, Clone, Default)]
pub struct View {
    pub meters: Meters,
    /// By meter: reserved in this process and not settled yet, so that some of it may be given back.
    pub open: Vec<u64>,
    /// By `MarkId`. Changed by `mark` and `lift` alone.
    pub marks: Vec<Option<Mark>>,
    /// By `MarkId`: until when it holds.
    holds_until: Vec<Timestamp>,
    /// From this moment on nobody rests, for all that was marked so far.
    pub rested_from: Timestamp,
    /// From this moment on every key is taken and every context is the documented one, for all that was marked so far.
    pub believed_from: Timestamp,
}

impl View {
    /// Nothing used, nobody resting.
    pub fn new(fleet: &Fleet) -> Self {
        Self {
            meters: Meters::new(fleet),
            open: vec![0; fleet.meters.len()],
            marks: vec![None; fleet.marks.len()],
            holds_until: vec![Timestamp::MIN; fleet.marks.len()],
            rested_from: Timestamp::MIN,
            believed_from: Timestamp::MIN,
        }
    }
}

impl View {
    /// Puts a mark in the place of the one there may be.
    pub fn mark(&mut self, mark: MarkId, until: Timestamp, cause: &Fault) {
        self.marks[mark.0] = Some(Mark { until, cause: cause.clone() });
        self.holds_until[mark.0] = until;
        // A key that was rejected and a context that was learned keep nobody resting, and last for long.
        let holds_until = match cause {
            Fault::Denied | Fault::Unfit(_) => &mut self.believed_from,
            _ => &mut self.rested_from,
        };
        *holds_until = until.max(*holds_until);
    }

    pub fn lift(&mut self, mark: MarkId) {
        self.marks[mark.0] = None;
        self.holds_until[mark.0] = Timestamp::MIN;
    }

    /// Whether no mark of any route holds, for all that was marked so far.
    pub fn is_calm(&self, now: Timestamp) -> bool {
        now >= self.rested_from && now >= self.believed_from
    }

    /// Whether any mark of a route still holds.
    pub fn holds_any(&self, outline: &Outline, now: Timestamp) -> bool {
        outline.marks.iter().any(|mark| now < self.holds_until[*mark as usize])
    }

    /// The context that the route's provider named when it refused a request, while it is believed.
    pub fn told_context(&self, route: &Route, now: Timestamp) -> Option<u64> {
        if now >= self.believed_from {
            return None;
        }
        let mark = self.marks[route.context_mark.0].as_ref().filter(|mark| mark.until > now)?;
        let Fault::Unfit(Unfit::ContextTooLong { context, .. }) = mark.cause else { return None };
        (context < route.model.context).then_some(context)
    }

    /// The catalogue's context length, or the smaller one that its provider has named.
    pub fn context(&self, route: &Route, now: Timestamp) -> u64 {
        self.told_context(route, now).unwrap_or(route.model.context)
    }
}

/// What routing knows. Possibly stale: choosing prefers, reserving decides.
#[derive(Debug, Clone)]
pub struct Snapshot {
    pub now: Timestamp,
    pub view: Arc<View>,
    pub health: Arc<Healths>,
    /// What requests that wait will take before.
    pub claims: Claims,
    /// Providers, as outlines name them, that are asked as many things as they may be at a time.
    pub full: SmallVec<[u32; 2]>,
}

impl Snapshot {
    pub fn reading(&self, meter: MeterId) -> Reading {
        self.view.meters[meter.0].reading(self.now)
    }

    pub fn fit(&self, id: MeterId, cost: &Cost) -> Fit {
        let meter = &self.view.meters[id.0];
        self.claims.fit(id, meter, cost.of(meter.kind()), self.now)
    }

    /// Whether the cost fits, and the time that it would have lasted of what is left, in seconds.
    pub fn quote(&self, id: MeterId, cost: &Cost) -> (Fit, f64) {
        let meter = &self.view.meters[id.0];
        let amount = cost.of(meter.kind());
        let Glance { level, lasts, .. } = meter.glance(self.now);
        let fit = self.claims.refit(meter.fit_from(level, amount, self.now), id, meter, amount, self.now);
        (fit, lasting(amount, level.left(), lasts.as_secs_f64()))
    }

    /// Whether the cost would fit if all that is reserved and not settled yet were given back.
    pub fn might_fit(&self, id: MeterId, cost: &Cost) -> bool {
        let (meter, reading) = (&self.view.meters[id.0], self.reading(id));
        // A request is counted whatever becomes of it.
        let open = if meter.kind() == Kind::Requests { 0 } else { self.view.open[id.0] };
        reading.used.saturating_sub(open).saturating_add(cost.of(meter.kind())) <= reading.limit
    }

    /// The mark, while it still holds.
    pub fn mark(&self, id: MarkId) -> Option<&Mark> {
        self.view.marks[id.0].as_ref().filter(|mark| mark.until > self.now)
    }

    pub fn health(&self, route: RouteId) -> &Health {
        &self.health[route.0]
    }
}

/// How much of `lasts`, the time for which what is left has to last, an amount takes.
#[expect(clippy::cast_precision_loss, reason = "prices need no exact counts")]
fn lasting(amount: u64, left: u64, lasts: f64) -> f64 {
    amount as f64 * lasts / left.max(1) as f64
}

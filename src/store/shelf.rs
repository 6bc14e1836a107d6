//! What every store does with meters and rests, as plain values: reserve all or nothing, settle, believe, rest.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use smallvec::SmallVec;

use crate::chat::{Fault, Period, Scope};
use crate::clock::{earlier, until};
use crate::quota::{Cost, Fact, Fit, Kind, Limit, Meter, Source};
use crate::routing::{Fleet, MarkId, MeterId, View};

use super::sessions::Sessions;
use super::{Lease, Refusal, Settlement};

/// So long what another process has counted may be under way there: its provider may not know of it yet, and nobody here does.
const UNDER_WAY: Duration = Duration::from_mins(2);

/// Meters and rests, and what is reserved of them in this process.
#[derive(Debug)]
pub(super) struct Shelf {
    /// Shared with readers: what they hold does not change under them.
    pub view: Arc<View>,
    next_lease: u64,
    pub open_leases: usize,
    pub sessions: Sessions,
    /// Other processes counted something, at a time that nobody has told since.
    pub others_counted: bool,
    /// When that was, at the latest, the last time they did.
    others_at: Option<Timestamp>,
}

impl Shelf {
    pub fn new(fleet: &Fleet) -> Self {
        let view = View::new(fleet);
        Self {
            view: Arc::new(view),
            next_lease: 1,
            open_leases: 0,
            sessions: Sessions::default(),
            others_counted: false,
            others_at: None,
        }
    }

    pub fn change<T>(&mut self, id: MeterId, change: impl FnOnce(&mut Meter) -> T) -> T {
        Arc::make_mut(&mut self.view).meters.change(id, change)
    }

    /// Puts another limit in the place of a meter's own. What is used stays; what was learned against the old one does not.
    pub fn set_limit(&mut self, id: MeterId, limit: Limit) {
        self.change(id, |meter| *meter = meter.under(limit));
    }

    fn open(&mut self, id: MeterId) -> &mut u64 {
        &mut Arc::make_mut(&mut self.view).open[id.0]
    }

    /// Notes the time, where others counted something since it was told last.
    pub fn meet_others(&mut self, now: Timestamp) {
        if std::mem::take(&mut self.others_counted) {
            self.others_at = Some(now);
        }
    }

    /// Takes `cost` from all these meters or from none.
    pub fn reserve(&mut self, meters: &[MeterId], cost: Cost, now: Timestamp) -> Result<Lease, Refusal> {
        self.meet_others(now);
        let mut latest: Option<(MeterId, Timestamp)> = None;
        for &id in meters {
            let meter = &self.view.meters[id.0];
            match meter.fit(cost.of(meter.kind()), now) {
                Fit::Now => {}
                Fit::Never => return Err(Refusal::Never(id)),
                Fit::At(moment) => latest = latest.filter(|(_, known)| *known >= moment).or(Some((id, moment))),
            }
        }
        if let Some((id, moment)) = latest {
            return Err(Refusal::Until(id, moment));
        }
        for &id in meters {
            let amount = cost.of(self.view.meters[id.0].kind());
            self.change(id, |meter| meter.add(amount, now));
            *self.open(id) += amount;
        }
        Ok(self.lease(meters, cost, now))
    }

    /// A lease on nothing costs nothing to grant.
    pub fn lease(&mut self, meters: &[MeterId], cost: Cost, now: Timestamp) -> Lease {
        let id = self.next_lease;
        self.next_lease += 1;
        self.open_leases += 1;
        Lease { id, meters: meters.to_vec(), cost, reserved_at: now }
    }

    /// The lease is open no more. What it took stays counted until `settle` says better.
    pub fn close(&mut self, lease: &Lease) {
        self.open_leases -= 1;
        for id in &lease.meters {
            let reserved = lease.cost.of(self.view.meters[id.0].kind());
            let open = self.open(*id);
            *open = open.saturating_sub(reserved);
        }
    }

    /// Puts what was used in the place of what was reserved.
    pub fn settle(&mut self, lease: &Lease, settlement: Settlement, now: Timestamp) {
        let used = settlement.used(lease.cost);
        for &id in &lease.meters {
            let kind = self.view.meters[id.0].kind();
            let (reserved, used) = (lease.cost.of(kind), used.of(kind));
            match used.cmp(&reserved) {
                std::cmp::Ordering::Equal => {}
                std::cmp::Ordering::Greater => self.change(id, |meter| meter.add(used - reserved, now)),
                std::cmp::Ordering::Less => {
                    self.change(id, |meter| meter.take_back(reserved - used, lease.reserved_at, now));
                }
            }
        }
    }

    /// Whether this settlement says anything but what was reserved of the meter.
    pub fn is_corrected(&self, id: MeterId, reserved: Cost, settlement: Settlement) -> bool {
        let kind = self.view.meters[id.0].kind();
        settlement.used(reserved).of(kind) != reserved.of(kind)
    }

    /// Merges what a response told of the meters it speaks of; its request was reserved at `since`.
    pub fn tell(&mut self, meters: &[MeterId], facts: &[Fact], since: Timestamp, now: Timestamp) {
        let has_company = self.others_counted || self.others_at.is_some_and(|seen| until(seen, now) < UNDER_WAY);
        let since = if has_company { earlier(since, UNDER_WAY) } else { since };
        for fact in facts {
            for id in self.told_of(meters, fact) {
                // The request that was answered is counted by its provider; the tokens of its answer may not be.
                let own = u64::from(fact.kind == Kind::Requests);
                let open = self.view.open[id.0].saturating_sub(own);
                match (fact.source, fact.limit) {
                    (Source::Error, Some(limit)) => self.change(id, |meter| meter.tell_lower(limit, now)),
                    (Source::Error, None) => {}
                    _ => self.change(id, |meter| meter.tell(fact, open, since, now)),
                }
            }
        }
    }

    /// The meters that a fact speaks of. A number of the user's own on all models together, or beside the provider's, is none that a provider
    /// knows; and of a limit on one model and another on all of them it speaks of the one whose number it names, else of the model's.
    fn told_of(&self, meters: &[MeterId], fact: &Fact) -> SmallVec<[MeterId; 2]> {
        let limit = |id: &MeterId| &self.view.meters[id.0].limit;
        let counts_one = |id: &MeterId| limit(id).scope == Scope::Model;
        let is_meant = |id: &MeterId| {
            let is_in_scope = fact.scope.is_none_or(|scope| (scope == Scope::Model) == counts_one(id));
            let is_other = fact.limit.is_some_and(|told| told != limit(id).amount);
            let is_users = limit(id).source == Source::User && !counts_one(id) && is_other;
            is_in_scope && !is_users && limit(id).kind == fact.kind && limit(id).period == fact.period
        };
        let mut meant: SmallVec<[MeterId; 2]> = meters.iter().copied().filter(is_meant).collect();
        let preferences: [&dyn Fn(&MeterId) -> bool; 3] =
            [&|id| limit(id).source != Source::User, &|id| Some(limit(id).amount) == fact.limit, &counts_one];
        for is_preferred in preferences {
            if meant.len() > 1 && meant.iter().any(is_preferred) {
                meant.retain(|id| is_preferred(id));
            }
        }
        meant
    }

    /// A refusal came that named no moment: the fullest of the meters it may mean learns from it. Says whether one did.
    pub fn refuse(&mut self, lease: &Lease, period: Option<Period>, now: Timestamp) -> bool {
        let fullest = |id: &&MeterId| {
            let reading = self.view.meters[id.0].reading(now);
            reading.used.saturating_mul(1_000) / reading.limit.max(1)
        };
        let is_meant = |id: &&MeterId| {
            let limit = &self.view.meters[id.0].limit;
            period.map_or(limit.period <= Period::Hour, |period| limit.period == period)
        };
        let Some(id) = lease.meters.iter().filter(is_meant).max_by_key(fullest).copied() else { return false };
        let amount = lease.cost.of(self.view.meters[id.0].kind());
        self.change(id, |meter| meter.refuse(amount, now))
    }

    pub fn lift(&mut self, mark: MarkId) {
        if self.view.marks[mark.0].is_some() {
            Arc::make_mut(&mut self.view).lift(mark);
        }
    }

    /// Of two deadlines the later one wins.
    pub fn mark(&mut self, mark: MarkId, until: Timestamp, cause: &Fault) {
        if self.view.marks[mark.0].as_ref().is_none_or(|mark| mark.until < until) {
            Arc::make_mut(&mut self.view).mark(mark, until, cause);
        }
    }
}

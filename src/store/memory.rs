//! A store in this process's memory: for tests, the simulator, and where nothing is to be kept.

use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::chat::Fault;
use crate::chat::fault::Class;
use crate::quota::{Cost, Fit, Meter};
use crate::routing::{Fleet, Mark, MarkId, Route};

use super::{Lease, LedgerRow, Refusal, Reserving, Settlement, Store, Totals, View};

/// Everything behind one lock that is never held across an await.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    meters: Vec<Meter>,
    marks: Vec<Option<Mark>>,
    totals: Vec<Totals>,
    next_lease: u64,
    open_leases: usize,
}

impl Memory {
    pub fn new(fleet: &Fleet) -> Self {
        Self {
            state: Mutex::new(State {
                meters: fleet.meters.iter().map(|spec| Meter::new(spec.limit.clone())).collect(),
                marks: vec![None; fleet.marks.len()],
                totals: vec![Totals::default(); fleet.routes.len()],
                next_lease: 1,
                open_leases: 0,
            }),
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves counts that are still counts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn try_reserve(&self, route: &Route, cost: Cost, now: Timestamp) -> Result<Lease, Refusal> {
        let mut state = self.state();
        let mut latest: Option<Refusal> = None;
        for &id in &route.meters {
            let meter = &state.meters[id.0];
            match meter.fit(cost.of(meter.kind()), now) {
                Fit::Now => {}
                Fit::Never => return Err(Refusal::Never(id)),
                Fit::At(moment) => match latest {
                    Some(Refusal::Until(_, known)) if known >= moment => {}
                    _ => latest = Some(Refusal::Until(id, moment)),
                },
            }
        }
        if let Some(refusal) = latest {
            return Err(refusal);
        }
        for &id in &route.meters {
            let meter = &mut state.meters[id.0];
            meter.add(cost.of(meter.kind()), now);
        }
        let id = state.next_lease;
        state.next_lease += 1;
        state.open_leases += 1;
        Ok(Lease { id, meters: route.meters.clone(), cost, reserved_at: now })
    }
}

impl Store for Memory {
    fn reserve<'a>(&'a self, route: &'a Route, cost: Cost, now: Timestamp) -> Reserving<'a> {
        Box::pin(async move { self.try_reserve(route, cost, now) })
    }

    fn settle(&self, lease: Lease, settlement: Settlement, now: Timestamp) {
        let mut state = self.state();
        state.open_leases -= 1;
        let used = match settlement {
            Settlement::Used(usage) => Cost {
                requests: 1,
                input_tokens: usage.prompt_tokens,
                output_tokens: usage.completion_tokens,
                ..lease.cost
            },
            Settlement::AsReserved => return,
            Settlement::Refunded => Cost::default(),
        };
        for id in lease.meters {
            let meter = &mut state.meters[id.0];
            let (reserved, used) = (lease.cost.of(meter.kind()), used.of(meter.kind()));
            if used > reserved {
                meter.add(used - reserved, now);
            } else {
                meter.take_back(reserved - used, lease.reserved_at, now);
            }
        }
    }

    fn mark(&self, mark: MarkId, until: Timestamp, cause: &Fault) {
        let slot = &mut self.state().marks[mark.0];
        if slot.as_ref().is_none_or(|mark| mark.until < until) {
            *slot = Some(Mark { until, cause: cause.clone() });
        }
    }

    fn record(&self, row: LedgerRow) {
        let totals = &mut self.state().totals[row.route.0];
        match row.fault.as_ref().map(Fault::class) {
            None if row.cancelled => {}
            None => {
                totals.ok += 1;
                totals.failover_in += u64::from(row.attempt > 1);
            }
            Some(Class::OutOfQuota) => totals.rate_limited += 1,
            Some(_) => totals.errors += 1,
        }
        totals.failover_out += u64::from(row.fault.is_some());
        if let Some(usage) = row.usage {
            totals.prompt_tokens += usage.prompt_tokens;
            totals.completion_tokens += usage.completion_tokens;
        }
    }

    fn view(&self) -> View {
        let state = self.state();
        View { meters: state.meters.clone(), marks: state.marks.clone() }
    }

    fn totals(&self) -> Vec<Totals> {
        self.state().totals.clone()
    }

    fn open_leases(&self) -> usize {
        self.state().open_leases
    }
}

//! A store in this process's memory: for tests, the simulator, and where nothing is to be kept.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::chat::session::SessionKey;
use crate::chat::{Fault, Period};
use crate::clock::earlier;
use crate::quota::{Cost, Fact, Limit};
use crate::routing::{Fleet, MarkId, MeterId, Route, RouteId, View};

use super::shelf::Shelf;
use super::{
    LEDGER_KEPT, LastAttempt, Lease, LedgerRow, PROBE_PREFIX, Quarter, Reserving, SessionBounds, Settlement, Store,
    Totals,
};

/// A request goes on within moments, so that few failures have to be remembered.
const MOST_FAILED: usize = 256;

/// Everything behind one lock that is never held across an await.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    shelf: Shelf,
    /// By quarter of an hour and `RouteId`, as long as a ledger is kept.
    quarters: BTreeMap<(Timestamp, usize), Totals>,
    /// Attempts that failed lately, by request: another one may follow.
    failed: VecDeque<(Arc<str>, Timestamp, RouteId)>,
    last: Vec<Option<LastAttempt>>,
    /// The same without probes.
    last_asked: Vec<Option<LastAttempt>>,
    /// `provider` and `model` of each route.
    routes: Vec<(String, String)>,
}

impl Memory {
    pub fn new(fleet: &Fleet) -> Self {
        let routes: Vec<(String, String)> =
            fleet.routes.iter().map(|route| (route.provider.id.clone(), route.model.id.clone())).collect();
        let state = State {
            shelf: Shelf::new(fleet),
            quarters: BTreeMap::new(),
            failed: VecDeque::new(),
            last: vec![None; routes.len()],
            last_asked: vec![None; routes.len()],
            routes,
        };
        Self { state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves counts that are still counts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn count(&mut self, row: &LedgerRow) {
        let oldest = Quarter::of(earlier(row.at, LEDGER_KEPT));
        while let Some(first) = self.quarters.first_entry().filter(|first| first.key().0 < oldest) {
            first.remove();
        }
        self.quarters.entry((Quarter::of(row.at), row.route.0)).or_default().count(row);
        self.count_failover(row);
        if row.cancelled {
            return;
        }
        let attempt = LastAttempt {
            at: row.at,
            answered: row.fault.is_none(),
            first_event_ms: row.first_event_ms,
            total_ms: row.total_ms,
        };
        self.last[row.route.0] = Some(attempt);
        if !row.request_id.starts_with(PROBE_PREFIX) {
            self.last_asked[row.route.0] = Some(attempt);
        }
    }
}

impl State {
    /// An attempt that follows others of its request makes failovers of those that failed.
    fn count_failover(&mut self, row: &LedgerRow) {
        if row.attempt > 1 {
            for (_, at, route) in self.failed.iter().filter(|(request_id, ..)| *request_id == row.request_id) {
                self.quarters.entry((Quarter::of(*at), route.0)).or_default().failover_out += 1;
            }
            self.failed.retain(|(request_id, ..)| *request_id != row.request_id);
        }
        if row.fault.is_some() {
            self.failed.push_back((Arc::clone(&row.request_id), row.at, row.route));
            if self.failed.len() > MOST_FAILED {
                self.failed.pop_front();
            }
        }
    }
}

impl Store for Memory {
    fn reserve(&self, route: &Route, cost: Cost, now: Timestamp) -> Reserving {
        Reserving::Decided(Some(self.state().shelf.reserve(&route.meters, cost, now)))
    }

    fn tell(&self, route: &Route, facts: &[Fact], since: Timestamp, now: Timestamp) {
        self.state().shelf.tell(&route.meters, facts, since, now);
    }

    fn refuse(&self, lease: &Lease, period: Option<Period>, now: Timestamp) -> bool {
        self.state().shelf.refuse(lease, period, now)
    }

    fn mark(&self, mark: MarkId, until: Timestamp, cause: &Fault) {
        self.state().shelf.mark(mark, until, cause);
    }

    fn lift(&self, mark: MarkId) {
        self.state().shelf.lift(mark);
    }

    fn set_limit(&self, meter: MeterId, limit: Limit) {
        self.state().shelf.set_limit(meter, limit);
    }

    fn settle(&self, lease: Lease, settlement: Settlement, row: LedgerRow, now: Timestamp) {
        let mut state = self.state();
        state.shelf.close(&lease);
        state.shelf.settle(&lease, settlement, now);
        state.count(&row);
        if let Some(session) = row.pins() {
            state.shelf.sessions.pin(session, row.route, now);
        }
    }

    fn pinned(&self, session: SessionKey, now: Timestamp) -> Option<RouteId> {
        self.state().shelf.sessions.route(session, now)
    }

    fn bound_sessions(&self, bounds: SessionBounds) {
        self.state().shelf.sessions.bounds = bounds;
    }

    fn view(&self) -> Arc<View> {
        Arc::clone(&self.state().shelf.view)
    }

    fn totals(&self, since: Timestamp) -> Result<Vec<Totals>, String> {
        let state = self.state();
        let mut by_route = vec![Totals::default(); state.routes.len()];
        for ((_, route), totals) in state.quarters.range((Quarter::of(since), 0)..) {
            by_route[*route] += *totals;
        }
        Ok(by_route)
    }

    fn history(&self, since: Timestamp) -> Result<Vec<Quarter>, String> {
        let state = self.state();
        let quarters = state.quarters.range((Quarter::of(since), 0)..);
        let quarter = |((start, route), totals): (&(Timestamp, usize), &Totals)| {
            let (provider, model) = state.routes[*route].clone();
            Quarter { start: *start, provider, model, totals: *totals }
        };
        Ok(quarters.map(quarter).collect())
    }

    fn last_attempts(&self, since: Timestamp, probes: bool) -> Result<Vec<Option<LastAttempt>>, String> {
        let state = self.state();
        let last = if probes { &state.last } else { &state.last_asked };
        Ok(last.iter().map(|last| last.filter(|last| last.at >= since)).collect())
    }

    fn open_leases(&self) -> usize {
        self.state().shelf.open_leases
    }
}

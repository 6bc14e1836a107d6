//! A store in this process's memory: for tests, the simulator, and where nothing is to be kept.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::chat::{Fault, Period};
use crate::quota::{Cost, Fact};
use crate::routing::{Fleet, MarkId, Route, View};

use super::shelf::Shelf;
use super::{Lease, LedgerRow, Reserving, Settlement, Store, Totals};

/// Everything behind one lock that is never held across an await.
#[derive(Debug)]
pub struct Memory {
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    shelf: Shelf,
    /// Since the store was made.
    totals: Vec<Totals>,
}

impl Memory {
    pub fn new(fleet: &Fleet) -> Self {
        let totals = vec![Totals::default(); fleet.routes.len()];
        Self { state: Mutex::new(State { shelf: Shelf::new(fleet), totals }) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves counts that are still counts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for Memory {
    fn reserve<'a>(&'a self, route: &'a Route, cost: Cost, now: Timestamp) -> Reserving<'a> {
        Box::pin(async move { self.state().shelf.reserve(&route.meters, cost, now) })
    }

    fn tell(&self, route: &Route, facts: &[Fact], now: Timestamp) {
        self.state().shelf.tell(&route.meters, facts, now);
    }

    fn refuse(&self, lease: &Lease, period: Option<Period>, now: Timestamp) -> bool {
        self.state().shelf.refuse(lease, period, now)
    }

    fn mark(&self, mark: MarkId, until: Timestamp, cause: &Fault) {
        self.state().shelf.mark(mark, until, cause);
    }

    fn settle(&self, lease: Lease, settlement: Settlement, row: LedgerRow, now: Timestamp) {
        let mut state = self.state();
        state.shelf.close(&lease);
        state.shelf.settle(&lease, settlement, now);
        state.totals[row.route.0].count(&row);
    }

    fn view(&self) -> Arc<View> {
        Arc::clone(&self.state().shelf.view)
    }

    /// Since the store was made, whatever `since` says: nothing older is remembered.
    fn totals(&self, _: Timestamp) -> Result<Vec<Totals>, String> {
        Ok(self.state().totals.clone())
    }

    fn open_leases(&self) -> usize {
        self.state().shelf.open_leases
    }
}

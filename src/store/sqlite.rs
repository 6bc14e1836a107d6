//! A store in an SQLite file, shared by every relay on this machine: serve, ask and cron jobs, all at once.

mod file;
mod journal;
mod rows;
mod writer;

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::oneshot;

use crate::chat::session::SessionKey;
use crate::chat::{Fault, Period};
use crate::quota::{Cost, Fact, Limit};
use crate::routing::{Fleet, MarkId, MeterId, Route, RouteId, View};

pub use file::{OpenError, check, reset};

use super::shelf::Shelf;
use super::{LastAttempt, Lease, LedgerRow, Quarter, Reserving, SessionBounds, Settlement, Store, Totals};
use writer::{Job, Writer};

/// What happens to requests when the file can be written no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnLoss {
    /// Go on with what this process knows.
    #[default]
    Local,
    /// Answer nothing whose quota cannot be kept.
    Refuse,
}

impl OnLoss {
    pub const NAMES: [(&'static str, Self); 2] = [("local", Self::Local), ("refuse", Self::Refuse)];
}

/// The store. Cloning a reservation's cost into the file is one short transaction on a thread of its own, shared by all
/// reservations that wait at that moment.
///
/// A reservation is charged when it is granted and corrected when it is settled, so a process that dies leaves it charged: no
/// lease is kept in the file, and none has to expire.
pub struct Sqlite {
    shared: Arc<Shared>,
    jobs: Sender<Job>,
    thread: Option<JoinHandle<()>>,
}

/// What callers and the writer's thread have in common.
struct Shared {
    path: PathBuf,
    /// `provider` and `model` of each route, by which other processes know it.
    routes: Vec<(String, String)>,
    state: Mutex<State>,
}

struct State {
    shelf: Shelf,
    /// Changes that act here already and are not in the file yet.
    pending: Vec<Change>,
    /// The thread knows that there are some: waking it for each would cost more than writing them.
    is_told: bool,
}

/// Something that became known outside a reservation.
#[derive(Debug, Clone)]
enum Change {
    Settle(Lease, Settlement, Timestamp),
    Tell(Vec<MeterId>, Vec<Fact>, [Timestamp; 2]),
    Refuse(Lease, Option<Period>, Timestamp),
    Mark(MarkId, Timestamp, Fault),
    Lift(MarkId),
    Row(Box<LedgerRow>),
    /// A session stays with this route, and these are forgotten for it.
    Pin(SessionKey, RouteId, Timestamp, Vec<SessionKey>),
}

impl Change {
    fn apply(&self, state: &mut Shelf) {
        match self {
            Self::Settle(lease, settlement, now) => state.settle(lease, *settlement, *now),
            Self::Tell(meters, facts, [since, now]) => state.tell(meters, facts, *since, *now),
            Self::Refuse(lease, period, now) => {
                state.refuse(lease, *period, *now);
            }
            Self::Mark(mark, until, cause) => state.mark(*mark, *until, cause),
            Self::Lift(mark) => state.lift(*mark),
            Self::Row(_) | Self::Pin(..) => {}
        }
    }

    /// The part of it that the file says nothing of yet, these meters and all marks having been read from it.
    fn since(&self, ids: &BTreeSet<usize>) -> Option<Self> {
        let only = |meters: &[MeterId]| meters.iter().copied().filter(|id| ids.contains(&id.0)).collect::<Vec<_>>();
        let part = |lease: &Lease| Lease { meters: only(&lease.meters), ..lease.clone() };
        let change = match self {
            Self::Settle(lease, settlement, now) => Self::Settle(part(lease), *settlement, *now),
            Self::Refuse(lease, period, now) => Self::Refuse(part(lease), *period, *now),
            Self::Tell(meters, facts, moments) => Self::Tell(only(meters), facts.clone(), *moments),
            Self::Mark(..) | Self::Lift(_) => return Some(self.clone()),
            Self::Row(_) | Self::Pin(..) => return None,
        };
        (!change.meters().is_empty()).then_some(change)
    }

    fn meters(&self) -> &[MeterId] {
        match self {
            Self::Settle(lease, ..) | Self::Refuse(lease, ..) => &lease.meters,
            Self::Tell(meters, ..) => meters,
            Self::Mark(..) | Self::Lift(_) | Self::Row(_) | Self::Pin(..) => &[],
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere leaves counts that are still counts.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// As if it had never been granted.
    fn take_back(&self, lease: Lease) {
        let mut state = self.state();
        let state = &mut *state;
        state.shelf.close(&lease);
        let now = lease.reserved_at;
        let change = Change::Settle(lease, Settlement::Refunded, now);
        change.apply(&mut state.shelf);
        state.pending.push(change);
    }
}

/// A lease on its way from the thread to whoever asked. Where nobody takes it, the caller having left, it goes back.
pub struct Granted {
    lease: Option<Lease>,
    shared: Arc<Shared>,
}

impl Granted {
    pub fn lease(mut self) -> Lease {
        self.lease.take().expect("it is taken once")
    }
}

impl Drop for Granted {
    fn drop(&mut self) {
        if let Some(lease) = self.lease.take() {
            self.shared.take_back(lease);
        }
    }
}

impl std::fmt::Debug for Granted {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Granted").field("lease", &self.lease).finish_non_exhaustive()
    }
}

impl Sqlite {
    /// Opens the file, or makes it; an older one is brought up to date. Nothing is ever deleted or overwritten to get there.
    pub fn open(path: &Path, fleet: &Fleet, on_loss: OnLoss, now: Timestamp) -> Result<Self, OpenError> {
        Self::over(file::open(path, now)?, path, fleet, on_loss, now)
    }

    /// The same for whoever only looks: a file that cannot be written is read as it is.
    pub fn look(path: &Path, fleet: &Fleet, on_loss: OnLoss, now: Timestamp) -> Result<Self, OpenError> {
        Self::over(file::look(path, now)?, path, fleet, on_loss, now)
    }

    #[expect(clippy::disallowed_methods, reason = "the thread ends when the store is dropped, which waits for it")]
    fn over(
        connection: Connection,
        path: &Path,
        fleet: &Fleet,
        on_loss: OnLoss,
        now: Timestamp,
    ) -> Result<Self, OpenError> {
        let routes = fleet.routes.iter().map(|route| (route.provider.id.clone(), route.model.id.clone())).collect();
        let state = Mutex::new(State { shelf: Shelf::new(fleet), pending: Vec::new(), is_told: false });
        let shared = Arc::new(Shared { path: path.to_owned(), routes, state });
        let writer = Writer::new(connection, Arc::clone(&shared), fleet, on_loss, now)
            .map_err(|error| OpenError::unusable(path, &error))?;
        let (jobs, coming) = channel();
        let thread = std::thread::spawn(move || writer.run(&coming));
        Ok(Self { shared, jobs, thread: Some(thread) })
    }

    /// Reads the file, with everything said so far in it.
    fn read<T>(&self, read: impl FnOnce(&Connection) -> Result<T, rusqlite::Error>) -> Result<T, String> {
        self.flush();
        file::read(&self.shared.path).and_then(|connection| read(&connection)).map_err(|error| error.to_string())
    }

    /// Acts at once here, and is written with the end of the attempt.
    fn change(&self, change: Change) {
        let mut state = self.shared.state();
        change.apply(&mut state.shelf);
        state.pending.push(change);
    }
}

impl Store for Sqlite {
    fn reserve(&self, route: &Route, cost: Cost, now: Timestamp) -> Reserving {
        if route.meters.is_empty() {
            return Reserving::Decided(Some(Ok(self.shared.state().shelf.lease(&[], cost, now))));
        }
        let (reply, answer) = oneshot::channel();
        // Without its thread nobody replies, which says so.
        drop(self.jobs.send(Job::Reserve { meters: route.meters.clone(), cost, now, reply }));
        Reserving::Asked(answer)
    }

    fn tell(&self, route: &Route, facts: &[Fact], since: Timestamp, now: Timestamp) {
        if !route.meters.is_empty() {
            self.change(Change::Tell(route.meters.clone(), facts.to_vec(), [since, now]));
        }
    }

    fn refuse(&self, lease: &Lease, period: Option<Period>, now: Timestamp) -> bool {
        let mut state = self.shared.state();
        let learned = state.shelf.refuse(lease, period, now);
        if learned {
            state.pending.push(Change::Refuse(lease.clone(), period, now));
        }
        learned
    }

    fn mark(&self, mark: MarkId, until: Timestamp, cause: &Fault) {
        self.change(Change::Mark(mark, until, cause.clone()));
    }

    fn lift(&self, mark: MarkId) {
        self.change(Change::Lift(mark));
        // Without its thread the store says so in `reserve`.
        drop(self.jobs.send(Job::Write));
    }

    fn set_limit(&self, meter: MeterId, limit: Limit) {
        self.shared.state().shelf.set_limit(meter, limit);
    }

    fn settle(&self, mut lease: Lease, settlement: Settlement, row: LedgerRow, now: Timestamp) {
        let mut state = self.shared.state();
        state.shelf.close(&lease);
        // What was used as it was reserved is in the file already.
        lease.meters.retain(|id| state.shelf.is_corrected(*id, lease.cost, settlement));
        if !lease.meters.is_empty() {
            let settle = Change::Settle(lease, settlement, now);
            settle.apply(&mut state.shelf);
            state.pending.push(settle);
        }
        if let Some(session) = row.pins() {
            let forgotten = state.shelf.sessions.pin(session, row.route, now);
            state.pending.push(Change::Pin(session, row.route, now, forgotten));
        }
        state.pending.push(Change::Row(Box::new(row)));
        let is_told = std::mem::replace(&mut state.is_told, true);
        drop(state);
        if !is_told {
            // Without its thread the store says so in `reserve`.
            drop(self.jobs.send(Job::Write));
        }
    }

    fn pinned(&self, session: SessionKey, now: Timestamp) -> Option<RouteId> {
        self.shared.state().shelf.sessions.route(session, now)
    }

    fn bound_sessions(&self, bounds: SessionBounds) {
        self.shared.state().shelf.sessions.bounds = bounds;
    }

    fn view(&self) -> Arc<View> {
        Arc::clone(&self.shared.state().shelf.view)
    }

    fn totals(&self, since: Timestamp) -> Result<Vec<Totals>, String> {
        self.read(|connection| rows::totals(connection, &self.shared.routes, since))
    }

    fn history(&self, since: Timestamp) -> Result<Vec<Quarter>, String> {
        self.read(|connection| rows::history(connection, since))
    }

    fn last_attempts(&self, since: Timestamp, probes: bool) -> Result<Vec<Option<LastAttempt>>, String> {
        self.read(|connection| rows::last_attempts(connection, &self.shared.routes, since, probes))
    }

    fn open_leases(&self) -> usize {
        self.shared.state().shelf.open_leases
    }

    fn flush(&self) {
        let (done, written) = channel();
        if self.jobs.send(Job::Flush(done)).is_ok() {
            // Without its thread there is nothing left to wait for.
            _ = written.recv();
        }
    }
}

impl Drop for Sqlite {
    fn drop(&mut self) {
        self.flush();
        drop(self.jobs.send(Job::End));
        if let Some(thread) = self.thread.take() {
            // It has said all it had to say.
            drop(thread.join());
        }
    }
}

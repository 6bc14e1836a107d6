//! The thread that owns the file: whatever waits is one transaction.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use rusqlite::{Connection, Error};
use tokio::sync::oneshot;

use crate::clock::earlier;
use crate::quota::{Cost, Meter};
use crate::routing::{Fleet, Mark, MarkId, MeterId, RouteId};
use crate::store::shelf::Shelf;
use crate::store::{Lease, Refusal};

use super::journal::{Journal, States};
use super::{Change, Granted, OnLoss, Shared, file, rows};

/// How soon another process's rests are seen where nothing is reserved.
const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What nobody waits for is written with the next reservation, or after this long. A crash before leaves what was reserved
/// counted in full.
const LINGER: Duration = Duration::from_millis(5);

/// What another process answered is in the file this long after at the latest.
const LATEST_COMMIT: Duration = Duration::from_secs(10);

/// Of all that waits, no more than this goes into one transaction: the first must not wait for the thousandth.
const MOST_TOGETHER: usize = 256;

/// Of what could not be written, so many of the latest wait for the file to be back.
const MOST_POSTPONED: usize = 10_000;

/// Something for the thread to do.
pub enum Job {
    Reserve {
        meters: Vec<MeterId>,
        cost: Cost,
        now: Timestamp,
        reply: oneshot::Sender<Result<Granted, Refusal>>,
    },
    /// There are changes to be written.
    Write,
    /// Answer once everything so far is written, or cannot be.
    Flush(Sender<()>),
    End,
}

struct Wanted {
    meters: Vec<MeterId>,
    cost: Cost,
    now: Timestamp,
    reply: oneshot::Sender<Result<Granted, Refusal>>,
}

pub struct Writer {
    connection: Connection,
    /// Which file that is; `None` while none can be had.
    identity: Option<(u64, u64)>,
    /// When it was last compared with what stands at its path.
    compared: Instant,
    /// The latest moment that a reservation told.
    now: Timestamp,
    shared: Arc<Shared>,
    journal: Journal,
    marks: Vec<String>,
    /// By `RouteId`: the name of its model's mark, by which other processes know it.
    route_names: Vec<String>,
    mark_ids: HashMap<String, MarkId>,
    on_loss: OnLoss,
    /// SQLite's own count of what other connections committed.
    version: i64,
    /// Up to when sessions were read.
    sessions_seen: Timestamp,
    /// Meters whose state could not be written yet.
    unsaved: BTreeSet<usize>,
    is_lost: bool,
    /// Changes that were given up while the file was lost.
    given_up: usize,
}

/// The outcome of a reservation, and who waits for it.
type Reply = (oneshot::Sender<Result<Granted, Refusal>>, Result<Lease, Refusal>);

/// What one transaction is to write.
struct Batch {
    changes: Vec<Change>,
    /// The states of meters that changed.
    meters: Vec<(usize, Arc<Meter>)>,
    /// Those of meters whose rows are to be brought up to date.
    due: Vec<(usize, Arc<Meter>)>,
    replies: Vec<Reply>,
}

impl Writer {
    /// Reads what is kept into the shared shelf.
    pub fn new(
        connection: Connection,
        shared: Arc<Shared>,
        fleet: &Fleet,
        on_loss: OnLoss,
        now: Timestamp,
    ) -> Result<Self, Error> {
        let meters: Vec<String> = fleet.meters.iter().map(|spec| spec.name.clone()).collect();
        let mark_ids = fleet.marks.iter().enumerate().map(|(index, name)| (name.clone(), MarkId(index)));
        let mut writer = Self {
            connection,
            identity: file::identity(&shared.path),
            compared: Instant::now(),
            now,
            shared,
            journal: Journal::new(&meters),
            marks: fleet.marks.clone(),
            route_names: fleet.routes.iter().map(|route| fleet.marks[route.model_mark.0].clone()).collect(),
            mark_ids: mark_ids.collect(),
            on_loss,
            version: -1,
            sessions_seen: Timestamp::MIN,
            unsaved: BTreeSet::new(),
            is_lost: false,
            given_up: 0,
        };
        writer.look()?;
        writer.shared.state().shelf.meet_others(now);
        Ok(writer)
    }

    /// Until the store is dropped.
    pub fn run(mut self, jobs: &Receiver<Job>) {
        let mut is_over = false;
        let mut write_by: Option<Instant> = None;
        while !is_over {
            let patience = write_by.map_or(LOOK_EVERY, |by| by.saturating_duration_since(Instant::now()));
            let first = match jobs.recv_timeout(patience) {
                Ok(job) => Some(job),
                Err(RecvTimeoutError::Timeout) => None,
                Err(RecvTimeoutError::Disconnected) => return,
            };
            // Whoever asks along with the first is in the same transaction: with one core for both, the first to ask would else be alone.
            std::thread::yield_now();
            let (mut wanted, mut waiting, is_idle) = (Vec::new(), Vec::new(), first.is_none());
            for job in first.into_iter().chain(jobs.try_iter().take(MOST_TOGETHER)) {
                match job {
                    Job::Reserve { meters, cost, now, reply } => wanted.push(Wanted { meters, cost, now, reply }),
                    Job::Write => write_by = write_by.or_else(|| Some(Instant::now() + LINGER)),
                    Job::Flush(done) => waiting.push(done),
                    Job::End => is_over = true,
                }
            }
            if is_idle || is_over || !wanted.is_empty() || !waiting.is_empty() {
                write_by = None;
                self.follow(&wanted);
                self.commit(wanted);
            }
            for done in waiting {
                // Whoever waited may have given up.
                _ = done.send(());
            }
        }
    }

    /// Looks whether the file is still the one at its path. One that was moved or deleted is shared with nobody who comes: a new one is
    /// begun with what this process knows.
    fn follow(&mut self, wanted: &[Wanted]) {
        self.now = wanted.last().map_or(self.now, |wanted| wanted.now);
        if self.compared.elapsed() < LOOK_EVERY {
            return;
        }
        self.compared = Instant::now();
        let found = file::identity(&self.shared.path);
        if found.is_some() && found == self.identity {
            return;
        }
        let is_news = self.identity.take().is_some();
        let anew = self.begin_anew();
        let path = self.shared.path.display();
        match anew {
            Ok(()) => {
                tracing::error!(%path, "the state file was moved or deleted: what this process knows is in the one at its path now");
            }
            Err(error) if is_news => {
                tracing::error!(%path, %error, "the state file was moved or deleted, and no other can be had");
            }
            Err(_) => {}
        }
    }

    fn begin_anew(&mut self) -> Result<(), String> {
        // Without a file nothing can be written, which counts as a loss. The old one is left first: SQLite's locks allow no other order.
        let nothing = Connection::open_in_memory().map_err(|error| error.to_string())?;
        let left = file::leave(std::mem::replace(&mut self.connection, nothing));
        self.version = -1;
        self.sessions_seen = Timestamp::MIN;
        self.journal.forget();
        self.unsaved = (0..self.shared.state().shelf.view.meters.len()).collect();
        left.map_err(|error| error.to_string())?;
        self.connection = file::open(&self.shared.path, self.now).map_err(|error| error.to_string())?;
        self.identity = file::identity(&self.shared.path);
        Ok(())
    }

    /// Sees what other processes wrote. Without anything new this is one question to SQLite.
    fn look(&mut self) -> Result<(), Error> {
        let version: i64 = self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if version == self.version {
            return Ok(());
        }
        // All of it as of one moment.
        let reading = self.connection.is_autocommit().then(|| self.connection.unchecked_transaction()).transpose()?;
        let marks = rows::marks(&self.connection)?;
        let sessions = rows::sessions(&self.connection, earlier(self.sessions_seen, LATEST_COMMIT))?;
        let meters = self.journal.read(&self.connection)?;
        drop(reading);
        let shared = Arc::clone(&self.shared);
        let mut state = shared.state();
        let state = &mut *state;
        let reread = self.take_over(&mut state.shelf, meters);
        self.rest(&mut state.shelf, marks);
        for (session, name, seen) in sessions {
            // The first of the routes that go by this name: keys of one account share it, and what is cached there.
            if let Some(route) = self.route_names.iter().position(|known| *known == name) {
                state.shelf.sessions.pin(session, RouteId(route), seen);
            }
            self.sessions_seen = self.sessions_seen.max(seen);
        }
        // What became known here meanwhile is not in the file yet.
        for change in state.pending.iter().filter_map(|change| change.since(&reread)) {
            change.apply(&mut state.shelf);
        }
        self.version = version;
        Ok(())
    }

    /// Takes over what was written of meters, in its order, and says whose state is the file's now.
    fn take_over(&mut self, state: &mut Shelf, written: Vec<(MeterId, String)>) -> BTreeSet<usize> {
        let mut changed = BTreeSet::new();
        state.others_counted |= !written.is_empty();
        for (id, change) in written {
            self.journal.take_over(id, &state.view.meters[id.0].limit, &change);
            changed.insert(id.0);
        }
        let mut reread = BTreeSet::new();
        for id in changed {
            let (known, Some(theirs)) = (&state.view.meters[id], self.journal.kept(MeterId(id))) else { continue };
            // Where neither knows of the other's use, the larger is nearer to all of it.
            if self.unsaved.contains(&id) && known.reading(self.now).used >= theirs.reading(self.now).used {
                continue;
            }
            self.unsaved.remove(&id);
            state.change(MeterId(id), |meter| meter.clone_from(theirs));
            reread.insert(id);
        }
        reread
    }

    /// Takes over the rests of the file.
    fn rest(&self, state: &mut Shelf, marks: Vec<(String, Option<Mark>)>) {
        for (name, mark) in marks {
            match (self.mark_ids.get(&name), mark) {
                (Some(id), Some(mark)) => state.mark(*id, mark.until, &mark.cause),
                (Some(id), None) => state.lift(*id),
                (None, _) => {}
            }
        }
    }

    /// Grants what fits, and writes it with every change so far. Then, and only then, the callers hear of it. Where there is nothing to
    /// write, it only looks.
    fn commit(&mut self, wanted: Vec<Wanted>) {
        if wanted.is_empty() && self.unsaved.is_empty() && self.shared.state().pending.is_empty() {
            let looked = self.look();
            self.note(looked.as_ref().err());
            return;
        }
        let begun = self.say("BEGIN IMMEDIATE").and_then(|()| self.look());
        let batch = self.decide(wanted);
        let written = begun.and_then(|()| self.write(&batch)).and_then(|()| self.say("COMMIT"));
        if written.is_err() && !self.connection.is_autocommit() {
            // What cannot be taken back was never begun.
            drop(self.say("ROLLBACK"));
        }
        self.note(written.as_ref().err());
        let Batch { changes, meters, due, replies } = batch;
        match &written {
            Ok(()) => {
                self.unsaved.clear();
                self.journal.wrote(&meters, &due);
            }
            Err(_) => self.postpone(&meters, changes),
        }
        // Whoever hears of a grant changes its meters soon, and would have to copy what is still held here.
        drop((meters, due));
        let refused = written.err().filter(|_| self.on_loss == OnLoss::Refuse).map(|error| error.to_string());
        for (reply, result) in replies {
            let granted = result.map(|lease| Granted { lease: Some(lease), shared: Arc::clone(&self.shared) });
            let result = match (&refused, granted) {
                (Some(reason), Ok(granted)) => {
                    drop(granted);
                    Err(Refusal::Lost(reason.clone()))
                }
                (_, granted) => granted,
            };
            // What nobody takes goes back as it is dropped.
            drop(reply.send(result));
        }
    }

    /// What could not be written is written with what comes next. Of meters that is their state, whatever changed them.
    fn postpone(&mut self, meters: &States, changes: Vec<Change>) {
        self.unsaved.extend(meters.iter().map(|(id, _)| *id));
        let mut postponed: Vec<Change> = changes.into_iter().filter(|change| change.meters().is_empty()).collect();
        let beyond = postponed.len().saturating_sub(MOST_POSTPONED);
        postponed.drain(..beyond);
        self.given_up += beyond;
        let mut state = self.shared.state();
        postponed.append(&mut state.pending);
        state.pending = postponed;
    }

    fn say(&self, statement: &str) -> Result<(), Error> {
        self.connection.prepare_cached(statement)?.execute([]).map(drop)
    }

    fn decide(&mut self, wanted: Vec<Wanted>) -> Batch {
        let mut state = self.shared.state();
        // The next ones will be about as many.
        let room = Vec::with_capacity(state.pending.len());
        let changes = std::mem::replace(&mut state.pending, room);
        state.is_told = false;
        let mut touched: BTreeSet<usize> = self.unsaved.clone();
        touched.extend(changes.iter().flat_map(Change::meters).map(|id| id.0));
        let mut replies = Vec::with_capacity(wanted.len());
        for Wanted { meters, cost, now, reply } in wanted {
            let result = state.shelf.reserve(&meters, cost, now);
            if result.is_ok() {
                touched.extend(meters.iter().map(|id| id.0));
            }
            replies.push((reply, result));
        }
        let due = if touched.is_empty() { Vec::new() } else { self.journal.due() };
        let kept = |id: usize| (id, Arc::clone(&state.shelf.view.meters[id]));
        Batch {
            changes,
            meters: touched.into_iter().map(kept).collect(),
            due: due.into_iter().map(kept).collect(),
            replies,
        }
    }

    fn write(&self, batch: &Batch) -> Result<(), Error> {
        self.journal.write(&self.connection, &batch.meters, &batch.due)?;
        // Most changes are rows. To look the statement up for each takes as long as a tenth of writing it.
        let mut ledger = rows::ledger(&self.connection)?;
        for change in &batch.changes {
            match change {
                Change::Mark(mark, until, cause) => {
                    rows::write_mark(&self.connection, &self.marks[mark.0], *until, cause)?;
                }
                Change::Lift(mark) => rows::lift_mark(&self.connection, &self.marks[mark.0])?,
                Change::Row(row) => rows::write_row(&mut ledger, &self.shared.routes[row.route.0], row)?,
                Change::Pin(session, route, seen, forgotten) => {
                    rows::write_pin(&self.connection, *session, &self.route_names[route.0], *seen)?;
                    for session in forgotten {
                        rows::forget_session(&self.connection, *session)?;
                    }
                }
                Change::Settle(..) | Change::Tell(..) | Change::Refuse(..) => {}
            }
        }
        Ok(())
    }

    /// Says once that the file is lost, and once that it is back.
    fn note(&mut self, error: Option<&Error>) {
        match error {
            Some(error) if !self.is_lost => {
                tracing::error!(path = %self.shared.path.display(), %error, "the state cannot be kept");
            }
            None if self.is_lost => {
                let given_up = std::mem::take(&mut self.given_up);
                tracing::warn!(path = %self.shared.path.display(), given_up, "the state is kept again");
            }
            _ => {}
        }
        if self.is_lost != error.is_some() {
            self.is_lost = error.is_some();
            let patience = if self.is_lost { file::IMPATIENCE } else { file::PATIENCE };
            // A connection that cannot take it keeps the one it has.
            _ = self.connection.busy_timeout(patience);
        }
    }
}

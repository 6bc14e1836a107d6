//! What relay remembers: meters, rests, the ledger. Traits with their contract, and the stores that keep it.

mod memory;
mod sessions;
mod shelf;
mod sqlite;
#[cfg(test)]
mod tests;

pub use memory::Memory;
pub use sessions::SessionBounds;
pub use sqlite::{Granted, OnLoss, OpenError, Sqlite, check, reset};

use std::borrow::Cow;
use std::future::Future;
use std::ops::AddAssign;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::oneshot;

use crate::chat::fault::Class;
use crate::chat::session::SessionKey;
use crate::chat::{Fault, Period, Usage};
use crate::quota::{Cost, Fact, Limit};
use crate::routing::{MarkId, MeterId, Route, RouteId, View};

/// A granted reservation: so much of each of these meters. Has to be settled, exactly once.
#[derive(Debug, Clone)]
#[must_use = "a lease that is not settled counts as used"]
pub struct Lease {
    pub id: u64,
    pub meters: Vec<MeterId>,
    pub cost: Cost,
    pub reserved_at: Timestamp,
}

/// Why a reservation was not granted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refusal {
    /// This meter has room at that moment.
    Until(MeterId, Timestamp),
    /// The cost is larger than this meter's limit.
    Never(MeterId),
    /// The store cannot be used.
    Lost(String),
}

impl Refusal {
    fn no_thread() -> Self {
        Self::Lost("the store's thread has ended".to_owned())
    }
}

/// What became of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// What it used is known.
    Used(Cost),
    /// The request reached the provider, and what it used is not known.
    AsReserved,
    /// The request never reached the provider.
    Refunded,
}

impl Settlement {
    /// What it comes to, of what was reserved.
    fn used(self, reserved: Cost) -> Cost {
        match self {
            Self::Used(cost) => cost,
            Self::AsReserved => reserved,
            Self::Refunded => Cost::default(),
        }
    }
}

/// One attempt, as the ledger keeps it. Holds no prompt, no answer, no key.
#[derive(Debug, Clone)]
pub struct LedgerRow {
    pub at: Timestamp,
    pub request_id: Arc<str>,
    /// The conversation it belongs to, where that has a name.
    pub session: Option<SessionKey>,
    pub route: RouteId,
    /// Counted from 1 within its request.
    pub attempt: u32,
    /// `None` for an answer that reached its end; else what ended the attempt.
    pub fault: Option<Fault>,
    /// The caller left before the end.
    pub cancelled: bool,
    /// It went on with the answer of an attempt that had broken off.
    pub continues: bool,
    /// What the provider reported.
    pub usage: Option<Usage>,
    pub http_status: Option<u16>,
    pub first_event_ms: Option<u64>,
    pub total_ms: u64,
}

impl LedgerRow {
    /// The session that stays with this row's route from now on: one that was answered to the end.
    pub fn pins(&self) -> Option<SessionKey> {
        self.session.filter(|_| self.fault.is_none() && !self.cancelled)
    }

    /// How it ended, in a word.
    pub fn outcome(&self) -> Cow<'static, str> {
        match &self.fault {
            None if self.cancelled => "cancelled".into(),
            None if self.continues => "continued".into(),
            None => "ok".into(),
            Some(fault) => fault.word().into(),
        }
    }
}

impl Totals {
    /// Adds one attempt. Whether its request went on elsewhere is known with the next one.
    pub fn count(&mut self, row: &LedgerRow) {
        match row.fault.as_ref().map(Fault::class) {
            None if row.cancelled => {}
            None => {
                self.ok += 1;
                self.failover_in += u64::from(row.attempt > 1);
            }
            Some(Class::OutOfQuota) => self.rate_limited += 1,
            Some(_) => self.errors += 1,
        }
        if let Some(usage) = row.usage {
            self.prompt_tokens += usage.prompt_tokens;
            self.completion_tokens += usage.completion_tokens;
        }
    }
}

/// Counts of one route.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub ok: u64,
    pub rate_limited: u64,
    pub errors: u64,
    /// Attempts that failed here, and after which their requests went on.
    pub failover_out: u64,
    /// Answers given here after another route had failed.
    pub failover_in: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

impl AddAssign for Totals {
    fn add_assign(&mut self, other: Self) {
        self.ok += other.ok;
        self.rate_limited += other.rate_limited;
        self.errors += other.errors;
        self.failover_out += other.failover_out;
        self.failover_in += other.failover_in;
        self.prompt_tokens += other.prompt_tokens;
        self.completion_tokens += other.completion_tokens;
    }
}

/// The counts of one model in one quarter of an hour: fine enough to add up to the days of any time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Quarter {
    pub start: Timestamp,
    pub provider: String,
    pub model: String,
    pub totals: Totals,
}

impl Quarter {
    pub const MICROSECONDS: i64 = 15 * 60 * 1_000_000;

    /// The start of the quarter that holds a moment.
    pub fn of(moment: Timestamp) -> Timestamp {
        let whole = moment.as_microsecond().div_euclid(Self::MICROSECONDS) * Self::MICROSECONDS;
        Timestamp::from_microsecond(whole).unwrap_or(moment)
    }
}

/// For how long the ledger is kept.
pub const LEDGER_KEPT: Duration = Duration::from_hours(24 * 90);

/// Ids of requests that only check whether a model answers begin with this.
pub const PROBE_PREFIX: &str = "probe-";

/// The last attempt over a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastAttempt {
    pub at: Timestamp,
    pub answered: bool,
    pub first_event_ms: Option<u64>,
    pub total_ms: u64,
}

/// A reservation: decided at once, or by the thread that was asked for it.
#[derive(Debug)]
#[must_use = "a lease that is not settled counts as used"]
pub enum Reserving {
    /// Empty once it was told.
    Decided(Option<Result<Lease, Refusal>>),
    Asked(oneshot::Receiver<Result<Granted, Refusal>>),
}

impl Future for Reserving {
    type Output = Result<Lease, Refusal>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Decided(result) => Poll::Ready(result.take().expect("a future is not polled after its end")),
            Self::Asked(answer) => Pin::new(answer).poll(context).map(|answer| match answer {
                Ok(granted) => granted.map(Granted::lease),
                Err(_) => Err(Refusal::no_thread()),
            }),
        }
    }
}

/// The contract of every store.
///
/// - `reserve` takes the cost from all of the route's meters or from none, atomically over every process that shares the store.
///   It is the only call that waits. A route without meters is granted at once. Who leaves while it waits has reserved nothing.
/// - What was reserved is counted from then on: `settle` corrects it, and where nobody settles, in a crash, it stays used.
/// - `tell`, `refuse`, `mark` and `settle` act at once in this process and never fail visibly: a store that loses them says so in
///   `reserve`. They are written together, with the end of their attempt.
/// - Marks only move later: of two deadlines the later one wins. `lift` takes one away, here at once and for others as
///   soon as they look.
/// - A session stays with the route that answered it last; a row that says so is all it takes. Sessions are bounded and forgotten.
pub trait Store: Send + Sync {
    fn reserve(&self, route: &Route, cost: Cost, now: Timestamp) -> Reserving;
    /// What a response told of the route's quotas; its request was reserved at `since`.
    fn tell(&self, route: &Route, facts: &[Fact], since: Timestamp, now: Timestamp);
    /// A refusal of this period, if it named one, came without a moment. Says whether a meter now knows better when to go on.
    fn refuse(&self, lease: &Lease, period: Option<Period>, now: Timestamp) -> bool;
    fn mark(&self, mark: MarkId, until: Timestamp, cause: &Fault);
    /// What the mark was guessed from has proved wrong.
    fn lift(&self, mark: MarkId);
    /// The documents say something else of this meter now. What is used stays counted.
    fn set_limit(&self, meter: MeterId, limit: Limit);
    /// The attempt has ended: what it used, and its row of the ledger.
    fn settle(&self, lease: Lease, settlement: Settlement, row: LedgerRow, now: Timestamp);
    /// The route a session stays with.
    fn pinned(&self, session: SessionKey, now: Timestamp) -> Option<RouteId>;
    fn bound_sessions(&self, bounds: SessionBounds);
    /// Meters and rests as they are known here.
    fn view(&self) -> Arc<View>;
    /// Counts by `RouteId` since this moment, or since its quarter of an hour began, over all processes, or why they cannot be had. May
    /// read a file.
    fn totals(&self, since: Timestamp) -> Result<Vec<Totals>, String>;
    /// Counts by quarter of an hour since this moment, oldest first, of every model there was. May read a file.
    fn history(&self, since: Timestamp) -> Result<Vec<Quarter>, String>;
    /// By `RouteId`: the last attempt since this moment that was not cancelled, with or without probes. May read a file.
    fn last_attempts(&self, since: Timestamp, probes: bool) -> Result<Vec<Option<LastAttempt>>, String>;
    /// Reservations of this process that are not settled yet.
    fn open_leases(&self) -> usize;
    /// Returns once everything said so far is kept, or cannot be.
    fn flush(&self) {}
}

//! What relay remembers: meters, rests, the ledger. Traits with their contract, and the stores that keep it.

mod memory;

pub use memory::Memory;

use std::future::Future;
use std::pin::Pin;

use jiff::Timestamp;

use crate::chat::{Fault, Usage};
use crate::quota::{Cost, Meter};
use crate::routing::{Mark, MarkId, MeterId, Route, RouteId};

/// A granted reservation: so much of each of these meters. Has to be settled, exactly once.
#[derive(Debug)]
#[must_use = "a lease that is not settled counts as used until it expires"]
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

/// What became of a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Settlement {
    /// The provider said what it used.
    Used(Usage),
    /// The request reached the provider, and what it used is not known.
    AsReserved,
    /// The request never reached the provider.
    Refunded,
}

/// One attempt, as the ledger keeps it. Holds no prompt, no answer, no key.
#[derive(Debug, Clone)]
pub struct LedgerRow {
    pub at: Timestamp,
    pub request_id: String,
    pub route: RouteId,
    /// Counted from 1 within its request.
    pub attempt: u32,
    /// `None` for an answer that reached its end; else what ended the attempt.
    pub fault: Option<Fault>,
    /// The caller left before the end.
    pub cancelled: bool,
    pub usage: Option<Usage>,
    pub first_event_ms: Option<u64>,
    pub total_ms: u64,
}

/// Counts of one route since the store was opened.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    pub ok: u64,
    pub rate_limited: u64,
    pub errors: u64,
    /// Attempts that failed here and were answered or tried elsewhere.
    pub failover_out: u64,
    /// Answers given here after another route had failed.
    pub failover_in: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

/// Meters and rests as they stand.
#[derive(Debug, Clone)]
pub struct View {
    pub meters: Vec<Meter>,
    pub marks: Vec<Option<Mark>>,
}

pub type Reserving<'a> = Pin<Box<dyn Future<Output = Result<Lease, Refusal>> + Send + 'a>>;

/// The contract of every store.
///
/// - `reserve` takes the cost from all of the route's meters or from none, atomically over every process that shares the store.
/// - What was reserved stays counted until it is settled; a lease nobody settles lapses to "used".
/// - `settle`, `mark` and `record` never make the caller wait and never fail visibly: a store that loses them says so in `reserve`.
/// - Marks only move later: of two deadlines the later one wins.
pub trait Store: Send + Sync {
    fn reserve<'a>(&'a self, route: &'a Route, cost: Cost, now: Timestamp) -> Reserving<'a>;
    fn settle(&self, lease: Lease, settlement: Settlement, now: Timestamp);
    fn mark(&self, mark: MarkId, until: Timestamp, cause: &Fault);
    fn record(&self, row: LedgerRow);
    fn view(&self) -> View;
    /// Totals by `RouteId`.
    fn totals(&self) -> Vec<Totals>;
    /// Reservations that are not settled yet.
    fn open_leases(&self) -> usize;
}

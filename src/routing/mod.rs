//! Whom to try, in what order, and when to stop: decisions over values, without I/O.

pub mod board;
pub mod changes;
pub mod explain;
pub mod filters;
pub mod fleet;
pub mod gate;
pub mod health;
mod lines;
pub mod need;
pub mod order;
pub mod price;
pub mod queue;
pub mod rank;
pub mod reject;
pub mod snapshot;
pub mod trip;

#[cfg(test)]
mod tests;

pub use board::Board;
pub use explain::{Explanation, Prospect, Verdict};
pub use filters::Filters;
pub use fleet::{Account, BundleId, Fleet, KeyId, MarkId, MeterId, MeterSpec, Outline, Route, RouteId};
pub use health::{Health, Healths};
pub use need::{Need, Trim, Wanted};
pub use order::{Order, Ordering, Strategy};
pub use price::Price;
pub use queue::{Claims, Queue};
pub use rank::{Candidate, Contender, Ranking, rank};
pub use reject::Rejection;
pub use snapshot::{Mark, Meters, Snapshot, View};
pub use trip::{Patience, Step, Trip};

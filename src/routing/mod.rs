//! Whom to try, in what order, and when to stop: decisions over values, without I/O.

pub mod fleet;
pub mod health;
pub mod need;
pub mod rank;
pub mod reject;
pub mod snapshot;
pub mod trip;

pub use fleet::{Account, Fleet, KeyId, MarkId, MeterId, MeterSpec, Route, RouteId};
pub use health::Health;
pub use need::{Filters, Need, Wanted};
pub use rank::{Candidate, Ranking, Strategy, rank};
pub use reject::Rejection;
pub use snapshot::{Mark, Snapshot, View};
pub use trip::{Patience, Step, Trip};

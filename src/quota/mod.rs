//! What a limit is and what is left of it, as values with `now` passed in.

pub mod limit;
pub mod meter;
mod policy;
mod rolling;
pub mod signal;
pub mod window;

pub use limit::{Cost, Evidence, Kind, Limit, Source, UNIT, UnitPrice};
pub use meter::{Fit, Glance, Level, Meter, Reading, merged};
pub use signal::Fact;
pub use window::{Window, length};

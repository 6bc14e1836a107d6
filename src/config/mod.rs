//! Settings from flags, environment, files and defaults, in that order; and everything that is wrong with them, at once.

mod conversation;
mod environment;
mod file;
mod keys;
mod load;
mod providers;
mod settings;

pub use conversation::{Context, Sessions, Voice};
pub use environment::{Environment, Paths};
pub use load::{Flags, Loaded, Simulated, load};
pub use settings::{LeftOut, Routing, Server, Settings, State, Timeouts, Why};

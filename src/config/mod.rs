//! Settings from flags, environment, files and defaults, in that order; and everything that is wrong with them, at once.

mod conversation;
mod environment;
mod file;
mod key_command;
mod key_file;
mod keys;
mod load;
mod network;
mod origin;
mod providers;
mod settings;
mod text_file;

pub use conversation::{Context, Sessions, Voice};
pub use environment::{Environment, Paths, arguments, columns, platform};
pub use file::ConfigFile;
pub use key_command::KeyCommands;
pub use key_file::write_key;
pub use keys::IN_FILE;
pub use load::{Flags, Loaded, Simulated, StateUse, catalog, load};
pub use network::network;
pub use origin::{Shown, shown};
pub use settings::{LeftOut, MOST_BODY, Routing, Server, Settings, State, Timeouts, Why};

//! Simulated providers: a seeded, scriptable upstream on real loopback sockets, for the demo, `--simulate`, tests and benches.

mod act;
mod answer;
mod body;
mod call;
mod catalogue;
mod endpoint;
mod exchange;
mod habit;
mod hash;
mod limit;
mod offline;
mod persona;
mod provider;
mod refusal;
mod reply;
mod request;
mod scenario;
mod schema;
mod server;
mod simulator;
mod spec;
mod stage;
mod text;
mod wire;

#[cfg(test)]
mod tests;

pub use crate::chat::Period;
pub use act::Act;
pub use call::{Call, Notes, Outcome};
pub use limit::{Limit, Unit};
pub use offline::{Offline, Told};
pub use persona::Persona;
pub use provider::SimProvider;
pub use scenario::{Scenario, UnknownScenario};
pub use simulator::Simulator;
pub use spec::{ModelSpec, ProviderSpec, UsageAt};

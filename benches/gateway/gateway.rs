//! The gateway under test: relay's own core and server, each over one simulated provider that is the bench's upstream.

use std::net::SocketAddr;
use std::sync::Arc;

use relay::catalog::Overlay;
use relay::clock::Clock;
use relay::config::{self, Environment, Flags, Simulated};
use relay::gateway::{Gateway, Server};
use relay::relay::Relay;
use relay::routing::Fleet;
use relay::store::Memory;

use super::host;

pub const NAME: &str = "relay";

/// What requests ask for, so that `model` is the one field to be rewritten on the way.
pub const MODEL: &str = "bench/bench-model";

/// Limits nobody reaches here, of the kinds Groq has: each request checks, reserves and settles four meters.
const LIMITS: &str = r#"limits = [
  { requests = 900000000, per = "minute" },
  { requests = 900000000, per = "day", resets = "rolling" },
  { tokens = 900000000000, per = "minute" },
  { tokens = 900000000000, per = "day", resets = "rolling" },
]"#;

/// Gateways with one route each, which share a thread; one of them works at a time.
#[derive(Clone, Copy)]
pub struct Gateways {
    /// No limits, and a context that all requests fit.
    pub unlimited: SocketAddr,
    pub limited: SocketAddr,
    /// No limits, and a context that large prompts fit only by their exact count, not by the quick bound.
    pub tight_context: SocketAddr,
}

/// Starts the gateways in the thread called `NAME`.
pub fn start(upstream: SocketAddr) -> Gateways {
    host::in_own_thread(NAME, move || async move {
        Gateways {
            unlimited: serve(&catalogue(upstream, 10_000_000, "")).await,
            limited: serve(&catalogue(upstream, 10_000_000, LIMITS)).await,
            tight_context: serve(&catalogue(upstream, 80_000, "")).await,
        }
    })
}

/// The text of a catalogue file for a provider at `upstream`.
pub fn catalogue(upstream: SocketAddr, context: u64, limits: &str) -> String {
    format!(
        r#"name = "Bench"
dialect = "openai"
base_url = "http://{upstream}/v1"
key_env = ["BENCH_API_KEY"]
status = "free"
prefill = "assistant"
terms = "the upstream of a bench"
card = false
hard_stop = true
trains = "no"

[[model]]
id = "bench-model"
types = ["text"]
scale = "medium"
context = {context}
features = ["tools", "json", "schema"]
{limits}
"#
    )
}

async fn serve(catalogue: &str) -> SocketAddr {
    let overlay = Overlay { id: "bench".to_owned(), place: "the bench".to_owned(), text: catalogue.to_owned() };
    let provider = Simulated { catalogue: overlay, key: "bench-key".to_owned() };
    let flags = Flags { no_config: true, ..Flags::default() };
    let loaded = config::load(&flags, &Environment::default(), Some(&[provider]));
    let settings = loaded.settings;
    let fleet = Fleet::new(&settings.accounts);
    let store = Arc::new(Memory::new(&fleet));
    let relay = Arc::new(Relay::new(&settings, fleet, store, Clock::system()));
    let gateway = Arc::new(Gateway::new(relay, settings.server.clone(), Arc::new(|_| {})));
    let listener = host::listen().await;
    let address = host::address_of(&listener);
    tokio::spawn(Server { listener, gateway }.run(std::future::pending(), std::future::pending()));
    address
}

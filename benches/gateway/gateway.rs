//! The gateway under test: relay's own core and server, each over one simulated provider that is the bench's upstream.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;

use relay::catalog::Overlay;
use relay::clock::Clock;
use relay::config::{self, Environment, Flags, Simulated};
use relay::gateway::{Gateway, Server};
use relay::relay::Relay;
use relay::routing::Fleet;
use relay::store::{OnLoss, Sqlite};

use super::host;

pub const NAME: &str = "relay";

/// What requests ask for, so that `model` is the one field to be rewritten on the way.
pub const MODEL: &str = "bench/bench-model";

/// The choice of the model is relay's, and its voice the default one.
pub const ANY: &str = "meta-model";

/// Limits nobody reaches here, of the kinds Groq has: each request checks, reserves and settles four meters.
const LIMITS: &str = r#"limits = [
  { requests = 900000000, per = "minute" },
  { requests = 900000000, per = "day", resets = "rolling" },
  { tokens = 900000000000, per = "minute" },
  { tokens = 900000000000, per = "day", resets = "rolling" },
]"#;

/// Gateways with one route each unless said, which share a thread; one of them works at a time. All keep their ledger in a file.
#[derive(Clone, Copy)]
pub struct Gateways {
    /// No limits, and a context that all requests fit.
    pub unlimited: SocketAddr,
    pub limited: SocketAddr,
    /// No limits, and a context that large prompts fit only by their exact count, not by the quick bound.
    pub tight_context: SocketAddr,
    pub ten_routes: SocketAddr,
    pub many_routes: SocketAddr,
    /// The same routes, each with limits of its own.
    pub ten_limited: SocketAddr,
    pub many_limited: SocketAddr,
    /// As `unlimited`, with a million rows in its ledger.
    pub old_ledger: SocketAddr,
}

/// Starts the gateways in the thread called `NAME`. Their state files are in `folder`.
pub fn start(upstream: SocketAddr, folder: &Path) -> Gateways {
    let state = |name: &str| folder.join(name);
    let (unlimited, limited, tight) = (state("unlimited"), state("limited"), state("tight"));
    let (ten, many, old) = (state("ten"), state("many"), state("old"));
    let (ten_limited, many_limited) = (state("ten-limited"), state("many-limited"));
    host::in_own_thread(NAME, host::SERVER_CORE, move || async move {
        Gateways {
            unlimited: serve(&catalogue(upstream, 10_000_000, ""), unlimited, 0).await,
            limited: serve(&catalogue(upstream, 10_000_000, LIMITS), limited, 0).await,
            tight_context: serve(&catalogue(upstream, 80_000, ""), tight, 0).await,
            ten_routes: serve(&with_models(upstream, 10, ""), ten, 0).await,
            many_routes: serve(&with_models(upstream, 500, ""), many, 0).await,
            ten_limited: serve(&with_models(upstream, 10, LIMITS), ten_limited, 0).await,
            many_limited: serve(&with_models(upstream, 500, LIMITS), many_limited, 0).await,
            old_ledger: serve(&catalogue(upstream, 10_000_000, ""), old, 1_000_000).await,
        }
    })
}

/// A catalogue of so many models, each with `limits` of its own.
fn with_models(upstream: SocketAddr, models: usize, limits: &str) -> String {
    let other = |number| {
        format!(
            "\n[[model]]\nid = \"other-{number}\"\nscale = \"medium\"\ncontext = 10000000\nfeatures = [\"tools\", \"json\", \"schema\"]\n{limits}\n"
        )
    };
    catalogue(upstream, 10_000_000, limits) + &(1..models).map(other).collect::<String>()
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

async fn serve(catalogue: &str, state: PathBuf, rows: usize) -> SocketAddr {
    let overlay = Overlay { id: "bench".to_owned(), place: "the bench".to_owned(), text: catalogue.to_owned() };
    let provider = Simulated { catalogue: overlay, key: "bench-key".to_owned() };
    let flags = Flags { no_config: true, ..Flags::default() };
    let loaded = config::load(&flags, &Environment::default(), Some(&[provider]));
    let settings = loaded.settings;
    let fleet = Fleet::new(&settings.accounts);
    let clock = Clock::system();
    let store = Sqlite::open(&state, &fleet, OnLoss::Local, clock.now()).expect("an empty folder takes a state file");
    if rows > 0 {
        // In a thread of another name, so that it counts as nobody's work.
        let fill = thread::Builder::new().name("past".to_owned()).spawn(move || fill_ledger(&state, rows));
        fill.expect("a thread can be started").join().expect("a ledger takes rows");
    }
    let relay = Arc::new(Relay::new(&settings, fleet, Arc::new(store), clock));
    let gateway = Arc::new(Gateway::new(relay, settings.server.clone(), Arc::new(|_| {})));
    let listener = host::listen().await;
    let address = host::address_of(&listener);
    tokio::spawn(Server { listener, gateway }.run(std::future::pending(), std::future::pending()));
    address
}

/// Rows as requests of the last weeks left them.
fn fill_ledger(state: &Path, rows: usize) {
    let connection = rusqlite::Connection::open(state).expect("the state file opens");
    let sql = "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < ?1)
               INSERT INTO ledger (at, request_id, provider, model, attempt, class, outcome, http_status, prompt_tokens,
                                   completion_tokens, tokens_source, first_event_ms, total_ms)
               SELECT (unixepoch() - 86400 * 30) * 1000000 + n * 1000000, 'r' || n, 'bench', 'bench-model', 1, 'ok', 'ok', 200, 231, 46, 'reported', 300, 900
               FROM number";
    connection.execute(sql, [rows]).expect("a ledger takes rows");
}

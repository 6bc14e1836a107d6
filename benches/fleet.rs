//! The harvest on the wall clock, over real sockets: four providers of 30 requests a minute, twelve clients that ask as fast as they are answered.
//!
//! `cargo bench --bench fleet` takes five minutes; `-- --quick` stops each run after ten seconds, inside the first window.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]
#![expect(clippy::disallowed_methods, reason = "a bench starts its own tasks and ends them")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use relay::catalog::Overlay;
use relay::clock::Clock;
use relay::config::{Environment, Flags, Simulated, load};
use relay::gateway::{Gateway, Server};
use relay::relay::Relay;
use relay::routing::Fleet;
use relay::sim::{Limit, ModelSpec, Outcome, Period, ProviderSpec, Scenario, Simulator};
use relay::store::{OnLoss, Sqlite};
use tokio::net::TcpListener;

const PROVIDERS: u64 = 4;
const CLIENTS: usize = 12;
const DOCUMENTED: u64 = 30;
const LENGTH: Duration = Duration::from_secs(130);

fn main() {
    let quick = std::env::args().any(|word| word == "--quick");
    let length = if quick { Duration::from_secs(10) } else { LENGTH };
    let windows = length.as_secs().div_ceil(60);
    // The clients' library asks for one, though nothing here is encrypted.
    rustls::crypto::ring::default_provider().install_default().expect("nobody else has");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().expect("a runtime");
    println!(
        "{:28} {:>8} {:>9} {:>7} {:>13} {:>7}",
        "limits", "possible", "answered", "share", "refused/1000", "errors"
    );
    for (name, truth) in [("30 a minute, as documented", 30), ("20 a minute, documented 30", 20)] {
        let counts = runtime.block_on(run(truth, length));
        line(name, PROVIDERS * truth * windows, &counts);
    }
}

#[derive(Debug, Default)]
struct Counts {
    answered: u64,
    /// Requests that got anything else than an answer.
    errors: u64,
    calls: u64,
    refused: u64,
}

#[expect(clippy::cast_precision_loss, reason = "a few hundred calls")]
fn line(name: &str, possible: u64, counts: &Counts) {
    println!(
        "{name:28} {possible:>8} {:>9} {:>5.1} % {:>13.1} {:>7}",
        counts.answered,
        100.0 * counts.answered as f64 / possible as f64,
        1_000.0 * counts.refused as f64 / counts.calls.max(1) as f64,
        counts.errors,
    );
}

/// Serves over a state file, as `relay serve` does, and asks until the time is over.
async fn run(truth: u64, length: Duration) -> Counts {
    let simulator = simulator(truth).await;
    let folder = tempfile::tempdir().expect("a folder");
    let address = serve(&simulator, &folder.path().join("relay.db")).await;
    let deadline = Instant::now() + length;
    let mut clients = tokio::task::JoinSet::new();
    for _ in 0..CLIENTS {
        clients.spawn(ask_until(deadline, format!("http://{address}/v1/chat/completions")));
    }
    let mut counts = Counts::default();
    for (answered, errors) in clients.join_all().await {
        (counts.answered, counts.errors) = (counts.answered + answered, counts.errors + errors);
    }
    for provider in simulator.providers() {
        let calls = simulator.calls(&provider.id);
        counts.calls += calls.len() as u64;
        counts.refused += calls.iter().filter(|call| call.outcome == Outcome::Refused(429)).count() as u64;
    }
    counts
}

async fn simulator(truth: u64) -> Simulator {
    let limit = Limit::requests(truth, Period::Minute).documented_as(DOCUMENTED);
    let specs = (0..PROVIDERS).map(|number| {
        let model = ModelSpec::new("sim-m").limit(limit.clone());
        ProviderSpec::new(format!("sim-{number}")).model(model).latency_ms(20..=60, 0..=1)
    });
    Simulator::start(Scenario::Custom(specs.collect()), 1, Clock::system()).await.expect("loopback can be bound")
}

async fn serve(simulator: &Simulator, state: &std::path::Path) -> std::net::SocketAddr {
    let simulated = simulator.providers().iter().map(|provider| Simulated {
        catalogue: Overlay { id: provider.id.clone(), place: provider.id.clone(), text: provider.catalogue.clone() },
        key: provider.key.clone(),
    });
    let simulated: Vec<Simulated> = simulated.collect();
    let settings = load(&Flags::default(), &Environment::from([]), Some(&simulated)).settings;
    let fleet = Fleet::new(&settings.accounts);
    let clock = Clock::system();
    let store = Sqlite::open(state, &fleet, OnLoss::Refuse, clock.now()).expect("a new file");
    let relay = Arc::new(Relay::new(&settings, fleet, Arc::new(store), clock));
    let gateway = Arc::new(Gateway::new(relay, settings.server.clone(), Arc::new(|_| {})));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
    let address = listener.local_addr().expect("a bound socket has an address");
    let server = Server { listener, gateway };
    tokio::spawn(server.run(std::future::pending(), std::future::pending()));
    address
}

/// One client: answers in time, and whatever else it got.
async fn ask_until(deadline: Instant, url: String) -> (u64, u64) {
    let client = reqwest::Client::builder().build().expect("a client without TLS");
    let body = r#"{"model":"meta-model","messages":[{"role":"user","content":"Name a colour."}],"max_tokens":20}"#;
    let (mut answered, mut errors) = (0, 0);
    while Instant::now() < deadline {
        let asked = client.post(&url).header("x-relay-wait", "65s").body(body).send();
        let Ok(reply) = tokio::time::timeout_at(deadline.into(), asked).await else { break };
        match reply {
            Ok(reply) if reply.status() == 200 => answered += 1,
            _ => errors += 1,
        }
    }
    (answered, errors)
}

//! What relay costs over a proxy that does nothing: bounded load over loopback, both in one run.
//!
//! `cargo bench --bench gateway -- --quick` is a smoke run; a word in its place picks the cases that have it in their name.

#![expect(clippy::disallowed_methods, reason = "a bench starts its own threads, tasks and programs, and ends them")]

#[path = "gateway/bare.rs"]
mod bare;
#[path = "gateway/case.rs"]
mod case;
#[path = "gateway/client.rs"]
mod client;
#[path = "gateway/gateway.rs"]
mod gateway;
#[path = "gateway/host.rs"]
mod host;
#[path = "gateway/load.rs"]
mod load;
#[path = "gateway/proc.rs"]
mod proc;
#[path = "gateway/report.rs"]
mod report;
#[path = "gateway/start.rs"]
mod start;
#[path = "gateway/upstream.rs"]
mod upstream;

use std::sync::Arc;
use std::time::Duration;

use case::Case;
use client::Prepared;
use gateway::{ANY, Gateways, MODEL};
use load::Load;
use upstream::Upstream;

/// How much is measured.
struct Extent {
    rounds: usize,
    starts: usize,
    /// Requests of the cases are divided by this.
    part: usize,
}

const FULL: Extent = Extent { rounds: 3, starts: 20, part: 1 };
const QUICK: Extent = Extent { rounds: 1, starts: 3, part: 20 };

fn main() {
    let extent = if std::env::args().any(|argument| argument == "--quick") { QUICK } else { FULL };
    // Cargo adds `--bench`.
    let wanted = std::env::args().skip(1).find(|argument| !argument.starts_with("--"));
    host::stay_on(host::OTHER_CORE);
    let upstream = Upstream::start();
    host::runtime("load").block_on(async {
        compare(&upstream, &extent, wanted.as_deref().unwrap_or_default()).await;
        if wanted.is_none() {
            look_at_program(&upstream, &extent).await;
        }
    });
}

async fn compare(upstream: &Upstream, extent: &Extent, wanted: &str) {
    let bare = bare::start(upstream.address);
    // The gateways keep it until the bench ends.
    let state = tempfile::tempdir().expect("a temporary folder can be made");
    let gateways = gateway::start(upstream.address, state.path());
    report::head();
    let before = proc::resident_kib("self");
    for mut case in cases(gateways).into_iter().filter(|case| case.name.contains(wanted)) {
        case.load.requests = (case.load.requests / extent.part).max(case.load.connections);
        let compared = case.compare(upstream, bare, extent.rounds).await;
        report::compared(&case, &compared);
    }
    upstream.set_pause(Duration::ZERO);
    report::memory(before, proc::resident_kib("self"));
}

fn cases(gateways: Gateways) -> Vec<Case> {
    let [small, middle, large] = [1_000, 30_000, 300_000].map(|size| Arc::new(Prepared::chat(MODEL, size, false)));
    let (any, any_streamed) = (Arc::new(Prepared::chat(ANY, 1_000, false)), Arc::new(Prepared::chat(ANY, 1_000, true)));
    let streamed = Arc::new(Prepared::chat(MODEL, 1_000, true));
    let case = |name, request: &Arc<Prepared>, connections, requests| Case {
        name,
        request: Arc::clone(request),
        load: Load { connections, requests, per_second: None, spread: Duration::ZERO },
        pause: Duration::ZERO,
        gateway: gateways.unlimited,
    };
    let pause = Duration::from_millis(10);
    // As people do, they do not all ask in one moment: a stream begins every 3 ms, so that all are open when the first one ends.
    let spread = pause * upstream::CHUNKS;
    let paced = |name, request| {
        let case = case(name, request, 200, 800);
        Case { pause, load: Load { spread, ..case.load }, ..case }
    };
    let rate = case("1 KB, 1,000 requests/s", &small, 32, 3_000);
    vec![
        case("1 KB, 64 connections", &small, 64, 12_000),
        case("1 KB, default style", &any, 64, 12_000),
        Case { gateway: gateways.limited, ..case("1 KB, four limits", &small, 64, 12_000) },
        Case { gateway: gateways.ten_routes, ..case("1 KB, the best of 10 routes", &any, 64, 12_000) },
        Case { gateway: gateways.many_routes, ..case("1 KB, the best of 500 routes", &any, 64, 12_000) },
        Case { gateway: gateways.ten_limited, ..case("1 KB, the best of 10 limited routes", &any, 64, 12_000) },
        Case { gateway: gateways.many_limited, ..case("1 KB, the best of 500 limited routes", &any, 64, 12_000) },
        Case { gateway: gateways.old_ledger, ..case("1 KB, a million rows in the ledger", &small, 64, 12_000) },
        case("30 KB", &middle, 64, 6_000),
        case("300 KB", &large, 64, 1_200),
        Case { gateway: gateways.tight_context, ..case("300 KB, counted exactly", &large, 64, 128) },
        case("stream, as fast as it goes", &streamed, 64, 1_000),
        paced("stream, a chunk each 10 ms, 200 at a time", &streamed),
        paced("the same, default style", &any_streamed),
        Case { load: Load { per_second: Some(1_000), ..rate.load }, ..rate },
    ]
}

async fn look_at_program(upstream: &Upstream, extent: &Extent) {
    let starts: Vec<_> = (0..extent.starts).map(|_| start::cold_start()).collect();
    report::starts(&starts);
    report::program_size(start::program_bytes());
    let [fresh, answered] = start::idle_simulated();
    report::resident("idle, simulated providers", fresh);
    report::resident("idle, simulated providers, one request answered", answered);
    report::resident("idle, one provider with a key", start::idle_ordinary());
    let load = |connections, requests| Load {
        connections,
        requests: requests / extent.part,
        per_second: None,
        spread: Duration::ZERO,
    };
    let loads = [
        (load(64, 10_000), Arc::new(Prepared::chat(MODEL, 1_000, false))),
        (load(64, 2_000), Arc::new(Prepared::chat(MODEL, 1_000, true))),
        (load(64, 2_000), Arc::new(Prepared::chat(MODEL, 300_000, false))),
    ];
    let names = ["before any load", "after 1 KB bodies", "after streams", "after 300 KB bodies"];
    let resident = start::under_load(upstream, &loads).await;
    names.iter().zip(resident).for_each(|(name, kib)| report::resident(name, kib));
}

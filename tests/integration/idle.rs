//! Streams in which nothing moves cost little: what `relay serve` holds for each client that waits. `RELAY_IDLE=1000` asks for so many.

#![cfg(target_os = "linux")]

use futures_util::future::join_all;
use relay::clock::Clock;
use relay::config::Environment;
use relay::sim::Act;

use super::harness::{Asking, Process, Providers, Socket, provider, relay};

const USUAL_CLIENTS: usize = 300;
/// Opened before anything is measured: what the first requests allocate is not theirs.
const WARMING: usize = 20;
/// Bytes for a client: what relay keeps of its request and answer, its connection, and the one to its provider. Of an HTTP/1.1
/// connection hyper alone keeps two buffers of 8 KiB; without optimisation relay's own tasks are larger by half.
const MOST_BYTES: usize = if cfg!(debug_assertions) { 56_000 } else { 44_000 };

fn clients() -> usize {
    let wanted = Environment::of_process().get("RELAY_IDLE").and_then(|count| count.parse().ok());
    wanted.unwrap_or(USUAL_CLIENTS)
}

/// Memory of the process that is its own, in bytes.
fn resident(process: &Process) -> usize {
    let status = std::fs::read_to_string(format!("/proc/{}/status", process.id())).expect("it runs");
    let line = status.lines().find_map(|line| line.strip_prefix("RssAnon:")).expect("a line for it");
    let kilobytes: usize = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kilobytes * 1024
}

/// Clients whose streams have begun, and stopped.
async fn waiting(address: std::net::SocketAddr, count: usize) -> Vec<Socket> {
    let one = || async move {
        let mut socket = Asking::chat(address, "Why is the sky blue?").streamed().begin().await;
        socket.read_until("chat.completion.chunk").await;
        socket
    };
    join_all((0..count).map(|_| one())).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_of_a_silent_stream_costs_little_more_than_its_connections_buffers() {
    let count = clients();
    let acts = vec![Act::Stall { after: 4 }; count + WARMING];
    let providers = Providers::start([provider("sim-a").answers(acts)], Clock::system()).await;
    let config = format!("[server]\nmax_requests = {}\n[timeouts]\nidle = \"10m\"\n", 2 * count);
    let serve = relay(["serve", "--no-verify", "--port", "0", "--log-format", "json"]).over(&providers);
    let mut process = serve.more_config(&config).under("ulimit -n $(ulimit -H -n)").start();
    let address = process.address();
    drop(waiting(address, WARMING).await);
    let before = resident(&process);
    let sockets = waiting(address, count).await;
    let each = (resident(&process) - before) / count;
    assert!(each < MOST_BYTES, "{each} bytes for each of {} clients", sockets.len());
}

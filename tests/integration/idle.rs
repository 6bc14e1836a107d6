//! Streams in which nothing moves cost little: what `relay serve` holds for each client that waits, or does not read. `RELAY_IDLE=1000`
//! asks for so many.

#![cfg(target_os = "linux")]

use std::time::Duration;

use futures_util::future::join_all;
use relay::clock::Clock;
use relay::config::Environment;
use relay::sim::Act;

use super::harness::{Asking, Process, Providers, Socket, Then, Upstream, provider, relay};

const USUAL_CLIENTS: usize = 300;
/// Opened before anything is measured: what the first requests allocate is not theirs.
const WARMING: usize = 20;
/// Bytes for a client: what relay keeps of its request and answer, its connection, and the one to its provider. For the
/// client's connection hyper allocates three buffers of 8 KiB, and about 13 KB of that are touched.
const MOST_BYTES: usize = 32_000;

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
    // With one heap for all threads, what is measured does not hang on which of them was busy.
    let serve = relay(["serve", "--no-verify", "--port", "0", "--log-format", "json"]).over(&providers);
    let serve = serve.variable("MALLOC_ARENA_MAX", "1");
    let mut process = serve.more_config(&config).under("ulimit -n $(ulimit -H -n)").start();
    let address = process.address();
    drop(waiting(address, WARMING).await);
    let before = resident(&process);
    let sockets = waiting(address, count).await;
    let each = (resident(&process) - before) / count;
    assert!(each < MOST_BYTES, "{each} bytes for each of {} clients", sockets.len());
}

const DEAF_CLIENTS: usize = 20;
/// Bytes for a client that does not read, of 40 MB for it: twice 64 KiB that wait, and the pieces they are part of.
const MOST_DEAF: usize = 500_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_that_never_reads_holds_no_more_than_its_share() {
    // More than the sockets' own buffers take, on both sides of the gateway.
    let event = format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"{}\"}}}}]}}\n\n", "word".repeat(4_000));
    let answer = format!("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}", event.repeat(2_500));
    let upstream = Upstream::start(answer, Then::Close).await;
    let providers = Providers::start([provider("sim-a")], Clock::system()).await;
    let serve = relay(["serve", "--no-verify", "--port", "0", "--log-format", "json"]).over(&providers);
    // The text so far, which another route would need, is as long as what the sockets took.
    let serve = serve.more_config("[style]\ncontinue_cut_streams = false\n");
    let mut process = serve.variable("SIM_A_BASE_URL", &format!("http://{}/v1", upstream.address)).start();
    let address = process.address();
    let begin = || async move {
        let mut socket = Asking::chat(address, "a long answer").streamed().begin().await;
        socket.read_until("word").await;
        socket
    };
    drop(begin().await);
    let before = resident(&process);
    let sockets = join_all((0..DEAF_CLIENTS).map(|_| begin())).await;
    // Until nothing moves any more.
    tokio::time::sleep(Duration::from_secs(1)).await;
    let each = resident(&process).saturating_sub(before) / DEAF_CLIENTS;
    assert!(each < MOST_DEAF, "{each} bytes for each of {} clients", sockets.len());
}

//! What a reservation costs: one after the other, and from 64 callers at once, in memory and in a file.
//!
//! "a thread and back" is what waking an idle thread and being woken by it costs on this machine, with nothing done in between: the file's
//! store does it once a reservation.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use relay::catalog::{Catalog, Overlay};
use relay::chat::Usage;
use relay::clock::Clock;
use relay::quota::Cost;
use relay::routing::{Account, Fleet, KeyId, Route};
use relay::store::{LedgerRow, Memory, OnLoss, Settlement, Sqlite, Store};

const ALONE: usize = 5_000;
const TOGETHER: u32 = 40_000;
const CALLERS: usize = 64;

/// Twenty models of four limits each, none of which is ever reached.
fn fleet() -> Fleet {
    let mut text =
        "dialect = \"openai\"\nbase_url = \"https://a.example\"\nkey_env = [\"A\"]\nstatus = \"free\"\n".to_owned();
    for number in 0..20 {
        text.push_str(&format!(
            "[[model]]\nid = \"m{number}\"\nscale = \"small\"\ncontext = 1000\nlimits = [\
             {{ requests = 1000000000, per = \"minute\" }}, {{ requests = 1000000000, per = \"day\" }},\
             {{ tokens = 1000000000000, per = \"minute\" }}, {{ tokens = 1000000000000, per = \"day\" }}]\n"
        ));
    }
    let file = Overlay { id: "a".to_owned(), place: "the bench".to_owned(), text };
    let provider = Catalog::only(&[file]).expect("valid").providers.remove(0);
    Fleet::new(&[Account {
        provider: Arc::new(provider),
        keys: vec![KeyId { place: 0, hash: 0 }],
        separate: false,
        priority: 0,
        max_concurrency: None,
    }])
}

async fn once(store: &dyn Store, route: &Route, clock: &Clock) {
    let now = clock.now();
    let lease = store.reserve(route, Cost::request(500, 500), now).await.expect("there is room");
    let usage = Usage { prompt_tokens: 400, completion_tokens: 200 };
    let row = LedgerRow {
        at: now,
        request_id: "req-0123456789abcdef".into(),
        session: None,
        route: route.id,
        attempt: 1,
        fault: None,
        cancelled: false,
        continues: false,
        usage: Some(usage),
        http_status: Some(200),
        first_event_ms: Some(210),
        total_ms: 1200,
    };
    store.settle(lease, Settlement::Used(Cost::request(400, 200)), row, clock.now());
}

fn main() {
    let fleet = Arc::new(fleet());
    let folder = tempfile::tempdir().expect("a folder");
    let now = Clock::system().now();
    let sqlite = Sqlite::open(&folder.path().join("relay.db"), &fleet, OnLoss::Refuse, now).expect("a new file");
    let stores: [(&str, Arc<dyn Store>); 2] = [("memory", Arc::new(Memory::new(&fleet))), ("sqlite", Arc::new(sqlite))];
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().expect("a runtime");
    println!("{:17} {:>10} {:>10} {:>16}", "store", "p50 alone", "p99 alone", "64 callers, /s");
    let (p50, p99) = runtime.block_on(to_a_thread_and_back());
    println!("{:17} {p50:>10.1?} {p99:>10.1?} {:>16}", "a thread and back", "");
    for (name, store) in stores {
        let (p50, p99) = runtime.block_on(alone(store.as_ref(), &fleet));
        let rate = runtime.block_on(together(Arc::clone(&store), Arc::clone(&fleet)));
        println!("{name:17} {p50:>10.1?} {p99:>10.1?} {rate:>16.0}");
    }
}

/// Reserve and settle, from one caller: what it waits.
async fn alone(store: &dyn Store, fleet: &Fleet) -> (Duration, Duration) {
    let clock = Clock::system();
    let mut times = Vec::with_capacity(ALONE);
    for turn in 0..ALONE {
        let start = Instant::now();
        once(store, &fleet.routes[turn % fleet.routes.len()], &clock).await;
        times.push(start.elapsed());
    }
    percentiles(times)
}

#[expect(clippy::disallowed_methods, reason = "the thread ends with its channel")]
async fn to_a_thread_and_back() -> (Duration, Duration) {
    let (jobs, coming) = std::sync::mpsc::channel::<tokio::sync::oneshot::Sender<()>>();
    std::thread::spawn(move || coming.iter().for_each(|reply| reply.send(()).expect("somebody waits")));
    let mut times = Vec::with_capacity(ALONE);
    for _ in 0..ALONE {
        let start = Instant::now();
        let (reply, answer) = tokio::sync::oneshot::channel();
        jobs.send(reply).expect("the thread runs");
        answer.await.expect("the thread answers");
        times.push(start.elapsed());
    }
    percentiles(times)
}

fn percentiles(mut times: Vec<Duration>) -> (Duration, Duration) {
    times.sort_unstable();
    (times[ALONE / 2], times[ALONE * 99 / 100])
}

/// Reservations a second, everything written at the end.
async fn together(store: Arc<dyn Store>, fleet: Arc<Fleet>) -> f64 {
    let next = Arc::new(AtomicU32::new(0));
    let start = Instant::now();
    let mut callers = tokio::task::JoinSet::new();
    for _ in 0..CALLERS {
        let (store, fleet, next) = (Arc::clone(&store), Arc::clone(&fleet), Arc::clone(&next));
        callers.spawn(async move {
            let clock = Clock::system();
            loop {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                if turn >= TOGETHER {
                    return;
                }
                once(store.as_ref(), &fleet.routes[turn as usize % fleet.routes.len()], &clock).await;
            }
        });
    }
    callers.join_all().await;
    store.flush();
    f64::from(TOGETHER) / start.elapsed().as_secs_f64()
}

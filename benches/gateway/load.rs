//! Load of a known amount: connections that ask again as soon as they are answered, or at a fixed rate.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use tokio::time::timeout;

use super::client::{Connection, Prepared};

/// No run takes longer; one that would is broken.
const LONGEST_RUN: Duration = Duration::from_secs(20);

/// So many requests, and how they come.
#[derive(Debug, Clone, Copy)]
pub struct Load {
    pub connections: usize,
    pub requests: usize,
    /// `None` asks again as soon as the last answer is there.
    pub per_second: Option<u32>,
    /// The connections begin one after the other within this time.
    pub spread: Duration,
}

/// What a run took.
pub struct Ran {
    pub elapsed: Duration,
    /// Of each request: the time to the end of a plain answer, or to the first chunk of a stream.
    pub times: Vec<Duration>,
}

/// Sends the load to `address` and waits for all answers.
pub async fn run(load: Load, address: SocketAddr, request: &Arc<Prepared>) -> Ran {
    let mut connections = Vec::with_capacity(load.connections);
    for _ in 0..load.connections {
        connections.push(Connection::open(address).await);
    }
    let asked = Arc::new(AtomicUsize::new(0));
    let start = Instant::now();
    let mut tasks = JoinSet::new();
    for (number, connection) in (0..).zip(connections) {
        let begins = start + load.spread * number / u32::try_from(load.connections).expect("a run has few connections");
        tasks.spawn(ask_on(connection, load, [start, begins], Arc::clone(request), Arc::clone(&asked)));
    }
    let times = timeout(LONGEST_RUN, tasks.join_all()).await.expect("a run ends in time");
    Ran { elapsed: start.elapsed(), times: times.concat() }
}

async fn ask_on(
    mut connection: Connection,
    load: Load,
    [start, begins]: [Instant; 2],
    request: Arc<Prepared>,
    asked: Arc<AtomicUsize>,
) -> Vec<Duration> {
    let mut times = Vec::with_capacity(load.requests / load.connections * 2);
    if !load.spread.is_zero() {
        tokio::time::sleep_until(begins.into()).await;
    }
    loop {
        let number = asked.fetch_add(1, Ordering::Relaxed);
        if number >= load.requests {
            return times;
        }
        let since = match load.per_second {
            None => Instant::now(),
            Some(rate) => turn(start, number, rate).await,
        };
        let answered = connection.ask(&request).await;
        times.push(if request.streamed { answered.first - since } else { answered.end - since });
    }
}

/// Waits for the moment of request `number`. A request that is late because earlier ones were not answered counts from when it was due.
async fn turn(start: Instant, number: usize, per_second: u32) -> Instant {
    let number = u32::try_from(number).expect("a run has few requests");
    let due = start + Duration::from_secs(1) * number / per_second;
    if due <= Instant::now() {
        return due;
    }
    tokio::time::sleep_until(due.into()).await;
    Instant::now()
}

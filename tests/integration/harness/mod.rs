//! What the tests are told with: fake providers, a gateway before them, its clients, and the `relay` program.

#![expect(
    clippy::disallowed_methods,
    reason = "tests run beside the program: they start tasks, threads and processes, all of which end with their test"
)]

mod client;
mod command;
mod gateway;
mod process;
mod providers;
pub mod redact;
mod reply;
mod schema;
mod secured;
mod site;
mod socket;
#[cfg(unix)]
mod terminal;
mod upstream;

pub use client::Asking;
pub use command::{Command, relay};
pub use gateway::{Gateway, gateway};
pub use process::{Finished, Process};
pub use providers::{Fake, Providers, provider};
pub use reply::Reply;
pub use schema::keeps_schema;
pub use secured::{AUTHORITY, HOST, MOST_AT_A_TIME, Manner, Proxy, Secured};
pub use site::{Site, json, markdown, page, status};
pub use socket::Socket;
#[cfg(unix)]
pub use terminal::Terminal;
pub use upstream::{Then, Upstream};

use std::time::{Duration, Instant};

use relay::sim::Act;

/// Answers in a moment, for tests that need an answer and care about nothing else.
pub fn says(text: &str) -> Act {
    Act::text(text)
}

/// Runs this in a thread that ends with its work.
pub fn beside(work: impl FnOnce() + Send + 'static) {
    std::thread::spawn(work);
}

/// Waits up to a second for `reached`.
#[track_caller]
pub fn eventually<'a>(what: &'a str, reached: impl Fn() -> bool + 'a) -> impl Future<Output = ()> + 'a {
    eventually_within(1, what, reached)
}

/// Waits so many seconds for `reached`.
#[track_caller]
pub fn eventually_within<'a>(
    seconds: u64,
    what: &'a str,
    reached: impl Fn() -> bool + 'a,
) -> impl Future<Output = ()> + 'a {
    let caller = std::panic::Location::caller();
    let deadline = Instant::now() + Duration::from_secs(seconds);
    async move {
        while !reached() {
            assert!(Instant::now() < deadline, "not within {seconds} s: {what} ({caller})");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

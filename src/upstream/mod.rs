//! The only place that opens connections: chats over a pooled client, pages and model lists beside it.

mod client;
mod fetch;
mod tls;
mod watch;

pub use client::{Call, Client, Received};
pub use fetch::{FetchError, Fetched, Fetcher};
pub use watch::{EventStream, read_whole};

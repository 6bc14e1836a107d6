//! The only place that opens connections: chats over a pooled client, pages and model lists beside it.

mod body;
mod client;
mod connect;
mod connection;
mod fetch;
mod key;
mod local;
mod message;
mod network;
mod pool;
mod shared;
mod single;
mod verify;
mod watch;

pub use body::ResponseBody;
pub use client::{Call, Client, Received, call_headers};
pub use fetch::{FetchError, Fetched, Fetcher, Known, PageAnswer};
pub use key::Key;
pub use network::Network;
pub use verify::{Finding, Verified, What, verify};
pub use watch::{EventStream, read_whole};

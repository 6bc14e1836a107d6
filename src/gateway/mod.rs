//! The HTTP surface: OpenAI's endpoints over the core.

mod body;
mod chat;
mod gate;
mod guard;
mod late;
mod models;
mod patience;
mod respond;
mod route;
mod routes;
mod server;
mod status;
mod usage;

pub use respond::{ErrorBody, explain};
pub use routes::{Gateway, RequestLine};
pub use server::{Server, Stopped};

//! Gemini's native surface: a strict parser, turns in a strict order, signed thoughts, SSE with CRLF and no end marker.

mod read;
mod refuse;
mod schema;
mod write;

pub(super) use read::read;
pub(super) use refuse::{failure, tell};
pub(super) use write::{empty, empty_event, events, models, whole};

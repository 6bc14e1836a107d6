//! Ollama's native surface: NDJSON, arguments as objects, images as bare base64, and prompts cut in silence at `num_ctx`.

mod read;
mod write;

pub(super) use read::{read, tell};
pub(super) use write::{empty, failure, last_line, lines, show, tags, version, whole};

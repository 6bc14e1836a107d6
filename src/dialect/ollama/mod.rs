//! Ollama's own protocol: one JSON object a line, tool arguments as objects, and a context sized to the request.

mod answer;
mod classify;
mod decode;
mod encode;
pub mod installed;
mod lines;
mod messages;
mod native;
mod scan;
mod window;

#[cfg(test)]
mod golden;

pub use classify::classify;
pub use decode::decode;
pub use encode::encode;
pub use scan::Scanner;

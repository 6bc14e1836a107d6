//! Google's own Gemini API: turns of parts in, candidates of parts out, errors with details.

mod answer;
mod call_id;
mod classify;
mod content;
mod decode;
mod encode;
mod generation;
mod model;
mod response;
mod scan;
mod tools;
mod turns;

#[cfg(test)]
mod tests;

pub use classify::{classify, facts};
pub use decode::decode;
pub use encode::encode;
pub use scan::Scanner;

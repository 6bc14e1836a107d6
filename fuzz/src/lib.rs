//! What must hold whatever the bytes are, a function each: `cargo fuzz` runs them, and so does `cargo test`, on real input with damage.

mod catalogue;
mod headers;
mod page;
mod refusal;
mod repair;
mod request;
mod stream;

pub use catalogue::catalogue;
pub use headers::headers;
pub use page::page;
pub use refusal::refusal;
pub use repair::repair;
pub use request::request;
pub use stream::stream;

use relay::dialect::{Target, Wire};

/// Where fuzzed requests go and fuzzed answers come from.
fn target(wire: &Wire) -> Target<'_> {
    Target { model: "org/the-model", wire, thinks: true, context: 131_072, input_tokens: 100, answer_tokens: 50 }
}

fn is_json(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
}

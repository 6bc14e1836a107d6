//! OpenAI's chat completions: what most providers speak, adapted by each one's `[wire]` table.

mod classify;
mod decode;
mod encode;
mod functions;
mod messages;
mod order;
mod parameters;
mod refusal;
mod repair;
mod scan;

pub use classify::classify;
pub use decode::decode;
pub use encode::encode;
pub use refusal::facts;
pub use scan::Scanner;

//! What goes along of a conversation that is longer than a model's context.

mod code;
mod cut;
mod digest;
mod dynamic;
mod fit;
mod memory;
mod sentence;
mod summary;
mod words;

pub use digest::{Digest, chain};
pub use dynamic::Dynamic;
pub use fit::{Fitted, Limits, Mode, Room, TooLong, fit, least, uncuttable, wanted};
pub use memory::Memory;

#[cfg(test)]
mod tests;

//! What a chat is, whoever speaks: the request, the events of an answer, the ways to fail, the size in tokens.

mod brief;
pub mod chunk;
pub mod event;
pub mod fault;
pub mod fence;
pub mod fields;
pub mod kind;
pub mod message;
mod pieces;
pub mod request;
pub mod session;
pub mod shape;
pub mod skim;
pub mod splice;
pub mod system;
pub mod tokens;

pub use brief::{LONGEST_NAME, brief};
pub use chunk::Chunk;
pub use event::{Signs, StreamEvent, Usage};
pub use fault::{Breakage, Fault, Period, Scope, Unfit};
pub use fields::{RawObject, Rewrite};
pub use kind::ErrorKind;
pub use message::{Message, Part, ToolCall};
pub use pieces::Slices;
pub use request::{BadRequest, ChatRequest, Edit, Features};
pub use shape::MessagesShape;

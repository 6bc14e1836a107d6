//! HTML pages: cleaned in one pass, parsed as a browser would, read in document order.

mod clean;
mod tabs;
mod tag;
mod walk;

pub use clean::MOST_DEPTH;
pub use walk::{read, read_into};

//! What a table says of limits: every row of it, or the reason why it says nothing certain.

mod by_column;
mod by_row;
mod head;
mod read;

pub use head::{is_only_head, joined};
pub use read::{LEFT_OUT, REPEATS, Told, may_name_models, read};

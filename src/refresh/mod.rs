//! Limits with evidence: providers' pages read, compared with the catalogue, written down with proof.

mod account;
mod amount;
pub mod apply;
pub mod compare;
pub mod finding;
mod grid;
mod header;
mod html;
mod legend;
mod listed;
pub mod look;
mod markdown;
mod names;
mod notes;
mod page;
mod plan;
mod read;
mod row;
mod scaled;
pub mod source;
mod statement;
mod table;
mod text;
mod tier;
mod variables;
mod words;

pub use page::MOST_BYTES;
pub use read::{EXTRACTOR, Reading, Refused, read};
pub use row::Row;

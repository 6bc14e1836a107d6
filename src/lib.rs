//! relay as a library: the modules in layer order, low to high. Imports point to earlier lines only (`tests/tidy.rs`).

pub mod clock;
pub mod chat;
pub mod quota;
pub mod dialect;
pub mod catalog;

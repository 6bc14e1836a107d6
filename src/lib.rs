//! relay as a library: the modules in layer order, low to high. Imports point to earlier lines only (`tests/tidy.rs`).

pub mod answer;
pub mod catalog;
pub mod chat;
pub mod cli;
pub mod clock;
pub mod config;
pub mod dialect;
pub mod gateway;
pub mod quota;
pub mod relay;
pub mod routing;
pub mod sim;
pub mod store;
pub mod telemetry;
pub mod upstream;

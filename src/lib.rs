//! relay as a library: the modules in layer order, low to high. Imports point to earlier lines only (`tests/tidy.rs`).

pub mod clock;

pub mod telemetry;

pub mod replace;

pub mod socket;

pub mod chat;

pub mod quota;

pub mod dialect;

pub mod catalog;

pub mod context;

pub mod style;

pub mod routing;

pub mod upstream;

pub mod store;

pub mod refresh;

pub mod config;

pub mod relay;

pub mod answer;

pub mod sim;

pub mod gateway;

pub mod cli;

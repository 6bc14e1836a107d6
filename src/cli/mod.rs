//! The command line: from arguments to an exit code. The only place that turns a fault into one.

mod args;
mod ask;
mod banner;
mod batch;
mod beside;
mod browser;
mod check_models;
mod completions;
mod config;
mod demo;
mod doctor;
mod echo;
mod exit;
mod explain;
mod help;
mod init;
mod keys;
mod models;
mod offer;
mod output;
mod panic;
mod prompt;
mod refresh_limits;
mod reload;
mod report;
mod run;
mod serve;
mod setup;
mod signal;
mod standing;
mod table;
mod trial;
mod usage;

pub use args::command;
pub use exit::{Exit, Trouble};
pub use run::main;

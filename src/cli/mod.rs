//! The command line: from arguments to an exit code. The only place that turns a fault into one.

mod args;
mod ask;
mod banner;
mod batch;
mod check_models;
mod completions;
mod demo;
mod exit;
mod explain;
mod models;
mod output;
mod panic;
mod refresh_limits;
mod reload;
mod report;
mod run;
mod serve;
mod setup;
mod signal;
mod standing;
mod table;

pub use exit::{Exit, Trouble};
pub use run::main;

//! Flags of every command, before or after its name.

use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCandidates;

use crate::cli::completions::scenarios;

/// Flags of every command, before or after its name.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Global options")]
pub struct Global {
    /// Read this config file [env: RELAY_CONFIG]
    #[arg(long, global = true, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Read no config file
    #[arg(long, global = true)]
    pub no_config: bool,
    /// How to print results [default: a table on a terminal, else plain: tabs, no header]
    #[arg(long, global = true, value_name = "FORMAT", value_enum)]
    pub format: Option<OutputFormat>,
    /// Print results as JSON; the same as --format json
    #[arg(long, global = true, conflicts_with = "format")]
    pub json: bool,
    /// Print less; twice for errors only
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub quiet: u8,
    /// Log what relay decides; twice for all it does [env: RELAY_LOG for a filter]
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour [env: NO_COLOR, CLICOLOR_FORCE, FORCE_COLOR]
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Show no spinner [env: RELAY_NO_PROGRESS]
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Never ask anything [env: RELAY_NO_INPUT]
    #[arg(long, global = true)]
    pub no_input: bool,
    /// Let nothing leave this machine: only local and simulated providers answer [env: RELAY_OFFLINE]
    #[arg(long, global = true)]
    pub offline: bool,
    /// Use simulated providers: default, dry, storm, slow or cut [env: RELAY_SIMULATE]
    #[arg(long, global = true, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, default_missing_value = "default", add = ArgValueCandidates::new(scenarios))]
    pub simulate: Option<String>,
}

impl Global {
    pub fn wants_json(&self) -> bool {
        self.json || self.format == Some(OutputFormat::Json)
    }
}

/// What a result with many rows is printed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Table,
    Plain,
    Json,
    Ndjson,
    Csv,
    /// One line for a prompt or a status bar; for `relay usage`
    Line,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

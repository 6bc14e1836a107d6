//! The flags of `relay usage`.

use std::time::Duration;

use clap::{Args, Parser as _, Subcommand, ValueEnum};
use clap_complete::ArgValueCandidates;

use crate::cli::completions::names;

use super::duration;

/// Show what was used and what is left
///
/// For each model the limit with the least left of it: how much is used, when it comes back, and who says so. Numbers with
/// a `~` are counted here; the provider does not report them.
#[derive(Debug, Args)]
pub struct Usage {
    #[command(subcommand)]
    pub action: Option<UsageAction>,
    /// Only this provider, PROVIDER/MODEL or model; a model's windows are all shown
    #[arg(value_name = "PROVIDER|MODEL", add = ArgValueCandidates::new(names))]
    pub names: Vec<String>,
    /// Show every window of every model
    #[arg(long)]
    pub all_windows: bool,
    /// What was used in this time, day by day [default: since midnight]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration)]
    pub since: Option<Duration>,
    /// Add up by provider, model or day
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with_all = ["via", "all_windows"])]
    pub by: Option<By>,
    /// Only models that cannot be used now
    #[arg(long)]
    pub exhausted: bool,
    /// Show it anew every second, until Ctrl-C
    #[arg(long)]
    pub watch: bool,
    /// Ask a running gateway instead of this machine's ledger
    #[arg(long, value_name = "URL")]
    pub via: Option<String>,
}

impl Usage {
    /// As if nothing but the command had been typed.
    pub fn usual() -> Self {
        let usual = super::Args::try_parse_from(["relay", "usage"]);
        match usual.map(|args| args.command) {
            Ok(Some(super::Command::Usage(usage))) => usage,
            other => unreachable!("the command needs no argument: {other:?}"),
        }
    }

    /// Whether anything is typed that says what to show.
    pub fn chooses(&self) -> bool {
        let Self { action: _, names, all_windows, since, by, exhausted, watch, via } = self;
        let is_any =
            [!names.is_empty(), *all_windows, since.is_some(), by.is_some(), *exhausted, *watch, via.is_some()];
        is_any.contains(&true)
    }
}

#[derive(Debug, Subcommand)]
pub enum UsageAction {
    /// Forget what was counted: quota, rests and the ledger; the old file is kept beside the new one
    Reset {
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// What a history is added up by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum By {
    Provider,
    Model,
    Day,
}

//! The flags of `relay check-models`.

use std::time::Duration;

use clap::{Args, Parser as _, ValueEnum};
use clap_complete::ArgValueCandidates;

use crate::cli::completions::names;

use super::time_out;

/// Check that models answer
///
/// Costs nothing where it can: model lists and recent answers tell first, one tiny request only where they do not.
/// Each provider is asked no faster than its limits allow.
#[derive(Debug, Args)]
pub struct CheckModels {
    /// Only this provider, PROVIDER/MODEL or model; may be given several times
    #[arg(value_name = "PROVIDER|MODEL", add = ArgValueCandidates::new(names))]
    pub names: Vec<String>,
    /// Requests at once to each provider; one where it counts requests by the second
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub jobs: u16,
    /// How long a model may take to its first word, and from there to its last
    #[arg(long, value_name = "DURATION", default_value = "15s", allow_hyphen_values = true, value_parser = time_out)]
    pub timeout: Duration,
    /// The most tokens each answer may have
    #[arg(long, value_name = "N", default_value_t = 16, allow_negative_numbers = true, value_parser = clap::value_parser!(u64).range(1..))]
    pub max_tokens: u64,
    /// Compare with the providers' model lists and send no request
    #[arg(long, conflicts_with_all = ["repeat", "latency"])]
    pub list_only: bool,
    /// What counts as a failure for the exit code
    #[arg(long, value_name = "WHAT", value_enum, default_value_t = FailOn::Failed)]
    pub fail_on: FailOn,
    /// Ask each model this many times
    #[arg(long, value_name = "N", default_value_t = 1, allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..))]
    pub repeat: u16,
    /// Measure: ask also where recent answers would do, and show p50 and p95 of the first word with --repeat
    #[arg(long)]
    pub latency: bool,
    /// Also check services that take no key
    #[arg(long)]
    pub keyless: bool,
}

impl CheckModels {
    /// As if nothing but the command had been typed.
    pub fn usual() -> Self {
        let usual = super::Args::try_parse_from(["relay", "check-models"]);
        match usual.map(|args| args.command) {
            Ok(Some(super::Command::CheckModels(check))) => check,
            other => unreachable!("the command needs no argument: {other:?}"),
        }
    }
}

/// What makes the check's exit code 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// A model that is not healthy
    Failed,
    /// Also a healthy one whose quota is used up
    Limited,
    /// Nothing
    Never,
}

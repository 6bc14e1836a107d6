//! The flags of `relay refresh-limits`.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCandidates;

use crate::cli::completions::documented;

#[derive(Debug, Args)]
pub struct RefreshLimits {
    /// Only these providers
    #[arg(value_name = "PROVIDER", add = ArgValueCandidates::new(documented))]
    pub providers: Vec<String>,
    /// Write nothing and ask nothing; exit 1 if anything differs that could be written
    #[arg(long, conflicts_with_all = ["yes", "undo"])]
    pub check: bool,
    /// Write what differs and is not held back, without asking
    #[arg(long, conflicts_with = "undo")]
    pub yes: bool,
    /// Also write what is held back: changes of more than 5x, many models gone, contradictions
    #[arg(long)]
    pub allow_large: bool,
    /// Put back the files as they were before the last change
    #[arg(long)]
    pub undo: bool,
    /// Read saved pages, DIR/PROVIDER.md or DIR/PROVIDER.html, and fetch nothing
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub from: Option<PathBuf>,
    /// Write to these catalogue files instead of your own
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub dir: Option<PathBuf>,
    /// Print what one saved page says, and why the rest of it was refused
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["check", "yes", "allow_large", "undo", "from", "dir", "providers"])]
    pub read: Option<PathBuf>,
}

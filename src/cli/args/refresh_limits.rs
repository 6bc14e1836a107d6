//! The flags of `relay refresh-limits`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct RefreshLimits {
    /// Print what one saved page says, and why the rest of it was refused
    #[arg(long, value_name = "FILE")]
    pub read: PathBuf,
}

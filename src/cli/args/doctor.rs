//! The flags of `relay doctor`, `relay config` and `relay help`.

use clap::{Args, Subcommand, ValueEnum};

/// Check that everything relay needs is in order
#[derive(Debug, Args)]
pub struct Doctor {
    /// Also ask every provider that is set up for its model list
    #[arg(long)]
    pub network: bool,
}

/// Where the configuration is, and what it comes to
#[derive(Debug, Args)]
pub struct Config {
    #[command(subcommand)]
    pub action: ConfigAction,
}

#[derive(Debug, Subcommand)]
pub enum ConfigAction {
    /// Print the paths of relay's files
    Path,
    /// Print every setting as it is in force
    Show {
        /// Say where each value comes from
        #[arg(long)]
        origin: bool,
    },
}

/// What can be read with `relay help TOPIC`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Topic {
    /// The variables relay reads
    Environment,
    /// The codes a command ends with
    ExitCodes,
    /// Tables, rows and documents
    Formats,
    /// How a model is named
    Models,
}

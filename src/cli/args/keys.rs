//! The flags of `relay keys` and `relay init`.

use clap::{Args, Subcommand};
use clap_complete::ArgValueCandidates;

use crate::cli::completions::providers;

/// Providers' keys: where they are, whether they work
///
/// Keys are looked up in the environment, then by `key_cmd` of config.toml, in keys.toml, and in a .env beside you; what is found
/// first is used alone. No flag takes a key: it would stay in the shell's history.
#[derive(Debug, Args)]
pub struct Keys {
    #[command(subcommand)]
    pub action: Option<KeysAction>,
}

#[derive(Debug, Subcommand)]
pub enum KeysAction {
    /// List keys by name: source, last four characters, last use
    List,
    /// Keep a key in keys.toml: typed unseen on a terminal, else one line from stdin
    Set {
        /// Whose key it is
        #[arg(value_name = "PROVIDER", add = ArgValueCandidates::new(providers))]
        provider: String,
        /// Keep it without asking the provider whether it takes it
        #[arg(long)]
        no_test: bool,
    },
    /// Take a key out of keys.toml
    Remove {
        /// Whose key it is
        #[arg(value_name = "PROVIDER", add = ArgValueCandidates::new(providers))]
        provider: String,
    },
    /// Ask providers whether they take their keys: a model list and one tiny request each
    Test {
        /// Only these providers
        #[arg(value_name = "PROVIDER", add = ArgValueCandidates::new(providers))]
        names: Vec<String>,
    },
    /// Where to get keys, whether a card is asked for, what is free
    Urls {
        /// Only these providers
        #[arg(value_name = "PROVIDER", add = ArgValueCandidates::new(providers))]
        names: Vec<String>,
    },
}

/// Set relay up, step by step
///
/// Finds the keys you have, shows where to get free ones, and tests each as you paste it. Any step may be skipped; one key is enough.
#[derive(Debug, Args)]
pub struct Init {
    /// Only these providers
    #[arg(value_name = "PROVIDER", add = ArgValueCandidates::new(providers))]
    pub names: Vec<String>,
}

//! The flags of `relay demo`.

use clap::Args;

use super::whole;

#[derive(Debug, Args)]
pub struct Demo {
    /// Makes the simulated providers behave the same each time
    #[arg(long, value_name = "N", default_value_t = 7, allow_negative_numbers = true, value_parser = whole::<u64>)]
    pub seed: u64,
    /// Leave out the pauses that let a person follow
    #[arg(long)]
    pub fast: bool,
}

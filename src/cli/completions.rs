//! `relay completions SHELL`: the script a shell loads to complete relay's words.

use clap::CommandFactory as _;
use clap_complete::{Shell, generate};

use super::args::Args;
use super::exit::Trouble;
use super::output::Output;

pub fn print(shell: Shell) -> Result<(), Trouble> {
    let mut script = Vec::new();
    generate(shell, &mut Args::command(), "relay", &mut script);
    Output::raw(&script)
}

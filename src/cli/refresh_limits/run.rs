//! From the flags of `relay refresh-limits` to what is printed.

use crate::cli::args::{Global, RefreshLimits};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;

use super::page;

pub fn run(args: &RefreshLimits, global: &Global, output: Output) -> Result<(), Trouble> {
    page::print(&args.read, global, output)
}

//! `relay check-models`: how every model stands, asking as little as possible.

mod plan;
mod probing;
mod progress;
mod report;

use std::time::Instant;

use jiff::Timestamp;

use crate::config::{Environment, Flags};
use crate::relay::{Checked, Condition};

use super::args::{CheckModels, FailOn, Global};
use super::exit::{Exit, Trouble};
use super::output::Output;
use super::setup;
use super::signal;

/// One model and what is known of it.
#[derive(Debug, Clone)]
pub struct Row {
    pub provider: String,
    pub model: String,
    /// `None` until it has been asked.
    pub checked: Option<Checked>,
    pub at: Timestamp,
    /// Milliseconds to the first word, one for each answer.
    pub first_words: Vec<u64>,
    /// Requests that went out for it, and the tokens they are known to have taken.
    pub spent: Spent,
}

#[derive(Debug, Clone, Copy, Default)]
pub struct Spent {
    pub requests: u64,
    pub prompt_tokens: u64,
    pub completion_tokens: u64,
}

impl Row {
    pub fn name(&self) -> String {
        format!("{}/{}", self.provider, self.model)
    }

    pub fn condition(&self) -> Condition {
        self.checked.as_ref().map_or(Condition::Skip, |checked| checked.condition)
    }
}

pub async fn run(
    check: &CheckModels,
    global: &Global,
    environment: &Environment,
    output: Output,
) -> Result<(), Trouble> {
    let rows = tokio::select! {
        done = look(check, global, environment, output) => done?,
        // Whatever is drawn is taken back as the future is dropped.
        exit = signal::received() => return Err(Trouble::silent(exit)),
    };
    let fails = |row: &Row| match check.fail_on {
        FailOn::Never => false,
        FailOn::Limited if row.condition() == Condition::Limit => true,
        _ => matches!(row.condition(), Condition::Auth | Condition::Gone | Condition::Down | Condition::Empty),
    };
    if rows.iter().any(fails) { Err(Trouble::silent(Exit::Negative)) } else { Ok(()) }
}

/// Asks, prints what came of it, and gives it.
pub async fn look(
    check: &CheckModels,
    global: &Global,
    environment: &Environment,
    output: Output,
) -> Result<Vec<Row>, Trouble> {
    let started = Instant::now();
    let flags = Flags { keyless: check.keyless, first_event: Some(check.timeout), ..Flags::default() };
    let core = setup::survey(global, flags, environment, output, &check.names).await?;
    let started_at = core.relay.clock.now();
    for problem in &core.problems {
        output.notice(&problem.to_string());
    }
    let mut rows = plan::rows(&core, check)?;
    probing::run(&core, check, &mut rows, global, output).await?;
    rows.sort_by_key(Row::condition);
    let report = report::Report { rows, started_at, took: started.elapsed(), check };
    report.print(&core, global, output)?;
    Ok(report.rows)
}

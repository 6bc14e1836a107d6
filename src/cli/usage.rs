//! `relay usage`: what was used, what is left, when the next of it comes back.

mod history;
mod numbers;
mod reset;
mod screen;
mod watch;
mod windows;

use std::time::Duration;

use jiff::Timestamp;

use crate::catalog::is_meant;
use crate::clock::{earlier, midnight};
use crate::config::{Environment, Flags};
use crate::relay::{Remote, UsageReport};

use super::args::{Global, OutputFormat, Usage, UsageAction};
use super::exit::{Exit, Trouble};
use super::output::Output;
use super::setup::{self, Core};
use super::{standing, table, via};

/// Where a command line's words come from and where its results go.
#[derive(Clone, Copy)]
pub struct Call<'a> {
    pub usage: &'a Usage,
    pub global: &'a Global,
    pub environment: &'a Environment,
    pub output: Output,
}

pub async fn run(usage: &Usage, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let call = Call { usage, global, environment, output };
    if let Some(UsageAction::Reset { yes }) = usage.action {
        if usage.chooses() {
            let message = "a reset forgets everything, and takes nothing that chooses what to show".to_owned();
            return Err(Trouble::new(Exit::Usage, message).hint("relay usage reset"));
        }
        return reset::run(yes, call).await;
    }
    if usage.watch {
        return watch::run(call).await;
    }
    let text = Teller::of(call).await?.tell(call).await?;
    output.result(&text)
}

/// Who is asked what was used.
enum Teller {
    /// The gateway at `--via`.
    Gateway(Box<Remote>),
    /// This machine's ledger.
    Ledger(Box<Core>),
}

impl Teller {
    async fn of(call: Call<'_>) -> Result<Self, Trouble> {
        if let Some(url) = &call.usage.via {
            return Ok(Self::Gateway(Box::new(via::remote("--via", url, call.global, call.environment)?)));
        }
        let flags = Flags { asks_nobody: true, ..Flags::default() };
        let core = setup::look(call.global, flags, call.environment, call.output).await?;
        for problem in &core.problems {
            call.output.notice(&problem.to_string());
        }
        refuse_unknown(call.usage, &core)?;
        Ok(Self::Ledger(Box::new(core)))
    }

    /// The screen, the rows or the document that was asked for, as it is now.
    async fn tell(&self, call: Call<'_>) -> Result<String, Trouble> {
        match self {
            Self::Gateway(remote) => {
                let report = remote.usage(call.usage.since).await.map_err(Trouble::of_refusal)?;
                let report = chosen(report, call.usage)?;
                Ok(printed(&report, table::format(call.global), call.usage))
            }
            Self::Ledger(core) => told(core, call),
        }
    }
}

/// The screen of a report that somebody else has.
pub fn screen_of(report: &UsageReport) -> String {
    screen::human(report, &Usage::usual())
}

fn told(core: &Core, call: Call<'_>) -> Result<String, Trouble> {
    let Call { usage, global, .. } = call;
    let format = table::format(global);
    let since = since(usage, core.relay.clock.now());
    let report = chosen(core.relay.usage(since).map_err(|reason| unreadable(&reason))?, usage)?;
    if usage.since.is_none() && usage.by.is_none() {
        if core.relay.fleet.routes.is_empty() && format == OutputFormat::Table {
            return Err(setup::not_set_up(&core.settings));
        }
        return Ok(printed(&report, format, usage));
    }
    let quarters = core.relay.store().history(since).map_err(|reason| unreadable(&reason))?;
    Ok(history::printed(&report, &quarters, format, usage))
}

fn printed(report: &UsageReport, format: OutputFormat, usage: &Usage) -> String {
    match format {
        OutputFormat::Table if usage.all_windows || names_a_model(report, usage) => windows::human(report),
        OutputFormat::Table => screen::human(report, usage),
        OutputFormat::Plain => table::plain(&windows::rows(report)),
        OutputFormat::Csv => table::csv(windows::HEADER, &windows::rows(report)),
        OutputFormat::Ndjson => table::ndjson(&windows::documents(report)),
        OutputFormat::Json => format!("{}\n", serde_json::json!(report)),
        OutputFormat::Line => screen::line(report),
    }
}

/// A model that is named, rather than a provider, is wanted whole.
fn names_a_model(report: &UsageReport, usage: &Usage) -> bool {
    let is_provider = |name: &String| report.models.iter().any(|it| it.quota.provider.eq_ignore_ascii_case(name));
    !usage.names.is_empty() && !usage.names.iter().any(is_provider)
}

fn since(usage: &Usage, now: Timestamp) -> Timestamp {
    match (usage.since, usage.by) {
        (Some(span), _) => earlier(now, span),
        (None, Some(super::args::By::Day)) => earlier(now, Duration::from_hours(7 * 24)),
        (None, _) => midnight(now),
    }
}

/// The models that names and `--exhausted` leave.
fn chosen(report: UsageReport, usage: &Usage) -> Result<UsageReport, Trouble> {
    let mut report = report;
    for name in &usage.names {
        if !report.models.iter().any(|it| is_meant(name, &it.quota.provider, &it.quota.model)) {
            let message = format!("`{name}` is not set up, so nothing of it was used");
            return Err(Trouble::new(Exit::Usage, message).hint("relay models lists what there is"));
        }
    }
    report.models.retain(|it| {
        let quota = &it.quota;
        (usage.names.is_empty() || usage.names.iter().any(|name| is_meant(name, &quota.provider, &quota.model)))
            && (!usage.exhausted || quota.state != "ready")
    });
    Ok(report)
}

fn refuse_unknown(usage: &Usage, core: &Core) -> Result<(), Trouble> {
    let entries = standing::entries(core);
    match usage.names.iter().find(|name| !entries.iter().any(|entry| entry.is_meant(name))) {
        Some(name) => Err(standing::unknown(name, core, &entries)),
        None => Ok(()),
    }
}

fn unreadable(reason: &str) -> Trouble {
    Trouble::new(Exit::Io, format!("the ledger cannot be read: {reason}")).hint("relay doctor looks at the state file")
}

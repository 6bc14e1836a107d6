//! `relay usage`: what was used, what is left, when the next of it comes back.

mod history;
mod numbers;
mod reset;
mod screen;
mod watch;
mod windows;

use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::catalog::is_meant;
use crate::clock::{earlier, midnight};
use crate::config::{Environment, Flags, StateUse};
use crate::relay::{LEDGER_KEPT, Remote, UsageReport};

use super::args::{Global, OutputFormat, Usage, UsageAction};
use super::exit::{Exit, Trouble};
use super::output::Output;
use super::report;
use super::setup::{self, Core};
use super::{lacking, standing, table, via};

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
    let teller = Teller::of(call).await?;
    output.result(&teller.tell(call).await?)?;
    if let Teller::Ledger(core) = &teller
        && core.relay.fleet.routes.is_empty()
        && table::format(global) == OutputFormat::Table
    {
        report::remark(&lacking::not_set_up(&core.settings), output);
    }
    Ok(())
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
        let Call { usage, global, environment, output } = call;
        let state = if usage.watch { StateUse::Watches } else { StateUse::Looks };
        let core = setup::look_with(state, global, flags, environment, output).await?;
        for problem in &core.problems {
            call.output.notice(&problem.to_string());
        }
        Ok(Self::Ledger(Box::new(core)))
    }

    /// The screen, the rows or the document that was asked for, as it is now.
    async fn tell(&self, call: Call<'_>) -> Result<String, Trouble> {
        match self {
            Self::Gateway(remote) => {
                let report = remote.usage(call.usage.since).await.map_err(Trouble::of_refusal)?;
                let report = chosen(report, call.usage, |_| None)?;
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
    let report = core.relay.usage(since).map_err(|reason| unreadable(&reason))?;
    let report = chosen(report, usage, |name| unknown(name, core))?;
    if usage.since.is_none() && usage.by.is_none() {
        return Ok(printed(&report, format, usage));
    }
    let of_now = [
        ("--all-windows", usage.all_windows),
        ("--exhausted", usage.exhausted),
        ("--format line", format == OutputFormat::Line),
    ];
    if let Some((flag, _)) = of_now.iter().find(|(_, is_set)| *is_set) {
        let message = format!("`{flag}` tells how things are now, and --since and --by ask how they were");
        return Err(Trouble::new(Exit::Usage, message).hint("leave out one or the other"));
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
        // Nothing older is kept.
        (Some(span), _) => earlier(now, span.min(LEDGER_KEPT)),
        (None, Some(super::args::By::Day)) => earlier(now, Duration::from_hours(7 * 24)),
        (None, _) => midnight(now),
    }
}

/// The models that names and `--exhausted` leave. Of a name that fits none, `unknown` says what is wrong with it, if anything.
fn chosen(
    report: UsageReport,
    usage: &Usage,
    unknown: impl Fn(&str) -> Option<Trouble>,
) -> Result<UsageReport, Trouble> {
    let mut report = report;
    for name in &usage.names {
        if !report.models.iter().any(|it| is_meant(name, &it.quota.provider, &it.quota.model)) {
            let since = report.since.to_zoned(TimeZone::system()).strftime("%Y-%m-%d %H:%M");
            let message = format!("`{name}` is not set up, and nothing of it was used since {since}");
            let unused = || Trouble::new(Exit::Usage, message).hint("relay models lists what there is");
            return Err(unknown(name).unwrap_or_else(unused));
        }
    }
    report.models.retain(|it| {
        let quota = &it.quota;
        (usage.names.is_empty() || usage.names.iter().any(|name| is_meant(name, &quota.provider, &quota.model)))
            && (!usage.exhausted || quota.has_route() && quota.state != "ready")
    });
    Ok(report)
}

fn unknown(name: &str, core: &Core) -> Option<Trouble> {
    let entries = standing::entries(core);
    (!entries.iter().any(|entry| entry.is_meant(name))).then(|| standing::unknown(name, core, &entries))
}

fn unreadable(reason: &str) -> Trouble {
    Trouble::new(Exit::Io, format!("the ledger cannot be read: {reason}")).hint("relay doctor looks at the state file")
}

//! Asks the models of which nothing is known: providers side by side, each no faster than it allows.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::{self, FuturesUnordered};

use crate::clock::{later, millis, until};
use crate::relay::{Checked, Condition, Probe};

use super::super::args::{CheckModels, Global, OutputFormat};
use super::super::exit::Trouble;
use super::super::output::Output;
use super::super::setup::Core;
use super::super::table;
use super::progress::Progress;
use super::{Row, Spent, plan, report};

/// What a provider's probes may wait in all for short windows that they filled themselves.
const PATIENCE: Duration = Duration::from_secs(65);

/// A wait that nobody minds.
const SHORT: Duration = Duration::from_secs(2);

pub async fn run(
    core: &Core,
    check: &CheckModels,
    rows: &mut [Row],
    global: &Global,
    output: Output,
) -> Result<(), Trouble> {
    let as_events = table::format(global) == OutputFormat::Ndjson;
    let event = |row: &Row| {
        if !as_events {
            return Ok(());
        }
        output.result(&format!("{}\n", report::event(row)))
    };
    rows.iter().filter(|row| row.checked.is_some()).try_for_each(event)?;
    let mut lanes: Vec<Lane<'_>> = Vec::new();
    for row in rows.iter_mut().filter(|row| row.checked.is_none()) {
        match lanes.iter_mut().find(|lane| lane.provider == row.provider) {
            Some(lane) => lane.rows.push(row),
            None => lanes.push(Lane { provider: row.provider.clone(), rows: vec![row] }),
        }
    }
    if lanes.is_empty() {
        return Ok(());
    }
    let waiting = lanes.iter().map(|lane| (lane.provider.clone(), lane.rows.len(), gap(core, lane)));
    let progress = Progress::new(waiting.collect(), output);
    let done = |row: &Row| {
        progress.done(&row.provider);
        event(row)
    };
    let mut running: FuturesUnordered<_> = lanes.into_iter().map(|lane| lane.run(core, check, &done)).collect();
    while let Some(ended) = running.next().await {
        ended?;
    }
    Ok(())
}

/// The models of one provider that have to be asked.
struct Lane<'r> {
    provider: String,
    rows: Vec<&'r mut Row>,
}

fn gap(core: &Core, lane: &Lane<'_>) -> Duration {
    lane.rows.iter().map(|row| core.relay.probe_gap(&row.name())).max().unwrap_or_default()
}

impl Lane<'_> {
    async fn run(
        self,
        core: &Core,
        check: &CheckModels,
        done: &impl Fn(&Row) -> Result<(), Trouble>,
    ) -> Result<(), Trouble> {
        let gap = gap(core, &self);
        let jobs = if gap.is_zero() { usize::from(check.jobs) } else { 1 };
        let pace = Pace { core, check, gap, waited: std::cell::Cell::new(Duration::ZERO) };
        let mut asked = stream::iter(self.rows).map(|row| pace.ask(row)).buffer_unordered(jobs);
        while let Some(row) = asked.next().await {
            done(row)?;
        }
        Ok(())
    }
}

/// How a provider's models are asked.
struct Pace<'c> {
    core: &'c Core,
    check: &'c CheckModels,
    gap: Duration,
    /// Waited so far for windows to come back.
    waited: std::cell::Cell<Duration>,
}

impl Pace<'_> {
    async fn ask<'r>(&self, row: &'r mut Row) -> &'r Row {
        let (relay, name) = (&self.core.relay, row.name());
        for _ in 0..self.check.repeat {
            let patience = PATIENCE.saturating_sub(self.waited.get()).max(SHORT);
            let start = relay.clock.now();
            if let Some(known) = relay.room_for(&name, patience).await {
                row.checked.get_or_insert(known);
                break;
            }
            self.waited.set(self.waited.get() + until(start, relay.clock.now()));
            let probe = Probe { max_tokens: self.check.max_tokens, timeout: self.check.timeout };
            let checked = relay.probe(&name, probe).await;
            if checked.condition == Condition::Limit {
                // It refuses although its windows have room: waiting for its other models would end the same way.
                self.waited.set(PATIENCE);
            }
            row.at = relay.clock.now();
            row.spent.add(&checked);
            row.first_words.extend(checked.first_event.map(millis));
            let is_healthy = checked.condition == Condition::Pass;
            if checked.sent && !self.gap.is_zero() {
                relay.clock.sleep_until(later(relay.clock.now(), self.gap)).await;
            }
            row.checked = Some(plan::with_key(self.core, &name, checked));
            if !is_healthy {
                break;
            }
        }
        row
    }
}

impl Spent {
    fn add(&mut self, checked: &Checked) {
        let usage = checked.usage.unwrap_or_default();
        self.requests += u64::from(checked.sent);
        self.prompt_tokens += usage.prompt_tokens;
        self.completion_tokens += usage.completion_tokens;
    }
}

//! Builds the core a command works with: settings, simulated or real providers, routes, store.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::catalog::{Overlay, Problem, Status};
use crate::chat::Fault;
use crate::clock::Clock;
use crate::config::{self, Environment, Flags, KeyCommands, Loaded, Routing, Settings, Simulated, StateUse};
use crate::relay::Relay;
use crate::routing::{Account, Fleet, Rejection, Route};
use crate::sim::{Scenario, Simulator};
use crate::store::{self, Memory, Sqlite, Store};
use crate::upstream::{self, Finding, Verified, What};

use super::args::Global;
use super::beside::beside;
use super::exit::{Exit, Trouble};
use super::lacking;
use super::output::Output;

/// Simulated providers behave the same each time, unless a command says otherwise.
pub const SEED: u64 = 7;

/// The core of one command.
pub struct Core {
    pub relay: Arc<Relay>,
    pub settings: Settings,
    /// Kept for as long as its providers are to answer.
    pub simulator: Option<Simulator>,
    /// What the providers said at the start.
    pub findings: Vec<Finding>,
    /// How far this machine's clock is ahead of theirs, where they were asked.
    pub clock_ahead: Option<jiff::SignedDuration>,
    /// Mistakes that cost the providers they are about, and nothing else.
    pub problems: Vec<Problem>,
}

impl Drop for Core {
    fn drop(&mut self) {
        // Whatever the command ends with, what was used has to be known to the next one.
        self.relay.store().flush();
    }
}

/// Whether providers are asked anything before the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    Nothing,
    Everything,
}

pub async fn core(
    global: &Global,
    flags: Flags,
    environment: &Environment,
    output: Output,
    verify: Verify,
) -> Result<Core, Trouble> {
    let simulator = wanted_simulator(global, environment).await?;
    core_over(simulator, flags.with(global), environment, output, verify, Clock::system()).await
}

/// The core as it would be, without asking anybody, and even if nothing is set up. Whoever only looks begins no state.
pub async fn look(global: &Global, flags: Flags, environment: &Environment, output: Output) -> Result<Core, Trouble> {
    look_with(StateUse::Looks, global, flags, environment, output).await
}

/// The same for a command with another use for the state.
pub async fn look_with(
    state: StateUse,
    global: &Global,
    flags: Flags,
    environment: &Environment,
    output: Output,
) -> Result<Core, Trouble> {
    let simulator = wanted_simulator(global, environment).await?;
    let flags = Flags { state, ..flags.with(global) };
    core_even_if_empty(simulator, flags, environment, output, Verify::Nothing, Clock::system()).await
}

/// The core with every provider that `names` mean verified, also if none of them can be used. Without any it is trouble.
pub async fn survey(
    global: &Global,
    flags: Flags,
    environment: &Environment,
    output: Output,
    names: &[String],
) -> Result<Core, Trouble> {
    let simulator = wanted_simulator(global, environment).await?;
    let flags = Flags { providers: names.to_vec(), ..flags.with(global) };
    let verify = Verify::Everything;
    let core = core_even_if_empty(simulator, flags, environment, output, verify, Clock::system()).await?;
    let tells_something = |finding: &Finding| !matches!(finding.what, What::NotRunning { .. });
    let lacks_something = core.settings.incomplete().any(|left_out| names.contains(&left_out.provider));
    if core.relay.fleet.routes.is_empty() && !core.findings.iter().any(tells_something) && !lacks_something {
        return Err(nothing_usable(&core));
    }
    Ok(core)
}

/// What a provider said at the start, as far as its models are concerned.
#[derive(Debug, Default)]
pub struct Said {
    /// All its keys were rejected: their names.
    pub rejected: Option<String>,
    /// Some of its keys were, by name.
    pub some_rejected: Vec<String>,
    /// Models that its list does not name any more.
    pub gone: Vec<String>,
    /// The address at which a local server does not answer.
    pub not_running: Option<String>,
    /// Why it could not be asked.
    pub unverified: Option<String>,
}

pub fn said(core: &Core, provider: &str) -> Said {
    let mut said = Said::default();
    for finding in core.findings.iter().filter(|finding| finding.provider == provider) {
        match &finding.what {
            What::KeysRejected { origins, is_all: true, .. } => said.rejected = Some(origins.join(", ")),
            What::KeysRejected { origins, .. } => said.some_rejected.clone_from(origins),
            What::ModelsGone { models, .. } => said.gone.clone_from(models),
            What::NotRunning { base_url } => said.not_running = Some(base_url.clone()),
            What::Unverified(reason) => said.unverified = Some(reason.clone()),
        }
    }
    said
}

/// Simulated providers, where `--simulate` or `RELAY_SIMULATE` asks for them.
async fn wanted_simulator(global: &Global, environment: &Environment) -> Result<Option<Simulator>, Trouble> {
    // A variable is often set to a mere "yes".
    let variable = environment.get("RELAY_SIMULATE").filter(|_| environment.is_on("RELAY_SIMULATE"));
    let variable = variable.map(|value| if matches!(value, "1" | "true" | "yes" | "on") { "default" } else { value });
    let Some(name) = global.simulate.as_deref().or(variable) else { return Ok(None) };
    let scenario = name.parse().map_err(|error| unknown_scenario(&error))?;
    start_simulator(scenario, SEED, Clock::system()).await.map(Some)
}

pub async fn start_simulator(scenario: Scenario, seed: u64, clock: Clock) -> Result<Simulator, Trouble> {
    Simulator::start(scenario, seed, clock)
        .await
        .map_err(|error| Trouble::new(Exit::Io, format!("the simulated providers do not start: {error}")))
}

pub async fn core_over(
    simulator: Option<Simulator>,
    flags: Flags,
    environment: &Environment,
    output: Output,
    verify: Verify,
    clock: Clock,
) -> Result<Core, Trouble> {
    let core = core_even_if_empty(simulator, flags, environment, output, verify, clock).await?;
    if core.relay.fleet.routes.iter().all(|route| refusal(&core.settings.routing, route).is_some()) {
        return Err(nothing_usable(&core));
    }
    Ok(core)
}

/// A core that may have no route to use, for commands that look at what there is.
pub async fn core_even_if_empty(
    simulator: Option<Simulator>,
    flags: Flags,
    environment: &Environment,
    output: Output,
    verify: Verify,
    clock: Clock,
) -> Result<Core, Trouble> {
    let simulated = simulator.as_ref().map(simulated_providers);
    let Loaded { mut settings, notices, problems, .. } = load(&flags, environment, simulated).await?;
    for notice in notices {
        output.notice(&notice);
    }
    let (findings, clock_ahead) = match verify {
        Verify::Nothing => (Vec::new(), None),
        Verify::Everything => verified(&mut settings, &flags.providers, &clock).await?,
    };
    refuse_mistakes(&problems, &findings)?;
    let fleet = Fleet::new(&settings.accounts);
    let store = open_store(&settings, &fleet, &clock)?;
    let relay = Arc::new(Relay::new(&settings, fleet, store, clock));
    if matches!(verify, Verify::Everything) {
        note_listed(&relay, &flags, &findings);
    }
    Ok(Core { relay, settings, simulator, findings, clock_ahead, problems })
}

/// The settings, read beside the runtime: a `key_cmd` takes its time, and a file may be a pipe.
pub async fn load(
    flags: &Flags,
    environment: &Environment,
    simulated: Option<Vec<Simulated>>,
) -> Result<Loaded, Trouble> {
    let key_commands = KeyCommands::default();
    // Whoever stops waiting, for a signal or for its time, leaves none of them behind.
    let _waiting = key_commands.waiting();
    let (flags, environment) = (Flags { key_commands, ..flags.clone() }, environment.clone());
    beside(move || config::load(&flags, &environment, simulated.as_deref())).await
}

/// Models that their providers' own lists still have are not gone, and keys that they take are good, whatever an attempt was told.
fn note_listed(relay: &Relay, flags: &Flags, findings: &[Finding]) {
    let unclear = |id: &str| findings.iter().any(|finding| finding.provider == id && finding.is_doubt());
    for route in relay.fleet.routes.iter().filter(|route| flags.asks(&route.provider)) {
        let wire = &route.provider.wire;
        if wire.lists_all && !wire.models.is_empty() && !unclear(&route.provider.id) {
            relay.note_listed(route.id);
        }
        let tells_of_keys = wire.key_check.as_ref().unwrap_or(&wire.models);
        if !tells_of_keys.is_empty() && !unclear(&route.provider.id) {
            relay.note_accepted(route.id);
        }
    }
}

fn open_store(settings: &Settings, fleet: &Fleet, clock: &Clock) -> Result<Arc<dyn Store>, Trouble> {
    let Some(path) = &settings.state.file else { return Ok(Arc::new(Memory::new(fleet))) };
    let open = if settings.state.is_only_read { Sqlite::look } else { Sqlite::open };
    let opened = open(path, fleet, settings.state.on_loss, clock.now());
    opened.map(|store| Arc::new(store) as Arc<dyn Store>).map_err(|error| {
        let hint = error.hint.clone();
        Trouble::new(Exit::Io, error.to_string()).hint(hint)
    })
}

/// The file that holds the state a command would work with.
pub async fn kept_state(global: &Global, environment: &Environment, output: Output) -> Result<PathBuf, Trouble> {
    let simulator = wanted_simulator(global, environment).await?;
    let flags = Flags { asks_nobody: true, ..Flags::default() }.with(global);
    let loaded = load(&flags, environment, simulator.as_ref().map(simulated_providers)).await?;
    refuse_mistakes(&loaded.problems, &[])?;
    for problem in &loaded.problems {
        output.notice(&problem.to_string());
    }
    let nothing = |message: &str| Trouble::new(Exit::Usage, message.to_owned());
    let Some(path) = loaded.settings.state.file else {
        return Err(nothing(if simulator.is_some() {
            "simulated providers leave no state, so there is none to forget"
        } else {
            "the state is kept in memory alone, so there is none to forget"
        }));
    };
    if path.exists() { Ok(path) } else { Err(nothing("there is no state to forget")) }
}

/// Forgets the kept state; says where the old one is kept.
pub fn reset_state(path: &Path) -> Result<PathBuf, Trouble> {
    store::reset(path, Clock::system().now())
        .map_err(|error| Trouble::new(Exit::Io, error.to_string()).hint(error.hint.clone()))
}

/// A mistake that is not one provider's own ends the command: relay would not do what it was told.
fn refuse_mistakes(problems: &[Problem], findings: &[Finding]) -> Result<(), Trouble> {
    if problems.iter().all(|problem| problem.provider.is_some()) {
        return Ok(());
    }
    Err(Trouble::of_problems(problems).and_lines(findings.iter().map(finding_line)))
}

/// Asks the providers that `names` mean, or all where there are none.
async fn verified(
    settings: &mut Settings,
    names: &[String],
    clock: &Clock,
) -> Result<(Vec<Finding>, Option<jiff::SignedDuration>), Trouble> {
    let (asked, others): (Vec<_>, Vec<_>) = std::mem::take(&mut settings.accounts)
        .into_iter()
        .partition(|account| names.is_empty() || names.iter().any(|name| account.provider.is_meant(name)));
    let Verified { accounts, findings, clock_ahead } =
        upstream::verify(asked.clone(), &settings.keys, &settings.network, clock.now()).await;
    let rejected = findings.iter().filter_map(|finding| {
        let What::KeysRejected { keys, .. } = &finding.what else { return None };
        let account = asked.iter().find(|account| account.provider.id == finding.provider)?;
        Some(Account { keys: keys.clone(), ..account.clone() })
    });
    note_rejected(settings, &rejected.collect::<Vec<_>>(), clock)?;
    settings.accounts = [accounts, others].concat();
    Ok((findings, clock_ahead))
}

/// Remembers for all processes that these keys are rejected. No route of the command's own core has them any more.
fn note_rejected(settings: &Settings, rejected: &[Account], clock: &Clock) -> Result<(), Trouble> {
    if rejected.is_empty() {
        return Ok(());
    }
    let fleet = Fleet::new(rejected);
    let store = open_store(settings, &fleet, clock)?;
    let relay = Relay::new(settings, fleet, store, clock.clone());
    for route in &relay.fleet.routes {
        relay.note_fault(route.id, None, &Fault::Denied);
    }
    relay.store().flush();
    Ok(())
}

/// `provider: what was found out`.
pub fn finding_line(finding: &Finding) -> String {
    format!("{}: {}", finding.provider, finding.what.text())
}

/// Why the settings refuse a route, whatever is asked of it.
pub fn refusal(routing: &Routing, route: &Route) -> Option<Rejection> {
    match () {
        () if routing.strict_free && route.might_bill() => Some(Rejection::MightBill),
        () if routing.no_training && route.trains() => Some(Rejection::TrainsOnPrompts),
        () => None,
    }
}

fn nothing_usable(core: &Core) -> Trouble {
    let mut lines: Vec<String> = core.problems.iter().map(ToString::to_string).collect();
    lines.extend(core.findings.iter().map(finding_line));
    lines.extend(lacking::refused_providers(&core.settings.routing, &core.relay.fleet));
    if let Some(offline) = lacking::only_away(&core.settings) {
        return offline.and_lines(lines);
    }
    let ways = lacking::not_set_up(&core.settings);
    // A local server that merely does not run is nothing anybody set up.
    let only_silent = core.findings.iter().all(|finding| matches!(finding.what, What::NotRunning { .. }));
    if lines.len() == core.findings.len() && only_silent {
        return ways.and_lines(lines);
    }
    let lines = lines.into_iter().map(|line| format!("  {line}")).chain(ways.lines).collect();
    Trouble { lines, ..Trouble::new(Exit::Config, "no provider can be used".to_owned()) }
}

/// A local server that does not run is no failure of what was set up, and neither is a doubt.
pub fn is_local_matter(finding: &Finding) -> bool {
    finding.is_doubt() || matches!(finding.what, What::NotRunning { .. })
}

/// Local servers that answer now.
pub async fn running_local_servers(core: &Core) -> Vec<String> {
    let local = |account: &&Account| account.provider.status == Status::Local;
    let accounts: Vec<Account> = core.settings.accounts.iter().filter(local).cloned().collect();
    let verified =
        upstream::verify(accounts, &core.settings.keys, &core.settings.network, core.relay.clock.now()).await;
    verified.accounts.into_iter().map(|account| account.provider.id.clone()).collect()
}

/// The size of the state file, where there is one, or what is wrong with it.
pub fn check_state(path: &Path) -> anyhow::Result<Option<u64>> {
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(None) };
    anyhow::ensure!(metadata.is_file(), "it is no file");
    match store::check(path)? {
        None => Ok(Some(metadata.len())),
        Some(damage) => Err(anyhow::Error::msg(damage)),
    }
}

impl Flags {
    /// These with the flags of every command.
    #[must_use]
    pub fn with(self, global: &Global) -> Self {
        Self { config: global.config.clone(), no_config: global.no_config, offline: global.offline, ..self }
    }
}

fn simulated_providers(simulator: &Simulator) -> Vec<Simulated> {
    let providers = simulator.providers().iter();
    providers
        .map(|provider| Simulated {
            catalogue: Overlay {
                id: provider.id.clone(),
                place: format!("simulated {}", provider.id),
                text: provider.catalogue.clone(),
            },
            key: provider.key.clone(),
        })
        .collect()
}

fn unknown_scenario(error: &crate::sim::UnknownScenario) -> Trouble {
    Trouble::new(Exit::Usage, error.to_string())
}

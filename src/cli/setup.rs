//! Builds the core a command works with: settings, simulated or real providers, routes, store.

use std::sync::Arc;

use crate::catalog::{Overlay, Status};
use crate::clock::Clock;
use crate::config::{self, Environment, Flags, Settings, Simulated};
use crate::relay::Relay;
use crate::routing::{Account, Fleet};
use crate::sim::{Scenario, Simulator};
use crate::store::Memory;
use crate::upstream::{Survey, survey};

use super::args::Global;
use super::exit::{Exit, Trouble, Ways};
use super::output::Output;

/// Simulated providers behave the same each time, unless a command says otherwise.
pub const SEED: u64 = 7;

/// The core of one command.
pub struct Core {
    pub relay: Arc<Relay>,
    pub settings: Settings,
    /// Kept for as long as its providers are to answer.
    pub simulator: Option<Simulator>,
    /// Local providers that did not answer.
    pub silent: Vec<String>,
}

/// Whether providers are asked anything before the first request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verify {
    Nothing,
    Local,
}

pub async fn core(
    global: &Global,
    flags: Flags,
    environment: &Environment,
    output: Output,
    verify: Verify,
) -> Result<Core, Trouble> {
    // A variable is often set to a mere "yes".
    let variable = environment.get("RELAY_SIMULATE").filter(|_| environment.is_on("RELAY_SIMULATE"));
    let variable = variable.map(|value| if matches!(value, "1" | "true" | "yes" | "on") { "default" } else { value });
    let scenario = global.simulate.as_deref().or(variable);
    let simulator = match scenario {
        Some(name) => {
            Some(start_simulator(name.parse().map_err(|error| unknown_scenario(&error))?, SEED, Clock::system()).await?)
        }
        None => None,
    };
    core_over(simulator, flags.with(global), environment, output, verify, Clock::system()).await
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
    let simulated = simulator.as_ref().map(simulated_providers);
    let loaded =
        config::load(&flags, environment, simulated.as_deref()).map_err(|problems| Trouble::of_problems(&problems))?;
    for notice in &loaded.notices {
        output.notice(notice);
    }
    let mut settings = loaded.settings;
    let silent = if verify == Verify::Local { ask_locals(&mut settings.accounts).await } else { Vec::new() };
    let fleet = Fleet::new(&settings.accounts);
    if fleet.routes.is_empty() {
        return Err(not_set_up(&settings));
    }
    let store = Arc::new(Memory::new(&fleet));
    let relay = Arc::new(Relay::new(&settings, fleet, store, clock));
    Ok(Core { relay, settings, simulator, silent })
}

/// What to do when nothing is set up, with what the catalogue knows to be free and without a card.
pub fn not_set_up(settings: &Settings) -> Trouble {
    let providers = &settings.catalog.providers;
    let free: Vec<_> = providers
        .iter()
        .filter(|provider| provider.status == Status::Free && provider.card == Some(false))
        .filter_map(|provider| Some((provider, provider.signup.as_ref()?)))
        .collect();
    let page = |(provider, url): &(&crate::catalog::Provider, &String)| {
        format!("{} {}", provider.id, url.trim_start_matches("https://"))
    };
    let local = providers.iter().filter(|provider| provider.status == Status::Local);
    Trouble::not_set_up(&Ways {
        variable: free.first().and_then(|(provider, _)| provider.key_env.first().cloned()),
        sign_up: free.iter().map(page).collect(),
        local: local.map(|provider| provider.name.clone()).collect(),
    })
}

impl Flags {
    fn with(self, global: &Global) -> Self {
        Self { config: global.config.clone(), no_config: global.no_config, ..self }
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

/// Takes the models of local servers that run from these, and the accounts of those that do not. Returns the latter's ids.
async fn ask_locals(accounts: &mut Vec<Account>) -> Vec<String> {
    let (locals, others): (Vec<_>, Vec<_>) =
        accounts.drain(..).enumerate().partition(|(_, account)| account.provider.status == Status::Local);
    let surveys = survey(locals.iter().map(|(_, account)| Arc::clone(&account.provider)).collect()).await;
    let mut silent = Vec::new();
    let mut all = others;
    for ((place, account), survey) in locals.into_iter().zip(surveys) {
        match survey {
            Survey::Silent => silent.push(account.provider.id.clone()),
            Survey::Runs => all.push((place, account)),
            Survey::Has(provider) => all.push((place, Account { provider, ..account })),
        }
    }
    all.sort_by_key(|(place, _)| *place);
    accounts.extend(all.into_iter().map(|(_, account)| account));
    silent
}

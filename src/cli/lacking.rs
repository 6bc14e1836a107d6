//! What to say where no provider can be used: what is missing, and how to get it.

use crate::catalog::{Provider, Status};
use crate::config::{Routing, Settings, Why};
use crate::routing::Fleet;

use super::exit::{Exit, Trouble, Ways};
use super::setup::refusal;

/// Providers that the settings refuse, with why.
pub fn refused_providers(routing: &Routing, fleet: &Fleet) -> Vec<String> {
    let mut lines: Vec<String> = fleet
        .routes
        .iter()
        .filter_map(|route| Some(format!("{}: {}", route.provider.id, refusal(routing, route)?.text())))
        .collect();
    lines.dedup();
    lines
}

/// What to say where providers are set up, and `--offline` forbids to ask them.
pub fn only_away(settings: &Settings) -> Option<Trouble> {
    let message = "nothing may leave this machine, and no provider on it can be used".to_owned();
    let forbidden = || {
        let hint = "start a local server, or leave out --offline (RELAY_OFFLINE)";
        Trouble::new(Exit::Unavailable, message).hint(hint)
    };
    settings.left_out.iter().any(|left_out| left_out.why == Why::Offline).then(forbidden)
}

/// What to do when nothing can be asked: what the catalogue knows to be free and without a card, where nothing is set up.
pub fn not_set_up(settings: &Settings) -> Trouble {
    if let Some(offline) = only_away(settings) {
        return offline;
    }
    let providers = &settings.catalog.providers;
    let free: Vec<_> = providers
        .iter()
        .filter(|provider| provider.status == Status::Free && provider.card == Some(false))
        .filter_map(|provider| Some((provider, provider.signup.as_ref()?)))
        .collect();
    let page =
        |(provider, url): &(&Provider, &String)| format!("{} {}", provider.id, url.trim_start_matches("https://"));
    let local = providers.iter().filter(|provider| provider.status == Status::Local);
    let ways = Trouble::not_set_up(&Ways {
        provider: free.first().map(|(provider, _)| provider.id.clone()),
        sign_up: free.iter().map(page).collect(),
        local: local.map(|provider| provider.name.clone()).collect(),
    });
    let mut incomplete = settings.incomplete().map(|left_out| format!("  {}", left_out.text())).peekable();
    if incomplete.peek().is_none() {
        return ways;
    }
    let lines = incomplete.chain(ways.lines).collect();
    Trouble { lines, ..Trouble::new(Exit::Config, "no provider can be used".to_owned()) }
}

//! Every model with what is known of it before anybody is asked for an answer.

use crate::catalog::{Model, Provider, is_meant};
use crate::relay::{Checked, Condition};

use super::super::args::CheckModels;
use super::super::exit::{Exit, Trouble};
use super::super::setup::{self, Core, Said};
use super::super::standing::{self, Entry};
use super::{Row, Spent};

/// The rows that the names leave, in the catalogue's order.
pub fn rows(core: &Core, check: &CheckModels) -> Result<Vec<Row>, Trouble> {
    let entries = standing::entries(core);
    let young = if check.latency || check.repeat > 1 { Vec::new() } else { answered_lately(core)? };
    let now = core.relay.clock.now();
    let mut rows = Vec::new();
    for known in &core.settings.catalog.providers {
        let said = setup::said(core, &known.id);
        let own = || entries.iter().filter(|entry| entry.provider.id == known.id);
        for model in models(known, own(), &said) {
            let name = format!("{}/{}", known.id, model.id);
            let entry = own().find(|entry| entry.model.id == model.id);
            let lately = || young.iter().find(|(route, _)| **route == *name).map(|(_, checked)| checked.clone());
            let checked = told(known, model, entry, &said)
                .or_else(|| core.relay.known_condition(&name))
                .or_else(|| check.list_only.then(|| listed(known, &said)))
                .or_else(lately);
            rows.push(Row {
                provider: known.id.clone(),
                model: model.id.clone(),
                checked: checked.map(|checked| with_key(core, &name, checked)),
                at: now,
                first_words: Vec::new(),
                spent: Spent::default(),
            });
        }
    }
    choose(rows, core, &entries, &check.names)
}

fn answered_lately(core: &Core) -> Result<Vec<(std::sync::Arc<str>, Checked)>, Trouble> {
    core.relay
        .answered_lately()
        .map_err(|reason| Trouble::new(Exit::Io, format!("the ledger cannot be read: {reason}")))
}

/// The provider's models as they are used now, and those that its list names no more.
fn models<'m>(known: &'m Provider, entries: impl Iterator<Item = &'m Entry<'m>>, said: &Said) -> Vec<&'m Model> {
    let mut models: Vec<&Model> = entries.map(|entry| entry.model).collect();
    let missing = |model: &&Model| said.gone.contains(&model.id);
    for model in known.models.iter().filter(missing) {
        if !models.iter().any(|there| there.id == model.id) {
            models.push(model);
        }
    }
    models
}

/// What is known without a route: the provider is not set up, its key is bad, its list lacks the model.
fn told(known: &Provider, model: &Model, entry: Option<&Entry<'_>>, said: &Said) -> Option<Checked> {
    let skip = |reason: &str, detail: String| Some(Checked::new(Condition::Skip, reason, detail));
    if !model.chats() {
        return skip("no_chat", "relay answers chats alone".to_owned());
    }
    if let Some(origins) = &said.rejected {
        return Some(Checked::new(Condition::Auth, "key_rejected", format!("{origins} rejected")));
    }
    if let Some(base_url) = &said.not_running {
        return skip("not_running", format!("not running at {base_url}"));
    }
    if said.gone.contains(&model.id) {
        return Some(Checked::new(Condition::Gone, "model_gone", "not on its provider's list any more".to_owned()));
    }
    let state = &entry?.state;
    let is_set_up = state.usable || state.until.is_some() || matches!(state.word, "gone" | "bad key" | "limited");
    match state.word {
        _ if is_set_up => None,
        "no key" => skip("no_key", "no key".to_owned()),
        word => skip(&word.replace(' ', "_"), state.reason.clone().unwrap_or_else(|| known.status.word().to_owned())),
    }
}

/// What `--list-only` makes of a model that nothing speaks against.
fn listed(known: &Provider, said: &Said) -> Checked {
    match &said.unverified {
        Some(reason) => Checked::new(Condition::Down, "unverified", reason.clone()),
        None if known.wire.models.is_empty() => {
            Checked::new(Condition::Skip, "no_list", "its provider has no model list".to_owned())
        }
        None => Checked::new(Condition::Pass, "listed", "on its provider's list".to_owned()),
    }
}

/// A rejected key is told by its name, so that one knows which to replace.
pub fn with_key(core: &Core, name: &str, mut checked: Checked) -> Checked {
    let route = core.relay.fleet.routes.iter().find(|route| *route.name == *name);
    let origin = route.and_then(|route| Some(&core.settings.keys[route.key?.place].origin));
    if checked.condition == Condition::Auth
        && let (Some(origin), Some(detail)) = (origin, &mut checked.detail)
        && detail.ends_with("key rejected")
    {
        *detail = detail.replace("key rejected", &format!("{origin} rejected"));
    }
    checked
}

fn choose(rows: Vec<Row>, core: &Core, entries: &[Entry<'_>], names: &[String]) -> Result<Vec<Row>, Trouble> {
    let is_named = |row: &Row, name: &str| is_meant(name, &row.provider, &row.model);
    for name in names {
        if !rows.iter().any(|row| is_named(row, name)) {
            return Err(standing::unknown(name, core, entries));
        }
    }
    Ok(rows.into_iter().filter(|row| names.is_empty() || names.iter().any(|name| is_named(row, name))).collect())
}

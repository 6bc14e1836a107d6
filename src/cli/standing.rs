//! Where every model of the catalogue stands: usable now, or why not.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::catalog::reader::close;
use crate::catalog::{Model, Provider, Status, is_meant};
use crate::config::{LeftOut, Routing};
use crate::quota::Limit;
use crate::routing::{Rejection, Route, RouteId};

use super::exit::{Exit, Trouble};
use super::setup::{Core, refusal};

/// A model, and what can be done with it now.
#[derive(Debug)]
pub struct Entry<'a> {
    pub provider: &'a Provider,
    pub model: &'a Model,
    pub state: State,
}

/// Whether something can be used now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    pub usable: bool,
    pub word: &'static str,
    /// Why it cannot be used, what would have to be done, or with what reserve it is used.
    pub reason: Option<String>,
    /// From when on it can, where that is known.
    pub until: Option<Timestamp>,
}

impl State {
    fn usable(word: &'static str, remark: &str) -> Self {
        Self { usable: true, word, reason: Some(remark.to_owned()), until: None }
    }

    fn unusable(word: &'static str, reason: String) -> Self {
        Self { usable: false, word, reason: Some(reason), until: None }
    }

    fn of_left_out(left_out: &LeftOut) -> Self {
        Self::unusable(left_out.why.word(), left_out.why.remedy())
    }

    fn of_route(routing: &Routing, route: &Route, rejection: Option<Rejection>) -> Self {
        let Some(rejection) = refusal(routing, route).or(rejection) else {
            return match route.provider.status {
                Status::Paid => Self::usable("paid", "asked after every free route"),
                Status::Local => Self::usable("local", "used when its server runs"),
                _ => Self { usable: true, word: "ready", reason: None, until: None },
            };
        };
        Self { usable: false, word: rejection.state(), reason: Some(rejection.text()), until: rejection.until() }
    }
}

/// Every model of every provider that is not switched off, in the catalogue's order.
pub fn entries(core: &Core) -> Vec<Entry<'_>> {
    let standing = core.relay.standing_by_model();
    let mut entries = Vec::new();
    for known in &core.settings.catalog.providers {
        let account = core.settings.accounts.iter().find(|account| account.provider.id == known.id);
        let provider = account.map_or(known, |account| account.provider.as_ref());
        let left_out = core.settings.left_out.iter().find(|left_out| left_out.provider == known.id);
        for model in &provider.models {
            let state = match left_out {
                Some(left_out) => State::of_left_out(left_out),
                None if !model.chats() => State::unusable("no chat", "relay answers chats alone".to_owned()),
                None => of_model(core, &standing, provider, model),
            };
            entries.push(Entry { provider, model, state });
        }
    }
    entries
}

fn of_model(core: &Core, standing: &[(RouteId, Option<Rejection>)], provider: &Provider, model: &Model) -> State {
    let mut routes = standing.iter().map(|(id, rejection)| (core.relay.fleet.route(*id), rejection));
    let own = routes.find(|(route, _)| route.provider.id == provider.id && route.model.id == model.id);
    own.map_or_else(
        || State::unusable("no route", "it has no route".to_owned()),
        |(route, rejection)| State::of_route(&core.settings.routing, route, rejection.clone()),
    )
}

/// A name that no provider and no model has, with what it may have meant.
pub fn unknown(name: &str, core: &Core, all: &[Entry<'_>]) -> Trouble {
    if let Some(left_out) = core.settings.left_out.iter().find(|left_out| left_out.provider == name) {
        let message = format!("`{name}` is {}: {}", left_out.why.word(), left_out.why.remedy());
        return Trouble::new(Exit::Usage, message);
    }
    let names = all.iter().flat_map(|entry| {
        let (provider, model) = (&entry.provider.id, &entry.model.id);
        [provider.clone(), model.clone(), format!("{provider}/{model}")]
    });
    let names: Vec<String> = names.collect();
    let trouble = Trouble::new(Exit::Usage, format!("there is no provider or model `{name}`"));
    match close(name, names.iter().map(String::as_str)) {
        Some(hint) => trouble.hint(hint),
        None => trouble,
    }
}

impl Entry<'_> {
    /// Whether a person who types this name means it, or its provider.
    pub fn is_meant(&self, name: &str) -> bool {
        is_meant(name, &self.provider.id, &self.model.id)
    }

    pub fn types(&self) -> Vec<&'static str> {
        self.model.types.iter().map(|kind| kind.word()).collect()
    }

    pub fn to_json(&self) -> Value {
        let Self { provider, model, state } = self;
        let limits = provider.limits.iter().chain(&model.limits).map(limit).collect::<Vec<_>>();
        json!({
            "provider": provider.id,
            "model": model.id,
            "usable": state.usable,
            "state": state.word,
            "reason": state.reason,
            "available_at": state.until.map(|until| until.to_string()),
            "types": self.types(),
            "scale": model.scale.word(),
            "context_length": model.context,
            "features": model.features.words(),
            "cost": provider.status.word(),
            "hard_stop": provider.hard_stop,
            "trains": provider.trains.word(),
            "card": provider.card,
            "checked": provider.checked.map(|date| date.to_string()),
            "limits": limits,
        })
    }
}

fn limit(limit: &Limit) -> Value {
    json!({
        "kind": limit.kind.word(),
        "period": limit.period.word(),
        "limit": limit.kind.shown(limit.amount),
        "scope": limit.scope.word(),
        "source": limit.source.word(),
        "evidence": limit.evidence.as_ref().map(|it| json!({ "url": it.url, "at": it.at.to_string() })),
    })
}

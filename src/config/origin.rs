//! Every setting as it is in force, and where its value comes from.

use std::time::Duration;

use http::HeaderValue;
use serde_json::{Value, json};
use toml_edit::DocumentMut;

use crate::routing::Strategy;
use crate::store::OnLoss;
use crate::style::StyleMode;

use super::environment::Environment;
use super::file::HEDGE;
use super::load::Loaded;
use super::settings::Settings;

/// One setting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// `table.key`.
    pub key: String,
    /// As it would stand in `config.toml`.
    pub value: String,
    /// `default`, a variable, or the file.
    pub origin: String,
}

impl Shown {
    /// The value as JSON has it: a number, a boolean, a text, a list.
    pub fn to_json(&self) -> Value {
        // What cannot be read as TOML is a mistake of the file, told elsewhere; here it is shown as it stands.
        self.value.parse().map_or_else(|_| json!(self.value), |value| json_of(&value))
    }
}

fn json_of(value: &toml_edit::Value) -> Value {
    match value {
        toml_edit::Value::Integer(number) => json!(number.value()),
        toml_edit::Value::Float(number) => json!(number.value()),
        toml_edit::Value::Boolean(is) => json!(is.value()),
        toml_edit::Value::Array(array) => array.iter().map(json_of).collect(),
        toml_edit::Value::String(text) => json!(text.value()),
        other => json!(other.to_string().trim()),
    }
}

/// The settings in the order of the documentation, then what the file says of single providers.
pub fn shown(loaded: &Loaded, environment: &Environment) -> Vec<Shown> {
    let Loaded { settings, file, .. } = loaded;
    // One that is no TOML has been complained about by whoever loaded the settings.
    let document: DocumentMut = file.text.parse().unwrap_or_default();
    let origin = |key: &str, variable: Option<&str>| {
        let (table, key) = key.split_once('.').unwrap_or(("", key));
        match variable.filter(|variable| environment.get(variable).is_some()) {
            Some(variable) => variable.to_owned(),
            None if document.get(table).and_then(|table| table.get(key)).is_some() => file.place.clone(),
            None => "default".to_owned(),
        }
    };
    let mut all: Vec<Shown> = [values(settings), conversation(settings), state(settings)]
        .concat()
        .into_iter()
        .map(|(key, value, variable)| Shown { key: key.to_owned(), value, origin: origin(key, variable) })
        .collect();
    let providers = document.get("providers").and_then(|item| item.as_table_like());
    for (id, item) in providers.into_iter().flat_map(toml_edit::TableLike::iter) {
        for (key, value) in item.as_table_like().into_iter().flat_map(toml_edit::TableLike::iter) {
            // A command may hold more than a person wants on a screen that is shared.
            let value = if key == "key_cmd" { "\"…\"".to_owned() } else { value.to_string().trim().to_owned() };
            all.push(Shown { key: format!("providers.{id}.{key}"), value, origin: file.place.clone() });
        }
    }
    all
}

fn values(settings: &Settings) -> Vec<(&'static str, String, Option<&'static str>)> {
    let Settings { server, routing, timeouts, .. } = settings;
    vec![
        ("server.host", text(&server.host.to_string()), Some("RELAY_HOST")),
        ("server.port", server.port.to_string(), Some("RELAY_PORT")),
        ("server.drain", duration(server.drain), None),
        ("server.max_body", text(&size(server.max_body)), None),
        ("server.max_requests", server.max_requests.to_string(), None),
        ("server.max_waiting", server.max_waiting.to_string(), None),
        ("server.cors", texts(&server.cors), None),
        ("routing.strategy", text(word(routing.strategy, &Strategy::NAMES)), None),
        ("routing.model_strategy", text(word(routing.model_strategy, &Strategy::NAMES)), None),
        ("routing.max_wait", duration(routing.max_wait), None),
        ("routing.max_attempts", routing.max_attempts.to_string(), None),
        ("routing.strict_free", routing.strict_free.to_string(), None),
        ("routing.keyless", routing.keyless.to_string(), None),
        ("routing.no_training", routing.no_training.to_string(), None),
        ("routing.hedge", text(word(routing.hedge, &HEDGE)), None),
        ("timeouts.connect", duration(timeouts.connect), None),
        ("timeouts.first_event", duration(timeouts.first_event), None),
        ("timeouts.idle", duration(timeouts.idle), None),
        ("timeouts.deadline", duration(timeouts.deadline), None),
    ]
}

fn conversation(settings: &Settings) -> Vec<(&'static str, String, Option<&'static str>)> {
    let Settings { context, voice, sessions, .. } = settings;
    let limits = &context.limits;
    vec![
        ("context.mode", text(limits.mode.word()), None),
        ("context.static_recent_keep", limits.static_recent_keep.to_string(), None),
        ("context.dynamic_utilization_target", limits.dynamic.utilization_target.to_string(), None),
        ("context.dynamic_min_utilization", limits.dynamic.min_utilization.to_string(), None),
        ("context.dynamic_max_boost", limits.dynamic.max_boost.to_string(), None),
        ("context.reservoir_recent_keep", limits.reservoir_recent_keep.to_string(), None),
        ("context.reservoir_summary_budget", limits.reservoir_summary_budget.to_string(), None),
        ("context.answer_reserve", context.answer_reserve.to_string(), None),
        ("style.mode", text(word(voice.mode, &StyleMode::NAMES)), None),
        ("style.normalize", voice.normalize.to_string(), None),
        ("style.directive", text(&voice.directive), None),
        ("style.continue_cut_streams", voice.continue_cut_streams.to_string(), None),
        ("session.enabled", sessions.enabled.to_string(), None),
        ("session.header", text(sessions.header.as_str()), None),
        ("session.ttl", duration(sessions.ttl), None),
        ("session.max_sessions", sessions.max_sessions.to_string(), None),
    ]
}

fn state(settings: &Settings) -> Vec<(&'static str, String, Option<&'static str>)> {
    let on_loss = word(settings.state.on_loss, &OnLoss::NAMES);
    let url = settings.state.file.as_ref().map_or("memory".to_owned(), |path| format!("sqlite:{}", path.display()));
    vec![("state.url", text(&url), None), ("state.on_loss", text(on_loss), None)]
}

fn text(text: &str) -> String {
    format!("{text:?}")
}

fn texts(values: &[HeaderValue]) -> String {
    let values: Vec<String> = values.iter().map(|value| text(&String::from_utf8_lossy(value.as_bytes()))).collect();
    format!("[{}]", values.join(", "))
}

fn word<T: Copy + PartialEq>(value: T, names: &[(&'static str, T)]) -> &'static str {
    names.iter().find(|(_, named)| *named == value).map_or("", |(name, _)| name)
}

/// As the file would say it: in the largest unit that loses nothing.
fn duration(time: Duration) -> String {
    let millis = time.as_millis();
    let (amount, unit) = match millis {
        millis if millis % 3_600_000 == 0 && millis > 0 => (millis / 3_600_000, "h"),
        millis if millis % 60_000 == 0 && millis > 0 => (millis / 60_000, "m"),
        millis if millis % 1_000 == 0 => (millis / 1_000, "s"),
        millis => (millis, "ms"),
    };
    let text = format!("{amount}{unit}");
    format!("\"{text}\"")
}

fn size(bytes: usize) -> String {
    const MIB: usize = 1 << 20;
    if bytes.is_multiple_of(MIB) { format!("{}MiB", bytes / MIB) } else { format!("{bytes}B") }
}

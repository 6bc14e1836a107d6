//! A simulated provider as the text of a catalogue file.

use std::fmt::Write as _;

use serde_json::Value;

use crate::catalog::Catalog;

use super::limit::{Limit, Unit};
use super::persona::Persona;
use super::spec::{ModelSpec, ProviderSpec, UsageAt};
use crate::chat::Period;

/// The environment variable that holds the key of provider `id`.
pub(super) fn key_env(id: &str) -> String {
    format!("{}_API_KEY", id.to_uppercase().replace('-', "_"))
}

/// The file, with `base_url` where the provider really listens.
pub(super) fn catalogue(spec: &ProviderSpec, base_url: &str) -> String {
    let shipped = Shipped::of(spec.persona);
    let mut file = String::new();
    for (field, value) in [
        ("name", quoted(&format!("Simulated {}", spec.id.trim_start_matches("sim-")))),
        ("dialect", quoted(spec.persona.map_or("openai", Persona::dialect))),
        ("base_url", quoted(base_url)),
        ("key_env", array(&[key_env(&spec.id)])),
        ("status", quoted("free")),
        ("prefill", shipped.field("prefill").unwrap_or_else(|| quoted("assistant"))),
        ("terms", quoted("simulated, no model behind it")),
        ("card", "false".to_owned()),
        ("hard_stop", "true".to_owned()),
        ("trains", quoted("no")),
    ] {
        line(&mut file, field, &value);
    }
    if let Some(first_event) = shipped.field("first_event") {
        line(&mut file, "first_event", &first_event);
    }
    file.push_str(&shipped.wire());
    if spec.persona.is_none() {
        file.push_str(&own_wire(spec));
    }
    for (limit, amount) in documented(&spec.limits) {
        file.push_str("\n[[limit]]\n");
        line(&mut file, limit.unit.word(), &amount.to_string());
        line(&mut file, "per", &quoted(limit.period.word()));
        line(&mut file, "scope", &quoted("key"));
        if let Some(resets) = resets(limit) {
            line(&mut file, "resets", &quoted(resets));
        }
    }
    for model in &spec.models {
        write_model(&mut file, model);
    }
    file
}

/// The shipped file of the provider that is impersonated; empty for others.
struct Shipped {
    text: &'static str,
    dialect: &'static str,
}

impl Shipped {
    fn of(persona: Option<Persona>) -> Self {
        let text = persona.and_then(|persona| Catalog::shipped_text(persona.id()));
        Self { text: text.unwrap_or_default(), dialect: persona.map_or("openai", Persona::dialect) }
    }

    /// The value of a field of the provider itself, as it is written.
    fn field(&self, name: &str) -> Option<String> {
        let head = self.text.split("\n[").next().unwrap_or_default();
        let mut fields = head.lines().filter_map(|line| line.split_once('='));
        let (_, value) = fields.find(|(field, _)| field.trim() == name)?;
        Some(value.split(" #").next().unwrap_or(value).trim().to_owned())
    }

    /// The `[wire]` table as it stands there, unless the file is about another of the provider's surfaces.
    fn wire(&self) -> String {
        if self.field("dialect") != Some(quoted(self.dialect)) {
            return String::new();
        }
        let after = self.text.split_once("\n[wire]\n").map_or("", |(_, after)| after);
        let table: Vec<&str> = after.lines().take_while(|line| !line.starts_with('[')).collect();
        if table.is_empty() { String::new() } else { format!("\n[wire]\n{}\n", table.join("\n")) }
    }
}

/// The `[wire]` of a provider that is nobody's likeness: where its usage stands, and what its bare rate header counts.
fn own_wire(spec: &ProviderSpec) -> String {
    let mut table = "\n[wire]\n".to_owned();
    if spec.usage_at == UsageAt::XGroq {
        line(&mut table, "usage_at", &quoted("x_groq.usage"));
        line(&mut table, "error_at", &quoted("x_groq.error"));
    }
    let limits = spec.limits.iter().chain(spec.models.iter().flat_map(|model| &model.limits));
    let longest = limits.filter(|limit| limit.unit == Unit::Requests).map(|limit| limit.period).max();
    if let Some(period) = longest.filter(|_| spec.rate_headers) {
        line(&mut table, "requests_header", &quoted(period.word()));
    }
    table
}

fn write_model(file: &mut String, model: &ModelSpec) {
    file.push_str("\n[[model]]\n");
    line(file, "id", &quoted(&model.id));
    line(file, "types", &array(&model.types));
    line(file, "scale", &quoted(&model.scale));
    line(file, "context", &model.context.to_string());
    line(file, "features", &array(&model.features));
    let limits: Vec<String> = documented(&model.limits)
        .map(|(limit, amount)| {
            let resets = resets(limit).map(|resets| format!(", resets = {}", quoted(resets))).unwrap_or_default();
            format!("{{ {} = {amount}, per = {}{resets} }}", limit.unit.word(), quoted(limit.period.word()))
        })
        .collect();
    if !limits.is_empty() {
        line(file, "limits", &format!("[{}]", limits.join(", ")));
    }
}

fn documented(limits: &[Limit]) -> impl Iterator<Item = (&Limit, u64)> {
    limits.iter().filter_map(|limit| limit.documented.map(|amount| (limit, amount)))
}

/// Only what differs from the default of the period is written.
fn resets(limit: &Limit) -> Option<&'static str> {
    (limit.rolling && limit.period >= Period::Day).then_some("rolling")
}

fn line(file: &mut String, field: &str, value: &str) {
    writeln!(file, "{field} = {value}").expect("a String takes all text");
}

fn array(items: &[String]) -> String {
    let items: Vec<String> = items.iter().map(|item| quoted(item)).collect();
    format!("[{}]", items.join(", "))
}

/// A JSON string is also a TOML basic string.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use toml_edit::DocumentMut;

    use super::*;

    #[test]
    fn the_file_is_toml_and_keeps_quiet_about_undocumented_limits() {
        let spec = ProviderSpec::new("sim-alpha")
            .usage_at(UsageAt::XGroq)
            .limit(Limit::requests(2, Period::Minute).documented_as(30))
            .limit(Limit::tokens(7, Period::Hour).undocumented())
            .model(
                ModelSpec::new("sim-a")
                    .limit(Limit::requests(1000, Period::Day).rolling())
                    .limit(Limit::tokens(9, Period::Month)),
            );
        let file: DocumentMut = catalogue(&spec, "http://127.0.0.1:1/sim-alpha/v1").parse().expect("valid TOML");
        assert_eq!(file["key_env"][0].as_str(), Some("SIM_ALPHA_API_KEY"));
        assert_eq!(file["wire"]["usage_at"].as_str(), Some("x_groq.usage"));
        assert_eq!(file["limit"].as_array_of_tables().map(toml_edit::ArrayOfTables::len), Some(1));
        assert_eq!(file["limit"][0]["requests"].as_integer(), Some(30));
        assert_eq!(file["model"][0]["limits"][0]["resets"].as_str(), Some("rolling"));
        assert!(file["model"][0]["limits"][1].get("resets").is_none());
    }
}

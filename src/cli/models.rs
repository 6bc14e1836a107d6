//! `relay models`: the catalogue as it stands, without asking anybody.

use serde_json::{Value, json};

use crate::catalog::Provider;
use crate::config::{Environment, Flags};

use super::args::{Global, Models, OutputFormat};
use super::exit::Trouble;
use super::numbers::short;
use super::offer::training;
use super::output::{Output, bold, dim};
use super::setup::{self, Core};
use super::standing::{Entry, entries, unknown};
use super::table::{self, cut};

const HEADER: [&str; 11] =
    ["provider", "model", "state", "types", "scale", "context", "features", "cost", "bills", "trains", "reason"];

pub async fn run(models: &Models, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let (keyless, strict_free) = (models.keyless, models.strict_free);
    let flags = Flags { keyless, strict_free, asks_nobody: true, ..Flags::default() };
    let core = setup::look(global, flags, environment, output).await?;
    for problem in &core.problems {
        output.notice(&problem.to_string());
    }
    let all = entries(&core);
    let chosen = choose(models, &core, &all)?;
    let is_narrowed = models.all || !models.names.is_empty();
    let text = match table::format(global) {
        OutputFormat::Table => human(&core, &chosen, is_narrowed),
        OutputFormat::Plain | OutputFormat::Line => table::plain(&rows(&chosen)),
        OutputFormat::Csv => table::csv(HEADER, &rows(&chosen)),
        OutputFormat::Ndjson => table::ndjson(&documents(&chosen)),
        OutputFormat::Json => format!("{}\n", document(&core, &chosen)),
    };
    if chosen.is_empty() {
        output.notice("no model that relay knows is of this type and scale");
    }
    output.result(&text)?;
    if !is_narrowed && chosen.iter().any(|entry| !entry.state.usable) {
        let more = "relay models --all lists every model, relay models PROVIDER those of one";
        output.notice(&dim(&table::complaint(more, 2)));
    }
    Ok(())
}

/// The entries that names, type and scale leave.
fn choose<'e>(models: &Models, core: &Core, all: &'e [Entry<'e>]) -> Result<Vec<&'e Entry<'e>>, Trouble> {
    for name in &models.names {
        if !all.iter().any(|entry| entry.is_meant(name)) {
            return Err(unknown(name, core, all));
        }
    }
    let is_wanted = |entry: &&Entry<'_>| {
        (models.names.is_empty() || models.names.iter().any(|name| entry.is_meant(name)))
            && models.model_type.is_none_or(|kind| entry.model.is_a(kind))
            && models.scale.is_none_or(|scale| entry.model.scale == scale)
    };
    Ok(all.iter().filter(is_wanted).collect())
}

fn document(core: &Core, entries: &[&Entry<'_>]) -> Value {
    let left_out = core.settings.left_out.iter().map(|left_out| {
        json!({ "provider": left_out.provider, "state": left_out.why.word(), "reason": left_out.why.remedy() })
    });
    json!({ "schema": "relay.models/1", "models": documents(entries), "left_out": left_out.collect::<Vec<_>>() })
}

fn documents(entries: &[&Entry<'_>]) -> Vec<Value> {
    entries.iter().map(|entry| entry.to_json()).collect()
}

fn rows(entries: &[&Entry<'_>]) -> Vec<[String; 11]> {
    let row = |entry: &&Entry<'_>| {
        let Entry { provider, model, state } = entry;
        [
            provider.id.clone(),
            model.id.clone(),
            state.word.to_owned(),
            entry.types().join(" "),
            model.scale.word().to_owned(),
            model.context.to_string(),
            model.features.words().join(" "),
            provider.status.word().to_owned(),
            if provider.hard_stop { "never" } else { "may" }.to_owned(),
            provider.trains.word().to_owned(),
            state.reason.clone().unwrap_or_default(),
        ]
    };
    entries.iter().map(row).collect()
}

/// Models grouped by provider; providers without a usable model in a line each, unless all are wanted.
fn human(core: &Core, entries: &[&Entry<'_>], all: bool) -> String {
    let groups: Vec<&[&Entry<'_>]> = entries.chunk_by(|a, b| a.provider.id == b.provider.id).collect();
    let (shown, folded): (Vec<_>, Vec<_>) =
        groups.into_iter().partition(|group| all || group.iter().any(|entry| entry.state.usable));
    let layout = Layout::of(&shown);
    let entries_shown = shown.iter().flat_map(|group| group.iter()).map(|entry| layout.line(entry));
    let mut lines = table::folded(std::iter::once(layout.header()).chain(entries_shown).collect()).into_iter();
    let mut text = lines.next().filter(|_| !shown.is_empty()).map(|header| header + "\n").unwrap_or_default();
    for group in &shown {
        let provider = group[0].provider;
        let headline = format!("{}  {}", bold(&provider.id), dim(&about(provider)));
        text.push_str(&(table::wrapped(&headline, 2) + "\n"));
        text.extend(lines.by_ref().take(group.len()).map(|line| line + "\n"));
    }
    if !folded.is_empty() || (!all && !core.settings.left_out.is_empty()) {
        text.push_str(&left_out(core, &folded));
    }
    let usable = entries.iter().filter(|entry| entry.state.usable).count();
    let providers = shown.iter().filter(|group| group.iter().any(|entry| entry.state.usable)).count();
    let providers = table::counted(providers, "provider");
    let total = format!("{usable} of {} can be used now, {providers}", table::counted(entries.len(), "model"));
    format!("{text}\n{}\n", table::wrapped(&total, 2))
}

/// What a provider costs, and what it does with prompts.
fn about(provider: &Provider) -> String {
    let bills = if provider.hard_stop { "never bills" } else { "may bill" };
    format!("{}, {bills}, {}", provider.status.word(), training(provider))
}

fn left_out(core: &Core, folded: &[&[&Entry<'_>]]) -> String {
    let mut rows: Vec<[String; 4]> = folded
        .iter()
        .map(|group| {
            let state = &group[0].state;
            let reason = state.reason.clone().unwrap_or_default();
            [group[0].provider.id.clone(), group.len().to_string(), state.word.to_owned(), reason]
        })
        .collect();
    for left_out in &core.settings.left_out {
        if core.settings.catalog.provider(&left_out.provider).is_none() {
            rows.push([
                left_out.provider.clone(),
                "-".to_owned(),
                left_out.why.word().to_owned(),
                left_out.why.remedy(),
            ]);
        }
    }
    let header = ["PROVIDER", "MODELS", "STATE", "WHAT TO DO"];
    format!("\n{}\n{}", bold("Not usable now"), table::human(header, rows, &[1]))
}

/// Columns that fit the terminal: a model's id and its features are cut before anything else.
struct Layout {
    model: usize,
    state: usize,
    types: usize,
    features: usize,
    wide: bool,
}

impl Layout {
    fn of(groups: &[&[&Entry<'_>]]) -> Self {
        /// Scale, context, and the gaps between all columns.
        const FIXED: usize = 2 + 2 + 2 + 2 + 6 + 2 + 7 + 2;
        /// A model's first type.
        const MAIN_TYPE: usize = 6;
        let wide = table::is_wide();
        let longest = |of: fn(&Entry<'_>) -> usize, least: usize| {
            groups.iter().flat_map(|group| group.iter()).map(|entry| of(entry)).fold(least, usize::max)
        };
        let state = longest(|entry| entry.state.word.len(), 5);
        let room = usize::from(table::width()).saturating_sub(FIXED + MAIN_TYPE + state);
        let model = longest(|entry| entry.model.id.len(), 5).min(room.saturating_sub(14).max(20));
        // All types of a model take what its other columns leave.
        let spare = room.saturating_sub(model + longest(|entry| entry.model.features.words().join(" ").len(), 8));
        let types = if wide {
            longest(|entry| entry.types().join(" ").len(), MAIN_TYPE).min(MAIN_TYPE + spare)
        } else {
            MAIN_TYPE
        };
        Self { model, state, types, features: (room + MAIN_TYPE).saturating_sub(model + types).max(8), wide }
    }

    fn header(&self) -> String {
        self.row("MODEL", "STATE", if self.wide { "TYPES" } else { "TYPE" }, "SCALE", "CONTEXT", "FEATURES")
    }

    fn line(&self, entry: &Entry<'_>) -> String {
        let types = entry.types();
        let types = if self.wide { types.join(" ") } else { types[0].to_owned() };
        let (scale, features) = (entry.model.scale.word(), entry.model.features.words().join(" "));
        self.row(&entry.model.id, entry.state.word, &types, scale, &short(entry.model.context), &features)
    }

    fn row(&self, model: &str, state: &str, types: &str, scale: &str, context: &str, features: &str) -> String {
        let (model_width, state_width, types_width) = (self.model, self.state, self.types);
        let (model, types, features) = (cut(model, model_width), cut(types, types_width), cut(features, self.features));
        let line = format!(
            "  {model:model_width$}  {state:state_width$}  {types:types_width$}  {scale:6}  {context:>7}  {features}"
        );
        line.trim_end().to_owned()
    }
}

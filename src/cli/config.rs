//! `relay config`: where relay's files are, and what they come to.

use serde_json::{Value, json};

use crate::config::{self, Environment, Flags, Loaded, Paths};

use super::args::{Config, ConfigAction, Global, OutputFormat};
use super::exit::{Exit, Trouble};
use super::output::{Output, dim};
use super::table;

pub fn run(config: &Config, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    match config.action {
        ConfigAction::Path => path(global, environment, output),
        ConfigAction::Show { origin } => show(origin, global, environment, output),
    }
}

fn path(global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let paths = Paths::of(environment).ok_or_else(|| {
        Trouble::new(Exit::Config, "there is no home for relay's files".to_owned()).hint("set HOME or RELAY_HOME")
    })?;
    let named = global.config.clone().or_else(|| environment.get("RELAY_CONFIG").map(Into::into));
    let config = named.unwrap_or(paths.config);
    let state = settings(global, environment, output).settings.state.file;
    let mut rows = vec![("config", config), ("keys", paths.keys), ("limits", paths.limits)];
    // With `url = "memory"` there is none.
    rows.extend(state.map(|state| ("state", state)));
    let rows: Vec<[String; 2]> =
        rows.into_iter().map(|(what, path)| [what.to_owned(), path.display().to_string()]).collect();
    let document: Value =
        rows.iter().map(|[what, path]| (what.clone(), json!(path))).collect::<serde_json::Map<_, _>>().into();
    output.result(&match table::format(global) {
        OutputFormat::Json | OutputFormat::Ndjson => {
            format!("{}\n", json!({ "schema": "relay.config-path/1", "paths": document }))
        }
        OutputFormat::Csv => table::csv(["what", "path"], &rows),
        OutputFormat::Plain | OutputFormat::Line => table::plain(&rows),
        OutputFormat::Table => {
            rows.iter().map(|[what, path]| dim(&format!("{what:<6}")) + "  " + path + "\n").collect()
        }
    })
}

/// The settings. Mistakes are told: what is shown in their place are defaults.
fn settings(global: &Global, environment: &Environment, output: Output) -> Loaded {
    let flags = Flags { asks_nobody: true, ..Flags::default() }.with(global);
    let loaded = config::load(&flags, environment, None);
    if !loaded.problems.is_empty() {
        output.notice(&Trouble::of_problems(&loaded.problems).lines.join("\n"));
    }
    loaded
}

fn show(origin: bool, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let loaded = settings(global, environment, output);
    let shown = config::shown(&loaded, environment);
    let rows: Vec<[String; 3]> = shown.iter().map(|it| [it.key.clone(), it.value.clone(), it.origin.clone()]).collect();
    let document = |it: &config::Shown| json!({ "key": it.key, "value": it.to_json(), "origin": it.origin });
    let documents: Vec<Value> = shown.iter().map(document).collect();
    output.result(&match table::format(global) {
        OutputFormat::Json => format!("{}\n", json!({ "schema": "relay.config/1", "settings": documents })),
        OutputFormat::Ndjson => table::ndjson(&documents),
        OutputFormat::Csv => table::csv(["key", "value", "origin"], &rows),
        OutputFormat::Plain if origin => table::plain(&rows),
        _ => toml(&shown, origin),
    })?;
    let is_usable = loaded.problems.iter().all(|problem| problem.provider.is_some());
    // What is wrong was told before the defaults that stand in its place.
    if is_usable { Ok(()) } else { Err(Trouble::silent(Exit::Config)) }
}

/// As a file that says the same.
fn toml(shown: &[config::Shown], origin: bool) -> String {
    let mut text = String::new();
    let mut last = "";
    for it in shown {
        let (table, key) = it.key.rsplit_once('.').unwrap_or(("", &it.key));
        if table != last {
            let gap = if last.is_empty() { "" } else { "\n" };
            text.push_str(&format!("{gap}[{table}]\n"));
            last = table;
        }
        let line = format!("{key} = {}", it.value);
        let line = if origin { format!("{line:<40} # {}", it.origin) } else { line };
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

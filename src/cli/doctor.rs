//! `relay doctor`: one line for each thing that has to be in order, and what to do where it is not.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::config::{self, Environment, Flags, Loaded, Paths};

use super::args::{Doctor, Global, OutputFormat};
use super::exit::{Exit, Trouble, span};
use super::output::{Output, dim, green, red, yellow};
use super::setup;
use super::table;

/// Clocks this many seconds apart count as one; asking takes some of them.
const MOST_APART_S: u64 = 30;

/// From here on minutes of quota are lost or promised that are not there.
const FAR_APART_S: u64 = 300;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Pass,
    Warn,
    Fail,
}

impl State {
    const fn word(self) -> &'static str {
        match self {
            Self::Pass => "PASS",
            Self::Warn => "WARN",
            Self::Fail => "FAIL",
        }
    }
}

/// One thing that was looked at.
struct Line {
    state: State,
    what: &'static str,
    detail: String,
}

impl Line {
    fn new(state: State, what: &'static str, detail: impl Into<String>) -> Self {
        Self { state, what, detail: detail.into() }
    }
}

pub async fn run(doctor: &Doctor, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let loaded = config::load(&Flags::default().with(global), environment, None);
    let mut lines = vec![program()];
    lines.extend(files(environment, &loaded));
    lines.extend(settings(&loaded));
    lines.extend(keys(&loaded));
    lines.push(state(&loaded));
    lines.push(clock(&loaded));
    lines.push(port(&loaded));
    lines.push(proxy(&loaded));
    lines.push(terminal(environment));
    if doctor.network {
        lines.extend(network(global, environment, output).await);
    }
    print(&lines, global, output)?;
    let fails = lines.iter().any(|line| line.state == State::Fail);
    if fails { Err(Trouble::silent(Exit::Negative)) } else { Ok(()) }
}

fn program() -> Line {
    Line::new(State::Pass, "relay", format!("{}, {}", super::args::version(), config::platform()))
}

/// Whether files can be made where relay's own are. Only the state has to be written for an answer.
fn files(environment: &Environment, loaded: &Loaded) -> Vec<Line> {
    let Some(paths) = Paths::of(environment) else {
        return vec![Line::new(State::Fail, "paths", "there is no home; set HOME or RELAY_HOME")];
    };
    let state = loaded.settings.state.file.clone().unwrap_or(paths.state);
    let rows = [
        ("config", &paths.config, State::Warn),
        ("keys file", &paths.keys, State::Warn),
        ("state", &state, State::Fail),
    ];
    let line = |(what, path, otherwise): (&'static str, &PathBuf, State)| {
        let shown = path.display();
        match try_to_write(path) {
            Ok(true) => Line::new(State::Pass, what, shown.to_string()),
            Ok(false) => Line::new(State::Pass, what, format!("{shown}, made when needed")),
            Err(error) => Line::new(otherwise, what, format!("{shown} cannot be written: {}", error.kind())),
        }
    };
    rows.into_iter().map(line).collect()
}

/// Makes a file beside this one, or where its folder would be made, and removes it again. Says whether the folder is there.
fn try_to_write(path: &Path) -> std::io::Result<bool> {
    if path.is_file() {
        std::fs::OpenOptions::new().append(true).open(path)?;
    }
    let mut folders = path.ancestors().skip(1).map(|it| if it.as_os_str().is_empty() { Path::new(".") } else { it });
    let parent = folders.next().unwrap_or(path);
    // A file in the place of a folder is found, and cannot hold one.
    let nearest = std::iter::once(parent).chain(folders).find(|folder| folder.exists()).unwrap_or(parent);
    tempfile::Builder::new().prefix(".relay-").tempfile_in(nearest)?;
    Ok(nearest == parent)
}

fn settings(loaded: &Loaded) -> Vec<Line> {
    if loaded.problems.is_empty() {
        return vec![Line::new(State::Pass, "settings", "no mistakes")];
    }
    loaded
        .problems
        .iter()
        .map(|problem| Line::new(State::Fail, "settings", problem.to_string().replace('\n', " ")))
        .collect()
}

fn keys(loaded: &Loaded) -> Vec<Line> {
    let settings = &loaded.settings;
    let named = settings.accounts.iter().filter_map(|account| {
        let key = settings.keys.get(account.keys.first()?.place)?;
        Some(format!("{} ({})", account.provider.id, key.origin))
    });
    let named: Vec<String> = named.collect();
    let mut lines: Vec<Line> =
        settings.incomplete().map(|left_out| Line::new(State::Warn, "keys", left_out.text())).collect();
    if !named.is_empty() {
        lines.insert(0, Line::new(State::Pass, "keys", format!("{}: {}", named.len(), named.join(", "))));
    } else if lines.is_empty() {
        lines.push(Line::new(State::Warn, "keys", "none yet: relay init, or relay keys set PROVIDER"));
    }
    lines
}

fn state(loaded: &Loaded) -> Line {
    let Some(path) = &loaded.settings.state.file else {
        return Line::new(State::Warn, "ledger", "kept in memory: every process counts for itself");
    };
    match setup::check_state(path) {
        Ok(None) => Line::new(State::Pass, "ledger", "none yet"),
        Ok(Some(bytes)) => Line::new(State::Pass, "ledger", format!("whole, {} KiB", bytes / 1024)),
        Err(reason) => {
            Line::new(State::Fail, "ledger", format!("{reason}; move {} away to begin anew", path.display()))
        }
    }
}

/// Days and months turn by this machine's clock.
fn clock(loaded: &Loaded) -> Line {
    let now = crate::clock::Clock::system().now();
    let here = now.to_zoned(jiff::tz::TimeZone::system());
    let newest = loaded.settings.catalog.providers.iter().filter_map(|provider| provider.checked).max();
    let shown = here.strftime("%Y-%m-%d %H:%M %Z").to_string();
    match newest {
        Some(newest) if here.date() < newest => Line::new(
            State::Fail,
            "clock",
            format!("{shown} is before {newest}, when the limits were read: daily windows are wrong"),
        ),
        _ => Line::new(State::Pass, "clock", shown),
    }
}

/// What the providers' clocks say of this one.
fn skew(ahead: jiff::SignedDuration) -> Line {
    let seconds = ahead.as_secs().unsigned_abs();
    if seconds <= MOST_APART_S {
        return Line::new(State::Pass, "clock", "agrees with the providers' clocks");
    }
    let side = if ahead.is_positive() { "ahead of" } else { "behind" };
    let detail = format!("{} {side} the providers' clocks: days turn at the wrong moment; set it", span(seconds));
    Line::new(if seconds <= FAR_APART_S { State::Warn } else { State::Fail }, "clock", detail)
}

fn port(loaded: &Loaded) -> Line {
    let server = &loaded.settings.server;
    let address = SocketAddr::new(server.host, server.port);
    match TcpListener::bind(address) {
        Ok(_) => Line::new(State::Pass, "port", format!("{address} is free for relay serve")),
        Err(error) => Line::new(State::Warn, "port", format!("{address}: {error}; if that is no relay, use --port")),
    }
}

fn proxy(loaded: &Loaded) -> Line {
    let proxy = loaded.settings.network.proxy();
    let detail = proxy.map_or_else(|| "none set".to_owned(), |proxy| format!("{proxy} leads to the providers"));
    Line::new(State::Pass, "proxy", detail)
}

fn terminal(environment: &Environment) -> Line {
    let kind = environment.get("TERM").unwrap_or("unknown");
    let is_terminal = Output::stdout_is_terminal();
    let shape =
        if is_terminal { format!("{} columns", table::width()) } else { "not a terminal: plain rows".to_owned() };
    Line::new(State::Pass, "terminal", format!("TERM={kind}, {shape}"))
}

/// Every provider that is set up, asked for its model list.
async fn network(global: &Global, environment: &Environment, output: Output) -> Vec<Line> {
    let core = match setup::survey(global, Flags::default(), environment, output, &[]).await {
        Ok(core) => core,
        Err(trouble) => return vec![Line::new(State::Warn, "network", trouble.message)],
    };
    let mut lines: Vec<Line> = core.clock_ahead.map(skew).into_iter().collect();
    for finding in &core.findings {
        let state = if setup::is_local_matter(finding) { State::Warn } else { State::Fail };
        lines.push(Line::new(state, "network", setup::finding_line(finding)));
    }
    for id in core.relay.fleet.provider_ids() {
        if !core.findings.iter().any(|finding| finding.provider == id) {
            lines.push(Line::new(State::Pass, "network", format!("{id}: answers, and takes its key")));
        }
    }
    lines
}

fn print(lines: &[Line], global: &Global, output: Output) -> Result<(), Trouble> {
    let documents = || {
        lines
            .iter()
            .map(|it| json!({ "status": it.state.word().to_lowercase(), "check": it.what, "detail": it.detail }))
            .collect::<Vec<_>>()
    };
    let rows = || {
        lines.iter().map(|it| [it.state.word().to_owned(), it.what.to_owned(), it.detail.clone()]).collect::<Vec<_>>()
    };
    output.result(&match table::format(global) {
        OutputFormat::Json => format!("{}\n", json!({ "schema": "relay.doctor/1", "checks": documents() })),
        OutputFormat::Ndjson => table::ndjson(&documents()),
        OutputFormat::Csv => table::csv(["status", "check", "detail"], &rows()),
        OutputFormat::Plain | OutputFormat::Line => table::plain(&rows()),
        OutputFormat::Table => lines.iter().map(human).collect(),
    })
}

fn human(line: &Line) -> String {
    let word = match line.state {
        State::Pass => green(line.state.word()),
        State::Warn => yellow(line.state.word()),
        State::Fail => red(line.state.word()),
    };
    format!("{word}  {}  {}\n", dim(&format!("{:<9}", line.what)), table::wrapped(&line.detail, 4 + 2 + 9 + 2))
}

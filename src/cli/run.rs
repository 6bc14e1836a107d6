//! From arguments to an exit code: logging, a runtime for the command, its trouble printed.

use std::io::IsTerminal as _;
use std::process::ExitCode;
use std::time::Duration;

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{CommandFactory as _, Parser as _};
use tokio::runtime::{Builder, Runtime};

use crate::config::{self, Environment, Flags};
use crate::telemetry::{self, Lines, LogFormat};

use super::args::{Args, Command, Global, OutputFormat, Typed};
use super::exit::{Exit, Trouble};
use super::keys::Around;
use super::output::Output;
use super::{
    ask, check_models, completions, config as config_command, demo, doctor, help, init, keys, models, panic,
    refresh_limits, report, serve, usage,
};

/// At its end a server waits so long for whoever reads its log.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(1);

/// Runs the program.
pub fn main() -> ExitCode {
    completions::answer();
    panic::keep();
    let environment = Environment::of_process();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return mistyped(error, &environment),
    };
    let output = Output::new(&args.global, &environment);
    let json = args.global.wants_json().then(|| args.command.as_ref().map_or("relay", Command::name));
    match panic::guard(|| dispatch(args, &environment, output)) {
        Ok(()) => Exit::Success.into(),
        Err(trouble) => {
            if !trouble.silent {
                report::print(&trouble, json, output);
            }
            trouble.exit.into()
        }
    }
}

/// Prints help where it was asked for, else what is wrong with the arguments: for a reader of JSON as JSON too.
fn mistyped(mut error: clap::Error, environment: &Environment) -> ExitCode {
    let typed = Typed::despite_mistakes(config::arguments());
    let is_like_none = error.get(ContextKind::SuggestedSubcommand).is_none();
    if error.kind() == ErrorKind::InvalidSubcommand && typed.command == "relay" && is_like_none {
        let tip = "a prompt is answered by `relay ask`";
        error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    }
    let output = Output::new(&typed.global, environment);
    let text = error.render().ansi().to_string();
    if !error.use_stderr() {
        return match output.result(&text) {
            Err(unwritten) if !unwritten.silent => {
                report::print(&unwritten, None, output);
                unwritten.exit.into()
            }
            _ => Exit::Success.into(),
        };
    }
    if typed.global.wants_json() {
        report::print(&mistake(&error.render().to_string()), Some(&typed.command), output);
    } else {
        output.error(text.trim_end());
    }
    Exit::Usage.into()
}

/// What clap says of a mistake, without the usage that it prints below.
fn mistake(plain: &str) -> Trouble {
    let told = plain.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
    let mut told = told.filter(|line| !line.is_empty());
    let message = told.next().unwrap_or_default().trim_start_matches("error: ").to_owned();
    Trouble::new(Exit::Usage, message).and_lines(told.map(str::to_owned))
}

fn dispatch(args: Args, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let Args { global, command } = args;
    let Some(command) = command else { return overview(&global, environment, output) };
    let (log_format, (output, lines)) = match &command {
        Command::Serve(serve) => {
            let (output, lines) = output.without_waiting();
            (serve.log_format(&global).into(), (output, Some(lines)))
        }
        _ => (LogFormat::Text, (output, None)),
    };
    start_logging(&global, log_format, environment, output, lines)?;
    refuse_format(&command, &global)?;
    // A server takes a thread per core; its providers need a second one in the demo; one command alone needs none beside its own.
    let threads = match &command {
        Command::Serve(_) => 0,
        Command::Demo(_) | Command::RefreshLimits(_) => 2,
        _ => 1,
    };
    let around = Around { global: &global, environment, output };
    let result = run_one(|| runtime(threads), |runtime| runtime.block_on(act(&command, around)));
    lines.inspect(|lines| lines.flush(LAST_WORDS));
    result
}

async fn act(command: &Command, around: Around<'_>) -> Result<(), Trouble> {
    let Around { global, environment, output } = around;
    match command {
        Command::Ask(ask) => ask::run(ask, global, environment, output).await,
        Command::Serve(serve) => serve::run(serve, global, environment, output).await,
        Command::CheckModels(check) => check_models::run(check, global, environment, output).await,
        Command::Usage(usage) => usage::run(usage, global, environment, output).await,
        Command::RefreshLimits(refresh) => refresh_limits::run(refresh, global, environment, output).await,
        Command::Models(models) => models::run(models, global, environment, output).await,
        Command::Init(init) => init::run(init, around).await,
        Command::Keys(keys) => keys::run(keys, around).await,
        Command::Demo(demo) => demo::run(demo, global, environment, output).await,
        Command::Doctor(doctor) => doctor::run(doctor, global, environment, output).await,
        Command::Config(config) => config_command::run(config, global, environment, output),
        Command::Completions { shell } => completions::print(*shell),
        Command::Help { words } => help::print(words, output),
        Command::Generate { folder } => completions::generate_all(folder),
    }
}

/// Formats of rows are for commands whose results have rows, the line for the one that has a line, JSON for those with results.
fn refuse_format(command: &Command, global: &Global) -> Result<(), Trouble> {
    use OutputFormat::{Csv, Line, Ndjson};
    let (is_refused, prints) = match command {
        Command::Completions { .. } | Command::Help { .. } | Command::Generate { .. } => {
            (global.wants_json() || matches!(global.format, Some(Ndjson | Csv | Line)), "prints text alone")
        }
        Command::Ask(ask) if ask.explain => (global.format == Some(Line), "has no single line"),
        Command::Ask(_) | Command::Serve(_) | Command::Demo(_) => {
            (matches!(global.format, Some(Ndjson | Csv | Line)), "prints text, or JSON with --json")
        }
        Command::Usage(_) => return Ok(()),
        _ => (global.format == Some(Line), "has no single line; --format plain prints rows"),
    };
    if is_refused { Err(Trouble::new(Exit::Usage, format!("`relay {}` {prints}", command.name()))) } else { Ok(()) }
}

fn start_logging(
    global: &Global,
    format: LogFormat,
    environment: &Environment,
    output: Output,
    lines: Option<&Lines>,
) -> Result<(), Trouble> {
    let verbosity = i8::try_from(global.verbose).unwrap_or(i8::MAX) - i8::try_from(global.quiet).unwrap_or(0);
    telemetry::start(format, verbosity, environment.get("RELAY_LOG"), output.is_colored(), lines)
        .map_err(|message| Trouble::new(Exit::Config, message))
}

/// A runtime for one command. What it left running (a read of a terminal, say) does not hold up the end.
fn run_one(
    build: impl FnOnce() -> std::io::Result<Runtime>,
    run: impl FnOnce(&Runtime) -> Result<(), Trouble>,
) -> Result<(), Trouble> {
    let runtime =
        build().map_err(|error| Trouble::new(Exit::Internal, format!("the runtime does not start: {error}")))?;
    let result = run(&runtime);
    runtime.shutdown_background();
    result
}

/// `threads` 0 takes one per core.
fn runtime(threads: usize) -> std::io::Result<Runtime> {
    match threads {
        1 => Builder::new_current_thread().enable_all().build(),
        0 => Builder::new_multi_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

/// `relay` alone: the commands, and what there is to do first.
fn overview(global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    if global.wants_json() {
        return Err(Trouble::new(Exit::Usage, "no command is named, so there is no result".to_owned())
            .hint("relay --help lists the commands"));
    }
    if !std::io::stdin().is_terminal() && ask::stdin_has_input() {
        return Err(Trouble::new(Exit::Usage, "there is input on stdin, but no command".to_owned())
            .hint("relay ask answers a prompt from a pipe"));
    }
    let mut text = String::new();
    for command in Args::command().get_subcommands().filter(|command| !command.is_hide_set()) {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        text.push_str(&format!("  relay {:<14}  {about}\n", command.get_name()));
    }
    let flags = Flags { asks_nobody: true, ..Flags::default() }.with(global);
    let loaded = config::load(&flags, environment, None);
    let with_keys = loaded.settings.accounts.iter().filter(|account| !account.keys.is_empty());
    let ids: Vec<&str> = with_keys.map(|account| account.provider.id.as_str()).collect();
    let incomplete: String = loaded.settings.incomplete().map(|left_out| left_out.text() + "\n").collect();
    let state = if ids.is_empty() {
        let lack = if incomplete.is_empty() { "keys" } else { "provider is complete" };
        format!("{incomplete}No {lack} yet: relay init, or try relay demo.")
    } else {
        format!("{incomplete}Keys of {}: {}. Try: relay ask \"hello\"", ids.len(), ids.join(", "))
    };
    output.result(&format!("{text}\n{state}\n"))
}

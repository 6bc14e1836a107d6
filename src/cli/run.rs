//! From arguments to an exit code: logging, a runtime for the command, its trouble printed.

use std::io::IsTerminal as _;
use std::process::ExitCode;

use clap::{CommandFactory as _, Parser as _};
use tokio::runtime::{Builder, Runtime};

use crate::config::Environment;
use crate::telemetry::{self, LogFormat};

use super::args::{Args, Command, Global, OutputFormat, Typed};
use super::exit::{Exit, Trouble};
use super::output::Output;
use super::{ask, check_models, completions, demo, models, panic, refresh_limits, report, serve};

/// Runs the program.
pub fn main() -> ExitCode {
    panic::keep();
    let environment = Environment::of_process();
    let args = match Args::try_parse() {
        Ok(args) => args,
        Err(error) => return mistyped(&error, &environment),
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
fn mistyped(error: &clap::Error, environment: &Environment) -> ExitCode {
    let typed = Typed::despite_mistakes();
    let output = Output::new(&typed.global, environment);
    let text = error.render().ansi().to_string();
    if !error.use_stderr() {
        // Where help cannot be printed nobody reads it.
        drop(output.result(&text));
        return Exit::Success.into();
    }
    if typed.global.wants_json() {
        let plain = error.render().to_string();
        let message = plain.lines().next().unwrap_or_default().trim_start_matches("error: ").to_owned();
        report::print(&Trouble::new(Exit::Usage, message), Some(&typed.command), output);
    } else {
        output.error(text.trim_end());
    }
    Exit::Usage.into()
}

fn dispatch(args: Args, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let Args { global, command } = args;
    let Some(command) = command else { return overview(output) };
    let log_format = if let Command::Serve(serve) = &command { serve.log_format.into() } else { LogFormat::Text };
    start_logging(&global, log_format, environment, output)?;
    refuse_rows(&command, &global)?;
    match command {
        Command::Ask(ask) => {
            run_one(|| runtime(1), |runtime| runtime.block_on(ask::run(&ask, &global, environment, output)))
        }
        Command::Serve(serve) => {
            run_one(|| runtime(0), |runtime| runtime.block_on(serve::run(&serve, &global, environment, output)))
        }
        Command::CheckModels(check) => {
            run_one(|| runtime(1), |runtime| runtime.block_on(check_models::run(&check, &global, environment, output)))
        }
        Command::Models(models) => {
            run_one(|| runtime(1), |runtime| runtime.block_on(models::run(&models, &global, environment, output)))
        }
        Command::RefreshLimits(refresh) => run_one(
            || runtime(2),
            |runtime| runtime.block_on(refresh_limits::run(&refresh, &global, environment, output)),
        ),
        Command::Demo(demo) => {
            run_one(|| runtime(2), |runtime| runtime.block_on(demo::run(&demo, &global, environment, output)))
        }
        Command::Completions { shell } => completions::print(shell),
    }
}

/// Formats of rows are for commands whose results have rows.
fn refuse_rows(command: &Command, global: &Global) -> Result<(), Trouble> {
    match global.format {
        Some(OutputFormat::Ndjson | OutputFormat::Csv)
            if !matches!(command, Command::Models(_) | Command::CheckModels(_)) =>
        {
            let message = format!("`relay {}` prints text, or JSON with --json", command.name());
            Err(Trouble::new(Exit::Usage, message))
        }
        _ => Ok(()),
    }
}

fn start_logging(global: &Global, format: LogFormat, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let verbosity = i8::try_from(global.verbose).unwrap_or(i8::MAX) - i8::try_from(global.quiet).unwrap_or(0);
    telemetry::start(format, verbosity, environment.get("RELAY_LOG"), output.is_colored())
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

/// `threads` 0 takes one per core; one command alone needs no second thread.
fn runtime(threads: usize) -> std::io::Result<Runtime> {
    match threads {
        1 => Builder::new_current_thread().enable_all().build(),
        0 => Builder::new_multi_thread().enable_all().build(),
        threads => Builder::new_multi_thread().worker_threads(threads).enable_all().build(),
    }
}

/// `relay` alone: what there is to do.
fn overview(output: Output) -> Result<(), Trouble> {
    if !std::io::stdin().is_terminal() && ask::stdin_has_input() {
        return Err(Trouble::new(Exit::Usage, "there is input on stdin, but no command".to_owned())
            .hint("relay ask answers a prompt from a pipe"));
    }
    output.result(&Args::command().render_help().ansi().to_string())
}

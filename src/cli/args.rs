//! What can be typed: commands, flags and their help. Each command's flags stand in a file of its name.

mod ask;
mod check_models;
mod demo;
mod doctor;
mod global;
mod keys;
mod models;
mod refresh_limits;
mod serve;
mod usage;

use std::ffi::OsString;
use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap::{CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use clap_complete::{ArgValueCandidates, Shell};

use crate::catalog::reader::parse_duration;

use super::completions::explained;

pub use ask::{Ask, Reasoning};
pub use check_models::{CheckModels, FailOn};
pub use demo::Demo;
pub use doctor::{Config, ConfigAction, Doctor, Topic};
pub use global::{Color, Global, OutputFormat};
pub use keys::{Init, Keys, KeysAction};
pub use models::Models;
pub use refresh_limits::RefreshLimits;
pub use serve::{Format, Serve};
pub use usage::{By, Usage, UsageAction};

/// Many free AI tiers behind one endpoint and one shell command.
///
/// relay pools the free tiers of many providers, and a local Ollama, behind one OpenAI-compatible endpoint. It picks a
/// route with quota left and moves on to the next before anyone notices a failure.
#[derive(Debug, Parser)]
#[command(name = "relay", version = version(), max_term_width = 100, disable_help_subcommand = true)]
#[command(after_help = "No keys yet? `relay demo` shows it work offline, without an account.")]
pub struct Args {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Send one prompt, print one answer
    Ask(Box<Ask>),
    /// Serve an OpenAI-compatible gateway
    Serve(Serve),
    CheckModels(CheckModels),
    /// List models: which can be used, and why not the others
    Models(Models),
    /// Compare the limits with the providers' documentation
    RefreshLimits(RefreshLimits),
    Usage(Usage),
    Init(Init),
    Keys(Keys),
    /// Show relay at work, offline, over simulated providers
    Demo(Demo),
    Doctor(Doctor),
    Config(Config),
    /// Print the completion script of a shell
    Completions {
        /// The shell that is to read it
        shell: Shell,
    },
    /// Write completion scripts and the man page into a folder
    #[command(hide = true)]
    Generate {
        folder: std::path::PathBuf,
    },
    /// Explain a command or a topic
    Help {
        /// A command, or environment, exit-codes, formats or models; without one: the help of relay itself
        #[arg(value_name = "TOPIC|COMMAND", add = ArgValueCandidates::new(explained))]
        words: Vec<String>,
    },
}

/// All that can be typed.
pub fn command() -> clap::Command {
    Args::command()
}

impl Command {
    /// As it is typed.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Serve(_) => "serve",
            Self::CheckModels(_) => "check-models",
            Self::Models(_) => "models",
            Self::RefreshLimits(_) => "refresh-limits",
            Self::Usage(_) => "usage",
            Self::Init(_) => "init",
            Self::Keys(_) => "keys",
            Self::Demo(_) => "demo",
            Self::Doctor(_) => "doctor",
            Self::Config(_) => "config",
            Self::Help { .. } => "help",
            Self::Generate { .. } => "generate",
            Self::Completions { .. } => "completions",
        }
    }
}

/// What can be told of arguments that hold a mistake: how to tell of it.
#[derive(Debug)]
pub struct Typed {
    pub global: Global,
    pub command: String,
}

impl Typed {
    pub fn despite_mistakes(words: impl Iterator<Item = OsString>) -> Self {
        let mut typed = Self::before_the_mistake();
        // Whoever wants JSON wants it of a mistake too, wherever that stands.
        typed.global.json |= asks_for_json(words);
        typed
    }

    fn before_the_mistake() -> Self {
        let unknown = || Self { global: Global::default(), command: "relay".to_owned() };
        let Ok(matches) = Args::command().ignore_errors(true).try_get_matches() else { return unknown() };
        let (name, inner) = matches.subcommand().unwrap_or(("relay", &matches));
        let global = Global::from_arg_matches(inner).or_else(|_| Global::from_arg_matches(&matches));
        global.map_or_else(|_| unknown(), |global| Self { global, command: name.to_owned() })
    }
}

fn asks_for_json(words: impl Iterator<Item = OsString>) -> bool {
    let flags: Vec<OsString> = words.take_while(|word| word != "--").collect();
    flags.iter().any(|flag| flag == "--json" || flag == "--format=json")
        || flags.windows(2).any(|pair| pair[0] == "--format" && pair[1] == "json")
}

/// The parser of a flag that takes one of these words. The flag has to ignore case, as requests do.
fn one_of<T: Copy + Send + Sync + 'static>(
    names: impl IntoIterator<Item = (&'static str, T)>,
) -> impl TypedValueParser<Value = T> {
    let names: Vec<(&str, T)> = names.into_iter().collect();
    PossibleValuesParser::new(names.iter().map(|(name, _)| *name)).map(move |typed| {
        let known = names.iter().find(|(name, _)| name.eq_ignore_ascii_case(&typed));
        known.expect("no other word passes the parser below").1
    })
}

/// The parser of every flag that takes a length of time.
fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a duration such as 30s, 500ms or 2m".to_owned())
}

/// The parser of the flags that take a whole number without bounds.
fn whole<T: FromStr>(text: &str) -> Result<T, String> {
    text.parse().map_err(|_| "expected a whole number such as 7".to_owned())
}

/// The parser of a number that JSON can hold.
fn finite(text: &str) -> Result<f64, String> {
    let found = text.parse().ok().filter(|number: &f64| number.is_finite());
    found.ok_or_else(|| "expected a number such as 0.7".to_owned())
}

/// The parser of the flags that say when to give up.
fn time_out(text: &str) -> Result<Duration, String> {
    let found = parse_duration(text).filter(|duration| !duration.is_zero());
    found.ok_or_else(|| "expected a duration longer than zero, such as 30s, 500ms or 2m".to_owned())
}

pub const fn version() -> &'static str {
    if env!("RELAY_COMMIT").is_empty() {
        env!("CARGO_PKG_VERSION")
    } else {
        concat!(env!("CARGO_PKG_VERSION"), " (", env!("RELAY_COMMIT"), ")")
    }
}

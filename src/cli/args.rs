//! What can be typed: commands, flags and their help.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args as ClapArgs, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::catalog::reader::parse_duration;
use crate::telemetry::LogFormat;

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
    /// List models: which can be used, and why the others cannot
    Models(Models),
    /// Show relay at work, offline, over simulated providers
    Demo(Demo),
    /// Print the completion script of a shell
    Completions { shell: Shell },
}

impl Command {
    /// As it is typed.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Ask(_) => "ask",
            Self::Serve(_) => "serve",
            Self::Models(_) => "models",
            Self::Demo(_) => "demo",
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
    pub fn despite_mistakes() -> Self {
        let unknown = || Self { global: Global::default(), command: "relay".to_owned() };
        let Ok(matches) = Args::command().ignore_errors(true).try_get_matches() else { return unknown() };
        let (name, inner) = matches.subcommand().unwrap_or(("relay", &matches));
        let global = Global::from_arg_matches(inner).or_else(|_| Global::from_arg_matches(&matches));
        global.map_or_else(|_| unknown(), |global| Self { global, command: name.to_owned() })
    }
}

/// Flags of every command, before or after its name.
#[derive(Debug, Default, ClapArgs)]
pub struct Global {
    /// Read this config file [env: `RELAY_CONFIG`]
    #[arg(long, global = true, value_name = "FILE", conflicts_with = "no_config")]
    pub config: Option<PathBuf>,
    /// Read no config file
    #[arg(long, global = true)]
    pub no_config: bool,
    /// How to print results [default: a table on a terminal, else plain: tabs, no header]
    #[arg(long, global = true, value_name = "FORMAT", value_enum)]
    pub format: Option<OutputFormat>,
    /// Print results as JSON; the same as --format json
    #[arg(long, global = true, conflicts_with = "format")]
    pub json: bool,
    /// Print less; twice for errors only
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub quiet: u8,
    /// Log what relay decides; twice for all it does [env: `RELAY_LOG` for a filter]
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// When to use colour [env: `NO_COLOR`, `CLICOLOR_FORCE`, `FORCE_COLOR`]
    #[arg(long, global = true, value_name = "WHEN", value_enum, default_value_t = Color::Auto)]
    pub color: Color,
    /// Show no spinner [env: `RELAY_NO_PROGRESS`]
    #[arg(long, global = true)]
    pub no_progress: bool,
    /// Let nothing leave this machine: only local and simulated providers answer [env: `RELAY_OFFLINE`]
    #[arg(long, global = true)]
    pub offline: bool,
    /// Use simulated providers: default, dry, storm, slow or cut [env: `RELAY_SIMULATE`]
    #[arg(long, global = true, value_name = "SCENARIO", num_args = 0..=1, require_equals = true, default_missing_value = "default")]
    pub simulate: Option<String>,
}

impl Global {
    pub fn wants_json(&self) -> bool {
        self.json || self.format == Some(OutputFormat::Json)
    }
}

/// What a result with many rows is printed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    Table,
    Plain,
    Json,
    Ndjson,
    Csv,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Color {
    #[default]
    Auto,
    Always,
    Never,
}

#[derive(Debug, ClapArgs)]
pub struct Ask {
    /// The prompt, its words joined by spaces; without one, stdin is the prompt
    #[arg(value_name = "PROMPT")]
    pub prompt: Vec<String>,
    /// Add a text file, `-` for stdin; may be given several times
    #[arg(short, long, value_name = "PATH")]
    pub file: Vec<PathBuf>,
    /// Set the system message, or read it from a file with @FILE
    #[arg(short, long, value_name = "TEXT|@FILE")]
    pub system: Option<String>,
    /// Do not read stdin [env: `RELAY_NO_STDIN`]
    #[arg(long)]
    pub no_stdin: bool,
    /// Put stdin before the prompt
    #[arg(long)]
    pub stdin_first: bool,
    /// How long to wait for the first byte of stdin when there is a prompt; 0 waits without limit
    #[arg(long, value_name = "DURATION", default_value = "30s", value_parser = duration)]
    pub stdin_wait: Duration,
    /// The model: meta-model, PROVIDER/MODEL, PROVIDER or MODEL [env: `RELAY_MODEL`]
    #[arg(short, long, value_name = "MODEL")]
    pub model: Option<String>,
    /// Only models of this type: text, coding or vision
    #[arg(long = "type", value_name = "TYPE")]
    pub model_type: Option<String>,
    /// Only models of this scale: large, medium or small
    #[arg(long, value_name = "SCALE")]
    pub scale: Option<String>,
    /// Only models whose id contains this
    #[arg(long, value_name = "SUBSTRING")]
    pub name: Option<String>,
    /// Try one route only
    #[arg(long)]
    pub no_failover: bool,
    /// Try at most this many routes
    #[arg(long, value_name = "N", conflicts_with = "no_failover")]
    pub max_attempts: Option<usize>,
    /// Leave out a provider, or one PROVIDER/MODEL; may be given several times
    #[arg(long, value_name = "PROVIDER")]
    pub avoid: Vec<String>,
    /// Use only routes that can never bill
    #[arg(long)]
    pub strict_free: bool,
    /// How long to wait for quota before giving up [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub wait: Option<Duration>,
    /// Give up after this long, all in all [env: `RELAY_TIMEOUT`]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// Show which routes could answer, in which order and why, and send nothing
    #[arg(long, conflicts_with = "output")]
    pub explain: bool,
    /// The most tokens the answer may have
    #[arg(long, value_name = "N")]
    pub max_tokens: Option<u64>,
    /// Sampling temperature
    #[arg(long, value_name = "NUMBER")]
    pub temperature: Option<f64>,
    /// Sampling seed
    #[arg(long, value_name = "N", allow_negative_numbers = true)]
    pub seed: Option<i64>,
    /// Any other field of the request, its value as JSON; may be given several times
    #[arg(long, value_name = "KEY=JSON")]
    pub param: Vec<String>,
    /// Print the answer as it arrives, also into a pipe
    #[arg(long, overrides_with = "no_stream")]
    pub stream: bool,
    /// Print the answer when it is whole, also on a terminal
    #[arg(long)]
    pub no_stream: bool,
    /// Report the tokens used on stderr
    #[arg(short, long)]
    pub usage: bool,
    /// Write the answer to a file
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

#[derive(Debug, ClapArgs)]
pub struct Serve {
    /// The address to listen on [default: 127.0.0.1] [env: `RELAY_HOST`]
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// The port to listen on, 0 for any free one [default: 8000] [env: `RELAY_PORT`]
    #[arg(long, value_name = "PORT")]
    pub port: Option<u16>,
    /// Read the gateway's own key from a file [env: `RELAY_API_KEY` holds the key itself]
    #[arg(long, value_name = "FILE")]
    pub api_key_file: Option<PathBuf>,
    /// Listen beyond this machine without a key
    #[arg(long)]
    pub insecure_no_auth: bool,
    /// How long open requests may take when the server stops [default: 10s]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub drain: Option<Duration>,
    /// Log requests as text on stderr, or as NDJSON on stdout
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    pub log_format: Format,
    /// Write the base URL to this file once the server is ready
    #[arg(long, value_name = "PATH")]
    pub ready_file: Option<PathBuf>,
    /// Start without asking the providers anything
    #[arg(long)]
    pub no_verify: bool,
    /// Also use services that take no key
    #[arg(long)]
    pub keyless: bool,
    /// Use only routes that can never bill
    #[arg(long)]
    pub strict_free: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

impl From<Format> for LogFormat {
    fn from(format: Format) -> Self {
        match format {
            Format::Text => Self::Text,
            Format::Json => Self::Json,
        }
    }
}

#[derive(Debug, ClapArgs)]
pub struct Models {
    /// Only this provider, PROVIDER/MODEL or model; may be given several times
    #[arg(value_name = "PROVIDER|MODEL")]
    pub names: Vec<String>,
    /// Only models of this type
    #[arg(long = "type", value_name = "TYPE")]
    pub model_type: Option<String>,
    /// Only models of this scale: large, medium or small
    #[arg(long, value_name = "SCALE")]
    pub scale: Option<String>,
    /// Also list what cannot be used now, model by model
    #[arg(long)]
    pub all: bool,
    /// Count services that take no key as usable
    #[arg(long)]
    pub keyless: bool,
    /// Use only routes that can never bill
    #[arg(long)]
    pub strict_free: bool,
}

#[derive(Debug, ClapArgs)]
pub struct Demo {
    /// Makes the simulated providers behave the same each time
    #[arg(long, value_name = "N", default_value_t = 7)]
    pub seed: u64,
    /// Leave out the pauses that let a person follow
    #[arg(long)]
    pub fast: bool,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a duration such as 30s, 500ms or 2m".to_owned())
}

const fn version() -> &'static str {
    if env!("RELAY_COMMIT").is_empty() {
        env!("CARGO_PKG_VERSION")
    } else {
        concat!(env!("CARGO_PKG_VERSION"), " (", env!("RELAY_COMMIT"), ")")
    }
}

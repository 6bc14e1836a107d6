//! The flags of `relay ask`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};
use clap_complete::ArgValueCandidates;

use super::{duration, finite, one_of, time_out, whole};
use crate::catalog::{ModelType, Scale};
use crate::cli::ask::Extract;
use crate::cli::completions::{names, wanted};

/// What the flags are about, as help groups them.
const INPUT: &str = "Input";
const ROUTING: &str = "Routing";
const GENERATION: &str = "Generation";
const OUTPUT: &str = "Output";

/// Names of stdout. To replace what it leads to, or to write it from its beginning, would lose what others wrote there.
const STDOUT: [&str; 4] = ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"];

#[derive(Debug, Clone, Args)]
pub struct Ask {
    /// The prompt, its words joined by spaces; without one, or for `-`, stdin is the prompt
    #[arg(value_name = "PROMPT")]
    pub prompt: Vec<String>,
    /// Add a text file, `-` for stdin; may be given several times
    #[arg(help_heading = INPUT, short, long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub file: Vec<PathBuf>,
    /// Attach an image or sound: a file, a URL, or `-` for stdin; may be given several times
    #[arg(help_heading = INPUT, short, long, value_name = "PATH|URL", value_hint = ValueHint::FilePath)]
    pub attach: Vec<PathBuf>,
    /// Set the system message, or read it from a file with @FILE
    #[arg(help_heading = INPUT, short, long, value_name = "TEXT|@FILE")]
    pub system: Option<String>,
    /// Do not read stdin [env: RELAY_NO_STDIN]
    #[arg(help_heading = INPUT, long)]
    pub no_stdin: bool,
    /// Put stdin before the prompt
    #[arg(help_heading = INPUT, long)]
    pub stdin_first: bool,
    /// How long to wait for the first byte of stdin when there is a prompt; 0 waits without limit
    #[arg(help_heading = INPUT, long, value_name = "DURATION", default_value = "30s", allow_hyphen_values = true, value_parser = duration)]
    pub stdin_wait: Duration,
    /// The model: meta-model, PROVIDER/MODEL, PROVIDER or MODEL [env: RELAY_MODEL]
    #[arg(help_heading = ROUTING, short, long, value_name = "MODEL", add = ArgValueCandidates::new(wanted))]
    pub model: Option<String>,
    /// Only models of this type
    #[arg(help_heading = ROUTING, long = "type", value_name = "TYPE", ignore_case = true, value_parser = one_of(chats()))]
    pub model_type: Option<ModelType>,
    /// Only models of this scale
    #[arg(help_heading = ROUTING, long, value_name = "SCALE", ignore_case = true, value_parser = one_of(Scale::NAMES))]
    pub scale: Option<Scale>,
    /// Only models whose id contains this
    #[arg(help_heading = ROUTING, long, value_name = "SUBSTRING")]
    pub name: Option<String>,
    /// Try one route only
    #[arg(help_heading = ROUTING, long)]
    pub no_failover: bool,
    /// Try at most this many routes
    #[arg(help_heading = ROUTING, long, value_name = "N", conflicts_with = "no_failover", allow_negative_numbers = true, value_parser = whole::<usize>)]
    pub max_attempts: Option<usize>,
    /// Leave out a provider, or one PROVIDER/MODEL; may be given several times
    #[arg(help_heading = ROUTING, long, value_name = "PROVIDER", add = ArgValueCandidates::new(names))]
    pub avoid: Vec<String>,
    /// Use only routes that can never bill
    #[arg(help_heading = ROUTING, long)]
    pub strict_free: bool,
    /// How long to wait for quota before giving up [default: 10s]
    #[arg(help_heading = ROUTING, long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration)]
    pub wait: Option<Duration>,
    /// Give up after this long, all in all [default: 120s, and what --wait adds] [env: RELAY_TIMEOUT]
    #[arg(help_heading = ROUTING, long, value_name = "DURATION", allow_hyphen_values = true, value_parser = time_out)]
    pub timeout: Option<Duration>,
    /// Ask a gateway that runs, at this URL; its key is in `RELAY_API_KEY` [env: RELAY_URL]
    #[arg(help_heading = ROUTING, long, value_name = "URL")]
    pub via: Option<String>,
    /// The conversation this belongs to: its messages stay with one provider while that lasts
    #[arg(help_heading = ROUTING, long, value_name = "ID")]
    pub session: Option<String>,
    /// Show which routes could answer, in which order and why, and send nothing
    #[arg(help_heading = ROUTING, long, conflicts_with = "output")]
    pub explain: bool,
    /// The most tokens the answer may have
    #[arg(help_heading = GENERATION, long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<u64>)]
    pub max_tokens: Option<u64>,
    /// Sampling temperature
    #[arg(help_heading = GENERATION, long, value_name = "NUMBER", allow_negative_numbers = true, value_parser = finite)]
    pub temperature: Option<f64>,
    /// Sampling seed
    #[arg(help_heading = GENERATION, long, value_name = "N", allow_negative_numbers = true, value_parser = whole::<i64>)]
    pub seed: Option<i64>,
    /// Answer with JSON that satisfies this JSON Schema: a file, or the schema itself
    #[arg(help_heading = GENERATION, long, value_name = "FILE|JSON", value_hint = ValueHint::FilePath, conflicts_with = "extract")]
    pub schema: Option<String>,
    /// Any other field of the request, its value as JSON; may be given several times
    #[arg(help_heading = GENERATION, long, value_name = "KEY=JSON")]
    pub param: Vec<String>,
    /// Print the answer as it arrives, also into a pipe
    #[arg(help_heading = OUTPUT, long, overrides_with = "no_stream")]
    pub stream: bool,
    /// Print the answer when it is whole, also on a terminal
    #[arg(help_heading = OUTPUT, long)]
    pub no_stream: bool,
    /// Print a code block of the answer and nothing else: first, last, or lax for the whole answer where it has none
    #[arg(help_heading = OUTPUT, short = 'x', long, value_name = "WHICH", value_enum, num_args = 0..=1, require_equals = true, default_missing_value = "first")]
    pub extract: Option<Extract>,
    /// What becomes of a model's thoughts: shown on stderr, or not; auto shows them on a terminal
    #[arg(help_heading = OUTPUT, long, value_name = "WHEN", value_enum, default_value_t = Reasoning::Auto)]
    pub reasoning: Reasoning,
    /// Report who answered and the tokens used on stderr
    #[arg(help_heading = OUTPUT, short, long)]
    pub usage: bool,
    /// Answer a file of requests, one a line in OpenAI's batch form, into the file of --output; run again, it goes on where it was
    #[arg(help_heading = INPUT, long, value_name = "IN.jsonl", value_hint = ValueHint::FilePath, requires = "output", conflicts_with_all = ["prompt", "file", "attach", "system", "schema", "extract", "explain", "stream"])]
    pub batch: Option<PathBuf>,
    /// How many requests of a batch are under way at one time
    #[arg(help_heading = INPUT, long, value_name = "N", default_value_t = 8, requires = "batch", allow_negative_numbers = true, value_parser = clap::value_parser!(u16).range(1..=256))]
    pub jobs: u16,
    /// Write the answer to a file, `-` for stdout
    #[arg(help_heading = OUTPUT, short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
}

/// Types of models that answer.
fn chats() -> impl Iterator<Item = (&'static str, ModelType)> {
    ModelType::NAMES.into_iter().filter(|(_, kind)| kind.chats())
}

impl Ask {
    /// Where the answer goes, if not to stdout.
    pub fn output_file(&self) -> Option<&Path> {
        self.output.as_deref().filter(|path| STDOUT.iter().all(|stdout| path.as_os_str() != *stdout))
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Reasoning {
    Auto,
    Show,
    Hide,
}

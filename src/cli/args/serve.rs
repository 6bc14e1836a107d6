//! The flags of `relay serve`.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, ValueEnum, ValueHint};

use crate::telemetry::LogFormat;

use super::{Global, duration};

#[derive(Debug, Args)]
pub struct Serve {
    /// The address to listen on [default: 127.0.0.1] [env: RELAY_HOST]
    #[arg(long, value_name = "ADDRESS")]
    pub host: Option<String>,
    /// The port to listen on, 0 for any free one [default: 8000] [env: RELAY_PORT]
    #[arg(long, value_name = "PORT", allow_negative_numbers = true, value_parser = port)]
    pub port: Option<u16>,
    /// Read the gateway's own key from a file [env: RELAY_API_KEY holds the key itself]
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub api_key_file: Option<PathBuf>,
    /// Listen beyond this machine without a key
    #[arg(long)]
    pub insecure_no_auth: bool,
    /// Let pages of this origin ask, `*` for all; may be given several times
    #[arg(long, value_name = "ORIGIN")]
    pub cors: Vec<String>,
    /// How long open requests may take when the server stops [default: 10s]
    #[arg(long, value_name = "DURATION", allow_hyphen_values = true, value_parser = duration)]
    pub drain: Option<Duration>,
    /// Log requests as text on stderr, or as NDJSON on stdout, as --json does
    #[arg(long, value_name = "FORMAT", value_enum, default_value_t = Format::Text)]
    log_format: Format,
    /// Write the base URL to this file once the server is ready, and remove it at the end
    #[arg(long, value_name = "PATH", value_hint = ValueHint::FilePath)]
    pub ready_file: Option<PathBuf>,
    /// Show in a browser what is served, once the server is ready
    #[arg(long)]
    pub open: bool,
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

fn port(text: &str) -> Result<u16, String> {
    text.parse().map_err(|_| "expected a number from 0 to 65535".to_owned())
}

impl Serve {
    /// The log is what a server has for a result.
    pub fn log_format(&self, global: &Global) -> Format {
        if global.wants_json() { Format::Json } else { self.log_format }
    }
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

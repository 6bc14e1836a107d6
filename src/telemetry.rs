//! Diagnostics on stderr: levels from flags or `RELAY_LOG`, as text or JSON.

use std::io;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// How diagnostics look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Starts logging. `filter` is a list such as `relay=debug,hyper=warn` and wins over `verbosity`:
/// 0 shows warnings, 1 what relay decides, 2 everything it does, below 0 errors alone.
///
/// Fails when the filter cannot be read; a second start in one process is ignored (tests).
pub fn start(format: LogFormat, verbosity: i8, filter: Option<&str>, color: bool) -> Result<(), String> {
    let own = match verbosity {
        ..0 => Level::ERROR,
        0 => Level::WARN,
        1 => Level::DEBUG,
        2.. => Level::TRACE,
    };
    let targets = match filter {
        Some(filter) => filter.parse().map_err(|error| format!("`RELAY_LOG` is `{filter}`: {error}"))?,
        None => Targets::new().with_default(Level::WARN.min(own)).with_target("relay", own),
    };
    let layer = match format {
        LogFormat::Text => fmt::layer().with_writer(io::stderr).with_ansi(color).with_target(false).boxed(),
        LogFormat::Json => fmt::layer().with_writer(io::stderr).json().flatten_event(true).boxed(),
    };
    // Only tests start twice, and the first start serves them as well.
    drop(tracing_subscriber::registry().with(layer.with_filter(targets)).try_init());
    Ok(())
}

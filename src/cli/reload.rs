//! A running `serve` takes over limits that change in the user's own files, without a restart.

use std::convert::Infallible;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::config::{Environment, Flags, Paths};
use crate::relay::{Adopted, Relay};
use crate::routing::Fleet;

use super::output::Output;
use super::setup;

/// How often the files are looked at. It costs a listing of one folder.
const GAP: Duration = Duration::from_millis(250);

/// The files as they were before the settings were read, so that a change from then on is seen.
pub struct Watch {
    flags: Flags,
    folder: Option<PathBuf>,
    known: Vec<Stamp>,
}

/// A file's name, size and time of change.
type Stamp = (OsString, u64, Option<SystemTime>);

impl Watch {
    pub fn begin(flags: Flags, environment: &Environment) -> Self {
        let folder = Paths::of(environment).map(|paths| paths.limits);
        let known = folder.as_deref().map(stamps).unwrap_or_default();
        Self { flags: Flags { asks_nobody: true, ..flags }, folder, known }
    }

    /// Looks at the files for ever.
    pub async fn run(mut self, relay: &Relay, environment: &Environment, output: Output) -> Infallible {
        let Some(folder) = self.folder else { return std::future::pending().await };
        loop {
            tokio::time::sleep(GAP).await;
            let now = stamps(&folder);
            if now != self.known {
                self.known = now;
                take_over(relay, &self.flags, environment, output).await;
            }
        }
    }
}

async fn take_over(relay: &Relay, flags: &Flags, environment: &Environment, output: Output) {
    let loaded = match setup::load(flags, environment, None).await {
        Ok(loaded) => loaded,
        Err(trouble) => return output.notice(&format!("limits not taken over: {}", trouble.message)),
    };
    for problem in &loaded.problems {
        output.notice(&match &problem.provider {
            Some(provider) => format!("limits of {provider} not taken over: {problem}"),
            None => format!("limits not taken over: {problem}"),
        });
    }
    if loaded.problems.iter().any(|problem| problem.provider.is_none()) {
        return;
    }
    let Adopted { changed, waiting, gone } = relay.adopt_limits(&Fleet::new(&loaded.settings.accounts));
    if changed > 0 {
        output.notice(&format!("{changed} limits changed, and count from now on"));
    }
    if waiting > 0 {
        output.notice(&format!("{waiting} limits are of models or kinds that are new: restart to use them"));
    }
    if gone > 0 {
        output.notice(&format!("{gone} limits are no more in the files: they count until a restart"));
    }
}

fn stamps(folder: &Path) -> Vec<Stamp> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut stamps: Vec<_> = entries
        .flatten()
        .filter(|entry| entry.path().extension().is_some_and(|extension| extension == "toml"))
        .filter_map(|entry| {
            let about = entry.metadata().ok()?;
            Some((entry.file_name(), about.len(), about.modified().ok()))
        })
        .collect();
    stamps.sort();
    stamps
}

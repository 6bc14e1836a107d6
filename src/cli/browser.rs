//! Opens a page with whatever this system opens pages with.

use std::process::{Command, Stdio};

use anyhow::bail;

#[cfg(target_os = "macos")]
const OPENERS: [&[&str]; 1] = [&["open"]];
#[cfg(windows)]
const OPENERS: [&[&str]; 1] = [&["explorer"]];
#[cfg(not(any(target_os = "macos", windows)))]
const OPENERS: [&[&str]; 2] = [&["xdg-open"], &["gio", "open"]];

/// Starts the first program there is and does not wait for it. The error says why none could be started.
pub fn open(url: &str) -> anyhow::Result<()> {
    let mut reasons = Vec::new();
    for opener in OPENERS {
        let (program, arguments) = opener.split_first().expect("an opener names its program");
        let mut command = Command::new(program);
        command.args(arguments).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match command.spawn() {
            Ok(_) => return Ok(()),
            Err(error) => reasons.push(format!("{program}: {error}")),
        }
    }
    bail!(reasons.join(", "))
}

//! Runs the commands that give keys, one at a time.

use std::io::Read as _;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

/// A `key_cmd` that has given no key by then is as good as one that fails: it may ask what nobody sees.
const KEY_CMD_TIME: Duration = Duration::from_secs(30);

/// The command that runs now, which whoever waits for its key can end.
#[derive(Debug, Clone, Default)]
pub struct KeyCommands(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    shell: Option<Child>,
    is_over: bool,
}

/// Dropped when nobody waits for keys any more: the command that still runs is ended, and no other is started.
#[derive(Debug)]
pub struct Waiting(KeyCommands);

impl Drop for Waiting {
    fn drop(&mut self) {
        let mut slot = self.0.slot();
        slot.is_over = true;
        if let Some(shell) = slot.shell.take() {
            end(shell);
        }
    }
}

impl KeyCommands {
    pub fn waiting(&self) -> Waiting {
        Waiting(self.clone())
    }

    /// The first line that a shell command prints.
    pub fn key(&self, command: &str) -> Result<String, String> {
        let printed = printed(self.start(command)?);
        let ended = || "was ended: nobody waits for its key any more".to_owned();
        let mut shell = self.slot().shell.take().ok_or_else(ended)?;
        let Some(printed) = printed else {
            end(shell);
            return Err(format!("does not end within {} s", KEY_CMD_TIME.as_secs()));
        };
        let status = shell.wait().map_err(|error| format!("is lost: {error}"))?;
        if !status.success() {
            return Err(format!("failed ({status})"));
        }
        let text = String::from_utf8(printed).map_err(|_| "prints no text".to_owned())?;
        let key = text.lines().next().map(str::trim).unwrap_or_default();
        if key.is_empty() { Err("prints nothing".to_owned()) } else { Ok(key.to_owned()) }
    }

    fn start(&self, command: &str) -> Result<ChildStdout, String> {
        let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let mut slot = self.slot();
        if slot.is_over {
            return Err("was not run: nobody waits for its key any more".to_owned());
        }
        let started = Command::new(shell).args([flag, command]).stdin(Stdio::null()).stdout(Stdio::piped()).spawn();
        let mut started = started.map_err(|error| format!("does not start: {error}"))?;
        let stdout = started.stdout.take().expect("it is piped");
        slot.shell = Some(started);
        Ok(stdout)
    }

    fn slot(&self) -> MutexGuard<'_, Slot> {
        // A panic elsewhere leaves a command that still has to be ended.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the shell. What it started in its turn stays in the terminal's group, so that it may ask for a password, and is not found from here.
fn end(mut shell: Child) {
    // Both fail where it has just ended.
    drop(shell.kill());
    drop(shell.wait());
}

/// All that a command prints; `None` where it does not end in time.
#[expect(clippy::disallowed_methods, reason = "it ends with the command or the program")]
fn printed(mut stdout: ChildStdout) -> Option<Vec<u8>> {
    let (sender, printed) = mpsc::channel();
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // What cannot be read to its end holds no key; nobody listens any more when the time is over.
        drop(stdout.read_to_end(&mut bytes));
        drop(sender.send(bytes));
    });
    printed.recv_timeout(KEY_CMD_TIME).ok()
}

//! The signals that end a command before its time, and the exit codes they have.

use super::exit::{Exit, Trouble};

/// SIGINT and SIGTERM, and SIGHUP when the terminal is closed.
#[cfg(unix)]
pub struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
    /// `None` where it is not listened for, and once it has come: a closed terminal sends it, and its shell may once more.
    hang_up: Option<tokio::signal::unix::Signal>,
}

#[cfg(unix)]
impl Signals {
    pub fn new() -> Result<Self, Trouble> {
        use tokio::signal::unix::{SignalKind, signal};
        let listen =
            |kind| signal(kind).map_err(|error| Trouble::new(Exit::Io, format!("signals cannot be heard: {error}")));
        let hang_up = hears_hang_ups().then(|| listen(SignalKind::hangup())).transpose()?;
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())?, hang_up })
    }

    /// Returns when a person or the system wants the program to end.
    pub async fn next(&mut self) -> Exit {
        tokio::select! {
            _ = self.interrupt.recv() => Exit::Interrupted,
            _ = self.terminate.recv() => Exit::Terminated,
            () = received_by(&mut self.hang_up) => Exit::Terminated,
        }
    }
}

/// Returns when the signal comes for the first time.
#[cfg(unix)]
async fn received_by(signal: &mut Option<tokio::signal::unix::Signal>) {
    match signal {
        Some(awaited) => {
            awaited.recv().await;
            *signal = None;
        }
        None => std::future::pending().await,
    }
}

/// What `nohup` starts ignores this signal, and listening would end that. Whether it does only Linux tells; elsewhere the signal keeps
/// its own effect, which is to end the program at once.
#[cfg(unix)]
fn hears_hang_ups() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    // The first signal is the lowest bit.
    ignored.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).is_some_and(|mask| mask & 1 == 0)
}

impl Signals {
    /// What the work comes to, unless a signal comes before.
    pub async fn interrupting<T>(&mut self, work: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
        tokio::select! {
            done = work => done,
            exit = self.next() => Err(Trouble::silent(exit)),
        }
    }
}

#[cfg(not(unix))]
pub struct Signals;

#[cfg(not(unix))]
impl Signals {
    pub fn new() -> Result<Self, Trouble> {
        Ok(Self)
    }

    /// Returns when a person or the system wants the program to end.
    pub async fn next(&mut self) -> Exit {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
        Exit::Interrupted
    }
}

/// For a command that needs them but once. Where they cannot be heard, the system's own way ends the program.
pub async fn received() -> Exit {
    match Signals::new() {
        Ok(mut signals) => signals.next().await,
        Err(_) => std::future::pending().await,
    }
}

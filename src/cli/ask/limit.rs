//! How long one call of `relay ask` may take, and what is left of that.

use std::time::{Duration, Instant};

use crate::catalog::reader::parse_duration;
use crate::cli::args::Ask;
use crate::cli::exit::{Exit, Trouble};
use crate::config::Environment;

/// How long a call may take where nobody says; waiting for quota that was asked for comes on top.
const USUAL_TIMEOUT: Duration = Duration::from_mins(2);

/// What flag or variable say of it.
pub fn timeout(ask: &Ask, environment: &Environment) -> Result<Duration, Trouble> {
    if let Some(limit) = ask.timeout {
        return Ok(limit);
    }
    let Some(text) = environment.get("RELAY_TIMEOUT") else {
        return Ok(USUAL_TIMEOUT.saturating_add(ask.wait.unwrap_or_default()));
    };
    parse_duration(text).filter(|limit| !limit.is_zero()).ok_or_else(|| {
        let message = format!("`RELAY_TIMEOUT` is `{text}`; it must be a duration longer than zero, such as 120s");
        Trouble::new(Exit::Config, message)
    })
}

/// A time that runs. It begins once the question is read: stdin may be waited for without limit.
#[derive(Debug, Clone, Copy)]
pub struct Limit {
    pub whole: Duration,
    started: Instant,
}

impl Limit {
    pub fn begin(whole: Duration) -> Self {
        Self { whole, started: Instant::now() }
    }

    pub fn left(self) -> Duration {
        self.whole.saturating_sub(self.started.elapsed())
    }

    /// What the work comes to, if it does so in time.
    pub async fn keep<T>(
        self,
        work: impl Future<Output = Result<T, Trouble>>,
        late: impl FnOnce(Trouble) -> Trouble,
    ) -> Result<T, Trouble> {
        let is_over = || {
            let trouble = Trouble::new(Exit::TimedOut, format!("no answer within {:?}", self.whole));
            Err(late(trouble.hint("--timeout gives it longer")))
        };
        tokio::time::timeout(self.left(), work).await.unwrap_or_else(|_| is_over())
    }
}

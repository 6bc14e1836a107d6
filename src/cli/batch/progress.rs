//! How far a batch is: its counts, a bar with rate and time left, and what it ends with.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::chat::Usage;
use crate::cli::echo::Echo;
use crate::cli::exit::{Exit, Trouble, span};
use crate::cli::output::Output;
use crate::clock::seconds_up;
use crate::quota::Cost;
use crate::relay::Relay;

/// The time left is reckoned anew this often.
const RECKON_EVERY: Duration = Duration::from_secs(1);

/// Of mixed failures the one most worth trying again gives the exit code.
const PRECEDENCE: [Exit; 6] =
    [Exit::OutOfQuota, Exit::TimedOut, Exit::Unavailable, Exit::Auth, Exit::Usage, Exit::BadInput];

/// Counts of one run. Jobs of one thread share it.
pub struct Tally {
    lines: Option<u64>,
    answered: Cell<u64>,
    skipped: Cell<u64>,
    bad: Cell<u64>,
    failures: RefCell<Vec<(Exit, u64)>>,
    /// The first moment at which quota comes back that a line failed for, from the start on.
    room_after: Cell<Option<Duration>>,
    used: Cell<(u64, Usage)>,
    bar: Option<ProgressBar>,
    /// Dropped after the bar.
    _echo: Option<Echo>,
    started: Instant,
    reckoned: Cell<Option<Instant>>,
}

impl Tally {
    pub fn start(lines: Option<u64>, output: Output) -> Self {
        let bar = output.progress.then(|| {
            let bar = lines.map_or_else(ProgressBar::new_spinner, ProgressBar::new);
            let template = if lines.is_some() {
                "{bar:24} {human_pos}/{human_len}  {msg}"
            } else {
                "{spinner} {human_pos}  {msg}"
            };
            bar.set_style(ProgressStyle::with_template(template).expect("a constant template").progress_chars("━╸─"));
            bar.enable_steady_tick(Duration::from_millis(200));
            bar
        });
        if let (None, Some(lines)) = (&bar, lines) {
            output.notice(&format!("{lines} lines to answer"));
        }
        Self {
            lines,
            answered: Cell::new(0),
            skipped: Cell::new(0),
            bad: Cell::new(0),
            failures: RefCell::default(),
            room_after: Cell::new(None),
            used: Cell::default(),
            _echo: bar.is_some().then(Echo::without_signs),
            bar,
            started: Instant::now(),
            reckoned: Cell::new(None),
        }
    }

    pub fn answer(&self, relay: Option<&Relay>) {
        self.answered.set(self.answered.get() + 1);
        self.moved();
        self.reckon(relay);
    }

    pub fn skip(&self) {
        self.skipped.set(self.skipped.get() + 1);
        self.moved();
    }

    /// A line that is no request; gives how many there were.
    pub fn refuse(&self) -> u64 {
        self.bad.set(self.bad.get() + 1);
        self.moved();
        self.bad.get()
    }

    pub fn fail(&self, trouble: &Trouble) {
        let exit = trouble.exit;
        if let Some(wait) = trouble.retry_after_s {
            let room_after = self.started.elapsed().saturating_add(Duration::from_secs(wait));
            self.room_after.set(Some(self.room_after.get().map_or(room_after, |first| first.min(room_after))));
        }
        let mut failures = self.failures.borrow_mut();
        match failures.iter_mut().find(|(known, _)| *known == exit) {
            Some((_, count)) => *count += 1,
            None => failures.push((exit, 1)),
        }
        drop(failures);
        self.moved();
    }

    pub fn wait(&self, time: Duration) {
        if let Some(bar) = &self.bar {
            bar.set_message(format!("waits {} for quota", span(time.as_secs())));
        }
    }

    pub fn note_usage(&self, usage: Usage) {
        let (count, sum) = self.used.get();
        let sum = Usage {
            prompt_tokens: sum.prompt_tokens + usage.prompt_tokens,
            completion_tokens: sum.completion_tokens + usage.completion_tokens,
        };
        self.used.set((count + 1, sum));
    }

    /// Prints without tearing the bar.
    pub fn above_the_bar(&self, print: impl FnOnce()) {
        match &self.bar {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }

    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }

    pub fn answered(&self) -> u64 {
        self.answered.get()
    }

    pub fn skipped(&self) -> u64 {
        self.skipped.get()
    }

    pub fn bad(&self) -> u64 {
        self.bad.get()
    }

    pub fn failed(&self) -> u64 {
        self.failures.borrow().iter().map(|(_, count)| count).sum()
    }

    /// Lines that have their outcome.
    pub fn lines(&self) -> u64 {
        self.answered() + self.skipped() + self.bad() + self.failed()
    }

    /// The counts in a sentence.
    pub fn told(&self) -> String {
        let mut text = format!("{} answered", self.answered());
        let others = [(self.skipped(), "answered before"), (self.failed(), "failed"), (self.bad(), "no requests")];
        for (count, what) in others.into_iter().filter(|(count, _)| *count > 0) {
            text.push_str(&format!(", {count} {what}"));
        }
        text
    }

    /// What the run ends with, where not every line has an answer.
    pub fn trouble(&self) -> Option<Trouble> {
        let failures = self.failures.borrow();
        let missing = self.failed() + self.bad();
        if missing == 0 {
            return None;
        }
        let has = |exit: &Exit| failures.iter().any(|(known, _)| known == exit);
        let usual = failures.first().map_or(Exit::BadInput, |(exit, _)| *exit);
        let exit = PRECEDENCE.into_iter().find(has).unwrap_or(usual);
        let message = format!("{missing} of {} lines have no answer", self.lines());
        let lines = failures.iter().map(|(exit, count)| format!("  {}  {count}", exit.word()));
        let wait = self.room_after.get().filter(|_| exit == Exit::OutOfQuota);
        let retry_after_s = wait.map(|wait| seconds_up(wait.saturating_sub(self.started.elapsed())));
        let trouble = Trouble { retry_after_s, ..Trouble::new(exit, message).and_lines(lines) };
        Some(match (exit, retry_after_s) {
            (Exit::Usage, _) => trouble.hint("--model meta-model leaves the choice of the model to relay"),
            (Exit::Auth, _) => trouble.hint(
                "relay keys test says which keys are rejected; the same command then tries the failed ones alone",
            ),
            (_, Some(wait)) => {
                trouble.hint(format!("run the same command again in {}: it tries the failed ones alone", span(wait)))
            }
            _ if self.failed() > 0 => trouble.hint("run the same command again: it tries the failed ones alone"),
            _ => trouble,
        })
    }

    fn moved(&self) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.lines());
        }
    }

    /// Rate and time left: the longer of what the rate so far and what the quota left make of it.
    fn reckon(&self, relay: Option<&Relay>) {
        let is_due = self.reckoned.get().is_none_or(|at| at.elapsed() >= RECKON_EVERY);
        let Some(bar) = self.bar.as_ref().filter(|_| is_due) else { return };
        self.reckoned.set(Some(Instant::now()));
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let rate = self.answered() as f64 / self.started.elapsed().as_secs_f64().max(0.001);
        let mut message = if rate >= 1.0 { format!("{rate:.1}/s") } else { format!("{:.1}/min", rate * 60.0) };
        if self.failed() > 0 {
            message.push_str(&format!("  {} failed", self.failed()));
        }
        if let Some(lines) = self.lines {
            let left = lines.saturating_sub(self.lines());
            #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
            let by_rate = Duration::try_from_secs_f64(left as f64 / rate.max(1e-6)).unwrap_or(Duration::MAX);
            let by_quota = relay.map_or(Some(Duration::ZERO), |relay| relay.time_for(left, self.mean_cost()));
            match by_quota {
                Some(by_quota) => message.push_str(&format!("  {} left", span(by_rate.max(by_quota).as_secs()))),
                None => message.push_str("  more than a year left"),
            }
        }
        bar.set_message(message);
    }

    fn mean_cost(&self) -> Cost {
        let (count, sum) = self.used.get();
        let mean = |tokens: u64| tokens.checked_div(count).unwrap_or(1).max(1);
        Cost::request(mean(sum.prompt_tokens), mean(sum.completion_tokens))
    }
}

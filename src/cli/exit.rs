//! Exit codes, and the trouble that leads to them. Each outcome has its own, so that a script can branch on it alone.

use std::process::ExitCode;

use jiff::Timestamp;

use crate::answer::Attempt;
use crate::catalog::Problem;
use crate::chat::{ErrorKind, Fault};
use crate::clock::{seconds_up, until};
use crate::relay::{Failure, Refused};

use super::table;

/// Of many routes that gave no answer this many are named.
const MOST_ROUTES: usize = 8;

/// A wait longer than this is not suggested: nobody sits in front of it.
pub const LONG_WAIT_S: u64 = 600;

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// A check found what it looks for: failures, differences.
    Negative,
    /// Nothing else on this list.
    Failed,
    /// Bad arguments, nothing to ask, unknown model.
    Usage,
    BadInput,
    /// The answer is not what `--schema` or `--extract` wants.
    BadOutput,
    /// A named file is missing, or stdin stayed silent.
    NoInput,
    Unavailable,
    Internal,
    Io,
    OutOfQuota,
    Auth,
    Config,
    TimedOut,
    Interrupted,
    Terminated,
}

impl Exit {
    pub const ALL: [Self; 16] = [
        Self::Success,
        Self::Negative,
        Self::Failed,
        Self::Usage,
        Self::BadInput,
        Self::BadOutput,
        Self::NoInput,
        Self::Unavailable,
        Self::Internal,
        Self::Io,
        Self::OutOfQuota,
        Self::Auth,
        Self::Config,
        Self::TimedOut,
        Self::Interrupted,
        Self::Terminated,
    ];

    /// The code, after sysexits.h and the shell's own habits (124 of `timeout`, 128 + signal).
    pub const fn code(self) -> u8 {
        match self {
            Self::Success => 0,
            Self::Negative | Self::Failed => 1,
            Self::Usage => 2,
            Self::BadInput | Self::BadOutput => 65,
            Self::NoInput => 66,
            Self::Unavailable => 69,
            Self::Internal => 70,
            Self::Io => 74,
            Self::OutOfQuota => 75,
            Self::Auth => 77,
            Self::Config => 78,
            Self::TimedOut => 124,
            Self::Interrupted => 130,
            Self::Terminated => 143,
        }
    }

    /// The `error.code` of JSON output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Success => "ok",
            Self::Negative => "negative",
            Self::Failed => "failed",
            Self::Usage => "usage",
            Self::BadInput => "bad_input",
            Self::BadOutput => "bad_output",
            Self::NoInput => "no_input",
            Self::Unavailable => "unavailable",
            Self::Internal => "internal",
            Self::Io => "io",
            Self::OutOfQuota => "quota_exhausted",
            Self::Auth => "auth",
            Self::Config => "config",
            Self::TimedOut => "timeout",
            Self::Interrupted | Self::Terminated => "interrupted",
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

/// What a request came to, as an exit code.
impl From<ErrorKind> for Exit {
    fn from(kind: ErrorKind) -> Self {
        match kind {
            ErrorKind::OutOfQuota => Self::OutOfQuota,
            ErrorKind::Timeout => Self::TimedOut,
            ErrorKind::Unavailable | ErrorKind::Cut | ErrorKind::Gone => Self::Unavailable,
            ErrorKind::Keys => Self::Auth,
            ErrorKind::TooLong | ErrorKind::Unsupported | ErrorKind::Rejected => Self::BadInput,
            ErrorKind::Filtered | ErrorKind::UnknownModel => Self::Usage,
            ErrorKind::NotSetUp => Self::Config,
            ErrorKind::StoreLost => Self::Io,
        }
    }
}

/// Ways to a first answer, as the catalogue knows them.
#[derive(Debug, Default)]
pub struct Ways {
    /// A provider that gives free keys.
    pub provider: Option<String>,
    /// Provider and sign-up page, where a key is free and asks for no card.
    pub sign_up: Vec<String>,
    /// Names of providers that run on this machine.
    pub local: Vec<String>,
}

/// What went wrong, with what, and what to do next.
#[derive(Debug)]
pub struct Trouble {
    pub exit: Exit,
    pub message: String,
    /// What explains it, line by line.
    pub lines: Vec<String>,
    pub hint: Option<String>,
    pub retry_after_s: Option<u64>,
    pub attempts: Vec<Attempt>,
    /// End without a word.
    pub silent: bool,
}

impl Trouble {
    pub fn new(exit: Exit, message: String) -> Self {
        Self { exit, message, lines: Vec::new(), hint: None, retry_after_s: None, attempts: Vec::new(), silent: false }
    }

    /// Ends the program without a word: whoever would read it has gone, or sent the signal.
    pub fn silent(exit: Exit) -> Self {
        Self { silent: true, ..Self::new(exit, String::new()) }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds lines to what explains it.
    #[must_use]
    pub fn and_lines(mut self, lines: impl IntoIterator<Item = String>) -> Self {
        self.lines.extend(lines);
        self
    }

    pub fn of_problems(problems: &[Problem]) -> Self {
        let message = match problems {
            [_] => "the configuration has a mistake".to_owned(),
            problems => format!("the configuration has {} mistakes", problems.len()),
        };
        Self { lines: problems.iter().map(ToString::to_string).collect(), ..Self::new(Exit::Config, message) }
    }

    /// No provider is set up. What to do comes from the catalogue: which keys are free and ask for no card.
    pub fn not_set_up(ways: &Ways) -> Self {
        let mut lines = vec!["  relay demo                 see it work offline, no account".to_owned()];
        lines.push("  --simulate                 simulated providers for any command".to_owned());
        lines.push("  relay init                 guided setup, about 3 minutes".to_owned());
        if let Some(provider) = &ways.provider {
            lines.push(format!("  {:<25}  paste a key you already have", format!("relay keys set {provider}")));
        }
        if !ways.sign_up.is_empty() {
            let about = "Free keys without a card: ";
            lines.push(format!("{about}{}", table::listed(&ways.sign_up, about.len())));
        }
        lines.extend(
            ways.local.iter().map(|name| format!("{name} on this machine is used automatically if it is running.")),
        );
        Self { lines, ..Self::new(Exit::Config, "no provider is set up yet".to_owned()) }
    }

    pub fn of_failure(failure: Failure, now: Timestamp) -> Self {
        let wait = failure.fault.until().map(|moment| seconds_up(until(now, moment)));
        let lines = route_lines(&failure, now);
        let trouble = Self::of_kind(failure.fault.kind(), own_words(&failure.fault), wait);
        let trouble = match failure.fault {
            Fault::Unknown { close, .. } if !close.is_empty() => {
                trouble.hint(format!("did you mean {}?", close.join(", ")))
            }
            _ => trouble,
        };
        Self { lines, attempts: failure.attempts, ..trouble }
    }

    /// What a running gateway refused, as if it had been refused here.
    pub fn of_refusal(refused: Refused) -> Self {
        let trouble = Self::of_kind(refused.kind, Some(refused.message), refused.retry_after_s);
        let rows = refused.routes.into_iter().map(|(route, reason, wait)| {
            [route, reason, wait.map(|wait| format!("free in {}", span(wait))).unwrap_or_default()]
        });
        // What a running gateway makes of its keys is not what this process would.
        let of_keys = || "check the gateway's keys; it uses new ones after a restart".to_owned();
        let hint =
            refused.hint.or_else(|| if refused.kind == ErrorKind::Keys { Some(of_keys()) } else { trouble.hint });
        Self { lines: aligned(&rows.collect::<Vec<_>>()), hint, attempts: refused.attempts, ..trouble }
    }

    /// A kind of failure in its usual words, or in words of its own.
    pub fn of_kind(kind: ErrorKind, message: Option<String>, retry_after_s: Option<u64>) -> Self {
        let message = message.unwrap_or_else(|| usual_words(kind).to_owned());
        let trouble = Self { retry_after_s, ..Self::new(kind.into(), message) };
        match (kind, retry_after_s) {
            (ErrorKind::OutOfQuota, Some(wait @ ..=LONG_WAIT_S)) => {
                trouble.hint(format!("wait {}, or run with --wait {}s", span(wait), wait + 1))
            }
            (ErrorKind::OutOfQuota, Some(wait)) => {
                trouble.hint(format!("try again in {}, or add a key of another provider", span(wait)))
            }
            (ErrorKind::Keys, _) => {
                trouble.hint("check the keys; one that is good again is used again after: relay keys test")
            }
            _ => trouble,
        }
    }
}

const fn usual_words(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::OutOfQuota => "no free quota is left right now",
        ErrorKind::Timeout => "no provider answered in time",
        ErrorKind::Unavailable | ErrorKind::Gone => "no provider that could answer is available",
        ErrorKind::Cut => "the answer broke off before its end",
        ErrorKind::Keys => "every provider that could answer rejected its key",
        ErrorKind::TooLong => "the request is too large for every route that could answer it",
        ErrorKind::Unsupported => "no model that may answer has what the request needs",
        ErrorKind::Filtered => "no route is left",
        ErrorKind::Rejected => "the request was rejected",
        ErrorKind::UnknownModel => "the model is not known",
        ErrorKind::NotSetUp => "no provider is set up yet",
        ErrorKind::StoreLost => "the state store cannot be used",
    }
}

/// What a fault says beyond its kind.
fn own_words(fault: &Fault) -> Option<String> {
    match fault {
        Fault::Unknown { message, .. } => Some(message.clone()),
        Fault::Invalid { message, .. } => Some(format!("the request was rejected: {}", harmless(message))),
        Fault::Unfit(unfit) => Some(unfit.text()),
        _ => None,
    }
}

/// A provider's words may not act on the terminal of whoever reads them.
fn harmless(words: &str) -> String {
    words.replace(|c| acts_on_terminal(c) && c != '\n', " ")
}

/// Moves the cursor, begins a new line, or turns the direction of one.
pub fn acts_on_terminal(c: char) -> bool {
    c.is_control() || matches!(c, '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// A line for each route: its name, why it gave no answer, when it may.
fn route_lines(failure: &Failure, now: Timestamp) -> Vec<String> {
    let rows: Vec<[String; 3]> = failure
        .reasons()
        .into_iter()
        .map(|(route, reason, moment)| {
            let free = moment.map(|moment| format!("free in {}", span(seconds_up(until(now, moment)))));
            [route.to_string(), reason, free.unwrap_or_default()]
        })
        .collect();
    aligned(&rows)
}

fn aligned(rows: &[[String; 3]]) -> Vec<String> {
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let (route, reason) = (width(0), width(1));
    let line = |row: &[String; 3]| format!("  {:route$}  {:reason$}  {}", row[0], row[1], row[2]).trim_end().to_owned();
    let mut lines: Vec<String> = rows.iter().take(MOST_ROUTES).map(line).collect();
    if rows.len() > MOST_ROUTES {
        lines.push(format!("  … and {} more", rows.len() - MOST_ROUTES));
    }
    lines
}

/// Seconds as a person says them: `41s`, `7m12s`, `7h12m`.
pub fn span(seconds: u64) -> String {
    match (seconds / 3_600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds}s"),
        (0, minutes, seconds) => format!("{minutes}m{seconds:02}s"),
        (hours, minutes, _) => format!("{hours}h{minutes:02}m"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_providers_words_do_not_act_on_the_terminal() {
        assert_eq!(harmless("a\u{1b}[2Jb\u{9b}c\rd\u{202e}e\nf é"), "a [2Jb c d e\nf é");
    }

    #[test]
    fn codes_are_the_documented_ones() {
        let codes = Exit::ALL.map(|exit| (exit.word(), exit.code()));
        let expected = [
            ("ok", 0),
            ("negative", 1),
            ("failed", 1),
            ("usage", 2),
            ("bad_input", 65),
            ("bad_output", 65),
            ("no_input", 66),
            ("unavailable", 69),
            ("internal", 70),
            ("io", 74),
            ("quota_exhausted", 75),
            ("auth", 77),
            ("config", 78),
            ("timeout", 124),
            ("interrupted", 130),
            ("interrupted", 143),
        ];
        assert_eq!(codes, expected);
    }

    #[test]
    fn spans_are_short() {
        assert_eq!([41, 432, 25_973].map(span), ["41s", "7m12s", "7h12m"]);
    }
}

//! Questions to a person: only where a person sits, never where a script runs.

use std::io::{self, BufRead as _, IsTerminal as _, Read as _};

use crate::config::Environment;

use super::args::Global;
use super::echo::Echo;
use super::exit::{Exit, Trouble};
use super::output::Output;

/// No answer and no key is longer; what has no end must not be read to it.
const LONGEST: u64 = 64 * 1024;

/// A person at a terminal.
#[derive(Debug, Clone, Copy)]
pub struct Prompt {
    output: Output,
}

impl Prompt {
    /// `None` where nobody may be asked: stdin or stderr is no terminal, or the user or a CI says so.
    pub fn new(global: &Global, environment: &Environment, output: Output) -> Option<Self> {
        let is_forbidden = global.no_input || environment.is_on("RELAY_NO_INPUT") || environment.is_on("CI");
        let is_there = io::stdin().is_terminal() && Output::stderr_is_terminal();
        (is_there && !is_forbidden).then_some(Self { output })
    }

    /// A line, without the blanks around it.
    pub async fn line(self, question: &str) -> Result<String, Trouble> {
        self.output.ask(question);
        read_line().await
    }

    /// A line that is not shown as it is typed.
    pub async fn hidden(self, question: &str) -> Result<String, Trouble> {
        // Before the question: whoever answers at once is neither shown nor lost.
        let echo = Echo::hidden();
        self.output.ask(question);
        let line = read_line().await;
        drop(echo);
        // The line feed that was typed was not shown either.
        self.output.ask("\n");
        line
    }

    /// Yes or no; an empty line means `usual`.
    pub async fn confirm(self, question: &str, usual: bool) -> Result<bool, Trouble> {
        let choices = if usual { "[Y/n]" } else { "[y/N]" };
        let answer = self.line(&format!("{question} {choices} ")).await?.to_lowercase();
        Ok(if answer.is_empty() { usual } else { matches!(answer.as_str(), "y" | "yes") })
    }
}

/// One line of stdin, terminal or not.
#[expect(clippy::disallowed_methods, reason = "a read that nobody waits for any more ends with the process")]
pub async fn read_line() -> Result<String, Trouble> {
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().take(LONGEST + 1).read_line(&mut line).map(|bytes| (bytes, line))
    });
    let read = read.await.map_err(|error| Trouble::new(Exit::Internal, error.to_string()))?;
    match read {
        Ok((bytes, _)) if bytes as u64 > LONGEST => {
            Err(Trouble::new(Exit::BadInput, format!("the line on stdin has more than {LONGEST} bytes")))
        }
        Ok((0, _)) => Err(Trouble::new(Exit::NoInput, "stdin ended before an answer".to_owned())),
        Ok((_, line)) => Ok(line.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            Err(Trouble::new(Exit::BadInput, "stdin is not text in UTF-8".to_owned()))
        }
        Err(error) => Err(Trouble::new(Exit::NoInput, format!("stdin cannot be read: {error}"))),
    }
}

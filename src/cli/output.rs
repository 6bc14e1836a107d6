//! The only place that prints. Results go to stdout, everything else to stderr.

use std::io::{self, IsTerminal as _, Write as _};

use anstream::{AutoStream, ColorChoice};

use crate::config::Environment;
use crate::telemetry::Lines;

use super::args::{Color, Global};
use super::exit::{Exit, Trouble};

/// How, and how much, to print.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    color: ColorChoice,
    quiet: u8,
    pub progress: bool,
    /// Of a server, for which stderr must not be waited.
    lines: Option<&'static Lines>,
}

impl Output {
    pub fn new(global: &Global, environment: &Environment) -> Self {
        let color = match global.color {
            Color::Always => ColorChoice::Always,
            Color::Never => ColorChoice::Never,
            Color::Auto if environment.get("NO_COLOR").is_some() => ColorChoice::Never,
            Color::Auto if environment.is_on("CLICOLOR_FORCE") || environment.is_on("FORCE_COLOR") => {
                ColorChoice::Always
            }
            Color::Auto => ColorChoice::Auto,
        };
        let progress = io::stderr().is_terminal()
            && !global.no_progress
            && global.quiet == 0
            && global.verbose == 0
            && !environment.is_on("RELAY_NO_PROGRESS");
        Self { color, quiet: global.quiet, progress, lines: None }
    }

    /// The same for a server: from now on nobody waits until stderr is read. Lasts as long as the program.
    #[must_use]
    pub fn without_waiting(self) -> (Self, &'static Lines) {
        let told = |lost| format!("{lost} lines are missing here: they were not read in time\n");
        let lines: &'static Lines =
            Box::leak(Box::new(Lines::to(AutoStream::new(io::stderr(), self.on_stderr()), told)));
        (Self { lines: Some(lines), ..self }, lines)
    }

    /// No colour where no terminal is. Left to itself the library takes any `CLICOLOR_FORCE` as a yes, 0 too.
    const fn on(self, is_terminal: bool) -> ColorChoice {
        match self.color {
            ColorChoice::Auto if !is_terminal => ColorChoice::Never,
            color => color,
        }
    }

    fn on_stderr(self) -> ColorChoice {
        self.on(io::stderr().is_terminal())
    }

    /// Lines of results for which nobody waits.
    pub fn result_lines(told_lost: fn(u64) -> String) -> Lines {
        Lines::to(io::stdout(), told_lost)
    }

    /// Whether stderr gets colour.
    pub fn is_colored(self) -> bool {
        match self.color {
            ColorChoice::Never => false,
            ColorChoice::Always | ColorChoice::AlwaysAnsi => true,
            ColorChoice::Auto => io::stderr().is_terminal(),
        }
    }

    pub fn stdout_is_terminal() -> bool {
        io::stdout().is_terminal()
    }

    pub fn stderr_is_terminal() -> bool {
        io::stderr().is_terminal()
    }

    /// Where everything but results goes, to be asked what it is.
    pub fn stderr_stream() -> io::Stderr {
        io::stderr()
    }

    /// Prints a result.
    pub fn result(self, text: &str) -> Result<(), Trouble> {
        let mut stdout = AutoStream::new(io::stdout().lock(), self.on(io::stdout().is_terminal()));
        check(stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()))
    }

    /// Prints an answer, which may hold anything. Into a pipe it goes as it is; a terminal would obey its control characters.
    pub fn answer(text: &str) -> Result<(), Trouble> {
        if Self::stdout_is_terminal() { Self::raw(calm(text).as_bytes()) } else { Self::raw(text.as_bytes()) }
    }

    /// Prints bytes of a result as they are.
    pub fn raw(bytes: &[u8]) -> Result<(), Trouble> {
        let mut stdout = io::stdout().lock();
        check(stdout.write_all(bytes).and_then(|()| stdout.flush()))
    }

    /// Tells something a person may want to know, unless asked to be quiet.
    pub fn notice(self, text: &str) {
        if self.quiet == 0 {
            self.stderr(text);
        }
    }

    /// Tells what cannot be left unsaid.
    pub fn error(self, text: &str) {
        self.stderr(text);
    }

    /// Whether anything beside results and errors is told.
    pub const fn is_talkative(self) -> bool {
        self.quiet == 0
    }

    /// Shows text beside the answer, as it comes, without a line's end of its own.
    pub fn aside(self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.on_stderr());
        drop(write!(stderr, "{}", dim(&calm(text))).and_then(|()| stderr.flush()));
    }

    /// Asks a person, on the line where the answer is typed.
    pub fn ask(self, text: &str) {
        let mut stderr = AutoStream::new(io::stderr().lock(), self.on_stderr());
        // Where stderr is gone nobody answers either.
        drop(write!(stderr, "{text}").and_then(|()| stderr.flush()));
    }

    fn stderr(self, text: &str) {
        if let Some(lines) = self.lines {
            return lines.line(format!("{text}\n"));
        }
        // Where stderr is gone there is nobody left to tell.
        drop(writeln!(AutoStream::new(io::stderr().lock(), self.on_stderr()), "{text}"));
    }
}

fn check(result: io::Result<()>) -> Result<(), Trouble> {
    result.map_err(|error| match error.kind() {
        // The reader has seen enough: `relay ask … | head -1`.
        io::ErrorKind::BrokenPipe => Trouble::silent(Exit::Success),
        _ => Trouble::new(Exit::Io, format!("stdout cannot be written: {error}")),
    })
}

/// Text without the characters that a terminal obeys, but for line feeds and tabs.
fn calm(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect()
}

/// Text in a dim colour, for what stands beside the answer.
pub fn dim(text: &str) -> String {
    format!("\x1b[2m{text}\x1b[0m")
}

pub fn bold(text: &str) -> String {
    format!("\x1b[1m{text}\x1b[0m")
}

pub fn red(text: &str) -> String {
    format!("\x1b[1;31m{text}\x1b[0m")
}

pub fn green(text: &str) -> String {
    format!("\x1b[32m{text}\x1b[0m")
}

pub fn yellow(text: &str) -> String {
    format!("\x1b[33m{text}\x1b[0m")
}

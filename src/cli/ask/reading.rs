//! Reads an answer as it comes: its text, its thoughts, what it cost; and shows what is to be seen at once.

use std::cell::Cell;
use std::time::{Duration, Instant};

use crate::chat::event::Finish;
use crate::chat::{Chunk, Fault, StreamEvent, Usage};
use crate::cli::exit::Trouble;
use crate::cli::output::Output;
use crate::dialect::sse;

use super::answerer::Reply;
use super::spinner::Spinner;

/// What was read of an answer.
#[derive(Debug, Default)]
pub struct Read {
    pub text: String,
    pub reasoning: String,
    pub usage: Option<Usage>,
    pub finish: Option<Finish>,
    pub first_token: Option<Duration>,
}

/// Prints an answer as it comes. Line feeds wait for what follows them, so that it ends with one, whatever ends it.
#[derive(Debug, Default)]
pub struct Printer {
    held_back: Cell<usize>,
    has_begun: Cell<bool>,
}

impl Printer {
    fn print(&self, text: &str) -> Result<(), Trouble> {
        let body = text.trim_end_matches('\n');
        let feeds = text.len() - body.len();
        if body.is_empty() {
            self.held_back.set(self.held_back.get() + feeds);
            return Ok(());
        }
        self.has_begun.set(true);
        let before = "\n".repeat(self.held_back.replace(feeds));
        Output::answer(&format!("{before}{body}"))
    }

    /// Ends the line of an answer that broke off, so that nothing else stands in it.
    pub fn break_off(&self) {
        if self.has_begun.take() {
            // A reader that has gone needs no end.
            drop(Output::raw(b"\n"));
        }
    }
}

/// How an answer is read.
pub struct Reader<'a> {
    /// The text is printed as it comes.
    pub live: Option<&'a Printer>,
    /// Thoughts are shown beside the answer.
    pub thoughts: bool,
    pub output: Output,
    pub spinner: &'a Spinner,
    pub started: Instant,
}

impl Reader<'_> {
    /// Reads to the end. The inner error is an answer that broke off; what came of it is in `read`.
    pub async fn read(&self, reply: &mut Reply, read: &mut Read) -> Result<Result<(), Fault>, Trouble> {
        while let Some(event) = reply.next().await {
            match event {
                Ok(event) => self.take(&event, read)?,
                Err(fault) => return Ok(Err(fault)),
            }
        }
        self.end_thoughts(read);
        Ok(Ok(()))
    }

    fn take(&self, event: &StreamEvent, read: &mut Read) -> Result<(), Trouble> {
        read.usage = event.signs.usage.or(read.usage);
        read.finish = event.signs.finish.or(read.finish);
        let Some(data) = sse::data(&event.bytes) else { return Ok(()) };
        let Ok(chunk) = Chunk::parse(&data) else { return Ok(()) };
        if let Some(thought) = chunk.reasoning().filter(|thought| !thought.is_empty()) {
            self.think(&thought, read);
        }
        let Some(text) = chunk.text().filter(|text| !text.is_empty()) else { return Ok(()) };
        self.end_thoughts(read);
        read.first_token.get_or_insert_with(|| self.started.elapsed());
        read.text.push_str(&text);
        let Some(printer) = self.live else { return Ok(()) };
        self.spinner.clear();
        printer.print(&text)
    }

    fn think(&self, thought: &str, read: &mut Read) {
        read.reasoning.push_str(thought);
        if self.thoughts {
            self.spinner.clear();
            self.output.aside(thought);
        }
    }

    /// An empty line between thoughts and answer, once.
    fn end_thoughts(&self, read: &Read) {
        if self.thoughts && !read.reasoning.is_empty() && read.text.is_empty() {
            self.output.aside(if read.reasoning.ends_with('\n') { "\n" } else { "\n\n" });
        }
    }
}

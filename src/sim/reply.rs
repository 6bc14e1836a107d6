//! A decided reply: what will be written, in which pieces, how fast, and how it ends.

use std::time::Duration;

use bytes::Bytes;

use super::call::{Notes, Outcome};
use super::refusal::Refusal;

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream";

/// What a call gets.
#[derive(Debug)]
pub(super) enum Reply {
    /// Nothing, until the client leaves.
    Hang,
    /// A reset of the connection.
    Reset,
    Send(Box<Message>),
}

/// A response to be written.
#[derive(Debug)]
pub(super) struct Message {
    pub status: u16,
    pub content_type: String,
    pub headers: Vec<(String, String)>,
    pub frames: Vec<Bytes>,
    pub end: End,
    /// One body with a length, or chunks.
    pub whole: bool,
    /// Every frame is written to the socket before the next is begun.
    pub apart: bool,
    /// Before the head.
    pub delay: Duration,
    /// Between the head and the first frame.
    pub silence: Duration,
    /// Between frames.
    pub gap: Duration,
    pub outcome: Outcome,
    pub notes: Notes,
}

/// What follows the last frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    Finish,
    /// The connection breaks.
    Cut,
    /// Nothing, until the client leaves.
    Stall,
}

impl Message {
    pub(super) fn json(status: u16, body: impl Into<Bytes>, outcome: Outcome) -> Self {
        Self { whole: true, ..Self::chunked(status, JSON, vec![body.into()], outcome) }
    }

    pub(super) fn events(frames: Vec<Bytes>, outcome: Outcome) -> Self {
        Self::chunked(200, EVENTS, frames, outcome)
    }

    pub(super) fn with(mut self, headers: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.headers.extend(headers.into_iter().map(|(name, value)| (name.to_owned(), value)));
        self
    }

    fn chunked(status: u16, content_type: &str, frames: Vec<Bytes>, outcome: Outcome) -> Self {
        Self {
            status,
            content_type: content_type.to_owned(),
            headers: Vec::new(),
            frames,
            end: End::Finish,
            whole: false,
            apart: false,
            delay: Duration::ZERO,
            silence: Duration::ZERO,
            gap: Duration::ZERO,
            outcome,
            notes: Notes::default(),
        }
    }
}

impl From<Message> for Reply {
    fn from(message: Message) -> Self {
        Self::Send(Box::new(message))
    }
}

impl From<Refusal> for Message {
    fn from(refusal: Refusal) -> Self {
        let message = Self::json(refusal.status, refusal.body().to_string(), Outcome::Refused(refusal.status));
        let notes = Notes { rejected: refusal.why.rejects.then_some(refusal.message), ..Notes::default() };
        Self { notes, ..message }.with(refusal.headers)
    }
}

//! Watches an OpenAI stream go by: cuts it into events, notes usage, ends and errors, lets the bytes pass.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::{Buf as _, Bytes};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::chat::event::Finish;
use crate::chat::{Breakage, Chunk, Fault, Signs, StreamEvent};
use crate::dialect::Wire;
use crate::dialect::sse::{self, Splitter};

use super::classify;
use super::repair::Repair;

const DONE: &[u8] = b"data: [DONE]\n\n";

/// A first chunk longer than this is not kept for its id.
const LARGEST_FIRST: usize = 4 * 1024;

/// Some servers begin a stream with it; readers of events are to skip it.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The state of one stream.
#[derive(Debug)]
pub struct Scanner {
    splitter: Splitter,
    /// Complete events as they were cut, not yet looked at.
    cut: VecDeque<Bytes>,
    ready: VecDeque<StreamEvent>,
    /// JSON pointers to usage and to an error where they are not the chunk's own `usage` and `error`.
    usage_at: Option<String>,
    error_at: Option<String>,
    /// Whether the caller asked for the chunk that holds nothing but usage.
    include_usage: bool,
    /// An event with data has come: it is an event stream, whatever follows.
    heard: bool,
    repair: Repair,
    /// The first chunk, as long as no end has come: should its provider tell none, it says whose the missing one is.
    first: Option<Box<[u8]>>,
    choices: Choices,
    done: bool,
}

/// The choices of an answer that have begun, and those that have ended, by their numbers. Nobody asks for more than the bits of a word.
#[derive(Debug, Clone, Copy, Default)]
struct Choices {
    begun: u64,
    ended: u64,
}

impl Choices {
    fn note(&mut self, number: u64, ends: bool) {
        let bit = 1_u64 << number.min(63);
        self.begun |= bit;
        self.ended |= if ends { bit } else { 0 };
    }

    /// Those whose end has not come.
    fn open(self) -> impl Iterator<Item = u64> {
        (0..64).filter(move |number| (self.begun & !self.ended) >> number & 1 == 1)
    }

    /// Whether the answer has come to its end.
    const fn have_ended(self) -> bool {
        self.begun != 0 && self.begun == self.ended
    }
}

impl Scanner {
    pub fn new(wire: &Wire, include_usage: bool) -> Self {
        let pointer = |steps: &[String]| (!steps.is_empty()).then(|| format!("/{}", steps.join("/")));
        let (splitter, cut, ready) = (Splitter::default(), VecDeque::with_capacity(1), VecDeque::with_capacity(1));
        Self {
            splitter,
            cut,
            ready,
            usage_at: pointer(&wire.usage_at),
            error_at: pointer(&wire.error_at),
            include_usage,
            heard: false,
            repair: Repair::of_stream(),
            first: None,
            choices: Choices::default(),
            done: false,
        }
    }

    pub fn push(&mut self, frame: Bytes, now: Timestamp) -> Result<(), Fault> {
        self.splitter.push(frame, &mut self.cut).map_err(|sse::TooLarge| Fault::Broken(Breakage::NotJson))?;
        while let Some(event) = self.cut.pop_front() {
            self.look_at(event, now)?;
        }
        Ok(())
    }

    pub fn end(&mut self, now: Timestamp) -> Result<(), Fault> {
        if let Some(rest) = self.splitter.take_rest() {
            // The last event may lack its blank line; half a JSON in it means that the stream was cut.
            let mut event = rest.trim_ascii_end().to_vec();
            event.extend_from_slice(b"\n\n");
            let heard = self.heard;
            self.look_at(event.into(), now).map_err(|fault| if heard { Fault::Cut } else { fault })?;
        }
        match (self.choices.have_ended(), self.done) {
            (_, true) => Ok(()),
            // Some providers end without the marker; the caller's client waits for it.
            (true, false) => {
                self.done = true;
                self.ready.push_back(StreamEvent {
                    bytes: Bytes::from_static(DONE),
                    signs: Signs { done: true, ..Signs::default() },
                });
                Ok(())
            }
            (false, false) => Err(Fault::Cut),
        }
    }

    pub fn next_event(&mut self) -> Option<StreamEvent> {
        self.ready.pop_front()
    }

    fn look_at(&mut self, event: Bytes, now: Timestamp) -> Result<(), Fault> {
        if self.done {
            return Ok(());
        }
        let mut event = event;
        if !self.heard && event.starts_with(BYTE_ORDER_MARK) {
            event.advance(BYTE_ORDER_MARK.len());
        }
        let data = sse::data(&event);
        if data.is_none() && !self.heard && is_no_event(&event) {
            return self.look_at_document(&event, now);
        }
        self.heard |= data.is_some();
        let signs = match data {
            None => Signs::default(),
            Some(data) if data.trim_ascii() == b"[DONE]" => {
                self.done = true;
                self.make_up_for_the_end();
                Signs { done: true, ..Signs::default() }
            }
            Some(data) => {
                let (mut signs, mended) = self.read(&data, now)?;
                // Data of several lines is a copy, whose places are not the event's.
                let keeps_places = mended.is_none() && matches!(data, Cow::Borrowed(_));
                let begins = data.as_ptr().addr().checked_sub(event.as_ptr().addr()).filter(|_| keeps_places);
                signs.text = signs.text.zip(begins).map(|(text, begins)| text.start + begins..text.end + begins);
                if let Some(mended) = mended {
                    event = if mended.is_empty() { Bytes::new() } else { format!("data: {mended}\n\n").into() };
                }
                signs
            }
        };
        if self.choices.have_ended() {
            self.first = None;
        }
        let is_shown = !signs.usage_only || self.include_usage;
        let bytes = if is_shown { event } else { Bytes::new() };
        self.ready.push_back(StreamEvent { bytes, signs });
        Ok(())
    }

    /// Asked for a stream, some servers give a whole answer: that is one event, and the end.
    fn look_at_document(&mut self, json: &[u8], now: Timestamp) -> Result<(), Fault> {
        self.look_at(document(json, now)?, now)?;
        self.look_at(Bytes::from_static(DONE), now)
    }

    /// The marker says that all was said, and OpenAI's clients want to be told why it ended: some throw where no chunk does.
    fn make_up_for_the_end(&mut self) {
        let Some(first) = self.first.take() else { return };
        let (chunk, finish) = self.repair.missing_end(&first, self.choices.open());
        let bytes = format!("data: {chunk}\n\n").into();
        self.ready.push_back(StreamEvent { bytes, signs: Signs { finish, ..Signs::default() } });
    }

    /// What the chunk tells, and the chunk mended where a client would stumble over it: empty where it should not see it at all.
    fn read(&mut self, data: &[u8], now: Timestamp) -> Result<(Signs, Option<String>), Fault> {
        let chunk = Chunk::parse(data).map_err(|_| Fault::Broken(Breakage::NotJson))?;
        let mut signs = Signs { text: chunk.text_place(data), ..chunk.signs() };
        let silent = chunk.choices.is_none() && chunk.usage.is_none();
        if chunk.error.is_some() || silent || signs.finish == Some(Finish::Failed) {
            let failed = signs.finish == Some(Finish::Failed) || chunk.error.is_some();
            signs.error = classify::in_band(data, now).or_else(|| failed.then_some(Fault::Broken(Breakage::InBand)));
        }
        if signs.usage.is_none()
            && let Some(usage) = self.usage_at.as_deref().and_then(|path| at(data, path))
        {
            signs.usage = serde_json::from_value(usage).ok();
        }
        if signs.error.is_none()
            && let Some(error) = self.error_at.as_deref().and_then(|path| at(data, path))
        {
            let told = json!({ "error": error }).to_string();
            signs.error = Some(classify::in_band(told.as_bytes(), now).unwrap_or(Fault::Broken(Breakage::InBand)));
        }
        // Azure's verdict on a prompt, or a ping: many clients read the first choice of every chunk without usage.
        let choices = chunk.choices.as_deref().unwrap_or_default();
        let is_bare = choices.is_empty();
        for (choice, place) in choices.iter().zip(0..) {
            self.choices.note(choice.index.unwrap_or(place), choice.finish_reason.is_some());
        }
        if !is_bare && !self.choices.have_ended() && self.first.is_none() {
            let first = if data.len() > LARGEST_FIRST { &b"{}"[..] } else { data };
            self.first = Some(first.into());
        }
        let is_idle = is_bare && signs.usage.is_none() && signs.error.is_none();
        let mended = if is_idle { Some(String::new()) } else { self.repair.mend(data, &chunk) };
        Ok((signs, mended))
    }
}

/// A whole answer in JSON as an event; what else stands in an event's place is a failure.
fn document(json: &[u8], now: Timestamp) -> Result<Bytes, Fault> {
    let is_answer =
        Chunk::parse_whole(json).is_ok_and(|chunk| chunk.choices.is_some_and(|choices| !choices.is_empty()));
    match classify::in_band(json, now) {
        Some(fault) => Err(fault),
        None if !is_answer => Err(Fault::Broken(Breakage::NotJson)),
        // Line ends stand only between its words.
        None => {
            let line = json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte });
            Ok(b"data: ".iter().copied().chain(line).chain(*b"\n\n").collect())
        }
    }
}

/// Whether this is something else than an event stream's own lines: a web page, or an error's JSON.
fn is_no_event(event: &[u8]) -> bool {
    const FIELDS: [&[u8]; 4] = [b":", b"event:", b"id:", b"retry:"];
    let mut lines =
        event.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.any(|line| !FIELDS.iter().any(|field| line.starts_with(field)))
}

/// What stands at a place that most chunks do not have.
fn at(data: &[u8], path: &str) -> Option<Value> {
    // A look at the bytes spares most chunks the second parse.
    let key = path.trim_start_matches('/').split('/').next()?;
    memchr::memmem::find(data, key.as_bytes())?;
    let value: Value = serde_json::from_slice(data).ok()?;
    value.pointer(path).filter(|value| !value.is_null()).cloned()
}

#[cfg(test)]
mod tests;

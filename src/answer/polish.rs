//! The last step of a stream: its events cleaned, and what is held back of them let go after a while.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;

use crate::chat::{Fault, StreamEvent};
use crate::clock::{Clock, later};
use crate::style::answer::Cleaning;

/// The beginning of an answer is held back no longer than this to see whether it is an opener.
const PATIENCE: Duration = Duration::from_millis(300);

/// The state of one stream.
pub struct Polish {
    cleaning: Option<Cleaning>,
    ready: VecDeque<StreamEvent>,
    /// When what is held back was held first.
    held_since: Option<Timestamp>,
    /// What broke the stream; told once what was ready has gone on.
    fault: Option<Fault>,
    is_over: bool,
}

impl Polish {
    pub fn new(cleaning: Option<Cleaning>) -> Self {
        Self { cleaning, ready: VecDeque::with_capacity(1), held_since: None, fault: None, is_over: false }
    }

    /// Whether there is anything to do.
    pub const fn cleans(&self) -> bool {
        self.cleaning.is_some()
    }

    /// Whether it tells nothing before all has come.
    pub fn needs_all(&self) -> bool {
        self.cleaning.as_ref().is_some_and(Cleaning::needs_all)
    }

    /// What can be told at once.
    pub fn ready(&mut self) -> Option<Result<StreamEvent, Fault>> {
        self.ready.pop_front().map(Ok).or_else(|| self.fault.take().map(Err))
    }

    /// Whether nothing more will come.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    /// When what is held back has to go on.
    pub fn waits_until(&self) -> Option<Timestamp> {
        self.held_since.map(|since| later(since, PATIENCE))
    }

    pub fn release(&mut self) {
        self.held_since = None;
        if let Some(cleaning) = &mut self.cleaning {
            cleaning.release(&mut self.ready);
        }
    }

    /// Takes what came: an event, a fault, or the end.
    pub fn take(&mut self, came: Option<Result<StreamEvent, Fault>>, clock: &Clock) {
        let Some(cleaning) = &mut self.cleaning else { return };
        match came {
            Some(Ok(event)) => {
                cleaning.take(event, &mut self.ready);
                self.held_since = if cleaning.holds() { self.held_since.or_else(|| Some(clock.now())) } else { None };
            }
            ended => {
                cleaning.break_off(&mut self.ready);
                self.held_since = None;
                self.fault = ended.and_then(Result::err);
                self.is_over = true;
            }
        }
    }
}

//! A stream past its commit point, event by event, with the attempt it belongs to.

use std::collections::VecDeque;

use crate::chat::{Fault, StreamEvent};
use crate::upstream::EventStream;

use super::Held;

/// A stream past its commit point.
pub struct AnswerStream {
    events: EventStream,
    ready: VecDeque<StreamEvent>,
    pub(super) held: Option<Held>,
}

impl std::fmt::Debug for AnswerStream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AnswerStream").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}

impl AnswerStream {
    pub fn new(events: EventStream, first: Vec<StreamEvent>) -> Self {
        Self { events, ready: first.into(), held: None }
    }

    /// The next event; `None` after the end. After an error there is nothing more.
    pub async fn next(&mut self) -> Option<Result<StreamEvent, Fault>> {
        let held = self.held.as_mut()?;
        let next = match self.ready.pop_front() {
            Some(event) => Ok(Some(event)),
            None => self.events.next(&held.relay.clock).await,
        };
        let next = next.and_then(|event| match event {
            Some(StreamEvent { signs, .. }) if signs.error.is_some() => Err(Fault::Cut),
            event => Ok(event),
        });
        match next {
            Ok(Some(event)) => {
                held.usage = event.signs.usage.or(held.usage);
                Some(Ok(event))
            }
            Ok(None) => {
                held.end(None, false);
                self.held = None;
                None
            }
            Err(_) => {
                // Whatever broke it, past the commit point the stream is cut.
                if let Some(held) = self.held.take() {
                    held.failed(&Fault::Cut);
                }
                Some(Err(Fault::Cut))
            }
        }
    }
}

//! A stream past its commit point, event by event, with the attempt it belongs to.

use std::collections::VecDeque;

use crate::chat::{Fault, StreamEvent};
use crate::style::answer::Cleaning;
use crate::upstream::EventStream;

use super::Held;
use super::polish::Polish;

/// A stream past its commit point.
pub struct AnswerStream {
    events: EventStream,
    ready: VecDeque<StreamEvent>,
    pub(super) held: Option<Held>,
    polish: Polish,
}

impl std::fmt::Debug for AnswerStream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AnswerStream").field("ready", &self.ready.len()).finish_non_exhaustive()
    }
}

impl AnswerStream {
    pub fn new(events: EventStream, first: Vec<StreamEvent>, cleaning: Option<Cleaning>) -> Self {
        Self { events, ready: first.into(), held: None, polish: Polish::new(cleaning) }
    }

    /// The next event as the caller gets it; `None` after the end. After an error there is nothing more. May be given up and called
    /// again without loss.
    pub async fn next(&mut self) -> Option<Result<StreamEvent, Fault>> {
        if !self.polish.cleans() {
            return self.next_as_it_came().await;
        }
        loop {
            if let Some(next) = self.polish.ready() {
                return Some(next);
            }
            if self.polish.is_over() {
                return None;
            }
            let clock = self.held.as_ref()?.relay.clock.clone();
            let came = match self.polish.waits_until() {
                Some(moment) => tokio::select! {
                    biased;
                    came = self.next_as_it_came() => Some(came),
                    () = clock.sleep_until(moment) => None,
                },
                None => Some(self.next_as_it_came().await),
            };
            match came {
                Some(came) => self.polish.take(came, clock.now()),
                None => self.polish.release(),
            }
        }
    }

    async fn next_as_it_came(&mut self) -> Option<Result<StreamEvent, Fault>> {
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

//! A stream past its commit point, event by event, continued on another route where it breaks off.

use std::collections::VecDeque;
use std::pin::Pin;

use bytes::Bytes;

use crate::chat::event::Finish;
use crate::chat::{Fault, Signs, StreamEvent, Usage};
use crate::clock::Clock;
use crate::relay::{Continuation, Continued};
use crate::style::answer::Cleaning;
use crate::upstream::EventStream;

use super::held::Held;
use super::polish::Polish;
use super::stitch::Stitch;
use super::transcript::Transcript;
use super::{Answer, Attempt, Body};

/// Events as they go to the caller.
pub struct AnswerStream {
    source: Source,
    clock: Clock,
    polish: Polish,
    said: Transcript,
    /// How to go on elsewhere; `None` where nobody may or can.
    continuation: Option<Box<Continuation>>,
    /// Every attempt, once the first answer has broken off.
    attempts: Vec<Attempt>,
}

type Continuing = Pin<Box<dyn Future<Output = Result<Continued, Fault>> + Send>>;

/// Where the next event comes from.
enum Source {
    Reading(Box<Reading>),
    /// It broke off, and another route is asked to go on.
    Continuing(Continuing),
    /// All of it is here.
    Gathered(VecDeque<StreamEvent>),
    /// All was said, and the end marker is still to be told.
    Ending,
    /// Ended, with this fault still to be told.
    Over(Option<Fault>),
}

/// One route's stream, and the attempt it belongs to.
pub(super) struct Reading {
    events: EventStream,
    /// Events that came before the stream was committed to.
    first: VecDeque<StreamEvent>,
    pub held: Option<Held>,
    /// Set where it continues another stream.
    stitch: Option<Stitch>,
}

/// Why a route's stream gives no further event.
enum Stop {
    End,
    /// With what the provider said of it, if it did.
    Cut(Option<Box<Fault>>),
    /// Its text does not go on from what was said.
    Astray,
    /// It has come to its end, and said nothing.
    Unsaid,
}

impl std::fmt::Debug for AnswerStream {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("AnswerStream").field("said", &self.said.text.len()).finish_non_exhaustive()
    }
}

impl AnswerStream {
    pub fn new(events: EventStream, first: Vec<StreamEvent>, cleaning: Option<Cleaning>, clock: Clock) -> Self {
        let reading = Reading { events, first: first.into(), held: None, stitch: None };
        Self {
            source: Source::Reading(Box::new(reading)),
            clock,
            polish: Polish::new(cleaning),
            said: Transcript::default(),
            continuation: None,
            attempts: Vec::new(),
        }
    }

    /// Should it break off, another route is asked to go on.
    pub fn may_continue(&mut self, continuation: Box<Continuation>) {
        self.continuation = Some(continuation);
    }

    /// Every attempt of the request, the last route's last, when more than one route wrote the answer.
    pub fn attempts(&self) -> Option<&[Attempt]> {
        (!self.attempts.is_empty()).then_some(&self.attempts)
    }

    pub(super) fn carry(&mut self, held: Held) {
        if let Source::Reading(reading) = &mut self.source {
            reading.held = Some(held);
        }
    }

    /// Whether nothing of it goes on before all has come.
    pub fn needs_all(&self) -> bool {
        self.polish.needs_all()
    }

    /// With all of its events here. If it breaks off before, nobody has seen any of it.
    pub async fn gathered(mut self: Box<Self>) -> Result<Box<Self>, Fault> {
        let mut events = VecDeque::new();
        while let Some(event) = self.next_as_it_came().await {
            events.push_back(event?);
        }
        self.source = Source::Gathered(events);
        Ok(self)
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
            let came = match self.polish.waits_until() {
                Some(moment) => {
                    let clock = self.clock.clone();
                    tokio::select! {
                        biased;
                        came = self.next_as_it_came() => Some(came),
                        () = clock.sleep_until(moment) => None,
                    }
                }
                None => Some(self.next_as_it_came().await),
            };
            match came {
                Some(came) => self.polish.take(came, &self.clock),
                None => self.polish.release(),
            }
        }
    }

    /// The next event of whoever writes now.
    async fn next_as_it_came(&mut self) -> Option<Result<StreamEvent, Fault>> {
        loop {
            match &mut self.source {
                Source::Over(fault) => return fault.take().map(Err),
                Source::Gathered(events) => return events.pop_front().map(Ok),
                Source::Ending => {
                    self.source = Source::Over(None);
                    return Some(Ok(done()));
                }
                Source::Reading(reading) => match reading.next().await {
                    Ok(event) => {
                        let may_begin_anew = self.continuation.is_some() || self.needs_all();
                        self.said.note(&event, may_begin_anew);
                        if may_begin_anew && self.ends_unsaid(&event) {
                            self.stop(Stop::Unsaid);
                            continue;
                        }
                        if event.signs.done {
                            self.finish();
                        }
                        return Some(Ok(event));
                    }
                    Err(stop) => self.stop(stop),
                },
                Source::Continuing(continuing) => {
                    let continued = continuing.await;
                    self.resume(continued);
                }
            }
        }
    }

    /// Whether the answer ends with nothing said beyond thoughts, and no reason told: a failure, as a whole answer of that kind is.
    fn ends_unsaid(&mut self, event: &StreamEvent) -> bool {
        let explains = |finish| matches!(finish, Finish::Length | Finish::ContentFilter);
        let ends = event.signs.finish.is_some_and(|finish| !explains(finish));
        ends && self.said.is_nothing()
    }

    /// All was said. The caller may hang up at the marker, and its provider take a while to end the response.
    fn finish(&mut self) {
        let Source::Reading(reading) = std::mem::replace(&mut self.source, Source::Over(None)) else { return };
        if let Some(held) = reading.held {
            held.ended();
        }
        reading.events.finish();
    }

    fn stop(&mut self, stop: Stop) {
        let Source::Reading(reading) = std::mem::replace(&mut self.source, Source::Over(None)) else { return };
        match (stop, reading.held) {
            (Stop::End, Some(held)) => held.ended(),
            // All was said; only the connection's own end is missing, and perhaps the marker that a client waits for.
            (Stop::Cut(_), Some(held)) if self.said.is_finished => {
                held.ended();
                if !self.said.is_done {
                    self.source = Source::Ending;
                }
            }
            (Stop::Cut(told), Some(held)) => {
                held.cut(told.as_deref(), self.clock.now());
                self.go_on_elsewhere();
            }
            (Stop::Unsaid, Some(held)) => {
                held.cut(None, self.clock.now());
                self.said.is_finished = false;
                self.go_on_elsewhere();
            }
            // Dropped, the attempt counts as given up by the caller.
            (Stop::Astray, held) => {
                drop(held);
                self.go_on_elsewhere();
            }
            (Stop::End | Stop::Cut(_) | Stop::Unsaid, None) => {}
        }
    }

    fn go_on_elsewhere(&mut self) {
        let says_nothing = self.said.is_nothing();
        let continuation = self.continuation.take().filter(|_| !self.said.is_more_than_text);
        if says_nothing {
            // Blanks are no words to go on from.
            self.said.text.clear();
        }
        self.source = match continuation {
            Some(continuation) => Source::Continuing(Box::pin(continuation.go_on(self.said.text.clone()))),
            None => Source::Over(Some(Fault::Cut)),
        };
    }

    fn resume(&mut self, continued: Result<Continued, Fault>) {
        let resumed = continued.ok().and_then(|Continued { answer, cut_tokens, next }| {
            let Answer { attempts, body: Body::Stream(stream), .. } = answer else { return None };
            let Source::Reading(reading) = stream.source else { return None };
            Some((attempts, reading, cut_tokens, next))
        });
        let Some((attempts, mut reading, cut_tokens, next)) = resumed else {
            self.source = Source::Over(Some(Fault::Cut));
            return;
        };
        let wrote = |attempt: &&Attempt| matches!(attempt.fault, None | Some(Fault::Cut));
        let routes: Vec<&str> = attempts.iter().filter(wrote).map(|attempt| &*attempt.route).collect();
        let before = self.said.usage.take().unwrap_or(Usage { prompt_tokens: 0, completion_tokens: cut_tokens });
        let head = self.said.head.clone().unwrap_or_default();
        reading.stitch = Some(Stitch::new(head, self.said.text.clone(), before, &routes.join(", ")));
        self.attempts = attempts;
        self.continuation = next;
        self.source = Source::Reading(reading);
    }
}

/// The end marker.
fn done() -> StreamEvent {
    StreamEvent { bytes: Bytes::from_static(b"data: [DONE]\n\n"), signs: Signs { done: true, ..Signs::default() } }
}

impl Reading {
    async fn next(&mut self) -> Result<StreamEvent, Stop> {
        let held = self.held.as_mut().ok_or(Stop::End)?;
        let next = match self.first.pop_front() {
            Some(event) => {
                if self.first.is_empty() {
                    self.first = VecDeque::new();
                }
                Ok(Some(event))
            }
            None => self.events.next().await,
        };
        match next {
            Ok(Some(StreamEvent { signs: Signs { error: Some(told), .. }, .. })) => {
                Err(Stop::Cut(Some(Box::new(told))))
            }
            Ok(Some(event)) => {
                held.usage = event.signs.usage.or(held.usage);
                let Some(stitch) = &mut self.stitch else { return Ok(event) };
                match stitch.comment_before(&event) {
                    Some(comment) => {
                        self.first.push_front(event);
                        Ok(comment)
                    }
                    None => stitch.sew(event).map_err(|_| Stop::Astray),
                }
            }
            Ok(None) => Err(Stop::End),
            Err(_) => Err(Stop::Cut(None)),
        }
    }
}

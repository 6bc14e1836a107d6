//! A stream on its way to the caller: events as they come, keep-alives while nothing does, and its line in the log.

use std::pin::Pin;
use std::sync::Arc;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use http::Response;
use jiff::Timestamp;
use tokio_util::sync::WaitForCancellationFutureOwned;

use crate::answer::{self, Answer, AnswerStream, trail};
use crate::chat::{Fault, Usage};
use crate::clock::{Silence, until};
use crate::relay::Failure;

use super::chat::{SILENCE, Sending};
use super::gate::Turn;
use super::respond::{self, ErrorBody, Reply};
use super::routes::{Gateway, RequestLine};

/// What the stream still waits for.
pub enum Pending {
    /// The 200 went out before there was an answer.
    Sending(Sending),
    /// `late` is the route, when the headers could not name it any more.
    Streaming {
        stream: Box<AnswerStream>,
        late: Option<Arc<str>>,
    },
    Over,
}

impl Pending {
    /// An answer whose route the headers name.
    pub fn answering(answer: Answer) -> Self {
        Self::of(answer, None)
    }

    fn of(answer: Answer, late: Option<Arc<str>>) -> Self {
        match answer.body {
            answer::Body::Stream(stream) => Self::Streaming { stream, late },
            answer::Body::Whole(_) => Self::Over,
        }
    }
}

/// The response body. The log gets its line when the stream ends or the caller leaves.
pub fn body(pending: Pending, mut story: Story) -> Body {
    if let Pending::Streaming { .. } = &pending {
        story.line.status = 200;
    }
    // In a box: from one piece to the next all of it would be moved.
    let first = matches!(pending, Pending::Sending(_)).then_some(KEEP_ALIVE);
    let silence = Silence::new(SILENCE, &story.gateway.relay.clock);
    let cut = Box::pin(story.gateway.cut.clone().cancelled_owned());
    let telling = Box::new(Telling { first, pending, story, waiting: Waiting { silence, cut } });
    Body::from_stream(stream::unfold(telling, |mut telling| async move {
        let piece = telling.next_piece().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), telling))
    }))
}

/// A stream as it is told.
struct Telling {
    /// What goes out with the 200 where there is no answer yet.
    first: Option<Bytes>,
    pending: Pending,
    story: Story,
    waiting: Waiting,
}

/// What ends a wait for the next event.
struct Waiting {
    /// Since the caller was last told anything.
    silence: Silence,
    /// The server stops.
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Telling {
    /// The next bytes for the caller. Bytes that are empty were for relay's own eyes.
    async fn next_piece(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        loop {
            let (story, waiting) = (&mut self.story, &mut self.waiting);
            let (piece, next) = match &mut self.pending {
                Pending::Over => return None,
                Pending::Sending(sending) => after_sending(sending, story, waiting).await,
                Pending::Streaming { stream, late } => after_event(stream, late, story, waiting).await,
            };
            if let Some(next) = next {
                self.pending = next;
            }
            if !piece.is_empty() {
                let silence = &mut self.waiting.silence;
                silence.heard(silence.now());
                return Some(piece);
            }
        }
    }
}

/// A piece, and what is waited for from then on where that is something else.
type Told = (Bytes, Option<Pending>);

async fn after_sending(sending: &mut Sending, story: &mut Story, waiting: &mut Waiting) -> Told {
    story.line.status = 200;
    let sent = tokio::select! {
        biased;
        sent = sending => sent,
        () = waiting.silence.lasts() => return (KEEP_ALIVE, None),
        () = &mut waiting.cut => return (story.stopped(), Some(Pending::Over)),
    };
    match sent {
        Ok(answer) => {
            story.answered(&answer, None);
            (Bytes::new(), Some(Pending::of(answer, story.line.route.clone())))
        }
        Err(failure) => {
            story.failed(&failure);
            let error = respond::explain(&failure, story.gateway.relay.clock.now());
            story.line.error = Some(error.message.clone());
            (respond::error_event(&error), Some(Pending::Over))
        }
    }
}

async fn after_event(
    stream: &mut AnswerStream,
    late: &mut Option<Arc<str>>,
    story: &mut Story,
    waiting: &mut Waiting,
) -> Told {
    let next = tokio::select! {
        biased;
        next = stream.next() => next,
        () = waiting.silence.lasts() => return (KEEP_ALIVE, None),
        () = &mut waiting.cut => return (story.stopped(), Some(Pending::Over)),
    };
    match next {
        Some(Ok(event)) => {
            story.note_usage(event.signs.usage);
            (event.bytes, None)
        }
        Some(Err(fault)) => {
            story.continued(stream);
            (story.broke_off(&fault), Some(Pending::Over))
        }
        None => {
            story.continued(stream);
            let route = late.take().map(|route| format!(": relay-route {route}\n\n").into());
            (route.unwrap_or_default(), Some(Pending::Over))
        }
    }
}

const KEEP_ALIVE: Bytes = Bytes::from_static(b": keep-alive\n\n");

/// A chat's line in the log, told when the story is dropped: at the end of the answer, or when the caller left.
pub struct Story {
    gateway: Arc<Gateway>,
    pub line: RequestLine,
    /// Its turn at the gate, held until the answer has ended.
    pub turn: Option<Turn>,
}

impl Story {
    pub fn begin(gateway: &Arc<Gateway>, request_id: Arc<str>, at: Timestamp) -> Self {
        let line = RequestLine {
            at,
            request_id,
            status: 499,
            route: None,
            trail: String::new(),
            elapsed: std::time::Duration::ZERO,
            tokens: None,
            error: None,
        };
        Self { gateway: Arc::clone(gateway), line, turn: None }
    }

    /// Ends the story with an error of its own.
    pub fn refuse(mut self, error: ErrorBody) -> Response<Reply> {
        self.line.status = error.status;
        self.line.error = Some(error.message.clone());
        respond::error(error).map(Reply::Other)
    }

    pub fn answered(&mut self, answer: &Answer, usage: Option<Usage>) {
        self.line.status = 200;
        self.line.route = Some(Arc::clone(&self.gateway.relay.fleet.route(answer.route).name));
        self.line.trail = answer.trail();
        self.note_usage(usage);
    }

    /// Names the routes of a stream that more than one wrote.
    fn continued(&mut self, stream: &AnswerStream) {
        if let Some(attempts) = stream.attempts() {
            self.line.trail = trail(attempts);
            self.line.route = attempts.last().map(|last| Arc::clone(&last.route));
        }
    }

    pub fn failed(&mut self, failure: &Failure) {
        self.line.trail = trail(&failure.attempts);
    }

    fn note_usage(&mut self, usage: Option<Usage>) {
        self.line.tokens = usage.map(|usage| usage.total()).or(self.line.tokens);
    }

    /// The server stops before the answer has ended.
    fn stopped(&mut self) -> Bytes {
        let error = respond::stopping();
        self.line.error = Some(error.message.clone());
        respond::error_event(&error)
    }

    fn broke_off(&mut self, fault: &Fault) -> Bytes {
        let error = respond::of_fault(fault, self.gateway.relay.clock.now());
        self.line.error = Some(error.message.clone());
        respond::error_event(&error)
    }
}

impl Drop for Story {
    fn drop(&mut self) {
        self.line.elapsed = until(self.line.at, self.gateway.relay.clock.now());
        self.gateway.relay.metrics.request(self.line.status);
        (self.gateway.on_request)(&self.line);
    }
}

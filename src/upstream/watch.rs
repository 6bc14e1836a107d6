//! Reads a response: whole, within bounds; or event by event, noticing silence and a cut.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use futures_util::FutureExt as _;
use http_body::Body as _;
use http_body_util::BodyExt as _;
use hyper::rt::Executor as _;
use hyper_util::rt::TokioExecutor;
use jiff::Timestamp;
use tokio::time::timeout;

use crate::chat::fault::Stage;
use crate::chat::{Breakage, Fault, StreamEvent};
use crate::clock::{Clock, Silence};
use crate::dialect::Scanner;

use super::body::ResponseBody;

/// Room for a body of so many bytes is made before they are there: a longer one has to come before it is believed.
const EXPECTED: usize = 1024 * 1024;

/// Reads a body to its end. More than `most` bytes are no answer.
pub async fn read_whole(mut body: ResponseBody, most: usize) -> Result<Bytes, Fault> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX).min(EXPECTED);
    let mut whole = BytesMut::new();
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| Fault::Broken(Breakage::Reset))?.into_data() else { continue };
        // A body of one frame is handed on without a copy.
        if whole.is_empty() && body.is_end_stream() {
            return Ok(data);
        }
        if whole.len() + data.len() > most {
            return Err(Fault::Broken(Breakage::NotJson));
        }
        whole.reserve(expected.saturating_sub(whole.len()));
        whole.extend_from_slice(&data);
    }
    Ok(whole.freeze())
}

/// What comes of a response after the end of its answer is read this long, and so much of it.
const TAIL_TIME: Duration = Duration::from_secs(1);
const MOST_TAIL: usize = 64 * 1024;

/// A stream being answered.
#[derive(Debug)]
pub struct EventStream {
    body: ResponseBody,
    scanner: Scanner,
    /// Between two events, comments apart. Outlives a call of `next` that somebody gave up waiting for.
    silence: Silence,
    /// When the newest piece came.
    came: Timestamp,
    ended: bool,
}

impl EventStream {
    pub fn new(body: ResponseBody, scanner: Scanner, idle: Duration, clock: &Clock) -> Self {
        let silence = Silence::new(idle, clock);
        Self { body, scanner, came: silence.heard_at(), silence, ended: false }
    }

    /// Nothing more of it is wanted. Its response is read to the end for a moment, so that the connection can be used again.
    pub fn finish(mut self) {
        let is_over = self.body.is_end_stream() || matches!(self.body.frame().now_or_never(), Some(None));
        if !is_over {
            TokioExecutor::new().execute(timeout(TAIL_TIME, read_tail(self.body)).map(drop));
        }
    }

    /// The next event; `None` at the proper end. May be given up and called again without loss. A connection that dies or falls silent is an error.
    pub async fn next(&mut self) -> Result<Option<StreamEvent>, Fault> {
        loop {
            if let Some(event) = self.scanner.next_event() {
                // Whoever only says that it still works is silent.
                if !event.is_comment() {
                    self.silence.heard(self.came);
                }
                return Ok(Some(event));
            }
            if self.ended {
                return Ok(None);
            }
            let frame = tokio::select! {
                biased;
                frame = self.body.frame() => frame,
                () = self.silence.lasts() => return Err(Fault::Broken(Breakage::Timeout(Stage::Idle))),
            };
            match frame {
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        self.came = self.silence.now();
                        self.scanner.push(data, self.came)?;
                    }
                }
                Some(Err(_)) => return Err(Fault::Cut),
                None => {
                    self.ended = true;
                    self.came = self.silence.now();
                    self.scanner.end(self.came)?;
                }
            }
        }
    }
}

async fn read_tail(mut body: ResponseBody) {
    let mut length = 0;
    while let Some(Ok(frame)) = body.frame().await {
        length += frame.data_ref().map_or(0, Bytes::len);
        if length > MOST_TAIL {
            return;
        }
    }
}

//! Reads a response: whole, within bounds; or event by event, noticing silence and a cut.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http_body::Body as _;
use http_body_util::BodyExt as _;

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

/// A stream being answered.
#[derive(Debug)]
pub struct EventStream {
    body: ResponseBody,
    scanner: Scanner,
    /// Between two pieces. Outlives a call of `next` that somebody gave up waiting for.
    silence: Silence,
    ended: bool,
}

impl EventStream {
    pub fn new(body: ResponseBody, scanner: Scanner, idle: Duration, clock: &Clock) -> Self {
        Self { body, scanner, silence: Silence::new(idle, clock), ended: false }
    }

    /// The next event; `None` at the proper end. May be given up and called again without loss. A connection that dies or falls silent is an error.
    pub async fn next(&mut self) -> Result<Option<StreamEvent>, Fault> {
        loop {
            if let Some(event) = self.scanner.next_event() {
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
                        let now = self.silence.heard();
                        self.scanner.push(data, now)?;
                    }
                }
                Some(Err(_)) => return Err(Fault::Cut),
                None => {
                    self.ended = true;
                    self.scanner.end(self.silence.heard())?;
                }
            }
        }
    }
}

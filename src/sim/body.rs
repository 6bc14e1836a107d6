//! A response body that plays its frames at their pace, and settles the call when the last is handed over.

use std::collections::VecDeque;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hyper::body::{Body, Frame, SizeHint};
use tokio::time::{Sleep, sleep};

use super::call::{OpenCall, Outcome};
use super::reply::{End, Message};

/// The frames of one response. Dropped early, its call is settled as left by the client.
#[derive(Debug)]
pub(super) struct Playback {
    frames: VecDeque<Bytes>,
    end: End,
    length: Option<u64>,
    apart: bool,
    gap: Duration,
    pause: Option<Pin<Box<Sleep>>>,
    /// Lets the connection write out what it holds before the next step.
    breathe: bool,
    call: Option<OpenCall>,
    outcome: Outcome,
}

impl Playback {
    pub(super) fn new(message: Message, call: OpenCall) -> Self {
        let length = message.whole.then(|| message.frames.iter().map(|frame| frame.len() as u64).sum());
        let mut playback = Self {
            breathe: message.end != End::Finish || message.apart,
            frames: message.frames.into(),
            end: message.end,
            length,
            apart: message.apart,
            gap: message.gap,
            pause: (!message.silence.is_zero()).then(|| Box::pin(sleep(message.silence))),
            call: Some(call),
            outcome: message.outcome,
        };
        // A body with a length is written in one go, so its call is over; a client never sees it end before its outcome is known.
        if (message.whole || playback.frames.is_empty()) && message.end == End::Finish {
            playback.settle();
        }
        playback
    }

    fn settle(&mut self) {
        if let Some(call) = self.call.take() {
            call.settle(self.outcome);
        }
    }
}

impl Body for Playback {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(context));
            self.pause = None;
        }
        if self.breathe {
            self.breathe = false;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        if let Some(frame) = self.frames.pop_front() {
            let last = self.frames.is_empty();
            if last && self.end == End::Finish {
                self.settle();
            } else if !self.gap.is_zero() {
                self.pause = Some(Box::pin(sleep(self.gap)));
            }
            self.breathe = self.apart || (last && self.end == End::Cut);
            return Poll::Ready(Some(Ok(Frame::data(frame))));
        }
        match self.end {
            End::Finish => Poll::Ready(None),
            End::Stall => Poll::Pending,
            End::Cut => {
                self.settle();
                Poll::Ready(Some(Err(io::Error::other("cut on purpose"))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.frames.is_empty() && self.end == End::Finish
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

//! What a request over either kind of connection is made of, and how it may fail.

use std::convert::Infallible;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use http::Request;
use http_body::{Body, Frame, SizeHint};

use crate::chat::Slices;

use super::message::Malformed;

/// Idle connections are kept this long: below the minute or so after which most providers close them.
pub(super) const KEEP_IDLE: Duration = Duration::from_secs(50);

/// A kept connection whose end comes so soon after a request, and before a byte of its response, was most likely closed as the request went
/// out. curl and browsers send again then, whatever is asked.
pub(super) const CROSSING: Duration = Duration::from_secs(1);

/// Why a request has no response.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The connection was closed before it took the request. It comes back as it was shaped for that one, here and below.
    Unsent(Box<Request<Pieces>>),
    /// The provider says that it has not looked at the request: it is about to close this connection, or has too much to do on it.
    /// (Servers close each connection after some thousand requests, with others on their way.)
    Refused(Box<Request<Pieces>>),
    /// The end of a kept connection crossed the request on its way, for all that can be known here.
    Crossed,
    Lost,
}

/// Why a response has no head, or its body no end.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    #[error("the connection broke")]
    Socket(#[from] io::Error),
    #[error("the connection was closed before the end")]
    Short,
    #[error(transparent)]
    Malformed(#[from] Malformed),
    #[error(transparent)]
    Shared(#[from] hyper::Error),
}

/// A request body in pieces, sent one after the other; a large one is never joined.
#[derive(Debug, Clone)]
pub(super) struct Pieces {
    left: smallvec::IntoIter<[Bytes; 2]>,
    length: u64,
}

impl Pieces {
    pub fn new(pieces: Slices) -> Self {
        let length: usize = pieces.iter().map(Bytes::len).sum();
        Self { left: pieces.into_iter(), length: length as u64 }
    }

    /// Those that are still to be sent.
    pub fn left(&self) -> &[Bytes] {
        self.left.as_slice()
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let piece = self.left.next();
        self.length -= piece.as_ref().map_or(0, |piece| piece.remaining() as u64);
        Poll::Ready(piece.map(|piece| Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.as_slice().is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.length)
    }
}

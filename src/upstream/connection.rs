//! A connection of HTTP/1.1, for one request at a time, and what a request over either kind of connection is made of.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, Bytes};
use http::{Request, Response, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper::client::conn::http1;

use crate::chat::Slices;

use super::connect::{Stream, chain};
use super::shared::drive;

/// Bytes of an answer that are read ahead of its caller; a response's head may have no more either.
const MOST_BUFFERED: usize = 64 * 1024;

/// Idle connections are kept this long: below the minute or so after which most providers close them.
pub(super) const KEEP_IDLE: Duration = Duration::from_secs(50);

/// Why a request has no response.
#[derive(Debug)]
pub(super) enum Unanswered {
    /// The connection was closed before it took the request. It comes back as it was shaped for that one, here and below.
    Unsent(Box<Request<Pieces>>),
    /// The provider says that it has not looked at the request: it is about to close this connection, or has too much to do on it.
    /// (Servers close each connection after some thousand requests, with others on their way.)
    Refused(Box<Request<Pieces>>),
    Lost,
}

/// A connection of HTTP/1.1, driven by a task of its own that ends with it.
#[derive(Debug)]
pub(super) struct Single {
    sender: http1::SendRequest<Pieces>,
    idle_since: Instant,
}

impl Single {
    pub async fn over(stream: Stream) -> hyper::Result<Self> {
        let (mut sender, driver) = http1::Builder::new().max_buf_size(MOST_BUFFERED).handshake(stream).await?;
        drive(driver);
        sender.ready().await?;
        Ok(Self { sender, idle_since: Instant::now() })
    }

    /// Whether it takes a request now.
    pub fn is_ready(&self) -> bool {
        self.sender.is_ready()
    }

    /// Waits until it takes one; false where it never will.
    pub async fn ready(&mut self) -> bool {
        self.sender.ready().await.is_ok()
    }

    /// Whether it is open still, and not idle for too long.
    pub fn is_kept(&self) -> bool {
        !self.sender.is_closed() && self.idle_since.elapsed() < KEEP_IDLE
    }

    /// Nobody reads its last response any more.
    pub fn rest(&mut self) {
        self.idle_since = Instant::now();
    }

    /// Sends the request, and waits for the response's head.
    pub async fn send(&mut self, mut request: Box<Request<Pieces>>) -> Result<Response<Incoming>, Unanswered> {
        if let Some(path) = request.uri().path_and_query() {
            *request.uri_mut() = Uri::from(path.clone());
        }
        self.sender.try_send_request(*request).await.map_err(|mut error| {
            if let Some(request) = error.take_message() {
                return Unanswered::Unsent(Box::new(request));
            }
            tracing::debug!(error = %chain(error.error()), "the call failed");
            Unanswered::Lost
        })
    }
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

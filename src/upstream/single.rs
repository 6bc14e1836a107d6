//! A connection of HTTP/1.1, for one request at a time, whose task reads and writes for itself.

use std::future::poll_fn;
use std::io::{self, IoSlice};
use std::mem::{self, MaybeUninit};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker, ready};
use std::time::{Duration, Instant};
use std::{fmt, iter};

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, Request, StatusCode};
use hyper_rustls::MaybeHttpsStream;
use hyper_util::rt::TokioIo;
use smallvec::SmallVec;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::task::unconstrained;
use tokio_util::io::poll_read_buf;

use super::connect::{Stream, chain};
use super::connection::{Broken, CROSSING, KEEP_IDLE, Pieces, Unanswered};
use super::message::{Framing, Head, MOST_HEAD, head_of};

/// Room for what comes, until more than that is there at once.
const ROOM: usize = 8 * 1024;
/// Room for what comes then, of a body whose length is not known.
const MORE_ROOM: usize = 64 * 1024;

/// A connection that was opened just now is for whoever opened it, who will find out.
const NEW: Duration = Duration::from_secs(1);

/// A socket, or what TLS makes of one.
trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

pub(super) struct Single {
    socket: Box<dyn Duplex>,
    /// Nobody has read it yet.
    came: BytesMut,
    /// The last read took as much as there was room for.
    has_more: bool,
    /// What came was given more room than it will need again.
    is_roomy: bool,
    /// What of the request is not with the socket yet.
    leaving: Option<Leaving>,
    framing: Framing,
    /// It takes another request after this response.
    keeps: bool,
    /// No request has gone over it yet.
    is_new: bool,
    idle_since: Instant,
}

/// A request on its way.
struct Leaving {
    head: Vec<u8>,
    body: Pieces,
    written: usize,
}

impl Single {
    pub fn over(stream: Stream) -> Self {
        match stream {
            // What TLS holds is larger by far.
            MaybeHttpsStream::Http(bare) => Self::on(Box::new(bare.into_inner())),
            secured @ MaybeHttpsStream::Https(_) => Self::on(Box::new(TokioIo::new(secured))),
        }
    }

    fn on(socket: Box<dyn Duplex>) -> Self {
        Self {
            socket,
            came: BytesMut::new(),
            has_more: false,
            is_roomy: false,
            leaving: None,
            framing: Framing::Sized(0),
            keeps: true,
            is_new: true,
            idle_since: Instant::now(),
        }
    }

    /// Whether it is open still, and not idle for too long.
    pub fn is_kept(&mut self) -> bool {
        let idle = self.idle_since.elapsed();
        idle < KEEP_IDLE && (self.is_new && idle < NEW || self.is_silent())
    }

    /// Whether its other end has neither closed it nor says anything. Whoever waited for that is forgotten.
    fn is_silent(&mut self) -> bool {
        let mut room = [MaybeUninit::uninit()];
        at_once(|context| Pin::new(&mut self.socket).poll_read(context, &mut ReadBuf::uninit(&mut room))).is_pending()
    }

    /// Nobody reads its response any more. Tells whether it takes another request: not while anything of this response, or of its
    /// request, is on its way.
    pub fn rest(&mut self) -> bool {
        let is_read =
            self.framing.is_over() || matches!(at_once(|context| self.poll_piece(context)), Poll::Ready(None));
        let is_done = is_read && self.leaving.is_none() && self.came.is_empty();
        self.has_more = false;
        if mem::take(&mut self.is_roomy) {
            self.came = BytesMut::new();
        }
        self.idle_since = Instant::now();
        is_done && self.keeps && self.is_silent()
    }

    /// Sends the request, and waits for the response's head, which may come before all of the request has left.
    pub async fn send(&mut self, request: Box<Request<Pieces>>) -> Result<(StatusCode, HeaderMap), Unanswered> {
        let (is_kept, sent) = (!mem::replace(&mut self.is_new, false), Instant::now());
        self.leaving = Some(Leaving { head: head_of(&request), body: request.body().clone(), written: 0 });
        let (mut unsent, mut looked_at) = (Some(request), None);
        let answered = poll_fn(|context| {
            let has_begun = self.write(context);
            unsent = unsent.take().filter(|_| !has_begun);
            match self.leaving {
                None if unsent.is_some() => Poll::Ready(Err(Broken::Short)),
                _ => self.poll_head(context, &mut looked_at),
            }
        });
        let answered = answered.await;
        answered.map_err(|broken| {
            tracing::debug!(error = %chain(&broken), "the call failed");
            let is_silent = !matches!(broken, Broken::Malformed(_)) && looked_at.is_none();
            match unsent {
                Some(request) => Unanswered::Unsent(request),
                None if is_kept && is_silent && sent.elapsed() < CROSSING => Unanswered::Crossed,
                None => Unanswered::Lost,
            }
        })
    }

    /// Writes of the request what the socket takes now. Tells whether the provider may have seen some of it. If it has, and the connection
    /// breaks, its response may be there all the same: it answers, and closes, before it has read what it does not want.
    fn write(&mut self, context: &mut Context<'_>) -> bool {
        let Some(leaving) = &mut self.leaving else { return true };
        let left = leaving.poll_write(&mut self.socket, context);
        let has_begun = leaving.written > 0;
        if let Poll::Ready(Err(error)) = &left {
            tracing::debug!(error = %chain(error), "the request was not sent");
            self.keeps = false;
        }
        if left.is_ready() {
            self.leaving = None;
        }
        has_begun
    }

    fn poll_head(
        &mut self,
        context: &mut Context<'_>,
        looked_at: &mut Option<usize>,
    ) -> Poll<Result<(StatusCode, HeaderMap), Broken>> {
        loop {
            // A line that is not whole tells nothing new, but that it is none.
            let is_new = looked_at.is_none_or(|at| at == 0 || memchr::memchr(b'\n', &self.came[at..]).is_some());
            if !self.came.is_empty() && (is_new || self.came.len() >= MOST_HEAD) {
                if let Some(head) = Head::take(&mut self.came)? {
                    self.framing = head.framing;
                    self.keeps &= head.keeps;
                    return Poll::Ready(Ok((head.status, head.headers)));
                }
                *looked_at = Some(self.came.len());
            }
            if ready!(self.poll_read(context))? == 0 {
                return Poll::Ready(Err(Broken::Short));
            }
        }
    }

    /// The next piece of the response's body; `None` after its end.
    pub fn poll_piece(&mut self, context: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        loop {
            if let Some(piece) = self.framing.take(&mut self.came)? {
                return Poll::Ready(Some(Ok(piece)));
            }
            if self.framing.is_over() {
                return Poll::Ready(None);
            }
            self.write(context);
            if ready!(self.poll_read(context))? > 0 {
                continue;
            }
            self.keeps = false;
            return match std::mem::replace(&mut self.framing, Framing::Sized(0)) {
                Framing::Open => Poll::Ready(None),
                _ => Poll::Ready(Some(Err(Broken::Short))),
            };
        }
    }

    /// How the body ends.
    pub fn framing(&self) -> Framing {
        self.framing
    }

    /// Reads what is there behind what came.
    fn poll_read(&mut self, context: &mut Context<'_>) -> Poll<io::Result<usize>> {
        if self.has_more {
            let room = self.framing.left().and_then(|left| usize::try_from(left).ok()).unwrap_or(MORE_ROOM);
            self.came.reserve(room.clamp(ROOM, MORE_ROOM));
            self.is_roomy = true;
            let read = poll_read_buf(Pin::new(&mut self.socket), context, &mut self.came);
            self.has_more = read.is_ready() && self.came.len() == self.came.capacity();
            if read.is_ready() {
                return read;
            }
        }
        if mem::take(&mut self.is_roomy) {
            self.came = BytesMut::from(&*self.came);
        }
        let mut room = [const { MaybeUninit::uninit() }; ROOM];
        let mut read = ReadBuf::uninit(&mut room);
        ready!(Pin::new(&mut self.socket).poll_read(context, &mut read))?;
        self.has_more = read.remaining() == 0;
        self.came.extend_from_slice(read.filled());
        Poll::Ready(Ok(read.filled().len()))
    }
}

/// What is so now, for nobody who waits. The budget that a task has for its reads is left out: at its end everything looks as if nothing
/// were there.
fn at_once<T>(poll: impl FnMut(&mut Context<'_>) -> Poll<T>) -> Poll<T> {
    pin!(unconstrained(poll_fn(poll))).poll(&mut Context::from_waker(Waker::noop()))
}

/// Says so where the connection has words for its end, as TLS has.
impl Drop for Single {
    fn drop(&mut self) {
        // Whoever has left cannot be told.
        let _ = at_once(|context| Pin::new(&mut self.socket).poll_shutdown(context));
    }
}

impl Leaving {
    /// Writes what the socket takes now; ready once nothing is left of it.
    fn poll_write(&mut self, socket: &mut dyn Duplex, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut socket = Pin::new(socket);
        loop {
            let written = match &*self.rest() {
                [] => return socket.poll_flush(context),
                rest => ready!(socket.as_mut().poll_write_vectored(context, rest))?,
            };
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.written += written;
        }
    }

    /// What is not written yet.
    fn rest(&self) -> SmallVec<[IoSlice<'_>; 4]> {
        let mut written = self.written;
        let parts = iter::once(&*self.head).chain(self.body.left().iter().map(|piece| &**piece));
        let rest = parts.map(|part| {
            let (_, rest) = part.split_at(written.min(part.len()));
            written -= part.len() - rest.len();
            rest
        });
        rest.filter(|rest| !rest.is_empty()).map(IoSlice::new).collect()
    }
}

impl fmt::Debug for Single {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Single").field("framing", &self.framing).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

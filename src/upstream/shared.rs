//! A connection of HTTP/2, which many requests share, driven by a task of its own.

use std::error::Error;
use std::future::poll_fn;
use std::io;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use futures_util::FutureExt as _;
use http::header::HOST;
use http::{Request, Response};
use hyper::body::Incoming;
use hyper::client::conn::{TrySendError, http2};
use hyper::rt::Executor;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use tokio::sync::Notify;

use super::connect::{Stream, chain};
use super::connection::{CROSSING, KEEP_IDLE, Pieces, Unanswered};

/// Bytes of a response's head, in which HTTP/2 counts some more for each header.
const MOST_HEAD: u32 = 64 * 1024;

/// All answers of a provider share a connection, and what some callers leave unread is taken from all: a stream may hold a
/// small part of the connection's window.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// So many requests share a connection at most, whatever their provider takes: all of them unread leave each other their windows.
const MOST_TOGETHER: usize = (CONNECTION_WINDOW / STREAM_WINDOW) as usize;

/// A connection that all requests share is never idle, so that nothing else would find out that its other end is gone: after a sleep, or
/// behind a router that has forgotten it. A ping goes out this often while requests are open, and has this long to come back.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(10);

/// Until a provider has said how many requests it takes on a connection, no more than these go out; others wait for their turn there. An
/// unusual number, so that one that a provider says is another.
const UNSAID: usize = 7;

#[derive(Debug)]
pub(super) struct Shared {
    sender: http2::SendRequest<Pieces>,
    /// The provider takes so many requests at a time, as of the last one that went out.
    most: Arc<AtomicUsize>,
    /// Held once by each request that is open, and once here.
    open: Arc<()>,
    /// No request has gone over it yet.
    is_new: bool,
    used: Instant,
}

impl Shared {
    pub async fn over(stream: Stream) -> hyper::Result<Self> {
        let (sender, mut connection) = http2::Builder::new(Boxing)
            .initial_stream_window_size(STREAM_WINDOW)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .initial_max_send_streams(UNSAID)
            .max_header_list_size(MOST_HEAD)
            .timer(TokioTimer::new())
            .keep_alive_interval(PING)
            .keep_alive_timeout(PONG)
            // Each request makes room for what may drive a connection: for its stream too, were it not in a box.
            .handshake(Box::new(stream))
            .await?;
        let most = Arc::new(AtomicUsize::new(connection.current_max_send_streams()));
        let told = Arc::clone(&most);
        drive(poll_fn(move |context| {
            // Before the request that woke it goes out, so that by its answer this is known.
            told.store(connection.current_max_send_streams(), Ordering::Relaxed);
            Pin::new(&mut connection).poll(context)
        }));
        Ok(Self { sender, most, open: Arc::new(()), is_new: true, used: Instant::now() })
    }

    /// Whether it takes requests, and has some or had one not long ago.
    pub fn is_kept(&self) -> bool {
        !self.sender.is_closed() && (self.open() > 0 || self.used.elapsed() < KEEP_IDLE)
    }

    fn open(&self) -> usize {
        Arc::strong_count(&self.open) - 1
    }

    /// Whether a request would go out at once, or may before long.
    pub fn has_room(&self) -> bool {
        let most = match self.most.load(Ordering::Relaxed) {
            UNSAID => MOST_TOGETHER,
            said => said.min(MOST_TOGETHER),
        };
        self.open() < most
    }

    /// A place among its requests. `freed` is told when it is free again.
    pub fn join(&mut self, freed: &Arc<Notify>) -> Place {
        self.used = Instant::now();
        let seat = Seat { open: Some(Arc::clone(&self.open)), freed: Arc::clone(freed) };
        Place { sender: self.sender.clone(), is_kept: !mem::replace(&mut self.is_new, false), seat }
    }
}

/// What drives a connection ends with it, and with the last holder of its sender. An async block around it would keep it twice, as long as
/// the connection lasts.
fn drive(connection: impl Future<Output = hyper::Result<()>> + Send + 'static) {
    TokioExecutor::new().execute(connection.map(|ended| {
        if let Err(error) = ended {
            tracing::debug!(error = %chain(&error), "a connection ended");
        }
    }));
}

/// Runs what hyper begins for each request in a box. Its task stays as long as the answer's stream, which keeps the waker; what
/// the task did goes when it is done.
#[derive(Debug, Clone, Copy)]
struct Boxing;

impl<F: Future<Output = ()> + Send + 'static> Executor<F> for Boxing {
    fn execute(&self, future: F) {
        TokioExecutor::new().execute(Box::pin(future));
    }
}

/// One request's place on a shared connection.
pub(super) struct Place {
    sender: http2::SendRequest<Pieces>,
    /// Its connection has taken requests before.
    is_kept: bool,
    pub seat: Seat,
}

/// Held as long as a request and its answer take.
pub(super) struct Seat {
    /// `None` once it is dropped.
    open: Option<Arc<()>>,
    freed: Arc<Notify>,
}

impl Place {
    pub fn is_open(&self) -> bool {
        !self.sender.is_closed()
    }

    /// Sends the request, and waits for the response's head.
    pub async fn send(&mut self, mut request: Box<Request<Pieces>>) -> Result<Response<Incoming>, Unanswered> {
        // HTTP/2 has another name for it.
        request.headers_mut().remove(HOST);
        let (again, sent) = (request.clone(), Instant::now());
        let answered = self.sender.try_send_request(*request).await;
        answered.map_err(|error| unanswered(error, again, self.is_kept && sent.elapsed() < CROSSING))
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.open = None;
        self.freed.notify_one();
    }
}

/// `again` is a copy of the request, which the provider may refuse to look at. `may_have_crossed`: the connection's end, if that is it.
fn unanswered(
    mut error: TrySendError<Request<Pieces>>,
    again: Box<Request<Pieces>>,
    may_have_crossed: bool,
) -> Unanswered {
    if let Some(request) = error.take_message() {
        return Unanswered::Unsent(Box::new(request));
    }
    let error = error.into_error();
    tracing::debug!(error = %chain(&error), "the call failed");
    let has_broken = error.source().is_some_and(<dyn Error>::is::<io::Error>);
    if is_refusal(&error) {
        Unanswered::Refused(again)
    } else if may_have_crossed && has_broken {
        Unanswered::Crossed
    } else {
        Unanswered::Lost
    }
}

/// Only HTTP/2 has words for it. A connection that is about to be closed names the last request that was looked at, and only those behind
/// it fail with that, whatever it is closed for.
fn is_refusal(error: &hyper::Error) -> bool {
    error.source().and_then(|error| error.downcast_ref::<h2::Error>()).is_some_and(|error| {
        let refuses = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (error.is_go_away() || refuses)
    })
}

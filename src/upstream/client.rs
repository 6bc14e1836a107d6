//! The hot path out: a pooled HTTP client that sends a body in pieces, follows no redirect and adds nothing of its own.

use std::convert::Infallible;
use std::error::Error as _;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf, Bytes};
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use hyper_util::client::legacy;
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::chat::{Breakage, Fault, Slices};

use super::connect::{self, Connector};
use super::network::Network;

/// Who asks. Some providers refuse the names of scripting libraries (Groq and Cerebras, 2026).
pub const AGENT: &str = concat!("relay/", env!("CARGO_PKG_VERSION"));

/// Idle connections are kept this long: below the minute or so after which most providers close them.
const KEEP_IDLE: Duration = Duration::from_secs(50);

/// Bytes of an answer that are read ahead of its caller; a response's head may have no more either.
const MOST_BUFFERED: usize = 64 * 1024;

/// Over HTTP/2 all answers of a provider share a connection, and what some callers leave unread is taken from all: a stream may hold a
/// small part of the connection's window.
const STREAM_WINDOW: u32 = 128 * 1024;
const CONNECTION_WINDOW: u32 = 16 * 1024 * 1024;

/// A connection that all requests share is never idle, so that nothing else would find out that its other end is gone: after a sleep, or
/// behind a router that has forgotten it. A ping goes out this often while requests are open, and has this long to come back.
const PING: Duration = Duration::from_secs(20);
const PONG: Duration = Duration::from_secs(10);

/// One request to a provider.
#[derive(Debug, Clone)]
pub struct Call {
    pub uri: Uri,
    /// Those of `call_headers`, and what this call has beside them.
    pub headers: HeaderMap,
    pub body: Slices,
    pub stream: bool,
}

/// The headers of every call to `uri`. To copy them is cheaper than to put them together for each call.
pub fn call_headers(uri: &Uri, credential: Option<(HeaderName, HeaderValue)>) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(8);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(USER_AGENT, HeaderValue::from_static(AGENT));
    headers.extend(credential);
    // HTTP/2, which is spoken over TLS alone, has another name for it, and the HTTP client adds it where it is missing.
    if uri.scheme_str() == Some("http") {
        headers.extend(host(uri).map(|host| (HOST, host)));
    }
    headers
}

fn host(uri: &Uri) -> Option<HeaderValue> {
    let authority = uri.authority()?;
    let host = match authority.port_u16() {
        Some(port) if port != 80 => format!("{}:{port}", authority.host()),
        _ => authority.host().to_owned(),
    };
    HeaderValue::from_str(&host).ok()
}

/// The head of a response, and its body to be read.
#[derive(Debug)]
pub struct Received {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Incoming,
}

/// The pooled client. Clones share the pool.
#[derive(Debug, Clone)]
pub struct Client {
    pooled: legacy::Client<Connector, Pieces>,
}

impl Client {
    /// A client whose connections are open within `connect_timeout`, or count as not reachable.
    pub fn new(network: &Network, connect_timeout: Duration) -> Self {
        let pooled = legacy::Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(KEEP_IDLE)
            .http1_max_buf_size(MOST_BUFFERED)
            .http2_initial_stream_window_size(STREAM_WINDOW)
            .http2_initial_connection_window_size(CONNECTION_WINDOW)
            .timer(TokioTimer::new())
            .http2_keep_alive_interval(PING)
            .http2_keep_alive_timeout(PONG)
            .build(Connector::new(network, connect_timeout));
        Self { pooled }
    }

    /// Sends the request and waits for the response's head. Dropping the future drops the request. It holds nothing of the call, of which
    /// an async function would keep two copies for as long as it waits.
    pub fn send(&self, call: Call) -> impl Future<Output = Result<Received, Fault>> + use<> {
        // Only HTTP/2, and so only TLS, can tell that a request was not looked at.
        let may_repeat = call.uri.scheme_str() == Some("https");
        let again = may_repeat.then(|| Box::new((self.pooled.clone(), call.clone())));
        let answering = self.pooled.request(request(call));
        async {
            let answer = match (answering.await, again) {
                (Err(error), Some(again)) if is_unheard(&error) => again.0.request(request(again.1)).await,
                (answer, _) => answer,
            };
            let (head, body) = answer.map_err(|error| Fault::Broken(breakage(&error)))?.into_parts();
            Ok(Received { status: head.status.as_u16(), headers: head.headers, body })
        }
    }
}

fn request(call: Call) -> Request<Pieces> {
    let mut request = Request::new(Pieces::new(call.body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = call.uri;
    *request.headers_mut() = call.headers;
    let accept = if call.stream { "text/event-stream" } else { "application/json" };
    request.headers_mut().insert(ACCEPT, HeaderValue::from_static(accept));
    request
}

/// The provider says that it has not looked at the request: it is about to close this connection, or has too much to do on it. (Servers
/// close each connection after some thousand requests, with others on their way.)
fn is_unheard(error: &legacy::Error) -> bool {
    let of_http_2 = error.source().and_then(|error| error.source()).and_then(|error| error.downcast_ref::<h2::Error>());
    of_http_2.is_some_and(|error| {
        let leaves = error.is_go_away() && error.reason() == Some(h2::Reason::NO_ERROR);
        let refuses = error.is_reset() && error.reason() == Some(h2::Reason::REFUSED_STREAM);
        error.is_remote() && (leaves || refuses)
    })
}

fn breakage(error: &legacy::Error) -> Breakage {
    tracing::debug!(error = %chain(error), "the call failed");
    if error.is_connect() { connect::cause(error) } else { Breakage::Reset }
}

/// An error with its causes, in one line. Holds addresses at most, never a key.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// A request body in pieces, sent one after the other; a large one is never joined.
#[derive(Debug)]
pub struct Pieces {
    left: smallvec::IntoIter<[Bytes; 2]>,
    length: u64,
}

impl Pieces {
    fn new(pieces: Slices) -> Self {
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

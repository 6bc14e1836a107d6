//! The hot path out: a pooled HTTP client that sends a body in pieces, follows no redirect and adds nothing of its own.

use std::sync::Arc;
use std::time::Duration;

use futures_util::TryFutureExt as _;
use http::header::{ACCEPT, CONTENT_TYPE, HOST, USER_AGENT};
use http::uri::Scheme;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Uri};

use crate::chat::{Fault, Slices};

use super::body::ResponseBody;
use super::connect::Connector;
use super::connection::Pieces;
use super::network::Network;
use super::pool::Pool;

/// Who asks. Some providers refuse the names of scripting libraries (Groq and Cerebras, 2026).
pub const AGENT: &str = concat!("relay/", env!("CARGO_PKG_VERSION"));

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
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.extend(credential);
    headers.extend(host(uri).map(|host| (HOST, host)));
    headers
}

/// The host of `uri` as HTTP/1.1 names it in each request.
pub(super) fn host(uri: &Uri) -> Option<HeaderValue> {
    let authority = uri.authority()?;
    let usual = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    let host = match authority.port_u16() {
        Some(port) if port != usual => format!("{}:{port}", authority.host()),
        _ => authority.host().to_owned(),
    };
    HeaderValue::from_str(&host).ok()
}

/// The head of a response, and its body to be read.
#[derive(Debug)]
pub struct Received {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: ResponseBody,
}

/// The pooled client. Clones share the pool.
#[derive(Debug, Clone)]
pub struct Client {
    pool: Arc<Pool>,
}

impl Client {
    /// A client whose connections are open within `connect_timeout`, or count as not reachable.
    pub fn new(network: &Network, connect_timeout: Duration) -> Self {
        Self { pool: Arc::new(Pool::new(Connector::new(network, connect_timeout))) }
    }

    /// Sends the request and waits for the response's head; `is_sent` says meanwhile whether the provider may have seen any of it. Dropping
    /// the future drops the request.
    pub fn send<'s>(
        &self,
        call: Call,
        is_sent: &'s mut bool,
    ) -> impl Future<Output = Result<Received, Fault>> + use<'s> {
        // An async block around it would keep it twice.
        Arc::clone(&self.pool).send(Box::new(request(call)), is_sent).map_err(Fault::Broken)
    }
}

fn request(call: Call) -> Request<Pieces> {
    let mut request = Request::new(Pieces::new(call.body));
    *request.method_mut() = Method::POST;
    *request.uri_mut() = call.uri;
    *request.headers_mut() = call.headers;
    if call.stream {
        // In the other's place: one that is new would have the copy of all of them grow.
        request.headers_mut().insert(ACCEPT, HeaderValue::from_static("text/event-stream"));
    }
    request
}

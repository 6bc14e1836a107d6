//! The body of a response, with the connection that it comes over.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::connection::Single;
use super::pool::Host;
use super::shared::Seat;

/// Read as any body is. When it is dropped, its connection goes back to be kept: it takes other requests once nothing of this response is
/// on its way, or it closes.
pub struct ResponseBody {
    incoming: Incoming,
    /// `None` once it is dropped.
    hold: Option<Hold>,
}

/// What a body holds.
pub(super) enum Hold {
    /// Nobody else sends over it meanwhile.
    Single(Single, Arc<Host>),
    /// Of a shared one, a place among its requests.
    Shared(#[expect(dead_code, reason = "held, not read")] Seat),
}

impl ResponseBody {
    pub(super) fn new(incoming: Incoming, hold: Hold) -> Self {
        Self { incoming, hold: Some(hold) }
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<hyper::Result<Frame<Bytes>>>> {
        Pin::new(&mut self.incoming).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if let Some(Hold::Single(single, host)) = self.hold.take() {
            host.put(single);
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

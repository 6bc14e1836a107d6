//! The body of a response, with the connection that it comes over.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;

use super::connection::Broken;
use super::pool::Host;
use super::shared::Seat;
use super::single::Single;

/// Read as any body is. When it is dropped, its connection goes back to be kept, if nothing of this response is on its way; else it closes.
pub struct ResponseBody(Source);

/// Where a body comes from.
pub(super) enum Source {
    /// Nobody else sends over it meanwhile. `None` once the body is dropped.
    Single(Option<Box<Single>>, Arc<Host>),
    /// Of a shared connection, with a place among its requests.
    Shared(Incoming, #[expect(dead_code, reason = "held, not read")] Seat),
}

impl ResponseBody {
    pub(super) fn new(source: Source) -> Self {
        Self(source)
    }
}

impl Body for ResponseBody {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        match &mut self.0 {
            Source::Single(Some(single), _) => single.poll_piece(context).map_ok(Frame::data),
            Source::Single(None, _) => Poll::Ready(None),
            Source::Shared(incoming, _) => Pin::new(incoming).poll_frame(context).map_err(Broken::from),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Source::Single(single, _) => single.as_ref().is_none_or(|single| single.framing().is_over()),
            Source::Shared(incoming, _) => incoming.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Source::Single(single, _) => {
                let left = single.as_ref().and_then(|single| single.framing().left());
                left.map_or_else(SizeHint::default, SizeHint::with_exact)
            }
            Source::Shared(incoming, _) => incoming.size_hint(),
        }
    }
}

impl Drop for ResponseBody {
    fn drop(&mut self) {
        if let Source::Single(single, host) = &mut self.0
            && let Some(mut single) = single.take()
            && single.rest()
        {
            host.put(single);
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("ResponseBody").finish_non_exhaustive()
    }
}

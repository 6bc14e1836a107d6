//! Reads the body of a chat within its bounds: so many bytes, from a client that goes on sending.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use axum::body::HttpBody;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Frame;

use super::respond::ErrorBody;

/// A client that sends nothing more of its body for this long has lost interest.
const SILENCE: Duration = Duration::from_secs(30);

/// Past its limit a body is read on up to this many times its limit, so that the client gets to read why it was refused.
const READ_ON: usize = 8;

/// Room for a body of so many bytes is made before they are there: a longer one has to come before it is believed.
const EXPECTED: usize = 1024 * 1024;

/// Bytes that are copied rather than kept with what they were read into, which is 8 KiB.
const SMALL: usize = 4 * 1024;

/// The next piece of a body, from a client that goes on sending.
async fn next_frame<B: HttpBody<Data = Bytes> + Unpin>(
    body: &mut B,
) -> Result<Option<Result<Frame<Bytes>, B::Error>>, ErrorBody> {
    // What was read with the head comes as soon as it was asked for. Only who waits for more needs a timer.
    tokio::select! {
        biased;
        frame = body.frame() => return Ok(frame),
        () = polled_again() => {}
    }
    tokio::time::timeout(SILENCE, body.frame()).await.map_err(|_| {
        ErrorBody::request(408, "request_timeout", format!("nothing more of the body came for {}s", SILENCE.as_secs()))
    })
}

/// Ends when its task is polled for the second time, which it sees to.
async fn polled_again() {
    let mut is_first = true;
    poll_fn(|context| {
        if std::mem::take(&mut is_first) {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(())
    })
    .await;
}

/// A small piece by itself: as a slice it would keep all that was read with it, for as long as its answer takes.
fn unshared(data: Bytes) -> Bytes {
    if data.len() <= SMALL { Bytes::copy_from_slice(&data) } else { data }
}

/// Reads a body of `most` bytes at most.
pub async fn read<B: HttpBody<Data = Bytes> + Unpin>(mut body: B, most: usize) -> Result<Bytes, ErrorBody> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX).min(most).min(EXPECTED);
    let mut whole: Option<Bytes> = None;
    let mut longer = BytesMut::new();
    // What is far too long by its own header is not asked for: a client that expects to be told to go on is told this.
    let is_hopeless = body.size_hint().lower() > most.saturating_mul(READ_ON) as u64;
    let mut length = 0;
    while !is_hopeless
        && !body.is_end_stream()
        && let Some(frame) = next_frame(&mut body).await?
    {
        let frame = frame.map_err(|_| ErrorBody::request(400, "invalid_request", "the body broke off".to_owned()))?;
        let Ok(data) = frame.into_data() else { continue };
        let data = unshared(data);
        length += data.len();
        match (length > most, &whole) {
            (true, _) if length > most.saturating_mul(READ_ON) => break,
            (true, _) => longer.clear(),
            (false, None) if longer.is_empty() => whole = Some(data),
            (false, first) => {
                longer.reserve(expected.saturating_sub(longer.len()));
                longer.extend_from_slice(first.as_deref().unwrap_or_default());
                longer.extend_from_slice(&data);
                whole = None;
            }
        }
    }
    if is_hopeless || length > most {
        return Err(ErrorBody::request(
            413,
            "request_too_large",
            format!("the body is larger than {most} bytes, the most this gateway takes"),
        ));
    }
    Ok(whole.unwrap_or_else(|| longer.freeze()))
}

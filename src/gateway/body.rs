//! Reads the body of a chat within its bounds: so many bytes, from a client that goes on sending.

use std::future::poll_fn;
use std::task::Poll;
use std::time::Duration;

use axum::body::HttpBody;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use hyper::body::Frame;
use tokio::time::Instant;

use super::respond::ErrorBody;

/// A client that sends nothing more of its body for this long has lost interest.
const SILENCE: Duration = Duration::from_secs(30);

/// One that sends fewer bytes a second than this, that much time aside, keeps others from their turn.
const SLOWEST: u64 = 500;

/// Past its limit a body is read on up to this many times its limit, so that the client gets to read why it was refused.
const READ_ON: usize = 8;

/// Room for a body of so many bytes is made before they are there: a longer one has to come before it is believed.
const EXPECTED: usize = 1024 * 1024;

/// Bytes that are copied rather than kept with what they were read into, which is 8 KiB.
const SMALL: usize = 4 * 1024;

/// The next piece of a body, from a client that goes on sending.
async fn next_frame<B: HttpBody<Data = Bytes> + Unpin>(
    body: &mut B,
    length: usize,
    waits_since: &mut Option<Instant>,
) -> Result<Option<Result<Frame<Bytes>, B::Error>>, ErrorBody> {
    // What was read with the head comes as soon as it was asked for. Only who waits for more needs a timer.
    tokio::select! {
        biased;
        frame = body.frame() => return Ok(frame),
        () = polled_again() => {}
    }
    let now = Instant::now();
    let since = *waits_since.get_or_insert(now);
    let allowed = SILENCE + Duration::from_secs(length as u64 / SLOWEST);
    let until = (now + SILENCE).min(since + allowed);
    tokio::time::timeout_at(until, body.frame()).await.map_err(|_| {
        let seconds = since.elapsed().as_secs();
        let pause = SILENCE.as_secs();
        let message = format!(
            "{length} bytes of the body came in {seconds}s; it may come at {SLOWEST} bytes a second, with pauses of less than {pause}s"
        );
        ErrorBody::request(408, "request_timeout", message)
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
    let (mut length, mut waits_since) = (0, None);
    while !is_hopeless
        && !body.is_end_stream()
        && let Some(frame) = next_frame(&mut body, length, &mut waits_since).await?
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::pin::Pin;
    use std::task::Context;

    use tokio::time::{Sleep, sleep};

    use super::*;

    /// So many pieces of this length, each after a pause.
    struct Dripping {
        pieces: usize,
        length: usize,
        pause: Duration,
        next: Pin<Box<Sleep>>,
    }

    fn dripping(pieces: usize, length: usize, pause: u64) -> Dripping {
        let pause = Duration::from_secs(pause);
        Dripping { pieces, length, pause, next: Box::pin(sleep(pause)) }
    }

    impl HttpBody for Dripping {
        type Data = Bytes;
        type Error = Infallible;

        fn poll_frame(
            mut self: Pin<&mut Self>,
            context: &mut Context<'_>,
        ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
            if self.pieces == 0 {
                return Poll::Ready(None);
            }
            std::task::ready!(self.next.as_mut().poll(context));
            self.pieces -= 1;
            self.next = Box::pin(sleep(self.pause));
            Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![b' '; self.length])))))
        }
    }

    #[tokio::test(start_paused = true)]
    async fn who_sends_slowly_has_time_and_who_hardly_sends_does_not() {
        let start = Instant::now();
        let whole = read(dripping(20, 10_000, 19), 1_000_000).await.expect("slow, but it comes");
        assert_eq!((whole.len(), start.elapsed().as_secs()), (200_000, 380));
        for (pieces, length, pause, seconds) in [(1000, 1, 29, 30), (2, 100_000, 31, 30), (1000, 1000, 5, 48)] {
            let start = Instant::now();
            let refused = read(dripping(pieces, length, pause), 1_000_000).await.expect_err("too slow");
            assert_eq!((refused.status, start.elapsed().as_secs()), (408, seconds), "{}", refused.message);
        }
    }
}

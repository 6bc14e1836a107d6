//! The provider of the bench: a bare hyper server with one fixed answer and one fixed stream, which counts what it is asked.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::{BodyExt as _, Either, Full, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use hyper::{Request, Response};

use super::host;

/// Chunks of a stream that carry a part of the answer, the last one its finish reason. `[DONE]` follows.
pub const CHUNKS: u32 = 64;

/// A chat completion of about 600 bytes.
const COMPLETION: &str = r#"{"id":"chatcmpl-9vXkQ2mZrT7bH4cN","object":"chat.completion","created":1760000000,"model":"bench-model","system_fingerprint":"fp_0aa8d3e20b","choices":[{"index":0,"message":{"role":"assistant","content":"Air scatters short waves more than long ones. Blue light therefore reaches the eye from all over the sky, while red passes almost straight; near the horizon the way is so long that only the red is left.","refusal":null},"logprobs":null,"finish_reason":"stop"}],"usage":{"prompt_tokens":231,"completion_tokens":46,"total_tokens":277,"prompt_tokens_details":{"cached_tokens":0}},"service_tier":"default"}"#;

type Frames = stream::BoxStream<'static, Result<Frame<Bytes>, Infallible>>;

/// The running server.
#[derive(Clone)]
pub struct Upstream {
    pub address: SocketAddr,
    state: Arc<State>,
}

#[derive(Default)]
struct State {
    requests: AtomicU64,
    /// Milliseconds before each chunk of a stream; 0 sends them as fast as they go, each in a write of its own.
    pause_ms: AtomicU64,
}

impl Upstream {
    pub fn start() -> Self {
        host::in_own_thread("upstream", host::OTHER_CORE, || async {
            let listener = host::listen().await;
            let upstream = Self { address: host::address_of(&listener), state: Arc::default() };
            let (state, chunks) = (Arc::clone(&upstream.state), chunks());
            tokio::spawn(host::serve(listener, move |request| {
                answer(request, Arc::clone(&state), Arc::clone(&chunks))
            }));
            upstream
        })
    }

    pub fn requests(&self) -> u64 {
        self.state.requests.load(Ordering::Relaxed)
    }

    pub fn set_pause(&self, pause: Duration) {
        let millis = u64::try_from(pause.as_millis()).expect("a pause is short");
        self.state.pause_ms.store(millis, Ordering::Relaxed);
    }
}

fn chunks() -> Arc<[Bytes]> {
    let chunk = |delta: &str, finish: &str| {
        Bytes::from(format!(
            "data: {{\"id\":\"chatcmpl-9vXkQ2mZrT7bH4cN\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"bench-model\",\
             \"choices\":[{{\"index\":0,\"delta\":{{{delta}}},\"logprobs\":null,\"finish_reason\":{finish}}}]}}\n\n"
        ))
    };
    let word = chunk("\"content\":\" scattering\"", "null");
    let first = chunk("\"role\":\"assistant\",\"content\":\"Blue\"", "null");
    let last = chunk("", "\"stop\"");
    let words = std::iter::repeat_n(word, CHUNKS as usize - 2);
    let done = Bytes::from_static(b"data: [DONE]\n\n");
    std::iter::once(first).chain(words).chain([last, done]).collect()
}

async fn answer(
    request: Request<Incoming>,
    state: Arc<State>,
    chunks: Arc<[Bytes]>,
) -> Response<Either<Full<Bytes>, StreamBody<Frames>>> {
    state.requests.fetch_add(1, Ordering::Relaxed);
    let streamed = request.headers().get(ACCEPT).is_some_and(|accept| accept == "text/event-stream");
    let mut body = request.into_body();
    while body.frame().await.is_some() {}
    let pause = Duration::from_millis(state.pause_ms.load(Ordering::Relaxed));
    let (body, kind) = if streamed {
        (Either::Right(StreamBody::new(paced(chunks, pause))), "text/event-stream")
    } else {
        (Either::Left(Full::new(Bytes::from_static(COMPLETION.as_bytes()))), "application/json")
    };
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn paced(chunks: Arc<[Bytes]>, pause: Duration) -> Frames {
    let stream = stream::unfold(0, move |next| {
        let chunk = chunks.get(next).cloned();
        async move {
            let chunk = chunk?;
            if pause.is_zero() {
                // Gives hyper the occasion to send what it has: real providers do not send their tokens in one packet.
                tokio::task::yield_now().await;
            } else {
                tokio::time::sleep(pause).await;
            }
            Some((Ok(Frame::data(chunk)), next + 1))
        }
    });
    Box::pin(stream) as Pin<Box<_>>
}

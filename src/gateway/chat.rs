//! `POST /v1/chat/completions`: a request in, an answer out, whole or as a stream.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::response::Response;
use bytes::{Bytes, BytesMut};
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use http_body_util::BodyExt as _;
use hyper::body::{Body as _, Frame};

use crate::answer::{self, Answer, with_meta};
use crate::catalog::reader::parse_duration;
use crate::chat::ChatRequest;
use crate::relay::{Failure, Options, request_id};
use crate::routing::Strategy;
use crate::style::StyleMode;

use super::gate::Busy;
use super::late::{self, Pending, Story};
use super::respond::{self, ErrorBody};
use super::routes::Gateway;

/// A stream's 200 is held back this long for its first event; then it goes out with the first keep-alive.
pub const SILENCE: Duration = Duration::from_secs(15);

/// A client that sends nothing more of its body for this long has lost interest.
const BODY_SILENCE: Duration = Duration::from_secs(30);

/// Past its limit a body is read on up to this many times its limit, so that the client gets to read why it was refused.
const READ_ON: usize = 8;

/// Room for a body of so many bytes is made before they are there: a longer one has to come before it is believed.
const EXPECTED: usize = 1024 * 1024;

/// Bytes that are copied rather than kept with what they were read into, which is 8 KiB.
const SMALL: usize = 4 * 1024;

const WAIT: HeaderName = HeaderName::from_static("x-relay-wait");
const STRATEGY: HeaderName = HeaderName::from_static("x-relay-strategy");
const STYLE: HeaderName = HeaderName::from_static("x-relay-style");
const SERVER_PROMPT: HeaderName = HeaderName::from_static("x-use-serverside-system-prompt");

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const ROUTE: HeaderName = HeaderName::from_static("x-relay-route");
const ATTEMPTS: HeaderName = HeaderName::from_static("x-relay-attempts");
const TRAIL: HeaderName = HeaderName::from_static("x-relay-trail");
const CONTEXT: HeaderName = HeaderName::from_static("x-relay-context");

pub type Sending = Pin<Box<dyn Future<Output = Result<Answer, Box<Failure>>> + Send>>;

/// Where chats are asked.
pub const PATH: &str = "/v1/chat/completions";

pub fn is_asked(request: &Request) -> bool {
    request.method() == Method::POST && request.uri().path() == PATH
}

pub async fn complete(State(gateway): State<Arc<Gateway>>, request: Request) -> Response {
    let (Parts { headers, .. }, body) = request.into_parts();
    let now = gateway.relay.clock.now();
    let request_id = request_id(now);
    let mut story = Story::begin(&gateway, request_id.clone(), now);
    let mut response = match enter(&gateway, &mut story).await {
        Ok(()) => match prepare(&gateway, &headers, body, request_id.clone()).await {
            Ok((request, options)) => answer(&gateway, request, options, story).await,
            Err(error) => story.refuse(error),
        },
        Err(error) => story.refuse(error),
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

/// Waits until it is this request's turn, before anything of its body is held.
async fn enter(gateway: &Gateway, story: &mut Story) -> Result<(), ErrorBody> {
    if gateway.is_draining() {
        return Err(respond::stopping());
    }
    let turn = gateway.gate.enter().await.map_err(|Busy(wait)| respond::overloaded(wait))?;
    story.turn = Some(turn);
    Ok(())
}

/// Reads a chat, and what its headers want.
pub async fn prepare(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: Body,
    request_id: String,
) -> Result<(ChatRequest, Options), ErrorBody> {
    let mut options = read_options(headers)?;
    options.request_id = request_id;
    let body = read_body(body, gateway.access.max_body).await?;
    refuse_encoded(headers)?;
    let request = ChatRequest::parse(body)?;
    options.session = gateway.relay.session(headers, &request);
    Ok((request, options))
}

/// A compressed body is no JSON, and calling it that would not tell what to do.
fn refuse_encoded(headers: &HeaderMap) -> Result<(), ErrorBody> {
    match headers.get(CONTENT_ENCODING) {
        Some(encoding) if !encoding.as_bytes().eq_ignore_ascii_case(b"identity") => {
            let encoding = String::from_utf8_lossy(encoding.as_bytes());
            let message = format!("the body is encoded as `{encoding}`; send it as it is, without `content-encoding`");
            Err(ErrorBody::request(415, "unsupported_encoding", message))
        }
        _ => Ok(()),
    }
}

async fn answer(gateway: &Arc<Gateway>, request: ChatRequest, options: Options, mut story: Story) -> Response {
    let stream = request.stream;
    let relay = Arc::clone(&gateway.relay);
    let mut sending: Sending = Box::pin(async move { relay.send(&request, &options).await });
    if !stream {
        return match sending.await {
            Ok(answer) => whole(answer, story),
            Err(failure) => fail(gateway, &failure, story),
        };
    }
    let first = tokio::select! {
        biased;
        first = &mut sending => first,
        () = tokio::time::sleep(SILENCE) => return event_stream(late::body(Pending::Sending(sending), story)),
    };
    match first {
        Ok(answer) => {
            story.answered(&answer, None);
            let mut response = event_stream(Body::empty());
            name_route(response.headers_mut(), &answer);
            *response.body_mut() = late::body(Pending::answering(answer), story);
            response
        }
        Err(failure) => fail(gateway, &failure, story),
    }
}

fn whole(answer: Answer, mut story: Story) -> Response {
    let meta = answer.meta();
    let body = match &answer.body {
        answer::Body::Whole(whole) => {
            story.answered(&answer, whole.usage);
            with_meta(&whole.body, &meta)
        }
        // The core answers a plain request with a whole body; a stream here would be its bug.
        answer::Body::Stream(_) => {
            return story.refuse(ErrorBody::request(
                500,
                "internal",
                "a plain request was answered by a stream".to_owned(),
            ));
        }
    };
    let mut response = Response::new(Body::from(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    name_route(response.headers_mut(), &answer);
    response
}

fn fail(gateway: &Gateway, failure: &Failure, mut story: Story) -> Response {
    story.failed(failure);
    let mut response = story.refuse(respond::explain(failure, gateway.relay.clock.now()));
    let headers = response.headers_mut();
    headers.insert(ATTEMPTS, HeaderValue::from(answer::count(&failure.attempts)));
    insert_text(headers, TRAIL, &answer::trail(&failure.attempts));
    response
}

fn event_stream(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Reverse proxies that buffer would hold tokens back.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn name_route(headers: &mut HeaderMap, answer: &Answer) {
    insert_text(headers, ROUTE, &answer.route.name);
    headers.insert(ATTEMPTS, HeaderValue::from(answer.tries()));
    insert_text(headers, TRAIL, &answer.trail());
    insert_text(headers, CONTEXT, answer.cut().unwrap_or_default());
}

/// A header from a text that may hold what headers cannot (a model's id in another script): such characters are escaped.
fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if text.is_empty() {
        return;
    }
    if let Ok(value) =
        HeaderValue::from_str(text).or_else(|_| HeaderValue::from_str(&text.escape_default().to_string()))
    {
        headers.insert(name, value);
    }
}

fn read_options(headers: &HeaderMap) -> Result<Options, ErrorBody> {
    let text = |name: &HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("").trim());
    let bad = |name: &HeaderName, expected: &str| {
        ErrorBody::request(400, "invalid_header", format!("the header `{name}` must be {expected}"))
    };
    let max_wait = text(&WAIT)
        .map(|text| parse_duration(text).ok_or_else(|| bad(&WAIT, "a duration such as `30s`")))
        .transpose()?;
    let strategy = text(&STRATEGY).map(|text| {
        let known = Strategy::NAMES.iter().find(|(name, _)| *name == text);
        known
            .map(|(_, strategy)| *strategy)
            .ok_or_else(|| bad(&STRATEGY, &format!("one of {}", Strategy::NAMES.map(|(name, _)| name).join(", "))))
    });
    let style = text(&STYLE).map(|text| {
        let known = StyleMode::NAMES.iter().find(|(name, _)| text.eq_ignore_ascii_case(name));
        known.map(|(_, style)| *style).ok_or_else(|| bad(&STYLE, "`on`, `off` or `auto`"))
    });
    let without_directive = text(&SERVER_PROMPT).is_some_and(|text| text.eq_ignore_ascii_case("false"));
    Ok(Options {
        max_wait,
        strategy: strategy.transpose()?,
        style: style.transpose()?,
        without_directive,
        ..Options::default()
    })
}

/// The next piece of a body, from a client that goes on sending.
async fn next_frame(body: &mut Body) -> Result<Option<Result<Frame<Bytes>, axum::Error>>, ErrorBody> {
    tokio::time::timeout(BODY_SILENCE, body.frame()).await.map_err(|_| {
        ErrorBody::request(
            408,
            "request_timeout",
            format!("nothing more of the body came for {}s", BODY_SILENCE.as_secs()),
        )
    })
}

/// A small piece by itself: as a slice it would keep all that was read with it, for as long as its answer takes.
fn unshared(data: Bytes) -> Bytes {
    if data.len() <= SMALL { Bytes::copy_from_slice(&data) } else { data }
}

async fn read_body(mut body: Body, most: usize) -> Result<Bytes, ErrorBody> {
    let expected = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX).min(most).min(EXPECTED);
    let mut whole: Option<Bytes> = None;
    let mut longer = BytesMut::new();
    let mut length = 0;
    while let Some(frame) = next_frame(&mut body).await? {
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
    if length > most {
        return Err(ErrorBody::request(
            413,
            "request_too_large",
            format!("the body is larger than {most} bytes, the most this gateway takes"),
        ));
    }
    Ok(whole.unwrap_or_else(|| longer.freeze()))
}

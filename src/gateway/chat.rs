//! `POST /v1/chat/completions`: a request in, an answer out, whole or as a stream.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use http_body_util::Full;
use hyper::body::Incoming;

use crate::answer::{self, Answer, with_meta};
use crate::catalog::reader::parse_duration;
use crate::chat::ChatRequest;
use crate::relay::{Failure, Options, request_id};
use crate::routing::Strategy;
use crate::style::StyleMode;

use super::body;
use super::gate::Busy;
use super::late::{self, Pending, Story};
use super::respond::{self, ErrorBody, Reply};
use super::routes::Gateway;

/// A stream's 200 is held back this long for its first event; then it goes out with the first keep-alive.
pub const SILENCE: Duration = Duration::from_secs(15);

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

pub fn is_asked<B>(request: &Request<B>) -> bool {
    request.method() == Method::POST && request.uri().path() == PATH
}

/// Answers a chat. Of the request its future keeps what is read later, and nothing twice: each chat makes room for all of it.
pub fn complete(
    gateway: Arc<Gateway>,
    request: Request<Incoming>,
) -> impl Future<Output = Result<Response<Reply>, Infallible>> {
    let now = gateway.relay.clock.now();
    let mut story = Story::begin(&gateway, request_id(now), now);
    let (Parts { headers, .. }, body) = request.into_parts();
    async move {
        let request_id = Arc::clone(&story.line.request_id);
        let (request, options) = match begin(&gateway, &headers, body, &mut story).await {
            Ok(asked) => asked,
            Err(error) => return Ok(named(story.refuse(error), &request_id)),
        };
        let response = if request.stream {
            Box::pin(streamed(&gateway, request, options, story)).await
        } else {
            let sent = tokio::select! {
                biased;
                sent = gateway.relay.send(&request, &options) => Some(sent),
                () = gateway.cut.cancelled() => None,
            };
            match sent {
                Some(Ok(answer)) => whole(&gateway, &answer, story),
                Some(Err(failure)) => fail(&gateway, &failure, story),
                None => story.refuse(respond::stopping()),
            }
        };
        Ok(named(response, &request_id))
    }
}

/// The response with its request's name.
pub fn named(mut response: Response<Reply>, request_id: &str) -> Response<Reply> {
    if let Ok(value) = HeaderValue::from_str(request_id) {
        response.headers_mut().insert(REQUEST_ID, value);
    }
    response
}

async fn begin(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: Incoming,
    story: &mut Story,
) -> Result<(ChatRequest, Options), ErrorBody> {
    enter(gateway, story).await?;
    let (request, mut options) = prepare(gateway, headers, body).await?;
    options.request_id = Arc::clone(&story.line.request_id);
    Ok((request, options))
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
pub async fn prepare<B: HttpBody<Data = Bytes> + Unpin>(
    gateway: &Gateway,
    headers: &HeaderMap,
    body: B,
) -> Result<(ChatRequest, Options), ErrorBody> {
    let mut options = read_options(headers)?;
    let body = body::read(body, gateway.access.max_body).await?;
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

async fn streamed(gateway: &Arc<Gateway>, request: ChatRequest, options: Options, mut story: Story) -> Response<Reply> {
    let relay = Arc::clone(&gateway.relay);
    let mut sending: Sending = Box::pin(async move { relay.send(&request, &options).await });
    let first = tokio::select! {
        biased;
        first = &mut sending => first,
        () = gateway.cut.cancelled() => return story.refuse(respond::stopping()),
        () = tokio::time::sleep(SILENCE) => return event_stream(late::body(Pending::Sending(sending), story)),
    };
    match first {
        Ok(answer) => {
            story.answered(&answer, None);
            let mut response = event_stream(Body::empty());
            name_route(gateway, response.headers_mut(), &answer);
            *response.body_mut() = Reply::Other(late::body(Pending::answering(answer), story));
            response
        }
        Err(failure) => fail(gateway, &failure, story),
    }
}

fn whole(gateway: &Gateway, answer: &Answer, mut story: Story) -> Response<Reply> {
    let meta = answer.meta(gateway.relay.fleet.route(answer.route));
    let body = match &answer.body {
        answer::Body::Whole(whole) => {
            story.answered(answer, whole.usage);
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
    let mut response = Response::new(Reply::Whole(Full::new(body)));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    name_route(gateway, response.headers_mut(), answer);
    response
}

fn fail(gateway: &Gateway, failure: &Failure, mut story: Story) -> Response<Reply> {
    story.failed(failure);
    let mut response = story.refuse(respond::explain(failure, gateway.relay.clock.now()));
    let headers = response.headers_mut();
    headers.insert(ATTEMPTS, count(answer::count(&failure.attempts)));
    insert_text(headers, TRAIL, &answer::trail(&failure.attempts));
    response
}

fn event_stream(body: Body) -> Response<Reply> {
    let mut response = Response::new(Reply::Other(body));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    // Reverse proxies that buffer would hold tokens back.
    response.headers_mut().insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

fn name_route(gateway: &Gateway, headers: &mut HeaderMap, answer: &Answer) {
    headers.extend(gateway.route_names[answer.route.0].clone().map(|name| (ROUTE, name)));
    headers.insert(ATTEMPTS, count(answer.tries()));
    insert_text(headers, TRAIL, &answer.trail());
    insert_text(headers, CONTEXT, answer.cut().unwrap_or_default());
}

fn count(attempts: usize) -> HeaderValue {
    if attempts == 1 { HeaderValue::from_static("1") } else { HeaderValue::from(attempts) }
}

fn insert_text(headers: &mut HeaderMap, name: HeaderName, text: &str) {
    if !text.is_empty() {
        headers.extend(header_value(text).map(|value| (name, value)));
    }
}

/// A header's value from a text that may hold what headers cannot (a model's id in another script): such characters are escaped.
pub fn header_value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).or_else(|_| HeaderValue::from_str(&text.escape_default().to_string())).ok()
}

fn read_options(headers: &HeaderMap) -> Result<Options, ErrorBody> {
    // Most requests have none of these, which one look over the names finds out.
    if !headers.keys().any(|name| name.as_str().starts_with("x-relay-") || *name == SERVER_PROMPT) {
        return Ok(Options::default());
    }
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

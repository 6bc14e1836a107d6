//! One HTTP exchange with a simulated provider, from the request to the response or an abort.

use std::fmt;
use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use http::header::{CONTENT_TYPE, HeaderName, HeaderValue};
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt;
use hyper::body::Incoming;
use tokio::time::sleep;

use crate::clock::Clock;

use super::act::Act;
use super::body::Playback;
use super::call::{Call, Counters, Notes, OpenCall, Outcome};
use super::endpoint::Endpoint;
use super::provider::Provider;
use super::refusal::Refusal;
use super::reply::{Message, Reply};
use super::stage::Stage;

/// What all connections of a simulator share.
#[derive(Debug)]
pub(super) struct World {
    pub providers: Vec<Provider>,
    pub clock: Clock,
    pub seed: u64,
    pub counters: Arc<Counters>,
}

/// The connection ends here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Abort {
    /// With a TCP reset, as the script wants it.
    Reset,
    /// The request never arrived whole.
    Broken,
}

impl fmt::Display for Abort {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Reset => "reset on purpose",
            Self::Broken => "the request broke off",
        })
    }
}

impl std::error::Error for Abort {}

/// Answers one request.
pub(super) async fn exchange(world: Arc<World>, request: Request<Incoming>) -> Result<Response<Playback>, Abort> {
    let (parts, body) = request.into_parts();
    let number = world.counters.calls.fetch_add(1, Ordering::Relaxed) + 1;
    let body = body.collect().await.map_err(|_| Abort::Broken)?.to_bytes();
    let found = place(&world, parts.uri.path());
    let found =
        found.map(|(provider, path)| (provider, provider.endpoint(path, parts.uri.query().unwrap_or_default())));
    // A call to no provider is settled like the others, but nobody remembers it.
    let log = found.as_ref().map_or_else(Arc::default, |(provider, _)| Arc::clone(&provider.log));
    let call = OpenCall::begin(&world.counters, &log, || Call {
        path: parts.uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        headers: headers(&parts),
        body: body.clone(),
        outcome: Outcome::Open,
        notes: Notes::default(),
    });
    let reply = decide(&world, found, &parts, &body, number);
    perform(reply, call, number).await
}

/// The provider whose folder the path is in, and the rest of the path.
fn place<'a, 'b>(world: &'a World, path: &'b str) -> Option<(&'a Provider, &'b str)> {
    let (id, _) = path.strip_prefix('/')?.split_once('/')?;
    let provider = world.providers.iter().find(|known| known.spec.id == id)?;
    Some((provider, &path[id.len() + 1..]))
}

fn decide(
    world: &World,
    found: Option<(&Provider, Option<Endpoint>)>,
    parts: &Parts,
    body: &[u8],
    number: u64,
) -> Reply {
    let Some((provider, endpoint)) = found else {
        return Message::from(Refusal::no_such_place(parts.uri.path())).into();
    };
    let stage = Stage { provider, seed: world.seed, number, now: world.clock.now() };
    let reply = match endpoint {
        None => Err(Refusal::no_such_place(parts.uri.path())),
        Some(endpoint) => converse(&stage, &endpoint, parts, body),
    };
    reply.unwrap_or_else(|refusal| Message::from(provider.tell(refusal)).into())
}

fn converse(stage: &Stage<'_>, endpoint: &Endpoint, parts: &Parts, body: &[u8]) -> Result<Reply, Refusal> {
    if parts.method != endpoint.method() {
        return Err(Refusal::wrong_method());
    }
    let provider = stage.provider;
    if !provider.knows(&parts.headers) {
        return Err(Refusal::denied());
    }
    match endpoint {
        Endpoint::Chat | Endpoint::Generate { .. } => stage.chat(endpoint, body),
        Endpoint::Models => match provider.next_for_list() {
            Some(act) if act != Act::Answer => stage.list(act),
            _ => Ok(Message::json(200, provider.list(stage.now.as_second()), Outcome::Answered).into()),
        },
        Endpoint::Show | Endpoint::Version => {
            let described = provider.describe(endpoint, body)?;
            Ok(Message::json(200, described.to_string(), Outcome::Answered).into())
        }
    }
}

async fn perform(reply: Reply, call: OpenCall, number: u64) -> Result<Response<Playback>, Abort> {
    let message = match reply {
        Reply::Send(message) => message,
        Reply::Hang => {
            // Dropped with this future when the client leaves.
            let _call = call;
            return pending().await;
        }
        Reply::Reset => {
            call.settle(Outcome::Faulted);
            return Err(Abort::Reset);
        }
    };
    call.note(message.notes.clone());
    // Waits are the machine's, not the clock's: the clock of the limits may stand still or run fast.
    if !message.delay.is_zero() {
        sleep(message.delay).await;
    }
    Ok(respond(*message, call, number))
}

fn respond(message: Message, call: OpenCall, number: u64) -> Response<Playback> {
    let status = StatusCode::from_u16(message.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut headers = http::HeaderMap::with_capacity(message.headers.len() + 4);
    headers.extend([
        (CONTENT_TYPE, value(&message.content_type)),
        (HeaderName::from_static("x-request-id"), value(&format!("req_sim{number:08}"))),
    ]);
    for (name, text) in &message.headers {
        if let Ok(name) = HeaderName::try_from(name) {
            headers.insert(name, value(text));
        }
    }
    let mut response = Response::new(Playback::new(message, call));
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

fn value(text: &str) -> HeaderValue {
    HeaderValue::try_from(text).unwrap_or_else(|_| HeaderValue::from_static("unprintable"))
}

fn headers(parts: &Parts) -> Vec<(String, String)> {
    parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into_owned()))
        .collect()
}

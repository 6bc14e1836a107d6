//! The only place that turns a fault into an HTTP status and an error body in OpenAI's shape.

use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};
use jiff::Timestamp;
use serde::Serialize;

use crate::chat::{BadRequest, Breakage, ErrorKind, Fault, Unfit, brief};
use crate::clock::{seconds_up, until};
use crate::relay::Failure;

/// No message is longer than about this: it may hold a text of the caller's or a provider's.
const LONGEST_MESSAGE: usize = 4096;

/// An error as it goes out.
#[derive(Debug, Clone, Serialize)]
pub struct ErrorBody {
    #[serde(skip)]
    pub status: u16,
    #[serde(skip)]
    pub retry_after: Option<Duration>,
    pub message: String,
    pub r#type: &'static str,
    pub param: Option<Box<str>>,
    pub code: Option<Box<str>>,
    /// Why each route gave no answer.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub routes: Vec<RouteReason>,
}

#[derive(Debug, Clone, Serialize)]
pub struct RouteReason {
    pub route: String,
    pub reason: String,
    pub retry_after_s: Option<u64>,
}

impl ErrorBody {
    /// An error about the request itself.
    pub fn request(status: u16, code: &str, message: String) -> Self {
        let r#type = if status == 401 { "authentication_error" } else { "invalid_request_error" };
        let message = brief(&message, LONGEST_MESSAGE).into_owned();
        Self { status, retry_after: None, message, r#type, param: None, code: Some(code.into()), routes: Vec::new() }
    }

    fn of_kind(kind: ErrorKind, message: impl Into<String>) -> Self {
        let (status, r#type) = status(kind);
        Self { r#type, ..Self::request(status, kind.code(), message.into()) }
    }
}

/// The status and `error.type` of each kind: the exhausted pool is the caller's 429, a failure of its providers ours.
const fn status(kind: ErrorKind) -> (u16, &'static str) {
    match kind {
        ErrorKind::OutOfQuota => (429, "rate_limit_error"),
        ErrorKind::Timeout => (504, "upstream_error"),
        ErrorKind::Unavailable | ErrorKind::Cut | ErrorKind::Gone | ErrorKind::Keys | ErrorKind::NotSetUp => {
            (502, "upstream_error")
        }
        ErrorKind::TooLong | ErrorKind::Unsupported | ErrorKind::Filtered | ErrorKind::Rejected => {
            (400, "invalid_request_error")
        }
        ErrorKind::UnknownModel => (404, "invalid_request_error"),
        ErrorKind::StoreLost => (503, "server_error"),
    }
}

impl From<BadRequest> for ErrorBody {
    fn from(bad: BadRequest) -> Self {
        Self { param: bad.param.map(Into::into), ..Self::request(400, "invalid_request", bad.message) }
    }
}

/// The error for a request without an answer. Says nothing a provider said, the caller's own mistakes apart.
pub fn explain(failure: &Failure, now: Timestamp) -> ErrorBody {
    let mut body = of_fault(&failure.fault, now);
    if !matches!(failure.fault, Fault::Invalid { .. } | Fault::Unknown { .. }) {
        body.routes = reasons(failure, now);
    }
    body
}

/// The error a fault means to a caller.
pub fn of_fault(fault: &Fault, now: Timestamp) -> ErrorBody {
    let kind = fault.kind();
    match fault {
        Fault::Busy { until, .. } | Fault::Spent { until, .. } | Fault::Full { until } => out_of_quota(*until, now),
        Fault::Denied => ErrorBody::of_kind(kind, "every provider that could answer rejected its key"),
        Fault::Gone => ErrorBody::of_kind(kind, "the model is no longer offered by its provider"),
        Fault::Unfit(unfit) => of_unfit(kind, unfit),
        Fault::Broken(Breakage::Timeout(_)) => ErrorBody::of_kind(kind, "no provider answered in time"),
        Fault::Broken(_) => ErrorBody::of_kind(kind, "no provider that could answer is available"),
        Fault::NothingSetUp => ErrorBody::of_kind(kind, "no provider is set up"),
        Fault::Cut => ErrorBody::of_kind(kind, "the answer broke off at its provider"),
        // The caller's own mistake passes with its provider's status and code.
        Fault::Invalid { status, message, param, code } => ErrorBody {
            param: param.as_deref().map(Into::into),
            code: code.as_deref().map(Into::into),
            ..ErrorBody::request(*status, "", message.clone())
        },
        Fault::Unknown { message, close } => {
            let hint = if close.is_empty() { String::new() } else { format!("; close to it: {}", close.join(", ")) };
            ErrorBody { param: Some("model".into()), ..ErrorBody::of_kind(kind, format!("{message}{hint}")) }
        }
        Fault::StoreLost => ErrorBody::of_kind(kind, "relay's state store cannot be used"),
    }
}

/// More requests than the gateway answers at a time, and more than wait for it.
pub fn overloaded(wait: Duration) -> ErrorBody {
    let message = "this gateway answers as many requests as it may; try again in a moment".to_owned();
    ErrorBody { retry_after: Some(wait), r#type: "server_error", ..ErrorBody::request(503, "overloaded", message) }
}

/// The gateway answers what it has begun, and nothing more.
pub fn stopping() -> ErrorBody {
    let message = "this gateway is stopping".to_owned();
    let wait = Some(Duration::from_secs(5));
    ErrorBody { retry_after: wait, r#type: "server_error", ..ErrorBody::request(503, "stopping", message) }
}

fn out_of_quota(moment: Option<Timestamp>, now: Timestamp) -> ErrorBody {
    let wait = moment.map(|moment| until(now, moment));
    let when = wait.map_or(String::new(), |wait| format!("; the first route is free in {}s", seconds_up(wait)));
    let message = format!("no free quota is left right now{when}");
    ErrorBody { retry_after: wait, ..ErrorBody::of_kind(ErrorKind::OutOfQuota, message) }
}

fn of_unfit(kind: ErrorKind, unfit: &Unfit) -> ErrorBody {
    let param = (kind == ErrorKind::TooLong).then(|| "messages".into());
    ErrorBody { param, ..ErrorBody::of_kind(kind, unfit.text()) }
}

fn reasons(failure: &Failure, now: Timestamp) -> Vec<RouteReason> {
    let reasons = failure.reasons().into_iter();
    reasons
        .map(|(route, reason, moment)| RouteReason {
            route: route.to_owned(),
            reason,
            retry_after_s: moment.map(|moment| seconds_up(until(now, moment))),
        })
        .collect()
}

/// An error as a response of its own.
pub fn error(body: ErrorBody) -> Response {
    let status = StatusCode::from_u16(body.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let retry_after = body.retry_after.map(seconds_up);
    let mut response = (status, Json(Envelope { error: &body })).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(http::header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    // OpenAI's clients send again after any 5xx; a rejected key stays rejected.
    if body.code.as_deref() == Some(ErrorKind::Keys.code()) {
        response.headers_mut().insert("x-should-retry", HeaderValue::from_static("false"));
    }
    response
}

/// An error as an event of a stream that has begun.
pub fn error_event(body: &ErrorBody) -> Bytes {
    let json = serde_json::to_string(&Envelope { error: body }).expect("texts and numbers serialize");
    format!("data: {json}\n\n").into()
}

/// The body of a response: whole, as nearly every answer is and without a box then, or whatever a stream or the router makes of it.
#[derive(Debug)]
pub enum Reply {
    Whole(Full<Bytes>),
    Other(Body),
}

impl Default for Reply {
    fn default() -> Self {
        Self::Whole(Full::default())
    }
}

impl hyper::body::Body for Reply {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        match self.get_mut() {
            Self::Whole(whole) => {
                Pin::new(whole).poll_frame(context).map(|frame| frame.map(|frame| frame.map_err(axum::Error::new)))
            }
            Self::Other(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Other(body) => body.size_hint(),
        }
    }
}

#[derive(Serialize)]
struct Envelope<'a> {
    error: &'a ErrorBody,
}

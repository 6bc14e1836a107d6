//! A gateway that runs already, asked in the place of this process's own routes: what it answers and how it refuses, as a route would.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use jiff::Timestamp;
use secrecy::SecretString;
use serde::Deserialize;
use smallvec::smallvec;

use crate::answer::Attempt;
use crate::chat::{Breakage, ChatRequest, ErrorKind, Fault, Period, StreamEvent, Unfit};
use crate::clock::{Clock, until};
use crate::dialect::{Dialect, Target, Wire, sse};
use crate::routing::Explanation;
use crate::upstream::{Call, Client, EventStream, Key, Network, ResponseBody, call_headers, read_whole};

use super::Options;

const CONNECT: Duration = Duration::from_secs(5);
/// The gateway says something every 15 seconds.
const IDLE: Duration = Duration::from_mins(1);
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Where a late route is named: in a comment at the stream's end.
const LATE_ROUTE: &[u8] = b": relay-route ";

pub(super) const START_IT: &str = "start it with: relay serve";

pub struct Remote {
    client: Client,
    uri: Uri,
    /// Where requests are explained.
    explaining: Uri,
    /// Where usage is told.
    pub(super) used: Uri,
    pub(super) network: Network,
    pub(super) credential: Option<(HeaderName, HeaderValue)>,
    /// The conversation, as the gateway is told of it.
    pub session: Option<String>,
    pub(super) clock: Clock,
}

/// An answer that has begun.
pub struct RemoteAnswer {
    pub route: String,
    pub attempts: Vec<Attempt>,
    pub stream: RemoteStream,
}

pub struct RemoteStream {
    events: EventStream,
    ready: VecDeque<StreamEvent>,
    late_route: Option<String>,
}

/// A whole answer, as the gateway gave it.
pub struct RemoteWhole {
    pub body: Bytes,
    pub route: String,
}

/// Why the gateway gave no answer, in its words.
#[derive(Debug)]
pub struct Refused {
    pub kind: ErrorKind,
    pub message: String,
    pub retry_after_s: Option<u64>,
    /// Each route's name, reason, and the seconds until it may answer.
    pub routes: Vec<(String, String, Option<u64>)>,
    pub attempts: Vec<Attempt>,
    /// What to do about it, where the gateway itself is the matter.
    pub hint: Option<String>,
}

impl Remote {
    /// The gateway at `url`, with or without the `/v1` of its base URL; the error says what is wrong with it.
    pub fn new(url: &str, key: Option<SecretString>, network: &Network, clock: Clock) -> Result<Self, String> {
        let base = url.trim_end_matches('/');
        let base = base.strip_suffix("/v1").unwrap_or(base);
        let at = |path: &str| format!("{base}/v1/{path}").parse().map_err(|error| format!("is no URL: {error}"));
        let (uri, explaining, used): (Uri, Uri, Uri) = (at("chat/completions")?, at("route")?, at("usage")?);
        if !matches!(uri.scheme_str(), Some("http" | "https")) {
            return Err("must start with http:// or https://".to_owned());
        }
        let credential = key.map(|secret| Key { secret, origin: "RELAY_API_KEY".to_owned() }.header(Dialect::OpenAi));
        let (client, network) = (Client::new(network, CONNECT), network.clone());
        Ok(Self { client, uri, explaining, used, network, credential, session: None, clock })
    }

    /// Sends a streamed request, and waits for the first part of an answer.
    pub async fn send(&self, request: &ChatRequest, options: &Options) -> Result<RemoteAnswer, Refused> {
        let sent = self.clock.now();
        let (headers, body) = self.call(&self.uri, request, options).await?;
        let wire = Wire::default();
        let target = Target { model: "", wire: &wire, thinks: false, context: 0, input_tokens: 0, answer_tokens: 0 };
        let scanner = Dialect::OpenAi.scanner(target, true);
        let events = EventStream::new(body, scanner, IDLE, &self.clock);
        let mut stream = RemoteStream { events, ready: VecDeque::new(), late_route: None };
        stream.begin().await?;
        let route = text(&headers, "x-relay-route").unwrap_or_default();
        let mut attempts = read_trail(&text(&headers, "x-relay-trail").unwrap_or_default());
        attempts.push(Attempt {
            route: Arc::from(route.as_str()),
            sent: true,
            http_status: Some(200),
            fault: None,
            elapsed: until(sent, self.clock.now()),
            cut: text(&headers, "x-relay-context").map(Into::into),
        });
        Ok(RemoteAnswer { route, attempts, stream })
    }

    /// Sends a plain request, and reads its answer.
    pub async fn send_whole(&self, request: &ChatRequest, options: &Options) -> Result<RemoteWhole, Refused> {
        let (headers, body) = self.call(&self.uri, request, options).await?;
        let body = read_whole(body, MOST_BYTES).await.map_err(|_| broken())?;
        Ok(RemoteWhole { body, route: text(&headers, "x-relay-route").unwrap_or_default() })
    }

    /// What the gateway would do with a request.
    pub async fn explain(&self, request: &ChatRequest, options: &Options) -> Result<Explanation, Refused> {
        let (_, body) = self.call(&self.explaining, request, options).await?;
        let body = read_whole(body, MOST_BYTES).await.map_err(|_| broken())?;
        serde_json::from_slice(&body).map_err(|_| {
            let message = "the gateway explains itself in another way than this relay understands".to_owned();
            let hint = Some("both have to be of one version: relay --version".to_owned());
            Refused { hint, ..Refused::of(ErrorKind::Unavailable, message) }
        })
    }

    async fn call(
        &self,
        uri: &Uri,
        request: &ChatRequest,
        options: &Options,
    ) -> Result<(HeaderMap, ResponseBody), Refused> {
        let wait = options.max_wait.map(|wait| format!("{}ms", wait.as_millis()));
        let own = [("x-relay-wait", wait), ("x-session-id", self.session.clone())];
        let mut headers = call_headers(uri, self.credential.clone());
        headers.extend(
            own.into_iter().filter_map(|(name, value)| {
                Some((HeaderName::from_static(name), HeaderValue::from_str(&value?).ok()?))
            }),
        );
        let call = Call { uri: uri.clone(), headers, body: smallvec![request.body().clone()], stream: request.stream };
        let received = self.client.send(call, &mut false).await.map_err(|_| self.unreachable())?;
        if (200..300).contains(&received.status) {
            return Ok((received.headers, received.body));
        }
        // What cannot be read of a refusal leaves its status to go by.
        let body = read_whole(received.body, MOST_BYTES).await.unwrap_or_default();
        let mut refused = refused(Some(received.status), &body);
        refused.attempts = read_trail(&text(&received.headers, "x-relay-trail").unwrap_or_default());
        refused.retry_after_s =
            text(&received.headers, "retry-after").and_then(|seconds| seconds.parse().ok()).or(refused.retry_after_s);
        Err(refused)
    }

    pub(super) fn authority(&self) -> &str {
        self.uri.authority().map_or("", |authority| authority.as_str())
    }

    fn unreachable(&self) -> Refused {
        let message = format!("the gateway at {} does not answer", self.authority());
        Refused { hint: Some(START_IT.to_owned()), ..Refused::of(ErrorKind::Unavailable, message) }
    }
}

impl RemoteStream {
    /// Events up to the first one with a part of an answer. A refusal may come as an event: the gateway had sent its 200 by then.
    async fn begin(&mut self) -> Result<(), Refused> {
        loop {
            let Ok(Some(event)) = self.events.next().await else { return Err(broken()) };
            if event.signs.error.is_some() {
                return Err(refused(None, &sse::data(&event.bytes).unwrap_or_default()));
            }
            let is_real = event.signs.real || event.signs.finish.is_some();
            self.ready.push_back(event);
            if is_real {
                return Ok(());
            }
        }
    }

    /// The next event; `None` at the proper end.
    pub async fn next(&mut self) -> Option<Result<StreamEvent, Fault>> {
        let next = match self.ready.pop_front() {
            Some(event) => Ok(Some(event)),
            None => self.events.next().await,
        };
        match next {
            Ok(Some(event)) if event.signs.error.is_some() => Some(Err(Fault::Cut)),
            Ok(Some(event)) => {
                if let Some(route) = event.bytes.strip_prefix(LATE_ROUTE) {
                    self.late_route = Some(String::from_utf8_lossy(route.trim_ascii()).into_owned());
                }
                Some(Ok(event))
            }
            Ok(None) => None,
            Err(_) => Some(Err(Fault::Cut)),
        }
    }

    /// The route, once it is named, where the headers had gone out before it was known.
    pub fn late_route(&mut self) -> Option<String> {
        self.late_route.take()
    }
}

impl Refused {
    pub(super) fn of(kind: ErrorKind, message: String) -> Self {
        Self { kind, message, retry_after_s: None, routes: Vec::new(), attempts: Vec::new(), hint: None }
    }
}

fn broken() -> Refused {
    Refused::of(ErrorKind::Unavailable, "the gateway's answer broke off before it began".to_owned())
}

#[derive(Deserialize)]
struct ErrorBody {
    error: ErrorFields,
}

#[derive(Deserialize)]
struct ErrorFields {
    #[serde(default)]
    message: String,
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    routes: Vec<RouteFields>,
}

#[derive(Deserialize)]
struct RouteFields {
    route: String,
    reason: String,
    #[serde(default)]
    retry_after_s: Option<u64>,
}

/// What an error of the gateway means: by its code, else by its status.
pub(super) fn refused(status: Option<u16>, body: &[u8]) -> Refused {
    let Ok(ErrorBody { error }) = serde_json::from_slice::<ErrorBody>(body) else {
        let status = status.map_or(String::new(), |status| format!(" (HTTP {status})"));
        return Refused::of(ErrorKind::Unavailable, format!("what answers there is no gateway{status}"));
    };
    let kind = error.code.as_deref().and_then(ErrorKind::of_code).unwrap_or(match status {
        Some(401 | 403) => ErrorKind::Keys,
        Some(400 | 413 | 422) => ErrorKind::Rejected,
        Some(429) => ErrorKind::OutOfQuota,
        Some(504) => ErrorKind::Timeout,
        _ => ErrorKind::Unavailable,
    });
    let routes: Vec<_> = error.routes.into_iter().map(|it| (it.route, it.reason, it.retry_after_s)).collect();
    let hint = (status == Some(401)).then(|| "RELAY_API_KEY has to hold the gateway's own key".to_owned());
    let soonest = routes.iter().filter_map(|(.., seconds)| *seconds).min();
    let retry_after_s = soonest.filter(|_| kind == ErrorKind::OutOfQuota);
    Refused { retry_after_s, routes, hint, ..Refused::of(kind, error.message) }
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}

/// The attempts of a trail, `route=word, …`. How long each took the gateway alone knows.
fn read_trail(trail: &str) -> Vec<Attempt> {
    let failed = trail.split(", ").filter_map(|one| one.rsplit_once('='));
    failed
        .map(|(route, word)| Attempt {
            route: Arc::from(route),
            sent: !word.starts_with("no-"),
            // `503`, or a status and the window that is used up: `429-minute`.
            http_status: word.split('-').next().and_then(|status| status.parse().ok()),
            fault: Some(fault_of(word)),
            elapsed: Duration::ZERO,
            cut: None,
        })
        .collect()
}

/// The fault that a trail's word stands for, as far as it tells.
fn fault_of(word: &str) -> Fault {
    let none: Option<Timestamp> = None;
    let period = |word: &str| Period::ALL.into_iter().find(|period| period.word() == word);
    match word.split_once('-') {
        Some(("429", window)) => Fault::Busy { until: none, scope: None, period: period(window) },
        _ => match word {
            "busy" => Fault::Busy { until: none, scope: None, period: None },
            "spent" => Fault::Spent { until: none, scope: None, period: None },
            "denied" => Fault::Denied,
            "gone" => Fault::Gone,
            "cut" => Fault::Cut,
            "too-large" => Fault::Unfit(Unfit::TooLarge),
            "no-vision" => Fault::Unfit(Unfit::Lacks("vision")),
            "store-lost" => Fault::StoreLost,
            // A word of a later version says no more than that something broke.
            _ => Fault::Broken(Breakage::of_word(word).unwrap_or(Breakage::InBand)),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_known_again_by_its_code_else_by_its_status() {
        let kind = |status, body: &str| refused(Some(status), body.as_bytes()).kind;
        assert_eq!(kind(502, r#"{"error":{"message":"x","code":"upstream_credentials_exhausted"}}"#), ErrorKind::Keys);
        assert_eq!(kind(404, r#"{"error":{"message":"x","code":"model_not_found"}}"#), ErrorKind::UnknownModel);
        assert_eq!(kind(401, r#"{"error":{"message":"x","code":"invalid_api_key"}}"#), ErrorKind::Keys);
        assert_eq!(kind(422, r#"{"error":{"message":"x","code":null}}"#), ErrorKind::Rejected);
        assert_eq!(kind(502, "<html>"), ErrorKind::Unavailable);
    }

    #[test]
    fn a_trail_is_read_back() {
        let broken = ["timeout", "503", "reset", "not-json", "empty", "error-in-200", "unreachable", "proxy-failed"];
        let words = [&["429-minute", "denied", "cut", "too-large", "no-vision", "store-lost"][..], &broken].concat();
        let trail = words.iter().map(|word| format!("sim-a/sim=m={word}")).collect::<Vec<_>>().join(", ");
        let attempts = read_trail(&trail);
        let read: Vec<String> = attempts.iter().filter_map(|attempt| Some(attempt.fault.as_ref()?.word())).collect();
        assert_eq!(read, words);
        assert!(attempts.iter().all(|attempt| &*attempt.route == "sim-a/sim=m"));
        let statuses: Vec<Option<u16>> = attempts.iter().map(|attempt| attempt.http_status).collect();
        assert_eq!((statuses[0], statuses[1], statuses[7]), (Some(429), None, Some(503)));
        assert!(read_trail("").is_empty());
    }

    #[test]
    fn the_base_url_may_have_its_version_or_not() {
        for url in ["http://h:1", "http://h:1/", "http://h:1/v1", "http://h:1/v1/"] {
            let remote = Remote::new(url, None, &Network::default(), Clock::system()).expect("good");
            assert_eq!(remote.uri, "http://h:1/v1/chat/completions");
        }
        for url in ["h:1", "ftp://h", "http://", "not a url"] {
            assert!(Remote::new(url, None, &Network::default(), Clock::system()).is_err(), "{url}");
        }
    }
}

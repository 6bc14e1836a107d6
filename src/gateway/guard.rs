//! Who may use the gateway: whoever has its key, where it has one; else programs of this machine, and no web page.

use std::convert::Infallible;
use std::future::ready;
use std::net::IpAddr;
use std::pin::Pin;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use http::header::{AUTHORIZATION, HOST, ORIGIN};
use http::uri::Authority;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Response};
use hyper::body::Incoming;
use ring::digest::{SHA256, digest};
use secrecy::{ExposeSecret as _, SecretString};
use subtle::ConstantTimeEq;
use tower::{Layer as _, Service as _, service_fn};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer};

use crate::config;
use crate::relay::request_id;

use super::chat;
use super::respond::{self, ErrorBody, Reply};
use super::routes::Gateway;

/// What a page of another origin may read of a response.
const SHOWN: [HeaderName; 6] = [
    HeaderName::from_static("x-request-id"),
    HeaderName::from_static("x-relay-route"),
    HeaderName::from_static("x-relay-attempts"),
    HeaderName::from_static("x-relay-trail"),
    HeaderName::from_static("x-relay-context"),
    HeaderName::from_static("retry-after"),
];

/// The gateway behind its guards. They answer at once, so that no request pays for a layer of futures; and a chat, which is what a gateway
/// is asked all the time, pays for no search of the router either.
#[derive(Clone)]
pub struct Guarded {
    pub gateway: Arc<Gateway>,
    pub router: Router,
}

pub type Answering = Pin<Box<dyn Future<Output = Result<Response<Reply>, Infallible>> + Send>>;

impl hyper::service::Service<Request<Incoming>> for Guarded {
    type Response = Response<Reply>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let Some(cors) = &self.gateway.cors else { return self.pass(request) };
        let guarded = self.clone();
        Box::pin(cors.layer(service_fn(move |request| guarded.pass(request))).call(request))
    }
}

impl Guarded {
    fn pass(&self, request: Request<Incoming>) -> Answering {
        if let Some(response) = refusal(&self.gateway.access, &request) {
            return Box::pin(ready(Ok(self.named(response))));
        }
        if chat::is_asked(&request) {
            return Box::pin(chat::complete(Arc::clone(&self.gateway), request));
        }
        let guarded = self.clone();
        Box::pin(async move {
            let answering = guarded.router.clone().call(request.map(Body::new));
            answering.await.map(|response| guarded.named(response))
        })
    }

    /// An answer of any kind has its request's name; a chat's gets it where its log line does.
    fn named(&self, response: Response<Body>) -> Response<Reply> {
        chat::named(response.map(Reply::Other), &request_id(self.gateway.relay.clock.now()))
    }
}

/// Why a request may not pass. Where there is a key, whoever has it may ask what costs quota; where there is none, programs of this
/// machine may, and no web page.
fn refusal<B>(access: &config::Server, request: &Request<B>) -> Option<Response<Body>> {
    match &access.api_key {
        Some(key) if request.uri().path().starts_with("/v1/") => wrong_key(key, request.headers()).map(refuse),
        Some(_) => None,
        None => of_a_page(access, request),
    }
}

fn wrong_key(key: &SecretString, headers: &HeaderMap) -> Option<&'static str> {
    match bearer(headers) {
        Some(given) if is_key(given, key) => None,
        Some(_) => Some("the key in `authorization` is not this gateway's key"),
        None => Some("this gateway wants its key: send `authorization: Bearer …`"),
    }
}

/// Takes as long whatever is given: digests are of one length, where keys are not, and how far they agree tells nothing.
fn is_key(given: &str, key: &SecretString) -> bool {
    let [given, key] = [given, key.expose_secret()].map(|text| digest(&SHA256, text.as_bytes()));
    given.as_ref().ct_eq(key.as_ref()).into()
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn refuse(message: &str) -> Response<Body> {
    let mut response = respond::error(ErrorBody::request(401, "invalid_api_key", message.to_owned()));
    response.headers_mut().insert(http::header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    response
}

/// A browser of this machine reaches the gateway from any page, by its address or by a name that was pointed at it later (DNS
/// rebinding); what it cannot forge are `Origin` and `Host`.
fn of_a_page<B>(access: &config::Server, request: &Request<B>) -> Option<Response<Body>> {
    let headers = request.headers();
    if let Some(origin) = headers.get(ORIGIN).filter(|origin| !access.allows_origin(origin)) {
        let origin = String::from_utf8_lossy(origin.as_bytes()).escape_default().to_string();
        return Some(forbid(
            "origin_not_allowed",
            format!("pages of `{origin}` may not ask here; `cors` under [server] names those that may"),
        ));
    }
    let host = request.uri().authority().map(Authority::as_str);
    let host = host.or_else(|| headers.get(HOST)?.to_str().ok()).unwrap_or_default();
    (access.host.is_loopback() && !is_this_machine(host)).then(|| {
        let host = host.escape_default();
        forbid(
            "host_not_allowed",
            format!("`{host}` is no name of this machine; set a key (RELAY_API_KEY) to be asked by it"),
        )
    })
}

fn forbid(code: &str, message: String) -> Response<Body> {
    respond::error(ErrorBody::request(403, code, message))
}

/// `localhost`, a name below it, or a loopback address. A request without a host comes from no browser.
fn is_this_machine(host: &str) -> bool {
    // As nearly every client writes it, known without being taken apart.
    let (name, port) = host.split_once(':').unwrap_or((host, ""));
    if matches!(name, "127.0.0.1" | "localhost") && port.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let Ok(authority) = host.parse::<Authority>() else { return host.is_empty() };
    let name =
        authority.host().trim_start_matches('[').trim_end_matches(']').trim_end_matches('.').to_ascii_lowercase();
    let is_loopback = |address: IpAddr| address.to_canonical().is_loopback();
    name == "localhost" || name.ends_with(".localhost") || name.parse().is_ok_and(is_loopback)
}

/// Answers browsers that ask for a page of an allowed origin; without one it allows nothing.
pub fn cors(origins: &[HeaderValue]) -> CorsLayer {
    let allowed = if origins.iter().any(|origin| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().cloned())
    };
    CorsLayer::new()
        .allow_origin(allowed)
        .allow_methods([Method::GET, Method::POST])
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(SHOWN)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_opened_by_itself_alone() {
        let key = SecretString::from("s3cret");
        assert!(is_key("s3cret", &key));
        for other in ["", "s", "s3cre", "s3cret2", "S3cret", "t3cret", "s3creu"] {
            assert!(!is_key(other, &key), "{other}");
        }
    }

    #[test]
    fn only_names_of_this_machine_are_its_own() {
        for own in [
            "localhost",
            "localhost:8000",
            "LOCALHOST.:1",
            "a.localhost",
            "127.0.0.1:8000",
            "127.1.2.3",
            "[::1]:8000",
            "",
        ] {
            assert!(is_this_machine(own), "{own}");
        }
        for other in [
            "evil.example",
            "localhost.evil.example:8000",
            "10.0.0.1",
            "127.0.0.1.nip.io",
            "0.0.0.0:8000",
            "not a host",
            "[::2]",
        ] {
            assert!(!is_this_machine(other), "{other}");
        }
    }
}

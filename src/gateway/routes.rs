//! Every endpoint on one screen, and what they share.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::response::Response;
use axum::routing::{any, get, post};
use http::HeaderValue;
use http::header::ALLOW;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;
use tower_http::cors::CorsLayer;

use crate::config;
use crate::relay::Relay;

use super::gate::Gate;
use super::respond::{self, ErrorBody};
use super::{chat, guard, models, route, status, usage};

/// What every endpoint knows.
pub struct Gateway {
    pub relay: Arc<Relay>,
    /// Who may ask, and how much.
    pub access: config::Server,
    pub gate: Gate,
    /// Where pages of other origins may ask.
    pub cors: Option<CorsLayer>,
    /// By `RouteId`, as headers tell them.
    pub route_names: Vec<Option<HeaderValue>>,
    /// Told about each chat once it has ended.
    pub on_request: Arc<dyn Fn(&RequestLine) + Send + Sync>,
    pub started_at: Timestamp,
    draining: AtomicBool,
    /// The time to finish is over: whoever is still waited for is told so.
    pub cut: CancellationToken,
}

/// One answered or refused chat, as the log tells it.
#[derive(Debug, Clone)]
pub struct RequestLine {
    pub at: Timestamp,
    pub request_id: Arc<str>,
    pub status: u16,
    /// The route that answered.
    pub route: Option<Arc<str>>,
    /// Failed attempts before it.
    pub trail: String,
    pub elapsed: Duration,
    pub tokens: Option<u64>,
    /// Why there is no answer, or not all of it.
    pub error: Option<String>,
}

impl Gateway {
    pub fn new(relay: Arc<Relay>, access: config::Server, on_request: Arc<dyn Fn(&RequestLine) + Send + Sync>) -> Self {
        let started_at = relay.clock.now();
        let gate = Gate::new(access.max_requests, access.max_waiting);
        let cors = (!access.cors.is_empty()).then(|| guard::cors(&access.cors));
        let route_names = relay.fleet.routes.iter().map(|route| chat::header_value(&route.name)).collect();
        let (draining, cut) = (AtomicBool::new(false), CancellationToken::new());
        Self { relay, access, gate, cors, route_names, on_request, started_at, draining, cut }
    }

    /// From now on `readyz` fails, so that nobody sends new work here.
    pub fn start_draining(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            // A chat itself goes past the router, in `guard`.
            .route(chat::PATH, any(wrong_chat_method))
            .route("/v1/models", get(models::list))
            .route("/v1/models/{*id}", get(models::retrieve))
            .route("/v1/route", post(route::explain))
            .route("/v1/usage", get(usage::report))
            .route("/health", get(status::health))
            .route("/livez", get(status::livez))
            .route("/readyz", get(status::readyz))
            .route("/metrics", get(status::metrics))
            .method_not_allowed_fallback(wrong_method)
            .fallback(nothing_here)
            .with_state(Arc::clone(self))
    }
}

async fn wrong_method(request: Request) -> Response {
    respond::error(ErrorBody::request(
        405,
        "method_not_allowed",
        format!("`{}` does not take {}", request.uri().path(), request.method()),
    ))
}

async fn wrong_chat_method(request: Request) -> Response {
    let mut response = wrong_method(request).await;
    response.headers_mut().insert(ALLOW, HeaderValue::from_static("POST"));
    response
}

async fn nothing_here(request: Request) -> Response {
    let path = request.uri().path();
    let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty() && *part != "v1").collect();
    let instead = match meant(&parts) {
        Some(meant) => format!("`{meant}` is meant: the base URL of a client ends in `/v1`"),
        None => format!("of OpenAI's API relay has `/v1/chat/completions` and `/v1/models`{}", advice(&parts)),
    };
    respond::error(ErrorBody::request(404, "not_found", format!("there is nothing at `{path}`; {instead}")))
}

/// The endpoint that a client with a wrong base URL asked for: one without `/v1`, with two of them, or with a slash too many.
fn meant(parts: &[&str]) -> Option<&'static str> {
    const ENDPOINTS: [&str; 2] = [chat::PATH, "/v1/models"];
    ENDPOINTS.into_iter().find(|endpoint| endpoint["/v1/".len()..].split('/').eq(parts.iter().copied()))
}

/// What a client can do that asks for what relay does not have. Agents' frameworks take the first of these unless told otherwise.
fn advice(parts: &[&str]) -> &'static str {
    match parts.first() {
        Some(&"responses") => {
            ": have the client use chat completions in the place of the Responses API (Agents SDK: \
             `set_default_openai_api(\"chat_completions\")`; AI SDK: `openai.chat(\"meta-model\")`; Pydantic AI: \
             `openai-chat:meta-model`)"
        }
        Some(&"messages") => ": a client of Anthropic's API needs a translator in between",
        Some(&"completions") => ": send the prompt as a message",
        Some(&"embeddings") => ": embeddings are to be had elsewhere",
        _ => "",
    }
}

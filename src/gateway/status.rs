//! Whether the gateway lives, is ready, and how it stands.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use http::header::CONTENT_TYPE;
use serde_json::json;

use super::routes::Gateway;

/// The process answers.
pub async fn livez() -> &'static str {
    "ok\n"
}

/// New work is welcome.
pub async fn readyz(State(gateway): State<Arc<Gateway>>) -> Response {
    if gateway.is_draining() {
        (StatusCode::SERVICE_UNAVAILABLE, "draining\n").into_response()
    } else {
        "ok\n".into_response()
    }
}

/// The standing of every route, counted.
pub async fn health(State(gateway): State<Arc<Gateway>>) -> Response {
    let relay = &gateway.relay;
    let standing = relay.standing();
    let available = standing.iter().filter(|(_, rejection)| rejection.is_none()).count();
    let status = if gateway.is_draining() { "draining" } else { "ok" };
    Json(json!({
        "status": status,
        "version": env!("CARGO_PKG_VERSION"),
        "providers": relay.fleet.provider_ids().len(),
        "routes": standing.len(),
        "available": available,
        "in_flight": relay.in_flight(),
    }))
    .into_response()
}

/// Counters, histograms and what is left, as Prometheus reads them.
pub async fn metrics(State(gateway): State<Arc<Gateway>>) -> Response {
    ([(CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], gateway.relay.metrics_text()).into_response()
}

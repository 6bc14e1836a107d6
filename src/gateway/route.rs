//! `POST /v1/route`: what would become of a chat, and why. Nothing is sent, nothing is reserved.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::chat;
use super::respond;
use super::routes::Gateway;

pub async fn explain(State(gateway): State<Arc<Gateway>>, headers: HeaderMap, body: Body) -> Response {
    let (request, options) = match chat::prepare(&gateway, &headers, body).await {
        Ok(prepared) => prepared,
        Err(error) => return respond::error(error),
    };
    match gateway.relay.explain(&request, &options).await {
        Ok(explanation) => Json(explanation).into_response(),
        Err(fault) => respond::error(respond::of_fault(&fault, gateway.relay.clock.now())),
    }
}

//! Who may use the gateway: whoever has its key, where it has one.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::HeaderMap;
use http::header::AUTHORIZATION;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::respond::{self, ErrorBody};
use super::routes::Gateway;

/// Lets a request pass when the gateway has no key, or the request has the right one.
pub async fn require_key(State(gateway): State<Arc<Gateway>>, request: Request, next: Next) -> Response {
    let Some(key) = &gateway.api_key else { return next.run(request).await };
    match bearer(request.headers()) {
        Some(given) if bool::from(given.as_bytes().ct_eq(key.expose_secret().as_bytes())) => next.run(request).await,
        Some(_) => refuse("the key in `authorization` is not this gateway's key"),
        None => refuse("this gateway wants its key: send `authorization: Bearer …`"),
    }
}

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let (scheme, key) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

fn refuse(message: &str) -> Response {
    let mut response = respond::error(ErrorBody::request(401, "invalid_api_key", message.to_owned()));
    response.headers_mut().insert(http::header::WWW_AUTHENTICATE, http::HeaderValue::from_static("Bearer"));
    response
}

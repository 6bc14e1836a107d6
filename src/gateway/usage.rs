//! `GET /v1/usage`: what was used and what is left, the document of `relay usage --json`.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;

use crate::catalog::reader::parse_duration;
use crate::chat::Fault;
use crate::clock::{earlier, midnight};

use super::respond::{self, ErrorBody};
use super::routes::Gateway;

#[derive(Debug, Deserialize)]
pub struct Span {
    /// A duration back from now, such as `7d`; without one, since midnight here.
    since: Option<String>,
}

#[expect(clippy::disallowed_methods, reason = "one query of the ledger, which ends by itself")]
pub async fn report(State(gateway): State<Arc<Gateway>>, span: Result<Query<Span>, QueryRejection>) -> Response {
    let now = gateway.relay.clock.now();
    let since = match since(span, now) {
        Ok(since) => since,
        Err(error) => return respond::error(error),
    };
    let report = tokio::task::spawn_blocking(move || gateway.relay.usage(since)).await;
    match report.map_err(|error| error.to_string()).flatten() {
        Ok(report) => Json(report).into_response(),
        Err(reason) => {
            tracing::error!(%reason, "the ledger cannot be read");
            respond::error(respond::of_fault(&Fault::StoreLost, now))
        }
    }
}

fn since(span: Result<Query<Span>, QueryRejection>, now: Timestamp) -> Result<Timestamp, ErrorBody> {
    let wrong =
        |message| ErrorBody { param: Some("since".into()), ..ErrorBody::request(400, "invalid_value", message) };
    let Query(span) = span.map_err(|rejection| wrong(rejection.body_text()))?;
    let Some(text) = span.since else { return Ok(midnight(now)) };
    let span = parse_duration(&text)
        .ok_or_else(|| wrong(format!("`since` is `{text}`; it must be a duration such as `90m` or `7d`")))?;
    Ok(earlier(now, span))
}

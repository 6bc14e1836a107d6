//! `GET /v1/models`: the meta-model first, then every route's model with its standing.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::{PathRejection, QueryRejection};
use axum::extract::{Path, Query, State};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};

use crate::catalog::{ModelType, Scale};
use crate::chat::request::{META_MODEL, stands_for_any};
use crate::routing::{Rejection, Route, RouteId};

use super::respond::{self, ErrorBody};
use super::routes::Gateway;

#[derive(Debug, Serialize)]
struct Listing {
    id: String,
    object: &'static str,
    created: i64,
    owned_by: String,
    types: Vec<&'static str>,
    scale: Option<&'static str>,
    context_length: u64,
    features: Vec<&'static str>,
    /// `available`, `limited` (quota used up), `cooldown` (rests after a fault) or `disabled` (key rejected).
    status: &'static str,
    available_at: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct Filter {
    r#type: Option<String>,
    scale: Option<String>,
}

pub async fn list(State(gateway): State<Arc<Gateway>>, filter: Result<Query<Filter>, QueryRejection>) -> Response {
    let filter = match filter
        .map_err(|rejection| unreadable(rejection.body_text()))
        .and_then(|Query(filter)| filter.checked())
    {
        Ok(filter) => filter,
        Err(error) => return respond::error(error),
    };
    let mut models = listings(&gateway);
    let rest = models.split_off(1);
    models.extend(rest.into_iter().filter(|model| filter.allows(model)));
    Json(serde_json::json!({ "object": "list", "data": models })).into_response()
}

/// One model, by any name that chats know it by. A slash in it may come raw or as `%2F`.
pub async fn retrieve(State(gateway): State<Arc<Gateway>>, id: Result<Path<String>, PathRejection>) -> Response {
    let id = match id {
        Ok(Path(id)) => id,
        Err(rejection) => return respond::error(unreadable(rejection.body_text())),
    };
    let models = listings(&gateway);
    let found = models.into_iter().find(|model| same_model(&model.id, &id));
    found.map_or_else(
        || {
            respond::error(ErrorBody {
                param: Some("model".into()),
                ..ErrorBody::request(404, "model_not_found", format!("there is no model `{id}` here"))
            })
        },
        |model| Json(model).into_response(),
    )
}

/// A path or a query that cannot be read.
fn unreadable(message: String) -> ErrorBody {
    ErrorBody::request(400, "invalid_request", message)
}

/// Equal ids, the provider's name in any case.
fn same_model(known: &str, asked: &str) -> bool {
    match (known.split_once('/'), asked.split_once('/')) {
        (Some((provider, model)), Some((asked_provider, asked_model))) => {
            provider.eq_ignore_ascii_case(asked_provider) && model == asked_model
        }
        _ => known == asked || (known == META_MODEL && stands_for_any(asked)),
    }
}

impl Filter {
    fn checked(self) -> Result<Self, ErrorBody> {
        check_name("type", self.r#type.as_deref(), &ModelType::NAMES.map(|(name, _)| name))?;
        check_name("scale", self.scale.as_deref(), &Scale::NAMES.map(|(name, _)| name))?;
        Ok(self)
    }

    fn allows(&self, model: &Listing) -> bool {
        let has_type = self.r#type.as_deref().is_none_or(|kind| model.types.contains(&kind));
        has_type && self.scale.as_deref().is_none_or(|scale| model.scale == Some(scale))
    }
}

fn check_name(param: &str, value: Option<&str>, names: &[&str]) -> Result<(), ErrorBody> {
    match value {
        Some(value) if !names.contains(&value) => {
            let message = format!("`{param}` is `{value}`; it must be one of: {}", names.join(", "));
            Err(ErrorBody { param: Some(param.into()), ..ErrorBody::request(400, "invalid_value", message) })
        }
        _ => Ok(()),
    }
}

fn listings(gateway: &Gateway) -> Vec<Listing> {
    let relay = &gateway.relay;
    let created = gateway.started_at.as_second();
    let standing = relay.standing_by_model();
    let listing = |(route, rejection): &(RouteId, Option<Rejection>)| {
        listing(relay.fleet.route(*route), rejection.as_ref(), created)
    };
    let mut models: Vec<Listing> = standing.iter().map(listing).collect();
    models.insert(0, meta_model(&models, created));
    models
}

fn listing(route: &Route, rejection: Option<&Rejection>, created: i64) -> Listing {
    let status = match rejection {
        Some(Rejection::OutOfQuota { .. } | Rejection::NeverFits { .. }) => "limited",
        Some(Rejection::Resting { .. }) => "cooldown",
        Some(Rejection::KeyRejected) => "disabled",
        _ => "available",
    };
    Listing {
        id: route.name.to_string(),
        object: "model",
        created,
        owned_by: route.provider.id.clone(),
        types: route.model.types.iter().map(|kind| kind.word()).collect(),
        scale: Some(route.model.scale.word()),
        context_length: route.model.context,
        features: route.model.features.words(),
        status,
        available_at: rejection.and_then(Rejection::until).map(|moment| moment.to_string()),
    }
}

/// The model that stands for all others: it can what any of them can.
fn meta_model(models: &[Listing], created: i64) -> Listing {
    let union = |of: fn(&Listing) -> &Vec<&'static str>| {
        let mut all: Vec<&'static str> = models.iter().flat_map(|model| of(model).iter().copied()).collect();
        all.sort_unstable();
        all.dedup();
        all
    };
    let available = models.iter().any(|model| model.status == "available");
    Listing {
        id: META_MODEL.to_owned(),
        object: "model",
        created,
        owned_by: "relay".to_owned(),
        types: union(|model| &model.types),
        scale: None,
        context_length: models.iter().map(|model| model.context_length).max().unwrap_or(0),
        features: union(|model| &model.features),
        status: if available { "available" } else { "limited" },
        available_at: if available { None } else { models.iter().filter_map(|model| model.available_at.clone()).min() },
    }
}

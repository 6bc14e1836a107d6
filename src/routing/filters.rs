//! The intent filters of a request: a type, a scale, a part of the name.

use crate::catalog::{ModelType, Scale};
use crate::chat::{ChatRequest, Fault, LONGEST_NAME, Unfit, brief};

use super::fleet::{Fleet, Route};
use super::need::Wanted;

/// Of what exists, no more is named than this.
const MOST_NAMED: usize = 12;

/// What a request asks of the model, whoever hosts it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filters {
    pub model_type: Option<ModelType>,
    pub scale: Option<Scale>,
    /// A part of the model's id, in lower case.
    pub name: Option<String>,
}

impl Filters {
    pub fn of(request: &ChatRequest) -> Result<Self, Fault> {
        Ok(Self {
            model_type: request
                .model_type
                .as_deref()
                .map(|text| pick("model_type", text, &ModelType::NAMES))
                .transpose()?,
            scale: request.model_scale.as_deref().map(|text| pick("model_scale", text, &Scale::NAMES)).transpose()?,
            name: request.model_name.as_deref().map(str::to_lowercase),
        })
    }

    /// A filter that nobody passes is a mistake, and told with what there is.
    pub fn leave_somebody(&self, wanted: &Wanted, fleet: &Fleet) -> Result<(), Fault> {
        let routes = || fleet.routes.iter().filter(|route| wanted.allows(route));
        if routes().any(|route| self.allow(route)) || routes().next().is_none() {
            return Ok(());
        }
        // Each filter by itself: what would pass in its place, the others as they are; or, where nothing would, what there is at all.
        let without = |filter: fn(&mut Self)| {
            let mut others = self.clone();
            filter(&mut others);
            let passing: Vec<&Route> = routes().filter(|route| others.allow(route)).collect();
            if passing.is_empty() { routes().collect() } else { passing }
        };
        let mut parts = Vec::new();
        if let Some(kind) = self.model_type {
            let types = without(|filters| filters.model_type = None).into_iter().flat_map(|route| &route.model.types);
            parts.push(told("model_type", kind.word(), types.map(|kind| kind.word().to_owned())));
        }
        if let Some(scale) = self.scale {
            let scales = without(|filters| filters.scale = None).into_iter().map(|route| route.model.scale);
            parts.push(told("model_scale", scale.word(), scales.map(|scale| scale.word().to_owned())));
        }
        if let Some(name) = &self.name {
            let names = without(|filters| filters.name = None).into_iter().map(|route| route.model.id.clone());
            parts.push(told("model_name", name, names));
        }
        Err(Fault::Unfit(Unfit::Filtered(format!("no model that is set up has {}", parts.join(", and ")))))
    }

    pub fn allow(&self, route: &Route) -> bool {
        self.model_type.is_none_or(|kind| route.model.is_a(kind))
            && self.scale.is_none_or(|scale| route.model.scale == scale)
            && self.name.as_ref().is_none_or(|name| route.model.id.to_lowercase().contains(name))
    }
}

fn pick<T: Copy>(field: &str, text: &str, names: &[(&str, T)]) -> Result<T, Fault> {
    names.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, value)| *value).ok_or_else(|| {
        let known: Vec<&str> = names.iter().map(|(name, _)| *name).collect();
        let text = brief(text, LONGEST_NAME);
        Fault::Unfit(Unfit::Filtered(format!("`{field}` is `{text}`; it must be one of: {}", known.join(", "))))
    })
}

/// A filter and what there is for it.
fn told(field: &str, asked: &str, there_is: impl Iterator<Item = String>) -> String {
    let mut known: Vec<String> = Vec::new();
    for one in there_is {
        if !known.contains(&one) {
            known.push(one);
        }
    }
    let more = known.len().saturating_sub(MOST_NAMED);
    known.truncate(MOST_NAMED);
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    let asked = brief(asked, LONGEST_NAME);
    format!("`{field}` `{asked}` (there is: {}{rest})", known.join(", "))
}

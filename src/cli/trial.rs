//! Whether a provider takes a key, and whether it then answers: its model list, and one tiny request.

use std::time::Duration;

use crate::catalog::Provider;
use crate::config::{Environment, Flags};
use crate::relay::{Condition, Probe};

use super::args::Global;
use super::exit::Trouble;
use super::offer::Offer;
use super::output::Output;
use super::setup;

const PATIENCE: Duration = Duration::from_secs(15);

/// What became of a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trial {
    /// It is taken; what that gives, and which model said something.
    Works(String),
    Rejected,
    /// The provider could not be asked, or did not answer.
    Unclear(String),
}

/// Tries a key, or the keys that are set up where none is given.
pub async fn try_key(
    provider: &Provider,
    key: Option<&str>,
    global: &Global,
    environment: &Environment,
    output: Output,
) -> Result<Trial, Trouble> {
    let variable = provider.key_env.first().map(String::as_str).unwrap_or_default();
    let environment = match key {
        Some(key) => environment.with(variable, key),
        None => environment.clone(),
    };
    let flags = Flags { keyless: true, first_event: Some(PATIENCE), ..Flags::default() };
    let names = [provider.id.clone()];
    let core = setup::survey(global, flags, &environment, output, &names).await?;
    if let Some(problem) = core.problems.iter().find(|it| it.provider.as_ref() == Some(&provider.id)) {
        return Ok(Trial::Unclear(problem.to_string().replace('\n', " ")));
    }
    if let Some(left_out) = core.settings.left_out.iter().find(|it| it.provider == provider.id) {
        return Ok(Trial::Unclear(format!("{}: {}", left_out.why.word(), left_out.why.remedy())));
    }
    let said = setup::said(&core, &provider.id);
    let is_rejected = said.rejected.is_some() || key.is_some() && said.some_rejected.iter().any(|it| it == variable);
    if is_rejected {
        return Ok(Trial::Rejected);
    }
    let route = core.relay.fleet.routes.iter().find(|route| route.provider.id == provider.id);
    let Some(route) = route else { return Ok(Trial::Unclear("none of its models is offered now".to_owned())) };
    let checked = core.relay.probe(&route.name, Probe { max_tokens: 16, timeout: PATIENCE }).await;
    let offer = Offer::of(&route.provider).text();
    Ok(match checked.condition {
        Condition::Pass => Trial::Works(format!("+{offer}; {} answers", route.model.id)),
        Condition::Limit => Trial::Works(format!("+{offer}; {} has no quota left now", route.model.id)),
        Condition::Auth => Trial::Rejected,
        _ => Trial::Unclear(format!("{}: {}", route.model.id, checked.detail.unwrap_or_default())),
    })
}

//! Asks local servers whether they run, and which models they have.

use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;

use crate::catalog::Provider;
use crate::dialect::installed::{self, Details, Installed};

use super::fetch::Fetcher;

/// A local server that runs answers at once; one that does not must not hold up the start. A survey asks at most two
/// questions after one another.
const ANSWER_TIME: Duration = Duration::from_secs(1);

/// What a local server said.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Survey {
    /// Nothing: it does not run.
    Silent,
    /// That it runs. Its configured models count.
    Runs,
    /// Something else than a model list. Its configured models count.
    Strange(String),
    /// Which models it has: the provider with these.
    Has(Arc<Provider>),
}

/// Asks a local provider.
pub(super) async fn survey(fetcher: Fetcher, provider: Arc<Provider>) -> Survey {
    let url = format!("{}{}", provider.base_url, provider.wire.models);
    let list = match fetcher.get(&url, None, ANSWER_TIME).await {
        Ok(list) => list,
        Err(error) => {
            tracing::debug!(provider = %provider.id, %error, "a local provider does not answer");
            return Survey::Silent;
        }
    };
    if provider.wire.models.is_empty() {
        return Survey::Runs;
    }
    if list.status != 200 {
        return Survey::Strange(no_list(&provider, list.status));
    }
    if !provider.dialect.lists_installed() || provider.has_chosen_models() {
        return Survey::Runs;
    }
    let Some(models) = installed::list(&list.body) else {
        return Survey::Strange("its model list cannot be read".to_owned());
    };
    let url = format!("{}{}", provider.base_url, installed::DETAILS_PATH);
    let found = all(models.into_iter().map(|model| describe(fetcher.clone(), url.clone(), model))).await;
    Survey::Has(Arc::new(provider.with_installed(&found)))
}

/// Why an answer is no model list.
pub(super) fn no_list(provider: &Provider, status: u16) -> String {
    let hint = if status == 404 { "; is its base URL right?" } else { "" };
    format!("HTTP {status} from {}{}{hint}", provider.base_url, provider.wire.models)
}

async fn describe(fetcher: Fetcher, url: String, model: Installed) -> (Installed, Option<Details>) {
    let answer = fetcher.post_json(&url, installed::question(&model.id), ANSWER_TIME).await;
    let details = answer.ok().filter(|answer| answer.status == 200).and_then(|answer| installed::details(&answer.body));
    (model, details)
}

/// Runs the futures side by side. Their tasks end with this one: the set waits for them, and dropping it drops them.
pub(super) async fn all<F>(futures: impl Iterator<Item = F>) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
{
    let mut tasks = JoinSet::new();
    for (index, future) in futures.enumerate() {
        tasks.spawn(async move { (index, future.await) });
    }
    let mut outputs = tasks.join_all().await;
    outputs.sort_by_key(|(index, _)| *index);
    outputs.into_iter().map(|(_, output)| output).collect()
}

#[cfg(test)]
mod tests {
    use axum::http::StatusCode;
    use axum::routing::{get, post};
    use axum::{Json, Router};
    use serde_json::{Value, json};

    use super::super::network::Network;
    use super::*;
    use crate::catalog::{Catalog, Overlay};

    const SHIPPED: &str = "[[model]]\nid = \"shipped\"\nscale = \"small\"\ncontext = 1000\n";

    /// A server with three models: one that chats, one that does not, one it says nothing about.
    fn server() -> Router {
        let tags = json!({ "models": [
            { "name": "able:latest", "details": { "parameter_size": "32.8B" } },
            { "name": "embed:latest", "details": { "parameter_size": "137M" } },
            { "name": "mute:1b", "details": { "parameter_size": "1B" } },
        ] });
        let show = async |Json(question): Json<Value>| match question["model"].as_str() {
            Some("able") => Ok(Json(
                json!({ "capabilities": ["completion", "tools"], "model_info": { "x.context_length": 40960 } }),
            )),
            Some("embed") => {
                Ok(Json(json!({ "capabilities": ["embedding"], "model_info": { "x.context_length": 512 } })))
            }
            Some("mute:1b") => {
                tokio::time::sleep(Duration::from_mins(1)).await;
                Err(StatusCode::OK)
            }
            _ => Err(StatusCode::NOT_FOUND),
        };
        Router::new().route("/api/tags", get(async || Json(tags))).route("/api/show", post(show))
    }

    async fn surveyed(server: Option<Router>, dialect_and_models: &str, chosen: bool) -> Survey {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("an address");
        let mut tasks = JoinSet::new();
        match server {
            Some(server) => drop(tasks.spawn(async move { axum::serve(listener, server).await })),
            None => drop(listener),
        }
        let text = format!("base_url = \"http://{address}\"\nstatus = \"local\"\n{dialect_and_models}");
        let file = Overlay { id: "a".to_owned(), place: "a.toml".to_owned(), text };
        let mut provider = Catalog::only(&[file]).expect("valid").providers.remove(0);
        provider.models.iter_mut().for_each(|model| model.is_chosen = chosen);
        survey(Fetcher::new(&Network::default()), Arc::new(provider)).await
    }

    fn native() -> String {
        format!("dialect = \"ollama\"\nwire = {{ models = \"/api/tags\" }}\n{SHIPPED}")
    }

    #[tokio::test]
    async fn a_running_servers_models_take_the_place_of_the_shipped_ones() {
        let start = std::time::Instant::now();
        let Survey::Has(provider) = surveyed(Some(server()), &native(), false).await else { panic!("models") };
        let models: Vec<_> =
            provider.models.iter().map(|model| (model.id.as_str(), model.scale.word(), model.context)).collect();
        assert_eq!(models, [("able", "medium", 40_960), ("mute:1b", "small", 4096)]);
        assert!(provider.models[0].features.tools && !provider.models[1].features.tools);
        assert!(start.elapsed() < Duration::from_secs(3), "a model that says nothing holds nobody up");
    }

    #[tokio::test]
    async fn models_the_user_chose_stay_and_so_do_those_of_servers_that_tell_none() {
        assert_eq!(surveyed(Some(server()), &native(), true).await, Survey::Runs);
        let strange = surveyed(Some(Router::new()), &native(), false).await;
        assert!(
            matches!(&strange, Survey::Strange(why) if why.contains("404") && why.contains("base URL")),
            "{strange:?}"
        );
        let other = format!("dialect = \"openai\"\nwire = {{ models = \"/api/tags\" }}\n{SHIPPED}");
        assert_eq!(surveyed(Some(server()), &other, false).await, Survey::Runs);
    }

    #[tokio::test]
    async fn a_server_that_does_not_run_is_silent() {
        assert_eq!(surveyed(None, &native(), false).await, Survey::Silent);
    }
}

//! Which models a server has, and what each can do: the questions to ask it and what its answers mean.

use serde::Deserialize;
use serde_json::{Map, Value, json};

/// Where a server is asked about one model, with `question` as the body.
pub const DETAILS_PATH: &str = "/api/show";

/// A model in a server's list.
#[derive(Debug, Clone, PartialEq)]
pub struct Installed {
    /// Without the tag `latest`, which the server adds by itself.
    pub id: String,
    /// In billions, where the list says.
    pub parameters: Option<f64>,
    /// The server passes its requests on to another one.
    pub is_remote: bool,
}

/// What a server tells about one model.
#[derive(Debug, Clone, PartialEq)]
pub struct Details {
    /// In tokens.
    pub context: Option<u64>,
    /// In billions.
    pub parameters: Option<f64>,
    /// False for models that only make embeddings or images.
    pub chats: bool,
    pub has_tools: bool,
    pub has_vision: bool,
    pub thinks: bool,
}

/// The body that asks about a model.
pub fn question(id: &str) -> Vec<u8> {
    json!({ "model": id }).to_string().into_bytes()
}

/// The models of `/api/tags`; `None` when the answer is not such a list.
pub fn list(body: &[u8]) -> Option<Vec<Installed>> {
    #[derive(Deserialize)]
    struct Tags {
        models: Vec<Tag>,
    }
    #[derive(Deserialize)]
    struct Tag {
        name: String,
        #[serde(default)]
        remote_host: Option<String>,
        #[serde(default)]
        details: Option<TagDetails>,
    }
    #[derive(Deserialize)]
    struct TagDetails {
        #[serde(default)]
        parameter_size: String,
    }
    let tags: Tags = serde_json::from_slice(body).ok()?;
    let models = tags.models.into_iter().map(|tag| Installed {
        id: without_latest(&tag.name).to_owned(),
        parameters: tag.details.and_then(|details| billions(&details.parameter_size)),
        is_remote: tag.remote_host.is_some_and(|host| !host.is_empty()),
    });
    Some(models.collect())
}

/// What `/api/show` says; `None` when it says nothing.
pub fn details(body: &[u8]) -> Option<Details> {
    #[derive(Deserialize)]
    struct Show {
        /// Missing before 0.6.4.
        #[serde(default)]
        capabilities: Option<Vec<String>>,
        #[serde(default)]
        model_info: Map<String, Value>,
    }
    let show: Show = serde_json::from_slice(body).ok()?;
    let count = show.model_info.get("general.parameter_count").and_then(Value::as_f64);
    let capabilities = show.capabilities;
    let has = |name: &str| capabilities.as_ref().is_some_and(|all| all.iter().any(|one| one == name));
    Some(Details {
        context: context(&show.model_info),
        parameters: count.map(|count| count / 1e9),
        chats: capabilities.is_none() || has("completion"),
        has_tools: has("tools"),
        has_vision: has("vision"),
        thinks: has("thinking"),
    })
}

pub fn without_latest(id: &str) -> &str {
    id.strip_suffix(":latest").unwrap_or(id)
}

/// `ARCHITECTURE.context_length`. Where the architecture is not named, the only such key there is.
fn context(info: &Map<String, Value>) -> Option<u64> {
    let architecture = info.get("general.architecture").and_then(Value::as_str);
    let own = architecture.and_then(|name| info.get(&format!("{name}.context_length")));
    own.or_else(|| info.iter().find(|(key, _)| key.ends_with(".context_length")).map(|(_, value)| value))?.as_u64()
}

/// Parameters as the server writes them: `3.2B`, `137M`, `1.04T`.
fn billions(text: &str) -> Option<f64> {
    let unit = text.chars().last()?;
    let number: f64 = text.trim_end_matches(unit).parse().ok()?;
    let factor = match unit.to_ascii_uppercase() {
        'T' => 1e3,
        'B' => 1.0,
        'M' => 1e-3,
        'K' => 1e-6,
        _ => return None,
    };
    Some(number * factor)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_models_with_their_sizes() {
        let body = br#"{"models":[{"name":"llama3.2:latest","model":"llama3.2:latest","size":1,"details":{"family":"llama","parameter_size":"3.2B"}},{"name":"all-minilm:22m","details":{"parameter_size":"22.7M"}},{"name":"gpt-oss:120b-cloud","remote_host":"https://ollama.com:443"},{"name":"odd","details":{"parameter_size":"unknown"}}]}"#;
        let models = list(body).expect("a list");
        let short: Vec<_> = models.iter().map(|model| (model.id.as_str(), model.parameters, model.is_remote)).collect();
        assert_eq!(
            short,
            [
                ("llama3.2", Some(3.2), false),
                ("all-minilm:22m", Some(22.7 * 1e-3), false),
                ("gpt-oss:120b-cloud", None, true),
                ("odd", None, false)
            ]
        );
        assert_eq!((list(b"<html>"), list(br#"{"data":[]}"#)), (None, None));
    }

    #[test]
    fn details_tell_context_and_capabilities() {
        let show = br#"{"capabilities":["completion","tools","vision","thinking"],"model_info":{"general.architecture":"gemma3","general.parameter_count":4299915632,"clip.context_length":77,"gemma3.context_length":131072}}"#;
        let told = details(show).expect("details");
        assert_eq!((told.context, told.chats, told.has_tools, told.has_vision), (Some(131_072), true, true, true));
        assert!(told.thinks);
        assert!(told.parameters.is_some_and(|billions| (4.2..4.4).contains(&billions)));
        let embedding = details(br#"{"capabilities":["embedding"],"model_info":{"bert.context_length":512}}"#);
        assert_eq!(embedding.map(|told| (told.context, told.chats)), Some((Some(512), false)));
        assert_eq!(details(b"{}").map(|told| (told.context, told.chats, told.has_tools)), Some((None, true, false)));
        assert_eq!(details(b"7"), None);
    }

    #[test]
    fn a_question_is_json_whatever_the_name() {
        assert_eq!(question("a\"b"), br#"{"model":"a\"b"}"#);
    }
}

//! Reads a provider's model list, in any of the shapes in use.

use serde::Deserialize;

/// A model as a list names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    /// Other names for the same model.
    pub aliases: Vec<String>,
}

impl Listed {
    /// Whether this is the model `id`.
    pub fn is(&self, id: &str) -> bool {
        std::iter::once(&self.id).chain(&self.aliases).any(|name| name.eq_ignore_ascii_case(id))
    }
}

/// The models of a list; `None` when the answer is none.
///
/// `{"data": […]}` as OpenAI has it, `{"models": […]}` (Gemini, Ollama, Cohere), `{"result": […]}` (Cloudflare), or a bare list
/// (Together). A model's name is its `id`, else its `name`: Cloudflare's ids are numbers of a database, its names what requests say.
pub fn read(body: &[u8]) -> Option<Vec<Listed>> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum List {
        Bare(Vec<Entry>),
        Data { data: Vec<Entry> },
        Models { models: Vec<Entry> },
        Result { result: Vec<Entry> },
    }
    let (entries, by_name) = match serde_json::from_slice(body).ok()? {
        List::Bare(entries) | List::Data { data: entries } => (entries, false),
        List::Models { models: entries } | List::Result { result: entries } => (entries, true),
    };
    Some(entries.into_iter().filter_map(|entry| entry.listed(by_name)).collect())
}

#[derive(Deserialize)]
struct Entry {
    #[serde(default)]
    id: Option<String>,
    #[serde(default)]
    name: Option<String>,
    #[serde(default)]
    aliases: Option<Vec<String>>,
}

impl Entry {
    fn listed(self, by_name: bool) -> Option<Listed> {
        let name = if by_name { self.name.or(self.id) } else { self.id.or(self.name) }?;
        // Gemini's names are paths.
        let id = name.strip_prefix("models/").unwrap_or(&name).to_owned();
        Some(Listed { id, aliases: self.aliases.unwrap_or_default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_shape_is_read() {
        let lists = [
            r#"{"object":"list","data":[{"id":"a/b","object":"model","created":1},{"id":"c","name":"C the model"}]}"#,
            r#"{"models":[{"name":"models/a/b","inputTokenLimit":7},{"name":"c"}],"nextPageToken":""}"#,
            r#"{"success":true,"result":[{"id":"0b1e","name":"a/b","properties":[]},{"id":"77","name":"c"}],"errors":[]}"#,
            r#"[{"id":"a/b","type":"chat"},{"id":"c"}]"#,
        ];
        for list in lists {
            let ids: Vec<String> = read(list.as_bytes()).expect(list).into_iter().map(|model| model.id).collect();
            assert_eq!(ids, ["a/b", "c"], "{list}");
        }
    }

    #[test]
    fn aliases_name_the_same_model_and_case_does_not_matter() {
        let list =
            read(br#"{"data":[{"id":"mistral-large-2512","aliases":["mistral-large-latest"]}]}"#).expect("a list");
        assert!(
            ["mistral-large-2512", "Mistral-Large-Latest"].iter().all(|id| list[0].is(id)) && !list[0].is("mistral")
        );
    }

    #[test]
    fn what_is_no_list_is_none() {
        for text in ["", "<html>", "{}", r#"{"data":{"label":"key"}}"#, r#"{"error":{"message":"no"}}"#, "7"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read(br#"{"data":[]}"#), Some(Vec::new()));
    }
}

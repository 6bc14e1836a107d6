//! Reads a provider's model list, in any of the shapes in use.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A model as a list names it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listed {
    pub id: String,
    /// Other names for the same model.
    pub aliases: Vec<String>,
    /// In tokens, where the list says it.
    pub context: Option<u64>,
    /// Whether it costs nothing, where the list has prices.
    pub is_free: Option<bool>,
    /// Whether it chats, where the list says it.
    pub chats: Option<bool>,
}

impl Listed {
    /// Whether this is the model `id`.
    pub fn is(&self, id: &str) -> bool {
        std::iter::once(&self.id).chain(&self.aliases).any(|name| name.eq_ignore_ascii_case(id))
    }
}

type Entry = Map<String, Value>;

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
    Some(entries.iter().filter_map(|entry| listed(entry, by_name)).collect())
}

fn listed(entry: &Entry, by_name: bool) -> Option<Listed> {
    let text = |key: &str| entry.get(key).and_then(Value::as_str);
    let name = if by_name { text("name").or(text("id")) } else { text("id").or(text("name")) }?;
    // Gemini's names are paths.
    let id = name.strip_prefix("models/").unwrap_or(name).to_owned();
    let aliases = entry.get("aliases").and_then(Value::as_array).into_iter().flatten();
    let aliases = aliases.filter_map(Value::as_str).map(str::to_owned).collect();
    Some(Listed { id, aliases, context: context(entry), is_free: is_free(entry), chats: chats(entry) })
}

/// The smallest of the contexts that an entry names: a router's own and that of the provider behind it differ.
fn context(entry: &Entry) -> Option<u64> {
    const KEYS: [&str; 6] = [
        "context_length",
        "context_window",
        "max_context_length",
        "max_model_len",
        "inputTokenLimit",
        "max_input_tokens",
    ];
    let within = ["top_provider", "limits"].iter().filter_map(|key| entry.get(*key)?.as_object());
    let named = std::iter::once(entry).chain(within).flat_map(|part| KEYS.iter().filter_map(|key| part.get(*key)));
    let properties = entry.get("properties").and_then(Value::as_array).into_iter().flatten();
    let property = properties
        .filter(|property| property["property_id"].as_str().is_some_and(|id| KEYS.contains(&id)))
        .filter_map(|property| property.get("value"));
    named.chain(property).filter_map(whole).filter(|context| *context > 0).min()
}

/// A whole number, also one in quotes.
fn whole(value: &Value) -> Option<u64> {
    value.as_u64().or_else(|| value.as_str()?.parse().ok())
}

/// By its prices for prompt and answer, numbers or texts.
fn is_free(entry: &Entry) -> Option<bool> {
    let pricing = entry.get("pricing")?.as_object()?;
    let price = |keys: [&str; 2]| {
        let value = keys.iter().find_map(|key| pricing.get(*key))?;
        value.as_f64().or_else(|| value.as_str()?.parse().ok())
    };
    let (prompt, answer) = (price(["prompt", "input"])?, price(["completion", "output"])?);
    Some(prompt == 0.0 && answer == 0.0)
}

fn chats(entry: &Entry) -> Option<bool> {
    const OTHERS: [&str; 10] = [
        "embedding",
        "embeddings",
        "image",
        "audio",
        "video",
        "moderation",
        "rerank",
        "transcription",
        "speech",
        "ocr",
    ];
    let has =
        |list: Option<&Value>, wanted: &str| Some(list?.as_array()?.iter().any(|value| value.as_str() == Some(wanted)));
    let capability = entry.get("capabilities").and_then(|able| able.get("completion_chat")).and_then(Value::as_bool);
    let methods = has(entry.get("supportedGenerationMethods"), "generateContent");
    let modalities = has(entry.get("architecture").and_then(|built| built.get("output_modalities")), "text");
    let endpoints = has(entry.get("endpoints"), "chat");
    let kind = entry.get("type").and_then(Value::as_str).filter(|kind| OTHERS.contains(kind)).map(|_| false);
    capability.or(methods).or(modalities).or(endpoints).or(kind)
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
    fn what_else_an_entry_says() {
        for (entry, context, is_free, chats) in [
            (r#"{"id":"m"}"#, None, None, None),
            (r#"{"id":"m","context_window":131072}"#, Some(131_072), None, None),
            (
                r#"{"id":"m:free","context_length":1000,"top_provider":{"context_length":800},"pricing":{"prompt":"0","completion":"0"},"architecture":{"output_modalities":["text"]}}"#,
                Some(800),
                Some(true),
                Some(true),
            ),
            (r#"{"id":"m","pricing":{"prompt":"0.0000001","completion":"0"}}"#, None, Some(false), None),
            (r#"{"id":"m","pricing":{"input":0,"output":0.5}}"#, None, Some(false), None),
            (
                r#"{"id":"m","inputTokenLimit":7,"outputTokenLimit":3,"supportedGenerationMethods":["embedContent"]}"#,
                Some(7),
                None,
                Some(false),
            ),
            (r#"{"id":"m","max_context_length":5,"capabilities":{"completion_chat":true}}"#, Some(5), None, Some(true)),
            (r#"{"id":"m","properties":[{"property_id":"context_window","value":"24000"}]}"#, Some(24_000), None, None),
            (r#"{"id":"m","limits":{"max_context_length":9},"type":"embedding"}"#, Some(9), None, Some(false)),
            (
                r#"{"id":"m","context_length":"many","capabilities":["chat"],"pricing":null,"endpoints":7}"#,
                None,
                None,
                None,
            ),
        ] {
            let listed = read(format!("[{entry}]").as_bytes()).expect("a list").remove(0);
            assert_eq!((listed.context, listed.is_free, listed.chats), (context, is_free, chats), "{entry}");
        }
    }

    #[test]
    fn what_is_no_list_is_none() {
        for text in ["", "<html>", "{}", r#"{"data":{"label":"key"}}"#, r#"{"error":{"message":"no"}}"#, "7"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        assert_eq!(read(br#"{"data":[]}"#), Some(Vec::new()));
    }
}

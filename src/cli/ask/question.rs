//! What `relay ask` sends: the flags as a request, in each of the forms that can be tried.

use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::value::{RawValue, to_raw_value};
use serde_json::{Value, json};

use crate::chat::ChatRequest;
use crate::chat::request::META_MODEL;
use crate::chat::tokens::exact;
use crate::cli::args::Ask;
use crate::cli::exit::{Exit, Trouble};
use crate::config::{Environment, MOST_BODY};

use super::input;
use super::schema::Schema;

/// A question, read and checked before anything else happens.
pub struct Question {
    pub model: String,
    /// The same request in the forms to try, the best first. Only a schema needs more than one.
    pub forms: Vec<ChatRequest>,
    pub schema: Option<Schema>,
}

type Fields = BTreeMap<String, Box<RawValue>>;

impl Question {
    /// Tokens of all its text, by relay's own count, where its provider tells none.
    pub fn prompt_tokens(&self) -> u64 {
        let messages: Value =
            self.forms[0].raw("messages").and_then(|raw| serde_json::from_str(raw).ok()).unwrap_or_default();
        let contents = messages.as_array().into_iter().flatten().map(|message| &message["content"]);
        let parts = contents.flat_map(|content| match content {
            Value::Array(parts) => parts.iter().map(|part| &part["text"]).collect(),
            text => vec![text],
        });
        parts.filter_map(Value::as_str).map(exact).sum()
    }

    /// As a gateway's client would ask it; it always streams, so that silence and cuts are noticed.
    pub fn of(ask: &Ask, content: Value, environment: &Environment) -> Result<Self, Trouble> {
        let schema = ask.schema.as_deref().map(Schema::of).transpose()?;
        let model = ask.model.as_deref().or_else(|| environment.get("RELAY_MODEL")).unwrap_or(META_MODEL).to_owned();
        let mut fields = fields(ask)?;
        fields.insert("model".to_owned(), raw(&model));
        fields.insert("stream".to_owned(), raw(&true));
        fields.insert("stream_options".to_owned(), raw(&json!({ "include_usage": true })));
        let system = input::system(ask)?;
        let forms = match &schema {
            None => vec![request(&fields, system.as_deref(), &content, None)?],
            Some(schema) => {
                let told: Vec<String> = system.iter().cloned().chain([schema.instruction()]).collect();
                let told = told.join("\n\n");
                vec![
                    request(&fields, system.as_deref(), &content, Some(schema.response_format()))?,
                    request(&fields, Some(&told), &content, Some(r#"{"type":"json_object"}"#.to_owned()))?,
                    request(&fields, Some(&told), &content, None)?,
                ]
            }
        };
        Ok(Self { model, forms, schema })
    }
}

/// The fields that flags set; also those of each request of a batch.
pub fn fields(ask: &Ask) -> Result<Fields, Trouble> {
    let mut fields = Fields::new();
    let optional: [(&str, Option<Value>); 6] = [
        ("model_type", ask.model_type.map(|kind| Value::from(kind.word()))),
        ("model_scale", ask.scale.map(|scale| Value::from(scale.word()))),
        ("model_name", ask.name.as_deref().map(Value::from)),
        ("max_tokens", ask.max_tokens.map(Value::from)),
        ("temperature", ask.temperature.map(Value::from)),
        ("seed", ask.seed.map(Value::from)),
    ];
    fields.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), raw(&value?)))));
    for param in &ask.param {
        let (name, value) = parameter(param)?;
        fields.insert(name, value);
    }
    Ok(fields)
}

fn request(
    fields: &Fields,
    system: Option<&str>,
    content: &Value,
    response_format: Option<String>,
) -> Result<ChatRequest, Trouble> {
    let mut fields = fields.clone();
    let system = system.map(|system| json!({ "role": "system", "content": system }));
    let messages: Vec<Value> = system.into_iter().chain([json!({ "role": "user", "content": content })]).collect();
    fields.insert("messages".to_owned(), raw(&messages));
    if let Some(format) = response_format {
        let format = RawValue::from_string(format).expect("a constant around a schema that was parsed");
        fields.insert("response_format".to_owned(), format);
    }
    let body = serde_json::to_vec(&fields).expect("names and JSON serialize");
    if body.len() > MOST_BODY {
        return Err(input::too_much("all of it together, as a request has it,"));
    }
    ChatRequest::parse(Bytes::from(body)).map_err(|bad| Trouble::new(Exit::Usage, bad.message))
}

fn parameter(text: &str) -> Result<(String, Box<RawValue>), Trouble> {
    let wrong = |reason: &str| {
        Trouble::new(Exit::Usage, format!("`--param {text}` {reason}"))
            .hint("--param top_p=0.9 or --param 'stop=[\"END\"]'")
    };
    let (name, value) = text.split_once('=').ok_or_else(|| wrong("is not KEY=JSON"))?;
    if matches!(name, "messages" | "model" | "stream" | "stream_options" | "") {
        return Err(wrong("names a field that relay sets itself"));
    }
    Ok((name.to_owned(), serde_json::from_str(value).map_err(|_| wrong("does not hold JSON after the `=`"))?))
}

fn raw(value: &impl serde::Serialize) -> Box<RawValue> {
    to_raw_value(value).expect("texts, numbers and lists serialize")
}

//! The JSON Schema an answer has to satisfy: how a model is told of it, and whether an answer keeps it.

use std::path::Path;

use jsonschema::Validator;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use crate::cli::exit::{Exit, Trouble};
use crate::style;

use super::input;

/// So many of an answer's mistakes are told.
const MOST_MISTAKES: usize = 5;

pub struct Schema {
    /// As it was given: the order of properties means something to a model.
    text: Box<RawValue>,
    validator: Validator,
    is_strict: bool,
}

impl Schema {
    /// Reads `--schema`: JSON itself, or the file that holds it.
    pub fn of(argument: &str) -> Result<Self, Trouble> {
        let is_json = argument.trim_start().starts_with('{');
        let (name, text) = if is_json {
            ("the schema".to_owned(), argument.to_owned())
        } else {
            let bytes = input::read(Path::new(argument))?;
            let wrong = |_| Trouble::new(Exit::BadInput, format!("`{argument}` is not text in UTF-8"));
            (format!("`{argument}`"), String::from_utf8(bytes).map_err(wrong)?)
        };
        let wrong = |reason: String| Trouble::new(Exit::Usage, format!("{name} {reason}"));
        let text: Box<RawValue> =
            serde_json::from_str(text.trim()).map_err(|error| wrong(format!("is not JSON: {error}")))?;
        let value: Value = serde_json::from_str(text.get()).map_err(|error| wrong(format!("is not JSON: {error}")))?;
        let validator =
            jsonschema::validator_for(&value).map_err(|error| wrong(format!("is no JSON Schema: {error}")))?;
        Ok(Self { text, validator, is_strict: is_strict(&value) })
    }

    /// The `response_format` of a route that knows schemas.
    pub fn response_format(&self) -> String {
        let strict = if self.is_strict { r#""strict":true,"# } else { "" };
        format!(r#"{{"type":"json_schema","json_schema":{{"name":"answer",{strict}"schema":{}}}}}"#, self.text)
    }

    /// What a model is told where the request cannot say it otherwise.
    pub fn instruction(&self) -> String {
        format!("Answer with JSON alone, without any text around it. It must satisfy this JSON Schema:\n{}", self.text)
    }

    /// The answer's JSON, mended where that is needed and possible; else its mistakes.
    pub fn check(&self, answer: &str) -> Result<Box<RawValue>, Vec<String>> {
        let answer = answer.trim();
        let json: Box<RawValue> = match serde_json::from_str(answer) {
            Ok(json) => json,
            Err(error) => {
                let mended = style::json::repaired(answer).and_then(|json| RawValue::from_string(json).ok());
                mended.ok_or_else(|| vec![format!("it is not JSON: {error}")])?
            }
        };
        let value: Value = serde_json::from_str(json.get()).map_err(|error| vec![error.to_string()])?;
        let mistakes: Vec<String> = self.validator.iter_errors(&value).take(MOST_MISTAKES).map(mistake).collect();
        if mistakes.is_empty() { Ok(json) } else { Err(mistakes) }
    }
}

fn mistake(error: jsonschema::ValidationError<'_>) -> String {
    let place = error.instance_path().to_string();
    // The value itself is the answer's; it stands in the place alone.
    let what = error.masked();
    if place.is_empty() { what.to_string() } else { format!("at {place}: {what}") }
}

/// Whether the schema keeps the rules of OpenAI's strict mode: every object closed, every property required.
fn is_strict(schema: &Value) -> bool {
    match schema {
        Value::Object(fields) => {
            let closed = match fields.get("properties").and_then(Value::as_object) {
                Some(properties) => {
                    let required = fields.get("required").and_then(Value::as_array);
                    fields.get("additionalProperties") == Some(&json!(false))
                        && properties.keys().all(|name| required.is_some_and(|all| all.contains(&json!(name))))
                }
                None => fields.get("type") != Some(&json!("object")),
            };
            closed && fields.values().all(is_strict)
        }
        Value::Array(items) => items.iter().all(is_strict),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const POINT: &str =
        r#"{"type":"object","properties":{"y":{"type":"integer"},"x":{"type":"integer"}},"required":["x"]}"#;

    fn schema(text: &str) -> Schema {
        Schema::of(text).map_err(|trouble| trouble.message).expect("a good schema")
    }

    #[test]
    fn an_answer_is_checked_and_its_own_bytes_are_kept() {
        let checked = |answer: &str| schema(POINT).check(answer).map(|json| json.get().to_owned());
        assert_eq!(checked(" {\"y\":1, \"x\":2}\n").as_deref(), Ok("{\"y\":1, \"x\":2}"));
        assert_eq!(checked("Here you are:\n```json\n{\"x\": 2}\n```\n").as_deref(), Ok("{\"x\": 2}"));
        assert!(checked("{\"x\":\"two\"}").expect_err("a text")[0].starts_with("at /x: "));
        assert!(checked("{}").expect_err("nothing")[0].contains("\"x\" is a required property"));
        assert!(checked("I cannot do that.").expect_err("no JSON")[0].starts_with("it is not JSON"));
    }

    #[test]
    fn the_request_says_the_schema_as_it_was_given() {
        assert!(schema(POINT).response_format().ends_with(&format!("{POINT}}}}}")));
        assert!(schema(POINT).instruction().ends_with(POINT));
        let strict = POINT.replace("[\"x\"]", "[\"x\",\"y\"],\"additionalProperties\":false");
        assert!(schema(&strict).response_format().contains("\"strict\":true"));
        assert!(!schema(POINT).response_format().contains("strict"));
        let loose_inside = format!(r#"{{"type":"array","items":{POINT}}}"#);
        assert!(!schema(&loose_inside).response_format().contains("strict"));
    }

    #[test]
    fn a_bad_schema_is_refused_before_anything_is_sent() {
        for (text, exit, said) in [
            ("{\"type\":\"objekt\"}", Exit::Usage, "is no JSON Schema"),
            ("{\"type\":", Exit::Usage, "is not JSON"),
            ("/no/such/schema.json", Exit::NoInput, "schema.json"),
        ] {
            let trouble = Schema::of(text).err().expect("refused");
            assert_eq!(trouble.exit, exit);
            assert!(trouble.message.contains(said), "{}", trouble.message);
        }
    }
}

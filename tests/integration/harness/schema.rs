//! The JSON Schemas of what relay prints, in `tests/schemas/`.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

/// Fails the test where a document that relay prints is not what the schema it names says, or an error not what `error.json` says.
#[track_caller]
pub fn keeps_its_schema(document: &Value) {
    let name = document["schema"].as_str().and_then(|name| name.strip_prefix("relay.")?.strip_suffix("/1"));
    let name = name.unwrap_or_else(|| panic!("no `schema` of version 1 in {document}"));
    let is_failure = document["ok"] == false && document["error"].is_object() && name != "batch";
    if is_failure {
        keeps_schema("error", document);
    }
    if !is_failure || name == "ask" {
        keeps_schema(name, document);
    }
}

/// Fails the test where `document` is not what `tests/schemas/<name>.json` says; `name#part` is one of its `$defs`.
#[track_caller]
pub fn keeps_schema(name: &str, document: &Value) {
    let (file, part) = name.split_once('#').map_or((name, None), |(file, part)| (file, Some(part)));
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/schemas/{file}.json"));
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("tests/schemas/{file}.json: {error}"));
    let mut schema: Value = serde_json::from_str(&text).expect("a schema is JSON");
    if let Some(part) = part {
        assert!(schema["$defs"][part].is_object(), "no {part} in tests/schemas/{file}.json");
        schema = json!({ "$schema": schema["$schema"], "$ref": format!("#/$defs/{part}"), "$defs": schema["$defs"] });
    }
    let validator = jsonschema::options().should_validate_formats(true).build(&schema).expect("a schema");
    let mistakes: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(mistakes.is_empty(), "{name}: {}\nin {document}", mistakes.join("\n"));
}

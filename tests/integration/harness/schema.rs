//! The JSON Schemas of what relay prints, in `tests/schemas/`.

use std::fs;
use std::path::Path;

use serde_json::Value;

/// Fails the test where `document` is not what `tests/schemas/<name>.json` says.
#[track_caller]
pub fn keeps_schema(name: &str, document: &Value) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/schemas/{name}.json"));
    let schema: Value = serde_json::from_str(&fs::read_to_string(path).expect("the schema is there")).expect("JSON");
    let validator = jsonschema::validator_for(&schema).expect("a schema");
    let mistakes: Vec<String> =
        validator.iter_errors(document).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(mistakes.is_empty(), "{}\nin {document}", mistakes.join("\n"));
}

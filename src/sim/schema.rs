//! A plausible value for a JSON schema: every required property, by its type.

use serde_json::{Map, Value, json};

/// Deeper than this, recursive schemas end in `null`.
const DEPTH: usize = 8;

/// A value that satisfies the usual parts of `schema`; `topic` fills the strings that no name explains.
pub(super) fn example(schema: &Value, topic: &str) -> Value {
    Example { root: schema, topic }.value(schema, "", 0)
}

struct Example<'a> {
    root: &'a Value,
    topic: &'a str,
}

impl Example<'_> {
    fn value(&self, schema: &Value, name: &str, depth: usize) -> Value {
        if depth > DEPTH {
            return Value::Null;
        }
        if let Some(target) =
            schema["$ref"].as_str().and_then(|path| path.strip_prefix('#')).and_then(|path| self.root.pointer(path))
        {
            return self.value(target, name, depth + 1);
        }
        if let Some(constant) = schema.get("const").or_else(|| schema["enum"].get(0)) {
            return constant.clone();
        }
        if let Some(branch) = ["anyOf", "oneOf", "allOf"].iter().find_map(|key| schema[key].get(0)) {
            return self.value(branch, name, depth + 1);
        }
        match type_of(schema) {
            "object" => self.object(schema, depth),
            "array" => self.array(schema, name, depth),
            "integer" | "number" => number(schema),
            "boolean" => Value::Bool(true),
            "null" => Value::Null,
            _ => Value::String(self.string(schema, name)),
        }
    }

    fn object(&self, schema: &Value, depth: usize) -> Value {
        let Some(properties) = schema["properties"].as_object() else { return json!({}) };
        let required: Option<Vec<&str>> =
            schema["required"].as_array().map(|names| names.iter().filter_map(Value::as_str).collect());
        let filled = properties
            .iter()
            .filter(|(name, _)| required.as_ref().is_none_or(|required| required.contains(&name.as_str())));
        filled
            .map(|(name, property)| (name.clone(), self.value(property, name, depth + 1)))
            .collect::<Map<_, _>>()
            .into()
    }

    fn array(&self, schema: &Value, name: &str, depth: usize) -> Value {
        let count = schema["minItems"].as_u64().unwrap_or(1).clamp(1, 64);
        (0..count).map(|_| self.value(&schema["items"], name, depth + 1)).collect()
    }

    fn string(&self, schema: &Value, name: &str) -> String {
        let name = name.to_lowercase();
        let named = |words: &[&str]| words.iter().any(|word| name.contains(word));
        match schema["format"].as_str() {
            Some("date") => "2026-01-01".to_owned(),
            Some("date-time") => "2026-01-01T12:00:00Z".to_owned(),
            Some("time") => "12:00:00Z".to_owned(),
            Some("email") => "sim@example.com".to_owned(),
            Some("uri") => "https://example.com/".to_owned(),
            Some("uuid") => "00000000-0000-4000-8000-000000000000".to_owned(),
            _ if named(&["city", "location", "place"]) => "Paris".to_owned(),
            _ if named(&["country"]) => "France".to_owned(),
            _ if named(&["path", "file"]) => "README.md".to_owned(),
            _ if named(&["url"]) => "https://example.com/".to_owned(),
            _ if self.topic.is_empty() => "simulated".to_owned(),
            _ => self.topic.to_owned(),
        }
    }
}

fn type_of(schema: &Value) -> &str {
    match &schema["type"] {
        Value::String(name) => name,
        Value::Array(names) => names.iter().filter_map(Value::as_str).find(|name| *name != "null").unwrap_or("null"),
        _ if schema.get("properties").is_some() => "object",
        _ if schema.get("items").is_some() => "array",
        _ => "string",
    }
}

fn number(schema: &Value) -> Value {
    match (schema.get("minimum"), schema.get("maximum")) {
        (Some(minimum), _) => minimum.clone(),
        (None, Some(maximum)) => maximum.clone(),
        (None, None) => json!(1),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn required_properties_get_values_of_their_type() {
        let schema = json!({
            "type": "object", "required": ["city", "days", "unit", "tags", "inner", "maybe"],
            "$defs": {"inner": {"type": "object", "properties": {"ok": {"type": "boolean"}}}},
            "properties": {
                "city": {"type": "string"}, "days": {"type": "integer", "minimum": 3}, "unit": {"enum": ["c", "f"]},
                "tags": {"type": "array", "items": {"type": "string"}, "minItems": 2}, "inner": {"$ref": "#/$defs/inner"},
                "maybe": {"type": ["null", "number"]}, "left_out": {"type": "string"}
            }
        });
        let wanted =
            json!({"city": "Paris", "days": 3, "unit": "c", "tags": ["tea", "tea"], "inner": {"ok": true}, "maybe": 1});
        assert_eq!(example(&schema, "tea"), wanted);
    }

    #[test]
    fn a_recursive_schema_ends() {
        let schema = json!({"type": "object", "properties": {"next": {"$ref": "#"}}});
        assert!(example(&schema, "").is_object());
    }
}

//! Gemini's parser: every field has to be known where it stands, in camel case or with underscores.

use serde_json::Value;

use super::refuse::invalid;
use crate::sim::persona::rules::{list, stranger};
use crate::sim::refusal::Refusal;

const TOP: [&str; 7] =
    ["contents", "systemInstruction", "tools", "toolConfig", "safetySettings", "cachedContent", "generationConfig"];
const PART: [&str; 8] = [
    "text",
    "inlineData",
    "fileData",
    "functionCall",
    "functionResponse",
    "thought",
    "thoughtSignature",
    "videoMetadata",
];
const CONFIG: [&str; 20] = [
    "temperature",
    "topP",
    "topK",
    "candidateCount",
    "maxOutputTokens",
    "stopSequences",
    "seed",
    "presencePenalty",
    "frequencyPenalty",
    "responseLogprobs",
    "logprobs",
    "responseMimeType",
    "responseSchema",
    "responseJsonSchema",
    "responseModalities",
    "thinkingConfig",
    "mediaResolution",
    "speechConfig",
    "imageConfig",
    "enableEnhancedCivicAnswers",
];
const DECLARATION: [&str; 6] =
    ["name", "description", "parameters", "parametersJsonSchema", "response", "responseJsonSchema"];
/// The part of `OpenAPI` that `parameters` and `responseSchema` understand.
const SCHEMA: [&str; 22] = [
    "type",
    "format",
    "title",
    "description",
    "nullable",
    "enum",
    "items",
    "maxItems",
    "minItems",
    "properties",
    "required",
    "minProperties",
    "maxProperties",
    "minLength",
    "maxLength",
    "pattern",
    "example",
    "anyOf",
    "propertyOrdering",
    "default",
    "minimum",
    "maximum",
];

/// The body with all names in camel case, below the fields whose content is the caller's own.
pub(super) fn camel(value: Value) -> Value {
    const FREE: [&str; 6] = ["args", "response", "properties", "parametersJsonSchema", "responseJsonSchema", "example"];
    match value {
        Value::Object(fields) => fields
            .into_iter()
            .map(|(name, value)| {
                let name = camel_name(&name);
                let value = if FREE.contains(&name.as_str()) { value } else { camel(value) };
                (name, value)
            })
            .collect(),
        Value::Array(items) => items.into_iter().map(camel).collect(),
        other => other,
    }
}

fn camel_name(name: &str) -> String {
    let mut words = name.split('_');
    let first = words.next().unwrap_or_default().to_owned();
    words.fold(first, |mut name, word| {
        let mut letters = word.chars();
        name.extend(letters.next().map(|letter| letter.to_ascii_uppercase()));
        name.push_str(letters.as_str());
        name
    })
}

/// Refuses the first name the parser does not know.
pub(super) fn check(body: &Value) -> Result<(), Refusal> {
    known(body, "", &TOP)?;
    for (place, content) in list(&body["contents"]).iter().enumerate() {
        check_content(content, &format!("contents[{place}]"))?;
    }
    check_content(&body["systemInstruction"], "system_instruction")?;
    let config = &body["generationConfig"];
    known(config, "generation_config", &CONFIG)?;
    known(
        &config["thinkingConfig"],
        "generation_config.thinking_config",
        &["includeThoughts", "thinkingBudget", "thinkingLevel"],
    )?;
    check_schema(&config["responseSchema"], "generation_config.response_schema")?;
    known(
        &body["toolConfig"],
        "tool_config",
        &["functionCallingConfig", "retrievalConfig", "includeServerSideToolInvocations"],
    )?;
    let calling = &body["toolConfig"]["functionCallingConfig"];
    known(
        calling,
        "tool_config.function_calling_config",
        &["mode", "allowedFunctionNames", "streamFunctionCallArguments"],
    )?;
    for (place, tool) in list(&body["tools"]).iter().enumerate() {
        let at = format!("tools[{place}]");
        known(tool, &at, &["functionDeclarations", "googleSearch", "codeExecution", "urlContext", "googleMaps"])?;
        for (place, declaration) in list(&tool["functionDeclarations"]).iter().enumerate() {
            let at = format!("{at}.function_declarations[{place}]");
            known(declaration, &at, &DECLARATION)?;
            check_schema(&declaration["parameters"], &format!("{at}.parameters"))?;
        }
    }
    Ok(())
}

fn check_content(content: &Value, at: &str) -> Result<(), Refusal> {
    known(content, at, &["role", "parts"])?;
    for (place, part) in list(&content["parts"]).iter().enumerate() {
        let at = format!("{at}.parts[{place}]");
        known(part, &at, &PART)?;
        known(&part["inlineData"], &format!("{at}.inline_data"), &["mimeType", "data"])?;
        known(&part["fileData"], &format!("{at}.file_data"), &["mimeType", "fileUri"])?;
        known(&part["functionCall"], &format!("{at}.function_call"), &["id", "name", "args"])?;
        let response = ["id", "name", "response", "parts", "willContinue", "scheduling"];
        known(&part["functionResponse"], &format!("{at}.function_response"), &response)?;
    }
    Ok(())
}

fn check_schema(schema: &Value, at: &str) -> Result<(), Refusal> {
    known(schema, at, &SCHEMA)?;
    if let Some(properties) = schema["properties"].as_object() {
        for (name, property) in properties {
            check_schema(property, &format!("{at}.properties[{name}].value"))?;
        }
    }
    if schema["type"].is_array() {
        let message = format!("Invalid value at '{at}.type' (type), Proto field is not repeating, cannot start list.");
        return Err(invalid(&message));
    }
    for (place, branch) in list(&schema["anyOf"]).iter().enumerate() {
        check_schema(branch, &format!("{at}.any_of[{place}]"))?;
    }
    check_schema_if(&schema["items"], &format!("{at}.items"))
}

fn check_schema_if(schema: &Value, at: &str) -> Result<(), Refusal> {
    if schema.is_object() { check_schema(schema, at) } else { Ok(()) }
}

fn known(object: &Value, at: &str, names: &[&str]) -> Result<(), Refusal> {
    match stranger(object, names) {
        None => Ok(()),
        Some(name) if at.is_empty() => {
            Err(invalid(&format!("Invalid JSON payload received. Unknown name \"{name}\": Cannot find field.")))
        }
        Some(name) => Err(invalid(&format!(
            "Invalid JSON payload received. Unknown name \"{name}\" at '{at}': Cannot find field."
        ))),
    }
}

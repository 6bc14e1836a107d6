//! A request in Gemini's own dialect: checked turn by turn, and read as the chat it means.

use serde_json::{Value, json};

use super::refuse::invalid;
use super::schema::{camel, check};
use crate::sim::persona::rules::{has, list};
use crate::sim::refusal::Refusal;
use crate::sim::request::Asked;

/// What the request asks of `model`.
pub(in crate::sim::persona) fn read(body: Value, model: &str, stream: bool) -> Result<Asked, Refusal> {
    if !body.is_object() {
        return Err(invalid("Invalid JSON payload received. Unexpected token."));
    }
    let body = camel(body);
    check(&body)?;
    check_config(&body, model)?;
    let contents = list(&body["contents"]);
    check_turns(contents)?;
    for content in contents {
        check_parts(content, model)?;
    }
    Asked::parse(chat(&body, model, stream).to_string().as_bytes())
}

fn check_config(body: &Value, model: &str) -> Result<(), Refusal> {
    let config = &body["generationConfig"];
    // Each is taken by some models only (PROVIDERS.md 1.3): the strict reading.
    for (names, what) in
        [(["presencePenalty", "frequencyPenalty"], "Penalty"), (["responseLogprobs", "logprobs"], "Logprobs")]
    {
        if names.iter().any(|name| has(config, name)) {
            return Err(invalid(&format!("{what} is not enabled for models/{model}")));
        }
    }
    if list(&config["stopSequences"]).len() > 5 {
        return Err(invalid("* GenerateContentRequest.generation_config.stop_sequences: at most 5 are allowed"));
    }
    let thinking = &config["thinkingConfig"];
    if has(thinking, "thinkingLevel") && (has(thinking, "thinkingBudget") || model.contains("gemini-2")) {
        return Err(invalid("Thinking level is not supported for this model, or together with a thinking budget."));
    }
    let functions = list(&body["tools"]).iter().any(|tool| !list(&tool["functionDeclarations"]).is_empty());
    if functions && config["responseMimeType"] == "application/json" && !signs(model) {
        return Err(invalid("Function calling with a response mime type: 'application/json' is unsupported"));
    }
    if has(body, "systemInstruction") {
        if model.contains("gemma-3") {
            return Err(invalid(&format!("Developer instruction is not enabled for models/{model}")));
        }
        if list(&body["systemInstruction"]["parts"]).is_empty() {
            return Err(invalid(
                "* GenerateContentRequest.system_instruction.parts: contents.parts must not be empty.",
            ));
        }
    }
    Ok(())
}

/// Models that sign their thoughts and want the signatures back.
pub(super) fn signs(model: &str) -> bool {
    model.contains("gemini-3")
}

/// User first and last; answers to calls directly behind them, all in one turn; no speaker twice in a row but for those answers.
fn check_turns(contents: &[Value]) -> Result<(), Refusal> {
    let of = |content: &Value, kind: &str| list(&content["parts"]).iter().filter(|part| has(part, kind)).count();
    let role = |content: &Value| content["role"].as_str().unwrap_or("user").to_owned();
    let (Some(first), Some(last)) = (contents.first(), contents.last()) else {
        return Err(invalid("* GenerateContentRequest.contents: contents is not specified"));
    };
    if let Some(content) = contents.iter().find(|content| !["user", "model"].contains(&role(content).as_str())) {
        return Err(invalid(&format!("Please use a valid role: user, model. Got {}.", role(content))));
    }
    if role(first) != "user" || role(last) != "user" {
        return Err(invalid(
            "Please ensure that multiturn requests begin and end with a user turn or a function response.",
        ));
    }
    if of(first, "functionResponse") > 0 {
        return Err(invalid("Please ensure that function response turn comes immediately after a function call turn."));
    }
    for pair in contents.windows(2) {
        let (calls, answers) = (of(&pair[0], "functionCall"), of(&pair[1], "functionResponse"));
        if calls != answers {
            return Err(invalid(
                "Please ensure that the number of function response parts is equal to the number of function call parts of the function call turn.",
            ));
        }
        let answering = of(&pair[0], "functionResponse") > 0;
        if role(&pair[0]) == role(&pair[1]) && !answering {
            return Err(invalid("Please ensure that multiturn requests alternate between user and model."));
        }
        if answers > 0 && answers != list(&pair[1]["parts"]).len() {
            return Err(invalid("Please keep function responses apart from other parts."));
        }
    }
    Ok(())
}

fn check_parts(content: &Value, model: &str) -> Result<(), Refusal> {
    let parts = list(&content["parts"]);
    if parts.is_empty() {
        return Err(invalid("* GenerateContentRequest.contents: contents.parts must not be empty."));
    }
    for part in parts {
        check_part(part)?;
    }
    let Some(call) = parts.iter().find(|part| has(part, "functionCall")) else { return Ok(()) };
    let name = &call["functionCall"]["name"];
    match call["thoughtSignature"].as_str() {
        // Of parallel calls only the first is signed.
        None if signs(model) => Err(invalid(&format!(
            "Function call is missing a thought_signature in functionCall parts. This is required for tools to work correctly. Function call {name}, position 1."
        ))),
        // Bytes in JSON; whose signature it is stays unchecked, as nothing documents what happens to a foreign one.
        Some(signature) if !is_base64(signature) => {
            Err(invalid("Invalid value at 'contents.parts.thought_signature' (TYPE_BYTES), Base64 decoding failed"))
        }
        _ => Ok(()),
    }
}

fn check_part(part: &Value) -> Result<(), Refusal> {
    const KINDS: [&str; 5] = ["text", "inlineData", "fileData", "functionCall", "functionResponse"];
    let kinds = KINDS.iter().filter(|kind| has(part, kind)).count();
    let empty = part["text"] == "" && !has(part, "thoughtSignature");
    if kinds != 1 || empty {
        return Err(invalid(
            "* GenerateContentRequest.contents.parts.data: required oneof field 'data' must have one initialized field",
        ));
    }
    let call = &part["functionCall"];
    let response = &part["functionResponse"];
    for (function, field) in [(call, "args"), (response, "response")] {
        if function.is_object() && !(function[field].is_object() || (field == "args" && !has(function, field))) {
            return Err(invalid(&format!(
                "Invalid value at 'contents.parts.{field}' (type.googleapis.com/google.protobuf.Struct)"
            )));
        }
        if function.is_object() && function["name"].as_str().is_none_or(str::is_empty) {
            return Err(invalid(
                "* GenerateContentRequest.contents.parts.function_response.name: Name cannot be empty.",
            ));
        }
    }
    let image = &part["inlineData"];
    if image.is_object() && !(image["mimeType"].is_string() && image["data"].as_str().is_some_and(is_base64)) {
        return Err(invalid("Invalid value at 'contents.parts.inline_data.data' (TYPE_BYTES), Base64 decoding failed"));
    }
    Ok(())
}

/// Both alphabets are taken; Google's two sentinels that skip the check of a signature are base64 by their letters too.
fn is_base64(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(&byte))
}

/// The same chat as a request of OpenAI's.
fn chat(body: &Value, model: &str, stream: bool) -> Value {
    let config = &body["generationConfig"];
    let mut messages = Vec::new();
    if has(body, "systemInstruction") {
        messages.push(json!({"role": "system", "content": texts(&body["systemInstruction"])}));
    }
    for (place, content) in list(&body["contents"]).iter().enumerate() {
        messages.extend(turn(place, content));
    }
    let mut chat = json!({"model": model, "stream": stream, "messages": messages});
    if has(config, "maxOutputTokens") {
        chat["max_tokens"] = config["maxOutputTokens"].clone();
    }
    let functions = list(&body["tools"]).iter().flat_map(|tool| list(&tool["functionDeclarations"]));
    let tools: Vec<Value> = functions
        .map(|function| {
            let schema = ["parametersJsonSchema", "parameters"].into_iter().find(|name| has(function, name));
            let parameters = schema.map_or_else(|| json!({}), |name| function[name].clone());
            json!({"type": "function", "function": {"name": function["name"], "parameters": parameters}})
        })
        .collect();
    if !tools.is_empty() {
        chat["tools"] = tools.into();
    }
    let calling = &body["toolConfig"]["functionCallingConfig"];
    if calling["mode"] == "NONE" {
        chat["tool_choice"] = json!("none");
    } else if let Some(name) = calling["allowedFunctionNames"].get(0) {
        chat["tool_choice"] = json!({"type": "function", "function": {"name": name}});
    }
    if config["responseMimeType"] == "application/json" {
        let schema = ["responseJsonSchema", "responseSchema"].into_iter().find(|name| has(config, name));
        chat["response_format"] = match schema {
            Some(name) => json!({"type": "json_schema", "json_schema": {"schema": config[name]}}),
            None => json!({"type": "json_object"}),
        };
    }
    chat
}

/// One turn: a message, or as many tool messages as it has answers. Ids are the places of the calls.
fn turn(place: usize, content: &Value) -> Vec<Value> {
    let parts = list(&content["parts"]);
    let of = |kind: &'static str| parts.iter().filter(move |part| has(part, kind)).enumerate();
    let answers: Vec<Value> = of("functionResponse")
        .map(|(number, part)| {
            let text = part["functionResponse"]["response"].to_string();
            json!({"role": "tool", "tool_call_id": format!("{}-{number}", place.saturating_sub(1)), "content": text})
        })
        .collect();
    if !answers.is_empty() {
        return answers;
    }
    if content["role"] == "model" {
        let calls: Vec<Value> = of("functionCall")
            .map(|(number, part)| json!({"id": format!("{place}-{number}"), "function": {"name": part["functionCall"]["name"]}}))
            .collect();
        let message = json!({"role": "assistant", "content": texts(content)});
        return vec![if calls.is_empty() {
            message
        } else {
            json!({"role": "assistant", "content": null, "tool_calls": calls})
        }];
    }
    let image = |part: &Value| has(part, "inlineData") || has(part, "fileData");
    if !parts.iter().any(image) {
        return vec![json!({"role": "user", "content": texts(content)})];
    }
    let parts: Vec<Value> = parts
        .iter()
        .map(
            |part| {
                if image(part) { json!({"type": "image_url"}) } else { json!({"type": "text", "text": part["text"]}) }
            },
        )
        .collect();
    vec![json!({"role": "user", "content": parts})]
}

fn texts(content: &Value) -> String {
    let said = list(&content["parts"]).iter().filter(|part| part["thought"] != true);
    said.filter_map(|part| part["text"].as_str()).collect()
}

//! How messages become turns, and fields become settings.

use serde_json::{Value, json};

use super::golden::{MODEL, encoded};
use crate::chat::{Fault, Unfit};

/// The contents that `messages` become.
fn contents(model: &str, messages: Value) -> Value {
    encoded(model, &json!({"model": "m", "messages": messages}).to_string()).expect("encoded").1["contents"].take()
}

fn fault(request: Value) -> Fault {
    encoded(MODEL, &request.to_string()).expect_err("unfit")
}

fn call(id: &str, name: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": name, "arguments": "{}"}})
}

#[test]
fn turns_of_one_role_are_merged_and_responses_stay_apart_from_words() {
    let turns = contents(
        MODEL,
        json!([
            {"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "user", "content": ""},
            {"role": "assistant", "content": "c", "reasoning_content": "hm"},
            {"role": "assistant", "content": null, "tool_calls": [call("1", "f")]},
            {"role": "tool", "tool_call_id": "1", "content": "x"},
            {"role": "user", "content": "d"},
        ]),
    );
    let signature = "skip_thought_signature_validator";
    assert_eq!(
        turns,
        json!([
            {"role": "user", "parts": [{"text": "a"}, {"text": "b"}]},
            {"role": "model", "parts": [{"text": "c"}, {"functionCall": {"name": "f", "args": {}}, "thoughtSignature": signature}]},
            {"role": "user", "parts": [{"functionResponse": {"name": "f", "response": {"result": "x"}}}]},
            {"role": "user", "parts": [{"text": "d"}]},
        ])
    );
}

#[test]
fn every_call_has_its_response_in_the_calls_order() {
    let turns = contents(
        MODEL,
        json!([
            {"role": "user", "content": "?"},
            {"role": "assistant", "tool_calls": [call("1", "f"), call("2", "g"), call("3", "h"), call("1", "f")]},
            {"role": "tool", "tool_call_id": "3", "content": "{\"h\": [1]}"},
            {"role": "tool", "tool_call_id": "9", "content": "stray"},
            {"role": "tool", "tool_call_id": "1", "content": "[1]"},
            {"role": "tool", "tool_call_id": "1", "content": "again"},
        ]),
    );
    assert_eq!(
        turns[2]["parts"],
        json!([
            {"functionResponse": {"name": "f", "response": {"result": "[1]"}}},
            {"functionResponse": {"name": "g", "response": {"error": "the call was not answered"}}},
            {"functionResponse": {"name": "h", "response": {"h": [1]}}},
            {"functionResponse": {"name": "f", "response": {"result": "again"}}},
        ])
    );
    assert_eq!(turns[3], json!({"role": "user", "parts": [{"text": "Result of a tool call:"}, {"text": "stray"}]}));
    let signed =
        turns[1]["parts"].as_array().expect("parts").iter().filter(|part| part.get("thoughtSignature").is_some());
    assert_eq!(signed.count(), 1);
}

#[test]
fn arguments_are_objects_whatever_the_model_wrote() {
    let args = |arguments: &str| {
        let call = json!({"id": "1", "function": {"name": "f", "arguments": arguments}});
        let messages = json!([{"role": "user", "content": "?"}, {"role": "assistant", "tool_calls": [call]}]);
        contents(MODEL, messages)[1]["parts"][0]["functionCall"]["args"].clone()
    };
    assert_eq!(args(" {\"a\": 1} "), json!({"a": 1}));
    assert_eq!(args(""), json!({}));
    assert_eq!(args("{\"a\": 1"), json!({"_raw": "{\"a\": 1"}));
    assert_eq!(args("[1]"), json!({"_raw": "[1]"}));
}

#[test]
fn a_conversation_begins_with_the_user_and_ends_so_where_it_must() {
    let greeting = json!([{"role": "assistant", "content": "Hello"}]);
    let roles =
        |turns: &Value| turns.as_array().expect("turns").iter().map(|turn| turn["role"].clone()).collect::<Vec<_>>();
    assert_eq!(roles(&contents(MODEL, greeting.clone())), ["user", "model", "user"]);
    assert_eq!(roles(&contents("gemini-2.5-flash", greeting)), ["user", "model"]);
    let orphan = contents(MODEL, json!([{"role": "tool", "tool_call_id": "1", "content": "x"}]));
    assert_eq!(orphan[0]["parts"][1]["text"], "x");
    assert_eq!(contents(MODEL, json!([{"role": "user", "content": ""}]))[0]["parts"][0]["text"], "Continue.");
}

#[test]
fn gemma_and_lone_instructions_are_told_in_the_first_turn() {
    let messages = json!([{"role": "developer", "content": "Be brief."}, {"role": "user", "content": "hi"}]);
    let first = contents("gemma-3-27b-it", messages);
    assert_eq!(first, json!([{"role": "user", "parts": [{"text": "Be brief."}, {"text": "\n\n"}, {"text": "hi"}]}]));
    let alone = contents(MODEL, json!([{"role": "system", "content": "Say hi."}]));
    assert_eq!(alone, json!([{"role": "user", "parts": [{"text": "Say hi."}]}]));
}

#[test]
fn images_and_audio_go_inline_and_urls_go_elsewhere() {
    let image = |url: &str| json!({"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]});
    assert_eq!(
        contents(
            MODEL,
            json!([image("data:image/jpg;base64,AA=="), {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "BB", "format": "wav"}}]}])
        ),
        json!([{"role": "user", "parts": [{"inlineData": {"mimeType": "image/jpeg", "data": "AA=="}}, {"inlineData": {"mimeType": "audio/wav", "data": "BB"}}]}])
    );
    assert_eq!(
        fault(json!({"messages": [image("https://example.org/a.png")]})),
        Fault::Unfit(Unfit::Lacks("image-urls"))
    );
    assert!(matches!(fault(json!({"messages": [image("data:image/svg+xml,<svg/>")]})), Fault::Invalid { .. }));
    let file = json!({"messages": [{"role": "user", "content": [{"type": "file", "file": {}}]}]});
    assert!(matches!(fault(file), Fault::Unfit(Unfit::Lacks(_))));
}

#[test]
fn the_choice_among_tools_is_told_in_modes() {
    let config = |choice: Value| {
        let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {}}}, {"type": "web_search"}]);
        let request = json!({"messages": [{"role": "user", "content": "x"}], "tools": tools, "tool_choice": choice});
        encoded(MODEL, &request.to_string()).expect("encoded").1["toolConfig"]["functionCallingConfig"].take()
    };
    assert_eq!(config(json!("auto")), Value::Null);
    assert_eq!(config(json!("none")), json!({"mode": "NONE"}));
    assert_eq!(config(json!("required")), json!({"mode": "ANY"}));
    let named = json!({"type": "function", "function": {"name": "f"}});
    let f = json!({"mode": "ANY", "allowedFunctionNames": ["f"]});
    assert_eq!(config(named.clone()), f);
    assert_eq!(config(json!({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [named]}})), f);
    let lone = json!({"messages": [{"role": "user", "content": "x"}], "tool_choice": "none"}).to_string();
    assert_eq!(encoded(MODEL, &lone).expect("encoded").1["toolConfig"], Value::Null);
}

#[test]
fn json_beside_tools_is_left_to_models_that_can() {
    let request = json!({
        "messages": [{"role": "user", "content": "x"}], "response_format": {"type": "json_object"},
        "tools": [{"type": "function", "function": {"name": "f"}}],
    });
    assert!(encoded("gemini-2.5-flash", &request.to_string()).is_err());
    let (_, body) = encoded(MODEL, &request.to_string()).expect("encoded");
    assert_eq!(body["generationConfig"], json!({"responseMimeType": "application/json"}));
}

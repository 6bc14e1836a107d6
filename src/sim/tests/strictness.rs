//! Every rule of every persona: what breaks it is refused in the provider's words and counted, what keeps it passes.

use serde_json::{Value, json};

use super::client::Got;
use super::persona::Fake;
use crate::sim::Persona;

/// Refused with this status, its body holding this, and counted.
async fn refused(fake: &Fake, body: &Value, status: u16, part: &str) -> Got {
    let before = fake.rejections().len();
    let got = fake.post(body, false).await;
    assert_eq!(got.status, status, "{:?} {body}: {}", fake.persona, got.body);
    assert!(got.body.contains(part), "`{part}` is not in {}", got.body);
    assert_eq!(fake.rejections().len(), before + 1, "{:?} {body}", fake.persona);
    got
}

async fn taken(fake: &Fake, body: &Value) {
    let got = fake.post(body, false).await;
    assert_eq!(got.status, 200, "{:?} {body}: {}", fake.persona, got.body);
}

fn call(id: &str) -> Value {
    json!({"id": id, "type": "function", "function": {"name": "f", "arguments": "{}"}})
}

fn user() -> Value {
    json!({"role": "user", "content": "hi"})
}

#[tokio::test]
async fn groq_names_the_property_it_does_not_support() {
    let fake = Fake::start(Persona::Groq).await;
    for (field, value) in [("logprobs", json!(true)), ("top_logprobs", json!(2)), ("logit_bias", json!({}))] {
        refused(&fake, &fake.with(field, value), 400, &format!("property '{field}' is unsupported")).await;
    }
    refused(&fake, &fake.with("n", json!(2)), 400, "'n'").await;
    taken(&fake, &fake.with("frequency_penalty", json!(0.5))).await;
    for message in [
        json!({"role": "user", "content": "hi", "name": "ann"}),
        json!({"role": "developer", "content": "hi"}),
        json!({"role": "system", "content": [{"type": "text", "text": "hi"}]}),
        json!({"role": "assistant", "content": "hi", "reasoning_content": "hm"}),
        json!({"role": "assistant", "content": "hi", "refusal": null}),
    ] {
        let messages = json!([user(), message, user()]);
        refused(&fake, &fake.messages(messages), 400, "'messages.1").await;
    }
    let reasoning = json!([user(), {"role": "assistant", "content": "x", "reasoning_content": "y"}, user()]);
    let wording = "'messages.1' : for 'role:assistant' the following must be satisfied[('messages.1' : property 'reasoning_content' is unsupported)]";
    refused(&fake, &fake.messages(reasoning), 400, wording).await;
}

#[tokio::test]
async fn mistral_keeps_a_closed_schema_in_two_shapes() {
    let fake = Fake::start(Persona::Mistral).await;
    let mut shapes = Vec::new();
    for field in ["max_completion_tokens", "store", "seed", "user", "logprobs", "stream_options", "top_k"] {
        let got = refused(&fake, &fake.with(field, json!(1)), 422, "extra_forbidden").await.json();
        shapes.push(got.get("detail").is_some());
    }
    assert!(shapes.contains(&true) && shapes.contains(&false), "both shapes come");
    refused(&fake, &fake.with("temperature", json!(1.8)), 422, "less_than_equal").await;
    taken(&fake, &fake.with("random_seed", json!(7))).await;
    for message in [
        json!({"role": "developer", "content": "hi"}),
        json!({"role": "user", "content": "hi", "name": "ann"}),
        json!({"role": "assistant", "content": "hi", "reasoning_content": "hm"}),
    ] {
        refused(&fake, &fake.messages(json!([user(), message, user()])), 422, "body").await;
    }
}

#[tokio::test]
async fn mistral_keeps_an_order_of_messages() {
    let fake = Fake::start(Persona::Mistral).await;
    let assistant = |calls: Value| json!({"role": "assistant", "content": "", "tool_calls": calls});
    let result = |id: &str| json!({"role": "tool", "tool_call_id": id, "content": "7"});
    let good = "aB3dE6gH9";
    let table = [
        (json!([user(), {"role": "assistant", "content": "The"}]), "3230"),
        (json!([user(), {"role": "assistant", "content": ""}, user()]), "3230"),
        (json!([user(), assistant(json!([call("call_abc123")])), result("call_abc123")]), "3280"),
        (json!([user(), assistant(json!([call(good), call("aaaaaaaaa")])), result(good)]), "3230"),
        (
            json!([user(), assistant(json!([call(good)])), result(good), user()]),
            "Unexpected role 'user' after role 'tool'",
        ),
    ];
    for (messages, part) in table {
        refused(&fake, &fake.messages(messages), 400, part).await;
    }
    taken(&fake, &fake.messages(json!([user(), {"role": "assistant", "content": "The", "prefix": true}]))).await;
    taken(&fake, &fake.messages(json!([user(), assistant(json!([call(good)])), result(good)]))).await;
    let thinking =
        json!([{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "x"}]);
    let got =
        fake.post(&fake.messages(json!([user(), {"role": "assistant", "content": thinking}, user()])), false).await;
    assert_eq!(got.status, 200, "its own thoughts come back: {}", got.body);
}

#[tokio::test]
async fn cerebras_refuses_flatly() {
    let fake = Fake::start(Persona::Cerebras).await;
    for field in ["frequency_penalty", "logit_bias", "parallel_tool_calls", "store", "top_k"] {
        let got = refused(&fake, &fake.with(field, json!(1)), 400, "is unsupported").await;
        assert_eq!(got.json()["code"], "wrong_api_format");
    }
    let history = |field: &str| json!([user(), {"role": "assistant", "content": "x", field: "y"}, user()]);
    refused(&fake, &fake.messages(history("reasoning_content")), 400, "wrong_api_format").await;
    taken(&fake, &fake.messages(history("reasoning"))).await;
    taken(&fake, &fake.with("max_completion_tokens", json!(100))).await;
}

#[tokio::test]
async fn nvidia_has_three_shapes_for_one_mistake() {
    let fake = Fake::start(Persona::Nvidia).await;
    let mut bodies = Vec::new();
    for model in Persona::Nvidia.models() {
        let mut body = fake.with("prompt_cache_key", json!("k"));
        body["model"] = model.id.into();
        let got = fake.post(&body, false).await;
        assert!([400, 422].contains(&got.status) && got.body.contains("prompt_cache_key"), "{}", got.body);
        bodies.push((got.status, got.json()["error"].is_object()));
    }
    bodies.sort_unstable();
    assert_eq!(bodies, [(400, false), (400, true), (422, false)]);
    refused(&fake, &fake.with("parallel_tool_calls", json!(true)), 400, "single tool-calls").await;
    taken(&fake, &fake.with("parallel_tool_calls", json!(false))).await;
    assert_eq!(fake.post(&fake.with("model", json!("other")), false).await.status, 404);
}

#[tokio::test]
async fn cloudflare_wants_content_and_from_some_a_string() {
    let fake = Fake::start(Persona::Cloudflare).await;
    let parts = json!([{"role": "user", "content": [{"type": "text", "text": "hi"}]}]);
    taken(&fake, &fake.messages(parts.clone())).await;
    let mut body = fake.messages(parts);
    body["model"] = "sim-llama-3.3-70b".into();
    refused(&fake, &body, 400, "'array' not in 'string'").await;
    let null = json!([user(), {"role": "assistant", "content": null, "tool_calls": [call("c")]}, {"role": "tool", "tool_call_id": "c", "content": "7"}]);
    refused(&fake, &fake.messages(null), 400, "5006").await;
}

#[tokio::test]
async fn deepseek_wants_its_thoughts_back() {
    let fake = Fake::start(Persona::DeepSeek).await;
    let history = |extra: Value| {
        let mut assistant = json!({"role": "assistant", "content": "", "tool_calls": [call("c")]});
        if let Some(fields) = extra.as_object() {
            fields.iter().for_each(|(name, value)| assistant[name] = value.clone());
        }
        json!([user(), assistant, {"role": "tool", "tool_call_id": "c", "content": "7"}])
    };
    refused(&fake, &fake.messages(history(json!({}))), 400, "must be passed back").await;
    taken(&fake, &fake.messages(history(json!({"reasoning_content": "hm"})))).await;
    let mut calm = fake.messages(history(json!({})));
    calm["thinking"] = json!({"type": "disabled"});
    taken(&fake, &calm).await;
    refused(&fake, &fake.messages(json!([{"role": "developer", "content": "hi"}])), 422, "unknown variant").await;
    refused(&fake, &fake.with("logprobs", json!(true)), 400, "logprobs").await;
}

#[tokio::test]
async fn gemini_parses_strictly() {
    let fake = Fake::start(Persona::Gemini).await;
    let config = |config: Value| fake.with("generationConfig", config);
    refused(&fake, &fake.with("frequency_penalty", json!(1)), 400, "Unknown name").await;
    refused(&fake, &config(json!({"top_n": 1})), 400, "at 'generation_config'").await;
    refused(&fake, &config(json!({"frequencyPenalty": 1})), 400, "Penalty is not enabled").await;
    taken(&fake, &config(json!({"max_output_tokens": 100, "topP": 0.5, "seed": 7}))).await;
    let tool = |field: &str| {
        let schema = json!({"type": "object", "additionalProperties": false, "properties": {"n": {"type": "integer"}}});
        fake.with("tools", json!([{"functionDeclarations": [{"name": "f", field: schema}]}]))
    };
    refused(&fake, &tool("parameters"), 400, "additionalProperties").await;
    taken(&fake, &tool("parametersJsonSchema")).await;
}

#[tokio::test]
async fn gemini_wants_turns_in_order_and_calls_signed() {
    let fake = Fake::start(Persona::Gemini).await;
    let user = |text: &str| json!({"role": "user", "parts": [{"text": text}]});
    let call = json!({"functionCall": {"name": "f", "args": {}}});
    let answer = json!({"functionResponse": {"name": "f", "response": {"result": "7"}}});
    let signed =
        json!({"functionCall": {"name": "f", "args": {}}, "thoughtSignature": "skip_thought_signature_validator"});
    let turns = |call: Value, answers: Value| json!([user("hi"), {"role": "model", "parts": call}, {"role": "user", "parts": answers}]);
    let text = json!({"functionResponse": {"name": "f", "response": "7"}});
    let table = [
        (json!([]), "contents is not specified"),
        (json!([{"role": "user", "parts": []}]), "must not be empty"),
        (json!([user("")]), "must have one initialized field"),
        (json!([{"role": "model", "parts": [{"text": "x"}]}, user("hi")]), "begin and end"),
        (json!([user("a"), user("b")]), "alternate"),
        (turns(json!([signed, call]), json!([answer])), "number of function response parts"),
        (turns(json!([call]), json!([answer])), "thought_signature"),
        (turns(json!([signed]), json!([text])), "Struct"),
    ];
    for (contents, part) in table {
        refused(&fake, &fake.messages(contents), 400, part).await;
    }
    taken(&fake, &fake.messages(turns(json!([signed, call]), json!([answer, answer])))).await;
    let older = fake.messages(turns(json!([call]), json!([answer])));
    let provider = &fake.simulator.providers()[0];
    let path = fake.path("sim-gemini-2.5-flash", false);
    let got = super::client::send(provider, "POST", &path, &provider.key, older.to_string()).await.expect("a response");
    assert_eq!(got.status, 200, "older models do not sign: {}", got.body);
}

#[tokio::test]
async fn ollama_refuses_what_go_cannot_decode() {
    let fake = Fake::start(Persona::Ollama).await;
    let text = json!([user(), {"role": "assistant", "content": "", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}]}, {"role": "tool", "content": "7"}]);
    refused(&fake, &fake.messages(text), 400, "cannot unmarshal string").await;
    let image = |image: &str| fake.messages(json!([{"role": "user", "content": "hi", "images": [image]}]));
    refused(&fake, &image("https://example.com/a.png"), 400, "illegal base64").await;
    refused(&fake, &image("data:image/png;base64,AAAA"), 400, "illegal base64").await;
    taken(&fake, &image("AAAA")).await;
    refused(&fake, &fake.messages(json!([{"role": "developer", "content": "hi"}])), 400, "invalid role").await;
    refused(&fake, &fake.with("format", json!("json_object")), 400, "invalid format").await;
    refused(&fake, &fake.with("options", json!({"num_ctx": "8192"})), 400, "must be of type integer").await;
    taken(&fake, &fake.with("logit_bias", json!({}))).await;
}

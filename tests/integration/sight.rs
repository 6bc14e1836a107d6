//! Requests that not every model can serve: images find a model that sees, other features a model that has them.

use relay::sim::{ModelSpec, Persona, ProviderSpec};
use serde_json::{Value, json};

use super::harness::{Fake, Gateway, gateway, provider};

fn model(id: &str, features: &[&str]) -> ModelSpec {
    ModelSpec::new(id).features(features)
}

fn fakes() -> [Fake; 2] {
    let near = provider("sim-a").model(model("sim-text", &["tools"])).model(model("sim-eye", &["vision"]));
    let far = provider("sim-b").model(model("sim-words", &["json"])).model(model("sim-look", &["vision", "tools"]));
    [near, far]
}

fn image() -> Value {
    let picture = json!({ "type": "image_url", "image_url": { "url": "data:image/png;base64,iVBORw0KGgo=" } });
    json!([{ "role": "user", "content": [{ "type": "text", "text": "What is this?" }, picture] }])
}

async fn started() -> Gateway {
    gateway().over(fakes()).start().await
}

#[tokio::test]
async fn an_image_moves_to_a_model_that_sees_at_the_same_provider_first() {
    let gateway = started().await;
    for streamed in [false, true] {
        let reply = gateway.ask("").model("sim-a/sim-text").with("messages", image()).streamed_if(streamed).await;
        assert_eq!(reply.status, 200);
        assert_eq!(reply.header("x-relay-route"), Some("sim-a/sim-eye"));
        assert_eq!(reply.header("x-relay-trail"), Some("sim-a/sim-text=no-vision"));
        assert_eq!(reply.header("x-relay-attempts"), Some("1"), "what was not sent is no attempt");
    }
}

#[tokio::test]
async fn where_the_provider_has_none_any_model_that_sees_will_do() {
    let blind = provider("sim-a").model(model("sim-text", &["tools"]));
    let seeing = provider("sim-b").model(model("sim-look", &["vision"]));
    let gateway = gateway().over([blind, seeing]).start().await;
    let reply = gateway.ask("").model("sim-a/sim-text").with("messages", image()).await;
    assert_eq!(reply.header("x-relay-route"), Some("sim-b/sim-look"));
}

#[tokio::test]
async fn where_nobody_has_it_the_refusal_names_what_is_missing() {
    let gateway = gateway().over([provider("sim-a").model(model("sim-text", &[]))]).start().await;
    let tool = json!([{ "type": "function", "function": { "name": "f" } }]);
    let format = json!({ "type": "json_schema", "json_schema": { "name": "x", "schema": {} } });
    let table = [("messages", image(), "vision"), ("tools", tool, "tools"), ("response_format", format, "schema")];
    for (field, value, missing) in table {
        let reply = gateway.ask("hello").with(field, value).await;
        let body = reply.refused(400, "unsupported_feature").json();
        assert!(body["error"]["message"].as_str().is_some_and(|message| message.contains(missing)), "{body}");
    }
}

#[tokio::test]
async fn a_request_goes_only_to_models_that_can() {
    let gateway = started().await;
    let tool = json!([{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } }]);
    for _ in 0..6 {
        let reply = gateway.ask("").with("messages", image()).with("tools", tool.clone()).await;
        assert_eq!(reply.header("x-relay-route"), Some("sim-b/sim-look"));
    }
}

/// A provider whose wire cannot say that a tool has to be called, preferred to one whose can.
fn mute() -> Fake {
    let model = model("sim-m", &["tools", "json"]);
    provider("sim-ollama").spec(|_| ProviderSpec::impersonating(Persona::Ollama).only_model(model))
}

fn tools() -> Value {
    json!([{ "type": "function", "function": { "name": "f", "parameters": { "type": "object" } } }])
}

#[tokio::test]
async fn who_insists_on_a_call_is_answered_by_those_that_can_be_told() {
    let named = json!({ "type": "function", "function": { "name": "f" } });
    for (choice, insists) in [(json!("required"), true), (named, true), (json!("auto"), false), (Value::Null, false)] {
        let able = provider("sim-b").model(model("sim-m", &["tools"]));
        let gateway = gateway().over([mute(), able]).start().await;
        let route = if insists { "sim-b/sim-m" } else { "sim-ollama/sim-m" };
        gateway.ask("hello").with("tools", tools()).with("tool_choice", choice.clone()).await.by(route);
        if insists {
            assert_eq!(
                serde_json::from_slice::<Value>(&gateway.providers.only_chat("sim-b").body).expect("JSON")["tool_choice"],
                choice
            );
        }
    }
}

#[tokio::test]
async fn where_nobody_can_be_told_the_call_is_left_to_the_model() {
    let gateway = gateway().over([mute(), provider("sim-b").model(model("sim-m", &["json"]))]).start().await;
    let asking = gateway.ask("hello").with("tools", tools()).with("tool_choice", json!("required"));
    asking.await.by("sim-ollama/sim-m");
}

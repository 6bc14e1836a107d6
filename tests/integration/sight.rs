//! Requests that not every model can serve: images find a model that sees, other features a model that has them.

use relay::sim::ModelSpec;
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

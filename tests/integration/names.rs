//! Models by name: what a request may call them, and how they are listed.

use relay::sim::{Act, Limit, ModelSpec, Period};
use serde_json::Value;

use super::harness::{Fake, Gateway, gateway, provider};

/// Two hosts of `org/sim-large`, one of them with more.
fn fakes() -> [Fake; 2] {
    let large = || ModelSpec::new("org/sim-large").types(&["text", "coding"]).scale("large").context(65_536);
    let small = ModelSpec::new("sim-small").scale("small").context(8_192).features(&["json"]);
    [provider("sim-a").model(large()).model(small), provider("sim-b").model(large())]
}

async fn started() -> Gateway {
    gateway().over(fakes()).start().await
}

#[tokio::test]
async fn a_model_goes_by_many_names() {
    let table = [
        ("meta-model", "sim-a/"),
        ("auto", "sim-a/"),
        ("relay", "sim-a/"),
        ("sim-b/org/sim-large", "sim-b/org/sim-large"),
        ("SIM-B/org/sim-large", "sim-b/org/sim-large"),
        ("sim-b", "sim-b/org/sim-large"),
        ("Sim-B", "sim-b/org/sim-large"),
        ("sim-a/sim-small", "sim-a/sim-small"),
        ("sim-small", "sim-a/sim-small"),
        ("org/sim-large", "sim-a/org/sim-large"),
    ];
    let gateway = started().await;
    for (name, route) in table {
        let reply = gateway.ask("hello").model(name).await;
        let by = reply.header("x-relay-route").unwrap_or_default();
        assert!(by == route || (route.ends_with('/') && by.starts_with(route)), "{name}: {by}");
    }
    let nameless = r#"{"messages":[{"role":"user","content":"hello"}]}"#;
    assert_eq!(gateway.post(nameless).await.status, 200);
}

#[tokio::test]
async fn a_name_fixes_how_far_a_request_may_go() {
    let table: [(&str, &[&str]); 4] = [
        ("sim-a/org/sim-large", &["sim-a/org/sim-large"]),
        ("sim-a", &["sim-a/org/sim-large", "sim-a/sim-small"]),
        ("org/sim-large", &["sim-a/org/sim-large", "sim-b/org/sim-large"]),
        ("auto", &["sim-a/org/sim-large", "sim-b/org/sim-large", "sim-a/sim-small"]),
    ];
    for (name, routes) in table {
        let [a, b] = fakes();
        let broken = |id: &str| vec![Act::status(500); routes.iter().filter(|route| route.starts_with(id)).count()];
        let gateway = gateway().over([a.answers(broken("sim-a")), b.answers(broken("sim-b"))]).start().await;
        let reply = gateway.ask("hello").model(name).await;
        let trail = reply.refused(502, "upstream_unavailable").header("x-relay-trail").unwrap_or_default();
        let mut tried: Vec<&str> = trail.split(", ").filter_map(|one| one.strip_suffix("=500")).collect();
        tried.sort_unstable();
        let mut expected = routes.to_vec();
        expected.sort_unstable();
        assert_eq!(tried, expected, "{name}");
    }
}

#[tokio::test]
async fn an_unknown_name_is_a_404_with_names_close_to_it() {
    let gateway = started().await;
    for (name, close) in [
        ("sim-smal", "sim-small"),
        ("sim-a/org/sim-larg", "sim-a/org/sim-large"),
        ("sim-large", "org/sim-large"),
        ("meta-modle", "meta-model"),
    ] {
        for streamed in [false, true] {
            let reply = gateway.ask("hello").model(name).streamed_if(streamed).await;
            reply.refused(404, "model_not_found").saying(name).saying(close);
            assert_eq!(reply.json()["error"]["param"], "model");
        }
    }
    gateway.ask("hello").model("gpt-99").await.refused(404, "model_not_found").saying("gpt-99");
    gateway.ask("hello").model("").await.refused(404, "model_not_found");
    assert_eq!(gateway.providers.simulator.total_calls(), 0);
}

#[tokio::test]
async fn filters_narrow_the_choice() {
    let gateway = started().await;
    for (field, value, route) in [
        ("model_scale", "small", "sim-a/sim-small"),
        ("model_type", "coding", "sim-a/org/sim-large"),
        ("model_name", "SMALL", "sim-a/sim-small"),
    ] {
        gateway.ask("hello").with(field, Value::from(value)).await.by(route);
    }
}

/// Names and values.
type Fields<'a> = &'a [(&'a str, &'a str)];

#[tokio::test]
async fn a_filter_that_nothing_passes_is_a_400_that_names_what_there_is() {
    let gateway = started().await;
    let table: [(Fields<'_>, &[&str]); 5] = [
        (&[("model_type", "vision")], &["`model_type` `vision` (there is: text, coding)"]),
        (&[("model_scale", "medium")], &["`model_scale` `medium` (there is: large, small)"]),
        (&[("model_name", "Gpt")], &["`model_name` `gpt` (there is: org/sim-large, sim-small)"]),
        // Each by itself would pass; together they do not.
        (
            &[("model_type", "coding"), ("model_scale", "small")],
            &["`coding` (there is: text)", "`small` (there is: large)"],
        ),
        (&[("model_scale", "huge")], &["`model_scale` is `huge`; it must be one of: large, medium, small"]),
    ];
    for (filters, parts) in table {
        for path in ["/v1/chat/completions", "/v1/route"] {
            let messages = serde_json::json!([{ "role": "user", "content": "hello" }]);
            let mut asking = gateway.request("POST", path).model("auto").with("messages", messages);
            for (field, value) in filters {
                asking = asking.with(field, Value::from(*value));
            }
            let reply = asking.await;
            for part in parts {
                reply.refused(400, "no_matching_route").saying(part);
            }
        }
    }
    gateway
        .ask("hello")
        .model("sim-b")
        .with("model_scale", Value::from("small"))
        .await
        .refused(400, "no_matching_route");
    assert_eq!(gateway.providers.simulator.total_calls(), 0);
}

fn ids(list: &Value) -> Vec<&str> {
    let data = list["data"].as_array().expect("a list");
    data.iter().map(|model| model["id"].as_str().expect("an id")).collect()
}

#[tokio::test]
async fn models_are_listed_the_meta_model_first() {
    let gateway = started().await;
    let list = gateway.get("/v1/models").await.json();
    assert_eq!(list["object"], "list");
    assert_eq!(ids(&list), ["meta-model", "sim-a/org/sim-large", "sim-a/sim-small", "sim-b/org/sim-large"]);
    for model in list["data"].as_array().expect("a list") {
        assert_eq!(model["object"], "model");
        assert!(model["created"].is_i64() && model["owned_by"].is_string(), "{model}");
    }
    let small = &list["data"][2];
    let expected = serde_json::json!({
        "id": "sim-a/sim-small", "object": "model", "created": small["created"], "owned_by": "sim-a", "types": ["text"],
        "scale": "small", "context_length": 8192, "features": ["json"], "status": "available", "available_at": null,
    });
    assert_eq!(*small, expected);
}

#[tokio::test]
async fn the_list_can_be_filtered_and_keeps_the_meta_model() {
    let gateway = started().await;
    let table: [(&str, &[&str]); 5] = [
        ("?type=coding", &["meta-model", "sim-a/org/sim-large", "sim-b/org/sim-large"]),
        ("?scale=small", &["meta-model", "sim-a/sim-small"]),
        ("?type=text&scale=large", &["meta-model", "sim-a/org/sim-large", "sim-b/org/sim-large"]),
        ("?type=vision", &["meta-model"]),
        ("?other=1", &["meta-model", "sim-a/org/sim-large", "sim-a/sim-small", "sim-b/org/sim-large"]),
    ];
    for (query, expected) in table {
        let list = gateway.get(&format!("/v1/models{query}")).await.json();
        assert_eq!(ids(&list), expected, "{query}");
    }
    gateway.get("/v1/models?type=tiny").await.refused(400, "invalid_value").saying("coding");
    gateway.get("/v1/models?scale=huge").await.refused(400, "invalid_value").saying("medium");
    gateway.get("/v1/models?type=text&type=coding").await.refused(400, "invalid_request");
}

#[tokio::test]
async fn one_model_is_retrieved_with_raw_and_escaped_slashes() {
    let gateway = started().await;
    for path in ["sim-a/org/sim-large", "sim-a%2Forg%2Fsim-large", "sim-a%2forg/sim-large", "SIM-A/org/sim-large"] {
        let model = gateway.get(&format!("/v1/models/{path}")).await;
        assert_eq!((model.status, model.json()["id"].as_str()), (200, Some("sim-a/org/sim-large")), "{path}");
    }
    for path in ["meta-model", "auto", "relay"] {
        let model = gateway.get(&format!("/v1/models/{path}")).await;
        assert_eq!((model.status, model.json()["id"].as_str()), (200, Some("meta-model")), "{path}");
    }
    for path in ["sim-c/sim-m", "nothing", "sim-a%2F"] {
        let reply = gateway.get(&format!("/v1/models/{path}")).await;
        reply.refused(404, "model_not_found").saying("there is no model");
    }
    gateway.get("/v1/models/%ff").await.refused(400, "invalid_request");
}

#[tokio::test]
async fn a_models_status_tells_what_keeps_it_away() {
    let table =
        [(Act::busy(30), "cooldown", true), (Act::Denied, "disabled", false), (Act::status(500), "available", false)];
    for (act, status, dated) in table {
        let gateway = gateway().over([provider("sim-a").answers([act.clone()]), provider("sim-b")]).start().await;
        gateway.ask("hello").await.by("sim-b/sim-m");
        let model = gateway.get("/v1/models/sim-a/sim-m").await.json();
        assert_eq!((model["status"].as_str(), model["available_at"].is_string()), (Some(status), dated), "{act:?}");
        assert_eq!(gateway.get("/v1/models/meta-model").await.json()["status"], "available");
    }
    let gateway = gateway().over([provider("sim-a").limit(Limit::requests(1, Period::Minute))]).start().await;
    gateway.ask("hello").await.by("sim-a/sim-m");
    let model = gateway.get("/v1/models/sim-a/sim-m").await.json();
    assert!(model["status"] == "limited" && model["available_at"].is_string(), "{model}");
    assert_eq!(gateway.get("/v1/models/meta-model").await.json()["status"], "limited");
}

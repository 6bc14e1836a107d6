//! Answers as a client gets them: plain and streamed, with what relay adds and nothing it takes away.

use relay::sim::{Act, UsageAt};
use serde_json::json;

use super::harness::{gateway, provider, says};

#[tokio::test]
async fn a_question_is_answered_plain_and_streamed() {
    for streamed in [false, true] {
        let gateway = gateway().over([provider("sim-a").answers([says("It scatters.")])]).start().await;
        gateway.ask("Why is the sky blue?").streamed_if(streamed).await.is("It scatters.").by("sim-a/sim-m").after("");
        let call = gateway.providers.only_chat("sim-a");
        assert!(String::from_utf8_lossy(&call.body).contains(r#""model":"sim-m""#));
        let line = &gateway.lines()[0];
        assert_eq!((line.status, line.route.as_deref()), (200, Some("sim-a/sim-m")));
        assert!(line.tokens.is_some_and(|tokens| tokens > 0), "tokens are told: {line:?}");
    }
}

#[tokio::test]
async fn headers_tell_who_answered_after_what() {
    for streamed in [false, true] {
        let gateway = gateway()
            .over([provider("sim-a").answers([Act::status(500)]), provider("sim-b").answers([says("hi")])])
            .start()
            .await;
        let reply = gateway.ask("hello").streamed_if(streamed).await;
        reply.is("hi").by("sim-b/sim-m").after("sim-a/sim-m=500");
        let id = reply.header("x-request-id").expect("an id");
        assert!(id.len() >= 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        let other = gateway.ask("again").streamed_if(streamed).await;
        assert_ne!(other.header("x-request-id"), Some(id));
    }
}

#[tokio::test]
async fn a_plain_answer_gains_meta_and_a_stream_none() {
    let gateway = gateway()
        .over([provider("sim-a").answers([Act::Gone]), provider("sim-b").answers([says("hi"), says("hi")])])
        .start()
        .await;
    let meta = gateway.ask("hello").await.json()["meta"].clone();
    assert!(meta["latency_ms"].is_u64(), "{meta}");
    assert_eq!((&meta["provider"], &meta["model"], &meta["attempt"]), (&json!("sim-b"), &json!("sim-m"), &json!(2)));
    let streamed = gateway.ask("hello").streamed().await;
    assert!(!streamed.is("hi").text().contains("meta"));
}

#[tokio::test]
async fn tools_are_called_plain_and_streamed() {
    let arguments = json!({"city": "Paris"});
    let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}]);
    let acts = [Act::tool("weather", &arguments), Act::tool("weather", &arguments)];
    let gateway = gateway().over([provider("sim-a").answers(acts)]).start().await;
    let plain = gateway.ask("Rain?").with("tools", tools.clone()).await.json();
    let call = plain["choices"][0]["message"]["tool_calls"][0]["function"].clone();
    assert_eq!(call, json!({"name": "weather", "arguments": arguments.to_string()}));
    let streamed = gateway.ask("Rain?").with("tools", tools).streamed().await;
    let events = streamed.events();
    let pieces = events
        .iter()
        .filter_map(|event| event["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str());
    assert_eq!(pieces.collect::<String>(), arguments.to_string());
}

#[tokio::test]
async fn the_usage_chunk_comes_only_when_it_was_asked_for() {
    for place in [UsageAt::OwnChunk, UsageAt::XGroq] {
        let fake = provider("sim-a").spec(|spec| spec.usage_at(place)).answers([says("hi"), says("hi")]);
        let gateway = gateway().over([fake]).start().await;
        let has_chunk = |events: Vec<serde_json::Value>| events.iter().any(|event| event["choices"] == json!([]));
        let without = gateway.ask("hello").streamed().await;
        assert!(!has_chunk(without.is("hi").events()), "{place:?}");
        let asking = gateway.ask("hello").streamed().with("stream_options", json!({"include_usage": true}));
        let with = asking.await;
        assert!(has_chunk(with.is("hi").events()), "{place:?}");
        // relay learns the usage either way.
        assert!(gateway.lines().iter().all(|line| line.tokens.is_some()), "{place:?}");
    }
}

#[tokio::test]
async fn a_missing_end_marker_is_made_up_for() {
    let stream = "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"}}]}\n\ndata: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
    let gateway = gateway().over([provider("sim-a").answers([Act::raw_stream(stream, 1000)])]).start().await;
    let reply = gateway.ask("hello").streamed().await;
    assert_eq!(reply.is("hi").text(), format!("{stream}data: [DONE]\n\n"));
}

/// A guard that looked at the prompt says a word, where a model should have answered.
#[tokio::test]
async fn a_guards_word_is_no_answer() {
    let table = [("unsafe", true), (" safe\n", true), ("safe and sound", false), ("un", false), ("Safe", false)];
    for (text, is_none) in table {
        for streamed in [false, true] {
            let fakes = [provider("sim-a").answers([says(text)]), provider("sim-b")];
            let gateway = gateway().over(fakes).wired("sim-a", "no_answers = [\"safe\", \"unsafe\"]").start().await;
            let reply = gateway.ask("Is it?").header("x-relay-style", "off").streamed_if(streamed).await;
            reply.by(if is_none { "sim-b/sim-m" } else { "sim-a/sim-m" });
            if !is_none {
                reply.is(text);
            }
        }
    }
}

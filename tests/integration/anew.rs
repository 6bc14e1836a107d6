//! Streams that break off or end before anything of their answer was seen: another route begins anew.

use relay::sim::Act;
use serde_json::{Value, json};

use super::harness::{gateway, provider, says};

/// An OpenAI stream of these pieces of an answer, with this reason for its end, if it has one.
fn stream(deltas: &[Value], finish: Option<&str>) -> Act {
    let chunk = |delta: &Value, finish: Option<&str>| {
        let choice = json!({"index": 0, "delta": delta, "finish_reason": finish});
        format!("data: {}\n\n", json!({"id": "first", "object": "chat.completion.chunk", "choices": [choice]}))
    };
    let mut body: String = deltas.iter().map(|delta| chunk(delta, None)).collect();
    if finish.is_some() {
        body += &chunk(&json!({}), finish);
        body += "data: [DONE]\n\n";
    }
    Act::raw_stream(body, 64)
}

fn thought() -> Value {
    json!({"role": "assistant", "content": null, "reasoning_content": "Let me think."})
}

fn wishes() -> [(&'static str, Value); 4] {
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let schema = json!({"type": "json_schema", "json_schema": {"name": "s", "schema": {"type": "object"}}});
    [
        ("seed", json!(1)),
        ("tools", tools),
        ("response_format", json!({"type": "json_object"})),
        ("response_format", schema),
    ]
}

#[tokio::test]
async fn a_stream_of_thoughts_alone_is_an_answer_no_more_but_the_next_route_s_turn() {
    let answer = r#"{"a":1}"#;
    for (field, value) in wishes() {
        for (blanks, finish) in [(None, Some("stop")), (Some(" \n"), Some("tool_calls")), (None, None)] {
            let deltas: Vec<Value> =
                [thought()].into_iter().chain(blanks.map(|text| json!({"content": text}))).collect();
            let fakes =
                [provider("sim-a").answers([stream(&deltas, finish)]), provider("sim-b").answers([says(answer)])];
            let gateway = gateway().over(fakes).start().await;
            let reply = gateway.ask("hello").streamed().with(field, value.clone()).await;
            assert_eq!(reply.answer().trim(), answer, "{field} {finish:?}: {}", reply.text());
            let ends = reply.events().iter().filter(|event| event["choices"][0]["finish_reason"].is_string()).count();
            assert_eq!(ends, 1, "{field}: {}", reply.text());
            let asked: Value = serde_json::from_slice(&gateway.providers.only_chat("sim-b").body).expect("JSON");
            assert!(asked["messages"].as_array().expect("a list").iter().all(|message| message["role"] != "assistant"));
            assert!(gateway.is_idle());
        }
    }
}

#[tokio::test]
async fn an_end_that_says_why_there_is_no_answer_stands() {
    for finish in ["length", "content_filter"] {
        let fakes = [provider("sim-a").answers([stream(&[thought()], Some(finish))]), provider("sim-b")];
        let gateway = gateway().over(fakes).start().await;
        let reply = gateway.ask("hello").streamed().await;
        let events = reply.events();
        assert_eq!(events.last().expect("events")["choices"][0]["finish_reason"], json!(finish));
        assert!(gateway.providers.chats("sim-b").is_empty());
    }
}

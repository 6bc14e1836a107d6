//! Every act as a client sees it.

use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::client::{Got, begin, body, chat, send, simulator, spec};
use crate::sim::{Act, ModelSpec, Outcome, ProviderSpec, UsageAt};

/// The result of one call under `act`, and its outcome on record.
async fn under(act: Act, stream: bool) -> (hyper::Result<Got>, Outcome) {
    let simulator = simulator(spec()).await;
    simulator.script("sim-alpha", [act]);
    let got = chat(&simulator, &body("hi there", stream)).await;
    let outcome = simulator.calls("sim-alpha")[0].outcome;
    simulator.stop().await;
    (got, outcome)
}

#[tokio::test]
async fn an_answer_is_whole_plain_and_streamed() {
    let simulator = simulator(spec().usage_at(UsageAt::XGroq)).await;
    let plain = chat(&simulator, &body("Why is the sky blue?", false)).await.expect("an answer");
    assert_eq!((plain.status, plain.header("content-type")), (200, Some("application/json")));
    let message = plain.json()["choices"][0]["message"].clone();
    assert!(message["content"].as_str().expect("text").contains("scatters"));
    assert_eq!(message["refusal"], Value::Null);
    assert!(plain.body.contains(r#""big":12345678901234567890,"odd":1e-7"#));
    let streamed = chat(&simulator, &body("Why is the sky blue?", true)).await.expect("a stream");
    assert_eq!(streamed.header("content-type"), Some("text/event-stream"));
    assert_eq!(message["content"], streamed.streamed_text());
    let events = streamed.events();
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(events.last().expect("events")["x_groq"]["usage"], plain.json()["usage"]);
    assert!(streamed.complete && streamed.body.ends_with("data: [DONE]\n\n"));
    let calls = simulator.calls("sim-alpha");
    assert!(
        calls.iter().all(|call| call.outcome == Outcome::Answered && call.path == "/sim-alpha/v1/chat/completions")
    );
    assert!(calls[0].header("authorization").expect("a key").starts_with("Bearer sim-alpha-key-"));
    assert_eq!(calls[0].body, body("Why is the sky blue?", false).to_string());
}

#[tokio::test]
async fn scripted_texts_and_tools_are_said_verbatim() {
    let (got, _) = under(Act::text("exactly  this\n"), true).await;
    assert_eq!(got.expect("a stream").streamed_text(), "exactly  this\n");
    let (got, outcome) = under(Act::tool("look", &json!({"a": 1})), false).await;
    let choice = got.expect("an answer").json()["choices"][0].clone();
    assert_eq!(choice["message"]["tool_calls"][0]["function"], json!({"name": "look", "arguments": "{\"a\":1}"}));
    assert_eq!((choice["finish_reason"].as_str(), outcome), (Some("tool_calls"), Outcome::Answered));
}

#[tokio::test]
async fn refusals_have_their_status_code_and_outcome() {
    let table = [
        (Act::busy(30), 429, json!("rate_limit_exceeded"), Some("30")),
        (Act::Busy { retry_after: None }, 429, json!("rate_limit_exceeded"), None),
        (Act::PaymentRequired, 402, json!("insufficient_balance"), None),
        (Act::Denied, 401, json!("invalid_api_key"), None),
        (Act::Gone, 404, json!("model_not_found"), None),
        (Act::TooLarge, 413, json!("rate_limit_exceeded"), Some("65")),
        (Act::TooLong, 400, json!("context_length_exceeded"), None),
        (Act::BadRequest("no".to_owned()), 400, Value::Null, None),
        (Act::status(503), 503, Value::Null, None),
    ];
    for (act, status, code, retry_after) in table {
        for stream in [false, true] {
            let (got, outcome) = under(act.clone(), stream).await;
            let got = got.expect("a refusal");
            assert_eq!(
                (got.status, &got.json()["error"]["code"], got.header("retry-after")),
                (status, &code, retry_after),
                "{act:?}"
            );
            assert_eq!(outcome, Outcome::Refused(status));
        }
    }
    let (got, _) = under(Act::Spent, false).await;
    let got = got.expect("a refusal");
    let wait: u64 = got.header("retry-after").expect("a time").parse().expect("seconds");
    assert!((1..=86_400).contains(&wait) && got.json()["error"]["code"] == "insufficient_quota");
}

#[tokio::test]
async fn successes_can_be_broken() {
    let of = async |act: Act, stream: bool| {
        let (got, outcome) = under(act.clone(), stream).await;
        let got = got.expect("a success");
        assert_eq!((got.status, outcome), (200, Outcome::Faulted), "{act:?}");
        got
    };
    assert!(of(Act::Html, true).await.header("content-type").expect("a type").starts_with("text/html"));
    assert!(serde_json::from_str::<Value>(&of(Act::NotJson, false).await.body).is_err());
    assert!(of(Act::NotJson, true).await.body.starts_with("data: {"));
    assert_eq!(of(Act::EmptyBody, false).await.body, "");
    assert_eq!(of(Act::EmptyStream, true).await.body, "data: [DONE]\n\n");
    assert_eq!(of(Act::EmptyStream, false).await.json()["choices"], json!([]));
    assert_eq!(of(Act::ErrorIn200, false).await.json()["error"]["code"], "rate_limit_exceeded");
    assert!(of(Act::ErrorInStream, true).await.events()[0]["error"].is_object());
    let late = of(Act::ErrorAfter { after: 3 }, true).await;
    assert_eq!(late.events().iter().position(|event| event["error"].is_object()), Some(3));
}

#[tokio::test]
async fn cuts_break_the_body_where_they_are_told_to() {
    for after in [0, 1, 4] {
        let (got, outcome) = under(Act::Cut { after }, true).await;
        let got = got.expect("a head");
        assert_eq!((got.status, got.events().len(), got.complete, outcome), (200, after, false, Outcome::Faulted));
    }
    let (got, _) = under(Act::Cut { after: 9 }, false).await;
    let got = got.expect("a head");
    assert!(!got.complete && got.body.starts_with("{\"id\"") && serde_json::from_str::<Value>(&got.body).is_err());
}

#[tokio::test]
async fn a_reset_is_a_tcp_reset() {
    let simulator = simulator(spec()).await;
    simulator.script("sim-alpha", [Act::Reset]);
    let mut socket = begin(&simulator, &body("hi", false)).await;
    let error = socket.read_to_end(&mut Vec::new()).await.expect_err("no orderly end");
    assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset);
    assert_eq!(simulator.calls("sim-alpha")[0].outcome, Outcome::Faulted);
}

#[tokio::test]
async fn raw_bytes_arrive_as_they_are_in_small_chunks() {
    let simulator = simulator(spec()).await;
    simulator.script("sim-alpha", [Act::raw_stream("data: é\r\n\r\n", 1)]);
    let mut socket = begin(&simulator, &body("hi", true)).await;
    let mut wire = Vec::new();
    while !wire.ends_with(b"0\r\n\r\n") {
        assert_ne!(socket.read_buf(&mut wire).await.expect("more bytes"), 0);
    }
    assert!(String::from_utf8_lossy(&wire).contains("1\r\nd\r\n1\r\na\r\n1\r\nt\r\n"));
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_refused() {
    let model = ModelSpec::new("sim-m").context(100).features(&[]);
    let simulator =
        simulator(ProviderSpec::new("sim-alpha").model(model).model(ModelSpec::new("sim-old").vanished())).await;
    let long = "word ".repeat(200);
    let tool = json!([{"type": "function", "function": {"name": "f"}}]);
    let with = |field: &str, value: Value| {
        let mut body = body("hi", false);
        body[field] = value;
        body
    };
    let table = [
        (body(&long, false), 400, json!("context_length_exceeded")),
        (with("model", json!("sim-other")), 404, json!("model_not_found")),
        (with("model", json!("sim-old")), 404, json!("model_not_found")),
        (with("messages", json!([])), 400, Value::Null),
        (with("tools", tool), 400, Value::Null),
        (with("response_format", json!({"type": "json_object"})), 400, Value::Null),
    ];
    for (body, status, code) in table {
        let got = chat(&simulator, &body).await.expect("a refusal");
        assert_eq!((got.status, &got.json()["error"]["code"]), (status, &code), "{body}");
    }
    let provider = &simulator.providers()[0];
    let status = async |method: &str, path: &str, key: &str| {
        send(provider, method, path, key, String::new()).await.expect("a refusal").status
    };
    assert_eq!(status("POST", "/chat/completions", "wrong").await, 401);
    assert_eq!(status("POST", "/chat/completions", &provider.key).await, 400);
    assert_eq!(status("GET", "/chat/completions", &provider.key).await, 405);
    assert_eq!(status("GET", "/nothing", &provider.key).await, 404);
    assert_eq!(status("GET", "/models", "wrong").await, 401);
    let list = send(provider, "GET", "/models", &provider.key, String::new()).await.expect("a list").json();
    assert_eq!(list["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(list["data"][0]["id"], "sim-m");
    simulator.script_models("sim-alpha", [Act::status(500)]);
    assert_eq!(status("GET", "/models", &provider.key).await, 500);
}

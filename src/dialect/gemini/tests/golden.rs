//! Requests and whole answers against `tests/fixtures/gemini`.

use bytes::Bytes;
use jiff::Timestamp;
use serde_json::Value;

use crate::chat::event::Finish;
use crate::chat::{Breakage, ChatRequest, Fault, Usage};
use crate::dialect::{Dialect, Target, Whole, Wire};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../../tests/fixtures/gemini/", $name))
    };
}
pub(super) use fixture;

pub(super) const MODEL: &str = "gemini-3.5-flash";

pub(super) fn now() -> Timestamp {
    "2026-11-22T10:00:00Z".parse().expect("a moment")
}

pub(super) fn wire() -> Wire {
    Wire { drop: vec!["frequency_penalty".to_owned(), "presence_penalty".to_owned()], ..Wire::default() }
}

pub(super) fn target<'a>(model: &'a str, wire: &'a Wire) -> Target<'a> {
    Target { model, wire, thinks: true, context: 1_048_576, input_tokens: 1, answer_tokens: 1 }
}

/// Path and body for `model`.
pub(super) fn encoded(model: &str, json: &str) -> Result<(String, Value), Fault> {
    let request = ChatRequest::parse(Bytes::copy_from_slice(json.as_bytes())).expect("valid");
    let outgoing = Dialect::Gemini.encode(&request, target(model, &wire()))?;
    Ok((outgoing.path.into_owned(), serde_json::from_slice(&outgoing.body.concat()).expect("JSON")))
}

fn decoded(json: &'static str) -> Result<Whole, Fault> {
    Dialect::Gemini.decode(Bytes::from_static(json.as_bytes()), target(MODEL, &wire()), now())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn requests_go_out_in_googles_shape() {
    let cases = [
        (fixture!("plain.request.json"), fixture!("plain.wire.json"), "generateContent"),
        (fixture!("stream.request.json"), fixture!("stream.wire.json"), "streamGenerateContent?alt=sse"),
        (fixture!("tools.request.json"), fixture!("tools.wire.json"), "generateContent"),
        (fixture!("tools_stream.request.json"), fixture!("tools_stream.wire.json"), "streamGenerateContent?alt=sse"),
        (fixture!("thinking.request.json"), fixture!("thinking.wire.json"), "generateContent"),
    ];
    for (request, wire, method) in cases {
        let (path, body) = encoded(MODEL, request).expect("encoded");
        assert_eq!(path, format!("/models/gemini-3.5-flash:{method}"));
        assert_eq!(body, json(wire), "{body:#}");
    }
}

#[test]
fn whole_answers_come_back_in_openais_shape() {
    let cases = [
        (fixture!("plain.response.json"), fixture!("plain.answer.json"), Finish::Stop, (9, 14)),
        (fixture!("tools.response.json"), fixture!("tools.answer.json"), Finish::ToolCalls, (60, 41)),
        (fixture!("thinking.response.json"), fixture!("thinking.answer.json"), Finish::Stop, (20, 130)),
        (fixture!("blocked.response.json"), fixture!("blocked.answer.json"), Finish::ContentFilter, (7, 0)),
    ];
    for (response, answer, finish, (prompt_tokens, completion_tokens)) in cases {
        let whole = decoded(response).expect("an answer");
        let body = serde_json::from_slice::<Value>(&whole.body).expect("JSON");
        assert_eq!(body, json(answer), "{body:#}");
        assert_eq!(whole.finish, Some(finish));
        assert_eq!(whole.usage, Some(Usage { prompt_tokens, completion_tokens }));
    }
}

#[test]
fn an_answer_goes_back_as_the_turn_it_was() {
    let answer =
        json(std::str::from_utf8(&decoded(fixture!("tools.response.json")).expect("an answer").body).expect("UTF-8"));
    let message = &answer["choices"][0]["message"];
    let request =
        serde_json::json!({"model": "m", "messages": [{"role": "user", "content": "?"}, message]}).to_string();
    let (_, body) = encoded(MODEL, &request).expect("encoded");
    assert_eq!(body["contents"][1]["parts"][0]["thoughtSignature"], "c2lnbmF0dXJl");
    let (_, body) = encoded("gemini-3.1-flash-lite", &request).expect("encoded");
    assert_eq!(body["contents"][1]["parts"][0]["thoughtSignature"], "skip_thought_signature_validator");
}

#[test]
fn successes_without_an_answer_are_failures() {
    let cases = [
        ("", Breakage::Empty),
        ("<html></html>", Breakage::NotJson),
        (r#"{"candidates":[{"content":{"pa"#, Breakage::NotJson),
        ("{}", Breakage::Empty),
        (r#"{"candidates":[]}"#, Breakage::Empty),
        (r#"{"candidates":[{"content":{"role":"model"},"finishReason":"STOP"}]}"#, Breakage::Empty),
        (r#"{"candidates":[{"finishReason":"OTHER"}]}"#, Breakage::Empty),
        (r#"{"candidates":[{"finishReason":"MALFORMED_FUNCTION_CALL"}]}"#, Breakage::InBand),
        (r#"{"error":{"message":"odd"}}"#, Breakage::InBand),
        (r#"[{"error":{"code":503,"status":"UNAVAILABLE"}}]"#, Breakage::Status(503)),
    ];
    for (body, breakage) in cases {
        assert_eq!(decoded(body).map(|whole| whole.body), Err(Fault::Broken(breakage)), "{body}");
    }
    let busy = decoded(fixture!("busy.response.json")).expect_err("no answer");
    assert_eq!(busy.word(), "429-minute");
    let thought_only = decoded(r#"{"candidates":[{"content":{"role":"model"},"finishReason":"MAX_TOKENS"}]}"#);
    assert_eq!(thought_only.map(|whole| whole.finish), Ok(Some(Finish::Length)));
}

#[test]
fn the_key_goes_in_its_own_header() {
    let header = Dialect::Gemini.key_header();
    assert_eq!((header.name, header.prefix), ("x-goog-api-key", ""));
}

//! The fixtures of `tests/fixtures/ollama`: each request's bytes on the wire, and each response as the caller sees it.

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;
use serde_json::Value;

use super::{Scanner, classify, decode, encode};
use crate::chat::ChatRequest;
use crate::dialect::{Target, Wire};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../../../tests/fixtures/ollama/", $name))
    };
}

fn wire() -> Wire {
    Wire { defaults: vec![("keep_alive".to_owned(), "\"5m\"".to_owned())], ..Wire::default() }
}

fn target(wire: &Wire) -> Target<'_> {
    Target { model: "qwen3", wire, thinks: true, context: 40_960, input_tokens: 100, answer_tokens: 1024 }
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("the fixture is JSON")
}

fn sent(request: &'static str) -> Value {
    let request = ChatRequest::parse(Bytes::from_static(request.as_bytes())).expect("a valid request");
    let outgoing = encode(&request, target(&wire())).expect("encoded");
    serde_json::from_slice(&outgoing.body.concat()).expect("JSON")
}

fn answered(response: &'static str) -> Value {
    let whole = decode(Bytes::from_static(response.as_bytes()), target(&wire()), Timestamp::UNIX_EPOCH);
    serde_json::from_slice(&whole.expect("an answer").body).expect("JSON")
}

fn streamed(response: &str, piece: usize) -> String {
    let mut scanner = Scanner::new(target(&wire()), true);
    for bytes in response.as_bytes().chunks(piece) {
        scanner.push(Bytes::copy_from_slice(bytes), Timestamp::UNIX_EPOCH).expect("scanned");
    }
    scanner.end(Timestamp::UNIX_EPOCH).expect("a whole stream");
    let events: Vec<u8> = std::iter::from_fn(|| scanner.next_event()).flat_map(|event| event.bytes.to_vec()).collect();
    String::from_utf8(events).expect("UTF-8")
}

#[test]
fn requests_go_out_as_recorded() {
    let cases = [
        ("plain", fixture!("plain.request.json"), fixture!("plain.wire.json")),
        ("stream", fixture!("stream.request.json"), fixture!("stream.wire.json")),
        ("tools", fixture!("tools.request.json"), fixture!("tools.wire.json")),
        ("tools_stream", fixture!("tools_stream.request.json"), fixture!("tools_stream.wire.json")),
        ("thinking", fixture!("thinking.request.json"), fixture!("thinking.wire.json")),
    ];
    for (name, request, wire) in cases {
        assert_eq!(sent(request), json(wire), "{name}");
    }
}

#[test]
fn whole_answers_come_in_as_recorded() {
    let cases = [
        ("plain", fixture!("plain.response.json"), fixture!("plain.answer.json")),
        ("tools", fixture!("tools.response.json"), fixture!("tools.answer.json")),
        ("thinking", fixture!("thinking.response.json"), fixture!("thinking.answer.json")),
    ];
    for (name, response, answer) in cases {
        assert_eq!(answered(response), json(answer), "{name}");
    }
}

#[test]
fn streams_come_in_as_recorded_whatever_their_pieces() {
    let cases = [
        ("stream", fixture!("stream.response.ndjson"), fixture!("stream.answer.sse")),
        ("tools_stream", fixture!("tools_stream.response.ndjson"), fixture!("tools_stream.answer.sse")),
    ];
    for (name, response, answer) in cases {
        for piece in [1, 2, 7, 64, response.len()] {
            assert_eq!(streamed(response, piece), answer, "{name} in pieces of {piece}");
        }
    }
}

#[test]
fn refusals_mean_what_was_recorded() {
    let cases = [
        (503, fixture!("busy.response.json"), "busy"),
        (404, fixture!("gone.response.json"), "gone"),
        (400, fixture!("no_tools.response.json"), "no-tools"),
        (400, fixture!("too_large.response.json"), "too-large"),
        (401, fixture!("denied.response.json"), "denied"),
        (429, fixture!("spent.response.json"), "spent"),
    ];
    for (status, body, word) in cases {
        let fault = classify(status, &HeaderMap::new(), body.as_bytes(), Timestamp::UNIX_EPOCH);
        assert_eq!(fault.word(), word, "{status} {body}");
    }
}

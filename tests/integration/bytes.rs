//! Bytes that relay does not act on pass untouched, in both directions, however they are cut.

use relay::sim::{Act, Call};

use super::harness::{gateway, provider};

/// Everything a careless reader spoils: big integers, odd floats, escapes, order, doubles inside, white space.
const ODD: &str = r#""zz_first" : 12345678901234567890, "float":0.30000000000000004,"huge":1e400 ,
	"text":"\u0000 \ud83d\ude00 😀 \/ é","nested":{"b":1,"a":[1.0, -0, 1E+2 ],"a2":{"model":"kept","meta":null}},"neg":-9223372036854775808"#;

fn request(model: &str, rest: &str) -> String {
    let messages = r#"[ {"content" : "\u0041\u0000 hi 😀\n", "role":"user","x_extra":1e-7} ]"#;
    format!("{{\"model\" :\"{model}\",{ODD},\"messages\":{messages}{rest}}}")
}

fn body(call: &Call) -> String {
    String::from_utf8(call.body.to_vec()).expect("UTF-8")
}

fn raw_answer() -> String {
    format!(
        "{{\"id\":\"x\", \"choices\":[ {{\"index\":0,\"message\":{{\"role\":\"assistant\",\"content\":\"h\\u0069 😀\"}},\"finish_reason\":\"stop\"}} ],{ODD} }}\n"
    )
}

fn json_of(body: impl Into<Vec<u8>>) -> Act {
    Act::Raw { content_type: "application/json".to_owned(), body: body.into(), piece: 7 }
}

#[tokio::test]
async fn a_request_reaches_the_provider_byte_for_byte_but_for_the_model() {
    let gateway = gateway().over([provider("sim-a").answers([json_of(raw_answer())])]).start().await;
    let reply = gateway.post(request("auto", "")).header("x-relay-style", "off").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert_eq!(body(&gateway.providers.only_chat("sim-a")), request("sim-m", ""));
}

#[tokio::test]
async fn a_streamed_request_gains_the_question_for_usage_and_nothing_else() {
    let stream =
        "data: {\"choices\":[{\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let gateway = gateway().over([provider("sim-a").answers([Act::raw_stream(stream, 9)])]).start().await;
    gateway.post(request("sim-a/sim-m", ",\"stream\":true")).await.is("hi");
    let sent = body(&gateway.providers.only_chat("sim-a"));
    let expected = request("sim-m", ",\"stream\":true,\"stream_options\":{\"include_usage\":true}");
    assert_eq!(sent, expected);
}

#[tokio::test]
async fn relays_own_fields_are_not_passed_on() {
    let gateway = gateway().over([provider("sim-a").answers([json_of(raw_answer())])]).start().await;
    let reply = gateway
        .post(request(
            "auto",
            ",\"model_type\":\"text\",\"model_scale\":\"medium\",\"model_name\":\"SIM\",\"session_id\":\"s1\"",
        ))
        .await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let sent = body(&gateway.providers.only_chat("sim-a"));
    assert!(!sent.contains("model_") && !sent.contains("session_id") && sent.contains(ODD), "{sent}");
}

#[tokio::test]
async fn an_answer_reaches_the_client_byte_for_byte_with_meta_at_its_end() {
    let answer = raw_answer();
    let gateway = gateway().over([provider("sim-a").answers([json_of(answer.clone())])]).start().await;
    let got = gateway.ask("hello").await.text();
    let kept = answer.trim_end().strip_suffix('}').expect("an object");
    let added = got.strip_prefix(kept).unwrap_or_else(|| panic!("not the provider's bytes: {got}"));
    assert!(added.starts_with(",\"meta\":{\"provider\":\"sim-a\",\"model\":\"sim-m\",\"latency_ms\":"), "{added}");
    assert!(added.ends_with(",\"attempt\":1}}"), "{added}");
}

/// Comments, either kind of line end, several data lines, an event type, a character of four bytes, unknown fields.
const STREAM: &str = concat!(
    ": PROCESSING\n\n",
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}], \"big\":12345678901234567890}\n\n",
    "event: chunk\ndata: {\"choices\":[{\"delta\":{\"content\":\"h\u{1F600}\"},\"finish_reason\":null}],\"odd\":1e400}\r\n\r\n",
    "data: {\"choices\":[{\"delta\":\ndata: {\"content\":\"i\\u0000\"}}]}\n\n",
    "data:{\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"x\":0.30000000000000004}\n\n",
    "data: [DONE]\n\n",
);

#[tokio::test]
async fn a_stream_reaches_the_client_as_the_same_bytes_however_it_is_cut() {
    let pieces = [1, 2, 3, 5, 7, 16, 61, 64, 100, 128, STREAM.len()];
    let acts = pieces.map(|piece| Act::raw_stream(STREAM, piece));
    let gateway = gateway().over([provider("sim-a").answers(acts)]).start().await;
    for piece in pieces {
        let reply = gateway.ask("hello").streamed().await;
        assert_eq!((reply.status, reply.text().as_str(), reply.complete), (200, STREAM, true), "in pieces of {piece}");
    }
}

//! What is read of a request, and how mistakes in it are named.

use super::*;

fn parse(json: &str) -> Result<ChatRequest, BadRequest> {
    ChatRequest::parse(Bytes::copy_from_slice(json.as_bytes()))
}

fn refused(json: &str) -> BadRequest {
    parse(json).expect_err("the request must be refused")
}

#[test]
fn the_fields_relay_acts_on_are_read() {
    let request = parse(
        r#"{"model":"auto","stream":true,"stream_options":{"include_usage":true},"max_completion_tokens":5,"max_tokens":9,
            "tools":[{}],"response_format":{"type":"json_schema"},"model_type":"coding",
            "messages":[{"role":"user","content":[{"type":"text","text":"hi"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AAAA"}}]}]}"#,
    )
    .expect("valid");
    assert!(request.wants_any_model() && request.stream && request.include_usage);
    assert_eq!((request.max_tokens, request.messages.images), (Some(5), 1));
    assert_eq!(request.features, Features { tools: true, schema: true, vision: true, ..Features::default() });
    assert!(!String::from_utf8(request.rewrite().finish().concat()).expect("UTF-8").contains("model_type"));
}

#[test]
fn a_field_that_is_null_is_not_set() {
    let request = parse(
        r#"{"model":null,"stream":null,"stream_options":null,"max_completion_tokens":null,"max_tokens":7,"tools":null,"functions":null,
            "response_format":null,"model_type":null,"model_scale":null,"model_name":null,"messages":[{"role":"user","content":"x"}]}"#,
    )
    .expect("valid");
    assert!(request.wants_any_model() && !request.stream && request.max_tokens == Some(7));
    assert_eq!((request.features, request.model_type), (Features::default(), None));
}

#[test]
fn a_hundred_thousand_fields_are_read_in_no_time() {
    let fields: Vec<String> = (0..100_000).map(|number| format!("\"field{number}\":0")).collect();
    let json = format!(r#"{{{},"messages":[{{"role":"user","content":"x"}}]}}"#, fields.join(","));
    let started = std::time::Instant::now();
    let request = parse(&json).expect("valid");
    assert_eq!(request.rewrite().finish().concat().len(), json.len());
    // Field against field this would be five thousand million comparisons.
    assert!(started.elapsed().as_secs() < 5);
}

#[test]
fn other_messages_leave_every_field_where_it_can_be_found() {
    let json = r#"{"a":1, "messages" : [{"role":"user","content":"x"}] ,"model":"auto","seed":7}"#;
    for messages in ["[]", r#"[{"role":"user","content":"much longer than it was before"}]"#] {
        let request = parse(json).expect("valid").with_messages(messages);
        assert_eq!(request.body(), &json.replace(r#"[{"role":"user","content":"x"}]"#, messages));
        assert_eq!(
            ["a", "messages", "model", "seed"].map(|name| request.raw(name)),
            [Some("1"), Some(messages), Some("\"auto\""), Some("7")]
        );
        let mut rewrite = request.rewrite();
        rewrite.drop_field("messages");
        assert_eq!(rewrite.finish().concat(), br#"{"a":1,"model":"auto","seed":7}"#);
    }
}

#[test]
fn a_whole_number_may_be_written_as_a_float() {
    let json = r#"{"max_tokens":50.0,"n":1.00,"messages":[{"role":"user","content":"5.0"}],"temperature":1.0,
        "seed":12345678901234567890.0,"stop":"9.0","max_completion_tokens": 7.0 ,"top_k":-4.0,"top_logprobs":20}"#;
    let request = parse(json).expect("valid");
    assert_eq!(request.max_tokens, Some(7));
    let expected = r#"{"max_tokens":50,"n":1,"messages":[{"role":"user","content":"5.0"}],"temperature":1.0,
        "seed":12345678901234567890,"stop":"9.0","max_completion_tokens": 7 ,"top_k":-4,"top_logprobs":20}"#;
    assert_eq!(String::from_utf8_lossy(request.body()), expected);
    for (name, value) in [("messages", r#"[{"role":"user","content":"5.0"}]"#), ("top_k", "-4"), ("n", "1")] {
        assert_eq!(request.raw(name), Some(value));
    }
    for wrong in ["5.5", "-5.0", "5.0e1", "0.50"] {
        let message =
            refused(&format!(r#"{{"messages":[{{"role":"user","content":"x"}}],"max_tokens":{wrong}}}"#)).message;
        assert!(message.contains("`max_tokens` must be a whole number"), "{wrong}: {message}");
    }
}

#[test]
fn mistakes_name_their_place() {
    let cases = [
        ("", "empty"),
        ("[]", "expected a JSON object"),
        (r#"{"messages": [}"#, "line 1 column 15"),
        (r#"{"model":"x"}"#, "`messages` is missing"),
        (r#"{"messages":[]}"#, "`messages` is empty"),
        (r#"{"messages":{}}"#, "expected `messages` to be a list"),
        (r#"{"messages":[5]}"#, "`messages[0]` must be an object"),
        (r#"{"messages":[{"content":"x"}]}"#, "`messages[0].role` is missing"),
        (r#"{"messages":[{"role":"user","content":"x"},{"role":7}]}"#, "`messages[1].role` must be a string"),
        (r#"{"messages":[{"role":"user","content":7}]}"#, "`messages[0].content` must be"),
        (
            r#"{"model":5,"messages":[{"role":"user","content":"x"}]}"#,
            "`model` must be a string: invalid type: integer `5`",
        ),
        (r#"{"stream":"yes","messages":[{"role":"user","content":"x"}]}"#, "`stream` must be true or false"),
        (r#"{"tools":{},"messages":[{"role":"user","content":"x"}]}"#, "`tools` must be a list"),
        (r#"{"max_tokens":-1,"messages":[{"role":"user","content":"x"}]}"#, "`max_tokens` must be a whole number"),
        (r#"{"model":"a","model":"b","messages":[{"role":"user","content":"x"}]}"#, "stands twice"),
        ("{\"messages\":[{\"role\":\"user\",\"content\":\"\u{7}\"}]}", "control character"),
    ];
    for (json, part) in cases {
        let message = refused(json).message;
        assert!(message.contains(part), "{json}: {message}");
    }
}

#[test]
fn a_message_that_begins_as_most_do_is_read_as_any_other() {
    let read = |message: &str| parse(&format!(r#"{{"messages":[{message}]}}"#)).map(|request| request.messages);
    let shape = |plain| MessagesShape { count: 1, plain, ..MessagesShape::default() };
    for (message, plain) in [
        (r#"{"role":"user","content":"x"}"#, true),
        (r#"{"role": "assistant", "content": "a \"b\" \u00e9"}"#, true),
        (r#"{"role":"system","content":"x" }"#, true),
        (r#"{"role":"user","content":"x","name":"n"}"#, false),
        (r#"{"role":"user","content":null}"#, false),
        (r#"{"role":"tool","content":"x"}"#, false),
    ] {
        assert_eq!(read(message), Ok(shape(plain)), "{message}");
    }
    let twice = read(r#"{"role":"user","content":"x","content":"y"}"#).expect_err("refused").message;
    assert!(twice.contains("`messages[0].content` stands twice"), "{twice}");
    for message in
        [r#"{"role":"user","content":"x""#, r#"{"role":"user","content":"x"}}"#, r#"{"role":"user","content":"\x"}"#]
    {
        assert!(read(message).is_err(), "{message}");
    }
}

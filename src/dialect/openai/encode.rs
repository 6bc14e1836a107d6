//! A request as the target's provider wants it, most of it the caller's own bytes.

use bytes::Bytes;

use crate::chat::fields::{EditedObject, New, Rewrite};
use crate::chat::{ChatRequest, Fault};
use crate::dialect::{Outgoing, Target, Wire};

use super::{messages, parameters};

/// The request's own bytes with the target's model, and with what its provider wants otherwise.
pub fn encode(request: &ChatRequest, target: Target<'_>) -> Result<Outgoing, Fault> {
    let wire = target.wire;
    let mut rewrite = request.rewrite();
    rewrite.set("model", New::Text(target.model));
    drop_unset(request, wire, &mut rewrite);
    put_messages(request, wire, &mut rewrite)?;
    parameters::adapt(request, wire, &mut rewrite);
    for name in &wire.drop {
        rewrite.drop_field(name);
    }
    for (name, new_name) in &wire.rename {
        if rewrite.has(new_name) {
            rewrite.drop_field(name);
        } else {
            rewrite.rename(name, new_name);
        }
    }
    for (name, value) in &wire.defaults {
        if !rewrite.has(name) {
            rewrite.set(name.clone(), Bytes::from(value.clone()));
        }
    }
    if !wire.stream_options {
        rewrite.drop_field("stream_options");
    } else if request.stream && !request.include_usage {
        rewrite.set("stream_options", with_usage(request.raw("stream_options")));
    }
    if !wire.only.is_empty() {
        rewrite.retain(|name| wire.only.iter().any(|allowed| allowed.as_bytes() == name));
    }
    Ok(Outgoing { path: "/chat/completions".into(), body: rewrite.finish() })
}

/// A `null` says no more than a field that is missing: it must not stand in the way of a default, nor of a value that gets its name.
fn drop_unset(request: &ChatRequest, wire: &Wire, rewrite: &mut Rewrite<'_>) {
    let renamed = wire.rename.iter().flat_map(|(name, new_name)| [name, new_name]);
    let filled_in = wire.defaults.iter().map(|(name, _)| name);
    for name in renamed.chain(filled_in).filter(|name| request.raw_bytes(name) == Some(b"null")) {
        rewrite.drop_field(name);
    }
}

/// The messages as the provider wants them, and what it has to be told beside them.
fn put_messages(request: &ChatRequest, wire: &Wire, rewrite: &mut Rewrite<'_>) -> Result<(), Fault> {
    // Plain messages are as every provider takes them, unless it minds their order.
    let may_need_change = wire.minds_order() || !request.messages.plain;
    if may_need_change && let Some(messages) = request.raw("messages") {
        let adapted = messages::adapt(messages, request.messages.rare, wire).map_err(|error| unreadable(&error))?;
        if let Some(messages) = adapted.messages {
            rewrite.set("messages", Bytes::from(messages));
        }
        for (name, value) in wire.without_reasoning.iter().filter(|_| adapted.lacks_reasoning) {
            rewrite.set(name.clone(), Bytes::from(value.clone()));
        }
    }
    Ok(())
}

/// The caller's options for the stream, and usage at its end.
fn with_usage(options: Option<&str>) -> Bytes {
    let own = options.and_then(|options| EditedObject::parse(options).ok());
    let Some(mut options) = own else { return Bytes::from_static(br#"{"include_usage":true}"#) };
    options.set("include_usage", "true");
    Bytes::from(options.render())
}

fn unreadable(error: &serde_json::Error) -> Fault {
    let message = format!("a message cannot be read: {error}");
    Fault::Invalid { status: 400, message, param: Some("messages".to_owned()), code: None }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(json: &str, wire: &Wire) -> String {
        let request = ChatRequest::parse(Bytes::copy_from_slice(json.as_bytes())).expect("valid");
        let target = Target { model: "org/m\"x", wire, thinks: true, context: 8192, input_tokens: 1, answer_tokens: 1 };
        let outgoing = encode(&request, target).expect("encoded");
        String::from_utf8(outgoing.body.concat()).expect("UTF-8")
    }

    #[test]
    fn only_the_model_changes_where_the_provider_wants_nothing_else() {
        let json = r#"{"messages":[{"role":"user","content":"\u0000 h\u00e9 😀"}],"model":"auto","seed":12345678901234567890,"x":{"b":1e400}}"#;
        assert_eq!(encoded(json, &Wire::default()), json.replace("\"auto\"", r#""org/m\"x""#));
    }

    #[test]
    fn a_large_body_is_passed_on_without_a_copy_and_a_small_one_with_few_allocations() {
        let json = |size: usize| {
            Bytes::from(format!(
                r#"{{"model":"auto","messages":[{{"role":"user","content":"{}"}}],"seed":7}}"#,
                "x".repeat(size)
            ))
        };
        let (small, large, wire) = (json(1_000), json(300_000), Wire::default());
        let target = Target { model: "m", wire: &wire, thinks: true, context: 8192, input_tokens: 1, answer_tokens: 1 };
        let pass = |body: &Bytes| {
            allocation_counter::measure(|| {
                let request = ChatRequest::parse(body.clone()).expect("valid");
                let outgoing = encode(&request, target).expect("encoded");
                assert_eq!(outgoing.body.iter().map(Bytes::len).sum::<usize>(), body.len() - 3);
            })
        };
        pass(&small);
        let (small, large) = (pass(&small), pass(&large));
        assert!(small.count_total <= 3, "{} allocations", small.count_total);
        assert!(large.count_total <= 4, "{} allocations for 300 KB", large.count_total);
        assert!(large.bytes_total < 2_048, "{} bytes for 300 KB", large.bytes_total);
    }

    #[test]
    fn fields_are_dropped_renamed_and_filled_in_as_the_wire_table_says() {
        let wire = Wire {
            drop: vec!["logprobs".to_owned()],
            rename: vec![
                ("max_completion_tokens".to_owned(), "max_tokens".to_owned()),
                ("seed".to_owned(), "random_seed".to_owned()),
            ],
            defaults: vec![("temperature".to_owned(), "0.5".to_owned())],
            ..Wire::default()
        };
        let json = r#"{"model":"m","messages":[{"role":"user","content":"x"}],"logprobs":true,"seed":1,"max_completion_tokens":9,"max_tokens":8}"#;
        assert_eq!(
            encoded(json, &wire),
            r#"{"model":"org/m\"x","messages":[{"role":"user","content":"x"}],"random_seed":1,"max_tokens":8,"temperature":0.5}"#
        );
    }

    #[test]
    fn a_null_hides_no_default_any_more_and_no_value_under_another_name() {
        let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let wire = Wire {
            rename: vec![pair("max_completion_tokens", "max_tokens"), pair("seed", "random_seed")],
            defaults: vec![pair("max_tokens", "4096")],
            ..Wire::default()
        };
        for (sent, expected) in [
            (r#""max_tokens":null"#, r#""max_tokens":4096"#),
            (r#""max_completion_tokens":null,"seed":null"#, r#""max_tokens":4096"#),
            (r#""max_tokens":null,"max_completion_tokens":50"#, r#""max_tokens":50"#),
            (r#""max_tokens":50,"max_completion_tokens":null"#, r#""max_tokens":50"#),
            (r#""max_tokens":50,"top_p":null"#, r#""max_tokens":50,"top_p":null"#),
        ] {
            let json =
                |fields: &str| format!(r#"{{"model":"m","messages":[{{"role":"user","content":"x"}}],{fields}}}"#);
            let expected = json(expected).replacen(r#""m""#, r#""org/m\"x""#, 1);
            assert_eq!(encoded(&json(sent), &wire), expected, "{sent}");
        }
    }

    #[test]
    fn a_call_of_another_model_is_refused_no_more_but_the_model_told_not_to_think() {
        let wire = Wire {
            reasoning_field: Some("reasoning_content".to_owned()),
            without_reasoning: vec![("thinking".to_owned(), r#"{"type":"disabled"}"#.to_owned())],
            ..Wire::default()
        };
        let called = r#"{"model":"m","thinking":{"type":"enabled"},"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"a"}]}]}"#;
        assert!(encoded(called, &wire).contains(r#""thinking":{"type":"disabled"}"#));
        let explained = r#"{"model":"m","messages":[{"role":"assistant","content":null,"reasoning":"hm","tool_calls":[{"id":"a"}]}]}"#;
        let sent = encoded(explained, &wire);
        assert!(sent.contains(r#""reasoning_content":"hm""#) && !sent.contains("thinking"), "{sent}");
    }

    #[test]
    fn a_stream_asks_for_usage_unless_the_provider_refuses_the_question() {
        let json = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
        assert!(encoded(json, &Wire::default()).ends_with(r#""stream_options":{"include_usage":true}}"#));
        let own = r#"{"model":"m","stream":true,"stream_options":{"include_usage":false,"include_obfuscation":true},"messages":[{"role":"user","content":"x"}]}"#;
        let extended = r#""stream_options":{"include_usage":true,"include_obfuscation":true}"#;
        assert!(encoded(own, &Wire::default()).contains(extended));
        assert!(!encoded(json, &Wire { stream_options: false, ..Wire::default() }).contains("stream_options"));
    }
}

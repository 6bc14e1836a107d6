//! OpenAI's chat completions: what most providers speak, adapted by each one's `[wire]` table.

mod classify;
mod messages;
mod refusal;
mod repair;
mod scan;

pub use classify::classify;
pub use scan::Scanner;

use repair::Repair;

use bytes::Bytes;
use jiff::Timestamp;

use crate::chat::event::{Choice, Finish};
use crate::chat::{Breakage, ChatRequest, Chunk, Fault};

use super::{Outgoing, Target, Whole};

/// The request's own bytes with the target's model, and with what its provider wants otherwise.
pub fn encode(request: &ChatRequest, target: Target<'_>) -> Result<Outgoing, Fault> {
    let wire = target.wire;
    let mut rewrite = request.rewrite();
    rewrite.set("model", Bytes::from(serde_json::Value::from(target.model).to_string()));
    let messages = request.raw("messages").unwrap_or("[]");
    if let Some(adapted) = messages::adapt(messages, wire).map_err(|error| unreadable(&error))? {
        rewrite.set("messages", Bytes::from(adapted));
    }
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
        rewrite.set("stream_options", Bytes::from_static(br#"{"include_usage":true}"#));
    }
    if !wire.only.is_empty() {
        rewrite.retain(|name| wire.only.iter().any(|allowed| allowed == name));
    }
    Ok(Outgoing { path: "/chat/completions".to_owned(), body: rewrite.finish() })
}

fn unreadable(error: &serde_json::Error) -> Fault {
    let message = format!("a message cannot be read: {error}");
    Fault::Invalid { status: 400, message, param: Some("messages".to_owned()), code: None }
}

/// Reads a plain answer. Blank lines before the JSON are a provider's keep-alive (DeepSeek, 2026-08).
pub fn decode(body: Bytes, _: Target<'_>, now: Timestamp) -> Result<Whole, Fault> {
    let blank = body.len() - body.trim_ascii_start().len();
    let body = body.slice(blank..);
    if body.is_empty() {
        return Err(Fault::Broken(Breakage::Empty));
    }
    let Ok(chunk) = Chunk::parse(&body) else {
        return Err(classify::in_band(&body, now).unwrap_or(Fault::Broken(Breakage::NotJson)));
    };
    if chunk.error.is_some() || chunk.choices.is_none() {
        return Err(classify::in_band(&body, now).unwrap_or(Fault::Broken(Breakage::Empty)));
    }
    let signs = chunk.signs();
    if !has_answer(chunk.choices.as_deref().unwrap_or_default(), signs.finish) {
        return Err(Fault::Broken(Breakage::Empty));
    }
    let mended = std::str::from_utf8(&body).ok().and_then(|json| Repair::default().mend(json, &chunk));
    Ok(Whole { usage: signs.usage, finish: signs.finish, body: mended.map_or_else(|| body.clone(), Bytes::from) })
}

/// An answer may be empty only where the provider says why: cut at the token limit, or filtered.
fn has_answer(choices: &[Choice<'_>], finish: Option<Finish>) -> bool {
    match finish {
        Some(Finish::Failed) => false,
        Some(Finish::Length | Finish::ContentFilter) => true,
        _ => choices.iter().any(Choice::has_substance),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Wire;

    fn encoded(json: &'static str, wire: &Wire) -> String {
        let request = ChatRequest::parse(Bytes::from_static(json.as_bytes())).expect("valid");
        let target = Target { model: "org/m\"x", wire, context: 8192, input_tokens: 1, answer_tokens: 1 };
        let outgoing = encode(&request, target).expect("encoded");
        String::from_utf8(outgoing.body.concat()).expect("UTF-8")
    }

    #[test]
    fn only_the_model_changes_where_the_provider_wants_nothing_else() {
        let json = r#"{"messages":[{"role":"user","content":"\u0000 h\u00e9 😀"}],"model":"auto","seed":12345678901234567890,"x":{"b":1e400}}"#;
        assert_eq!(encoded(json, &Wire::default()), json.replace("\"auto\"", r#""org/m\"x""#));
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
    fn a_stream_asks_for_usage_unless_the_provider_refuses_the_question() {
        let json = r#"{"model":"m","stream":true,"messages":[{"role":"user","content":"x"}]}"#;
        assert!(encoded(json, &Wire::default()).ends_with(r#""stream_options":{"include_usage":true}}"#));
        assert!(!encoded(json, &Wire { stream_options: false, ..Wire::default() }).contains("stream_options"));
    }

    #[test]
    fn successes_without_an_answer_are_failures() {
        let decoded = |json: &'static str| {
            let wire = Wire::default();
            let target = Target { model: "m", wire: &wire, context: 8192, input_tokens: 1, answer_tokens: 1 };
            decode(Bytes::from_static(json.as_bytes()), target, Timestamp::UNIX_EPOCH)
                .map(|whole| whole.usage.is_some())
        };
        assert_eq!(
            decoded(
                "\n\n{\"choices\":[{\"message\":{\"content\":\"x\"},\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1}}"
            ),
            Ok(true)
        );
        assert_eq!(decoded(r#"{"choices":[{"message":{"content":""},"finish_reason":"length"}]}"#), Ok(false));
        for json in [
            r#"{"choices":[]}"#,
            r#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#,
            "",
            r#"{"id":"x"}"#,
        ] {
            assert_eq!(decoded(json), Err(Fault::Broken(Breakage::Empty)), "{json}");
        }
        for json in ["<html></html>", r#"{"choices":[{"index":0,"mess"#, "7"] {
            assert_eq!(decoded(json), Err(Fault::Broken(Breakage::NotJson)), "{json}");
        }
        assert_eq!(decoded(r#"{"error":{"code":502,"message":"x"}}"#), Err(Fault::Broken(Breakage::Status(502))));
    }
}

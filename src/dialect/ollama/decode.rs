//! A whole answer made OpenAI's, or the failure hidden in it.

use bytes::Bytes;
use jiff::Timestamp;

use crate::chat::event::Finish;
use crate::chat::{Breakage, Fault};
use crate::dialect::{Target, Whole};

use super::answer::{Head, finish_reason};
use super::classify;
use super::native::Native;

/// Reads a plain answer.
pub fn decode(body: Bytes, target: Target<'_>, now: Timestamp) -> Result<Whole, Fault> {
    if body.trim_ascii().is_empty() {
        return Err(Fault::Broken(Breakage::Empty));
    }
    let native = Native::parse(&body).map_err(|_| Fault::Broken(Breakage::NotJson))?;
    if native.error.is_some() {
        return Err(classify::in_band(&body, now));
    }
    let usage = native.usage();
    let said = native.message.unwrap_or_default();
    let done_reason = native.done_reason.as_deref();
    // An answer may be empty only where it was cut at the token limit; `load` and `unload` are none at all.
    if !said.has_answer() && done_reason != Some("length") {
        return Err(Fault::Broken(Breakage::Empty));
    }
    let finish = finish_reason(done_reason, !said.calls().is_empty());
    let body = Head::new(target.model, now).completion(&said, finish, usage);
    Ok(Whole { body: body.into(), text: None, usage, finish: Some(Finish::of(finish)) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Wire;

    fn decoded(json: &'static str) -> Result<String, Fault> {
        let wire = Wire::default();
        let target = Target { model: "m", wire: &wire, thinks: true, context: 8192, input_tokens: 1, answer_tokens: 1 };
        let whole = decode(Bytes::from_static(json.as_bytes()), target, Timestamp::UNIX_EPOCH)?;
        Ok(String::from_utf8(whole.body.to_vec()).expect("UTF-8"))
    }

    #[test]
    fn successes_without_an_answer_are_failures() {
        for json in [
            "",
            "\n",
            r#"{"id":"x"}"#,
            r#"{"message":{"role":"assistant","content":""},"done":true,"done_reason":"load"}"#,
            r#"{"message":{"role":"assistant","content":""},"done":true,"done_reason":"stop"}"#,
            r#"{"message":{"role":"assistant","content":"\n","thinking":"Hm."},"done":true,"done_reason":"stop"}"#,
        ] {
            assert_eq!(decoded(json), Err(Fault::Broken(Breakage::Empty)), "{json}");
        }
        for json in ["<html></html>", r#"{"message":{"content":"x"#, "7"] {
            assert_eq!(decoded(json), Err(Fault::Broken(Breakage::NotJson)), "{json}");
        }
        assert_eq!(decoded(r#"{"error":"model 'x' not found"}"#), Err(Fault::Gone));
    }

    #[test]
    fn an_answer_cut_at_the_limit_may_be_empty() {
        let json = r#"{"message":{"content":""},"done":true,"done_reason":"length","eval_count":9}"#;
        let body = decoded(json).expect("an answer");
        assert!(body.contains(r#""content":"""#) && body.contains(r#""finish_reason":"length""#), "{body}");
    }

    #[test]
    fn arguments_become_text_and_given_ids_are_kept() {
        let json = r#"{"message":{"content":"","tool_calls":[{"id":"call_own","function":{"name":"f","arguments":{"a": 1e400}}},{"function":{"name":"g","arguments":"{\"b\":2}"}},{"function":{"name":"h"}}]},"done":true,"done_reason":"stop"}"#;
        let body = decoded(json).expect("an answer");
        for part in [
            r#""content":null"#,
            r#"{"id":"call_own","type":"function","function":{"name":"f","arguments":"{\"a\": 1e400}"}}"#,
            r#"{"id":"call_0_1","type":"function","function":{"name":"g","arguments":"{\"b\":2}"}}"#,
            r#""arguments":"{}""#,
            r#""finish_reason":"tool_calls""#,
        ] {
            assert!(body.contains(part), "{part} in {body}");
        }
    }
}

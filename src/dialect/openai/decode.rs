//! A whole answer: checked, mended where a client would stumble, else the provider's own bytes.

use bytes::Bytes;
use jiff::Timestamp;

use crate::chat::chunk::Choice;
use crate::chat::event::Finish;
use crate::chat::{Breakage, Chunk, Fault};
use crate::dialect::{Target, Whole};

use super::classify;
use super::repair::Repair;
use super::scan::BYTE_ORDER_MARK;

/// Reads a plain answer. Blank lines before the JSON are a provider's keep-alive (DeepSeek, 2026-08); a mark of the byte order is
/// none of it.
pub fn decode(body: Bytes, _: Target<'_>, now: Timestamp) -> Result<Whole, Fault> {
    let marked = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&body);
    let blank = body.len() - marked.trim_ascii_start().len();
    let body = body.slice(blank..);
    if body.is_empty() {
        return Err(Fault::Broken(Breakage::Empty));
    }
    let Ok(chunk) = Chunk::parse_whole(&body) else {
        return Err(classify::in_band(&body, now).unwrap_or(Fault::Broken(Breakage::NotJson)));
    };
    if chunk.error.is_some() || chunk.choices.is_none() {
        return Err(classify::in_band(&body, now).unwrap_or(Fault::Broken(Breakage::Empty)));
    }
    let signs = chunk.signs();
    if !has_answer(chunk.choices.as_deref().unwrap_or_default(), signs.finish) {
        return Err(Fault::Broken(Breakage::Empty));
    }
    let (usage, finish) = (signs.usage, signs.finish);
    if let Some(mended) = Repair::of_whole().mend(&body, &chunk) {
        return Ok(Whole { body: mended.into(), text: None, usage, finish });
    }
    Ok(Whole { text: chunk.text_place(&body), body: body.clone(), usage, finish })
}

/// An answer may be empty only where the provider says why: cut at the token limit, or filtered.
fn has_answer(choices: &[Choice<'_>], finish: Option<Finish>) -> bool {
    match finish {
        Some(Finish::Failed) => false,
        Some(Finish::Length | Finish::ContentFilter) => true,
        _ => choices.iter().any(Choice::has_answer),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Wire;

    #[test]
    fn successes_without_an_answer_are_failures() {
        let decoded = |json: &'static str| {
            let wire = Wire::default();
            let target =
                Target { model: "m", wire: &wire, thinks: true, context: 8192, input_tokens: 1, answer_tokens: 1 };
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
        let both = r#"{"choices":[{"message":{"content":"x"},"delta":{"content":""},"finish_reason":"stop"}]}"#;
        assert_eq!(decoded(both), Ok(false));
        assert_eq!(decoded("\u{feff}{\"choices\":[{\"message\":{\"content\":\"x\"}}]}"), Ok(false));
        for json in [
            r#"{"choices":[]}"#,
            r#"{"choices":[{"message":{"content":null},"finish_reason":"stop"}]}"#,
            r#"{"choices":[{"message":{"content":" \n","reasoning":"Hm."},"finish_reason":"stop"}]}"#,
            r#"{"choices":[{"message":{"content":[{"type":"thinking","thinking":[]}]},"finish_reason":"stop"}]}"#,
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

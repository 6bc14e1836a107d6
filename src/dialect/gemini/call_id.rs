//! Ids of tool calls: stable for one answer, and able to tell which model the call was made by.

use crate::chat::ToolCall;

const PREFIX: &str = "call_gm";
const MODEL_DIGITS: usize = 6;
const CALL_DIGITS: usize = 12;

/// The id of the `index`th call of choice `choice` in the answer `answer` by `model`.
pub fn call_id(model: &str, answer: &str, choice: u32, index: usize) -> String {
    let call = hash(&format!("{answer}\n{choice}\n{index}"));
    format!("{PREFIX}{:06x}{:012x}", hash(model) & 0xff_ffff, call & 0xffff_ffff_ffff)
}

/// The signature to send with a call: none where the call's id says that another model made it, because a foreign
/// signature is an error and a missing one can be stood in for.
pub fn usable_signature<'a>(call: &'a ToolCall<'_>, model: &str) -> Option<&'a str> {
    let signature = call.thought_signature.as_deref().filter(|signature| !signature.is_empty())?;
    let maker = call
        .id
        .strip_prefix(PREFIX)
        .filter(|rest| rest.len() == MODEL_DIGITS + CALL_DIGITS && rest.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .map(|rest| &rest[..MODEL_DIGITS]);
    let own = format!("{:06x}", hash(model) & 0xff_ffff);
    maker.is_none_or(|maker| maker == own).then_some(signature)
}

/// FNV-1a: the same on every machine and in every release, which ids that live in callers' histories need.
fn hash(text: &str) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn call(id: String) -> ToolCall<'static> {
        ToolCall {
            id: id.into(),
            name: "f".into(),
            arguments: "{}".into(),
            thought_signature: Some("signature".into()),
        }
    }

    #[test]
    fn a_signature_goes_back_to_the_model_that_made_it_and_to_no_other() {
        let own = call(call_id("a", "answer", 0, 0));
        assert_eq!(usable_signature(&own, "a"), Some("signature"));
        assert_eq!(usable_signature(&own, "b"), None);
        assert_eq!(usable_signature(&call("call_abc_123456".to_owned()), "b"), Some("signature"));
    }

    #[test]
    fn ids_differ_by_answer_choice_and_place() {
        let ids = [("x", 0, 0), ("x", 0, 1), ("x", 1, 0), ("y", 0, 0)];
        let ids: std::collections::HashSet<String> =
            ids.iter().map(|(answer, choice, index)| call_id("m", answer, *choice, *index)).collect();
        assert_eq!(ids.len(), 4);
        assert!(ids.iter().all(|id| id.len() == PREFIX.len() + MODEL_DIGITS + CALL_DIGITS));
    }
}

//! The history as a provider wants it: fields it refuses taken out, ids and order as it checks them. Untouched messages stay the bytes they were.

use std::borrow::Cow;

use crate::chat::fields::{EditedObject, is_empty_list, is_filled_list, list, quoted};
use crate::dialect::{Names, ToolIds, Wire};

use super::functions::Functions;
use super::order::{self, Ordered};

/// What models say about their thinking, under every provider's name for it. Sent back, most providers answer 400.
const REASONING_FIELDS: [&str; 5] =
    ["reasoning_content", "reasoning", "reasoning_details", "thinking", "thought_signature"];

/// What became of a request's messages.
#[derive(Debug, Default)]
pub struct Adapted {
    /// As JSON, or `None` where they can go as they are.
    pub messages: Option<String>,
    /// A call is among them without the reasoning that led to it.
    pub lacks_reasoning: bool,
}

/// The messages as the provider wants them.
///
/// `rare`: they hold what few providers know. Fails when a message is not the object it should be.
pub fn adapt(messages: &str, rare: bool, wire: &Wire) -> Result<Adapted, serde_json::Error> {
    if !rare && !may_need_change(messages, wire) {
        return Ok(Adapted::default());
    }
    let mut lacks_reasoning = false;
    let mut functions = Functions::default();
    let mut history = Ordered { messages: Vec::new(), changed: false };
    for raw in list(messages)? {
        let mut message = EditedObject::parse(raw)?;
        let touched = adapt_message(&mut message, wire, &mut functions)?;
        lacks_reasoning |= is_unexplained(&message, wire);
        history.changed |= touched;
        history.messages.push(if touched { Cow::Owned(message.render()) } else { Cow::Borrowed(raw) });
    }
    if wire.system_first {
        history = order::system_first(history)?;
    }
    if wire.strict_order {
        history = order::strictly(history)?;
    }
    let messages = history.changed.then(|| format!("[{}]", history.messages.join(",")));
    Ok(Adapted { messages, lacks_reasoning })
}

/// Whether a message calls tools and says nothing of why, as that of another model or a forgetful client.
fn is_unexplained(message: &EditedObject<'_>, wire: &Wire) -> bool {
    makes_calls(message) && wire.reasoning_field.as_ref().is_some_and(|field| message.get(field).is_none())
}

/// A look at the bytes: most conversations hold nothing that any provider minds.
fn may_need_change(messages: &str, wire: &Wire) -> bool {
    let holds = |needle: &str| memchr::memmem::find(messages.as_bytes(), needle.as_bytes()).is_some();
    wire.minds_order()
        || wire.tool_ids != ToolIds::Any
        || !wire.message_fields.is_empty()
        || !(wire.null_content && wire.null_answers)
        || (!wire.without_reasoning.is_empty() && holds("\"tool_calls\""))
        || (wire.flatten && holds("["))
        || (wire.names != Names::All && holds("\"name\""))
        || (!wire.developer && holds("\"developer\""))
        || REASONING_FIELDS.iter().any(|field| holds(field))
        || holds("extra_content")
}

/// Whether there is a call among the message's `tool_calls`.
pub fn makes_calls(message: &EditedObject<'_>) -> bool {
    message.get("tool_calls").is_some_and(is_filled_list)
}

fn adapt_message(
    message: &mut EditedObject<'_>,
    wire: &Wire,
    functions: &mut Functions,
) -> Result<bool, serde_json::Error> {
    let before = message.clone();
    functions.rewrite(message);
    // OpenAI refuses it, and so do templates that count the calls.
    if message.get("tool_calls").is_some_and(is_empty_list) {
        message.remove("tool_calls");
    }
    let role = message.text("role").unwrap_or_default();
    if role == "developer" && !wire.developer {
        message.set("role", r#""system""#);
    }
    let thought = rewrite_parts(message)?;
    move_reasoning(message, thought, wire);
    let may_have_name = match wire.names {
        Names::All => true,
        Names::Tool => role == "tool",
        Names::None => false,
    };
    if !may_have_name {
        message.remove("name");
    }
    if !wire.message_fields.is_empty() {
        keep_known(message, &wire.message_fields);
    }
    if wire.flatten
        && let Some(text) = message.get("content").filter(|content| content.starts_with('[')).and_then(flat_text)
    {
        message.set("content", quoted(&text));
    }
    let may_be_null = wire.null_content && (wire.null_answers || role != "assistant" || makes_calls(message));
    if !may_be_null && message.get("content").is_none_or(|content| content == "null") {
        message.set("content", r#""""#);
    }
    adapt_tool_calls(message, wire)?;
    Ok(message.render() != before.render())
}

fn keep_known(message: &mut EditedObject<'_>, fields: &[String]) {
    message.retain(|name| fields.iter().any(|allowed| allowed == name));
    if let Some(parts) = message.get("content").and_then(unmarked) {
        message.set("content", parts);
    }
}

/// A list of objects without the marks that Anthropic's clients put on what is to be cached; `None` where there are none. Closed schemas
/// refuse them.
pub fn unmarked(objects: &str) -> Option<String> {
    const MARK: &str = "cache_control";
    memchr::memmem::find(objects.as_bytes(), MARK.as_bytes()).filter(|_| objects.starts_with('['))?;
    let mut plain = Vec::new();
    for raw in list(objects).ok()? {
        let mut object = EditedObject::parse(raw).ok()?;
        plain.push(if object.remove(MARK).is_some() { Cow::Owned(object.render()) } else { Cow::Borrowed(raw) });
    }
    Some(format!("[{}]", plain.join(",")))
}

/// Takes reasoning out, and gives it back under the one name the provider wants it under. `thought` stood in parts of the content.
fn move_reasoning(message: &mut EditedObject<'_>, thought: String, wire: &Wire) {
    let mut reasoning = None;
    for field in REASONING_FIELDS {
        let value = message.remove(field).filter(|value| value.starts_with('"') && value != r#""""#);
        reasoning = reasoning.or(value);
    }
    let in_parts = (!thought.is_empty()).then(|| Cow::Owned(quoted(&thought)));
    if let (Some(name), Some(value)) = (&wire.reasoning_field, reasoning.or(in_parts)) {
        message.set(name.clone(), value);
    }
}

/// Takes thinking out of contents in parts (what Mistral's reasoning models answer, and nobody else takes back), and tells its text.
/// A refusal is the model's word like any other: as such a part of its own few know it.
fn rewrite_parts(message: &mut EditedObject<'_>) -> Result<String, serde_json::Error> {
    let mut thought = String::new();
    let is_odd =
        |content: &str| content.starts_with('[') && (content.contains("thinking") || content.contains("refusal"));
    let Some(parts) = message.get("content").filter(|content| is_odd(content)) else { return Ok(thought) };
    let mut kept: Vec<Cow<'_, str>> = Vec::new();
    for raw in list(parts)? {
        let part = EditedObject::parse(raw)?;
        match (part.text("type").as_deref(), part.get("refusal")) {
            (Some("thinking" | "redacted_thinking"), _) => {
                let text = part.text("thinking").or_else(|| flat_text(part.get("thinking")?));
                thought.push_str(&text.unwrap_or_default());
            }
            (Some("refusal"), Some(text)) => kept.push(format!(r#"{{"type":"text","text":{text}}}"#).into()),
            _ => kept.push(raw.into()),
        }
    }
    let content = if kept.is_empty() { r#""""#.to_owned() } else { format!("[{}]", kept.join(",")) };
    message.set("content", content);
    Ok(thought)
}

fn adapt_tool_calls(message: &mut EditedObject<'_>, wire: &Wire) -> Result<(), serde_json::Error> {
    if wire.tool_ids == ToolIds::Alphanumeric9
        && let Some(id) = message.text("tool_call_id")
    {
        message.set("tool_call_id", quoted(&nine_characters(&id)));
    }
    let Some(calls) = message.get("tool_calls").filter(|calls| calls.starts_with('[')).map(str::to_owned) else {
        return Ok(());
    };
    let mut adapted = Vec::new();
    for raw in list(&calls)? {
        let mut call = EditedObject::parse(raw)?;
        let had_extra = call.remove("extra_content").is_some();
        let id = call.text("id").unwrap_or_default();
        let new_id = if wire.tool_ids == ToolIds::Alphanumeric9 { nine_characters(&id) } else { id.clone() };
        if new_id != id {
            call.set("id", quoted(&new_id));
        }
        adapted.push(if had_extra || new_id != id { call.render() } else { raw.to_owned() });
    }
    message.set("tool_calls", format!("[{}]", adapted.join(",")));
    Ok(())
}

/// The same nine letters and digits for the same id, wherever it stands. An id that is already such stays.
fn nine_characters(id: &str) -> String {
    const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    if id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return id.to_owned();
    }
    // FNV-1a over 128 bits: its low bits spread well, and it needs no crate.
    let mut hash: u128 = 0x6C62_272E_07BB_0142_62B8_2175_6295_C58D;
    for byte in id.bytes() {
        hash = (hash ^ u128::from(byte)).wrapping_mul(0x0000_0000_0100_0000_0000_0000_0000_013B);
    }
    let digit = |place: u32| char::from(DIGITS[usize::try_from(hash / 62_u128.pow(place) % 62).unwrap_or(0)]);
    (0..9).map(digit).collect()
}

/// The text of a list of parts, when it holds nothing else.
pub fn flat_text(parts: &str) -> Option<String> {
    let mut text = String::new();
    for raw in list(parts).ok()? {
        let part = EditedObject::parse(raw).ok()?;
        if part.text("type").is_some_and(|kind| kind != "text") {
            return None;
        }
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&part.text("text")?);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::ChatRequest;

    fn is_rare(messages: &str) -> bool {
        let request = ChatRequest::parse(format!(r#"{{"messages":{messages}}}"#).into()).expect("valid");
        request.messages.rare
    }

    fn adapted(messages: &str, wire: &Wire) -> String {
        adapt(messages, is_rare(messages), wire)
            .expect("valid messages")
            .messages
            .unwrap_or_else(|| "unchanged".to_owned())
    }

    #[test]
    fn what_no_provider_minds_goes_as_it_came() {
        let messages =
            r#"[ {"role":"user", "content":"the \u0000 reason"},{"role":"assistant","content":"b","x":1e400}]"#;
        assert_eq!(adapted(messages, &Wire::default()), "unchanged");
    }

    #[test]
    fn reasoning_is_left_out_of_the_history_or_given_back_by_its_right_name() {
        let messages =
            r#"[{"role":"user","content":"a"},{"role":"assistant","content":"b","reasoning":"hm","thinking":"x"}]"#;
        assert_eq!(
            adapted(messages, &Wire::default()),
            r#"[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]"#
        );
        let wire = Wire { reasoning_field: Some("reasoning_content".to_owned()), ..Wire::default() };
        assert!(adapted(messages, &wire).contains(r#""content":"b","reasoning_content":"hm"}"#));
    }

    #[test]
    fn thinking_in_parts_is_left_out_too() {
        let part = |inner: &str| format!(r#"[{{"role":"assistant","content":[{inner}]}}]"#);
        let thinking = r#"{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}"#;
        let text = r#"{"type":"text","text":"18"}"#;
        assert_eq!(adapted(&part(&format!("{thinking},{text}")), &Wire::default()), part(text));
        assert_eq!(adapted(&part(thinking), &Wire::default()), r#"[{"role":"assistant","content":""}]"#);
    }

    #[test]
    fn marks_of_what_to_cache_stay_behind_where_the_schema_is_closed() {
        let parts = |mark: &str| format!(r#"[{{"role":"user","content":[{{"type":"text","text":"a"{mark}}}]}}]"#);
        let (marked, plain) = (parts(r#","cache_control":{"type":"ephemeral"}"#), parts(""));
        let wire = Wire { message_fields: ["role", "content"].map(str::to_owned).to_vec(), ..Wire::default() };
        assert_eq!((adapted(&marked, &wire), adapted(&marked, &Wire::default())), (plain, "unchanged".to_owned()));
    }

    #[test]
    fn calls_without_their_reasoning_are_told_apart() {
        let wire = Wire {
            reasoning_field: Some("reasoning_content".to_owned()),
            without_reasoning: vec![("thinking".to_owned(), r#"{"type":"disabled"}"#.to_owned())],
            ..Wire::default()
        };
        let history =
            |assistant: &str| format!(r#"[{{"role":"user","content":"x"}},{{"role":"assistant",{assistant}}}]"#);
        let (call, thinking) =
            (r#""tool_calls":[{"id":"a"}]"#, r#"{"type":"thinking","thinking":[{"type":"text","text":"hm"}]}"#);
        for (assistant, lacks_reasoning) in [
            (format!(r#""content":null,{call}"#), true),
            (format!(r#""content":null,"reasoning":"",{call}"#), true),
            (format!(r#""content":null,"reasoning":"hm",{call}"#), false),
            (format!(r#""content":[{thinking}],{call}"#), false),
            (r#""content":"so","tool_calls":[]"#.to_owned(), false),
            (r#""content":"so""#.to_owned(), false),
        ] {
            let adapted = adapt(&history(&assistant), false, &wire).expect("valid messages");
            assert_eq!(adapted.lacks_reasoning, lacks_reasoning, "{assistant}");
            let adapted = adapt(&history(&assistant), false, &Wire::default()).expect("valid messages");
            assert!(!adapted.lacks_reasoning, "{assistant}");
        }
        let moved = adapted(&history(&format!(r#""content":[{thinking}],{call}"#)), &wire);
        assert!(moved.ends_with(r#""content":"","tool_calls":[{"id":"a"}],"reasoning_content":"hm"}]"#), "{moved}");
    }

    #[test]
    fn a_call_in_the_older_form_is_refused_and_half_stripped_no_more() {
        let messages = r#"[{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}},{"role":"function","name":"f","content":"18"}]"#;
        let expected = r#"[{"role":"assistant","content":null,"tool_calls":[{"id":"function_1","type":"function","function":{"name":"f","arguments":"{}"}}]},{"role":"tool","content":"18","tool_call_id":"function_1"}]"#;
        let wire = Wire {
            names: Names::None,
            message_fields: ["role", "content", "tool_calls", "tool_call_id"].map(str::to_owned).to_vec(),
            ..Wire::default()
        };
        assert_eq!(adapted(messages, &wire), expected);
        assert_eq!(adapted(messages, &Wire { names: Names::None, ..Wire::default() }), expected);
        let answer = |calls: &str| format!(r#"[{{"role":"assistant","content":null,{calls}}}]"#);
        let (older, newer) = (r#""function_call":{"name":"f"}"#, r#""tool_calls":[{"id":"a"},{"id":"b"}]"#);
        let rewritten = r#""tool_calls":[{"id":"function_1","type":"function","function":{"name":"f"}}]"#;
        assert_eq!(adapted(&answer(&format!("{older},{newer}")), &Wire::default()), answer(newer));
        for unset in ["null", "[]", "[ ]"] {
            let both = answer(&format!(r#""tool_calls":{unset},{older}"#));
            assert_eq!(adapted(&both, &Wire::default()), answer(rewritten));
        }
        let none = r#"[{"role":"assistant","content":"so","function_call":null}]"#;
        assert_eq!(adapted(none, &Wire::default()), "unchanged");
    }

    #[test]
    fn an_empty_list_of_calls_is_refused_no_more_but_left_out() {
        let answer = |rest: &str| format!(r#"[{{"role":"assistant","content":"so"{rest}}}]"#);
        for empty in [r#","tool_calls":[]"#, r#","tool_calls": [ ]"#] {
            assert_eq!(adapted(&answer(empty), &Wire::default()), answer(""));
        }
        for other in [r#","tool_calls":null"#, r#","tool_calls":[{"id":"a"}]"#] {
            assert_eq!(adapted(&answer(other), &Wire::default()), "unchanged");
        }
    }

    #[test]
    fn a_refusal_in_a_part_of_its_own_is_refused_no_more_but_text() {
        let messages = r#"[{"role":"assistant","content":[{"type":"refusal","refusal":"no \"f\""}]}]"#;
        let text = r#"[{"role":"assistant","content":[{"type":"text","text":"no \"f\""}]}]"#;
        assert_eq!(adapted(messages, &Wire::default()), text);
        let wire = Wire { flatten: true, ..Wire::default() };
        assert_eq!(adapted(messages, &wire), r#"[{"role":"assistant","content":"no \"f\""}]"#);
        let none = r#"[{"role":"assistant","content":"so","refusal":null}]"#;
        assert_eq!(adapted(none, &Wire::default()), "unchanged");
    }

    #[test]
    fn roles_names_contents_and_fields_follow_the_wire_table() {
        let messages = r#"[{"role":"developer","content":[{"type":"text","text":"a"},{"type":"text","text":"b"}]},{"role":"user","content":"x","name":"bob"},{"role":"assistant","content":null,"refusal":null,"tool_calls":[{"id":"c","extra_content":{}}]},{"role":"tool","name":"f","tool_call_id":"c","content":"1"}]"#;
        let wire = Wire {
            names: Names::Tool,
            flatten: true,
            null_content: false,
            message_fields: ["role", "content", "name", "tool_calls", "tool_call_id"].map(str::to_owned).to_vec(),
            ..Wire::default()
        };
        assert_eq!(
            adapted(messages, &wire),
            r#"[{"role":"system","content":"a\nb"},{"role":"user","content":"x"},{"role":"assistant","content":"","tool_calls":[{"id":"c"}]},{"role":"tool","name":"f","tool_call_id":"c","content":"1"}]"#
        );
    }

    #[test]
    fn an_answer_that_says_nothing_is_refused_no_more_and_null_stays_beside_calls() {
        let wire = Wire { null_answers: false, ..Wire::default() };
        let answer = |content: &str| format!(r#"[{{"role":"assistant","content":{content}}}]"#);
        assert_eq!(adapted(&answer("null"), &wire), answer(r#""""#));
        assert_eq!(adapted(&answer(r#"null,"tool_calls":[{"id":"a"}]"#), &wire), "unchanged");
    }

    #[test]
    fn images_are_not_flattened_away() {
        let messages = r#"[{"role":"user","content":[{"type":"text","text":"a"},{"type":"image_url","image_url":{"url":"data:"}}]}]"#;
        assert_eq!(adapted(messages, &Wire { flatten: true, ..Wire::default() }), "unchanged");
    }

    #[test]
    fn tool_ids_become_nine_characters_alike_in_call_and_result() {
        let messages = r#"[{"role":"user","content":"x"},{"role":"assistant","content":"","tool_calls":[{"id":"call_abc_123456"},{"id":"abcDEF123"}]},{"role":"tool","tool_call_id":"call_abc_123456","content":"1"},{"role":"tool","tool_call_id":"abcDEF123","content":"2"}]"#;
        let out = adapted(messages, &Wire { tool_ids: ToolIds::Alphanumeric9, ..Wire::default() });
        let id = nine_characters("call_abc_123456");
        assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
        assert_eq!(
            (out.matches(&id).count(), out.matches("abcDEF123").count(), out.contains("call_abc")),
            (2, 2, false)
        );
        assert_ne!(nine_characters("call_abc_123457"), id);
    }
}

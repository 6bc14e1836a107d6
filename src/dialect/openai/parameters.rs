//! A request's parameters as a provider takes them: the nearest value in the place of one it refuses, and unsaid what it cannot be told.

use bytes::Bytes;

use crate::chat::ChatRequest;
use crate::chat::fields::{Rewrite, is_empty_list, list, quoted};
use crate::dialect::Wire;

use super::{functions, messages};

/// Changes those that the provider is known to refuse as they are.
pub fn adapt(request: &ChatRequest, wire: &Wire, rewrite: &mut Rewrite<'_>) {
    for (name, most) in &wire.most {
        if let Some(bounded) = request.raw(name).and_then(|value| bounded(value, most)) {
            rewrite.set(name.clone(), Bytes::from(bounded));
        }
    }
    if let Some(effort) = request.raw("reasoning_effort").filter(|_| !wire.efforts.is_empty())
        && let Some((_, known)) = wire.efforts.iter().find(|(word, _)| word == unquoted(effort))
    {
        rewrite.set("reasoning_effort", Bytes::from(quoted(known)));
    }
    if !wire.message_fields.is_empty()
        && let Some(tools) = request.raw("tools").and_then(messages::unmarked)
    {
        rewrite.set("tools", Bytes::from(tools));
    }
    let choice = functions::offer_as_tools(request, wire, rewrite);
    if !request.features.tools && request.raw("tools").is_some_and(is_empty_list) {
        // OpenAI refuses an empty list, and what is said of tools where there are none.
        for name in ["tools", "tool_choice", "parallel_tool_calls"] {
            rewrite.drop_field(name);
        }
    } else if let Some(known) = &wire.tool_choices {
        choose_tools(choice.as_deref().or_else(|| request.raw("tool_choice")), known, request, rewrite);
    }
}

/// The bound in the place of a number above it, and so many entries of a longer list; `None` for what is within it.
fn bounded(value: &str, most: &str) -> Option<String> {
    if value.starts_with('[') {
        let (entries, most): (Vec<&str>, usize) = (list(value).ok()?, most.parse().ok()?);
        return (entries.len() > most).then(|| format!("[{}]", entries[..most].join(",")));
    }
    let (number, bound): (f64, f64) = (value.parse().ok()?, most.parse().ok()?);
    (number > bound).then(|| most.to_owned())
}

/// A plain word without its quotes.
fn unquoted(word: &str) -> &str {
    word.trim_matches('"')
}

/// A choice that the provider does not know is left to the model. Where that is `none`, the tools stay behind too: else it might call one;
/// where it is one of them, all others do.
fn choose_tools(choice: Option<&str>, known: &[String], request: &ChatRequest, rewrite: &mut Rewrite<'_>) {
    let Some(choice) = choice.filter(|choice| *choice != "null") else { return };
    let word = unquoted(choice);
    if known.iter().any(|known| known == word) {
        return;
    }
    rewrite.drop_field("tool_choice");
    if word == "none" {
        rewrite.drop_field("tools");
    } else if let Some(tool) = request.named_tool() {
        let alone = format!("[{tool}]");
        rewrite.set("tools", Bytes::from(messages::unmarked(&alone).unwrap_or(alone)));
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    /// What becomes of a request with these fields, without its messages.
    fn adapted(extra: &str, wire: &Wire) -> String {
        let json = format!(r#"{{"messages":[{{"role":"user","content":"x"}}],{extra}}}"#);
        let request = ChatRequest::parse(Bytes::from(json)).expect("valid");
        let mut rewrite = request.rewrite();
        rewrite.drop_field("messages");
        adapt(&request, wire, &mut rewrite);
        String::from_utf8(rewrite.finish().concat()).expect("UTF-8")
    }

    #[test]
    fn a_tool_is_called_no_more_where_none_may_be_and_the_provider_cannot_be_told() {
        const TOOLS: &str = r#""tools":[{"type":"function"}],"tool_choice":"#;
        let (named, bare) = (r#"{"type":"function","function":{"name":"f"}}"#, r#"{"tools":[{"type":"function"}]}"#);
        let choices = ["\"auto\"", "\"none\"", "\"required\"", named, "null"].map(|choice| format!("{TOOLS}{choice}"));
        let [auto, none, required, named, null] = choices.each_ref().map(|fields| format!("{{{fields}}}"));
        let silent = Wire { tool_choices: Some(Vec::new()), ..Wire::default() };
        let modest = Wire { tool_choices: Some(vec!["auto".to_owned()]), ..Wire::default() };
        for (wire, expected) in [
            (Wire::default(), [&*auto, &*none, &*required, &*named, &*null]),
            (silent, [bare, "{}", bare, bare, &*null]),
            (modest, [&*auto, "{}", bare, bare, &*null]),
        ] {
            assert_eq!(choices.each_ref().map(|fields| adapted(fields, &wire)), expected);
        }
    }

    #[test]
    fn an_empty_list_of_tools_is_refused_no_more_but_left_out_with_what_is_said_of_them() {
        let beside = r#""tool_choice":"auto","parallel_tool_calls":true,"seed":1"#;
        for wire in [Wire::default(), Wire { tool_choices: Some(Vec::new()), ..Wire::default() }] {
            for empty in ["[]", "[ ]"] {
                assert_eq!(adapted(&format!(r#""tools":{empty},{beside}"#), &wire), r#"{"seed":1}"#);
            }
        }
        let filled = format!(r#""tools":[{{"type":"function"}}],{beside}"#);
        assert_eq!(adapted(&filled, &Wire::default()), format!("{{{filled}}}"));
    }

    #[test]
    fn a_tool_that_has_to_be_called_goes_alone_where_no_choice_can_be_said_and_unmarked_where_the_schema_is_closed() {
        let tool = |name: &str, mark: &str| format!(r#"{{"type":"function","function":{{"name":"{name}"}}{mark}}}"#);
        let mark = r#","cache_control":{"type":"ephemeral"}"#;
        let tools = |mark: &str| format!(r#""tools":[{},{}]"#, tool("f", mark), tool("g", mark));
        let closed = Wire { message_fields: vec!["role".to_owned()], ..Wire::default() };
        assert_eq!(adapted(&tools(mark), &closed), format!("{{{}}}", tools("")));
        let silent = Wire { tool_choices: Some(vec!["auto".to_owned()]), ..closed };
        for (choice, expected) in [
            (tool("g", ""), format!(r#"{{"tools":[{}]}}"#, tool("g", ""))),
            (tool("x", ""), format!("{{{}}}", tools(""))),
            (r#""required""#.to_owned(), format!("{{{}}}", tools(""))),
        ] {
            let sent = format!(r#"{},"tool_choice":{choice}"#, tools(mark));
            assert_eq!(adapted(&sent, &silent), expected, "{choice}");
            assert_eq!(adapted(&sent, &Wire::default()), format!("{{{sent}}}"), "{choice}");
        }
    }

    #[test]
    fn functions_from_before_there_were_tools_are_lost_no_more_where_only_tools_are_known() {
        const FUNCTIONS: &str = r#""functions":[{"name":"f","parameters":{}},{"name":"g"}]"#;
        const TOOLS: &str = r#""tools":[{"type":"function","function":{"name":"f","parameters":{}}},{"type":"function","function":{"name":"g"}}]"#;
        let named = r#"{"type":"function","function":{"name":"f"}}"#;
        let newer = Wire { drop: vec!["functions".to_owned()], ..Wire::default() };
        let silent = Wire { tool_choices: Some(Vec::new()), ..newer.clone() };
        for (older, choice, where_silent) in [
            ("", String::new(), format!("{{{TOOLS}}}")),
            (r#","function_call":null"#, String::new(), format!("{{{TOOLS}}}")),
            (r#","function_call":"auto""#, r#","tool_choice":"auto""#.to_owned(), format!("{{{TOOLS}}}")),
            (r#","function_call":"none""#, r#","tool_choice":"none""#.to_owned(), "{}".to_owned()),
            (r#","function_call":{"name":"f"}"#, format!(r#","tool_choice":{named}"#), format!("{{{TOOLS}}}")),
        ] {
            let sent = format!("{FUNCTIONS}{older}");
            assert_eq!(adapted(&sent, &newer), format!("{{{TOOLS}{choice}}}"), "{older}");
            assert_eq!(adapted(&sent, &Wire::default()), format!("{{{sent}}}"), "who knows functions gets them");
            assert_eq!(adapted(&sent, &silent), where_silent, "{older}");
        }
        let unset = format!(r#""tools":null,{FUNCTIONS}"#);
        assert_eq!(adapted(&unset, &newer), format!("{{{TOOLS}}}"));
        for unclear in
            [r#""functions":[],"function_call":"auto""#, r#""tools":[{"type":"function"}],"functions":[{"name":"f"}]"#]
        {
            assert_eq!(adapted(unclear, &newer), format!("{{{unclear}}}"));
        }
    }

    #[test]
    fn a_value_beyond_what_the_provider_takes_is_refused_no_more_but_the_nearest_sent() {
        let wire = Wire {
            most: [("temperature", "1.5"), ("stop", "1")]
                .map(|(name, most)| (name.to_owned(), most.to_owned()))
                .to_vec(),
            efforts: [("none", "low"), ("xhigh", "high")]
                .map(|(word, known)| (word.to_owned(), known.to_owned()))
                .to_vec(),
            ..Wire::default()
        };
        for (sent, expected) in [
            (r#""temperature":1.8"#, r#""temperature":1.5"#),
            (r#""temperature":2"#, r#""temperature":1.5"#),
            (r#""temperature":1.50"#, r#""temperature":1.50"#),
            (r#""temperature":null"#, r#""temperature":null"#),
            (r#""temperature":"hot""#, r#""temperature":"hot""#),
            (r#""stop":["a","b"]"#, r#""stop":["a"]"#),
            (r#""stop":["a"]"#, r#""stop":["a"]"#),
            (r#""stop":"a""#, r#""stop":"a""#),
            (r#""reasoning_effort":"xhigh""#, r#""reasoning_effort":"high""#),
            (r#""reasoning_effort":"medium""#, r#""reasoning_effort":"medium""#),
            (r#""reasoning_effort":null"#, r#""reasoning_effort":null"#),
        ] {
            assert_eq!(adapted(sent, &wire), format!("{{{expected}}}"));
            assert_eq!(adapted(sent, &Wire::default()), format!("{{{sent}}}"));
        }
    }
}

//! A request's parameters as a provider takes them: what it cannot be told is left unsaid.

use crate::chat::ChatRequest;
use crate::chat::fields::Rewrite;
use crate::dialect::Wire;

/// Changes those that the provider is known to refuse as they are.
pub fn adapt(request: &ChatRequest, wire: &Wire, rewrite: &mut Rewrite<'_>) {
    if let Some(known) = &wire.tool_choices {
        choose_tools(request, known, rewrite);
    }
}

/// A choice that the provider does not know is left to the model. Where that is `none`, the tools stay behind too: else it might call one.
fn choose_tools(request: &ChatRequest, known: &[String], rewrite: &mut Rewrite<'_>) {
    let Some(choice) = request.raw("tool_choice").filter(|choice| *choice != "null") else { return };
    let word = choice.trim_matches('"');
    if known.iter().any(|known| known == word) {
        return;
    }
    rewrite.drop_field("tool_choice");
    if word == "none" {
        rewrite.drop_field("tools");
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
}

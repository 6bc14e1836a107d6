//! What came before tools, `functions`, `function_call` and the role `function`, rewritten as tools, their choice, calls and results.

use bytes::Bytes;

use crate::chat::ChatRequest;
use crate::chat::fields::{EditedObject, Rewrite, is_filled_list, list, quoted};
use crate::dialect::Wire;

use super::messages::makes_calls;

/// Offers a request's functions as tools, and tells the choice among them that was made of the older one.
///
/// Providers that know functions get them, and answer with a `function_call`. Many know none, and answered with words: their calls
/// come back as `tool_calls`, as Gemini's do.
pub fn offer_as_tools(request: &ChatRequest, wire: &Wire, rewrite: &mut Rewrite<'_>) -> Option<String> {
    if wire.takes("functions") {
        return None;
    }
    let functions = list(request.raw("functions").filter(|functions| is_filled_list(functions))?).ok()?;
    // Both at once is for the provider to refuse: which of them is meant cannot be known.
    if request.raw("tools").is_some_and(is_filled_list) {
        return None;
    }
    let tools: Vec<String> = functions.into_iter().map(tool).collect();
    rewrite.drop_field("functions");
    rewrite.drop_field("function_call");
    rewrite.set("tools", Bytes::from(format!("[{}]", tools.join(","))));
    let choice = request.raw("function_call").filter(|choice| *choice != "null")?;
    let choice = if choice.starts_with('{') { tool(choice) } else { choice.to_owned() };
    rewrite.set("tool_choice", Bytes::from(choice.clone()));
    Some(choice)
}

/// A function, or the name of one, as a tool's.
fn tool(function: &str) -> String {
    format!(r#"{{"type":"function","function":{function}}}"#)
}

/// The functions called so far in a history, each of which gets an id.
#[derive(Debug, Default)]
pub struct Functions {
    calls: usize,
}

impl Functions {
    /// Rewrites a message that calls a function, or tells the result of the last one called.
    pub fn rewrite(&mut self, message: &mut EditedObject<'_>) {
        if message.get("function_call").is_some_and(|call| call.starts_with('{'))
            && let Some(call) = message.remove("function_call")
        {
            // Some clients write a call in both forms: what stands in the newer one has its id and its result already.
            if !makes_calls(message) {
                self.calls += 1;
                let call = format!(r#"[{{"id":{},"type":"function","function":{call}}}]"#, self.last_id());
                message.set("tool_calls", call);
            }
        }
        if message.get("role") == Some(r#""function""#) {
            message.set("role", r#""tool""#);
            message.set("tool_call_id", self.last_id());
        }
    }

    fn last_id(&self) -> String {
        quoted(&format!("function_{}", self.calls))
    }
}

//! Calls in the form that came before tools, `function_call` and the role `function`, rewritten as calls of tools.

use crate::chat::fields::{EditedObject, quoted};

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
            self.calls += 1;
            let call = format!(r#"[{{"id":{},"type":"function","function":{call}}}]"#, self.last_id());
            message.set("tool_calls", call);
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

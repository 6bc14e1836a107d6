//! Agents that call their tools in the text itself: what their prompts say of how an answer has to look.

/// Elements by which such agents have files written and commands run: those of Cline, Roo Code, bolt, `OpenHands`, and of models whose
/// servers know no tools.
const ELEMENTS: [&str; 28] = [
    "write_to_file",
    "read_file",
    "replace_in_file",
    "apply_diff",
    "insert_content",
    "search_and_replace",
    "edit_file",
    "create_file",
    "execute_command",
    "run_command",
    "attempt_completion",
    "ask_followup_question",
    "use_mcp_tool",
    "search_files",
    "list_files",
    "boltAction",
    "boltArtifact",
    "tool",
    "tools",
    "tool_call",
    "tool_calls",
    "tool_use",
    "tool_name",
    "function",
    "function_call",
    "function_calls",
    "invoke",
    "parameter",
];

/// Edits as aider's and Cline's prompts want them, and as Codex's do.
const EDITS: [&str; 2] = ["<<<<<<< SEARCH", "*** Begin Patch"];

/// Whether a list of messages, as JSON, tells of such a way to answer.
pub fn call_tools_in_text(messages: &[u8]) -> bool {
    let ends = memchr::memchr_iter(b'/', messages).filter(|at| {
        let before = &messages[..*at];
        before.ends_with(b"<") || before.ends_with(b"<\\")
    });
    let name = |at: usize| {
        let rest = &messages[at + 1..];
        let length = rest.iter().take_while(|byte| byte.is_ascii_alphabetic() || **byte == b'_').count();
        &rest[..length]
    };
    ends.into_iter().any(|at| ELEMENTS.iter().any(|element| element.as_bytes() == name(at)))
        || EDITS.iter().any(|edit| memchr::memmem::find(messages, edit.as_bytes()).is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prompts_of_agents_are_told_from_others() {
        for (messages, is_agents) in [
            (r#"[{"role":"system","content":"You are Cline. <read_file><path>x</path></read_file>"}]"#, true),
            (r#"[{"role":"system","content":"Use <tool_call>{}<\/tool_call>."}]"#, true),
            (r#"[{"role":"user","content":"a.py\n<<<<<<< SEARCH\nx\n=======\ny\n>>>>>>> REPLACE"}]"#, true),
            (r#"[{"role":"user","content":"*** Begin Patch\n*** Update File: a.py"}]"#, true),
            (r#"[{"role":"user","content":"Why does <div></div> and a/tool not work? </toolbar>"}]"#, false),
            (r#"[{"role":"user","content":"Which tool reads a file?"}]"#, false),
        ] {
            assert_eq!(call_tools_in_text(messages.as_bytes()), is_agents, "{messages}");
        }
    }
}

//! What is asked of every model, and which requests are asked and cleaned.

use crate::chat::ChatRequest;
use crate::chat::fields::quoted;
use crate::chat::tokens::{MESSAGE_TOKENS, upper_bound};

use super::agents::call_tools_in_text;
use super::stream::Depth;

/// Asked of every model where the user's `[style]` names no other text. Short: it is paid for in every request's tokens.
pub const DIRECTIVE: &str = "Answer at once: no opener such as \"Certainly!\" or \"Here is\", no remark about being an AI, no closing offer. \
    Write in the language of the question, plainly and to the point. Put code in fenced blocks that name their language. \
    When JSON is asked for, answer with valid JSON alone.";

/// When to speak with one voice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StyleMode {
    /// Where relay chooses the model and no tools or schema are in play.
    #[default]
    Auto,
    On,
    Off,
}

impl StyleMode {
    pub const NAMES: [(&'static str, Self); 3] = [("auto", Self::Auto), ("on", Self::On), ("off", Self::Off)];
}

/// What style does to one request and its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Style {
    /// The directive joins the system prompt.
    pub directs: bool,
    /// How the answer's text is cleaned, if at all.
    pub cleans: Option<Depth>,
    /// The answer has to be JSON, and is repaired where it is not.
    pub repairs: bool,
}

impl Style {
    pub const OFF: Self = Self { directs: false, cleans: None, repairs: false };

    /// What a request asks for by `mode`; `normalizes` is the user's own word on answers.
    ///
    /// Under `auto`, a model that was asked for by name answers in its own voice: it gets no directive and keeps its openers,
    /// but its thoughts are told apart and its JSON is valid; so does one whose answer calls an agent's tools in its text, or ends at a
    /// word the caller names. Agents that send tools or a schema get the bytes as they are.
    pub fn of(request: &ChatRequest, mode: StyleMode, normalizes: bool) -> Self {
        let is_agents = request.features.tools || request.features.schema;
        let is_taken_apart = || names_its_end(request) || request.prompt_parts().any(call_tools_in_text);
        let has_own_voice = || !request.wants_any_model() || is_taken_apart();
        let (directs, depth) = match mode {
            StyleMode::Off => return Self::OFF,
            StyleMode::Auto if is_agents => return Self::OFF,
            StyleMode::Auto if has_own_voice() => (false, Depth::Thoughts),
            StyleMode::Auto | StyleMode::On => (true, Depth::Full),
        };
        let repairs = normalizes && request.features.json;
        Self { directs, cleans: normalizes.then_some(depth), repairs }
    }
}

/// Whether the caller names words at which the answer is to end: it takes the answer apart, as agents that act in its text do, and
/// a fence that was to stay open must.
fn names_its_end(request: &ChatRequest) -> bool {
    request.raw_bytes("stop").is_some_and(|stop| !matches!(stop, b"null" | b"[]" | b"\"\""))
}

/// A directive as it joins each request.
#[derive(Debug)]
pub struct Directive {
    /// As a JSON string.
    pub json: String,
    /// What it adds to a prompt, at most.
    pub tokens: u64,
}

impl Directive {
    pub fn of(text: &str) -> Self {
        Self { json: quoted(text), tokens: upper_bound(text) + MESSAGE_TOKENS }
    }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn agents_and_models_asked_for_by_name_are_left_alone() {
        let style = |more: &str, mode| {
            let json = format!(r#"{{"messages":[{{"role":"user","content":"x"}}{more}}}"#);
            Style::of(&ChatRequest::parse(Bytes::from(json)).expect("valid"), mode, true)
        };
        let full = Style { directs: true, cleans: Some(Depth::Full), repairs: false };
        let thoughts = Style { directs: false, cleans: Some(Depth::Thoughts), repairs: false };
        let (json, schema) =
            (r#","response_format":{"type":"json_object"}"#, r#","response_format":{"type":"json_schema"}"#);
        let cases = [
            ("", StyleMode::Auto, full),
            (r#","model":"auto""#, StyleMode::Auto, full),
            (r#","model":"p/m""#, StyleMode::Auto, thoughts),
            (r#","model":"p/m""#, StyleMode::On, full),
            (r#","tools":[{}]"#, StyleMode::Auto, Style::OFF),
            (r#","tools":[{}]"#, StyleMode::On, full),
            (schema, StyleMode::Auto, Style::OFF),
            (r#","stop":["```"]"#, StyleMode::Auto, thoughts),
            (r#","stop":"\nObservation:""#, StyleMode::Auto, thoughts),
            (r#","stop":["```"]"#, StyleMode::On, full),
            (r#","stop":null"#, StyleMode::Auto, full),
            (r#","stop":[]"#, StyleMode::Auto, full),
            (json, StyleMode::Auto, Style { repairs: true, ..full }),
            (json, StyleMode::Off, Style::OFF),
        ];
        let in_text = r#",{"role":"system","content":"<read_file></read_file>"}]"#;
        assert_eq!((style(in_text, StyleMode::Auto), style(in_text, StyleMode::On)), (thoughts, full));
        for (more, mode, expected) in cases {
            assert_eq!(style(&format!("]{more}"), mode), expected, "{more} {mode:?}");
        }
    }

    #[test]
    fn the_directive_is_short() {
        assert!(crate::chat::tokens::exact(DIRECTIVE) <= 80, "{}", crate::chat::tokens::exact(DIRECTIVE));
    }
}

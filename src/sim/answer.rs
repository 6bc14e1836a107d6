//! What a simulated model answers to a request: text, JSON or a tool call, cut at the tokens it may use.

use serde_json::json;

use super::hash::hash;
use super::request::{Asked, Format, Last, tokens};
use super::schema::example;
use super::text::{first_words, reply};

/// The framing of a tool call costs about this much.
const TOOL_CALL_TOKENS: u64 = 8;

/// An answer before it is written to the wire.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Answer {
    /// What the model says to itself first.
    pub thoughts: Option<String>,
    pub content: Content,
    pub finish: &'static str,
    /// Of thoughts and content together.
    pub tokens: u64,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Content {
    Text(String),
    Tools(Vec<Called>),
}

/// One call of a tool.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Called {
    /// What its id is made from; every provider has its own form of it.
    pub salt: u64,
    pub name: String,
    pub arguments: String,
}

impl Answer {
    /// The simulator's own answer. The same `seed`, `provider`, model and last user message give the same one.
    pub(super) fn to(asked: &Asked, seed: u64, provider: &str) -> Self {
        let salt = hash(seed, &[provider, &asked.model]);
        if let Some(tool) = &asked.tool {
            let arguments = example(&tool.parameters, &first_words(&asked.question));
            let arguments = if arguments.is_object() { arguments } else { json!({}) };
            return Self::tools([(tool.name.clone(), arguments.to_string())], hash(salt, &[&asked.question]));
        }
        let text = match (&asked.format, &asked.last) {
            (Format::Json, _) => {
                json!({"simulated": true, "question": first_words(&asked.question), "answer": reply(&asked.question, &asked.model, salt)}).to_string()
            }
            (Format::Schema(schema), _) => example(schema, &first_words(&asked.question)).to_string(),
            (Format::Text, Last::ToolResult(result)) => {
                format!("The tool's result is “{}”. That answers “{}”.", first_words(result), first_words(&asked.question))
            }
            (Format::Text, Last::Assistant(beginning)) => rest(&reply(&asked.question, &asked.model, salt), beginning),
            (Format::Text, Last::User) => reply(&asked.question, &asked.model, salt),
        };
        Self::text(text, asked.max_tokens)
    }

    pub(super) fn text(mut text: String, max_tokens: Option<u64>) -> Self {
        let needed = tokens(text.len() as u64).max(1);
        let allowed = max_tokens.map_or(needed, |most| most.min(needed));
        if allowed == needed {
            return Self { thoughts: None, content: Content::Text(text), finish: "stop", tokens: needed };
        }
        let most = usize::try_from(allowed * 4).unwrap_or(usize::MAX);
        let end = text.char_indices().map(|(at, _)| at).take_while(|at| *at <= most).last().unwrap_or(0);
        text.truncate(end);
        Self { thoughts: None, content: Content::Text(text), finish: "length", tokens: allowed }
    }

    /// Calls of tools by name and arguments, their ids made from `salt`.
    pub(super) fn tools(calls: impl IntoIterator<Item = (String, String)>, salt: u64) -> Self {
        let calls: Vec<Called> =
            (salt..).zip(calls).map(|(salt, (name, arguments))| Called { salt, name, arguments }).collect();
        let bytes = calls.iter().map(|call| tokens((call.name.len() + call.arguments.len()) as u64));
        let tokens = bytes.map(|tokens| TOOL_CALL_TOKENS + tokens).sum();
        Self { thoughts: None, content: Content::Tools(calls), finish: "tool_calls", tokens }
    }

    /// The same answer, thought about first.
    pub(super) fn after(mut self, thoughts: String) -> Self {
        self.tokens += tokens(thoughts.len() as u64);
        self.thoughts = Some(thoughts);
        self
    }

    pub(super) fn thought_tokens(&self) -> u64 {
        self.thoughts.as_ref().map_or(0, |thoughts| tokens(thoughts.len() as u64))
    }
}

/// What is left to say after `beginning`: exactly so when it begins this very text, else by the number of words said.
fn rest(text: &str, beginning: &str) -> String {
    if let Some(rest) = text.strip_prefix(beginning).or_else(|| text.strip_prefix(beginning.trim_end()))
        && !rest.is_empty()
    {
        return rest.to_owned();
    }
    let said = beginning.split_whitespace().count();
    let rest: Vec<&str> = text.split_whitespace().skip(said).collect();
    if rest.is_empty() { " That is all.".to_owned() } else { format!(" {}", rest.join(" ")) }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    fn answer(body: &Value) -> Answer {
        Answer::to(&Asked::parse(body.to_string().as_bytes()).expect("a good request"), 1, "sim-alpha")
    }

    fn text(answer: Answer) -> String {
        match answer.content {
            Content::Text(text) => text,
            Content::Tools(_) => panic!("a tool call"),
        }
    }

    #[test]
    fn the_first_tool_is_called_and_its_result_told() {
        let tools = json!([{"type": "function", "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}}}]);
        let user = json!({"role": "user", "content": "Rain in Paris?"});
        let called = answer(&json!({"model": "m", "messages": [user], "tools": tools}));
        assert_eq!(called.finish, "tool_calls");
        let Content::Tools(calls) = called.content else { panic!("no tool call") };
        let (id, name, arguments) = ("call_1", &calls[0].name, &calls[0].arguments);
        assert_eq!((name.as_str(), arguments.as_str()), ("weather", r#"{"city":"Paris"}"#));
        let call = json!({"role": "assistant", "content": null, "tool_calls": [{"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}]});
        let result = json!({"role": "tool", "tool_call_id": id, "content": "light rain"});
        assert!(
            text(answer(&json!({"model": "m", "messages": [user, call, result], "tools": tools})))
                .contains("light rain")
        );
    }

    #[test]
    fn json_modes_answer_with_an_object() {
        let ask = |format: Value| {
            answer(
                &json!({"model": "m", "messages": [{"role": "user", "content": "List fruit"}], "response_format": format}),
            )
        };
        let object: Value = serde_json::from_str(&text(ask(json!({"type": "json_object"})))).expect("JSON");
        assert_eq!(object["question"], "List fruit");
        let schema = json!({"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]});
        assert_eq!(
            text(ask(json!({"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}))),
            r#"{"n":1}"#
        );
    }

    #[test]
    fn max_tokens_cuts_at_a_character() {
        let cut = Answer::text("ééééé".to_owned(), Some(1));
        assert_eq!(
            cut,
            Answer { thoughts: None, content: Content::Text("éé".to_owned()), finish: "length", tokens: 1 }
        );
        assert_eq!(Answer::text("four".to_owned(), Some(1)).finish, "stop");
    }

    #[test]
    fn a_beginning_is_continued_not_repeated() {
        let whole =
            text(answer(&json!({"model": "m", "messages": [{"role": "user", "content": "Why is the sky blue?"}]})));
        let (said, left) = whole.split_at(30);
        let messages =
            json!([{"role": "user", "content": "Why is the sky blue?"}, {"role": "assistant", "content": said}]);
        assert_eq!(text(answer(&json!({"model": "m", "messages": messages}))), left);
    }
}

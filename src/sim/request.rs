//! A chat request as a simulated provider reads it: checked as strictly as the real ones do.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::refusal::Refusal;

/// Tokens an image counts as.
const IMAGE_TOKENS: u64 = 765;
const BYTES_PER_TOKEN: u64 = 4;

/// What a request asks for.
#[derive(Debug)]
pub(super) struct Asked {
    pub model: String,
    pub stream: bool,
    pub include_usage: bool,
    pub max_tokens: Option<u64>,
    pub prompt_tokens: u64,
    /// The text of the last user message.
    pub question: String,
    /// The text of the last message when it is not the user's.
    pub last: Last,
    /// The tool an answer may call: the one the request insists on, or the first.
    pub tool: Option<Tool>,
    pub format: Format,
    pub images: bool,
    /// Tools were offered, whether or not one may be called now.
    pub tools: bool,
    /// The model is to think.
    pub thinks: bool,
    /// A plain answer as the only item of a list.
    pub in_list: bool,
}

/// Who spoke last.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Last {
    User,
    ToolResult(String),
    /// The beginning of an answer that is to be continued.
    Assistant(String),
}

#[derive(Debug)]
pub(super) struct Tool {
    pub name: String,
    pub parameters: Value,
}

#[derive(Debug, PartialEq)]
pub(super) enum Format {
    Text,
    Json,
    Schema(Value),
}

/// Tokens of a text of so many bytes.
pub(super) const fn tokens(bytes: u64) -> u64 {
    bytes.div_ceil(BYTES_PER_TOKEN)
}

impl Asked {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Refusal> {
        let wire: Wire<'_> = serde_json::from_slice(body).map_err(|error| {
            Refusal::bad_request(format!("We could not parse the JSON body of your request: {error}."), None)
        })?;
        let model =
            wire.model.ok_or_else(|| Refusal::bad_request("you must provide a model parameter", Some("model")))?;
        check(&wire.messages)?;
        let mut asked = Self {
            model: model.into_owned(),
            stream: wire.stream.unwrap_or(false),
            include_usage: wire.stream_options.is_some_and(|options| options.include_usage),
            max_tokens: wire.max_completion_tokens.or(wire.max_tokens),
            prompt_tokens: tokens(wire.tools.map_or(0, |tools| length(tools.get()))),
            question: String::new(),
            last: Last::User,
            tool: None,
            format: format(wire.response_format)?,
            images: false,
            tools: false,
            thinks: false,
            in_list: false,
        };
        asked.read(&wire.messages)?;
        asked.read_tools(wire.tools, wire.tool_choice.as_ref())?;
        Ok(asked)
    }

    fn read(&mut self, messages: &[Message<'_>]) -> Result<(), Refusal> {
        for message in messages {
            let text = message.content.map_or(Ok(0), |content| self.measure(content))?;
            let calls = message.tool_calls.map_or(0, |calls| length(calls.get()));
            self.prompt_tokens += BYTES_PER_TOKEN + tokens(text + calls);
        }
        if let Some(content) =
            messages.iter().rev().find(|message| message.role == "user").and_then(|message| message.content)
        {
            self.question = text_of(content)?;
        }
        let last = messages.last().expect("`check` found a message");
        self.last = match (&*last.role, last.content) {
            ("tool", Some(content)) => Last::ToolResult(text_of(content)?),
            ("assistant", Some(content)) => Last::Assistant(text_of(content)?),
            _ => Last::User,
        };
        Ok(())
    }

    /// The bytes of text in one message; images count as tokens of their own.
    fn measure(&mut self, content: &RawValue) -> Result<u64, Refusal> {
        if !content.get().starts_with('[') {
            return Ok(length(content.get()).saturating_sub(2));
        }
        let mut bytes = 0;
        for part in parts(content)? {
            match (&*part.kind, part.text) {
                ("text" | "refusal", Some(text)) => bytes += length(&text),
                ("image_url", _) => {
                    self.images = true;
                    self.prompt_tokens += IMAGE_TOKENS;
                }
                (kind, _) => {
                    return Err(Refusal::bad_request(format!("Invalid content type: `{kind}`."), Some("messages")));
                }
            }
        }
        Ok(bytes)
    }

    fn read_tools(&mut self, tools: Option<&RawValue>, choice: Option<&Value>) -> Result<(), Refusal> {
        let Some(tools) = tools else { return Ok(()) };
        let tools: Option<Vec<WireTool>> = serde_json::from_str(tools.get())
            .map_err(|error| Refusal::bad_request(format!("Invalid tools: {error}."), Some("tools")))?;
        let tools = tools.unwrap_or_default();
        self.tools = !tools.is_empty();
        if self.last != Last::User || choice.and_then(Value::as_str) == Some("none") {
            return Ok(());
        }
        let wanted = choice.and_then(|choice| choice["function"]["name"].as_str());
        let tool = tools.into_iter().find(|tool| wanted.is_none_or(|wanted| tool.function.name == wanted));
        if tool.is_none() && wanted.is_some() {
            return Err(Refusal::bad_request("Tool choice names a tool that is not in `tools`.", Some("tool_choice")));
        }
        self.tool = tool
            .map(|tool| Tool { name: tool.function.name, parameters: tool.function.parameters.unwrap_or_default() });
        Ok(())
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    messages: Vec<Message<'a>>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    max_tokens: Option<u64>,
    max_completion_tokens: Option<u64>,
    #[serde(borrow)]
    tools: Option<&'a RawValue>,
    tool_choice: Option<Value>,
    response_format: Option<Value>,
}

#[derive(Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: bool,
}

#[derive(Deserialize)]
struct Message<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow)]
    content: Option<&'a RawValue>,
    #[serde(borrow)]
    tool_calls: Option<&'a RawValue>,
    tool_call_id: Option<String>,
}

#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    text: Option<String>,
}

#[derive(Deserialize)]
struct WireTool {
    function: WireFunction,
}

#[derive(Deserialize)]
struct WireFunction {
    name: String,
    parameters: Option<Value>,
}

#[derive(Deserialize)]
struct ToolCallId {
    id: String,
}

/// Known roles, and every tool call directly followed by its results: what the dialect's own API insists on.
fn check(messages: &[Message<'_>]) -> Result<(), Refusal> {
    if messages.is_empty() {
        return Err(Refusal::bad_request("[] is too short - 'messages'", Some("messages")));
    }
    let refuse = |message: &str| Err(Refusal::bad_request(message, Some("messages")));
    let mut waiting: Vec<String> = Vec::new();
    for message in messages {
        match &*message.role {
            "tool" => {
                let Some(place) = waiting.iter().position(|id| Some(id) == message.tool_call_id.as_ref()) else {
                    return refuse(
                        "messages with role 'tool' must be a response to a preceding message with 'tool_calls'.",
                    );
                };
                waiting.swap_remove(place);
            }
            _ if !waiting.is_empty() => {
                return refuse(
                    "An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'.",
                );
            }
            "assistant" => waiting = call_ids(message)?,
            "system" | "developer" | "user" => {}
            role => {
                return refuse(&format!(
                    "Invalid value: '{role}'. Supported values are: 'system', 'assistant', 'user', 'tool' and 'developer'."
                ));
            }
        }
        if message.content.is_none() && message.role != "assistant" {
            return refuse("Invalid value for 'content': expected a string or an array, got null.");
        }
    }
    if waiting.is_empty() {
        Ok(())
    } else {
        refuse("An assistant message with 'tool_calls' must be followed by tool messages.")
    }
}

fn call_ids(message: &Message<'_>) -> Result<Vec<String>, Refusal> {
    let Some(calls) = message.tool_calls else { return Ok(Vec::new()) };
    let calls: Option<Vec<ToolCallId>> = serde_json::from_str(calls.get())
        .map_err(|error| Refusal::bad_request(format!("Invalid tool_calls: {error}."), Some("messages")))?;
    Ok(calls.unwrap_or_default().into_iter().map(|call| call.id).collect())
}

fn format(wanted: Option<Value>) -> Result<Format, Refusal> {
    let Some(mut wanted) = wanted else { return Ok(Format::Text) };
    match wanted["type"].as_str() {
        Some("text") => Ok(Format::Text),
        Some("json_object") => Ok(Format::Json),
        Some("json_schema") if wanted["json_schema"]["schema"].is_object() => {
            Ok(Format::Schema(wanted["json_schema"]["schema"].take()))
        }
        _ => Err(Refusal::bad_request("Invalid response_format.", Some("response_format"))),
    }
}

fn text_of(content: &RawValue) -> Result<String, Refusal> {
    if content.get().starts_with('[') {
        let texts: Vec<String> = parts(content)?.into_iter().filter_map(|part| part.text).collect();
        return Ok(texts.join("\n"));
    }
    serde_json::from_str(content.get()).map_err(|_| {
        Refusal::bad_request("Invalid value for 'content': expected a string or an array.", Some("messages"))
    })
}

fn parts(content: &RawValue) -> Result<Vec<Part>, Refusal> {
    serde_json::from_str(content.get())
        .map_err(|error| Refusal::bad_request(format!("Invalid content part: {error}."), Some("messages")))
}

const fn length(text: &str) -> u64 {
    text.len() as u64
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn parse(body: &Value) -> Result<Asked, Refusal> {
        Asked::parse(body.to_string().as_bytes())
    }

    #[test]
    fn parts_count_their_text_and_images_but_not_the_bytes_of_an_image() {
        let image = format!("data:image/png;base64,{}", "A".repeat(100_000));
        let content =
            json!([{"type": "text", "text": "What is this?"}, {"type": "image_url", "image_url": {"url": image}}]);
        let asked =
            parse(&json!({"model": "m", "messages": [{"role": "user", "content": content}]})).expect("a good request");
        assert!(asked.images);
        assert_eq!(asked.question, "What is this?");
        assert_eq!(asked.prompt_tokens, 765 + 4 + 4);
    }

    #[test]
    fn what_a_real_provider_refuses_is_refused() {
        let call = json!({"role": "assistant", "content": null, "tool_calls": [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]});
        let result = json!({"role": "tool", "tool_call_id": "c1", "content": "7"});
        let user = json!({"role": "user", "content": "hi"});
        for messages in [
            json!([]),
            json!([result]),
            json!([user, call, user]),
            json!([user, call]),
            json!([{"role": "robot", "content": "x"}]),
            json!([{"role": "user", "content": 7}]),
        ] {
            assert_eq!(
                parse(&json!({"model": "m", "messages": messages})).expect_err("a refusal").status,
                400,
                "{messages}"
            );
        }
        let asked = parse(&json!({"model": "m", "messages": [user, call, result]})).expect("a good request");
        assert_eq!(asked.last, Last::ToolResult("7".to_owned()));
        assert_eq!(Asked::parse(b"{nope").expect_err("a refusal").status, 400);
        assert!(parse(&json!({"messages": [user]})).is_err());
    }

    #[test]
    fn the_tool_is_the_one_asked_for() {
        let tools =
            json!([{"type": "function", "function": {"name": "a"}}, {"type": "function", "function": {"name": "b"}}]);
        let chosen = |choice: Value| {
            parse(&json!({"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": tools, "tool_choice": choice}))
                .map(|asked| asked.tool.map(|tool| tool.name))
        };
        assert_eq!(chosen(json!("auto")), Ok(Some("a".to_owned())));
        assert_eq!(chosen(json!("none")), Ok(None));
        assert_eq!(chosen(json!({"type": "function", "function": {"name": "b"}})), Ok(Some("b".to_owned())));
        assert!(chosen(json!({"type": "function", "function": {"name": "c"}})).is_err());
    }
}

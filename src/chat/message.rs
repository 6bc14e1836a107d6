//! A request's messages, typed as far as dialects other than OpenAI's need them.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::request::{BadRequest, ChatRequest};

/// One message. Text and arguments are unescaped, borrowed where that takes no copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Message<'a> {
    /// `system`, `developer`, `user`, `assistant` or `tool`; others as they came.
    pub role: Cow<'a, str>,
    /// Empty where the content is null, absent or an empty string.
    pub parts: Vec<Part<'a>>,
    pub tool_calls: Vec<ToolCall<'a>>,
    /// Of a `tool` message: the call it answers.
    pub tool_call_id: Option<Cow<'a, str>>,
    pub name: Option<Cow<'a, str>>,
    /// The model's reasoning that the caller sent back.
    pub reasoning: Option<Cow<'a, str>>,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Part<'a> {
    Text(Cow<'a, str>),
    /// A `data:` URI or a URL.
    Image(Cow<'a, str>),
    /// Base64, and its format (`wav`, `mp3`).
    Audio {
        data: Cow<'a, str>,
        format: Cow<'a, str>,
    },
    /// A kind of part relay does not know, by its name.
    Other(Cow<'a, str>),
}

/// A function call of an assistant's message.
#[derive(Debug, Clone, PartialEq)]
pub struct ToolCall<'a> {
    pub id: Cow<'a, str>,
    pub name: Cow<'a, str>,
    /// The arguments as JSON text, which a model may have written wrong.
    pub arguments: Cow<'a, str>,
    /// `extra_content.google.thought_signature`, as Google's own compatible endpoint returns it.
    pub thought_signature: Option<Cow<'a, str>>,
}

impl<'a> Message<'a> {
    /// One message of a request, from its raw JSON.
    pub fn parse(raw: &'a str) -> Result<Self, BadRequest> {
        let raw: RawMessage<'a> = serde_json::from_str(raw).map_err(|error| BadRequest {
            message: format!("a message cannot be read: {error}"),
            param: Some("messages".to_owned()),
        })?;
        raw.typed(0)
    }

    /// The text parts, joined by line feeds.
    pub fn text(&self) -> String {
        let texts =
            self.parts.iter().filter_map(|part| if let Part::Text(text) = part { Some(text.as_ref()) } else { None });
        texts.collect::<Vec<_>>().join("\n")
    }
}

impl ChatRequest {
    pub fn typed_messages(&self) -> Result<Vec<Message<'_>>, BadRequest> {
        let raw: Vec<RawMessage<'_>> = serde_json::from_str(self.raw("messages").unwrap_or("[]")).map_err(|error| {
            BadRequest { message: format!("`messages` cannot be read: {error}"), param: Some("messages".to_owned()) }
        })?;
        raw.into_iter().enumerate().map(|(index, raw)| raw.typed(index)).collect()
    }
}

#[derive(Deserialize)]
struct RawMessage<'a> {
    #[serde(borrow)]
    role: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    tool_calls: Option<Vec<RawCall<'a>>>,
    /// The one call of a message before there were tools.
    #[serde(borrow, default)]
    function_call: Option<RawFunction<'a>>,
    #[serde(borrow, default)]
    tool_call_id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    name: Option<Cow<'a, str>>,
    /// Providers have two names for it, and some send both.
    #[serde(borrow, default)]
    reasoning_content: Option<&'a RawValue>,
    #[serde(borrow, default)]
    reasoning: Option<&'a RawValue>,
}

#[derive(Default, Deserialize)]
struct RawCall<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    function: Option<RawFunction<'a>>,
    #[serde(borrow, default)]
    custom: Option<RawCustom<'a>>,
    #[serde(default)]
    extra_content: Option<serde_json::Value>,
}

#[derive(Deserialize)]
struct RawFunction<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow, default)]
    arguments: Option<&'a RawValue>,
}

/// The call of a tool whose input is any text.
#[derive(Deserialize)]
struct RawCustom<'a> {
    #[serde(borrow)]
    name: Cow<'a, str>,
    #[serde(borrow)]
    input: &'a RawValue,
}

#[derive(Deserialize)]
struct RawPart<'a> {
    #[serde(borrow)]
    r#type: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<&'a RawValue>,
    #[serde(borrow, default)]
    image_url: Option<&'a RawValue>,
    #[serde(borrow, default)]
    input_audio: Option<RawAudio<'a>>,
}

#[derive(Deserialize)]
struct RawAudio<'a> {
    #[serde(borrow)]
    data: Cow<'a, str>,
    #[serde(borrow)]
    format: Cow<'a, str>,
}

impl<'a> RawMessage<'a> {
    fn typed(self, index: usize) -> Result<Message<'a>, BadRequest> {
        let wrong = |what: &str, error: serde_json::Error| BadRequest {
            message: format!("`messages[{index}].{what}` cannot be read: {error}"),
            param: Some("messages".to_owned()),
        };
        let parts = match self.content {
            Some(content) if content.get().starts_with('[') => {
                let parts: Vec<RawPart<'a>> =
                    serde_json::from_str(content.get()).map_err(|error| wrong("content", error))?;
                let parts: Result<_, _> = parts.into_iter().map(RawPart::typed).collect();
                parts.map_err(|error| wrong("content", error))?
            }
            Some(content) => {
                let text = text(content).map_err(|error| wrong("content", error))?;
                if text.is_empty() { Vec::new() } else { vec![Part::Text(text)] }
            }
            None => Vec::new(),
        };
        let calls = self.tool_calls.unwrap_or_default();
        // Some clients write one call in both forms.
        let older = self.function_call.filter(|_| calls.is_empty());
        let older = older.map(|function| RawCall { function: Some(function), ..RawCall::default() });
        let calls: Result<_, _> = calls.into_iter().chain(older).map(RawCall::typed).collect();
        // The older form has no ids: a result belongs to the call before it.
        let (role, answers) = if self.role == "function" {
            (Cow::Borrowed("tool"), Some(Cow::Borrowed("")))
        } else {
            (self.role, self.tool_call_id)
        };
        let reasoning = self.reasoning_content.or(self.reasoning);
        Ok(Message {
            role,
            parts,
            tool_calls: calls.map_err(|error| wrong("tool_calls", error))?,
            tool_call_id: answers,
            name: self.name,
            reasoning: reasoning.and_then(|raw| text(raw).ok()),
        })
    }
}

impl<'a> RawCall<'a> {
    fn typed(self) -> Result<ToolCall<'a>, serde_json::Error> {
        let signature = self
            .extra_content
            .as_ref()
            .and_then(|extra| extra.pointer("/google/thought_signature")?.as_str().map(str::to_owned));
        let (name, arguments) = match (self.function, self.custom) {
            (Some(function), _) => {
                // Some clients send the arguments as an object where a string belongs: its JSON is what the string would hold.
                let written = |raw: &'a RawValue| text(raw).unwrap_or(Cow::Borrowed(raw.get()));
                (function.name, function.arguments.map_or(Cow::Borrowed("{}"), written))
            }
            (None, Some(custom)) => (custom.name, Cow::Owned(format!(r#"{{"input":{}}}"#, custom.input.get()))),
            (None, None) => return Err(serde::de::Error::missing_field("function")),
        };
        Ok(ToolCall { id: self.id.unwrap_or_default(), name, arguments, thought_signature: signature.map(Cow::Owned) })
    }
}

impl<'a> RawPart<'a> {
    fn typed(self) -> Result<Part<'a>, serde_json::Error> {
        Ok(match (self.text, self.image_url, self.input_audio) {
            (Some(raw), None, None) => Part::Text(text(raw)?),
            (_, Some(image), _) => Part::Image(image_url(image)),
            (_, _, Some(audio)) => Part::Audio { data: audio.data, format: audio.format },
            (None, None, None) => Part::Other(self.r#type),
        })
    }
}

/// The URL of `{"url": …}`, or of a bare string, which some clients send.
fn image_url(raw: &RawValue) -> Cow<'_, str> {
    #[derive(Deserialize)]
    struct Url<'a> {
        #[serde(borrow)]
        url: Cow<'a, str>,
    }
    serde_json::from_str::<Url<'_>>(raw.get()).map(|image| image.url).or_else(|_| text(raw)).unwrap_or_default()
}

fn text(raw: &RawValue) -> Result<Cow<'_, str>, serde_json::Error> {
    if !raw.get().contains('\\') {
        return serde_json::from_str::<&str>(raw.get()).map(Cow::Borrowed);
    }
    let whole = serde_json::from_str::<String>(raw.get());
    whole.or_else(|error| serde_json::from_str(&without_halves(raw.get())).map_err(|_| error)).map(Cow::Owned)
}

/// JSON in which half a surrogate pair, as a text cut within an emoji has it, is a replacement character.
fn without_halves(json: &str) -> String {
    let unit = |rest: &str| rest.strip_prefix("\\u").and_then(|rest| u16::from_str_radix(rest.get(..4)?, 16).ok());
    let mut whole = String::with_capacity(json.len());
    let mut rest = json;
    while let Some(at) = rest.find('\\') {
        whole.push_str(&rest[..at]);
        rest = &rest[at..];
        let second = || unit(rest.get(6..)?).filter(|unit| (0xdc00..0xe000).contains(unit));
        let length = match unit(rest) {
            Some(0xd800..0xdc00) if second().is_some() => 12,
            Some(0xd800..0xe000) => {
                whole.push_str("\\ufffd");
                rest = &rest[6..];
                continue;
            }
            Some(_) => 6,
            None => 1 + rest[1..].chars().next().map_or(0, char::len_utf8),
        };
        whole.push_str(&rest[..length]);
        rest = &rest[length..];
    }
    whole + rest
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    #[test]
    fn every_kind_of_message_is_typed() {
        let json = r#"{"messages":[
            {"role":"system","content":"be\nbrief"},
            {"role":"user","content":[{"type":"text","text":"see"},{"type":"image_url","image_url":{"url":"data:image/png;base64,AA"}},{"type":"file","file":{}}]},
            {"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[
                {"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\":1}"},"extra_content":{"google":{"thought_signature":"sig"}}},
                {"id":"c2","type":"function","function":{"name":"g","arguments":{"b":2}}}]},
            {"role":"tool","tool_call_id":"c1","content":"18C"}]}"#;
        let request = ChatRequest::parse(Bytes::from_static(json.as_bytes())).expect("valid");
        let messages = request.typed_messages().expect("typed");
        assert_eq!(messages[0].text(), "be\nbrief");
        assert_eq!(
            messages[1].parts[1..],
            [Part::Image("data:image/png;base64,AA".into()), Part::Other("file".into())]
        );
        let calls = &messages[2].tool_calls;
        assert_eq!((calls[0].arguments.as_ref(), calls[0].thought_signature.as_deref()), ("{\"a\":1}", Some("sig")));
        assert_eq!((calls[1].arguments.as_ref(), messages[2].reasoning.as_deref()), ("{\"b\":2}", Some("hm")));
        assert_eq!(messages[3].tool_call_id.as_deref(), Some("c1"));
    }

    #[test]
    fn a_call_from_before_there_were_tools_is_lost_no_more() {
        let call = r#"{"role":"assistant","content":null,"function_call":{"name":"f","arguments":"{}"}}"#;
        let call = &Message::parse(call).expect("a call").tool_calls[0];
        let both =
            r#"{"role":"assistant","function_call":{"name":"f"},"tool_calls":[{"id":"a","function":{"name":"f"}}]}"#;
        assert_eq!(Message::parse(both).expect("a call").tool_calls.len(), 1);
        let result = Message::parse(r#"{"role":"function","name":"f","content":"18"}"#).expect("a result");
        assert_eq!((call.name.as_ref(), result.role.as_ref()), ("f", "tool"));
        assert_eq!(result.tool_call_id.as_deref(), Some(call.id.as_ref()));
    }

    #[test]
    fn what_clients_send_back_of_an_answer_is_read() {
        for (json, reasoning, text) in [
            (r#"{"role":"assistant","content":"a","reasoning":null,"reasoning_content":null}"#, None, "a"),
            (r#"{"role":"assistant","content":"a","reasoning":"b","reasoning_content":"c"}"#, Some("c"), "a"),
            (r#"{"role":"assistant","content":"a","reasoning":"b"}"#, Some("b"), "a"),
            (r#"{"role":"user","content":"cut \ud83d"}"#, None, "cut \u{fffd}"),
            (r#"{"role":"user","content":"\ud83d\ude00 \\ud83d \ude00\""}"#, None, "\u{1f600} \\ud83d \u{fffd}\""),
            (r#"{"role":"user","content":[{"type":"text","text":"cut \ud83d"}]}"#, None, "cut \u{fffd}"),
        ] {
            let message = Message::parse(json).expect(json);
            assert_eq!((message.reasoning.as_deref(), message.text().as_str()), (reasoning, text), "{json}");
        }
        let calls = |json: &'static str| Message::parse(json).map(|message| message.tool_calls);
        let custom = r#"{"role":"assistant","content":null,"tool_calls":[{"id":null,"type":"custom","custom":{"name":"sh","input":"ls \"a\""}}]}"#;
        let call = &calls(custom).expect("a call")[0];
        assert_eq!(
            (call.id.as_ref(), call.name.as_ref(), call.arguments.as_ref()),
            ("", "sh", r#"{"input":"ls \"a\""}"#)
        );
        assert!(calls(r#"{"role":"assistant","tool_calls":[{"id":"a"}]}"#).is_err());
    }
}

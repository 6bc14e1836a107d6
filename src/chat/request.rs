//! A chat request: the caller's own bytes, with the few fields relay acts on read from them.

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use bytes::Bytes;
use serde::Deserialize;
use serde_json::value::RawValue;
use simdutf8::basic::from_utf8;

use super::brief::{LONGEST_NAME, brief};
use super::fields::{self, FieldAt, RawObject, Rewrite};
use super::shape::{Flaw, Found, MessagesShape};
use super::skim::Skim;

/// The model that stands for "whichever route is best", and the names that mean the same.
pub const META_MODEL: &str = "meta-model";
const META_ALIASES: [&str; 2] = ["auto", "relay"];

/// Whether a model's name leaves the choice to relay.
pub fn stands_for_any(model: &str) -> bool {
    model == META_MODEL || META_ALIASES.contains(&model)
}

/// Fields that speak to relay; no provider sees them.
const OWN_FIELDS: [&[u8]; 4] = [b"model_type", b"model_scale", b"model_name", b"session_id"];

/// Fields that are whole numbers. Languages that know one kind of number alone write `5.0`, which many providers refuse.
const WHOLE_NUMBERS: [&[u8]; 7] =
    [b"max_tokens", b"max_completion_tokens", b"min_tokens", b"n", b"seed", b"top_k", b"top_logprobs"];

/// A request to be answered: plain or streamed, from the gateway or the shell.
#[derive(Debug, Clone)]
pub struct ChatRequest {
    body: Bytes,
    fields: Vec<FieldAt>,
    pub model: String,
    pub stream: bool,
    /// The caller wants the usage chunk at the end of a stream.
    pub include_usage: bool,
    /// The most tokens the answer may have, when the caller says so.
    pub max_tokens: Option<u64>,
    pub features: Features,
    pub model_type: Option<String>,
    pub model_scale: Option<String>,
    pub model_name: Option<String>,
    pub messages: MessagesShape,
}

/// What a model must be able to do for a request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Features {
    pub tools: bool,
    pub json: bool,
    pub schema: bool,
    pub vision: bool,
    pub audio: bool,
    /// It can be told that a tool has to be called, which follows from its provider's wire and is in no file.
    pub tool_choice: bool,
    /// It thinks before it answers. Told to people; no request requires it.
    pub reasoning: bool,
}

impl Features {
    /// The words of those that are there.
    pub fn words(self) -> Vec<&'static str> {
        let all = [
            ("tools", self.tools),
            ("json", self.json),
            ("schema", self.schema),
            ("vision", self.vision),
            ("audio", self.audio),
            ("reasoning", self.reasoning),
        ];
        all.into_iter().filter(|(_, has)| *has).map(|(word, _)| word).collect()
    }
}

/// A request that cannot be read: what is wrong, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRequest {
    pub message: String,
    /// The field at fault.
    pub param: Option<String>,
}

impl fmt::Display for BadRequest {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.message)
    }
}

impl std::error::Error for BadRequest {}

impl BadRequest {
    pub(super) fn field(param: &str, message: impl Into<String>) -> Self {
        Self { message: message.into(), param: Some(param.to_owned()) }
    }
}

/// Another text in the place of a part of some JSON; in an empty place, an addition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    pub place: Range<usize>,
    pub text: String,
}

impl Edit {
    /// What becomes of the text that it was made for.
    pub fn applied(&self, text: &str) -> String {
        [&text[..self.place.start], &self.text, &text[self.place.end..]].concat()
    }
}

impl ChatRequest {
    /// Reads a JSON body, keeping its bytes. Fields that relay does not act on are not looked at.
    pub fn parse(body: Bytes) -> Result<Self, BadRequest> {
        let json = from_utf8(&body).map_err(|_| not_an_object(&body))?;
        let mut found = Found::default();
        let fields = split(json, &mut found)?;
        refuse_doubles(&body, &fields)?;
        if found.shape.count == 0 {
            return Err(BadRequest::field("messages", "`messages` is missing"));
        }
        let (mut wishes, mut features) = (Wishes::default(), found.features);
        let mut endings = Vec::new();
        for field in &fields {
            let (name, raw) = (field.name(&body), &json[field.value.clone()]);
            let number = whole(name, raw);
            wishes.read(&mut features, name, number.unwrap_or(raw))?;
            endings.extend(number.map(|number| field.value.start + number.len()..field.value.end));
        }
        features.tool_choice &= features.tools;
        let request = Self {
            model: wishes.model.unwrap_or_else(|| META_MODEL.to_owned()),
            stream: wishes.stream,
            include_usage: wishes.include_usage,
            max_tokens: wishes.max_completion_tokens.or(wishes.max_tokens),
            features,
            model_type: wishes.model_type,
            model_scale: wishes.model_scale,
            model_name: wishes.model_name,
            messages: found.shape,
            body,
            fields,
        };
        // From the last on, so that the places before it stay what they were.
        Ok(endings.into_iter().rev().fold(request, |request, ending| request.with_in_place_of(ending, "")))
    }

    /// Whether the caller leaves the choice of the model to relay.
    pub fn wants_any_model(&self) -> bool {
        stands_for_any(&self.model)
    }

    /// The caller's bytes.
    pub const fn body(&self) -> &Bytes {
        &self.body
    }

    /// The raw JSON of the top-level field `name`.
    pub fn raw(&self, name: &str) -> Option<&str> {
        // The body was text before it was split, so every value is.
        from_utf8(self.raw_bytes(name)?).ok()
    }

    /// The bytes of `raw`, without another check that they are text.
    pub fn raw_bytes(&self, name: &str) -> Option<&[u8]> {
        Some(&self.body[self.place(name)?])
    }

    /// The tool whose call the caller insists on, of those it offers.
    pub fn named_tool(&self) -> Option<&str> {
        let name = |raw: &str| {
            let object = RawObject::parse(raw.as_bytes()).ok()?;
            RawObject::parse(object.get("function")?.as_bytes()).ok()?.read::<String>("name")
        };
        let wanted = name(self.raw("tool_choice")?)?;
        fields::list(self.raw("tools")?).ok()?.into_iter().find(|tool| name(tool).as_ref() == Some(&wanted))
    }

    fn place(&self, name: &str) -> Option<Range<usize>> {
        self.fields.iter().find(|field| field.name(&self.body) == name.as_bytes()).map(|field| field.value.clone())
    }

    /// Raw JSON that becomes part of the prompt: messages and tool definitions.
    pub fn prompt_parts(&self) -> impl Iterator<Item = &[u8]> {
        ["messages", "tools", "functions"].into_iter().filter_map(|name| self.raw_bytes(name))
    }

    /// This request with another list of messages, and everything else as it is.
    #[must_use]
    pub fn with_messages(&self, messages: &str) -> Self {
        self.with_in_place_of(self.messages_place(), messages)
    }

    /// This request with its list of messages edited, and everything else as it is.
    #[must_use]
    pub fn with_edited_messages(&self, edit: &Edit) -> Self {
        let begin = self.messages_place().start;
        self.with_in_place_of(begin + edit.place.start..begin + edit.place.end, &edit.text)
    }

    fn messages_place(&self) -> Range<usize> {
        self.place("messages").expect("a request has messages")
    }

    fn with_in_place_of(&self, place: Range<usize>, text: &str) -> Self {
        let body = [&self.body[..place.start], text.as_bytes(), &self.body[place.end..]].concat();
        let moved = |at: usize| if at < place.end { at } else { at - place.len() + text.len() };
        let other = self.clone();
        let fields = other.fields.into_iter().map(|field| field.moved(moved)).collect();
        Self { body: Bytes::from(body), fields, ..other }
    }

    /// This request with these fields, as raw JSON, in the place of its own.
    pub fn with(&self, fields: impl IntoIterator<Item = (&'static str, Bytes)>) -> Result<Self, BadRequest> {
        let mut rewrite = Rewrite::new(&self.body, &self.fields);
        for (name, value) in fields {
            rewrite.set(name, value);
        }
        Self::parse(rewrite.finish().concat().into())
    }

    /// A rewrite of this request's body that starts without relay's own fields.
    pub fn rewrite(&self) -> Rewrite<'_> {
        let mut rewrite = Rewrite::new(&self.body, &self.fields);
        rewrite.retain(|name| !OWN_FIELDS.contains(&name));
        rewrite
    }
}

/// One pass over the body: the places of its fields, and what its messages are.
fn split(json: &str, found: &mut Found) -> Result<Vec<FieldAt>, BadRequest> {
    let pass = |skim: &mut Skim<'_>, name: &[u8]| match name {
        b"messages" => found.read(json, skim),
        _ => skim.value().map_err(Flaw::from),
    };
    fields::locate_with(json, pass).map_err(|flaw| match flaw {
        Flaw::Malformed => not_an_object(json.as_bytes()),
        Flaw::Unfit(bad) => bad,
    })
}

/// The number without its fraction of nothing, where it has one and is to be whole. As text, for a seed may be too long for a float.
fn whole<'a>(name: &[u8], raw: &'a str) -> Option<&'a str> {
    // No field that is long or usual ends so.
    if !raw.ends_with('0') || !WHOLE_NUMBERS.contains(&name) {
        return None;
    }
    raw.trim_end_matches('0').strip_suffix('.')
}

/// A parser that reads everything says best what is wrong, and where.
fn not_an_object(body: &[u8]) -> BadRequest {
    let message = match RawObject::parse(body) {
        Err(_) if body.trim_ascii().is_empty() => {
            "the body is empty; a chat completion needs a JSON object with `messages`".to_owned()
        }
        Err(error) => format!("the body is not a valid JSON object: {error}"),
        // Both read one grammar; this is for the day one of them does not.
        Ok(_) => "the body is not a valid JSON object".to_owned(),
    };
    BadRequest { message, param: None }
}

#[derive(Deserialize)]
struct StreamOptions {
    include_usage: Option<bool>,
}

/// What single fields say.
#[derive(Default)]
struct Wishes {
    model: Option<String>,
    stream: bool,
    include_usage: bool,
    max_completion_tokens: Option<u64>,
    max_tokens: Option<u64>,
    model_type: Option<String>,
    model_scale: Option<String>,
    model_name: Option<String>,
}

impl Wishes {
    /// Many clients send fields they do not set, as null.
    fn read(&mut self, features: &mut Features, name: &[u8], raw: &str) -> Result<(), BadRequest> {
        match name {
            _ if raw == "null" => {}
            b"model" => self.model = Some(read_text("model", raw)?),
            b"stream" if raw == "false" => {}
            b"stream" => self.stream = read("stream", raw, "true or false")?,
            b"stream_options" => {
                let options: StreamOptions = read("stream_options", raw, "an object")?;
                self.include_usage = options.include_usage.unwrap_or(false);
            }
            b"max_completion_tokens" => {
                self.max_completion_tokens = Some(read("max_completion_tokens", raw, "a whole number")?);
            }
            b"max_tokens" => self.max_tokens = Some(read("max_tokens", raw, "a whole number")?),
            b"model_type" => self.model_type = Some(read_text("model_type", raw)?),
            b"model_scale" => self.model_scale = Some(read_text("model_scale", raw)?),
            b"model_name" => self.model_name = Some(read_text("model_name", raw)?),
            b"tools" => features.tools |= nonempty_list("tools", raw)?,
            b"functions" => features.tools |= nonempty_list("functions", raw)?,
            b"tool_choice" | b"function_call" => features.tool_choice |= insists(raw),
            b"response_format" => read_response_format(raw, features)?,
            _ => {}
        }
        Ok(())
    }
}

fn read<'a, T: Deserialize<'a>>(name: &str, raw: &'a str, expected: &str) -> Result<T, BadRequest> {
    serde_json::from_str(raw)
        .map_err(|error| BadRequest::field(name, format!("`{name}` must be {expected}: {}", found_instead(&error))))
}

/// A string that has no escape is what stands there.
fn read_text(name: &str, raw: &str) -> Result<String, BadRequest> {
    match raw.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')) {
        Some(text) if !text.contains('\\') => Ok(text.to_owned()),
        _ => read(name, raw, "a string"),
    }
}

/// The body is known to be JSON, so that no list has to be read.
fn nonempty_list(name: &str, raw: &str) -> Result<bool, BadRequest> {
    if raw.starts_with('[') {
        return Ok(fields::is_filled_list(raw));
    }
    read::<Vec<&RawValue>>(name, raw, "a list").map(|_| false)
}

/// Whether a choice of tools leaves the model none: `required`, or one by its name.
fn insists(raw: &str) -> bool {
    if !raw.starts_with('{') {
        return raw == "\"required\"";
    }
    let named = RawObject::parse(raw.as_bytes()).unwrap_or_default();
    named.get("function").or_else(|| named.get("name")).is_some()
}

fn read_response_format(raw: &str, features: &mut Features) -> Result<(), BadRequest> {
    #[derive(Deserialize)]
    struct ResponseFormat<'a> {
        #[serde(borrow)]
        r#type: Cow<'a, str>,
    }
    let format: ResponseFormat<'_> = read("response_format", raw, "an object with a `type`")?;
    match format.r#type.as_ref() {
        "json_object" => features.json = true,
        "json_schema" => features.schema = true,
        _ => {}
    }
    Ok(())
}

/// A field must not stand twice: two readers of one body could see different requests.
fn refuse_doubles(body: &[u8], fields: &[FieldAt]) -> Result<(), BadRequest> {
    // Names that differ in length or at an end are not the same. So most requests' names need no comparison.
    let mut seen: u64 = 0;
    let may_be_twice = fields.iter().any(|field| {
        let name = field.name(body);
        let ends =
            name.first().zip(name.last()).map_or(0, |(first, last)| first.wrapping_mul(5) ^ last.wrapping_mul(3));
        let bit = 1 << ((usize::from(ends) + name.len()) % 64);
        let is_seen = seen & bit != 0;
        seen |= bit;
        is_seen
    });
    if !may_be_twice {
        return Ok(());
    }
    let mut names: Vec<&[u8]> = fields.iter().map(|field| field.name(body)).collect();
    names.sort_unstable();
    let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) else { return Ok(()) };
    let name = String::from_utf8_lossy(twice[0]);
    let name = brief(&name, LONGEST_NAME);
    Err(BadRequest::field(&name, format!("the field `{name}` stands twice")))
}

/// What stands there instead, without line and column, which count from the field's start and would mislead, and without what
/// Rust calls the right one.
fn found_instead(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let found = text.split(" at line ").next().unwrap_or(&text);
    found.split(", expected ").next().unwrap_or(found).to_owned()
}

#[cfg(test)]
mod tests;

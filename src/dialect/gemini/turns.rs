//! Messages as turns: user and model in alternation, every call's response in one turn, in the order of the calls.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};

use serde_json::value::RawValue;

use crate::chat::{self, Fault, Message, ToolCall, Unfit};

use super::call_id::usable_signature;
use super::content::{Content, FunctionCall, Part, Role, object_or, wrapped};
use super::model::Model;

/// Stands in for the signature of a call that Gemini did not make, or whose signature the caller lost; Google documents
/// two such strings, and Gemini 3 answers 400 to a call without any (2025-11).
const NO_SIGNATURE: &str = "skip_thought_signature_validator";

/// Opens a conversation that would begin with the model's own words; the first turn has to be the user's.
const OPENING: &str = "(The conversation begins with your own words.)";

/// Follows a last turn of the model's own, where the model does not go on by itself, and stands for a prompt without a word.
const GO_ON: &str = "Continue.";

/// A conversation in Google's shape.
#[derive(Debug)]
pub struct Turns<'a> {
    pub system: Option<Content<'a>>,
    pub contents: Vec<Content<'a>>,
}

/// The messages as turns for `model`, or why it cannot take them.
pub fn turns<'a>(messages: &'a [Message<'a>], model: Model<'_>) -> Result<Turns<'a>, Fault> {
    let mut builder = Builder { model, system: Vec::new(), contents: Vec::new() };
    let mut results = VecDeque::new();
    let mut open_calls: &[ToolCall<'a>] = &[];
    for (index, message) in messages.iter().enumerate() {
        match message.role.as_ref() {
            "system" | "developer" => builder.system.extend(parts_of(message)?),
            "assistant" => {
                builder.assistant(message);
                // Results may stand behind a stray message, but never behind the next answer.
                let following = messages[index + 1..].iter().take_while(|next| next.role != "assistant");
                results = following.filter(|next| next.role == "tool").collect();
                open_calls = &message.tool_calls;
                builder.respond(open_calls, &mut results)?;
            }
            "tool" => {
                // Those left are in the order of the messages.
                let is_left = results.front().is_some_and(|left| std::ptr::eq(*left, message));
                if is_left {
                    results.pop_front();
                }
                if is_left || open_calls.is_empty() {
                    builder.stray_result(message)?;
                }
            }
            _ => builder.push(Role::User, parts_of(message)?),
        }
    }
    Ok(builder.finish())
}

struct Builder<'a, 'm> {
    model: Model<'m>,
    system: Vec<Part<'a>>,
    contents: Vec<Content<'a>>,
}

impl<'a> Builder<'a, '_> {
    /// Adds parts to the last turn where it is of the same role and kind, else as a turn of its own.
    fn push(&mut self, role: Role, parts: Vec<Part<'a>>) {
        let has_responses = parts.iter().any(|part| part.function_response.is_some());
        match self.contents.last_mut() {
            _ if parts.is_empty() => {}
            Some(last) if last.role == Some(role) && last.holds_responses() == has_responses => {
                last.parts.extend(parts);
            }
            _ => self.contents.push(Content { role: Some(role), parts }),
        }
    }

    /// Thoughts and parts of unknown kinds in the history are left out: a model takes back nothing but what it said.
    fn assistant(&mut self, message: &'a Message<'a>) {
        let texts = message.parts.iter().filter_map(|part| match part {
            chat::Part::Text(text) if !text.is_empty() => Some(Part::text(text.as_ref())),
            _ => None,
        });
        let mut parts: Vec<Part<'a>> = texts.collect();
        for (index, call) in message.tool_calls.iter().enumerate() {
            let own = usable_signature(call, self.model.id);
            // Of parallel calls only the first carries a signature.
            let stand_in = (index == 0 && self.model.wants_signatures()).then_some(NO_SIGNATURE);
            parts.push(Part {
                function_call: Some(FunctionCall { name: &call.name, args: arguments(&call.arguments) }),
                thought_signature: own.or(stand_in).map(Cow::Borrowed),
                ..Part::default()
            });
        }
        // A call must follow the user's words or a response; a model's turn cannot open the conversation.
        if self.contents.is_empty() && !parts.is_empty() {
            self.push(Role::User, vec![Part::text(OPENING)]);
        }
        self.push(Role::Model, parts);
    }

    /// One response for each call, in the calls' order. Takes from `results` what answers a call.
    fn respond(&mut self, calls: &'a [ToolCall<'a>], results: &mut VecDeque<&'a Message<'a>>) -> Result<(), Fault> {
        let mut responses = Vec::with_capacity(calls.len());
        let mut attachments = Vec::new();
        let mut places: HashMap<&str, VecDeque<usize>> = HashMap::new();
        for (place, result) in results.iter().enumerate() {
            if let Some(id) = result.tool_call_id.as_deref() {
                places.entry(id).or_default().push_back(place);
            }
        }
        let mut left = vec![true; results.len()];
        for call in calls {
            let place = places.get_mut(call.id.as_ref()).and_then(VecDeque::pop_front);
            let response = match place {
                Some(place) => {
                    left[place] = false;
                    let result = results[place];
                    attachments.extend(parts_of(result)?.into_iter().filter(|part| part.inline_data.is_some()));
                    object_or("result", &result.text())
                }
                // Google counts: fewer responses than calls are a 400.
                None => wrapped("error", "the call was not answered"),
            };
            responses.push(Part::response(&call.name, response));
        }
        let mut left = left.into_iter();
        results.retain(|_| left.next().unwrap_or(true));
        self.push(Role::User, responses);
        self.push(Role::User, attachments);
        Ok(())
    }

    /// A result without its call, as a shortened history leaves it, becomes plain words.
    fn stray_result(&mut self, message: &'a Message<'a>) -> Result<(), Fault> {
        let mut parts = vec![Part::text("Result of a tool call:")];
        parts.extend(parts_of(message)?);
        self.push(Role::User, parts);
        Ok(())
    }

    fn finish(mut self) -> Turns<'a> {
        let mut system = std::mem::take(&mut self.system);
        let in_first_turn = !self.model.takes_system_instruction() || self.contents.is_empty();
        if in_first_turn && !system.is_empty() {
            if let Some(Content { role: Some(Role::User), parts }) = self.contents.first_mut() {
                system.push(Part::text("\n\n"));
                system.append(parts);
                *parts = system;
            } else {
                self.contents.insert(0, Content { role: Some(Role::User), parts: system });
            }
            system = Vec::new();
        }
        if self.contents.is_empty() {
            self.push(Role::User, vec![Part::text(GO_ON)]);
        }
        let ends_with_model = self.contents.last().is_some_and(|last| last.role == Some(Role::Model));
        if ends_with_model && !self.model.continues_its_own_turn() {
            self.push(Role::User, vec![Part::text(GO_ON)]);
        }
        let system = (!system.is_empty()).then_some(Content { role: None, parts: system });
        Turns { system, contents: self.contents }
    }
}

/// Arguments that are no object, because a model wrote them wrong, are kept as they are under a name of their own: the
/// history stays true, and Google takes nothing but an object.
fn arguments(text: &str) -> Box<RawValue> {
    if text.trim().is_empty() {
        RawValue::from_string("{}".to_owned()).expect("an empty object")
    } else {
        object_or("_raw", text)
    }
}

fn parts_of<'a>(message: &'a Message<'a>) -> Result<Vec<Part<'a>>, Fault> {
    let mut parts = Vec::with_capacity(message.parts.len());
    for part in &message.parts {
        match part {
            chat::Part::Text(text) if text.is_empty() => {}
            chat::Part::Text(text) => parts.push(Part::text(text.as_ref())),
            chat::Part::Image(url) => parts.push(image(url)?),
            chat::Part::Audio { data, format } => parts.push(Part::data(format!("audio/{format}"), data)),
            chat::Part::Other(_) => return Err(Fault::Unfit(Unfit::Lacks("file-parts"))),
        }
    }
    Ok(parts)
}

fn image(url: &str) -> Result<Part<'_>, Fault> {
    // Google wants the bytes, and relay fetches nothing that a request names.
    let Some(uri) = url.strip_prefix("data:") else { return Err(Fault::Unfit(Unfit::Lacks("image-urls"))) };
    let readable = uri.split_once(',').and_then(|(kind, data)| Some((kind.strip_suffix(";base64")?, data)));
    let Some((kind, data)) = readable else {
        let message = "an image's data URI must be base64: `data:image/png;base64,…`".to_owned();
        return Err(Fault::Invalid { status: 400, message, param: Some("messages".to_owned()), code: None });
    };
    let mime_type = match kind.split(';').next().unwrap_or_default() {
        // Common, and in no register of types: Google refuses it.
        "image/jpg" => "image/jpeg",
        "" => "image/png",
        other => other,
    };
    Ok(Part::data(mime_type, data))
}

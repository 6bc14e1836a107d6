//! Mends what a client of OpenAI's would stumble over in an answer: incomplete or mixed up calls, a wrong end, contents in parts.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use smallvec::SmallVec;

use crate::chat::chunk::Choice;
use crate::chat::event::Finish;
use crate::chat::fields::{EditedObject, list, quoted};
use crate::chat::{Chunk, RawObject};

/// What has been seen of one answer's tool calls.
#[derive(Debug)]
pub struct Repair {
    is_stream: bool,
    calls: Vec<Call>,
}

/// A call that has begun.
#[derive(Debug)]
struct Call {
    /// The choice it is in: an answer may have several, each with calls of its own.
    choice: u64,
    /// Empty where its provider gave it none.
    id: String,
    name: String,
    /// The index its provider gave it; some give all of them the same.
    own: Option<usize>,
    /// The index it has for the client.
    index: usize,
    /// The id it has for the client, where its provider gave it none of its own.
    made: Option<String>,
    /// Some text of them has come.
    has_arguments: bool,
}

/// What a piece says of the call it belongs to.
struct Piece {
    choice: u64,
    id: String,
    name: String,
    own: Option<usize>,
}

/// What has to be mended of a choice.
#[derive(Debug, Default, PartialEq)]
struct Faults<'a> {
    /// Its calls as they should be.
    calls: Option<String>,
    /// The right word for its end.
    end: Option<&'static str>,
    in_parts: Option<&'a str>,
    /// What it says has the name that belongs to the other kind of answer.
    is_misnamed: bool,
    lacks_delta: bool,
}

impl Repair {
    pub const fn of_stream() -> Self {
        Self { is_stream: true, calls: Vec::new() }
    }

    pub const fn of_whole() -> Self {
        Self { is_stream: false, calls: Vec::new() }
    }

    /// The chunk (or whole answer) mended; `None` where it is right as it is.
    pub fn mend(&mut self, json: &[u8], chunk: &Chunk<'_>) -> Option<String> {
        let choices = chunk.choices.as_deref()?;
        let faults = choices.iter().zip(0..).map(|(choice, place)| self.look_at(choice, place, json));
        let faults: SmallVec<[Faults<'_>; 1]> = faults.collect();
        if faults.iter().all(|faults| *faults == Faults::default()) {
            return None;
        }
        self.mended(std::str::from_utf8(json).ok()?, faults)
    }

    /// The end of these choices, of which their provider told none, as a chunk of the stream that began with `first`, and what the first of
    /// them says.
    pub fn missing_end(&self, first: &[u8], choices: impl Iterator<Item = u64>) -> (String, Option<Finish>) {
        let first = RawObject::parse(first).unwrap_or_default();
        let mut chunk = EditedObject::default();
        for name in ["id", "object", "created", "model"] {
            if let Some(value) = first.get(name) {
                chunk.set(name, value);
            }
        }
        let has_calls = |choice: u64| self.calls.iter().any(|call| call.choice == choice);
        let ends = choices.map(|choice| (choice, if has_calls(choice) { "tool_calls" } else { "stop" }));
        let ends: SmallVec<[(u64, &str); 1]> = ends.collect();
        let told =
            ends.iter().map(|(choice, end)| format!(r#"{{"index":{choice},"delta":{{}},"finish_reason":"{end}"}}"#));
        chunk.set("choices", format!("[{}]", told.collect::<Vec<_>>().join(",")));
        (chunk.render(), ends.first().map(|(_, end)| Finish::of(end)))
    }

    fn look_at<'a>(&mut self, choice: &Choice<'a>, place: u64, json: &[u8]) -> Faults<'a> {
        let number = choice.index.unwrap_or(place);
        let delta = choice.delta.as_ref();
        let calls = delta.and_then(|delta| delta.tool_calls).filter(|calls| calls.starts_with('['));
        let given = calls;
        let calls = calls.and_then(|calls| self.mended_calls(calls, number, json));
        let bare = if choice.finish_reason.is_some() && self.is_stream { self.bare_calls(number) } else { Vec::new() };
        let calls = if bare.is_empty() { calls } else { Some(joined(calls.as_deref().or(given), &bare)) };
        let has_calls = self.calls.iter().any(|call| call.choice == number);
        let end = choice.finish_reason.as_deref().and_then(|reason| right_end(reason, has_calls));
        let in_parts = delta.and_then(|delta| delta.content).filter(|content| content.starts_with('['));
        let lacks_delta = delta.is_none() && self.is_stream;
        Faults { calls, end, in_parts, is_misnamed: choice.is_misnamed, lacks_delta }
    }

    /// Calls that end without arguments, each with a piece that gives it some: nobody reads JSON in an empty text.
    fn bare_calls(&mut self, choice: u64) -> Vec<String> {
        let bare =
            self.calls.iter_mut().filter(|call| call.choice == choice && !call.name.is_empty() && !call.has_arguments);
        bare.map(|call| {
            call.has_arguments = true;
            format!(r#"{{"index":{},"function":{{"arguments":"{{}}"}}}}"#, call.index)
        })
        .collect()
    }

    fn mended_calls(&mut self, calls: &str, choice: u64, json: &[u8]) -> Option<String> {
        let mut pieces = Vec::new();
        for raw in list(calls).ok()? {
            let mut piece = EditedObject::parse(raw).ok()?;
            let is_right = self.mend_piece(&mut piece, choice, json);
            pieces.push(if is_right { Cow::Borrowed(raw) } else { Cow::Owned(piece.render()) });
        }
        pieces.iter().any(|piece| matches!(piece, Cow::Owned(_))).then(|| format!("[{}]", pieces.join(",")))
    }

    /// Whether nothing had to be mended.
    fn mend_piece(&mut self, piece: &mut EditedObject<'_>, choice: u64, json: &[u8]) -> bool {
        let function = piece.get("function").and_then(|function| EditedObject::parse(function).ok());
        let name = function.as_ref().and_then(|function| function.text("name")).unwrap_or_default();
        let own: Option<usize> = piece.get("index").and_then(|index| index.parse().ok());
        let said = Piece { choice, id: piece.text("id").unwrap_or_default(), name, own };
        // In a whole answer each stands for a call.
        let known = self.calls.iter().rposition(|call| self.is_stream && call.goes_on_with(&said));
        let is_named = known.is_some_and(|place| !said.name.is_empty() && self.calls[place].name == said.name);
        let arguments = function.as_ref().and_then(|function| function.get("arguments"));
        let has_arguments = arguments.is_some_and(|arguments| !matches!(arguments, "\"\"" | "null"));
        let function = function.and_then(|function| {
            let missing = if self.is_stream { known.is_none().then_some("") } else { Some("{}") };
            mended_function(function, is_named, missing)
        });
        let mut is_right = function.is_none();
        let place = known.unwrap_or_else(|| self.begin(&said, json));
        self.calls[place].has_arguments |= has_arguments;
        let call = &self.calls[place];
        // What a call has already, OpenAI's clients would add to it.
        if known.is_some() && !said.id.is_empty() {
            piece.remove("id");
            is_right = false;
        }
        if let Some(made) = call.made.as_deref().filter(|_| known.is_none()) {
            piece.set("id", quoted(made));
            is_right = false;
        }
        if known.is_none() && !piece.get("type").is_some_and(|kind| kind.starts_with('"')) {
            piece.set("type", "\"function\"");
            is_right = false;
        }
        if self.is_stream && own != Some(call.index) {
            piece.set("index", call.index.to_string());
            is_right = false;
        }
        if let Some(function) = function {
            piece.set("function", function);
        }
        is_right
    }

    /// Begins a call. It has the next index, for clients count from nothing, and the id its provider gave it where no other has that.
    fn begin(&mut self, said: &Piece, json: &[u8]) -> usize {
        let index = self.calls.iter().filter(|call| call.choice == said.choice).count();
        let is_nameless = said.id.is_empty() || self.calls.iter().any(|call| call.id == said.id);
        let made = is_nameless.then(|| made_id(json, said.choice, index));
        let Piece { choice, own, .. } = *said;
        let (id, name) = (said.id.clone(), said.name.clone());
        self.calls.push(Call { choice, id, name, own, index, made, has_arguments: false });
        self.calls.len() - 1
    }

    fn mended<'a>(&self, json: &str, faults: impl IntoIterator<Item = Faults<'a>>) -> Option<String> {
        let object = RawObject::parse(json.as_bytes()).ok()?;
        let (mut choices, mut is_misnamed) = (Vec::new(), false);
        for (choice, faults) in list(object.get("choices")?).ok()?.into_iter().zip(faults) {
            is_misnamed |= faults.is_misnamed;
            choices.push(self.mended_choice(choice, faults)?);
        }
        let mut whole = EditedObject::parse(json).ok()?;
        if is_misnamed {
            whole.set("object", quoted(if self.is_stream { "chat.completion.chunk" } else { "chat.completion" }));
        }
        whole.set("choices", format!("[{}]", choices.join(",")));
        Some(whole.render())
    }

    fn mended_choice(&self, choice: &str, faults: Faults<'_>) -> Option<String> {
        let (own, other) = if self.is_stream { ("delta", "message") } else { ("message", "delta") };
        let mut choice = EditedObject::parse(choice).ok()?;
        if faults.is_misnamed {
            let said = choice.remove(other)?;
            choice.set(own, said);
        }
        if faults.lacks_delta {
            choice.set(own, "{}");
        }
        if let Some(said) = choice.get(own).map(str::to_owned) {
            let mut said = EditedObject::parse(&said).ok()?;
            if let Some(calls) = faults.calls {
                said.set("tool_calls", calls);
            }
            if let Some(parts) = faults.in_parts {
                let (text, thinking) = split_parts(parts);
                said.set("content", quoted(&text));
                if !thinking.is_empty() {
                    said.set("reasoning_content", quoted(&thinking));
                }
            }
            choice.set(own, said.render());
        }
        if let Some(end) = faults.end {
            choice.set("finish_reason", quoted(end));
        }
        Some(choice.render())
    }
}

impl Call {
    /// Whether the piece is this call's: by its id, and where it has none, by its index. Another index or name begins another call;
    /// a name says so even if it is the same, where there is neither index nor id.
    fn goes_on_with(&self, piece: &Piece) -> bool {
        let is_unmarked = piece.id.is_empty() && piece.own.is_none();
        let is_other_name = !piece.name.is_empty() && !self.name.is_empty() && (is_unmarked || piece.name != self.name);
        let is_same_index = piece.own.is_none() || self.own.is_none() || self.own == piece.own;
        let is_same_id = piece.id.is_empty() || self.id == piece.id;
        self.choice == piece.choice && is_same_id && is_same_index && !is_other_name
    }
}

/// A list of calls with more of them.
fn joined(calls: Option<&str>, more: &[String]) -> String {
    let calls = calls.and_then(|calls| calls.trim().strip_prefix('[')?.strip_suffix(']')).unwrap_or_default();
    let all: Vec<&str> =
        [calls].into_iter().filter(|calls| !calls.trim().is_empty()).chain(more.iter().map(String::as_str)).collect();
    format!("[{}]", all.join(","))
}

/// An id for a call that has none of its own: of its answer and its place there.
fn made_id(json: &[u8], choice: u64, index: usize) -> String {
    let mut hasher = DefaultHasher::new();
    match RawObject::parse(json).ok().and_then(|object| object.get("id").map(str::to_owned)) {
        Some(id) => id.hash(&mut hasher),
        None => json.hash(&mut hasher),
    }
    (choice, index).hash(&mut hasher);
    format!("call_{:016x}", hasher.finish())
}

/// A function whose arguments are no text, with their JSON as one, and without the name where the call has it; `None` where it is right.
///
/// `missing`: the arguments where it has none, if it must have some.
fn mended_function(mut function: EditedObject<'_>, is_named: bool, missing: Option<&str>) -> Option<String> {
    let text = match function.get("arguments") {
        None => missing.map(quoted),
        // Nobody reads JSON in it.
        Some("\"\"") => missing.filter(|missing| !missing.is_empty()).map(quoted),
        Some(text) if text.starts_with('"') => None,
        Some("null") => Some(quoted(missing.unwrap_or_default())),
        Some(json) => Some(quoted(json)),
    };
    let is_wrong = is_named || text.is_some();
    if let Some(text) = text {
        function.set("arguments", text);
    }
    if is_named {
        function.remove("name");
    }
    is_wrong.then(|| function.render())
}

/// The word for an end in the place of a wrong one.
fn right_end(reason: &str, has_calls: bool) -> Option<&'static str> {
    let right = match Finish::of(reason) {
        Finish::Stop if has_calls => "tool_calls",
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ContentFilter => "content_filter",
        // Both words for a call are OpenAI's, and no caller is shown a failure's.
        Finish::ToolCalls | Finish::Failed => return None,
    };
    (reason != right).then_some(right)
}

/// The text of a content in parts, and its thinking (Mistral's reasoning models, 2026-08).
fn split_parts(parts: &str) -> (String, String) {
    let (mut text, mut thinking) = (String::new(), String::new());
    for raw in list(parts).unwrap_or_default() {
        let Ok(part) = EditedObject::parse(raw) else { continue };
        match part.text("type").as_deref() {
            Some("thinking") => match part.get("thinking") {
                Some(inner) if inner.starts_with('[') => thinking.push_str(&split_parts(inner).0),
                _ => thinking.push_str(&part.text("thinking").unwrap_or_default()),
            },
            _ => text.push_str(&part.text("text").unwrap_or_default()),
        }
    }
    (text, thinking)
}

#[cfg(test)]
mod tests;

//! Mends what a client of OpenAI's would stumble over in an answer: incomplete or mixed up calls, a wrong end, contents in parts.

use std::borrow::Cow;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use smallvec::SmallVec;

use crate::chat::chunk::Choice;
use crate::chat::event::Finish;
use crate::chat::fields::{EditedObject, list, quoted};
use crate::chat::{Chunk, RawObject};

/// What has been seen of one answer's tool calls.
#[derive(Debug, Default)]
pub struct Repair {
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
    ends_wrong: bool,
    in_parts: Option<&'a str>,
}

impl Repair {
    /// The chunk (or whole answer) mended; `None` where it is right as it is.
    pub fn mend(&mut self, json: &[u8], chunk: &Chunk<'_>) -> Option<String> {
        let choices = chunk.choices.as_deref()?;
        let faults = choices.iter().zip(0..).map(|(choice, place)| self.look_at(choice, place, json));
        let faults: SmallVec<[Faults<'_>; 1]> = faults.collect();
        if faults.iter().all(|faults| *faults == Faults::default()) {
            return None;
        }
        mended(std::str::from_utf8(json).ok()?, faults)
    }

    fn look_at<'a>(&mut self, choice: &Choice<'a>, place: u64, json: &[u8]) -> Faults<'a> {
        let number = choice.index.unwrap_or(place);
        let delta = choice.delta.as_ref();
        let calls = delta.and_then(|delta| delta.tool_calls).filter(|calls| calls.starts_with('['));
        let calls = calls.and_then(|calls| self.mended_calls(calls, number, json));
        let has_calls = self.calls.iter().any(|call| call.choice == number);
        let ends_wrong = has_calls && choice.finish_reason.as_deref().map(Finish::of) == Some(Finish::Stop);
        let in_parts = delta.and_then(|delta| delta.content).filter(|content| content.starts_with('['));
        Faults { calls, ends_wrong, in_parts }
    }

    fn mended_calls(&mut self, calls: &str, choice: u64, json: &[u8]) -> Option<String> {
        let is_stream = is_stream(json);
        let mut pieces = Vec::new();
        for raw in list(calls).ok()? {
            let mut piece = EditedObject::parse(raw).ok()?;
            let is_right = self.mend_piece(&mut piece, choice, json, is_stream);
            pieces.push(if is_right { Cow::Borrowed(raw) } else { Cow::Owned(piece.render()) });
        }
        pieces.iter().any(|piece| matches!(piece, Cow::Owned(_))).then(|| format!("[{}]", pieces.join(",")))
    }

    /// Whether nothing had to be mended.
    fn mend_piece(&mut self, piece: &mut EditedObject<'_>, choice: u64, json: &[u8], is_stream: bool) -> bool {
        let function = piece.get("function").and_then(|function| EditedObject::parse(function).ok());
        let name = function.as_ref().and_then(|function| function.text("name")).unwrap_or_default();
        let own: Option<usize> = piece.get("index").and_then(|index| index.parse().ok());
        let said = Piece { choice, id: piece.text("id").unwrap_or_default(), name, own };
        // In a whole answer each stands for a call.
        let known = self.calls.iter().rposition(|call| is_stream && call.goes_on_with(&said));
        let is_named = known.is_some_and(|place| !said.name.is_empty() && self.calls[place].name == said.name);
        let function = function.and_then(|function| mended_function(function, is_named));
        let mut is_right = function.is_none();
        let place = known.unwrap_or_else(|| self.begin(&said, json));
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
        if is_stream && own != Some(call.index) {
            piece.set("index", call.index.to_string());
            is_right = false;
        }
        if let Some(function) = function {
            piece.set("function", function);
        }
        is_right
    }

    /// Begins a call, with the index and the id its provider gave it where no other has those.
    fn begin(&mut self, said: &Piece, json: &[u8]) -> usize {
        let others = || self.calls.iter().filter(|call| call.choice == said.choice);
        let is_taken = |index: &usize| others().any(|call| call.index == *index);
        let next = others().map(|call| call.index.saturating_add(1)).max().unwrap_or(0);
        let index = said.own.filter(|own| !is_taken(own)).unwrap_or(next);
        let is_nameless = said.id.is_empty() || self.calls.iter().any(|call| call.id == said.id);
        let made = is_nameless.then(|| made_id(json, said.choice, index));
        let Piece { choice, own, .. } = *said;
        self.calls.push(Call { choice, id: said.id.clone(), name: said.name.clone(), own, index, made });
        self.calls.len() - 1
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
fn mended_function(mut function: EditedObject<'_>, is_named: bool) -> Option<String> {
    let text = match function.get("arguments") {
        None => None,
        Some(text) if text.starts_with('"') => None,
        Some("null") => Some(quoted("")),
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

fn is_stream(json: &[u8]) -> bool {
    memchr::memmem::find(json, b"\"delta\"").is_some()
}

fn mended<'a>(json: &str, faults: impl IntoIterator<Item = Faults<'a>>) -> Option<String> {
    let object = RawObject::parse(json.as_bytes()).ok()?;
    let choices = list(object.get("choices")?).ok()?.into_iter().zip(faults);
    let choices: Option<Vec<String>> = choices.map(|(choice, faults)| mended_choice(choice, faults)).collect();
    let mut whole = EditedObject::parse(json).ok()?;
    whole.set("choices", format!("[{}]", choices?.join(",")));
    Some(whole.render())
}

fn mended_choice(choice: &str, faults: Faults<'_>) -> Option<String> {
    let mut choice = EditedObject::parse(choice).ok()?;
    let place = if choice.get("delta").is_some() { "delta" } else { "message" };
    if let Some(delta) = choice.get(place).map(str::to_owned) {
        let mut delta = EditedObject::parse(&delta).ok()?;
        if let Some(calls) = faults.calls {
            delta.set("tool_calls", calls);
        }
        if let Some(parts) = faults.in_parts {
            let (text, thinking) = split_parts(parts);
            delta.set("content", quoted(&text));
            if !thinking.is_empty() {
                delta.set("reasoning_content", quoted(&thinking));
            }
        }
        choice.set(place, delta.render());
    }
    if faults.ends_wrong {
        choice.set("finish_reason", "\"tool_calls\"");
    }
    Some(choice.render())
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
mod tests {
    use super::*;

    fn mend(repair: &mut Repair, json: &str) -> Option<String> {
        repair.mend(json.as_bytes(), &Chunk::parse(json.as_bytes()).expect("a chunk"))
    }

    #[test]
    fn right_chunks_stay_as_they_are() {
        let mut repair = Repair::default();
        for json in [
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}"#,
            r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","type":"function"},{"index":0},{"index":1}]}}]}"#,
            r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
            r#"{"choices":[{"message":{"tool_calls":[{"id":"c","type":"function"}]},"finish_reason":"tool_calls"}]}"#,
            r#"{"choices":[]}"#,
        ] {
            assert_eq!(mend(&mut repair, json), None, "{json}");
        }
    }

    #[test]
    fn calls_get_their_numbers_and_the_stream_its_right_end() {
        let mut repair = Repair::default();
        let two =
            r#"{"id":1e400,"choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","type":"function"},{"id":"b"}]}}]}"#;
        let expected = r#"{"id":1e400,"choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","type":"function","index":0},{"id":"b","type":"function","index":1}]}}]}"#;
        assert_eq!(mend(&mut repair, two).as_deref(), Some(expected));
        let more = r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"x"}}]}}]}"#;
        assert!(mend(&mut repair, more).is_some_and(|json| json.contains(r#""index":1"#)));
        let end = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
        assert_eq!(
            mend(&mut repair, end).as_deref(),
            Some(r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#)
        );
    }

    /// What the pieces of a stream come to for a client that goes by their indexes.
    fn calls(pieces: &[&str]) -> Vec<(String, String, String)> {
        let mut repair = Repair::default();
        let mut calls: Vec<(String, String, String)> = Vec::new();
        for piece in pieces {
            let json = format!(r#"{{"id":"r1","choices":[{{"delta":{{"tool_calls":[{piece}]}}}}]}}"#);
            let mended = mend(&mut repair, &json).unwrap_or(json);
            let chunk: serde_json::Value = serde_json::from_str(&mended).expect("JSON");
            for call in chunk["choices"][0]["delta"]["tool_calls"].as_array().expect("calls") {
                let index = usize::try_from(call["index"].as_u64().expect("an index")).expect("a small one");
                let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
                calls.resize(calls.len().max(index + 1), Default::default());
                assert!(!calls[index].0.is_empty() || call["type"] == "function", "{mended}");
                calls[index].0 += &text(&call["id"]);
                calls[index].1 += &text(&call["function"]["name"]);
                calls[index].2 += &text(&call["function"]["arguments"]);
            }
        }
        calls
    }

    #[test]
    fn parallel_calls_of_one_index_are_told_apart_by_their_ids() {
        let begins = |id: &str, name: &str| {
            format!(r#"{{"index":0,"id":"{id}","type":"function","function":{{"name":"{name}","arguments":""}}}}"#)
        };
        let goes_on = |text: &str| format!(r#"{{"index":0,"function":{{"arguments":{}}}}}"#, quoted(text));
        let (a, b) = (begins("a", "f"), begins("b", "g"));
        let got = calls(&[&a, &goes_on("{\"x\""), &goes_on(":1}"), &b, &goes_on("{}")]);
        let call = |id: &str, name: &str, text: &str| (id.to_owned(), name.to_owned(), text.to_owned());
        assert_eq!(got, [call("a", "f", "{\"x\":1}"), call("b", "g", "{}")]);
        // Id and name at every piece.
        let again = r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#;
        assert_eq!(calls(&[&a, again]), [call("a", "f", "{}")]);
    }

    #[test]
    fn parallel_calls_that_share_an_id_or_have_none_are_told_apart_by_index_and_name() {
        let piece = |marks: &str, name: &str, text: &str| {
            format!(r#"{{{marks}"function":{{"name":{name},"arguments":{}}}}}"#, quoted(text))
        };
        let table =
            [[r#""index":0,"id":"f","#, r#""index":1,"id":"f","#], [r#""index":0,"#, r#""index":1,"#], ["", ""]];
        for marks in table {
            let [one, two] = marks;
            let got =
                calls(&[&piece(one, "\"f\"", "{\"a\":1}"), &piece(two, "\"f\"", "{\"a\""), &piece(two, "null", ":2}")]);
            assert_eq!(got.len(), 2, "{marks:?}: {got:?}");
            assert_eq!((got[0].2.as_str(), got[1].2.as_str()), ("{\"a\":1}", "{\"a\":2}"), "{marks:?}");
            assert!(got.iter().all(|call| call.1 == "f") && got[0].0 != got[1].0, "{marks:?}: {got:?}");
        }
        let at_zero = r#""index":0,"#;
        let got =
            calls(&[&piece(at_zero, "\"f\"", "{}"), &piece(at_zero, "\"g\"", "{"), &piece(at_zero, "\"g\"", "}")]);
        assert_eq!((got[0].2.as_str(), got[1].2.as_str()), ("{}", "{}"), "{got:?}");
        let whole =
            r#"{"choices":[{"message":{"tool_calls":[{"id":"f","type":"function"},{"id":"f","type":"function"}]}}]}"#;
        let mended = mend(&mut Repair::default(), whole).expect("mended");
        assert!(mended.contains(r#"{"id":"f","type":"function"},{"id":"call_"#), "{mended}");
    }

    #[test]
    fn a_call_gets_an_id_a_kind_and_text_for_arguments() {
        let bare = r#"{"index":0,"function":{"name":"f","arguments":{"x":[1]}}}"#;
        let other = r#"{"index":1,"id":"","type":null,"function":{"name":"g","arguments":null}}"#;
        let got = calls(&[bare, other]);
        assert_eq!((got[0].1.as_str(), got[0].2.as_str(), got[1].2.as_str()), ("f", r#"{"x":[1]}"#, ""));
        assert!(got[0].0.starts_with("call_") && got[0].0 != got[1].0, "{got:?}");
        let whole = r#"{"id":"r1","choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":{}}}]},"finish_reason":"stop"}]}"#;
        let mended = mend(&mut Repair::default(), whole).expect("mended");
        assert!(
            mended.contains(r#""arguments":"{}""#) && mended.contains(r#""finish_reason":"tool_calls""#),
            "{mended}"
        );
        assert!(!mended.contains("\"index\""), "{mended}");
    }

    #[test]
    fn the_choices_of_one_answer_keep_their_calls_and_their_ends_apart() {
        let mut repair = Repair::default();
        let begins = |choice: u64, id: &str| {
            format!(
                r#"{{"choices":[{{"index":{choice},"delta":{{"tool_calls":[{{"index":0,"id":"{id}","type":"function","function":{{"name":"f","arguments":""}}}}]}}}}]}}"#
            )
        };
        let goes_on = |choice: u64| {
            format!(
                r#"{{"choices":[{{"index":{choice},"delta":{{"tool_calls":[{{"index":0,"function":{{"arguments":"{{}}"}}}}]}}}}]}}"#
            )
        };
        let text = r#"{"choices":[{"index":2,"delta":{},"finish_reason":"stop"}]}"#;
        for json in [&begins(0, "a"), &begins(1, "b"), &goes_on(0), &goes_on(1), &goes_on(0), text] {
            assert_eq!(mend(&mut repair, json), None, "{json}");
        }
        let both = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"},{"index":2,"delta":{"content":[{"type":"text","text":"x"}]},"finish_reason":"stop"}]}"#;
        let expected = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"},{"index":2,"delta":{"content":"x"},"finish_reason":"stop"}]}"#;
        assert_eq!(mend(&mut repair, both).as_deref(), Some(expected));
    }

    #[test]
    fn a_content_in_parts_becomes_text_and_reasoning() {
        let json = r#"{"choices":[{"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"18"}]}}]}"#;
        let expected = r#"{"choices":[{"message":{"role":"assistant","content":"18","reasoning_content":"hm"}}]}"#;
        assert_eq!(mend(&mut Repair::default(), json).as_deref(), Some(expected));
    }
}

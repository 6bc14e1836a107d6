//! The turns of a history where a strict template wants them: each call with its results behind it, the last word not the model's.

use std::borrow::Cow;
use std::collections::HashMap;

use crate::chat::fields::{EditedObject, list, quoted};

/// A short turn of the model's between a tool's result and the user's next words (Mistral's templates, 2026-08).
const FILLER: &str = r#"{"role":"assistant","content":"OK."}"#;
/// What stands before a result that answers no call.
const STRAY_RESULT: &str = "Result of a tool call:";

/// Messages in an order, and whether they are others, or stand otherwise, than they came.
pub struct Ordered<'a> {
    pub messages: Vec<Cow<'a, str>>,
    pub changed: bool,
}

/// Puts turns where a strict template wants them.
pub fn strictly(history: Ordered<'_>) -> Result<Ordered<'_>, serde_json::Error> {
    let mut turns = Turns { changed: history.changed, ..Turns::default() };
    for raw in history.messages {
        turns.take(raw)?;
    }
    turns.finish()
}

/// Puts system messages before all others. Where there are no others, the last of them speaks as the user.
pub fn system_first(history: Ordered<'_>) -> Result<Ordered<'_>, serde_json::Error> {
    let (mut systems, mut others) = (Vec::new(), Vec::new());
    let mut changed = history.changed;
    for raw in history.messages {
        let is_system = EditedObject::parse(&raw)?.text("role").is_some_and(|role| role == "system");
        changed |= is_system && !others.is_empty();
        if is_system { systems.push(raw) } else { others.push(raw) }
    }
    if others.is_empty()
        && let Some(last) = systems.last_mut()
    {
        *last = as_user(last)?;
        changed = true;
    }
    systems.append(&mut others);
    Ok(Ordered { messages: systems, changed })
}

/// A message that answers no call, with the results of those it makes.
struct Turn<'a> {
    raw: Cow<'a, str>,
    role: String,
    /// Ids of its calls that have no result so far.
    unanswered: Vec<String>,
    results: Vec<Cow<'a, str>>,
}

#[derive(Default)]
struct Turns<'a> {
    taken: Vec<Turn<'a>>,
    /// Where the calls are that have no result so far, by their ids: the latest last.
    open: HashMap<String, Vec<usize>>,
    changed: bool,
}

impl<'a> Turns<'a> {
    fn take(&mut self, raw: Cow<'a, str>) -> Result<(), serde_json::Error> {
        let message = EditedObject::parse(&raw)?;
        let role = message.text("role").unwrap_or_default();
        let calls = call_ids(&message)?;
        if role == "assistant" && calls.is_empty() && says_nothing(&message) {
            self.changed = true;
            return Ok(());
        }
        if role != "tool" {
            self.push(raw, role, calls);
            return Ok(());
        }
        let id = message.text("tool_call_id").unwrap_or_default();
        match self.open.get_mut(&id).and_then(Vec::pop) {
            Some(place) => self.answer(place, &id, raw),
            None => {
                self.changed = true;
                if let Some(words) = in_words(&message)? {
                    self.push(Cow::Owned(words), "user".to_owned(), Vec::new());
                }
            }
        }
        Ok(())
    }

    fn push(&mut self, raw: Cow<'a, str>, role: String, calls: Vec<String>) {
        for id in &calls {
            self.open.entry(id.clone()).or_default().push(self.taken.len());
        }
        self.taken.push(Turn { raw, role, unanswered: calls, results: Vec::new() });
    }

    fn answer(&mut self, place: usize, id: &str, result: Cow<'a, str>) {
        self.changed |= place + 1 != self.taken.len();
        let turn = &mut self.taken[place];
        turn.results.push(result);
        if let Some(call) = turn.unanswered.iter().position(|call| call == id) {
            turn.unanswered.remove(call);
        }
    }

    fn finish(mut self) -> Result<Ordered<'a>, serde_json::Error> {
        self.speak_as_user()?;
        let mut messages: Vec<Cow<'_, str>> = Vec::with_capacity(self.taken.len());
        let mut follows_tool = false;
        let mut ends_with_assistant = false;
        for turn in self.taken {
            if follows_tool && turn.role == "user" {
                messages.push(Cow::Borrowed(FILLER));
                self.changed = true;
            }
            self.changed |= !turn.unanswered.is_empty();
            follows_tool = !(turn.results.is_empty() && turn.unanswered.is_empty());
            ends_with_assistant = turn.role == "assistant" && !follows_tool;
            messages.push(turn.raw);
            messages.extend(turn.results);
            messages.extend(turn.unanswered.iter().map(|id| Cow::Owned(empty_result(id))));
        }
        if let Some(last) = messages.last_mut().filter(|_| ends_with_assistant) {
            *last = Cow::Owned(with(last, "prefix", "true")?);
            self.changed = true;
        }
        Ok(Ordered { messages, changed: self.changed })
    }
}

impl Turns<'_> {
    /// System messages may stand at the beginning and behind the user's words. Behind the model's and behind results, and as the
    /// last word, they speak as the user.
    fn speak_as_user(&mut self) -> Result<(), serde_json::Error> {
        let last = self.taken.len().saturating_sub(1);
        let mut follows_answer = false;
        for (place, turn) in self.taken.iter_mut().enumerate() {
            if turn.role == "system" && (follows_answer || place == last) {
                "user".clone_into(&mut turn.role);
                turn.raw = as_user(&turn.raw)?;
                self.changed = true;
            }
            follows_answer = turn.role == "assistant";
        }
        Ok(())
    }
}

fn call_ids(message: &EditedObject<'_>) -> Result<Vec<String>, serde_json::Error> {
    let Some(calls) = message.get("tool_calls").filter(|calls| calls.starts_with('[')) else { return Ok(Vec::new()) };
    let mut ids = Vec::new();
    for call in list(calls)? {
        ids.extend(EditedObject::parse(call)?.text("id"));
    }
    Ok(ids)
}

fn says_nothing(message: &EditedObject<'_>) -> bool {
    message.get("content").is_none_or(|content| matches!(content, "null" | "\"\"" | "[]"))
}

/// A result without a call to stand behind, as a shortened history leaves it, in the user's words; `None` where it is empty.
fn in_words(result: &EditedObject<'_>) -> Result<Option<String>, serde_json::Error> {
    let Some(content) = result.get("content").filter(|_| !says_nothing(result)) else { return Ok(None) };
    let content = if content.starts_with('[') {
        let first = format!(r#"{{"type":"text","text":{}}}"#, quoted(STRAY_RESULT));
        format!("[{}]", std::iter::once(first.as_str()).chain(list(content)?).collect::<Vec<_>>().join(","))
    } else {
        format!(r#""{STRAY_RESULT}\n{}"#, content.trim_start_matches('"'))
    };
    Ok(Some(format!(r#"{{"role":"user","content":{content}}}"#)))
}

fn empty_result(id: &str) -> String {
    format!(r#"{{"role":"tool","tool_call_id":{},"content":""}}"#, quoted(id))
}

fn as_user(raw: &str) -> Result<Cow<'static, str>, serde_json::Error> {
    with(raw, "role", r#""user""#).map(Cow::Owned)
}

/// The message with this field.
fn with(raw: &str, name: &str, value: &str) -> Result<String, serde_json::Error> {
    let mut message = EditedObject::parse(raw)?;
    message.set(name, value);
    Ok(message.render())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn strict(messages: &str) -> String {
        ordered(messages, strictly)
    }

    fn ordered(
        messages: &str,
        put_in_order: impl for<'a> FnOnce(Ordered<'a>) -> Result<Ordered<'a>, serde_json::Error>,
    ) -> String {
        let messages = list(messages).expect("a list").into_iter().map(Cow::Borrowed).collect();
        let ordered = put_in_order(Ordered { messages, changed: false }).expect("valid messages");
        if ordered.changed { format!("[{}]", ordered.messages.join(",")) } else { "unchanged".to_owned() }
    }

    const USER: &str = r#"{"role":"user","content":"x"}"#;

    fn calls(ids: &[&str]) -> String {
        let calls: Vec<String> = ids.iter().map(|id| format!(r#"{{"id":"{id}"}}"#)).collect();
        format!(r#"{{"role":"assistant","content":"","tool_calls":[{}]}}"#, calls.join(","))
    }

    fn result(id: &str, content: &str) -> String {
        format!(r#"{{"role":"tool","tool_call_id":"{id}","content":{content}}}"#)
    }

    #[test]
    fn strict_templates_get_their_order() {
        let (both, one) = (calls(&["a", "b"]), result("a", r#""1""#));
        let missing = result("b", r#""""#);
        let cases = [
            (format!(r#"[{USER},{{"role":"assistant","content":""}},{USER}]"#), format!("[{USER},{USER}]")),
            (format!("[{USER},{both},{one},{USER}]"), format!("[{USER},{both},{one},{missing},{FILLER},{USER}]")),
            (format!("[{USER},{both},{one}]"), format!("[{USER},{both},{one},{missing}]")),
            (
                format!(r#"[{USER},{{"role":"assistant","content":"so"}}]"#),
                format!(r#"[{USER},{{"role":"assistant","content":"so","prefix":true}}]"#),
            ),
        ];
        for (messages, expected) in cases {
            assert_eq!(strict(&messages), expected);
        }
        let settled =
            format!("[{USER},{both},{missing},{one},{}]", calls(&["c"]).replace(r#""content":"""#, r#""content":"y""#));
        assert_eq!(strict(&format!("[{USER}]")), "unchanged");
        assert_eq!(strict(&settled.replace("]}]", &format!("]}},{}]", result("c", r#""3""#)))), "unchanged");
    }

    #[test]
    fn a_result_that_stands_away_from_its_call_is_refused_no_more() {
        let (a, b) = (calls(&["a"]), calls(&["b"]));
        let (of_a, of_b) = (result("a", r#""1""#), result("b", r#""2""#));
        let ordered = format!("[{USER},{a},{of_a},{b},{of_b}]");
        assert_eq!(strict(&format!("[{USER},{a},{b},{of_a},{of_b}]")), ordered);
        assert_eq!(strict(&format!("[{USER},{a},{b},{of_b},{of_a}]")), ordered);
        assert_eq!(strict(&ordered), "unchanged");
        let between = format!("[{USER},{a},{of_a},{FILLER},{USER}]");
        assert_eq!(strict(&format!("[{USER},{a},{USER},{of_a}]")), between);
        // Some count their calls anew in each turn.
        assert_eq!(strict(&format!("[{USER},{a},{of_a},{a},{of_a}]")), "unchanged");
    }

    #[test]
    fn a_result_without_its_call_is_refused_no_more_but_said_in_words() {
        let said = r#"{"role":"user","content":"Result of a tool call:\n\"1\""}"#;
        let (a, of_a) = (calls(&["a"]), result("a", r#""\"1\"""#));
        assert_eq!(strict(&format!("[{USER},{of_a}]")), format!("[{USER},{said}]"));
        assert_eq!(strict(&format!("[{USER},{a},{of_a},{of_a}]")), format!("[{USER},{a},{of_a},{FILLER},{said}]"));
        let parts = result("z", r#"[{"type":"text","text":"1"}]"#);
        let said =
            r#"{"role":"user","content":[{"type":"text","text":"Result of a tool call:"},{"type":"text","text":"1"}]}"#;
        assert_eq!(strict(&format!("[{USER},{parts}]")), format!("[{USER},{said}]"));
        assert_eq!(strict(&format!("[{USER},{}]", result("z", "null"))), format!("[{USER}]"));
    }

    #[test]
    fn a_system_message_with_nothing_behind_it_is_refused_no_more_but_speaks_as_the_user() {
        let system = r#"{"role":"system","content":"x"}"#;
        assert_eq!(strict(&format!("[{system}]")), format!("[{USER}]"));
        assert_eq!(strict(&format!("[{system},{system}]")), format!("[{system},{USER}]"));
        assert_eq!(strict(&format!("[{system},{USER}]")), "unchanged");
    }

    #[test]
    fn a_system_message_behind_an_answer_is_refused_no_more_but_speaks_as_the_user() {
        let system = r#"{"role":"system","content":"x"}"#;
        let (a, of_a) = (calls(&["a"]), result("a", r#""1""#));
        let said = r#"{"role":"assistant","content":"so"}"#;
        assert_eq!(
            strict(&format!("[{USER},{a},{of_a},{system},{USER}]")),
            format!("[{USER},{a},{of_a},{FILLER},{USER},{USER}]")
        );
        assert_eq!(strict(&format!("[{USER},{said},{system},{USER}]")), format!("[{USER},{said},{USER},{USER}]"));
        assert_eq!(strict(&format!("[{USER},{system},{said},{USER}]")), "unchanged");
    }

    #[test]
    fn a_system_message_in_the_middle_is_refused_no_more_but_comes_first() {
        let first = |messages: &str| ordered(messages, system_first);
        let (system, note) = (r#"{"role":"system","content":"x"}"#, r#"{"role":"system","content":"y"}"#);
        let one = calls(&["a"]);
        assert_eq!(
            first(&format!("[{system},{USER},{one},{note},{USER}]")),
            format!("[{system},{note},{USER},{one},{USER}]")
        );
        assert_eq!(first(&format!("[{system},{note},{USER}]")), "unchanged");
        assert_eq!(first(&format!("[{USER}]")), "unchanged");
        assert_eq!(first(&format!("[{note},{system}]")), format!("[{note},{USER}]"));
    }
}

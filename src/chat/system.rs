//! Adds a text of relay's own to a request's system prompt, everything else left as it is.

use std::borrow::Cow;

use super::fields::{EditedObject, list};
use super::skim::{Malformed, Skim};

/// Where the text goes within the system prompt that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// So that the caller's own words have the last say.
    Before,
    After,
}

/// The messages with `text`, a JSON string, in the first system message; one is made where there is none.
pub fn join(messages: &[Cow<'_, str>], text: &str, place: Place) -> Result<Vec<String>, serde_json::Error> {
    let mut joined: Vec<String> = messages.iter().map(ToString::to_string).collect();
    match joined.first().map(|first| with_text(first, text, place)).transpose()?.flatten() {
        Some(first) => joined[0] = first,
        None => joined.insert(0, alone(text)),
    }
    Ok(joined)
}

/// The same for a list as raw JSON, of which no more than the first message is read.
pub fn join_raw(messages: &str, text: &str, place: Place) -> Result<String, serde_json::Error> {
    let inner = messages.strip_prefix('[').unwrap_or(messages);
    let Ok(first) = Skim::new(inner).value() else { return Ok(["[", &alone(text), "]"].concat()) };
    let rest = &inner[first.end..];
    Ok(match with_text(&inner[first], text, place)? {
        Some(first) => ["[", &first, rest].concat(),
        None => ["[", &alone(text), ",", inner].concat(),
    })
}

/// A system message that says `text`, a JSON string.
fn alone(text: &str) -> String {
    [r#"{"role":"system","content":"#, text, "}"].concat()
}

/// The system message with `text`, a JSON string; `None` where this is none, or its content is of no known kind.
fn with_text(message: &str, text: &str, place: Place) -> Result<Option<String>, serde_json::Error> {
    if is_of_another(message) {
        return Ok(None);
    }
    let mut message = EditedObject::parse(message)?;
    if !matches!(message.text("role").as_deref(), Some("system" | "developer")) {
        return Ok(None);
    }
    let content = match message.get("content") {
        None | Some("null" | "\"\"") => text.to_owned(),
        Some(parts) if parts.starts_with('[') => {
            let part = format!(r#"{{"type":"text","text":{text}}}"#);
            let mut parts = list(parts)?;
            let at = if place == Place::Before { 0 } else { parts.len() };
            parts.insert(at, &part);
            format!("[{}]", parts.join(","))
        }
        // The caller's text keeps its own escapes.
        Some(own) => {
            let Some(own) = inside(own) else { return Ok(None) };
            let text = inside(text).unwrap_or_default();
            match place {
                Place::Before => format!("\"{text}\\n\\n{own}\""),
                Place::After => format!("\"{own}\\n\\n{text}\""),
            }
        }
    };
    message.set("content", content);
    Ok(Some(message.render()))
}

/// Whether a message is plainly of another role, which most are: then nothing else of it has to be read.
fn is_of_another(message: &str) -> bool {
    let mut is_of_another = false;
    let walked = Skim::new(message).object(|skim, name| {
        let role = skim.value()?;
        if name.text == b"role" {
            is_of_another = matches!(&message[role], "\"user\"" | "\"assistant\"" | "\"tool\"");
        }
        Ok::<_, Malformed>(())
    });
    walked.is_ok() && is_of_another
}

/// What stands between a JSON string's quotes.
fn inside(string: &str) -> Option<&str> {
    string.strip_prefix('"')?.strip_suffix('"')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_system_prompt_gains_the_text_and_keeps_its_own() {
        let user = r#"{"role":"user","content":"\u0041 x"}"#;
        let cases = [
            (format!("[{user}]"), Place::Before, format!(r#"[{{"role":"system","content":"Be \"brief\""}},{user}]"#)),
            (
                format!(r#"[{{"role":"system","content":"O\u006e\n"}},{user}]"#),
                Place::Before,
                format!(r#"[{{"role":"system","content":"Be \"brief\"\n\nO\u006e\n"}},{user}]"#),
            ),
            (
                format!(r#"[{{"role":"developer","name":"x","content":"On"}},{user}]"#),
                Place::After,
                format!(r#"[{{"role":"developer","name":"x","content":"On\n\nBe \"brief\""}},{user}]"#),
            ),
            (
                r#"[{"role":"system","content":[{"type":"text","text":"On"}]}]"#.to_owned(),
                Place::After,
                r#"[{"role":"system","content":[{"type":"text","text":"On"},{"type":"text","text":"Be \"brief\""}]}]"#
                    .to_owned(),
            ),
            (
                r#"[{"role":"system","content":null}]"#.to_owned(),
                Place::After,
                r#"[{"role":"system","content":"Be \"brief\""}]"#.to_owned(),
            ),
        ];
        for (messages, place, expected) in cases {
            assert_eq!(join_raw(&messages, r#""Be \"brief\"""#, place).expect("joined"), expected, "{messages}");
        }
    }
}

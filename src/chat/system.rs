//! Adds a text of relay's own to a request's system prompt, everything else left as it is.

use super::chunk::string;
use super::request::Edit;
use super::skim::{Malformed, Skim};

/// Where the text goes within the system prompt that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// So that the caller's own words have the last say.
    Before,
    After,
}

/// How `text`, a JSON string, joins the first of these messages, where that is a system message; one is made where it is none. No more
/// than the first message is read.
pub fn join(messages: &str, text: &str, place: Place) -> Edit {
    let inner = messages.strip_prefix('[').unwrap_or(messages);
    let begin = messages.len() - inner.len();
    let alone =
        |comma| Edit { place: begin..begin, text: [r#"{"role":"system","content":"#, text, "}", comma].concat() };
    match Skim::new(inner).value() {
        Ok(first) => with_text(&inner[first.clone()], text, place).map_or_else(
            || alone(","),
            |edit| Edit { place: edit.place.start + begin + first.start..edit.place.end + begin + first.start, ..edit },
        ),
        // A list of nothing.
        Err(Malformed) => alone(""),
    }
}

/// How `text`, a JSON string, joins a system message; `None` where this is none, or its content is of no known kind.
fn with_text(message: &str, text: &str, place: Place) -> Option<Edit> {
    let (mut role, mut content) = (None, None);
    let walked = Skim::new(message).object(|skim, name| {
        let value = skim.value()?;
        match name.text {
            b"role" => role = role.take().or(Some(value)),
            b"content" => content = content.take().or(Some(value)),
            _ => {}
        }
        Ok::<_, Malformed>(())
    });
    let end = walked.ok()?.end - 1;
    let role = string(&message[role?]).ok()?;
    if !matches!(role.as_ref(), "system" | "developer") {
        return None;
    }
    let Some(content) = content else {
        return Some(Edit { place: end..end, text: [r#","content":"#, text].concat() });
    };
    // Behind the opening quote or bracket, or before the closing one.
    let at = if place == Place::Before { content.start + 1 } else { content.end - 1 };
    let beside = |text: &str, between: &str| match place {
        Place::Before => [text, between].concat(),
        Place::After => [between, text].concat(),
    };
    let text = match &message[content.clone()] {
        "null" | "\"\"" => return Some(Edit { place: content, text: text.to_owned() }),
        parts if parts.starts_with('[') => {
            let is_empty = parts[1..parts.len() - 1].trim_ascii().is_empty();
            let part = [r#"{"type":"text","text":"#, text, "}"].concat();
            beside(&part, if is_empty { "" } else { "," })
        }
        // The caller's text keeps its own escapes.
        own => inside(own).and(inside(text)).map(|text| beside(text, "\\n\\n"))?,
    };
    Some(Edit { place: at..at, text })
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
                r#"[{"role":"system","content":[ ]}]"#.to_owned(),
                Place::After,
                r#"[{"role":"system","content":[ {"type":"text","text":"Be \"brief\""}]}]"#.to_owned(),
            ),
            (
                format!(r#"[ {{"\u0072ole":"s\u0079stem" }} ,{user}]"#),
                Place::Before,
                format!(r#"[ {{"\u0072ole":"s\u0079stem" ,"content":"Be \"brief\""}} ,{user}]"#),
            ),
            ("[]".to_owned(), Place::After, r#"[{"role":"system","content":"Be \"brief\""}]"#.to_owned()),
            (
                r#"[{"role":"system","content":null}]"#.to_owned(),
                Place::After,
                r#"[{"role":"system","content":"Be \"brief\""}]"#.to_owned(),
            ),
        ];
        for (messages, place, expected) in cases {
            let edit = join(&messages, r#""Be \"brief\"""#, place);
            assert_eq!(edit.applied(&messages), expected, "{messages}");
        }
    }
}

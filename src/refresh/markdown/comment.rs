//! Markdown without its comments: what nobody sees is not there, also between the rows of a table.

use std::borrow::Cow;

use super::super::text::SEAM;
use super::line::is_fenced;

/// How a comment begins, and how it ends.
const COMMENTS: [(&str, &str); 2] = [("<!--", "-->"), ("{/*", "*/}")];

/// Whether a line is nothing but what a comment left of it.
pub fn is_gone(line: &str) -> bool {
    line.starts_with(SEAM) && line.trim_matches(SEAM).trim().is_empty()
}

/// The text without comments, line by line. One that begins within a line and never ends is none; one that begins a line hides
/// all that follows, as in a browser.
pub fn without_comments(text: &str) -> Cow<'_, str> {
    if !COMMENTS.iter().any(|(open, _)| text.contains(open)) {
        return Cow::Borrowed(text);
    }
    let mut left = String::with_capacity(text.len());
    let mut state = State::default();
    let mut fence = None;
    for (start, line) in lines(text) {
        if state.hidden.is_none() && is_fenced(line.trim_end(), &mut fence) {
            left.push_str(line);
            continue;
        }
        let (seen, is_changed) = seen(text, start, line, &mut state);
        if is_changed && seen.trim().is_empty() {
            left.push(SEAM);
        }
        left.push_str(&seen);
        if is_changed && line.ends_with('\n') && !seen.ends_with('\n') {
            left.push('\n');
        }
    }
    Cow::Owned(left)
}

#[derive(Debug, Default)]
struct State {
    /// The end that an open comment waits for.
    hidden: Option<&'static str>,
    /// An end that does not come any more: it is not looked for again and again.
    missing: Option<&'static str>,
}

fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut start = 0;
    text.split_inclusive('\n').map(move |line| {
        let own = start;
        start += line.len();
        (own, line)
    })
}

/// What is seen of a line, and whether that is less than it holds.
fn seen(text: &str, start: usize, line: &str, state: &mut State) -> (String, bool) {
    let mut seen = String::new();
    let mut is_changed = state.hidden.is_some();
    let mut at = 0;
    loop {
        if let Some(close) = state.hidden {
            let Some(end) = line[at..].find(close) else { return (seen, true) };
            at += end + close.len();
            state.hidden = None;
        }
        let rest = &line[at..];
        let open = COMMENTS.iter().filter_map(|(open, close)| Some((rest.find(open)?, *close))).min();
        let Some((begin, close)) = open else { break };
        let is_first = at == 0 && rest[..begin].trim().is_empty();
        let is_code = rest[..begin].matches('`').count() % 2 == 1;
        let is_open = || state.missing != Some(close) && text[start + at + begin..].contains(close);
        if is_code || !(is_first || is_open()) {
            state.missing = state.missing.or((!is_code).then_some(close));
            break;
        }
        seen.push_str(&rest[..begin]);
        at += begin;
        (state.hidden, is_changed) = (Some(close), true);
    }
    seen.push_str(&line[at..]);
    (seen, is_changed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_are_not_seen() {
        for (text, left) in [
            ("a <!-- b --> c", "a  c"),
            ("a <!-- b\nc --> d\n", "a \n d\n"),
            ("<!-- | a | -->\n| b |\n", "\u{1f}\n| b |\n"),
            ("a {/* b */}{/* c */} d", "a  d"),
            ("a `<!--` b", "a `<!--` b"),
            ("a <!-- b", "a <!-- b"),
            ("<!-- b\nc", "\u{1f}\n\u{1f}"),
            ("```\n<!-- b -->\n```\n", "```\n<!-- b -->\n```\n"),
        ] {
            assert_eq!(without_comments(text), left, "{text}");
        }
    }
}

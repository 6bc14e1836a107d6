//! What a second author says about going on, before going on: no part of the answer.

/// A remark is no longer than this, in bytes.
const LONGEST: usize = 120;

/// How a remark begins, in small letters.
const OPENERS: [&str; 17] = [
    "sure",
    "certainly",
    "of course",
    "okay",
    "ok,",
    "ok!",
    "absolutely",
    "apologies",
    "sorry",
    "here is",
    "here's",
    "here’s",
    "continuing",
    "(continu",
    "*continu",
    "**continu",
    "picking up",
];

/// What it then speaks of.
const TOPICS: [&str; 6] = ["continu", "left off", "cut off", "broke off", "the rest", "picking up"];

/// How a text goes on that was broken off: marks, and no words.
const ELLIPSES: [&str; 2] = ["...", "…"];

/// What stands before the continuation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preamble {
    Nothing,
    /// What has come may become one.
    Unclear,
    /// The continuation begins here.
    Until(usize),
}

/// Looks at the beginning of a second text. In code an ellipsis is code.
pub(super) fn preamble(first: &str, second: &str, in_fence: bool, ended: bool) -> Preamble {
    let begun = second.trim_start();
    let from = |at: usize| Preamble::Until(second.len() - begun[at..].trim_start().len());
    let breaks = in_fence || first.trim_end().ends_with('.');
    if !breaks && !ended && ELLIPSES.iter().any(|mark| mark.starts_with(begun)) {
        return Preamble::Unclear;
    }
    if let Some(mark) = ELLIPSES.iter().find(|mark| begun.starts_with(**mark))
        && !breaks
    {
        return from(mark.len());
    }
    let may_be = |opener: &&str| begins(begun, opener) || begun.len() < opener.len() && begins(opener, begun);
    if begun.is_empty() || begun.starts_with(char::is_lowercase) || !OPENERS.iter().any(may_be) {
        return Preamble::Nothing;
    }
    // A remark in brackets or bold has its line to itself.
    let ends: &[char] = if begun.starts_with(['(', '*']) { &['\n'] } else { &[':', '\n'] };
    match begun.find(ends).filter(|end| *end <= LONGEST) {
        // Who begins with the answer's own first words begins anew.
        Some(end) if speaks_of_it(&begun[..end]) && !first.trim_start().starts_with(&begun[..end]) => from(end + 1),
        None if !ended && begun.len() <= LONGEST => Preamble::Unclear,
        _ => Preamble::Nothing,
    }
}

fn begins(text: &str, with: &str) -> bool {
    text.as_bytes().get(..with.len()).is_some_and(|head| head.eq_ignore_ascii_case(with.as_bytes()))
}

fn speaks_of_it(remark: &str) -> bool {
    let remark = remark.to_lowercase();
    TOPICS.iter().any(|topic| remark.contains(topic))
}

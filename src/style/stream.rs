//! Cleans an answer's text as it comes: thoughts apart, the opener gone, Markdown tidied. A whole answer is a stream of one piece.

use super::markdown::Markdown;
use super::opener::{Opening, opening};

/// What is to be done to an answer's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Thoughts are told apart, and nothing else.
    Thoughts,
    /// The opener goes and Markdown is tidied as well.
    Full,
}

/// Text that may go on to the caller.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cleaned {
    pub text: String,
    pub reasoning: String,
}

/// The state of one answer.
#[derive(Debug)]
pub struct Cleaner {
    depth: Depth,
    stage: Stage,
    /// Text that cannot be judged yet.
    held: String,
    markdown: Markdown,
    /// What Markdown's tidying makes of a text that stays as it is: room that is used again and again.
    tidied: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Nothing but white space and thoughts so far.
    Start,
    /// Within thoughts. `begun` says that the answer had begun before them.
    Thoughts {
        begun: bool,
    },
    /// White space that set thoughts apart from the answer.
    Behind {
        begun: bool,
    },
    Opener,
    Body,
}

const THINK: &str = "<think>";
const THOUGHT: &str = "</think>";
/// A line longer than this many bytes behind `<think>` holds thoughts.
const MOST_THOUGHT_LINE: usize = 120;

/// Cleans a whole answer.
pub fn clean(text: &str, depth: Depth) -> Cleaned {
    let mut cleaner = Cleaner::new(depth);
    let mut out = Cleaned { text: String::with_capacity(text.len()), ..Cleaned::default() };
    cleaner.push(text, &mut out);
    cleaner.finish(&mut out);
    out
}

impl Cleaned {
    pub const fn is_empty(&self) -> bool {
        self.text.is_empty() && self.reasoning.is_empty()
    }

    /// Keeps its room for what comes next.
    pub fn clear(&mut self) {
        self.text.clear();
        self.reasoning.clear();
    }
}

impl Cleaner {
    pub fn new(depth: Depth) -> Self {
        Self { depth, stage: Stage::Start, held: String::new(), markdown: Markdown::default(), tidied: String::new() }
    }

    /// Whether some of the text is held back.
    pub fn holds(&self) -> bool {
        !self.held.is_empty()
    }

    /// Takes the next piece; adds to `out` what may go on.
    pub fn push(&mut self, piece: &str, out: &mut Cleaned) {
        if self.held.is_empty() {
            self.take(piece, false, out);
        } else {
            self.held.push_str(piece);
            let held = std::mem::take(&mut self.held);
            self.take(&held, false, out);
        }
    }

    /// Waits no longer for the rest of an opener: what is held back goes on as it is.
    pub fn release(&mut self, out: &mut Cleaned) {
        if self.stage == Stage::Opener {
            self.stage = Stage::Body;
            let held = std::mem::take(&mut self.held);
            self.take(&held, false, out);
        }
    }

    /// The answer has broken off: what is held back goes on as it is, and nothing is closed.
    pub fn give_up(&mut self, out: &mut Cleaned) {
        let held = std::mem::take(&mut self.held);
        if matches!(self.stage, Stage::Thoughts { .. }) {
            out.reasoning.push_str(&held);
        } else {
            self.body(&held, out);
        }
    }

    /// The answer has ended.
    pub fn finish(&mut self, out: &mut Cleaned) {
        let held = std::mem::take(&mut self.held);
        self.take(&held, true, out);
        // The beginning of a tag that was never written to its end.
        self.give_up(out);
        if self.depth == Depth::Full {
            self.markdown.finish(&mut out.text);
        }
    }

    fn take(&mut self, text: &str, is_whole: bool, out: &mut Cleaned) {
        let mut rest = text;
        while !rest.is_empty() {
            let before = (self.stage, rest.len());
            rest = match self.stage {
                Stage::Start => self.start(rest, is_whole),
                Stage::Thoughts { begun } => self.thoughts(rest, begun, out),
                Stage::Behind { begun } => self.behind(rest, begun),
                Stage::Opener => self.opener(rest, is_whole, out),
                Stage::Body => self.answer(rest, is_whole, out),
            };
            if before == (self.stage, rest.len()) {
                rest.clone_into(&mut self.held);
                return;
            }
        }
    }

    /// Looks for thoughts at the very beginning. Returns what is still to be judged, as the other stages do.
    fn start<'a>(&mut self, text: &'a str, is_whole: bool) -> &'a str {
        let trimmed = text.trim_start();
        if let Some(inner) = trimmed.strip_prefix(THINK) {
            self.stage = Stage::Thoughts { begun: false };
            return inner;
        }
        if is_whole || !THINK.starts_with(trimmed) {
            self.stage = if self.depth == Depth::Full { Stage::Opener } else { Stage::Body };
        }
        text
    }

    fn thoughts<'a>(&mut self, text: &'a str, begun: bool, out: &mut Cleaned) -> &'a str {
        if let Some(end) = text.find(THOUGHT) {
            out.reasoning.push_str(&text[..end]);
            self.stage = Stage::Behind { begun };
            return &text[end + THOUGHT.len()..];
        }
        let end = text.len() - unfinished(text, THOUGHT);
        out.reasoning.push_str(&text[..end]);
        &text[end..]
    }

    fn behind<'a>(&mut self, text: &'a str, begun: bool) -> &'a str {
        let text = text.trim_start();
        if !text.is_empty() {
            self.stage = if begun { Stage::Body } else { Stage::Start };
        }
        text
    }

    fn opener<'a>(&mut self, text: &'a str, is_whole: bool, out: &mut Cleaned) -> &'a str {
        match opening(text, is_whole) {
            Opening::Undecided => text,
            Opening::Opener(end) => {
                // The answer has not begun: thoughts may come first.
                self.stage = Stage::Start;
                &text[end..]
            }
            Opening::Answer => {
                self.stage = Stage::Body;
                self.answer(text, is_whole, out)
            }
        }
    }

    /// The answer itself, up to thoughts that begin a line of their own.
    fn answer<'a>(&mut self, text: &'a str, is_whole: bool, out: &mut Cleaned) -> &'a str {
        let (mut from, mut read) = (0, 0);
        while let Some(at) = memchr::memchr(b'<', &text.as_bytes()[read..]).map(|at| read + at) {
            read = at + 1;
            // Of most, the next character tells that they begin something else.
            if !may_be_think(&text[at..]) {
                continue;
            }
            self.body(&text[from..at], out);
            from = at;
            if self.markdown.is_at_line_start() {
                match begins_thoughts(&text[at..], is_whole) {
                    Some(true) => {
                        self.stage = Stage::Thoughts { begun: true };
                        return &text[at + THINK.len()..];
                    }
                    Some(false) => {}
                    None => return &text[at..],
                }
            }
        }
        self.body(&text[from..], out);
        ""
    }

    fn body(&mut self, text: &str, out: &mut Cleaned) {
        if self.depth == Depth::Full {
            self.markdown.push(text, &mut out.text);
        } else {
            // Followed all the same: it knows where lines and code begin.
            out.text.push_str(text);
            self.markdown.push(text, &mut self.tidied);
            self.tidied.clear();
        }
    }
}

/// Whether the tag stands here, or as much of it as has come.
fn may_be_think(text: &str) -> bool {
    text.starts_with(THINK) || THINK.starts_with(text)
}

/// Whether thoughts begin here, on a line of its own within an answer; `None` where only more text can tell. Words about the tag
/// stand behind it on one line; thoughts fill theirs, end on it, or leave it empty.
fn begins_thoughts(text: &str, is_whole: bool) -> Option<bool> {
    let undecided = if is_whole { Some(false) } else { None };
    let Some(inner) = text.strip_prefix(THINK) else {
        return if THINK.starts_with(text) { undecided } else { Some(false) };
    };
    let near = &inner[..inner.floor_char_boundary(MOST_THOUGHT_LINE)];
    let (line, has_end) = near.split_once('\n').map_or((near, false), |(line, _)| (line, true));
    if line.contains(THOUGHT) || (has_end && line.trim().is_empty()) {
        return Some(true);
    }
    match (has_end, near.len() < inner.len()) {
        (true, _) => Some(false),
        (false, true) => Some(true),
        (false, false) => undecided,
    }
}

/// How many bytes at the end of `text` may be the beginning of `mark`.
fn unfinished(text: &str, mark: &str) -> usize {
    (1..mark.len()).rev().find(|length| text.ends_with(&mark[..*length])).unwrap_or(0)
}

//! Joins a second author's text to the first's where the first broke off: what is said twice is said once.

mod preamble;

use preamble::{Preamble, preamble};

/// So much of the first text's end may be repeated, in bytes.
const TAIL: usize = 1_000;

/// An answer begun anew in the same words for so long, in bytes, was begun anew.
const SAME_START: usize = 24;

/// At the start of a line items begin alike: there the same words have to go on for longer.
const SAME_START_OF_LINE: usize = 60;

/// How far an answer begun anew in other words may run past the length of the first before it counts as another answer.
const SLACK: usize = 400;

/// The end of the first text by which its place is found in an answer begun anew, in words.
const ANCHOR_WORDS: usize = 4;
const LEAST_ANCHOR: usize = 16;

/// Fewer letters than this, repeated after a space or a line's end, may be meant: `}` follows `}`.
const LEAST_REPEATED: usize = 10;

const FENCE: &str = "```";

/// The second text leads nowhere near the place where the first broke off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Astray;

/// A seam being sewn. Text of the continuation goes in as it comes; what belongs after the first text comes out.
#[derive(Debug)]
pub struct Splice {
    so_far: String,
    in_fence: bool,
    /// What has come of the continuation, while it is not known where in it the new begins.
    held: String,
    /// Whether `held` may still begin with a remark about going on, and whether it did.
    may_remark: bool,
    remarked: bool,
    /// How much of `held` says the first text from its beginning.
    followed: usize,
    /// Up to where `held` was searched for the anchor.
    searched: usize,
    sewn: bool,
}

enum Seam {
    Unclear,
    /// What stands from here on in `held` is new, after this gap.
    At(usize, &'static str),
}

impl Splice {
    pub fn new(so_far: String) -> Self {
        let in_fence = is_in_fence(&so_far);
        Self {
            so_far,
            in_fence,
            held: String::new(),
            may_remark: true,
            remarked: false,
            followed: 0,
            searched: 0,
            sewn: false,
        }
    }

    /// The next text of the continuation: what of all that came is new.
    pub fn push(&mut self, text: &str) -> Result<String, Astray> {
        if self.sewn {
            return Ok(text.to_owned());
        }
        self.held.push_str(text);
        self.sew(false)
    }

    /// The continuation has ended: what is still held.
    pub fn end(&mut self) -> Result<String, Astray> {
        if self.sewn { Ok(String::new()) } else { self.sew(true) }
    }

    fn sew(&mut self, ended: bool) -> Result<String, Astray> {
        match self.seam(ended)? {
            Seam::Unclear => Ok(String::new()),
            Seam::At(from, gap) => {
                self.sewn = true;
                let held = std::mem::take(&mut self.held);
                self.so_far = String::new();
                Ok(format!("{gap}{}", &held[from..]))
            }
        }
    }

    fn seam(&mut self, ended: bool) -> Result<Seam, Astray> {
        if self.so_far.is_empty() {
            return Ok(Seam::At(0, ""));
        }
        if self.is_remark(ended) {
            return Ok(Seam::Unclear);
        }
        let Some(start) = self.after_fence(ended) else { return Ok(Seam::Unclear) };
        let words = start + (self.held.len() - start - self.held[start..].trim_start().len());
        if words == self.held.len() && !ended {
            return Ok(Seam::Unclear);
        }
        if let Some(seam) = self.begun_anew(words, ended)? {
            return Ok(seam);
        }
        let (raw, trimmed) = (self.repeated(start, false, ended), self.repeated(words, words > start, ended));
        match (raw, trimmed) {
            (Repeat::Pending, _) | (_, Repeat::Pending) => Ok(Seam::Unclear),
            (Repeat::Of(length), _) => Ok(Seam::At(start + length, "")),
            (Repeat::Nothing, Repeat::Of(length)) => Ok(Seam::At(words + length, "")),
            (Repeat::Nothing, Repeat::Nothing) => Ok(self.new_words(start, ended)),
        }
    }

    /// Passes over a remark about going on. Whether what is held may still become one.
    fn is_remark(&mut self, ended: bool) -> bool {
        if !self.may_remark {
            return false;
        }
        match preamble(&self.so_far, &self.held, self.in_fence, ended) {
            Preamble::Unclear => return true,
            Preamble::Nothing if !self.remarked => {}
            // The white space behind a remark is the remark's, and may still be to come.
            Preamble::Nothing => self.held = self.held.trim_start().to_owned(),
            Preamble::Until(start) => {
                self.held.drain(..start);
                self.remarked = true;
            }
        }
        self.may_remark = self.held.trim_start().is_empty() && !ended;
        self.remarked && self.may_remark
    }

    /// Where the continuation begins, once a fence opened for the second time is passed over. `None`: not known yet.
    fn after_fence(&self, ended: bool) -> Option<usize> {
        let line = self.held.trim_start();
        let may_be_fence = FENCE.starts_with(line) || line.starts_with(FENCE);
        if !self.in_fence || !may_be_fence {
            return Some(0);
        }
        let start = self.held.len() - line.len();
        let begins_line = self.so_far.ends_with('\n') || self.held[..start].contains('\n');
        match line.find('\n') {
            // A fence without a word closes the block that is open, where a line may begin.
            Some(end) if begins_line && line[..end].trim() == FENCE => Some(0),
            Some(end) if line.starts_with(FENCE) => Some(start + end + 1),
            _ if ended => Some(0),
            _ => None,
        }
    }

    /// An answer that begins anew: the seam is where it gets to what is new.
    fn begun_anew(&mut self, words: usize, ended: bool) -> Result<Option<Seam>, Astray> {
        let first = self.so_far.trim_start();
        let second = &self.held[words..];
        let ahead = first.as_bytes()[self.followed..].iter().zip(&second.as_bytes()[self.followed..]);
        self.followed += ahead.take_while(|(a, b)| a == b).count();
        if self.followed == first.len() {
            return Ok(Some(Seam::At(words + first.len(), "")));
        }
        if self.followed == second.len() {
            let is_long = self.followed >= LEAST_REPEATED;
            return if !ended {
                Ok(Some(Seam::Unclear))
            } else if is_long {
                Err(Astray)
            } else {
                Ok(None)
            };
        }
        let least = if first.ends_with('\n') { SAME_START_OF_LINE } else { SAME_START };
        if self.followed < least {
            return Ok(None);
        }
        self.in_other_words(ended).map(Some)
    }

    /// The first text's last words, looked for in an answer that began like it and then left its words.
    fn in_other_words(&mut self, ended: bool) -> Result<Seam, Astray> {
        let anchor = anchor(&self.so_far).ok_or(Astray)?;
        let from = floor(&self.held, self.searched.saturating_sub(anchor.len()));
        if let Some(at) = self.held[from..].find(anchor) {
            return Ok(Seam::At(from + at + anchor.len(), ""));
        }
        self.searched = self.held.len();
        if ended || self.held.len() > self.so_far.len() + SLACK { Err(Astray) } else { Ok(Seam::Unclear) }
    }

    /// How much of the first text's end stands at `start` of what is held.
    fn repeated(&self, start: usize, after_space: bool, ended: bool) -> Repeat {
        let second = &self.held[start..];
        let from = floor(&self.so_far, self.so_far.len().saturating_sub(TAIL));
        let mut best = Repeat::Nothing;
        for (offset, c) in self.so_far[from..].char_indices() {
            let at = from + offset;
            let end = &self.so_far[at..];
            if c.is_whitespace() || !self.may_repeat_from(at, after_space) {
                continue;
            }
            if end.len() > second.len() && end.starts_with(second) && !ended && !second.is_empty() {
                return Repeat::Pending;
            }
            // The first that fits is the longest.
            if let Repeat::Nothing = best
                && let Some(rest) = second.strip_prefix(end)
            {
                // What decides about a number, or about a fence, are the characters after it.
                let is_open = rest.is_empty() && is_number(end) || is_ticks(second) && second.len() < FENCE.len();
                if is_open && !ended {
                    return Repeat::Pending;
                }
                if self.is_repeat(end, rest, at) {
                    best = Repeat::Of(end.len());
                }
            }
        }
        best
    }

    /// Whether an author who says something again would begin here.
    fn may_repeat_from(&self, at: usize, after_space: bool) -> bool {
        let (before, end) = self.so_far.split_at(at);
        if before.chars().next_back().is_some_and(char::is_alphanumeric)
            && end.chars().next().is_some_and(char::is_alphanumeric)
        {
            return false;
        }
        if after_space && self.so_far.ends_with(char::is_alphanumeric) {
            // A word of its own may come again; a fragment of one is begun anew.
            let is_one_word = !end.contains(char::is_whitespace);
            return !is_one_word || !has_word(before, end);
        }
        let begins_line = before.rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
        let is_line = begins_line && end.len() > 2 && end.contains(char::is_alphanumeric) && !end.ends_with('\n');
        self.so_far.ends_with(char::is_alphanumeric)
            || is_line
            || begins_line && is_marker(end)
            || end.chars().filter(|c| c.is_alphanumeric()).count() >= LEAST_REPEATED
    }

    fn is_repeat(&self, end: &str, rest: &str, at: usize) -> bool {
        if is_ticks(end) {
            return end.len() + rest.len() - rest.trim_start_matches('`').len() >= FENCE.len();
        }
        if !is_number(end) {
            return true;
        }
        let before = &self.so_far[..at];
        let begins_line = before.is_empty() || before.ends_with('\n');
        end.len() > 3 || begins_line && rest.starts_with(['.', ')']) && is_next_number(before, end)
    }

    /// Nothing is said twice. A sentence that follows another's end needs its space.
    fn new_words(&self, start: usize, ended: bool) -> Seam {
        let second = &self.held[start..];
        let mut letters = second.chars();
        let capital = letters.next().is_some_and(char::is_uppercase);
        if capital && letters.as_str().is_empty() && !ended {
            return Seam::Unclear;
        }
        let sentence = capital && letters.next().is_some_and(char::is_lowercase);
        let mut end = self.so_far.chars().rev();
        let stops =
            end.next().is_some_and(|c| matches!(c, '.' | '!' | '?')) && end.next().is_some_and(char::is_lowercase);
        if sentence && stops && !self.in_fence {
            return Seam::At(start, " ");
        }
        // Behind a remark nobody goes on inside a word.
        if self.remarked && self.so_far.ends_with(char::is_alphanumeric) && second.starts_with(char::is_alphanumeric) {
            return Seam::At(start, " ");
        }
        let line = self.so_far.rsplit('\n').next().unwrap_or_default();
        let two_spaces = line.ends_with(' ') && !line.trim().is_empty() && second.starts_with(' ');
        if two_spaces && !self.in_fence && !second[1..].starts_with('\n') {
            return Seam::At(start + 1, "");
        }
        Seam::At(start, "")
    }
}

enum Repeat {
    Nothing,
    /// What is held may still become one.
    Pending,
    Of(usize),
}

/// Whether the text ends inside a code block. A fence whose line has not ended may be any fence yet.
fn is_in_fence(text: &str) -> bool {
    let is_fence = |line: &&str| line.trim_start().starts_with(FENCE);
    let (lines, last) = text.rsplit_once('\n').unwrap_or(("", text));
    lines.lines().filter(is_fence).count() % 2 == 1 && !is_fence(&last)
}

/// The text's last words, where they are long enough to be found again.
fn anchor(text: &str) -> Option<&str> {
    let starts = text
        .char_indices()
        .rev()
        .filter(|(at, c)| !c.is_whitespace() && text[..*at].chars().next_back().is_none_or(char::is_whitespace));
    let mut words = starts.map(|(at, _)| &text[at..]).skip(ANCHOR_WORDS - 1);
    words.find(|words| words.len() >= LEAST_ANCHOR)
}

fn is_ticks(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'`')
}

fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a list's next item has this number; `1` after item 10 is the beginning of 11.
fn is_next_number(before: &str, number: &str) -> bool {
    let item = |line: &str| line.split(['.', ')']).next()?.parse::<u64>().ok();
    before.lines().rev().take(20).find_map(item).is_none_or(|last| number.parse() == Ok(last.saturating_add(1)))
}

/// Whether this is all of a list item's or a heading's mark, or the beginning of a fence.
fn is_marker(end: &str) -> bool {
    let mark = end.trim_end_matches(' ');
    let is_mark = matches!(mark, "-" | "*" | "+")
        || mark.bytes().all(|byte| byte == b'#')
        || is_ticks(end) && end.len() <= FENCE.len();
    let counts = mark.strip_suffix(['.', ')']).is_some_and(|number| !number.is_empty() && is_number(number));
    is_mark || counts
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|known| known.eq_ignore_ascii_case(word))
}

/// The nearest place at or before `at` where a character begins.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests;

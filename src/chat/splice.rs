//! Joins a second author's text to the first's where the first broke off: what is said twice is said once.

mod preamble;
mod tail;

use std::ops::Range;

use preamble::{Preamble, preamble};
use tail::{
    FENCE, LEAST_REPEATED, LEAST_WORDS, begins_with_word, common, ends_with_word, has_word, is_marker, is_much,
    is_next_number, is_number, is_one_word, is_periodic, is_ticks, is_unspaced, letters,
};

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

/// A word behind a comma or a full stop without a space: "stones,stones,".
const LEAST_GLUED: usize = 3;

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
        let (raw, trimmed) = (self.repeated(start..start, ended), self.repeated(start..words, ended));
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

    /// How much of the first text's end stands in what is held, behind this gap.
    fn repeated(&self, gap: Range<usize>, ended: bool) -> Repeat {
        let (gap, second) = (&self.held[gap.clone()], &self.held[gap.end..]);
        let from = floor(&self.so_far, self.so_far.len().saturating_sub(TAIL));
        // The first that fits is the longest.
        for (offset, _) in self.so_far[from..].char_indices().filter(|(_, c)| !c.is_whitespace()) {
            let at = from + offset;
            let end = &self.so_far[at..];
            let may_come = end.starts_with(second) && end.len() > second.len() && !second.is_empty() && !ended;
            let rest = second.strip_prefix(end);
            if !may_come && rest.is_none() || !self.may_repeat_from(at, gap) {
                continue;
            }
            let Some(rest) = rest else { return Repeat::Pending };
            // What decides are the characters after it.
            let more = rest.trim_start();
            let is_open = end.starts_with(more) || is_ticks(second) && second.len() < FENCE.len();
            if is_open && !ended {
                return Repeat::Pending;
            }
            if !is_ticks(end) && self.is_said_over_and_over(at, more) {
                return Repeat::Nothing;
            }
            if self.is_repeat(at, rest, gap) {
                return Repeat::Of(end.len());
            }
        }
        Repeat::Nothing
    }

    /// Whether an author who says something again would begin here.
    fn may_repeat_from(&self, at: usize, gap: &str) -> bool {
        let (before, end) = self.so_far.split_at(at);
        let is_inside = before.ends_with(char::is_alphanumeric) && end.starts_with(char::is_alphanumeric);
        if is_much(end)
            || letters(end) >= self.least_letters(before, gap) && (!is_inside || end.starts_with(is_unspaced))
        {
            return true;
        }
        if is_inside {
            return false;
        }
        let begins_line = before.rsplit('\n').next().is_none_or(|line| line.trim().is_empty());
        let is_new_line = gap.contains('\n');
        if self.so_far.ends_with(char::is_alphanumeric) {
            let begins_word = end.starts_with(char::is_alphanumeric) || !before.ends_with(char::is_alphanumeric);
            return if gap.is_empty() { begins_word } else { !is_new_line && (begins_line || is_one_word(end)) };
        }
        let is_line = end.len() > 2 && end.contains(char::is_alphanumeric) && !end.ends_with('\n') && !is_new_line;
        begins_line && (is_line || is_marker(end))
    }

    /// So many letters in whole words were said already.
    fn least_letters(&self, before: &str, gap: &str) -> usize {
        let is_glued = gap.is_empty() && self.so_far.ends_with([',', '.', ';', ':', '!', '?']);
        if self.in_fence || gap.contains('\n') || self.so_far.ends_with('\n') {
            LEAST_REPEATED
        } else if is_glued && before.ends_with(' ') {
            LEAST_GLUED
        } else {
            LEAST_WORDS
        }
    }

    /// Whether the text says the same again and again where it broke off, so that who does so too goes on.
    fn is_said_over_and_over(&self, at: usize, rest: &str) -> bool {
        let (before, end) = (self.so_far[..at].trim_end(), self.so_far[at..].trim_end());
        let (behind, ahead) = (common(before.bytes().rev(), end.bytes().rev()), common(rest.bytes(), end.bytes()));
        if is_much(end) {
            return behind + ahead >= end.len() || is_periodic(end);
        }
        // Of few words one tells: "again and again and again".
        let mut words = end.split_whitespace();
        let first = words.next().unwrap_or(end);
        let last = words.next_back().unwrap_or(first);
        let is_phrase = ends_with_word(before, last) || begins_with_word(rest, first);
        is_phrase || ahead == end.len() || is_periodic(end)
    }

    fn is_repeat(&self, at: usize, rest: &str, gap: &str) -> bool {
        let (before, end) = self.so_far.split_at(at);
        if is_ticks(end) {
            return end.len() + rest.len() - rest.trim_start_matches('`').len() >= FENCE.len();
        }
        let is_bare = is_one_word(end) && (letters(end) == 0 || end.chars().all(char::is_alphanumeric));
        if is_bare && !gap.is_empty() && self.so_far.ends_with(char::is_alphanumeric) {
            // A word of its own may come again; a fragment of one is begun anew.
            let is_new = end.chars().nth(1).is_some() && !has_word(before, end);
            let is_fragment = rest.starts_with(char::is_alphanumeric);
            return if is_fragment { is_new } else { letters(end) >= self.least_letters(before, gap) };
        }
        if !is_number(end) {
            return true;
        }
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

/// The nearest place at or before `at` where a character begins.
fn floor(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests;

//! Tidies Markdown as it streams by: runs of blank lines shrink to one, an open fence is closed at the end. Code stays as it is.

use crate::chat::fence::Fences;

/// Where the text stands. What is held back is white space alone, and only behind a blank line.
#[derive(Debug, Default)]
pub struct Markdown {
    fences: Fences,
    line: Line,
    /// Blank lines since the last one that was not.
    blank_lines: usize,
    /// The last line that was not blank is indented as code is.
    is_after_indented: bool,
    held: String,
    ends_line: bool,
    preformatted: Preformatted,
}

/// HTML whose white space is content: from a line that begins with `<pre` to its closing tag.
#[derive(Debug, Default)]
struct Preformatted {
    is_open: bool,
    /// How much of the next tag has been read.
    matched: usize,
}

impl Preformatted {
    /// A line's text begins with `<`.
    fn begin_tag(&mut self, rest: &str) {
        self.matched = 1;
        self.follow(rest);
    }

    /// Follows a part of a line. Where no block is open, only a line's first tag opens one.
    fn follow(&mut self, part: &str) {
        for byte in part.bytes() {
            if !self.is_open && self.matched == 0 {
                return;
            }
            let tag: &[u8] = if self.is_open { b"</pre>" } else { b"<pre" };
            let goes_on = byte.eq_ignore_ascii_case(&tag[self.matched]);
            self.matched = if goes_on { self.matched + 1 } else { usize::from(self.is_open && byte == b'<') };
            if self.matched == tag.len() {
                *self = Self { is_open: !self.is_open, matched: 0 };
            }
        }
    }
}

/// The current line's beginning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    /// Nothing but white space, so wide.
    Blank(usize),
    Text,
}

impl Default for Line {
    fn default() -> Self {
        Self::Blank(0)
    }
}

/// Indented this far, a line of Markdown is code.
const CODE_INDENT: usize = 4;

impl Markdown {
    /// Adds the tidied `text` to `out`.
    pub fn push(&mut self, text: &str, out: &mut String) {
        let mut rest = text;
        while let Some(end) = memchr::memchr(b'\n', rest.as_bytes()) {
            self.piece(&rest[..end], out);
            self.end_line(out);
            rest = &rest[end + 1..];
        }
        self.piece(rest, out);
    }

    /// Adds what the end of the text asks for.
    pub fn finish(&mut self, out: &mut String) {
        out.push_str(&std::mem::take(&mut self.held));
        if let Some(fence) = self.fences.open_at_end() {
            out.push_str(&fence.closing(self.ends_line));
            *self = Self::default();
        }
    }

    /// Whether a line begins here that is no code.
    pub fn is_at_line_start(&self) -> bool {
        self.line == Line::Blank(0) && !self.fences.is_code() && self.held.is_empty()
    }

    fn piece(&mut self, piece: &str, out: &mut String) {
        if piece.is_empty() {
            return;
        }
        self.fences.follow_line(piece);
        self.ends_line = false;
        if self.line == Line::Text {
            self.preformatted.follow(piece);
        }
        if let Line::Blank(width) = self.line {
            let text_at = piece.find(|c: char| !c.is_whitespace());
            let blank = &piece[..text_at.unwrap_or(piece.len())];
            let width = blank.chars().fold(width, |width, c| width + if c == '\t' { CODE_INDENT } else { 1 });
            if let Some(text_at) = text_at {
                match piece[text_at..].strip_prefix('<') {
                    Some(rest) if !self.fences.is_code() => self.preformatted.begin_tag(rest),
                    _ => self.preformatted.follow(&piece[text_at..]),
                }
                out.push_str(&std::mem::take(&mut self.held));
                self.line = Line::Text;
                self.blank_lines = 0;
                self.is_after_indented = width >= CODE_INDENT;
            } else {
                self.line = Line::Blank(width);
                if self.is_superfluous() {
                    self.held.push_str(piece);
                    return;
                }
            }
        }
        out.push_str(piece);
    }

    fn end_line(&mut self, out: &mut String) {
        let is_blank = self.line != Line::Text;
        let is_superfluous = is_blank && self.is_superfluous();
        self.fences.end_line();
        self.preformatted.matched = 0;
        self.line = Line::default();
        self.blank_lines += usize::from(is_blank);
        if is_superfluous {
            self.held.clear();
        } else {
            out.push('\n');
            self.ends_line = true;
        }
    }

    /// Whether a blank line here would be one too many.
    fn is_superfluous(&self) -> bool {
        self.blank_lines >= 1 && !self.fences.is_code() && !self.preformatted.is_open && !self.is_after_indented
    }
}

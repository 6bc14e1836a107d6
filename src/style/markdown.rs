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
        self.fences.follow(piece);
        self.ends_line = false;
        if let Line::Blank(width) = self.line {
            let text_at = piece.find(|c: char| !c.is_whitespace());
            let blank = &piece[..text_at.unwrap_or(piece.len())];
            let width = blank.chars().fold(width, |width, c| width + if c == '\t' { CODE_INDENT } else { 1 });
            if text_at.is_some() {
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
        self.fences.follow("\n");
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
        self.blank_lines >= 1 && !self.fences.is_code() && !self.is_after_indented
    }
}

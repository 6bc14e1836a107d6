//! What of a text is bold: a paragraph that is, and nothing else, is a title.

use super::{BOLD, NOT_BOLD, NOTE, SEAM};

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Weight {
    is_bold: bool,
    pieces: usize,
    has_other: bool,
}

impl Weight {
    /// Whether all of the text is one bold piece.
    pub const fn is_bold(self) -> bool {
        self.pieces == 1 && !self.has_other
    }

    /// Bold text begins or ends here.
    pub fn set(&mut self, is_bold: bool) {
        self.pieces += usize::from(is_bold && !self.is_bold);
        self.is_bold = is_bold;
    }

    /// One mark stands for both in markdown.
    pub fn turn(&mut self) {
        self.set(!self.is_bold);
    }

    pub fn pass(&mut self, c: char) {
        match c {
            BOLD | NOT_BOLD => self.set(c == BOLD),
            SEAM | NOTE => {}
            _ => self.has_other |= !self.is_bold && !c.is_whitespace(),
        }
    }
}

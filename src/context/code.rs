//! How much of a text is code, by its lines: a lone word of some language makes none.

use crate::chat::fence::Fences;

/// Lines that say something, and those of them that are code.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Lines {
    pub all: u32,
    pub code: u32,
}

/// Fewer lines of code than this are an aside.
const FEWEST: u32 = 8;

impl Lines {
    pub fn of(text: &str) -> Self {
        let mut fences = Fences::default();
        let mut lines = Self::default();
        for line in text.split_inclusive('\n') {
            let was_code = fences.is_code();
            fences.follow(line);
            if line.trim().is_empty() {
                continue;
            }
            lines.all += 1;
            lines.code += u32::from(was_code || fences.is_code() || looks_like_code(line));
        }
        lines
    }

    pub fn add(&mut self, other: Self) {
        self.all += other.all;
        self.code += other.code;
    }

    pub fn remove(&mut self, other: Self) {
        self.all -= other.all;
        self.code -= other.code;
    }

    /// A quarter of the lines is code.
    pub const fn are_code_heavy(self) -> bool {
        self.code >= FEWEST && self.code * 4 >= self.all
    }
}

/// A line without a fence around it: how it ends and how many of its marks prose does not use decide, never one word.
fn looks_like_code(line: &str) -> bool {
    let line = line.trim();
    let marks = line.bytes().filter(|byte| b"{}()[];=<>+*/&|$%\\_#".contains(byte)).count();
    let ends = [';', '{', '}'].iter().any(|end| line.ends_with(*end))
        || ["):", ") {", "),", "=>", "->", "]);"].iter().any(|end| line.ends_with(end));
    (ends && marks >= 2) || (line.len() >= 6 && marks * 5 >= line.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_is_told_by_its_density() {
        let fenced = format!("See:\n```rust\n{}```\n", "let x = 1;\n".repeat(9));
        let bare =
            "def add(a, b):\n    return a + b\n\nclass Foo(Bar):\n    def __init__(self):\n        self.x = {}\n"
                .repeat(4);
        let prose = "Let me tell you about my class. We let the dog in; it was fun (mostly).\n".repeat(20);
        let aside = "Long talk about the weather.\n".repeat(40) + "```\nlet x = 1;\n```\n";
        for (text, heavy) in [(fenced, true), (bare, true), (prose, false), (aside, false), (String::new(), false)] {
            assert_eq!(Lines::of(&text).are_code_heavy(), heavy, "{text}");
        }
    }
}

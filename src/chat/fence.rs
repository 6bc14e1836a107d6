//! Fenced code in Markdown, followed line by line as text arrives in pieces of any size.

/// Where a text stands with its fences. Holds nothing but the current line's beginning.
#[derive(Debug, Clone, Default)]
pub struct Fences {
    open: Option<Fence>,
    line: Line,
}

/// A fence that is open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    mark: char,
    length: usize,
    /// What stands before the fence on its line, with which its end has to be written too.
    indent: String,
    /// The rest of its line: the language.
    info: String,
    /// Blocks that stand open within it: a block of Markdown holds others.
    nested: usize,
}

/// The current line, as far as it has come.
#[derive(Debug, Clone, Default)]
struct Line {
    indent: String,
    /// The line's first mark, and how often it stands in a row.
    mark: Option<char>,
    length: usize,
    /// The row of marks is over.
    is_past: bool,
    info: String,
    /// Something stands there that no fence line has.
    is_text: bool,
}

/// A language's name is short; a longer rest of a fence's line is kept no further.
const MOST_INFO: usize = 40;
/// Nobody nests lists or quotes this deep.
const MOST_INDENT: usize = 40;

impl Fences {
    /// Follows `text`, which may hold any number of lines or part of one.
    pub fn follow(&mut self, text: &str) {
        let mut rest = text;
        while let Some(end) = memchr::memchr(b'\n', rest.as_bytes()) {
            self.follow_line(&rest[..end]);
            self.end_line();
            rest = &rest[end + 1..];
        }
        self.follow_line(rest);
    }

    /// Follows a part of a line.
    pub fn follow_line(&mut self, part: &str) {
        if !self.line.is_text {
            self.line.follow(part, self.open.as_ref());
        }
    }

    /// Whether the line that stands here is code, or opens or closes it.
    pub const fn is_code(&self) -> bool {
        self.open.is_some()
    }

    /// The open fence, once the text is over. A last line without its end counts as a line.
    pub fn open_at_end(&self) -> Option<Fence> {
        let mut whole = self.clone();
        if whole.line.is_begun() {
            whole.end_line();
        }
        whole.open
    }

    /// Follows the end of a line.
    pub fn end_line(&mut self) {
        // Code in a quote ends with the quote.
        if self.open.as_ref().is_some_and(|open| open.indent.contains('>') && !self.line.indent.contains('>')) {
            self.open = None;
        }
        if self.line.is_text || self.line.length < 3 {
            return self.line.clear();
        }
        let line = std::mem::take(&mut self.line);
        let Some(mark) = line.mark else { return };
        let is_named = !line.info.trim().is_empty();
        match &mut self.open {
            Some(open) if open.mark != mark || line.length < open.length => {}
            Some(open) if is_named => open.nested += 1,
            Some(open) if open.nested > 0 => open.nested -= 1,
            Some(_) => self.open = None,
            // An info string with a backtick makes the line a piece of inline code.
            None if mark == '`' && line.info.contains('`') => {}
            None => {
                let indent = line.indent.chars().map(|c| if c == '>' || c == '\t' { c } else { ' ' }).collect();
                let info = line.info.trim().to_owned();
                self.open = Some(Fence { mark, length: line.length, indent, info, nested: 0 });
            }
        }
    }
}

impl Line {
    fn follow(&mut self, part: &str, open: Option<&Fence>) {
        for c in part.chars() {
            self.take(c, open);
            if self.is_text {
                return;
            }
        }
    }

    const fn is_begun(&self) -> bool {
        self.is_text || self.mark.is_some() || !self.indent.is_empty()
    }

    fn clear(&mut self) {
        self.indent.clear();
        self.info.clear();
        (self.mark, self.length, self.is_past, self.is_text) = (None, 0, false, false);
    }

    fn take(&mut self, c: char, open: Option<&Fence>) {
        match (self.mark, c) {
            (None, '`' | '~') => (self.mark, self.length) = (Some(c), 1),
            (None, c) if self.is_indent(c, open.is_some()) => self.indent.push(c),
            (None, _) => self.is_text = true,
            (Some(mark), c) if c == mark && !self.is_past => self.length += 1,
            (Some(_), _) => {
                self.is_past = true;
                let ends_only = open.is_some_and(|open| !open.is_markdown());
                self.is_text = self.length < 3 || (ends_only && !c.is_whitespace());
                if self.info.len() < MOST_INFO || c == '`' {
                    self.info.push(c);
                }
            }
        }
    }

    /// Blanks, quote marks, and the number or dash of a list's item, in which a fence may stand.
    fn is_indent(&self, c: char, in_code: bool) -> bool {
        let item = !in_code && (c.is_ascii_digit() || matches!(c, '.' | ')' | '-' | '*' | '+'));
        self.indent.len() < MOST_INDENT && (matches!(c, ' ' | '\t' | '>') || item)
    }
}

impl Fence {
    /// Within Markdown a fence that names a language opens a block; in any other code it is code.
    fn is_markdown(&self) -> bool {
        ["md", "markdown"].iter().any(|name| self.info.eq_ignore_ascii_case(name))
    }

    /// The line that opens it again, and those within it.
    pub fn opening(&self) -> String {
        let within = format!("{}{}text\n", self.indent, self.marks());
        format!("{}{}{}\n{}", self.indent, self.marks(), self.info, within.repeat(self.nested))
    }

    /// The line that closes it, and those within it, after text that `ends_line` or does not.
    pub fn closing(&self, ends_line: bool) -> String {
        let line = format!("{}{}", self.indent, self.marks());
        format!("{}{}", if ends_line { "" } else { "\n" }, vec![line; self.nested + 1].join("\n"))
    }

    fn marks(&self) -> String {
        String::from(self.mark).repeat(self.length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn left_open(text: &str) -> Option<String> {
        let mut fences = Fences::default();
        fences.follow(text);
        fences.open_at_end().map(|fence| fence.closing(text.ends_with('\n')))
    }

    #[test]
    fn fences_open_and_close_as_markdown_has_them() {
        let cases = [
            ("no code", None),
            ("```\ncode", Some("\n```")),
            ("```rust\ncode\n", Some("```")),
            ("```rust\ncode\n```", None),
            ("```rust\ncode\n```  \nmore", None),
            ("~~~~\n```\n~~~\n", Some("~~~~")),
            ("````\n```\ninner\n```\n", Some("````")),
            ("inline ```code``` here", None),
            ("```code``` begins a line", None),
            ("``two`` is none", None),
            ("1. item\n   ```sh\n   ls\n", Some("   ```")),
            ("- ```sh\n  ls\n", Some("  ```")),
            ("> ```\n> x\n", Some("> ```")),
            ("> ```\n> x\n> ```\n", None),
            ("> ```\n> x\n\nb\n", None),
            ("> ```\n> x\n```\ny\n", Some("```")),
            ("```md\n```py\nx\n```\n", Some("```")),
            ("```md\n```py\nx\n```\ny\n```\n", None),
            ("```Markdown\n```py\nx\n", Some("```\n```")),
            ("````md\n```py\nx\n```\n", Some("````")),
            ("```sh\n```py\nx\n```\n", None),
            ("```\n- ```\n", Some("```")),
            ("```\n``` not an end\n", Some("```")),
            ("text\n```", Some("\n```")),
        ];
        for (text, closing) in cases {
            assert_eq!(left_open(text).as_deref(), closing, "{text}");
        }
    }

    #[test]
    fn the_pieces_a_text_comes_in_make_no_difference() {
        let text = "a\n1. ```py\n   x = '''\n   ```\n~~~\nb ``` c\n~~~\n````\n```\n";
        for cut in 0..=text.len() {
            let mut fences = Fences::default();
            fences.follow(&text[..cut]);
            fences.follow(&text[cut..]);
            assert_eq!(fences.open_at_end().map(|fence| fence.opening()).as_deref(), Some("````\n"), "cut at {cut}");
        }
    }
}

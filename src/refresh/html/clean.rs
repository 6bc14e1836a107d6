//! One pass over HTML that leaves what a reader of limits needs: tables, headings, lists, paragraphs, tabs.
//!
//! What is left keeps the parser's time linear: no formatting elements, which it would rebuild again and again, and no
//! nesting deeper than a browser's own bound.

use std::fmt::Write as _;

use super::super::page::Unreadable;
use super::super::text::struck::{self, STRUCK};
use super::super::text::{BOLD, NOT_BOLD, NOTE, SEAM, is_power};
use super::super::words;
use super::tag::{Tag, begins_with_name, is_void, tag_end};

/// Browsers stop at this depth too.
pub const MOST_DEPTH: usize = 512;

/// How many open elements an end tag may skip.
const MOST_SKIPPED: usize = 64;

/// Elements that go with everything in them.
const DROPPED: [&str; 14] = [
    "s", "script", "style", "svg", "math", "noscript", "iframe", "object", "template", "textarea", "pre", "sup", "del",
    "strike",
];

/// Elements that stay, by their own names.
const KEPT: [&str; 30] = [
    "title",
    "table",
    "caption",
    "figcaption",
    "thead",
    "tbody",
    "tfoot",
    "tr",
    "th",
    "td",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "ul",
    "ol",
    "li",
    "p",
    "details",
    "summary",
    "dt",
    "dd",
    "aside",
    "nav",
    "option",
    "x-code",
    "x-link",
    "x-tab",
];

/// Elements after which a new line begins.
const BLOCKS: [&str; 11] =
    ["div", "section", "article", "main", "header", "footer", "figure", "blockquote", "dl", "br", "hr"];

/// Elements that have a title of their own.
const PARTS: [&str; 4] = ["section", "article", "div", "li"];

/// Elements that others stand for by their role, as in tables made of `div`.
const ROLES: [(&str, &str); 8] = [
    ("table", "table"),
    ("grid", "table"),
    ("treegrid", "table"),
    ("row", "tr"),
    ("columnheader", "th"),
    ("rowheader", "td"),
    ("cell", "td"),
    ("gridcell", "td"),
];

/// Attributes that say something about the element they stand at.
const ATTRIBUTES: [&str; 11] = [
    "colspan",
    "rowspan",
    "href",
    "id",
    "aria-labelledby",
    "aria-label",
    "aria-controls",
    "aria-selected",
    "title",
    "data-target",
    "data-bs-target",
];

fn is_heading(name: &'static str) -> bool {
    matches!(name.as_bytes(), [b'h', b'1'..=b'6'])
}

/// The heading that an element stands for which says that it is one.
fn heading(tag: &Tag<'_>) -> &'static str {
    let level = tag.attribute("aria-level").and_then(|level| level.trim().parse::<usize>().ok()).unwrap_or(2);
    ["h1", "h2", "h3", "h4", "h5", "h6"][level.clamp(1, 6) - 1]
}

/// Cleaned HTML, and which of its tables never end.
#[derive(Debug, Default)]
pub struct Cleaned {
    pub html: String,
    pub cut_tables: Vec<usize>,
}

pub fn clean(text: &str, first_line: usize) -> Result<Cleaned, Unreadable> {
    let mut cleaner = Cleaner { text, line: first_line, ..Cleaner::default() };
    cleaner.run()?;
    let cut_tables = cleaner.open.iter().filter_map(|open| open.table).collect();
    Ok(Cleaned { html: cleaner.out, cut_tables })
}

#[derive(Debug, Default)]
struct Cleaner<'a> {
    text: &'a str,
    out: String,
    open: Vec<Open>,
    /// Elements written and not ended.
    depth: usize,
    tables: usize,
    seen: Seen,
    line: usize,
    /// Up to where lines are counted.
    counted: usize,
}

/// What was seen so far: by it an element is told that ends with the title of its numbers.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    headings: usize,
    /// Pieces of text with digits.
    numbers: usize,
    /// Tables, and pieces of text that say what is counted: a number alone may be a badge.
    counts: usize,
    /// Nothing but ends of elements stands behind the last heading.
    ends_with_heading: bool,
    /// How many pieces had digits where the last heading began, and how many counted.
    numbers_above: usize,
    counts_above: usize,
}

impl Seen {
    fn text(&mut self, text: &str) {
        self.numbers += usize::from(text.contains(|c: char| c.is_ascii_digit()));
        self.counts += usize::from(words::says_count(text));
        self.ends_with_heading &= text.trim().is_empty();
    }

    fn heading(&mut self) {
        self.headings += 1;
        (self.numbers_above, self.counts_above) = (self.numbers, self.counts);
    }

    /// Whether an element that began here has one heading, at its end, and numbers of something before it.
    const fn is_titled_behind(self, start: Self) -> bool {
        let has_numbers = self.numbers_above > start.numbers && self.counts_above > start.counts;
        self.ends_with_heading && self.headings == start.headings + 1 && has_numbers
    }
}

/// An open element of the page.
#[derive(Debug)]
struct Open {
    name: String,
    /// What stands for it in the cleaned text.
    written: Option<&'static str>,
    table: Option<usize>,
    start: Seen,
}

impl Cleaner<'_> {
    fn run(&mut self) -> Result<(), Unreadable> {
        let text = self.text;
        let mut at = 0;
        while let Some(next) = memchr::memchr(b'<', &text.as_bytes()[at..]).map(|next| at + next) {
            self.out.push_str(&text[at..next]);
            self.seen.text(&text[at..next]);
            at = match self.markup(next)? {
                Some(after) => after,
                None => {
                    self.put("&lt;");
                    next + 1
                }
            };
        }
        self.out.push_str(&text[at..]);
        Ok(())
    }

    /// Handles what begins with `<` at `at`; where it ends, or none if it is no markup.
    fn markup(&mut self, at: usize) -> Result<Option<usize>, Unreadable> {
        let text = self.text;
        let rest = &text[at..];
        if rest.starts_with("<!--") {
            return Ok(Some(rest.find("-->").map_or(text.len(), |end| at + end + 3)));
        }
        if rest.starts_with("<!") || rest.starts_with("<?") {
            return Ok(Some(rest.find('>').map_or(text.len(), |end| at + end + 1)));
        }
        if !rest[1..].starts_with(|c: char| c.is_ascii_alphabetic() || c == '/') {
            return Ok(None);
        }
        // A tag that never ends is where the page was cut.
        let Some(end) = tag_end(rest) else { return Ok(Some(text.len())) };
        let Some(tag) = Tag::read(&rest[1..end]) else { return Ok(None) };
        let after = at + end + 1;
        if tag.is_end {
            self.end(&tag.name);
            return Ok(Some(after));
        }
        if DROPPED.contains(&tag.name.as_str()) {
            let past = if tag.is_empty { after } else { self.past(&tag.name, after) };
            let raised = text[after..past].split('<').next().unwrap_or_default();
            if tag.name == "sup" && is_power(&self.out, raised) {
                write!(self.out, "^{raised}").expect("strings grow");
            } else {
                self.out.push(if tag.name == "sup" { NOTE } else { struck::left_of(&tag.name, &text[after..past]) });
            }
            return Ok(Some(past));
        }
        self.start(&tag, at)?;
        Ok(Some(after))
    }

    /// Behind the end tag of a dropped element. Templates may hold others; what is in a script is no element.
    fn past(&self, name: &str, from: usize) -> usize {
        let rest = &self.text[from..];
        let mut open = 1_usize;
        for at in memchr::memchr_iter(b'<', rest.as_bytes()) {
            let tag = &rest[at + 1..];
            let (is_end, tag) = tag.strip_prefix('/').map_or((false, tag), |tag| (true, tag));
            if !begins_with_name(tag, name) {
                continue;
            }
            match (is_end, open) {
                (true, 1) => return from + rest.len() - tag.len() + tag.find('>').map_or(tag.len(), |close| close + 1),
                (true, _) => open -= 1,
                (false, _) => open += usize::from(name == "template"),
            }
        }
        self.text.len()
    }

    fn start(&mut self, tag: &Tag<'_>, at: usize) -> Result<(), Unreadable> {
        let panel = tag.attribute("role").is_some_and(|role| role == "tabpanel");
        let is_hidden = !panel && tag.is_hidden();
        let role = tag.attribute("role").unwrap_or_default();
        let name = match tag.name.as_str() {
            "code" => "x-code",
            "a" => "x-link",
            _ if role == "heading" => heading(tag),
            name => ROLES.iter().find(|(known, _)| *known == role).map_or(name, |(_, element)| element),
        };
        let written = if panel {
            Some("x-panel")
        } else if tag.attribute("role").is_some_and(|role| role == "tab") {
            Some("x-tab")
        } else if let Some(kept) = KEPT.iter().find(|kept| **kept == name) {
            Some(*kept)
        } else if is_hidden {
            Some("x-hidden")
        } else {
            None
        };
        self.end_implied(&tag.name);
        let Some(written) = written else {
            self.put_border(name, false);
            if !is_void(name) && !tag.is_empty {
                self.open.push(Open { name: tag.name.clone(), written: None, table: None, start: self.seen });
            }
            return Ok(());
        };
        let table = (written == "table").then_some(self.tables);
        self.write_start(written, tag, is_hidden, at);
        self.tables += usize::from(table.is_some());
        self.seen.counts += usize::from(table.is_some());
        self.depth += 1;
        self.open.push(Open { name: tag.name.clone(), written: Some(written), table, start: self.seen });
        if is_heading(written) {
            self.seen.heading();
        }
        if self.depth > MOST_DEPTH { Err(Unreadable::TooDeep) } else { Ok(()) }
    }

    /// Ends what the start of an element ends without saying so: a cell the cell before it, an item the item.
    fn end_implied(&mut self, name: &str) {
        let (ended, within): (&[&str], &[&str]) = match name {
            "td" | "th" => (&["td", "th"], &["table"]),
            "tr" => (&["td", "th", "tr", "caption"], &["table"]),
            "thead" | "tbody" | "tfoot" => (&["td", "th", "tr", "caption", "thead", "tbody", "tfoot"], &["table"]),
            "li" => (&["li"], &["ul", "ol", "table"]),
            "dt" | "dd" => (&["dt", "dd"], &["dl", "table"]),
            "option" => (&["option"], &["select"]),
            _ => return,
        };
        let near = self.open.len().saturating_sub(MOST_SKIPPED);
        let start = self.open[near..].iter().rposition(|open| within.contains(&open.name.as_str()));
        let start = start.map_or(near, |start| near + start + 1);
        if let Some(first) = self.open[start..].iter().position(|open| ended.contains(&open.name.as_str())) {
            self.close(start + first);
        }
    }

    /// Ends every open element from this one on.
    fn close(&mut self, first: usize) {
        for open in self.open.drain(first..).rev() {
            if let Some(written) = open.written {
                self.depth -= 1;
                write!(self.out, "</{written}>").expect("strings grow");
            }
        }
    }

    fn write_start(&mut self, written: &str, tag: &Tag<'_>, is_hidden: bool, at: usize) {
        if is_hidden && tag.is_struck() {
            self.out.push(STRUCK);
        }
        let line = self.line_at(at);
        let mut start = format!("<{written} data-line=\"{line}\"");
        if is_hidden {
            start.push_str(" data-hidden");
        }
        if written == "table" {
            write!(start, " data-table=\"{}\"", self.tables).expect("strings grow");
        }
        for name in ATTRIBUTES {
            if let Some(value) = tag.attribute(name) {
                write!(start, " {name}=\"{}\"", value.replace('"', "&quot;")).expect("strings grow");
            }
        }
        start.push('>');
        self.out.push_str(&start);
    }

    fn end(&mut self, name: &str) {
        let near = self.open.len().saturating_sub(MOST_SKIPPED);
        let Some(found) = self.open[near..].iter().rposition(|open| open.name == name) else { return };
        // A cell's content cannot end the table around it.
        let inside = &self.open[near + found + 1..];
        if name != "table" && inside.iter().any(|open| open.table.is_some()) {
            return;
        }
        let first = &self.open[near + found];
        let (is_title, start) = (first.written.is_some_and(is_heading), first.start);
        let is_in_table = self.open.iter().any(|open| open.table.is_some());
        self.close(near + found);
        self.put_border(name, true);
        if PARTS.contains(&name) && !is_in_table && self.seen.is_titled_behind(start) {
            self.out.push_str("<x-behind></x-behind>");
        }
        self.seen.ends_with_heading |= is_title;
    }

    /// Writes what is left of the tag of an element that is not kept.
    fn put_border(&mut self, name: &str, is_end: bool) {
        match name {
            "b" | "strong" => self.put(if is_end { NOT_BOLD } else { BOLD }.encode_utf8(&mut [0; 4])),
            name if BLOCKS.contains(&name) => self.put("<br>"),
            _ => self.put(SEAM.encode_utf8(&mut [0; 4])),
        }
    }

    /// Writes what means nothing more twice.
    fn put(&mut self, mark: &str) {
        if !self.out.ends_with(mark) {
            self.out.push_str(mark);
        }
    }

    fn line_at(&mut self, at: usize) -> usize {
        self.line += memchr::memchr_iter(b'\n', &self.text.as_bytes()[self.counted..at]).count();
        self.counted = at;
        self.line
    }
}

//! Makes valid JSON of what a model gave for it: text around it gone, and the mistakes models make mended. Else nothing.

use serde_json::value::RawValue;

use super::tokens::{begins_member, closing_quotes, follows_comma, is_json, literal, number_of, push_escaped, quoted};

/// Nobody answers deeper than this; serde reads no deeper than 128.
const MOST_DEPTH: usize = 100;
/// Of a text with many brackets no more than so many are tried as the JSON's beginning.
const MOST_STARTS: usize = 64;

/// Valid JSON in the place of `text`; `None` where it is valid already, or holds nothing that could be made so.
///
/// Numbers, keys and their order, and strings stay as they are written; nothing is made up but what closes what is open.
pub fn repaired(text: &str) -> Option<String> {
    if is_json(text) {
        return within_string(text);
    }
    // Escaped as if for a string that never was opened.
    let is_escaped = || text.contains("{\\\"");
    found_in(text).or_else(|| if is_escaped() { found_in(&text.replace("\\\"", "\"")) } else { None })
}

/// The object or list that a valid string holds: JSON that was written as JSON once more.
fn within_string(text: &str) -> Option<String> {
    let inner: String = serde_json::from_str(text.trim_start().strip_prefix('"').map(|_| text)?).ok()?;
    let inner = inner.trim();
    (inner.starts_with(['{', '[']) && is_json(inner)).then(|| inner.to_owned())
}

fn found_in(text: &str) -> Option<String> {
    let mut best: Option<(usize, String)> = None;
    let mut from = 0;
    for _ in 0..MOST_STARTS {
        let Some(start) = text[from..].find(['{', '[']).map(|at| from + at) else { break };
        if is_footnote(text, start) {
            from = start + 1;
            continue;
        }
        let found = strict(&text[start..]).or_else(|| lenient(&text[start..]));
        let Some((length, json)) = found else {
            from = start + 1;
            continue;
        };
        from = start + length;
        // Brackets in the text around are short: of several finds the longest is meant.
        if best.as_ref().is_none_or(|(longest, _)| length > *longest) {
            best = Some((length, json));
        }
    }
    best.map(|(_, json)| json)
}

/// Whether the bracket belongs to prose, as in "see [1]" or `values[0]`, and is no list.
fn is_footnote(text: &str, at: usize) -> bool {
    let before = text[..at].trim_end_matches([' ', '\t']).chars().next_back();
    text[at..].starts_with('[') && before.is_some_and(|c| c.is_alphanumeric() || matches!(c, '.' | ',' | ')' | '"'))
}

/// A valid value at the beginning of `text`, with its length.
fn strict(text: &str) -> Option<(usize, String)> {
    let value = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next()?.ok()?;
    Some((value.get().len(), value.get().to_owned()))
}

/// A value with mistakes at the beginning of `text`, mended, with its length before.
fn lenient(text: &str) -> Option<(usize, String)> {
    let mut parser = Parser { text, at: 0, out: String::with_capacity(text.len() + 16), depth: 0, in_list: false };
    parser.value(false)?;
    is_json(&parser.out).then_some((parser.at, parser.out))
}

/// Reads what should be JSON, and writes what is.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    out: String,
    depth: usize,
    /// The innermost brackets are square.
    in_list: bool,
}

impl Parser<'_> {
    fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    fn eat(&mut self, wanted: char) -> bool {
        let is_there = self.peek() == Some(wanted);
        if is_there {
            self.at += wanted.len_utf8();
        }
        is_there
    }

    /// Passes white space and comments; the white space is kept.
    fn blank(&mut self) -> String {
        let mut kept = String::new();
        loop {
            let rest = &self.text[self.at..];
            let skipped = if rest.starts_with("//") || (rest.starts_with('#') && self.depth > 0) {
                rest.find('\n').unwrap_or(rest.len())
            } else if rest.starts_with("/*") {
                rest.find("*/").map_or(rest.len(), |end| end + 2)
            } else if let Some(c) = rest.chars().next().filter(|c| c.is_whitespace() || *c == '\u{feff}') {
                if c.is_ascii() {
                    kept.push(c);
                }
                c.len_utf8()
            } else {
                return kept;
            };
            self.at += skipped;
        }
    }

    /// One value. `in_object` allows words without quotes, which elsewhere are likelier to be prose.
    fn value(&mut self, in_object: bool) -> Option<()> {
        match self.peek()? {
            '{' => self.nested('}', Self::member),
            '[' => self.nested(']', Self::element),
            quote if closing_quotes(quote).is_some() => self.string(false),
            _ => self.word(in_object),
        }
    }

    /// What stands between two brackets: items with commas between them, whatever commas there were.
    fn nested(&mut self, close: char, item: fn(&mut Self) -> Option<()>) -> Option<()> {
        self.depth += 1;
        if self.depth > MOST_DEPTH {
            return None;
        }
        self.out.push(if close == '}' { '{' } else { '[' });
        self.at += 1;
        let mut is_first = true;
        let is_within_list = std::mem::replace(&mut self.in_list, close == ']');
        loop {
            let mut blank = self.blank();
            while self.eat(',') || self.eat(';') {
                blank.push_str(&self.blank());
            }
            let rest = self.rest();
            if let Some(dots) = ["...", "…"].into_iter().find(|dots| rest.starts_with(dots)) {
                // "And so on": there is nothing to put in its place.
                self.at += dots.len();
                continue;
            }
            if self.eat(close) {
                self.out.push_str(&blank);
                break;
            }
            // The text's end, or the outer value's: this one's own was forgotten.
            if matches!(self.peek(), None | Some('}' | ']')) {
                break;
            }
            if !self.item(&blank, is_first, item)? {
                break;
            }
            is_first = false;
        }
        self.out.push(close);
        self.depth -= 1;
        self.in_list = is_within_list;
        Some(())
    }

    /// One item behind its comma. `false` where the text broke off within its name: what was whole before it is kept.
    fn item(&mut self, blank: &str, is_first: bool, item: fn(&mut Self) -> Option<()>) -> Option<bool> {
        let whole = self.out.len();
        self.out.push_str(if is_first { "" } else { "," });
        self.out.push_str(blank);
        if item(self).is_some() {
            return Some(true);
        }
        if is_first || !self.rest().trim().is_empty() {
            return None;
        }
        self.out.truncate(whole);
        Some(false)
    }

    fn element(&mut self) -> Option<()> {
        self.value(self.depth > 1)
    }

    fn member(&mut self) -> Option<()> {
        if self.peek().is_some_and(|c| closing_quotes(c).is_some()) {
            self.string(true)?;
        } else {
            let name = self.bare(|_, c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '.' | ' '))?;
            self.out.push_str(&quoted(name.trim_end()));
        }
        self.blank();
        let is_named = self.eat(':') || self.eat('=');
        self.eat('>');
        if !is_named {
            return None;
        }
        self.out.push(':');
        let blank = self.blank();
        self.out.push_str(&blank);
        match self.peek() {
            // A name whose value never came.
            None | Some(',' | '}') => {
                self.out.push_str("null");
                Some(())
            }
            Some(_) => self.value(true),
        }
    }

    /// The characters that are `allowed`, which is told what stands behind each.
    fn bare(&mut self, allowed: impl Fn(&str, char) -> bool) -> Option<String> {
        let rest = self.rest();
        let end = rest.char_indices().find(|(at, c)| !allowed(&rest[at + c.len_utf8()..], *c));
        let word = &rest[..end.map_or(rest.len(), |(at, _)| at)];
        let word = (!word.is_empty()).then(|| word.to_owned())?;
        self.at += word.len();
        Some(word)
    }

    /// Numbers, `true` and its kin in other languages' spelling, and words that lack their quotes.
    fn word(&mut self, in_object: bool) -> Option<()> {
        if let Some(number) = self.number_of_several() {
            self.out.push_str(&number);
            return Some(());
        }
        // A colon within a word belongs to an address or a time of day.
        let goes_on = |behind: &str| !behind.is_empty() && !behind.starts_with(char::is_whitespace);
        let whole = self.bare(|behind, c| match c {
            ':' => goes_on(behind),
            c => !matches!(c, ',' | '}' | ']' | '\n' | '\r' | '{' | '[' | '"'),
        })?;
        let word = [" //", " #"].iter().fold(whole.as_str(), |word, mark| word.split(mark).next().unwrap_or_default());
        let word = word.trim();
        if let Some(json) = literal(word, self.rest().is_empty()) {
            self.out.push_str(json);
            return Some(());
        }
        let json = match word {
            "" => return None,
            number if number.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) => {
                number_of(number).unwrap_or_else(|| quoted(number))
            }
            word if in_object => quoted(word),
            _ => return None,
        };
        self.out.push_str(&json);
        Some(())
    }

    /// In a list: a number that another one follows without a comma.
    fn number_of_several(&mut self) -> Option<String> {
        let rest = self.rest();
        let end = rest.find([' ', ',', ']', '\n'])?;
        let next = rest[end..].trim_start_matches(' ');
        let goes_on = self.in_list
            && next.len() < rest[end..].len()
            && next.starts_with(|c: char| c.is_ascii_digit() || c == '-');
        let number = number_of(&rest[..end]).filter(|_| goes_on)?;
        self.at += end;
        Some(number)
    }

    /// A string in any kind of quotes. `is_name` says that a colon has to follow it.
    fn string(&mut self, is_name: bool) -> Option<()> {
        self.out.push('"');
        self.rest_of_string(is_name)?;
        // Pieces with a plus between them are one string.
        while !is_name && self.rest().trim_start().starts_with('+') {
            self.blank();
            self.at += 1;
            self.blank();
            self.peek().and_then(closing_quotes)?;
            self.rest_of_string(false)?;
        }
        self.out.push('"');
        Some(())
    }

    /// A string's characters, from its opening quote to its closing one.
    fn rest_of_string(&mut self, is_name: bool) -> Option<()> {
        let quote = self.peek()?;
        let closing = closing_quotes(quote)?;
        let three = self.triple(quote);
        self.at += three.as_ref().map_or(quote.len_utf8(), String::len);
        loop {
            self.plain_text(closing);
            let Some(c) = self.peek() else { break };
            if let Some(three) = three.as_ref().filter(|three| self.rest().starts_with(three.as_str())) {
                self.at += three.len();
                return Some(());
            }
            self.at += c.len_utf8();
            match c {
                '\\' => self.escape(),
                c if three.is_none() && closing.contains(&c) && self.ends_here(is_name) => return Some(()),
                c => push_escaped(c, &mut self.out),
            }
        }
        // It broke off: what there is of it is kept.
        (!is_name).then_some(())
    }

    /// Three quotes in a row that stand here and end what they begin.
    fn triple(&self, quote: char) -> Option<String> {
        if self.rest().chars().take(3).filter(|c| *c == quote).count() < 3 {
            return None;
        }
        let three = String::from(quote).repeat(3);
        self.rest()[three.len()..].contains(&three).then_some(three)
    }

    /// The characters of a string up to one that may end it or has to be escaped.
    fn plain_text(&mut self, closing: &[char]) {
        let rest = &self.text[self.at..];
        let end = rest.find(|c: char| matches!(c, '\\' | '"') || c < ' ' || closing.contains(&c));
        let plain = &rest[..end.unwrap_or(rest.len())];
        self.out.push_str(plain);
        self.at += plain.len();
    }

    fn escape(&mut self) {
        let Some(c) = self.peek() else { return };
        self.at += c.len_utf8();
        match c {
            '"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't' => self.out.extend(['\\', c]),
            'u' if self.rest().get(..4).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())) => {
                self.out.push_str("\\u");
            }
            'x' if self.rest().get(..2).is_some_and(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())) => {
                self.out.push_str("\\u00");
            }
            '\'' | '`' => self.out.push(c),
            '\n' => {}
            // A path or a pattern whose backslash was not doubled.
            c => {
                self.out.push_str("\\\\");
                push_escaped(c, &mut self.out);
            }
        }
    }

    /// Whether the quote just read ends its string: what follows it tells it from one within.
    fn ends_here(&self, is_name: bool) -> bool {
        let rest = self.rest().trim_start();
        let is_new_line = self.rest()[..self.rest().len() - rest.len()].contains('\n');
        match rest.chars().next() {
            None => true,
            Some(':' | '=') => is_name,
            Some(',' | ';') if !is_name => follows_comma(rest[1..].trim_start()),
            Some('+') => !is_name && rest[1..].trim_start().starts_with(|c| closing_quotes(c).is_some()),
            Some('}' | ']') => !is_name,
            Some('/') => !is_name && (rest.starts_with("//") || rest.starts_with("/*")),
            Some('#') => !is_name && is_new_line,
            // The comma was forgotten: a name follows.
            Some(c) if closing_quotes(c).is_some() && !is_name => {
                let is_apart = self.in_list && rest.len() < self.rest().len();
                is_new_line || is_apart || begins_member(rest)
            }
            Some(_) => is_new_line && !is_name && begins_member(rest),
        }
    }
}

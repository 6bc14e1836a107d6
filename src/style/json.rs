//! Makes valid JSON of what a model gave for it: text around it gone, and the mistakes models make mended. Else nothing.

use serde_json::value::RawValue;

/// Nobody answers deeper than this; serde reads no deeper than 128.
const MOST_DEPTH: usize = 100;
/// Of a text with many brackets no more than so many are tried as the JSON's beginning.
const MOST_STARTS: usize = 64;

/// Valid JSON in the place of `text`; `None` where it is valid already, or holds nothing that could be made so.
///
/// Numbers, keys and their order, and strings stay as they are written; nothing is made up but what closes what is open.
pub fn repaired(text: &str) -> Option<String> {
    if is_json(text) {
        return None;
    }
    let mut best: Option<(usize, String)> = None;
    let mut from = 0;
    for _ in 0..MOST_STARTS {
        let Some(start) = text[from..].find(['{', '[']).map(|at| from + at) else { break };
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

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A valid value at the beginning of `text`, with its length.
fn strict(text: &str) -> Option<(usize, String)> {
    let value = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>().next()?.ok()?;
    Some((value.get().len(), value.get().to_owned()))
}

/// A value with mistakes at the beginning of `text`, mended, with its length before.
fn lenient(text: &str) -> Option<(usize, String)> {
    let mut parser = Parser { text, at: 0, out: String::with_capacity(text.len() + 16), depth: 0 };
    parser.value(false)?;
    is_json(&parser.out).then_some((parser.at, parser.out))
}

/// Reads what should be JSON, and writes what is.
struct Parser<'a> {
    text: &'a str,
    at: usize,
    out: String,
    depth: usize,
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
            self.out.push_str(if is_first { "" } else { "," });
            self.out.push_str(&blank);
            item(self)?;
            is_first = false;
        }
        self.out.push(close);
        self.depth -= 1;
        Some(())
    }

    fn element(&mut self) -> Option<()> {
        self.value(self.depth > 1)
    }

    fn member(&mut self) -> Option<()> {
        if self.peek().is_some_and(|c| closing_quotes(c).is_some()) {
            self.string(true)?;
        } else {
            let name = self.bare(|c| c.is_alphanumeric() || matches!(c, '_' | '$' | '-' | '.'))?;
            self.out.push_str(&quoted(&name));
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

    fn bare(&mut self, allowed: impl Fn(char) -> bool) -> Option<String> {
        let rest = self.rest();
        let word = &rest[..rest.find(|c| !allowed(c)).unwrap_or(rest.len())];
        let word = (!word.is_empty()).then(|| word.to_owned())?;
        self.at += word.len();
        Some(word)
    }

    /// Numbers, `true` and its kin in other languages' spelling, and words that lack their quotes.
    fn word(&mut self, in_object: bool) -> Option<()> {
        let word = self.bare(|c| !matches!(c, ',' | '}' | ']' | ':' | '\n' | '\r' | '{' | '[' | '"'))?;
        let word = word.split("//").next().unwrap_or_default();
        let word = word.split(" #").next().unwrap_or_default().trim();
        let json = match word {
            "true" | "True" | "TRUE" => "true".to_owned(),
            "false" | "False" | "FALSE" => "false".to_owned(),
            "null" | "None" | "nil" | "NULL" | "undefined" | "NaN" | "Infinity" | "-Infinity" => "null".to_owned(),
            number if number.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '-' | '+' | '.')) => {
                number_of(number).unwrap_or_else(|| quoted(number))
            }
            "" => return None,
            word if in_object => quoted(word),
            _ => return None,
        };
        self.out.push_str(&json);
        Some(())
    }

    /// A string in any kind of quotes. `is_name` says that a colon has to follow it.
    fn string(&mut self, is_name: bool) -> Option<()> {
        let quote = self.peek()?;
        let closing = closing_quotes(quote)?;
        self.at += quote.len_utf8();
        self.out.push('"');
        while let Some(c) = self.peek() {
            self.at += c.len_utf8();
            match c {
                '\\' => self.escape(),
                c if closing.contains(&c) && self.ends_here(is_name) => {
                    self.out.push('"');
                    return Some(());
                }
                c => push_escaped(c, &mut self.out),
            }
        }
        // It broke off: what there is of it is kept.
        self.out.push('"');
        (!is_name).then_some(())
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
            Some(',') if !is_name => follows_comma(rest[1..].trim_start()),
            Some('}' | ']') => !is_name,
            Some('/') => !is_name && (rest.starts_with("//") || rest.starts_with("/*")),
            Some('#') => !is_name && is_new_line,
            // The comma was forgotten: a name follows.
            Some(c) if closing_quotes(c).is_some() && !is_name => is_new_line || begins_member(rest),
            Some(_) => is_new_line && !is_name && begins_member(rest),
        }
    }
}

/// Whether this can follow a comma: another value, a name, an end. Words alone are the rest of a sentence.
fn follows_comma(rest: &str) -> bool {
    let Some(c) = rest.chars().next() else { return true };
    let is_value = closing_quotes(c).is_some()
        || c.is_ascii_digit()
        || matches!(c, '{' | '[' | '}' | ']' | '-' | ',' | '/' | '.' | '…' | '#');
    let is_word = ["true", "false", "null", "True", "False", "None", "undefined", "NaN"]
        .iter()
        .any(|word| rest.starts_with(word));
    is_value || is_word || begins_member(rest)
}

/// Whether a name and its colon stand here.
fn begins_member(rest: &str) -> bool {
    let quote = rest.chars().next().filter(|c| closing_quotes(*c).is_some());
    // One quote and no more: of a run of them each would read the rest again.
    let name = quote.and_then(|quote| rest.strip_prefix(quote)).unwrap_or(rest);
    let end =
        name.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '.' | ' '))).unwrap_or(name.len());
    let is_name = end > 0 && (quote.is_some() || !name[..end].contains(' '));
    let closing = quote.and_then(closing_quotes).unwrap_or_default();
    let behind = name[end..].strip_prefix(closing).unwrap_or(&name[end..]).trim_start();
    is_name && behind.starts_with(':')
}

/// The quotes that end what this one begins.
const fn closing_quotes(quote: char) -> Option<&'static [char]> {
    match quote {
        '"' => Some(&['"']),
        '\'' => Some(&['\'']),
        '`' => Some(&['`']),
        '“' | '”' | '„' => Some(&['“', '”', '"']),
        '‘' | '’' => Some(&['‘', '’', '\'']),
        '«' => Some(&['»']),
        _ => None,
    }
}

fn push_escaped(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        c => out.push(c),
    }
}

fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A number as JSON writes it, digit by digit the same; `None` where it is none.
fn number_of(text: &str) -> Option<String> {
    let is_number = |text: &str| is_json(text) && !text.starts_with('"');
    if is_number(text) {
        return Some(text.to_owned());
    }
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok().map(|number| number.to_string());
    }
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.trim_start_matches('+')), |digits| ("-", digits));
    let whole = if digits.starts_with('.') { format!("{sign}0{digits}") } else { format!("{sign}{digits}") };
    let mended = whole.strip_suffix('.').unwrap_or(&whole).to_owned();
    is_number(&mended).then_some(mended)
}

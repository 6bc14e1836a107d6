//! Text without its markup, with what the markup said: which part is code, where links lead, where pieces met.

pub mod struck;
mod weight;

use struck::STRUCK;
use weight::Weight;

/// Stands where an element began or ended inside a text, so that two numbers side by side are never read as one.
pub const SEAM: char = '\u{1f}';

/// Stands where a note was marked: a seam that is remembered.
pub const NOTE: char = '\u{1e}';

/// Stand where bold text begins, and where it ends.
pub const BOLD: char = '\u{1c}';
pub const NOT_BOLD: char = '\u{1d}';

/// The text of a cell, a heading, a line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Text {
    /// With seams, and with `\n` between lines.
    pub plain: String,
    /// What was marked as code.
    pub codes: Vec<String>,
    /// Paths that links lead to.
    pub links: Vec<String>,
    /// The part of `plain` that stands behind the last link.
    pub behind_link: String,
    /// Raised text, or `[^1]`, was left out.
    pub has_note: bool,
    /// Something that it named is struck out, and was left out.
    pub is_struck: bool,
    pub weight: Weight,
}

impl Text {
    /// As a reader sees it, on one line.
    pub fn shown(&self) -> String {
        shown(&self.plain)
    }

    /// Whether two numbers stand side by side that are one to whoever does not see the markup: "10[2](#note)".
    pub fn joins_numbers(&self) -> bool {
        let is_digit = |part: Option<char>| part.is_some_and(|c| c.is_ascii_digit());
        let mut parts = self.plain.split(SEAM);
        let mut before = parts.next().and_then(|part| part.chars().next_back());
        parts.any(|part| {
            let joins = is_digit(before) && is_digit(part.chars().next());
            before = part.chars().next_back();
            joins
        })
    }

    pub fn is_blank(&self) -> bool {
        self.plain.chars().all(|c| c.is_whitespace() || c == SEAM)
    }

    pub fn push(&mut self, text: &str) {
        self.has_note |= text.contains(NOTE);
        self.is_struck |= text.contains(STRUCK);
        text.chars().for_each(|c| self.weight.pass(c));
        let is_mark = |c: char| matches!(c, NOTE | STRUCK | BOLD | NOT_BOLD);
        let seen = text.chars().filter(|c| !is_invisible(*c)).map(|c| if is_mark(c) { SEAM } else { c });
        if !self.links.is_empty() {
            self.behind_link.extend(seen.clone());
        }
        self.plain.extend(seen);
    }

    /// The mark of a note was left out here.
    pub fn note(&mut self) {
        self.push(NOTE.encode_utf8(&mut [0; 4]));
    }

    pub fn seam(&mut self) {
        if self.plain.ends_with(|c: char| c != SEAM && c != '\n') {
            self.push("\u{1f}");
        }
    }

    pub fn line_break(&mut self) {
        if !self.is_blank() && !self.plain.ends_with('\n') {
            self.push("\n");
        }
    }

    pub fn code(&mut self, code: &str) {
        self.seam();
        self.push(code);
        self.seam();
        self.codes.push(shown(code));
    }

    /// A link to `target` ends here.
    pub fn leads_to(&mut self, target: &str) {
        self.links.push(path(target).to_owned());
        self.behind_link.clear();
    }
}

/// Where a line may break, and other marks that nobody sees.
const fn is_invisible(c: char) -> bool {
    matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}' | '\u{fe0e}' | '\u{fe0f}' | '\u{feff}')
}

/// A text with single spaces and without seams.
pub fn shown(text: &str) -> String {
    let spaced: String = text.chars().filter(|c| *c != SEAM && !is_invisible(*c)).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether raised digits behind a text make a power of ten of it; other numbers have notes.
pub fn is_power(text: &str, raised: &str) -> bool {
    let base =
        text.strip_suffix("10").filter(|rest| !rest.ends_with(|c: char| c.is_ascii_digit() || c == ',' || c == '.'));
    base.is_some() && matches!(raised.trim().parse(), Ok(3..=18_u8))
}

/// The path of a link, without host, query and fragment.
fn path(target: &str) -> &str {
    let target = target.split(['?', '#', ' ']).next().unwrap_or_default();
    let after_host = target.split_once("://").and_then(|(_, rest)| rest.find('/').map(|at| &rest[at..]));
    after_host.unwrap_or(target).trim_end_matches('/')
}

/// A line of markdown, MDX or HTML within one, without its markup.
pub fn of_markdown(line: &str) -> Text {
    let mut text = Text::default();
    inline(line, &mut text, 0);
    text
}

/// How deep links may hold links and images.
const MOST_DEPTH: usize = 8;

/// Bounds that keep the time linear, whatever a line holds: how far the end of a mark is looked for, and how many
/// brackets of a line may be open for good.
const MOST_AHEAD: usize = 2_048;
const MOST_OPEN: usize = 64;

/// The beginning of `text`, as far as is looked ahead.
fn ahead(text: &str) -> &str {
    &text[..text.floor_char_boundary(MOST_AHEAD)]
}

fn inline(line: &str, text: &mut Text, depth: usize) {
    let mut rest = line;
    let mut open_brackets = 0;
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            '\\' => escaped(rest, text),
            '`' => code_span(rest, text),
            '!' if rest.starts_with("![") => link(&rest[1..]).map(|link| link.length + 1),
            '[' if open_brackets < MOST_OPEN => {
                let taken = bracket(rest, text, depth);
                open_brackets += usize::from(taken.is_none());
                taken
            }
            '<' => tag(rest, text),
            '&' => entity(rest, text),
            '*' | '_' | '~' => emphasis(line, rest, text),
            _ => None,
        };
        let taken = taken.unwrap_or_else(|| {
            text.push(&rest[..next.len_utf8()]);
            next.len_utf8()
        });
        rest = &rest[taken..];
    }
}

fn escaped(rest: &str, text: &mut Text) -> Option<usize> {
    let next = rest[1..].chars().next().filter(char::is_ascii_punctuation)?;
    text.push(&rest[1..=next.len_utf8()]);
    Some(2)
}

fn code_span(rest: &str, text: &mut Text) -> Option<usize> {
    let near = ahead(rest);
    let ticks = near.len() - near.trim_start_matches('`').len();
    let fence = &rest[..ticks];
    let end = near[ticks..].find(fence)?;
    text.code(rest[ticks..ticks + end].trim());
    Some(ticks * 2 + end)
}

struct Link<'a> {
    label: &'a str,
    target: &'a str,
    length: usize,
}

/// `[label](target)` or `[label][reference]` at the beginning of `rest`.
fn link(rest: &str) -> Option<Link<'_>> {
    let close = closing(rest, b'[', b']')?;
    let (label, after) = (&rest[1..close], &rest[close + 1..]);
    let (open, shut) = if after.starts_with('(') { (b'(', b')') } else { (b'[', b']') };
    let end = closing(after, open, shut)?;
    let target = if open == b'(' { after[1..end].trim() } else { "" };
    Some(Link { label, target, length: close + 1 + end + 1 })
}

/// Where the bracket that `text` begins with is closed.
fn closing(text: &str, open: u8, shut: u8) -> Option<usize> {
    if text.as_bytes().first() != Some(&open) {
        return None;
    }
    let mut depth = 0_usize;
    let mut bytes = text.bytes().enumerate().take(MOST_AHEAD);
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\\' => drop(bytes.next()),
            _ if byte == open => depth += 1,
            _ if byte == shut => {
                depth -= 1;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
    }
    None
}

fn bracket(rest: &str, text: &mut Text, depth: usize) -> Option<usize> {
    if let Some(note) = rest.strip_prefix("[^") {
        let end = ahead(note).find(']')?;
        text.note();
        return Some(end + 3);
    }
    let link = link(rest)?;
    text.seam();
    if depth < MOST_DEPTH {
        inline(link.label, text, depth + 1);
    }
    text.seam();
    text.leads_to(link.target);
    Some(link.length)
}

/// A tag in a line: a footnote or struck text goes with its content, code stays code, others leave a seam.
fn tag(rest: &str, text: &mut Text) -> Option<usize> {
    let end = ahead(rest).find('>')?;
    let inside = &rest[1..end];
    let name: String = inside.chars().take_while(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let is_tag = inside.starts_with(|c: char| c.is_ascii_alphabetic() || c == '/' || c == '!');
    if !is_tag || inside.contains("://") {
        return None;
    }
    match name.as_str() {
        "sup" | "del" | "s" | "strike" | "script" | "style" => {
            let close = format!("</{name}>");
            let after = &rest[end + 1..];
            let Some(at) = ahead(after).find(&close) else { return Some(end + 1) };
            if name == "sup" && is_power(&text.plain, &after[..at]) {
                text.push("^");
                text.push(&after[..at]);
            } else if name == "sup" {
                text.note();
            } else {
                text.push(struck::left_of(&name, &after[..at]).encode_utf8(&mut [0; 4]));
            }
            return Some(end + 1 + at + close.len());
        }
        "code" => {
            let after = &rest[end + 1..];
            let close = ahead(after).find("</code>")?;
            text.code(after[..close].trim());
            return Some(end + 1 + close + "</code>".len());
        }
        "br" => text.line_break(),
        _ => {
            text.seam();
            let (is_end, name) = inside.strip_prefix('/').map_or((false, inside), |name| (true, name));
            if matches!(name.split_whitespace().next(), Some("b" | "strong")) {
                text.weight.set(!is_end);
            }
        }
    }
    Some(end + 1)
}

fn entity(rest: &str, text: &mut Text) -> Option<usize> {
    const NAMED: [(&str, &str); 14] = [
        ("amp", "&"),
        ("lt", "<"),
        ("gt", ">"),
        ("quot", "\""),
        ("apos", "'"),
        ("nbsp", "\u{a0}"),
        ("thinsp", "\u{2009}"),
        ("ndash", "–"),
        ("mdash", "—"),
        ("minus", "−"),
        ("infin", "∞"),
        ("hellip", "…"),
        ("dagger", "†"),
        ("times", "×"),
    ];
    let end = rest.bytes().take(10).position(|byte| byte == b';')?;
    let name = rest.get(1..end)?;
    if let Some((_, shown)) = NAMED.iter().find(|(known, _)| *known == name) {
        text.push(shown);
        return Some(end + 1);
    }
    let digits = name.strip_prefix('#')?;
    let code = match digits.strip_prefix(['x', 'X']) {
        Some(hex) => u32::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    text.push(char::from_u32(code)?.encode_utf8(&mut [0; 4]));
    Some(end + 1)
}

/// Marks of emphasis vanish; a star that marks nothing stays, and `_` within a word. Struck text goes.
fn emphasis(line: &str, rest: &str, text: &mut Text) -> Option<usize> {
    let mark = rest.chars().next()?;
    let near = ahead(rest);
    let run = near.len() - near.trim_start_matches(mark).len();
    if mark == '~' {
        let close = near[run..].find(&rest[..run]).filter(|_| run == 2)?;
        text.push(struck::left_of("del", &near[run..run + close]).encode_utf8(&mut [0; 4]));
        return Some(run * 2 + close);
    }
    let before = line[..line.len() - rest.len()].chars().next_back();
    let after = rest[run..].chars().next();
    let is_word = |c: Option<char>| c.is_some_and(char::is_alphanumeric);
    let is_space = |c: Option<char>| c.is_none_or(char::is_whitespace);
    let is_mark = match mark {
        '_' => !(is_word(before) && is_word(after) || is_space(before) && is_space(after)),
        // An opening star has its closing one, and the other way round.
        _ if !is_space(after) && near[run..].contains(&rest[..run]) => true,
        _ => !is_space(before) && opened(&line[..line.len() - rest.len()], &rest[..run]),
    };
    is_mark.then(|| {
        text.seam();
        if run > 1 {
            text.weight.turn();
        }
        run
    })
}

/// Whether a mark like this opened before: then this one closes it.
fn opened(before: &str, mark: &str) -> bool {
    let near = &before.as_bytes()[before.len().saturating_sub(MOST_AHEAD)..];
    let marks = memchr::memmem::find_iter(near, mark.as_bytes()).count();
    marks % 2 == 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_goes_and_text_stays() {
        for (markdown, shown) in [
            ("**Free**", "Free"),
            ("*", "*"),
            ("30*", "30*"),
            ("`gpt-oss-120b`", "gpt-oss-120b"),
            ("[Embed (Images)](/reference/embed)", "Embed (Images)"),
            ("[![icon](https://x.y/a.png)Llama 8B](/m/llama-8b)", "Llama 8B"),
            ("30<sup>2</sup>", "30"),
            ("10<sup>6</sup>", "10^6"),
            ("30[^1]", "30"),
            ("~~30~~ 60", "60"),
            ("3 &amp; 3n", "3 & 3n"),
            ("\\-", "-"),
            ("meta_llama_3", "meta_llama_3"),
            ("_soft_ words", "soft words"),
            ("Command R+", "Command R+"),
            ("a<br/>b", "a b"),
            ("30\u{200b}", "30"),
            ("open&#8203;ai&#173;/gpt", "openai/gpt"),
            ("<code>:free</code> models", ":free models"),
            ("4 * 5", "4 * 5"),
        ] {
            assert_eq!(of_markdown(markdown).shown(), shown, "{markdown}");
        }
    }

    #[test]
    fn what_the_markup_said_is_kept() {
        let text = of_markdown("[Llama](/docs/model/llama-3-8b?x=1)Newllama-3-8b");
        assert_eq!(
            (text.links, text.behind_link.trim_matches(SEAM)),
            (vec!["/docs/model/llama-3-8b".to_owned()], "Newllama-3-8b")
        );
        assert_eq!(of_markdown("**30****300**").plain.matches(SEAM).count(), 2);
    }
}

//! Cuts texts about amounts into numbers, words and signs; a number only where the digits leave no doubt.

use super::super::words;
use super::period::whole_periods;
use super::spelled::in_digits;

/// A piece of a text about amounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Number(u64),
    /// Digits that are no whole number by the grammar.
    NoNumber(String),
    Word(String),
    Sign(char),
}

/// Cuts a text into numbers, words and signs; footnote marks are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let text: String = without_footnotes(text).chars().map(narrow).collect();
    // What is shown from right to left may be other numbers than what stands there.
    let is_turned = text.contains(['\u{202d}', '\u{202e}']);
    let mut tokens = Vec::new();
    let mut rest = text.as_str();
    let mut before = ' ';
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            // "pay-as-you-go", "per-minute"
            '-' if before.is_alphabetic() && rest[1..].starts_with(char::is_alphabetic) => 1,
            _ if next.is_ascii_digit() => {
                let (token, bytes) = number(rest);
                let is_part = is_turned || before.is_alphabetic() && !stands_before_numbers(tokens.last());
                tokens.push(if is_part { Token::NoNumber(rest[..bytes].to_owned()) } else { token });
                bytes
            }
            _ if next.is_alphabetic() || next == ':' && rest[1..].starts_with(char::is_alphabetic) => {
                let end = rest[next.len_utf8()..].find(|c: char| !c.is_alphabetic() && c != '\'' && c != '’');
                let taken = end.map_or(rest.len(), |end| end + next.len_utf8());
                tokens.push(Token::Word(rest[..taken].to_owned()));
                taken
            }
            // What a tag left between two pieces of text separates numbers and nothing else.
            super::super::text::SEAM => 1,
            '\n' => {
                tokens.push(Token::Sign('\n'));
                1
            }
            _ if next.is_whitespace() => next.len_utf8(),
            _ => {
                tokens.push(Token::Sign(next));
                next.len_utf8()
            }
        };
        before = rest[..taken].chars().next_back().unwrap_or(' ');
        rest = &rest[taken..];
    }
    fold(whole_periods(in_digits(tokens)))
}

/// Whether a number may be glued to a word: "RPM30", "Tier1". In "v30" and "1e3" it is a part of something else.
fn stands_before_numbers(token: Option<&Token>) -> bool {
    matches!(token, Some(Token::Word(word)) if words::word(&word.to_lowercase()).is_some())
}

/// Digits and signs of double width, as Chinese and Japanese texts have them, in their usual width.
fn narrow(c: char) -> char {
    match c {
        '\u{ff05}' | '\u{ff08}'..='\u{ff1b}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        '\u{3001}' => ',',
        _ => c,
    }
}

/// Joins the phrases of `words::PHRASES`.
fn fold(tokens: Vec<Token>) -> Vec<Token> {
    let mut folded: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    'next: while let Some((token, after)) = rest.split_first() {
        if matches!(token, Token::Word(_)) {
            for (phrase, word) in words::PHRASES {
                let parts = phrase.split(' ').count();
                if rest.len() >= parts && phrase.split(' ').zip(rest).all(|(part, token)| is_word(token, part)) {
                    folded.push(Token::Word((*word).to_owned()));
                    rest = &rest[parts..];
                    continue 'next;
                }
            }
        }
        folded.push(token.clone());
        rest = after;
    }
    folded
}

fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(text) if text.eq_ignore_ascii_case(word))
}

/// The number that `text` begins with, and how many bytes it takes.
fn number(text: &str) -> (Token, usize) {
    let is_part =
        |c: char| c.is_ascii_digit() || matches!(c, ',' | '.' | '\'' | '’' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '_');
    let mut end = whole_thousands(text).unwrap_or_else(|| text.find(|c| !is_part(c)).unwrap_or(text.len()));
    // A comma or full stop at its end belongs to the sentence.
    end = text[..end].trim_end_matches(|c: char| !c.is_ascii_digit()).len();
    let letters = text[end..].find(|c: char| !c.is_alphabetic()).map_or(text.len() - end, |letters| letters);
    let (factor, suffix) = match text[end..end + letters].to_lowercase().as_str() {
        "k" => (1_000, letters),
        "m" => (1_000_000, letters),
        "b" => (1_000_000_000, letters),
        _ => scale_word(&text[end..]).unwrap_or((1, 0)),
    };
    let taken = end + suffix;
    let is_certain = !text[taken..].starts_with([super::super::text::SEAM, '%']) || !continues(&text[taken..]);
    match value(&text[..end], factor).filter(|_| is_certain) {
        Some(value) => (Token::Number(value), taken),
        None => (Token::NoNumber(text[..taken].to_owned()), taken),
    }
}

/// The end of groups with spaces between them, where the last is "000", which no number begins with: "250 000" is one
/// number, and "30 300" may be two.
fn whole_thousands(text: &str) -> Option<usize> {
    let digits = |text: &str| text.bytes().take_while(u8::is_ascii_digit).count();
    let mut end = Some(digits(text)).filter(|end| (1..=3).contains(end) && !text.starts_with('0'))?;
    let mut is_whole = false;
    while text[end..].starts_with(' ') && digits(&text[end + 1..]) == 3 {
        is_whole = &text[end + 1..end + 4] == "000";
        end += 4;
    }
    (is_whole && !text[end..].starts_with([',', '.', '\''])).then_some(end)
}

/// Whether a seam stands between two numbers: "30" and "300" in elements of their own are not 30300.
fn continues(text: &str) -> bool {
    text.starts_with('%') || text.trim_start_matches(super::super::text::SEAM).starts_with(|c: char| c.is_ascii_digit())
}

fn scale_word(text: &str) -> Option<(u64, usize)> {
    let rest = text.strip_prefix(' ')?;
    let end = rest.find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len());
    let factor = match rest[..end].to_lowercase().as_str() {
        "thousand" => 1_000,
        "million" | "mn" => 1_000_000,
        "billion" => 1_000_000_000,
        "k" if rest.starts_with('K') => 1_000,
        "m" if rest.starts_with('M') => 1_000_000,
        _ => return None,
    };
    Some((factor, end + 1))
}

/// Digits in groups of three, or with a fraction that the factor makes whole. "1.000" may be either, and is none.
fn value(digits: &str, factor: u64) -> Option<u64> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return digits.parse::<u64>().ok()?.checked_mul(factor);
    }
    // "1.000.000" has more dots than a fraction.
    let fraction = digits.split_once('.').filter(|(_, fraction)| !fraction.contains('.'));
    if let Some((whole, fraction)) = fraction {
        let whole = whole.replace(',', "");
        let is_plain = [whole.as_str(), fraction].iter().all(|part| part.bytes().all(|byte| byte.is_ascii_digit()));
        let scale = 10_u64.checked_pow(u32::try_from(fraction.len()).ok()?)?;
        if !is_plain || fraction.is_empty() || factor == 1 || !factor.is_multiple_of(scale) {
            return None;
        }
        let whole = whole.parse::<u64>().ok()?.checked_mul(factor)?;
        return whole.checked_add(fraction.parse::<u64>().ok()?.checked_mul(factor / scale)?);
    }
    let separator = digits.chars().find(|c| !c.is_ascii_digit())?;
    let mut groups = digits.split(separator);
    let head = groups.next()?;
    let is_grouped = (1..=3).contains(&head.len())
        && groups.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()));
    if is_grouped { digits.replace(separator, "").parse::<u64>().ok()?.checked_mul(factor) } else { None }
}

/// A text without the marks of footnotes at its end: `30*`, `30 †`, `30¹`, `30 [1]`.
pub fn without_footnotes(text: &str) -> String {
    let is_mark = |c: char| matches!(c, '†' | '‡' | '§' | '¶' | '¹' | '²' | '³' | '⁰' | '\u{2074}'..='\u{2079}');
    let mut marked = text;
    let mut text = String::with_capacity(text.len());
    while let Some(c) = marked.chars().next() {
        marked = &marked[c.len_utf8()..];
        // "10⁶" is no ten with a note.
        let is_power = matches!(c, '³' | '\u{2074}'..='\u{2079}') && super::super::text::is_power(&text, "3");
        if !is_mark(c) || is_power {
            text.push(c);
        }
    }
    loop {
        let trimmed = text.trim_end_matches(|c: char| c.is_whitespace() || c == super::super::text::SEAM);
        let without = match trimmed.strip_suffix('*') {
            Some(rest) if !rest.trim_end_matches('*').trim().is_empty() => rest,
            _ => match trimmed.strip_suffix(']').and_then(|rest| rest.rsplit_once('[')) {
                Some((rest, mark)) if !rest.trim().is_empty() && is_note(mark) => rest,
                _ => return trimmed.trim_start().to_owned(),
            },
        };
        text = without.to_owned();
    }
}

fn is_note(mark: &str) -> bool {
    let mark = mark.trim_start_matches('^');
    !mark.is_empty() && mark.len() <= 2 && (mark.bytes().all(|b| b.is_ascii_digit()) || mark.len() == 1)
}

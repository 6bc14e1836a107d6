//! Numbers with their units, read strictly: what is not certain is not a number.

use crate::chat::Period;

use super::words::{self, Counted, Word};

/// What is counted, over which time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Metric {
    pub counted: Counted,
    pub per: Option<Period>,
}

impl Metric {
    /// As documents of relay name it: `requests_per_minute`, `concurrent_requests`.
    pub fn key(self) -> String {
        match self.per {
            Some(per) => format!("{}_per_{}", self.counted.word(), per.word()),
            None => self.counted.word().to_owned(),
        }
    }

    /// Whether relay can keep it.
    pub fn is_limit(self) -> bool {
        matches!(self.counted, Counted::Requests | Counted::Tokens) && self.per.is_some()
    }
}

/// What a header says about the cells below it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unit {
    pub counted: Option<Counted>,
    pub per: Option<Period>,
}

impl Unit {
    /// Whether it says what is counted, and leaves open over which time.
    pub const fn is_open(self) -> bool {
        match self.counted {
            Some(counted) => self.per.is_none() && !counted.is_without_period(),
            None => false,
        }
    }
}

/// A piece of a text about amounts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Token {
    Number(u64),
    /// Digits that are no whole number by the grammar.
    NoNumber(String),
    Word(String),
    Sign(char),
}

/// Every amount of a cell; empty where it publishes none; an error where anything in it is outside the grammar.
pub fn cell(text: &str, header: Unit) -> Result<Vec<(Metric, u64)>, String> {
    let shown = super::text::shown(&without_footnotes(text));
    if words::is_unpublished(&shown) {
        return Ok(Vec::new());
    }
    let tokens = tokens(text);
    if header.counted == Some(Counted::TokensPerRequest) {
        return request_sizes(&tokens).ok_or_else(|| outside(&shown));
    }
    let mut amounts = Vec::new();
    let mut rest = tokens.as_slice();
    while !rest.is_empty() {
        let (amount, after) = first(rest).ok_or_else(|| outside(&shown))?;
        amounts.push((amount.metric(header).ok_or_else(|| outside(&shown))?, amount.value));
        rest = after;
        if let [Token::Sign(',' | ';' | '/' | '·' | '|' | '\n'), more @ ..] = rest {
            // What separates has something behind it.
            rest = Some(more).filter(|more| !more.is_empty()).ok_or_else(|| outside(&shown))?;
        }
    }
    let mut metrics: Vec<Metric> = amounts.iter().map(|(metric, _)| *metric).collect();
    metrics.sort_unstable();
    metrics.dedup();
    if metrics.len() < amounts.len() { Err(outside(&shown)) } else { Ok(amounts) }
}

fn outside(cell: &str) -> String {
    let short: String = super::text::shown(cell).chars().take(40).collect();
    format!("the cell `{short}` is not one certain number")
}

/// A number with the unit that follows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amount {
    pub value: u64,
    pub unit: Unit,
}

impl Amount {
    /// What it measures below a header; `None` where the two disagree or leave something open.
    fn metric(self, header: Unit) -> Option<Metric> {
        let counted = match (self.unit.counted, header.counted) {
            // Another unit in the cell is said there on purpose: "3 sessions" below RPM.
            (Some(own @ (Counted::Sessions | Counted::Inputs | Counted::Images)), _) => own,
            (Some(own), Some(head)) if own != head => return None,
            (Some(counted), _) | (None, Some(counted)) => counted,
            (None, None) if self.unit.per.is_some() => Counted::Requests,
            (None, None) => return None,
        };
        let per = match (self.unit.per, header.per) {
            _ if counted.is_without_period() => None,
            (Some(own), Some(head)) if own != head => return None,
            (own, head) => Some(own.or(head)?),
        };
        Some(Metric { counted, per })
    }

    /// What it measures on its own.
    pub fn own_metric(self) -> Option<Metric> {
        self.unit.counted?;
        self.metric(Unit::default())
    }
}

/// The number at the beginning of `tokens` with its unit, and what follows.
fn first(tokens: &[Token]) -> Option<(Amount, &[Token])> {
    let [Token::Number(value), rest @ ..] = tokens else { return None };
    let (unit, rest) = unit(rest)?;
    Some((Amount { value: *value, unit }, rest))
}

/// The unit at the beginning of `tokens`: `RPM`, `req / min`, `requests per minute per key`, or none.
pub fn unit(tokens: &[Token]) -> Option<(Unit, &[Token])> {
    let mut unit = Unit::default();
    let mut rest = tokens;
    while let Some((word, after)) = unit_word(rest, unit) {
        match word {
            Word::Counts(counted) if unit.counted.is_none() => unit.counted = Some(counted),
            Word::Per(per) if unit.per.is_none() => unit.per = Some(per),
            Word::Rate(counted, per) if unit == Unit::default() => {
                unit = Unit { counted: Some(counted), per: Some(per) }
            }
            // A rate in parentheses after the same in words.
            Word::Rate(counted, per) if unit == (Unit { counted: Some(counted), per: Some(per) }) => {}
            Word::Filler => {}
            _ => return None,
        }
        rest = after;
    }
    Some((unit, rest))
}

/// The next word of a unit, past "per", a slash, or a parenthesis around an abbreviation.
fn unit_word(tokens: &[Token], so_far: Unit) -> Option<(Word, &[Token])> {
    let known = |text: &str| words::word(&text.to_lowercase());
    match tokens {
        [Token::Sign('('), Token::Word(word), Token::Sign(')'), rest @ ..] => {
            known(word).filter(|word| matches!(word, Word::Rate(..))).map(|word| (word, rest))
        }
        [Token::Word(per), Token::Word(scope), rest @ ..] if per.eq_ignore_ascii_case("per") => match known(scope)? {
            Word::Filler | Word::TierNoun if so_far.per.is_some() => Some((Word::Filler, rest)),
            word @ Word::Per(_) if so_far.per.is_none() => Some((word, rest)),
            _ => None,
        },
        [Token::Sign('/'), Token::Word(word), rest @ ..] => {
            known(word).filter(|word| matches!(word, Word::Per(_))).map(|word| (word, rest))
        }
        [Token::Word(article), Token::Word(word), rest @ ..]
            if ["a", "an", "each", "every"].contains(&article.to_lowercase().as_str()) =>
        {
            known(word).filter(|word| matches!(word, Word::Per(_))).map(|word| (word, rest))
        }
        [Token::Word(word), rest @ ..] => match known(word)? {
            word @ (Word::Counts(_) | Word::Rate(..)) => Some((word, rest)),
            // "daily", "hourly": a bare "min" after a number would be a time.
            word @ Word::Per(_) if so_far.counted.is_some() && text_is_adverb(tokens) => Some((word, rest)),
            _ => None,
        },
        _ => None,
    }
}

fn text_is_adverb(tokens: &[Token]) -> bool {
    matches!(tokens.first(), Some(Token::Word(word)) if word.to_lowercase().ends_with("ly"))
}

/// "8000 in, 4000 out", or one number for both.
fn request_sizes(tokens: &[Token]) -> Option<Vec<(Metric, u64)>> {
    let size = |counted| Metric { counted, per: None };
    match tokens {
        [Token::Number(all)] => Some(vec![(size(Counted::TokensPerRequest), *all)]),
        // Both are told apart on the page, and neither is a limit in time.
        [Token::Number(_), Token::Word(input), Token::Sign(',' | '/'), Token::Number(_), Token::Word(output)]
            if input.eq_ignore_ascii_case("in") && output.eq_ignore_ascii_case("out") =>
        {
            Some(Vec::new())
        }
        _ => None,
    }
}

/// Cuts a text into numbers, words and signs; footnote marks are left out.
pub fn tokens(text: &str) -> Vec<Token> {
    let text = without_footnotes(text);
    let mut tokens = Vec::new();
    let mut rest = text.as_str();
    let mut before = ' ';
    while let Some(next) = rest.chars().next() {
        let taken = match next {
            // "pay-as-you-go", "per-minute"
            '-' if before.is_alphabetic() && rest[1..].starts_with(char::is_alphabetic) => 1,
            _ if next.is_ascii_digit() => {
                let (token, bytes) = number(rest);
                tokens.push(token);
                bytes
            }
            _ if next.is_alphabetic() || next == ':' && rest[1..].starts_with(char::is_alphabetic) => {
                let end = rest[next.len_utf8()..].find(|c: char| !c.is_alphabetic() && c != '\'' && c != '’');
                let taken = end.map_or(rest.len(), |end| end + next.len_utf8());
                tokens.push(Token::Word(rest[..taken].to_owned()));
                taken
            }
            // What a tag left between two pieces of text separates numbers and nothing else.
            super::text::SEAM => 1,
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
    fold(whole_periods(tokens))
}

/// "per 24 hours" is "per day": a period that is written as a number of shorter ones.
fn whole_periods(tokens: Vec<Token>) -> Vec<Token> {
    let mut whole: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        let is_after_per = match whole.last() {
            Some(Token::Word(word)) => ["per", "every", "a", "each", "any"].contains(&word.to_lowercase().as_str()),
            Some(Token::Sign(sign)) => *sign == '/',
            _ => false,
        };
        let period = match token {
            Token::Number(number) if is_after_per => whole_period(*number, after),
            _ => None,
        };
        match period {
            Some((word, after)) => {
                whole.push(Token::Word(word));
                rest = after;
            }
            None => {
                whole.push(token.clone());
                rest = after;
            }
        }
    }
    whole
}

fn whole_period(number: u64, after: &[Token]) -> Option<(String, &[Token])> {
    let after = after.strip_prefix(&[Token::Sign('-')]).unwrap_or(after);
    let [Token::Word(word), rest @ ..] = after else { return None };
    let Some(Word::Per(period)) = words::word(&word.to_lowercase()) else { return None };
    let whole = match (number, period) {
        (1, period) => period,
        (60, Period::Second) => Period::Minute,
        (60, Period::Minute) => Period::Hour,
        (24, Period::Hour) => Period::Day,
        _ => return None,
    };
    Some((whole.word().to_owned(), rest))
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
        |c: char| c.is_ascii_digit() || matches!(c, ',' | '.' | '\'' | '\u{a0}' | '\u{202f}' | '\u{2009}' | '_');
    let mut end = text.find(|c| !is_part(c)).unwrap_or(text.len());
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
    let is_certain = !text[taken..].starts_with([super::text::SEAM, '%']) || !continues(&text[taken..]);
    match value(&text[..end], factor).filter(|_| is_certain) {
        Some(value) => (Token::Number(value), taken),
        None => (Token::NoNumber(text[..taken].to_owned()), taken),
    }
}

/// Whether a seam stands between two numbers: "30" and "300" in elements of their own are not 30300.
fn continues(text: &str) -> bool {
    text.starts_with('%') || text.trim_start_matches(super::text::SEAM).starts_with(|c: char| c.is_ascii_digit())
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
    if let Some((whole, fraction)) = digits.split_once('.') {
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
        && separator != '_'
        && groups.all(|group| group.len() == 3 && group.bytes().all(|byte| byte.is_ascii_digit()));
    if is_grouped { digits.replace(separator, "").parse::<u64>().ok()?.checked_mul(factor) } else { None }
}

/// A text without the marks of footnotes at its end: `30*`, `30 †`, `30¹`, `30 [1]`.
pub fn without_footnotes(text: &str) -> String {
    let is_mark = |c: char| matches!(c, '†' | '‡' | '§' | '¶' | '¹' | '²' | '³' | '⁰' | '\u{2074}'..='\u{2079}');
    let mut text: String = text.chars().filter(|c| !is_mark(*c)).collect();
    loop {
        let trimmed = text.trim_end();
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

#[cfg(test)]
mod tests;

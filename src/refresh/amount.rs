//! Numbers with their units, read strictly: what is not certain is not a number.

mod period;
mod several;
mod spelled;
mod token;

use crate::chat::Period;

use super::words::{self, Counted, Word};
pub use token::{Token, tokens, without_footnotes};

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
    /// Tokens a second are how fast a model answers; nobody limits them.
    pub const fn is_speed(self) -> bool {
        matches!(self.counted, Some(Counted::Tokens | Counted::OutputTokens | Counted::InputTokens))
            && matches!(self.per, Some(Period::Second))
    }

    /// Whether it says what is counted, and leaves open over which time.
    pub const fn is_open(self) -> bool {
        match self.counted {
            Some(counted) => self.per.is_none() && !counted.is_without_period(),
            None => false,
        }
    }
}

/// How long a text says something lasts: "7 days", "minute".
pub fn period(text: &str) -> Option<(u64, Period)> {
    let per = |word: &str| match words::word(&word.to_lowercase()) {
        Some(Word::Per(per)) => Some(per),
        _ => None,
    };
    match tokens(text).as_slice() {
        [Token::Word(word)] => Some((1, per(word)?)),
        [Token::Number(count), Token::Word(word)] => Some((*count, per(word)?)),
        _ => None,
    }
}

/// A longer text is no cell of limits.
const MOST_BYTES: usize = 2_048;

/// Every amount of a cell; empty where it publishes none; an error where anything in it is outside the grammar.
pub fn cell(text: &str, header: Unit) -> Result<Vec<(Metric, u64)>, String> {
    let shown = super::text::shown(&without_footnotes(text));
    if words::is_unpublished(&shown) {
        return Ok(Vec::new());
    }
    if text.len() > MOST_BYTES {
        return Err(outside(&shown));
    }
    let tokens = tokens(text);
    if header.counted == Some(Counted::TokensPerRequest) {
        return request_sizes(&tokens).ok_or_else(|| outside(&shown));
    }
    let mut amounts = Vec::new();
    let mut rest = Some(most(&tokens)).filter(|rest| !rest.is_empty()).ok_or_else(|| outside(&shown))?;
    while !rest.is_empty() {
        let (amount, after) = first(rest).ok_or_else(|| outside(&shown))?;
        amounts.push((amount.metric(header).ok_or_else(|| outside(&shown))?, amount.value));
        rest = after;
        if let Some((inner, after)) = in_parentheses(rest, &shown)? {
            amounts.extend(inner);
            rest = after;
        }
        let joined = match rest {
            [Token::Sign(',' | ';' | '/' | '·' | '|' | '\n'), more @ ..] => Some(more),
            [Token::Word(and), more @ ..] if and.eq_ignore_ascii_case("and") => Some(more),
            _ => None,
        };
        if let Some(more) = joined {
            // What separates has something behind it.
            rest = Some(more).filter(|more| !more.is_empty()).ok_or_else(|| outside(&shown))?;
        }
    }
    let mut metrics: Vec<Metric> = amounts.iter().map(|(metric, _)| *metric).collect();
    metrics.sort_unstable();
    metrics.dedup();
    if metrics.len() < amounts.len() { Err(outside(&shown)) } else { Ok(amounts) }
}

/// "(10K TPM)" behind another amount: it has a unit of its own, or is none.
type Inner<'a> = Option<(Vec<(Metric, u64)>, &'a [Token])>;

fn in_parentheses<'a>(tokens: &'a [Token], shown: &str) -> Result<Inner<'a>, String> {
    let [Token::Sign('('), inside @ ..] = tokens else { return Ok(None) };
    let close = inside.iter().position(|token| *token == Token::Sign(')')).ok_or_else(|| outside(shown))?;
    let (amount, rest) = first(&inside[..close]).ok_or_else(|| outside(shown))?;
    let metric = amount.own_metric().filter(|_| rest.is_empty()).ok_or_else(|| outside(shown))?;
    Ok(Some((vec![(metric, amount.value)], &inside[close + 1..])))
}

fn outside(cell: &str) -> String {
    let short: String = super::text::shown(cell).chars().take(40).collect();
    format!("the cell `{short}` is not one certain number")
}

/// The amounts of a cell below a header that names several units in a row: "30 / 14,400" below "RPM / RPD".
pub fn series(text: &str, units: &[Unit]) -> Result<Vec<(Metric, u64)>, String> {
    let shown = super::text::shown(&without_footnotes(text));
    if words::is_unpublished(&shown) {
        return Ok(Vec::new());
    }
    // With the seams: "30" and a note's number in a link behind it are not one.
    let line = without_footnotes(text).replace('\n', " ");
    let parts: Vec<&str> = line.split(['/', '|', '·']).collect();
    if parts.len() != units.len() {
        return Err(outside(&shown));
    }
    let amounts: Result<Vec<_>, String> = parts.iter().zip(units).map(|(part, unit)| cell(part, *unit)).collect();
    Ok(amounts.map_err(|_| outside(&shown))?.concat())
}

/// Without the words that say that a number is the most: "up to 30".
fn most(tokens: &[Token]) -> &[Token] {
    let is = |token: &Token, words: &[&str]| matches!(token, Token::Word(word) if words.contains(&word.to_lowercase().as_str()));
    match tokens {
        [up, to, rest @ ..] if is(up, &["up"]) && is(to, &["to"]) => rest,
        [Token::Sign('≤'), rest @ ..] => rest,
        [max, rest @ ..] if is(max, &["max", "maximum"]) => rest.strip_prefix(&[Token::Sign('.')]).unwrap_or(rest),
        _ => tokens,
    }
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
            (Some(own @ (Counted::Sessions | Counted::Inputs | Counted::Images | Counted::BatchRequests)), _) => own,
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
        self.metric(Unit::default()).filter(|_| !self.unit.is_speed())
    }
}

/// The number at the beginning of `tokens` with its unit, and what follows.
fn first(tokens: &[Token]) -> Option<(Amount, &[Token])> {
    if let Some(labelled) = labelled(tokens) {
        return Some(labelled);
    }
    let [Token::Number(value), rest @ ..] = tokens else { return None };
    let (unit, rest) = unit(rest)?;
    Some((Amount { value: *value, unit }, rest))
}

/// "minute: 30", "RPM = 30", "Requests/day: 14,400", "Requests per minute (RPM): 30".
pub fn labelled(tokens: &[Token]) -> Option<(Amount, &[Token])> {
    const MOST_WORDS: usize = 8;
    let joint = tokens.iter().take(MOST_WORDS).position(|token| matches!(token, Token::Sign(':' | '=')))?;
    let (label, [_, Token::Number(value), rest @ ..]) = tokens.split_at(joint) else { return None };
    let unit = match label {
        [Token::Word(word)] => match words::word(&word.to_lowercase())? {
            Word::Per(per) => Unit { counted: None, per: Some(per) },
            Word::Rate(counted, per) => Unit { counted: Some(counted), per: Some(per) },
            _ => return None,
        },
        label => {
            let is_filler = |token: &Token| matches!(token, Token::Word(word) if words::word(&word.to_lowercase()) == Some(Word::Filler));
            let (unit, rest) = unit(label)?;
            Some(unit).filter(|unit| unit.counted.is_some() && unit.per.is_some() && rest.iter().all(is_filler))?
        }
    };
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
    Some((unit, spelled_out(rest, unit).unwrap_or(rest)))
}

/// What follows the same unit in other words: "RPM (requests per minute)".
fn spelled_out(tokens: &[Token], so_far: Unit) -> Option<&[Token]> {
    let [Token::Sign('('), inside @ ..] = tokens else { return None };
    let close = inside.iter().position(|token| *token == Token::Sign(')'))?;
    let (again, rest) = unit(&inside[..close])?;
    (again == so_far && again.per.is_some() && rest.is_empty()).then(|| &inside[close + 1..])
}

/// The next word of a unit, past "per", a slash, or a parenthesis around an abbreviation.
fn unit_word(tokens: &[Token], so_far: Unit) -> Option<(Word, &[Token])> {
    let known = |text: &str| words::word(&text.to_lowercase());
    match tokens {
        [Token::Sign('('), Token::Word(word), Token::Sign(')'), rest @ ..] => {
            known(word).filter(|word| matches!(word, Word::Rate(..))).map(|word| (word, rest))
        }
        [Token::Sign('('), Token::Word(per), Token::Word(scope), Token::Sign(')'), rest @ ..] => {
            let is_scope = per.eq_ignore_ascii_case("per") && known(scope) == Some(Word::Filler);
            is_scope.then_some((Word::Filler, rest))
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

#[cfg(test)]
mod tests;

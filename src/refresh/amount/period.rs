//! Periods that are written in more words than one.

use crate::chat::Period;

use super::super::words::{self, Word};
use super::{Token, several};

const WINDOWS: &str = "window|windows|period|periods|interval|intervals|timeframe|span";

/// "per 24 hours" is "per day": a period that is written as a number of shorter ones, or as a window. Of a number of others
/// the amount before it is restated: "1 request every 30 seconds".
pub fn whole_periods(tokens: Vec<Token>) -> Vec<Token> {
    let mut whole: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        match stated(rest, &whole).and_then(|time| Some((whole_period(&mut whole, &time)?, time))) {
            Some((period, time)) => {
                if time.marks > 0 {
                    whole.truncate(whole.len() - time.marks);
                    whole.push(Token::Word("per".to_owned()));
                }
                whole.push(Token::Word(period.word().to_owned()));
                rest = time.rest;
            }
            None => {
                whole.push(token.clone());
                rest = after;
            }
        }
    }
    whole
}

/// The one period that a time is, or for which the amount before it is restated.
fn whole_period(before: &mut [Token], time: &Stated<'_>) -> Option<Period> {
    match (time.count, time.period) {
        (1, period) => Some(period),
        (60, Period::Second) => Some(Period::Minute),
        (60, Period::Minute) => Some(Period::Hour),
        (24, Period::Hour) => Some(Period::Day),
        (count, period) => several::restate(before, count, period),
    }
}

/// A time as a text says it.
struct Stated<'a> {
    count: u64,
    period: Period,
    /// How many of the words before it say "per" without that word.
    marks: usize,
    rest: &'a [Token],
}

/// "24 hours", "rolling 24-hour window", "calendar day", "one-minute period", behind words that say "per". One word alone needs
/// no change behind that word itself.
fn stated<'a>(tokens: &'a [Token], before: &[Token]) -> Option<Stated<'a>> {
    const KINDS: &str = "rolling|sliding|moving|trailing|fixed|calendar|consecutive|utc|given|single";
    let past = |tokens, list| {
        let is_one = |token: &&Token| matches!(token, Token::Word(word) if one_of(word, list));
        <[Token]>::iter(tokens).take_while(is_one).count()
    };
    let is_per = match before.last()? {
        Token::Word(word) => one_of(word, "per|every|a|any|each"),
        token => *token == Token::Sign('/'),
    };
    if !is_per && !is_over(before) {
        return None;
    }
    let kinds = past(tokens, KINDS);
    let (count, period, rest) = counted(&tokens[kinds..])?;
    let kinds_behind = past(rest, KINDS);
    let windows = past(&rest[kinds_behind..], WINDOWS);
    let is_bare = windows == 0 && tokens.len() - rest.len() == 1;
    let rest = if windows > 0 { &rest[kinds_behind + 1..] } else { rest };
    let is_joined = windows == 0 && tokens.get(kinds + 1) == Some(&Token::Sign('-'));
    let marks = match before {
        [rest @ .., Token::Word(each)] if is_over(rest) && one_of(each, "any|each|every") => 2,
        [rest @ .., Token::Word(a)] if is_over(rest) && one_of(a, "a") => {
            // "In a 24-hour trial" is no period, and "try again in a minute" none of an amount.
            let is_period = windows > 0 || is_bare && ends_with_count(&rest[..rest.len() - 1]);
            if is_period { 2 } else { 0 }
        }
        [rest @ .., _] if is_over(before) => usize::from(!is_bare && !is_joined && ends_with_count(rest)),
        _ => 0,
    };
    (marks > 0 || is_per && !is_bare).then_some(Stated { count, period, marks, rest })
}

fn is_over(before: &[Token]) -> bool {
    matches!(before.last(), Some(Token::Word(word)) if one_of(word, "in|within|over|during"))
}

/// "minute", "1 minute", "one-minute", "60 seconds", "24-hour".
fn counted(tokens: &[Token]) -> Option<(u64, Period, &[Token])> {
    let (number, rest) = match tokens {
        [Token::Number(number), Token::Sign('-'), rest @ ..] | [Token::Number(number), rest @ ..] => (*number, rest),
        [Token::Word(one), rest @ ..] if one_of(one, "one|single") => (1, rest),
        rest => (1, rest),
    };
    let [Token::Word(word), rest @ ..] = rest else { return None };
    let Some(Word::Per(period)) = words::word(&word.to_lowercase()) else { return None };
    Some((number, period, rest))
}

/// "30 requests", "30 API requests".
fn ends_with_count(tokens: &[Token]) -> bool {
    let is_count = |word: &str| matches!(words::word(&word.to_lowercase()), Some(Word::Counts(_)));
    matches!(tokens, [.., Token::Number(_), Token::Word(counted)] | [.., Token::Number(_), Token::Word(_), Token::Word(counted)]
        if is_count(counted))
}

fn one_of(word: &str, list: &str) -> bool {
    words::is_one_of(list, &word.to_lowercase())
}

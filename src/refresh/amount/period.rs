//! Periods that are written in more words than one.

use crate::chat::Period;

use super::super::words::{self, Word};
use super::Token;

const WINDOWS: &str = "window|windows|period|periods|interval|intervals|timeframe|span";

/// "per 24 hours" is "per day": a period that is written as a number of shorter ones, or as a window.
pub fn whole_periods(tokens: Vec<Token>) -> Vec<Token> {
    let mut whole: Vec<Token> = Vec::with_capacity(tokens.len());
    let mut rest = tokens.as_slice();
    while let Some((token, after)) = rest.split_first() {
        let is_after_per = match whole.last() {
            Some(Token::Word(word)) => one_of(word, "per|every|a|any|each"),
            Some(Token::Sign(sign)) => *sign == '/',
            _ => false,
        };
        match Some(rest).filter(|_| is_after_per).and_then(stated) {
            Some((period, after)) => {
                let has_noun =
                    matches!(rest[..rest.len() - after.len()].last(), Some(Token::Word(word)) if one_of(word, WINDOWS));
                over_each(&mut whole, has_noun);
                whole.push(Token::Word(period.word().to_owned()));
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

/// "24 hours", "rolling 24-hour window", "calendar day", "one-minute period". One word alone needs no change.
fn stated(tokens: &[Token]) -> Option<(Period, &[Token])> {
    const KINDS: &str = "rolling|sliding|moving|trailing|fixed|calendar|consecutive|utc";
    let past = |tokens, list| {
        let is_one = |token: &&Token| matches!(token, Token::Word(word) if one_of(word, list));
        <[Token]>::iter(tokens).take_while(is_one).count()
    };
    let kinds = past(tokens, KINDS);
    let (period, rest) = counted(&tokens[kinds..])?;
    let kinds_behind = past(rest, KINDS);
    let windows = past(&rest[kinds_behind..], WINDOWS);
    let rest = if windows > 0 { &rest[kinds_behind + 1..] } else { rest };
    let is_alone = kinds + windows == 0 && matches!(tokens[0], Token::Word(_));
    (!is_alone).then_some((period, rest))
}

/// "minute", "1 minute", "one-minute", "60 seconds", "24-hour".
fn counted(tokens: &[Token]) -> Option<(Period, &[Token])> {
    let (number, rest) = match tokens {
        [Token::Number(number), Token::Sign('-'), rest @ ..] | [Token::Number(number), rest @ ..] => (*number, rest),
        [Token::Word(one), rest @ ..] if one_of(one, "one|single") => (1, rest),
        rest => (1, rest),
    };
    let [Token::Word(word), rest @ ..] = rest else { return None };
    let Some(Word::Per(period)) = words::word(&word.to_lowercase()) else { return None };
    let whole = match (number, period) {
        (1, period) => period,
        (60, Period::Second) => Period::Minute,
        (60, Period::Minute) => Period::Hour,
        (24, Period::Hour) => Period::Day,
        _ => return None,
    };
    Some((whole, rest))
}

/// "in any 24 hours", "over a 24-hour period": what stands before says "per". "In a 24-hour trial" does not.
fn over_each(before: &mut Vec<Token>, is_window: bool) {
    let is_over = matches!(before.as_slice(), [.., Token::Word(over), Token::Word(each)]
        if one_of(over, "in|within|over|during") && (one_of(each, "any|each|every") || is_window && one_of(each, "a")));
    if is_over {
        before.truncate(before.len() - 2);
        before.push(Token::Word("per".to_owned()));
    }
}

fn one_of(word: &str, list: &str) -> bool {
    words::is_one_of(list, &word.to_lowercase())
}

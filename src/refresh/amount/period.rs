//! Periods that are written in more words than one.

use crate::chat::Period;

use super::super::words::{self, Word};
use super::Token;

/// "per 24 hours" is "per day": a period that is written as a number of shorter ones.
pub fn whole_periods(tokens: Vec<Token>) -> Vec<Token> {
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

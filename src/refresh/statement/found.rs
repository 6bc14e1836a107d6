//! Finds the amounts of a sentence: numbers with a unit, and what stands before, between and behind them.

use crate::chat::Period;

use super::super::amount::{Amount, Metric, Token, Unit, unit};
use super::super::words::{Counted, Word};
use super::{exact, known, label, one_of, unread};

/// What was found.
pub struct Found {
    pub amounts: Vec<(Metric, u64)>,
    /// One of them is a bound or an end of a range.
    pub is_inexact: bool,
    pub before: Vec<Token>,
    pub between: Vec<Token>,
    pub behind: Vec<Token>,
}

/// The numbers with a unit of their own.
pub fn find(tokens: &[Token], part: &str) -> Option<Found> {
    let mut amounts = Vec::new();
    let mut counted = None;
    let mut is_inexact = false;
    let mut first = None;
    let mut between = Vec::new();
    let mut rest = tokens;
    let mut behind: &[Token] = &[];
    while !rest.is_empty() {
        let before = &tokens[..tokens.len() - rest.len()];
        // "$5 per 1,000 requests": not how many there are.
        let is_part = before.last().is_some_and(|token| is_per(token) || is_currency(token));
        let labelled = label::amount_at(rest);
        let is_labelled = labelled.is_some();
        match labelled.or_else(|| amount_at(rest, counted)).filter(|_| !is_part) {
            Some((amount, metric, after)) => {
                match first {
                    None => first = Some(before),
                    Some(_) => between.extend_from_slice(&behind[..behind.len() - rest.len()]),
                }
                amounts.push((metric, amount.value));
                let is_bound = if is_labelled {
                    exact::is_inexact_behind_label(before, after)
                } else {
                    exact::is_inexact(before, &rest[1..], part)
                };
                is_inexact |= is_bound || exact::goes_on(after) || unread::is_torn(before, rest);
                counted = Some(metric.counted);
                rest = after;
                behind = after;
            }
            None => {
                is_inexact |= label::is_torn(rest) || unread::is_torn(before, rest);
                counted = named(&rest[0], counted);
                rest = &rest[1..];
            }
        }
    }
    Some(Found { amounts, is_inexact, before: first?.to_vec(), between, behind: behind.to_vec() })
}

fn is_per(token: &Token) -> bool {
    matches!(token, Token::Word(word) if ["per", "every"].contains(&word.to_lowercase().as_str()))
}

fn is_currency(token: &Token) -> bool {
    matches!(token, Token::Sign('$' | '€' | '£' | '¥'))
}

/// What is counted behind a word: "requests are limited to 60 per minute". An abbreviation says too much.
fn named(token: &Token, before: Option<Counted>) -> Option<Counted> {
    match known(token) {
        Some(Word::Counts(counted)) => Some(counted),
        Some(Word::Rate(..)) => None,
        _ => before,
    }
}

/// "20 requests per minute", "50 :free model requests per day". Behind another amount, or the word for it, "1,000 per day" counts the same.
fn amount_at(tokens: &[Token], counted: Option<Counted>) -> Option<(Amount, Metric, &[Token])> {
    let [Token::Number(value), rest @ ..] = tokens else { return None };
    // "10+ requests per minute" is an amount, if no exact one.
    let rest = rest.strip_prefix(&[Token::Sign('+')]).unwrap_or(rest);
    let is_kind = |token: &&Token| match token {
        Token::Word(word) => {
            word.starts_with(':')
                || ["model", "api", "free", "chat", "inference", "completion", "total"]
                    .contains(&word.to_lowercase().as_str())
        }
        _ => false,
    };
    let skipped = rest.iter().take(3).take_while(is_kind).count();
    let (unit, after) = unit(&rest[skipped..])?;
    // "X 70B requests per minute: 30": the number belongs to the name.
    if matches!(after, [Token::Sign(':' | '='), Token::Number(_), ..]) {
        return None;
    }
    let per = unit.per.or_else(|| shared_period(unit.counted?, after))?;
    let unit = Unit { counted: unit.counted.or(counted), per: Some(per) };
    let amount = Amount { value: *value, unit };
    Some((amount, amount.own_metric()?, after))
}

/// The period of the next number, where both have one: "30 requests and 8,000 tokens per minute". Tokens before requests may be what
/// one gets once.
fn shared_period(counted: Counted, after: &[Token]) -> Option<Period> {
    const MOST: &str = "up|to|at|most";
    let (joint, rest) = after.split_first()?;
    let is_joint = match joint {
        Token::Word(word) => one_of(word, "and|or"),
        Token::Sign(sign) => matches!(sign, '&' | '+'),
        _ => false,
    };
    let most = rest.iter().take_while(|token| matches!(token, Token::Word(word) if one_of(word, MOST))).count();
    let [Token::Number(_), rest @ ..] = &rest[most..] else { return None };
    let (next, _) = unit(rest)?;
    let is_pair = is_joint && counted == Counted::Requests && next.counted == Some(Counted::Tokens);
    next.per.filter(|_| is_pair)
}

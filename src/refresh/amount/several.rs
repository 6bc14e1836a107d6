//! Amounts over a time that is a number of periods, "1 request every 30 seconds", as amounts over one that relay counts by.

use crate::chat::Period;

use super::super::words::{self, Counted, Word};
use super::Token;

/// More words than these between a number and its time are a sentence.
const MOST_WORDS: usize = 4;

/// Restates the amount right before a time of `count` periods, which the words for "per" at the end of `tokens` lead to, and
/// gives the period that it then holds for. None where none of those that relay knows gives no more than the page does.
pub fn restate(tokens: &mut [Token], count: u64, period: Period) -> Option<Period> {
    let is_mark = |token: &&Token| match token {
        Token::Word(word) => words::is_one_of("per|every|a|any|each|in|within|over|during", &word.to_lowercase()),
        token => **token == Token::Sign('/'),
    };
    let marks = tokens.iter().rev().take_while(is_mark).count();
    let unmarked = tokens.len() - marks;
    let is_plain = |token: &&Token| matches!(token, Token::Word(word) if is_plain(word));
    let named = tokens[..unmarked].iter().rev().take(MOST_WORDS).take_while(is_plain).count();
    let counted = tokens[unmarked - named..unmarked].iter().find_map(counted)?;
    let (before, [Token::Number(amount), ..]) = tokens.split_at_mut((unmarked - named).checked_sub(1)?) else {
        return None;
    };
    if is_second_of_pair(before) {
        return None;
    }
    let (restated, period) = over_one(*amount, counted, count, period)?;
    *amount = restated;
    Some(period)
}

/// No more over one period than the page gives over several; where that is less than one, as many over the next longer one as
/// come one by one. A request of many tokens never fits in a second's part of them, and over hours or days what comes one
/// by one may come at once.
fn over_one(amount: u64, counted: Counted, count: u64, period: Period) -> Option<(u64, Period)> {
    const PER_LONGER: u64 = 60;
    let longer = match period {
        Period::Second => Period::Minute,
        Period::Minute => Period::Hour,
        Period::Hour | Period::Day | Period::Month => period,
    };
    let is_speed = period == Period::Second && counted != Counted::Requests;
    let each = amount.checked_div(count)?;
    if each > 0 {
        return (!is_speed).then_some((each, period));
    }
    let spread = amount.checked_mul(PER_LONGER)? / count;
    (longer != period && spread > 0).then_some((spread, longer))
}

fn counted(token: &Token) -> Option<Counted> {
    let Token::Word(word) = token else { return None };
    match words::word(&word.to_lowercase()) {
        Some(Word::Counts(counted)) => Some(counted),
        _ => None,
    }
}

fn is_plain(word: &str) -> bool {
    let word = word.to_lowercase();
    matches!(words::word(&word), Some(Word::Counts(_) | Word::Filler))
        || word.starts_with(':')
        || words::is_one_of("free|chat|inference|completion|http", &word)
}

/// "30 requests and 8,000 tokens per 10 seconds": the first one's time is the same.
fn is_second_of_pair(before: &[Token]) -> bool {
    let is_most =
        |token: &&Token| matches!(token, Token::Word(word) if words::is_one_of("up|to|at|most", &word.to_lowercase()));
    let most = before.iter().rev().take_while(is_most).count();
    match before[..before.len() - most].last() {
        Some(Token::Word(word)) => words::is_one_of("and|or", &word.to_lowercase()),
        Some(Token::Sign(sign)) => matches!(sign, '&' | '+'),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Unit, cell};

    #[test]
    fn an_amount_over_several_periods_is_never_more_than_the_page_gives() {
        for (text, says) in [
            ("1 request every 30 seconds", "requests_per_minute=2"),
            ("1 request / 3 s", "requests_per_minute=20"),
            ("one request per 2 seconds", "requests_per_minute=30"),
            ("1 request per 45 seconds", "requests_per_minute=1"),
            ("5 requests per 10 seconds", "requests_per_minute=30"),
            ("100 requests per 10 seconds", "requests_per_second=10"),
            ("1 request every 2 minutes", "requests_per_hour=30"),
            ("200 requests per 15 minutes", "requests_per_minute=13"),
            ("100 requests in any 5-hour window", "requests_per_hour=20"),
            ("1M tokens per 5 minutes", "tokens_per_minute=200000"),
            ("100 requests per 2 days", "requests_per_day=50"),
            ("1 request per 90 seconds", ""),
            ("5 requests per 8 hours", ""),
            ("6,000 tokens per 30 seconds", ""),
            ("30 requests and 8,000 tokens per 10 seconds", ""),
            ("30 requests per 0 seconds", ""),
            ("5 / 10 seconds", ""),
        ] {
            let found = cell(text, Unit::default()).unwrap_or_default();
            let found: Vec<String> = found.iter().map(|(metric, value)| format!("{}={value}", metric.key())).collect();
            assert_eq!(found.join(" "), says, "{text}");
        }
    }
}

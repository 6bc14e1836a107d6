//! Limits that a line states and that cannot be read: why, so that they are not passed over in silence.

use super::super::amount::{Token, Unit, unit};
use super::super::words::{Counted, Word};
use super::{known, one_of};

/// Why "1.000 requests per day" is not read.
const NO_NUMBER: &str = "a number before the name of a limit is not one certain number";

/// Why "1,000 requests per week" is not read.
pub const OTHER_TIME: &str = "a limit holds for a time that relay does not count by";

/// Why a line without a limit that is read has one all the same.
pub fn reason(tokens: &[Token]) -> Option<&'static str> {
    (0..tokens.len()).find_map(|at| {
        let (number, rest) = tokens[at..].split_first()?;
        match number {
            Token::NoNumber(_) => is_rate(rest).then_some(NO_NUMBER),
            Token::Number(_) => (is_over_other_time(rest) || is_pause(rest)).then_some(OTHER_TIME),
            _ => None,
        }
    })
}

/// Whether what stands before a number and its limit's name makes another number of it: "14 400 requests per day", "30 RPM and
/// 1.000 requests per day". A version is a part of a name.
pub fn is_torn(before: &[Token], rest: &[Token]) -> bool {
    match rest {
        [Token::NoNumber(digits), after @ ..] => is_grouped(digits) && is_rate(after),
        // A name ends with a number, or begins its own: "Llama 3 300 RPM" leaves open which.
        [Token::Number(100..1_000), ..] => matches!(before.last(), Some(Token::Number(1..1_000) | Token::NoNumber(_))),
        _ => false,
    }
}

/// "1.000", "1,00,000", "14.400": digits in groups, and no "0.5".
fn is_grouped(digits: &str) -> bool {
    let last = digits.rsplit(|c: char| !c.is_ascii_digit()).next().unwrap_or_default();
    last.len() == 3 && last.len() < digits.len()
}

fn is_rate(rest: &[Token]) -> bool {
    unit(rest).is_some_and(|(unit, _)| unit.per.is_some() && unit.counted.is_some_and(is_kept) && !unit.is_speed())
}

const fn is_kept(counted: Counted) -> bool {
    matches!(counted, Counted::Requests | Counted::Tokens)
}

/// "seconds between requests"
fn is_pause(rest: &[Token]) -> bool {
    let [time, Token::Word(between), requests @ ..] = rest else { return false };
    let counts = |token| matches!(known(token), Some(Word::Counts(Counted::Requests)));
    matches!(known(time), Some(Word::Per(_))) && one_of(between, "between") && requests.iter().take(3).any(counts)
}

/// "requests per week", "requests every 90 seconds", "calls weekly".
fn is_over_other_time(rest: &[Token]) -> bool {
    const TIMES: &str = "week|weeks|fortnight|quarter|year|years|half|ms|millisecond|milliseconds";
    const ADVERBS: &str = "weekly|biweekly|quarterly|yearly|annually";
    let is_kind = |token: &&Token| matches!(token, Token::Word(word) if one_of(word, "api|free|total|chat"));
    let rest = &rest[rest.iter().take(2).take_while(is_kind).count()..];
    let counts_alone = |unit: Unit| unit.per.is_none() && unit.counted.is_some_and(is_kept);
    let Some((_, after)) = unit(rest).filter(|(unit, _)| counts_alone(*unit)) else { return false };
    let is_small = |token: &&Token| match token {
        Token::Word(word) => one_of(word, "any|a|an|the|each|every|rolling|sliding|calendar|given"),
        Token::Number(_) | Token::NoNumber(_) => true,
        Token::Sign(sign) => *sign == '-',
    };
    let time = |after: &[Token]| {
        let (small, rest) = after.split_at(after.iter().take_while(is_small).count());
        let is_counted = small.iter().any(|token| matches!(token, Token::Number(_) | Token::NoNumber(_)));
        matches!(rest.first(), Some(token @ Token::Word(word)) if
            one_of(word, TIMES) || is_counted && matches!(known(token), Some(Word::Per(_))))
    };
    match after {
        [Token::Word(word), ..] if one_of(word, ADVERBS) => true,
        [Token::Word(per), after @ ..] => one_of(per, "per|every|a|each|in|within|over|during") && time(after),
        [Token::Sign('/'), after @ ..] => time(after),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::text::of_markdown;
    use super::super::item;
    use super::super::tests::short;

    #[test]
    fn a_period_may_be_a_window() {
        for (line, says) in [
            ("`x-1b`: 30 requests per 60-second window", "x-1b requests_per_minute=30"),
            ("`x-1b`: 30 requests per rolling 24-hour window", "x-1b requests_per_day=30"),
            ("`x-1b`: 30 requests per 24h rolling window", "x-1b requests_per_day=30"),
            ("`x-1b`: 30 requests per calendar day", "x-1b requests_per_day=30"),
            ("`x-1b`: 30 requests per UTC day", "x-1b requests_per_day=30"),
            ("`x-1b`: 30 requests per rolling minute", "x-1b requests_per_minute=30"),
            ("`x-1b`: 30 requests every 60 seconds", "x-1b requests_per_minute=30"),
            ("`x-1b`: 30 requests in any 24-hour period", "x-1b requests_per_day=30"),
            ("`x-1b`: 30 requests in any 60 seconds", "x-1b requests_per_minute=30"),
            ("`x-1b`: 30 requests within a one-minute window", "x-1b requests_per_minute=30"),
            ("`x-1b`: 30 requests in a 24-hour trial", "nothing"),
            ("`x-1b`: 30 requests per 5-hour window", "x-1b requests_per_hour=6"),
            ("`x-1b`: 30 requests per rolling 10-minute window", "x-1b requests_per_minute=3"),
            ("`x-1b`: 100 requests in any 48-hour period", "x-1b requests_per_hour=2"),
            ("`x-1b`: 30 requests in any 48-hour period", "unclear"),
            ("`x-1b`: 30 requests per calendar week", "unclear"),
            ("`x-1b`: 30 requests weekly", "unclear"),
            ("`x-1b`: wait 5 seconds between two requests", "unclear"),
            ("`x-1b`: 1 request every 30 seconds", "x-1b requests_per_minute=2"),
            ("`x-1b`: one request per 2 seconds", "x-1b requests_per_minute=30"),
            ("`x-1b`: 1 request every 90 seconds", "unclear"),
            ("`x-1b`: 30 requests over any 60-second period", "x-1b requests_per_minute=30"),
            ("`x-1b`: 30 requests in any given minute", "x-1b requests_per_minute=30"),
            ("`x-1b`: 30 requests in a minute", "x-1b requests_per_minute=30"),
            ("`x-1b`: 30 requests within 60 seconds", "x-1b requests_per_minute=30"),
            ("`x-1b`: 30 requests in one minute", "x-1b requests_per_minute=30"),
            ("`x-1b`: ten requests per minute", "x-1b requests_per_minute=10"),
            ("`x-1b`: limited to one request per second", "x-1b requests_per_second=1"),
            ("`x-1b`: one to two requests per second", "nothing"),
            ("`x-1b`: a request every 5 seconds", "x-1b requests_per_minute=12"),
            ("Daily limit: 100 requests", "* requests_per_day=100"),
            ("Per minute: 10 requests", "* requests_per_minute=10"),
            ("Daily limit: 100", "nothing"),
            ("Requests per week: 1,000", "unclear"),
            ("Requests per 10 seconds: 5", "unclear"),
            ("`x-1b`: twenty-five requests per minute", "nothing"),
            ("`x-1b`: over 30 requests per minute", "unclear"),
        ] {
            assert_eq!(short(&item(&of_markdown(line), 1)), says, "{line}");
        }
    }

    #[test]
    fn a_number_in_groups_is_read_or_told_of() {
        for (line, says) in [
            ("`x-1b`: 1,000,000 requests per day", "x-1b requests_per_day=1000000"),
            ("`x-1b`: 1 000 requests per day", "x-1b requests_per_day=1000"),
            ("`x-1b`: 1'000 requests per day", "x-1b requests_per_day=1000"),
            ("`x-1b`: 14’400 requests per day", "x-1b requests_per_day=14400"),
            ("`x-1b`: 1_000 requests per day", "x-1b requests_per_day=1000"),
            ("`x-1b`: 10k requests per day", "x-1b requests_per_day=10000"),
            ("`x-1b`: 1,5M tokens per day", "unclear"),
            ("`x-1b`: 1.5M tokens per day", "x-1b tokens_per_day=1500000"),
            ("`x-1b`: 1.000 requests per day", "unclear"),
            ("`x-1b`: 14 400 requests per day", "unclear"),
            ("`x-1b`: 1,00,000 requests per day", "unclear"),
            ("`x-1b`: 30 RPM, 1.000 requests per day", "unclear"),
            ("`x-1b`: 30 requests per minute, 14 400 requests per day", "unclear"),
            ("`x-1b`: 30 RPM (0.5 requests per second)", "x-1b requests_per_minute=30"),
        ] {
            assert_eq!(short(&item(&of_markdown(line), 1)), says, "{line}");
        }
    }
}

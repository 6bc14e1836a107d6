//! Small numbers in words: "one request per minute".

use super::super::words::{self, Counted, Word};
use super::Token;

/// Their order is their value, from one on.
const NUMBERS: &str = "one|two|three|four|five|six|seven|eight|nine|ten";

/// What may stand before a number in words that it is a part of: "twenty-five", "one hundred", "more than one".
const PARTS: &str =
    "twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety|hundred|thousand|than|least|point|no|any|another";

/// The tokens with a number for each word that counts requests over a time.
pub fn in_digits(tokens: Vec<Token>) -> Vec<Token> {
    let value = |at: usize| {
        let (Token::Word(number), rest) = tokens[at..].split_first()? else { return None };
        let is_kind = |token: &&Token| matches!(token, Token::Word(word) if words::is_one_of("api|http|free", &word.to_lowercase()));
        let rest = &rest[rest.iter().take(1).take_while(is_kind).count()..];
        let [Token::Word(counted), Token::Word(per), ..] = rest else { return None };
        let counts = words::word(&counted.to_lowercase()) == Some(Word::Counts(Counted::Requests));
        let is_alone = !goes_on(&tokens[..at]);
        let leads = words::is_one_of("per|every|each|in|within", &per.to_lowercase());
        let number = number.to_lowercase();
        // "A request per user" is any of them, and "a request every minute" is one.
        let is_article = words::is_one_of("a|an|single", &number) && per.eq_ignore_ascii_case("every");
        let place = NUMBERS.split('|').position(|known| known == number || is_article);
        u64::try_from(place.filter(|_| counts && leads && is_alone)? + 1).ok()
    };
    let values: Vec<Option<u64>> = (0..tokens.len()).map(value).collect();
    tokens.into_iter().zip(values).map(|(token, value)| value.map_or(token, Token::Number)).collect()
}

/// Whether a number behind these tokens is a part of what they begin: "one to two", "two hundred and one".
fn goes_on(before: &[Token]) -> bool {
    let is_one_of =
        |token: &Token, list| matches!(token, Token::Word(word) if words::is_one_of(list, &word.to_lowercase()));
    let is_part = |token: &Token| match token {
        Token::Number(_) | Token::NoNumber(_) => true,
        Token::Sign(sign) => matches!(sign, '-' | '~' | '/'),
        Token::Word(_) => is_one_of(token, PARTS) || is_one_of(token, NUMBERS),
    };
    match before {
        [.., first, joint] if is_one_of(joint, "to|or|and") => is_part(first),
        [.., last] => is_part(last),
        [] => false,
    }
}

//! Whether all numbers of a line belong to what it begins with: "x: 30 RPM, y: 1,000 RPD" speaks of two.

use super::super::amount::Token;
use super::super::tier::{self, Tiers};
use super::super::words::{self, Counted, Word};
use super::one_of;

/// Why a line with two plans or two models is not read: which number is whose cannot be told.
pub const MIXED: &str = "a line speaks of more than one plan or model";

/// Whether what stands between a line's numbers says no more than that they are several limits of one.
pub fn is_one(between: &[Token]) -> bool {
    const JOINTS: &str = "and|or|plus|then|up|to|at|most|as|well|also|with|but|of|address|total|together|combined|you|can|\
        make|send|use|process|is|are|it|which|be|limited|capped|restricted|respectively|und|et|y|e|bis|zu|while|both";
    between.iter().enumerate().all(|(at, token)| match token {
        Token::Word(word) => one_of(word, JOINTS) || !matches!(known(word), None | Some(Word::Tier | Word::MaybeTier)),
        // "Requests: 30 RPM, tokens: 6K TPM"
        Token::Sign(':') => matches!(at.checked_sub(1).map(|at| &between[at]), Some(Token::Word(word)) if
            matches!(known(word), Some(Word::Counts(_) | Word::Per(_) | Word::Rate(..)))),
        Token::Sign(_) => true,
        // "30 RPM [1], 1,000 RPD [2]"
        Token::Number(_) => {
            at > 0 && between[at - 1] == Token::Sign('[') && between.get(at + 1) == Some(&Token::Sign(']'))
        }
        Token::NoNumber(_) => false,
    })
}

/// Whether numbers hold under a condition that stands behind them, and that names no plan: "with billing enabled".
pub fn is_conditional(behind: &[Token]) -> bool {
    const CONDITIONS: &str = "if|when|whenever|once|after|unless|with|without|until|during|while|provided|burst|bursts|peak|first|initially|\
        weekends|weekdays|night|nights|between";
    let says = behind.iter().any(|token| matches!(token, Token::Word(word) if one_of(word, CONDITIONS)));
    says && plan_behind(behind) == Ok(None)
}

/// The plan that a line names behind its numbers, also in parentheses. "More for paid users" gives nobody these.
pub fn plan_behind(behind: &[Token]) -> Result<Option<String>, &'static str> {
    const MORE: &str = "higher|more|larger|upgrade|increase|increased|increases|beyond|raise|raised|additional|extra";
    const OTHERS: &str = "except|unless|than|instead|versus|vs|without|not|unlike|also|otherwise|lower";
    let says = |list| behind.iter().any(|token| matches!(token, Token::Word(word) if one_of(word, list)));
    let numbers = behind.iter().filter(|token| matches!(token, Token::Number(_) | Token::NoNumber(_))).count();
    match tier::in_sentence(&text(behind)) {
        Tiers::None => Ok(None),
        Tiers::One(tier) => {
            let own = usize::from(tier.contains(|c: char| c.is_ascii_digit()));
            match (says(OTHERS) || numbers > own, says(MORE)) {
                (true, _) => Err(MIXED),
                (false, true) => Ok(None),
                (false, false) => Ok(Some(tier)),
            }
        }
        Tiers::Several => Err(MIXED),
    }
}

/// What the words behind "for" say whose the numbers are, where they are more than "for each key".
pub fn whom(behind: &[Token]) -> Option<String> {
    const ALL: &str = "every|everyone|any|anyone|of|address|addresses|this|these";
    let start = behind.iter().position(|token| matches!(token, Token::Word(word) if one_of(word, "for|except")))?;
    let whom = clause(&behind[start + 1..]);
    let is_anybody = |token: &Token| {
        let Token::Word(word) = token else { return false };
        let is_known = match known(word) {
            Some(Word::Counts(counted)) => counted == Counted::Requests,
            known => known.is_some(),
        };
        is_known || one_of(word, ALL)
    };
    (!whom.iter().all(is_anybody)).then(|| text(whom).trim().to_owned())
}

/// Whether a name with a number stands there: "Gemini 2.5".
pub fn has_version(tokens: &[Token]) -> bool {
    let is_name = |word: &str| word.starts_with(char::is_uppercase) && known(word).is_none();
    tokens
        .windows(2)
        .any(|pair| matches!(pair, [Token::Word(word), Token::Number(_) | Token::NoNumber(_)] if is_name(word)))
}

/// Whether each of something has the limit that one may have several of: "per seat", "per GPU".
pub fn is_multiplied(behind: &[Token]) -> bool {
    const HOLDERS: &str = "address|customer|client|person|application|app|tenant";
    let [Token::Word(per), Token::Word(each), ..] = behind else { return false };
    one_of(per, "per") && known(each).is_none() && !one_of(each, HOLDERS)
}

/// What is said right behind a number: "to the embeddings endpoint", up to the next comma.
pub fn clause(behind: &[Token]) -> &[Token] {
    let end = behind.iter().position(|token| matches!(token, Token::Sign(sign) if !matches!(sign, '-' | '/' | ':')));
    &behind[..end.unwrap_or(behind.len())]
}

fn known(word: &str) -> Option<Word> {
    words::word(&word.to_lowercase())
}

/// The words of some tokens.
pub fn text(tokens: &[Token]) -> String {
    let words = tokens.iter().map(|token| match token {
        Token::Word(word) => format!(" {word}"),
        Token::Number(number) => format!(" {number}"),
        Token::Sign(sign) => sign.to_string(),
        Token::NoNumber(_) => String::new(),
    });
    words.collect()
}

//! Whether a number in a line is exact: one end of a range, or "at least" so many, is nobody's limit.

use super::super::amount::{Token, Unit, unit};
use super::super::words::{self, Word};
use super::one_of;

/// Whether a number in a line, by what stands right before and right behind it, is a bound or an end of a range. "Up to 10" is a plain limit.
pub fn is_inexact(before: &[Token], behind: &[Token], line: &str) -> bool {
    ends_range(before, line) || is_bound(before) || is_shared(before) || behind.first() == Some(&Token::Sign('+'))
}

/// Whether a number behind the name of its limit is one, or another one follows it that nothing names: "RPM: 30-60", "RPM: 30 (60)".
pub fn is_inexact_behind_label(before: &[Token], after: &[Token]) -> bool {
    let next = after.iter().position(|token| matches!(token, Token::Number(_) | Token::NoNumber(_)));
    let is_bare = |at: usize| unit(&after[at + 1..]).is_none_or(|(unit, _)| unit == Unit::default());
    is_bound(before)
        || after.first() == Some(&Token::Sign('+'))
        || next.is_some_and(|at| at <= 1 && (matches!(after[at], Token::NoNumber(_)) || is_bare(at)))
}

/// "25% of 400", "half of 300", "1/10 of 300": not the number that stands there.
fn is_shared(before: &[Token]) -> bool {
    const SHARES: &str = "half|third|quarter|fifth|tenth|percent|fraction|multiple";
    let [.., share, Token::Word(of)] = before else { return false };
    let is_share = match share {
        Token::Word(word) => one_of(word, SHARES),
        Token::Number(_) | Token::NoNumber(_) | Token::Sign('%') => true,
        Token::Sign(_) => false,
    };
    is_share && one_of(of, "of")
}

/// "10-20", "10 to 20", "10 → 20", "10/20", "2 x 20".
fn ends_range(before: &[Token], line: &str) -> bool {
    let [rest @ .., Token::Number(_) | Token::NoNumber(_), between] = before else { return false };
    match between {
        Token::Word(word) => one_of(word, "to|or|and|through|bis|x|times"),
        Token::Sign('/' | '+' | '×') => true,
        Token::Sign(',') => !ends_name(rest),
        Token::Sign('-' | '–' | '—' | '−' | '→') => !(is_joint(line) && ends_name(rest)),
        _ => false,
    }
}

/// "Llama 3 - 30 RPM": a dash with room on both sides may stand between a name and its number.
fn is_joint(line: &str) -> bool {
    [" - ", " – ", " — ", " − ", " → "].iter().any(|joint| {
        line.match_indices(joint).any(|(at, _)| line[at + joint.len()..].starts_with(|c: char| c.is_ascii_digit()))
    })
}

/// Whether a number behind these tokens is a part of a name: "Llama 3", "x-70b", "Tier 1", and not "free tier 10".
fn ends_name(before: &[Token]) -> bool {
    const BEFORE_NUMBERS: &str = "to|of|at|is|are|has|have|gets|get|between|from|allow|allows|limited|or|and|with";
    let known = |word: &str| words::word(&word.to_lowercase());
    match before {
        [.., Token::Word(plan), Token::Word(word)] if known(word) == Some(Word::TierNoun) => {
            !matches!(known(plan), Some(Word::Tier | Word::MaybeTier))
        }
        [Token::Word(word)] if known(word) == Some(Word::TierNoun) => true,
        [.., Token::Word(word)] => known(word).is_none() && !one_of(word, BEFORE_NUMBERS),
        [.., Token::Sign('-') | Token::Number(_) | Token::NoNumber(_)] => true,
        _ => false,
    }
}

/// "~10", ">10", "at least 10", "min. 10".
fn is_bound(before: &[Token]) -> bool {
    const WORDS: &str =
        "between|from|circa|ca|approx|nearly|almost|under|below|above|beyond|minimum|least|than|starting";
    let before = before.strip_suffix(&[Token::Sign('.')]).unwrap_or(before);
    match before {
        [.., Token::Sign('>'), Token::Sign('=')] => true,
        [.., Token::Sign(sign)] => ['<', '>', '≥', '±', '~', '≈', '∼', '～', '≃', '≅'].contains(sign),
        [.., Token::Word(least), Token::Word(of)] if one_of(of, "of") => one_of(least, "minimum|min"),
        // Behind a slash it is a minute.
        [rest @ .., Token::Word(min)] if one_of(min, "min") => {
            rest.last().is_none_or(|token| matches!(token, Token::Sign(sign) if *sign != '/'))
        }
        [.., Token::Word(word)] => one_of(word, WORDS),
        _ => false,
    }
}

/// Whether what stands behind an amount makes it one end of more: "10 RPM+", "10 RPM or more".
pub fn goes_on(behind: &[Token]) -> bool {
    match behind {
        // "30 RPM + 1,000 RPD" are two limits.
        [Token::Sign('+'), Token::Number(_), ..] => false,
        [Token::Sign('+'), ..] | [Token::Sign('×'), Token::Number(_), ..] => true,
        [Token::Word(x), Token::Number(_), ..] if one_of(x, "x|times") => true,
        [Token::Word(less), Token::Number(_) | Token::NoNumber(_), ..] if one_of(less, "minus|less") => true,
        [Token::Word(_), Token::Word(up), Token::Word(to), ..] if one_of(up, "up") && one_of(to, "to") => false,
        [Token::Word(joint), Token::Word(word), ..] if one_of(joint, "or|and") => {
            one_of(word, "more|higher|above|up|less|fewer|lower|so")
        }
        [Token::Word(word), ..] => one_of(word, "minimum"),
        _ => false,
    }
}

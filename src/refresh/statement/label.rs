//! Numbers behind the name of their limit: "RPM: 30", "Requests per day = 1,000".

use super::super::amount::{self, Amount, Metric, Token, Unit, unit};
use super::super::header;
use super::super::words::Word;
use super::known;

/// The amount whose name `tokens` begin with. A number with a unit of its own is read by that.
pub fn amount_at(tokens: &[Token]) -> Option<(Amount, Metric, &[Token])> {
    let (amount, after) = amount::labelled(tokens).or_else(|| abbreviated(tokens))?;
    let has_unit = amount::labelled(after).is_none() && unit(after).is_none_or(|(own, _)| own != Unit::default());
    Some((amount, amount.own_metric().filter(|_| !has_unit)?, after))
}

/// "RPM 30" at the end, or before a sign that separates.
fn abbreviated(tokens: &[Token]) -> Option<(Amount, &[Token])> {
    let [word, Token::Number(value), after @ ..] = tokens else { return None };
    let Some(Word::Rate(counted, per)) = known(word) else { return None };
    let is_end = matches!(after.first(), None | Some(Token::Sign(',' | ';' | '/' | '|' | '·' | ')')));
    is_end.then_some((Amount { value: *value, unit: Unit { counted: Some(counted), per: Some(per) } }, after))
}

/// "RPM 30 RPD 1,000", as cards have them side by side.
pub fn in_turn(tokens: &[Token]) -> Option<Vec<(Metric, u64)>> {
    let mut amounts: Vec<(Metric, u64)> = Vec::new();
    for pair in tokens.chunks(2) {
        let [word, Token::Number(value)] = pair else { return None };
        let Some(Word::Rate(counted, per)) = known(word) else { return None };
        let metric = Metric { counted, per: Some(per) };
        if amounts.iter().any(|(other, _)| *other == metric) {
            return None;
        }
        amounts.push((metric, *value));
    }
    Some(amounts).filter(|amounts| !amounts.is_empty())
}

/// Whether what stands behind the name of a limit is none of it: "RPM: 30 TPM", "RPM: 1.000".
pub fn is_torn(tokens: &[Token]) -> bool {
    let Some((label, [Token::Sign(':' | '='), value, rest @ ..])) = unit(tokens) else { return false };
    let is_other = |(own, _): (Unit, &[Token])| header::merge(label, own).is_none();
    let is_torn = match value {
        Token::NoNumber(_) => true,
        Token::Number(_) => amount::labelled(rest).is_none() && unit(rest).is_some_and(is_other),
        _ => false,
    };
    is_torn && label.counted.is_some() && label.per.is_some()
}

//! Limits in lists and sentences: read only where a line states one, never where it tells an example.

mod exact;
mod found;
mod label;
mod question;
mod scope;
mod subject;
mod unread;

use super::amount::{self, Metric, Token, Unit, tokens};
use super::header::{self, Meaning};
use super::row::{Quote, Row, window};
use super::text::{Text, shown};
use super::tier;
use super::words::{self, Counted, Word};
use found::{Found, find};
use subject::subject;

/// What a line says.
#[derive(Debug, PartialEq, Eq)]
pub enum Said {
    /// Nothing about limits.
    Nothing,
    Limits(Row),
    /// Something about limits that is not certain, and why.
    Unclear(&'static str),
}

/// Why a line with a variable is not read, nor those that belong to it: a part of a plan's limits is none.
pub const UNRESOLVED: &str = "a variable has no value on the page";

/// Whether a text is limits and nothing else, as on the card of a model.
pub fn is_amounts(text: &Text) -> bool {
    tokens(&text.shown()).first().is_some_and(|token| matches!(token, Token::Number(_)))
        && amount::cell(&text.plain, Unit::default()).is_ok_and(|amounts| !amounts.is_empty())
}

/// The limits that a text is, each behind its name, and nothing else: "RPM: 30, RPD: 1,000", or names and numbers in turn.
pub fn labelled_amounts(text: &Text) -> Option<Vec<(Metric, u64)>> {
    if let Some(amounts) = label::in_turn(&tokens(&text.plain)) {
        return Some(amounts);
    }
    amount::labelled(&tokens(&text.plain))?.0.own_metric()?;
    amount::cell(text.plain.trim_end().trim_end_matches('.'), Unit::default()).ok()
}

/// Why a number with its note right behind it is not read.
const JOINED: &str = "two numbers stand side by side";

/// Whether a text may name a model: by its id, or by a name with a number such as "Gemini 2.5".
pub fn names_model(text: &Text) -> bool {
    let shown = text.shown();
    !subject::ids(text, &shown).is_empty() || scope::has_version(&tokens(&shown))
}

/// Why "Requests per minute: 60 (free), 600 (pro)" is not read.
const UNCERTAIN: &str = "what stands behind the name of a limit is not one certain number";

/// Why what follows "for example" or "ignore that" is not read.
const HYPOTHETICAL: &str = "a number in an example or a remark is no limit";

/// Why "~~x-70b~~ 60 RPM" is not read.
const STRUCK: &str = "what a number may belong to is struck out";

/// Reads a list's item.
pub fn item(text: &Text, line: usize) -> Said {
    unless_struck(item_of(text, line), text)
}

/// What is said of no one may be said of whom the page has struck out.
fn unless_struck(said: Said, text: &Text) -> Said {
    match said {
        Said::Limits(row) if text.is_struck && row.model == "*" => Said::Unclear(STRUCK),
        said => said,
    }
}

fn item_of(text: &Text, line: usize) -> Said {
    if text.joins_numbers() {
        return Said::Unclear(JOINED);
    }
    let shown = text.shown();
    if let Some(amounts) = labelled_amounts(text) {
        return Said::Limits(with(Row { model: "*".to_owned(), ..Row::default() }, amounts, line, &shown));
    }
    if let Some(said) = labelled_metric(&shown, line) {
        return said;
    }
    let parts = sentences(&shown);
    let mut said = parts.iter().map(|part| sentence(part, text, line, true)).enumerate();
    match said.find(|(_, said)| *said != Said::Nothing) {
        None => labelled_rates(&shown, text, line).unwrap_or(Said::Nothing),
        Some((0, said)) => said,
        Some((_, said)) => of_first(said, &parts, text),
    }
}

/// What a later sentence of an item says: it is about what the first one names.
fn of_first(said: Said, parts: &[&str], text: &Text) -> Said {
    let Said::Limits(mut row) = said else { return said };
    if row.model != "*" || row.tier.is_some() || row.section.is_some() {
        return Said::Limits(row);
    }
    if parts[0].ends_with('?') {
        return question::answered(Said::Limits(row), parts[0]);
    }
    let Some(subject) = subject::named_first(parts[0], text) else {
        return Said::Unclear("a number stands apart from what it limits");
    };
    (row.model, row.ids, row.tier, row.section) = (subject.model, subject.ids, subject.tier, subject.section);
    Said::Limits(row)
}

/// "Chat: 20/min", where a rate of nothing else is one of requests.
fn labelled_rates(shown: &str, text: &Text, line: usize) -> Option<Said> {
    let (label, value) = shown.split_once(": ")?;
    let amounts = amount::cell(value.trim_end_matches('.'), Unit::default()).ok()?;
    let is_rate = |(metric, _): &(Metric, u64)| metric.counted == Counted::Requests;
    if amounts.is_empty() || !amounts.iter().all(is_rate) {
        return None;
    }
    let subject = subject::of_label(label.trim(), text);
    Some(match subject {
        Ok(subject) => Said::Limits(with(subject, amounts, line, shown)),
        Err(reason) => Said::Unclear(reason),
    })
}

/// A row with amounts that all stand in this text of a line.
fn with(row: Row, amounts: Vec<(Metric, u64)>, line: usize, text: &str) -> Row {
    let mut row = Row { evidence: Quote::new(line, text), ..row };
    let text = shown(text);
    for (metric, value) in amounts {
        row.evidence.cells.insert(metric, window(&text, value));
        row.amounts.insert(metric, value);
    }
    row
}

/// Reads a paragraph: every sentence of it that states a limit. After "for example" nothing counts any more.
pub fn paragraph(text: &Text, line: usize) -> Vec<Said> {
    let shown = text.shown();
    if text.joins_numbers() {
        let says = find(&tokens(&shown), &shown).is_some();
        return says.then_some(Said::Unclear(JOINED)).into_iter().collect();
    }
    let mut said = Vec::new();
    let parts = sentences(&shown);
    let mut asked = None;
    for (at, part) in parts.iter().enumerate() {
        asked = Some(*part).filter(|part| part.ends_with('?')).or(asked);
        match labelled(part, line).unwrap_or_else(|| sentence(part, text, line, false)) {
            Said::Nothing => {}
            other => {
                let other = unless_struck(other, text);
                said.push(if let Some(asked) = asked { question::answered(other, asked) } else { other });
            }
        }
        if goes_on_telling(part) || said.last() == Some(&Said::Unclear(UNRESOLVED)) {
            let is_more = said.is_empty() && parts[at + 1..].iter().any(|part| find(&tokens(part), part).is_some());
            said.extend(is_more.then_some(Said::Unclear(HYPOTHETICAL)));
            break;
        }
    }
    said
}

/// "Free tier: 20 RPM, 200 RPD", "Daily limit: 100 requests".
fn labelled(shown: &str, line: usize) -> Option<Said> {
    let (label, value) = shown.split_once(": ")?;
    let value = value.trim_end_matches('.');
    labelled_plan(label, value, shown, line).or_else(|| labelled_period(label, value, shown, line))
}

/// A plan, and amounts that are nothing else.
fn labelled_plan(label: &str, value: &str, shown: &str, line: usize) -> Option<Said> {
    let tier = tier::in_title(label).filter(|_| !tier::is_denied(label) && !words::is_elsewhere(label))?;
    let amounts = amount::cell(value, Unit::default()).ok().filter(|amounts| !amounts.is_empty())?;
    let row = Row { model: "*".to_owned(), tier: Some(tier), ..Row::default() };
    Some(Said::Limits(with(row, amounts, line, shown)))
}

/// "Requests per minute: 60", "RPM 60".
fn labelled_metric(shown: &str, line: usize) -> Option<Said> {
    let bare = || shown.find(|c: char| c.is_ascii_digit()).map(|at| shown.split_at(at));
    let is_bare = |(_, value): &(&str, &str)| matches!(tokens(value).as_slice(), [Token::Number(_)]);
    let (label, value) = shown.split_once([':', '=']).or_else(|| bare().filter(is_bare))?;
    let value = value.trim().trim_end_matches('.');
    let Some(unit) = header::metric(label) else { return labelled_period(label, value, shown, line) };
    if !value.starts_with(|c: char| c.is_ascii_digit()) {
        return value.contains('{').then_some(Said::Unclear(UNRESOLVED));
    }
    let Ok(amounts) = amount::cell(value, unit) else {
        let has_more = value.contains([':', '=']);
        return (!has_more).then_some(Said::Unclear(UNCERTAIN));
    };
    Some(Said::Limits(with(Row { model: "*".to_owned(), ..Row::default() }, amounts, line, shown)))
}

/// "Daily limit: 100 requests", and why "Requests per week: 100" is not read.
fn labelled_period(label: &str, value: &str, shown: &str, line: usize) -> Option<Said> {
    let begins_with_number = value.starts_with(|c: char| c.is_ascii_digit());
    match header::meaning(label) {
        Meaning::Qualified if begins_with_number && header::is_over_another_time(label) => {
            Some(Said::Unclear(unread::OTHER_TIME))
        }
        Meaning::Limit { unit: unit @ Unit { counted: None, per: Some(_) }, tier: None } => {
            // A number alone would be of anything.
            let counts = tokens(value).iter().any(|token| matches!(known(token), Some(Word::Counts(_))));
            let amounts = amount::cell(value, unit).ok().filter(|amounts| counts && !amounts.is_empty())?;
            Some(Said::Limits(with(Row { model: "*".to_owned(), ..Row::default() }, amounts, line, shown)))
        }
        _ => None,
    }
}

/// A text cut behind every full stop that ends a sentence.
fn sentences(text: &str) -> Vec<&str> {
    const SHORTENED: [&str; 6] = ["e.g", "i.e", " min", " ca", " approx", " appr"];
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(['.', '!', '?']) {
        let (before, after) = (&text[start..at], &text[at + 1..]);
        let is_end =
            after.is_empty() || after.starts_with(' ') && !SHORTENED.iter().any(|short| before.ends_with(short));
        if is_end {
            parts.push(text[start..=at].trim());
            start = at + 1;
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

fn sentence(part: &str, text: &Text, line: usize, is_item: bool) -> Said {
    let tokens = tokens(part);
    let speaks_of_rates = has_rate(&tokens);
    if part.contains('{') && speaks_of_rates {
        return Said::Unclear(UNRESOLVED);
    }
    let Some(found) = find(&tokens, part) else {
        return unread::reason(&tokens).map_or(Said::Nothing, Said::Unclear);
    };
    // A question states nothing.
    if is_hypothetical(part) || part.ends_with('?') {
        return Said::Unclear(HYPOTHETICAL);
    }
    if found.is_inexact {
        return Said::Unclear("a range or a bound is not one certain number");
    }
    if !scope::is_one(&found.between) {
        return Said::Unclear(scope::MIXED);
    }
    if found
        .amounts
        .iter()
        .enumerate()
        .any(|(at, (metric, _))| found.amounts[..at].iter().any(|(other, _)| other == metric))
    {
        return Said::Unclear("a line gives two numbers for one limit");
    }
    let subject = subject(&found, text, part, is_item);
    let subject = match subject {
        Ok(subject) => subject,
        Err(reason) => return Said::Unclear(reason),
    };
    Said::Limits(with(subject, found.amounts, line, part))
}

fn has_rate(tokens: &[Token]) -> bool {
    let found: Vec<Word> = tokens.iter().filter_map(known).collect();
    found.iter().any(|word| matches!(word, Word::Rate(..)))
        || (found.iter().any(|word| matches!(word, Word::Per(_)))
            && found.iter().any(|word| matches!(word, Word::Counts(_))))
}

/// Whether a list with `|` between its words has this one, however it is written.
fn one_of(word: &str, list: &str) -> bool {
    words::is_one_of(list, &word.to_lowercase())
}

fn known(token: &Token) -> Option<Word> {
    if let Token::Word(word) = token { words::word(&word.to_lowercase()) } else { None }
}

fn is_hypothetical(part: &str) -> bool {
    !hypothetical(&plain(part)).is_empty()
}

/// Whether what comes behind a sentence may still belong to its example.
fn goes_on_telling(part: &str) -> bool {
    let text = plain(part);
    hypothetical(&text).iter().any(|known| !words::ends_with_sentence(known, &text))
}

/// The words of a sentence with single spaces, without an "over" that leads to a time.
fn plain(part: &str) -> String {
    let part = part.to_lowercase();
    let words: Vec<&str> =
        part.split(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | ';' | '(' | ')')).collect();
    let kept = (0..words.len()).filter(|at| words[*at] != "over" || !begins_with_time(&words[at + 1..]));
    kept.map(|at| words[at]).collect::<Vec<_>>().join(" ")
}

/// "any 60-second period", "24h", "a rolling day", and not "60 requests".
fn begins_with_time(words: &[&str]) -> bool {
    const BEFORE: &str =
        "|any|each|every|a|an|the|one|single|given|rolling|sliding|moving|trailing|fixed|calendar|consecutive";
    let mut parts =
        words.iter().flat_map(|word| word.split('-')).map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit()));
    let first = parts.find(|part| !one_of(part, BEFORE));
    first.is_some_and(|part| matches!(words::word(part.trim_end_matches('.')), Some(Word::Per(_))))
}

fn hypothetical(text: &str) -> Vec<&'static str> {
    let says = |known: &&str| {
        if known.contains(' ') {
            text.contains(known)
        } else {
            text.split(' ').any(|word| word.trim_end_matches(['.', '!']) == known.trim_end_matches('.'))
        }
    };
    words::INVENTED.split('|').chain(words::HYPOTHETICAL.split('|')).filter(says).collect()
}

#[cfg(test)]
mod tests;

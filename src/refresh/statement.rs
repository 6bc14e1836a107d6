//! Limits in lists and sentences: read only where a line states one, never where it tells an example.

use super::amount::{self, Amount, Metric, Token, tokens, unit};
use super::header;
use super::row::{self, Quote, Row};
use super::text::Text;
use super::tier::{self, Tiers};
use super::words::{self, Word};

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

/// Reads a list's item.
pub fn item(text: &Text, line: usize) -> Said {
    let shown = text.shown();
    if let Some(said) = labelled_metric(&shown, line) {
        return said;
    }
    match sentences(&shown).as_slice() {
        [] => Said::Nothing,
        [only] => sentence(only, text, line, true),
        several => several
            .iter()
            .map(|part| sentence(part, text, line, true))
            .find(|said| *said != Said::Nothing)
            .unwrap_or(Said::Nothing),
    }
}

/// Reads a paragraph: every sentence of it that states a limit. After "for example" nothing counts any more.
pub fn paragraph(text: &Text, line: usize) -> Vec<Said> {
    let shown = text.shown();
    let mut said = Vec::new();
    for part in sentences(&shown) {
        match sentence(part, text, line, false) {
            Said::Nothing => {}
            unclear @ Said::Unclear(_) => {
                said.push(unclear);
                break;
            }
            limits @ Said::Limits(_) => said.push(limits),
        }
        if is_hypothetical(part) {
            break;
        }
    }
    said
}

/// "Requests per minute: 60".
fn labelled_metric(shown: &str, line: usize) -> Option<Said> {
    let (label, value) = shown.split_once([':', '='])?;
    let unit = header::metric(label)?;
    let value = value.trim().trim_end_matches('.');
    if !value.starts_with(|c: char| c.is_ascii_digit()) {
        return value.contains('{').then_some(Said::Unclear(UNRESOLVED));
    }
    let amounts = amount::cell(value, unit).ok()?;
    let mut row = Row { model: "*".to_owned(), evidence: Quote::new(line, shown), ..Row::default() };
    for (metric, value) in amounts {
        row.evidence.cells.insert(metric, shown.to_owned());
        row.amounts.insert(metric, value);
    }
    Some(Said::Limits(row))
}

/// A text cut behind every full stop that ends a sentence.
fn sentences(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let mut start = 0;
    for (at, _) in text.match_indices(['.', '!', '?']) {
        let after = &text[at + 1..];
        let is_end = after.is_empty()
            || after.starts_with(' ') && !text[start..at].ends_with("e.g") && !text[start..at].ends_with("i.e");
        if is_end {
            parts.push(text[start..=at].trim());
            start = at + 1;
        }
    }
    parts.push(text[start..].trim());
    parts.retain(|part| !part.is_empty());
    parts
}

/// The amounts of a sentence, and what stands before, between and behind them.
struct Found {
    amounts: Vec<(Metric, u64)>,
    before: Vec<Token>,
    behind: Vec<Token>,
}

fn sentence(part: &str, text: &Text, line: usize, is_item: bool) -> Said {
    let tokens = tokens(part);
    let speaks_of_rates = has_rate(&tokens);
    if part.contains('{') && speaks_of_rates {
        return Said::Unclear(UNRESOLVED);
    }
    let Some(found) = find(&tokens) else { return Said::Nothing };
    if is_hypothetical(part) {
        return Said::Unclear("a number in an example or a remark is no limit");
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
    let mut row = Row { evidence: Quote::new(line, part), ..subject };
    for (metric, value) in found.amounts {
        row.evidence.cells.insert(metric, row.evidence.cell.clone());
        row.amounts.insert(metric, value);
    }
    Said::Limits(row)
}

fn has_rate(tokens: &[Token]) -> bool {
    let word = |token: &Token| if let Token::Word(word) = token { words::word(&word.to_lowercase()) } else { None };
    let found: Vec<Word> = tokens.iter().filter_map(word).collect();
    found.iter().any(|word| matches!(word, Word::Rate(..)))
        || (found.iter().any(|word| matches!(word, Word::Per(_)))
            && found.iter().any(|word| matches!(word, Word::Counts(_))))
}

/// The numbers with a unit of their own.
fn find(tokens: &[Token]) -> Option<Found> {
    let mut amounts = Vec::new();
    let mut before = None;
    let mut rest = tokens;
    let mut behind: &[Token] = &[];
    while !rest.is_empty() {
        match amount_at(rest) {
            Some((amount, metric, after)) => {
                before.get_or_insert(tokens.len() - rest.len());
                amounts.push((metric, amount.value));
                rest = after;
                behind = after;
            }
            None => rest = &rest[1..],
        }
    }
    Some(Found { amounts, before: tokens[..before?].to_vec(), behind: behind.to_vec() })
}

/// "20 requests per minute", "50 :free model requests per day".
fn amount_at(tokens: &[Token]) -> Option<(Amount, Metric, &[Token])> {
    let [Token::Number(value), rest @ ..] = tokens else { return None };
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
    let amount = Amount { value: *value, unit };
    unit.per?;
    Some((amount, amount.own_metric()?, after))
}

fn is_hypothetical(part: &str) -> bool {
    let words: Vec<String> = part
        .to_lowercase()
        .split(|c: char| c.is_whitespace() || matches!(c, ',' | ':' | ';' | '(' | ')'))
        .map(str::to_owned)
        .collect();
    let text = words.join(" ");
    words::HYPOTHETICAL.split('|').any(|known| {
        if known.contains(' ') {
            text.contains(known)
        } else {
            words.iter().any(|word| word.trim_end_matches(['.', '!']) == known.trim_end_matches('.'))
        }
    })
}

/// Whose limits these are.
fn subject(found: &Found, text: &Text, part: &str, is_item: bool) -> Result<Row, &'static str> {
    let before = said(&found.before);
    let row = |model: &str, tier: Option<String>| Row { model: model.to_owned(), tier, ..Row::default() };
    if states_limit(&before) {
        return stated(found, &before, text, part, is_item);
    }
    if !is_item {
        return Err("a number stands in a sentence that states no limit");
    }
    if before.is_empty() {
        let tier = named_tier(&[], &found.behind)?;
        return Ok(row("*", tier));
    }
    let label = label(part).ok_or("a number stands in a line that states no limit")?;
    let ids: Vec<&String> = text.codes.iter().filter(|code| row::is_id(code)).collect();
    if row::is_id(&label) || ids.len() == 1 {
        let id = if row::is_id(&label) { label } else { ids[0].clone() };
        return Ok(Row { ids: vec![id.clone()], ..row(&id, None) });
    }
    match tier::in_sentence(&label) {
        Tiers::Several => Err("a line names two plans"),
        Tiers::One(_) => Ok(row("*", Some(tier::in_title(&label).unwrap_or(label)))),
        Tiers::None if label.chars().any(|c| c.is_ascii_digit()) => Ok(row(&label, None)),
        Tiers::None => Ok(Row { section: Some(label), ..row("*", None) }),
    }
}

/// Whose limits they are where a line states them in so many words.
fn stated(found: &Found, before: &str, text: &Text, part: &str, is_item: bool) -> Result<Row, &'static str> {
    let row = |model: &str, tier: Option<String>| Row { model: model.to_owned(), tier, ..Row::default() };
    let family = family(text, part);
    if !is_item && !is_claimed(before) {
        return Err("a number stands in a sentence that states no limit");
    }
    match models_before(text, part).as_slice() {
        [] => {}
        [id] if family.is_none() => return Ok(Row { ids: vec![id.clone()], ..row(id, None) }),
        _ => return Err("a sentence names several models"),
    }
    let tier = match condition(part, family.is_some())? {
        // "Free models" and their family are no plan.
        None if family.is_none() => named_tier(&found.before, &found.behind)?,
        tier => tier,
    };
    let task = words::task(before).filter(|_| family.is_none()).map(str::to_owned);
    Ok(Row { section: task, ..row(family.as_deref().unwrap_or("*"), tier) })
}

/// Models that a sentence names before it states a limit: "`x-large` is limited to 30 requests per minute".
fn models_before(text: &Text, part: &str) -> Vec<String> {
    let lower = part.to_ascii_lowercase();
    let end = STATES.iter().filter_map(|states| lower.find(states)).min().unwrap_or(part.len());
    let is_marked =
        |id: &str| text.codes.iter().any(|code| code == id) || text.links.iter().any(|link| link.ends_with(id));
    let words = part[..end].split_whitespace().map(|word| word.trim_matches(['(', ')', ',', '.', ':', ';', '"']));
    let mut models: Vec<String> = words
        .filter(|word| row::is_id(word) && !word.starts_with(':'))
        .filter(|word| word.contains(|c: char| c.is_ascii_digit()) || word.starts_with('@') || is_marked(word))
        .map(str::to_owned)
        .collect();
    models.dedup();
    models
}

/// Whether "up to" and its like speak of somebody's limit: "our servers handle up to 5000 requests a second" does not.
fn is_claimed(before: &str) -> bool {
    const WEAK: [&str; 5] = ["up to", "at most", "no more than", "allows", "allow"];
    const OWN: &str = "you|your|limit|limits|limited|quota|user|users|customers|account|accounts|key|keys|plan|plans|tier|\
        tiers|project|projects|organization|organizations|workspace|team|teams|developers|free";
    let before = before.trim_end_matches(" a").trim_end_matches(" the");
    let mut words = before.split(' ');
    !WEAK.iter().any(|weak| before.ends_with(weak)) || words.any(|word| OWN.split('|').any(|own| own == word))
}

/// Words before the numbers, in lower case.
fn said(tokens: &[Token]) -> String {
    let words = tokens.iter().map(|token| match token {
        Token::Word(word) => word.to_lowercase(),
        Token::Number(number) => number.to_string(),
        Token::NoNumber(text) => text.clone(),
        Token::Sign(sign) => sign.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

/// Whether the words right before a number say that it is a limit.
fn states_limit(before: &str) -> bool {
    let before = before.trim_end_matches(" a").trim_end_matches(" the");
    STATES.iter().any(|end| before.ends_with(end))
}

/// How a limit is stated, right before its number.
const STATES: [&str; 22] = [
    "limited to",
    "up to",
    "limit of",
    "limits of",
    "limit is",
    "limits are",
    "maximum of",
    "at most",
    "increased to",
    "capped at",
    "restricted to",
    "limit to",
    "allows",
    "allow",
    "can make",
    "can send",
    "quota of",
    "quota is",
    "limit at",
    "set at",
    "no more than",
    "set to",
];

/// The label of an item: what stands before a colon, a dash, or "is".
fn label(part: &str) -> Option<String> {
    let digits = [": ", " – ", " — ", " - ", " = ", " is ", " are ", " has ", " have ", " at ", " gets ", " get "];
    let (at, _) = digits.iter().filter_map(|joint| part.find(joint).map(|at| (at, joint))).min()?;
    let label = part[..at].trim().trim_end_matches(':').trim();
    let rest = part[at..].trim_start_matches(|c: char| !c.is_ascii_digit());
    let between = &part[at..part.len() - rest.len()];
    // Nothing but the joint and a few small words may stand between the label and the number.
    let is_close = between.split_whitespace().count() <= 3 && !between.contains('.');
    (is_close && !label.is_empty() && label.split_whitespace().count() <= 10).then(|| label.to_owned())
}

/// The plan that a sentence names outside its parentheses.
fn named_tier(before: &[Token], behind: &[Token]) -> Result<Option<String>, &'static str> {
    let mut depth = 0_usize;
    let mut kept = String::new();
    for token in before.iter().chain(behind) {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            Token::Word(word) => kept.push_str(&format!(" {word}")),
            Token::Number(number) => kept.push_str(&format!(" {number}")),
            Token::Sign(sign) => kept.push(*sign),
            Token::NoNumber(_) => {}
        }
    }
    match tier::in_sentence(&kept) {
        Tiers::None => Ok(None),
        Tiers::One(tier) => Ok(Some(tier)),
        Tiers::Several => Err("a sentence names two plans"),
    }
}

/// "If you have purchased less than 10 credits, …" is a plan of its own. Other conditions leave open when a limit holds.
fn condition(part: &str, names_family: bool) -> Result<Option<String>, &'static str> {
    const PAYS: [&str; 8] = ["purchase", "purchased", "spent", "spend", "paid", "balance", "added", "deposited"];
    let lower = part.to_lowercase();
    let Some(start) = lower.find("if you").filter(|at| *at == 0 || lower[..*at].ends_with([' ', ':'])) else {
        return Ok(None);
    };
    let clause = part.get(start + "if you".len()..).unwrap_or_default();
    let clause = clause.split(',').next().unwrap_or_default();
    let words: Vec<&str> =
        clause.split_whitespace().filter(|word| !["have", "'ve", "’ve", "are", "'re"].contains(word)).collect();
    let pays = words.iter().position(|word| PAYS.contains(&word.to_lowercase().as_str()));
    match pays {
        Some(0) => Ok(Some(earned(words[0], &words[1..].join(" ")))),
        _ if names_family && is_about_models(clause) => Ok(None),
        _ if !matches!(tier::in_sentence(clause), Tiers::None) => Ok(None),
        _ => Err("a limit holds under a condition that names no plan"),
    }
}

/// "If you're using a free model variant (with an ID ending in `:free`)".
fn is_about_models(clause: &str) -> bool {
    clause.split(|c: char| !c.is_alphanumeric()).any(|word| {
        ["model", "models", "variant", "variants", "endpoint", "endpoints"].contains(&word.to_lowercase().as_str())
    })
}

/// The name of a plan that one has by what one did: "Less than 10 credits purchased". Where no time is named it is all time.
fn earned(did: &str, what: &str) -> String {
    let did = if did.starts_with("purchase") { "purchased" } else { did };
    let mut chars = what.chars();
    let name: String = chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default();
    let is_timed = tokens(what).iter().any(
        |token| matches!(token, Token::Word(word) if matches!(words::word(&word.to_lowercase()), Some(Word::Per(_)))),
    );
    format!("{name} {did}{}", if is_timed { "" } else { tier::ALL_TIME })
}

/// `*:free` where a sentence speaks of models whose ids end so.
fn family(text: &Text, part: &str) -> Option<String> {
    let in_codes = text.codes.iter().map(String::as_str);
    let suffix = in_codes.chain(part.split_whitespace()).find_map(|word| {
        let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != ':');
        let suffix = word.strip_prefix(':')?;
        (!suffix.is_empty() && suffix.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')).then_some(suffix)
    })?;
    Some(format!("*:{suffix}"))
}

#[cfg(test)]
mod tests;

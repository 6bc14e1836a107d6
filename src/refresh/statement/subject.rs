//! Whose limits a line states: a model, a family, a plan, a task, the account.

use super::super::amount::{Token, tokens};
use super::super::header;
use super::super::row::{self, Row};
use super::super::text::Text;
use super::super::tier::{self, Tiers};
use super::super::words::{self, Word};
use super::{Found, known, one_of, scope};

/// Why a limit is not read that is not everybody's, and no plan's.
const CONDITION: &str = "a limit holds under a condition that names no plan";

/// Whose limits these are.
pub fn subject(found: &Found, text: &Text, part: &str, is_item: bool) -> Result<Row, &'static str> {
    let before = said(&found.before);
    let subject = if states_limit(&before) {
        stated(found, &before, text, part, is_item)?
    } else if !is_item {
        return Err("a number stands in a sentence that states no limit");
    } else if before.is_empty() {
        let tier = scope::plan_behind(&found.behind)?;
        named_behind(text, part, tier)?
    } else {
        labelled(found, text, part)?
    };
    narrowed(subject, &found.behind)
}

/// "`x-large`: 30 RPM", "Free: 30 RPM", "`x-large`: 30 RPM (free tier)".
fn labelled(found: &Found, text: &Text, part: &str) -> Result<Row, &'static str> {
    let (label, between) = label(part).ok_or("a number stands in a line that states no limit")?;
    let mut row = of_label(&label, text)?;
    if ids(text, &part[label.len()..]).iter().any(|id| *id != row.model) {
        return Err(scope::MIXED);
    }
    if row.tier.is_none() {
        row.tier = match tier::in_sentence(between) {
            Tiers::One(tier) => Some(tier),
            Tiers::None => scope::plan_behind(&found.behind)?,
            Tiers::Several => return Err(scope::MIXED),
        };
    }
    Ok(row)
}

/// "30 RPM for `x-large`", "30 RPM on the free tier".
fn named_behind(text: &Text, part: &str, tier: Option<String>) -> Result<Row, &'static str> {
    let row = |model: &str, tier: Option<String>| Row { model: model.to_owned(), tier, ..Row::default() };
    match ids(text, part).as_slice() {
        [] => Ok(row("*", tier)),
        [id] if part.contains(&format!(" for {id}")) => Ok(Row { ids: vec![id.clone()], ..row(id, tier) }),
        _ => Err(scope::MIXED),
    }
}

/// The row of the task that the words behind its numbers name: "for images", "to the embeddings endpoint".
fn narrowed(row: Row, behind: &[Token]) -> Result<Row, &'static str> {
    const UNCLEAR: &str = "a number is for somebody whom the line does not name clearly";
    if scope::is_conditional(behind) || scope::is_multiplied(behind) {
        return Err(CONDITION);
    }
    let is_open = row.model == "*" && row.section.is_none();
    let clause = scope::clause(behind);
    if is_open && scope::has_version(clause) {
        return Err(UNCLEAR);
    }
    let whom = scope::whom(behind).filter(|whom| row.ids.is_empty() || !said_is(whom, &row.model));
    let about = whom.clone().unwrap_or_else(|| scope::text(clause)).to_lowercase();
    match words::task(&about) {
        Some(task) if is_open => Ok(Row { section: Some(task.to_owned()), ..row }),
        _ if whom.is_some() => Err(UNCLEAR),
        _ => Ok(row),
    }
}

/// Whether words are those of an id.
fn said_is(words: &str, id: &str) -> bool {
    let plain = |text: &str| text.chars().filter(|c| c.is_alphanumeric()).collect::<String>();
    plain(words) == plain(&said(&tokens(id)))
}

/// Whose limits a label names.
pub fn of_label(label: &str, text: &Text) -> Result<Row, &'static str> {
    let ids: Vec<&String> = text.codes.iter().filter(|code| row::is_id(code) && label.contains(*code)).collect();
    let first = label.split_once(" (").map_or(label, |(first, _)| first);
    match ids.as_slice() {
        [id] => of_model(id, label),
        _ if row::is_id(first) => of_model(first, label),
        _ => of_words(label),
    }
}

/// "`x-70b`", "`x-70b` (free)", "Large X (`x-70b`)": what stands beside the id and is no part of it may be a plan.
fn of_model(id: &str, label: &str) -> Result<Row, &'static str> {
    let beside = row::beside(label, id);
    if words::is_of_others(&beside) || tier::is_denied(&beside) {
        return Err(CONDITION);
    }
    let model = if label.starts_with(id) { label } else { id };
    Ok(Row { model: model.to_owned(), ids: vec![id.to_owned()], tier: tier::in_title(&beside), ..Row::default() })
}

/// A model by its display name, a plan, or a task: "Gemini 2.5 Pro (free)", "Free", "Chat".
fn of_words(label: &str) -> Result<Row, &'static str> {
    let row = |model: &str, tier: Option<String>| Row { model: model.to_owned(), tier, ..Row::default() };
    let (name, beside) = label.split_once(" (").map_or((label, None), |(name, beside)| (name, Some(beside)));
    let is_noun = |token: &Token| matches!(known(token), Some(Word::TierNoun));
    let has_digit = name.contains(|c: char| c.is_ascii_digit()) && !words::is_no_name(name);
    if has_digit && tier::in_title(name).is_none() && !tokens(name).iter().any(is_noun) {
        return Ok(row(label, beside.and_then(|beside| tier::in_title(beside.trim_end_matches(')')))));
    }
    match tier::in_sentence(label) {
        Tiers::Several => Err("a line names two plans"),
        Tiers::One(_) => Ok(row("*", Some(tier::in_title(label).unwrap_or_else(|| label.to_owned())))),
        Tiers::None => Ok(Row { section: Some(label.to_owned()), ..row("*", None) }),
    }
}

/// What the first sentence of an item names: what stands before its first joint, or all of it where it is short.
pub fn named_first(part: &str, text: &Text) -> Option<Row> {
    const MOST_WORDS: usize = 6;
    let joint = [": ", " – ", " — ", " - ", " = ", " ("].iter().filter_map(|joint| part.find(joint)).min();
    let label = part[..joint.unwrap_or(part.len())].trim().trim_end_matches(['.', ':']);
    let words = label.split_whitespace().count();
    if words == 0 || words > MOST_WORDS { None } else { of_label(label, text).ok() }
}

/// Whose limits they are where a line states them in so many words.
fn stated(found: &Found, before: &str, text: &Text, part: &str, is_item: bool) -> Result<Row, &'static str> {
    let row = |model: &str, tier: Option<String>| Row { model: model.to_owned(), tier, ..Row::default() };
    let family = family(text, part);
    if !is_item && !is_claimed(before) {
        return Err("a number stands in a sentence that states no limit");
    }
    let models = models_before(text, part);
    let earned = condition(part, family.is_some())?;
    let is_open = earned.is_none() && family.is_none();
    // "Free models" and their family are no plan.
    let tier = if is_open { named_tier(found, models.is_empty())? } else { earned };
    match models.as_slice() {
        [] => {}
        named if ids(text, part).len() > named.len() => return Err(scope::MIXED),
        [id] if is_open && says_more(&found.before, &tokens(id), tier.is_some()) => return Err(CONDITION),
        [id] if family.is_none() => return Ok(Row { ids: vec![id.clone()], ..row(id, tier) }),
        _ => return Err("a sentence names several models"),
    }
    let lists_models = || before.contains("models endpoint").then_some("models");
    let task = words::task(before).or_else(lists_models).filter(|_| family.is_none()).map(str::to_owned);
    let is_apart = is_open && says_more(&outside(&found.before), &[], tier.is_some());
    let section = task.or_else(|| is_apart.then(|| lead(part)));
    Ok(Row { section, ..row(family.as_deref().unwrap_or("*"), tier) })
}

/// Whether a sentence says more before its numbers than whose limit it states: "With billing enabled", "Gemini 2.5 Flash".
fn says_more(before: &[Token], model: &[Token], names_plan: bool) -> bool {
    const PLAIN: &str = "you|can|is|are|has|have|be|to|of|or|up|at|most|no|more|than|make|send|allow|allows|set|limited|\
        capped|restricted|subject|limiting|increased|on|with|use|using|we|only|currently|there|this|these|it|its|they|any|\
        that|which|endpoint|endpoints|apis|as|now|today|apply|applies|must|will|may|not|if|share|addition|note|tip|please|get|gets|include|includes";
    let is_plain = |word: &str| match words::word(&word.to_lowercase()) {
        Some(Word::Tier | Word::MaybeTier) => names_plan,
        Some(_) => true,
        None => one_of(word, PLAIN),
    };
    let is_plans = |word: &str| words::word(&word.to_lowercase()) == Some(Word::Tier);
    let is_models = |token: &Token| matches!(token, Token::Word(word) if one_of(word, "model|models"));
    before.iter().enumerate().any(|(at, token)| match token {
        _ if model.contains(token) => false,
        // "Premium models" are no plan, and not all models.
        Token::Word(word) => !is_plain(word) || is_plans(word) && before.get(at + 1).is_some_and(is_models),
        // "Tier 1"
        Token::Number(_) => !matches!(at.checked_sub(1).map(|at| &before[at]), Some(Token::Word(word)) if
            words::word(&word.to_lowercase()) == Some(Word::TierNoun)),
        Token::NoNumber(_) => true,
        Token::Sign(_) => false,
    })
}

/// Models that a sentence names before it states a limit: "`x-large` is limited to 30 requests per minute".
fn models_before(text: &Text, part: &str) -> Vec<String> {
    ids(text, before_limit(part))
}

/// What a sentence says before it states a limit.
fn before_limit(part: &str) -> &str {
    let lower = part.to_ascii_lowercase();
    let end = STATES.iter().filter_map(|states| lower.find(states)).min().unwrap_or(part.len());
    &part[..end]
}

/// Who or what is limited, in the words of the sentence.
fn lead(part: &str) -> String {
    let lead = before_limit(part).trim();
    let lead = [" is", " are", " has a", " have a", ":"].iter().find_map(|end| lead.strip_suffix(end)).unwrap_or(lead);
    lead.to_owned()
}

/// The models that a part of a line names by their ids.
pub fn ids(text: &Text, part: &str) -> Vec<String> {
    let is_marked =
        |id: &str| text.codes.iter().any(|code| code == id) || text.links.iter().any(|link| link.ends_with(id));
    let words = part.split_whitespace().map(|word| word.trim_matches(['(', ')', ',', '.', ':', ';', '"']));
    let mut models: Vec<String> = words
        .filter(|word| row::is_id(word) && !word.starts_with(':') && !is_time(word))
        .filter(|word| word.contains(|c: char| c.is_ascii_digit()) || word.starts_with('@') || is_marked(word))
        .map(str::to_owned)
        .collect();
    models.dedup();
    models
}

/// "24-hour" has the looks of an id.
fn is_time(word: &str) -> bool {
    matches!(tokens(word).as_slice(), [Token::Number(_), Token::Sign('-'), Token::Word(word)] if
        matches!(words::word(&word.to_lowercase()), Some(Word::Per(_))))
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
    // "Subject to rate limiting (200 requests per hour)"
    let before = before.strip_suffix(" (").filter(|before| before.contains("subject to")).unwrap_or(before);
    STATES.iter().any(|end| before.ends_with(end)) || is_headline(before)
}

/// "Limits:", "Free tier limits (per model):" at the beginning of a sentence.
fn is_headline(before: &str) -> bool {
    const MOST_WORDS: usize = 5;
    let Some(title) = before.strip_suffix(':') else { return false };
    let title = title.trim_end();
    let title = title.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')).map_or(title, |(title, _)| title).trim();
    let is_limit = title.ends_with("limits") || title.ends_with("limit");
    is_limit && title.split(' ').all(|word| words::word(word).is_some()) && title.split(' ').count() <= MOST_WORDS
}

/// How a limit is stated, right before its number.
const STATES: [&str; 29] = [
    "you get",
    "tier includes",
    "plan includes",
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
    "limited at",
    "subject to rate limiting",
    "subject to limits",
    "subject to a limit",
];

/// The label of an item, which stands before a colon, a dash, or "is", and what is between it and the number.
fn label(part: &str) -> Option<(String, &str)> {
    let digits = [": ", " – ", " — ", " - ", " = ", " is ", " are ", " has ", " have ", " at ", " gets ", " get "];
    let (at, _) = digits.iter().filter_map(|joint| part.find(joint).map(|at| (at, joint))).min()?;
    let label = without_metric(part[..at].trim().trim_end_matches(':').trim());
    let rest = part[at..].trim_start_matches(|c: char| !c.is_ascii_digit());
    let between = &part[label.len()..part.len() - rest.len()];
    // Nothing but the joint, a few small words and the limit's name may stand between the label and the number.
    let is_unit = |word: &&str| {
        matches!(known(&Token::Word((*word).to_owned())), Some(Word::Counts(_) | Word::Per(_) | Word::Rate(..)))
    };
    let small = between.split_whitespace().filter(|word| !is_unit(&word.trim_end_matches(':')));
    let is_close = small.count() <= 3 && !between.contains('.');
    (is_close && !label.is_empty() && label.split_whitespace().count() <= 10).then(|| (label.to_owned(), between))
}

/// A label without the name of its first limit: "`x-large` RPM", "`x-large` (RPM".
fn without_metric(label: &str) -> &str {
    let starts = label.match_indices([' ', '(']).map(|(at, _)| at);
    let end = starts.into_iter().find(|at| *at > 0 && header::metric(&label[*at..]).is_some()).unwrap_or(label.len());
    label[..end].trim_end_matches([' ', '(', '|', '·', ',', '-', '–', '—'])
}

/// The plan that a sentence names, before its numbers, or else behind them. What stands in parentheses behind somebody else
/// than a model is a remark.
fn named_tier(found: &Found, skips_remarks: bool) -> Result<Option<String>, &'static str> {
    let kept = |tokens: &[Token]| if skips_remarks { scope::text(&outside(tokens)) } else { scope::text(tokens) };
    let before = kept(&found.before);
    if tier::is_denied(&before) {
        return Err(scope::MIXED);
    }
    match tier::in_sentence(&before) {
        Tiers::None => scope::plan_behind(&found.behind),
        Tiers::One(tier) if tier::in_sentence(&(before + &kept(&found.behind))) == Tiers::One(tier.clone()) => {
            Ok(Some(tier))
        }
        _ => Err("a sentence names two plans"),
    }
}

/// The tokens that stand in no parentheses.
fn outside(tokens: &[Token]) -> Vec<Token> {
    let mut depth = 0_usize;
    let mut kept = Vec::new();
    for token in tokens {
        match token {
            Token::Sign('(') => depth += 1,
            Token::Sign(')') => depth = depth.saturating_sub(1),
            _ if depth > 0 => {}
            token => kept.push(token.clone()),
        }
    }
    kept
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
        _ => Err(CONDITION),
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

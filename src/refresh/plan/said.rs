//! What a text right above or right behind numbers says of their plan.

use super::super::amount::{Token, tokens};
use super::super::text::{SEAM, Text};
use super::super::tier::{self, Tiers};
use super::super::words::{self, Word};
use super::{Plan, of_title, unreal};

/// Words of a text that sends people elsewhere, or tells one plan from another.
const AWAY: &str = "upgrade|than|compared|unlike|except|beyond|higher|switch|contact";

/// The plan that a line right above a table gives it: "Developer plan", "Limits of the free tier:". A sentence tells, and a
/// line that sends people elsewhere, such as to a better plan, speaks of no table.
fn announced(text: &Text) -> Option<String> {
    const MOST: usize = 100;
    let shown = text.shown();
    let title = shown.strip_suffix(':').unwrap_or(&shown);
    let tokens = tokens(title);
    // Several buttons side by side are not one title.
    let named = text.plain.split([SEAM, '\n']).filter(|piece| tier::in_title(piece).is_some()).count();
    let is_plain = tokens.iter().enumerate().all(|(at, token)| match token {
        Token::Word(word) => words::word(&word.to_lowercase()).is_some(),
        // "Tier 1"
        Token::Number(_) => at > 0 && is_word(&tokens[at - 1], "tier|level"),
        Token::NoNumber(_) => false,
        Token::Sign(_) => true,
    });
    let is_intro = shown.ends_with(':') && !tokens.iter().any(|token| is_word(token, AWAY)) && !is_share(&shown);
    let is_title = title.len() <= MOST && !title.ends_with('.') && named <= 1 && (is_plain || is_intro);
    is_title.then(|| of_title(title).name().map(str::to_owned)).flatten()
}

fn is_word(token: &Token, list: &str) -> bool {
    matches!(token, Token::Word(word) if words::is_one_of(list, &word.to_lowercase()))
}

/// What the text right above some lines, or above a table, says.
pub fn introduced(text: &Text) -> Plan {
    let shown = text.shown();
    match (announced(text), tier::in_sentence(&shown)) {
        _ if unreal::is_announced(&shown) || is_share_of_these(&shown) => Plan::Unclear,
        (Some(tier), _) => Plan::Named(tier),
        (None, Tiers::One(_)) if is_barred(&shown) => Plan::Unclear,
        (None, Tiers::One(tier)) if says_whose(&shown) && !tier::is_narrowed(&shown) => Plan::Named(tier),
        _ if points(last_sentence(&shown), "following|below|these") => of_pointed(last_sentence(&shown)),
        // A title that is no plan's own.
        _ if is_title(&shown) && of_title(&shown) != Plan::Unsaid => Plan::Unclear,
        _ if !shown.ends_with(':') => Plan::Unsaid,
        (None, Tiers::None) if of_title(&shown) == Plan::Unclear || is_condition(&shown) => Plan::Unclear,
        (None, Tiers::None) => Plan::Unsaid,
        (None, Tiers::One(tier)) if shown.to_lowercase().starts_with("with a") => Plan::Named(tier),
        (None, _) => Plan::Unclear,
    }
}

/// "Previous limits", "Batch API (preview)": few words that are no sentence, and no link to something better.
fn is_title(text: &str) -> bool {
    const MOST_WORDS: usize = 8;
    const LEADS: &str = "upgrade|contact|buy|get|learn|need|request|increase|manage";
    let first: String = text.chars().take_while(|c| c.is_alphanumeric()).collect();
    text.split_whitespace().count() <= MOST_WORDS
        && !text.ends_with(['.', '!', '?', ',', ';', ':'])
        && !words::is_one_of(LEADS, &first.to_lowercase())
}

/// "Chat models", "Text generation:": a title that says nothing of plans.
pub fn is_title_of_nobody(text: &Text) -> bool {
    let shown = text.shown();
    let title = shown.trim_end_matches(':');
    is_title(title) && of_title(title) == Plan::Unsaid && tier::in_sentence(title) == Tiers::None
}

fn last_sentence(text: &str) -> &str {
    text.rsplit_once(". ").map_or(text, |(_, last)| last)
}

/// What the text right behind a table, or a row at its end, says: "The limits above are those of the Pro plan."
pub fn concluded(text: &Text) -> Plan {
    let shown = text.shown();
    let note = shown.strip_prefix("Note: ").unwrap_or(&shown);
    // "These are for paid accounts. Free accounts have 10% of them."
    let first = note.split_once(". ").map_or(Plan::Unsaid, |(first, _)| concluded_by(first));
    first.or(|| concluded_by(note))
}

fn concluded_by(shown: &str) -> Plan {
    match tier::in_sentence(shown) {
        _ if unreal::is_concluded(shown) || is_share_of_these(shown) => Plan::Unclear,
        Tiers::One(tier) if says_whose(shown) && ends_with_only(shown) => Plan::Named(tier),
        _ if points(shown, "above|these|shown|listed") => of_pointed(shown),
        _ => noted(shown),
    }
}

/// "* Limits of the Developer plan. Those of the free plan are lower."
fn noted(text: &str) -> Plan {
    let note = text.trim_start_matches(['*', '†', '‡']);
    let first = note.split_once(". ").map_or(note, |(first, _)| first).trim();
    let is_limits = tokens(first).first().is_some_and(|token| is_word(token, "limit|limits"));
    let is_note = note.len() < text.len() && is_limits && is_title(first);
    tier::in_title(first).filter(|_| is_note).map_or(Plan::Unsaid, Plan::Named)
}

/// "Developer plan only."
fn ends_with_only(text: &str) -> bool {
    text.trim_end_matches('.').to_lowercase().ends_with(" only")
}

/// "50% of the following": other numbers than those that stand there.
fn is_share(text: &str) -> bool {
    let words = || text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase);
    text.contains('%') || words().any(|word| words::is_one_of("half|third|quarter|twice|double|times|percent", &word))
}

/// "Free users get 10% of these": nobody's numbers are those that stand there, or not those of whom it names.
fn is_share_of_these(text: &str) -> bool {
    const SHARES: &str = "half|halved|quarter|tenth|percent|twice|double|doubled|divided|multiplied";
    const THESE: &str = "these|following|below|above|shown|listed|limit|limits";
    let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let says = |list| words.iter().any(|word| words::is_one_of(list, word));
    unreal::is_short_sentence(text) && (text.contains('%') || says(SHARES)) && says(THESE)
}

/// "These models are not available on the free tier."
fn is_barred(text: &str) -> bool {
    let text = text.to_lowercase();
    ["not available on", "not available in", "not available for", "not included in", "unavailable on"]
        .iter()
        .any(|words| text.contains(words))
}

/// Whether a short sentence says whose the limits beside it are, and nothing else: "These limits are for the Developer plan.",
/// "Requires a paid plan."
fn says_whose(text: &str) -> bool {
    const MOST_WORDS: usize = 10;
    const KNOWN: &str = "these|this|are|is|for|apply|applies|to|only|showing|shown|shows|requires|require|following|table|numbers|\
        values|below|above|note|on|in|with|at";
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase);
    let words: Vec<String> = words.collect();
    let is_known = |word: &String| {
        words::word(word).is_some_and(|it| !matches!(it, Word::Counts(_))) || words::is_one_of(KNOWN, word)
    };
    words.len() <= MOST_WORDS && words.iter().all(is_known)
}

/// "The following limits apply to Pro accounts."
pub fn points_below(text: &str) -> bool {
    points(text, "following|below")
}

/// Whether a text is one sentence about the limits that it points at. One that compares them, or says whose they are not, is none,
/// nor is a remark: "Note that".
fn points(text: &str, at: &str) -> bool {
    const MOST_WORDS: usize = 16;
    const COMPARES: &str = "lower|exceed|exceeds|more|raise|increase|not|no|never|without|double|twice|half|note";
    if text.split_whitespace().count() > MOST_WORDS || text.contains(". ") || text.ends_with(':') {
        return false;
    }
    let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let says = |list| words.iter().any(|word| words::is_one_of(list, word));
    says(at) && says("limit|limits|quota|quotas|table|values|numbers|rates") && !says(AWAY) && !says(COMPARES)
}

/// The plan of limits that a sentence points at. One that names several may say that they are the same for all.
fn of_pointed(text: &str) -> Plan {
    match tier::in_sentence(text) {
        Tiers::One(tier) => Plan::Named(tier),
        Tiers::None if words::is_elsewhere(text) => Plan::Unclear,
        _ => Plan::Unsaid,
    }
}

/// "Once you top up $5:", "In the first week:"
fn is_condition(text: &str) -> bool {
    const BEGINS: &str =
        "once |after |if |when |without |with a |during |in the first |on weekends|new accounts|accounts created";
    let text = text.to_lowercase();
    BEGINS.split('|').any(|begin| text.starts_with(begin))
}

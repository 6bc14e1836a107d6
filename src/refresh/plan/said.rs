//! What a text right above or right behind numbers says of their plan.

use super::super::text::{SEAM, Text};
use super::super::tier::{self, Tiers};
use super::super::words::{self, Word};
use super::{Plan, of_title};

/// Words of a text that sends people elsewhere, or tells one plan from another.
const AWAY: &str = "upgrade|than|compared|unlike|except|beyond|higher|switch|contact";

/// The plan that a line right above a table gives it: "Developer plan", "Limits of the free tier:". A sentence tells, and a
/// line that sends people elsewhere, such as to a better plan, speaks of no table.
fn announced(text: &Text) -> Option<String> {
    const MOST: usize = 100;
    let shown = text.shown();
    let title = shown.strip_suffix(':').unwrap_or(&shown);
    let words: Vec<String> =
        title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).map(str::to_lowercase).collect();
    // Several buttons side by side are not one title.
    let named = text.plain.split([SEAM, '\n']).filter(|piece| tier::in_title(piece).is_some()).count();
    // "Tier 1"
    let counts = |at: usize| {
        at > 0
            && ["tier", "level"].contains(&words[at - 1].as_str())
            && words[at].bytes().all(|byte| byte.is_ascii_digit())
    };
    let is_plain = words.iter().enumerate().all(|(at, word)| words::word(word).is_some() || counts(at));
    let is_intro = shown.ends_with(':') && !words.iter().any(|word| words::is_one_of(AWAY, word)) && !is_share(&shown);
    let is_title = title.len() <= MOST && !title.ends_with('.') && named <= 1 && (is_plain || is_intro);
    is_title.then(|| of_title(title).name().map(str::to_owned)).flatten()
}

/// What the text right above some lines, or above a table, says.
pub fn introduced(text: &Text) -> Plan {
    let shown = text.shown();
    match (announced(text), tier::in_sentence(&shown)) {
        (Some(tier), _) => Plan::Named(tier),
        (None, Tiers::One(_)) if is_barred(&shown) => Plan::Unclear,
        (None, Tiers::One(tier)) if says_whose(&shown) => Plan::Named(tier),
        _ if points_below(&shown) => of_pointed(&shown),
        _ if !shown.ends_with(':') => Plan::Unsaid,
        (None, Tiers::None) if words::is_elsewhere(&shown) || is_condition(&shown) => Plan::Unclear,
        (None, Tiers::None) => Plan::Unsaid,
        (None, Tiers::One(tier)) if shown.to_lowercase().starts_with("with a") => Plan::Named(tier),
        (None, _) => Plan::Unclear,
    }
}

/// What the text right behind a table, or a row at its end, says: "The limits above are those of the Pro plan."
pub fn concluded(text: &Text) -> Plan {
    let shown = text.shown();
    match tier::in_sentence(&shown) {
        Tiers::One(_) if shown.contains("of the above") && is_share(&shown) => Plan::Unclear,
        Tiers::One(tier) if says_whose(&shown) && ends_with_only(&shown) => Plan::Named(tier),
        _ if points(&shown, "above|these|shown|listed") => of_pointed(&shown),
        _ => Plan::Unsaid,
    }
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
        _ => Plan::Unsaid,
    }
}

/// "Once you top up $5:"
fn is_condition(text: &str) -> bool {
    let text = text.to_lowercase();
    ["once ", "after ", "if ", "when "].iter().any(|begin| text.starts_with(begin))
}

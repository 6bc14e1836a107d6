//! The names of plans: in headers, headings, sentences.

use super::amount::{Token, tokens};
use super::header::split_glued;
use super::text::{SEAM, shown};
use super::words::{self, Word};

/// The plans that a text names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Tiers {
    None,
    One(String),
    Several,
}

/// The plan that a table's header names: there the word alone is enough.
pub fn in_header(text: &str) -> Tiers {
    named(text, true)
}

/// The plan that a heading, a tab or a row between others names. What says anything besides is no plan's name.
pub fn in_title(text: &str) -> Option<String> {
    if let Some((title, kind)) = of_a_kind(text) {
        return in_title(title).map(|tier| format!("{tier} ({kind})"));
    }
    if let Some(tier) = alone(text).or_else(|| with_price(text)) {
        return Some(tier);
    }
    let text = split_glued(text);
    let tier = match named(&text, false) {
        // "Free for students" is another plan than the free one.
        Tiers::One(_) if is_narrowed(&text) => return None,
        Tiers::One(tier) => tier,
        Tiers::None => return of_unknown_name(&text),
        Tiers::Several => return None,
    };
    let says_plan = words_of(&text).any(|word| matches!(words::word(&word), Some(Word::TierNoun)));
    let is_plain = words_of(&text).all(|word| words::word(&word).is_some_and(|word| !matches!(word, Word::Counts(_))));
    let is_short = words_of(&text).count() <= MOST_NAME && !text.contains(|c: char| c.is_ascii_digit());
    match (says_plan || is_plain, words_of(&text).last()) {
        (true, _) => Some(tier),
        // "Hugging Face PRO"
        (false, Some(last)) if is_short && last != "free" && words::word(&last) == Some(Word::Tier) => {
            Some(shown(&text))
        }
        _ => None,
    }
}

/// Whether a title speaks of plans, and names none whose numbers follow: "Developer & Enterprise", "Free (with a card)", "Show
/// Developer limits", "Tiers 1-3", "Other plans".
pub fn is_open(title: &str) -> bool {
    const OTHERS: &str = "other|others|another";
    let text = split_glued(title);
    let tokens = tokens(&text);
    let is_counted = |pair: &[Token]| matches!(pair, [Token::Word(word), Token::Number(_)] if words::is_one_of("tiers|levels", &word.to_lowercase()));
    let is_noun = |word: &String| matches!(words::word(word), Some(Word::TierNoun));
    let has_other =
        || words_of(&text).any(|word| words::is_one_of(OTHERS, &word)) && words_of(&text).any(|word| is_noun(&word));
    match named(&text, false) {
        _ if in_title(title).is_some() => false,
        Tiers::Several => true,
        Tiers::One(_) => is_narrowed(&text) || is_among_others(&tokens),
        Tiers::None => tokens.windows(2).any(is_counted) || has_other(),
    }
}

/// Whether a plan's name among other words makes them speak of the plan: all do but those of models and of documentation,
/// "Gemini 2.5 Pro", "Developer docs", and the remark that something is free.
fn is_among_others(tokens: &[Token]) -> bool {
    let is_name =
        |token: &Token| matches!(token, Token::Word(word) if words::word(&word.to_lowercase()) == Some(Word::Tier));
    let Some(at) = tokens.iter().position(is_name) else { return false };
    let Token::Word(name) = &tokens[at] else { return false };
    let is_of_model = at > 0 && matches!(tokens[at - 1], Token::Number(_) | Token::NoNumber(_));
    match tokens.get(at + 1) {
        _ if is_of_model => false,
        None => !name.eq_ignore_ascii_case("free"),
        Some(Token::Word(next)) => !words::is_provided(&next.to_lowercase()),
        Some(_) => true,
    }
}

/// Whether words apart from a plan's name, which name others elsewhere, make another plan of it: "Free, verified".
pub fn is_narrowed(text: &str) -> bool {
    let Tiers::One(tier) = named(text, false) else { return false };
    let own: Vec<String> = words_of(&tier).collect();
    words_of(text).any(|word| words::word(&word) == Some(Word::MaybeTier) && !own.contains(&word))
}

/// A longer name is a sentence.
const MOST_NAME: usize = 4;

/// "Gold tier", "GLM Coding Plan": what nobody knows, and calls itself a plan.
fn of_unknown_name(text: &str) -> Option<String> {
    const NO_NAMES: &str = "pricing|billing|service|upgrade|upgrading|choose|change|which|this|that|select|what|compare|same|\
        new|one|next|another|higher|lower|better|other|different|no|without|not|and|or|with|to|on|see|which|pick|subscription";
    let words: Vec<String> = original_words(text).collect();
    let known: Vec<Option<Word>> = words.iter().map(|word| words::word(&word.to_lowercase())).collect();
    let is_noun = |word: &String| ["plan", "tier", "subscription"].contains(&word.to_lowercase().as_str());
    let is_name = |at: usize| {
        let word = words[at].to_lowercase();
        known[at].is_none() && !words::is_one_of(NO_NAMES, &word) || word == "max"
    };
    let noun = words.iter().position(is_noun)?;
    let first = (0..noun).rev().take_while(|at| is_name(*at)).last()?;
    let is_whole = known[noun + 1..].iter().any(|word| !matches!(word, Some(Word::Filler)));
    let end = if is_whole { words.len() } else { noun + 1 };
    (end - first <= MOST_NAME).then(|| words[first..end].join(" "))
}

/// A word that names a plan where it stands alone, and says little elsewhere: "Plus".
fn alone(text: &str) -> Option<String> {
    // Models are experimental, too.
    const NO_PLANS: &str = "experiment|experimental";
    let tokens = tokens(text);
    let [token @ Token::Word(word)] = tokens.as_slice() else { return None };
    let word = word.to_lowercase();
    let is_plan = word == "max" || words::word(&word) == Some(Word::MaybeTier) && !words::is_one_of(NO_PLANS, &word);
    is_plan.then(|| display(token))
}

/// "Tier 1 (paid)" is a plan, and what it costs; "Tier 0 (free)" is the free one.
fn with_price(text: &str) -> Option<String> {
    let (title, price) = text.trim().strip_suffix(')')?.split_once('(')?;
    match (named(title, false), price.trim().to_lowercase().as_str()) {
        (Tiers::One(_), "free") => Some("Free".to_owned()),
        (Tiers::One(tier), "paid") => Some(tier),
        _ => None,
    }
}

/// "Free tier (organization accounts)" is one of several free tiers: the title, and which of them.
fn of_a_kind(text: &str) -> Option<(&str, &str)> {
    let (title, kind) = text.trim().strip_suffix(')')?.split_once('(')?;
    let says_whose = words_of(kind).any(|word| matches!(words::word(&word), Some(Word::TierNoun)) && word != "tier");
    (says_whose && words_of(kind).count() > 1 && !title.trim().is_empty()).then(|| (title.trim(), kind.trim()))
}

/// The plan that a tab or a cell of a column of plans names: all of its text, where no known name is in it.
pub fn of_label(text: &str) -> Option<String> {
    let label = shown(text);
    match named(&label, true) {
        Tiers::One(tier) => Some(tier),
        _ if label.is_empty() => None,
        _ => Some(label),
    }
}

/// The plan that a cell of a column of plans names: its words, where they say more than a plan's name. "Less than 10" is one by what
/// its header counts.
pub fn of_cell(text: &str, header: &str) -> String {
    let counts_credits =
        words_of(header).any(|word| word == "credits") && !words_of(text).any(|word| word == "credits");
    if counts_credits && text.contains(|c: char| c.is_ascii_digit()) {
        return shown(&format!("{text} {}", header.to_lowercase()));
    }
    in_title(text).unwrap_or_else(|| shown(text))
}

/// Whether a title that names a plan speaks of those who are not on it, or of what it was: "Beyond the free tier".
pub fn is_denied(text: &str) -> bool {
    const BEFORE: [&str; 23] = [
        "no",
        "non",
        "not",
        "beyond",
        "outside",
        "former",
        "formerly",
        "previous",
        "upgrade",
        "upgrading",
        "upgraded",
        "after",
        "above",
        "past",
        "leaving",
        "exceeding",
        "without",
        "than",
        "unlike",
        "except",
        "besides",
        "exceed",
        "leave",
    ];
    const ANYWHERE: [&str; 3] = ["discontinued", "retired", "ended"];
    let text = split_glued(text);
    let is_name = |word: &String| matches!(words::word(word), Some(Word::Tier));
    let Some(name) = words_of(&text).position(|word| is_name(&word)) else { return false };
    words_of(&text).take(name).any(|word| BEFORE.contains(&word.as_str()))
        || words_of(&text).any(|word| ANYWHERE.contains(&word.as_str()))
}

/// The plans that a text offers side by side, as buttons do; none where it says anything besides.
pub fn side_by_side(text: &str) -> Vec<String> {
    let is_between = |c: char| c == SEAM || matches!(c, '\n' | '|' | '/' | '·' | '•' | ',' | ';');
    let mut plans = Vec::new();
    for piece in text.split(is_between).flat_map(glued).filter(|piece| !piece.trim().is_empty()) {
        if !words_of(piece).all(|word| words::word(&word).is_some()) {
            return Vec::new();
        }
        match named(piece, true) {
            Tiers::One(plan) => plans.push(plan),
            Tiers::None => {}
            Tiers::Several => return Vec::new(),
        }
    }
    plans
}

/// Pieces that stand side by side without a space, as the texts of buttons do.
fn glued(text: &str) -> impl Iterator<Item = &str> {
    let joints = text.char_indices().zip(text.chars().skip(1));
    let joints = joints.filter(|((_, c), next)| c.is_lowercase() && next.is_uppercase());
    let mut from = 0;
    let ends = joints.map(|((at, c), _)| at + c.len_utf8()).chain([text.len()]);
    ends.map(move |end| &text[std::mem::replace(&mut from, end)..end])
}

/// The plan that a part of a sentence names.
pub fn in_sentence(text: &str) -> Tiers {
    named(text, false)
}

/// Plans are told apart by what stands between their names: "Free Trial" is one, "Free and Pro" are two.
fn named(text: &str, is_header: bool) -> Tiers {
    let tokens = tokens(text);
    let mut groups: Vec<Vec<&Token>> = Vec::new();
    let mut is_open = false;
    for (index, token) in tokens.iter().enumerate() {
        let next = tokens.get(index + 1);
        let before = index.checked_sub(1).and_then(|before| tokens.get(before));
        let is_name = match token {
            Token::Word(word) => match words::word(&word.to_lowercase()) {
                // Free models are no plan.
                Some(Word::Tier) => !is_model(next),
                // "Free Plus"
                Some(Word::MaybeTier) => is_header || is_open || is_noun(next),
                Some(Word::TierNoun) => matches!(next, Some(Token::Number(_))) && is_tier_word(token),
                _ => false,
            },
            Token::Number(_) => before.is_some_and(is_tier_word),
            _ => false,
        };
        match (is_name, is_open) {
            (true, true) => groups.last_mut().expect("an open group is there").push(token),
            (true, false) => groups.push(vec![token]),
            (false, _) => {}
        }
        is_open = is_name;
    }
    groups.dedup();
    match groups.as_slice() {
        [] => Tiers::None,
        [group] => Tiers::One(label(text, group, is_header)),
        _ => Tiers::Several,
    }
}

fn is_model(token: Option<&Token>) -> bool {
    matches!(token, Some(Token::Word(word)) if ["model", "models"].contains(&word.to_lowercase().as_str()))
}

fn is_noun(token: Option<&Token>) -> bool {
    let is_noun = |word: &str| word == "key" || words::word(word) == Some(Word::TierNoun);
    matches!(token, Some(Token::Word(word)) if is_noun(&word.to_lowercase()))
}

/// "Tier" and "level" count: "tier 2".
fn is_tier_word(token: &Token) -> bool {
    matches!(token, Token::Word(word) if ["tier", "level"].contains(&word.to_lowercase().as_str()))
}

/// The name as the page writes it; in a header with the words before it that say whose plan it is.
fn label(text: &str, group: &[&Token], is_header: bool) -> String {
    let is_plain_header = is_header && words_of(text).count() <= 4;
    let own = |word: &String| match words::word(&word.to_lowercase()) {
        None | Some(Word::Tier | Word::MaybeTier) => is_plain_header,
        _ => false,
    };
    let names: Vec<String> = group.iter().map(|token| display(token)).collect();
    let has_unknown = is_plain_header && original_words(text).any(|word| words::word(&word.to_lowercase()).is_none());
    if has_unknown && !matches!(group.first(), Some(Token::Word(word)) if is_tier_word(&Token::Word(word.clone()))) {
        return original_words(text).filter(own).map(|word| calm(&word)).collect::<Vec<_>>().join(" ");
    }
    // "Free+" is another plan than the free one.
    let is_more = |name: &&Token| match name {
        Token::Word(word) => text.contains(&format!("{word}+")),
        name => text.contains(&format!("{}+", display(name))),
    };
    names.join(" ") + if group.last().is_some_and(is_more) { "+" } else { "" }
}

fn display(token: &Token) -> String {
    match token {
        Token::Word(word) if word == "payg" => "Pay-as-you-go".to_owned(),
        Token::Word(word) if word == "ondemand" => "On-demand".to_owned(),
        Token::Word(word) => calm(word),
        Token::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// A shouted word as a name: `DEVELOPER` is `Developer`.
fn calm(word: &str) -> String {
    let is_shouted = word.chars().count() > 3 && word.chars().all(char::is_uppercase);
    let lower = if is_shouted { word.to_lowercase() } else { word.to_owned() };
    let mut chars = lower.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

fn original_words(text: &str) -> impl Iterator<Item = String> {
    tokens(text).into_iter().filter_map(|token| if let Token::Word(word) = token { Some(word) } else { None })
}

fn words_of(text: &str) -> impl Iterator<Item = String> {
    original_words(text).map(|word| word.to_lowercase())
}

/// Behind the name of a plan that counts what one has ever bought or spent.
pub const ALL_TIME: &str = " (all time)";

/// Whether two plans are one: `free`, `Free tier`.
pub fn is_same(a: &str, b: &str) -> bool {
    let name = |text: &str| {
        let text = text.trim().trim_end_matches(ALL_TIME);
        let text = of_a_kind(text).map_or(text, |(title, _)| title);
        of_label(text).unwrap_or_default().to_lowercase()
    };
    name(a) == name(b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_that_name_a_plan() {
        for (title, tier) in [
            ("Free", Some("Free")),
            ("Free tier", Some("Free")),
            ("Free Tier Rate Limits", Some("Free")),
            ("Rate limits for the Free plan", Some("Free")),
            ("Tier 1", Some("Tier 1")),
            ("Usage tier 2", Some("Tier 2")),
            ("Trial keys", Some("Trial")),
            ("Pay-as-you-go", Some("Pay-as-you-go")),
            ("Standard plan", Some("Standard")),
            ("Standard API rate limits", None),
            ("Production Models", None),
            ("Free models", None),
            ("Usage tiers", None),
            ("Limits by Tier", None),
            ("Plans and tiers", None),
            ("Free and Developer tiers", None),
            ("Text-out models", None),
            ("Rate Limits", None),
            ("Trial Key Limitations", Some("Trial")),
            ("Free tier (organization accounts)", Some("Free (organization accounts)")),
            ("Free tier (personal accounts)", Some("Free (personal accounts)")),
            ("Free tier (default)", Some("Free")),
        ] {
            assert_eq!(in_title(title).as_deref(), tier, "{title}");
        }
    }

    #[test]
    fn plans_are_told_apart() {
        for (a, b, is_one) in [
            ("free", "Free tier", true),
            ("Less than 10 credits purchased", "Less than 10 credits purchased (all time)", true),
            ("Less than 10 credits purchased", "At least 10 credits purchased", false),
            ("Tier 1", "Tier 2", false),
            ("free", "Free (organization accounts)", true),
            ("free", "Free Plus", false),
            ("free", "Free+", false),
            ("Trial", "Free Trial", false),
        ] {
            assert_eq!(is_same(a, b), is_one, "{a} and {b}");
        }
    }
}

//! What the header of a column or a row means, by its words and never by its place.

use super::amount::{Token, Unit, tokens};
use super::tier::{self, Tiers};
use super::words::{self, Column, Counted, Word};

/// What a header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Meaning {
    Is(Column),
    /// A limit: its unit as far as the header says it, and the plan it names.
    Limit {
        unit: Unit,
        tier: Option<String>,
    },
    /// Several limits at once, in the order of the numbers below: "RPM / RPD".
    Series {
        units: Vec<Unit>,
        tier: Option<String>,
    },
    /// A plan, and nothing else.
    Tier(String),
    /// Blank.
    Nothing,
    /// Something that is no limit.
    Other,
    /// A limit with words that may make another one of it: "RPM (burst)", "Total TPM" beside "Uncached TPM".
    Qualified,
    /// Two plans or two units at once: whatever stands below cannot be told apart.
    Ambiguous,
}

impl Meaning {
    pub const fn is_limit(&self) -> bool {
        matches!(self, Self::Limit { .. } | Self::Series { .. })
    }
}

/// Reads a header.
pub fn meaning(text: &str) -> Meaning {
    const MOST_BYTES: usize = 512;
    if text.len() > MOST_BYTES {
        return Meaning::Other;
    }
    let split = split_glued(&without_icon(text));
    let (outside, inside) = parentheses(&split);
    let phrase = phrase(&outside);
    if phrase.is_empty() && inside.is_empty() {
        return Meaning::Nothing;
    }
    if let Some(series) = series(&outside, &inside) {
        return series;
    }
    if let Some(column) = words::column(&phrase)
        && !(column == Column::Metric && tier_and_unit(&inside).is_some_and(|(_, unit)| unit != Unit::default()))
    {
        // "Rate limit (RPM)" is a limit, not just a column of values.
        return match (column, tier_and_unit(&inside)) {
            (Column::Value, None) if qualifies(&inside) => Meaning::Qualified,
            (Column::Value | Column::Metric, Some((tier, unit))) if tier.is_some() || unit != Unit::default() => {
                Meaning::Limit { unit, tier }
            }
            _ => Meaning::Is(column),
        };
    }
    if let Some(other) = other_than_limit(&outside, &inside) {
        return other;
    }
    match joined(&outside, &inside) {
        Meaning::Other if is_another_limit(&outside) || is_another_limit(&inside) => Meaning::Qualified,
        Meaning::Other | Meaning::Limit { .. } if is_over_another_time(&split) => Meaning::Qualified,
        meaning => meaning,
    }
}

/// A price, what was used, or a least amount, which have the words of a limit.
fn other_than_limit(outside: &str, inside: &str) -> Option<Meaning> {
    let heard = Heard::of(outside).unit;
    let counts = heard != Unit::default() || Heard::of(inside).unit != Unit::default();
    // "Input tokens ($/M)", "$ per request per minute"
    if heard.is_open() && words::names_money(inside) || heard != Unit::default() && words::names_money(outside) {
        return Some(Meaning::Other);
    }
    let is_least = heard.counted.is_some() && (says_least(outside) || says_least(inside));
    (counts && (is_usage(outside) || is_usage(inside)) || is_least).then_some(Meaning::Qualified)
}

/// "Min tokens", "Requests (min)": a least. A minute stands behind "per" or a slash.
fn says_least(text: &str) -> bool {
    const PER: &str = "per|a|an|each|every|pro|par|por";
    let tokens = tokens(text);
    let is_per = |token: &Token| match token {
        Token::Word(word) => words::is_one_of(PER, &word.to_lowercase()),
        Token::Sign(sign) => *sign == '/',
        Token::Number(_) | Token::NoNumber(_) => true,
    };
    let is_min = |token: &Token| matches!(token, Token::Word(word) if word.eq_ignore_ascii_case("min"));
    (0..tokens.len()).any(|at| is_min(&tokens[at]) && !(at > 0 && is_per(&tokens[at - 1])))
}

/// "RPM usage", "RPM (usage)": what was used of a limit.
fn is_usage(text: &str) -> bool {
    const LIMITS: &str = "limit|limits|tier|tiers|quota|quotas|cap|caps|max|maximum|allowed|allowance";
    let phrase = phrase(text);
    let says = |list| phrase.split(' ').any(|word| words::is_one_of(list, word));
    says("usage") && !says(LIMITS)
}

/// "Sustained TPM", "New RPM": a limit, with words that nobody knows.
fn is_another_limit(text: &str) -> bool {
    const MOST_WORDS: usize = 5;
    let Heard { unit, is_torn, .. } = Heard::of(text);
    let is_kept = matches!(
        unit.counted,
        Some(Counted::Requests | Counted::Tokens | Counted::InputTokens | Counted::OutputTokens)
    );
    let is_short = text.split_whitespace().count() <= MOST_WORDS && !text.contains(|c: char| c.is_ascii_digit());
    is_kept && unit.per.is_some() && !unit.is_speed() && !is_torn && is_short
}

/// "Requests per 5 hours", "Requests per 5-hour window", "Tokens per week": over a time that relay does not count by.
pub fn is_over_another_time(text: &str) -> bool {
    const TIMES: &str = "week|weeks|weekly|fortnight|quarterly|year|years|yearly|annually|lifetime";
    let tokens: Vec<Token> = tokens(text).into_iter().filter(|token| *token != Token::Sign('-')).collect();
    let word = |token: &Token| if let Token::Word(word) = token { Some(word.to_lowercase()) } else { None };
    let is_many = tokens.windows(2).any(|pair| {
        let is_time = word(&pair[1]).is_some_and(|word| matches!(words::word(&word), Some(Word::Per(_))));
        matches!(pair[0], Token::Number(2..)) && is_time
    });
    let is_other = tokens.iter().filter_map(word).any(|word| words::is_one_of(TIMES, &word));
    (is_many || is_other) && matches!(Heard::of(text).unit.counted, Some(Counted::Requests | Counted::Tokens))
}

/// What a header means by the words outside its parentheses and those inside.
fn joined(outside: &str, inside: &str) -> Meaning {
    match (read(outside), read(inside)) {
        // "Tokens/request (in/out)"
        (size @ Meaning::Limit { unit: Unit { counted: Some(Counted::TokensPerRequest), .. }, .. }, _) => size,
        (Meaning::Ambiguous, _) | (_, Meaning::Ambiguous) => Meaning::Ambiguous,
        (Meaning::Limit { unit: a, tier }, Meaning::Limit { unit: b, tier: in_tier }) => match merge(a, b) {
            Some(unit) => Meaning::Limit { unit, tier: tier.or(in_tier) },
            None => Meaning::Ambiguous,
        },
        (Meaning::Limit { unit, tier: None }, Meaning::Tier(tier))
        | (Meaning::Tier(tier), Meaning::Limit { unit, tier: None }) => Meaning::Limit { unit, tier: Some(tier) },
        // "requests per minute" in words outside, or only in the parentheses: "Fast (RPM)" is no limit one can name.
        (Meaning::Nothing, inside) => inside,
        // In a language that is not read, with the usual abbreviation behind it.
        (Meaning::Other, inside @ Meaning::Limit { unit, .. }) if !outside.is_ascii() && !unit.is_open() => inside,
        (Meaning::Limit { .. }, Meaning::Other) if qualifies(inside) => Meaning::Qualified,
        // "Tokens (per minute, input + output)"
        (Meaning::Limit { unit, tier }, Meaning::Other) => {
            Meaning::Limit { unit: merge(unit, Heard::of(inside).unit).unwrap_or(unit), tier }
        }
        (outside, _) => outside,
    }
}

/// Whether words in parentheses say more than what is known to change nothing: a note's number, that it is the most, when
/// a window ends, that a token counts both ways.
fn qualifies(inside: &str) -> bool {
    const CHANGE_NOTHING: &str =
        "up|to|hard|soft|reset|resets|at|midnight|utc|gmt|pt|pst|pdt|rolling|fixed|sliding|window|windows";
    const WAYS: &str = "input|inputs|output|outputs|prompt|completion|and|in|out|plus|total|combined|tokens";
    let words = phrase(inside);
    let all =
        |list: &str| words.split(' ').all(|word| list.split('|').any(|known| known == word) || is_limit_word(word));
    // "(1)", "(i)"
    let is_note = words.len() <= 2 && words.chars().all(|c| c.is_ascii_digit()) || words == "i";
    let is_both_ways = all(WAYS) && ["output", "out", "completion"].iter().any(|out| words.contains(out));
    let is_both_ways = is_both_ways && ["input", "in ", "prompt"].iter().any(|input| words.contains(input));
    !(is_note || is_both_ways || all(CHANGE_NOTHING))
}

fn is_limit_word(word: &str) -> bool {
    matches!(words::word(word), Some(Word::Counts(_) | Word::Per(_) | Word::Rate(..) | Word::Filler))
}

/// "RPM / TPM / RPD", alone, behind a plan, or in parentheses behind one.
fn series(outside: &str, inside: &str) -> Option<Meaning> {
    const BETWEEN: [char; 3] = ['/', '|', '·'];
    let units = |text: &str| -> Option<Vec<Unit>> {
        let parts = text.contains(BETWEEN).then(|| text.split(BETWEEN))?;
        let units: Option<Vec<Unit>> = parts.map(metric).collect();
        units.filter(|units| (1..units.len()).all(|at| !units[..at].contains(&units[at])))
    };
    match (units(outside), units(inside)) {
        (Some(units), None) if inside.trim().is_empty() => Some(Meaning::Series { units, tier: None }),
        (None, Some(units)) => match read(outside) {
            Meaning::Tier(tier) => Some(Meaning::Series { units, tier: Some(tier) }),
            Meaning::Limit { unit, tier } if unit == Unit::default() => Some(Meaning::Series { units, tier }),
            Meaning::Nothing => Some(Meaning::Series { units, tier: None }),
            _ => None,
        },
        _ => None,
    }
}

/// The unit that a text names and nothing else: a metric in a row's first cell.
pub fn metric(text: &str) -> Option<Unit> {
    // A sentence describes; it names nothing.
    if text.trim_end().ends_with('.') {
        return None;
    }
    match meaning(text) {
        Meaning::Limit { unit, tier: None } => {
            unit.counted.filter(|c| unit.per.is_some() || c.is_without_period()).map(|_| unit)
        }
        _ => None,
    }
}

/// What a text names that is counted, over a time that stands elsewhere: "Requests".
pub fn counted(text: &str) -> Option<Unit> {
    match meaning(text) {
        Meaning::Limit { unit, tier: None } if unit.is_open() => Some(unit),
        _ => None,
    }
}

/// Whether a header is the sum of a part that another one names: "Total TPM" beside "Uncached TPM".
pub fn is_total_of(total: &str, part: &str) -> bool {
    let (total_unit, heard) = (Heard::of(total).unit, Heard::of(part));
    phrase(total).split(' ').any(|word| word == "total") && heard.has_unknown && heard.unit == total_unit
}

fn tier_and_unit(text: &str) -> Option<(Option<String>, Unit)> {
    match read(text) {
        Meaning::Limit { unit, tier } => Some((tier, unit)),
        Meaning::Tier(tier) => Some((Some(tier), Unit::default())),
        _ => None,
    }
}

/// One unit of two that say parts of it; none where they disagree.
pub fn merge(a: Unit, b: Unit) -> Option<Unit> {
    let counted = match (a.counted, b.counted) {
        // "TPM (input)", "Tokens per minute (input)": what the API counts as tokens a minute.
        (Some(Counted::Tokens), Some(Counted::Inputs)) => Some(Counted::Tokens),
        (a, b) if a.is_none() || b.is_none() || a == b => a.or(b),
        _ => return None,
    };
    let agree = a.per.is_none() || b.per.is_none() || a.per == b.per;
    agree.then(|| Unit { counted, per: a.per.or(b.per) })
}

/// What the words of one part of a header say, taken together.
#[derive(Debug, Default)]
struct Heard {
    unit: Unit,
    /// It says "limit".
    says_limit: bool,
    /// It says something that is not about limits.
    has_unknown: bool,
    /// It names two units.
    is_torn: bool,
}

impl Heard {
    fn of(text: &str) -> Self {
        let mut heard = Self::default();
        let mut counts_tiers = false;
        for token in per_request(tokens(text)) {
            match token {
                Token::Word(word) => {
                    let word = word.to_lowercase();
                    counts_tiers = ["tier", "level"].contains(&word.as_str());
                    heard.word(&word);
                }
                // "Tier 1" is a name; any other number makes a cell of what looks like a header.
                Token::Number(_) if counts_tiers => {}
                Token::Number(_) | Token::NoNumber(_) => heard.has_unknown = true,
                Token::Sign(_) => {}
            }
        }
        heard
    }

    fn word(&mut self, word: &str) {
        let own = match words::word(word) {
            Some(Word::Counts(counted)) => Unit { counted: Some(counted), per: None },
            Some(Word::Per(per)) => Unit { counted: None, per: Some(per) },
            Some(Word::Rate(counted, per)) => Unit { counted: Some(counted), per: Some(per) },
            Some(Word::Tier | Word::MaybeTier | Word::TierNoun) => return,
            Some(Word::Filler) => {
                self.says_limit |= ["limit", "limits", "cap", "quota", "quotas", "rate", "rates"].contains(&word);
                return;
            }
            None => {
                self.has_unknown = true;
                return;
            }
        };
        match merge(self.unit, own) {
            Some(merged) => self.unit = merged,
            None => self.is_torn = true,
        }
    }
}

/// "Tokens / request" is the size of one request, and no two units.
fn per_request(tokens: Vec<Token>) -> Vec<Token> {
    let counts = |token: &Token, counted| matches!(token, Token::Word(word) if words::word(&word.to_lowercase()) == Some(Word::Counts(counted)));
    match tokens.as_slice() {
        [tokens, Token::Sign('/'), request]
            if counts(tokens, Counted::Tokens) && counts(request, Counted::Requests) =>
        {
            vec![Token::Word("tokensperrequest".to_owned())]
        }
        _ => tokens,
    }
}

/// Reads one part of a header.
fn read(text: &str) -> Meaning {
    let Heard { unit, says_limit, has_unknown, is_torn } = Heard::of(text);
    let is_unit = unit != Unit::default();
    if is_torn {
        return if has_unknown { Meaning::Other } else { Meaning::Ambiguous };
    }
    if unit.is_speed() && !says_limit {
        return Meaning::Other;
    }
    let tier = match tier::in_header(text) {
        Tiers::Several => return Meaning::Ambiguous,
        Tiers::One(tier) => Some(tier),
        Tiers::None => None,
    };
    match tier {
        _ if text.trim().is_empty() => Meaning::Nothing,
        Some(tier) if !is_unit && !says_limit => Meaning::Tier(tier),
        None if has_unknown => Meaning::Other,
        // "Free rate limit by region" names a plan; "free batch requests" names something else.
        Some(_) if has_unknown && !says_limit => Meaning::Other,
        tier if says_limit || is_unit => Meaning::Limit { unit, tier },
        _ => Meaning::Other,
    }
}

/// The text outside all parentheses, and the text inside them.
fn parentheses(text: &str) -> (String, String) {
    let (mut outside, mut inside, mut depth) = (String::new(), String::new(), 0_usize);
    for c in text.chars() {
        match c {
            '(' | '[' | '（' => depth += 1,
            ')' | ']' | '）' => depth = depth.saturating_sub(1),
            _ => if depth == 0 { &mut outside } else { &mut inside }.push(c),
        }
        if matches!(c, '(' | '（') && depth == 1 {
            outside.push(' ');
        }
    }
    (outside, inside)
}

/// A header without the sign behind it that opens an explanation: "RPM ⓘ", or an icon's name in an element of its own.
fn without_icon(text: &str) -> String {
    const ICONS: &str = "i|info|info_outline|info_circle|help|help_outline|help_center";
    const SIGNS: [char; 6] = ['ⓘ', 'ℹ', '🛈', '❓', '❔', '❗'];
    let text = super::amount::without_footnotes(text);
    let text = text.trim_end_matches(|c: char| c.is_whitespace() || SIGNS.contains(&c) || c == super::text::SEAM);
    let icon = text.rsplit_once(super::text::SEAM).filter(|(_, last)| words::is_one_of(ICONS, last.trim()));
    icon.map_or(text, |(header, _)| header).to_owned()
}

/// Two words that a page's markup glued together: `LimitsDeveloper`.
pub fn split_glued(text: &str) -> String {
    let mut split = String::with_capacity(text.len() + 4);
    let mut before = ' ';
    for c in text.chars() {
        if c == super::text::SEAM {
            split.push(' ');
        } else {
            if before.is_lowercase() && c.is_uppercase() {
                split.push(' ');
            }
            split.push(c);
        }
        before = c;
    }
    split
}

/// The words in lower case with single spaces.
fn phrase(text: &str) -> String {
    let words = text.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;

//! Whose numbers a block states: what titles, tabs and lines above it say of plans.

use std::rc::Rc;

use super::page::{Block, Content, Page, Place};
use super::row;
use super::text::{SEAM, Text};
use super::tier::{self, Tiers};
use super::words::{self, Word};

/// Whose numbers follow, by what stands above them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Plan {
    /// No plan is spoken of.
    #[default]
    Unsaid,
    Named(String),
    /// One of those that buttons offer, and the page does not tell which.
    OneOf(Vec<String>),
    /// "Unlike the free tier, others have:", "Beyond the free tier".
    Unclear,
}

/// Why what follows such words is not read.
pub const UNCLEAR: &str = "the text above it speaks of plans, and leaves open of which";

impl Plan {
    /// This, or where nothing is said what another place says.
    pub fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self == Self::Unsaid { other() } else { self }
    }

    /// What two places say together, where neither stands above the other.
    pub fn and(self, other: Self) -> Self {
        match (self, other) {
            (said, Self::Unsaid) | (Self::Unsaid, said) => said,
            (Self::Named(a), Self::Named(b)) if tier::is_same(&a, &b) => Self::Named(a),
            (Self::OneOf(_), Self::Named(named)) | (Self::Named(named), Self::OneOf(_)) => Self::Named(named),
            _ => Self::Unclear,
        }
    }

    /// Those that a row may belong to that names no plan of its own.
    pub fn offered(&self, named: Option<&str>) -> Vec<String> {
        match self {
            Self::OneOf(plans) if named.is_none() => plans.clone(),
            _ => Vec::new(),
        }
    }

    pub fn name(&self) -> Option<&str> {
        if let Self::Named(name) = self { Some(name) } else { None }
    }
}

/// What a title says: a heading, a caption, an item with others below it.
pub fn of_title(title: &str) -> Plan {
    if words::is_elsewhere(title) || tier::is_denied(title) {
        return Plan::Unclear;
    }
    match tier::in_title(title) {
        Some(tier) => Plan::Named(tier),
        None if tier::is_open(title) => Plan::Unclear,
        None => Plan::Unsaid,
    }
}

/// What the innermost title around a block says, unless one of them speaks of other numbers than those that hold now. A tab's
/// title is a plan's even where it is none of the usual.
pub fn around(places: &[Place]) -> Plan {
    if places.iter().any(|place| words::is_of_others(&place.title) || tier::is_denied(&place.title)) {
        return Plan::Unclear;
    }
    let says = |place: &Place| match of_title(&place.title) {
        // Nothing says which of several it is.
        Plan::Unsaid if place.is_tab() && place.title.is_empty() => Plan::Unclear,
        Plan::Unsaid if place.is_tab() && !row::is_id(&place.title) && !speaks_of_models(&place.title) => {
            tier::of_label(&place.title).map_or(Plan::Unsaid, Plan::Named)
        }
        said => said,
    };
    places.iter().rev().map(says).find(|said| *said != Plan::Unsaid).unwrap_or_default()
}

fn speaks_of_models(title: &str) -> bool {
    title.to_lowercase().split_whitespace().any(|word| {
        ["model", "models", "text", "chat", "audio", "image", "images", "embeddings", "api", "limits"].contains(&word)
    })
}

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

/// What was read of plans on the way to a block.
#[derive(Debug, Default)]
pub struct Above {
    /// By the page's own title.
    page: Plan,
    /// By the paragraph right above.
    introduced: Plan,
    choice: Option<Choice>,
    /// The block right above is a part of the choice.
    is_choosing: bool,
}

/// Plans to choose from, as buttons and tabs offer them. Which of them is chosen is not in the page.
#[derive(Debug)]
struct Choice {
    places: Rc<Vec<Place>>,
    plans: Vec<String>,
}

impl Above {
    pub fn new(page: &Page) -> Self {
        const BEHIND: [&str; 5] = [" | ", " - ", " – ", " — ", " · "];
        // The site's name stands behind.
        let own = page.title.as_deref().map(|title| {
            let ends = BEHIND.iter().filter_map(|behind| title.find(behind));
            &title[..ends.min().unwrap_or(title.len())]
        });
        let named = own.and_then(tier::in_title).map_or(Plan::Unsaid, Plan::Named);
        Self { page: named, ..Self::default() }
    }

    /// A block has been read.
    pub fn pass(&mut self, block: &Block) {
        let offered = match &block.content {
            Content::Paragraph(text) | Content::Item(text) => tier::side_by_side(&text.plain),
            Content::Heading(_) | Content::Table(_) => Vec::new(),
        };
        let is_choosing = !offered.is_empty();
        match &mut self.choice {
            Some(choice) if is_choosing && self.is_choosing => choice.plans.extend(offered),
            _ if is_choosing => self.choice = Some(Choice { places: Rc::clone(&block.places), plans: offered }),
            _ => {}
        }
        self.is_choosing = is_choosing;
        // The last of several is no introduction.
        let is_one_of_several = is_choosing && self.choice.as_ref().is_some_and(Choice::is_one);
        self.introduced = match &block.content {
            Content::Paragraph(text) if !is_one_of_several => introduced(text),
            _ => Plan::Unsaid,
        };
    }

    /// Whose a table is that stands at these places.
    pub fn of_table(&self, places: &[Place]) -> Plan {
        self.introduced.clone().or(|| self.of_line(places))
    }

    /// Whose a line is, its introduction apart.
    pub fn of_line(&self, places: &[Place]) -> Plan {
        let choice = self.choice.as_ref().filter(|choice| choice.is_one());
        let within = choice.and_then(|choice| Some((places.strip_prefix(choice.places.as_slice())?, choice)));
        match within {
            Some((within, choice)) => around(within).or(|| Plan::OneOf(choice.plans.clone())),
            None => around(places).or(|| self.page.clone()),
        }
    }
}

impl Choice {
    /// One plan alone is nothing to choose from.
    fn is_one(&self) -> bool {
        self.plans.len() > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_that_speaks_of_others_leaves_the_plan_open() {
        for title in [
            "Beyond the free tier",
            "Upgrading from the free tier",
            "No free tier",
            "Non-free tier",
            "Former free tier limits",
            "Limits for users outside the free tier",
            "Free tier (discontinued)",
            "After adding a payment method",
            "Batch API",
            "Previous limits (before June 2025)",
            "Upcoming limits",
            "Example",
            "Old free tier limits",
            "Batch API limits (free tier)",
            "Legacy free plan (closed to new users)",
            "Free tier limits until June 2026",
            "Higher limits",
            "Paid models",
            "Dedicated endpoints",
            "Limits from 1 July 2026",
            "Starting on the 15th of August:",
            "Proposed limits",
            "Historical limits",
            "Changelog",
            "Elevated limits",
            "Custom limits",
            "With the Boost add-on",
            "Self-hosted",
            "Developer & Enterprise",
            "Tier 1 / Tier 2",
            "Tiers 1-3",
            "Free vs. Developer",
            "Developer (Pay-as-you-go)",
            "Show Developer limits",
            "Developer limits (click to expand)",
            "Free (with a card)",
            "Free for students",
            "Free, verified",
            "Other plans",
            "Upgraded accounts",
            "Limits after upgrading",
            "Flex processing",
            "Priority",
            "Sample response",
            "Hypothetical limits",
            "付费层级",
            "企业用户",
            "有料プラン",
            "Kostenpflichtige Tarife",
            "Niveau payant",
            "Nivel de pago",
            "Платный тариф",
            "Stufe 1",
            "第 1 层级",
        ] {
            assert_eq!(of_title(title), Plan::Unclear, "{title}");
        }
        for (title, tier) in [
            ("Free tier (no credit card needed)", "Free"),
            ("Free tier", "Free"),
            ("Paid tier (billing is set up)", "Paid"),
            ("Limits of the free plan", "Free"),
            ("Max plan limits", "Max plan"),
            ("Gold tier", "Gold tier"),
            ("GLM Coding Plan Lite", "GLM Coding Plan Lite"),
            ("Hugging Face PRO", "Hugging Face PRO"),
            ("Free Plus", "Free Plus"),
            ("Free+", "Free+"),
            ("On-demand", "On-demand"),
            ("Production", "Production"),
            ("Standard", "Standard"),
        ] {
            assert_eq!(of_title(title), Plan::Named(tier.to_owned()), "{title}");
        }
        for title in [
            "Rate limits",
            "Limits by usage tier",
            "Choose your plan",
            "Legacy models",
            "Extended context models",
            "Gemini 2.5 Pro",
            "Free models",
            "Developer docs",
            "Get started for free",
            "Бесплатный тариф",
            "Kostenlose Stufe",
            "免费层级",
        ] {
            assert_eq!(of_title(title), Plan::Unsaid, "{title}");
        }
    }
}

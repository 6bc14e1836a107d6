//! Whose numbers a block states: what titles, tabs and lines above it say of plans.

mod said;
mod unreal;

use std::collections::HashMap;
use std::rc::Rc;

use super::page::{Block, Content, Page, Place};
use super::row;
use super::tier;
use super::words;
pub use said::{concluded, introduced, points_below};

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

fn speaks_of_models(title: &str) -> bool {
    title.to_lowercase().split_whitespace().any(|word| {
        ["model", "models", "text", "chat", "audio", "image", "images", "embeddings", "api", "limits"].contains(&word)
    })
}

/// What a title says: read once, however many blocks stand under it.
#[derive(Debug)]
struct Title {
    /// Its numbers are others than those of now, whichever plan they name: "Changelog".
    is_of_others: bool,
    is_denied: bool,
    plan: Plan,
}

impl Title {
    fn read(title: &str) -> Self {
        let (is_of_others, is_denied) = (words::is_of_others(title), tier::is_denied(title));
        Self { is_of_others, is_denied, plan: of_title(title) }
    }
}

/// What was read of plans on the way to a block.
#[derive(Debug, Default)]
pub struct Above<'a> {
    titles: HashMap<&'a str, Title>,
    /// What a tab says that is named as parts of any documentation are: nothing, unless other tabs of the page are plans.
    beside_plans: Plan,
    /// By the page's own title.
    page: Plan,
    /// By the paragraph right above.
    introduced: Plan,
    introduced_at: Rc<Vec<Place>>,
    /// That paragraph is no sentence.
    is_title: bool,
    /// A table or a list stands above in the same part of the page: a sentence may be a note on it.
    is_behind_numbers: bool,
    /// By paragraphs with a title right below them: what they stand under, and what they say.
    levels: Vec<(Rc<Vec<Place>>, Plan)>,
    choice: Option<Choice>,
    /// The block right above is a part of the choice.
    is_choosing: bool,
    /// The block right above is an item.
    is_in_list: bool,
}

/// Plans to choose from, as buttons and tabs offer them. Which of them is chosen is not in the page.
#[derive(Debug)]
struct Choice {
    places: Rc<Vec<Place>>,
    plans: Vec<String>,
}

impl<'a> Above<'a> {
    pub fn new(page: &'a Page) -> Self {
        const BEHIND: [&str; 5] = [" | ", " - ", " – ", " — ", " · "];
        // The site's name stands behind.
        let own = page.title.as_deref().map(|title| {
            let ends = BEHIND.iter().filter_map(|behind| title.find(behind));
            &title[..ends.min().unwrap_or(title.len())]
        });
        let named = own.and_then(tier::in_title).map_or(Plan::Unsaid, Plan::Named);
        let mut titles = HashMap::new();
        for place in page.blocks.iter().flat_map(|block| block.places.iter()) {
            titles.entry(place.title.as_str()).or_insert_with(|| Title::read(&place.title));
        }
        let mut places = page.blocks.iter().flat_map(|block| block.places.iter());
        let has_plans = places.any(|place| place.is_tab() && titles[place.title.as_str()].plan.name().is_some());
        let beside_plans = if has_plans { Plan::Unclear } else { Plan::Unsaid };
        Self { page: named, titles, beside_plans, ..Self::default() }
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
        self.go_down(block);
        // The last of several is no introduction.
        let is_one_of_several = is_choosing && self.choice.as_ref().is_some_and(Choice::is_one);
        self.introduced = match &block.content {
            Content::Paragraph(text) if !is_one_of_several => introduced(text),
            // A list of one item is a title; the last of several says nothing of a table behind them.
            Content::Item(text) if !self.is_in_list && !is_one_of_several && !text.shown().ends_with('.') => {
                introduced(text)
            }
            _ => Plan::Unsaid,
        };
        self.introduced_at = Rc::clone(&block.places);
        match &block.content {
            Content::Heading(_) => self.is_behind_numbers = false,
            Content::Paragraph(text) => self.is_title = !text.shown().ends_with('.'),
            Content::Item(_) | Content::Table(_) => self.is_behind_numbers = true,
        }
        self.is_in_list = matches!(block.content, Content::Item(_));
    }

    /// What the paragraph right above a title says holds for all that the title stands among: "Plan: Free", "Chat models".
    fn go_down(&mut self, block: &Block) {
        if self.introduced == Plan::Unsaid || block.places != self.introduced_at {
            return;
        }
        let is_below = match &block.content {
            // What stands above all headings is none of the page's text.
            Content::Heading(_) if block.places.is_empty() => false,
            Content::Heading(_) => self.introduced.name().is_some() && !self.is_behind_numbers,
            Content::Paragraph(text) => said::is_title_of_nobody(text) && (self.is_title || !self.is_behind_numbers),
            Content::Item(_) | Content::Table(_) => false,
        };
        self.levels.retain(|(places, _)| places.len() < block.places.len() && block.places.starts_with(places));
        if is_below {
            self.levels.push((Rc::clone(&block.places), self.introduced.clone()));
        }
    }

    /// Whose a table is that stands at these places.
    pub fn of_table(&self, places: &[Place]) -> Plan {
        self.introduced.clone().or(|| self.of_line(places))
    }

    /// Whose a line is, its introduction apart.
    pub fn of_line(&self, places: &[Place]) -> Plan {
        let choice = self.choice.as_ref().filter(|choice| choice.is_one());
        match choice.filter(|choice| places.starts_with(&choice.places)) {
            Some(choice) => self.around(places, choice.places.len()).or(|| Plan::OneOf(choice.plans.clone())),
            None => self.around(places, 0).or(|| self.page.clone()),
        }
    }

    /// Whether a title around a block says that its numbers are others than those of now.
    pub fn is_of_others(&self, places: &[Place]) -> bool {
        places.iter().any(|place| self.title(place).is_of_others)
    }

    /// What the innermost title around a block says, unless one of them speaks of other numbers than those that hold now. A
    /// tab's title is a plan's even where it is none of the usual.
    fn around(&self, places: &[Place], from: usize) -> Plan {
        let within = &places[from..];
        if self.is_of_others(within) || within.iter().any(|place| self.title(place).is_denied) {
            return Plan::Unclear;
        }
        let says = |place: &Place| match &self.title(place).plan {
            said if place.is_behind() && (*said != Plan::Unsaid || row::is_id(&place.title)) => Plan::Unclear,
            // Nothing says which of several it is.
            Plan::Unsaid if place.is_tab() && place.title.is_empty() => Plan::Unclear,
            // Beside tabs of plans, an overview may be that of any.
            Plan::Unsaid if place.is_tab() && words::is_part_of_docs(&place.title) => self.beside_plans.clone(),
            Plan::Unsaid if place.is_tab() && !row::is_id(&place.title) && !speaks_of_models(&place.title) => {
                tier::of_label(&place.title).map_or(Plan::Unsaid, Plan::Named)
            }
            said => said.clone(),
        };
        let say =
            |places: &[Place]| places.iter().rev().map(says).find(|said| *said != Plan::Unsaid).unwrap_or_default();
        let level = self.levels.iter().rev().find(|(at, _)| at.len() >= from && places.starts_with(at));
        match level {
            Some((at, plan)) => say(&places[at.len()..]).or(|| plan.clone()).or(|| say(&places[from..at.len()])),
            None => say(within),
        }
    }

    fn title(&self, place: &Place) -> &Title {
        self.titles.get(place.title.as_str()).expect("all titles of the page are read")
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
    use std::time::{Duration, Instant};

    use super::super::page;
    use super::*;

    #[test]
    fn titles_are_looked_up_and_not_read_again_for_every_block() {
        const ITEMS: usize = 2_000;
        const DEPTH: usize = 60;
        // Read again, they would take a minute.
        const MOST: Duration = Duration::from_secs(1);
        let items: Vec<String> =
            (0..ITEMS).map(|at| format!("{}- limits of {at}\n", "  ".repeat(at % DEPTH))).collect();
        let page = page::read(items.concat().as_bytes()).expect("no more items than a page may have");
        let above = Above::new(&page);
        let started = Instant::now();
        let unsaid = page.blocks.iter().filter(|block| above.of_line(&block.places) == Plan::Unsaid).count();
        assert!(started.elapsed() < MOST, "{:?}", started.elapsed());
        assert_eq!(unsaid, ITEMS);
    }

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

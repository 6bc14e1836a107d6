//! Reads a page: every row of every plan, and why the rest of it was refused.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use serde_json::{Value, json};

use super::grid::Grid;
use super::legend::Legend;
use super::notes::Notes;
use super::page::{self, Block, Content, Page, Place};
use super::plan::{self, Above, Plan};
use super::row::Row;
use super::scaled::{SCALED, Scaled};
use super::statement::{self, Said};
use super::table::Told;
use super::text::Text;
use super::words::{self, Word};
use super::{row, table, tier};

/// A provider has hundreds of models, not thousands.
const MOST_ROWS: usize = 5_000;

/// Nobody reads more reasons than these.
const MOST_REFUSED: usize = 200;

/// Says which rules read a page: evidence names it, so that an old reading can be told from a new one.
pub const EXTRACTOR: &str = "relay-reader/6";

/// What a page says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Reading {
    pub rows: Vec<Row>,
    pub refused: Vec<Refused>,
}

/// A part of a page that was not read, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    pub part: String,
    pub reason: String,
    /// Models that the page seems to lack may stand there.
    pub may_name_models: bool,
}

impl Reading {
    pub fn to_json(&self) -> Value {
        let rows: Vec<Value> = self.rows.iter().map(Row::to_json).collect();
        let refused = self.refused.iter().map(|refused| json!({ "table": refused.part, "reason": refused.reason }));
        json!({ "rows": rows, "refused": refused.collect::<Vec<_>>() })
    }

    fn refuse(&mut self, part: String, reason: impl Into<String>, may_name_models: bool) {
        match self.refused.len() {
            0..MOST_REFUSED => self.refused.push(Refused { part, reason: reason.into(), may_name_models }),
            MOST_REFUSED => {
                let reason = format!("more than {MOST_REFUSED} parts of it are not read");
                self.refused.push(Refused { part: "page".to_owned(), reason, may_name_models: true });
            }
            _ => {}
        }
    }
}

/// Reads the bytes of a page.
pub fn read(bytes: &[u8]) -> Reading {
    let mut reading = Reading::default();
    let is_whole = match page::read(bytes) {
        Ok(page) => read_page(&page, &mut reading),
        Err(reason) => {
            reading.refuse("page".to_owned(), reason.to_string(), true);
            true
        }
    };
    if !is_whole || reading.rows.len() > MOST_ROWS {
        reading.rows.clear();
        reading.refuse("page".to_owned(), "it has more rows than any page of limits", true);
    }
    if reading.rows.is_empty() && reading.refused.is_empty() {
        reading.refuse("page".to_owned(), "no table, list or sentence states a limit", true);
    }
    reading
}

/// Reads a page as far as it has no more rows than any; whether that was all of it.
fn read_page(page: &Page, reading: &mut Reading) -> bool {
    let mut tables = Tables::default();
    let mut lines = Lines::default();
    let mut above = Above::new(page);
    let (scaled, notes, legend) = (Scaled::of(page), Notes::of(page), Legend::of(page));
    let mut before = None;
    let mut blocks = page.blocks.iter().peekable();
    while let Some(block) = blocks.next() {
        if reading.rows.len() + lines.rows.len() > MOST_ROWS {
            return false;
        }
        let is_scaled = scaled.holds_at(&block.places);
        lines.defect = is_scaled.then_some(SCALED).or_else(|| legend.defect_of(&block.content));
        match &block.content {
            Content::Heading(_) => lines.end(reading),
            Content::Table(grid) => {
                lines.end(reading);
                let joined = blocks.peek().and_then(|next| rest_of(grid, block, next));
                if joined.is_some() {
                    blocks.next();
                }
                let mut whole = joined.unwrap_or_else(|| grid.clone());
                whole.defect = whole.defect.or(is_scaled.then_some(SCALED)).or_else(|| notes.defect(&whole));
                let named = named_above(block, before);
                let around = above.of_table(&block.places).and(said_behind(block, blocks.peek().copied()));
                let held = above.is_of_others(&block.places).then_some(plan::UNCLEAR).or_else(|| legend.defect(&whole));
                tables.read(&whole, block, named, (&around, held), reading);
            }
            Content::Item(text) => lines.item(text, block, &above, reading),
            Content::Paragraph(text) => lines.paragraph(text, block, &above, reading),
        }
        if let Content::Item(text) = &block.content {
            lines.introduces = text.shown().ends_with(':');
        }
        above.pass(block);
        before = Some(block);
    }
    lines.end(reading);
    true
}

/// What the text right behind a table says of its plan.
fn said_behind(table: &Block, next: Option<&Block>) -> Plan {
    match next.filter(|next| next.places == table.places).map(|next| &next.content) {
        Some(Content::Paragraph(text)) => plan::concluded(text),
        _ => Plan::Unsaid,
    }
}

/// The whole table, where `grid` is only its header and the body is a table of its own right behind it.
fn rest_of(grid: &Grid, block: &Block, next: &Block) -> Option<Grid> {
    let Content::Table(body) = &next.content else { return None };
    let is_near = block.places == next.places && table::is_only_head(grid);
    is_near.then(|| table::joined(grid, body)).flatten()
}

/// The tables read so far: a page shows the same one twice, for wide screens and for narrow ones.
#[derive(Debug, Default)]
struct Tables {
    count: usize,
    /// What each said, and its number.
    read: HashMap<String, usize>,
}

impl Tables {
    /// Reads a table with what is said around it: whose it is, and why nothing of it counts.
    fn read(
        &mut self,
        grid: &Grid,
        block: &Block,
        named: Option<String>,
        (around, held): (&Plan, Option<&str>),
        reading: &mut Reading,
    ) {
        self.count += 1;
        let title = block.places.last().map(|place| place.title.as_str());
        let counts = |told| held.map_or(Ok(told), |reason| Err(reason.to_owned()));
        let told = table::read(grid, around, title).and_then(counts);
        let is_read = told.is_ok();
        let told = told.and_then(|Told { rows, skipped }| {
            let titles = grid.caption.iter().chain(&named);
            let whose = |row: Row| match row.model.as_str() {
                "*" => under(titles.clone().fold(row, |row, name| named_by(row, name, true)), &block.places),
                _ => row,
            };
            let rows: Vec<Row> = rows.into_iter().map(whose).collect();
            let says = format!("{:?}", rows.iter().map(Row::says).collect::<Vec<_>>());
            match self.read.entry(says) {
                Entry::Occupied(known) => Err(format!("{} table {}", table::REPEATS, known.get())),
                Entry::Vacant(new) => {
                    new.insert(self.count);
                    Ok(Told { rows, skipped })
                }
            }
        });
        let (rows, refused) = told.map_or_else(|reason| (Vec::new(), vec![reason]), |told| (told.rows, told.skipped));
        reading.rows.extend(rows);
        let title = title.filter(|title| !title.is_empty());
        for reason in refused {
            let under = title.map_or(String::new(), |title| format!(" under \"{title}\""));
            let may_name_models = table::may_name_models(&reason, is_read);
            reading.refuse(format!("table {}, line {}{under}", self.count, grid.line), reason, may_name_models);
        }
    }
}

/// How many lines back a line may belong to.
const MOST_BACK: usize = 50;

/// Limits stated line by line: lines about one thing make one row, and an introduction holds for the lines it announces.
#[derive(Debug, Default)]
struct Lines {
    rows: Vec<Row>,
    intro: Vec<Row>,
    introduces: bool,
    introduced: Plan,
    /// A line of them has a variable without a value: the others may be less than all.
    is_incomplete: bool,
    /// Why limits in the text being read are not read.
    defect: Option<&'static str>,
    /// Models may stand in the text being read.
    may_name_models: bool,
}

impl Lines {
    fn paragraph(&mut self, text: &Text, block: &Block, above: &Above<'_>, reading: &mut Reading) {
        let names_model = block.places.last().is_some_and(|place| row::is_id(&place.title));
        if names_model && statement::is_amounts(text) || statement::labelled_amounts(text).is_some() {
            return self.item(text, block, above, reading);
        }
        let shown = text.shown();
        let introduces = shown.ends_with(':') || plan::points_below(&shown);
        self.introduced = if introduces { plan::introduced(text) } else { Plan::Unsaid };
        if let Plan::Named(tier) = plan::concluded(text) {
            let near = self.rows.iter_mut().rev().take(MOST_BACK);
            near.for_each(|row| row.tier = row.tier.take().or_else(|| Some(tier.clone())));
        }
        self.may_name_models = statement::names_model(text);
        for said in statement::paragraph(text, block.line) {
            self.take(said, block, above, reading);
        }
        self.introduces = shown.ends_with(':');
    }

    fn item(&mut self, text: &Text, block: &Block, above: &Above<'_>, reading: &mut Reading) {
        self.may_name_models = true;
        self.take(statement::item(text, block.line), block, above, reading);
    }

    /// The row of a line, with the plan and the model that stand above it.
    fn row(&mut self, said: Said, block: &Block, above: &Above<'_>) -> Result<Option<Row>, &'static str> {
        match said {
            Said::Nothing => Ok(None),
            Said::Unclear(reason) => {
                self.is_incomplete |= reason == statement::UNRESOLVED;
                Err(reason)
            }
            Said::Limits(row) => {
                self.defect.map_or(Ok(()), Err)?;
                let plan = self.introduced.clone().or(|| above.of_line(&block.places));
                if plan == Plan::Unclear && row.tier.is_none() || above.is_of_others(&block.places) {
                    return Err(plan::UNCLEAR);
                }
                let tier = row.tier.clone().or_else(|| plan.name().map(str::to_owned));
                let one_of = plan.offered(tier.as_deref());
                Ok(Some(under(Row { tier, one_of, ..row }, &block.places)))
            }
        }
    }

    fn take(&mut self, said: Said, block: &Block, above: &Above<'_>, reading: &mut Reading) {
        let mut row = match self.row(said, block, above) {
            Ok(Some(row)) => row,
            Ok(None) => return,
            Err(reason) => return reading.refuse(format!("line {}", block.line), reason, self.may_name_models),
        };
        if self.introduces
            && self.intro.is_empty()
            && self.rows.last().is_some_and(|last| last.tier.is_none() && last.model == row.model)
            && row.tier.is_some()
        {
            self.intro.extend(self.rows.pop());
        }
        self.introduced(&mut row);
        // Lines about one thing stand together.
        let twin = self
            .rows
            .iter_mut()
            .rev()
            .take(MOST_BACK)
            .find(|known| (&known.model, &known.tier, &known.section) == (&row.model, &row.tier, &row.section));
        match twin {
            Some(known) if row.amounts.keys().all(|metric| !known.amounts.contains_key(metric)) => {
                known.add(&row);
            }
            _ => self.rows.push(row),
        }
    }

    /// What an introduction says of all plans, each of them says too.
    fn introduced(&self, row: &mut Row) {
        for intro in self.intro.iter().filter(|intro| row.tier.is_some() && intro.model == row.model) {
            for (metric, value) in &intro.amounts {
                row.amounts.entry(*metric).or_insert(*value);
                let cell = intro.evidence.cells.get(metric).unwrap_or(&intro.evidence.cell);
                row.evidence.cells.entry(*metric).or_insert_with(|| cell.clone());
            }
        }
    }

    fn end(&mut self, reading: &mut Reading) {
        let mut rows = std::mem::take(&mut self.rows);
        contradicted(&mut rows);
        for row in rows {
            let reason = if row.amounts.is_empty() {
                "another line gives another number for it"
            } else if self.is_incomplete {
                statement::UNRESOLVED
            } else if row.is_senseless() {
                "more in a shorter time than in a longer one"
            } else {
                reading.rows.push(row);
                continue;
            };
            reading.refuse(format!("line {}", row.evidence.line), reason, !row.model.starts_with('*'));
        }
        *self = Self::default();
    }
}

/// Takes away what another row about the same gives another number for.
fn contradicted(rows: &mut [Row]) {
    let mut known: HashMap<_, Option<u64>> = HashMap::new();
    let about = |row: &Row, metric| (row.model.clone(), row.tier.clone(), row.section.clone(), metric);
    for row in &*rows {
        for (metric, value) in &row.amounts {
            let one = known.entry(about(row, *metric)).or_insert(Some(*value));
            *one = one.filter(|one| one == value);
        }
    }
    for row in rows {
        let whole = row.clone();
        row.amounts.retain(|metric, value| known[&about(&whole, *metric)] == Some(*value));
        row.evidence.cells.retain(|metric, _| row.amounts.contains_key(metric));
    }
}

/// The row with the model, or the group of them, that the title above it names. A tab that is the row's plan is none.
fn under(row: Row, places: &[Place]) -> Row {
    let is_plan = |title: &str| is_general(title) || row.tier.is_some() && row.tier == tier::of_label(title);
    let says = |place: &&Place| {
        if place.is_tab() { !is_plan(&place.title) } else { !(place.is_item() && is_general(&place.title)) }
    };
    // A question about limits is one about what it stands under.
    let is_apart = |place: &&Place| row::is_id(&place.title) || words::task(&place.title.to_lowercase()).is_some();
    let asks = |place: &&Place| words::asks_for_limits(&place.title) || words::is_introduction(&place.title);
    let near = places.iter().rev().find(says);
    match near.filter(asks).and_then(|_| places.iter().rev().find(is_apart)).or(near) {
        Some(place) => named_by(row, &place.title, place.is_item()),
        None => row,
    }
}

/// The row with what a title names: the model, where the row names none, or the group. A title that is more than a name may
/// have a model's id within it.
fn named_by(mut row: Row, title: &str, may_hold_id: bool) -> Row {
    let title = title.trim_end_matches(':');
    let model = model_of(title, may_hold_id).filter(|_| row.model == "*" && row.section.is_none());
    if let Some(model) = model {
        row.model = model;
    } else if row.section.is_none() && !is_general(title) {
        row.section = Some(title.to_owned());
    }
    row
}

/// The model that a title is, or the one that it holds.
fn model_of(title: &str, may_hold_id: bool) -> Option<String> {
    if row::is_id(title) {
        return Some(title.to_owned());
    }
    let is_named = |word: &&str| row::is_id(word) && word.contains(|c: char| c.is_ascii_digit() || c == '/');
    let words = title.split_whitespace().map(|word| word.trim_matches([',', ':', '(', ')', '"']));
    let ids: Vec<&str> = words.filter(is_named).collect();
    match ids.as_slice() {
        [id] if may_hold_id => Some((*id).to_owned()),
        _ => None,
    }
}

/// What the line right above a table names: "`x-70b`:", "Gemini 2.5 Flash:". A sentence about limits names nothing.
fn named_above(block: &Block, before: Option<&Block>) -> Option<String> {
    const MOST_WORDS: usize = 6;
    let Content::Paragraph(text) = &before.filter(|before| before.places == block.places)?.content else { return None };
    let shown = text.shown();
    let name = shown.trim_end_matches(':');
    let is_short = shown.split_whitespace().count() <= MOST_WORDS && shown.contains(|c: char| c.is_ascii_digit());
    let names = row::is_id(name) || name.len() < shown.len() && (is_short || model_of(name, true).is_some());
    names.then(|| name.to_owned())
}

/// A title that says no more than that limits follow.
fn is_general(title: &str) -> bool {
    let words = title.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty());
    tier::in_title(title).is_some()
        || words::is_introduction(title)
        || words::asks_for_limits(title)
        || words.map(str::to_lowercase).all(|word| {
            words::is_general(&word)
                || word.bytes().all(|byte| byte.is_ascii_digit())
                || matches!(words::word(&word), Some(Word::Filler | Word::TierNoun))
        })
}

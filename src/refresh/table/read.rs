//! Decides how a table is built, and has it read so.

use std::rc::Rc;

use super::super::amount::Unit;
use super::super::grid::{Grid, Row as Line};
use super::super::header::{self, Meaning};
use super::super::plan::{self, Plan};
use super::super::row::{Quote, Row};
use super::super::text::Text;
use super::super::tier;
use super::super::words::{self, Column};
use super::head::{Head, head};
use super::{by_column, by_row};

/// Why a column is not read.
pub const LEFT_OUT: &str = "is left out: its words may make it another limit than the plain one";

/// Why tables are not read that a page shows twice, or that are about something else.
pub const REPEATS: &str = "it repeats";
const NO_LIMITS: &str = "no column is a limit";
const NO_MODELS: &str = "its rows are no models";

/// Whether models that nothing else on the page names may stand in what is left out for this reason, of a table that is read but
/// for that, or of one that is not.
pub fn may_name_models(reason: &str, is_read: bool) -> bool {
    let is_about_others = reason.starts_with(NO_LIMITS) || reason.ends_with(NO_MODELS);
    !(is_about_others || reason.starts_with(REPEATS) || is_read && reason.ends_with(LEFT_OUT))
}

/// Why a table is not read.
pub type Refusal = String;

/// What a table says.
pub struct Told {
    pub rows: Vec<Row>,
    /// Why some of its columns or rows are left out.
    pub skipped: Vec<Refusal>,
}

/// A table with its header read.
pub struct Sheet<'a> {
    pub head: Head,
    pub body: &'a [Line],
    /// The plan that everything in the table belongs to, where something around it names one.
    pub tier: Option<String>,
    /// What its numbers are, where something around it says so: a caption, the heading above.
    pub unit: Unit,
}

/// Reads a table, with the plan that the titles around it name, and the title right above it.
pub fn read(grid: &Grid, around: &Plan, title: Option<&str>) -> Result<Told, Refusal> {
    if let Some(defect) = grid.defect {
        return Err(defect.to_owned());
    }
    let head = head(grid);
    let caption = grid.caption.as_deref().map(plan::of_title).unwrap_or_default();
    let body = &grid.rows[head.rows..];
    let around = head.plan.clone().or(|| caption).or(|| around.clone()).and(concluded(body));
    let tier = around.name().map(str::to_owned);
    let unit = grid.caption.as_deref().and_then(header::metric).or_else(|| title.and_then(header::metric));
    let sheet = Sheet { head, body, tier, unit: unit.unwrap_or_default() };
    sheet.refuse_useless(grid.caption.as_deref())?;
    sheet.refuse_scaled(grid)?;
    sheet.refuse_denied()?;
    sheet.refuse_shifted(grid)?;
    let metric_column = sheet.metric_column();
    let mut rows = match metric_column {
        Some(column) => by_row::read(&sheet, column)?,
        None => by_column::read(&sheet)?,
    };
    for row in &mut rows {
        row.one_of = around.offered(row.tier.as_deref());
    }
    if let Some(row) = rows.iter().find(|row| row.is_senseless()) {
        return Err(format!("`{}` would be allowed more in a shorter time than in a longer one", row.evidence.cell));
    }
    let mut skipped = sheet.skipped(metric_column);
    if rows.iter().all(|row| row.amounts.is_empty()) {
        return Err(skipped.pop().unwrap_or_else(|| "no cell holds a number".to_owned()));
    }
    if around == Plan::Unclear && rows.iter().any(|row| row.tier.is_none()) {
        return Err(plan::UNCLEAR.to_owned());
    }
    Ok(Told { rows, skipped })
}

/// What a title below all rows says of them.
fn concluded(body: &[Line]) -> Plan {
    let last = body.iter().rfind(|line| !line.is_blank()).and_then(Line::section);
    last.map(plan::concluded).unwrap_or_default()
}

/// Why numbers are not read that stand for thousands of them.
pub fn multiples(said: &str) -> Refusal {
    format!("its numbers are multiples: `{}`", super::super::text::shown(said))
}

impl Sheet<'_> {
    /// What has no limit in it, or has one that cannot be told from another.
    fn refuse_useless(&self, caption: Option<&str>) -> Result<(), Refusal> {
        let columns = &self.head.columns;
        let is_number = |meaning: &Meaning| {
            meaning.is_limit() || matches!(meaning, Meaning::Tier(_) | Meaning::Is(Column::Value | Column::Metric))
        };
        let has_numbers = columns.iter().any(is_number) || self.metric_column().is_some();
        let has_limits = self.head.ambiguous.is_some() || has_numbers || columns.contains(&Meaning::Qualified);
        if !has_limits {
            let names: Vec<&str> = self.head.texts.iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
            let names: String = names.join(", ").chars().take(100).collect();
            return Err(format!("{NO_LIMITS} (its header: {names})"));
        }
        if let Some(header) = &self.head.ambiguous {
            return Err(format!("the header `{header}` names two plans or two units"));
        }
        let is_scalable = |meaning: &Meaning| is_number(meaning) || *meaning == Meaning::Qualified;
        let headers = columns.iter().zip(&self.head.texts).filter(|(meaning, _)| is_scalable(meaning));
        let mut titles = headers.map(|(_, text)| text.as_str()).chain(caption);
        if let Some(title) = titles.find(|title| words::is_scaled(title)) {
            return Err(multiples(title));
        }
        if let Some(reason) = self.skipped(None).pop().filter(|_| !has_numbers) {
            return Err(reason);
        }
        // A model may have a status.
        let has_models = self.columns(&[Column::Model, Column::ModelId]).next().is_some();
        let bait = self.head.texts.iter().find(|text| words::is_bait(&text.to_lowercase()));
        if let Some(header) = bait.filter(|_| !has_models) {
            return Err(format!("a column is `{header}`: {NO_MODELS}"));
        }
        Ok(())
    }

    /// A title within the table, or a column of units beside the numbers, says that they are multiples.
    fn refuse_scaled(&self, grid: &Grid) -> Result<(), Refusal> {
        const MOST_WORDS: usize = 2;
        let titles = grid.rows.iter().filter_map(Line::section).map(Text::shown);
        let is_unit = |column: &usize| match self.head.columns[*column] {
            Meaning::Nothing | Meaning::Is(Column::Metric) => true,
            _ => words::is_one_of("unit|units|scale", &self.head.texts[*column].to_lowercase()),
        };
        let columns = (0..self.head.columns.len()).filter(is_unit);
        let units = columns.flat_map(|column| self.lines().filter_map(move |line| cell_text(line, column)));
        let is_short = |text: &String| text.split_whitespace().count() <= MOST_WORDS && !text.contains('/');
        let units = units.filter(|text| is_short(text) && words::is_scaled(text));
        let mut said = titles.filter(|title| words::says_scaled(title)).chain(units);
        said.next().map_or(Ok(()), |said| Err(multiples(&said)))
    }

    /// "Not on the free tier" above ticks or numbers.
    fn refuse_denied(&self) -> Result<(), Refusal> {
        let names_plan = |meaning: &Meaning| matches!(meaning, Meaning::Tier(_) | Meaning::Limit { tier: Some(_), .. });
        let mut named = self.head.columns.iter().zip(&self.head.texts).filter(|(meaning, _)| names_plan(meaning));
        let denied = named.find(|(_, header)| tier::is_denied(header));
        denied.map_or(Ok(()), |(_, header)| Err(format!("the header `{header}` speaks of those who are not on a plan")))
    }

    /// Why columns are left out, or rows by what stands in `metric_column`.
    fn skipped(&self, metric_column: Option<usize>) -> Vec<Refusal> {
        let reason = |name: String| format!("`{name}` {LEFT_OUT}");
        let columns = self.head.columns.iter().zip(&self.head.texts);
        let columns = columns.filter(|(meaning, _)| **meaning == Meaning::Qualified).map(|(_, text)| text.clone());
        let labels = metric_column.into_iter().flat_map(|column| {
            let texts = self.lines().filter_map(move |line| line.text(column));
            texts.filter(|text| header::meaning(&text.plain) == Meaning::Qualified).map(Text::shown)
        });
        let titles = self.body.iter().filter_map(Line::section).map(Text::shown);
        let titles = titles.filter(|title| plan::of_title(title) == Plan::Unclear);
        let unclear = titles.map(|title| format!("below `{title}`: {}", plan::UNCLEAR));
        columns.chain(labels).map(reason).chain(unclear).collect()
    }

    /// A row with fewer or more cells than the header may have its numbers below the wrong names.
    fn refuse_shifted(&self, grid: &Grid) -> Result<(), Refusal> {
        let width = grid.rows[..self.head.rows].iter().map(|row| row.cells.len()).max();
        let width = width.unwrap_or(self.head.columns.len());
        let shifted = self.lines().find(|line| line.cells.len() != width);
        shifted.map_or(Ok(()), |line| {
            let (own, quote) = (line.cells.len(), Quote::new(line.line, &line.quote()).cell);
            Err(format!("`{quote}` has {own} cells, and the header has {width}"))
        })
    }

    /// The column whose cells name what is counted, in a table that has a row for each limit.
    pub fn metric_column(&self) -> Option<usize> {
        if self.head.columns.iter().any(Meaning::is_limit) {
            return None;
        }
        let lines: Vec<&Line> = self.lines().collect();
        let any = |column: usize, is_it: &dyn Fn(&str) -> bool| {
            lines.iter().any(|line| line.text(column).is_some_and(|text| is_it(&text.plain)))
        };
        let named = (0..self.head.columns.len()).find(|column| any(*column, &|text| header::metric(text).is_some()));
        // "Requests" and "Tokens" below "Type", whose periods stand beside the numbers.
        let counted = || {
            let kind = self.columns(&[Column::Metric]).next()?;
            self.columns(&[Column::Value]).next()?;
            any(kind, &|text| header::counted(text).is_some()).then_some(kind)
        };
        named.or_else(counted)
    }

    /// Rows that are neither blank nor titles.
    pub fn lines(&self) -> impl Iterator<Item = &Line> {
        self.body.iter().filter(|line| !line.is_blank() && line.section().is_none())
    }

    /// Every row with the titles that stand above it within the table: the plan, and the group. Below a title that leaves
    /// the plan open are none.
    pub fn titled(&self) -> impl Iterator<Item = (&Line, Option<String>, Option<String>)> {
        let mut tier = self.tier.clone();
        let mut section = None;
        let mut is_unclear = false;
        self.body.iter().filter(|line| !line.is_blank()).filter_map(move |line| {
            let Some(title) = line.section() else {
                return (!is_unclear).then(|| (line, tier.clone(), section.clone()));
            };
            match plan::of_title(&title.shown()) {
                Plan::Named(named) => (tier, is_unclear) = (Some(named), false),
                Plan::Unsaid => section = Some(title.shown()),
                Plan::OneOf(_) | Plan::Unclear => is_unclear = true,
            }
            None
        })
    }

    /// The columns that mean one of these.
    pub fn columns(&self, wanted: &[Column]) -> impl Iterator<Item = usize> {
        let columns = self.head.columns.iter().enumerate();
        columns
            .filter(|(_, meaning)| matches!(meaning, Meaning::Is(column) if wanted.contains(column)))
            .map(|(at, _)| at)
    }
}

/// A cell's text with its footnotes gone, and none if it is blank.
pub fn cell_text(line: &Line, column: usize) -> Option<String> {
    let cell = line.cells.get(column)?;
    let text = super::super::amount::without_footnotes(&Rc::as_ref(&cell.text).shown());
    (!text.is_empty()).then_some(text)
}

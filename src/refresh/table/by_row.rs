//! Tables with a row for each limit: the columns are models, or plans.

use std::collections::HashMap;

use super::super::amount::{self, Unit};
use super::super::grid::Row as Line;
use super::super::header::{self, Meaning};
use super::super::row::{self, Quote, Row};
use super::super::tier;
use super::super::words::{self, Column};
use super::read::{Refusal, Sheet, multiples};

/// What stands in a column of numbers.
struct Numbers {
    column: usize,
    model: Option<String>,
    tier: Option<String>,
}

pub fn read(sheet: &Sheet<'_>, metric_column: usize) -> Result<Vec<Row>, Refusal> {
    let group = group_column(sheet, metric_column)?;
    let numbers = number_columns(sheet, metric_column, group)?;
    let mut rows: Vec<Row> = Vec::new();
    let mut known_rows: HashMap<_, usize> = HashMap::new();
    let mut above: Option<(String, Vec<String>)> = None;
    for (line, tier_above, section) in remaining(sheet, group) {
        let label = line.text(metric_column).map(|text| text.plain.clone()).unwrap_or_default();
        let is_context = words::column(&super::super::text::shown(&label).to_lowercase()) == Some(Column::Context);
        let known = header::metric(&label).or_else(|| header::counted(&label));
        if words::is_scaled(&label) && (known.is_some() || header::meaning(&label) == Meaning::Qualified) {
            return Err(multiples(&label));
        }
        let Some(unit) = known.or_else(|| is_context.then(Unit::default)) else { continue };
        let (group_name, ids) = match group.map(|column| line.text(column)) {
            // A blank cell goes on with the model above.
            Some(Some(text)) if text.is_blank() && above.is_some() => above.clone().unwrap_or_default(),
            Some(text) => text.and_then(row::model).ok_or("a row names no model")?,
            None => ("*".to_owned(), Vec::new()),
        };
        above = Some((group_name.clone(), ids.clone()));
        for number in &numbers {
            let model = number.model.clone().unwrap_or_else(|| group_name.clone());
            let (model, section) = titled(model, section.as_deref());
            let tier = number.tier.clone().or_else(|| tier_above.clone());
            let at = *known_rows.entry((model, tier, section)).or_insert_with_key(|(model, tier, section)| {
                let evidence = Quote::new(line.line, &line.quote());
                let (model, tier, section) = (model.clone(), tier.clone(), section.clone());
                rows.push(Row { model, ids: ids.clone(), tier, section, evidence, ..Row::default() });
                rows.len() - 1
            });
            if is_context {
                rows[at].context = line.text(number.column).and_then(|text| plain_number(&text.plain));
            } else {
                add(&mut rows[at], line, number.column, unit)?;
            }
        }
    }
    Ok(rows)
}

/// The rows with the titles above them, without those of models that are struck out.
fn remaining<'a>(
    sheet: &'a Sheet<'_>,
    group: Option<usize>,
) -> impl Iterator<Item = (&'a Line, Option<String>, Option<String>)> {
    let mut is_gone = false;
    sheet.titled().filter(move |(line, ..)| {
        is_gone = is_struck(line, group).unwrap_or(is_gone);
        !is_gone
    })
}

/// Whether the model that a row names is struck out; none where the row goes on with the one above.
fn is_struck(line: &Line, group: Option<usize>) -> Option<bool> {
    let text = line.text(group?)?;
    let is_struck = text.is_struck && words::says_gone(&text.shown());
    (is_struck || !text.is_blank()).then_some(is_struck)
}

/// A row that is nothing but a model's name stands above its limits.
fn titled(model: String, section: Option<&str>) -> (String, Option<String>) {
    match section {
        Some(title) if model == "*" && row::is_id(title) => (title.to_owned(), None),
        section => (model, section.map(str::to_owned)),
    }
}

fn add(row: &mut Row, line: &Line, column: usize, unit: Unit) -> Result<(), Refusal> {
    let Some(text) = line.text(column) else { return Ok(()) };
    for (metric, value) in amount::cell(&text.plain, unit)? {
        row.evidence.cells.insert(metric, text.shown());
        if row.amounts.insert(metric, value).is_some() {
            return Err(format!("two rows give `{}` of `{}`", metric.key(), row.model));
        }
    }
    Ok(())
}

fn plain_number(text: &str) -> Option<u64> {
    match amount::tokens(text).as_slice() {
        [amount::Token::Number(value)] => Some(*value),
        [amount::Token::Number(value), amount::Token::Word(word)] if word.eq_ignore_ascii_case("tokens") => {
            Some(*value)
        }
        _ => None,
    }
}

/// The column before the metrics that says whose they are.
fn group_column(sheet: &Sheet<'_>, metric_column: usize) -> Result<Option<usize>, Refusal> {
    let named = sheet.columns(&[Column::ModelId, Column::Model]).find(|column| *column != metric_column);
    match (named, metric_column) {
        (Some(column), _) => Ok(Some(column)),
        (None, 0) => Ok(None),
        (None, 1) => Ok(Some(0)),
        _ => Err("more than one column stands before the names of the limits".to_owned()),
    }
}

fn number_columns(sheet: &Sheet<'_>, metric_column: usize, group: Option<usize>) -> Result<Vec<Numbers>, Refusal> {
    // "Limit" may also stand above the names of the limits.
    let has_values = sheet.columns(&[Column::Value]).any(|column| column != metric_column);
    // Beside a column of values, what is neither that nor a plan is something else.
    let is_other = |column: usize| match &sheet.head.columns[column] {
        Meaning::Is(Column::Value) | Meaning::Tier(_) | Meaning::Nothing => false,
        Meaning::Is(Column::Context) => true,
        _ => has_values,
    };
    let is_number = |column: &usize| *column != metric_column && Some(*column) != group && !is_other(*column);
    let columns: Vec<usize> = (0..sheet.head.columns.len()).filter(is_number).collect();
    let has_tiers = columns.iter().any(|column| matches!(sheet.head.columns[*column], Meaning::Tier(_)));
    let mut numbers = Vec::new();
    for column in columns {
        let text = sheet.head.texts[column].clone();
        let (model, tier) = match &sheet.head.columns[column] {
            Meaning::Tier(tier) if !row::is_id(&text) => (None, Some(tier.clone())),
            Meaning::Limit { tier: Some(tier), .. } => (None, Some(tier.clone())),
            Meaning::Is(Column::Value) => (None, None),
            Meaning::Nothing => return Err("a column of numbers has no header".to_owned()),
            Meaning::Qualified => continue,
            _ if is_remark(&text) => continue,
            _ if group.is_some() || (has_tiers && !row::is_id(&text)) => (None, tier::of_label(&text)),
            _ => (Some(amount::without_footnotes(&text)), None),
        };
        numbers.push(Numbers { column, model, tier });
    }
    if numbers.is_empty() { Err("no column holds numbers".to_owned()) } else { Ok(numbers) }
}

/// Columns of words beside the numbers.
fn is_remark(header: &str) -> bool {
    let header = header.to_lowercase();
    [
        "description",
        "notes",
        "note",
        "details",
        "comment",
        "comments",
        "remarks",
        "scope",
        "applies to",
        "reset",
        "resets",
    ]
    .contains(&header.as_str())
}

//! Tables with a row for each model and a column for each limit, or for each plan.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::super::amount::{self, Unit};
use super::super::grid::Row as Line;
use super::super::header::Meaning;
use super::super::row::{self, Quote, Row};
use super::super::tier::{self, Tiers};
use super::super::words::{self, Column, Word};
use super::read::{Refusal, Sheet, cell_text};

/// A column of limits.
struct Limits {
    column: usize,
    /// More than one where the header names several in a row.
    units: Vec<Unit>,
    tier: Option<String>,
}

/// Who a row is about.
#[derive(Clone, Copy)]
enum Subject {
    Model(usize),
    Task(usize),
    Account,
}

pub fn read(sheet: &Sheet<'_>) -> Result<Vec<Row>, Refusal> {
    let limits = limit_columns(sheet)?;
    let subject = subject(sheet, &limits)?;
    let tier_column = sheet.columns(&[Column::Tier]).next().or_else(|| unnamed_tiers(sheet));
    let context_column = sheet.columns(&[Column::Context]).next();
    let ticks = tick_columns(sheet);
    refuse_other_periods(sheet, &limits)?;
    let names_plans = tier_column.is_some_and(|column| sheet.lines().any(|line| cell_text(line, column).is_some()));
    let mut rows = Vec::new();
    let mut lines = Vec::new();
    for (line, tier_above, section) in sheet.titled() {
        if repeats_header(sheet, line) || is_struck(line, subject, &limits) || is_gone(line, subject, tier_column) {
            continue;
        }
        let tier_cell =
            tier_column.and_then(|column| Some(tier::of_cell(&cell_text(line, column)?, &sheet.head.texts[column])));
        if names_plans && tier_cell.is_none() {
            return Err(format!("a row names no plan: `{}`", Quote::new(line.line, &line.quote()).cell));
        }
        let (model, ids, section) = named(line, subject, section)?;
        // "x-70b (Pro plan)"
        let tier_beside = model.split_once(" (").and_then(|(_, beside)| tier::in_title(beside.trim_end_matches(')')));
        let tier_above = tier_cell.or(tier_beside).or(tier_above);
        let context = context_column.and_then(|column| context(line, column));
        for (tier, amounts) in amounts(line, &limits)? {
            let plans = tier.map_or_else(|| ticked(line, &ticks, tier_above.clone()), |tier| vec![Some(tier)]);
            let stated = stated(line, amounts)?;
            for tier in plans {
                let (model, ids, section) = (model.clone(), ids.clone(), section.clone());
                rows.push(Row { model, ids, tier, section, context, ..stated.clone() });
                lines.push(line);
            }
        }
    }
    tell_apart(sheet, &mut rows, &lines);
    Ok(rows)
}

/// A column may say for how long the numbers beside it count: "7 days" beside "Requests per day".
fn refuse_other_periods(sheet: &Sheet<'_>, limits: &[Limits]) -> Result<(), Refusal> {
    const PERIODS: &str = "window|time window|period|time period|interval|duration|timeframe|time frame|per";
    let mut headers = sheet.head.texts.iter().enumerate();
    let named = headers.find(|(_, text)| words::is_one_of(PERIODS, &text.to_lowercase()));
    let Some((column, header)) = named else { return Ok(()) };
    let pers = limits.iter().flat_map(|limit| &limit.units).filter_map(|unit| unit.per);
    for line in sheet.lines() {
        let Some(text) = cell_text(line, column) else { continue };
        let said = amount::period(&text);
        if said.is_some_and(|(count, per)| count != 1 || pers.clone().any(|own| own != per)) {
            return Err(format!("the column `{header}` says `{text}`, which is not what the limits beside it count"));
        }
    }
    Ok(())
}

/// The numbers of a line, with the cells they stand in.
fn stated(line: &Line, amounts: Vec<(usize, amount::Metric, u64)>) -> Result<Row, Refusal> {
    let mut row = Row { evidence: Quote::new(line.line, &line.quote()), ..Row::default() };
    for (column, metric, value) in amounts {
        let cell = line.text(column).map(super::super::text::Text::shown).unwrap_or_default();
        row.evidence.cells.insert(metric, cell);
        if row.amounts.insert(metric, value).is_some() {
            return Err(format!("two columns give `{}`", metric.key()));
        }
    }
    Ok(row)
}

/// Rows of one model with other numbers differ in what a column says that names no limit, such as a region: that is their group.
fn tell_apart(sheet: &Sheet<'_>, rows: &mut [Row], lines: &[&Line]) {
    let mut twins: HashMap<_, Vec<usize>> = HashMap::new();
    for (at, row) in rows.iter().enumerate().filter(|(_, row)| row.section.is_none()) {
        twins.entry((row.model.clone(), row.tier.clone())).or_default().push(at);
    }
    let others = || (0..sheet.head.columns.len()).filter(|column| sheet.head.columns[*column] == Meaning::Other);
    for twins in twins.into_values() {
        if twins.iter().all(|at| rows[*at].amounts == rows[twins[0]].amounts) {
            continue;
        }
        let texts = others().find_map(|column| {
            let texts: Option<Vec<String>> = twins.iter().map(|at| cell_text(lines[*at], column)).collect();
            texts.filter(|texts| texts.iter().collect::<HashSet<_>>().len() == texts.len())
        });
        for (at, text) in twins.iter().zip(texts.into_iter().flatten()) {
            rows[*at].section = Some(text);
        }
    }
}

fn limit_columns(sheet: &Sheet<'_>) -> Result<Vec<Limits>, Refusal> {
    let mut limits = Vec::new();
    for (column, meaning) in sheet.head.columns.iter().enumerate() {
        match meaning {
            // "Output tokens" may be a size; only cells with a period of their own make a limit of it.
            Meaning::Limit { unit, .. } if unit.is_open() && !has_periods(sheet, column) => {}
            Meaning::Limit { unit, tier } => {
                let unit = if *unit == Unit::default() { sheet.unit } else { *unit };
                limits.push(Limits { column, units: vec![unit], tier: tier.clone() });
            }
            Meaning::Series { units, tier } => {
                limits.push(Limits { column, units: units.clone(), tier: tier.clone() });
            }
            // "Developer" may be who made a model.
            Meaning::Tier(_) if !has_digits(sheet, column) => {}
            Meaning::Tier(tier) => limits.push(Limits { column, units: vec![sheet.unit], tier: Some(tier.clone()) }),
            Meaning::Is(Column::Value | Column::Metric) => {
                limits.push(Limits { column, units: vec![sheet.unit], tier: None });
            }
            _ => {}
        }
    }
    for (index, one) in limits.iter().enumerate() {
        let is_whole = |unit: &Unit| unit.counted.is_some() && unit.per.is_some();
        let is_twin =
            |other: &Limits| other.units == one.units && other.tier == one.tier && one.units.iter().all(is_whole);
        if limits[..index].iter().any(is_twin) {
            return Err(format!("two columns are `{}`", sheet.head.texts[one.column]));
        }
    }
    Ok(limits)
}

/// Whether a column has numbers, or nothing but cells that publish none.
fn has_digits(sheet: &Sheet<'_>, column: usize) -> bool {
    let texts = || sheet.lines().filter_map(|line| cell_text(line, column));
    let has_answers = || texts().any(|text| words::answer(&text).is_some());
    texts().any(|text| text.chars().any(char::is_numeric))
        || texts().all(|text| words::is_unpublished(&text)) && !has_answers()
}

/// Columns that tell which plans have a model: "Free" above ticks, "Available on the free tier" above yes and no.
fn tick_columns(sheet: &Sheet<'_>) -> Vec<(usize, String)> {
    let is_ticks = |column: usize| {
        let mut texts = sheet.lines().filter_map(|line| cell_text(line, column)).peekable();
        texts.peek().is_some() && texts.all(|text| words::answer(&text).is_some() || words::is_unpublished(&text))
    };
    let columns = sheet.head.columns.iter().enumerate().filter(|(_, meaning)| matches!(meaning, Meaning::Tier(_)));
    columns
        .filter(|(column, _)| is_ticks(*column) && !has_digits(sheet, *column))
        .filter_map(|(column, _)| match tier::in_sentence(&sheet.head.texts[column]) {
            Tiers::One(tier) => Some((column, tier)),
            _ => None,
        })
        .collect()
}

/// The plans that a row's limits hold for, by its ticks; `tier` is the plan that everything around it is about.
fn ticked(line: &Line, ticks: &[(usize, String)], tier: Option<String>) -> Vec<Option<String>> {
    let has = |column| cell_text(line, column).is_some_and(|text| words::answer(&text) == Some(true));
    match tier {
        _ if ticks.is_empty() => vec![tier],
        Some(tier) => {
            let is_without = ticks.iter().any(|(column, own)| tier::is_same(own, &tier) && !has(*column));
            if is_without { Vec::new() } else { vec![Some(tier)] }
        }
        None => ticks.iter().filter(|(column, _)| has(*column)).map(|(_, own)| Some(own.clone())).collect(),
    }
}

fn has_periods(sheet: &Sheet<'_>, column: usize) -> bool {
    let texts = sheet.lines().filter_map(|line| line.text(column));
    let mut tokens = texts.map(|text| amount::tokens(&text.plain));
    tokens.any(|tokens| {
        (1..tokens.len()).any(|at| amount::unit(&tokens[at..]).is_some_and(|(unit, _)| unit.per.is_some()))
    })
}

/// The column that names what a row is about.
fn subject(sheet: &Sheet<'_>, limits: &[Limits]) -> Result<Subject, Refusal> {
    if let Some(column) = sheet.columns(&[Column::ModelId]).next().or_else(|| sheet.columns(&[Column::Model]).next()) {
        return Ok(Subject::Model(column));
    }
    if let Some(column) = sheet.columns(&[Column::Task]).next() {
        return Ok(Subject::Task(column));
    }
    if sheet.columns(&[Column::Tier]).next().or_else(|| unnamed_tiers(sheet)).is_some() {
        return Ok(Subject::Account);
    }
    let first = limits.first().map_or(0, |limit| limit.column);
    let texts: Vec<String> = sheet.lines().filter_map(|line| cell_text(line, 0)).collect();
    let ids = texts.iter().filter(|text| row::is_id(text)).count();
    let is_wordy = texts.iter().all(|text| text.chars().any(char::is_alphabetic));
    match sheet.head.columns.first() {
        Some(Meaning::Nothing) if first > 0 && is_wordy => Ok(Subject::Model(0)),
        Some(Meaning::Other) if first > 0 && ids > 0 && ids * 2 >= texts.len() => Ok(Subject::Model(0)),
        Some(_) if first == 0 && sheet.lines().count() == 1 => Ok(Subject::Account),
        _ => Err("no column names the model".to_owned()),
    }
}

/// The first column, where it has no header and its cells are plans.
fn unnamed_tiers(sheet: &Sheet<'_>) -> Option<usize> {
    let is_unnamed = sheet.head.columns.first() == Some(&Meaning::Nothing);
    let mut texts = sheet.lines().filter_map(|line| cell_text(line, 0)).peekable();
    (is_unnamed && texts.peek().is_some() && texts.all(|text| tier::in_title(&text).is_some())).then_some(0)
}

fn named(
    line: &Line,
    subject: Subject,
    section: Option<String>,
) -> Result<(String, Vec<String>, Option<String>), Refusal> {
    let missing = || format!("a row names no model: `{}`", Quote::new(line.line, &line.quote()).cell);
    match subject {
        Subject::Model(column) => {
            let (model, ids) = line.text(column).and_then(row::model).ok_or_else(missing)?;
            // What is left for models that the table does not name is no limit of the account.
            if model == "*" || words::is_rest(&model) {
                return Ok(("*".to_owned(), Vec::new(), Some(model)));
            }
            // "Rate limits" beside prices is what a row is about, and no model.
            let says_limit = model.split_whitespace().all(|own| words::word(&own.to_lowercase()) == Some(Word::Filler));
            Ok((if says_limit { "*".to_owned() } else { model }, ids, section))
        }
        Subject::Task(column) => Ok(("*".to_owned(), Vec::new(), Some(cell_text(line, column).ok_or_else(missing)?))),
        Subject::Account => Ok(("*".to_owned(), Vec::new(), section)),
    }
}

/// The amounts of a line, by plan in the order of the columns.
type Amounts = Vec<(Option<String>, Vec<(usize, amount::Metric, u64)>)>;

fn amounts(line: &Line, limits: &[Limits]) -> Result<Amounts, Refusal> {
    let mut by_tier: Amounts = Vec::new();
    for limit in limits {
        let is_spread = line.cells.get(limit.column).is_some_and(|cell| cell.is_continued)
            && limits.iter().any(|other| other.column + 1 == limit.column && other.units != limit.units);
        let text = line.text(limit.column).map(|text| text.plain.as_str()).unwrap_or_default();
        let found = match limit.units.as_slice() {
            _ if is_spread && text.contains(|c: char| c.is_ascii_digit()) => {
                return Err(format!("the cell `{}` stands below two units", super::super::text::shown(text)));
            }
            [unit] => amount::cell(text, *unit)?,
            units => amount::series(text, units)?,
        };
        let found = found.into_iter().map(|(metric, value)| (limit.column, metric, value));
        match by_tier.iter_mut().find(|(tier, _)| *tier == limit.tier) {
            Some((_, amounts)) => amounts.extend(found),
            None => by_tier.push((limit.tier.clone(), found.collect())),
        }
    }
    share(&mut by_tier);
    Ok(by_tier)
}

/// Columns that name no plan, beside those that do, are about each of these, unless they give what a plan has of its own: then
/// they are those of another.
fn share(by_tier: &mut Amounts) {
    let Some(at) = by_tier.iter().position(|(tier, _)| tier.is_none()) else { return };
    let gives = |amounts: &[(usize, amount::Metric, u64)], metric| amounts.iter().any(|(_, own, _)| *own == metric);
    let shared = by_tier[at].1.clone();
    let is_apart = by_tier
        .iter()
        .enumerate()
        .any(|(other, (_, amounts))| other != at && shared.iter().any(|(_, metric, _)| gives(amounts, *metric)));
    if by_tier.len() > 1 && !is_apart {
        by_tier.remove(at);
        for (_, amounts) in by_tier {
            amounts.extend(&shared);
        }
    }
}

/// How many tokens fit, where the cell says one number.
fn context(line: &Line, column: usize) -> Option<u64> {
    use super::super::words::Counted;
    let unit = Unit { counted: Some(Counted::TokensPerRequest), per: None };
    let text = line.text(column)?.plain.replace("tokens", "");
    let amounts: BTreeMap<_, _> = amount::cell(&text, unit).ok()?.into_iter().collect();
    amounts.into_values().next()
}

/// Whether nothing is left of a row's model and of its numbers.
fn is_struck(line: &Line, subject: Subject, limits: &[Limits]) -> bool {
    let is_blank = |column: usize| line.text(column).is_none_or(super::super::text::Text::is_blank);
    matches!(subject, Subject::Model(column) if is_blank(column)) && limits.iter().all(|limit| is_blank(limit.column))
}

/// Whether what a row is about is struck out, whatever is left of its numbers: its model, or its plan.
fn is_gone(line: &Line, subject: Subject, tier_column: Option<usize>) -> bool {
    let named = if let Subject::Model(column) | Subject::Task(column) = subject { Some(column) } else { None };
    let is_struck = |column| line.text(column).is_some_and(|text| text.is_struck && words::says_gone(&text.shown()));
    named.into_iter().chain(tier_column).any(is_struck)
}

fn repeats_header(sheet: &Sheet<'_>, line: &Line) -> bool {
    let texts = line.cells.iter().map(|cell| cell.text.shown());
    texts.eq(sheet.head.texts.iter().cloned())
}

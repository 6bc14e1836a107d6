//! Which rows of a table are its header, and what each column means by them.

use super::super::amount::{Token, tokens};
use super::super::grid::{Cell, Grid, Row};
use super::super::header::{Meaning, is_total_of, meaning, merge, metric};
use super::super::plan::{self, Plan};
use super::super::words::{self, Column};

/// More header rows than these are none.
const MOST_HEAD: usize = 4;

/// A table's header, read.
#[derive(Debug)]
pub struct Head {
    /// How many rows it takes.
    pub rows: usize,
    pub columns: Vec<Meaning>,
    /// The texts of each column, joined.
    pub texts: Vec<String>,
    /// The header that names two plans or two units.
    pub ambiguous: Option<String>,
    /// What a title across all columns says.
    pub plan: Plan,
}

/// Reads the header of a table.
pub fn head(grid: &Grid) -> Head {
    if let Some(rows) = names_and_numbers(grid) {
        let columns = vec![Meaning::Is(Column::Metric), Meaning::Is(Column::Value)];
        return Head { rows, columns, texts: vec![String::new(); 2], ambiguous: None, plan: Plan::Unsaid };
    }
    let rows = head_rows(grid);
    let width = grid.width();
    let mut columns = vec![Meaning::Nothing; width];
    let mut texts = vec![String::new(); width];
    let (mut plan, mut ambiguous) = (Plan::Unsaid, None);
    for row in &grid.rows[..rows] {
        if let Some(title) = row.section().filter(|_| rows > 1) {
            if meaning(&title.plain) == Meaning::Ambiguous {
                ambiguous.get_or_insert_with(|| title.shown());
            }
            plan = plan::of_title(&title.shown()).or(|| plan);
            continue;
        }
        for (column, cell) in row.cells.iter().enumerate() {
            let text = cell.text.shown();
            if texts[column] == text {
                continue;
            }
            let lower = meaning(&cell.text.plain);
            // A limit of the model that stands above it: the rows below are none.
            let is_of_model = columns[column] == Meaning::Other && texts[column].contains(|c: char| c.is_ascii_digit());
            let lower = if is_of_model && lower.is_limit() { Meaning::Ambiguous } else { lower };
            columns[column] = below(columns[column].clone(), lower);
            texts[column] = if texts[column].is_empty() { text } else { format!("{} {text}", texts[column]) };
            if columns[column] == Meaning::Ambiguous {
                ambiguous.get_or_insert_with(|| texts[column].clone());
            }
        }
    }
    let is_total = |text: &String| texts.iter().any(|part| is_total_of(text, part));
    for (column, _) in texts.iter().enumerate().filter(|(_, text)| is_total(text)) {
        columns[column] = Meaning::Qualified;
    }
    Head { rows, columns, texts, ambiguous, plan }
}

/// How many blank rows stand above a table of two columns that begins with a limit's name and its number, as those of one model
/// do: it has no header.
fn names_and_numbers(grid: &Grid) -> Option<usize> {
    let first = grid.rows.iter().position(|row| !row.is_blank())?;
    let [name, number] = grid.rows[first].cells.as_slice() else { return None };
    let is_number = matches!(tokens(&number.text.plain).first(), Some(Token::Number(_)));
    (grid.width() == 2 && metric(&name.text.plain).is_some() && is_number).then_some(first)
}

/// What a column means whose header has one meaning above another.
fn below(upper: Meaning, lower: Meaning) -> Meaning {
    use Meaning::{Ambiguous, Is, Limit, Nothing, Other, Qualified, Series, Tier};
    match (upper, lower) {
        (Ambiguous, _)
        | (_, Ambiguous)
        | (Series { .. }, Limit { .. } | Series { .. })
        | (Limit { .. }, Series { .. }) => Ambiguous,
        // Also "Batch (async)" above "RPM".
        (Qualified, _) | (_, Qualified) | (Other, Limit { .. } | Series { .. }) => Qualified,
        (Nothing | Other | Is(Column::Value | Column::Metric), lower) => lower,
        (upper, Nothing | Other) => upper,
        (Tier(tier), Series { units, tier: None }) | (Series { units, .. }, Tier(tier)) => {
            Series { units, tier: Some(tier) }
        }
        (Tier(tier), Limit { unit, tier: None }) | (Limit { unit, .. }, Tier(tier)) => Limit { unit, tier: Some(tier) },
        (Tier(tier), Is(Column::Value)) => Limit { unit: super::super::amount::Unit::default(), tier: Some(tier) },
        (Limit { unit: a, tier: upper }, Limit { unit: b, tier }) => {
            let is_one = upper.is_none() || tier.is_none() || upper == tier;
            let unit = merge(a, b).filter(|_| is_one);
            unit.map_or(Ambiguous, |unit| Limit { unit, tier: upper.or(tier) })
        }
        (_, lower) => lower,
    }
}

/// How many of the first rows are the header: those the page marks, and the next one when they say nothing.
fn head_rows(grid: &Grid) -> usize {
    let marked = grid.rows.iter().take(MOST_HEAD).take_while(|row| row.is_head && !holds_numbers(row)).count();
    // A title between head and body, which the page put before its rule.
    let is_title = |row: &Row| row.section().is_some();
    let marked = if marked > 1 && is_title(&grid.rows[marked - 1]) { marked - 1 } else { marked };
    let says_nothing = !grid.rows[..marked].iter().any(speaks_of_limits);
    let next = grid.rows.iter().skip(marked).take(2).position(|row| !row.is_blank() && speaks_of_limits(row));
    match next {
        Some(skipped) if says_nothing => marked + skipped + 1,
        _ => marked.max(usize::from(!grid.rows.is_empty())),
    }
}

/// Whether a row has cells that are numbers, though the page marks all of them as headers.
fn holds_numbers(row: &Row) -> bool {
    let is_number = |cell: &Cell| matches!(tokens(&cell.text.plain).as_slice(), [Token::Number(_)]);
    row.cells.iter().skip(1).any(is_number)
}

/// Whether a row names columns, limits among them.
fn speaks_of_limits(row: &Row) -> bool {
    let meanings: Vec<Meaning> = row.cells.iter().map(|cell| meaning(&cell.text.plain)).collect();
    let names = meanings.iter().filter(|meaning| matches!(meaning, Meaning::Is(_))).count();
    let limits = meanings.iter().filter(|meaning| meaning.is_limit()).count();
    // A row of data may begin with the name of a limit; a header has a second word on it.
    limits + names >= 2 || (limits == 1 && matches!(meanings.first(), Some(Meaning::Nothing)) && meanings.len() == 2)
}

/// Whether a table is a header and nothing else: its body is in the next table.
pub fn is_only_head(grid: &Grid) -> bool {
    let rows = head_rows(grid);
    grid.defect.is_none()
        && grid.rows[..rows].iter().any(speaks_of_limits)
        && grid.rows[rows..].iter().all(|row| row.is_blank() || row.section().is_some())
}

/// The body of `body` below the header of `head`, where the two are one table in two parts.
pub fn joined(head: &Grid, body: &Grid) -> Option<Grid> {
    let names_headers = |row: &Row| row.text(0).is_some_and(|text| words::is_header_name(&text.shown()));
    let fits = head.width() == body.width() && !body.rows.iter().take(MOST_HEAD).any(speaks_of_limits);
    let fits = fits && !body.rows.iter().any(names_headers);
    fits.then(|| {
        let rows = head.rows.iter().cloned().map(|row| Row { is_head: true, ..row });
        let body_rows = body.rows.iter().cloned().map(|row| Row { is_head: false, ..row });
        Grid {
            line: head.line,
            caption: head.caption.clone().or_else(|| body.caption.clone()),
            rows: rows.chain(body_rows).collect(),
            defect: body.defect,
        }
    })
}

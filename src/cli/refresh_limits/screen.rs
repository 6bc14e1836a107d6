//! The findings of `relay refresh-limits` as a person reads them.

use crate::cli::table;
use crate::quota::Kind;
use crate::refresh::compare::{Change, Field, Op};

use super::document::Finding;

pub const HEADER: [&str; 6] = ["PROVIDER", "MODEL", "FIELD", "NOW", "DOCS", "SOURCE"];

/// Every difference, and every page that was not read.
pub fn rows(findings: &[Finding]) -> Vec<[String; 6]> {
    let mut rows = Vec::new();
    for finding in findings {
        if finding.changes.is_err() {
            let source = format!("[{}]", finding.id);
            rows.push([
                finding.provider.clone(),
                "(page)".to_owned(),
                "-".to_owned(),
                "-".to_owned(),
                "unread".to_owned(),
                source,
            ]);
        }
        rows.extend(finding.changes().iter().map(|change| row(finding, change)));
    }
    rows
}

fn row(finding: &Finding, change: &Change) -> [String; 6] {
    let amount = |amount: Option<u64>| amount.map_or_else(|| "-".to_owned(), grouped);
    let (field, now, docs) = match change.op {
        Op::New => ("new".to_owned(), "-".to_owned(), format!("{} {}", amount(change.new), short(change.field))),
        Op::Gone => ("gone".to_owned(), amount(change.old), "-".to_owned()),
        Op::Unsure => ("unsure".to_owned(), "-".to_owned(), change.held.clone().unwrap_or_default()),
        Op::Stale => (short(change.field), amount(change.old), "stale".to_owned()),
        Op::Conflict => (short(change.field), format!("{} yours", amount(change.old)), amount(change.new)),
        Op::Change | Op::Add => (short(change.field), amount(change.old), amount(change.new)),
    };
    let mark = if change.held.is_some() && change.op != Op::Unsure { " !" } else { "" };
    [finding.provider.clone(), change.model.clone(), field, now, docs + mark, format!("[{}]", finding.id)]
}

fn short(field: Field) -> String {
    match field {
        Field::Limit(kind, period) => {
            let kind = match kind {
                Kind::Requests => "req",
                Kind::Tokens => "tok",
                Kind::InputTokens => "in tok",
                Kind::Units => "units",
            };
            format!("{kind}/{}", if period.word() == "minute" { "min" } else { period.word() })
        }
        Field::Context => "context".to_owned(),
        Field::Model => "model".to_owned(),
    }
}

/// `14 400`
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(' ');
        }
        grouped.push(digit);
    }
    grouped
}

/// The whole screen but for the question.
pub fn text(findings: &[Finding]) -> String {
    let rows = rows(findings);
    let mut text = if rows.is_empty() { String::new() } else { table::human(HEADER, rows, &[3, 4]) + "\n" };
    for finding in findings.iter().filter(|finding| !finding.changes().is_empty() || finding.changes.is_err()) {
        let about = match &finding.got {
            _ if finding.changes.is_err() => {
                format!("{}; the old values stay", finding.changes.as_ref().err().map_or("", String::as_str))
            }
            Some(got) => format!(
                "fetched {}  sha {}…  {}",
                got.fetched_at.strftime("%H:%M:%S"),
                &got.sha256[..8],
                finding.status()
            ),
            None => "the old values stay".to_owned(),
        };
        let line = format!("[{}] {}  {about}", finding.id, finding.url);
        let fits = console::measure_text_width(&line) <= usize::from(table::width());
        // An address stays whole; what does not fit beside it stands below.
        let line =
            if fits { line } else { format!("[{}] {}\n    {}", finding.id, finding.url, table::wrapped(&about, 4)) };
        text.push_str(&(line + "\n"));
    }
    let mut reasons: Vec<&str> =
        all(findings).filter(|change| change.op != Op::Unsure).filter_map(|change| change.held.as_deref()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let held = if reasons.is_empty() { String::new() } else { format!("  ! = {}", reasons.join(", ")) };
    text + &format!("\n{}.{held}\n", summary(findings))
}

fn all(findings: &[Finding]) -> impl Iterator<Item = &Change> {
    findings.iter().flat_map(Finding::changes)
}

fn summary(findings: &[Finding]) -> String {
    let count = |ops: &[Op]| all(findings).filter(|change| ops.contains(&change.op)).count();
    let unread = findings.iter().filter(|finding| finding.changes.is_err()).count();
    let parts = [
        (count(&[Op::Change, Op::Add]), "changed"),
        (count(&[Op::New]), "new"),
        (count(&[Op::Gone]), "gone"),
        (count(&[Op::Stale]), "stale"),
        (count(&[Op::Conflict]), "against your own"),
        (count(&[Op::Unsure]), "unsure"),
        (unread, if unread == 1 { "page unread" } else { "pages unread" }),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if parts.is_empty() { format!("{} pages agree with the catalogue", findings.len()) } else { parts.join(", ") }
}

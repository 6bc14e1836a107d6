//! The findings of `relay refresh-limits` as a person reads them.

use crate::cli::numbers::grouped;
use crate::cli::table;
use crate::quota::Kind;
use crate::refresh::compare::{Change, Field, Op};
use crate::refresh::finding::{Finding, Origin};

/// More models than these that are new in one source are one line.
const MOST_NEW: usize = 5;

const HEADER: [&str; 6] = ["PROVIDER", "MODEL", "FIELD", "NOW", "DOCS", "SOURCE"];

/// The same for programs, which get the mark beside a number in a column of its own.
pub const COLUMNS: [&str; 7] = ["provider", "model", "field", "now", "docs", "source", "mark"];

/// Who reads the rows: people get numbers in groups and a source's number below the table, programs what they can read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reader {
    Person,
    Program,
}

/// Every difference, and every source that was not read, for programs.
pub fn rows(findings: &[Finding]) -> Vec<[String; 7]> {
    rows_for(Reader::Program, findings)
}

fn rows_for(reader: Reader, findings: &[Finding]) -> Vec<[String; 7]> {
    let mut rows = Vec::new();
    for (index, finding) in findings.iter().enumerate() {
        let source = match reader {
            Reader::Person => format!("[{}]", index + 1),
            Reader::Program => finding.url.clone(),
        };
        if finding.changes.is_err() {
            let (whole, unread) = (format!("({})", finding.origin.word()), "unread".to_owned());
            rows.push([finding.provider.clone(), whole, dash(), dash(), unread, source.clone(), String::new()]);
        }
        rows.extend(finding.changes().iter().map(|change| row(reader, &finding.provider, change, &source)));
    }
    rows
}

/// The same for people, who are told of many new models by their number.
fn folded(findings: &[Finding]) -> Vec<[String; 6]> {
    let mut rows = rows_for(Reader::Person, findings);
    for (index, finding) in findings.iter().enumerate() {
        let new = finding.changes().iter().filter(|change| change.op == Op::New).count();
        let source = format!("[{}]", index + 1);
        let is_new = |row: &[String; 7]| row[5] == source && row[2] == "new";
        let Some(first) = rows.iter().position(is_new).filter(|_| new > MOST_NEW) else { continue };
        rows.retain(|row| !is_new(row));
        let models = format!("({new} models)");
        rows.insert(first, [finding.provider.clone(), models, "new".to_owned(), dash(), dash(), source, String::new()]);
    }
    let marked = |docs: String, mark: &str| format!("{docs} {mark}").trim_end().to_owned();
    let row = |[provider, model, field, now, docs, source, mark]: [String; 7]| {
        [provider, model, field, now, marked(docs, &mark), source]
    };
    rows.into_iter().map(row).collect()
}

fn dash() -> String {
    "-".to_owned()
}

fn row(reader: Reader, provider: &str, change: &Change, source: &str) -> [String; 7] {
    let number = |number: u64| if reader == Reader::Person { grouped(number) } else { number.to_string() };
    let amount = |amount: Option<u64>| amount.map_or_else(dash, number);
    let (field, now, docs) = match change.op {
        Op::New if change.new.is_none() => ("new".to_owned(), dash(), dash()),
        Op::New => ("new".to_owned(), dash(), format!("{} {}", amount(change.new), short(change.field))),
        Op::Gone | Op::Unlisted => ("gone".to_owned(), amount(change.old), dash()),
        Op::Unsure => ("unsure".to_owned(), dash(), change.held.clone().unwrap_or_default()),
        Op::Stale => (short(change.field), amount(change.old), "stale".to_owned()),
        Op::Conflict => (short(change.field), format!("{} yours", amount(change.old)), amount(change.new)),
        Op::Change | Op::Add => (short(change.field), amount(change.old), amount(change.new)),
    };
    let is_seen = change.seen.is_some() && change.seen == change.new;
    let mark = match () {
        () if change.held.is_some() && !matches!(change.op, Op::Unsure | Op::Conflict) => "!",
        () if is_seen => "=",
        () => "",
    };
    [provider.to_owned(), change.model.clone(), field, now, docs, source.to_owned(), mark.to_owned()]
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

/// The whole screen but for the question.
pub fn text(findings: &[Finding]) -> String {
    let rows = folded(findings);
    let mut text = if rows.is_empty() { String::new() } else { table::human(HEADER, rows, &[3, 4]) + "\n" };
    for (index, finding) in findings.iter().enumerate() {
        let Some(about) = about(finding) else { continue };
        let place = format!("[{}] {}", index + 1, finding.url);
        let line = format!("{place}  {about}");
        let fits = console::measure_text_width(&line) <= usize::from(table::width());
        // An address stays whole; what does not fit beside it stands below.
        let line = if fits { line } else { format!("{place}\n    {}", table::wrapped(&about, 4)) };
        text.push_str(&(line + "\n"));
    }
    text + &format!("\n{}.{}\n", summary(findings), marks(findings))
}

/// What is to be known of a source that says anything.
fn about(finding: &Finding) -> Option<String> {
    match (&finding.changes, &finding.got) {
        (Err(reason), _) => Some(format!("{reason}; the old values stay")),
        (Ok(changes), _) if changes.is_empty() => None,
        (Ok(_), Some(got)) => {
            let time = got.fetched_at.strftime("%H:%M:%S");
            Some(format!("fetched {time}  sha {}…  {}", &got.sha256[..8], finding.status()))
        }
        (Ok(_), None) => Some("the old values stay".to_owned()),
    }
}

/// What the marks behind numbers mean.
fn marks(findings: &[Finding]) -> String {
    let mut reasons: Vec<&str> =
        all(findings).filter(|change| change.op != Op::Unsure).filter_map(|change| change.held.as_deref()).collect();
    reasons.sort_unstable();
    reasons.dedup();
    let held = if reasons.is_empty() { String::new() } else { format!("  ! = {}", reasons.join(", ")) };
    let is_seen = all(findings).any(|change| change.seen.is_some() && change.seen == change.new);
    held + if is_seen { "  = as response headers say" } else { "" }
}

fn all(findings: &[Finding]) -> impl Iterator<Item = &Change> {
    findings.iter().flat_map(Finding::changes)
}

fn summary(findings: &[Finding]) -> String {
    let count = |ops: &[Op]| all(findings).filter(|change| ops.contains(&change.op)).count();
    let unread = |is_page: bool| {
        let unread = findings.iter().filter(|finding| finding.changes.is_err());
        unread.filter(|finding| (finding.origin == Origin::Page) == is_page).count()
    };
    let (pages, answers) = (unread(true), unread(false));
    let parts = [
        (count(&[Op::Change, Op::Add]), "changed"),
        (count(&[Op::New]), "new"),
        (count(&[Op::Gone, Op::Unlisted]), "gone"),
        (count(&[Op::Stale]), "stale"),
        (count(&[Op::Conflict]), "against your own"),
        (count(&[Op::Unsure]), "unsure"),
        (pages, if pages == 1 { "page unread" } else { "pages unread" }),
        (answers, if answers == 1 { "answer of an API unread" } else { "answers of APIs unread" }),
    ];
    let parts: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if parts.is_empty() { format!("{} sources agree with the catalogue", findings.len()) } else { parts.join(", ") }
}

//! Prints what the check found: a table, rows, or a document.

use std::time::Duration;

use console::measure_text_width;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::{millis, until};
use crate::relay::{Checked, Condition};

use super::super::args::{CheckModels, Global, OutputFormat};
use super::super::exit::{Trouble, span};
use super::super::numbers::elapsed;
use super::super::output::{Output, dim, green, red, yellow};
use super::super::setup::Core;
use super::super::table;
use super::{Row, Spent};

/// Of rows that share one reason, more than this are folded into a line.
const MOST_ALIKE: usize = 5;

const HEADER: [&str; 11] = [
    "status",
    "provider",
    "model",
    "ttft_ms",
    "total_ms",
    "p50_ms",
    "p95_ms",
    "reason",
    "detail",
    "retry_at",
    "checked_at",
];

/// All that was found.
pub struct Report<'a> {
    pub rows: Vec<Row>,
    pub started_at: Timestamp,
    pub took: Duration,
    pub check: &'a CheckModels,
}

impl Report<'_> {
    pub fn print(&self, core: &Core, global: &Global, output: Output) -> Result<(), Trouble> {
        let format = table::format(global);
        let text = match format {
            OutputFormat::Table => self.human(core.relay.clock.now()),
            OutputFormat::Plain | OutputFormat::Line => table::plain(&self.cells()),
            OutputFormat::Csv => table::csv(HEADER, &self.cells()),
            OutputFormat::Ndjson => format!("{}\n", self.last_event()),
            OutputFormat::Json => format!("{}\n", self.document()),
        };
        output.result(&text)?;
        if matches!(format, OutputFormat::Plain | OutputFormat::Csv) {
            output.notice(self.summary_text().trim_end());
        }
        if let Some(hint) = self.hint() {
            output.notice(&format!("{} {hint}", dim("hint:")));
        }
        Ok(())
    }

    fn count(&self, conditions: &[Condition]) -> usize {
        self.rows.iter().filter(|row| conditions.contains(&row.condition())).count()
    }

    fn spent(&self) -> Spent {
        self.rows.iter().map(|row| row.spent).fold(Spent::default(), |sum, spent| Spent {
            requests: sum.requests + spent.requests,
            prompt_tokens: sum.prompt_tokens + spent.prompt_tokens,
            completion_tokens: sum.completion_tokens + spent.completion_tokens,
        })
    }

    fn summary(&self) -> Value {
        json!({
            "total": self.rows.len(),
            "pass": self.count(&[Condition::Pass]),
            "limited": self.count(&[Condition::Limit]),
            "failed": self.count(&FAILURES),
            "skipped": self.count(&[Condition::Skip]),
        })
    }

    fn spent_json(&self) -> Value {
        let Spent { requests, prompt_tokens, completion_tokens } = self.spent();
        json!({ "requests": requests, "prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens })
    }

    fn document(&self) -> Value {
        json!({
            "schema": "relay.check-models/1",
            "started_at": self.started_at.to_string(),
            "duration_ms": millis(self.took),
            "summary": self.summary(),
            "spent": self.spent_json(),
            "models": self.rows.iter().map(model).collect::<Vec<_>>(),
        })
    }

    fn last_event(&self) -> Value {
        json!({
            "event": "summary",
            "started_at": self.started_at.to_string(),
            "duration_ms": millis(self.took),
            "summary": self.summary(),
            "spent": self.spent_json(),
        })
    }

    fn cells(&self) -> Vec<[String; 11]> {
        self.rows.iter().map(cells).collect()
    }

    fn human(&self, now: Timestamp) -> String {
        let (mut alike, shown): (Vec<&Row>, Vec<&Row>) = self.rows.iter().partition(|row| self.is_folded(row));
        alike.sort_by_key(|row| sameness(row));
        let mut text = String::new();
        if !shown.is_empty() {
            text.push_str(&self.table(&shown, now));
        }
        if !alike.is_empty() && !shown.is_empty() {
            text.push('\n');
        }
        let same = |a: &&Row, b: &&Row| sameness(a) == sameness(b);
        text.extend(alike.chunk_by(same).map(|group| table::cut(&folded(group), table::width().into()) + "\n"));
        text + "\n" + &self.summary_text()
    }

    /// A pass is always shown: it is what one looks for.
    fn is_folded(&self, row: &Row) -> bool {
        let alike = self.rows.iter().filter(|other| sameness(other) == sameness(row)).count();
        alike > MOST_ALIKE && row.condition() != Condition::Pass
    }

    fn table(&self, rows: &[&Row], now: Timestamp) -> String {
        let measured = self.check.latency && self.check.repeat > 1;
        let line = |row: &&Row| {
            let checked = row.checked.as_ref();
            let ttft = checked.and_then(|checked| checked.first_event).map(millis);
            let total = checked.and_then(|checked| checked.total).map(millis);
            let times = if measured { [percentile(row, 50), percentile(row, 95)] } else { [ttft, total] };
            let [first, second] =
                times.map(|time| time.map_or_else(|| "-".to_owned(), |millis| elapsed(Duration::from_millis(millis))));
            let status = row.condition().word().to_uppercase();
            [status, row.provider.clone(), row.model.clone(), first, second]
        };
        let [first, second] = if measured { ["TTFT P50", "P95"] } else { ["TTFT", "TOTAL"] };
        let header = ["STATUS", "PROVIDER", "MODEL", first, second];
        let lines = table::fitted(header, rows.iter().map(line).collect(), &[3, 4], &[2]);
        let details = std::iter::once("DETAIL".to_owned()).chain(rows.iter().map(|row| detail(row, now)));
        lines.iter().zip(details).map(|(line, detail)| colored(&beside(line, &detail)) + "\n").collect()
    }

    fn summary_text(&self) -> String {
        let [pass, limited, skipped] =
            [Condition::Pass, Condition::Limit, Condition::Skip].map(|condition| self.count(&[condition]));
        let failed = self.count(&FAILURES);
        let took = self.took.as_secs_f64();
        let Spent { requests, prompt_tokens, completion_tokens } = self.spent();
        let tokens = prompt_tokens + completion_tokens;
        let spent = match requests {
            0 => "Spent no quota.".to_owned(),
            _ => format!("Spent {} and {tokens} tokens of free quota.", table::counted(requests, "request")),
        };
        let models = table::counted(self.rows.len(), "model");
        let counts =
            format!("{models}: {pass} pass, {limited} limited, {failed} failed, {skipped} skipped ({took:.1}s)");
        [counts, spent].map(|line| table::wrapped(&line, 2) + "\n").concat()
    }

    /// What to do next about keys that were rejected, and about models that have gone.
    fn hint(&self) -> Option<String> {
        let of = |condition| {
            let mut ids: Vec<&str> =
                self.rows.iter().filter(|row| row.condition() == condition).map(|row| row.provider.as_str()).collect();
            ids.dedup();
            ids
        };
        let keys = of(Condition::Auth).into_iter().map(|id| format!("relay keys set {id}"));
        let gone = of(Condition::Gone);
        let refresh = (!gone.is_empty()).then(|| format!("relay refresh-limits {}", gone.join(" ")));
        let hints: Vec<String> = keys.chain(refresh).collect();
        (!hints.is_empty()).then(|| hints.join("   |   "))
    }
}

/// A line and what is told of it: after it where there is room, else below.
fn beside(line: &str, detail: &str) -> String {
    let last = line.lines().last().unwrap_or_default();
    let fits = measure_text_width(last) + 2 + measure_text_width(detail) <= usize::from(table::width());
    match detail {
        "" => line.to_owned(),
        detail if fits => format!("{line}  {detail}"),
        detail => format!("{line}\n        {}", table::wrapped(detail, 8)),
    }
}

const FAILURES: [Condition; 4] = [Condition::Auth, Condition::Gone, Condition::Down, Condition::Empty];

fn sameness(row: &Row) -> (Condition, Option<&str>, Option<&str>) {
    let checked = row.checked.as_ref();
    let text = |of: fn(&Checked) -> Option<&String>| checked.and_then(of).map(String::as_str);
    // What nobody set up is one thing, whatever variable it waits for.
    let detail = if row.condition() == Condition::Skip { None } else { text(|checked| checked.detail.as_ref()) };
    (row.condition(), text(|checked| checked.reason.as_ref()), detail)
}

fn folded(rows: &[&Row]) -> String {
    let mut providers: Vec<&str> = rows.iter().map(|row| row.provider.as_str()).collect();
    providers.dedup();
    let (_, reason, detail) = sameness(rows[0]);
    let why = detail.map_or_else(|| reason.unwrap_or_default().replace('_', " "), str::to_owned);
    let status = rows[0].condition().word().to_uppercase();
    format!("{status:<6}  {} models, {why}: {}", rows.len(), providers.join(", "))
}

/// One row as it lands.
pub fn event(row: &Row) -> Value {
    let mut event = model(row);
    event["event"] = "probe".into();
    event
}

fn model(row: &Row) -> Value {
    let checked = row.checked.as_ref();
    json!({
        "provider": row.provider,
        "model": row.model,
        "status": row.condition().word(),
        "http_status": checked.and_then(|checked| checked.http_status),
        "ttft_ms": checked.and_then(|checked| checked.first_event).map(millis),
        "total_ms": checked.and_then(|checked| checked.total).map(millis),
        "p50_ms": percentile(row, 50),
        "p95_ms": percentile(row, 95),
        "reason": checked.and_then(|checked| checked.reason.as_ref()),
        "detail": checked.and_then(|checked| checked.detail.as_ref()),
        "retry_at": checked.and_then(|checked| checked.retry_at).map(|moment| moment.to_string()),
        "requests": row.spent.requests,
        "checked_at": row.at.to_string(),
    })
}

fn cells(row: &Row) -> [String; 11] {
    let checked = row.checked.as_ref();
    let number = |number: Option<u64>| number.map(|number| number.to_string()).unwrap_or_default();
    let text = |text: Option<&String>| text.cloned().unwrap_or_default();
    [
        row.condition().word().to_uppercase(),
        row.provider.clone(),
        row.model.clone(),
        number(checked.and_then(|checked| checked.first_event).map(millis)),
        number(checked.and_then(|checked| checked.total).map(millis)),
        number(percentile(row, 50)),
        number(percentile(row, 95)),
        text(checked.and_then(|checked| checked.reason.as_ref())),
        text(checked.and_then(|checked| checked.detail.as_ref())),
        checked.and_then(|checked| checked.retry_at).map(|moment| moment.to_string()).unwrap_or_default(),
        row.at.to_string(),
    ]
}

fn detail(row: &Row, now: Timestamp) -> String {
    let Some(checked) = &row.checked else { return String::new() };
    let detail = checked.detail.clone().unwrap_or_default();
    match checked.retry_at {
        Some(moment) if row.condition() == Condition::Limit => {
            format!("{detail}, resets in {}", span(until(now, moment).as_secs().max(1)))
        }
        _ => detail,
    }
}

/// The nearest rank; `None` where fewer than two answers were measured.
fn percentile(row: &Row, percent: usize) -> Option<u64> {
    let mut times = row.first_words.clone();
    times.sort_unstable();
    let rank = (times.len() * percent).div_ceil(100);
    (times.len() > 1).then(|| times[rank.max(1) - 1])
}

fn colored(line: &str) -> String {
    let word = line.split(' ').next().unwrap_or_default();
    let painted = match word {
        "PASS" => green(word),
        "LIMIT" => yellow(word),
        "SKIP" => dim(word),
        "STATUS" => return dim(line),
        word => red(word),
    };
    painted + &line[word.len()..]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_ranks_of_what_was_measured() {
        let row = |first_words: &[u64]| Row {
            provider: "p".to_owned(),
            model: "m".to_owned(),
            checked: None,
            at: Timestamp::UNIX_EPOCH,
            first_words: first_words.to_vec(),
            spent: Spent::default(),
        };
        assert_eq!(percentile(&row(&[7]), 50), None, "one answer has no spread");
        let many = row(&[50, 10, 40, 20, 30]);
        assert_eq!([50, 95].map(|percent| percentile(&many, percent)), [Some(30), Some(50)]);
    }
}

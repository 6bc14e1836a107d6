//! What was used over time: by day, by provider or by model, with a chart.

use std::collections::BTreeMap;

use jiff::ToSpan as _;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use crate::catalog::is_meant;
use crate::relay::{Quarter, UsageReport};

use super::super::args::{By, OutputFormat, Usage};
use super::super::numbers::short;
use super::super::output::{dim, green};
use super::super::table;
use super::screen::footer;

/// Cells of the longest bar: what the other columns leave, within these.
const LEAST_BAR: usize = 10;
const LONGEST_BAR: usize = 72;

/// The five numbers and the gaps before them.
const NUMBERS: usize = (2 + 6) + (2 + 5) + (2 + 5) + (2 + 6) + (2 + 6);

const HEADER: [&str; 7] = ["of", "ok", "rate_limited", "errors", "failovers", "prompt_tokens", "completion_tokens"];

/// The counts of one day, provider or model.
#[derive(Debug, Clone, Default)]
struct Sum {
    of: String,
    ok: u64,
    rate_limited: u64,
    errors: u64,
    failovers: u64,
    prompt_tokens: u64,
    completion_tokens: u64,
}

pub fn printed(report: &UsageReport, quarters: &[Quarter], format: OutputFormat, usage: &Usage) -> String {
    let by = usage.by.unwrap_or(By::Day);
    let sums = sums(report, quarters, by, usage);
    match format {
        OutputFormat::Table => human(report, &sums, by),
        OutputFormat::Plain | OutputFormat::Line => table::plain(&rows(&sums)),
        OutputFormat::Csv => table::csv(HEADER, &rows(&sums)),
        OutputFormat::Ndjson => table::ndjson(&documents(&sums)),
        OutputFormat::Json => {
            let mut document = json!(report);
            document["history"] = json!({ "by": word(by), "sums": documents(&sums) });
            format!("{document}\n")
        }
    }
}

/// Days in their order, also those without a request; others by how much they answered.
fn sums(report: &UsageReport, quarters: &[Quarter], by: By, usage: &Usage) -> Vec<Sum> {
    let is_wanted = |quarter: &&Quarter| {
        usage.names.is_empty() || usage.names.iter().any(|name| is_meant(name, &quarter.provider, &quarter.model))
    };
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    if by == By::Day {
        sums.extend(days(report).map(|day| (day.to_string(), Sum { of: day.to_string(), ..Sum::default() })));
    }
    for quarter in quarters.iter().filter(is_wanted) {
        let of = match by {
            By::Day => quarter.start.to_zoned(TimeZone::system()).date().to_string(),
            By::Provider => quarter.provider.clone(),
            By::Model => format!("{}/{}", quarter.provider, quarter.model),
        };
        sums.entry(of.clone()).or_insert_with(|| Sum { of, ..Sum::default() }).add(quarter);
    }
    let mut sums: Vec<Sum> = sums.into_values().collect();
    if by != By::Day {
        sums.sort_by(|a, b| b.ok.cmp(&a.ok).then_with(|| a.of.cmp(&b.of)));
    }
    sums
}

fn days(report: &UsageReport) -> impl Iterator<Item = Date> {
    let day = |moment: jiff::Timestamp| moment.to_zoned(TimeZone::system()).date();
    let last = day(report.as_of);
    day(report.since).series(1.day()).take_while(move |day| *day <= last)
}

impl Sum {
    fn add(&mut self, quarter: &Quarter) {
        let totals = &quarter.totals;
        self.ok += totals.ok;
        self.rate_limited += totals.rate_limited;
        self.errors += totals.errors;
        self.failovers += totals.failover_out;
        self.prompt_tokens += totals.prompt_tokens;
        self.completion_tokens += totals.completion_tokens;
    }
}

fn human(report: &UsageReport, sums: &[Sum], by: By) -> String {
    let most = sums.iter().map(|sum| sum.ok).max().unwrap_or(0);
    let longest = sums.iter().map(|sum| sum.of.chars().count()).max().unwrap_or(0);
    let all = usize::from(table::width()).saturating_sub(NUMBERS + 2);
    let width = longest.clamp(word(by).len(), all.saturating_sub(LEAST_BAR).max(LEAST_BAR));
    let cells = all.saturating_sub(width).clamp(LEAST_BAR, LONGEST_BAR);
    let header = format!(
        "{:width$}  {:cells$}  {:>6}  {:>5}  {:>5}  {:>6}  {:>6}",
        word(by).to_uppercase(),
        "ANSWERED",
        "",
        "429",
        "FAIL",
        "IN",
        "OUT"
    );
    let line = |sum: &Sum, bar: &str| {
        let of = table::cut(&sum.of, width);
        let pad = " ".repeat(width.saturating_sub(of.chars().count()));
        let blank = " ".repeat(cells.saturating_sub(bar.chars().count()));
        let numbers = [sum.ok, sum.rate_limited, sum.errors, sum.prompt_tokens, sum.completion_tokens].map(short);
        let [ok, limited, errors, tokens_in, tokens_out] = numbers;
        format!("{of}{pad}  {bar}{blank}  {ok:>6}  {limited:>5}  {errors:>5}  {tokens_in:>6}  {tokens_out:>6}")
    };
    let bars: Vec<String> = sums.iter().map(|sum| bar(sum.ok, most, cells)).collect();
    let lines = sums.iter().zip(&bars).map(|(sum, bar)| line(sum, bar));
    let mut lines = table::folded(std::iter::once(header).chain(lines).collect()).into_iter();
    let mut text = dim(&lines.next().unwrap_or_default()) + "\n";
    for (line, bar) in lines.zip(&bars) {
        let line = if bar.is_empty() { line } else { line.replacen(bar, &green(bar), 1) };
        text.push_str(&(line + "\n"));
    }
    let since = report.since.to_zoned(TimeZone::system()).strftime("Since %Y-%m-%d %H:%M").to_string();
    let forecast = footer(report, &since);
    // What is counted here has no mark in these columns, and the past has no forecast.
    let totals = forecast.lines().take_while(|line| !line.starts_with('~') && !line.starts_with("Forecast"));
    text + "\n" + &totals.map(|line| line.to_owned() + "\n").collect::<String>()
}

/// A bar to an eighth of a cell.
fn bar(amount: u64, most: u64, cells: usize) -> String {
    const PARTS: [&str; 8] = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
    let eighths = u128::from(amount) * (cells as u128) * 8 / u128::from(most.max(1));
    let eighths = usize::try_from(eighths).unwrap_or(0).max(usize::from(amount > 0));
    "█".repeat(eighths / 8) + PARTS[eighths % 8]
}

const fn word(by: By) -> &'static str {
    match by {
        By::Provider => "provider",
        By::Model => "model",
        By::Day => "day",
    }
}

fn rows(sums: &[Sum]) -> Vec<[String; 7]> {
    let row = |sum: &Sum| {
        let numbers = [sum.ok, sum.rate_limited, sum.errors, sum.failovers, sum.prompt_tokens, sum.completion_tokens];
        let [ok, limited, errors, failovers, tokens_in, tokens_out] = numbers.map(|number| number.to_string());
        [sum.of.clone(), ok, limited, errors, failovers, tokens_in, tokens_out]
    };
    sums.iter().map(row).collect()
}

fn documents(sums: &[Sum]) -> Vec<Value> {
    let document = |sum: &Sum| {
        json!({
            "of": sum.of,
            "ok": sum.ok,
            "rate_limited": sum.rate_limited,
            "errors": sum.errors,
            "failovers": sum.failovers,
            "prompt_tokens": sum.prompt_tokens,
            "completion_tokens": sum.completion_tokens,
        })
    };
    sums.iter().map(document).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_are_in_proportion_and_something_is_never_nothing() {
        assert_eq!(bar(100, 100, 4), "████");
        assert_eq!(bar(50, 100, 4), "██");
        assert_eq!(bar(1, 10_000, 4), "▏");
        assert_eq!((bar(0, 100, 4), bar(0, 0, 4)), (String::new(), String::new()));
    }
}

//! One line a model: the limit with the least left of it.

use std::fmt::Write as _;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::relay::{ModelUsage, Sums, UsageReport, WindowUsage};

use super::super::args::Usage;
use super::super::numbers::{grouped, short};
use super::super::output::{bold, dim};
use super::super::table;
use super::numbers::{BAR, LABEL, bar, label, mark, percent, wait};

/// More unused models of one provider than this are counted, not listed.
const MOST_UNUSED: usize = 5;

/// All columns but the model's id: gaps, label, bar, used, left, resets, ok, 429.
const FIXED: usize = 2 + 2 + LABEL + 2 + BAR + 2 + 5 + 2 + 6 + 2 + 7 + 2 + 4 + 2 + 3;

/// More columns where there is room: limit, tokens in and out, errors, source.
const EXTRA: usize = 2 + 6 + 2 + 6 + 2 + 6 + 2 + 4 + 2 + 7;

/// A model's id is not cut shorter than this to have all columns in one line, and to this where they are not.
const SHORTEST: usize = 12;
const ROOMY: usize = 24;

pub fn human(report: &UsageReport, usage: &Usage) -> String {
    let room = usize::from(table::width()).saturating_sub(FIXED);
    let wide = table::is_wide();
    let room = if wide { room.saturating_sub(EXTRA) } else { room };
    let longest = report.models.iter().map(|it| it.quota.model.chars().count()).max().unwrap_or(0);
    // Where not all columns stand in one line, the first of them have room.
    let most = if room < SHORTEST { ROOMY } else { room };
    let layout = Layout { model: longest.clamp(5, most), wide, now: report.as_of };
    let lines = std::iter::once(layout.header()).chain(report.models.iter().map(|it| layout.line(it)));
    let mut lines = table::folded(lines.collect()).into_iter();
    let header = lines.next().filter(|_| !report.models.is_empty());
    let mut text = header.map(|header| dim(&header) + "\n").unwrap_or_default();
    for group in report.models.chunk_by(|a, b| a.quota.provider == b.quota.provider) {
        text.push_str(&format!("{}\n", bold(&group[0].quota.provider)));
        let unused = group.iter().filter(|it| is_unused(it)).count();
        let folds = unused > MOST_UNUSED && usage.names.is_empty();
        let shown = group.iter().zip(lines.by_ref()).filter(|(it, _)| !(folds && is_unused(it)));
        text.extend(shown.map(|(_, line)| line + "\n"));
        if folds {
            text.push_str(&dim(&format!("  {unused} more, not used yet\n")));
        }
    }
    if report.models.is_empty() {
        text.push_str(if usage.exhausted { "Nothing is used up.\n" } else { "Nothing is set up.\n" });
    }
    text + "\n" + &footer(report, "Today")
}

/// Whether nothing was asked of it, and nothing counts against it.
fn is_unused(it: &ModelUsage) -> bool {
    it.counts.ok + it.counts.rate_limited + it.counts.errors == 0 && it.quota.windows.iter().all(|w| w.used == 0)
}

struct Layout {
    model: usize,
    wide: bool,
    now: Timestamp,
}

impl Layout {
    fn header(&self) -> String {
        let mut line = format!("{:<2$}  {:<LABEL$}", "MODEL", "TIGHTEST", self.model + 2);
        // The bar has no name of its own.
        _ = write!(line, "  {:BAR$}  {:>5}  {:>6}", "", "USED", "LEFT");
        if self.wide {
            _ = write!(line, "  {:>6}", "LIMIT");
        }
        _ = write!(line, "  {:>7}  {:>4}  {:>3}", "RESETS", "OK", "429");
        if self.wide {
            _ = write!(line, "  {:>4}  {:>6}  {:>6}  {:<7}", "FAIL", "IN", "OUT", "SOURCE");
        }
        line.trim_end().to_owned()
    }

    fn line(&self, it: &ModelUsage) -> String {
        let model = table::cut(&it.quota.model, self.model);
        let pad = " ".repeat(self.model.saturating_sub(model.chars().count()));
        let mut line = format!("  {model}{pad}");
        let counts = &it.counts;
        let tightest = binding(it).filter(|window| tells_all(it, window));
        match tightest {
            None => {
                let what = if it.quota.state == "ready" { "no published limit" } else { &*it.quota.state };
                _ = write!(line, "  {what:<0$}  {1:>6}", LABEL + 2 + BAR + 2 + 5, "-");
                if self.wide {
                    _ = write!(line, "  {:>6}", "-");
                }
                _ = write!(line, "  {:>7}", wait(it.quota.available_at, self.now));
            }
            Some(window) => self.window(&mut line, it, window),
        }
        _ = write!(line, "  {:>4}  {:>3}", short(counts.ok), short(counts.rate_limited));
        if self.wide {
            let source = tightest.map_or("-", |window| window.used_source.word());
            let [tokens_in, tokens_out] = [counts.prompt_tokens, counts.completion_tokens].map(short);
            _ = write!(line, "  {:>4}  {tokens_in:>6}  {tokens_out:>6}  {source:<7}", short(counts.errors));
        }
        line.trim_end().to_owned()
    }

    fn window(&self, line: &mut String, it: &ModelUsage, window: &WindowUsage) {
        let percent = percent(window);
        let used = format!("{}{percent}%", mark(window));
        let left = format!("{}{}", mark(window), short(window.remaining));
        _ = write!(line, "  {:<LABEL$}  {}  {used:>5}  {left:>6}", label(window.kind, window.period), bar(percent));
        if self.wide {
            _ = write!(line, "  {:>6}", short(window.limit));
        }
        // A rest may last longer than the window.
        let resets = it.quota.available_at.max(window.resets_at);
        _ = write!(line, "  {:>7}", wait(resets, self.now));
    }
}

/// Whether a window says how a model stands. One that rests, is gone, or whose key is bad cannot be used, however much is left.
fn tells_all(it: &ModelUsage, window: &WindowUsage) -> bool {
    match &*it.quota.state {
        "ready" => true,
        "limited" | "cooldown" => window.remaining == 0,
        _ => false,
    }
}

/// The window that `binding` names; of a model's and its account's the one with less left.
pub fn binding(it: &ModelUsage) -> Option<&WindowUsage> {
    let binding = it.binding?;
    let named = it.quota.windows.iter().filter(|window| (window.kind, window.period) == (binding.kind, binding.period));
    named.min_by_key(|window| u128::from(window.remaining) * 1_000_000 / u128::from(window.limit.max(1)))
}

/// The totals, and when the first model runs dry.
pub fn footer(report: &UsageReport, when: &str) -> String {
    let Sums { ok, rate_limited, errors, failovers, prompt_tokens, completion_tokens } = report.totals;
    let failed = if errors > 0 { format!("{} failed, ", grouped(errors)) } else { String::new() };
    let answered = format!(
        "{when}: {} answered, {} rate-limited, {failed}{} failed over,",
        grouped(ok),
        grouped(rate_limited),
        grouped(failovers),
    );
    let tokens = format!("{} tokens in, {} out.", short(prompt_tokens), short(completion_tokens));
    let fits = answered.chars().count() + 1 + tokens.len() <= usize::from(table::width());
    let mut text = format!("{}{}{tokens}\n", table::wrapped(&answered, 2), if fits { " " } else { "\n  " });
    let counted = report.models.iter().filter_map(binding).any(|window| !mark(window).is_empty());
    let mut remarks = Vec::new();
    if counted {
        remarks.push("~ counted here, the provider does not report it.".to_owned());
    }
    let first = report.models.iter().filter_map(|it| Some((it.exhausts_at?, it))).min_by_key(|(moment, _)| *moment);
    if let Some((moment, it)) = first {
        let time = moment.to_zoned(TimeZone::system()).strftime("%H:%M").to_string();
        remarks.push(format!("Forecast: {}/{} runs out ~{time}.", it.quota.provider, it.quota.model));
    }
    text.extend(remarks.iter().map(|remark| table::wrapped(remark, 2) + "\n"));
    text
}

/// For prompts and status bars: providers that can be used, and when the next one can.
pub fn line(report: &UsageReport) -> String {
    let models: Vec<&ModelUsage> = report.models.iter().filter(|it| it.quota.has_route()).collect();
    let groups: Vec<_> = models.chunk_by(|a, b| a.quota.provider == b.quota.provider).collect();
    let ready = groups.iter().filter(|group| group.iter().any(|it| it.quota.state == "ready")).count();
    let next = report.models.iter().filter(|it| it.quota.state != "ready").filter_map(|it| it.quota.available_at).min();
    let next = next.map(|moment| format!(", next reset {}", wait(Some(moment), report.as_of))).unwrap_or_default();
    format!("relay {ready}/{} ready{next}\n", groups.len())
}

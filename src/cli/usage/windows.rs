//! Every window of every model, for people and for programs.

use std::fmt::Write as _;

use console::measure_text_width;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::clock::until;
use crate::quota::Source;
use crate::relay::{ModelUsage, UsageReport, WindowUsage};

use super::super::exit::span;
use super::super::numbers::short;
use super::super::output::{bold, dim};
use super::super::table;
use super::numbers::{bar, label, mark, percent, wait};
use super::screen::{binding, footer};

pub const HEADER: [&str; 16] = [
    "provider",
    "model",
    "state",
    "kind",
    "period",
    "scope",
    "used",
    "limit",
    "remaining",
    "resets_at",
    "used_source",
    "limit_source",
    "binding",
    "ok",
    "rate_limited",
    "errors",
];

/// Where the source of a model's numbers is named.
const SOURCE_COLUMN: usize = 36;

pub fn human(report: &UsageReport) -> String {
    let blocks: Vec<String> = report.models.iter().map(|it| block(it, report.as_of)).collect();
    blocks.join("\n") + if blocks.is_empty() { "" } else { "\n" } + &footer(report, "Today")
}

fn block(it: &ModelUsage, now: Timestamp) -> String {
    let name = format!("{}/{}", it.quota.provider, it.quota.model);
    let source = it.quota.windows.iter().max_by_key(|window| window.observed_at).map(|window| heard(window, now));
    let state = if it.quota.state == "ready" { String::new() } else { format!("  {}", it.quota.state) };
    let mut text = headline(&name, &state, &source.unwrap_or_default());
    let label = |window: &WindowUsage| long_label(window, &it.quota.windows);
    let label_width = it.quota.windows.iter().map(|window| label(window).len()).chain(["failover".len()]).max();
    let label_width = label_width.unwrap_or(0);
    let tightest = binding(it).map(std::ptr::from_ref);
    let mut windows: Vec<&WindowUsage> = it.quota.windows.iter().collect();
    windows.sort_by_key(|window| window.period);
    let line = |window: &WindowUsage| {
        let of = format!("{}{} / {}", mark(window), short(window.used), short(window.limit));
        let resets = format!("resets {}", wait(window.resets_at, now));
        let is_tightest = tightest == Some(std::ptr::from_ref(window));
        let arrow = if is_tightest { "   <- binding" } else { "" };
        let line =
            format!("  {:<label_width$}  {}  {of:>15}   {resets:<14}{arrow}", label(window), bar(percent(window)));
        line.trim_end().to_owned()
    };
    text.extend(table::folded(windows.into_iter().map(line).collect()).iter().map(|line| format!("{line}\n")));
    if it.quota.windows.is_empty() && it.quota.has_route() {
        text.push_str("  no published limit\n");
    }
    text + &counts(it, label_width)
}

/// What became of its requests.
fn counts(it: &ModelUsage, label_width: usize) -> String {
    let mut text = String::new();
    let counts = &it.counts;
    let [tokens_in, tokens_out] = [counts.prompt_tokens, counts.completion_tokens].map(short);
    let told = format!(
        "{} ok, {} rate-limited, {} failed, {tokens_in} tokens in, {tokens_out} out",
        counts.ok, counts.rate_limited, counts.errors
    );
    _ = writeln!(text, "  {:<label_width$}  {}", "today", table::wrapped(&told, 2 + label_width + 2));
    if counts.failover_out + counts.failover_in > 0 {
        _ = writeln!(
            text,
            "  {:<label_width$}  left {}, arrived {}",
            "failover",
            table::counted(counts.failover_out, "time"),
            table::counted(counts.failover_in, "time")
        );
    }
    text
}

/// The model, and who says so: beside it where there is room, else below.
fn headline(name: &str, state: &str, source: &str) -> String {
    let gap = SOURCE_COLUMN.saturating_sub(measure_text_width(name) + measure_text_width(state)).max(2);
    let fits = measure_text_width(name) + measure_text_width(state) + gap + source.len() <= table::width().into();
    let source = match () {
        () if source.is_empty() => String::new(),
        () if fits => dim(&format!("{}{source}", " ".repeat(gap))),
        () => format!("\n  {}", dim(&table::wrapped(source, 2))),
    };
    format!("{}{state}{source}\n", bold(name))
}

/// Where two limits differ in nothing but whom they count, that is said too.
fn long_label(window: &WindowUsage, all: &[WindowUsage]) -> String {
    let of = |window: &WindowUsage| (window.kind, window.period);
    let is_alone = all.iter().filter(|other| of(other) == of(window)).count() == 1;
    let scope = if is_alone { String::new() } else { format!(" per {}", window.scope.word()) };
    label(window.kind, window.period).replace("/min", "/minute").replace("/sec", "/second") + &scope
}

/// Who says so, and since when.
fn heard(window: &WindowUsage, now: Timestamp) -> String {
    let who = match window.used_source.max(window.limit_source) {
        Source::Header => "response headers",
        Source::Error => "a refusal",
        Source::User => "your own limits, counted here",
        Source::Docs | Source::Counted => "the provider's page, counted here",
    };
    let ago =
        window.observed_at.map(|moment| format!(", {} ago", span(until(moment, now).as_secs()))).unwrap_or_default();
    format!("source: {who}{ago}")
}

/// One row a window; a model without any has one with empty cells.
pub fn rows(report: &UsageReport) -> Vec<[String; 16]> {
    report.models.iter().flat_map(model_rows).collect()
}

fn model_rows(it: &ModelUsage) -> Vec<[String; 16]> {
    let tightest = binding(it).map(std::ptr::from_ref);
    let of = |window: &WindowUsage| {
        let is_binding = tightest == Some(std::ptr::from_ref(window));
        row(it, window_cells(window, if is_binding { "binding" } else { "" }))
    };
    if it.quota.windows.is_empty() {
        vec![row(it, std::array::from_fn(|_| String::new()))]
    } else {
        it.quota.windows.iter().map(of).collect()
    }
}

fn row(it: &ModelUsage, window: [String; 10]) -> [String; 16] {
    let (quota, counts) = (&it.quota, &it.counts);
    let [kind, period, scope, used, limit, remaining, resets_at, used_source, limit_source, is_binding] = window;
    let [ok, limited, errors] = [counts.ok, counts.rate_limited, counts.errors].map(|count| count.to_string());
    let (provider, model, state) = (quota.provider.clone(), quota.model.clone(), quota.state.to_string());
    [
        provider,
        model,
        state,
        kind,
        period,
        scope,
        used,
        limit,
        remaining,
        resets_at,
        used_source,
        limit_source,
        is_binding,
        ok,
        limited,
        errors,
    ]
}

fn window_cells(window: &WindowUsage, binding: &str) -> [String; 10] {
    [
        window.kind.word().to_owned(),
        window.period.word().to_owned(),
        window.scope.word().to_owned(),
        window.used.to_string(),
        window.limit.to_string(),
        window.remaining.to_string(),
        window.resets_at.map(|moment| moment.to_string()).unwrap_or_default(),
        window.used_source.word().to_owned(),
        window.limit_source.word().to_owned(),
        binding.to_owned(),
    ]
}

/// One document a model.
pub fn documents(report: &UsageReport) -> Vec<Value> {
    report.models.iter().map(|it| json!(it)).collect()
}

//! The demo's story in words.

use std::time::Duration;

use crate::answer::Attempt;
use crate::chat::Fault;
use crate::cli::numbers::elapsed;
use crate::cli::output::{bold, dim, green, yellow};
use crate::cli::setup::Core;
use crate::cli::table;

use super::asking::Told;

/// Stands before what is told of a question.
const INDENT: usize = 5;

pub fn beginning(providers: &[&str]) -> String {
    let text = format!(
        "{} simulated providers answer on this machine: {}. Their limits are real, and so are their failures. Nothing leaves it.",
        providers.len(),
        providers.join(", ")
    );
    table::wrapped(&text, 0) + "\n"
}

pub fn title(number: usize, title: &str) -> String {
    format!("\n{}\n", bold(&format!("{number}. {title}")))
}

pub fn question(text: &str) -> String {
    format!("   {text}\n")
}

/// What went wrong on the way, the answer in a line, and who gave it.
pub fn answer(told: &Told, core: &Core) -> String {
    let blank = " ".repeat(INDENT);
    let mut lines: Vec<String> = Vec::new();
    if let Some(waited) = told.waited {
        let seconds = waited.as_secs_f64();
        lines.push(yellow(&format!("{} {}: relay waited {seconds:.1}s", provider(told.route()), limit(told, core))));
    }
    lines.extend(told.attempts.iter().filter_map(trouble));
    let words = told.text.split_whitespace().collect::<Vec<_>>().join(" ");
    lines.push(table::cut(&words, usize::from(table::width()).saturating_sub(INDENT)));
    lines.push(dim(&format!("{} in {}", green(provider(told.route())), elapsed(told.took))));
    format!("{blank}{}\n", lines.join(&format!("\n{blank}")))
}

fn trouble(attempt: &Attempt) -> Option<String> {
    let what = match attempt.fault.as_ref()? {
        Fault::Busy { .. } => "has no requests left for this minute (429)".to_owned(),
        Fault::Spent { .. } => "has no requests left for today (429)".to_owned(),
        Fault::Cut => "broke off in the middle; the next one goes on from there".to_owned(),
        other => format!("failed ({})", other.word()),
    };
    Some(yellow(&format!("{} {what}", provider(&attempt.route))))
}

/// The limit that everybody waits for, in words.
fn limit(told: &Told, core: &Core) -> String {
    let fleet = &core.relay.fleet;
    let route = fleet.routes.iter().find(|route| *route.name == *told.route());
    let limits = route.into_iter().flat_map(|route| &route.meters).map(|meter| &fleet.meter_spec(*meter).limit);
    let shortest = limits.min_by_key(|limit| limit.period);
    shortest.map_or_else(
        || "had nothing left".to_owned(),
        |limit| format!("allows {} a {}", table::counted(limit.amount, "request"), limit.period.word()),
    )
}

/// What is left, and what the story came to.
pub fn end(usage: &str, told: &[Told], took: Duration) -> String {
    let failures: usize = told.iter().map(Told::failures).sum();
    format!(
        "{}\n{usage}\n{} of {} questions answered, {} on the way that nobody had to see ({}).\n\n\
         Next: relay init   |   relay ask --simulate \"hello\"   |   relay serve --simulate\n",
        title(4, "What is left"),
        told.len(),
        told.len(),
        table::counted(failures, "failure"),
        elapsed(took)
    )
}

fn provider(route: &str) -> &str {
    route.split('/').next().unwrap_or(route)
}

//! Marks, labels, spans and bars of the usage screens, short enough for a column.

use jiff::Timestamp;

use crate::chat::Period;
use crate::clock::until;
use crate::quota::{Kind, Source};
use crate::relay::WindowUsage;

use super::super::exit::span;
use super::super::output::{green, red, yellow};

/// Cells of the longest label, `unit/month`.
pub const LABEL: usize = 10;

/// Cells of a bar.
pub const BAR: usize = 10;

/// `~` before a number that nobody but relay counts.
pub fn mark(window: &WindowUsage) -> &'static str {
    if window.used_source == Source::Counted { "~" } else { "" }
}

pub fn percent(window: &WindowUsage) -> u64 {
    let share = u128::from(window.used) * 100 / u128::from(window.limit.max(1));
    u64::try_from(share).unwrap_or(100).min(100)
}

/// `##........`, painted by how much is left.
pub fn bar(percent: u64) -> String {
    let full = usize::try_from(percent).unwrap_or(100).div_ceil(100 / BAR).min(BAR);
    let drawn = format!("{}{}", "#".repeat(full), ".".repeat(BAR - full));
    match percent {
        ..70 => green(&drawn),
        70..95 => yellow(&drawn),
        _ => red(&drawn),
    }
}

/// `req/day`.
pub fn label(kind: Kind, period: Period) -> String {
    let kind = match kind {
        Kind::Requests => "req",
        Kind::Tokens => "tok",
        Kind::InputTokens => "in",
        Kind::Units => "unit",
    };
    let period = match period {
        Period::Second => "sec",
        Period::Minute => "min",
        longer => longer.word(),
    };
    format!("{kind}/{period}")
}

/// The time until a moment; `-` where none is known.
pub fn wait(moment: Option<Timestamp>, now: Timestamp) -> String {
    moment.map_or_else(|| "-".to_owned(), |moment| days(until(now, moment).as_secs()))
}

/// Past two days nobody counts hours.
fn days(seconds: u64) -> String {
    if seconds >= 48 * 3_600 { format!("{}d", seconds / 86_400) } else { span(seconds) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn past_two_days_nobody_counts_hours() {
        assert_eq!(days(3 * 86_400 + 7), "3d");
    }
}

//! Numbers, spans and bars of the usage screens, short enough for a column.

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

/// `980`, `9.8k`, `98k`, `1.9M`.
pub fn short(number: u64) -> String {
    const STEPS: [(u64, &str); 3] = [(1_000_000_000, "G"), (1_000_000, "M"), (1_000, "k")];
    let Some((size, unit)) = STEPS.into_iter().find(|(size, _)| number >= *size) else { return number.to_string() };
    let tenths = number / (size / 10);
    if tenths < 100 { format!("{}.{}{unit}", tenths / 10, tenths % 10) } else { format!("{}{unit}", number / size) }
}

/// `1 413`: whole, in groups of three.
pub fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let head = digits.len() % 3;
    let groups = digits.as_bytes()[head..].chunks(3).map(|group| group.escape_ascii().to_string());
    let first = (head > 0).then(|| digits[..head].to_owned());
    first.into_iter().chain(groups).collect::<Vec<_>>().join(" ")
}

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
    fn numbers_are_short_and_never_rounded_up() {
        let cases =
            [(0, "0"), (999, "999"), (2_049, "2.0k"), (98_765, "98k"), (1_950_000, "1.9M"), (12_000_000, "12M")];
        for (number, text) in cases {
            assert_eq!(short(number), text);
        }
        assert_eq!([7, 1_413, 1_000_000].map(grouped), ["7", "1 413", "1 000 000"]);
        assert_eq!(days(3 * 86_400 + 7), "3d");
    }
}

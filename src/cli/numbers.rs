//! Numbers and times as people read them.

use std::time::Duration;

use super::exit::span;

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

/// `188ms`, `1.1s`, `1m12s`.
pub fn elapsed(time: Duration) -> String {
    match time.as_secs() {
        0 => format!("{}ms", time.as_millis()),
        1..60 => format!("{:.1}s", time.as_secs_f64()),
        seconds => span(seconds),
    }
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
        assert_eq!(
            [188, 1_149, 72_000].map(|millis| elapsed(Duration::from_millis(millis))),
            ["188ms", "1.1s", "1m12s"]
        );
    }
}

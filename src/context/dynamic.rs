//! The mode `dynamic`: a conversation's share of the budget follows what its last turns took.

/// The settings of the mode.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dynamic {
    /// The part of the budget that turns should take on average.
    pub utilization_target: f64,
    /// No turn gets less than this part of the budget.
    pub min_utilization: f64,
    /// Turns below the target get at most so many times the target.
    pub max_boost: f64,
}

/// How many turns the average is taken over.
pub const TURNS: usize = 10;

/// Tokens a conversation may take of `budget`, after turns that took so many tokens each.
///
/// Below the target, the share grows by as much as the average stayed below; above, it shrinks alike.
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "tokens are far below 2^52, and what is converted back lies between zero and the budget"
)]
pub fn share(budget: u64, history: &[u64], settings: Dynamic) -> u64 {
    let target = budget as f64 * settings.utilization_target;
    let turns = &history[history.len().saturating_sub(TURNS)..];
    let average = turns.iter().sum::<u64>() as f64 / turns.len().max(1) as f64;
    let share = if turns.is_empty() || average <= 0.0 {
        target
    } else if average < target {
        target * settings.max_boost.min(target / average)
    } else {
        target * target / average
    };
    let least = budget as f64 * settings.min_utilization.min(1.0);
    share.clamp(least, budget as f64).round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_share_follows_the_average() {
        let settings = Dynamic { utilization_target: 0.8, min_utilization: 0.3, max_boost: 1.5 };
        let cases: [(&[u64], u64); 8] = [
            (&[], 8_000),
            (&[4_000], 10_000),
            (&[9_600], 6_667),
            (&[8_000], 8_000),
            (&[7_000], 9_143),
            (&[100_000], 3_000),
            (&[4_000, 15_200], 6_667),
            (&[1, 9_600, 9_600, 9_600, 9_600, 9_600, 9_600, 9_600, 9_600, 9_600, 9_600], 6_667),
        ];
        for (last, expected) in cases {
            assert_eq!(share(10_000, last, settings), expected, "{last:?}");
        }
        assert_eq!(share(10_000, &[5_000], Dynamic { max_boost: 1.2, ..settings }), 9_600);
        assert_eq!(share(0, &[5], settings), 0);
    }
}

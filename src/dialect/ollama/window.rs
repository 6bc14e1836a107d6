//! The context a request asks the server for: large enough that no prompt is cut, seldom another than before.

use crate::dialect::Target;

/// What every prompt gets, so that short chats all run in one size.
const LEAST: u64 = 4096;

/// Room for an answer whose length the caller leaves open.
const LEAST_ANSWER: u64 = 1024;

/// Kept beside the estimate for the chat template's own words.
const MARGIN: u64 = 256;

/// The `num_ctx` for a request: prompt, answer and margin, rounded up to a step, within the model's context.
pub fn size(target: Target<'_>, max_tokens: Option<u64>) -> u64 {
    let answer = max_tokens.unwrap_or(LEAST_ANSWER).max(target.answer_tokens);
    // Most local models' vocabularies are smaller than the one tokens are counted with, and split text finer.
    let prompt = target.input_tokens.saturating_add(target.input_tokens / 4);
    let needed = prompt.saturating_add(answer).saturating_add(MARGIN);
    if needed >= target.context { target.context } else { step(needed.max(LEAST)).min(target.context) }
}

/// The next power of two, or three quarters of it. The server loads the model anew for every other size (2026-08),
/// so a growing conversation passes few of them.
fn step(tokens: u64) -> u64 {
    let power = tokens.checked_next_power_of_two().unwrap_or(u64::MAX);
    let between = power / 4 * 3;
    if tokens <= between { between } else { power }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dialect::Wire;

    fn sized(context: u64, input_tokens: u64, answer_tokens: u64, max_tokens: Option<u64>) -> u64 {
        let wire = Wire::default();
        size(Target { model: "m", wire: &wire, thinks: true, context, input_tokens, answer_tokens }, max_tokens)
    }

    #[test]
    fn sizes_grow_in_few_steps_between_the_least_and_the_models_own() {
        let cases = [
            (131_072, 1, 1, None, 4096),
            (131_072, 2000, 100, None, 4096),
            (131_072, 2300, 100, None, 6144),
            (131_072, 5000, 100, None, 8192),
            (131_072, 5000, 100, Some(4000), 12_288),
            (131_072, 10, 4000, Some(8000), 12_288),
            (131_072, 120_000, 100, None, 131_072),
            (40_960, 20_000, 100, None, 32_768),
            (40_960, 30_000, 100, None, 40_960),
            (2048, 10, 10, None, 2048),
            (u64::MAX, u64::MAX, u64::MAX, None, u64::MAX),
        ];
        for (context, input, answer, most, size) in cases {
            assert_eq!(sized(context, input, answer, most), size, "{input} in {context}, answer {answer} {most:?}");
        }
    }

    #[test]
    fn whatever_is_asked_fits_unless_the_model_is_too_small() {
        for input in (0..200_000).step_by(977) {
            let size = sized(131_072, input, 500, Some(700));
            assert!(size >= (input + 700).min(131_072) && size <= 131_072, "{input}: {size}");
        }
    }
}

//! How a provider's answers depart from OpenAI's own: where usage stands, how thoughts and tool calls are written.

use super::spec::UsageAt;

const DIGITS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// The habits of one provider that writes completions and chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Habits {
    pub usage_at: UsageAt,
    pub thoughts: Thoughts,
    /// Streamed tool calls have their `index`.
    pub indexed: bool,
    /// A streamed tool call comes in one piece.
    pub whole_calls: bool,
    /// Tool call ids are nine letters and digits.
    pub short_ids: bool,
    /// Written before the first event.
    pub before_stream: &'static str,
    /// Written before the JSON of a plain answer.
    pub before_json: &'static str,
    /// Fields of every body and chunk, each with a comma before it.
    pub beside: &'static str,
    /// Fields of every choice that has a finish reason.
    pub at_finish: &'static str,
    /// Fields of the plain body and of the chunk with the finish reason.
    pub at_end: &'static str,
    /// Fields of the usage object.
    pub in_usage: &'static str,
    /// Fields of every message and first delta.
    pub in_message: &'static str,
}

/// How thoughts are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thoughts {
    /// A field of the message by this name.
    Field(&'static str),
    /// `reasoning`, and the same in `reasoning_details`.
    Details,
    /// The content becomes a list of chunks.
    Chunks,
}

impl Habits {
    /// No habits but a place for usage.
    pub(super) const fn plain(usage_at: UsageAt) -> Self {
        Self {
            usage_at,
            thoughts: Thoughts::Field("reasoning_content"),
            indexed: true,
            whole_calls: false,
            short_ids: false,
            before_stream: "",
            before_json: "",
            beside: "",
            at_finish: "",
            at_end: "",
            in_usage: "",
            in_message: r#","refusal":null"#,
        }
    }

    /// As most of the real ones write: without OpenAI's `refusal`, which several of them would not take back.
    pub(super) const fn bare(usage_at: UsageAt) -> Self {
        Self { in_message: "", ..Self::plain(usage_at) }
    }

    /// The id of a tool call.
    pub(super) fn call_id(self, salt: u64) -> String {
        if !self.short_ids {
            return format!("call_sim{salt:016x}");
        }
        let digit = |place: u32| usize::try_from(salt / 62_u64.pow(place) % 62).unwrap_or_default();
        (0..9).map(|place| char::from(DIGITS[digit(place)])).collect()
    }
}

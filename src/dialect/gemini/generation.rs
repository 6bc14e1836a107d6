//! Sampling, length, format and thinking: the caller's fields under Google's names.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::chat::Fault;

use super::encode::Fields;
use super::model::{Model, ThinkingControl};

/// Google takes five; a caller of OpenAI's API has at most four.
const MOST_STOPS: usize = 5;

/// Thinking counts against the answer's tokens: below this many it is kept short, or the answer would be empty.
const FEW_TOKENS: u64 = 2048;

/// What Google's own OpenAI surface makes of `reasoning_effort` for Gemini 2.5 (2025-06).
const SMALL_BUDGET: u32 = 1024;
const MEDIUM_BUDGET: u32 = 8192;
const LARGE_BUDGET: u32 = 24_576;
/// The least of a model that cannot stop thinking.
const LEAST_BUDGET: u32 = 128;

/// Numbers go out as the caller wrote them.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GenerationConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    temperature: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_p: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    top_k: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    stop_sequences: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    seed: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    candidate_count: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    presence_penalty: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    frequency_penalty: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'a RawValue>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
struct ThinkingConfig {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    include_thoughts: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_budget: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_level: Option<&'static str>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Stop {
    One(String),
    Several(Vec<String>),
}

#[derive(Deserialize)]
struct Format<'a> {
    #[serde(borrow)]
    r#type: std::borrow::Cow<'a, str>,
    #[serde(borrow, default)]
    json_schema: Option<NamedSchema<'a>>,
}

#[derive(Deserialize)]
struct NamedSchema<'a> {
    #[serde(borrow, default)]
    schema: Option<&'a RawValue>,
}

impl<'a> GenerationConfig<'a> {
    pub fn read(fields: &Fields<'a>, model: Model<'_>) -> Result<Self, Fault> {
        let format: Option<Format<'a>> = fields.read("response_format", "an object with a `type`")?;
        let (response_mime_type, response_json_schema) = format.map_or((None, None), json_format);
        let effort: Option<String> = fields.read("reasoning_effort", "a string")?;
        let max_output_tokens = fields.raw("max_completion_tokens").or_else(|| fields.raw("max_tokens"));
        let most_tokens = max_output_tokens.and_then(|most| most.get().parse().ok());
        Ok(Self {
            temperature: fields.raw("temperature"),
            top_p: fields.raw("top_p"),
            top_k: fields.raw("top_k"),
            max_output_tokens,
            stop_sequences: stops(fields.read("stop", "a string or a list of strings")?),
            seed: fields.raw("seed").and_then(|seed| folded(seed.get())),
            // Models that give one answer only refuse more than one; another route may give them.
            candidate_count: fields.read("n", "a whole number")?.filter(|count| *count > 1),
            presence_penalty: fields.raw("presence_penalty"),
            frequency_penalty: fields.raw("frequency_penalty"),
            response_mime_type,
            response_json_schema,
            thinking_config: thinking(effort.as_deref(), most_tokens, model),
        })
    }

    pub fn wants_json(&self) -> bool {
        self.response_mime_type.is_some()
    }

    pub fn is_empty(&self) -> bool {
        serde_json::to_string(self).is_ok_and(|json| json == "{}")
    }
}

fn json_format(format: Format<'_>) -> (Option<&'static str>, Option<&RawValue>) {
    match format.r#type.as_ref() {
        "json_object" => (Some("application/json"), None),
        "json_schema" => (Some("application/json"), format.json_schema.and_then(|named| named.schema)),
        _ => (None, None),
    }
}

fn stops(stop: Option<Stop>) -> Vec<String> {
    let mut stops = match stop {
        None => Vec::new(),
        Some(Stop::One(stop)) => vec![stop],
        Some(Stop::Several(stops)) => stops,
    };
    stops.retain(|stop| !stop.is_empty());
    stops.truncate(MOST_STOPS);
    stops
}

/// Google's seed has 32 bits; a larger one is folded, so that equal seeds stay equal. What is no whole number is left out.
fn folded(seed: &str) -> Option<i64> {
    let seed: i128 = seed.parse().ok()?;
    let fits = i32::try_from(seed).map(i64::from);
    fits.or_else(|_| i64::try_from(seed.rem_euclid(i128::from(i32::MAX)))).ok()
}

/// How much to think, and whether to show it. Thoughts are asked for only where the caller speaks of reasoning; where a
/// model's own settings are not known, nothing is sent.
fn thinking(effort: Option<&str>, most_tokens: Option<u64>, model: Model<'_>) -> Option<ThinkingConfig> {
    let effort = match effort {
        Some(effort) => effort,
        None if most_tokens.is_some_and(|most| most < FEW_TOKENS) => "none",
        None => return None,
    };
    let include_thoughts = !matches!(effort, "none" | "minimal");
    match model.thinking_control() {
        ThinkingControl::None => None,
        ThinkingControl::Level => {
            let level = match effort {
                // Some models refuse `minimal` (3.1 Pro, 3.7 Flash; 2026-10), all know `low`.
                "none" | "minimal" | "low" => Some("low"),
                "medium" => model.knows_medium_thinking().then_some("medium"),
                "high" | "xhigh" | "max" | "ultra" => Some("high"),
                _ => return None,
            };
            Some(ThinkingConfig { include_thoughts, thinking_level: level, ..ThinkingConfig::default() })
        }
        ThinkingControl::Budget { can_be_off } => {
            let budget = match effort {
                "none" if can_be_off => 0,
                "none" => LEAST_BUDGET,
                "minimal" | "low" => SMALL_BUDGET,
                "medium" => MEDIUM_BUDGET,
                "high" | "xhigh" | "max" | "ultra" => LARGE_BUDGET,
                _ => return None,
            };
            Some(ThinkingConfig { include_thoughts, thinking_budget: Some(budget), ..ThinkingConfig::default() })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thinking_is_told_in_each_generations_own_way() {
        let cases = [
            (Some("high"), None, "gemini-3.5-flash", r#"{"includeThoughts":true,"thinkingLevel":"high"}"#),
            (Some("none"), None, "gemini-3.5-flash", r#"{"thinkingLevel":"low"}"#),
            (Some("medium"), None, "gemini-3-pro-preview", r#"{"includeThoughts":true}"#),
            (None, Some(100), "gemini-3.5-flash", r#"{"thinkingLevel":"low"}"#),
            (None, Some(100), "gemini-2.5-flash", r#"{"thinkingBudget":0}"#),
            (Some("none"), None, "gemini-2.5-pro", r#"{"thinkingBudget":128}"#),
            (Some("medium"), Some(100), "gemini-2.5-pro", r#"{"includeThoughts":true,"thinkingBudget":8192}"#),
            (None, Some(100_000), "gemini-3.5-flash", "null"),
            (None, None, "gemini-3.5-flash", "null"),
            (Some("high"), None, "gemma-4-31b-it", "null"),
            (Some("high"), None, "gemini-flash-latest", "null"),
            (Some("weird"), None, "gemini-3.5-flash", "null"),
        ];
        for (effort, most, model, expected) in cases {
            let json = serde_json::to_string(&thinking(effort, most, Model::of(model))).expect("plain values");
            assert_eq!(json, expected, "{effort:?} {most:?} {model}");
        }
    }

    #[test]
    fn a_large_seed_is_folded_and_stays_the_same() {
        assert_eq!((folded("7"), folded("-7"), folded("1.5")), (Some(7), Some(-7), None));
        assert_eq!(folded("12345678901234567890"), folded("12345678901234567890"));
        assert!(folded("12345678901234567890").is_some_and(|seed| (0..=i64::from(i32::MAX)).contains(&seed)));
    }
}

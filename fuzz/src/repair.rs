//! Mended JSON: valid, mended for good, and left alone where nothing was wrong.

use relay::style::json::repaired;

use super::is_json;

/// Mends `input` as a model's answer in JSON mode.
pub fn repair(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let Some(json) = repaired(&text) else { return };
    assert!(!is_json(text.as_bytes()), "it was valid: {text:?}");
    assert!(is_json(json.as_bytes()), "it is no JSON: {json:?} of {text:?}");
    assert_eq!(repaired(&json), None, "mended twice: {text:?}");
}

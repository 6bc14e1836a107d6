//! Refusals of a place: they say nothing about the key or the model, and end when the machine's address is another.

/// How providers say it, in small letters: OpenAI and those like it, Google, Anthropic, Cloudflare's 1009 (2025-01 to 2026-10).
const PHRASES: [&str; 9] = [
    "country, region, or territory not supported",
    "user location is not supported",
    "not available in your country",
    "not available in your region",
    "not supported in your country",
    "not supported in your region",
    "unsupported country",
    "country or region your ip address",
    "error code: 1009",
];

/// Whether a refusal's message says that this country or region is not served.
pub fn is_refused(status: u16, message: &str) -> bool {
    let message = message.to_ascii_lowercase();
    matches!(status, 400 | 401 | 403) && PHRASES.iter().any(|phrase| message.contains(phrase))
}

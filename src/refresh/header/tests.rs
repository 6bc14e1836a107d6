//! Headers as pages write them, and what each means.

use super::*;

fn short(text: &str) -> String {
    match meaning(text) {
        Meaning::Is(column) => format!("{column:?}"),
        Meaning::Limit { unit, tier } => {
            let counted = unit.counted.map_or("?", Counted::word);
            let per = unit.per.map_or("?", crate::chat::Period::word);
            format!("{counted}/{per}{}", tier.map_or(String::new(), |tier| format!(" {tier}")))
        }
        Meaning::Series { units, tier } => {
            let units: Vec<String> = units
                .iter()
                .map(|unit| {
                    let per = unit.per.map_or("?", crate::chat::Period::word);
                    format!("{}/{per}", unit.counted.map_or("?", Counted::word))
                })
                .collect();
            format!("{}{}", units.join(" "), tier.map_or(String::new(), |tier| format!(" {tier}")))
        }
        Meaning::Tier(tier) => format!("tier {tier}"),
        other => format!("{other:?}"),
    }
}

#[test]
fn headers_mean_what_their_words_say() {
    for (header, means) in [
        ("MODEL ID", "ModelId"),
        ("Model", "Model"),
        ("RPM", "requests/minute"),
        ("Requests per minute (RPM)", "requests/minute"),
        ("Requests / min", "requests/minute"),
        ("Queries per minute", "requests/minute"),
        ("Max requests per day", "requests/day"),
        ("Daily request limit", "requests/day"),
        ("Rate limit (RPM)", "requests/minute"),
        ("Rate limits (RPM)", "requests/minute"),
        ("Tokens/min", "tokens/minute"),
        ("Tokens per minute (input)", "tokens/minute"),
        ("ITPM", "input_tokens/minute"),
        ("Requests per minute per key", "requests/minute"),
        ("Trial rate limit", "?/? Trial"),
        ("RATE LIMITS (DEVELOPER PLAN)", "?/? Developer"),
        ("Free RPM", "requests/minute Free"),
        ("RPM (Free tier)", "requests/minute Free"),
        ("Free", "tier Free"),
        ("Copilot Free", "tier Copilot Free"),
        ("Tier 1", "tier Tier 1"),
        ("Rate limit tier", "Tier"),
        ("Rate limits", "Metric"),
        ("Limit", "Value"),
        ("CONTEXT WINDOW (TOKENS)", "Context"),
        ("Concurrent requests", "concurrent_requests/?"),
        ("Tokens per request", "tokens_per_request/?"),
        ("SPEED (T/SEC)", "Other"),
        ("PRICE PER 1M TOKENS", "Other"),
        ("MAX COMPLETION TOKENS", "output_tokens/?"),
        ("Batch Enqueued Tokens", "Other"),
        ("Header", "Other"),
        ("x-ratelimit-limit-requests", "Other"),
        ("Free Tier LimitsDeveloper Tier Limits", "Ambiguous"),
        ("RPM / TPM", "requests/minute tokens/minute"),
        ("Free (RPM / RPD)", "requests/minute requests/day Free"),
        ("Rate limits (RPM | TPM)", "requests/minute tokens/minute"),
        ("Requests per minute / day", "Ambiguous"),
        ("RPM and TPM", "Ambiguous"),
        ("RPM / RPM", "requests/minute"),
        ("Tokens/request (in/out)", "tokens_per_request/?"),
        ("Tokens per second", "Other"),
        ("Tokens/min (limit)", "tokens/minute"),
        ("Copilot tier", "Tier"),
        ("Anfragen pro Minute", "requests/minute"),
        ("Tokens pro Tag (TPD)", "tokens/day"),
        ("1分あたりのリクエスト数 (RPM)", "requests/minute"),
        ("每分钟请求数", "requests/minute"),
        ("模型", "Model"),
        ("", "Nothing"),
        ("RPM (with billing)", "Qualified"),
        ("RPD (batch)", "Qualified"),
        ("RPM (burst)", "Qualified"),
        ("RPM (used)", "Qualified"),
        ("RPM (remaining)", "Qualified"),
        ("RPM (legacy)", "Qualified"),
        ("RPM (from July 1)", "Qualified"),
        ("TPM (output)", "Qualified"),
        ("TPM (cached)", "Qualified"),
        ("Requests (per 10 s)", "Qualified"),
        ("Limit (burst)", "Qualified"),
        ("TPM (input + output)", "tokens/minute"),
        ("Tokens (per minute, input + output)", "tokens/minute"),
        ("RPM (hard limit)", "requests/minute"),
        ("RPD (resets at midnight UTC)", "requests/day"),
        ("RPM (max)", "requests/minute"),
        ("RPM (1)", "requests/minute"),
        ("RPM (i)", "requests/minute"),
        ("RPM [i]", "requests/minute"),
        ("RPM ⓘ", "requests/minute"),
        ("RPM ℹ", "requests/minute"),
        ("RPM*", "requests/minute"),
        ("RPM¹", "requests/minute"),
        ("RPM\u{1f}info\u{1f}", "requests/minute"),
        ("Model ⓘ", "Model"),
        ("RPM info", "Qualified"),
        ("Requests per 60-second window", "requests/minute"),
        ("Requests per rolling 24-hour window", "requests/day"),
        ("Tokens per calendar day", "tokens/day"),
        ("Requests per rolling 5-hour window", "Qualified"),
        ("TPM（每分钟 Token 数）", "tokens/minute"),
        ("RPD（リクエスト/日）", "requests/day"),
        ("RPM（バースト）", "Qualified"),
        ("Total TPM", "tokens/minute"),
        ("Min tokens", "Qualified"),
        ("Min. output tokens", "Qualified"),
        ("Min requests", "Qualified"),
        ("Min RPM", "Qualified"),
        ("Min requests per day", "Qualified"),
        ("Requests (min)", "Qualified"),
        ("Requests Min", "Qualified"),
        ("Requests (max)", "requests/?"),
        ("Requests (per min)", "requests/minute"),
        ("Req/min", "requests/minute"),
    ] {
        assert_eq!(short(header), means, "{header}");
    }
}

//! What refusals mean, by those of named providers.

use super::*;

/// Real-shaped refusals of named providers: provider, status, headers, body, word, scope, seconds until it may be tried.
const ROWS: &str = include_str!("../../../../tests/fixtures/classify.tsv");

#[test]
fn refusals_of_every_provider_mean_what_they_should() {
    let now: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a moment");
    let mut count = 0;
    for line in ROWS.lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let columns: Vec<&str> = line.split('\t').collect();
        let [provider, status, pairs, body, word, scope, seconds] = columns[..] else {
            panic!("seven columns: {line}")
        };
        let mut headers = HeaderMap::new();
        for (name, value) in pairs.split("; ").filter_map(|pair| pair.split_once(": ")) {
            headers.insert(
                http::HeaderName::from_bytes(name.as_bytes()).expect("a name"),
                value.parse().expect("a value"),
            );
        }
        let fault = classify(status.parse().expect("a status"), &headers, body.as_bytes(), now);
        let told_scope = match &fault {
            Fault::Busy { scope: Some(scope), .. } | Fault::Spent { scope: Some(scope), .. } => {
                format!("{scope:?}").to_lowercase()
            }
            _ => "-".to_owned(),
        };
        let told_wait = fault.until().map_or("-".to_owned(), |moment| until(now, moment).as_secs().to_string());
        assert_eq!(
            (fault.word().as_str(), told_scope.as_str(), told_wait.as_str()),
            (word, scope, seconds),
            "{provider} {status} {body}"
        );
        count += 1;
    }
    assert!(count >= 80, "{count} rows");
}

#[test]
fn a_context_told_in_words_is_learned_with_what_was_asked_of_it() {
    let told = |message: &str| {
        let body = format!(r#"{{"error":{{"message":"{message}","code":"context_length_exceeded"}}}}"#);
        classify(400, &HeaderMap::new(), body.as_bytes(), Timestamp::UNIX_EPOCH)
    };
    let too_long = |needed, context| Fault::Unfit(Unfit::ContextTooLong { needed, context });
    let openai = "This model's maximum context length is 8192 tokens. However, your messages resulted in 9001 tokens.";
    assert_eq!(told(openai), too_long(9001, 8192));
    let vllm = "This model's maximum context length is 32,768 tokens. However, you requested 40000 tokens (39000 in the messages).";
    assert_eq!(told(vllm), too_long(40000, 32768));
    let cases = [
        (
            "Please reduce the length of the messages or completion. Current length is 9000 while limit is 8192",
            9000,
            8192,
        ),
        (
            "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length",
            40000,
            32768,
        ),
        (
            "The estimated number of input and maximum output tokens (9000) exceeded this model context window limit (8192).",
            9000,
            8192,
        ),
        ("prompt is too long: 208310 tokens > 200000 maximum", 208_310, 200_000),
        (
            "too many tokens: total number of tokens in the prompt cannot exceed 4081 - received 4292. Try a shorter one.",
            4292,
            4081,
        ),
        (
            "`inputs` tokens + `max_new_tokens` must be <= 4096. Given: 5000 `inputs` tokens and 20 `max_new_tokens`",
            5000,
            4096,
        ),
        ("the request exceeds the available context size (4096 tokens), try increasing it", 0, 4096),
        ("Request body too large for gpt-4o-2024-11-20 model. Max size: 8000 tokens.", 0, 8000),
    ];
    for (message, needed, context) in cases {
        assert_eq!(told(message), too_long(needed, context), "{message}");
    }
    let github = br#"{"error":{"code":"tokens_limit_reached","message":"Request body too large for gpt-4o-mini model. Max size: 8000 tokens."}}"#;
    assert_eq!(classify(413, &HeaderMap::new(), github, Timestamp::UNIX_EPOCH), too_long(0, 8000));
    let minute = br#"{"error":{"message":"Request too large for model `m-120b` on tokens per minute (TPM): Limit 8000, Requested 11088, please reduce."}}"#;
    assert_eq!(classify(413, &HeaderMap::new(), minute, Timestamp::UNIX_EPOCH), Fault::Unfit(Unfit::TooLarge));
    for unclear in
        ["Please reduce the length of the messages", "maximum context length is 9000 tokens, you sent 12", ""]
    {
        assert_eq!(told(unclear), Fault::Unfit(Unfit::TooLarge), "{unclear}");
    }
}

#[test]
fn every_code_has_one_meaning() {
    for (index, (code, _)) in CODES.iter().enumerate() {
        assert!(CODES[..index].iter().all(|(other, _)| other != code), "{code} stands twice");
    }
}

#[test]
fn the_callers_own_mistake_keeps_the_providers_words() {
    let body = br#"{"error":{"message":"temperature must be at most 2","param":"temperature","code":"invalid_value"}}"#;
    let invalid = classify(400, &HeaderMap::new(), body, Timestamp::UNIX_EPOCH);
    let Fault::Invalid { message, param, code, .. } = invalid else { panic!("{invalid:?}") };
    assert_eq!(
        (message.as_str(), param.as_deref(), code.as_deref()),
        ("temperature must be at most 2", Some("temperature"), Some("invalid_value"))
    );
}

#[test]
fn errors_inside_a_success_are_found() {
    let found = |body: &str| in_band(body.as_bytes(), Timestamp::UNIX_EPOCH).map(|fault| fault.word());
    let cases = [
        (r#"{"error":{"code":429,"message":"Provider returned error"}}"#, Some("busy")),
        (
            r#"{"message":"Tokens per minute limit exceeded","type":"too_many_requests_error","code":"token_quota_exceeded"}"#,
            Some("429-minute"),
        ),
        (r#"{"error":{"message":"tool call failed","code":"tool_use_failed"}}"#, Some("400")),
        (r#"{"error":{"code":502,"message":"Provider disconnected"}}"#, Some("502")),
        (r#"{"error":"out of memory"}"#, Some("error-in-200")),
        (r#"{"error":null,"choices":[]}"#, None),
        (r#"{"choices":[{"message":{"content":"rate limit per day error 429"}}]}"#, None),
    ];
    for (body, word) in cases {
        assert_eq!(found(body).as_deref(), word, "{body}");
    }
}

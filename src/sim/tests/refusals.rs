//! Every refusal of every persona: status, the decisive place in its body, and its headers.

use serde_json::{Value, json};

use super::persona::Fake;
use crate::sim::{Act, Outcome, Persona};

/// What a persona says under an act: status, where in the body, and what stands there.
type Row = (Persona, Act, u16, &'static str, Value);

fn table() -> Vec<Row> {
    use Persona::{Cerebras, Cloudflare, DeepSeek, Gemini, Groq, Mistral, Nvidia, Ollama, OpenRouter};
    let groq = |act, status, code: &str| (Groq, act, status, "/error/code", json!(code));
    let mistral = |act, status, pointer, value: &str| (Mistral, act, status, pointer, json!(value));
    let cerebras = |act, status, code: &str| (Cerebras, act, status, "/code", json!(code));
    let gemini = |act, status, word: &str| (Gemini, act, status, "/error/status", json!(word));
    let quota = |act, id: &str| (Gemini, act, 429, "/error/details/1/violations/0/quotaId", json!(id));
    let nvidia = |act, status, title: &str| (Nvidia, act, status, "/title", json!(title));
    let openrouter = |act, status: u16| (OpenRouter, act, status, "/error/code", json!(status));
    let source = |act, source: &str| (OpenRouter, act, 429, "/error/metadata/limit_source", json!(source));
    let cloudflare = |act, status, code: u16| (Cloudflare, act, status, "/errors/0/code", json!(code));
    let deepseek = |act, status, message: &str| (DeepSeek, act, status, "/error/message", json!(message));
    let ollama = |act, status, message: &str| (Ollama, act, status, "/error", json!(message));
    vec![
        groq(Act::busy(3), 429, "rate_limit_exceeded"),
        groq(Act::Spent, 429, "rate_limit_exceeded"),
        groq(Act::Denied, 401, "invalid_api_key"),
        groq(Act::Gone, 404, "model_not_found"),
        groq(Act::TooLarge, 413, "rate_limit_exceeded"),
        groq(Act::TooLong, 400, "context_length_exceeded"),
        mistral(Act::busy(3), 429, "/code", "1300"),
        mistral(Act::Spent, 429, "/code", "1300"),
        mistral(Act::Denied, 401, "/detail", "Unauthorized"),
        mistral(Act::Gone, 400, "/code", "1500"),
        mistral(Act::TooLong, 400, "/code", "3051"),
        cerebras(Act::busy(58), 429, "request_quota_exceeded"),
        cerebras(Act::Busy { retry_after: None }, 429, "queue_exceeded"),
        cerebras(Act::Spent, 429, "request_quota_exceeded"),
        cerebras(Act::Denied, 401, "wrong_api_key"),
        cerebras(Act::Gone, 404, "model_archived"),
        cerebras(Act::TooLong, 400, "context_length_exceeded"),
        cerebras(Act::PaymentRequired, 402, "payment_required"),
        quota(Act::busy(3), "GenerateRequestsPerMinutePerProjectPerModel-FreeTier"),
        quota(Act::Spent, "GenerateRequestsPerDayPerProjectPerModel-FreeTier"),
        gemini(Act::Gone, 404, "NOT_FOUND"),
        gemini(Act::TooLong, 400, "INVALID_ARGUMENT"),
        gemini(Act::PaymentRequired, 402, "RESOURCE_EXHAUSTED"),
        (Gemini, Act::Denied, 400, "/error/details/0/reason", json!("API_KEY_INVALID")),
        nvidia(Act::busy(3), 429, "Too Many Requests"),
        nvidia(Act::Spent, 429, "Too Many Requests"),
        nvidia(Act::Denied, 401, "Unauthorized"),
        nvidia(Act::Gone, 410, "Gone"),
        nvidia(Act::PaymentRequired, 402, "Payment Required"),
        source(Act::busy(3), "upstream_provider_shared_pool"),
        source(Act::Spent, "openrouter_free_tier_daily"),
        openrouter(Act::Denied, 401),
        openrouter(Act::Gone, 404),
        openrouter(Act::PaymentRequired, 402),
        openrouter(Act::TooLong, 400),
        cloudflare(Act::busy(3), 429, 3040),
        cloudflare(Act::Spent, 429, 3036),
        cloudflare(Act::Denied, 401, 10000),
        cloudflare(Act::Gone, 404, 3042),
        cloudflare(Act::TooLarge, 413, 3006),
        deepseek(Act::PaymentRequired, 402, "Insufficient Balance"),
        deepseek(Act::busy(3), 429, "Rate limit reached"),
        deepseek(Act::Gone, 400, "Model Not Exist"),
        ollama(Act::busy(3), 503, "server busy, please try again.  maximum pending requests exceeded"),
        ollama(Act::Gone, 404, "model 'sim-qwen3' not found"),
        ollama(Act::Denied, 401, "unauthorized"),
    ]
}

#[tokio::test]
async fn refusals_have_the_providers_shape_plain_and_streamed() {
    for (persona, act, status, pointer, value) in table() {
        let fake = Fake::start(persona).await;
        for stream in [false, true] {
            fake.script(act.clone());
            let got = fake.post(&fake.question("hi", stream), stream).await;
            assert_eq!(
                (got.status, got.json().pointer(pointer)),
                (status, Some(&value)),
                "{persona:?} {act:?}: {}",
                got.body
            );
        }
        let calls = fake.simulator.calls(&fake.id);
        assert!(calls.iter().all(|call| call.outcome == Outcome::Refused(status) && call.notes.rejected.is_none()));
    }
}

#[tokio::test]
async fn waiting_times_stand_where_each_puts_them() {
    let under = async |persona, act: Act| {
        let fake = Fake::start(persona).await;
        fake.script(act);
        fake.post(&fake.question("hi", false), false).await
    };
    let groq = under(Persona::Groq, Act::busy(3)).await;
    assert_eq!(groq.header("retry-after"), Some("3"));
    assert!(groq.body.contains("Please try again in 3s."), "{}", groq.body);
    assert!(under(Persona::Groq, Act::Spent).await.body.contains("requests per day (RPD)"));
    assert_eq!(under(Persona::Groq, Act::TooLarge).await.header("retry-after"), Some("65"));
    assert_eq!(under(Persona::Cerebras, Act::busy(58)).await.header("retry-after"), Some("58"));
    assert!(under(Persona::Cerebras, Act::Spent).await.body.contains("per day"));
    for persona in [Persona::Mistral, Persona::Gemini, Persona::Nvidia, Persona::Cloudflare, Persona::Ollama] {
        for act in [Act::busy(3), Act::Spent, Act::TooLarge] {
            assert_eq!(under(persona, act).await.header("retry-after"), None, "{persona:?}");
        }
    }
    let limit = |got: super::client::Got| got.header("x-ratelimit-limit-req-minute").map(str::to_owned);
    assert_eq!(limit(under(Persona::Mistral, Act::busy(3)).await).as_deref(), Some("30"));
    assert_eq!(limit(under(Persona::Mistral, Act::Spent).await).as_deref(), Some("0"));
    assert!(under(Persona::Gemini, Act::busy(3)).await.body.contains(r#""retryDelay":"3s""#));
    let spent = under(Persona::OpenRouter, Act::Spent).await;
    let reset = spent.json()["error"]["metadata"]["headers"]["X-RateLimit-Reset"].clone();
    assert_eq!(spent.header("x-ratelimit-reset"), reset.as_str());
    assert_eq!(reset.as_str().map(str::len), Some(13), "milliseconds");
}

#[tokio::test]
async fn failures_inside_of_a_success_have_the_providers_shape() {
    let table = [
        (Persona::Groq, "/error/code", json!("tool_use_failed")),
        (Persona::Mistral, "/choices/0/finish_reason", json!("error")),
        (Persona::Cerebras, "/status_code", json!(429)),
        (Persona::Gemini, "/error/status", json!("RESOURCE_EXHAUSTED")),
        (Persona::Nvidia, "/status", json!(429)),
        (Persona::OpenRouter, "/choices/0/native_finish_reason", json!("error")),
        (Persona::Cloudflare, "/errors/0/code", json!(3040)),
        (Persona::DeepSeek, "/error/message", json!("Rate limit reached")),
        (Persona::Ollama, "/error", json!("server busy, please try again.  maximum pending requests exceeded")),
    ];
    for (persona, pointer, value) in table {
        let fake = Fake::start(persona).await;
        fake.script(Act::ErrorInStream);
        fake.script(Act::ErrorAfter { after: 3 });
        fake.script(Act::ErrorIn200);
        let stream = fake.post(&fake.question("hi", true), true).await;
        assert_eq!(fake.pieces(&stream)[0].pointer(pointer), Some(&value), "{persona:?}: {}", stream.body);
        let late = fake.post(&fake.question("hi", true), true).await;
        let last = fake.pieces(&late).pop().expect("pieces");
        if persona == Persona::Groq {
            assert_eq!(last["x_groq"]["error"], "over_capacity");
        } else {
            assert_eq!(last.pointer(pointer), Some(&value), "{persona:?}: {}", late.body);
        }
        let plain = fake.post(&fake.question("hi", false), false).await;
        assert_eq!((plain.status, plain.json().get("choices")), (200, None), "{persona:?}");
    }
}

#[tokio::test]
async fn broken_and_empty_successes_stay_in_the_dialect() {
    for persona in Persona::ALL {
        let fake = Fake::start(persona).await;
        for act in [Act::EmptyStream, Act::NotJson, Act::Cut { after: 2 }] {
            for stream in [false, true] {
                fake.script(act.clone());
                let got = fake.post(&fake.question("hi", stream), stream).await;
                assert_eq!(got.status, 200);
                if act == Act::EmptyStream && stream && persona != Persona::Gemini {
                    assert_eq!(fake.streamed(&got), "", "{persona:?}");
                }
            }
        }
    }
}

//! Every persona answers plain and streamed, calls tools and takes their results, thinks, and counts, each in its way.

use serde_json::{Value, json};

use super::persona::Fake;
use crate::catalog::Catalog;
use crate::sim::{Act, Limit, Outcome, Period, Persona, ProviderSpec};

#[tokio::test]
async fn all_answer_plain_and_streamed() {
    for persona in Persona::ALL {
        let fake = Fake::start(persona).await;
        let plain = fake.post(&fake.question("Why is the sky blue?", false), false).await;
        assert_eq!(plain.status, 200, "{persona:?}: {}", plain.body);
        let text = fake.words(&plain.json());
        assert!(text.contains("scatters"), "{persona:?}: {}", plain.body);
        let stream = fake.post(&fake.question("Why is the sky blue?", true), true).await;
        assert_eq!(fake.streamed(&stream), text, "{persona:?}");
        let ends = match persona {
            Persona::Gemini | Persona::Ollama => !stream.body.contains("[DONE]"),
            _ => stream.body.ends_with("data: [DONE]\n\n"),
        };
        assert!(ends && stream.complete, "{persona:?}: {}", stream.body);
        let calls = fake.simulator.calls(&fake.id);
        assert!(calls.iter().all(|call| call.outcome == Outcome::Answered && call.notes.rejected.is_none()));
    }
}

#[tokio::test]
async fn models_are_listed_as_each_lists_them() {
    for (persona, path, pointer) in [
        (Persona::Groq, "/models", "/data/0/id"),
        (Persona::Mistral, "/models", "/data/0/id"),
        (Persona::Gemini, "/models", "/models/0/name"),
        (Persona::OpenRouter, "/models", "/data/0/id"),
        (Persona::Ollama, "/api/tags", "/models/0/model"),
    ] {
        let fake = Fake::start(persona).await;
        let list = fake.get(path).await.json();
        let id = list.pointer(pointer).and_then(Value::as_str).expect("an id").trim_start_matches("models/");
        assert_eq!(id, fake.model(), "{persona:?}");
    }
    let cloudflare = Fake::start(Persona::Cloudflare).await;
    let refused = cloudflare.get("/models").await;
    assert_eq!((refused.status, &refused.json()["errors"][0]["code"]), (405, &json!(7001)));
}

#[tokio::test]
async fn ollama_shows_its_models() {
    let fake = Fake::start(Persona::Ollama).await;
    assert!(fake.get("/api/version").await.json()["version"].is_string());
    let provider = &fake.simulator.providers()[0];
    let asked = json!({"model": fake.model()}).to_string();
    let shown = super::client::send(provider, "POST", "/api/show", "", asked).await.expect("a response").json();
    assert_eq!(shown["model_info"]["llama.context_length"], 131_072);
    assert_eq!(shown["capabilities"], json!(["completion", "tools", "vision", "thinking"]));
}

/// A call of the weather tool and its result, as the persona wants them back; `called` is its answer with the call.
fn second_turn(fake: &Fake, called: &Value) -> Value {
    match fake.persona {
        Persona::Gemini => {
            let call = called["candidates"][0]["content"].clone();
            let result = json!({"functionResponse": {"name": "weather", "response": {"result": "light rain"}}});
            json!([{"role": "user", "parts": [{"text": "Rain?"}]}, call, {"role": "user", "parts": [result]}])
        }
        Persona::Ollama => json!([
            {"role": "user", "content": "Rain?"}, called["message"],
            {"role": "tool", "tool_name": "weather", "content": "light rain"}
        ]),
        _ => {
            let call = called["choices"][0]["message"]["tool_calls"].clone();
            let mut assistant = json!({"role": "assistant", "content": "", "tool_calls": call});
            if fake.persona == Persona::DeepSeek {
                assistant["reasoning_content"] = called["choices"][0]["message"]["reasoning_content"].clone();
            }
            let result = json!({"role": "tool", "tool_call_id": call[0]["id"], "content": "light rain"});
            json!([{"role": "user", "content": "Rain?"}, assistant, result])
        }
    }
}

#[tokio::test]
async fn all_call_tools_and_take_the_results() {
    for persona in Persona::ALL {
        let fake = Fake::start(persona).await;
        let call = Act::tool("weather", &json!({"city": "Paris"}));
        fake.script(Act::think("Rain is weather.", call.clone()));
        let called = fake.post(&fake.question("Rain?", false), false).await.json();
        let answer = fake.post(&fake.messages(second_turn(&fake, &called)), false).await;
        assert_eq!(answer.status, 200, "{persona:?}: {}", answer.body);
        let words = if persona == Persona::Ollama { fake.streamed(&answer) } else { fake.words(&answer.json()) };
        assert!(words.contains("light rain"), "{persona:?}: {words}");
        assert!(fake.rejections().is_empty());
        fake.script(call);
        let streamed = fake.post(&fake.question("Rain?", true), true).await;
        assert!(streamed.body.contains("Paris"), "{persona:?}: {}", streamed.body);
    }
}

#[tokio::test]
async fn streamed_calls_have_the_quirks_of_their_provider() {
    let call = async |persona| {
        let fake = Fake::start(persona).await;
        fake.script(Act::tools([("a", json!({"n": 1})), ("b", json!({"n": 2}))]));
        let got = fake.post(&fake.question("Both!", true), true).await;
        fake.pieces(&got)
    };
    let delta = |pieces: &[Value], place: usize| pieces[place]["choices"][0]["delta"]["tool_calls"][0].clone();
    let mistral = call(Persona::Mistral).await;
    assert_eq!(delta(&mistral, 2)["function"], json!({"name": "b", "arguments": "{\"n\":2}"}));
    assert_eq!(delta(&mistral, 1)["id"].as_str().map(str::len), Some(9));
    assert!(delta(&call(Persona::Cerebras).await, 1).get("index").is_none());
    assert_eq!(delta(&call(Persona::Groq).await, 1)["index"], 0);
    let gemini = call(Persona::Gemini).await;
    let part = |place: usize| gemini[place]["candidates"][0]["content"]["parts"][0].clone();
    assert!(part(0)["thoughtSignature"].is_string() && part(1).get("thoughtSignature").is_none());
    assert_eq!(gemini.last().expect("pieces")["candidates"][0]["finishReason"], "STOP");
    let ollama = call(Persona::Ollama).await;
    assert_eq!(ollama[0]["message"]["tool_calls"][1]["function"], json!({"name": "b", "arguments": {"n": 2}}));
    assert_eq!(ollama.last().expect("pieces")["done_reason"], "stop");
}

#[tokio::test]
async fn thoughts_stand_where_each_puts_them() {
    for (persona, pointer) in [
        (Persona::Groq, "/choices/0/message/reasoning"),
        (Persona::Cerebras, "/choices/0/message/reasoning"),
        (Persona::Mistral, "/choices/0/message/content/0/thinking/0/text"),
        (Persona::Gemini, "/candidates/0/content/parts/0/text"),
        (Persona::Nvidia, "/choices/0/message/reasoning_content"),
        (Persona::OpenRouter, "/choices/0/message/reasoning_details/0/text"),
        (Persona::DeepSeek, "/choices/0/message/reasoning_content"),
        (Persona::Ollama, "/message/thinking"),
    ] {
        let fake = Fake::start(persona).await;
        for _ in 0..2 {
            fake.script(Act::think("Hm, blue.", Act::text("Rayleigh")));
        }
        let plain = fake.post(&fake.question("Why?", false), false).await.json();
        assert_eq!(plain.pointer(pointer), Some(&json!("Hm, blue.")), "{persona:?}: {plain}");
        assert_eq!(fake.words(&plain), "Rayleigh", "{persona:?}");
        let stream = fake.post(&fake.question("Why?", true), true).await;
        assert!(stream.body.contains("Hm,"), "{persona:?}");
        assert_eq!(fake.streamed(&stream), "Rayleigh", "{persona:?}: {}", stream.body);
    }
}

#[tokio::test]
async fn usage_and_waiting_are_told_as_each_tells_them() {
    let stream = async |persona| {
        let fake = Fake::start(persona).await;
        let got = fake.post(&fake.question("hi", true), true).await;
        let last = fake.pieces(&got).pop().expect("pieces");
        (got.body, last)
    };
    assert!(stream(Persona::Groq).await.1["x_groq"]["usage"]["total_tokens"].is_u64());
    assert!(stream(Persona::Mistral).await.1["usage"]["total_tokens"].is_u64());
    assert!(stream(Persona::Cerebras).await.1["time_info"]["total_time"].is_f64());
    assert!(stream(Persona::Gemini).await.1["usageMetadata"]["candidatesTokenCount"].is_u64());
    assert!(stream(Persona::Nvidia).await.1.get("usage").is_none());
    assert!(stream(Persona::Ollama).await.1["eval_count"].is_u64());
    assert!(stream(Persona::OpenRouter).await.0.starts_with(": OPENROUTER PROCESSING\n\n"));
    assert!(stream(Persona::DeepSeek).await.0.starts_with(": keep-alive\n\n"));
    let deepseek = Fake::start(Persona::DeepSeek).await;
    assert!(deepseek.post(&deepseek.question("hi", false), false).await.body.starts_with("\n\n\n{"));
}

#[tokio::test]
async fn rate_headers_come_from_three_of_them() {
    for persona in Persona::ALL {
        let fake = Fake::start(persona).await;
        let got = fake.post(&fake.question("hi", false), false).await;
        let mut names: Vec<&str> =
            got.headers.keys().map(http::HeaderName::as_str).filter(|name| name.starts_with("x-ratelimit")).collect();
        names.sort_unstable();
        let count = match persona {
            Persona::Groq => 6,
            Persona::Cerebras => 9,
            Persona::Mistral => 5,
            _ => 0,
        };
        assert_eq!(names.len(), count, "{persona:?}: {names:?}");
        match persona {
            Persona::Groq => assert_eq!(got.header("x-ratelimit-limit-requests"), Some("14400")),
            Persona::Mistral => assert_eq!(got.header("x-ratelimit-remaining-req-minute"), Some("749")),
            Persona::Cerebras => {
                let reset = got.header("x-ratelimit-reset-requests-day").expect("a reset");
                assert_eq!(reset.split_once('.').map(|(_, decimals)| decimals.len()), Some(6), "{reset}");
            }
            _ => {}
        }
    }
    let spec = ProviderSpec::impersonating(Persona::Mistral).limit(Limit::requests(0, Period::Day));
    assert_eq!(Fake::of(spec).await.simulator.providers()[0].id, "sim-mistral");
}

#[tokio::test]
async fn an_openai_persona_is_catalogued_with_the_shipped_wire() {
    for persona in Persona::ALL.into_iter().filter(|persona| persona.dialect() == "openai") {
        let fake = Fake::start(persona).await;
        let described = &fake.simulator.providers()[0];
        let overlay = crate::catalog::Overlay {
            id: described.id.clone(),
            place: "simulated".to_owned(),
            text: described.catalogue.clone(),
        };
        let catalog = Catalog::only(&[overlay]).unwrap_or_else(|problems| panic!("{persona:?}: {problems:?}"));
        let shipped = Catalog::shipped().expect("a good catalogue");
        let (own, real) = (&catalog.providers[0], shipped.provider(persona.id()).expect("a shipped provider"));
        assert_eq!((&own.wire, own.first_event, own.prefill), (&real.wire, real.first_event, real.prefill));
        assert_eq!(own.base_url, described.base_url);
    }
}

#[tokio::test]
async fn cloudflare_stops_at_256_tokens_and_ollama_cuts_prompts_in_silence() {
    let fake = Fake::start(Persona::Cloudflare).await;
    for (limit, finish) in [(None, "length"), (Some(4_096), "stop")] {
        fake.script(Act::text("word ".repeat(400)));
        let mut body = fake.question("Go on", false);
        body["max_completion_tokens"] = json!(4_096);
        if let Some(limit) = limit {
            body["max_tokens"] = json!(limit);
        }
        assert_eq!(fake.post(&body, false).await.json()["choices"][0]["finish_reason"], finish);
    }
    let fake = Fake::start(Persona::Ollama).await;
    let mut body = fake.question(&"word ".repeat(5_000), false);
    let short = fake.post(&body, false).await.json();
    body["options"] = json!({"num_ctx": 8_192});
    let long = fake.post(&body, false).await.json();
    assert_eq!(short["prompt_eval_count"], 4_096);
    assert!(long["prompt_eval_count"].as_u64() > Some(5_000));
    let cut: Vec<bool> = fake.simulator.calls(&fake.id).iter().map(|call| call.notes.truncated).collect();
    assert_eq!(cut, [true, false]);
}

//! Conversations longer than a model's context: cut to fit by the provider's own count, or sent where they fit as they are.

use relay::sim::Period;
use relay::sim::{Act, Call, Limit, ModelSpec};
use serde_json::{Value, json};

use super::harness::{gateway, provider, says};

fn sent(call: &Call) -> Vec<Value> {
    let body: Value = serde_json::from_slice(&call.body).expect("JSON");
    body["messages"].as_array().expect("a list").clone()
}

/// Messages about this and that, after one that holds a fact.
fn talk(count: usize) -> Vec<Value> {
    let mut messages = vec![
        json!({"role": "system", "content": "You are a helper."}),
        json!({"role": "user", "content": "Hello there."}),
        json!({"role": "assistant", "content": "Hello. What is on your mind?"}),
        json!({"role": "user", "content": "My boat is called Nordlicht. It is a fine day."}),
    ];
    for number in messages.len()..count - 1 {
        let role = if number % 2 == 0 { "assistant" } else { "user" };
        let text =
            format!("Number {number} talks about the {} weather, gardens and \"cities\".\n", number * 7919).repeat(6);
        messages.push(json!({"role": role, "content": text}));
    }
    messages.push(json!({"role": "user", "content": "What is my boat called?"}));
    messages
}

/// A model with so small a context; the provider refuses what does not fit it.
fn small(id: &str) -> super::harness::Fake {
    provider(id).model(ModelSpec::new("sim-m").context(8_192))
}

#[tokio::test]
async fn a_long_conversation_is_cut_to_what_the_provider_takes_and_keeps_its_facts() {
    let fakes = [small("sim-a").answers([says("Nordlicht"), says("Nordlicht")])];
    let gateway = gateway().over(fakes).start().await;
    let messages = talk(600);
    for streamed in [false, true] {
        let reply = gateway.ask("x").with("messages", json!(messages)).streamed_if(streamed).await;
        let cut = reply.header("x-relay-context").expect("it says so").to_owned();
        assert!(cut.starts_with("reservoir, 16 of 600 messages, ") && cut.ends_with(" tokens"), "{cut}");
        reply.is("Nordlicht").by("sim-a/sim-m");
    }
    for call in gateway.providers.chats("sim-a") {
        let sent = sent(&call);
        assert_eq!((sent.len(), sent.last()), (16, messages.last()));
        assert_eq!(sent[1..], messages[585..], "fifteen messages, as they came");
        let system = sent[0]["content"].as_str().expect("a text");
        assert!(
            system.contains("You are a helper.") && system.contains("User: My boat is called Nordlicht."),
            "{system}"
        );
    }
}

#[tokio::test]
async fn a_route_with_room_for_all_of_it_is_preferred_while_it_has_quota() {
    let large = provider("sim-b").limit(Limit::requests(1, Period::Day)).answers([says("whole")]);
    let gateway = gateway()
        .over([small("sim-a").answers([says("cut")]), large])
        .config("[style]\nmode = \"off\"\n")
        .start()
        .await;
    let messages = talk(400);
    gateway.ask("x").with("messages", json!(messages)).await.is("whole").by("sim-b/sim-m");
    assert_eq!(sent(&gateway.providers.only_chat("sim-b")), messages);
    gateway.ask("x").with("messages", json!(messages)).await.is("cut").by("sim-a/sim-m");
    assert!(sent(&gateway.providers.only_chat("sim-a")).len() < 20);
}

#[tokio::test]
async fn what_has_to_be_cut_goes_where_more_of_it_stays() {
    let large = provider("sim-b").model(ModelSpec::new("sim-m").context(32_768)).limit(Limit::requests(1, Period::Day));
    let gateway = gateway().over([small("sim-a").answers([says("less")]), large.answers([says("more")])]).start().await;
    let question = "one word and another ".repeat(12_000);
    gateway.ask(&question).await.is("more").by("sim-b/sim-m");
    gateway.ask(&question).await.is("less").by("sim-a/sim-m");
}

#[tokio::test]
async fn a_limit_of_tokens_that_would_never_let_it_through_cuts_it_too() {
    let fake = provider("sim-a").limit(Limit::tokens(6_000, Period::Minute)).answers([says("hi")]);
    let gateway = gateway().over([fake]).start().await;
    gateway.ask("x").with("messages", json!(talk(400))).with("max_tokens", json!(200)).await.is("hi");
}

#[tokio::test]
async fn off_refuses_with_the_numbers() {
    let gateway = gateway().over([small("sim-a")]).config("[context]\nmode = \"off\"\n").start().await;
    let reply = gateway.ask("x").with("messages", json!(talk(600))).await;
    reply.refused(400, "context_length_exceeded").saying("8192").saying("tokens");
    assert_eq!(gateway.providers.simulator.total_calls(), 0);
}

#[tokio::test]
async fn one_message_that_is_too_long_alone_loses_its_middle() {
    let gateway = gateway().over([small("sim-a").answers([says("ok")])]).start().await;
    let long = format!("Why does this fail?\n```rust\n{}```\nAnswer in a word.", "let x = compute();\n".repeat(8_000));
    gateway.ask(&long).await.is("ok");
    let sent = sent(&gateway.providers.only_chat("sim-a"));
    let text = sent.last().expect("a message")["content"].as_str().expect("a text").to_owned();
    assert!(text.starts_with("Why does this fail?") && text.ends_with("Answer in a word."), "{text}");
    assert!(text.contains("tokens left out here") && text.matches("```").count() == 4, "{text}");
}

/// Half of a call's arguments is no valid JSON, and without the call its result has no meaning.
#[tokio::test]
async fn a_call_too_large_to_be_cut_is_refused_by_name_and_unsent() {
    let gateway = gateway().over([small("sim-a")]).start().await;
    let arguments = json!({"path": "a.txt", "content": "one word and another ".repeat(4_000)}).to_string();
    let call = json!({"id": "c", "type": "function", "function": {"name": "write", "arguments": arguments}});
    let messages = json!([
        {"role": "user", "content": "Write it."},
        {"role": "assistant", "content": null, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c", "content": "written"},
    ]);
    let reply = gateway.ask("x").with("messages", messages).await;
    reply.refused(400, "context_length_exceeded").saying("messages[1]").saying("no valid JSON").saying("8192");
    assert_eq!(gateway.providers.simulator.total_calls(), 0);
}

#[tokio::test]
async fn dynamic_gives_a_session_its_share() {
    let config = "[context]\nmode = \"dynamic\"\n[style]\nmode = \"off\"\n";
    let gateway = gateway().over([small("sim-a").answers([says("1"), says("2")])]).config(config).start().await;
    for _ in 0..2 {
        assert_eq!(gateway.ask("x").with("messages", json!(talk(300))).await.status, 200);
    }
    let used: Vec<u64> = gateway
        .providers
        .chats("sim-a")
        .iter()
        .map(|call| {
            sent(call)
                .iter()
                .map(|message| {
                    message["content"].as_str().map_or(0, |text| Value::from(text).to_string().len() as u64 / 4 + 4)
                })
                .sum()
        })
        .collect();
    // Of 8,192 tokens 1,024 are the answer's: at first 80 %, and the same again while turns take as much.
    let share = (8_192 - 1_024) * 8 / 10;
    assert!(used.iter().all(|used| *used <= share + 10 && *used + 300 > share), "{used:?} of {share}");
}

#[tokio::test]
async fn a_call_and_its_result_are_never_parted() {
    let gateway = gateway().over([small("sim-a").answers([says("done")])]).start().await;
    let mut messages = vec![json!({"role": "user", "content": "Fix the bug."})];
    for number in 0..60 {
        let id = format!("call_{number}");
        messages.push(json!({"role": "assistant", "content": null, "tool_calls": [{"id": id, "type": "function", "function": {"name": "read", "arguments": "{}"}}]}));
        messages.push(json!({"role": "tool", "tool_call_id": id, "content": "fn main() {}\n".repeat(120)}));
    }
    let tools = json!([{"type": "function", "function": {"name": "read", "parameters": {"type": "object"}}}]);
    gateway.ask("x").with("messages", json!(messages)).with("tools", tools).await.is("done");
    let sent = sent(&gateway.providers.only_chat("sim-a"));
    assert_eq!((&sent[0], sent.last()), (&messages[0], messages.last()));
    let calls = sent.iter().filter_map(|message| message["tool_calls"][0]["id"].as_str());
    let results = sent.iter().filter_map(|message| message["tool_call_id"].as_str());
    assert!(calls.clone().count() > 3 && calls.eq(results));
}

#[tokio::test]
async fn explain_tells_the_mode_that_acts_and_whether_it_cuts() {
    let gateway = gateway().over([small("sim-a")]).config("[context]\nmode = \"adaptive\"\n").start().await;
    let explained = gateway.request("POST", "/v1/route").with("messages", json!(talk(600))).await.json();
    let context = &explained["context"];
    assert_eq!(
        (&context["mode"], &context["acts"], &context["cuts"]),
        (&json!("adaptive"), &json!("static"), &json!(true))
    );
    assert!(context["cut_to_tokens"].as_u64().is_some_and(|tokens| tokens < 8_192), "{context}");
    let short =
        gateway.request("POST", "/v1/route").with("messages", json!([{"role": "user", "content": "hi"}])).await.json();
    assert_eq!(short["context"], json!({"mode": "adaptive", "acts": null, "cuts": false, "cut_to_tokens": null}));
}

/// Documented with 131,072 tokens; it refuses what is longer than 8,192, in these words.
fn overrated(refusal: Act, answers: usize) -> super::harness::Fake {
    let model = |id: &str| ModelSpec::new(id).context(131_072);
    let acts = std::iter::once(refusal).chain((0..answers).map(|_| says("ok")));
    provider("sim-a").model(model("sim-m")).model(model("sim-other")).answers(acts)
}

/// What a message's text counts at least.
fn size(messages: &[Value]) -> usize {
    messages.iter().map(|message| message["content"].to_string().len() / 4 + 4).sum()
}

#[tokio::test]
async fn a_refusal_teaches_the_models_real_context_and_the_request_is_cut_to_it() {
    let github = r#"{"error":{"code":"tokens_limit_reached","message":"Request body too large for sim-m model. Max size: 8192 tokens."}}"#;
    let told = [Act::TooLong, Act::Status { status: 413, body: github.to_owned(), headers: Vec::new() }];
    for refusal in told {
        let gateway = gateway().over([overrated(refusal, 2)]).start().await;
        let ask = || gateway.ask("x").model("sim-a/sim-m").with("messages", json!(talk(400)));
        let reply = ask().await;
        assert!(reply.header("x-relay-context").is_some_and(|cut| cut.starts_with("reservoir, ")));
        reply.is("ok").by("sim-a/sim-m").after("sim-a/sim-m=too-large");
        ask().await.is("ok").by("sim-a/sim-m").after("");
        let chats = gateway.providers.chats("sim-a");
        assert_eq!(sent(&chats[0]).len(), 400, "the documents had it fit");
        assert!(chats[1..].iter().all(|call| size(&sent(call)) <= 8_192 - 1_024), "cut to what it said");
        let explaining = gateway.request("POST", "/v1/route").model("sim-a").with("messages", json!(talk(4)));
        let explained = explaining.await.json();
        let context = |model: &str| {
            let stories = explained["candidates"].as_array().expect("a list");
            let story = stories.iter().find(|story| story["model"] == model).expect("a candidate");
            let gates = story["gates"].as_array().expect("gates");
            let gate = gates.iter().find(|gate| gate["gate"] == "context").expect("a gate");
            (gate["limit"].clone(), gate["source"].clone())
        };
        assert_eq!(context("sim-m"), (json!(8_192), json!("error")));
        assert_eq!(context("sim-other"), (json!(131_072), json!("docs")), "the named model alone");
    }
}

#[tokio::test]
async fn where_nothing_may_be_cut_a_told_context_refuses_the_next_request_unsent() {
    let config = "[context]\nmode = \"off\"\n";
    let gateway = gateway().over([overrated(Act::TooLong, 0)]).config(config).start().await;
    for _ in 0..2 {
        let reply = gateway.ask("x").model("sim-a/sim-m").with("messages", json!(talk(400))).await;
        reply.refused(400, "context_length_exceeded").saying("8192");
    }
    assert_eq!(gateway.providers.chats("sim-a").len(), 1, "once is enough to know");
}

#[tokio::test]
async fn explain_names_the_route_that_a_session_stays_with_and_puts_it_first() {
    let fakes = [provider("sim-a").answers([Act::status(500)]), provider("sim-b").answers([says("b")])];
    let gateway = gateway().over(fakes).start().await;
    let hello = json!([{"role": "user", "content": "hi"}]);
    let explain = || gateway.request("POST", "/v1/route").header("x-session-id", "one").with("messages", hello.clone());
    assert_eq!(explain().await.json()["session"], json!({"named": true, "stays_with": null}));
    gateway.ask("hi").header("x-session-id", "one").await.by("sim-b/sim-m");
    let explained = explain().await.json();
    assert_eq!(explained["session"], json!({"named": true, "stays_with": "sim-b/sim-m"}));
    assert_eq!(
        (&explained["route"], &explained["candidates"][0]["because"]),
        (&json!("sim-b/sim-m"), &json!("answered this session last"))
    );
}

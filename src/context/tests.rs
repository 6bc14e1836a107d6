//! Conversations cut to size: what survives, what fits, what is remembered.

use serde_json::{Value, json};

use super::digest::{Role, fitting};
use super::*;
use crate::chat::tokens::{IMAGE_TOKENS, MESSAGE_TOKENS, exact};

mod counted;
mod edges;
mod fits;
mod planted;

const LIMITS: Limits = Limits {
    mode: Mode::Reservoir,
    static_recent_keep: 10,
    dynamic: Dynamic { utilization_target: 0.8, min_utilization: 0.3, max_boost: 1.5 },
    reservoir_recent_keep: 15,
    reservoir_summary_budget: 400,
};

fn limits(mode: Mode) -> Limits {
    Limits { mode, ..LIMITS }
}

fn raws(messages: &[Value]) -> Vec<String> {
    messages.iter().map(Value::to_string).collect()
}

fn digest(raws: &[String]) -> (Digest, Vec<&str>) {
    let raws: Vec<&str> = raws.iter().map(String::as_str).collect();
    (Memory::default().take(chain(&raws)).complete(&raws), raws)
}

fn fitted(messages: &[Value], limits: &Limits, budget: u64) -> Result<(Vec<Value>, Fitted), TooLong> {
    let raws = raws(messages);
    let (digest, raws) = digest(&raws);
    let fitted = fit(&digest, &raws, Room { budget, limits, history: &[], begins_with_user: false })?;
    Ok((serde_json::from_str(&fitted.messages).expect("messages"), fitted))
}

/// What a provider counts that has o200k, or no better rule than four bytes a token.
fn provider_count(messages: &[Value]) -> u64 {
    let one = |message: &Value| {
        let text = match &message["content"] {
            Value::String(text) => text.clone(),
            Value::Array(parts) => parts.iter().filter_map(|part| part["text"].as_str()).collect::<Vec<_>>().join("\n"),
            _ => String::new(),
        };
        let calls = message.get("tool_calls").map(ToString::to_string).unwrap_or_default();
        let images = message["content"]
            .as_array()
            .map_or(0, |parts| parts.iter().filter(|part| part["type"] == "image_url").count());
        let escaped = Value::from(text.as_str()).to_string().len() - 2;
        fitting(exact(&text), escaped) + exact(&calls) / 2 + MESSAGE_TOKENS + images as u64 * IMAGE_TOKENS
    };
    messages.iter().map(one).sum()
}

fn user(text: impl Into<String>) -> Value {
    json!({"role": "user", "content": text.into()})
}

fn assistant(text: impl Into<String>) -> Value {
    json!({"role": "assistant", "content": text.into()})
}

/// Sentences about nothing in particular, never the same twice.
fn filler(seed: usize, words: usize) -> String {
    const WORDS: [&str; 40] = [
        "harbour", "weather", "morning", "ledger", "window", "garden", "engine", "letter", "market", "bridge",
        "winter", "painting", "station", "kitchen", "forest", "journey", "planet", "music", "library", "mountain",
        "coffee", "teacher", "river", "theatre", "village", "camera", "pattern", "island", "summer", "history",
        "science", "bicycle", "castle", "meadow", "lantern", "harvest", "orchard", "compass", "fountain", "railway",
    ];
    let mut text = String::new();
    let mut state = seed as u64 * 2_654_435_761 + 12_345;
    for word in 0..words {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        text.push_str(WORDS[usize::try_from(state >> 33).expect("small") % WORDS.len()]);
        text.push_str(match word % 11 {
            10 => ". ",
            5 => " of the ",
            _ => " ",
        });
    }
    text
}

/// A conversation of two thousand messages and two hundred thousand tokens, with something said once in message 3.
fn long(fact: &str, question: &str) -> Vec<Value> {
    let mut messages =
        vec![json!({"role": "system", "content": "You are a helper."}), user(filler(1, 60)), assistant(filler(2, 60))];
    messages.push(user(format!("{} {fact} {}", filler(3, 20), filler(4, 20))));
    for number in 4..1_999 {
        let text = filler(number + 1, 75);
        messages.push(if number % 2 == 0 { assistant(text) } else { user(text) });
    }
    messages.push(user(question));
    messages
}

#[test]
fn a_fact_of_message_three_is_in_the_summary_when_it_is_asked_for() {
    let cases = [
        ("My daughter is called Elin and she is allergic to peanuts.", "What is my daughter allergic to?", "peanuts"),
        ("The password of the vault is tangerine-42.", "Do you remember the vault's password?", "tangerine-42"),
        (
            "We decided to use PostgreSQL for the billing service.",
            "Which database did we pick for billing?",
            "PostgreSQL",
        ),
        ("My flight to Lisbon leaves on 14 March at 06:25.", "When does my flight leave?", "06:25"),
        ("I live in Trondheim.", "In which town do I live?", "Trondheim"),
        ("Mein Hund heißt Bruno und ist vier Jahre alt.", "Wie heißt mein Hund?", "Bruno"),
        ("我的猫叫小白，今年三岁。", "我的猫叫什么名字？", "小白"),
        ("Mi número de cliente es 88-1207.", "¿Cuál es mi número de cliente?", "88-1207"),
        ("The deadline for the grant is 3 June.", "What was the deadline of the grant again?", "3 June"),
        ("Моя сестра работает врачом в Казани.", "Где работает моя сестра?", "Казани"),
    ];
    let found = cases.iter().filter(|(fact, question, part)| {
        let messages = long(fact, question);
        let (sent, fitted) = fitted(&messages, &LIMITS, 7_000).expect("it fits");
        assert!(fitted.tokens <= 7_000 && provider_count(&sent) <= 7_000);
        assert_eq!(sent.len(), 16, "instructions and fifteen messages");
        let summary = sent[0]["content"].as_str().expect("a text");
        assert!(exact(summary) <= 400 + 10, "{}", exact(summary));
        summary.contains(part)
    });
    let found = found.count();
    assert!(found >= 8, "{found} of 10");
}

#[test]
fn a_turn_of_a_long_conversation_reads_two_messages() {
    let all = raws(&long("I live in Oslo.", "Where?"));
    let mut memory = Memory::default();
    for (count, missing) in [(1_998, 1_998), (2_000, 2)] {
        let raws: Vec<&str> = all[..count].iter().map(String::as_str).collect();
        let begun = memory.take(chain(&raws));
        assert_eq!(begun.missing(), missing);
        memory.put(std::sync::Arc::new(begun.complete(&raws)));
    }
}

#[test]
fn static_keeps_the_last_messages_or_fewer() {
    let mut messages = vec![json!({"role": "system", "content": "Be brief."})];
    messages.extend((0..41).map(|number| {
        if number % 2 == 0 { user(format!("question {number}")) } else { assistant(filler(number, 40)) }
    }));
    let (sent, fitted) = fitted(&messages, &limits(Mode::Static), 1_500).expect("it fits");
    assert_eq!((sent.len(), fitted.kept, fitted.mode), (11, 11, Mode::Static));
    assert_eq!(sent[1..], messages[32..]);
    let (sent, fitted) = super::tests::fitted(&messages, &limits(Mode::Static), 150).expect("it fits");
    assert!(sent.len() < 11 && fitted.tokens <= 150);
    assert_eq!(sent[1..], messages[43 - sent.len()..], "the newest");
    assert_eq!(sent[0], messages[0]);
}

#[test]
fn dynamic_fills_its_share_with_the_newest() {
    let messages: Vec<Value> = (0..201)
        .map(|number| if number % 2 == 0 { user(filler(number, 40)) } else { assistant(filler(number, 40)) })
        .collect();
    let raws = raws(&messages);
    let (digest, raws) = digest(&raws);
    let limits = limits(Mode::Dynamic);
    let tokens = |history: &[u64]| {
        fit(&digest, &raws, Room { budget: 5_000, limits: &limits, history, begins_with_user: false })
            .expect("it fits")
            .tokens
    };
    let near = |tokens: u64, share: u64| tokens <= share && tokens + 120 > share;
    assert!(near(tokens(&[]), 4_000), "{}", tokens(&[]));
    assert!(near(tokens(&[2_000]), 5_000), "{}", tokens(&[2_000]));
    assert!(near(tokens(&[4_800]), 3_333), "{}", tokens(&[4_800]));
}

#[test]
fn hundreds_of_messages_by_users_alone_are_a_conversation_and_cut_like_one() {
    let messages: Vec<Value> = (0..600).map(|number| user(filler(number, 40))).collect();
    for mode in [Mode::Static, Mode::Dynamic, Mode::Reservoir, Mode::Adaptive] {
        let (sent, _) = fitted(&messages, &limits(mode), 6_000).expect("it fits");
        assert_eq!(sent[sent.len() - 10..], messages[590..], "{mode:?}");
        assert!(provider_count(&sent) <= 6_000);
    }
}

#[test]
fn adaptive_sums_up_talk_about_code_and_cuts_any_other() {
    let talk = |text: &str| -> Vec<Value> {
        (0..61).map(|number| if number % 2 == 0 { user(format!("{number} {text}")) } else { assistant(text) }).collect()
    };
    let code = talk(&format!("See the parser here.\n```rust\n{}```", "let x = parse(&text)?;\n".repeat(12)));
    let prose = talk(&filler(9, 70));
    let mode = |messages: &[Value]| fitted(messages, &limits(Mode::Adaptive), 3_000).expect("it fits").1.mode;
    assert_eq!((mode(&code), mode(&prose)), (Mode::Reservoir, Mode::Static));
}

fn call(id: &str) -> Value {
    json!({"role": "assistant", "content": null, "tool_calls": [{"id": id, "type": "function", "function": {"name": "look", "arguments": "{\"at\":\"it\"}"}}]})
}

fn result(id: &str, text: impl Into<String>) -> Value {
    json!({"role": "tool", "tool_call_id": id, "content": text.into()})
}

#[test]
fn an_agents_task_and_its_last_call_survive_and_a_huge_result_is_cut() {
    let mut messages = vec![json!({"role": "system", "content": "Use tools."}), user("Find the bug in the parser.")];
    for number in 0..30 {
        messages.extend([call(&format!("c{number}")), result(&format!("c{number}"), filler(number, 120))]);
    }
    let (sent, _) = fitted(&messages, &limits(Mode::Static), 1_200).expect("it fits");
    assert_eq!(sent[..2], messages[..2]);
    assert_eq!(sent[sent.len() - 2..], messages[60..]);
    assert!(sent.len() > 4 && provider_count(&sent) <= 1_200);
    messages.extend([call("big"), result("big", filler(99, 9_000))]);
    let (sent, _) = fitted(&messages, &limits(Mode::Static), 1_200).expect("it fits");
    assert_eq!((sent.len(), &sent[1], &sent[2]), (4, &messages[1], &messages[62]));
    assert!(provider_count(&sent) <= 1_200 && provider_count(&sent) > 800, "{}", provider_count(&sent));
    assert!(sent[3]["content"].as_str().expect("a text").contains("tokens left out here"));
}

#[test]
fn what_must_stay_and_cannot_be_cut_is_refused_with_its_tokens() {
    let image = json!({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}});
    let messages = [json!({"role": "user", "content": [image, image, {"type": "text", "text": "What is this?"}]})];
    let TooLong { needed } = fitted(&messages, &LIMITS, 1_000).expect_err("two images");
    assert!(needed > 2 * IMAGE_TOKENS && needed < 2 * IMAGE_TOKENS + 50, "{needed}");
    assert!(fitted(&messages, &LIMITS, 1_600).is_ok());
}

#[test]
fn a_target_that_wants_the_user_first_gets_him_first() {
    let messages: Vec<Value> = (0..41).map(|number| if number % 2 == 0 { user("u") } else { assistant("a") }).collect();
    let raws = raws(&messages);
    let (digest, raws) = digest(&raws);
    let first = |begins_with_user| {
        let room = Room { budget: 100, limits: &limits(Mode::Static), history: &[], begins_with_user };
        let sent: Vec<Value> =
            serde_json::from_str(&fit(&digest, &raws, room).expect("it fits").messages).expect("messages");
        (sent.len(), sent[0]["role"].as_str().map(str::to_owned))
    };
    assert_eq!(first(false), (10, Some("assistant".to_owned())));
    assert_eq!(first(true), (9, Some("user".to_owned())));
}

#[test]
fn roles_are_told_apart() {
    let messages =
        [json!({"role": "developer", "content": "x"}), json!({"role": "function", "name": "f", "content": "1"})];
    let raws = raws(&messages);
    let roles: Vec<Role> = digest(&raws).0.facts.iter().map(|facts| facts.role).collect();
    assert_eq!(roles, [Role::System, Role::Tool]);
}

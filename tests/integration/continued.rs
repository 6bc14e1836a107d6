//! Streams that break off in the middle: another route goes on, and the reader notices nothing.

use std::time::Duration;

use relay::clock::Clock;
use relay::sim::{Act, ModelSpec, Outcome, Persona, ProviderSpec, UsageAt};
use serde_json::{Value, json};

use super::harness::{Fake, Reply, Then, Upstream, eventually, gateway, provider, says};

const PROSE: &str = "The sky is blue because molecules of air scatter short waves of light far more than long ones. Violet \
    is scattered even more, but the sun sends less of it, and our eyes are less awake to it.\n\nAt dusk the light's way is \
    longer: the blue is gone before it arrives, and what is left is red.";
const LIST: &str = "Here is a list:\n\n1. Apples, which are red\n2. Bananas, which are yellow\n3. Cherries\n\n- one thing\n\
    - another thing\n  - a thing below it\n- the last thing\n";
const CODE: &str = "A program:\n\n```rust\nfn main() {\n    for row in 0..10 {\n        if row > 1 {\n            \
    println!(\"{row}\");\n        }\n    }\n}\n```\n\nRun it with `cargo run`.";

const LETTERS: &str = "Größe zählt: 😀 und 👩‍👩‍👧 sind je ein Zeichen.\n\n空が青いのは、空気の分子が短い波長の光を強く散乱させるためです。\n\n\
    - ключ: «значение»\n- Ελλάδα, e\u{301}te\u{301}\n";

/// Without a directive, and nothing cleaned.
const AS_WRITTEN: &str = "[style]\nmode = \"off\"\n";

/// An OpenAI stream of this text that ends without an end.
fn breaks_off(text: &str) -> Act {
    let chunk = |delta: Value| {
        let chunk = json!({"id": "chat-first", "object": "chat.completion.chunk", "created": 5, "model": "sim-m",
            "choices": [{"index": 0, "delta": delta, "finish_reason": null}]});
        format!("data: {chunk}\n\n")
    };
    let mut stream = chunk(json!({"role": "assistant", "content": ""}));
    let characters: Vec<char> = text.chars().collect();
    characters
        .chunks(7)
        .for_each(|piece| stream.push_str(&chunk(json!({"content": piece.iter().collect::<String>()}))));
    Act::raw_stream(stream, 64)
}

/// Twenty places spread over a text.
fn twenty_cuts(text: &str) -> impl Iterator<Item = usize> {
    (1..=20)
        .map(|part| (text.len() * part / 21..text.len()).find(|at| text.is_char_boundary(*at)).expect("its end is one"))
}

/// The line, or at least the sentence, in which the cut lies.
fn line_start(text: &str, cut: usize) -> usize {
    text[..cut].rfind('\n').map_or(0, |at| at + 1)
}

fn one_stream(reply: &Reply, text: &str) {
    reply.is(text).by("sim-a/sim-m");
    let events = reply.events();
    let ids: Vec<&str> = events.iter().filter_map(|event| event["id"].as_str()).collect();
    assert!(!ids.is_empty() && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    let finishes = events.iter().filter(|event| event["choices"][0]["finish_reason"].is_string()).count();
    assert_eq!(finishes, 1);
    let roles = events.iter().filter(|event| event["choices"][0]["delta"]["role"].is_string()).count();
    assert_eq!(roles, 1);
    assert!(reply.text().contains("\n: relay-continued sim-a/sim-m, sim-b/sim-m\n"), "{}", reply.text());
}

#[tokio::test]
async fn a_cut_stream_reads_as_if_nothing_had_happened() {
    for text in [PROSE, LIST, CODE, LETTERS] {
        for (turn, cut) in twenty_cuts(text).enumerate() {
            // The second author goes on exactly, begins anew, or with the line that broke off, with or without a remark.
            let line = line_start(text, cut);
            let line = if text[line..cut].chars().filter(|c| c.is_alphanumeric()).count() < 10 { cut } else { line };
            // The spaces behind a remark say nothing of those before what follows.
            let may_remark = turn % 3 == 1 || turn % 3 == 2 && line < cut;
            let remark = if turn % 2 == 1 && may_remark { "Sure, continuing where I left off:\n\n" } else { "" };
            let second = &format!("{remark}{}", [&text[cut..], text, &text[line..]][turn % 3]);
            let fakes =
                [provider("sim-a").answers([breaks_off(&text[..cut])]), provider("sim-b").answers([says(second)])];
            let gateway = gateway().over(fakes).config(AS_WRITTEN).start().await;
            one_stream(&gateway.ask("hello").streamed().await, text);
            assert!(gateway.is_idle());
            let totals = gateway.relay.store().totals(jiff::Timestamp::MIN).expect("kept");
            assert_eq!((totals[0].errors, totals[1].ok, totals[1].failover_in), (1, 1, 1));
            let line = gateway.lines().remove(0);
            assert_eq!((line.route.as_deref(), line.trail.as_str()), (Some("sim-b/sim-m"), "sim-a/sim-m=cut"));
            assert_eq!(line.error, None);
        }
    }
}

#[tokio::test]
async fn a_character_that_was_cut_in_two_is_said_once_and_whole() {
    let Act::Raw { content_type, body, .. } = breaks_off("Die Grö") else { panic!("a stream") };
    let rest = "{\"choices\":[{\"index\":0,\"delta\":{\"content\":\"ße 😀".as_bytes();
    for length in 1..=4 {
        let half = [&body, b"data: ".as_slice(), &rest[..rest.len() - length]].concat();
        let act = Act::Raw { content_type: content_type.clone(), body: half, piece: 7 };
        let fakes = [provider("sim-a").answers([act]), provider("sim-b").answers([says("Größe 😀 zählt.")])];
        let gateway = gateway().over(fakes).config(AS_WRITTEN).start().await;
        one_stream(&gateway.ask("hello").streamed().await, "Die Größe 😀 zählt.");
    }
}

#[tokio::test]
async fn halves_of_a_character_in_two_events_go_on_as_they_came() {
    let event = |text: &str, finish: &str| {
        format!(
            "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}},\"finish_reason\":{finish}}}]}}\n\n"
        )
    };
    let body = ["A ", "\\ud83d", "\\ude00", "!"].map(|text| event(text, "null")).concat() + &event("", "\"stop\"");
    for config in [AS_WRITTEN, ""] {
        let act = Act::raw_stream(format!("{body}data: [DONE]\n\n"), 32);
        let gateway = gateway().over([provider("sim-a").answers([act])]).config(config).start().await;
        let reply = gateway.ask("hello").streamed().await;
        let text = reply.text();
        assert!(text.contains("\\ud83d") && text.contains("\\ude00") && !text.contains("error"), "{text}");
        assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
    }
}

#[tokio::test]
async fn a_stalled_stream_and_an_error_event_are_cuts_too() {
    for act in [Act::Stall { after: 4 }, Act::ErrorAfter { after: 4 }, Act::Cut { after: 4 }] {
        let fakes = [provider("sim-a").answers([act.clone()]), provider("sim-b").answers([says("and so on.")])];
        let gateway = gateway().over(fakes).config("[timeouts]\nidle = \"200ms\"\n").start().await;
        let reply = gateway.ask("Why is the sky blue?").streamed().await;
        assert!(
            reply.answer().ends_with("and so on.") && reply.text().ends_with("data: [DONE]\n\n"),
            "{}",
            reply.text()
        );
        assert!(!reply.text().contains("error"), "{act:?}: {}", reply.text());
    }
}

#[tokio::test]
async fn tokens_are_summed_and_each_route_is_asked_for_its_part() {
    let fakes =
        [provider("sim-a").answers([breaks_off("One two three")]), provider("sim-b").answers([says(" four five")])];
    let gateway = gateway().over(fakes).config(AS_WRITTEN).start().await;
    let asking = gateway.ask("count").streamed().with("stream_options", json!({"include_usage": true}));
    let reply = asking.with("max_tokens", json!(50)).await;
    let events = reply.events();
    let usage = &events.last().expect("events")["usage"];
    let own = gateway.relay.store().totals(jiff::Timestamp::MIN).expect("kept")[1];
    assert_eq!(usage["completion_tokens"], json!(own.completion_tokens + 3));
    assert_eq!(usage["total_tokens"], json!(own.completion_tokens + 3 + own.prompt_tokens));
    let asked: Value = serde_json::from_slice(&gateway.providers.only_chat("sim-b").body).expect("JSON");
    assert_eq!(asked["max_tokens"], json!(47));
    assert_eq!(asked["messages"][1], json!({"role": "assistant", "content": "One two three"}));
}

#[tokio::test]
async fn two_seams_are_sewn_and_no_third() {
    let fakes = [
        provider("sim-a").answers([breaks_off("One two")]),
        provider("sim-b").answers([breaks_off(" three four")]),
        provider("sim-c").answers([says("three four five.")]),
    ];
    let sewn = gateway().over(fakes).start().await;
    let reply = sewn.ask("count").streamed().await;
    reply.is("One two three four five.");
    assert!(reply.text().contains(": relay-continued sim-a/sim-m, sim-b/sim-m, sim-c/sim-m\n"), "{}", reply.text());
    let fakes = ["sim-a", "sim-b", "sim-c", "sim-d"].map(provider);
    let fakes = fakes.into_iter().take(3).map(|fake| fake.answers([breaks_off("word")])).chain([provider("sim-d")]);
    let given_up = gateway().over(fakes).start().await;
    let reply = given_up.ask("count").streamed().await;
    let events = reply.events();
    assert_eq!(events.last().expect("events")["error"]["code"], json!("upstream_cut"));
    assert!(!reply.text().contains("[DONE]"));
}

#[tokio::test]
async fn a_stream_that_breaks_off_goes_on_at_another_provider_before_the_same_one_s_other_models() {
    let models = ["m1", "m2", "m3"].map(ModelSpec::new);
    let broken = models.into_iter().fold(provider("sim-a"), Fake::model).answers([breaks_off("One two")]);
    let fakes =
        [broken, provider("sim-b").answers([breaks_off(" three")]), provider("sim-c").answers([says(" four.")])];
    let gateway = gateway().over(fakes).start().await;
    gateway.ask("count").streamed().await.is("One two three four.");
    gateway.providers.only_chat("sim-a");
}

#[tokio::test]
async fn what_was_said_counts_toward_what_the_next_route_takes() {
    let said = "Number upon number, word upon word. ".repeat(180);
    let large = provider("sim-a").answers([breaks_off(&said)]);
    let small = provider("sim-b").model(ModelSpec::new("sim-m").context(8_192));
    let gateway = gateway().over([large, small]).start().await;
    let message = |number: usize| {
        let role = if number.is_multiple_of(2) { "user" } else { "assistant" };
        json!({"role": role, "content": format!("Message {number} is about rivers and the sea. ").repeat(40)})
    };
    let messages: Vec<Value> = (0..41).map(message).collect();
    let reply = gateway.ask("x").streamed().with("messages", json!(messages)).await;
    let text = reply.text();
    assert!(
        text.contains(": relay-continued sim-a/sim-m, sim-b/sim-m") && text.ends_with("data: [DONE]\n\n"),
        "{text}"
    );
    let asked = gateway.providers.only_chat("sim-b");
    assert_eq!(asked.outcome, Outcome::Answered, "it fits, with the text so far");
}

#[tokio::test]
async fn what_is_no_plain_text_ends_with_an_error_event() {
    let call = json!({"id": "c", "choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": [
        {"index": 0, "id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{\"a\""}}]}}]});
    let in_a_call = || Act::raw_stream(format!("data: {call}\n\n"), 64);
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    let table = [("tools", tools, in_a_call()), ("logprobs", json!(true), breaks_off("word"))];
    for (field, value, act) in table {
        let gateway = gateway().over([provider("sim-a").answers([act]), provider("sim-b")]).start().await;
        let reply = gateway.ask("hello").streamed().with(field, value).await;
        let events = reply.events();
        assert_eq!(events.last().expect("events")["error"]["code"], json!("upstream_cut"), "{field}");
        assert!(!reply.text().contains("[DONE]") && gateway.providers.chats("sim-b").is_empty(), "{field}");
    }
}

/// It is mended as a whole, so that nobody has seen any of it.
#[tokio::test]
async fn an_answer_in_json_mode_that_breaks_off_is_begun_anew_elsewhere() {
    let json_mode = json!({"type": "json_object"});
    let error = "data: {\"error\":{\"message\":\"gone\",\"code\":500}}\n\n";
    let fails = Act::raw_stream(format!("data: {{\"choices\":[{{\"delta\":{{\"content\":\"[\"}}}}]}}\n\n{error}"), 64);
    for act in [breaks_off("{\"a\":"), fails] {
        let fakes = [provider("sim-a").answers([act]), provider("sim-b").answers([says("{\"b\": 1}")])];
        let gateway = gateway().over(fakes).start().await;
        let reply = gateway.ask("hello").streamed().with("response_format", json_mode.clone()).await;
        reply.is("{\"b\": 1}").by("sim-b/sim-m").after("sim-a/sim-m=cut");
        eventually("all is settled", || gateway.is_idle()).await;
        let used = gateway.get("/v1/usage").await.json();
        assert_eq!((&used["totals"]["ok"], &used["totals"]["errors"]), (&json!(1), &json!(1)), "{used}");
    }
    let alone = gateway().over([provider("sim-a").answers([breaks_off("{\"a\":")])]).start().await;
    alone.ask("hello").streamed().with("response_format", json_mode).await.refused(502, "upstream_cut");
}

#[tokio::test]
async fn config_and_header_turn_it_off() {
    for (config, header) in [("[style]\ncontinue_cut_streams = false\n", "on"), ("", "off")] {
        let gateway = gateway().over([provider("sim-a").answers([breaks_off("word")]), provider("sim-b")]);
        let gateway = gateway.config(config).start().await;
        let reply = gateway.ask("hello").streamed().header("x-relay-style", header).await;
        assert!(
            reply.text().contains("upstream_cut") && gateway.providers.chats("sim-b").is_empty(),
            "{}",
            reply.text()
        );
    }
}

#[tokio::test]
async fn an_answer_that_had_ended_needs_no_continuation() {
    let end = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hi\"},\"finish_reason\":\"stop\"}]}\n\n";
    let gateway =
        gateway().over([provider("sim-a").answers([Act::raw_stream(end, 64)]), provider("sim-b")]).start().await;
    gateway.ask("hello").streamed().await.is("hi");
    assert!(gateway.providers.chats("sim-b").is_empty());
}

#[tokio::test]
async fn a_stream_that_breaks_off_behind_empty_reasons_for_its_end_has_not_ended() {
    let chunk = |delta: &str| format!("data: {{\"choices\":[{{\"delta\":{delta},\"finish_reason\":\"\"}}]}}\n\n");
    let role = chunk("{\"role\":\"assistant\",\"content\":\"\"}");
    let word = chunk("{\"content\":\"One two\"}");
    for (said, error, answer) in [
        (role.clone(), "", "One two three."),
        (role.clone(), "data: {\"error\":{\"code\":503,\"message\":\"x\"}}\n\n", "One two three."),
        (role + &word, "", "One two three."),
    ] {
        let act = Act::raw_stream(format!("{said}{error}"), 64);
        let fakes = [provider("sim-a").answers([act]), provider("sim-b").answers([says(answer)])];
        gateway().over(fakes).start().await.ask("count").streamed().await.is(answer);
    }
}

#[tokio::test]
async fn a_stream_whose_last_chunk_holds_an_error_of_the_provider_s_own_is_continued() {
    let end = json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
        "x_groq": {"id": "req_1", "error": "over capacity"}});
    let Act::Raw { content_type, body, piece } = breaks_off("One two") else { panic!("a stream") };
    let body = [&body, format!("data: {end}\n\ndata: [DONE]\n\n").as_bytes()].concat();
    let broken = provider("sim-a").spec(|spec| spec.usage_at(UsageAt::XGroq));
    let fakes =
        [broken.answers([Act::Raw { content_type, body, piece }]), provider("sim-b").answers([says(" three.")])];
    gateway().over(fakes).config(AS_WRITTEN).start().await.ask("count").streamed().await.is("One two three.");
}

#[tokio::test]
async fn a_quota_that_ends_in_mid_stream_lets_the_route_rest() {
    let said = "data: {\"choices\":[{\"delta\":{\"content\":\"One two\"},\"finish_reason\":null}]}\n\n";
    let error = "data: {\"error\":{\"message\":\"Rate limit reached. Please try again in 20s.\",\"type\":\"rate_limit_error\",\"code\":429}}\n\n";
    let first = provider("sim-a").answers([Act::raw_stream(format!("{said}{error}"), 64)]);
    let gateway = gateway().over([first, provider("sim-b").answers([says(" three."), says("hi")])]).start().await;
    gateway.ask("count").streamed().await.is("One two three.");
    gateway.ask("and now?").await.by("sim-b/sim-m").after("");
}

#[tokio::test]
async fn whoever_names_one_model_gets_it_continued_there() {
    let acts = [breaks_off("One two"), says(" three")];
    let gateway = gateway().over([provider("sim-a").answers(acts), provider("sim-b")]).start().await;
    gateway.ask("hello").model("sim-a/sim-m").streamed().await.is("One two three");
    assert!(gateway.providers.chats("sim-b").is_empty());
}

/// A persona as a fake with one model, and its id.
fn persona(persona: Persona) -> (Fake, String) {
    let mut spec = ProviderSpec::impersonating(persona);
    spec.models.truncate(1);
    let id = spec.id.clone();
    (provider(&id).spec(|_| spec), id)
}

#[tokio::test]
async fn every_dialect_is_continued_and_continues() {
    let gemini = "data: {\"candidates\":[{\"content\":{\"role\":\"model\",\"parts\":[{\"text\":\"One two\"}]},\"index\":0}]}\r\n\r\n";
    let ollama = "{\"model\":\"m\",\"message\":{\"role\":\"assistant\",\"content\":\"One two\"},\"done\":false}\n";
    let ndjson = Act::Raw { content_type: "application/x-ndjson".to_owned(), body: ollama.into(), piece: 64 };
    let sources = [
        (Persona::Gemini, Act::raw_stream(gemini, 64)),
        (Persona::Ollama, ndjson),
        (Persona::Mistral, breaks_off("One two")),
    ];
    for (source, act) in sources {
        for target in [Persona::Gemini, Persona::Ollama, Persona::Mistral, Persona::Groq] {
            if source == target {
                continue;
            }
            let ((first, cut), (second, id)) = (persona(source), persona(target));
            let gateway = gateway().over([first, second]).start().await;
            gateway.providers.simulator.script(&cut, [act.clone()]);
            gateway.providers.simulator.script(&id, [says("One two three.")]);
            let reply = gateway.ask("hello").streamed().await;
            assert_eq!(reply.answer(), "One two three.", "{source:?} > {target:?}: {}", reply.text());
            assert!(reply.text().ends_with("data: [DONE]\n\n") && reply.text().contains(": relay-continued"));
            assert!(gateway.providers.simulator.rejections(&id).is_empty(), "{target:?} takes what it is asked");
            let calls = gateway.providers.simulator.calls(&id);
            let body = String::from_utf8_lossy(&calls.last().expect("a call").body).into_owned();
            assert_eq!(body.contains(r#""prefix":true"#), target == Persona::Mistral, "{body}");
            assert_eq!(body.contains("was cut off"), target == Persona::Gemini, "{body}");
        }
    }
}

#[tokio::test]
async fn while_all_that_comes_is_swallowed_the_reader_is_told_that_the_stream_lives() {
    let chunk = json!({"id": "second", "object": "chat.completion.chunk", "created": 6, "model": "sim-m",
        "choices": [{"index": 0, "delta": {"content": " It goes on."}, "finish_reason": null}]});
    let second = format!("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {chunk}\n\n");
    let second = Upstream::start(second, Then::Drip(": busy\n\n")).await;
    let (clock, hand) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
    let fakes = [provider("sim-a").answers([breaks_off("It breaks off.")]), provider("sim-b")];
    let gateway =
        gateway().over(fakes).config(AS_WRITTEN).clock(clock).elsewhere("sim-b", second.address).start().await;
    let mut socket = gateway.ask("hello").streamed().begin().await;
    socket.read_until("goes on").await;
    for _ in 0..4 {
        hand.advance(Duration::from_secs(5));
        // Some comments come meanwhile.
        tokio::time::sleep(Duration::from_millis(60)).await;
    }
    let text = tokio::time::timeout(Duration::from_secs(10), socket.read_until(": keep-alive\n")).await;
    assert!(!text.expect("a sign of life").contains("busy"));
}

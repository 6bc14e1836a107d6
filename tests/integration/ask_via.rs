//! `relay ask --via`: a running gateway answers, and its refusals have the codes they would have here.

use std::time::Duration;

use relay::sim::{Act, ModelSpec};
use serde_json::json;

use super::harness::{Command, Gateway, gateway, provider, relay, says};

fn ask(gateway: &Gateway, flags: &[&str]) -> Command {
    let url = format!("http://{}", gateway.address);
    relay(["ask"].into_iter().chain(flags.iter().copied())).variable("RELAY_URL", &url)
}

#[tokio::test]
async fn the_gateway_answers_and_its_route_is_told() {
    let acts = || [provider("sim-a").answers([Act::busy(30)]), provider("sim-b").answers([says("Paris.")])];
    let gateway = gateway().over(acts()).start().await;
    let document = ask(&gateway, &["--json", "Capital?"]).await.exits(0).json();
    assert_eq!(document["route"], json!({ "provider": "sim-b", "model": "sim-m" }));
    assert_eq!(document["text"], "Paris.");
    assert_eq!(document["usage"]["estimated"], false);
    let outcomes = document["attempts"].as_array().expect("a list").iter().map(|one| one["outcome"].clone());
    assert_eq!(outcomes.collect::<Vec<_>>(), [json!("rate_limited"), json!("ok")]);
}

#[tokio::test]
async fn flags_of_the_request_go_along() {
    let gateway = gateway().over([provider("sim-a"), provider("sim-b").answers([says("ok")])]).start().await;
    let url = format!("http://{}/v1/", gateway.address);
    let flags = ["ask", "--via", &url, "-m", "sim-b", "--max-tokens", "9", "--wait", "3s", "--session", "s1", "hi"];
    relay(flags).await.exits(0).prints("ok\n");
    let body: serde_json::Value = serde_json::from_slice(&gateway.providers.only_chat("sim-b").body).expect("JSON");
    assert_eq!(body["max_tokens"], 9);
}

#[tokio::test]
async fn a_gateways_refusal_has_the_code_it_would_have_here() {
    let table = [
        (Act::busy(60), 75, "quota_exhausted"),
        (Act::Denied, 77, "auth"),
        (Act::status(500), 69, "unavailable"),
        (Act::Gone, 69, "unavailable"),
        (Act::BadRequest("no".to_owned()), 65, "bad_input"),
        (Act::TooLong, 65, "bad_input"),
        (Act::Hang, 124, "timeout"),
    ];
    for (act, code, word) in table {
        let timeouts = "[timeouts]\nfirst_event = \"300ms\"\n";
        let gateway = gateway().over([provider("sim-a").answers([act.clone()])]).config(timeouts).start().await;
        let ended = ask(&gateway, &["--wait", "0s", "--json", "hi"]).await;
        let error = ended.exits(code).json()["error"].clone();
        assert_eq!(error["code"], word, "{act:?}");
        assert_eq!(error["retry_after_s"].is_u64(), code == 75, "{act:?} {error}");
        let hint = error["hint"].as_str().unwrap_or_default();
        assert_eq!(
            hint.contains("the gateway's keys; it uses new ones after a restart"),
            code == 77,
            "{act:?} {error}"
        );
    }
    let gateway = gateway().over([provider("sim-a")]).start().await;
    ask(&gateway, &["-m", "sim-aa", "hi"]).await.exits(2).prints("").says("sim-a");
}

#[tokio::test]
async fn what_broke_behind_the_gateway_is_told_in_its_own_words() {
    for (act, word) in [(Act::NotJson, "not-json"), (Act::EmptyStream, "empty"), (Act::Reset, "reset")] {
        let acts = [provider("sim-a").answers([act]), provider("sim-b").answers([Act::status(500)])];
        let gateway = gateway().over(acts).start().await;
        let ended = ask(&gateway, &["hi"]).await;
        ended.exits(69).says(&format!("sim-a/sim-m  {word}"));
    }
}

#[tokio::test]
async fn the_gateways_own_key_is_needed() {
    let gateway = gateway().key("secret").over([provider("sim-a").answers([says("ok")])]).start().await;
    ask(&gateway, &["hi"]).await.exits(77).prints("").says("RELAY_API_KEY");
    ask(&gateway, &["hi"]).variable("RELAY_API_KEY", "secret").await.exits(0).prints("ok\n");
}

#[tokio::test]
async fn a_gateway_that_is_not_there_is_69_at_once() {
    let ended = relay(["ask", "--via", "http://127.0.0.1:1", "hi"]).await;
    ended.exits(69).prints("").says("127.0.0.1:1").says("relay serve");
    assert!(ended.took < Duration::from_secs(3), "{:?}", ended.took);
    relay(["ask", "--via", "127.0.0.1:1", "hi"]).await.exits(2).says("http://");
    let far = relay(["ask", "--offline", "--via", "http://far.invalid", "hi"]).await;
    far.exits(69).says("nothing may leave this machine");
    for flags in [&["--avoid", "sim-a"][..], &["--strict-free"], &["--simulate"]] {
        let flags = ["ask", "--via", "http://127.0.0.1:1", "hi"].iter().chain(flags).copied();
        relay(flags).await.exits(2).prints("").says("--via");
    }
}

#[tokio::test]
async fn explain_asks_the_gateway_which_sends_nothing() {
    let gateway = gateway().over([provider("sim-a"), provider("sim-b")]).start().await;
    let document = ask(&gateway, &["--explain", "--json", "--session", "s1", "hi"]).await.exits(0).json();
    assert_eq!((&document["schema"], &document["verdict"]), (&json!("relay.route/1"), &json!("try")));
    assert_eq!(document["session"], json!({"named": true, "stays_with": null}));
    let told = gateway.request("POST", "/v1/route").with("messages", json!([{"role": "user", "content": "hi"}])).await;
    assert_eq!(document["candidates"][0]["gates"], told.json()["candidates"][0]["gates"], "number for number");
    let table = ask(&gateway, &["--explain", "--format", "table", "hi"]).await;
    table.exits(0);
    assert!(table.stdout.contains("try sim-a/sim-m") && table.stdout.contains("context"), "{}", table.stdout);
    ask(&gateway, &["--explain", "-m", "nobody/x", "hi"]).await.exits(2).says("nobody/x");
    assert_eq!(gateway.providers.simulator.total_calls(), 0);
}

#[tokio::test]
async fn that_a_prompt_was_cut_is_told_on_stderr() {
    let small = provider("sim-a").model(ModelSpec::new("sim-m").context(8_192)).answers([says("ok")]);
    let gateway = gateway().over([small]).start().await;
    let prompt = "The harbour was quiet. ".repeat(4_000);
    let ended = ask(&gateway, &["--no-stdin", &prompt]).await;
    ended.exits(0).prints("ok\n").says("cut to fit sim-a/sim-m: reservoir, 1 of 1 messages, ");
}

#[tokio::test]
async fn an_answer_that_breaks_off_is_asked_for_once_more_and_not_four_times() {
    let cuts = || provider("sim-a").answers(vec![Act::Cut { after: 4 }; 2]);
    let gateway = gateway().over([cuts()]).config("[style]\ncontinue_cut_streams = false\n").start().await;
    ask(&gateway, &["hi"]).await.exits(69).prints("").says("the answer broke off");
    assert_eq!(gateway.providers.chats("sim-a").len(), 2);
}

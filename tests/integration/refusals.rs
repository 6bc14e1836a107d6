//! When nobody answers: the status that says what to do about it, the most retryable cause first.

use relay::sim::{Act, ModelSpec};
use serde_json::json;

use super::harness::{Fake, Then, Upstream, gateway, provider, says};

const IMPATIENT: &str = "[timeouts]\nfirst_event = \"300ms\"\n";

fn two(first: Act, second: Act) -> [Fake; 2] {
    [provider("sim-a").answers([first]), provider("sim-b").answers([second])]
}

#[tokio::test]
async fn the_status_names_the_most_retryable_cause() {
    let table = [
        (Act::busy(30), Act::busy(40), 429, "quota_exhausted"),
        (Act::Spent, Act::PaymentRequired, 429, "quota_exhausted"),
        (Act::Denied, Act::busy(30), 429, "quota_exhausted"),
        (Act::Hang, Act::busy(30), 429, "quota_exhausted"),
        (Act::ErrorIn200, Act::status(500), 429, "quota_exhausted"),
        (Act::Hang, Act::status(500), 504, "upstream_timeout"),
        (Act::Denied, Act::Hang, 504, "upstream_timeout"),
        (Act::status(500), Act::Html, 502, "upstream_unavailable"),
        (Act::Reset, Act::EmptyBody, 502, "upstream_unavailable"),
        (Act::status(503), Act::Denied, 502, "upstream_unavailable"),
        (Act::Gone, Act::Gone, 502, "upstream_model_gone"),
        (Act::Denied, Act::Denied, 502, "upstream_credentials_exhausted"),
        (Act::Denied, Act::TooLong, 502, "upstream_credentials_exhausted"),
        (Act::TooLong, Act::TooLarge, 400, "context_length_exceeded"),
    ];
    for (first, second, status, code) in table {
        for streamed in [false, true] {
            let what = format!("{first:?} and {second:?}, streamed: {streamed}");
            let fakes = two(first.clone(), second.clone());
            let gateway = gateway().over(fakes).config(IMPATIENT).start().await;
            let reply = gateway.ask("hello").streamed_if(streamed).await;
            let got = (reply.status, reply.json()["error"]["code"].as_str().unwrap_or_default().to_owned());
            assert_eq!(got, (status, code.to_owned()), "{what}: {}", reply.text());
            reply.refused(status, code);
            assert_eq!(reply.header("retry-after").is_some(), status == 429, "{what}");
            assert_eq!(reply.header("x-should-retry").is_some(), code == "upstream_credentials_exhausted", "{what}");
            assert_eq!(reply.header("x-relay-attempts"), Some("2"), "{what}");
            assert_eq!(reply.header("x-relay-route"), None, "{what}");
            assert!(gateway.is_idle(), "{what}");
        }
    }
}

#[tokio::test]
async fn a_429_says_until_when_and_why_route_by_route() {
    let gateway = gateway().over(two(Act::busy(30), Act::busy(40))).start().await;
    let reply = gateway.ask("hello").await;
    let wait = reply.refused(429, "quota_exhausted").retry_after();
    assert!((28..=30).contains(&wait), "{wait}");
    let routes = reply.json()["error"]["routes"].clone();
    let rows: Vec<(&str, &str)> = (0..2)
        .map(|row| (routes[row]["route"].as_str().unwrap_or(""), routes[row]["reason"].as_str().unwrap_or("")))
        .collect();
    assert_eq!(rows, [("sim-a/sim-m", "429-minute"), ("sim-b/sim-m", "429-minute")]);
    let waits = [0, 1].map(|row| routes[row]["retry_after_s"].as_u64().expect("seconds"));
    assert!((28..=30).contains(&waits[0]) && (38..=40).contains(&waits[1]), "{waits:?}");
}

#[tokio::test]
async fn the_second_refusal_needs_no_call_and_tells_the_time_left() {
    let gateway = gateway().over(two(Act::busy(30), Act::busy(40))).start().await;
    gateway.ask("hello").await.refused(429, "quota_exhausted");
    let again = gateway.ask("hello").await;
    assert!((28..=30).contains(&again.refused(429, "quota_exhausted").retry_after()));
    assert_eq!(again.header("x-relay-attempts"), Some("0"));
    assert_eq!(gateway.providers.simulator.total_calls(), 2);
}

#[tokio::test]
async fn nothing_a_provider_said_and_no_key_is_told_about_upstream_failures() {
    for act in [Act::Denied, Act::status(500), Act::Html, Act::busy(30)] {
        let gateway = gateway().over([provider("sim-a").answers([act])]).start().await;
        let reply = gateway.ask("hello").await;
        let all = format!("{:?} {}", reply.headers, reply.text()).to_lowercase();
        for secret in ["sim-a-key", "incorrect", "127.0.0.1", "simulated", "just a moment", "rate limit reached"] {
            assert!(!all.contains(secret), "`{secret}` in {all}");
        }
    }
}

#[tokio::test]
async fn the_callers_mistake_needs_two_providers_to_agree() {
    let bad = || Act::BadRequest("`top_p` must be at most 1".to_owned());
    let agreeing = gateway().over(two(bad(), bad())).start().await;
    let reply = agreeing.ask("hello").await;
    assert_eq!((reply.status, reply.json()["error"]["type"].as_str()), (400, Some("invalid_request_error")));
    reply.saying("`top_p` must be at most 1");

    let alone = gateway().over(two(bad(), says("hi"))).start().await;
    alone.ask("hello").await.is("hi").by("sim-b/sim-m").after("sim-a/sim-m=400");

    let third =
        gateway().over([provider("sim-a").answers([bad()]), provider("sim-b").answers([bad()]), provider("sim-c")]);
    let third = third.start().await;
    third.ask("hello").await.saying("`top_p` must be at most 1");
    assert_eq!(third.providers.chats("sim-c").len(), 0, "two agree, a third is not asked");
}

#[tokio::test]
async fn two_models_of_one_provider_do_not_make_two_witnesses() {
    let bad = || Act::BadRequest("no".to_owned());
    let both = provider("sim-a").model(ModelSpec::new("sim-m")).model(ModelSpec::new("sim-n")).answers([bad(), bad()]);
    let gateway = gateway().over([both, provider("sim-b").answers([Act::status(500)])]).start().await;
    let reply = gateway.ask("hello").await;
    let trail = reply.refused(502, "upstream_unavailable").header("x-relay-trail").unwrap_or_default();
    let mut tried: Vec<&str> = trail.split(", ").collect();
    tried.sort_unstable();
    assert_eq!(tried, ["sim-a/sim-m=400", "sim-a/sim-n=400", "sim-b/sim-m=500"]);
}

#[tokio::test]
async fn the_sole_candidates_own_400_passes_through() {
    let body =
        r#"{"error":{"message":"bad \"seed\"","type":"invalid_request_error","param":"seed","code":"bad_seed"}}"#;
    let act = || Act::Status { status: 400, body: body.to_owned(), headers: Vec::new() };
    for streamed in [false, true] {
        let gateway = gateway().over([provider("sim-a").answers([act()]), provider("sim-b")]).start().await;
        let reply = gateway.ask("hello").model("sim-a/sim-m").streamed_if(streamed).await;
        reply.refused(400, "bad_seed").saying("bad \"seed\"");
        assert_eq!(reply.json()["error"]["param"], json!("seed"));
    }
}

#[tokio::test]
async fn what_no_route_can_do_is_refused_before_any_call() {
    let small = provider("sim-a").model(ModelSpec::new("sim-m").context(500).features(&[]));
    let gateway = gateway().over([small]).config("[context]\nmode = \"off\"\n").start().await;
    let image = json!([{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}]}]);
    let table = [
        ("messages", json!([{"role": "user", "content": "word ".repeat(2_000)}]), "context_length_exceeded", "500"),
        ("max_tokens", json!(600), "context_length_exceeded", "500"),
        ("tools", json!([{"type": "function", "function": {"name": "f"}}]), "unsupported_feature", "tools"),
        ("response_format", json!({"type": "json_object"}), "unsupported_feature", "json"),
        ("messages", image, "unsupported_feature", "vision"),
        ("model_type", json!("coding"), "no_matching_route", "there is: text"),
        ("model_scale", json!("tiny"), "no_matching_route", "large, medium, small"),
    ];
    for (field, value, code, saying) in table {
        let asking = gateway.ask("hello").with("max_tokens", json!(5)).with(field, value);
        asking.await.refused(400, code).saying(saying);
    }
    assert_eq!(gateway.providers.simulator.total_calls(), 0);
}

const ONE_AUTHOR: &str = "[timeouts]\nidle = \"300ms\"\n[style]\ncontinue_cut_streams = false\n";

#[tokio::test]
async fn after_the_first_word_a_failure_is_an_error_event_and_the_end() {
    for act in [Act::Cut { after: 3 }, Act::ErrorAfter { after: 3 }, Act::Stall { after: 3 }] {
        let fakes = [provider("sim-a").answers([act.clone()]), provider("sim-b")];
        let gateway = gateway().over(fakes).config(ONE_AUTHOR).start().await;
        let reply = gateway.ask("Why is the sky blue?").streamed().await;
        reply.by("sim-a/sim-m").after("");
        let (text, events) = (reply.text(), reply.events());
        assert!(reply.status == 200 && reply.complete && !text.contains("[DONE]"), "{act:?}: {text}");
        let (last, before) = events.split_last().expect("events");
        assert_eq!(before.len(), 3, "{act:?}: {text}");
        assert!(before.iter().all(|event| event["error"].is_null()), "{act:?}: {text}");
        assert_eq!(
            (&last["error"]["type"], &last["error"]["code"]),
            (&json!("upstream_error"), &json!("upstream_cut"))
        );
        assert!(!text.contains("rate_limit"), "the provider's own words are not passed on: {text}");
        assert_eq!(gateway.providers.chats("sim-b").len(), 0, "nothing is spliced in");
        assert!(gateway.is_idle() || matches!(act, Act::Stall { .. }), "{act:?}");
        assert!(gateway.lines()[0].error.is_some());
    }
}

#[tokio::test]
async fn attempts_can_be_bounded() {
    let fakes = [
        provider("sim-a").answers([Act::status(500)]),
        provider("sim-b").answers([Act::status(500)]),
        provider("sim-c"),
    ];
    let gateway = gateway().over(fakes).config("[routing]\nmax_attempts = 2\n").start().await;
    gateway.ask("hello").await.refused(502, "upstream_unavailable").after("sim-a/sim-m=500, sim-b/sim-m=500");
}

#[tokio::test]
async fn a_refusal_that_never_ends_is_one_by_its_status() {
    let begun = "HTTP/1.1 429 Too Many Requests\r\nretry-after: 7\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\n{";
    for then in [Then::Stay, Then::Drip(" ")] {
        let upstream = Upstream::start(begun, then).await;
        let fakes = [provider("sim-a"), provider("sim-b")];
        let gateway = gateway().over(fakes).elsewhere("sim-a", upstream.address).start().await;
        let start = std::time::Instant::now();
        gateway.ask("hello").await.by("sim-b/sim-m").after("sim-a/sim-m=busy");
        assert!(start.elapsed().as_secs() < 6);
    }
}

//! Limits that refuse, and come back when the clock is moved.

use std::time::Duration;

use jiff::Timestamp;

use super::client::{body, chat, send, spec};
use crate::clock::Clock;
use crate::sim::{Act, Limit, Outcome, Period, Scenario, Simulator};

fn start() -> Timestamp {
    "2026-10-09T22:30:00Z".parse().expect("a time")
}

#[tokio::test]
async fn a_minute_refuses_the_third_and_takes_it_when_told() {
    let (clock, hand) = Clock::manual(start());
    let spec =
        spec().rate_headers().limit(Limit::requests(2, Period::Minute)).limit(Limit::tokens(10_000, Period::Minute));
    let simulator = Simulator::start(Scenario::Custom(vec![spec]), 1, clock).await.expect("loopback can be bound");
    let ask = async || chat(&simulator, &body("hi", false)).await.expect("a response");
    assert_eq!(ask().await.header("x-ratelimit-remaining-requests"), Some("1"));
    hand.advance(Duration::from_secs(15));
    let second = ask().await;
    assert_eq!(
        (second.header("x-ratelimit-remaining-requests"), second.header("x-ratelimit-reset-requests")),
        (Some("0"), Some("45s"))
    );
    let third = ask().await;
    assert_eq!((third.status, third.header("retry-after")), (429, Some("45")));
    assert_eq!(third.json()["error"]["code"], "rate_limit_exceeded");
    assert_eq!(third.header("x-ratelimit-remaining-requests"), Some("0"));
    simulator.script("sim-alpha", [Act::Answer]);
    assert_eq!(ask().await.status, 200, "scripted acts win over limits");
    hand.advance(Duration::from_mins(1));
    assert_eq!(ask().await.status, 200);
    assert_eq!(simulator.calls("sim-alpha")[2].outcome, Outcome::Refused(429));
}

#[tokio::test]
async fn dry_providers_say_when_the_day_turns_and_come_back_then() {
    let (clock, hand) = Clock::manual(start());
    let simulator = Simulator::start(Scenario::Dry, 1, clock).await.expect("loopback can be bound");
    let models = [
        ("sim-alpha", "sim-large-70b"),
        ("sim-bravo", "sim-code-32b"),
        ("sim-carol", "sim-vision-8b"),
        ("sim-delta", "sim-large-120b"),
    ];
    let ask = async |id: &str, model: &str| {
        let provider = simulator.providers().iter().find(|provider| provider.id == id).expect("a provider");
        let mut body = body("hi", false);
        body["model"] = model.into();
        send(provider, "POST", "/chat/completions", &provider.key, body.to_string()).await.expect("a response")
    };
    for (id, model) in models {
        let got = ask(id, model).await;
        assert_eq!((got.status, got.header("retry-after")), (429, Some("5400")), "{id}");
        let error = got.json()["error"].clone();
        if id == "sim-alpha" {
            assert!(error["message"].as_str().expect("text").contains("requests per day (RPD)"), "{error}");
        } else {
            assert_eq!(error["code"], "insufficient_quota");
        }
    }
    hand.advance(Duration::from_mins(90));
    for (id, model) in models {
        assert_eq!(ask(id, model).await.status, 200, "{id}");
    }
}

#[tokio::test]
async fn the_demo_tells_its_story_and_cut_spares_one() {
    let (clock, hand) = Clock::manual(start());
    let simulator = Simulator::start(Scenario::demo(), 1, clock.clone()).await.expect("loopback can be bound");
    let ask = async |simulator: &Simulator, id: &str, model: &str| {
        let provider = simulator.providers().iter().find(|provider| provider.id == id).expect("a provider");
        let mut body = body("hi", true);
        body["model"] = model.into();
        let got =
            send(provider, "POST", "/chat/completions", &provider.key, body.to_string()).await.expect("a response");
        (got.status, got.complete)
    };
    for (id, model) in [("sim-alpha", "sim-large-70b"), ("sim-bravo", "sim-code-32b")] {
        let statuses = [ask(&simulator, id, model).await, ask(&simulator, id, model).await];
        assert_eq!(statuses, [(200, true), (429, true)], "{id}");
    }
    hand.advance(Duration::from_mins(1));
    assert_eq!(ask(&simulator, "sim-alpha", "sim-large-70b").await.0, 200);
    assert_eq!(ask(&simulator, "sim-bravo", "sim-code-32b").await.0, 429);
    let carol =
        [ask(&simulator, "sim-carol", "sim-vision-8b").await, ask(&simulator, "sim-carol", "sim-vision-8b").await];
    assert_eq!(carol, [(200, true), (200, false)]);
    let cutting = Simulator::start(Scenario::Cut, 1, clock).await.expect("loopback can be bound");
    assert_eq!(ask(&cutting, "sim-delta", "sim-large-120b").await, (200, false));
    assert_eq!(ask(&cutting, "sim-bravo", "sim-code-32b").await, (200, true));
}

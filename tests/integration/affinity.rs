//! Sessions stay with the route that answered them, as long as it can answer.

use relay::sim::{Act, ModelSpec};
use serde_json::json;

use super::harness::{Asking, eventually, gateway, provider, says};

/// Makes the second choice answer a session once, by failing the first.
fn first_fails_once(more: usize) -> [super::harness::Fake; 2] {
    let mut first = vec![Act::status(500)];
    first.extend(vec![says("a"); more]);
    [provider("sim-a").answers(first), provider("sim-b")]
}

#[tokio::test]
async fn a_session_stays_where_a_failover_brought_it_and_others_do_not_follow() {
    let gateway = gateway().over(first_fails_once(2)).start().await;
    let ask = || gateway.ask("hi").header("x-session-id", "one");
    ask().await.by("sim-b/sim-m").after("sim-a/sim-m=500");
    for streamed in [false, true] {
        ask().streamed_if(streamed).await.by("sim-b/sim-m").after("");
    }
    gateway.ask("hi").await.by("sim-a/sim-m");
    gateway.ask("hi").header("x-session-id", "two").await.by("sim-a/sim-m");
}

#[tokio::test]
async fn whatever_names_a_session_pins_it() {
    type Named = fn(Asking) -> Asking;
    let names: [Named; 5] = [
        |asking| asking.header("x-claude-code-session-id", "s"),
        |asking| asking.header("session_id", "s"),
        |asking| asking.with("prompt_cache_key", json!("s")),
        |asking| asking.with("user", json!("s")),
        |asking| asking.header("X-Talk", "s"),
    ];
    for name in names {
        let gateway = gateway().over(first_fails_once(0)).config("[session]\nheader = \"X-Talk\"\n").start().await;
        name(gateway.ask("hi")).await.by("sim-b/sim-m");
        name(gateway.ask("hi")).await.by("sim-b/sim-m").after("");
    }
    let gateway = gateway().over(first_fails_once(1)).config("[session]\nenabled = false\n").start().await;
    gateway.ask("hi").with("user", json!("s")).await.by("sim-b/sim-m");
    gateway.ask("hi").with("user", json!("s")).await.by("sim-a/sim-m");
}

#[tokio::test]
async fn a_pinned_route_that_cannot_answer_is_left_and_the_session_moves() {
    let small = ModelSpec::new("sim-m").features(&[]);
    let fakes = [
        provider("sim-a").answers([Act::status(500), says("a"), says("a")]),
        provider("sim-b").model(small).answers([says("b")]),
    ];
    let gateway = gateway().over(fakes).start().await;
    let ask = || gateway.ask("hi").header("x-session-id", "one");
    ask().await.by("sim-b/sim-m");
    let tools = json!([{"type": "function", "function": {"name": "f", "parameters": {"type": "object"}}}]);
    ask().with("tools", tools).await.by("sim-a/sim-m");
    ask().await.by("sim-a/sim-m");
}

#[tokio::test]
async fn a_caller_who_leaves_moves_nothing() {
    let fakes =
        [provider("sim-a").answers([says("a"), says("a")]), provider("sim-b").answers([Act::Stall { after: 3 }])];
    let gateway = gateway().over(fakes).start().await;
    let ask = || gateway.ask("hi").header("x-session-id", "one").header("x-relay-style", "off");
    ask().await.by("sim-a/sim-m");
    let mut socket = ask().model("sim-b").streamed().begin().await;
    assert!(socket.read_until("data:").await.contains("200"));
    drop(socket);
    eventually("the stream is over", || gateway.is_idle()).await;
    ask().model("auto").await.by("sim-a/sim-m");
}

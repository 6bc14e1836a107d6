//! Storms: many requests at once over providers that fail in every way, and one that is healthy. `RELAY_CHAOS=10000` makes it longer.

use std::ops::AddAssign;

use futures_util::stream::{self, StreamExt as _};
use relay::config::Environment;
use relay::sim::Act;
use serde_json::json;
use tokio::runtime::Handle;

use super::harness::{Fake, Gateway, Reply, eventually_within, gateway, provider};

/// Requests under way at a time.
const AT_A_TIME: usize = 64;
/// Requests over one set of providers: what lasts, such as a rejected key, is then drawn anew.
const A_STORM: usize = 100;
const USUAL_STORMS: usize = 3;

/// Silence ends soon enough for a test, and no healthy answer takes so long.
const IMPATIENT: &str = "[timeouts]\nfirst_event = \"2s\"\nidle = \"2s\"\n";

fn storms() -> usize {
    let environment = Environment::of_process();
    let wanted = environment.get("RELAY_CHAOS").and_then(|count| count.parse::<usize>().ok());
    wanted.map_or(USUAL_STORMS, |requests| requests.div_ceil(A_STORM))
}

/// Three calls in ten fail, in all ways there are.
fn unsteady(id: &str, seed: usize) -> Fake {
    let more = [Act::TooLarge, Act::TooLong, Act::status(418), half_a_call()];
    let acts: Vec<Act> = Act::passing().into_iter().chain(Act::lasting()).chain(Act::silent()).chain(more).collect();
    // The seed is the provider's; where the list begins is the storm's.
    let turned = (0..acts.len()).map(|place| acts[(place + seed) % acts.len()].clone()).collect::<Vec<_>>();
    provider(id).spec(|spec| spec.faulty(0.3, turned).latency_ms(0..=4, 0..=0))
}

/// A stream that breaks off inside a tool call.
fn half_a_call() -> Act {
    let call = json!([{"index": 0, "id": "call_1", "type": "function", "function": {"name": "weather", "arguments": "{\"ci"}}]);
    let chunk = json!({"id": "chat-half", "object": "chat.completion.chunk", "created": 5, "model": "sim-m",
        "choices": [{"index": 0, "delta": {"role": "assistant", "tool_calls": call}, "finish_reason": null}]});
    Act::raw_stream(format!("data: {chunk}\n\n"), 64)
}

/// How requests ended.
#[derive(Debug, Default)]
struct Ends {
    answered: usize,
    /// Inside a tool call, which nobody can go on with.
    cut_in_a_call: usize,
}

impl AddAssign<bool> for Ends {
    fn add_assign(&mut self, is_answered: bool) {
        *(if is_answered { &mut self.answered } else { &mut self.cut_in_a_call }) += 1;
    }
}

/// One answer, whole, and said once; or half a tool call, and an error at its end. Says which.
fn check(reply: &Reply, number: usize) -> bool {
    let text = reply.text();
    assert_eq!(reply.status, 200, "request {number}: {text}");
    if text.contains("tool_calls") {
        assert!(reply.is_stream() && !text.contains("[DONE]"), "request {number}: {text}");
        let last = reply.events().pop().expect("an event");
        assert!(last["error"]["message"].is_string(), "request {number}: {text}");
        return false;
    }
    assert!(reply.complete && !reply.answer().is_empty(), "request {number}: {text}");
    if reply.is_stream() {
        assert!(text.matches("data: [DONE]").count() == 1 && !text.contains("\"error\""), "request {number}: {text}");
        let finishes = reply.events().iter().filter(|event| event["choices"][0]["finish_reason"].is_string()).count();
        assert_eq!(finishes, 1, "request {number}: {text}");
    }
    true
}

/// Nothing is under way, and relay has counted what its providers saw.
async fn check_books(gateway: &Gateway, ends: &Ends) {
    eventually_within(5, "all is settled", || gateway.is_idle()).await;
    assert_eq!(gateway.lines().len(), A_STORM, "a line for each request");
    let totals = gateway.relay.store().totals(jiff::Timestamp::MIN).expect("kept in memory");
    for (route, totals) in gateway.relay.fleet.routes.iter().zip(&totals) {
        let seen = gateway.providers.chats(&route.provider.id).len() as u64;
        assert_eq!(totals.ok + totals.errors + totals.rate_limited, seen, "{}: {totals:?}", route.name);
    }
    let answers = totals.iter().map(|totals| totals.ok).sum::<u64>();
    assert_eq!(answers, ends.answered as u64, "each request has one answer: {ends:?}");
}

/// Whoever still runs on this test's runtime: each open socket is one of them.
fn tasks() -> usize {
    Handle::current().metrics().num_alive_tasks()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_route_is_healthy_every_request_is_answered_once() {
    let before = tasks();
    let mut all = Ends::default();
    for storm in 0..storms() {
        let fakes = ["sim-a", "sim-b", "sim-c"].map(|id| unsteady(id, storm)).into_iter().chain([provider("sim-d")]);
        let gateway = gateway().over(fakes).config(IMPATIENT).start().await;
        let asked = (0..A_STORM).map(|number| {
            let asking = gateway.ask("Why is the sky blue?").streamed_if(number.is_multiple_of(2));
            async move { (number, asking.await) }
        });
        let mut answered = stream::iter(asked).buffer_unordered(AT_A_TIME);
        let mut ends = Ends::default();
        while let Some((number, reply)) = answered.next().await {
            ends += check(&reply, storm * A_STORM + number);
        }
        drop(answered);
        check_books(&gateway, &ends).await;
        gateway.stop().await;
        eventually_within(5, "no task and no socket is left", || tasks() <= before).await;
        all.answered += ends.answered;
        all.cut_in_a_call += ends.cut_in_a_call;
    }
    assert!(all.cut_in_a_call < all.answered / 20, "{all:?}");
}

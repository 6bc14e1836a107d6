//! Storms: many requests at once over providers that fail in every way, and one that is healthy. `RELAY_CHAOS=10000` makes it longer.

use futures_util::stream::{self, StreamExt as _};
use relay::config::Environment;
use relay::sim::Act;

use super::harness::{Fake, Gateway, Reply, eventually_within, gateway, provider};

/// Requests under way at a time.
const AT_A_TIME: usize = 64;
/// Requests over one set of providers: what lasts, such as a rejected key, is then drawn anew.
const A_STORM: usize = 100;
const USUAL_STORMS: usize = 3;

fn storms() -> usize {
    let environment = Environment::of_process();
    let wanted = environment.get("RELAY_CHAOS").and_then(|count| count.parse::<usize>().ok());
    wanted.map_or(USUAL_STORMS, |requests| requests.div_ceil(A_STORM))
}

/// Three calls in ten fail, in all ways that no time-out has to end.
fn unsteady(id: &str, seed: usize) -> Fake {
    let acts = [
        Act::busy(1),
        Act::Busy { retry_after: None },
        Act::Spent,
        Act::PaymentRequired,
        Act::Denied,
        Act::Gone,
        Act::TooLarge,
        Act::TooLong,
        Act::status(500),
        Act::status(503),
        Act::status(418),
        Act::Html,
        Act::NotJson,
        Act::EmptyBody,
        Act::EmptyStream,
        Act::ErrorIn200,
        Act::ErrorInStream,
        Act::ErrorAfter { after: 4 },
        Act::Cut { after: 0 },
        Act::Cut { after: 4 },
        Act::Reset,
    ];
    // The seed is the provider's; where the list begins is the storm's.
    let turned = (0..acts.len()).map(|place| acts[(place + seed) % acts.len()].clone()).collect::<Vec<_>>();
    provider(id).spec(|spec| spec.faulty(0.3, turned).latency_ms(0..=4, 0..=0))
}

/// One answer, whole, and said once.
fn check(reply: &Reply, number: usize) {
    assert_eq!(reply.status, 200, "request {number}: {}", reply.text());
    assert!(reply.complete && !reply.answer().is_empty(), "request {number}: {}", reply.text());
    if reply.is_stream() {
        let text = reply.text();
        assert!(text.matches("data: [DONE]").count() == 1 && !text.contains("\"error\""), "request {number}: {text}");
        let finishes = reply.events().iter().filter(|event| event["choices"][0]["finish_reason"].is_string()).count();
        assert_eq!(finishes, 1, "request {number}: {text}");
    }
}

/// Nothing is under way, and relay has counted what its providers saw.
async fn check_books(gateway: &Gateway) {
    eventually_within(5, "all is settled", || gateway.is_idle()).await;
    assert_eq!(gateway.lines().len(), A_STORM, "a line for each request");
    let totals = gateway.relay.store().totals(jiff::Timestamp::MIN).expect("kept in memory");
    for (route, totals) in gateway.relay.fleet.routes.iter().zip(&totals) {
        let seen = gateway.providers.chats(&route.provider.id).len() as u64;
        assert_eq!(totals.ok + totals.errors + totals.rate_limited, seen, "{}: {totals:?}", route.name);
    }
    assert_eq!(totals.iter().map(|totals| totals.ok).sum::<u64>(), A_STORM as u64, "each request has one answer");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn while_one_route_is_healthy_every_request_is_answered_once() {
    for storm in 0..storms() {
        let fakes = ["sim-a", "sim-b", "sim-c"].map(|id| unsteady(id, storm)).into_iter().chain([provider("sim-d")]);
        let gateway = gateway().over(fakes).start().await;
        let asked = (0..A_STORM).map(|number| {
            let asking = gateway.ask("Why is the sky blue?").streamed_if(number.is_multiple_of(2));
            async move { (number, asking.await) }
        });
        let mut answered = stream::iter(asked).buffer_unordered(AT_A_TIME);
        while let Some((number, reply)) = answered.next().await {
            check(&reply, storm * A_STORM + number);
        }
        drop(answered);
        check_books(&gateway).await;
    }
}

//! Traffic over routes of equal standing is shared, and a route that recovers gets its share again.

use std::collections::BTreeMap;
use std::time::Duration;

use relay::clock::Clock;
use relay::sim::{Act, Limit, Period};

use super::harness::{Gateway, gateway, provider};

/// How many of so many requests each route answered, ordered by price.
async fn shares(gateway: &Gateway, requests: usize) -> BTreeMap<String, usize> {
    let mut shares = BTreeMap::new();
    for _ in 0..requests {
        let reply = gateway.ask("hello").header("x-relay-strategy", "auto").await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        *shares.entry(reply.header("x-relay-route").expect("a route").to_owned()).or_default() += 1;
    }
    shares
}

#[tokio::test]
async fn three_equal_providers_get_a_tenth_of_thirty_requests_each_at_least() {
    let minute = || Limit::requests(20, Period::Minute);
    let gateway = gateway().over(["sim-a", "sim-b", "sim-c"].map(|id| provider(id).limit(minute()))).start().await;
    let shares = shares(&gateway, 30).await;
    assert!(shares.len() == 3 && shares.values().all(|share| *share >= 3), "{shares:?}");
}

#[tokio::test]
async fn what_a_day_has_little_of_is_left_for_those_who_need_it() {
    let fakes = [
        provider("sim-scarce").limit(Limit::requests(20, Period::Day)),
        provider("sim-plenty").limit(Limit::requests(60, Period::Minute)),
    ];
    // In its last minutes a day's quota is for whoever asks.
    let (noon, _) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
    let gateway = gateway().over(fakes).clock(noon).start().await;
    assert_eq!(shares(&gateway, 30).await, BTreeMap::from([("sim-plenty/sim-m".to_owned(), 30)]));
}

#[tokio::test]
async fn a_route_that_recovers_is_asked_again_within_seconds_of_its_moment() {
    // A refusal with a moment, and a breaker that three failures open for 15 seconds.
    for (acts, away) in [(vec![Act::busy(20)], 20), (vec![Act::status(500); 3], 15)] {
        let (clock, hand) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
        let gateway =
            gateway().over([provider("sim-a").answers(acts.clone()), provider("sim-b")]).clock(clock).start().await;
        for _ in 0..acts.len() {
            gateway.ask("hello").await.by("sim-b/sim-m");
        }
        hand.advance(Duration::from_secs(away - 1));
        assert_eq!(shares(&gateway, 10).await.get("sim-a/sim-m"), None, "{acts:?}");
        hand.advance(Duration::from_secs(2));
        let shares = shares(&gateway, 20).await;
        assert!(shares.get("sim-a/sim-m").is_some_and(|share| *share >= 2), "{acts:?}: {shares:?}");
    }
}

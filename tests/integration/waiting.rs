//! Quota: no more than allowed is sent, a request may wait for room, and a refusal says truly until when.

use std::future::IntoFuture as _;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use relay::clock::Clock;
use relay::sim::{Act, Limit, Period};

use super::harness::{eventually, gateway, provider, says};

#[tokio::test]
async fn a_request_waits_for_room_and_is_answered() {
    for streamed in [false, true] {
        let gateway = gateway().over([provider("sim-a").answers([Act::busy(1), says("hi")])]).start().await;
        let started = Instant::now();
        let reply = gateway.ask("hello").header("x-relay-wait", "5s").streamed_if(streamed).await;
        reply.is("hi").by("sim-a/sim-m").after("sim-a/sim-m=429-minute");
        let took = started.elapsed();
        assert!((Duration::from_millis(900)..Duration::from_secs(3)).contains(&took), "{took:?}");
    }
}

#[tokio::test]
async fn a_request_that_may_not_wait_that_long_is_refused_at_once() {
    for wait in ["0s", "1s", "29s"] {
        let gateway = gateway().over([provider("sim-a").answers([Act::busy(30)])]).start().await;
        let started = Instant::now();
        let reply = gateway.ask("hello").header("x-relay-wait", wait).await;
        assert!((29..=30).contains(&reply.refused(429, "quota_exhausted").retry_after()), "{wait}");
        assert!(started.elapsed() < Duration::from_millis(900), "{wait}");
    }
}

#[tokio::test]
async fn the_wait_of_the_configuration_counts_where_the_request_is_silent() {
    let fakes = [provider("sim-a").answers([Act::busy(1)])];
    let gateway = gateway().over(fakes).config("[routing]\nmax_wait = \"0s\"\n").start().await;
    gateway.ask("hello").await.refused(429, "quota_exhausted");
    let asking = gateway.ask("hello").header("x-relay-wait", "3s");
    asking.await.by("sim-a/sim-m");
}

#[tokio::test]
async fn five_a_minute_lets_five_of_twelve_through() {
    let fake = provider("sim-a").limit(Limit::requests(5, Period::Minute));
    let gateway = gateway().over([fake]).start().await;
    let requests = (0..12).map(|_| gateway.ask("hello").header("x-relay-wait", "0s").into_future());
    let replies = futures_util::future::join_all(requests).await;
    let (answered, refused): (Vec<_>, Vec<_>) = replies.iter().partition(|reply| reply.status == 200);
    assert_eq!((answered.len(), refused.len()), (5, 7));
    for reply in refused {
        assert!((50..=61).contains(&reply.refused(429, "quota_exhausted").retry_after()));
    }
    assert_eq!(gateway.providers.chats("sim-a").len(), 5, "what is known to be refused is not sent");
    assert!(gateway.is_idle());
}

#[tokio::test]
async fn the_sixth_of_a_minute_goes_to_the_next_provider() {
    let fakes = [provider("sim-a").limit(Limit::requests(5, Period::Minute)), provider("sim-b")];
    let gateway = gateway().over(fakes).start().await;
    for _ in 0..5 {
        gateway.ask("hello").await.by("sim-a/sim-m");
    }
    gateway.ask("hello").await.by("sim-b/sim-m").after("");
}

#[tokio::test]
async fn the_moment_a_refusal_names_is_when_there_is_room() {
    let (clock, hand) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
    let fake = provider("sim-a").limit(Limit::requests(2, Period::Minute));
    let gateway = gateway().over([fake]).clock(clock).start().await;
    let asking = || gateway.ask("hello").header("x-relay-wait", "0s");
    asking().await.by("sim-a/sim-m");
    hand.advance(Duration::from_secs(20));
    asking().await.by("sim-a/sim-m");
    let wait = asking().await.refused(429, "quota_exhausted").retry_after();
    assert!((40..=41).contains(&wait), "{wait}");
    hand.advance(Duration::from_secs(wait - 2));
    asking().await.refused(429, "quota_exhausted");
    hand.advance(Duration::from_secs(2));
    asking().await.by("sim-a/sim-m");
    asking().await.refused(429, "quota_exhausted");
}

#[tokio::test]
async fn a_waiting_request_is_answered_when_the_clock_gets_there() {
    let start: Timestamp = "2026-10-09T23:59:30Z".parse().expect("a moment");
    let (clock, hand) = Clock::manual(start);
    let fake = provider("sim-a").limit(Limit::requests(1, Period::Day));
    let gateway = gateway().over([fake]).clock(clock).start().await;
    gateway.ask("hello").await.by("sim-a/sim-m");
    let mut waiting = gateway.ask("hello").header("x-relay-wait", "60s").into_future();
    let mut still_waits = async || tokio::time::timeout(Duration::from_millis(100), &mut waiting).await.is_err();
    assert!(still_waits().await);
    hand.advance(Duration::from_secs(29));
    assert!(still_waits().await, "the day turns at midnight, not before");
    hand.advance(Duration::from_secs(1));
    waiting.await.by("sim-a/sim-m");
}

#[tokio::test]
async fn those_that_wait_are_answered_in_their_order_and_nobody_is_refused() {
    let fakes = [provider("sim-a").limit(Limit::requests(2, Period::Second))];
    let gateway = gateway().over(fakes).start().await;
    let asked = (0..8).map(|number| {
        let request = gateway.ask(&format!("question {number}")).model("sim-a/sim-m").header("x-relay-wait", "20s");
        async move {
            tokio::time::sleep(Duration::from_millis(20) * number).await;
            request.await
        }
    });
    for reply in futures_util::future::join_all(asked).await {
        reply.by("sim-a/sim-m").after("");
    }
    let prompts = gateway.providers.chats("sim-a").into_iter().map(|call| {
        let body: serde_json::Value = serde_json::from_slice(&call.body).expect("JSON");
        body["messages"][0]["content"].clone()
    });
    let expected: Vec<String> = (0..8).map(|number| format!("question {number}")).collect();
    assert_eq!(prompts.collect::<Vec<_>>(), expected);
    assert!(gateway.is_idle());
}

#[tokio::test]
async fn what_an_answer_did_not_use_wakes_those_that_wait() {
    // Each request takes 1,024 tokens for an answer that has a few.
    let fake =
        provider("sim-a").limit(Limit::tokens(1_500, Period::Minute)).spec(|spec| spec.latency_ms(300..=300, 0..=0));
    let gateway = gateway().over([fake]).start().await;
    let started = Instant::now();
    let asking = || gateway.ask("hello").header("x-relay-wait", "30s").into_future();
    let (first, second) = tokio::join!(asking(), asking());
    first.by("sim-a/sim-m");
    second.by("sim-a/sim-m").after("");
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_frees_its_place() {
    let fake = provider("sim-a").limit(Limit::requests(1, Period::Second));
    let gateway = gateway().over([fake]).start().await;
    gateway.ask("hello").await.by("sim-a/sim-m");
    let leaving: Vec<_> = {
        let begin = (0..30).map(|_| gateway.ask("hello").header("x-relay-wait", "60s").begin());
        futures_util::future::join_all(begin).await
    };
    tokio::time::sleep(Duration::from_millis(200)).await;
    drop(leaving);
    tokio::time::sleep(Duration::from_millis(200)).await;
    let started = Instant::now();
    gateway.ask("hello").header("x-relay-wait", "20s").await.by("sim-a/sim-m");
    assert!(started.elapsed() < Duration::from_secs(4), "nobody stands in its way: {:?}", started.elapsed());
}

#[tokio::test]
async fn a_spent_day_is_not_retried_each_minute_and_a_full_minute_not_benched_for_a_day() {
    for (act, until_free) in [(Act::busy(30), 30), (Act::Spent, 12 * 3600)] {
        let (clock, hand) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
        let gateway =
            gateway().over([provider("sim-a").answers([act.clone()]), provider("sim-b")]).clock(clock).start().await;
        gateway.ask("hello").await.by("sim-b/sim-m");
        hand.advance(Duration::from_secs(until_free - 2));
        gateway.ask("hello").await.by("sim-b/sim-m");
        hand.advance(Duration::from_secs(3));
        gateway.ask("hello").await.by("sim-a/sim-m");
    }
}

#[tokio::test]
async fn a_provider_is_asked_no_more_at_a_time_than_it_may_be_and_those_that_wait_are_answered() {
    for streamed in [false, true] {
        let slow = |id| provider(id).spec(|spec| spec.latency_ms(100..=100, 0..=0));
        let gateway = gateway().over([slow("sim-a"), slow("sim-b")]).max_concurrency(1).start().await;
        let asking =
            |model: &str| gateway.ask("hello").model(model).streamed_if(streamed).header("x-relay-wait", "20s");
        let (first, second) = tokio::join!(asking("meta-model"), asking("meta-model"));
        let mut routes = [&first, &second].map(|reply| reply.header("x-relay-route"));
        routes.sort_unstable();
        assert_eq!(routes, [Some("sim-a/sim-m"), Some("sim-b/sim-m")]);
        let started = Instant::now();
        for reply in futures_util::future::join_all((0..5).map(|_| asking("sim-a").into_future())).await {
            reply.by("sim-a/sim-m").after("");
        }
        let took = started.elapsed();
        assert!((500..4_000).contains(&took.as_millis()), "one after the other, each as soon as it may: {took:?}");
        let leaving = asking("sim-a").begin().await;
        eventually("the provider is asked", || gateway.providers.simulator.open_requests() == 1).await;
        let refused = gateway.ask("hello").model("sim-a").header("x-relay-wait", "0s").await;
        assert_eq!(refused.refused(429, "quota_exhausted").retry_after(), 1);
        drop(leaving);
        eventually("the place is free again", || gateway.is_idle()).await;
        gateway.ask("hello").model("sim-a").header("x-relay-wait", "0s").await.by("sim-a/sim-m");
    }
}

#[tokio::test]
async fn a_place_that_was_taken_for_nothing_is_the_next_ones_at_once() {
    let (clock, _hand) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
    let fake = provider("sim-a").limit(Limit::requests(9, Period::Minute));
    let gateway = gateway().over([fake]).max_concurrency(1).clock(clock).in_file().start().await;
    let another = rusqlite::Connection::open(&gateway.state_file).expect("the state is there");
    another.execute_batch("BEGIN IMMEDIATE").expect("it can be locked");
    let leaving = gateway.ask("hello").begin().await;
    eventually("it has the place, and waits for the file", || gateway.relay.in_flight() == 1).await;
    let mut next = gateway.ask("hello").header("x-relay-wait", "20s").into_future();
    assert!(tokio::time::timeout(Duration::from_millis(100), &mut next).await.is_err(), "there is no other place");
    drop(leaving);
    another.execute_batch("ROLLBACK").expect("it can be let go");
    let reply = tokio::time::timeout(Duration::from_secs(10), next).await;
    reply.expect("nothing else would wake it: the clock stands still").by("sim-a/sim-m");
}

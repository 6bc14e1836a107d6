//! A first event that is late: a second route is asked beside the first, the first answer wins, and the loser is let go.

use std::future::IntoFuture as _;
use std::time::{Duration, Instant};

use relay::clock::Clock;
use relay::routing::RouteId;
use relay::sim::{Act, Limit, Period};

use super::harness::{Fake, Gateway, eventually, gateway, provider, says};

const HEDGING: &str = "[routing]\nhedge = \"on\"\n";

/// A first event takes this long: late for a route that usually needs a millisecond, and hedged after a second.
fn slow(id: &str, millis: u64) -> Fake {
    provider(id).spec(|spec| spec.latency_ms(millis..=millis, 0..=0))
}

/// A gateway over these two, of which the first is known to be quick.
async fn over(first: Fake, second: Fake, config: &str) -> Gateway {
    let gateway = gateway().over([first, second]).config(config).start().await;
    gateway.relay.note_answer(RouteId(0), Duration::from_millis(1));
    gateway
}

fn calls(gateway: &Gateway) -> [usize; 2] {
    ["sim-a", "sim-b"].map(|id| gateway.providers.chats(id).len())
}

#[tokio::test]
async fn the_second_answers_where_the_first_is_late_and_the_first_is_let_go() {
    for streamed in [false, true] {
        let gateway =
            over(provider("sim-a").answers([Act::Hang]), provider("sim-b").answers([says("hi")]), HEDGING).await;
        let started = Instant::now();
        let reply = gateway.ask("hello").streamed_if(streamed).await;
        reply.is("hi").by("sim-b/sim-m").after("sim-a/sim-m=timeout");
        assert!(started.elapsed() < Duration::from_secs(10), "{:?}", started.elapsed());
        eventually("the loser's call is cancelled and its lease settled", || gateway.is_idle()).await;
        assert_eq!(gateway.providers.simulator.client_gone(), 1);
    }
}

#[tokio::test]
async fn the_first_wins_where_it_is_late_and_still_the_first_to_answer() {
    let gateway = over(slow("sim-a", 1_500), slow("sim-b", 8_000), HEDGING).await;
    gateway.ask("hello").streamed().await.by("sim-a/sim-m");
    assert_eq!(calls(&gateway), [1, 1], "both were asked");
    eventually("the loser's call is cancelled and its lease settled", || gateway.is_idle()).await;
    assert_eq!(gateway.providers.simulator.client_gone(), 1);
}

#[tokio::test]
async fn a_late_one_that_fails_leaves_the_answer_to_the_other() {
    let first = slow("sim-a", 1_300).spec(|spec| spec.opening([Act::Answer]));
    let gateway = over(first, slow("sim-b", 1_000).spec(|spec| spec.opening([Act::status(500)])), HEDGING).await;
    gateway.ask("hello").await.by("sim-a/sim-m").after("sim-b/sim-m=500");
    assert!(gateway.is_idle());
}

#[tokio::test]
async fn nobody_is_asked_beside_where_it_is_off_or_would_cost_much() {
    let dear = || provider("sim-b").limit(Limit::requests(5, Period::Day));
    for (config, second) in [("", provider("sim-b")), (HEDGING, dear())] {
        let gateway = over(slow("sim-a", 1_400), second, config).await;
        gateway.ask("hello").await.by("sim-a/sim-m").after("");
        assert_eq!(calls(&gateway), [1, 0], "{config}");
    }
}

#[tokio::test]
async fn a_silent_answer_leaves_time_to_others() {
    for (config, streamed, silent_s) in
        [("", true, 30), ("", false, 60), ("[timeouts]\nfirst_event = \"40s\"\n", true, 40)]
    {
        let (clock, hand) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
        let fakes = [provider("sim-a").answers([Act::Hang]), provider("sim-b")];
        let gateway = gateway().over(fakes).clock(clock).config(config).start().await;
        let mut asking = gateway.ask("hello").streamed_if(streamed).into_future();
        let mut is_silent = async || tokio::time::timeout(Duration::from_millis(200), &mut asking).await.is_err();
        assert!(is_silent().await);
        hand.advance(Duration::from_secs(silent_s - 1));
        assert!(is_silent().await, "{config} {silent_s}");
        hand.advance(Duration::from_secs(2));
        asking.await.by("sim-b/sim-m").after("sim-a/sim-m=timeout");
    }
}

/// Longer than its deadline.
const LONG: &str = "[routing]\nstrategy = \"priority\"\n[timeouts]\ndeadline = \"500ms\"\n";

#[tokio::test]
async fn a_whole_answer_that_takes_long_is_waited_for_and_another_route_asked_beside_it() {
    let alone = gateway().over([slow("sim-a", 1_500)]).config(LONG).start().await;
    alone.ask("hello").await.by("sim-a/sim-m").after("");
    let beside = gateway().over([slow("sim-a", 1_500), slow("sim-b", 8_000)]).config(LONG).start().await;
    beside.ask("hello").await.by("sim-a/sim-m").after("");
    assert_eq!(calls(&beside), [1, 1]);
}

#[tokio::test]
async fn a_whole_answer_of_the_only_provider_has_ten_times_the_deadline() {
    let (clock, hand) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
    let gateway = gateway().over([provider("sim-a").answers([Act::Hang])]).clock(clock).start().await;
    let mut asking = gateway.ask("hello").into_future();
    for seconds in [0, 599] {
        hand.advance(Duration::from_secs(seconds));
        assert!(tokio::time::timeout(Duration::from_millis(200), &mut asking).await.is_err(), "{seconds}");
    }
    hand.advance(Duration::from_secs(2));
    asking.await.refused(504, "upstream_timeout");
}

#[tokio::test]
async fn a_silent_stream_is_not_given_up_where_nobody_better_may_be_asked() {
    let (clock, hand) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
    let fakes = [provider("sim-a").answers([Act::Hang]), provider("sim-b")];
    let gateway = gateway().over(fakes).clock(clock).config("[routing]\nmax_attempts = 1\n").start().await;
    let mut asking = gateway.ask("hello").streamed().into_future();
    for seconds in [0, 59] {
        hand.advance(Duration::from_secs(seconds));
        assert!(tokio::time::timeout(Duration::from_millis(200), &mut asking).await.is_err(), "{seconds}");
    }
    hand.advance(Duration::from_secs(2));
    asking.await.refused(504, "upstream_timeout");
    assert_eq!(calls(&gateway), [1, 0]);
}

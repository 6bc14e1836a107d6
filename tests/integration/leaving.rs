//! Clients that leave: the provider's work is cancelled within a second, every lease is settled, and nothing leaks.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use relay::chat::ChatRequest;
use relay::quota::Meter;
use relay::relay::Options;
use relay::sim::{Act, Limit, Outcome, Period};
use tokio::runtime::Handle;

use super::harness::{Fake, Gateway, Then, Upstream, eventually, gateway, provider, says};

#[tokio::test]
async fn a_client_that_leaves_cancels_the_upstream_call() {
    let table = [
        (Act::Hang, false),
        (Act::Hang, true),
        (Act::Stall { after: 0 }, true),
        (Act::Stall { after: 3 }, true),
        (Act::Stall { after: 3 }, false),
    ];
    for (act, streamed) in table {
        let gateway = gateway().over([provider("sim-a").answers([act.clone()]), provider("sim-b")]).start().await;
        let mut socket = gateway.ask("hello").streamed_if(streamed).begin().await;
        if streamed && act == (Act::Stall { after: 3 }) {
            socket.read_until("chat.completion.chunk").await;
        }
        eventually("the provider is asked", || {
            gateway.relay.in_flight() == 1 && gateway.providers.simulator.open_requests() == 1
        })
        .await;
        assert_eq!(gateway.relay.store().open_leases(), 1, "{act:?}");
        drop(socket);
        eventually("the call is cancelled and the lease settled", || gateway.is_idle()).await;
        assert_eq!(gateway.providers.only_chat("sim-a").outcome, Outcome::ClientGone, "{act:?}");
        eventually("the log has its line", || gateway.lines().len() == 1).await;
        assert_eq!(gateway.providers.chats("sim-b").len(), 0, "nobody asks on for a client that has left");
        gateway.ask("and now?").model("sim-b").await.by("sim-b/sim-m");
    }
}

#[tokio::test]
async fn leaving_says_nothing_bad_about_the_route() {
    let acts = vec![Act::Hang; 5];
    let gateway = gateway().over([provider("sim-a").answers(acts), provider("sim-b")]).start().await;
    for _ in 0..5 {
        let socket = gateway.ask("hello").begin().await;
        eventually("the provider is asked", || gateway.providers.simulator.open_requests() == 1).await;
        drop(socket);
        eventually("the call is cancelled", || gateway.is_idle()).await;
    }
    gateway.ask("hello").await.by("sim-a/sim-m").after("");
}

#[tokio::test]
async fn what_a_refusals_headers_tell_is_known_to_the_next_though_its_client_left() {
    let head = "HTTP/1.1 429 Too Many Requests\r\nx-ratelimit-remaining-requests-day: 0\r\ncontent-length: 100\r\n\r\n";
    let refusing = Upstream::start(head, Then::Drip(" ")).await;
    let fakes = [provider("sim-a").limit(Limit::requests(100, Period::Day)), provider("sim-b")];
    let gateway = gateway().over(fakes).elsewhere("sim-a", refusing.address).start().await;
    let socket = gateway.ask("hello").begin().await;
    let is_used_up = || {
        let reading = |meter: &Arc<Meter>| meter.reading(gateway.relay.clock.now());
        gateway.relay.snapshot().view.meters.iter().map(reading).any(|it| it.limit == 100 && it.remaining() == 0)
    };
    eventually("its head is noted while its body comes", is_used_up).await;
    drop(socket);
    eventually("the call is cancelled", || gateway.is_idle()).await;
    gateway.ask("hello").await.by("sim-b/sim-m").after("");
}

#[tokio::test]
async fn whoever_leaves_before_the_request_does_has_used_nothing() {
    let limited = |fake: Fake| gateway().over([fake.limit(Limit::requests(100, Period::Day))]).start();
    let body = r#"{"messages":[{"role":"user","content":"hello"}]}"#;
    let (request, options) = (ChatRequest::parse(body.into()).expect("valid"), Options::default());
    let used = |gateway: &Gateway| {
        let now = gateway.relay.clock.now();
        gateway.relay.snapshot().view.meters.iter().map(|meter| meter.reading(now).used).sum::<u64>()
    };
    // It lets others go first; it waits for a connection. Nobody has let the connection open by then.
    for polls in [1, 2] {
        let gateway = limited(provider("sim-a")).await;
        let mut sending = Box::pin(gateway.relay.send(&request, &options));
        for _ in 0..polls {
            assert!((&mut sending).now_or_never().is_none());
        }
        assert_eq!((gateway.relay.store().open_leases(), used(&gateway)), (1, 1));
        drop(sending);
        assert_eq!((gateway.is_idle(), used(&gateway)), (true, 0), "{polls}");
    }
    let gateway = limited(provider("sim-a").answers([Act::Hang])).await;
    let mut sending = Box::pin(gateway.relay.send(&request, &options));
    let asked = tokio::time::timeout(Duration::from_millis(200), &mut sending).await;
    assert!(asked.is_err() && gateway.providers.simulator.open_requests() == 1);
    drop(sending);
    assert_eq!((gateway.relay.store().open_leases(), used(&gateway)), (0, 1), "it may have been counted there");
}

#[tokio::test]
async fn a_client_that_leaves_while_it_waits_for_quota_is_forgotten() {
    let gateway = gateway().over([provider("sim-a").answers([Act::busy(8)])]).start().await;
    let socket = gateway.ask("hello").header("x-relay-wait", "60s").begin().await;
    eventually("it was refused once", || gateway.providers.chats("sim-a").len() == 1 && gateway.is_idle()).await;
    drop(socket);
    eventually("the log has its line", || gateway.lines().len() == 1).await;
    assert_eq!(gateway.lines()[0].status, 499);
}

#[tokio::test]
async fn the_server_drains_open_streams_before_it_stops() {
    let slow = provider("sim-a")
        .spec(|spec| spec.latency_ms(0..=0, 20..=20))
        .answers([says("one two three four five six seven")]);
    let gateway = gateway().over([slow]).start().await;
    let mut socket = gateway.ask("count").streamed().begin().await;
    socket.read_until("one").await;
    let (stopped, rest) = tokio::join!(gateway.stop(), async {
        let all = socket.read_until("[DONE]").await;
        drop(socket);
        all
    });
    assert_eq!(stopped, relay::gateway::Stopped::Drained);
    assert!(rest.contains("seven"));
}

/// One request of a kind; drops are left in the middle.
async fn one_of_many(gateway: &Gateway, number: usize) {
    let streamed = number.is_multiple_of(2);
    let asking = gateway.ask("Why is the sky blue?").streamed_if(streamed);
    match number % 5 {
        0 => drop(gateway.post("{").await),
        1 | 2 => drop(asking.await),
        3 => drop(asking.begin().await),
        _ => {
            let socket = asking.begin().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            drop(socket);
        }
    }
}

#[tokio::test]
async fn after_two_hundred_requests_of_all_kinds_nothing_is_left() {
    let faults = [
        Act::status(500),
        Act::Reset,
        Act::Cut { after: 2 },
        Act::Cut { after: 0 },
        Act::Html,
        Act::ErrorInStream,
        Act::TooLarge,
    ];
    let unsteady = provider("sim-a").spec(|spec| spec.faulty(0.5, faults).latency_ms(0..=8, 0..=1));
    let steady = provider("sim-b").spec(|spec| spec.latency_ms(0..=8, 0..=1));
    let gateway = gateway().over([unsteady, steady]).start().await;
    gateway.ask("warm up").await;
    eventually("the first connection is closed", || gateway.is_idle()).await;
    let tasks = Handle::current().metrics().num_alive_tasks();
    for ten in 0..20 {
        let requests = (0..10).map(|one| one_of_many(&gateway, ten * 10 + one));
        futures_util::future::join_all(requests).await;
    }
    eventually("all is settled", || gateway.is_idle()).await;
    assert_eq!(gateway.lines().len(), 201);
    // What is left are pooled connections, each with a task of the provider's: as many as there were requests at one time, at most.
    let pooled = gateway.providers.simulator.open_connections();
    let alive = || Handle::current().metrics().num_alive_tasks();
    assert!(pooled <= 20, "{pooled} connections");
    eventually("tasks are those of pooled connections", || alive() <= tasks + pooled).await;
}

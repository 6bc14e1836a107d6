//! Clients that leave, connections that end, and many calls at once.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;

use super::client::{begin, body, chat, eventually, send, simulator, spec};
use crate::clock::Clock;
use crate::sim::{Act, Outcome, Scenario, Simulator};

#[tokio::test]
async fn a_client_that_leaves_is_noticed_wherever_the_call_is() {
    let slow_start = spec().latency_ms(60_000..=60_000, 0..=0);
    let slow_tokens = spec().latency_ms(0..=0, 60_000..=60_000);
    let table =
        [(spec(), Act::Hang), (spec(), Act::Stall { after: 2 }), (slow_start, Act::Answer), (slow_tokens, Act::Answer)];
    for (spec, act) in table {
        let simulator = simulator(spec).await;
        simulator.script("sim-alpha", [act.clone()]);
        let socket = begin(&simulator, &body("hi", true)).await;
        eventually("the call is open", || simulator.open_requests() == 1).await;
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert_eq!(simulator.calls("sim-alpha")[0].outcome, Outcome::Open, "{act:?}");
        drop(socket);
        eventually("the client is gone", || simulator.client_gone() == 1).await;
        eventually("the connection is closed", || simulator.open_connections() == 0).await;
        assert_eq!(simulator.open_requests(), 0);
        assert_eq!(simulator.calls("sim-alpha")[0].outcome, Outcome::ClientGone);
    }
}

#[tokio::test]
async fn stop_ends_all_connections_and_so_does_drop() {
    for dropped in [false, true] {
        let simulator = simulator(spec()).await;
        simulator.script("sim-alpha", [Act::Hang, Act::Stall { after: 1 }]);
        let mut sockets = [begin(&simulator, &body("hi", true)).await, begin(&simulator, &body("hi", true)).await];
        eventually("both calls are open", || simulator.open_requests() == 2).await;
        let address = sockets[0].peer_addr().expect("an address");
        if dropped {
            drop(simulator);
        } else {
            simulator.stop().await;
        }
        for socket in &mut sockets {
            // An orderly end or a reset, but an end.
            let _ = tokio::time::timeout(Duration::from_secs(1), socket.read_to_end(&mut Vec::new()))
                .await
                .expect("the end");
        }
        assert!(tokio::net::TcpStream::connect(address).await.is_err(), "nobody listens any more");
    }
}

#[tokio::test]
async fn calls_can_be_forgotten_but_are_counted() {
    let simulator = simulator(spec()).await;
    simulator.set_keeping_calls(false);
    chat(&simulator, &body("hi", false)).await.expect("an answer");
    assert_eq!((simulator.calls("sim-alpha").len(), simulator.total_calls()), (0, 1));
}

#[tokio::test]
async fn slow_takes_its_time_and_other_scenarios_do_not() {
    let took = async |spec| {
        let simulator = simulator(spec).await;
        let since = Instant::now();
        chat(&simulator, &body("hi", true)).await.expect("a stream");
        since.elapsed()
    };
    assert!(took(spec().latency_ms(50..=60, 1..=2)).await >= Duration::from_millis(60));
    assert!(took(spec()).await < Duration::from_secs(1));
}

#[tokio::test]
async fn every_storm_call_ends_and_one_provider_is_healthy() {
    let simulator = Simulator::start(Scenario::Storm, 7, Clock::system()).await.expect("loopback can be bound");
    let mut answered = 0;
    for id in ["sim-alpha", "sim-bravo", "sim-carol", "sim-delta"] {
        let provider = simulator.providers().iter().find(|provider| provider.id == id).expect("a provider").clone();
        let model =
            provider.catalogue.split("id = \"").nth(1).and_then(|rest| rest.split('"').next()).expect("a model");
        for n in 0..15 {
            let mut body = body(&format!("question {n}"), n % 2 == 0);
            body["model"] = model.into();
            let got = send(&provider, "POST", "/chat/completions", &provider.key, body.to_string()).await;
            let good = got.is_ok_and(|got| got.status == 200 && got.complete);
            answered += u32::from(good);
            assert!(good || id != "sim-bravo");
        }
    }
    assert!((30..60).contains(&answered), "{answered}");
    assert_eq!((simulator.open_requests(), simulator.total_calls()), (0, 60));
}

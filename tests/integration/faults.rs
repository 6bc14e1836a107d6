//! Every fault a provider can have before its first word: the next one answers, and the trail says why.

use relay::sim::Act;

use super::harness::{Fake, gateway, provider, says};

/// What a provider does, with the word for it in the trail, plain and streamed.
fn faults() -> Vec<(&'static str, Act, [&'static str; 2])> {
    vec![
        ("a full minute", Act::busy(30), ["429-minute"; 2]),
        ("a full minute, no word until when", Act::Busy { retry_after: None }, ["429-minute"; 2]),
        ("a spent day", Act::Spent, ["429-day"; 2]),
        ("no credit left", Act::PaymentRequired, ["spent"; 2]),
        ("a rejected key", Act::Denied, ["denied"; 2]),
        ("a model that is gone", Act::Gone, ["gone"; 2]),
        ("a request too large for a minute", Act::TooLarge, ["too-large"; 2]),
        ("a context too small", Act::TooLong, ["too-large"; 2]),
        ("a web page", Act::Html, ["not-json"; 2]),
        ("half a JSON", Act::NotJson, ["not-json"; 2]),
        ("no bytes", Act::EmptyBody, ["empty"; 2]),
        ("no answer in it", Act::EmptyStream, ["empty"; 2]),
        ("an end without a word", says(""), ["empty"; 2]),
        ("an error as a success", Act::ErrorIn200, ["429-minute"; 2]),
        ("an error as the first event", Act::ErrorInStream, ["429-minute"; 2]),
        ("a reset", Act::Reset, ["reset"; 2]),
        ("silence", Act::Hang, ["timeout"; 2]),
        ("silence after the head", Act::Stall { after: 0 }, ["timeout"; 2]),
        ("silence after the role", Act::Stall { after: 1 }, ["timeout"; 2]),
        ("a break before the first word", Act::Cut { after: 1 }, ["reset", "empty"]),
        ("an error before the first word", Act::ErrorAfter { after: 1 }, ["not-json", "429-minute"]),
        ("an inner error", Act::status(500), ["500"; 2]),
        ("an overload", Act::status(503), ["503"; 2]),
        ("a strange status", Act::status(418), ["418"; 2]),
    ]
}

const IMPATIENT: &str = "[timeouts]\nfirst_event = \"300ms\"\n";

fn healthy() -> Fake {
    provider("sim-b").answers([says("hi")])
}

#[tokio::test]
async fn whatever_the_first_provider_does_the_second_answers() {
    let mut wrong = Vec::new();
    for (what, act, words) in faults() {
        for (streamed, word) in [(false, words[0]), (true, words[1])] {
            let broken = provider("sim-a").answers([act.clone()]);
            let gateway = gateway().over([broken, healthy()]).config(IMPATIENT).start().await;
            let reply = gateway.ask("hello").streamed_if(streamed).await;
            let got = (reply.status, reply.header("x-relay-trail").unwrap_or_default().to_owned());
            if got == (200, format!("sim-a/sim-m={word}")) {
                reply.is("hi").by("sim-b/sim-m");
                assert_eq!(gateway.relay.store().open_leases(), 0, "{what}");
            } else {
                wrong.push(format!("{what} (streamed: {streamed}): {got:?} and not {word}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn a_chain_of_faults_is_told_in_its_order() {
    let fakes = [
        provider("sim-c").answers([Act::Denied]),
        provider("sim-a").answers([Act::Html]),
        provider("sim-d").answers([Act::Spent]),
        healthy(),
    ];
    let gateway = gateway().over(fakes).start().await;
    let trail = "sim-c/sim-m=denied, sim-a/sim-m=not-json, sim-d/sim-m=429-day";
    gateway.ask("hello").await.is("hi").by("sim-b/sim-m").after(trail);
}

#[tokio::test]
async fn a_provider_that_nobody_reaches_is_passed_over() {
    // A provider whose socket is closed: started, described, and stopped again.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
    let address = closed.local_addr().expect("it is bound");
    drop(closed);
    let gateway = gateway().over([provider("sim-a"), healthy()]).elsewhere("sim-a", address).start().await;
    gateway.ask("hello").await.is("hi").after("sim-a/sim-m=unreachable");
}

#[tokio::test]
async fn a_route_that_was_refused_rests_and_is_not_asked_again() {
    let table = [(Act::busy(30), 1), (Act::Spent, 1), (Act::Denied, 1), (Act::Gone, 1), (Act::status(500), 3)];
    for (act, calls) in table {
        let acts = vec![act.clone(); calls];
        let gateway = gateway().over([provider("sim-a").answers(acts), provider("sim-b")]).start().await;
        for _ in 0..calls + 3 {
            assert_eq!(gateway.ask("hello").await.by("sim-b/sim-m").status, 200);
        }
        assert_eq!(gateway.providers.chats("sim-a").len(), calls, "after {act:?}");
    }
}

//! How long a fault keeps its route away: the durations of the failure policy, on a clock moved by hand.

use std::time::Duration;

use jiff::Timestamp;
use relay::clock::Clock;
use relay::relay::{Condition, Probe};
use relay::sim::{Act, Limit, ModelSpec};
use serde_json::json;

use super::harness::{Gateway, gateway, provider};

const START: &str = "2026-11-25T10:00:00Z";

/// How long `sim-a` is left alone after these acts, in seconds, to the step.
async fn rests_for(acts: Vec<Act>, step: u64, most: u64) -> u64 {
    let (clock, hand) = Clock::manual(START.parse().expect("a moment"));
    let calls = acts.len();
    let gateway = gateway().over([provider("sim-a").answers(acts), provider("sim-b")]).clock(clock).start().await;
    for call in 1..=calls {
        ask(&gateway).await;
        assert_eq!(gateway.providers.chats("sim-a").len(), call);
        let mut rested = 0;
        while gateway.providers.chats("sim-a").len() == call && rested <= most {
            hand.advance(Duration::from_secs(step));
            rested += step;
            if call < calls {
                // Only the last rest is measured.
                hand.advance(Duration::from_secs(most));
                break;
            }
            ask(&gateway).await;
        }
        if call == calls {
            return rested;
        }
    }
    0
}

async fn ask(gateway: &Gateway) {
    assert_eq!(gateway.ask("hello").await.status, 200);
}

fn named(status: u16, message: &str, headers: &[(&str, &str)]) -> Act {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Act::Status { status, body: json!({"error": {"message": message}}).to_string(), headers }
}

#[tokio::test]
async fn a_refusal_rests_as_long_as_it_says_or_as_its_kind_does() {
    let minute = "rate limit reached: requests per minute";
    let table = [
        ("what it says", vec![Act::busy(20)], 20),
        ("a minute", vec![named(429, minute, &[])], 60),
        ("a minute, twice", vec![named(429, minute, &[]); 2], 90),
        ("no cause", vec![named(429, "slow down", &[])], 60),
        ("no cause, twice", vec![named(429, "slow down", &[]); 2], 120),
        ("no cause, often", vec![named(429, "slow down", &[]); 6], 600),
        ("no time at all is no wait", vec![named(429, "Please try again in 0s.", &[("retry-after", "0")])], 60),
        ("a minute never benches a day", vec![named(429, minute, &[("retry-after", "86400")])], 600),
    ];
    for (what, acts, seconds) in table {
        assert_eq!(rests_for(acts, 10, 900).await, seconds, "{what}");
    }
}

#[tokio::test]
async fn a_retry_after_that_cannot_be_is_none() {
    let table = [
        ("Wed, 25 Nov 2026 10:00:30 GMT", 30),
        ("Wednesday, 25-Nov-26 10:00:40 GMT", 40),
        ("Wed Nov 25 10:00:40 2026", 40),
        ("Wednesday, 25-Nov-26 09:00:00 GMT", 60),
        ("Wednesday, 31-Feb-26 10:00:00 GMT", 60),
        ("Wed Nov 25 10:00:40", 60),
        ("Wed, 25 Nov 2026 09:00:00 GMT", 60),
        ("Thu, 31 Feb 2026 10:00:00 GMT", 60),
        ("Wed, 25 Nov 99999 10:00:00 GMT", 60),
        ("2.5", 10),
        (" 20 ", 20),
        ("0", 60),
        ("-5", 60),
        ("", 60),
        ("soon", 60),
        ("NaN", 60),
        ("inf", 60),
        ("1e30", 60),
        ("99999999999999999999999999", 60),
    ];
    let mut wrong = Vec::new();
    for (value, seconds) in table {
        let rested = rests_for(vec![named(429, "slow down", &[("retry-after", value)])], 10, 900).await;
        if rested != seconds {
            wrong.push(format!("`{value}`: {rested}s and not {seconds}s"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn long_windows_rest_until_their_own_reset() {
    let day = "limit reached: requests per day";
    let hours = |acts| async move { rests_for(acts, 1_800, 40 * 3_600).await / 1_800 };
    // What is asked of a day's quota in 20 seconds is the minute's business.
    assert!(hours(vec![named(429, day, &[("retry-after", "20")])]).await >= 28, "not before midnight");
    let groq = "Rate limit reached on tokens per day (TPD): Limit 200000, Used 199990. Please try again in 38.88s.";
    assert_eq!(rests_for(vec![named(429, groq, &[("retry-after", "39")])], 10, 900).await, 40, "the day's own words");
    assert_eq!(hours(vec![named(402, "no credit", &[])]).await, 48, "nobody knows: 24 hours");
    let month = "You have exceeded your monthly included credits";
    let days = rests_for(vec![named(402, month, &[])], 12 * 3_600, 9 * 86_400).await / (12 * 3_600);
    assert_eq!(days, 12, "the month's end, where the catalogue knows of none");
    assert_eq!(hours(vec![Act::Gone]).await, 2, "an hour");
}

#[tokio::test]
async fn without_credit_the_windows_own_reset_counts_where_it_is_known() {
    let (clock, hand) = Clock::manual(START.parse().expect("a moment"));
    let limited = provider("sim-a").limit(Limit::requests(1_000, relay::chat::Period::Day));
    let fakes = [limited.answers([named(402, "no credit", &[])]), provider("sim-b")];
    let gateway = gateway().over(fakes).clock(clock).start().await;
    ask(&gateway).await;
    hand.advance(Duration::from_hours(13));
    ask(&gateway).await;
    assert_eq!(gateway.providers.chats("sim-a").len(), 1);
    hand.advance(Duration::from_hours(1));
    ask(&gateway).await;
    assert_eq!(gateway.providers.chats("sim-a").len(), 2, "midnight has passed");
}

#[tokio::test]
async fn a_model_gone_twice_is_retired_and_one_that_came_back_is_not() {
    for (acts, seen_later) in [(vec![Act::Gone, Act::Gone], false), (vec![Act::Gone, Act::Answer, Act::Gone], true)] {
        let (clock, hand) = Clock::manual(START.parse().expect("a moment"));
        let calls = acts.len();
        let gateway = gateway().over([provider("sim-a").answers(acts), provider("sim-b")]).clock(clock).start().await;
        for _ in 0..calls {
            ask(&gateway).await;
            hand.advance(Duration::from_mins(61));
        }
        hand.advance(Duration::from_hours(24));
        ask(&gateway).await;
        assert_eq!(gateway.providers.chats("sim-a").len() > calls, seen_later);
        let until = gateway.relay.store().view().marks.iter().flatten().map(|mark| mark.until).max();
        let later: Timestamp = "2026-12-20T00:00:00Z".parse().expect("a moment");
        assert_eq!(until.is_some_and(|until| until > later), !seen_later, "a month for a retired one");
        gateway.relay.note_listed(relay::routing::RouteId(0));
        ask(&gateway).await;
        assert!(gateway.providers.chats("sim-a").len() > calls, "its provider's own list has it again");
    }
}

#[tokio::test]
async fn a_probe_lifts_what_was_guessed_and_nothing_that_was_told() {
    let probe = Probe { max_tokens: 16, timeout: Duration::from_secs(5) };
    let table = [
        (named(429, "slow down", &[]), true),
        (named(402, "no credit", &[]), true),
        (Act::Gone, true),
        (Act::Denied, true),
        (Act::busy(300), false),
        (Act::Spent, false),
    ];
    for (act, is_guess) in table {
        let gateway = gateway().over([provider("sim-a").answers([act.clone()]), provider("sim-b")]).start().await;
        gateway.ask("hello").await.by("sim-b/sim-m");
        assert_eq!(gateway.relay.known_condition("sim-a/sim-m").is_none(), is_guess, "{act:?}");
        let checked = gateway.relay.probe("sim-a/sim-m", probe).await;
        assert_eq!((checked.condition == Condition::Pass, checked.sent), (is_guess, is_guess), "{act:?}: {checked:?}");
        gateway.ask("hello").await.by(if is_guess { "sim-a/sim-m" } else { "sim-b/sim-m" });
    }
}

#[tokio::test]
async fn a_smaller_context_told_by_a_refusal_is_learned() {
    let told = "This model's maximum context length is 1000 tokens. However, your messages resulted in 1201 tokens.";
    let small = provider("sim-a").model(ModelSpec::new("sim-m").context(8_000)).answers([named(400, told, &[])]);
    let gateway = gateway().over([small, provider("sim-b")]).start().await;
    let long = "word ".repeat(1_200);
    for _ in 0..3 {
        assert_eq!(gateway.ask(&long).await.by("sim-b/sim-m").status, 200);
    }
    assert_eq!(gateway.providers.chats("sim-a").len(), 1);
    gateway.ask("short").with("max_tokens", json!(20)).await.by("sim-a/sim-m");
}

/// An answer whose headers say that nothing is left of what the catalogue knows nothing of.
#[tokio::test]
async fn a_header_stops_its_route_also_where_no_limit_is_documented() {
    let (clock, hand) = Clock::manual(START.parse().expect("a moment"));
    let body =
        json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": "yes"}, "finish_reason": "stop"}]});
    let headers = vec![("x-ratelimit-remaining-tokens-month".to_owned(), "0".to_owned())];
    let act = Act::Status { status: 200, body: body.to_string(), headers };
    let gateway = gateway().over([provider("sim-a").answers([act]), provider("sim-b")]).clock(clock).start().await;
    gateway.ask("hello").await.by("sim-a/sim-m");
    gateway.ask("hello").await.by("sim-b/sim-m");
    hand.advance(Duration::from_hours(5 * 24));
    gateway.ask("hello").await.by("sim-b/sim-m");
    hand.advance(Duration::from_hours(24));
    gateway.ask("hello").await.by("sim-a/sim-m");
}

#[tokio::test]
async fn one_model_that_everybody_wants_does_not_keep_its_account_resting() {
    let minute = Limit::requests(40, relay::chat::Period::Minute);
    let models = ["m", "n", "o"].map(ModelSpec::new);
    let fake = models.into_iter().fold(provider("sim-a").limit(minute), super::harness::Fake::model);
    let busy = || named(429, "Too Many Requests", &[]);
    let gateway = gateway().over([fake.answers([busy(), Act::Answer, busy()])]).start().await;
    gateway.ask("hello").model("sim-a/m").await.refused(429, "quota_exhausted");
    assert_eq!(gateway.ask("hello").model("sim-a/n").await.status, 200);
    gateway.ask("hello").model("sim-a/n").await.refused(429, "quota_exhausted");
    gateway.ask("hello").model("sim-a/o").await.refused(429, "quota_exhausted");
    assert_eq!(gateway.providers.chats("sim-a").len(), 3, "two of them are refused: the account is");
}

#[tokio::test]
async fn what_a_provider_counts_in_full_is_not_sent_to_it_twice() {
    let minute = Limit::tokens(8_000, relay::chat::Period::Minute);
    let fake = provider("sim-a").model(ModelSpec::new("sim-m").limit(minute)).answers([Act::Answer, Act::TooLarge]);
    let gateway = gateway().over([fake, provider("sim-b")]).start().await;
    gateway.ask("hello").await.by("sim-a/sim-m");
    for _ in 0..3 {
        gateway.ask("hello").with("max_tokens", json!(7_999)).await.by("sim-b/sim-m");
    }
    assert_eq!(gateway.providers.chats("sim-a").len(), 2);
}

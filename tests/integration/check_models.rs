//! `relay check-models`: the right word for each state, no limit tripped, no request that something else could have answered.

use relay::clock::Clock;
use relay::sim::{Act, Limit, ModelSpec, Outcome, Period, ProviderSpec};
use serde_json::{Value, json};

use super::harness::{Command, Fake, Finished, Providers, provider, relay, says};

async fn over(fakes: impl IntoIterator<Item = Fake>) -> Providers {
    Providers::start(fakes, Clock::system()).await
}

fn check(providers: &Providers, arguments: &[&str]) -> Command {
    relay(["check-models"].into_iter().chain(arguments.iter().copied())).over(providers)
}

/// Model and status of every row.
fn words(ended: &Finished) -> Vec<(String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_else(|| panic!("{}", ended.stdout)).to_owned();
    let document = ended.json();
    let rows = document["models"].as_array().expect("models");
    rows.iter().map(|row| (text(&row["provider"]), text(&row["status"]))).collect()
}

fn row<'d>(document: &'d Value, provider: &str) -> &'d Value {
    let rows = document["models"].as_array().expect("models");
    rows.iter().find(|row| row["provider"] == provider).unwrap_or_else(|| panic!("no {provider} in {document}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn forty_models_at_one_request_a_second_trip_no_limit() {
    let fake = |number: usize| {
        let spec = provider(&format!("sim-{number}"))
            .limit(Limit::requests(1, Period::Second))
            .spec(ProviderSpec::rate_headers);
        (0..4).fold(spec, |fake, model| fake.model(ModelSpec::new(format!("m{model}"))))
    };
    let providers = over((0..10).map(fake)).await;
    let ended = check(&providers, &["--json"]).await;
    ended.exits(0);
    let document = ended.json();
    assert_eq!(document["summary"], json!({ "total": 40, "pass": 40, "limited": 0, "failed": 0, "skipped": 0 }));
    assert_eq!(document["spent"]["requests"], 40);
    for id in providers.ids() {
        let calls = providers.chats(id);
        assert_eq!(calls.len(), 4, "one request for each model of {id}");
        assert!(calls.iter().all(|call| call.outcome == Outcome::Answered), "{id}: {calls:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn each_of_the_seven_states_has_its_word() {
    let thinks = Act::think("let me see what there is to say about this, step by step", says("OK."));
    let fakes = [
        provider("answers").answers([says("OK.")]),
        provider("spent").answers([Act::Spent]),
        provider("denied").answers([Act::Denied]),
        provider("gone").answers([Act::Gone]),
        provider("broken").answers([Act::status(503)]),
        provider("silent").answers([Act::Hang]),
        provider("empty").answers([Act::EmptyStream]),
        provider("thinks").answers([thinks]),
        provider("unset"),
    ];
    let providers = over(fakes).await;
    let command = check(&providers, &["--json", "--timeout", "1s"]).variable("UNSET_API_KEY", "");
    let ended = command.await;
    ended.exits(1);
    let expected = [
        ("answers", "pass"),
        ("thinks", "pass"),
        ("spent", "limit"),
        ("denied", "auth"),
        ("gone", "gone"),
        ("broken", "down"),
        ("silent", "down"),
        ("empty", "empty"),
        ("unset", "skip"),
    ];
    let expected = expected.map(|(id, word)| (id.to_owned(), word.to_owned()));
    assert_eq!(words(&ended), expected, "{}", ended.stdout);
    let document = ended.json();
    assert_eq!(row(&document, "denied")["detail"], "401, DENIED_API_KEY rejected");
    assert_eq!(row(&document, "spent")["reason"], "quota_day");
    assert!(row(&document, "spent")["retry_at"].is_string(), "{document}");
    assert_eq!(row(&document, "silent")["reason"], "timeout");
    assert_eq!(row(&document, "gone")["http_status"], 404);
    assert!(ended.stderr.contains("relay keys set denied"), "{}", ended.stderr);
    for id in providers.ids() {
        assert!(providers.chats(id).len() <= 1, "{id} was asked more than once");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_cut_at_the_cap_without_a_word_passes() {
    let stream = "data: {\"choices\":[{\"index\":0,\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n\
                  data: {\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"length\"}]}\n\ndata: [DONE]\n\n";
    let providers = over([provider("hides").answers([Act::raw_stream(stream, 4096)])]).await;
    let ended = check(&providers, &["--json"]).await;
    ended.exits(0);
    assert_eq!(row(&ended.json(), "hides")["detail"], "cut off at 16 tokens");
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_count_in_the_ledger_and_used_up_quota_is_told_without_asking() {
    let model = ModelSpec::new("m").limit(Limit::requests(1, Period::Day));
    let providers = over([provider("one").model(model)]).await;
    let first = check(&providers, &["--json"]);
    let second = first.beside(["check-models", "--json"]);
    first.await.exits(0);
    let ended = second.await;
    ended.exits(0);
    let document = ended.json();
    assert_eq!((&row(&document, "one")["status"], &row(&document, "one")["requests"]), (&json!("limit"), &json!(0)));
    assert_eq!(row(&document, "one")["reason"], "quota_day");
    assert_eq!(providers.chats("one").len(), 1, "the second check asked nobody");
}

#[tokio::test(flavor = "multi_thread")]
async fn real_traffic_spares_a_probe_and_an_earlier_probe_does_not() {
    let providers = over([provider("one").answers([says("an answer"), says("OK."), says("OK.")])]).await;
    let ask = relay(["ask", "hello"]).over(&providers);
    let checks = [0; 2].map(|_| ask.beside(["check-models", "--json"]));
    let measured = ask.beside(["check-models", "--json", "--latency", "--repeat", "2"]);
    ask.await.exits(0);
    for check in checks {
        let document = check.await.json();
        assert_eq!(row(&document, "one")["reason"], "recent_traffic", "{document}");
        assert_eq!(document["spent"]["requests"], 0);
    }
    let document = measured.await.json();
    assert_eq!(document["spent"]["requests"], 2, "measuring means asking");
    assert!(row(&document, "one")["p50_ms"].is_number(), "{document}");
}

#[tokio::test(flavor = "multi_thread")]
async fn list_only_compares_lists_and_sends_nothing() {
    let fake = provider("lists").model(ModelSpec::new("there")).model(ModelSpec::new("left").vanished());
    let providers = over([fake]).await;
    let ended = check(&providers, &["--list-only", "--format", "plain"]).await;
    ended.exits(1);
    let rows: Vec<[&str; 3]> = ended
        .stdout
        .lines()
        .map(|line| line.split('\t').collect::<Vec<_>>())
        .map(|cells| [cells[0], cells[2], cells[7]])
        .collect();
    assert_eq!(rows, [["PASS", "there", "listed"], ["GONE", "left", "model_gone"]]);
    assert!(providers.chats("lists").is_empty());
    check(&providers, &["--list-only", "--fail-on", "never"]).await.exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn fail_on_says_what_a_failure_is() {
    for (what, code) in [("failed", 0), ("limited", 1), ("never", 0)] {
        let providers = over([provider("spent").answers([Act::Spent])]).await;
        check(&providers, &["--fail-on", what]).await.exits(code);
    }
    for (what, code) in [("failed", 1), ("limited", 1), ("never", 0)] {
        let providers = over([provider("down").answers([Act::status(500)])]).await;
        check(&providers, &["--fail-on", what]).await.exits(code);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_narrows_the_check_and_an_unknown_one_is_a_mistake() {
    let providers = over([provider("one"), provider("two")]).await;
    let ended = check(&providers, &["two", "--json"]).await;
    assert_eq!(words(&ended), [("two".to_owned(), "pass".to_owned())]);
    assert_eq!(providers.simulator.calls("one").len(), 0, "nobody else is asked, not even for a list");
    check(&providers, &["twoo"]).await.exits(2).says("did you mean `two`");
}

#[tokio::test(flavor = "multi_thread")]
async fn events_come_row_by_row_and_end_with_the_summary() {
    let providers = over([provider("one"), provider("two")]).await;
    let ended = check(&providers, &["--format", "ndjson"]).await;
    let events = ended.documents("check-models#event");
    let kinds: Vec<&Value> = events.iter().map(|event| &event["event"]).collect();
    assert_eq!(kinds, ["probe", "probe", "summary"]);
    assert_eq!(events[2]["summary"]["pass"], 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_asked_about_stays_as_it_was() {
    let fakes = [provider("denied").answers([Act::Denied]), provider("other")];
    let providers = over(fakes).await;
    let ask = relay(["ask", "hello"]).over(&providers);
    let (named, again) = (ask.beside(["check-models", "other"]), ask.beside(["ask", "hello"]));
    for command in [ask, named, again] {
        command.await.exits(0);
    }
    assert_eq!(providers.chats("denied").len(), 1, "nobody asked whether its key is good again");
}

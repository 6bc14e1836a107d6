//! `relay usage`: the same numbers as the gateway's, as a screen, rows, a line, a document.

use relay::clock::Clock;
use relay::sim::{Act, Limit, ModelSpec, Period};
use serde_json::json;

use super::harness::{Command, Providers, provider, relay, says};

async fn used() -> (Providers, Command) {
    let model = ModelSpec::new("big").limit(Limit::requests(5, Period::Day));
    let fakes = [provider("one").model(model).answers([says("a"), Act::status(500)]), provider("two")];
    let providers = Providers::start(fakes, Clock::system()).await;
    let command = relay(["ask", "hello"]).over(&providers);
    let again = command.beside(["ask", "hello"]);
    let usage = command.beside(["usage"]);
    command.await.exits(0);
    again.await.exits(0);
    (providers, usage)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_screen_names_the_tightest_limit_and_what_is_left() {
    let (_providers, usage) = used().await;
    let screen = usage.beside(["usage", "--format", "table"]).await;
    screen.exits(0);
    let line = screen.stdout.lines().find(|line| line.trim_start().starts_with("big")).expect("the model's line");
    assert_eq!(line.split_whitespace().collect::<Vec<_>>()[..5], ["big", "req/day", "####......", "~40%", "~3"]);
    assert!(screen.stdout.contains("Today: 2 answered, 0 rate-limited, 1 failed, 1 failed over"), "{}", screen.stdout);
    assert!(screen.stdout.lines().all(|line| line.chars().count() <= 80), "{}", screen.stdout);
    let whole = usage.beside(["usage", "big", "--format", "table"]).await;
    assert!(whole.stdout.contains("<- binding") && whole.stdout.contains("left 1 time,"), "{}", whole.stdout);
    usage.beside(["usage", "--format", "line"]).await.prints("relay 2/2 ready\n");
    usage.beside(["usage", "biig"]).await.exits(2);
}

#[tokio::test(flavor = "multi_thread")]
async fn rows_have_every_window_and_the_document_is_the_gateways() {
    let (providers, usage) = used().await;
    let rows = usage.beside(["usage", "one"]).await;
    let cells: Vec<&str> = rows.stdout.lines().next().expect("a row").split('\t').collect();
    assert_eq!(cells[..9], ["one", "big", "ready", "requests", "day", "model", "2", "5", "3"]);
    let document = usage.beside(["usage", "--json"]).await.json();
    assert_eq!((&document["schema"], &document["totals"]["ok"]), (&json!("relay.usage/1"), &json!(2)));
    let mut serve = usage.beside(["serve", "--port", "0", "--log-format", "json"]).start();
    let url = format!("http://{}/v1", serve.address());
    let remote = usage.beside(["usage", "--json", "--via", url.as_str()]).await.json();
    assert_eq!(remote["totals"], document["totals"]);
    assert_eq!(remote["models"][0]["windows"], document["models"][0]["windows"]);
    drop((serve, providers));
    usage.beside(["usage", "--via", "http://127.0.0.1:9"]).await.exits(69).says("not reachable").says("relay serve");
    for url in ["127.0.0.1:9", "", "ftp://127.0.0.1"] {
        usage.beside(["usage", "--via", url]).await.exits(2).says("the URL of --via");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_that_wants_another_key_is_no_gateway_that_does_not_run() {
    let mut serve = relay(["serve", "--simulate", "--port", "0", "--log-format", "json"])
        .variable("RELAY_API_KEY", "a-key-of-the-gateway")
        .start();
    let url = format!("http://{}", serve.address());
    relay(["usage", "--via", &url]).variable("RELAY_API_KEY", "another").await.exits(77).says("RELAY_API_KEY");
    relay(["usage", "--via", &url]).variable("RELAY_API_KEY", "a-key-of-the-gateway").await.exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_used_stays_used_when_its_key_has_gone() {
    let (_providers, usage) = used().await;
    let without = |arguments: &[&'static str]| usage.beside(arguments.iter().copied()).variable("ONE_API_KEY", "");
    let document = without(&["usage", "--json"]).await.json();
    assert_eq!((&document["totals"]["ok"], &document["totals"]["errors"]), (&json!(2), &json!(1)));
    let gone = document["models"].as_array().expect("models").iter().find(|it| it["model"] == "big").expect("a model");
    assert_eq!((&gone["state"], &gone["counts"]["ok"], &gone["windows"]), (&json!("no route"), &json!(1), &json!([])));
    let history = without(&["usage", "--by", "provider", "--json"]).await.json();
    assert_eq!((&history["totals"]["ok"], &history["history"]["sums"][0]["ok"]), (&json!(2), &json!(1)));
    let screen = without(&["usage", "--format", "table"]).await;
    assert!(screen.stdout.contains("Today: 2 answered"), "{}", screen.stdout);
    let whole = without(&["usage", "one", "--all-windows", "--format", "table"]).await;
    assert!(whole.exits(0).stdout.contains("one/big  no route\n  today     1 ok"), "{}", whole.stdout);
    without(&["usage", "--format", "line"]).await.prints("relay 1/1 ready\n");
    let nothing = without(&["usage", "--exhausted"]).await;
    nothing.exits(0).prints("");
    let fresh = relay(["usage", "groq"]).variable("GROQ_API_KEY", "");
    fresh.await.exits(2).says("`groq` is not set up, and nothing of it was used since 2");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_history_adds_up_by_day_provider_and_model() {
    let (_providers, usage) = used().await;
    let days = usage.beside(["usage", "--since", "3d", "--json"]).await.json();
    let sums = days["history"]["sums"].as_array().expect("sums");
    assert_eq!(sums.len(), 4, "each day has its row: {days}");
    assert_eq!((&sums[3]["ok"], &sums[3]["errors"], &sums[0]["ok"]), (&json!(2), &json!(1), &json!(0)));
    let providers = usage.beside(["usage", "--by", "provider"]).await;
    let rows: Vec<Vec<&str>> = providers.stdout.lines().map(|line| line.split('\t').take(4).collect()).collect();
    assert_eq!(rows, [["one", "1", "0", "1"], ["two", "1", "0", "0"]]);
    let models = usage.beside(["usage", "--by", "model", "two"]).await;
    assert!(models.stdout.starts_with("two/sim-m\t1\t"), "{}", models.stdout);
    let all = usage.beside(["usage", "--since", "99999999d", "--format", "csv"]).await;
    assert!((91..=93).contains(&all.exits(0).stdout.lines().count()), "as long as the ledger is kept");
    for more in [&["--all-windows"][..], &["--exhausted"], &["--format", "line"]] {
        let mixed = usage.beside(["usage", "--since", "3d"].into_iter().chain(more.iter().copied()));
        mixed.await.exits(2).prints("").says("how things are now");
    }
    let chart = usage.beside(["usage", "--since", "3d", "--format", "table"]).await;
    assert!(chart.stdout.contains('█'), "{}", chart.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_forgets_after_keeping_a_copy() {
    let (_providers, usage) = used().await;
    usage.beside(["usage", "reset"]).await.exits(2).says("--yes");
    let before = usage.beside(["usage", "--json"]).await.json();
    assert_eq!(before["totals"]["ok"], 2);
    let ended = usage.beside(["usage", "reset", "--yes"]).await;
    ended.exits(0);
    let copies: Vec<String> = ended.files().into_iter().filter(|name| name.starts_with("relay.2")).collect();
    assert_eq!(copies.len(), 1, "{:?}", ended.files());
    let after = usage.beside(["usage", "--json"]).await.json();
    assert_eq!(after["totals"]["ok"], 0);
    assert_eq!(after["models"][0]["windows"][0]["used"], 0, "{after}");
    let copy = rusqlite::Connection::open(usage.path(&copies[0])).expect("a database");
    let rows: u64 = copy.query_row("SELECT COUNT(*) FROM ledger", [], |row| row.get(0)).expect("a ledger");
    assert_eq!(rows, 3);
    // Within the same second.
    let again = usage.beside(["usage", "reset", "--yes"]).await;
    let copies = again.exits(0).files().into_iter().filter(|name| name.starts_with("relay.2"));
    assert_eq!(copies.count(), 2, "{:?}", again.files());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_forgets_what_usage_shows_and_nothing_else() {
    let (_providers, usage) = used().await;
    let reset = || usage.beside(["usage", "reset", "--yes"]);
    let answered = async || usage.beside(["usage", "--json"]).await.json()["totals"]["ok"].clone();
    usage.beside(["usage", "reset", "--yes", "--simulate"]).await.exits(2).says("simulated providers leave no state");
    reset().variable("RELAY_SIMULATE", "1").await.exits(2).says("simulated providers leave no state");
    usage.beside(["usage", "reset", "--yes", "--config", "/nowhere"]).await.exits(78).says("/nowhere");
    let wrong = usage.beside(["usage", "reset", "--yes", "--config", "wrong.toml"]);
    wrong.file("wrong.toml", "[state]\nurl = 5\n").await.exits(78).says("url");
    let memory = usage.beside(["usage", "reset", "--yes", "--config", "memory.toml"]);
    memory.file("memory.toml", "[state]\nurl = \"memory\"\n").await.exits(2).says("kept in memory alone");
    usage.beside(["usage", "--since", "1d", "reset", "--yes"]).await.exits(2).says("forgets everything");
    assert_eq!(answered().await, 2);
    usage.beside(["usage", "--json", "reset", "--yes"]).await.exits(0).json();
    assert_eq!(answered().await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_rests_or_is_gone_does_not_look_as_if_it_could_be_used() {
    let with = |id, act| {
        let model = ModelSpec::new(id).limit(Limit::requests(50, Period::Day));
        provider(id).model(model).answers([act])
    };
    let fakes = [with("busy", Act::busy(300)), with("denied", Act::Denied), with("gone", Act::Gone)];
    let providers = Providers::start(fakes, Clock::system()).await;
    let ask = relay(["ask", "--wait", "0s", "hello"]).over(&providers);
    let usage = ask.beside(["usage", "--format", "table"]);
    ask.await.exits(75);
    let screen = usage.await;
    for (model, state) in [("busy", "cooldown "), ("denied", "bad key "), ("gone", "gone ")] {
        let line = screen.stdout.lines().find_map(|line| line.strip_prefix("  ")?.strip_prefix(model)).expect("a row");
        assert!(line.trim_start().starts_with(state) && !line.contains('#'), "{}", screen.stdout);
    }
}

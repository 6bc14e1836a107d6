//! Explaining: what would become of a request, over HTTP and on the command line, with nothing sent and nothing reserved.

use std::time::Duration;

use relay::clock::Clock;
use relay::sim::{Act, Limit, ModelSpec, Period};
use serde_json::{Value, json};

use super::harness::{Asking, Gateway, Providers, gateway, provider, relay};

fn explaining(gateway: &Gateway) -> Asking {
    let asking = gateway.request("POST", "/v1/route").model("meta-model");
    asking.with("messages", json!([{ "role": "user", "content": "hello" }]))
}

async fn explained(asking: Asking) -> Value {
    let reply = asking.await;
    assert_eq!((reply.status, reply.header("content-type")), (200, Some("application/json")), "{}", reply.text());
    let document = reply.json();
    assert_eq!(document["schema"], "relay.route/1");
    document
}

fn names(stories: &Value) -> Vec<&str> {
    let stories = stories.as_array().expect("a list");
    stories.iter().map(|story| story["route"].as_str().expect("a name")).collect()
}

fn gate<'d>(story: &'d Value, name: &str) -> &'d Value {
    let gates = story["gates"].as_array().expect("gates");
    gates.iter().find(|gate| gate["gate"] == name).unwrap_or_else(|| panic!("no gate {name}: {story}"))
}

#[tokio::test]
async fn candidates_stand_in_their_order_with_every_gate_and_its_numbers() {
    let fakes = [
        provider("sim-a").limit(Limit::requests(5, Period::Minute)).limit(Limit::tokens(9_000, Period::Day)),
        provider("sim-b").model(ModelSpec::new("sim-m").scale("large").limit(Limit::requests(20, Period::Day))),
    ];
    let gateway = gateway().over(fakes).start().await;
    gateway.ask("hello").await.by("sim-a/sim-m");
    let before = explained(explaining(&gateway)).await;
    assert_eq!((&before["verdict"], &before["route"]), (&json!("try"), &json!("sim-a/sim-m")));
    assert_eq!(before["because"], "2 of 2 routes can answer");
    assert_eq!(names(&before["candidates"]), ["sim-a/sim-m", "sim-b/sim-m"]);
    let first = &before["candidates"][0];
    assert_eq!((&first["place"], &first["provider"], &first["model"]), (&json!(1), &json!("sim-a"), &json!("sim-m")));
    let minute = gate(first, "requests/minute");
    assert_eq!((&minute["used"], &minute["limit"], &minute["needed"]), (&json!(1), &json!(5), &json!(1)));
    assert_eq!((&minute["remaining"], &minute["fits"], &minute["source"]), (&json!(4), &json!(true), &json!("docs")));
    assert!(minute["resets_at"].is_string() && minute["fits_at"].is_null(), "{minute}");
    for name in ["intent", "features", "context", "key", "rest", "tokens/day"] {
        assert_eq!(gate(first, name)["fits"], true, "{name}");
    }
    let parts = &first["price_parts"];
    let [least, quota, factor, wait, failures] =
        ["least", "quota", "factor", "wait", "failures"].map(|part| parts[part].as_f64().expect("a number"));
    let price = first["price"].as_f64().expect("a number");
    assert!((least + quota * factor + wait + failures - price).abs() < 1e-9, "{first}");
    assert_eq!(before["candidates"][1]["price_parts"]["binding"], "requests/day");
    assert_eq!(before["candidates"][1]["price_parts"]["factor"], 2.0, "a strong model is kept for others");

    // Nothing was sent, nothing was reserved: the same question has the same answer.
    assert_eq!(gateway.providers.simulator.total_calls(), 1);
    assert!(gateway.is_idle());
    let after = explained(explaining(&gateway)).await;
    assert_eq!(gate(&after["candidates"][0], "requests/minute")["used"], 1);
}

#[tokio::test]
async fn every_route_left_out_is_named_with_its_reason() {
    let fakes = [
        provider("sim-used").limit(Limit::requests(1, Period::Minute)),
        provider("sim-short").model(ModelSpec::new("sim-m").context(1_100)),
        provider("sim-plain").model(ModelSpec::new("sim-m").features(&[])),
        provider("sim-tired").answers([Act::busy(30)]),
        provider("sim-locked").answers([Act::status(401)]),
        provider("sim-tiny").limit(Limit::tokens(50, Period::Minute)),
        provider("sim-ready"),
    ];
    let gateway = gateway().over(fakes).start().await;
    gateway.ask("hello").model("sim-used").await.by("sim-used/sim-m");
    for name in ["sim-tired", "sim-locked"] {
        assert_ne!(gateway.ask("hello").model(name).header("x-relay-wait", "0s").await.status, 200);
    }
    let tools = json!([{ "type": "function", "function": { "name": "look", "parameters": { "type": "object" } } }]);
    let content = "hello there ".repeat(20);
    let messages = json!([{ "role": "user", "content": content }]);
    let document = explained(explaining(&gateway).with("tools", tools).with("messages", messages)).await;
    assert_eq!(names(&document["candidates"]), ["sim-ready/sim-m"]);
    let rejections = document["rejections"].as_array().expect("a list");
    let told: Vec<(&str, &str, bool)> = rejections
        .iter()
        .map(|story| {
            let [provider, code] = ["provider", "code"].map(|name| story[name].as_str().expect("a text"));
            (provider, code, story["until"].is_string())
        })
        .collect();
    let expected = [
        ("sim-locked", "key_rejected", false),
        ("sim-plain", "lacks_feature", false),
        ("sim-short", "context_too_small", false),
        ("sim-tiny", "never_fits", false),
        ("sim-tired", "resting", true),
        ("sim-used", "out_of_quota", true),
    ];
    assert_eq!(told, expected, "{document:#}");
    assert!(rejections.iter().all(|story| story["text"].as_str().is_some_and(|text| !text.is_empty())));
    let used = gate(&rejections[5], "requests/minute");
    assert_eq!((&used["fits"], &used["fits_at"]), (&json!(false), &rejections[5]["until"]));
    assert_eq!(document["request"]["features"], json!(["tools"]));
}

#[tokio::test]
async fn a_wait_says_until_when_and_a_never_why() {
    let (clock, hand) = Clock::manual("2026-10-09T12:00:00Z".parse().expect("a moment"));
    let fake = provider("sim-a").limit(Limit::requests(1, Period::Minute));
    let gateway = gateway().over([fake]).clock(clock).start().await;
    gateway.ask("hello").await.by("sim-a/sim-m");
    hand.advance(Duration::from_secs(18));
    for (wait, within) in [("10s", false), ("43s", true)] {
        let document = explained(explaining(&gateway).header("x-relay-wait", wait)).await;
        assert_eq!((&document["verdict"], &document["route"]), (&json!("wait"), &Value::Null));
        assert_eq!(document["until"], "2026-10-09T12:01:00.05Z", "a minute, and a moment for requests on their way");
        assert_eq!(document["within_max_wait"], within, "{wait}");
        assert_eq!(names(&document["rejections"]), ["sim-a/sim-m"]);
    }
    let never = explained(explaining(&gateway).with("max_tokens", json!(1_000_000))).await;
    assert_eq!((&never["verdict"], &never["until"]), (&json!("never"), &Value::Null));
    assert!(never["because"].as_str().is_some_and(|text| text.contains("1000")), "{never}");
    explaining(&gateway).model("nobody").await.refused(404, "model_not_found");
    explaining(&gateway).body("{").await.refused(400, "invalid_request");
}

#[tokio::test]
async fn what_is_explained_is_what_happens_and_takes_nobodys_turn() {
    let gateway = gateway().over(["sim-a", "sim-b", "sim-c"].map(provider)).start().await;
    for _ in 0..6 {
        let asking = || explaining(&gateway).header("x-relay-strategy", "round-robin");
        let document = explained(asking()).await;
        assert_eq!(explained(asking()).await["route"], document["route"]);
        let route = document["route"].as_str().expect("a route");
        gateway.ask("hello").header("x-relay-strategy", "round-robin").await.by(route);
    }
}

#[tokio::test]
async fn ask_explains_the_same_on_the_command_line() {
    let fakes = [provider("sim-a").limit(Limit::requests(5, Period::Minute)), provider("sim-b")];
    let providers = Providers::start(fakes, Clock::system()).await;
    let explain =
        |flags: &[&'static str]| relay(["ask", "--explain", "--no-stdin", "hi"].into_iter().chain(flags.to_vec()));
    let document = explain(&["--json", "--avoid", "sim-b"]).over(&providers).await;
    let document = document.exits(0).json();
    assert_eq!((&document["schema"], &document["verdict"]), (&json!("relay.route/1"), &json!("try")));
    assert_eq!(names(&document["candidates"]), ["sim-a/sim-m"]);
    assert_eq!(document["rejections"][0]["code"], "avoided");

    let plain = explain(&["--avoid", "sim-b"]).over(&providers).await;
    let rows: Vec<Vec<&str>> = plain.exits(0).stdout.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0][..4], ["try", "1", "sim-a", "sim-m"]);
    assert_eq!(rows[0][7..11], ["requests/minute", "0", "1", "5"]);
    assert_eq!(rows[1][..6], ["never", "", "sim-b", "sim-m", "", "avoided"]);

    let table = explain(&["--format", "table"]).over(&providers).await;
    let table = &table.exits(0).stdout;
    assert!(table.contains("1  sim-a/sim-m") && table.contains("requests/minute <-"), "{table}");
    assert!(table.ends_with("try sim-a/sim-m: 2 of 2 routes can answer\n"), "{table}");
    assert_eq!(providers.simulator.total_calls(), 0);
    relay(["ask", "--explain", "--no-stdin", "hi"]).without_shipped().run().exits(78);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_explanation_comes_in_rows_for_programs_too() {
    let providers = Providers::start([provider("sim-a"), provider("sim-b")], Clock::system()).await;
    let home = relay([]).over(&providers);
    let told = async |format| home.beside(["ask", "--explain", "--format", format, "hello"]).await;
    let rows = told("csv").await;
    rows.exits(0);
    assert!(rows.stdout.starts_with("verdict,place,provider,model,price,"), "{}", rows.stdout);
    assert!(rows.stdout.contains("\r\ntry,1,sim-a,sim-m,"), "{}", rows.stdout);
    let lines = told("ndjson").await;
    let stories = lines.exits(0).stdout.lines().map(|line| serde_json::from_str::<Value>(line).expect("a document"));
    assert_eq!(stories.map(|story| story["route"].clone()).collect::<Vec<_>>(), ["sim-a/sim-m", "sim-b/sim-m"]);
    told("line").await.exits(2).prints("").says("has no single line");
    home.beside(["ask", "--format", "csv", "hello"]).await.exits(2).says("prints text");
}

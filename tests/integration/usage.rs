//! What was used and what is left, as `/v1/usage` and `/metrics` tell it.

use relay::clock::Clock;
use relay::sim::{Act, Limit, ModelSpec, Period, ProviderSpec};
use rusqlite::Connection;
use serde_json::{Value, json};

use super::harness::{Asking, Fake, Gateway, Providers, eventually, gateway, provider, relay};

/// Ten requests and 100,000 tokens a minute, of which no header tells.
fn silent() -> Fake {
    let model = ModelSpec::new("sim-m").limit(Limit::requests(10, Period::Minute));
    let model = model.limit(Limit::tokens(100_000, Period::Minute));
    provider("sim-a").model(model)
}

/// The one model of a usage document, and its window of this kind and period.
fn window<'d>(document: &'d Value, kind: &str, period: &str) -> &'d Value {
    let windows = document["models"][0]["windows"].as_array().expect("windows");
    let found = windows.iter().find(|window| window["kind"] == kind && window["period"] == period);
    found.unwrap_or_else(|| panic!("no {kind}/{period} in {document}"))
}

async fn usage(gateway: &Gateway) -> Value {
    let reply = gateway.get("/v1/usage").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    reply.json()
}

/// Prompt and answer tokens of a usage object.
fn tokens(usage: &Value) -> [u64; 2] {
    ["prompt_tokens", "completion_tokens"].map(|name| usage[name].as_u64().unwrap_or_else(|| panic!("{usage}")))
}

#[tokio::test(flavor = "multi_thread")]
async fn plain_streamed_cut_and_cancelled_answers_add_up() {
    let acts = [Act::Answer, Act::Answer, Act::Cut { after: 3 }, Act::Stall { after: 3 }];
    let providers = Providers::start([silent().answers(acts)], Clock::system()).await;
    let command = relay(["serve", "--port", "0", "--log-format", "json"]).over(&providers);
    let file = command.path("relay.db");
    let mut process = command.start();
    let address = process.address();

    let plain = Asking::chat(address, "one").await;
    let streamed = Asking::chat(address, "two").streamed().with("stream_options", json!({ "include_usage": true }));
    let streamed = streamed.await;
    let cut = Asking::chat(address, "three").streamed().await;
    assert!(cut.text().contains("upstream_cut"), "{}", cut.text());
    let mut left = Asking::chat(address, "four").streamed().begin().await;
    left.read_until("chat.completion.chunk").await;
    drop(left);
    eventually("the call is cancelled", || providers.simulator.open_requests() == 0).await;

    let last = streamed.events().pop().expect("a usage chunk");
    let (one, two) = (tokens(&plain.json()["usage"]), tokens(&last["usage"]));
    let reported = [one[0] + two[0], one[1] + two[1]];
    let document = Asking::to(address, "GET", "/v1/usage").await.json();
    assert_eq!(tokens(&document["totals"]), reported, "{document}");
    assert_eq!((&document["totals"]["ok"], &document["totals"]["errors"]), (&json!(2), &json!(1)));
    assert_eq!(window(&document, "requests", "minute")["used"], 4);
    // What the two others used is not known: they stay counted as reserved.
    let used = window(&document, "tokens", "minute")["used"].as_u64().expect("a count");
    assert!(used > reported[0] + reported[1], "{used}");
    assert_eq!(window(&document, "tokens", "minute")["used_source"], "counted");

    process.signal("TERM");
    let _home = process.ended().await;
    assert_eq!(
        rows(&file),
        [
            ("ok".to_owned(), "reported".to_owned(), Some(one)),
            ("ok".to_owned(), "reported".to_owned(), Some(two)),
            ("cut".to_owned(), "none".to_owned(), None),
            ("cancelled".to_owned(), "none".to_owned(), None),
        ]
    );
}

type Row = (String, String, Option<[u64; 2]>);

/// The ledger: outcome, where its tokens come from, and the tokens.
fn rows(file: &std::path::Path) -> Vec<Row> {
    let connection = Connection::open(file).expect("the state file");
    let sql = "SELECT outcome, tokens_source, prompt_tokens, completion_tokens FROM ledger ORDER BY at";
    let mut statement = connection.prepare(sql).expect("the ledger has these columns");
    let rows = statement.query_map([], |row| {
        let (prompt, completion): (Option<u64>, Option<u64>) = (row.get(2)?, row.get(3)?);
        Ok((row.get(0)?, row.get(1)?, prompt.zip(completion).map(|(prompt, completion)| [prompt, completion])))
    });
    rows.expect("rows").collect::<Result<_, _>>().expect("rows of these types")
}

#[tokio::test]
async fn numbers_say_who_says_so() {
    let model = ModelSpec::new("sim-m").limit(Limit::requests(20, Period::Minute).documented_as(30));
    let gateway = gateway().over([provider("sim-a").model(model).spec(ProviderSpec::rate_headers)]).start().await;
    let before = usage(&gateway).await;
    let unasked = window(&before, "requests", "minute");
    assert_eq!((&unasked["limit"], &unasked["limit_source"]), (&json!(30), &json!("docs")));
    assert_eq!((&unasked["used"], &unasked["observed_at"]), (&json!(0), &Value::Null));
    gateway.ask("hello").await.by("sim-a/sim-m");
    let after = usage(&gateway).await;
    let told = window(&after, "requests", "minute");
    assert_eq!((&told["limit"], &told["limit_source"]), (&json!(20), &json!("header")));
    assert_eq!((&told["used"], &told["remaining"], &told["used_source"]), (&json!(1), &json!(19), &json!("header")));
    assert!(told["observed_at"].is_string() && told["resets_at"].is_string(), "{told}");
    assert_eq!(after["models"][0]["binding"], json!({ "kind": "requests", "period": "minute" }));
    assert_eq!(after["models"][0]["state"], "ready");
}

#[tokio::test]
async fn a_limit_that_a_refusal_names_is_learned() {
    let body = json!({ "error": { "message": "Rate limit reached for model `sim-m` on tokens per minute (TPM): \
        Limit 6000, Used 5900, Requested 500. Please try again in 4s.", "code": "rate_limit_exceeded" } });
    let refusal = Act::Status { status: 429, body: body.to_string(), headers: Vec::new() };
    let gateway = gateway().over([silent().answers([refusal])]).start().await;
    assert_eq!(gateway.ask("hello").header("x-relay-wait", "0s").await.status, 429);
    let document = usage(&gateway).await;
    let tokens = window(&document, "tokens", "minute");
    assert_eq!((&tokens["limit"], &tokens["limit_source"]), (&json!(6_000), &json!("error")));
    assert_eq!((&document["models"][0]["state"], &document["totals"]["rate_limited"]), (&json!("cooldown"), &json!(1)));
}

#[tokio::test]
async fn more_tokens_than_any_request_takes_are_as_good_as_none_reported() {
    let absurd = |prompt: u64, completion: u64| {
        let usage = json!({ "prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": 5 });
        let choice =
            json!({ "index": 0, "message": { "role": "assistant", "content": "yes" }, "finish_reason": "stop" });
        let body = json!({ "id": "x", "object": "chat.completion", "created": 1, "model": "sim-m", "choices": [choice], "usage": usage });
        Act::Raw { content_type: "application/json".into(), body: body.to_string().into(), piece: 1_000 }
    };
    let most = i64::MAX.unsigned_abs();
    let gateway = gateway().over([silent().answers([absurd(5, most), absurd(most, 5)])]).in_file().start().await;
    for prompt in ["one", "two"] {
        gateway.ask(prompt).await.by("sim-a/sim-m");
    }
    let document = usage(&gateway).await;
    assert_eq!((&document["totals"]["ok"], tokens(&document["totals"])), (&json!(2), [0, 0]), "{document}");
    let used = window(&document, "tokens", "minute")["used"].as_u64().expect("a count");
    assert!((2..10_000).contains(&used), "as was reserved: {used}");
}

#[tokio::test]
async fn usage_is_guarded_and_takes_a_span() {
    let gateway = gateway().over([provider("sim-a")]).key("secret").start().await;
    assert_eq!(gateway.get("/v1/usage").await.status, 401);
    assert_eq!(gateway.get("/v1/usage?since=7d").key("secret").await.status, 200);
    let wrong = gateway.get("/v1/usage?since=yesterday").key("secret").await;
    assert_eq!((wrong.status, &wrong.json()["error"]["param"]), (400, &json!("since")));
}

#[tokio::test]
async fn metrics_count_what_happens() {
    let acts = [Act::Answer, Act::status(500), Act::Stall { after: 3 }];
    let gateway = gateway().over([silent().answers(acts), provider("sim-b")]).start().await;
    gateway.ask("one").await.by("sim-a/sim-m");
    gateway.ask("two").await.by("sim-b/sim-m");
    let mut open = gateway.ask("three").streamed().begin().await;
    open.read_until("chat.completion.chunk").await;
    let reply = gateway.get("/metrics").await;
    assert_eq!(reply.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    let text = reply.text();
    for line in [
        "relay_requests_total{status=\"200\"} 2",
        "relay_attempts_total{model=\"sim-m\",outcome=\"ok\",provider=\"sim-a\"} 1",
        "relay_attempts_total{model=\"sim-m\",outcome=\"500\",provider=\"sim-a\"} 1",
        "relay_attempts_total{model=\"sim-m\",outcome=\"ok\",provider=\"sim-b\"} 1",
        "relay_quota_remaining{kind=\"requests\",model=\"sim-m\",period=\"minute\",provider=\"sim-a\"} 7",
        "relay_first_event_seconds_count{model=\"sim-m\",provider=\"sim-a\"} 1",
        "relay_overhead_seconds_count 3",
        "relay_in_flight 1",
    ] {
        assert!(text.lines().any(|known| known == line), "{line} in\n{text}");
    }
    assert!(text.contains("relay_tokens_total{kind=\"completion\",model=\"sim-m\",provider=\"sim-a\"}"), "{text}");
}

#[tokio::test]
async fn metrics_of_providers_without_limits_are_told_too() {
    let gateway = gateway().over([provider("sim-a")]).start().await;
    gateway.ask("hello").await.by("sim-a/sim-m");
    let reply = gateway.get("/metrics").await;
    assert!(reply.status == 200 && reply.text().contains("relay_requests_total{status=\"200\"} 1"), "{}", reply.text());
    assert!(!reply.text().contains("relay_quota_remaining"), "{}", reply.text());
}

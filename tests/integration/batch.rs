//! `relay ask --batch`: every line answered once, whatever happens in between.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::time::Duration;

use relay::clock::Clock;
use relay::sim::{Act, Limit, Period};
use serde_json::{Value, json};

use super::harness::{Command, Providers, eventually_within, keeps_schema, provider, relay};

fn line(id: &str, prompt: &str) -> String {
    let body = json!({ "model": "meta-model", "messages": [{ "role": "user", "content": prompt }] });
    json!({ "custom_id": id, "method": "POST", "url": "/v1/chat/completions", "body": body }).to_string() + "\n"
}

fn lines(count: usize) -> String {
    let mut text = String::new();
    for number in 0..count {
        write!(text, "{}", line(&format!("id-{number}"), "Say yes.")).expect("a String takes all text");
    }
    text
}

const BATCH: [&str; 5] = ["ask", "--batch", "in.jsonl", "-o", "out.jsonl"];

fn batch(providers: &Providers, input: &str) -> Command {
    relay(BATCH).over(providers).file("in.jsonl", input)
}

/// The results by their ids; fails where a line is no result or an id stands twice.
fn results(text: &str) -> BTreeMap<String, Value> {
    let mut results = BTreeMap::new();
    for line in text.lines() {
        let result: Value = serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        keeps_schema("batch-line", &result);
        let id = result["custom_id"].as_str().expect("an id").to_owned();
        assert!(results.insert(id, result).is_none(), "twice: {line}");
    }
    results
}

/// A provider that answers at once, and another.
async fn steady() -> Providers {
    Providers::start([provider("sim-a"), provider("sim-b")], Clock::system()).await
}

#[tokio::test]
async fn every_line_gets_its_answer_in_openais_shape() {
    let providers = steady().await;
    let ended = batch(&providers, &lines(20)).await;
    ended.exits(0).prints("").says("20 answered");
    let results = results(&ended.file("out.jsonl"));
    assert_eq!(results.len(), 20);
    let one = &results["id-7"];
    assert_eq!((&one["error"], &one["response"]["status_code"]), (&Value::Null, &json!(200)));
    assert!(one["id"].as_str().is_some_and(|id| id.starts_with("batch_req_")), "{one}");
    let body = &one["response"]["body"];
    assert_eq!((&body["object"], &body["meta"]["model"]), (&json!("chat.completion"), &json!("sim-m")));
}

#[tokio::test]
async fn a_line_that_is_no_request_costs_nobody_else_anything() {
    let providers = steady().await;
    let input = [
        line("a", "hi"),
        "nonsense\n".to_owned(),
        "\n".to_owned(),
        line("b", "hi"),
        line("a", "again"),
        json!({ "custom_id": "c", "body": { "messages": [] } }).to_string() + "\n",
        json!({ "custom_id": "d", "url": "/v1/embeddings", "body": {} }).to_string() + "\n",
        line("e", "without an end").trim_end().to_owned(),
    ];
    let ended = batch(&providers, &input.concat()).await;
    ended.exits(65).prints("").says("line 2 is no request").says("line 5 has the id `a`").says("4 of 7 lines");
    let results = results(&ended.file("out.jsonl"));
    let codes = |id: &str| results[id]["error"]["code"].clone();
    assert_eq!(results.keys().collect::<Vec<_>>(), ["a", "b", "c", "d", "e"]);
    assert_eq!(
        ["a", "b", "c", "d", "e"].map(codes),
        [json!(null), json!(null), json!("bad_input"), json!("bad_input"), json!(null)]
    );
    assert!(results["c"]["error"]["message"].as_str().is_some_and(|text| text.starts_with("line 6: ")));
    assert_eq!(providers.simulator.total_calls(), 3);
}

#[tokio::test]
async fn what_failed_is_tried_again_and_what_is_answered_is_not() {
    let busy = [Act::Denied];
    let providers = Providers::start([provider("sim-a").answers(busy)], Clock::system()).await;
    let command = batch(&providers, &lines(3));
    let (test, again) = (command.beside(["keys", "test", "sim-a"]), command.beside(BATCH));
    let third = command.beside(BATCH).more_arguments(["--json"]);
    let first = command.await;
    first.exits(77).says("2 answered, 1 failed").says("auth  1").says("relay keys test says which");
    assert_eq!(results(&first.file("out.jsonl")).len(), 3);
    // A key that was rejected is asked with no more before it is found good.
    test.await.exits(0);
    let second = again.await;
    second.exits(0).says("1 answered, 2 answered before");
    assert_eq!(results(&second.file("out.jsonl")).values().filter(|one| one["error"].is_null()).count(), 3);
    let document = third.await.exits(0).json();
    assert_eq!(
        (&document["answered"], &document["answered_before"], &document["ok"]),
        (&json!(0), &json!(3), &json!(true))
    );
    assert_eq!(providers.chats("sim-a").len(), 5, "one refusal, a test, three answers");
}

#[tokio::test]
async fn quota_is_waited_for_rather_than_failed_at() {
    let scarce = provider("sim-a").limit(Limit::requests(2, Period::Second));
    let providers = Providers::start([scarce], Clock::system()).await;
    let ended = batch(&providers, &lines(7)).await;
    ended.exits(0).says("7 answered");
    assert!(ended.took >= Duration::from_secs(2), "{:?}", ended.took);
    let dry = provider("sim-a").limit(Limit::requests(1, Period::Day));
    let providers = Providers::start([dry], Clock::system()).await;
    let bounded = batch(&providers, &lines(3)).more_arguments(["--wait", "0s", "--jobs", "1"]).await;
    bounded.exits(75).says("1 answered, 2 failed").says("quota_exhausted  2");
}

#[tokio::test]
async fn a_batch_out_of_quota_says_in_json_when_to_come_back() {
    let fakes = [provider("sim-a").answers([Act::busy(50)])];
    let providers = Providers::start(fakes, Clock::system()).await;
    let ended = batch(&providers, &lines(3)).more_arguments(["--wait", "0s", "--jobs", "1", "--json"]).await;
    let error = ended.exits(75).json()["error"].clone();
    assert!(error["retry_after_s"].as_u64().is_some_and(|wait| (48..=50).contains(&wait)), "{error}");
    assert_eq!(error["details"], json!(["quota_exhausted  3"]));
    let hint = error["hint"].as_str().expect("a hint");
    assert!(hint.starts_with("run the same command again in ") && hint.contains("s: it tries"), "{hint}");
}

#[tokio::test]
async fn a_mark_of_the_byte_order_costs_no_line() {
    let providers = steady().await;
    let ended = batch(&providers, &format!("\u{feff}{}", lines(2))).await;
    ended.exits(0).says("2 answered");
}

#[tokio::test]
async fn flags_hold_for_every_line_and_odd_files_are_refused() {
    let providers = steady().await;
    let ended = batch(&providers, &lines(2)).more_arguments(["-m", "sim-b", "--max-tokens", "3"]).await;
    ended.exits(0);
    for call in providers.chats("sim-b") {
        assert_eq!(serde_json::from_slice::<Value>(&call.body).expect("JSON")["max_tokens"], 3);
    }
    assert_eq!(providers.chats("sim-b").len(), 2);
    let refused = async |arguments: &[&str], code: i32| {
        let arguments = ["ask", "--simulate", "--batch"].iter().chain(arguments).copied();
        relay(arguments).file("in.jsonl", lines(1)).file("notes", "mine\n").await.exits(code).prints("").file("notes")
    };
    refused(&["in.jsonl"], 2).await;
    refused(&["in.jsonl", "-o", "in.jsonl"], 2).await;
    refused(&["in.jsonl", "-o", "out", "a prompt"], 2).await;
    refused(&["none.jsonl", "-o", "out"], 66).await;
    refused(&["in.jsonl", "-o", "no/folder/out"], 74).await;
    #[cfg(unix)]
    for no_file in ["-", "/dev/stdout", "/dev/null"] {
        refused(&["in.jsonl", "-o", no_file], 2).await;
    }
    assert_eq!(refused(&["in.jsonl", "-o", "notes"], 65).await, "mine\n");
}

#[tokio::test]
async fn arguments_the_wrong_way_round_cost_no_request() {
    let providers = steady().await;
    let command = batch(&providers, &lines(3));
    let swapped = command.beside(["ask", "--batch", "out.jsonl", "-o", "in.jsonl"]);
    command.await.exits(0);
    let ended = swapped.await;
    ended.exits(65).says("`in.jsonl` is no file of results: line 1 is none");
    assert_eq!(ended.file("in.jsonl"), lines(3));
}

#[tokio::test]
async fn an_interruption_keeps_what_is_answered() {
    let slow = provider("sim-a").spec(|spec| spec.latency_ms(40..=40, 0..=0));
    let providers = Providers::start([slow], Clock::system()).await;
    let command = batch(&providers, &lines(200));
    let (path, again) = (command.path("out.jsonl"), command.beside(BATCH));
    let process = command.start();
    eventually_within(10, "some are answered", || count(&path) >= 10).await;
    process.signal("INT");
    process.ended().await.exits(130).prints("").says("the same command goes on from here");
    let before = count(&path);
    assert!(before < 200);
    let ended = again.await;
    ended.exits(0).says(&format!("{before} answered before"));
    assert_eq!(results(&ended.file("out.jsonl")).len(), 200);
}

fn count(path: &Path) -> usize {
    fs::read(path).map_or(0, |bytes| String::from_utf8_lossy(&bytes).matches('\n').count())
}

/// The most memory the process has had, in KiB.
#[cfg(target_os = "linux")]
fn peak_kib(process: u32) -> Option<u64> {
    let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ten_thousand_lines_in_the_memory_of_a_thousand_and_two_kills_lose_nothing() {
    const LINES: usize = 10_000;
    let providers = steady().await;
    let (small, _) = peak_of(batch(&providers, &lines(1_000))).await;
    let command = batch(&providers, &lines(LINES));
    let (second, third) = (command.beside(BATCH), command.beside(BATCH));
    let path = command.path("out.jsonl");
    for (run, until) in [(command, LINES / 5), (second, LINES / 2)] {
        let process = run.start();
        eventually_within(60, "part of it is answered", || count(&path) >= until).await;
        process.signal("KILL");
        assert_eq!(process.ended().await.code, None, "killed in its midst");
    }
    // As if the last write had been torn as well.
    let bytes = fs::read(&path).expect("there");
    fs::write(&path, &bytes[..bytes.len() - 20]).expect("writable");
    let (large, text) = peak_of(third).await;
    let results = results(&text);
    assert_eq!(results.len(), LINES);
    assert!(results.values().all(|one| one["error"].is_null()));
    assert!(large < small + 6 * 1024, "{large} KiB for {LINES} lines, {small} KiB for a thousand");
}

/// Runs to the end: the most memory it took on the way, and the results.
#[cfg(target_os = "linux")]
async fn peak_of(command: Command) -> (u64, String) {
    let process = command.start();
    let id = process.id();
    let watch = async move {
        let mut peak = 0;
        while let Some(now) = peak_kib(id) {
            peak = now.max(peak);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        peak
    };
    let (ended, peak) = tokio::join!(process.ended(), watch);
    ended.exits(0);
    (peak, ended.file("out.jsonl"))
}

//! `relay serve`, the program: how it says that it is ready, logs, refuses to start, and stops.

use std::net::{SocketAddr, TcpListener};
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::harness::{Asking, Command, Finished, Process, Providers, Socket, provider, relay};

/// A gateway in another process.
struct Serving {
    process: Process,
    address: SocketAddr,
}

impl Serving {
    fn start(command: Command) -> Self {
        let mut process = command.start();
        let ready = process.event();
        assert_eq!(ready["event"], "ready", "{ready}");
        Self { process, address: address(ready["url"].as_str().expect("a URL")) }
    }

    fn ask(&self, prompt: &str) -> Asking {
        Asking::chat(self.address, prompt)
    }
}

fn address(url: &str) -> SocketAddr {
    let rest = url.strip_prefix("http://").and_then(|rest| rest.strip_suffix("/v1"));
    rest.and_then(|address| address.parse().ok()).unwrap_or_else(|| panic!("not a base URL: {url}"))
}

fn serve(flags: &[&str]) -> Command {
    let usual = ["serve", "--port", "0", "--log-format", "json"];
    let scenario = flags.iter().all(|flag| !flag.starts_with("--simulate")).then_some("--simulate");
    relay(usual.into_iter().chain(scenario).chain(flags.iter().copied()))
}

#[tokio::test]
async fn the_first_line_says_where_it_listens_and_each_chat_gets_its_own() {
    let mut serving = Serving::start(serve(&[]));
    let reply = serving.ask("hello").await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    let line = serving.process.event();
    assert_eq!((&line["event"], &line["status"]), (&Value::from("request"), &Value::from(200)), "{line}");
    assert_eq!(line["route"].as_str(), reply.header("x-relay-route"));
    assert_eq!(line["request_id"].as_str(), reply.header("x-request-id"));
    assert!(line["tokens"].as_u64().is_some_and(|tokens| tokens > 0) && line["ms"].is_u64(), "{line}");
    serving.ask("hello").model("nobody").await.refused(404, "model_not_found");
    let line = serving.process.event();
    assert!(line["status"] == 404 && line["error"].as_str().is_some_and(|error| error.contains("nobody")), "{line}");
    serving.process.signal("TERM");
    let ended = serving.process.finish();
    ended.exits(0);
    assert!(!ended.stderr.contains("error"), "{}", ended.stderr);
}

#[tokio::test]
async fn the_json_of_a_server_is_its_log() {
    for asked in ["--json", "--format=json"] {
        let mut serving = Serving::start(relay(["serve", "--port", "0", "--simulate", asked]));
        assert_eq!(serving.ask("hello").await.status, 200);
        assert_eq!(serving.process.event()["event"], "request", "{asked}");
    }
}

#[test]
fn a_ready_file_that_cannot_be_written_is_told_before_the_server_is_ready() {
    let ended = relay(["serve", "--simulate", "--port", "0", "--ready-file", "/dev/null/ready"]).run();
    ended.exits(74).says("`/dev/null/ready` cannot be written");
    assert!(!ended.stderr.contains("Base URL"), "{}", ended.stderr);
}

/// What the file says that is there once the server is ready.
async fn ready(path: &Path) -> String {
    let deadline = Instant::now() + Duration::from_secs(5);
    loop {
        match std::fs::read_to_string(path) {
            Ok(url) => return url,
            Err(_) if Instant::now() < deadline => tokio::time::sleep(Duration::from_millis(5)).await,
            Err(error) => panic!("no ready file: {error}"),
        }
    }
}

/// A pipe holds 64 KiB; whoever waits for its reader after that waits for ever.
#[tokio::test]
async fn a_log_that_nobody_reads_stops_nobody() {
    for format in ["json", "text"] {
        let command = relay(["serve", "--simulate", "--port", "0", "--log-format", format, "--ready-file", "ready"])
            .under("mkfifo unread; sleep 20 < unread > /dev/null 2>&1 & exec > unread 2>&1");
        let path = command.path("ready");
        let process = command.start();
        let address = address(ready(&path).await.trim());
        for _ in 0..900 {
            Asking::chat(address, "hello").model("nobody").await.refused(404, "model_not_found");
        }
        process.signal("TERM");
        process.finish().exits(0);
    }
}

#[tokio::test]
async fn text_logs_are_on_stderr_and_tell_the_story_of_a_chat() {
    let command = relay(["serve", "--simulate", "--port", "0", "--ready-file", "ready"]);
    let path = command.path("ready");
    let mut process = command.file("ready", "of an earlier server").start();
    process.until_it_says("export OPENAI_BASE_URL=http://127.0.0.1:");
    let url = ready(&path).await;
    assert!(url.ends_with("/v1\n"), "{url:?}");
    let reply = Asking::chat(address(url.trim()), "hello").streamed().await;
    let line = process.until_it_says("200");
    assert!(line.contains(reply.header("x-relay-route").expect("a route")) && line.contains(" tok"), "{line}");
    process.signal("INT");
    process.finish().exits(0).prints("");
    assert!(!path.exists(), "no server is ready");
}

#[tokio::test]
async fn a_server_that_does_not_start_leaves_no_word_of_an_earlier_one() {
    let command = relay(["serve", "--port", "0", "--ready-file", "ready"]).without_shipped();
    let path = command.path("ready");
    command.file("ready", "of an earlier server").await.exits(78);
    assert!(!path.exists());
}

/// A stream of about a second that has begun.
async fn open_stream(serving: &Serving) -> Socket {
    let mut socket = serving.ask("Why is the sky blue?").streamed().begin().await;
    socket.read_until("chat.completion.chunk").await;
    socket
}

#[tokio::test]
async fn a_signal_lets_open_streams_end_and_takes_no_new_ones() {
    // A closed terminal sends the second, and its shell may send it again, which is nobody's wish to stop at once.
    let signals = if hang_ups_are_heard() { &["TERM", "HUP"][..] } else { &["TERM"] };
    for signal in signals.iter().copied() {
        let mut serving = Serving::start(serve(&["--simulate=slow"]));
        let mut socket = open_stream(&serving).await;
        serving.process.signal(signal);
        serving.process.until_it_says("stopping: 1 open request");
        if signal == "HUP" {
            serving.process.signal(signal);
        }
        assert_eq!(Asking::to(serving.address, "GET", "/readyz").await.status, 503);
        let refused = serving.ask("hello").await;
        refused.refused(503, "stopping");
        assert!(refused.retry_after() > 0);
        socket.read_until("data: [DONE]").await;
        drop(socket);
        serving.process.finish().exits(0);
    }
}

/// Only Linux tells whether somebody has them ignored, `nohup` before these tests for instance.
fn hang_ups_are_heard() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    ignored.is_some_and(|mask| !mask.ends_with(['1', '3', '5', '7', '9', 'b', 'd', 'f']))
}

/// What `nohup` starts outlives its terminal.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_hangup_that_is_ignored_stays_ignored() {
    let mut serving = Serving::start(serve(&[]).under("trap '' HUP"));
    serving.process.signal("HUP");
    assert_eq!(serving.ask("hello").await.status, 200);
    serving.process.event();
    serving.process.signal("TERM");
    serving.process.finish().exits(0);
}

#[tokio::test]
async fn a_second_signal_cuts_open_streams() {
    let mut serving = Serving::start(serve(&["--simulate=slow"]));
    let socket = open_stream(&serving).await;
    serving.process.signal("TERM");
    serving.process.until_it_says("stopping: 1 open request");
    let asked = Instant::now();
    serving.process.signal("TERM");
    let ended = serving.process.finish();
    ended.exits(143);
    assert!(asked.elapsed() < Duration::from_millis(700), "{:?}", asked.elapsed());
    drop(socket);
}

#[tokio::test]
async fn the_grace_of_open_streams_is_bounded() {
    let mut serving = Serving::start(serve(&["--simulate=slow", "--drain", "100ms"]));
    let mut stream = open_stream(&serving).await;
    let mut plain = serving.ask("hello").begin().await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    serving.process.signal("INT");
    serving.process.until_it_says("stopping");
    serving.process.finish().exits(130);
    // Nobody is left without a word.
    let told = stream.read_until("0\r\n\r\n").await;
    assert!(told.contains("data: {\"error\"") && told.contains("\"code\":\"stopping\""), "{told}");
    let told = plain.read_until("stopping").await;
    assert!(told.starts_with("HTTP/1.1 503"), "{told}");
}

#[tokio::test]
async fn idle_connections_do_not_hold_up_the_end() {
    let serving = Serving::start(serve(&[]));
    let idle = Socket::connect(serving.address).await;
    let mut kept = serving.ask("hello").begin().await;
    kept.read_until("\"meta\"").await;
    serving.process.signal("TERM");
    let asked = Instant::now();
    serving.process.finish().exits(0);
    assert!(asked.elapsed() < Duration::from_secs(2), "{:?}", asked.elapsed());
    drop((idle, kept));
}

#[tokio::test]
async fn a_key_may_come_from_a_file_or_the_environment() {
    let from_file = serve(&["--api-key-file", "key"]).file("key", "s3cret\n");
    for command in [from_file, serve(&[]).variable("RELAY_API_KEY", "s3cret")] {
        let serving = Serving::start(command);
        serving.ask("hello").await.refused(401, "invalid_api_key");
        assert_eq!(serving.ask("hello").key("s3cret").await.status, 200);
    }
}

#[tokio::test]
async fn what_the_banner_exports_is_the_key_that_clients_need() {
    let from_file =
        relay(["serve", "--simulate", "--port", "0", "--api-key-file", "my key"]).file("my key", "s3cret\n");
    let named = relay(["serve", "--simulate", "--port", "0"]).variable("RELAY_API_KEY", "s3cret");
    for (command, exported) in
        [(from_file, "OPENAI_API_KEY=\"$(cat 'my key')\""), (named, "OPENAI_API_KEY=$RELAY_API_KEY")]
    {
        let mut process = command.start();
        process.until_it_says(exported);
        process.signal("TERM");
        process.finish().exits(0);
    }
}

fn refused(command: Command, code: i32) -> Finished {
    let ended = command.run();
    ended.exits(code).prints("");
    ended
}

#[test]
fn a_busy_port_is_named_and_another_suggested() {
    let taken = TcpListener::bind("127.0.0.1:0").expect("loopback can be bound");
    let port = taken.local_addr().expect("it is bound").port().to_string();
    refused(relay(["serve", "--simulate", "--port", "0", "--host", "192.0.2.1"]).variable("RELAY_API_KEY", "k"), 69)
        .says("--host takes an address");
    let ended = refused(relay(["serve", "--simulate", "--port", &port]), 69);
    ended.says(&format!("127.0.0.1:{port}")).says("--port 0");
}

#[test]
fn the_door_is_not_opened_to_others_without_a_key() {
    for flags in [&["--host", "0.0.0.0"][..], &["--host", "::"]] {
        refused(serve(flags), 78).says("RELAY_API_KEY").says("--insecure-no-auth");
    }
    refused(serve(&[]).variable("RELAY_HOST", "0.0.0.0"), 78).says("0.0.0.0");
    let insisted = Serving::start(serve(&["--host", "0.0.0.0", "--insecure-no-auth"]));
    insisted.process.signal("TERM");
    insisted.process.finish().exits(0);
}

#[test]
fn without_providers_it_says_what_to_do() {
    let ended = refused(relay(["serve", "--port", "0"]).without_shipped(), 78);
    ended.says("no provider is set up yet").says("relay demo").says("--simulate");
}

#[test]
fn all_mistakes_of_a_configuration_are_told_at_once_with_their_lines() {
    let config = "[server]\nport = \"high\"\nhots = \"127.0.0.1\"\n\n[routing]\nstrategy = \"cheapest\"\n";
    let ended = refused(relay(["serve", "--port", "0"]).config(config), 78);
    ended.says("3 mistakes");
    for (line, about) in [(2, "port"), (3, "hots"), (6, "cheapest")] {
        let told = ended.stderr.lines().find(|told| told.contains(about)).unwrap_or_default();
        assert!(told.contains(&format!("config.toml:{line}")), "{about}: {}", ended.stderr);
    }
    ended.says("host").says("round-robin");
}

#[test]
fn mistakes_of_all_files_are_told_at_once() {
    let command =
        relay(["serve", "--port", "0"]).config("colour = true\n").file("limits/groq.toml", "nmae = \"Groq\"\n");
    let ended = refused(command.file("keys.toml", "groq = 7\n").variable("RELAY_HOST", "here"), 78);
    for part in ["config.toml", "colour", "groq.toml", "nmae", "keys.toml", "RELAY_HOST", "5 mistakes"] {
        ended.says(part);
    }
}

#[test]
fn a_missing_or_empty_key_file_is_a_mistake() {
    refused(serve(&["--api-key-file", "none"]), 78).says("none");
    refused(serve(&["--api-key-file", "empty"]).file("empty", "\n"), 78).says("empty");
    let two = || serve(&[]).file("two", "one\ntwo\n");
    refused(two().more_arguments(["--api-key-file", "two"]), 78).says("`two` holds no key");
    refused(two().variable("RELAY_API_KEY", "one\ntwo"), 78).says("RELAY_API_KEY: holds no key");
}

#[tokio::test]
async fn it_serves_providers_of_the_overlay_with_their_keys() {
    let providers = Providers::start([provider("sim-a"), provider("sim-b")], relay::clock::Clock::system()).await;
    let command = relay(["serve", "--port", "0", "--log-format", "json"]).over(&providers);
    let serving = Serving::start(command);
    serving.ask("hello").await.by("sim-a/sim-m");
    serving.ask("hello").model("sim-b").await.by("sim-b/sim-m");
    serving.process.signal("TERM");
    let ended = serving.process.ended().await;
    ended.exits(0);
    for one in providers.described() {
        assert!(!format!("{}{}", ended.stdout, ended.stderr).contains(&one.key), "a key is in the log");
    }
}

//! What neither a client, nor a provider, nor the folder relay is started in may do to its user.

use relay::clock::Clock;
use relay::sim::Act;
use serde_json::json;

use super::harness::{Asking, Command, Finished, Providers, Then, Upstream, gateway, provider, relay, says};

/// Ends a line, begins one that looks like the log's own, colours, rings, and moves the cursor: with ESC and with the one-byte CSI.
const FORGED: &str =
    "x\r\n99:99:99  200  FORGED\u{1b}[31m\u{7}\u{8}\u{9b}2J\u{85}\u{2028}\u{202e}{\"event\":\"FORGED\"}";

#[tokio::test]
async fn no_redirect_takes_a_request_or_a_key_anywhere() {
    let elsewhere = Upstream::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Then::Close).await;
    for status in [301, 302, 303, 307, 308] {
        for streamed in [false, true] {
            let target = format!("http://{}/v1/chat/completions", elsewhere.address);
            let redirect =
                || Act::Status { status, body: String::new(), headers: vec![("location".into(), target.clone())] };
            let alone = gateway().over([provider("sim-a").answers([redirect()])]).start().await;
            let reply = alone.ask("hello").streamed_if(streamed).await;
            reply.refused(502, "upstream_unavailable");
            assert!(!reply.text().contains(&target), "{}", reply.text());
            let fakes = [provider("sim-a").answers([redirect()]), provider("sim-b").answers([says("hi")])];
            let two = gateway().over(fakes).start().await;
            let trail = format!("sim-a/sim-m={status}");
            two.ask("hello").streamed_if(streamed).await.is("hi").by("sim-b/sim-m").after(&trail);
        }
    }
    assert_eq!(elsewhere.connections(), 0);
}

/// Runs `serve` over two fakes, the first of which does `acts`, asks it what a hostile client would, and stops it.
async fn served(acts: Vec<Act>, format: &str, level: &str) -> (Finished, Vec<String>, Providers) {
    let fakes = [provider("sim-a").answers(acts), provider("sim-b")];
    let providers = Providers::start(fakes, Clock::system()).await;
    let arguments = ["serve", "--no-verify", "--port", "0", "--log-format", format, "--ready-file", "ready", level];
    let command = relay(arguments).over(&providers);
    let ready = command.path("ready");
    let process = command.start();
    super::harness::eventually_within(10, "it is ready", || ready.exists()).await;
    let url = std::fs::read_to_string(&ready).expect("it is ready");
    let address = url.trim().trim_start_matches("http://").trim_end_matches("/v1").parse().expect("an address");
    let mut said = Vec::new();
    // The header's own rules keep line ends out of it, and nothing else.
    for streamed in [false, true] {
        let asking = Asking::chat(address, FORGED).model("sim-a/sim-m").streamed_if(streamed);
        let asking = asking.header("x-session-id", "\u{9b}2JFORGED").header("user-agent", "\u{9b}2JFORGED");
        said.push(asking.await);
    }
    said.push(Asking::chat(address, "hello").model(FORGED).await);
    said.push(Asking::chat(address, "hello").header("x-relay-strategy", "\u{9b}2JFORGED").await);
    said.push(Asking::chat(address, "hello").with("model_name", json!(FORGED)).await);
    said.push(Asking::chat(address, FORGED).await);
    for path in ["/metrics", "/v1/models", "/v1/usage", "/health", "/v1/models/\u{9b}2J%0aFORGED", "/%0d%0aFORGED"] {
        said.push(Asking::to(address, "GET", path).await);
    }
    said.push(Asking::to(address, "POST", "/v1/route").model(FORGED).with("messages", json!([])).await);
    process.signal("TERM");
    let said = said.iter().map(|reply| format!("{:?}\n{}", reply.headers, reply.text())).collect();
    (process.ended().await, said, providers)
}

fn failing_with(message: &str) -> Act {
    let body = json!({"error": {"message": message, "type": message, "param": message, "code": message}}).to_string();
    Act::Status { status: 500, body, headers: vec![("retry-after".to_owned(), "soon".to_owned())] }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_writes_lines_of_his_own_into_the_log() {
    for format in ["text", "json"] {
        let (ended, _, _providers) = served(vec![failing_with(FORGED); 2], format, "-vv").await;
        let log = format!("{}{}", ended.stdout, ended.stderr);
        let acts = |c: &char| c.is_control() && *c != '\n' || ('\u{2028}'..='\u{202e}').contains(c);
        let raw: Vec<char> = log.chars().filter(acts).collect();
        assert!(raw.is_empty(), "{format}: {raw:?} in {log}");
        // Each line that holds it is one of a request, and says so at its beginning.
        let begins = |line: &str| line.starts_with("99:99:99") || line.starts_with("{\"event\":\"FORGED\"");
        let forged: Vec<&str> = log.lines().filter(|line| begins(line)).collect();
        assert!(log.contains("FORGED") && forged.is_empty(), "{format}: {forged:#?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_providers_address_key_and_words_are_told_to_nobody() {
    const WORDS: &str = "internal host db-7.corp refused sk-live-5up3r";
    let denied = Act::Status { status: 401, body: WORDS.to_owned(), headers: Vec::new() };
    let table = [vec![failing_with(WORDS); 2], vec![denied], vec![Act::Reset; 2]];
    for acts in table {
        let (ended, mut said, providers) = served(acts.clone(), "json", "-vv").await;
        said.push(ended.stdout);
        said.push(ended.stderr);
        for one in providers.described() {
            let host = one.base_url.trim_start_matches("http://").split('/').next().expect("a host").to_owned();
            for secret in [host.as_str(), &one.key, "db-7.corp", "5up3r"] {
                let found = said.iter().find(|text| text.contains(secret));
                assert!(found.is_none(), "{acts:?}: `{secret}` in {}", found.expect("found"));
            }
        }
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn keys_that_others_may_read_are_refused_with_the_way_to_mend_it() {
    use std::os::unix::fs::PermissionsExt;
    let providers = Providers::start([provider("sim-a")], Clock::system()).await;
    let of_mode = |mode| {
        let command = relay(["ask", "hello"]).over(&providers).file("keys.toml", "sim-a = \"sim-a-key\"\n");
        std::fs::set_permissions(command.path("keys.toml"), PermissionsExt::from_mode(mode)).expect("it is ours");
        command
    };
    for mode in [0o644, 0o640, 0o604, 0o660] {
        let ended = of_mode(mode).await;
        ended.exits(78).says("may be read by others").says("chmod 600 ").says("keys.toml");
        assert!(!ended.stderr.contains("sim-a-key"), "{}", ended.stderr);
    }
    assert_eq!(providers.simulator.total_calls(), 0);
    of_mode(0o600).await.exits(0);
}

#[test]
fn files_that_are_none_of_relays_are_told_at_once() {
    let large = "#".repeat(5 * 1024 * 1024);
    for (name, text) in [("config.toml", large.as_bytes()), ("config.toml", b"[server]\nhost = \"\xff\"\n")] {
        let ended = relay(["usage"]).file(name, text).run();
        let why = if text.len() < 100 { "it is not UTF-8" } else { "it has more than 4 MiB" };
        ended.exits(78).says(&format!("{name}: cannot be read: {why}"));
    }
    relay(["models"])
        .file("limits/groq.toml", large.as_bytes())
        .run()
        .exits(0)
        .says("groq.toml: cannot be read: it has");
    #[cfg(unix)]
    for make in ["mkfifo", "mkdir"] {
        for command in [&["usage"][..], &["ask", "hello"]] {
            let home = relay(command.iter().copied()).variable("GROQ_API_KEY", "key");
            home.under(&format!("{make} relay.db")).run().exits(74).says("relay.db` is no file");
        }
        let looked = relay(["doctor"]).under(&format!("{make} relay.db")).run();
        assert!(looked.exits(1).stdout.contains("FAIL\tledger\tit is no file"), "{}", looked.stdout);
    }
}

/// In a folder of somebody else's, full of files that would move `sim-a` to `address`.
fn in_a_trap(command: Command, address: &str) -> Command {
    let url = format!("http://{address}/v1");
    let limits =
        format!("base_url = \"{url}\"\ndialect = \"openai\"\nstatus = \"free\"\nkey_env = [\"SIM_A_API_KEY\"]\n");
    let config = format!("[providers.sim-a]\nbase_url = \"{url}\"\nkey_cmd = \"touch taken\"\n");
    let dotenv =
        format!("SIM_A_BASE_URL={url}\nRELAY_HOME=.\nRELAY_CONFIG=config.toml\nHTTP_PROXY={url}\nHTTPS_PROXY={url}\n");
    let files = [(".env", &dotenv), ("config.toml", &config), ("relay.toml", &config), (".relay/config.toml", &config)];
    let files = files.into_iter().chain([("limits/sim-a.toml", &limits), (".config/relay/config.toml", &config)]);
    files.fold(command, |command, (name, text)| command.file(&format!("trap/{name}"), text)).under("cd trap")
}

#[tokio::test(flavor = "multi_thread")]
async fn an_env_file_of_another_program_stops_nothing_and_a_key_in_it_is_read() {
    let foreign = "\u{feff}APP_NAME=My App\nQ=it's\nA={\"x\": 1}\nK: v\n1A=1\nmy-var=1\n";
    let providers = Providers::start([provider("sim-a"), provider("sim-b")], Clock::system()).await;
    let key = providers.described().iter().find(|one| one.id == "sim-a").expect("it is described").key.clone();
    let with = |text: String| {
        let asked = relay(["ask", "-m", "sim-a", "hello"]).over(&providers).variable("SIM_A_API_KEY", "");
        asked.file("work/.env", text).under("cd work")
    };
    with(format!("{foreign}SIM_A_API_KEY={key}\n")).await.exits(0);
    let ended = with(format!("{foreign}export SIM_A_API_KEY='{key}\n")).await;
    ended.exits(2).says(".env:7: what stands behind `SIM_A_API_KEY=` cannot be read");
    assert!(!ended.stderr.contains(&key), "{}", ended.stderr);
    let pipe = relay(["ask", "hello"]).over(&providers).file("work/x", "").under("cd work; mkfifo .env");
    pipe.await.exits(0);
    let huge = with(format!("SIM_A_API_KEY={key}\n{}", "# not for relay\n".repeat(300_000))).await;
    huge.exits(2).says("no key is read from .env: it has more than 4 MiB");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_folder_relay_is_started_in_moves_no_provider() {
    let trap = Upstream::start("HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Then::Close).await;
    let providers = Providers::start([provider("sim-a").answers([says("hi"), says("hi")])], Clock::system()).await;
    let asked = in_a_trap(relay(["ask", "hello"]).over(&providers), &trap.address.to_string());
    asked.await.exits(0).prints("hi\n");
    // A proxy of the environment's is the user's own wish, but a call to this machine needs none.
    let proxied = relay(["ask", "hello"]).over(&providers);
    proxied.variable("http_proxy", &format!("http://{}", trap.address)).await.exits(0).prints("hi\n");
    assert_eq!(trap.connections(), 0);
}

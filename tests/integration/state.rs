//! What is used is known to every relay on the machine, and outlives each of them.

use futures_util::future::join_all;
use relay::clock::Clock;
use relay::sim::{Act, Limit, ModelSpec, Period};

use super::harness::{Asking, Command, Process, Providers, eventually, provider, relay};

/// A provider that documents five requests a minute and enforces none of it: every call that goes out is counted.
async fn five_a_minute() -> Providers {
    let documented = Limit::requests(1_000_000, Period::Minute).documented_as(5);
    let fake = provider("sim-a").model(ModelSpec::new("sim-m").limit(documented));
    Providers::start([fake], Clock::system()).await
}

fn serve(command: Command) -> (Process, std::net::SocketAddr) {
    let mut process = command.start();
    let address = process.address();
    (process, address)
}

#[tokio::test(flavor = "multi_thread")]
async fn five_a_minute_are_five_whoever_asks() {
    let providers = five_a_minute().await;
    let first = relay(["serve", "--port", "0", "--log-format", "json"]).over(&providers);
    let second = first.beside(["serve", "--port", "0", "--log-format", "json"]);
    let asks: Vec<Command> = (0..10).map(|_| first.beside(["ask", "--wait", "0s", "hello"])).collect();
    let (one, two) = (serve(first), serve(second));
    let served = [one.1, two.1].into_iter().cycle().take(20).map(|address| {
        let asking = Asking::chat(address, "hello").header("x-relay-wait", "0s");
        async move { asking.await.status == 200 }
    });
    let asked = asks.into_iter().map(|ask| async move { ask.await.code == Some(0) });
    let (served, asked) = tokio::join!(join_all(served), join_all(asked));
    let answered = served.into_iter().chain(asked).filter(|answered| *answered).count();
    assert_eq!((answered, providers.chats("sim-a").len()), (5, 5));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_server_leaves_counted_what_it_had_let_out() {
    let providers = five_a_minute().await;
    providers.simulator.script("sim-a", [Act::Answer, Act::Answer, Act::Hang]);
    let command = relay(["serve", "--port", "0", "--log-format", "json"]).over(&providers);
    let ask = command.beside(["ask", "--wait", "0s", "hello"]);
    let again = command.beside(["ask", "--wait", "0s", "hello"]);
    let last = command.beside(["ask", "--wait", "0s", "hello"]);
    let (process, address) = serve(command);
    for _ in 0..2 {
        assert_eq!(Asking::chat(address, "hello").await.status, 200);
    }
    let hanging = Asking::chat(address, "hello").begin().await;
    eventually("the third call is out", || providers.chats("sim-a").len() == 3).await;
    process.signal("KILL");
    process.ended().await;
    drop(hanging);
    ask.await.exits(0);
    again.await.exits(0);
    last.await.exits(75).says("requests/minute");
    assert_eq!(providers.chats("sim-a").len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_is_known_to_others_until_there_is_another_or_a_probe_finds_it_good() {
    let fakes = [provider("sim-a").answers([Act::Denied]), provider("sim-b")];
    let providers = Providers::start(fakes, Clock::system()).await;
    let first = relay(["ask", "hello"]).over(&providers);
    let run = |arguments: &[&str]| first.beside(arguments.iter().copied());
    let calls = || providers.chats("sim-a").len();
    let (again, check, last) = (run(&["ask", "hello"]), run(&["check-models", "sim-a"]), run(&["ask", "hello"]));
    let other = run(&["ask", "hello"]).variable("SIM_A_API_KEY", "another");
    first.await.exits(0);
    again.await.exits(0);
    assert_eq!(calls(), 1, "the second process knows");
    other.await.exits(0);
    assert_eq!(calls(), 2, "another key is tried");
    check.await.exits(0);
    last.await.exits(0);
    assert_eq!(calls(), 4, "a probe, and the answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_state_file_that_cannot_be_used_is_named_with_what_to_do() {
    let providers = five_a_minute().await;
    let damaged = relay(["ask", "hello"]).over(&providers).file("relay.db", "no database");
    let ended = damaged.await;
    ended.exits(74).prints("").says("relay.db").says("damaged").says("move it away");
    assert_eq!(ended.file("relay.db"), "no database");
    let elsewhere = relay(["ask", "hello"]).over(&providers).file("relay.db", "no database");
    elsewhere.more_config("[state]\nurl = \"memory\"\n").await.exits(0);
    let named = relay(["ask", "hello"]).over(&providers).more_config("[state]\nurl = \"sqlite:other.db\"\n").await;
    assert!(named.exits(0).files().contains(&"other.db".to_owned()));
    let redis = relay(["ask", "hello"]).over(&providers).more_config("[state]\nurl = \"redis://127.0.0.1\"\n").await;
    redis.exits(78).says("redis://127.0.0.1").says("is not supported yet");
}

#[tokio::test(flavor = "multi_thread")]
async fn simulated_runs_leave_nothing_behind() {
    let ended = relay(["ask", "--simulate", "hello"]).await;
    assert!(ended.exits(0).files().is_empty(), "{:?}", ended.files());
}

#[test]
fn the_path_of_the_state_is_the_one_that_is_used() {
    let path = |config: &str| relay(["config", "path", "--json"]).config(config).run().exits(0).json();
    assert_eq!(path("[state]\nurl = \"sqlite:/var/lib/other.db\"\n")["paths"]["state"], "/var/lib/other.db");
    assert!(path("")["paths"]["state"].as_str().is_some_and(|state| state.ends_with("/relay.db")));
    assert!(path("[state]\nurl = \"memory\"\n")["paths"].get("state").is_none());
    relay(["config", "path"]).config("[state]\nurl = 5\n").run().exits(0).says("config.toml:2");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_only_looks_begins_no_state_and_reads_the_one_there_is() {
    let providers = five_a_minute().await;
    let home = relay([]).over(&providers).file("pages/sim-a.md", "# none\n");
    let looks: [&[&str]; 7] = [
        &["models"],
        &["keys", "list"],
        &["keys", "urls"],
        &["usage"],
        &["ask", "--explain", "hello"],
        &["refresh-limits", "--from", "pages"],
        &["refresh-limits", "--undo"],
    ];
    for arguments in looks {
        let ended = home.beside(arguments.iter().copied()).await;
        assert!(matches!(ended.code, Some(0 | 66)), "{arguments:?}: {}", ended.stderr);
        assert!(!ended.files().iter().any(|name| name.starts_with("relay.db")), "{arguments:?}");
    }
    for _ in 0..5 {
        home.beside(["ask", "--wait", "0s", "hello"]).await.exits(0);
    }
    assert!(home.beside(["models"]).await.stdout.contains("\tlimited\t"));
    assert!(home.beside(["ask", "--explain", "hello"]).await.stdout.starts_with("wait\t"));
}

/// Files that nobody may write are so for root too.
#[cfg(target_os = "linux")]
const AS_A_USER: &str = "[ $(id -u) != 0 ] || exec setpriv --bounding-set -dac_override,-dac_read_search \"$0\" \"$@\"";

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_state_that_cannot_be_written_can_be_looked_at() {
    use std::os::unix::fs::PermissionsExt as _;
    let providers = five_a_minute().await;
    let home = relay(["ask", "hello"]).over(&providers);
    let run = |arguments: &[&str]| home.beside(arguments.iter().copied()).under(AS_A_USER);
    run(&["ask", "hello"]).await.exits(0);
    let allow = |file: u32, folder: u32| {
        for (path, mode) in [(home.path("relay.db"), file), (home.path("."), folder)] {
            std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).expect("it is ours");
        }
    };
    for (file, folder) in [(0o400, 0o700), (0o400, 0o500), (0o600, 0o500)] {
        allow(file, folder);
        let used = run(&["usage", "--json"]).await.exits(0).json()["models"][0]["windows"][0]["used"].clone();
        assert_eq!(used, 1, "{file:o} {folder:o}");
        for arguments in [&["models"][..], &["keys", "list"], &["ask", "--explain", "hello"]] {
            run(arguments).await.exits(0);
        }
        assert!(run(&["doctor"]).await.stdout.contains("PASS\tledger\twhole"));
        run(&["ask", "hello"]).await.exits(74).says("relay.db` cannot be written").says("let your user write it");
    }
    allow(0o000, 0o700);
    run(&["usage"]).await.exits(74).says("let your user write it");
    run(&["keys", "urls"]).await.exits(0);
    run(&["keys", "remove", "sim-a"]).await.exits(1).says("there is no key");
    allow(0o600, 0o700);
}

#[test]
fn who_only_looks_needs_no_home() {
    let homeless = |arguments: &[&'static str]| {
        relay(arguments.iter().copied()).variable("HOME", "").variable("RELAY_HOME", "").variable("GROQ_API_KEY", "key")
    };
    for arguments in [&["models"][..], &["usage"], &["keys", "list"], &["keys", "urls"], &["ask", "--explain", "hello"]]
    {
        homeless(arguments).run().exits(0);
    }
    homeless(&["ask", "hello"]).run().exits(78).says("there is no home to keep the state in");
}

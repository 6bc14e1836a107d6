//! The newcomer's path: no key, a hint, a key kept, a key rejected, an answer.

use relay::clock::Clock;
use relay::sim::Act;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::harness::{Command, Providers, provider, relay, says};

/// The command over these providers, without the key of `id`.
fn without_key(providers: &Providers, id: &str, arguments: &[&str]) -> Command {
    let variable = format!("{}_API_KEY", id.to_uppercase().replace('-', "_"));
    relay(arguments.iter().copied()).over(providers).variable(&variable, "")
}

fn key(providers: &Providers, id: &str) -> String {
    providers.described().iter().find(|one| one.id == id).expect("described").key.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_from_stdin_is_tested_kept_for_its_owner_and_used() {
    let providers = Providers::start([provider("one").answers([says("OK."), says("blue")])], Clock::system()).await;
    let set = without_key(&providers, "one", &["keys", "set", "one"]).piped(format!("{}\n", key(&providers, "one")));
    let [list, ask, remove, again] =
        [&["keys", "list", "--json"][..], &["ask", "hello"][..], &["keys", "remove", "one"][..], &["ask", "hello"][..]]
            .map(|arguments| set.beside(arguments.iter().copied()));
    let path = set.path("keys.toml");
    let ended = set.await;
    ended.exits(0).says("a `relay serve` that runs uses it after a restart");
    assert!(ended.stdout.contains("+1 model") && ended.stdout.contains("sim-m answers"), "{}", ended.stdout);
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        assert_eq!(std::fs::metadata(&path).expect("kept").permissions().mode() & 0o777, 0o600);
    }
    let listed = list.await.json();
    assert_eq!((&listed["keys"][0]["source"], &listed["keys"][0]["answered"]), (&json!("keys.toml"), &json!(true)));
    assert!(!listed.to_string().contains(&key(&providers, "one")), "a list shows no key");
    ask.await.exits(0).prints("blue\n");
    remove.await.exits(0).says("a `relay serve` that runs goes on with it until a restart");
    again.await.exits(78).says("no provider is set up yet").says("relay init");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_is_not_kept() {
    let providers = Providers::start([provider("one")], Clock::system()).await;
    let set = without_key(&providers, "one", &["keys", "set", "one"]).piped("sk-not-the-right-key-at-all\n");
    let path = set.path("keys.toml");
    set.await.exits(77).says("rejects this key");
    assert!(!path.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_a_key_is_noticed_and_never_printed() {
    let providers = Providers::start([provider("one")], Clock::system()).await;
    let cases: [(&[u8], i32, &str); 4] = [
        (b"two words\n", 65, "no blanks"),
        (b"\n", 65, "nothing was entered"),
        (b"", 66, "ended"),
        (b"sk-\xff\n", 65, "stdin is not text in UTF-8"),
    ];
    for (typed, code, says) in cases {
        let ended = without_key(&providers, "one", &["keys", "set", "one"]).piped(typed).await;
        ended.exits(code).says(says);
        assert!(!ended.stderr.contains("two words"), "{}", ended.stderr);
    }
    let endless = without_key(&providers, "one", &["keys", "set", "one"]).piped(vec![0; 100_000]).await;
    endless.exits(65).says("the line on stdin has more than 65536 bytes");
    without_key(&providers, "one", &["keys", "set", "onne"]).piped("x\n").await.exits(2).says("did you mean `one`");
    assert_eq!(providers.simulator.total_calls(), 0);
}

/// A key alone is not enough where the provider's address has an account in it.
#[tokio::test]
async fn a_key_without_its_account_id_is_seen_everywhere_with_what_it_lacks() {
    const LACKS: &str = "cloudflare: no account id, set CLOUDFLARE_ACCOUNT_ID beside its key";
    let set = relay(["keys", "set", "cloudflare", "--no-test"]).piped("cf-a-key-of-some-length\n");
    let beside =
        |arguments: &[&str]| set.beside(arguments.iter().copied()).variable("OLLAMA_BASE_URL", "http://[::1]:1");
    let [list, alone, doctor, ask, serve] =
        [&["keys", "list"][..], &[], &["doctor"], &["ask", "hi"], &["serve", "--port", "0"]].map(beside);
    set.await.exits(0);
    let listed = list.await;
    listed.exits(0).says(LACKS);
    assert!(listed.stdout.starts_with("cloudflare\tkeys.toml\t…ngth\t"), "{}", listed.stdout);
    assert!(
        alone
            .await
            .stdout
            .ends_with(&format!("{LACKS}\nNo provider is complete yet: relay init, or try relay demo.\n"))
    );
    let checks = doctor.await;
    assert!(checks.stdout.contains(&format!("WARN\tkeys\t{LACKS}\n")), "{}", checks.stdout);
    for command in [ask, serve] {
        command.await.exits(78).says("no provider can be used").says(LACKS).says("relay init");
    }
}

#[tokio::test]
async fn a_key_that_may_not_be_used_offline_is_a_key_all_the_same() {
    for arguments in [&["ask", "--offline", "hi"][..], &["keys", "test", "--offline"], &["serve", "--offline"]] {
        let command = relay(arguments.iter().copied()).variable("GROQ_API_KEY", "a-key-of-some-length");
        let command = command.variable("OLLAMA_BASE_URL", "http://[::1]:1");
        command.await.exits(69).says("nothing may leave this machine").says("leave out --offline");
    }
}

#[tokio::test]
async fn a_list_of_no_keys_is_a_list_and_says_how_to_get_one() {
    relay(["keys", "list"]).await.exits(0).prints("").says("no provider is set up yet").says("relay init");
    relay(["keys", "list", "--format", "table"]).await.exits(0).prints("").says("relay init");
    assert_eq!(relay(["keys", "list", "--json"]).await.exits(0).json()["keys"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn keys_are_tested_one_by_one() {
    let fakes = [provider("good").answers([says("OK.")]), provider("bad").answers([Act::Denied])];
    let providers = Providers::start(fakes, Clock::system()).await;
    let ended = relay(["keys", "test", "--format", "plain"]).over(&providers).await;
    ended.exits(1);
    let words: Vec<Vec<&str>> = ended.stdout.lines().map(|line| line.split('\t').take(2).collect()).collect();
    assert!(words.contains(&vec!["PASS", "good"]) && words.contains(&vec!["AUTH", "bad"]), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_whose_provider_rejects_it_at_its_list_is_asked_with_no_more() {
    for command in [&["keys", "test"][..], &["check-models"], &["serve", "--port", "0"]] {
        let providers = Providers::start([provider("one")], Clock::system()).await;
        let found =
            relay(command.iter().copied()).over(&providers).variable("ONE_API_KEY", "sk-not-the-right-key-at-all");
        let [list, rows, models, ask] =
            [&["keys", "list", "--json"][..], &["keys", "list"], &["models", "one"], &["ask", "hello"]]
                .map(|arguments| found.beside(arguments.iter().copied()));
        let another = found.beside(["keys", "list", "--json"]).variable("ONE_API_KEY", &key(&providers, "one"));
        drop(found.await);
        assert_eq!(list.await.json()["keys"][0]["rejected"], true, "{command:?}");
        assert!(rows.await.stdout.ends_with("\trejected\n"), "{command:?}");
        assert!(models.await.stdout.contains("\tbad key\t"), "{command:?}");
        let asked = providers.simulator.total_calls();
        ask.await.exits(77).says("key rejected");
        assert_eq!(providers.simulator.total_calls(), asked, "{command:?}");
        assert_eq!(another.await.json()["keys"][0]["rejected"], false, "another key is another matter");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_gives_the_key_where_the_environment_has_none() {
    let providers = Providers::start([provider("one").answers([says("yes")])], Clock::system()).await;
    let secret = key(&providers, "one");
    let ask = without_key(&providers, "one", &["ask", "hello"]);
    let config = ask.text("config.toml") + &format!("key_cmd = \"echo {secret}\"\n");
    let fails = config.replace(&format!("echo {secret}"), "exit 3");
    let again = ask.beside(["ask", "hello"]);
    ask.config(&config).await.exits(0).prints("yes\n");
    again.config(&fails).await.exits(78).says("the `key_cmd` of `one` failed");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_in_the_environment_replaces_the_one_that_is_kept() {
    let providers = Providers::start([provider("one")], Clock::system()).await;
    let list = relay(["keys", "list"]).over(&providers).file("keys.toml", "one = \"a-stolen-key-of-mine\"\n");
    let list = list.file(".env", "ONE_API_KEY=a-key-of-this-project\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(list.path("keys.toml"), PermissionsExt::from_mode(0o600)).expect("it is ours");
    }
    let command = list.text("config.toml") + "key_cmd = \"echo a-key-that-is-told\"\n";
    let numbered = list.beside(["keys", "list"]).variable("ONE_API_KEY_2", "another-key-of-mine");
    let kept = list.beside(["keys", "list"]).variable("ONE_API_KEY", "");
    let told = kept.beside(["keys", "list"]);
    let sources = async |list: Command| {
        let ended = list.await;
        let source = |line: &str| line.split('\t').nth(1).expect("a source").to_owned();
        ended.exits(0).stdout.lines().map(source).collect::<Vec<_>>()
    };
    assert_eq!(sources(list).await, ["ONE_API_KEY"]);
    assert_eq!(sources(numbered).await, ["ONE_API_KEY", "ONE_API_KEY_2"]);
    assert_eq!(sources(kept).await, ["keys.toml"]);
    assert_eq!(sources(told.config(&command)).await, ["key_cmd"]);
}

#[tokio::test]
async fn without_a_terminal_init_names_the_commands_that_do_the_same() {
    let ended = relay(["init"]).await;
    ended.exits(2).prints("").says("relay keys set groq").says("https://console.groq.com/keys");
    relay(["init", "--no-input", "groq"]).await.exits(2);
}

#[tokio::test]
async fn relay_alone_lists_its_commands_and_the_next_step() {
    let ended = relay([]).await;
    ended.exits(0);
    assert!(ended.stdout.contains("relay check-models"), "{}", ended.stdout);
    assert!(ended.stdout.ends_with("No keys yet: relay init, or try relay demo.\n"), "{}", ended.stdout);
    let ended = relay([]).variable("GROQ_API_KEY", "a-key").await;
    assert!(ended.stdout.contains("Keys of 1: groq."), "{}", ended.stdout);
}

#[tokio::test]
async fn the_doctor_names_what_is_wrong_and_shows_no_key() {
    relay(["doctor", "--json"]).await.exits(0);
    let broken = relay(["doctor"]).config("[routing]\nmax_wate = \"1s\"\n").variable("GROQ_API_KEY", "gsk_secret");
    let ended = broken.await;
    ended.exits(1);
    assert!(ended.stdout.contains("FAIL\tsettings\t") && ended.stdout.contains("max_wate"), "{}", ended.stdout);
    assert!(ended.stdout.contains("groq (GROQ_API_KEY)") && !ended.stdout.contains("gsk_secret"), "{}", ended.stdout);
    let damaged = relay(["doctor"]).file("relay.db", "no database, but long enough to be taken for one ".repeat(40));
    let ended = damaged.await;
    ended.exits(1);
    assert!(ended.stdout.contains("FAIL\tledger"), "{}", ended.stdout);
}

#[expect(clippy::disallowed_methods, reason = "it ends with the test's runtime")]
#[tokio::test(flavor = "multi_thread")]
async fn the_doctor_tells_a_clock_that_is_wrong() {
    for (date, word, says) in [
        ("Thu, 01 Jan 2026 00:00:00 GMT", "FAIL", "ahead of the providers' clocks"),
        ("Fri, 01 Jan 2100 00:00:00 GMT", "FAIL", "behind the providers' clocks"),
        ("not a date", "PASS", "UTC"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("it listens");
        let answer = format!(
            "HTTP/1.1 200 OK\r\ndate: {date}\r\ncontent-length: 21\r\nconnection: close\r\n\r\n{{\"data\":[{{\"id\":\"m\"}}]}}"
        );
        let serving = tokio::task::spawn(async move {
            while let Ok((mut socket, _)) = listener.accept().await {
                let mut request = [0; 4096];
                if socket.read(&mut request).await.is_ok_and(|length| length > 0) {
                    drop(socket.write_all(answer.as_bytes()).await);
                }
            }
        });
        let file = format!(
            "name = \"One\"\ndialect = \"openai\"\nbase_url = \"http://{address}\"\nkey_env = [\"ONE_API_KEY\"]\nstatus = \"free\"\n\
             hard_stop = true\ntrains = \"no\"\nchecked = 2026-10-09\n\n[[model]]\nid = \"m\"\ntypes = [\"text\"]\nscale = \"small\"\ncontext = 8192\n"
        );
        let home = relay(["doctor", "--network"]).without_shipped().file("limits/one.toml", file);
        let ended = home.variable("ONE_API_KEY", "a-key-of-some-length").await;
        let clocks: Vec<&str> = ended.stdout.lines().filter(|line| line.contains("\tclock\t")).collect();
        let last = clocks.last().expect("a line about the clock");
        assert!(last.starts_with(word) && last.contains(says), "{date}: {}", ended.stdout);
        serving.abort();
    }
}

#[tokio::test]
async fn settings_say_where_they_come_from() {
    let command = relay(["config", "show", "--origin"]).config("[routing]\nmax_wait = \"3s\"\n");
    let ended = command.variable("RELAY_PORT", "9001").await;
    ended.exits(0);
    let origin = |key: &str| {
        let line = ended.stdout.lines().find(|line| line.starts_with(key)).unwrap_or_else(|| panic!("no {key}"));
        line.split('\t').skip(1).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(origin("server.port"), ["9001", "RELAY_PORT"]);
    assert_eq!(origin("routing.max_wait")[0], "\"3s\"");
    assert!(origin("routing.max_wait")[1].ends_with("config.toml"));
    assert_eq!(origin("routing.strict_free"), ["false", "default"]);
    let broken = relay(["config", "show"]).config("[routing]\nmax_wate = \"3s\"\n").await;
    broken.exits(78).says("max_wate");
    assert!(broken.stdout.contains("max_wait = "), "{}", broken.stdout);
    let shown = relay(["config", "show"]).await.stdout;
    relay(["config", "show"]).config(&shown).await.exits(0).prints(&shown);
}

#[cfg(unix)]
#[test]
fn settings_from_a_pipe_are_shown_with_their_origin() {
    let piped = relay(["config", "show", "--origin", "--config", "pipe"])
        .under("mkfifo pipe; { printf '[server]\\nport = 8123\\n[providers.groq]\\npriority = 3\\n' > pipe; } & true");
    let ended = piped.run();
    let told = &ended.exits(0).stdout;
    assert!(told.contains("server.port\t8123\tpipe\n"), "{told}");
    assert!(told.contains("providers.groq.priority\t3\tpipe\n"), "{told}");
}

#[test]
fn a_state_that_cannot_be_written_does_not_pass() {
    // Whoever may write everything cannot make a folder of a device.
    let checks = relay(["doctor", "--json"]).variable("RELAY_HOME", "/dev/null").run();
    let checks = checks.exits(1).json()["checks"].clone();
    let state = checks.as_array().expect("a list").iter().find(|it| it["check"] == "state").expect("a line").clone();
    assert_eq!(state["status"], "fail", "{state}");
    let fine = relay(["doctor"]).variable("RELAY_PORT", "0").run();
    assert_eq!(fine.exits(0).files(), Vec::<String>::new(), "nothing is left behind");
}

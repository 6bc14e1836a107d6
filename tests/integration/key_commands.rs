//! A `key_cmd` may ask a person for a password: it runs where its provider is sent the key, once, and nowhere else.

use relay::clock::Clock;

use super::harness::{Command, Providers, provider, relay, says};

/// Three providers whose keys are told by commands that leave a line each time they run.
async fn three() -> (Providers, Command) {
    let fakes = ["one", "two", "three"].map(provider);
    let providers = Providers::start(fakes, Clock::system()).await;
    let mut home = relay([]).over(&providers);
    let mut config = "[routing]\nstrategy = \"priority\"\n".to_owned();
    for (rank, one) in (1..).zip(providers.described()) {
        let (id, key) = (&one.id, &one.key);
        config += &format!("[providers.{id}]\npriority = -{rank}\nkey_cmd = \"echo {id} >> runs; echo {key}\"\n");
        home = home.variable(&format!("{}_API_KEY", id.to_uppercase()), "");
    }
    (providers, home.config(&config))
}

/// Whose commands have run, in their order.
fn runs(home: &Command) -> Vec<String> {
    let text = std::fs::read_to_string(home.path("runs")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn commands_that_send_nothing_run_none_and_name_it() {
    let (_providers, home) = three().await;
    let home = home.file("relay.db", "");
    let silent: [&[&str]; 9] = [
        &[],
        &["models"],
        &["usage", "--format", "line"],
        &["usage", "--json"],
        &["config", "show"],
        &["keys", "list"],
        &["keys", "urls"],
        &["keys", "remove", "one"],
        &["usage", "reset", "--yes"],
    ];
    for arguments in silent {
        let ended = home.beside(arguments.iter().copied()).await;
        assert!(ended.code.is_some_and(|code| code < 2), "{arguments:?}: {}", ended.stderr);
        assert_eq!(runs(&home), [""; 0], "{arguments:?}");
    }
    let listed = home.beside(["keys", "list"]).await;
    assert!(listed.stdout.starts_with("one\tkey_cmd\t…\t"), "{}", listed.stdout);
    home.beside(["usage", "--format", "line"]).await.prints("relay 3/3 ready\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_key_that_is_sent_is_asked_for_once() {
    let (providers, home) = three().await;
    providers.simulator.script("one", [says("yes")]);
    let ended = home.beside(["keys", "test"]).await;
    ended.exits(0);
    assert_eq!(runs(&home), ["one", "three", "two"], "{}", ended.stdout);
    home.beside(["check-models", "two"]).await.exits(0);
    assert_eq!(runs(&home)[3..], ["two"]);
    home.beside(["ask", "hello"]).await.exits(0);
    assert_eq!(runs(&home)[4..], ["one", "three", "two"]);
    for name in ["two", "TWO", "two/sim-m"] {
        let before = runs(&home).len();
        home.beside(["ask", "-m", name, "hello"]).await.exits(0);
        assert_eq!(runs(&home)[before..], ["two"], "{name}");
    }
    let before = runs(&home).len();
    home.beside(["ask", "--explain", "hello"]).await.exits(0);
    assert_eq!(runs(&home).len(), before, "nothing is sent");
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread")]
async fn a_command_ends_with_whoever_waits_for_its_key() {
    let config = "[providers.groq]\nkey_cmd = \"echo $$ > pid; exec sleep 60\"\n";
    let is_there = |home: &Command| {
        let pid = std::fs::read_to_string(home.path("pid")).unwrap_or_default();
        !pid.is_empty() && std::path::Path::new("/proc").join(pid.trim()).exists()
    };
    let late = relay(["ask", "--timeout", "500ms", "hello"]).config(config);
    let home = late.beside([]);
    late.await.exits(124).says("the settings were still being read");
    assert!(!is_there(&home) && home.path("pid").exists());
    let stopped = relay(["keys", "test"]).config(config);
    let home = stopped.beside([]);
    let process = stopped.start();
    super::harness::eventually_within(10, "the command runs", || is_there(&home)).await;
    process.signal("TERM");
    process.finish().exits(143);
    assert!(!is_there(&home));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_that_is_off_or_out_of_reach_is_not_asked_for_its_key() {
    let fails = "[providers.groq]\nkey_cmd = \"touch ran; exit 1\"\n";
    for (more, code, arguments) in
        [("enabled = false\n", 78, &["ask", "hello"][..]), ("", 69, &["ask", "hello", "--offline"])]
    {
        let home = relay([]).config(&format!("{fails}{more}"));
        let ended = home.beside(arguments.iter().copied()).await;
        ended.exits(code);
        assert!(!home.path("ran").exists() && !ended.stderr.contains("key_cmd"), "{}", ended.stderr);
    }
    let switched_off = relay(["models", "groq"]).config(&format!("{fails}enabled = false\n"));
    assert_eq!(switched_off.await.stdout.lines().next().and_then(|row| row.split('\t').nth(2)), Some("disabled"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_that_fails_is_told_of_its_provider_alone() {
    let (providers, home) = three().await;
    let config = home.text("config.toml").replace("echo two >> runs;", "exit 3;");
    let ended = home.config(&config).beside(["keys", "test"]).await;
    ended.exits(1);
    let rows: Vec<Vec<&str>> = ended.stdout.lines().map(|line| line.split('\t').collect()).collect();
    assert_eq!(rows.iter().map(|row| row[0]).collect::<Vec<_>>(), ["PASS", "PASS", "DOWN"], "{}", ended.stdout);
    assert!(rows[2][2].contains("the `key_cmd` of `two` failed"), "{}", ended.stdout);
    drop(providers);
}

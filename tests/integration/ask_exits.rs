//! `relay ask` by its exit codes: a script can branch on the code alone, and stdout stays empty on every failure.

use relay::clock::Clock;
use relay::sim::{Act, ModelSpec};

use super::harness::{Command, Finished, Providers, provider, relay, says};

fn ask(flags: &[&str]) -> Command {
    relay(["ask"].into_iter().chain(flags.iter().copied()))
}

fn fails(command: Command, code: i32) -> Finished {
    fails_of(command.run(), code)
}

fn fails_of(ended: Finished, code: i32) -> Finished {
    ended.exits(code).prints("").says("Error: ");
    ended
}

#[test]
fn what_is_typed_wrong_is_2() {
    fails(ask(&["--simulate"]), 2).says("there is nothing to ask");
    fails(ask(&["--simulate", "  "]), 2).says("there is nothing to ask");
    fails(ask(&["--simulate"]).piped(" \n"), 2).says("there is nothing to ask");
    fails(ask(&["--simulate", "-m", "sim-larg-70b", "hi"]), 2).says("sim-larg-70b").says("sim-large-70b");
    fails(ask(&["--simulate", "--temperature", "1", "-m", "sim-large-70b", "--name", "nobody", "hi"]), 2);
    for number in ["nan", "inf", "-inf", "warm"] {
        ask(&["--simulate", &format!("--temperature={number}"), "hi"]).run().exits(2).says("such as 0.7");
    }
    for flag in ["--seed", "--max-tokens", "--max-attempts"] {
        ask(&["--simulate", flag, "few", "hi"]).run().exits(2).says("expected a whole number");
    }
    for (flag, value) in [("--wait", "-1s"), ("--timeout", "-5"), ("--max-tokens", "-1"), ("--max-attempts", "-2")] {
        let mistake = format!("invalid value '{value}' for '{flag} <");
        ask(&["--simulate", flag, value, "hi"]).run().exits(2).says(&mistake);
    }
    fails(ask(&["--simulate=rain", "hi"]), 2).says("default, dry, storm, slow, cut");
    fails(ask(&["--simulate", "--param", "top_p", "hi"]), 2).says("KEY=JSON");
    fails(ask(&["--simulate", "--param", "top_p=high", "hi"]), 2).says("JSON");
    ask(&["--simulate", "--type", "poetry", "hi"]).run().exits(2).prints("").says("text, coding, vision");
    fails(ask(&["--simulate", "--name", "nobody", "hi"]), 2);
    for flags in [
        &["--simulate", "--temprature", "1", "hi"][..],
        &["--simulate", "--wait", "soon", "hi"],
        &["--max-tokens", "x", "hi"],
    ] {
        let ended = ask(flags).run();
        ended.exits(2).prints("").says("error: ");
    }
    ask(&["--temprature", "1", "hi"]).run().says("--temperature");
    relay(["serv"]).run().exits(2).prints("").says("serve");
}

#[test]
fn a_reader_of_json_gets_mistakes_of_typing_as_json() {
    for flags in [&["--json", "--temprature", "1", "hi"][..], &["--format=json", "--max-tokens", "x", "hi"]] {
        let document = ask(flags).run().exits(2).json();
        assert_eq!((&document["schema"], &document["error"]["code"]), (&"relay.ask/1".into(), &"usage".into()));
        let message = document["error"]["message"].as_str().expect("a text");
        assert!(message.contains(flags[1]), "{message}");
    }
    let colored = ask(&["--color", "always", "--temprature", "1"]).run();
    assert!(colored.exits(2).stderr.contains("\u{1b}["), "{}", colored.stderr);
    let plain = ask(&["--temprature", "1"]).variable("NO_COLOR", "1").variable("CLICOLOR_FORCE", "1").run();
    assert!(!plain.exits(2).stderr.contains('\u{1b}'), "{}", plain.stderr);
}

#[test]
fn colour_that_is_forced_with_0_is_not_forced() {
    for (value, is_colored) in [("0", false), ("1", true)] {
        let help = relay(["help"]).variable("CLICOLOR_FORCE", value).run();
        let wrong = ask(&["--temprature", "1"]).variable("CLICOLOR_FORCE", value).run();
        let has = |text: &str| text.contains('\u{1b}');
        assert_eq!((has(&help.stdout), has(&wrong.stderr)), (is_colored, is_colored), "{value}");
    }
}

#[test]
fn offline_nothing_leaves_this_machine() {
    ask(&["--simulate", "--offline", "hi"]).run().exits(0);
    for prepare in [|run: Command| run.more_arguments(["--offline"]), |run: Command| run.variable("RELAY_OFFLINE", "1")]
    {
        let remote = "name = \"Far\"\ndialect = \"openai\"\nbase_url = \"https://far.invalid/v1\"\nkey_env = [\"SIM_FAR_API_KEY\"]\n\
                      status = \"free\"\n[[model]]\nid = \"sim-m\"\ntypes = [\"text\"]\nscale = \"small\"\ncontext = 8192\nfeatures = []\nlimits = []\n";
        let command =
            ask(&["hi"]).without_shipped().file("limits/sim-far.toml", remote).variable("SIM_FAR_API_KEY", "k");
        fails(prepare(command), 69).says("nothing may leave this machine").says("--offline");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn what_must_not_happen_is_70() {
    // Without a file to open there is no runtime. Those that whoever runs the tests has open would keep it from starting at all.
    let starved = ask(&["--simulate", "hi"]).under("exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; ulimit -n 4").run();
    starved.exits(70).prints("").says("Error: ");
}

#[test]
fn input_that_cannot_be_read_is_65_or_66() {
    fails(ask(&["--simulate"]).piped(*b"\xff\xfe"), 65).says("UTF-8");
    fails(ask(&["--simulate", "-f", "image", "hi"]).file("image", b"\x89PNG\xff"), 65).says("image").says("UTF-8");
    fails(ask(&["--simulate", "-f", "missing.txt", "hi"]), 66).says("missing.txt");
    fails(ask(&["--simulate", "-s", "@missing.txt", "hi"]), 66).says("missing.txt");
    let silent = fails(ask(&["--simulate", "--stdin-wait", "1s", "hi"]).silent_pipe(), 66);
    silent.says("stdin is an open pipe but nothing arrived in 1s").says("--no-stdin").says("--stdin-wait 0");
    let (low, high) = (std::time::Duration::from_millis(950), std::time::Duration::from_secs(5));
    assert!(silent.took >= low && silent.took < high, "{:?}", silent.took);
}

#[test]
fn a_request_that_fits_nobody_is_65() {
    let long = "many words ".repeat(300_000);
    fails(ask(&["--simulate"]).more_config("[context]\nmode = \"off\"\n").piped(long), 65).says("tokens");
}

#[tokio::test]
async fn an_output_that_cannot_be_written_is_74_and_costs_no_request() {
    let providers = Providers::start([provider("sim-a")], Clock::system()).await;
    for path in ["no/such/folder/answer.txt", "limits"] {
        let ended = ask(&["-o", path, "hi"]).over(&providers).await;
        ended.exits(74).prints("").says(&format!("`{path}` cannot be written: "));
        assert!(!ended.stderr.contains(".relay-"), "{}", ended.stderr);
    }
    assert_eq!(providers.simulator.total_calls(), 0);
}

#[test]
fn no_quota_left_is_75_and_says_when_it_returns() {
    let ended = fails(ask(&["--simulate=dry", "hi"]), 75);
    ended.says("no free quota is left").says("free in ").says("hint:").says("sim-");
    let document = ask(&["--simulate=dry", "--json", "hi"]).run();
    let error = document.exits(75).json()["error"].clone();
    assert_eq!(error["code"], "quota_exhausted");
    assert!(error["retry_after_s"].as_u64().is_some_and(|seconds| seconds <= 86_400), "{error}");
}

#[test]
fn nothing_set_up_or_a_bad_configuration_is_78() {
    fails(ask(&["hi"]).without_shipped(), 78).says("no provider is set up yet").says("relay demo");
    fails(ask(&["--simulate", "hi"]).config("strateggy = 1\n"), 78).says("config.toml:1").says("strateggy");
    fails(ask(&["--simulate", "hi"]).variable("RELAY_TIMEOUT", "soon"), 78).says("RELAY_TIMEOUT");
    let document = ask(&["--json", "hi"]).without_shipped().run();
    assert_eq!(document.exits(78).json()["error"]["code"], "config");
}

#[test]
fn on_a_fresh_machine_free_sign_up_pages_are_named() {
    // The shipped catalogue, and a local server that is not running.
    let ended = fails(ask(&["hi"]).variable("OLLAMA_BASE_URL", "http://127.0.0.1:1"), 78);
    ended.says("Free keys without a card").says("groq");
}

/// Runs over two providers that do this.
async fn over(acts: [Act; 2], flags: &[&str]) -> Finished {
    let [first, second] = acts;
    let fakes = [provider("sim-a").answers([first]), provider("sim-b").answers([second])];
    let providers = Providers::start(fakes, Clock::system()).await;
    ask(flags).over(&providers).await
}

#[tokio::test]
async fn what_all_providers_do_decides_the_code_the_most_retryable_first() {
    let table = [
        ([Act::busy(60), Act::Spent], 75, "quota_exhausted"),
        ([Act::Denied, Act::busy(60)], 75, "quota_exhausted"),
        ([Act::Hang, Act::PaymentRequired], 75, "quota_exhausted"),
        ([Act::Hang, Act::status(500)], 124, "timeout"),
        ([Act::Denied, Act::Hang], 124, "timeout"),
        ([Act::status(500), Act::Cut { after: 0 }], 69, "unavailable"),
        ([Act::Html, Act::EmptyBody], 69, "unavailable"),
        ([Act::Gone, Act::Denied], 69, "unavailable"),
        ([Act::Denied, Act::Denied], 77, "auth"),
        ([Act::TooLong, Act::TooLarge], 65, "bad_input"),
        ([Act::BadRequest("no".to_owned()), Act::BadRequest("no".to_owned())], 65, "bad_input"),
    ];
    for (acts, code, word) in table {
        for json in [false, true] {
            let flags = if json { &["--json", "--wait", "0s", "hi"][..] } else { &["--wait", "0s", "hi"] };
            let [first, second] = acts.clone();
            let fakes = [provider("sim-a").answers([first]), provider("sim-b").answers([second])];
            let providers = Providers::start(fakes, Clock::system()).await;
            let ended = ask(flags).over(&providers).more_config("[timeouts]\nfirst_event = \"300ms\"\n").await;
            assert_eq!(ended.code, Some(code), "{acts:?}: {} {}", ended.stdout, ended.stderr);
            if json {
                let document = ended.json();
                assert_eq!((&document["ok"], &document["error"]["code"]), (&false.into(), &word.into()), "{acts:?}");
                assert_eq!(document["attempts"].as_array().map(Vec::len), Some(2), "{acts:?}");
            } else {
                ended.prints("").says("Error: ").says("sim-a/sim-m").says("sim-b/sim-m");
            }
            assert!(!ended.stderr.contains("-key-"), "a key is told: {}", ended.stderr);
        }
    }
}

#[tokio::test]
async fn a_model_of_a_provider_without_a_key_is_told_apart_from_a_slip() {
    let shared = |id| provider(id).model(ModelSpec::new("maker/model-120b"));
    let providers = Providers::start([shared("sim-a"), shared("groupe")], Clock::system()).await;
    let run = |model| ask(&["-m", model, "hi"]).over(&providers).variable("GROUPE_API_KEY", "");
    for (model, hint) in [
        ("groupe", "groupe: no key, set GROUPE_API_KEY"),
        ("groupe/sim-m", "groupe: no key, set GROUPE_API_KEY"),
        ("groupe/maker/model-120b", "groupe: no key, set GROUPE_API_KEY"),
        ("group", "did you mean `groupe`?"),
    ] {
        fails_of(run(model).await, 2).says(hint);
    }
    let tested = relay(["keys", "test", "groupe", "--json"]).over(&providers).variable("GROUPE_API_KEY", "").await;
    assert_eq!(tested.exits(1).json()["keys"][0]["status"], "skip");
}

#[tokio::test]
async fn one_that_answers_is_enough() {
    over([Act::Denied, says("hi")], &["hello"]).await.exits(0).prints("hi\n");
}

#[tokio::test]
async fn a_timeout_is_124() {
    for flags in [&["--timeout", "300ms", "hi"][..], &["hi"]] {
        let providers = Providers::start([provider("sim-a").answers([Act::Hang])], Clock::system()).await;
        let command = ask(flags).over(&providers);
        let command = if flags.len() == 1 { command.variable("RELAY_TIMEOUT", "300ms") } else { command };
        let ended = command.await;
        ended.exits(124).prints("").says("no answer within 300ms").says("sim-a/sim-m  was still being asked");
        assert!(ended.took < std::time::Duration::from_secs(3), "{:?}", ended.took);
    }
}

#[tokio::test]
async fn whoever_is_silent_is_left_while_there_is_time_for_another() {
    let fakes = [provider("sim-a").answers([Act::Hang]), provider("sim-b").answers([says("hi")])];
    let providers = Providers::start(fakes, Clock::system()).await;
    let ended = ask(&["--timeout", "2s", "hi"]).over(&providers).await;
    ended.exits(0).prints("hi\n");
    assert_eq!((providers.chats("sim-a").len(), providers.chats("sim-b").len()), (1, 1));
}

#[tokio::test]
async fn a_signal_ends_it_with_its_own_code_and_cancels_the_call() {
    for (signal, code, flags) in [("INT", 130, &["hi"][..]), ("TERM", 143, &["hi"]), ("INT", 130, &["--json", "hi"])] {
        let providers = Providers::start([provider("sim-a").answers([Act::Stall { after: 4 }])], Clock::system()).await;
        let process = ask(flags).over(&providers).start();
        super::harness::eventually_within(5, "the provider is asked", || providers.simulator.open_requests() == 1)
            .await;
        process.signal(signal);
        let ended = process.ended().await;
        ended.exits(code);
        if flags.len() == 1 {
            ended.prints("");
        } else {
            assert_eq!(ended.json()["error"]["code"], "interrupted");
        }
        super::harness::eventually("the call is cancelled", || providers.simulator.client_gone() == 1).await;
    }
}

/// A home whose keys take long to come by.
fn slow_keys(arguments: &[&str]) -> Command {
    relay(arguments.iter().copied()).config("[providers.groq]\nkey_cmd = \"exec 2>&-; touch asked; sleep 9; echo k\"\n")
}

#[cfg(unix)]
#[tokio::test]
async fn keys_that_do_not_come_hold_up_neither_a_signal_nor_the_time_out() {
    let late = slow_keys(&["ask", "--timeout", "300ms", "hi"]).await;
    late.exits(124).prints("").says("no answer within 300ms").says("the settings were still being read");
    assert!(late.took < std::time::Duration::from_secs(3), "{:?}", late.took);
    let batch = ["ask", "--batch", "in.jsonl", "-o", "out.jsonl"];
    for arguments in [&["ask", "hi"][..], &batch, &["serve"], &["check-models"], &["keys", "test"]] {
        let command = slow_keys(arguments).file("in.jsonl", "");
        let asked = command.path("asked");
        let process = command.start();
        super::harness::eventually_within(5, "the command runs", || asked.exists()).await;
        process.signal("TERM");
        let ended = process.ended().await;
        ended.exits(143).prints("");
        assert!(ended.took < std::time::Duration::from_secs(6), "{arguments:?}: {:?}", ended.took);
    }
}

#[cfg(unix)]
#[tokio::test]
async fn a_pipe_named_as_a_file_does_not_hold_up_a_signal() {
    let batch = ["ask", "--batch", "pipe", "-o", "out.jsonl"];
    let read = ["refresh-limits", "--read", "pipe"];
    for arguments in [&["ask", "-s", "@pipe", "hi"][..], &["ask", "-f", "pipe"], &batch, &read] {
        let mut process = relay(arguments.iter().copied()).under("mkfifo pipe; echo waits >&2").start();
        process.until_it_says("waits");
        tokio::time::sleep(std::time::Duration::from_millis(300)).await;
        process.signal("TERM");
        process.ended().await.exits(143).prints("");
    }
}

#[tokio::test]
async fn what_no_model_can_do_is_said_by_name() {
    let plain = provider("sim-a").model(ModelSpec::new("sim-m").features(&[]));
    let providers = Providers::start([plain], Clock::system()).await;
    let tools = r#"tools=[{"type":"function","function":{"name":"f"}}]"#;
    let ended = ask(&["--param", tools, "hi"]).over(&providers).await;
    ended.exits(65).prints("").says("tools");
}

/// Most machines have no Ollama, and nobody set it up there.
#[tokio::test]
async fn a_local_server_that_does_not_run_hides_no_cause() {
    const ABSENT: &str = "dialect = \"openai\"\nbase_url = \"http://127.0.0.1:1\"\nstatus = \"local\"\n[[model]]\nid = \"m\"\ncontext = 9000\n";
    for (act, code, words) in
        [(Act::Denied, 77, "sim-a/sim-m"), (Act::status(500), 69, "500"), (Act::BadRequest("no".to_owned()), 65, "no")]
    {
        let providers = Providers::start([provider("sim-a").answers([act])], Clock::system()).await;
        let config = "[providers.here]\nenabled = true\n";
        let first = ask(&["hi"]).over(&providers).more_config(config).file("limits/here.toml", ABSENT);
        let again = first.beside(["ask", "hi"]);
        first.await.exits(code).says(words);
        if code == 77 {
            // It is not asked with that key any more, and the cause is the same.
            again.await.exits(code).says(words);
        }
    }
}

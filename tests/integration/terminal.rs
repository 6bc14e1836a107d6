//! relay on a terminal: answers as they come, bars that draw and are gone, keys that are typed unseen, Ctrl-C at any time.

#![cfg(unix)]

use relay::clock::Clock;
use relay::sim::{Act, ModelSpec};

use super::harness::{Command, Providers, Terminal, eventually_within, provider, relay, says};

const COLUMNS: u16 = 80;

fn ask(providers: &Providers, flags: &[&str]) -> Terminal {
    let arguments: Vec<&str> = ["ask"].iter().chain(flags).copied().collect();
    Terminal::run(&relay([]).over(providers), &arguments, COLUMNS)
}

#[tokio::test]
async fn an_answer_is_shown_as_it_comes_with_its_route_below() {
    let slow = provider("sim-a").answers([says("one two three four")]);
    let slow = slow.spec(|spec| spec.latency_ms(600..=600, 150..=150));
    let providers = Providers::start([slow], Clock::system()).await;
    let mut terminal = ask(&providers, &["count"]);
    // The spinner names the route while nothing has come.
    terminal.shows("sim-a/sim-m").await;
    assert!(!terminal.shown().contains("one"), "{:?}", terminal.shown());
    terminal.shows("one").await;
    assert!(!terminal.shown().contains("four"), "it streams: {:?}", terminal.shown());
    assert_eq!(terminal.ended().await, 0);
    terminal.shows(" out").await;
    let shown = terminal.shown();
    let after_answer = shown.split("four").nth(1).expect("shown");
    assert!(after_answer.contains("sim-a/sim-m") && after_answer.contains("\u{1b}[2m"), "dim, below: {shown:?}");
    let sees = terminal.sees();
    assert!(sees.starts_with("one two three four\nsim-a/sim-m") && sees.lines().count() == 2, "{sees}");
}

#[tokio::test]
async fn failover_is_shown_and_thoughts_are_dim() {
    let first = provider("sim-a").answers([Act::busy(30)]);
    let second = provider("sim-b").answers([Act::think("hm, well", says("42"))]);
    let providers = Providers::start([first, second], Clock::system()).await;
    let mut terminal = ask(&providers, &["ask"]);
    assert_eq!(terminal.ended().await, 0);
    terminal.shows("sim-a/sim-m=429-minute").await;
    let shown = terminal.shown();
    let (thought, answer) = (shown.find("\u{1b}[2mhm").expect("dim"), shown.find("42").expect("answered"));
    assert!(thought < answer, "{shown:?}");
}

#[tokio::test]
async fn an_interrupt_from_the_keyboard_ends_it_with_130() {
    let providers = Providers::start([provider("sim-a").answers([Act::Hang])], Clock::system()).await;
    let mut terminal = ask(&providers, &["hi"]);
    terminal.shows("sim-a/sim-m").await;
    terminal.types("\x03");
    assert_eq!(terminal.ended().await, 130);
    assert!(!terminal.sees().contains("sim-a"), "the spinner is gone: {}", terminal.sees());
}

#[tokio::test]
async fn colours_and_progress_can_be_switched_off() {
    let slow = || provider("sim-a").answers([says("ok")]).spec(|spec| spec.latency_ms(500..=500, 0..=0));
    let providers = Providers::start([slow()], Clock::system()).await;
    let mut terminal = ask(&providers, &["--color", "never", "--no-progress", "hi"]);
    assert_eq!(terminal.ended().await, 0);
    terminal.shows("sim-a/sim-m").await;
    assert!(!terminal.shown().contains('\u{1b}'), "{:?}", terminal.shown());
    let providers = Providers::start([slow()], Clock::system()).await;
    let mut terminal = ask(&providers, &["-q", "hi"]);
    assert_eq!(terminal.ended().await, 0);
    terminal.shows("ok").await;
    assert_eq!(terminal.shown(), "ok\r\n");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_bar_of_a_check_is_drawn_and_gone() {
    let slow = |id| provider(id).spec(|spec| spec.latency_ms(700..=700, 0..=0)).model(ModelSpec::new("m"));
    let providers = Providers::start([slow("sim-a"), slow("sim-b")], Clock::system()).await;
    for columns in [COLUMNS, 120] {
        let mut terminal =
            Terminal::run(&relay([]).over(&providers), &["check-models", "--latency", "--repeat", "2"], columns);
        terminal.shows("Probing 2 models, 2 providers").await;
        terminal.shows("waiting on  sim-a 1").await;
        assert_eq!(terminal.ended().await, 0);
        let sees = terminal.sees();
        assert!(sees.starts_with("STATUS  PROVIDER") && sees.contains("2 models: 2 pass"), "{sees}");
        assert!(!sees.contains("Probing") && !sees.contains("waiting"), "{sees}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_check_leaves_nothing_on_the_screen() {
    let providers = Providers::start([provider("sim-a").answers([Act::Hang])], Clock::system()).await;
    let mut terminal = Terminal::run(&relay([]).over(&providers), &["check-models"], COLUMNS);
    terminal.shows("waiting on").await;
    eventually_within(10, "it is asked", || !providers.chats("sim-a").is_empty()).await;
    terminal.types("\x03");
    assert_eq!(terminal.ended().await, 130);
    assert!(!terminal.sees().contains("Probing"), "{}", terminal.sees());
}

/// A provider whose page of limits never comes.
async fn with_a_silent_page() -> (tokio::net::TcpListener, Providers, Command) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
    let page = format!("http://{}/limits", listener.local_addr().expect("it listens"));
    let providers = Providers::start([provider("sim-a")], Clock::system()).await;
    let home = relay([]).over(&providers);
    let text = format!("page = {{ url = \"{page}\", tier = \"free\" }}\n{}", home.text("limits/sim-a.toml"));
    (listener, providers, home.file("limits/sim-a.toml", text))
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_pages_shows_a_bar_and_can_be_interrupted() {
    let (_silent, _providers, home) = with_a_silent_page().await;
    let mut terminal = Terminal::run(&home, &["refresh-limits", "sim-a"], COLUMNS);
    terminal.shows("Reading 1 page").await;
    terminal.types("\x03");
    assert_eq!(terminal.ended().await, 130);
    assert_eq!(terminal.sees().replace("^C", ""), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn changes_are_written_only_after_a_yes_and_the_question_can_be_interrupted() {
    let (_silent, _providers, home) = with_a_silent_page().await;
    let page = "# Free tier\n\n| Model | RPM |\n| --- | --- |\n| sim-m | 2 |\n";
    let home = home.file("pages/sim-a.md", page);
    for (typed, code, is_written) in [("\x03", 130, false), ("\n", 0, false), ("y\n", 0, true)] {
        let before = home.text("limits/sim-a.toml");
        let mut terminal = Terminal::run(&home, &["refresh-limits", "sim-a", "--from", "pages"], COLUMNS);
        terminal.shows("[y/N]").await;
        terminal.types(typed);
        assert_eq!(terminal.ended().await, code, "{}", terminal.sees());
        assert_eq!(home.text("limits/sim-a.toml") != before, is_written, "{typed:?}: {}", terminal.sees());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_shows_its_bar_and_is_interrupted_with_what_it_has() {
    let line = |id: usize| {
        format!(
            "{{\"custom_id\":\"{id}\",\"method\":\"POST\",\"url\":\"/v1/chat/completions\",\"body\":{{\"model\":\"meta-model\",\"messages\":[{{\"role\":\"user\",\"content\":\"hi\"}}]}}}}\n"
        )
    };
    let acts = [says("a"), says("b"), Act::Hang];
    let providers = Providers::start([provider("sim-a").answers(acts)], Clock::system()).await;
    let home = relay([]).over(&providers).file("in.jsonl", (0..3).map(line).collect::<String>());
    let arguments = ["ask", "--batch", "in.jsonl", "-o", "out.jsonl", "--jobs", "1"];
    let mut terminal = Terminal::run(&home, &arguments, COLUMNS);
    terminal.shows("2/3").await;
    terminal.types("\x03");
    assert_eq!(terminal.ended().await, 130);
    assert_eq!(home.text("out.jsonl").lines().count(), 2);
    let sees = terminal.sees();
    assert!(sees.contains("stopped: 2 answered") && !sees.contains("2/3"), "{sees}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_newcomer_gets_from_no_key_to_an_answer() {
    let acts = [says("OK."), says("OK."), says("blue")];
    let providers = Providers::start([provider("sim-a").answers(acts)], Clock::system()).await;
    let key = providers.described()[0].key.clone();
    let home = relay([]).over(&providers).variable("SIM_A_API_KEY", "");
    let described = format!("signup = \"https://sim-a.example/keys\"\n{}", home.text("limits/sim-a.toml"));
    let home = home.file("limits/sim-a.toml", described);

    let mut first = Terminal::run(&home, &["ask", "hello"], COLUMNS);
    assert_eq!(first.ended().await, 78);
    assert!(
        first.sees().contains("no provider is set up yet") && first.sees().contains("relay init"),
        "{}",
        first.sees()
    );

    let mut setup = Terminal::run(&home, &["init"], COLUMNS);
    setup.shows("https://sim-a.example/keys").await;
    setup.shows("Enter to skip").await;
    setup.types("sk-this-is-not-the-right-key\n");
    setup.shows("rejects this key; it was not kept").await;
    setup.shows_times(2, "paste it here").await;
    setup.types(&format!("{key}\n"));
    setup.shows("+1 model; sim-m answers").await;
    setup.shows("Three lines to copy").await;
    assert_eq!(setup.ended().await, 0, "{}", setup.sees());
    for typed in [key.as_str(), "this-is-not-the-right-key"] {
        assert!(!setup.shown().contains(typed), "what is typed is not shown: {}", setup.sees());
    }
    assert!(setup.sees().contains("PASS    sim-a     sim-m"), "{}", setup.sees());

    let mut second = Terminal::run(&home, &["ask", "hello"], COLUMNS);
    assert_eq!(second.ended().await, 0);
    assert!(second.sees().starts_with("blue\nsim-a/sim-m"), "{}", second.sees());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_does_not_act_on_the_terminal_and_is_whole_in_a_pipe() {
    let answer = "red \u{1b}[31mor\u{1b}]0;mine\u{7} not\u{9b}2J";
    let fake = provider("sim-a").answers([says(answer), says(answer), says(answer)]);
    let providers = Providers::start([fake], Clock::system()).await;
    let home = relay([]).over(&providers);
    for arguments in [&["ask", "hello"][..], &["ask", "--no-stream", "hello"]] {
        let mut terminal = Terminal::run(&home, arguments, COLUMNS);
        assert_eq!(terminal.ended().await, 0);
        assert!(terminal.sees().starts_with("red [31mor]0;mine not2J\n"), "{}", terminal.sees());
    }
    home.beside(["ask", "hello"]).await.exits(0).prints(&format!("{answer}\n"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rejected_key_is_replaced_where_one_is_asked_for() {
    use std::os::unix::fs::PermissionsExt;
    let providers = Providers::start([provider("sim-a").answers([says("OK."), says("OK.")])], Clock::system()).await;
    let key = providers.described()[0].key.clone();
    let home =
        relay([]).over(&providers).variable("SIM_A_API_KEY", "").file("keys.toml", "sim-a = \"sk-an-old-key\"\n");
    std::fs::set_permissions(home.path("keys.toml"), PermissionsExt::from_mode(0o600)).expect("it is ours");
    let mut skipped = Terminal::run(&home, &["init"], COLUMNS);
    skipped.shows("sim-a: key rejected (keys.toml)").await;
    skipped.shows("paste it here").await;
    skipped.types("\n");
    assert_eq!(skipped.ended().await, 77, "{}", skipped.sees());
    let mut replaced = Terminal::run(&home, &["init"], COLUMNS);
    replaced.shows("paste it here").await;
    replaced.types(&format!("{key}\n"));
    replaced.shows("Three lines to copy").await;
    assert_eq!(replaced.ended().await, 0, "{}", replaced.sees());
    // A variable stands above the file.
    let home = home.variable("SIM_A_API_KEY", "sk-an-old-key");
    let mut above = Terminal::run(&home, &["init"], COLUMNS);
    above.shows("sim-a: key rejected (SIM_A_API_KEY)").await;
    above.shows("paste it here").await;
    above.types(&format!("{key}\n"));
    above.shows("the key of SIM_A_API_KEY is used in its place").await;
    assert_eq!(above.ended().await, 77, "{}", above.sees());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_none_of_whose_models_answers_is_not_called_ready() {
    let broken = provider("sim-a").answers([Act::status(500), Act::status(500)]);
    let providers = Providers::start([broken], Clock::system()).await;
    let mut setup = Terminal::run(&relay([]).over(&providers), &["init"], COLUMNS);
    setup.shows("no model answers yet").await;
    assert_eq!(setup.ended().await, 1, "{}", setup.sees());
    assert!(!setup.sees().contains("Ready."), "{}", setup.sees());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_stands_before_a_newcomer_fits_and_no_address_is_broken() {
    let mut ask = Terminal::run(&relay([]).variable("OLLAMA_BASE_URL", "http://127.0.0.1:1"), &["ask", "hi"], COLUMNS);
    assert_eq!(ask.ended().await, 78);
    let mut setup = Terminal::run(&relay([]).variable("OLLAMA_BASE_URL", "http://127.0.0.1:1"), &["init"], COLUMNS);
    for asked in 1..=8 {
        setup.shows_times(asked, "q to finish: ").await;
        setup.types("\n");
    }
    assert_eq!(setup.ended().await, 78);
    for terminal in [ask, setup] {
        let shown = terminal.shown().replace("\u{1b}[2m", "").replace("\u{1b}[1m", "").replace("\u{1b}[0m", "");
        for line in shown.lines().filter(|line| !line.contains("paste it here")) {
            assert!(line.trim_end().chars().count() <= COLUMNS.into(), "{line}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_setup_that_lacks_an_account_id_does_not_end_as_if_it_were_ready() {
    let providers = Providers::start([provider("sim-a")], Clock::system()).await;
    let home = relay([]).over(&providers).variable("SIM_A_API_KEY", "");
    let wanting = "account_env = [\"SIM_A_ACCOUNT_ID\"]\nbase_url = \"https://sim-a.example/{account_id}\"\n";
    let mut file: Vec<String> = home.text("limits/sim-a.toml").lines().map(str::to_owned).collect();
    file.retain(|line| !line.starts_with("base_url"));
    let home = home.file("limits/sim-a.toml", format!("{wanting}{}", file.join("\n")));
    let mut setup = Terminal::run(&home, &["init"], COLUMNS);
    setup.shows("its account id is wanted too, in SIM_A_ACCOUNT_ID").await;
    setup.shows("q to finish: ").await;
    setup.types("sk-a-key-of-some-length\n");
    assert_eq!(setup.ended().await, 78, "{}", setup.sees());
    let sees = setup.sees();
    assert!(sees.contains("sim-a: no account id, set SIM_A_ACCOUNT_ID beside its key"), "{sees}");
    assert!(!sees.contains("Ready."), "{sees}");
    let mut again = Terminal::run(&home, &["init"], COLUMNS);
    assert_eq!(again.ended().await, 78, "its key is not asked for again: {}", again.sees());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_typed_unseen_can_be_interrupted() {
    let providers = Providers::start([provider("sim-a")], Clock::system()).await;
    let home = relay([]).over(&providers).variable("SIM_A_API_KEY", "");
    let mut terminal = Terminal::run(&home, &["keys", "set", "sim-a"], COLUMNS);
    terminal.shows("it is not shown").await;
    terminal.types("half-a-key\x03");
    assert_eq!(terminal.ended().await, 130);
    assert!(!home.path("keys.toml").exists());
}

/// With a program that writes to `opened` what it is to open.
fn with_opener(home: Command) -> Command {
    use std::os::unix::fs::PermissionsExt as _;
    let program = if cfg!(target_os = "macos") { "bin/open" } else { "bin/xdg-open" };
    let home = home.file(program, "#!/bin/sh\necho \"$1\" >> \"$HOME/opened\"\n");
    let path = home.path(program);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).expect("the file is there");
    let folder = home.path("bin").display().to_string();
    home.variable("PATH", &format!("{folder}:/usr/bin:/bin"))
}

#[tokio::test(flavor = "multi_thread")]
async fn serve_shows_in_a_browser_what_it_serves() {
    for (key, page) in [(None, "/v1/models\n"), (Some("a-key-of-the-gateway"), "/health\n")] {
        let home = with_opener(relay(["serve", "--simulate", "--port", "0", "--open"]));
        let home = key.into_iter().fold(home, |home, key| home.variable("RELAY_API_KEY", key));
        let opened = home.path("opened");
        let mut process = home.start();
        process.until_it_says("export OPENAI_BASE_URL=");
        let is_opened = || std::fs::read_to_string(&opened).is_ok_and(|url| url.ends_with(page));
        eventually_within(10, "the page is opened", is_opened).await;
        process.signal("INT");
        process.finish().exits(0);
    }
    let mut process = relay(["serve", "--simulate", "--port", "0", "--open"]).variable("PATH", "/nowhere").start();
    process.until_it_says("nothing here opens a page");
    process.signal("INT");
    process.finish().exits(0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pages_address_is_opened_only_when_asked_for() {
    let providers = Providers::start([provider("sim-a")], Clock::system()).await;
    let home = relay([]).over(&providers).variable("SIM_A_API_KEY", "");
    let described = format!("signup = \"https://sim-a.example/keys\"\n{}", home.text("limits/sim-a.toml"));
    let home = home.file("limits/sim-a.toml", described);
    let home = with_opener(home);
    let mut terminal = Terminal::run(&home, &["init"], COLUMNS);
    terminal.shows("o to open the page").await;
    assert!(!home.path("opened").exists(), "nothing is opened without a word");
    terminal.types("o\n");
    let opened =
        || std::fs::read_to_string(home.path("opened")).is_ok_and(|text| text == "https://sim-a.example/keys\n");
    eventually_within(10, "the page is opened", opened).await;
    terminal.shows_times(2, "o to open the page").await;
    terminal.types("q\n");
    assert_eq!(terminal.ended().await, 78);
    let mut without = Terminal::run(&home.variable("PATH", "/nowhere"), &["init"], COLUMNS);
    without.shows("o to open the page").await;
    without.types("o\n");
    without.shows("nothing here opens a page").await;
    without.shows_times(2, "o to open the page").await;
    without.types("q\n");
    assert_eq!(without.ended().await, 78);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_watched_screen_goes_back_to_what_was_there() {
    let providers = Providers::start([provider("sim-a")], Clock::system()).await;
    let mut terminal = Terminal::run(&relay([]).over(&providers), &["usage", "--watch"], COLUMNS);
    terminal.shows("TIGHTEST").await;
    assert!(terminal.sees().contains("sim-m"), "{}", terminal.sees());
    terminal.types("\x03");
    assert_eq!(terminal.ended().await, 130);
    assert_eq!(terminal.sees().replace("^C", ""), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn no_word_is_broken_on_a_narrow_screen() {
    let home = relay([]);
    let screens: [&[&str]; 6] = [
        &["models"],
        &["models", "--simulate"],
        &["usage", "--simulate"],
        &["usage", "--simulate", "--all-windows"],
        &["usage", "--since", "2d"],
        &["check-models", "--simulate"],
    ];
    for arguments in screens {
        let table = ["--format", "table"];
        let ended = home.beside(arguments.iter().chain(&table).copied()).variable("COLUMNS", "40").await;
        let wide: Vec<&str> = ended.exits(0).stdout.lines().filter(|line| line.chars().count() > 40).collect();
        assert!(wide.is_empty(), "{arguments:?}: {wide:#?}");
        if arguments == ["models"] {
            assert!(ended.stdout.contains("set CLOUDFLARE_API_TOKEN"), "{}", ended.stdout);
        }
    }
}

//! What a person sees, kept as transcripts in `tests/snapshots/`: help, tables and rows of the real program on narrow and wide screens.
//!
//! `RELAY_SNAPSHOTS=write cargo test --test integration snapshots` writes them anew; look at the difference before you keep it.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use clap::Command as Clap;
use console::measure_text_width;
use relay::clock::Clock;
use relay::config::Environment;
use relay::sim::{Act, Limit, ModelSpec, Period, ProviderSpec};

use super::harness::redact::redacted;
use super::harness::{Command, Providers, provider, relay, says};

const NARROW: usize = 80;
const WIDE: usize = 120;

/// Formats for programs are as wide as what they hold.
const ENDLESS: usize = usize::MAX;

/// A transcript that grows run by run.
#[derive(Default)]
struct Transcript(String);

impl Transcript {
    /// Runs this with so many columns, and keeps what it prints, its code and its complaints.
    async fn run(&mut self, home: &Command, arguments: &[&str], columns: usize) {
        let most = if columns == ENDLESS { NARROW } else { columns };
        let ended = home.beside(arguments.iter().copied()).variable("COLUMNS", &most.to_string());
        // Wherever the tests run, a day turns at the same moment.
        let ended = ended.variable("TZ", "UTC").await;
        let typed = format!("relay {}", arguments.join(" "));
        for line in ended.stdout.lines() {
            assert!(!line.contains('\u{1b}'), "colour in a pipe, {typed}: {line:?}");
            // An empty cell at the end of a row is told by its tab, and help separates paragraphs by its own indent.
            let is_clean = columns == ENDLESS || line.trim().is_empty() || line.trim_end() == line;
            assert!(is_clean, "blanks at the end of a line, {typed}: {line:?}");
            // What has no blank to break at, an address or a path, stays whole.
            let is_broken = line.trim_start().contains(' ');
            assert!(measure_text_width(line) <= columns || !is_broken, "wider than {columns}, {typed}: {line}");
        }
        assert!(!ended.stderr.contains('\u{1b}'), "colour in a pipe, {typed}: {:?}", ended.stderr);
        let width = if columns == ENDLESS { String::new() } else { format!("   # {columns} columns") };
        _ = writeln!(self.0, "$ {typed}{width}");
        redacted(&ended.stdout, home).lines().for_each(|line| _ = writeln!(self.0, "{}", line.trim_end_matches(' ')));
        let complaints = redacted(&ended.stderr, home);
        complaints.lines().for_each(|line| _ = writeln!(self.0, "{}", format!("! {line}").trim_end()));
        if ended.code != Some(0) {
            _ = writeln!(self.0, "[exits {}]", ended.code.unwrap_or(-1));
        }
        self.0.push('\n');
    }

    /// The same with a narrow and with a wide screen.
    async fn screens(&mut self, home: &Command, arguments: &[&str]) {
        for columns in [NARROW, WIDE] {
            self.run(home, arguments, columns).await;
        }
    }

    /// Fails where the kept transcript is another.
    #[track_caller]
    fn keeps(self, name: &str) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/snapshots/{name}.txt"));
        if Environment::of_process().get("RELAY_SNAPSHOTS") == Some("write") {
            fs::create_dir_all(path.parent().expect("in a folder")).expect("the folder is writable");
            return fs::write(path, self.0).expect("the folder is writable");
        }
        let kept = fs::read_to_string(&path).unwrap_or_default();
        let first = kept.lines().zip(self.0.lines()).position(|(kept, new)| kept != new);
        let first = first.unwrap_or_else(|| kept.lines().count().min(self.0.lines().count()));
        let around = |text: &str| text.lines().skip(first.saturating_sub(3)).take(8).collect::<Vec<_>>().join("\n");
        assert!(
            kept == self.0,
            "tests/snapshots/{name}.txt differs from line {} on; kept:\n{}\n\nnew:\n{}\n\n\
             RELAY_SNAPSHOTS=write keeps the new one.",
            first + 1,
            around(&kept),
            around(&self.0)
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_help_of_every_command() {
    fn paths(command: &Clap, path: &[String], all: &mut Vec<Vec<String>>) {
        all.push(path.to_vec());
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            paths(sub, &[path, &[sub.get_name().to_owned()]].concat(), all);
        }
    }
    let mut all = Vec::new();
    paths(&relay::cli::command(), &[], &mut all);
    assert!(all.len() > 20, "{all:?}");
    let home = relay([]);
    for (name, flag, columns) in
        [("help-short", "-h", NARROW), ("help", "--help", NARROW), ("help-wide", "--help", WIDE)]
    {
        let mut transcript = Transcript::default();
        for path in &all {
            let arguments: Vec<&str> = path.iter().map(String::as_str).chain([flag]).collect();
            transcript.run(&home, &arguments, columns).await;
        }
        transcript.keeps(name);
    }
    // `models` is a topic as well.
    for path in all.iter().filter(|path| !path.is_empty() && *path != &["models"]) {
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let help = home.beside(path.iter().copied().chain(["--help"])).await;
        home.beside(["help"].into_iter().chain(path)).await.exits(0).prints(&help.stdout);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn help_topics_and_relay_alone() {
    let mut transcript = Transcript::default();
    for arguments in
        [&[][..], &["help", "environment"], &["help", "exit-codes"], &["help", "formats"], &["help", "models"]]
    {
        transcript.run(&relay([]), arguments, NARROW).await;
    }
    transcript.keeps("topics");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_demo() {
    let mut transcript = Transcript::default();
    transcript.screens(&relay([]), &["demo", "--fast"]).await;
    // Its second may be over when the screen is drawn.
    let lines = transcript.0.lines().filter(|line| !line.starts_with("  sim-small-8b"));
    Transcript(lines.map(|line| line.to_owned() + "\n").collect()).keeps("demo");
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_say_what_to_do_next() {
    let mut transcript = Transcript::default();
    let newcomer = described().variable("ACME_API_KEY", "");
    let set_up = described();
    for (home, arguments) in [
        (&newcomer, &["ask", "hi"][..]),
        (&set_up, &["ask", "-m", "acne/acme-large", "hi"]),
        (&newcomer, &["init"]),
        (&newcomer, &["keys", "set", "acmee"]),
        (&newcomer, &["usage", "--watch"]),
        (&newcomer, &["usage", "--sinse", "1d"]),
        (&newcomer, &["check-models", "--simulate=rain"]),
        (&newcomer, &["models", "--scale", "huge"]),
        (&newcomer, &["refresh-limits", "--offline"]),
        (&newcomer, &["why is the sky blue"]),
        (&newcomer, &["serv"]),
        (&newcomer, &["help", "serv"]),
        (&newcomer, &["help", "--format", "csv"]),
    ] {
        transcript.run(home, arguments, NARROW).await;
    }
    transcript.run(&newcomer, &["help", "--json"], ENDLESS).await;
    transcript.run(&newcomer, &["ask", "--no-stdin", "--json"], ENDLESS).await;
    transcript.keeps("mistakes");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_without_asking_anybody() {
    let mut transcript = Transcript::default();
    let home = described();
    for arguments in [
        &["models", "--format", "table"][..],
        &["models", "--simulate", "--format", "table"],
        &["models", "acme", "--format", "table"],
        &["keys", "--format", "table"],
        &["keys", "urls", "--format", "table"],
        &["config", "path", "--format", "table"],
        &["ask", "--explain", "--no-stdin", "hi", "--format", "table"],
    ] {
        transcript.screens(&home, arguments).await;
    }
    for arguments in [
        &["models", "acme"][..],
        &["models", "acme", "--format", "csv"],
        &["models", "acme", "--json"],
        &["keys"],
        &["keys", "--json"],
        &["keys", "urls", "acme"],
        &["keys", "urls", "acme", "--json"],
        &["config", "path"],
        &["config", "show", "--origin"],
        &["config", "show", "--json"],
        &["config", "show", "--format", "table"],
    ] {
        transcript.run(&home, arguments, ENDLESS).await;
    }
    transcript.keeps("known");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_used_and_left() {
    let (_providers, home) = in_use().await;
    let mut transcript = Transcript::default();
    for arguments in [
        &["usage", "--format", "table"][..],
        &["usage", "--all-windows", "--format", "table"],
        &["usage", "big-model-of-many-words-70b-instruct", "--format", "table"],
        &["usage", "--exhausted", "--format", "table"],
        &["usage", "--since", "2d", "--format", "table"],
        &["usage", "--by", "provider", "--format", "table"],
        &["usage", "--by", "model", "--format", "table"],
        &["keys", "--format", "table"],
    ] {
        transcript.screens(&home, arguments).await;
    }
    for arguments in [
        &["usage"][..],
        &["usage", "--format", "csv"],
        &["usage", "--format", "line"],
        &["usage", "--json"],
        &["usage", "--by", "provider"],
        &["usage", "--by", "provider", "--json"],
    ] {
        transcript.run(&home, arguments, ENDLESS).await;
    }
    transcript.keeps("usage");
}

#[tokio::test(flavor = "multi_thread")]
async fn how_models_stand() {
    let mut transcript = Transcript::default();
    for (arguments, columns) in [
        (&["check-models", "--format", "table", "--timeout", "1s"][..], &[NARROW, WIDE][..]),
        (&["check-models", "--timeout", "1s"], &[ENDLESS]),
        (&["check-models", "--timeout", "1s", "--json"], &[ENDLESS]),
    ] {
        for columns in columns {
            // Each run meets the providers for the first time.
            let (_providers, home) = of_all_kinds().await;
            transcript.run(&home, arguments, *columns).await;
        }
    }
    let fakes =
        [provider("sim-a").model(ModelSpec::new("left").vanished()).model(ModelSpec::new("there")), provider("sim-b")];
    let providers = Providers::start(fakes, Clock::system()).await;
    let home = relay([]).over(&providers).variable("SIM_B_API_KEY", "wrong-key-that-nobody-takes");
    let home = home.more_config("\n[server]\nport = 0\n");
    for arguments in [
        &["check-models", "--list-only", "--format", "table"][..],
        &["keys", "test", "--format", "table"],
        &["doctor", "--network", "--format", "table"],
    ] {
        transcript.screens(&home, arguments).await;
    }
    for arguments in [&["keys", "test"][..], &["keys", "test", "--json"], &["doctor"], &["doctor", "--json"]] {
        transcript.run(&home, arguments, ENDLESS).await;
    }
    transcript.keeps("standing");
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_that_differ() {
    let page =
        "## Limits\n\n| Model | RPM | RPD |\n| --- | --- | --- |\n| big-model | 7 | 90,000 |\n| another | 1 | 2 |\n";
    let limits = [Limit::requests(30, Period::Minute), Limit::requests(1000, Period::Day)];
    let model = limits.into_iter().fold(ModelSpec::new("big-model"), ModelSpec::limit);
    let providers = Providers::start([provider("sim-a").model(model), provider("sim-b")], Clock::system()).await;
    let home = relay([]).over(&providers).file("pages/sim-a.md", page).file("pages/sim-b.md", "# Nothing here\n");
    let mut with_pages = home;
    for id in ["sim-a", "sim-b"] {
        let text = with_pages.text(&format!("limits/{id}.toml"));
        let page = format!("page = {{ url = \"https://docs.example.com/{id}/rate-limits\", tier = \"free\" }}\n{text}");
        with_pages = with_pages.file(&format!("limits/{id}.toml"), page);
    }
    let mut transcript = Transcript::default();
    let arguments = ["refresh-limits", "--from", "pages", "--format", "table"];
    transcript.screens(&with_pages, &arguments).await;
    for arguments in [
        &["refresh-limits", "--from", "pages"][..],
        &["refresh-limits", "--from", "pages", "--json"],
        &["refresh-limits", "--from", "pages", "--check", "--format", "table"],
        &["refresh-limits", "--read", "pages/sim-a.md"],
        &["refresh-limits", "--read", "pages/sim-a.md", "--json"],
        &["refresh-limits", "--undo"],
    ] {
        transcript.run(&with_pages, arguments, ENDLESS).await;
    }
    transcript.keeps("refresh-limits");
}

/// Providers that need no server to be told of, one of them with a key.
fn described() -> Command {
    let model = |id: &str, limits: &str| {
        format!(
            "\n[[model]]\nid = \"{id}\"\ntypes = [\"text\", \"coding\"]\nscale = \"large\"\ncontext = 131072\nfeatures = [\"tools\", \"json\", \"schema\", \"reasoning\"]\nlimits = [{limits}]\n"
        )
    };
    let head = |name: &str, status: &str, more: &str| {
        format!(
            "name = \"{name}\"\ndialect = \"openai\"\nbase_url = \"https://api.example.com/v1\"\nkey_env = [\"{}_API_KEY\"]\nstatus = \"{status}\"\nhard_stop = true\ntrains = \"no\"\nchecked = 2026-10-09\n{more}",
            name.to_uppercase()
        )
    };
    let acme = head(
        "Acme",
        "free",
        "card = false\nsignup = \"https://console.acme.example/keys\"\nterms = \"evaluation and prototyping, personal or internal needs; phone verification; no resale\"\n",
    );
    // Of a rolling day, whose price is the same at any hour.
    let acme =
        acme + &model(
            "acme-large-with-a-name-of-some-length",
            "{ requests = 30, per = \"minute\" }, { requests = 1000, per = \"day\", resets = \"rolling\" }",
        ) + &model("acme-small", "");
    let other = head("Other", "trial", "signup = \"https://other.example\"\n") + &model("other-1", "");
    let home = relay([]).without_shipped().file("limits/acme.toml", acme).file("limits/other.toml", other);
    home.variable("ACME_API_KEY", "acme_0123456789abcdef")
}

/// Models that were used: one near its end, one used up, one without a limit.
async fn in_use() -> (Providers, Command) {
    // Of a month, so that its last minutes are the only ones without a forecast.
    let month = |name: &str, requests| ModelSpec::new(name).limit(Limit::requests(requests, Period::Month));
    let fakes = [
        provider("sim-a")
            .limit(Limit::requests(900, Period::Month))
            .model(month("big-model-of-many-words-70b-instruct", 4).limit(Limit::tokens(100_000, Period::Day)))
            .answers([says("one"), says("two"), says("three")]),
        provider("sim-b").model(month("small", 1)).answers([says("one")]),
        provider("sim-c").answers([Act::status(500), says("one")]),
    ];
    let providers = Providers::start(fakes, Clock::system()).await;
    let home = relay(["ask", "hello"]).over(&providers);
    for model in ["sim-a", "sim-a", "sim-a", "sim-b", "sim-c", "sim-c"] {
        let ended = home.beside(["ask", "-m", model, "hello"]).await;
        assert!(ended.code == Some(0) || model == "sim-c", "{}", ended.stderr);
    }
    (providers, home)
}

/// Every state that a check knows.
async fn of_all_kinds() -> (Providers, Command) {
    let slow = |spec: ProviderSpec| spec.latency_ms(200..=200, 0..=0);
    let fakes = [
        provider("answers").model(ModelSpec::new("a-model-with-quite-a-long-name-instruct")).spec(slow),
        provider("also").answers([says("OK.")]).spec(slow),
        provider("spent").answers([Act::Spent]),
        provider("denied").answers([Act::Denied]),
        provider("gone").answers([Act::Gone]),
        provider("broken").answers([Act::status(503)]),
        provider("silent").answers([Act::Hang]),
        provider("empty").answers([Act::EmptyStream]),
        provider("unset"),
    ];
    let providers = Providers::start(fakes, Clock::system()).await;
    let home = relay([]).over(&providers).variable("UNSET_API_KEY", "");
    (providers, home)
}

//! Every document that relay prints keeps the JSON Schema kept for it in `tests/schemas/`, whatever command prints it.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use clap::Command as Clap;
use relay::clock::Clock;
use relay::sim::{Act, Limit, ModelSpec, Period};

use super::harness::{Command, Providers, provider, relay, says};

/// What a command makes of `--json`, and how it is run for it.
enum Prints {
    /// The document of this schema.
    Document(&'static str),
    /// A document of this schema a line.
    Lines(&'static str),
    /// It has no result in JSON: an error, and this exit code.
    Error(i32),
}

use Prints::{Document, Error, Lines};

/// Every command that can be typed, with arguments that make it print something.
const COMMANDS: [(&str, &[&str], Prints); 20] = [
    ("ask", &["--no-stdin", "hi"], Document("ask")),
    ("serve", &["--port", "0", "--strict-free", "--host", "0.0.0.0"], Error(78)),
    ("check-models", &[], Document("check-models")),
    ("models", &[], Document("models")),
    ("refresh-limits", &["--from", "pages"], Document("refresh-limits")),
    ("usage", &[], Document("usage")),
    ("usage reset", &["--yes"], Document("usage-reset")),
    ("init", &[], Error(2)),
    ("keys", &[], Document("keys")),
    ("keys list", &[], Document("keys")),
    ("keys set", &["one"], Document("keys-set")),
    ("keys remove", &["one"], Document("keys-remove")),
    ("keys test", &[], Document("keys-test")),
    ("keys urls", &[], Document("keys-urls")),
    ("demo", &["--fast"], Document("demo")),
    ("doctor", &["--network"], Document("doctor")),
    ("config path", &[], Document("config-path")),
    ("config show", &[], Document("config")),
    ("completions", &["bash"], Error(2)),
    ("help", &["formats"], Error(2)),
];

/// Forms of a command that print another document than the usual one, and rows of one document.
const FORMS: [(&[&str], Prints); 22] = [
    (&["ask", "--explain", "--no-stdin", "hi", "--json"], Document("route")),
    (&["ask", "--explain", "--no-stdin", "hi", "--json", "--max-tokens", "9999999"], Document("route")),
    (&["usage", "--all-windows", "--json"], Document("usage")),
    (&["usage", "--exhausted", "--json"], Document("usage")),
    (&["usage", "--since", "3d", "--json"], Document("usage")),
    (&["usage", "--by", "day", "--json"], Document("usage")),
    (&["usage", "--by", "model", "--json"], Document("usage")),
    (&["usage", "--by", "provider", "--format", "ndjson"], Lines("usage#sum")),
    (&["usage", "--format", "ndjson"], Lines("usage#model")),
    (&["models", "--format", "ndjson"], Lines("models#model")),
    (&["check-models", "--list-only", "--json"], Document("check-models")),
    (&["check-models", "--format", "ndjson", "--repeat", "2"], Lines("check-models#event")),
    (&["keys", "list", "--format", "ndjson"], Lines("keys#key")),
    (&["keys", "test", "--format", "ndjson"], Lines("keys-test#key")),
    (&["keys", "urls", "--format", "ndjson"], Lines("keys-urls#provider")),
    (&["doctor", "--format", "ndjson"], Lines("doctor#check")),
    (&["config", "show", "--format", "ndjson"], Lines("config#setting")),
    (&["config", "path", "--format", "ndjson"], Lines("config-path")),
    (&["refresh-limits", "--read", "pages/one.md", "--json"], Document("refresh-limits-read")),
    (&["refresh-limits", "--read", "pages/one.md", "--format", "ndjson"], Lines("refresh-limits-read#row")),
    (&["refresh-limits", "--from", "pages", "--format", "ndjson"], Lines("refresh-limits#change")),
    (&["usage", "nobody", "--json"], Error(2)),
];

const PAGE: &str = "## Free tier\n\n| Model | RPM | RPD |\n| --- | --- | --- |\n| big | 7 | 900 |\n| new | 1 | 2 |\n";

#[test]
fn no_command_is_missing_from_the_list() {
    fn leaves(command: &Clap, path: &str, found: &mut BTreeSet<String>) {
        let runs_alone = !path.is_empty() && !command.is_subcommand_required_set();
        if runs_alone && !command.is_hide_set() {
            found.insert(path.to_owned());
        }
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            leaves(sub, format!("{path} {}", sub.get_name()).trim_start(), found);
        }
    }
    let command = relay::cli::command();
    assert!(
        command.get_arguments().any(|flag| flag.get_id() == "json" && flag.is_global_set()),
        "every command has it"
    );
    let mut typed = BTreeSet::new();
    leaves(&command, "", &mut typed);
    let listed: BTreeSet<String> = COMMANDS.iter().map(|(name, ..)| (*name).to_owned()).collect();
    assert_eq!(typed, listed, "each command's document has a schema in tests/schemas and a line in COMMANDS");
}

#[test]
fn no_schema_is_left_without_a_document() {
    let printed = COMMANDS.iter().map(|(_, _, prints)| prints).chain(FORMS.iter().map(|(_, prints)| prints));
    let named = printed.filter_map(|prints| match prints {
        Document(name) | Lines(name) => Some(name.split('#').next().unwrap_or(name)),
        Error(_) => None,
    });
    // These are printed by other tests: where a batch runs, where something was written, over HTTP.
    let elsewhere = [
        "batch",
        "batch-line",
        "error",
        "refresh-limits-undo",
        "serve-log",
        "http-error",
        "http-models",
        "http-health",
    ];
    let known: BTreeSet<&str> = named.chain(elsewhere).collect();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/schemas");
    let files = fs::read_dir(folder).expect("the folder is there").flatten().map(|entry| entry.file_name());
    let kept: BTreeSet<String> =
        files.map(|name| name.to_string_lossy().trim_end_matches(".json").to_owned()).collect();
    assert_eq!(kept.iter().map(String::as_str).collect::<BTreeSet<_>>(), known);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_prints_what_its_schema_says() {
    let (_providers, home) = over_used_providers().await;
    for (name, arguments, prints) in &COMMANDS {
        let typed: Vec<&str> = name.split(' ').chain(arguments.iter().copied()).chain(["--json"]).collect();
        keeps(&home, &typed, prints).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_command_prints_what_its_schema_says() {
    let (_providers, home) = over_used_providers().await;
    for (arguments, prints) in &FORMS {
        keeps(&home, arguments, prints).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_error_in_json_says_all_that_a_person_is_told() {
    let resting = Providers::start([provider("one").answers([Act::busy(60)])], Clock::system()).await;
    let resting = relay(["ask", "hi"]).over(&resting);
    resting.beside(["ask", "--wait", "0s", "hi"]).await.exits(75);
    let cases = [
        (relay(["serve"]).variable("RELAY_PORT", "abc"), "RELAY_PORT: the port must be a number from 0 to 65535"),
        (relay(["ask", "hi"]).file("config.toml", "[routing]\nstrateggy = 1\n"), "config.toml:2: "),
        (relay(["ask", "hi"]).without_shipped(), "relay demo  "),
        (relay(["init", "groq"]), "relay keys set groq < key-file"),
        (resting.beside(["ask", "--wait", "0s", "hi"]), "one/sim-m  "),
    ];
    for (command, said) in cases {
        let document = command.more_arguments(["--json"]).await.json();
        let details = document["error"]["details"].as_array().expect("a list");
        assert!(details.iter().any(|line| line.as_str().is_some_and(|line| line.contains(said))), "{said}: {document}");
    }
}

#[tokio::test]
async fn a_mistake_in_the_arguments_is_json_wherever_json_is_asked_for() {
    for (typed, word, told) in [
        (&["ask", "--json", "--bad"][..], "ask", "--bad"),
        (&["ask", "--bad", "--json"], "ask", "--bad"),
        (&["ask", "--wait", "5", "hi", "--format", "json"], "ask", "--wait"),
        (&["frob", "--format=json"], "relay", "frob"),
        (&["keys", "set", "--json"], "keys", "<PROVIDER>"),
    ] {
        let document = relay(typed.iter().copied()).await.exits(2).json();
        assert_eq!(document["schema"], format!("relay.{word}/1"), "{typed:?}");
        let error = &document["error"];
        assert!(format!("{} {}", error["message"], error["details"]).contains(told), "{error}");
    }
    relay(["ask", "--bad", "--", "--json"]).await.exits(2).prints("").says("--bad");
}

/// A provider with limits that answers, one that is out of quota, one that rejects its key, one without a key.
async fn over_used_providers() -> (Providers, Command) {
    let limits = [Limit::requests(50, Period::Minute), Limit::requests(1000, Period::Day)];
    let model = limits.into_iter().fold(ModelSpec::new("big"), ModelSpec::limit);
    let fakes = [
        provider("one").model(model).answers([says("yes")]),
        provider("two").answers([Act::Spent]),
        provider("bad").answers([Act::Denied]),
        provider("unset"),
    ];
    let providers = Providers::start(fakes, Clock::system()).await;
    let home = relay(["ask", "hello"]).over(&providers).variable("UNSET_API_KEY", "").file("pages/one.md", PAGE);
    let page =
        "page = { url = \"https://example.com/limits\", tier = \"free\" }\nsignup = \"https://example.com/keys\"\n";
    let text = format!("{page}{}", home.text("limits/one.toml"));
    let home = home.file("limits/one.toml", text);
    home.beside(["ask", "hello"]).await.exits(0);
    (providers, home)
}

async fn keeps(home: &Command, arguments: &[&str], prints: &Prints) {
    let key = home.variables().find(|(name, _)| *name == "ONE_API_KEY").map(|(_, key)| key.clone()).expect("a key");
    let ended = home.beside(arguments.iter().copied()).piped(format!("{key}\n")).await;
    match prints {
        Document(schema) => {
            let document = ended.json();
            assert_eq!(document["schema"], format!("relay.{schema}/1"), "{arguments:?}: {document}");
            assert!(document["ok"] != false, "{arguments:?}: {document}");
        }
        Lines(schema) => assert!(!ended.documents(schema).is_empty(), "{arguments:?}: {ended:?}"),
        Error(code) => assert_eq!(ended.exits(*code).json()["ok"], false, "{arguments:?}"),
    }
}

//! `relay models`: which models can be used, and why the others cannot, without a question to anybody.

use relay::clock::Clock;
use relay::sim::{Act, Limit, ModelSpec, Period};

use super::harness::{Asking, Command, Providers, provider, relay};

async fn command(arguments: &[&str]) -> (Providers, Command) {
    let coder =
        ModelSpec::new("coder").types(&["coding", "text"]).scale("large").limit(Limit::requests(5, Period::Minute));
    let fakes = [provider("free").model(coder).model(ModelSpec::new("small").scale("small")), provider("other")];
    let providers = Providers::start(fakes, Clock::system()).await;
    let command = relay(["models"].into_iter().chain(arguments.iter().copied())).over(&providers);
    (providers, command)
}

fn changed(command: Command, from: &str, to: &str) -> Command {
    let text = command.text("limits/other.toml");
    assert!(text.contains(from), "{text}");
    command.file("limits/other.toml", text.replace(from, to))
}

/// Provider, model, state and reason of every row.
async fn rows(command: Command) -> Vec<[String; 4]> {
    let ended = command.await;
    ended.exits(0);
    let row = |line: &str| {
        let cells: Vec<&str> = line.split('\t').collect();
        [0, 1, 2, 10].map(|index| cells[index].to_owned())
    };
    ended.stdout.lines().map(row).collect()
}

#[tokio::test]
async fn a_pipe_gets_a_row_per_model_and_nobody_is_asked() {
    let (providers, command) = command(&[]).await;
    let expected = [["free", "coder", "ready", ""], ["free", "small", "ready", ""], ["other", "sim-m", "ready", ""]];
    assert_eq!(rows(command).await, expected);
    assert_eq!(providers.simulator.total_calls(), 0);
}

#[tokio::test]
async fn each_reason_for_leaving_a_model_out_is_named() {
    let cases: [(&str, &str, &[&str], &str, &str); 8] = [
        ("status = \"free\"", "status = \"keyless\"", &[], "keyless", "--keyless"),
        ("status = \"free\"", "status = \"keyless\"", &["--keyless"], "ready", ""),
        ("OTHER_API_KEY", "OTHER_API_KEY", &[], "ready", ""),
        ("status = \"free\"", "status = \"paid\"", &[], "paid", "after every free route"),
        ("status = \"free\"", "status = \"local\"", &[], "local", "when its server runs"),
        ("hard_stop = true", "hard_stop = false", &["--strict-free"], "might bill", "past its quota"),
        ("OTHER_API_KEY", "OTHER_TOKEN", &[], "no key", "set OTHER_TOKEN"),
        ("types = [\"text\"]", "types = [\"embedding\"]", &[], "no chat", "chats alone"),
    ];
    for (from, to, arguments, state, reason) in cases {
        let (_providers, command) = command(arguments).await;
        let key = if to.contains("keyless") { "" } else { "a key" };
        let rows = rows(changed(command, from, to).variable("OTHER_API_KEY", key)).await;
        let other = rows.iter().find(|row| row[0] == "other").expect("it is listed");
        assert!(other[2] == state && other[3].contains(reason), "{to}: {other:?}");
    }
}

#[tokio::test]
async fn json_has_the_limits_and_filters_narrow() {
    let (_providers, command) = command(&["--json", "--type", "coding", "--scale", "large"]).await;
    let document = command.await.exits(0).json();
    assert_eq!((&document["schema"], document["models"].as_array().map(Vec::len)), (&"relay.models/1".into(), Some(1)));
    let model = &document["models"][0];
    assert_eq!((&model["usable"], &model["context_length"]), (&true.into(), &131_072.into()));
    let limit = &model["limits"][0];
    assert_eq!((&limit["kind"], &limit["period"], &limit["limit"]), (&"requests".into(), &"minute".into(), &5.into()));
}

#[tokio::test]
async fn a_name_is_a_providers_a_models_or_both_and_the_providers_in_any_letters() {
    for (name, models) in [("free", 2), ("FREE", 2), ("coder", 1), ("free/coder", 1), ("Free/coder", 1)] {
        let (_providers, command) = command(&[name]).await;
        assert_eq!(rows(command).await.len(), models, "{name}");
    }
    for name in ["other/coder", "free/Coder", "free/"] {
        let (_providers, command) = command(&[name]).await;
        command.await.exits(2);
    }
}

#[tokio::test]
async fn names_that_nothing_has_are_mistakes() {
    let (_providers, command) = command(&["othr"]).await;
    let route = command.beside(["models", "free/codr"]);
    command.await.exits(2).says("there is no provider or model `othr`").says("did you mean `other`?");
    route.await.exits(2).says("did you mean `free/coder`?");
    let switched_off = relay(["models", "groq"]).without_shipped();
    switched_off.await.exits(2).says("`groq` is disabled");
    let document = relay(["models", "--json"]).without_shipped().await.exits(0).json();
    let groq = document["left_out"].as_array().expect("a list").iter().find(|one| one["provider"] == "groq");
    assert_eq!(groq.expect("it is named")["state"], "disabled");
}

#[tokio::test]
async fn the_shipped_catalogue_keeps_the_schema() {
    let document = relay(["models", "--json"]).await.exits(0).json();
    assert!(document["models"].as_array().is_some_and(|models| models.len() > 100), "{document}");
}

#[tokio::test]
async fn a_table_folds_what_cannot_be_used() {
    let (_providers, command) = command(&["--format", "table"]).await;
    let ended = changed(command, "OTHER_API_KEY", "OTHER_TOKEN").await;
    ended.exits(0).says("relay models --all");
    for part in [
        "free  free, never bills, does not train on prompts",
        "  coder",
        "other",
        "set OTHER_TOKEN",
        "2 of 3 models can be used now",
    ] {
        assert!(ended.stdout.contains(part), "{part} in:\n{}", ended.stdout);
    }
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_keys_that_cannot_be_used_everybody_hears_of_the_one_that_will() {
    for (is_first_good, accounts) in [(true, "separate"), (false, "shared")] {
        let providers = Providers::start([provider("one").answers([Act::busy(600)])], Clock::system()).await;
        let good = providers.described()[0].key.clone();
        let [first, second] = if is_first_good { [&*good, "bad"] } else { ["bad", &*good] };
        let ask = relay(["ask", "--wait", "0s", "hello"]).over(&providers);
        let ask = ask.more_config(&format!("accounts = \"{accounts}\"\n"));
        let ask = ask.variable("ONE_API_KEY", first).variable("ONE_API_KEY_2", second);
        let others = [["models", "--json"], ["usage", "--json"], ["check-models", "--json"]];
        let [models, usage, check] = others.map(|words| ask.beside(words));
        let serve = ask.beside(["serve", "--port", "0", "--no-verify", "--log-format", "json"]);
        ask.await.exits(75).says("free in");
        let (models, usage, check) = (models.await.json(), usage.await.json(), check.await.json());
        let mut serve = serve.start();
        let served = Asking::to(serve.address(), "GET", "/v1/models/one/sim-m").await.json();
        let told = [
            (&models["models"][0]["state"], &models["models"][0]["available_at"], "cooldown"),
            (&usage["models"][0]["state"], &usage["models"][0]["available_at"], "cooldown"),
            (&check["models"][0]["status"], &check["models"][0]["retry_at"], "limit"),
            (&served["status"], &served["available_at"], "cooldown"),
        ];
        for (state, until, expected) in told {
            assert!(state == expected && until.is_string(), "{is_first_good}: {models}\n{usage}\n{check}\n{served}");
        }
    }
}

#[tokio::test]
async fn a_wider_screen_cuts_no_more_and_an_empty_list_says_why() {
    let id = "a-model-with-a-name-as-long-as-those-of-some-hosts";
    let kinds = ["text", "coding", "vision"];
    let features = ["tools", "json", "reasoning", "vision", "schema"];
    let model = ModelSpec::new(id).types(&kinds).features(&features);
    let providers = Providers::start([provider("one").model(model)], Clock::system()).await;
    let home = relay([]).over(&providers);
    for columns in ["109", "110", "120", "160"] {
        let wide = home.beside(["models", "--format", "table"]).variable("COLUMNS", columns).await;
        assert!(wide.stdout.contains(&format!("  {id}  ready  text")), "{columns}: {}", wide.stdout);
        assert!(wide.stdout.contains("tools json"), "{columns}: {}", wide.stdout);
        assert_eq!(wide.stdout.contains("text coding vision"), columns == "160", "{}", wide.stdout);
    }
    home.beside(["models", "--type", "embedding"])
        .await
        .exits(0)
        .prints("")
        .says("no model that relay knows is of this type");
}

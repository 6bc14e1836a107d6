//! `relay serve` before it is ready: what it asks the providers, whom it leaves out, and what it says about that.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use relay::clock::Clock;
use relay::sim::{Act, ModelSpec};

use super::harness::{Asking, Command, Fake, Finished, Process, Providers, provider, relay};

async fn start(fakes: impl IntoIterator<Item = Fake>) -> Providers {
    Providers::start(fakes, Clock::system()).await
}

fn serve(providers: &Providers) -> Command {
    relay(["serve", "--port", "0"]).over(providers)
}

/// Starts it and reads its banner to the end.
fn ready(command: Command) -> (Process, SocketAddr) {
    let mut process = command.start();
    let line = process.until_it_says("export OPENAI_BASE_URL=http://");
    let address = line.trim().trim_start_matches("export OPENAI_BASE_URL=http://").split('/').next();
    (process, address.expect("the first part").parse().expect("an address"))
}

/// Waits until it is ready, asks it something, stops it. Returns how it ended and who answered.
async fn ask_and_stop(command: Command) -> (Finished, Option<String>) {
    let (process, address) = ready(command);
    let reply = Asking::chat(address, "hello").await;
    process.signal("TERM");
    (process.ended().await, reply.header("x-relay-route").map(str::to_owned))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_banner_names_all_that_is_wrong_and_the_rest_serves() {
    let fakes = [
        provider("dead-key"),
        provider("gone-model").model(ModelSpec::new("sim-m")).model(ModelSpec::new("sim-old").vanished()),
        provider("good"),
    ];
    let providers = start(fakes).await;
    let command = serve(&providers)
        .variable("DEAD_KEY_API_KEY", "wrong")
        .file("limits/ollama.toml", "base_url = \"http://127.0.0.1:9\"\n")
        .file("limits/groq.toml", "hard_stop = \"yes\"\nnmae = \"Groq\"\n")
        .more_config("[providers.misral]\nenabled = true\n[providers.Good]\nenabled = false\n");
    let (ended, route) = ask_and_stop(command).await;
    let took = ended.took;
    for part in [
        "dead-key: key rejected (DEAD_KEY_API_KEY)",
        "gone-model: not offered any more: sim-old",
        "ollama: not running at http://127.0.0.1:9",
        "groq.toml:1: `hard_stop` must be true or false",
        "groq.toml:2: `nmae` is not known here (did you mean `name`?)",
        "`providers.misral`: there is no such provider",
        "config.toml: `providers.Good`: there is no such provider (did you mean `good`?)",
        "2 ready",
    ] {
        assert!(ended.stderr.contains(part), "{part} in:\n{}", ended.stderr);
    }
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(route.as_deref(), Some("gone-model/sim-m"));
    assert_eq!(providers.chats("dead-key").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_that_stay_silent_are_used_and_hold_up_the_start_for_five_seconds_at_most() {
    let providers = start([provider("silent"), provider("good")]).await;
    providers.simulator.script_models("silent", [Act::Hang]);
    let started = Instant::now();
    let mut process = serve(&providers).start();
    let line = process.until_it_says("silent:");
    assert!(line.contains("Unverified") && line.contains("no answer within 4 s"), "{line}");
    process.until_it_says("export OPENAI_BASE_URL=");
    assert!((4..5).contains(&started.elapsed().as_secs()), "{:?}", started.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn with_nothing_usable_it_says_why_and_what_to_do() {
    let providers = start([provider("dead-key")]).await;
    let ended = serve(&providers).variable("DEAD_KEY_API_KEY", "wrong").await;
    ended.exits(78).says("no provider can be used").says("dead-key: key rejected").says("relay demo");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dead_key_leaves_the_providers_other_keys_at_work() {
    let providers = start([provider("sim-a")]).await;
    let key = providers.described()[0].key.clone();
    let command = serve(&providers).variable("SIM_A_API_KEY", "wrong").variable("SIM_A_API_KEY_2", &key);
    let (ended, route) = ask_and_stop(command).await;
    ended.says("sim-a: key rejected (SIM_A_API_KEY)");
    assert_eq!(route.as_deref(), Some("sim-a/sim-m"));
    assert_eq!(providers.chats("sim-a").len(), 1, "the dead key was not tried");
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_asked_without_verification_nor_of_services_nobody_switched_on() {
    let providers = start([provider("sim-a"), provider("open")]).await;
    let keyless = |command: Command| {
        let text = command.text("limits/open.toml").replace("status = \"free\"", "status = \"keyless\"");
        command.file("limits/open.toml", text).variable("OPEN_API_KEY", "")
    };
    let quiet = keyless(serve(&providers)).more_arguments(["--no-verify"]);
    drop(ready(quiet));
    assert_eq!(providers.simulator.total_calls(), 0);
    drop(ready(keyless(serve(&providers))));
    assert!(providers.simulator.calls("open").is_empty());
    drop(ready(keyless(serve(&providers)).more_arguments(["--keyless"])));
    let calls = providers.simulator.calls("open");
    assert!(calls.iter().all(|call| call.header("authorization").is_none()) && !calls.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn free_by_proof_refuses_what_might_bill_and_paid_routes_are_named() {
    let providers = start([provider("bills"), provider("good")]).await;
    let paid = |command: Command| {
        let text = command.text("limits/bills.toml").replace("status = \"free\"", "status = \"paid\"");
        command.file("limits/bills.toml", text.replace("hard_stop = true", "hard_stop = false"))
    };
    let (ended, route) = ask_and_stop(paid(serve(&providers))).await;
    ended.says("Paid        bills:");
    assert_eq!(route.as_deref(), Some("good/sim-m"), "a paid route comes after every free one");
    let (ended, _) = ask_and_stop(paid(serve(&providers)).more_arguments(["--strict-free"])).await;
    ended.says("bills: might bill past its quota");
    let alone = start([provider("bills")]).await;
    let refused = paid(serve(&alone)).more_arguments(["--strict-free"]).await;
    refused.exits(78).says("bills: might bill past its quota");
}

#[tokio::test(flavor = "multi_thread")]
async fn providers_that_train_on_prompts_can_be_left_out() {
    let providers = start([provider("trains"), provider("good")]).await;
    let command = serve(&providers);
    let text = command.text("limits/trains.toml").replace("trains = \"no\"", "trains = \"yes\"");
    let config = command.text("config.toml").replace("[routing]\n", "[routing]\nno_training = true\n");
    let (ended, route) = ask_and_stop(command.file("limits/trains.toml", text).config(&config)).await;
    ended.says("trains: trains on prompts");
    assert_eq!(route.as_deref(), Some("good/sim-m"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_to_its_own_host_alone_and_no_redirect_is_followed() {
    let providers = start([provider("sim-a"), provider("sim-b")]).await;
    let elsewhere = providers.described()[1].base_url.clone();
    let redirect = |path: &str| Act::Status {
        status: 307,
        body: String::new(),
        headers: vec![("location".to_owned(), format!("{elsewhere}{path}"))],
    };
    providers.simulator.script_models("sim-a", [redirect("/models")]);
    providers.simulator.script("sim-a", [redirect("/chat/completions")]);
    let (ended, route) = ask_and_stop(serve(&providers).more_arguments(["-vv"])).await;
    assert_eq!(route.as_deref(), Some("sim-b/sim-m"));
    let [key_a, key_b] = [0, 1].map(|index| providers.described()[index].key.clone());
    for (id, own, other) in [("sim-a", &key_a, &key_b), ("sim-b", &key_b, &key_a)] {
        let calls = providers.simulator.calls(id);
        assert_eq!(calls.len(), 2, "{id}: a list and a chat, nothing redirected");
        for call in calls {
            let all = format!("{}{:?}{}", call.path, call.headers, String::from_utf8_lossy(&call.body));
            assert!(all.contains(own.as_str()) && !all.contains(other.as_str()), "{id}: {all}");
        }
    }
    assert!(!ended.stderr.contains(&key_a) && !ended.stderr.contains(&key_b), "a key is in the log");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_is_added_by_one_file() {
    let providers = start([provider("newcomer")]).await;
    let base_url = &providers.described()[0].base_url;
    let file = format!(
        "dialect = \"openai\"\nbase_url = \"{base_url}\"\nkey_env = [\"NEWCOMER_TOKEN\"]\nstatus = \"free\"\n\
         [[model]]\nid = \"sim-m\"\nscale = \"small\"\ncontext = 8192\n"
    );
    let key = providers.described()[0].key.clone();
    let ask = relay(["ask", "-m", "newcomer/sim-m", "hello"]).without_shipped().file("limits/newcomer.toml", file);
    let ended = ask.variable("NEWCOMER_TOKEN", &key).await;
    ended.exits(0);
    assert!(!ended.stdout.is_empty());
}

#[tokio::test]
async fn what_the_user_said_and_cannot_be_read_is_no_default() {
    let folder = relay(["ask", "hello"]).file("limits", "no folder").await;
    folder.exits(78).says("/limits: cannot be read");
    let home = relay(["ask", "hello"]).under("export RELAY_HOME=$(printf '/tmp/\\377')").await;
    home.exits(78).says("RELAY_HOME: is not UTF-8").says("unset it");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_carriage_return_behind_a_variable_is_no_part_of_it() {
    let providers = start([provider("sim-a")]).await;
    let command = relay(["serve", "--log-format", "json", "--no-verify"]).over(&providers);
    let words = [("RELAY_API_KEY", "s3cret"), ("RELAY_HOST", "127.0.0.1"), ("RELAY_PORT", "0"), ("RELAY_OFFLINE", "0")];
    let key = ("SIM_A_API_KEY", providers.described()[0].key.as_str());
    let command = words
        .into_iter()
        .chain([key])
        .fold(command, |command, (name, value)| command.variable(name, &format!("{value}\r")));
    let mut process = command.start();
    Asking::chat(process.address(), "hello").key("s3cret").await.by("sim-a/sim-m");
}

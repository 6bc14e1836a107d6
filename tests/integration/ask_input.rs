//! What `relay ask` asks: words, files and stdin put together, and nothing read that was not meant.

use relay::clock::Clock;
use serde_json::{Value, json};

use super::harness::{Command, Providers, provider, relay, says};

/// The request that reached the provider when `ask` ran with these flags.
async fn asked(flags: &[&str], prepare: impl FnOnce(Command) -> Command) -> Value {
    let providers = Providers::start([provider("sim-a").answers([says("ok")])], Clock::system()).await;
    let command = relay(["ask"].into_iter().chain(flags.iter().copied())).over(&providers);
    // Words of relay's own would stand before the caller's.
    prepare(command.more_config("[style]\nmode = \"off\"\n")).await.exits(0).prints("ok\n");
    serde_json::from_slice(&providers.only_chat("sim-a").body).expect("JSON")
}

async fn message(flags: &[&str], prepare: impl FnOnce(Command) -> Command) -> String {
    let request = asked(flags, prepare).await;
    let messages = request["messages"].as_array().expect("a list");
    assert_eq!((messages.len(), &messages[0]["role"]), (1, &json!("user")));
    messages[0]["content"].as_str().expect("a text").to_owned()
}

fn same(command: Command) -> Command {
    command
}

#[tokio::test]
async fn words_are_joined_by_spaces() {
    assert_eq!(message(&["Why", "is", "the  sky", "blue?"], same).await, "Why is the  sky blue?");
    assert_eq!(message(&["--", "--not-a-flag"], same).await, "--not-a-flag");
}

#[tokio::test]
async fn stdin_alone_is_the_prompt_verbatim() {
    for text in ["Why is the sky blue?\n", "  tabs\there\r\n\r\nand 😀 \u{0}\n\n", "no line end"] {
        assert_eq!(message(&[], |run| run.piped(text)).await, text);
        assert_eq!(message(&["-"], |run| run.piped(text)).await, text);
        assert_eq!(message(&[], |run| run.file("in", text).reading("in")).await, text);
    }
}

#[tokio::test]
async fn the_prompt_comes_first_then_files_then_stdin() {
    let prepare = |run: Command| run.file("a.txt", "one\n").file("b/c.rs", "two").piped("three\n");
    let flags = ["-f", "a.txt", "-f", "b/c.rs", "Compare", "these"];
    assert_eq!(message(&flags, prepare).await, "Compare these\n\na.txt:\none\n\n\nb/c.rs:\ntwo\n\nthree\n");
    let flags = ["--stdin-first", "-f", "a.txt", "Compare"];
    assert_eq!(message(&flags, prepare).await, "three\n\n\nCompare\n\na.txt:\none\n");
    assert_eq!(message(&["Compare", "-f", "-"], prepare).await, "Compare\n\nthree\n");
}

#[tokio::test]
async fn stdin_is_left_alone_where_it_is_not_meant() {
    assert_eq!(message(&["--no-stdin", "hi"], |run| run.piped("unread")).await, "hi");
    assert_eq!(message(&["--no-stdin", "hi"], Command::silent_pipe).await, "hi");
    assert_eq!(message(&["hi"], |run| run.variable("RELAY_NO_STDIN", "1").silent_pipe()).await, "hi");
    assert_eq!(message(&["hi"], |run| run.piped("")).await, "hi");
    assert_eq!(message(&["hi"], same).await, "hi", "/dev/null");
}

#[tokio::test]
async fn a_large_pipe_is_read_to_its_end() {
    let large = "0123456789abcdef".repeat(20_000);
    let got = message(&["Sum up"], |run| run.piped(large.clone()).more_config("")).await;
    assert_eq!(got.len(), "Sum up\n\n".len() + large.len());
    assert!(got.ends_with(&large));
}

#[tokio::test]
async fn the_system_message_is_a_text_or_a_file() {
    let system = async |flags: &[&str]| {
        let request = asked(flags, |run| run.file("rules.md", "Be brief.\n")).await;
        assert_eq!(request["messages"][1]["content"], "hi");
        (request["messages"][0]["role"].clone(), request["messages"][0]["content"].clone())
    };
    assert_eq!(system(&["-s", "Rhyme.", "hi"]).await, (json!("system"), json!("Rhyme.")));
    assert_eq!(system(&["--system", "@rules.md", "hi"]).await, (json!("system"), json!("Be brief.\n")));
}

#[tokio::test]
async fn flags_become_fields() {
    let flags = [
        "--max-tokens",
        "50",
        "--temperature",
        "0.5",
        "--seed",
        "-7",
        "--param",
        "top_p=0.9",
        "--param",
        "stop=[\"END\"]",
        "hi",
    ];
    let request = asked(&flags, same).await;
    let fields =
        ["model", "max_tokens", "temperature", "seed", "top_p", "stop", "stream"].map(|name| request[name].clone());
    assert_eq!(fields, [json!("sim-m"), json!(50), json!(0.5), json!(-7), json!(0.9), json!(["END"]), json!(true)]);
}

#[tokio::test]
async fn the_model_is_chosen_by_flag_or_environment() {
    let providers = || Providers::start([provider("sim-a"), provider("sim-b")], Clock::system());
    let table: [(&[&str], &str, &str); 6] = [
        (&["-m", "sim-b", "hi"], "", "sim-b"),
        (&["-m", "SIM-B/sim-m", "hi"], "", "sim-b"),
        (&["hi"], "sim-b", "sim-b"),
        (&["-m", "sim-a", "hi"], "sim-b", "sim-a"),
        (&["--avoid", "sim-a", "hi"], "", "sim-b"),
        (&["--avoid", "sim-a/sim-m", "hi"], "", "sim-b"),
    ];
    for (flags, variable, id) in table {
        let providers = providers().await;
        let command = relay(["ask"].into_iter().chain(flags.iter().copied())).over(&providers);
        command.variable("RELAY_MODEL", variable).await.exits(0);
        providers.only_chat(id);
    }
}

#[cfg(unix)]
#[test]
fn what_is_more_than_anybody_reads_is_refused_at_once_and_what_has_no_end_too() {
    use std::time::Duration;

    let asks: [&[&str]; 4] = [&["-"], &["what is this?"], &["-f", "/dev/zero", "hi"], &["-a", "/dev/zero", "hi"]];
    for flags in asks {
        let ask = relay(["ask", "--simulate", "-o", "answer"].into_iter().chain(flags.iter().copied()));
        let home = ask.file("answer", "an earlier one\n").under("mkfifo endless; yes > endless & exec < endless");
        let answer = home.path("answer");
        let ended = home.run();
        ended.exits(65).prints("").says("is more than can be asked at once, which is 32 MiB");
        assert!(ended.took < Duration::from_secs(10), "{flags:?}: {:?}", ended.took);
        assert_eq!(std::fs::read_to_string(&answer).expect("it is still there"), "an earlier one\n");
    }
    // Six bytes of JSON each.
    let zeros = relay(["ask", "--simulate"]).piped(vec![0; 6_000_000]).run();
    zeros.exits(65).prints("").says("all of it together, as a request has it, is more than can be asked at once");
}

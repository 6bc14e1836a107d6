//! `relay demo`, completions, and `relay` alone.

use std::time::Duration;

use console::measure_text_width;
use serde_json::Value;

use super::harness::{Asking, keeps_schema, relay};

/// A person has ten seconds for it. Without optimization, beside all other tests, the program may need more.
const LONGEST: Duration = Duration::from_secs(if cfg!(debug_assertions) { 18 } else { 10 });

#[test]
fn the_demo_tells_its_story_in_under_ten_seconds_and_leaves_no_file() {
    for (flags, columns) in [(&["demo"][..], "80"), (&["demo", "--fast", "--seed", "3"], "120")] {
        let ended = relay(flags.iter().copied()).variable("COLUMNS", columns).run();
        ended.exits(0);
        assert!(ended.took < LONGEST, "{:?}", ended.took);
        for part in [
            "1. Many free tiers",
            "sim-alpha has no requests left for this minute (429)",
            "sim-bravo has no requests left for today (429)",
            "sim-carol broke off in the middle",
            "sim-echo allows 1 request a second: relay waited",
            "TIGHTEST",
            "8 of 8 questions answered, 3 failures",
        ] {
            assert!(ended.stdout.contains(part), "`{part}` is not in: {}", ended.stdout);
        }
        let widest = ended.stdout.lines().map(measure_text_width).max();
        assert!(widest <= columns.parse().ok(), "{}", ended.stdout);
        assert!(!ended.stdout.contains('\u{1b}'), "no colour in a pipe");
        assert_eq!((ended.stderr.as_str(), ended.files()), ("", Vec::new()));
    }
}

#[test]
fn the_demo_as_json_is_one_document_and_the_same_each_time() {
    let told = || {
        let document = relay(["demo", "--json", "--seed", "5"]).run().exits(0).json();
        keeps_schema("usage", &document["usage"]);
        let questions = document["questions"].as_array().expect("questions").clone();
        let parts = |it: &Value| (it["question"].clone(), it["answer"].clone(), it["route"].clone());
        let outcomes = |it: &Value| {
            let attempts = it["attempts"].as_array().expect("attempts");
            attempts.iter().map(|attempt| attempt["outcome"].clone()).collect::<Vec<_>>()
        };
        questions.iter().map(|it| (parts(it), outcomes(it))).collect::<Vec<_>>()
    };
    let first = told();
    assert_eq!(first.len(), 8);
    assert_eq!(first[4].1, ["rate_limited", "quota_exhausted", "ok"]);
    assert_eq!(first[5].1, ["cut", "ok"]);
    assert_eq!(first, told());
}

#[test]
fn completions_are_printed_for_each_shell() {
    for (shell, sign) in [("bash", "complete -F _relay"), ("zsh", "#compdef relay"), ("fish", "complete -c relay")] {
        let ended = relay(["completions", shell]).run();
        ended.exits(0);
        for part in [sign, "simulate", "no-failover", "ready-file"] {
            assert!(ended.stdout.contains(part), "{shell}: {part}");
        }
        assert_eq!(ended.stderr, "");
    }
    relay(["completions", "cobol"]).run().exits(2).prints("").says("bash");
}

#[test]
fn help_and_version_are_results() {
    for (flags, part) in [
        (&["--help"][..], "ask"),
        (&["ask", "--help"], "--stdin-wait"),
        (&["serve", "-h"], "--ready-file"),
        (&["--version"], env!("CARGO_PKG_VERSION")),
    ] {
        let ended = relay(flags.iter().copied()).run();
        ended.exits(0);
        assert!(ended.stdout.contains(part) && ended.stderr.is_empty(), "{flags:?}: {}", ended.stdout);
    }
    relay([]).without_reader().run().exits(0);
    assert!(relay([]).run().exits(0).stdout.contains("relay demo"));
    relay([]).piped("a question").run().exits(2).prints("").says("relay ask");
}

#[cfg(target_os = "linux")]
#[test]
fn help_that_finds_no_room_is_not_help_that_was_printed() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device of Linux");
    let ended = std::process::Command::new(env!("CARGO_BIN_EXE_relay")).arg("--help").stdout(full).output();
    let ended = ended.expect("it runs");
    assert_eq!(ended.status.code(), Some(74));
    assert!(String::from_utf8_lossy(&ended.stderr).contains("stdout cannot be written"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_scenario_of_failures_shows_some_and_every_question_is_answered() {
    for (scenario, word) in [("storm", ""), ("cut", "cut")] {
        let flag = format!("--simulate={scenario}");
        let document = relay(["ask", "--json", &flag, "hello"]).await.exits(0).json();
        let first = &document["attempts"][0]["outcome"];
        assert!(first != "ok" && (word.is_empty() || first == word), "{document}");
        let mut serve = relay(["serve", &flag, "--port", "0", "--log-format", "json"]).start();
        let address = serve.address();
        let mut failed = 0;
        for number in 0..20 {
            let reply = Asking::chat(address, &format!("hello {number}")).streamed().await;
            let text = reply.text();
            assert!(reply.status == 200 && text.contains("data: [DONE]"), "{scenario} {number}: {text}");
            failed += usize::from(reply.header("x-relay-trail").is_some() || text.contains(": relay-continued "));
        }
        assert!(failed > 1, "{scenario}: {failed} of 20");
    }
}

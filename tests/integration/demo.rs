//! `relay demo`, completions, and `relay` alone.

use std::time::Duration;

use serde_json::Value;

use super::harness::relay;

#[test]
fn the_demo_tells_of_failovers_in_under_ten_seconds_and_leaves_no_file() {
    let ended = relay(["demo", "--fast"]).run();
    ended.exits(0);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
    for part in [
        "sim-alpha",
        "for this minute (429)",
        "for today (429)",
        "broke off in the middle",
        "moving on",
        "answered by sim-",
        "8 of 8 questions answered",
    ] {
        assert!(ended.stdout.contains(part), "`{part}` is not in: {}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "no colour in a pipe");
    assert_eq!((ended.stderr.as_str(), ended.files()), ("", Vec::new()));
}

#[test]
fn the_demo_takes_its_time_and_still_ends_in_ten_seconds() {
    let ended = relay(["demo"]).run();
    ended.exits(0);
    assert!(ended.took < Duration::from_secs(10), "{:?}", ended.took);
}

#[test]
fn the_demo_as_json_is_a_line_per_question_and_the_same_each_time() {
    let lines = || {
        let ended = relay(["demo", "--json", "--seed", "3"]).run();
        let parse = |line: &str| serde_json::from_str::<Value>(line).expect("JSON");
        let answers =
            ended.exits(0).stdout.lines().map(parse).map(|line| (line["question"].clone(), line["route"].clone()));
        answers.collect::<Vec<_>>()
    };
    let first = lines();
    assert_eq!(first.len(), 8);
    assert_eq!(first, lines());
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

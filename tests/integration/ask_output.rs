//! What `relay ask` gives back: the answer and nothing else on stdout, as text, as JSON, or in a file.

use relay::clock::Clock;
use relay::sim::Act;
use serde_json::json;

use super::harness::{Command, Fake, Finished, Providers, provider, relay, says};

fn ask(flags: &[&str]) -> Command {
    relay(["ask"].into_iter().chain(flags.iter().copied()))
}

async fn over(
    fakes: impl IntoIterator<Item = Fake>,
    flags: &[&str],
    prepare: impl FnOnce(Command) -> Command,
) -> Finished {
    let providers = Providers::start(fakes, Clock::system()).await;
    prepare(ask(flags).over(&providers)).await
}

fn same(command: Command) -> Command {
    command
}

#[test]
fn a_piped_prompt_is_answered_and_nothing_else_is_printed() {
    let ended = ask(&["--simulate"]).piped("Why is the sky blue?\n").run();
    ended.exits(0);
    assert!(ended.stdout.ends_with(".\n") && ended.stdout.contains("scatter"), "{:?}", ended.stdout);
    assert_eq!(ended.stderr, "");
    assert_eq!(ask(&["--simulate", "Why is the sky blue?"]).run().exits(0).stderr, "");
}

#[tokio::test]
async fn stdout_is_the_answer_and_one_line_end() {
    for (answer, printed) in [
        ("It scatters.", "It scatters.\n"),
        ("two lines\nhere\n", "two lines\nhere\n"),
        ("  space kept\n\n\n", "  space kept\n"),
        ("\u{1b}[31m\u{0}\"quotes\" \\n 😀", "\u{1b}[31m\u{0}\"quotes\" \\n 😀\n"),
    ] {
        over([provider("sim-a").answers([says(answer)])], &["hi"], same).await.exits(0).prints(printed);
    }
    let live = over([provider("sim-a").answers([says("one two three")])], &["--stream", "hi"], same).await;
    live.exits(0).prints("one two three\n");
}

#[tokio::test]
async fn a_streamed_answer_ends_with_one_line_end_too_and_before_an_error() {
    for (pieces, printed) in [(&["two\n", "\nlines\n", "\n\n"][..], "two\n\nlines\n"), (&["a", "\n"], "a\n")] {
        let piece = |text| json!({ "choices": [{ "delta": { "content": text } }] });
        let stop = json!({ "choices": [{ "delta": {}, "finish_reason": "stop" }] });
        let begun = pieces.iter().fold(String::new(), |begun, text| begun + &format!("data: {}\n\n", piece(text)));
        let whole = Act::raw_stream(format!("{begun}data: {stop}\n\ndata: [DONE]\n\n"), 50);
        over([provider("sim-a").answers([whole])], &["--stream", "hi"], same).await.exits(0).prints(printed);
        let partial = Act::raw_stream(begun, 50);
        over([provider("sim-a").answers([partial])], &["--stream", "hi"], same).await.exits(69).prints(printed);
    }
    let silent = provider("sim-a").answers([Act::Stall { after: 3 }]);
    let late = over([silent], &["--stream", "--timeout", "1s", "hi"], same).await;
    assert!(late.exits(124).stdout.ends_with('\n'), "{:?}", late.stdout);
}

#[tokio::test]
async fn reasoning_is_not_printed_into_a_pipe() {
    let stream = concat!(
        "data: {\"choices\":[{\"delta\":{\"reasoning_content\":\"hm, well\"}}]}\n\n",
        "data: {\"choices\":[{\"delta\":{\"content\":\"42\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n"
    );
    let fake = || provider("sim-a").answers([Act::raw_stream(stream, 50)]);
    over([fake()], &["hi"], same).await.exits(0).prints("42\n");
    let document = over([fake()], &["--json", "hi"], same).await.json();
    assert_eq!((&document["text"], &document["reasoning"]), (&json!("42"), &json!("hm, well")));
}

#[tokio::test]
async fn a_success_as_json_tells_everything() {
    let fakes = [provider("sim-a").answers([Act::busy(30)]), provider("sim-b").answers([says("Paris.")])];
    let mut document = over(fakes, &["--json", "Capital of France?"], same).await.json();
    for (object, time) in [("timing", "ttft_ms"), ("timing", "total_ms")] {
        assert!(document[object][time].is_u64(), "{document}");
    }
    for attempt in document["attempts"].as_array_mut().expect("a list") {
        assert!(attempt["ms"].take().is_u64());
    }
    let tokens = document["usage"]["prompt_tokens"].clone();
    assert!(tokens.as_u64().is_some_and(|tokens| tokens > 0));
    document["timing"].take();
    let expected = json!({
        "schema": "relay.ask/1", "ok": true, "text": "Paris.", "finish_reason": "stop", "model_requested": "meta-model",
        "route": {"provider": "sim-b", "model": "sim-m"},
        "attempts": [
            {"provider": "sim-a", "model": "sim-m", "outcome": "rate_limited", "http_status": 429, "window": "minute", "ms": null},
            {"provider": "sim-b", "model": "sim-m", "outcome": "ok", "http_status": 200, "window": null, "ms": null},
        ],
        "usage": {"prompt_tokens": tokens, "completion_tokens": 2, "estimated": false},
        "timing": null, "reasoning": null, "data": null,
    });
    assert_eq!(document, expected);
}

#[tokio::test]
async fn tokens_that_a_provider_does_not_tell_are_counted_here() {
    let body = "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"Paris.\"},\"finish_reason\":\"stop\"}]}\n\ndata: [DONE]\n\n";
    let act = Act::Raw { content_type: "text/event-stream".to_owned(), body: body.into(), piece: 4_096 };
    let usage =
        over([provider("sim-a").answers([act])], &["--json", "Capital of France?"], same).await.json()["usage"].clone();
    assert_eq!(usage, json!({"prompt_tokens": 4, "completion_tokens": 2, "estimated": true}));
}

#[tokio::test]
async fn a_failure_as_json_has_the_same_code_and_one_document() {
    let ended = over([provider("sim-a").answers([Act::busy(41)])], &["--json", "--wait", "0s", "hi"], same).await;
    let document = ended.exits(75).json();
    let error = &document["error"];
    assert_eq!(
        (&document["schema"], &document["ok"], &error["code"]),
        (&json!("relay.ask/1"), &json!(false), &json!("quota_exhausted"))
    );
    assert!((39..=41).contains(&error["retry_after_s"].as_u64().expect("seconds")), "{error}");
    assert!(error["message"].is_string() && error["hint"].is_string(), "{error}");
    assert_eq!(document["attempts"][0]["outcome"], "rate_limited");
    assert_eq!(ended.stdout.lines().count(), 1);
    assert!(!ended.stderr.contains("Error"), "told once: {}", ended.stderr);
}

#[tokio::test]
async fn failures_known_before_sending_are_json_too() {
    let table: [(&[&str], i32, &str); 4] = [
        (&["--json", "--simulate"], 2, "usage"),
        (&["--json", "--simulate", "-f", "none", "hi"], 66, "no_input"),
        (&["--json", "--simulate", "-m", "nobody", "hi"], 2, "usage"),
        (&["--json", "--simulate", "-o", "no/folder/x", "hi"], 74, "io"),
    ];
    for (flags, code, word) in table {
        assert_eq!(ask(flags).run().exits(code).json()["error"]["code"], word, "{flags:?}");
    }
}

#[tokio::test]
async fn usage_is_told_on_stderr() {
    let ended = over([provider("sim-a").answers([says("Paris.")])], &["-u", "hi"], same).await;
    ended.exits(0).prints("Paris.\n").says("sim-a/sim-m").says(" in, 2 out");
}

#[tokio::test]
async fn a_file_gets_the_answer_and_survives_a_failure() {
    let written = over([provider("sim-a").answers([says("new")])], &["-o", "answer.txt", "hi"], |run| {
        run.file("answer.txt", "old")
    })
    .await;
    written.exits(0).prints("");
    assert_eq!(written.file("answer.txt"), "new\n");
    for act in [Act::status(500), Act::Denied] {
        let failed =
            over([provider("sim-a").answers([act])], &["-o", "answer.txt", "hi"], |run| run.file("answer.txt", "old"))
                .await;
        assert_ne!(failed.prints("").code, Some(0));
        assert_eq!(failed.file("answer.txt"), "old");
        let left = failed.files();
        assert!(left.iter().all(|name| !name.starts_with(".relay-")), "{left:?}");
    }
    let json = over([provider("sim-a").answers([says("new")])], &["--json", "-o", "answer.json", "hi"], same).await;
    assert!(json.prints("").file("answer.json").contains("\"text\":\"new\""));
}

/// Whoever opened stdout goes on writing there.
#[cfg(unix)]
#[tokio::test]
async fn stdout_named_as_a_file_is_stdout() {
    for name in ["-", "/dev/stdout", "/dev/fd/1"] {
        let fake = || [provider("sim-a").answers([says("new")])];
        let piped = over(fake(), &["-o", name, "hi"], same).await;
        piped.exits(0).prints("new\n");
        assert!(!piped.files().contains(&"-".to_owned()), "{:?}", piped.files());
        let into_file = over(fake(), &["-o", name, "hi"], |run| run.under("exec > log; echo before")).await;
        assert_eq!(into_file.exits(0).file("log"), "before\nnew\n", "{name}");
    }
    let open = [provider("sim-a").answers([says("new")])];
    let ended = over(open, &["-o", "/dev/fd/3", "hi"], |run| run.under("exec 3> log; echo before >&3")).await;
    assert_eq!(ended.exits(0).file("log"), "before\nnew\n");
}

#[tokio::test]
async fn a_cut_stream_is_asked_for_elsewhere_while_nothing_is_shown() {
    let fakes = || [provider("sim-a").answers([Act::Cut { after: 3 }]), provider("sim-b").answers([says("whole")])];
    over(fakes(), &["hi"], same).await.exits(0).prints("whole\n");
    let document = over(fakes(), &["--json", "hi"], same).await.json();
    let outcomes: Vec<_> =
        document["attempts"].as_array().expect("a list").iter().map(|one| one["outcome"].clone()).collect();
    assert_eq!((outcomes, &document["text"]), (vec![json!("cut"), json!("ok")], &json!("whole")));
}

#[tokio::test]
async fn what_was_shown_is_continued_unless_that_is_turned_off() {
    let fakes = || [provider("sim-a").answers([Act::Cut { after: 4 }]), provider("sim-b")];
    let providers = Providers::start(fakes(), Clock::system()).await;
    let run = ask(&["--stream", "--usage", "Why is the sky blue?"]).over(&providers);
    let ended = run.await;
    ended.exits(0).says("sim-b/sim-m").says("sim-a/sim-m=cut");
    assert_eq!(providers.chats("sim-b").len(), 1);
    let begun: Vec<&str> = ended.stdout.split(' ').take(3).collect();
    assert!(ended.stdout.len() > 100 && ended.stdout.matches(&begun.join(" ")).count() == 1, "{}", ended.stdout);
    let providers = Providers::start(fakes(), Clock::system()).await;
    let run = ask(&["--stream", "Why is the sky blue?"]).over(&providers);
    let ended = run.more_config("[style]\ncontinue_cut_streams = false\n").await;
    ended.exits(69).says("a part of it");
    assert!(!ended.stdout.is_empty());
    assert_eq!(providers.chats("sim-b").len(), 0);
}

#[tokio::test]
async fn no_failover_means_one_attempt_and_so_many_mean_so_many() {
    for (flags, tries) in [(&["--no-failover", "hi"][..], 1), (&["--max-attempts", "2", "hi"], 2)] {
        let fakes = ["sim-a", "sim-b", "sim-c"]
            .into_iter()
            .enumerate()
            .map(|(place, id)| provider(id).answers((place < tries).then(|| Act::status(500))));
        let providers = Providers::start(fakes.collect::<Vec<_>>(), Clock::system()).await;
        ask(flags).over(&providers).await.exits(69).prints("");
        assert_eq!(providers.simulator.total_calls(), tries as u64);
    }
    for act in [Act::Cut { after: 3 }, Act::Cut { after: 0 }] {
        let providers = Providers::start([provider("sim-a").answers([act]), provider("sim-b")], Clock::system()).await;
        ask(&["--no-failover", "hi"]).over(&providers).await.exits(69).prints("");
        assert_eq!(providers.simulator.total_calls(), 1, "a cut stream is one attempt");
    }
}

#[tokio::test]
async fn quota_that_comes_after_the_time_out_is_75_and_not_124() {
    for flags in [&["--timeout", "2s", "--wait", "60s", "--json", "hi"][..], &["--timeout", "2s", "--json", "hi"]] {
        let ended = over([provider("sim-a").answers([Act::busy(6)])], flags, same).await;
        assert!(ended.took < std::time::Duration::from_secs(1), "{:?}", ended.took);
        let error = ended.exits(75).json()["error"].clone();
        assert_eq!(error["retry_after_s"], 6);
        assert_eq!(error["hint"], "wait 6s, or run with --wait 7s and a longer --timeout");
    }
}

#[tokio::test]
async fn quota_is_waited_for_as_long_as_is_said() {
    let acts = [Act::busy(1), says("after all")];
    over([provider("sim-a").answers(acts)], &["--wait", "5s", "hi"], same).await.exits(0).prints("after all\n");
}

#[test]
fn a_reader_that_has_gone_ends_it_well() {
    for flags in [&["--simulate", "hi"][..], &["--simulate", "--stream", "hi"], &["--simulate", "--json", "hi"]] {
        let ended = ask(flags).without_reader().run();
        ended.exits(0);
        assert_eq!(ended.stderr, "", "{flags:?}");
    }
}

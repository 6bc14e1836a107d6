//! Streams as providers send them, and what of them goes on.

use proptest::prelude::*;

use super::*;
use crate::chat::Usage;

const STREAM: &str = concat!(
    ": OPENROUTER PROCESSING\n\n",
    "data: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\n",
    "data: {\"choices\":[{\"delta\":{\"content\":\"Hi \u{1F600}\"},\"finish_reason\":null}]}\r\n\r\n",
    "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}],\"x_groq\":{\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}}\n\n",
    "data: {\"choices\":[],\"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}\n\n",
    "data: [DONE]\n\n",
);

fn scan(pieces: &[&[u8]], include_usage: bool) -> (Vec<StreamEvent>, Result<(), Fault>) {
    let within = |name: &str| vec!["x_groq".to_owned(), name.to_owned()];
    let wire = Wire { usage_at: within("usage"), error_at: within("error"), ..Wire::default() };
    let mut scanner = Scanner::new(&wire, include_usage);
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| scanner.push(Bytes::copy_from_slice(piece), Timestamp::UNIX_EPOCH));
    }
    result = result.and_then(|()| scanner.end(Timestamp::UNIX_EPOCH));
    (std::iter::from_fn(|| scanner.next_event()).collect(), result)
}

#[test]
fn bytes_pass_and_signs_are_noted() {
    let (events, end) = scan(&[STREAM.as_bytes()], true);
    assert_eq!(end, Ok(()));
    let passed: Vec<u8> = events.iter().flat_map(|event| event.bytes.to_vec()).collect();
    assert_eq!(String::from_utf8_lossy(&passed), STREAM);
    let real: Vec<bool> = events.iter().map(|event| event.signs.real).collect();
    assert_eq!(real, [false, false, true, false, false, false]);
    assert_eq!(events[3].signs.usage, Some(Usage { prompt_tokens: 3, completion_tokens: 4 }));
}

#[test]
fn a_chunk_that_passes_allocates_nothing() {
    let chunk = Bytes::from_static(b"data: {\"id\":\"x\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\" word\"},\"finish_reason\":null}]}\n\n");
    let mut scanner = Scanner::new(&Wire::default(), false);
    let mut pass = || {
        scanner.push(chunk.clone(), Timestamp::UNIX_EPOCH).expect("a chunk");
        assert_eq!(scanner.next_event().expect("an event").bytes, chunk);
    };
    pass();
    let passed = allocation_counter::measure(|| (0..100).for_each(|_| pass()));
    assert_eq!((passed.count_total, passed.bytes_total), (0, 0));
}

#[test]
fn a_chunk_without_a_choice_stays_behind_and_none_lacks_its_delta() {
    let passed = |data: &str| {
        let (events, _) = scan(&[format!("data: {data}\n\n").as_bytes()], false);
        String::from_utf8_lossy(&events[0].bytes).into_owned()
    };
    for idle in [r#"{"choices":[],"prompt_filter_results":[]}"#, r#"{"type":"ping"}"#, r#"{"choices":null}"#] {
        assert_eq!(passed(idle), "", "{idle}");
    }
    for choice in [r#"{"index":0,"finish_reason":"stop"}"#, r#"{"index":0,"finish_reason":"stop","delta":null}"#] {
        let expected = r#"{"choices":[{"index":0,"finish_reason":"stop","delta":{}}]}"#;
        assert_eq!(passed(&format!(r#"{{"choices":[{choice}]}}"#)), format!("data: {expected}\n\n"), "{choice}");
    }
}

#[test]
fn the_usage_chunk_is_hidden_unless_it_was_asked_for() {
    let (events, _) = scan(&[STREAM.as_bytes()], false);
    assert!(events[4].bytes.is_empty() && events[4].signs.usage.is_some());
}

#[test]
fn a_missing_end_marker_is_made_up_for_and_a_missing_end_is_a_cut() {
    let end = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}";
    let (events, result) = scan(&[end.as_bytes()], false);
    assert_eq!((result, events.len(), events[1].signs.done), (Ok(()), 2, true));
    assert_eq!(events[0].bytes, format!("{end}\n\n"));
    let (_, result) = scan(&[b"data: {\"choices\":[{\"delta\":{\"content\":\"x\"}}]}\n\ndata: {\"cho"], false);
    assert_eq!(result, Err(Fault::Cut));
    assert_eq!(scan(&[b""], false).1, Err(Fault::Cut));
}

#[test]
fn an_end_without_its_reason_gets_one_and_every_other_stream_keeps_its_own() {
    let ended = |chunks: &[&str]| {
        let stream: String = chunks.iter().flat_map(|chunk| ["data: ", chunk, "\n\n"]).collect();
        let (events, end) = scan(&[format!("{stream}data: [DONE]\n\n").as_bytes()], true);
        assert_eq!(end, Ok(()), "{stream}");
        let bytes: Vec<u8> = events.iter().flat_map(|event| event.bytes.to_vec()).collect();
        let told = String::from_utf8(bytes).expect("text").strip_prefix(&stream).expect("all passes").to_owned();
        (told, events.iter().find_map(|event| event.signs.finish))
    };
    let text = r#"{"id":"x","object":"chat.completion.chunk","created":7,"model":"m","choices":[{"index":0,"delta":{"content":"Hi"},"finish_reason":null}]}"#;
    let usage = r#"{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}"#;
    let head = r#"{"id":"x","object":"chat.completion.chunk","created":7,"model":"m","#;
    let end = |reason: &str| {
        format!(
            "data: {head}\"choices\":[{{\"index\":0,\"delta\":{{}},\"finish_reason\":\"{reason}\"}}]}}\n\ndata: [DONE]\n\n"
        )
    };
    assert_eq!(ended(&[text, usage]), (end("stop"), Some(Finish::Stop)));
    let call = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"c","type":"function","function":{"name":"f","arguments":"{}"}}]}}]}"#;
    assert_eq!(ended(&[text, call]), (end("tool_calls"), Some(Finish::ToolCalls)));
    let done = "data: [DONE]\n\n".to_owned();
    let length = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}"#;
    assert_eq!(ended(&[text, length, text]), (done.clone(), Some(Finish::Length)));
    assert_eq!(ended(&[usage]), (done, None));
}

#[test]
fn a_whole_answer_in_the_place_of_a_stream_becomes_one() {
    let answer = concat!(
        "\n\n{\n \"id\":\"x\",\r\n \"object\":\"chat.completion\",\n \"choices\":[{\"index\":0,\"message\":",
        "{\"role\":\"assistant\",\"content\":\"Hi\\nthere\"},\"finish_reason\":\"stop\"}],\n",
        " \"usage\":{\"prompt_tokens\":3,\"completion_tokens\":4}}"
    );
    for behind in ["", "\n", "\n\n", "\n\n\ndata: x\n\n"] {
        let (events, end) = scan(&[answer.as_bytes(), behind.as_bytes()], false);
        assert_eq!(end, Ok(()), "{behind:?}");
        let said: Vec<&StreamEvent> = events.iter().filter(|event| event.signs != Signs::default()).collect();
        let [event, done] = said[..] else { panic!("{behind:?}: {events:?}") };
        let told = (event.signs.real, event.signs.finish, event.signs.usage.map(|usage| usage.total()));
        assert_eq!((told, done.signs.done), ((true, Some(Finish::Stop), Some(7)), true), "{behind:?}");
        let text = std::str::from_utf8(&event.bytes).expect("text");
        let json = text.strip_prefix("data: ").and_then(|text| text.strip_suffix("\n\n")).expect("an event");
        assert!(!json.contains(['\n', '\r']), "{json}");
        let chunk: Value = serde_json::from_str(json).expect("JSON");
        assert_eq!(
            (&chunk["object"], &chunk["choices"][0]["delta"]["content"]),
            (&json!("chat.completion.chunk"), &json!("Hi\nthere"))
        );
    }
    let (events, _) = scan(&[br#"{"choices":[{"index":1,"message":{"content":"Hi"}}]}"#], false);
    assert_eq!(events.iter().filter_map(|event| event.signs.finish).collect::<Vec<_>>(), [Finish::Stop], "made up for");
}

#[test]
fn each_choice_has_its_end() {
    let chunk = |choices: &str| format!("data: {{\"choices\":[{choices}]}}\n\n");
    let piece = |number: u8| format!("{{\"index\":{number},\"delta\":{{\"content\":\"x\"}}}}");
    let end = |number: u8| format!("{{\"index\":{number},\"delta\":{{}},\"finish_reason\":\"stop\"}}");
    let both = [chunk(&piece(0)), chunk(&piece(1))].concat();
    for (more, missing) in [(String::new(), vec![0, 1]), (chunk(&end(0)), vec![1]), (chunk(&end(1)), vec![0])] {
        let begun = [&*both, &more].concat();
        let (events, result) = scan(&[begun.as_bytes(), b"data: [DONE]\n\n"], false);
        let bytes: Vec<u8> = events.iter().flat_map(|event| event.bytes.to_vec()).collect();
        let ends: Vec<String> = missing.into_iter().map(end).collect();
        let expected = format!("{begun}{}data: [DONE]\n\n", chunk(&ends.join(",")));
        assert_eq!((result, String::from_utf8_lossy(&bytes).as_ref()), (Ok(()), expected.as_str()));
        assert_eq!(scan(&[begun.as_bytes()], false).1, Err(Fault::Cut), "one breaks off");
    }
    let all = [both, chunk(&end(0)), chunk(&end(1))].concat();
    assert_eq!(scan(&[all.as_bytes()], false).1, Ok(()));
}

#[test]
fn what_is_no_event_stream_is_told_apart() {
    let end = |body: &str| scan(&[body.as_bytes()], false).1;
    let busy = Fault::Busy { until: None, scope: None, period: None };
    assert_eq!(end(r#"{"error":{"code":429,"message":"x"}}"#), Err(busy));
    assert_eq!(end("<html>\n\n<body></body></html>"), Err(Fault::Broken(Breakage::NotJson)));
    assert_eq!(end(": only a comment\n\nevent: ping\n\n"), Err(Fault::Cut));
}

#[test]
fn errors_inside_a_stream_are_classified() {
    let word =
        |data: &str| scan(&[format!("data: {data}\n\n").as_bytes()], false).0[0].signs.error.as_ref().map(Fault::word);
    assert_eq!(word(r#"{"error":{"code":429,"message":"x"}}"#).as_deref(), Some("busy"));
    assert_eq!(
        word(r#"{"error":{"code":502,"message":"gone"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#)
            .as_deref(),
        Some("502")
    );
    assert_eq!(word(r#"{"choices":[{"delta":{},"finish_reason":"error"}]}"#).as_deref(), Some("error-in-200"));
    assert_eq!(word(r#"{"message":"slow down","type":"too_many_requests_error"}"#).as_deref(), Some("busy"));
    assert_eq!(word(r#"{"choices":[]}"#), None);
    let own = |error: &str| {
        word(&format!(
            r#"{{"choices":[{{"delta":{{}},"finish_reason":"stop"}}],"x_groq":{{"id":"r","error":{error}}}}}"#
        ))
    };
    assert_eq!(own("null"), None);
    assert_eq!(own(r#""over capacity""#).as_deref(), Some("error-in-200"));
    assert_eq!(own(r#"{"code":"rate_limit_exceeded","message":"x"}"#).as_deref(), Some("busy"));
}

proptest! {
    #[test]
    fn wherever_the_stream_is_cut_the_events_are_the_same(cuts in prop::collection::vec(0..STREAM.len(), 0..10)) {
        let mut cuts = cuts;
        cuts.extend([0, STREAM.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &STREAM.as_bytes()[cut[0]..cut[1]]).collect();
        prop_assert_eq!(scan(&pieces, true), scan(&[STREAM.as_bytes()], true));
    }
}

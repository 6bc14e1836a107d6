//! What becomes of answers that a client would stumble over.

use super::*;

fn mend(repair: &mut Repair, json: &str) -> Option<String> {
    repair.mend(json.as_bytes(), &Chunk::parse(json.as_bytes()).expect("a chunk"))
}

fn mend_whole(json: &str) -> Option<String> {
    Repair::of_whole().mend(json.as_bytes(), &Chunk::parse_whole(json.as_bytes()).expect("an answer"))
}

#[test]
fn right_chunks_stay_as_they_are() {
    let mut repair = Repair::of_stream();
    for json in [
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}}]}"#,
        r#"{"choices":[{"delta":{"tool_calls":[{"index":1,"id":"b","type":"function"},{"index":0},{"index":1}]}}]}"#,
        r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#,
        r#"{"choices":[]}"#,
    ] {
        assert_eq!(mend(&mut repair, json), None, "{json}");
    }
    let whole =
        r#"{"choices":[{"message":{"tool_calls":[{"id":"c","type":"function"}]},"finish_reason":"tool_calls"}]}"#;
    assert_eq!(mend_whole(whole), None);
}

#[test]
fn calls_get_their_numbers_and_the_stream_its_right_end() {
    let mut repair = Repair::of_stream();
    let two =
        r#"{"id":1e400,"choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","type":"function"},{"id":"b"}]}}]}"#;
    let expected = r#"{"id":1e400,"choices":[{"index":0,"delta":{"tool_calls":[{"id":"a","type":"function","index":0},{"id":"b","type":"function","index":1}]}}]}"#;
    assert_eq!(mend(&mut repair, two).as_deref(), Some(expected));
    let more = r#"{"choices":[{"delta":{"tool_calls":[{"function":{"arguments":"x"}}]}}]}"#;
    assert!(mend(&mut repair, more).is_some_and(|json| json.contains(r#""index":1"#)));
    let end = r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#;
    assert_eq!(mend(&mut repair, end).as_deref(), Some(r#"{"choices":[{"delta":{},"finish_reason":"tool_calls"}]}"#));
}

/// What the pieces of a stream come to for a client that goes by their indexes.
fn calls(pieces: &[&str]) -> Vec<(String, String, String)> {
    let mut repair = Repair::of_stream();
    let mut calls: Vec<(String, String, String)> = Vec::new();
    for piece in pieces {
        let json = format!(r#"{{"id":"r1","choices":[{{"delta":{{"tool_calls":[{piece}]}}}}]}}"#);
        let mended = mend(&mut repair, &json).unwrap_or(json);
        let chunk: serde_json::Value = serde_json::from_str(&mended).expect("JSON");
        for call in chunk["choices"][0]["delta"]["tool_calls"].as_array().expect("calls") {
            let index = usize::try_from(call["index"].as_u64().expect("an index")).expect("a small one");
            let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
            calls.resize(calls.len().max(index + 1), Default::default());
            assert!(!calls[index].0.is_empty() || call["type"] == "function", "{mended}");
            calls[index].0 += &text(&call["id"]);
            calls[index].1 += &text(&call["function"]["name"]);
            calls[index].2 += &text(&call["function"]["arguments"]);
        }
    }
    calls
}

#[test]
fn parallel_calls_of_one_index_are_told_apart_by_their_ids() {
    let begins = |id: &str, name: &str| {
        format!(r#"{{"index":0,"id":"{id}","type":"function","function":{{"name":"{name}","arguments":""}}}}"#)
    };
    let goes_on = |text: &str| format!(r#"{{"index":0,"function":{{"arguments":{}}}}}"#, quoted(text));
    let (a, b) = (begins("a", "f"), begins("b", "g"));
    let got = calls(&[&a, &goes_on("{\"x\""), &goes_on(":1}"), &b, &goes_on("{}")]);
    let call = |id: &str, name: &str, text: &str| (id.to_owned(), name.to_owned(), text.to_owned());
    assert_eq!(got, [call("a", "f", "{\"x\":1}"), call("b", "g", "{}")]);
    // Id and name at every piece.
    let again = r#"{"index":0,"id":"a","function":{"name":"f","arguments":"{}"}}"#;
    assert_eq!(calls(&[&a, again]), [call("a", "f", "{}")]);
}

#[test]
fn parallel_calls_that_share_an_id_or_have_none_are_told_apart_by_index_and_name() {
    let piece = |marks: &str, name: &str, text: &str| {
        format!(r#"{{{marks}"function":{{"name":{name},"arguments":{}}}}}"#, quoted(text))
    };
    let table = [[r#""index":0,"id":"f","#, r#""index":1,"id":"f","#], [r#""index":0,"#, r#""index":1,"#], ["", ""]];
    for marks in table {
        let [one, two] = marks;
        let got =
            calls(&[&piece(one, "\"f\"", "{\"a\":1}"), &piece(two, "\"f\"", "{\"a\""), &piece(two, "null", ":2}")]);
        assert_eq!(got.len(), 2, "{marks:?}: {got:?}");
        assert_eq!((got[0].2.as_str(), got[1].2.as_str()), ("{\"a\":1}", "{\"a\":2}"), "{marks:?}");
        assert!(got.iter().all(|call| call.1 == "f") && got[0].0 != got[1].0, "{marks:?}: {got:?}");
    }
    let at_zero = r#""index":0,"#;
    let got = calls(&[&piece(at_zero, "\"f\"", "{}"), &piece(at_zero, "\"g\"", "{"), &piece(at_zero, "\"g\"", "}")]);
    assert_eq!((got[0].2.as_str(), got[1].2.as_str()), ("{}", "{}"), "{got:?}");
    let whole =
        r#"{"choices":[{"message":{"tool_calls":[{"id":"f","type":"function"},{"id":"f","type":"function"}]}}]}"#;
    let mended = mend_whole(whole).expect("mended");
    assert!(mended.contains(r#"{"id":"f","type":"function"},{"id":"call_"#), "{mended}");
}

#[test]
fn a_call_gets_an_id_a_kind_and_text_for_arguments() {
    let bare = r#"{"index":0,"function":{"name":"f","arguments":{"x":[1]}}}"#;
    let other = r#"{"index":1,"id":"","type":null,"function":{"name":"g","arguments":null}}"#;
    let got = calls(&[bare, other]);
    assert_eq!((got[0].1.as_str(), got[0].2.as_str(), got[1].2.as_str()), ("f", r#"{"x":[1]}"#, ""));
    assert!(got[0].0.starts_with("call_") && got[0].0 != got[1].0, "{got:?}");
    let whole = r#"{"id":"r1","choices":[{"message":{"tool_calls":[{"function":{"name":"f","arguments":{}}}]},"finish_reason":"stop"}]}"#;
    let mended = mend_whole(whole).expect("mended");
    assert!(mended.contains(r#""arguments":"{}""#) && mended.contains(r#""finish_reason":"tool_calls""#), "{mended}");
    assert!(!mended.contains("\"index\""), "{mended}");
}

#[test]
fn an_end_has_one_of_the_words_that_clients_know() {
    for (own, right) in [
        ("sensitive", "content_filter"),
        ("model_context_window_exceeded", "length"),
        ("model_length", "length"),
        ("max_tokens", "length"),
        ("eos", "stop"),
        ("end_turn", "stop"),
    ] {
        let whole = |word: &str| {
            format!(r#"{{"choices":[{{"message":{{"content":"x"}},"finish_reason":"{word}"}}],"id":1e400}}"#)
        };
        assert_eq!(mend_whole(&whole(own)), Some(whole(right)), "{own}");
        assert_eq!(mend_whole(&whole(right)), None, "{right}");
    }
}

#[test]
fn the_choices_of_one_answer_keep_their_calls_and_their_ends_apart() {
    let mut repair = Repair::of_stream();
    let begins = |choice: u64, id: &str| {
        format!(
            r#"{{"choices":[{{"index":{choice},"delta":{{"tool_calls":[{{"index":0,"id":"{id}","type":"function","function":{{"name":"f","arguments":""}}}}]}}}}]}}"#
        )
    };
    let goes_on = |choice: u64| {
        format!(
            r#"{{"choices":[{{"index":{choice},"delta":{{"tool_calls":[{{"index":0,"function":{{"arguments":"{{}}"}}}}]}}}}]}}"#
        )
    };
    let text = r#"{"choices":[{"index":2,"delta":{},"finish_reason":"stop"}]}"#;
    for json in [&begins(0, "a"), &begins(1, "b"), &goes_on(0), &goes_on(1), &goes_on(0), text] {
        assert_eq!(mend(&mut repair, json), None, "{json}");
    }
    let both = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"stop"},{"index":2,"delta":{"content":[{"type":"text","text":"x"}]},"finish_reason":"stop"}]}"#;
    let expected = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"},{"index":2,"delta":{"content":"x"},"finish_reason":"stop"}]}"#;
    assert_eq!(mend(&mut repair, both).as_deref(), Some(expected));
}

#[test]
fn a_content_in_parts_becomes_text_and_reasoning() {
    let json = r#"{"choices":[{"message":{"role":"assistant","content":[{"type":"thinking","thinking":[{"type":"text","text":"hm"}]},{"type":"text","text":"18"}]}}]}"#;
    let expected = r#"{"choices":[{"message":{"role":"assistant","content":"18","reasoning_content":"hm"}}]}"#;
    assert_eq!(mend_whole(json).as_deref(), Some(expected));
}

#[test]
fn calls_are_numbered_from_nothing_and_always_have_arguments() {
    let stream = |call: &str| format!(r#"{{"choices":[{{"delta":{{"tool_calls":[{call}]}}}}]}}"#);
    let whole = |call: &str| format!(r#"{{"choices":[{{"message":{{"tool_calls":[{call}]}}}}]}}"#);
    let call = |index: u8, arguments: &str| {
        format!(r#"{{"index":{index},"id":"a{index}","type":"function","function":{{"name":"f"{arguments}}}}}"#)
    };
    let mut repair = Repair::of_stream();
    let first = mend(&mut repair, &stream(&call(1, ""))).expect("mended");
    assert_eq!(first, stream(&call(1, r#","arguments":"""#)).replace(r#""index":1"#, r#""index":0"#));
    let second = mend(&mut repair, &stream(&call(2, r#","arguments":"{}""#))).expect("mended");
    assert!(second.contains(r#""index":1"#), "{second}");
    for arguments in ["", r#","arguments":null"#] {
        let expected = whole(&call(0, r#","arguments":"{}""#));
        assert_eq!(mend_whole(&whole(&call(0, arguments))), Some(expected), "{arguments}");
    }
}

#[test]
fn a_call_that_ends_without_arguments_gets_empty_ones() {
    let call = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]}}]}"#;
    let end = r#"{"choices":[{"index":0,"delta":{},"finish_reason":"tool_calls"}]}"#;
    let mut repair = Repair::of_stream();
    assert_eq!(mend(&mut repair, call), None);
    let mended = mend(&mut repair, end).expect("mended");
    let given = r#""delta":{"tool_calls":[{"index":0,"function":{"arguments":"{}"}}]}"#;
    assert!(mended.contains(given) && mended.contains(r#""finish_reason":"tool_calls""#), "{mended}");
    assert_eq!(mend(&mut repair, end), None, "once");
    // With the call in the same chunk.
    let both = call.replace("}]}}]}", r#"}]},"finish_reason":"tool_calls"}]}"#);
    let mended = mend(&mut Repair::of_stream(), &both).expect("mended");
    assert!(mended.contains(r#""arguments":""}},{"index":0,"function":{"arguments":"{}"}}]"#), "{mended}");
    // Who has some, however little at a time, keeps them.
    let mut repair = Repair::of_stream();
    let goes_on = r#"{"choices":[{"index":0,"delta":{"tool_calls":[{"index":0,"function":{"arguments":"{"}}]}}]}"#;
    for piece in [call, goes_on, end] {
        assert_eq!(mend(&mut repair, piece), None, "{piece}");
    }
    let whole = r#"{"choices":[{"index":0,"message":{"tool_calls":[{"index":0,"id":"a","type":"function","function":{"name":"f","arguments":""}}]},"finish_reason":"tool_calls"}]}"#;
    let mended = mend_whole(whole).expect("mended");
    assert!(mended.contains(r#""arguments":"{}""#), "{mended}");
}

#[test]
fn what_a_choice_says_has_the_name_of_its_kind_of_answer() {
    let message = r#"{"role":"assistant","content":"Hi"}"#;
    let chunk = |choice: &str| format!(r#"{{"object":"chat.completion.chunk","choices":[{{"index":0,{choice}}}]}}"#);
    let whole = |choice: &str| format!(r#"{{"object":"chat.completion","choices":[{{"index":0,{choice}}}]}}"#);
    let (delta, own) = (format!(r#""delta":{message}"#), format!(r#""message":{message}"#));
    for wrong in [chunk(&own), whole(&own), chunk(&format!(r#""delta":null,{own}"#))] {
        assert_eq!(mend(&mut Repair::of_stream(), &wrong), Some(chunk(&delta)), "{wrong}");
    }
    assert_eq!(mend_whole(&chunk(&delta)), Some(whole(&own)));
    let both = format!(r#"{delta},"message":{{"role":"assistant","content":"Hi there"}}"#);
    assert_eq!((mend(&mut Repair::of_stream(), &chunk(&both)), mend_whole(&whole(&both))), (None, None));
    let calls = r#""message":{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f"}}]},"finish_reason":"stop""#;
    let expected = r#""finish_reason":"tool_calls","delta":{"content":null,"tool_calls":[{"id":"a","type":"function","function":{"name":"f","arguments":""},"index":0},{"index":0,"function":{"arguments":"{}"}}]}"#;
    assert_eq!(mend(&mut Repair::of_stream(), &whole(calls)), Some(chunk(expected)));
}

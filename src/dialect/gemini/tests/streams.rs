//! Streams against `tests/fixtures/gemini`, however their bytes are split.

use bytes::Bytes;
use proptest::prelude::*;

use super::golden::{MODEL, fixture, now, target, wire};
use crate::chat::event::Finish;
use crate::chat::{Breakage, Fault, StreamEvent, Usage};
use crate::dialect::Dialect;

const FIXTURES: [(&str, &str); 4] = [
    (fixture!("stream.response.sse"), fixture!("stream.answer.sse")),
    (fixture!("tools_stream.response.sse"), fixture!("tools_stream.answer.sse")),
    (fixture!("thinking.response.sse"), fixture!("thinking.answer.sse")),
    (fixture!("blocked.response.sse"), fixture!("blocked.answer.sse")),
];

fn scan(pieces: &[&[u8]], include_usage: bool) -> (Vec<StreamEvent>, Result<(), Fault>) {
    let wire = wire();
    let mut scanner = Dialect::Gemini.scanner(target(MODEL, &wire), include_usage);
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| scanner.push(Bytes::copy_from_slice(piece), now()));
    }
    result = result.and_then(|()| scanner.end(now()));
    (std::iter::from_fn(|| scanner.next_event()).collect(), result)
}

fn text(events: &[StreamEvent]) -> String {
    events.iter().map(|event| String::from_utf8_lossy(&event.bytes).into_owned()).collect()
}

fn with_crlf(stream: &str) -> String {
    stream.replace('\n', "\r\n")
}

#[test]
fn streams_come_back_in_openais_shape_whatever_ends_their_lines() {
    for (stream, answer) in FIXTURES {
        for stream in [stream.to_owned(), with_crlf(stream)] {
            let (events, end) = scan(&[stream.as_bytes()], true);
            assert_eq!((text(&events).as_str(), end), (answer, Ok(())));
        }
    }
}

#[test]
fn the_usage_chunk_is_hidden_unless_it_was_asked_for() {
    let (events, _) = scan(&[fixture!("stream.response.sse").as_bytes()], false);
    let [.., finish, usage, done] = &events[..] else { panic!("{events:?}") };
    assert_eq!((finish.signs.finish, finish.signs.real), (Some(Finish::Stop), true));
    assert_eq!(usage.signs.usage, Some(Usage { prompt_tokens: 9, completion_tokens: 14 }));
    assert!(usage.bytes.is_empty() && usage.signs.usage_only && done.signs.done);
}

#[test]
fn a_stream_without_its_end_is_cut_and_one_without_words_is_empty() {
    let said = "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"Hel\"}]}}]}\r\n\r\n";
    let end = |stream: &str| scan(&[stream.as_bytes()], true).1;
    for stream in [String::new(), said.to_owned(), format!("{said}data: {{\"candi")] {
        assert_eq!(end(&stream), Err(Fault::Cut), "{stream}");
    }
    let stop = "data: {\"candidates\":[{\"finishReason\":\"STOP\"}]}";
    assert_eq!(end(stop), Err(Fault::Broken(Breakage::Empty)));
    assert_eq!(end(&format!("{said}{stop}")), Ok(()));
    let malformed = "data: {\"candidates\":[{\"finishReason\":\"MALFORMED_FUNCTION_CALL\"}]}\n\n";
    assert_eq!(end(malformed), Err(Fault::Broken(Breakage::InBand)));
    assert_eq!(end("data: nonsense\n\n"), Err(Fault::Broken(Breakage::NotJson)));
}

#[test]
fn errors_inside_a_stream_are_classified() {
    let word = |stream: String| {
        scan(&[stream.as_bytes()], false).0.last().and_then(|event| event.signs.error.as_ref().map(Fault::word))
    };
    assert_eq!(
        word(format!("data: {}\n\n", fixture!("busy.response.json").replace('\n', ""))).as_deref(),
        Some("429-minute")
    );
    assert_eq!(word(fixture!("spent.response.json").to_owned()).as_deref(), Some("429-day"));
    assert_eq!(word("data: {\"error\":{\"status\":\"UNAVAILABLE\"}}\r\n\r\n".to_owned()).as_deref(), Some("503"));
    assert_eq!(
        word("data: {\"error\":{\"status\":\"INVALID_ARGUMENT\"}}\n\n".to_owned()).as_deref(),
        Some("error-in-200")
    );
}

#[test]
fn several_candidates_are_several_choices() {
    let stream = concat!(
        "data: {\"candidates\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"finishReason\":\"STOP\"},",
        "{\"content\":{\"parts\":[{\"text\":\"b\"}]},\"finishReason\":\"MAX_TOKENS\",\"index\":1}]}\n\n"
    );
    let (events, _) = scan(&[stream.as_bytes()], true);
    let last = String::from_utf8_lossy(&events[1].bytes);
    assert!(last.contains(r#""index":0,"delta":{},"logprobs":null,"finish_reason":"stop""#), "{last}");
    assert!(last.contains(r#""index":1,"delta":{},"logprobs":null,"finish_reason":"length""#), "{last}");
}

proptest! {
    #[test]
    fn wherever_the_stream_is_cut_the_events_are_the_same(
        fixture in 0..FIXTURES.len(),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..10),
    ) {
        let stream = with_crlf(FIXTURES[fixture].0);
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.extend([0, stream.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &stream.as_bytes()[cut[0]..cut[1]]).collect();
        prop_assert_eq!(scan(&pieces, true), scan(&[stream.as_bytes()], true));
    }
}

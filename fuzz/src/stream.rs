//! The scanners of all dialects: the same events wherever the bytes are cut, each whole, and one end.

use bytes::Bytes;
use jiff::Timestamp;
use relay::chat::{Chunk, Fault, StreamEvent};
use relay::dialect::{Dialect, Wire, sse};

use super::target;

/// Reads `input` as a stream, whole and in pieces whose size its last byte says.
pub fn stream(input: &[u8]) {
    let piece = 1 + usize::from(input.last().copied().unwrap_or_default()) % 9;
    for (name, dialect) in Dialect::NAMES {
        let (events, end) = scan(dialect, std::iter::once(input));
        let split = scan(dialect, input.chunks(piece));
        assert_eq!((&events, &end), (&split.0, &split.1), "{name} in pieces of {piece}");
        for event in events.iter().filter(|event| !event.bytes.is_empty()) {
            check(event);
        }
        let ends = events.iter().filter(|event| event.signs.done).count();
        assert!(ends <= 1 && (end.is_err() || ends == 1), "{name}: {ends} ends and {end:?}");
        let is_last = events.last().is_none_or(|event| event.signs.done);
        assert!(ends == 0 || is_last, "{name}: an event behind the end");
    }
}

fn scan<'a>(dialect: Dialect, pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<StreamEvent>, Result<(), Fault>) {
    let wire = Wire::default();
    let mut scanner = dialect.scanner(target(&wire), true);
    let mut result = Ok(());
    for piece in pieces {
        result = result.and_then(|()| scanner.push(Bytes::copy_from_slice(piece), Timestamp::UNIX_EPOCH));
    }
    result = result.and_then(|()| scanner.end(Timestamp::UNIX_EPOCH));
    (std::iter::from_fn(|| scanner.next_event()).collect(), result)
}

/// All three are line ends in an event stream.
fn without_line_end(text: &str) -> Option<&str> {
    ["\r\n", "\n", "\r"].into_iter().find_map(|end| text.strip_suffix(end))
}

/// A client can read what it gets: whole events, each nothing, the end or a chunk.
fn check(event: &StreamEvent) {
    let text = String::from_utf8_lossy(&event.bytes);
    let is_blank = text.trim_end_matches(['\r', '\n']).is_empty();
    let ends_blank = without_line_end(&text).and_then(without_line_end).is_some();
    assert!(is_blank || ends_blank, "no blank line: {text:?}");
    if let Some(data) = sse::data(&event.bytes) {
        let is_end = data.trim_ascii() == b"[DONE]";
        assert!(is_end == event.signs.done && (is_end || Chunk::parse(&data).is_ok()), "no chunk: {text:?}");
    }
}

//! Server-sent events cut out of a byte stream, as slices of what arrived.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// An event larger than this is no event: a provider gone wrong must not fill the memory.
const LARGEST_EVENT: usize = 16 * 1024 * 1024;

/// Cuts a stream into events, each with the blank line that ends it. Holds only what is unfinished.
#[derive(Debug, Default)]
pub struct Splitter {
    unfinished: BytesMut,
    /// Where the last line of `unfinished` starts.
    line_start: usize,
    /// Up to where `unfinished` is known to hold no further line end.
    searched: usize,
    /// The line before that one ended in a carriage return alone.
    after_return: bool,
}

/// An event grew past `LARGEST_EVENT`.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLarge;

impl Splitter {
    /// Takes the next bytes and hands on every event they complete.
    pub fn push(&mut self, frame: Bytes, events: &mut VecDeque<Bytes>) -> Result<(), TooLarge> {
        if self.unfinished.is_empty() {
            let mut frame = frame;
            while let Some(end) = self.find_end(&frame) {
                events.push_back(frame.split_to(end));
            }
            self.unfinished.extend_from_slice(&frame);
        } else {
            self.unfinished.extend_from_slice(&frame);
            let mut unfinished = std::mem::take(&mut self.unfinished);
            while let Some(end) = self.find_end(&unfinished) {
                events.push_back(unfinished.split_to(end).freeze());
            }
            self.unfinished = unfinished;
        }
        if self.unfinished.len() > LARGEST_EVENT { Err(TooLarge) } else { Ok(()) }
    }

    /// What is left when the stream ends without a blank line, if anything.
    pub fn take_rest(&mut self) -> Option<Bytes> {
        self.begin_event();
        let rest = std::mem::take(&mut self.unfinished).freeze();
        (!rest.is_empty()).then_some(rest)
    }

    /// The end of the first event in `buffer`. Remembers how far it looked, so that no byte is searched twice.
    fn find_end(&mut self, buffer: &[u8]) -> Option<usize> {
        while let Some(offset) = memchr::memchr2(b'\n', b'\r', &buffer[self.searched..]) {
            let line_end = self.searched + offset;
            let is_blank = line_end == self.line_start;
            let (is_return, next) = (buffer[line_end] == b'\r', buffer.get(line_end + 1));
            // Its line feed may come with the next bytes. Nobody waits for one where the line before had none either: else each event
            // of such a stream came as late as the next.
            if is_return && next.is_none() && !(is_blank && self.after_return) {
                self.searched = line_end;
                return None;
            }
            let is_pair = is_return && next == Some(&b'\n');
            let next_line = line_end + if is_pair { 2 } else { 1 };
            if is_blank {
                self.begin_event();
                return Some(next_line);
            }
            (self.line_start, self.searched, self.after_return) = (next_line, next_line, is_return && !is_pair);
        }
        self.searched = buffer.len();
        None
    }

    fn begin_event(&mut self) {
        (self.line_start, self.searched, self.after_return) = (0, 0, false);
    }
}

/// The data of an event: its `data:` lines joined by line feeds. `None` for comments and blank events.
pub fn data(event: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut lines = lines(event).filter_map(|line| {
        let line = line.strip_prefix(b"data:")?;
        Some(line.strip_prefix(b" ").unwrap_or(line))
    });
    let first = lines.next()?;
    let Some(second) = lines.next() else { return Some(Cow::Borrowed(first)) };
    let mut joined = [first, second].join(&b'\n');
    for line in lines {
        joined.push(b'\n');
        joined.extend_from_slice(line);
    }
    Some(Cow::Owned(joined))
}

/// The lines between line feeds, carriage returns or both, found in wide steps.
fn lines(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(event);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr::memchr2(b'\n', b'\r', text);
        rest = end.map(|end| text[end..].strip_prefix(b"\r\n").unwrap_or(&text[end + 1..]));
        Some(&text[..end.unwrap_or(text.len())])
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = ": hello\n\ndata: {\"a\":1}\n\ndata:x\r\n\r\nevent: e\ndata: two\ndata: lines\n\n\ndata: \u{1F600}\n\n\
         event: e\rdata: return\rdata:\rdata: alone\r\rdata: y\r\r";

    fn split(pieces: &[&[u8]]) -> Vec<String> {
        let mut splitter = Splitter::default();
        let mut events = VecDeque::new();
        for piece in pieces {
            splitter.push(Bytes::copy_from_slice(piece), &mut events).expect("small events");
        }
        events.extend(splitter.take_rest());
        events.iter().map(|event| String::from_utf8(event.to_vec()).expect("whole characters")).collect()
    }

    #[test]
    fn events_end_at_blank_lines_of_any_kind() {
        let events = split(&[STREAM.as_bytes()]);
        assert_eq!(events.concat(), STREAM);
        let data: Vec<Option<String>> = events
            .iter()
            .map(|event| data(event.as_bytes()).map(|data| String::from_utf8_lossy(&data).into_owned()))
            .collect();
        let expected = [
            None,
            Some("{\"a\":1}"),
            Some("x"),
            Some("two\nlines"),
            None,
            Some("\u{1F600}"),
            Some("return\n\nalone"),
            Some("y"),
        ];
        assert_eq!(data, expected.map(|data| data.map(str::to_owned)));
    }

    #[test]
    fn a_line_end_in_two_pieces_is_one_and_a_whole_event_waits_for_nothing() {
        let (mut splitter, mut events) = (Splitter::default(), VecDeque::new());
        let mut after = |piece: &'static str| {
            splitter.push(Bytes::from_static(piece.as_bytes()), &mut events).expect("small events");
            events.drain(..).map(|event| String::from_utf8(event.to_vec()).expect("text")).collect::<Vec<_>>()
        };
        assert_eq!(after("data: 1\r"), [""; 0]);
        assert_eq!(after("\ndata: 2\r\n\r"), [""; 0]);
        assert_eq!(after("\n"), ["data: 1\r\ndata: 2\r\n\r\n"]);
        assert_eq!(after("data: 3\r"), [""; 0]);
        assert_eq!(after("data: 4\r\r"), ["data: 3\rdata: 4\r\r"]);
        assert_eq!(after("data: 5\n\ndata: 6"), ["data: 5\n\n"]);
    }

    #[test]
    fn an_event_is_a_slice_of_the_frame_it_arrived_in() {
        let frame = Bytes::from_static(b"data: 1\n\ndata: 2\n\n");
        let mut events = VecDeque::new();
        Splitter::default().push(frame.clone(), &mut events).expect("small events");
        assert_eq!(events[0].as_ptr(), frame.as_ptr());
    }

    #[test]
    fn ten_megabytes_without_a_line_end_are_read_once_and_then_refused() {
        let mut splitter = Splitter::default();
        let frame = Bytes::from(vec![b'x'; 1024]);
        let mut events = VecDeque::new();
        let pushed = (0..LARGEST_EVENT).take_while(|_| splitter.push(frame.clone(), &mut events).is_ok()).count();
        assert_eq!(pushed, LARGEST_EVENT / 1024);
    }

    proptest! {
        #[test]
        fn wherever_the_bytes_are_cut_the_events_are_the_same(cuts in prop::collection::vec(0..STREAM.len(), 0..8)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &STREAM.as_bytes()[cut[0]..cut[1]]).collect();
            prop_assert_eq!(split(&pieces), split(&[STREAM.as_bytes()]));
        }
    }
}

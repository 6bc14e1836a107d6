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
        self.line_start = 0;
        self.searched = 0;
        let rest = std::mem::take(&mut self.unfinished).freeze();
        (!rest.is_empty()).then_some(rest)
    }

    /// The end of the first event in `buffer`. Remembers how far it looked, so that no byte is searched twice.
    fn find_end(&mut self, buffer: &[u8]) -> Option<usize> {
        while let Some(offset) = memchr::memchr(b'\n', &buffer[self.searched..]) {
            let line_end = self.searched + offset;
            let blank = matches!(&buffer[self.line_start..line_end], b"" | b"\r");
            self.line_start = line_end + 1;
            self.searched = self.line_start;
            if blank {
                let end = self.line_start;
                self.line_start = 0;
                self.searched = 0;
                return Some(end);
            }
        }
        self.searched = buffer.len();
        None
    }
}

/// The data of an event: its `data:` lines joined by line feeds. `None` for comments and blank events.
pub fn data(event: &[u8]) -> Option<Cow<'_, [u8]>> {
    let mut lines = lines(event).filter_map(|line| {
        let line = line.strip_suffix(b"\r").unwrap_or(line).strip_prefix(b"data:")?;
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

/// The lines between line feeds, found in wide steps.
fn lines(event: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = Some(event);
    std::iter::from_fn(move || {
        let text = rest?;
        let end = memchr::memchr(b'\n', text);
        rest = end.map(|end| &text[end + 1..]);
        Some(&text[..end.unwrap_or(text.len())])
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str =
        ": hello\n\ndata: {\"a\":1}\n\ndata:x\r\n\r\nevent: e\ndata: two\ndata: lines\n\n\ndata: \u{1F600}\n\n";

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
    fn events_end_at_blank_lines_of_either_kind() {
        let events = split(&[STREAM.as_bytes()]);
        assert_eq!(events.concat(), STREAM);
        let data: Vec<Option<String>> = events
            .iter()
            .map(|event| data(event.as_bytes()).map(|data| String::from_utf8_lossy(&data).into_owned()))
            .collect();
        let expected = [None, Some("{\"a\":1}"), Some("x"), Some("two\nlines"), None, Some("\u{1F600}")];
        assert_eq!(data, expected.map(|data| data.map(str::to_owned)));
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

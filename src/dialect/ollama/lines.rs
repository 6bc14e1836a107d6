//! Lines cut out of a byte stream, as slices of what arrived.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

/// A line larger than this is no line: a server gone wrong must not fill the memory.
const LARGEST_LINE: usize = 8 * 1024 * 1024;

/// Cuts a stream at its line feeds. Holds only what is unfinished.
#[derive(Debug, Default)]
pub struct Lines {
    unfinished: BytesMut,
}

/// A line grew past `LARGEST_LINE`.
#[derive(Debug, PartialEq, Eq)]
pub struct TooLarge;

impl Lines {
    /// Takes the next bytes and hands on every line they complete, without its end.
    pub fn push(&mut self, mut frame: Bytes, lines: &mut VecDeque<Bytes>) -> Result<(), TooLarge> {
        // What is unfinished holds no line feed, so only the new bytes are searched.
        while let Some(end) = memchr::memchr(b'\n', &frame) {
            let line = frame.split_to(end + 1).slice(..end);
            if self.unfinished.is_empty() {
                lines.push_back(line);
            } else {
                self.unfinished.extend_from_slice(&line);
                lines.push_back(self.unfinished.split().freeze());
            }
        }
        self.unfinished.extend_from_slice(&frame);
        if self.unfinished.len() > LARGEST_LINE { Err(TooLarge) } else { Ok(()) }
    }

    /// What is left when the stream ends without a line feed.
    pub fn take_rest(&mut self) -> Bytes {
        std::mem::take(&mut self.unfinished).freeze()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const STREAM: &str = "{\"a\":1}\n\n{\"b\":\"\u{1F600}\"}\r\nlast";

    fn split(pieces: &[&[u8]]) -> Vec<String> {
        let mut lines = Lines::default();
        let mut cut = VecDeque::new();
        for piece in pieces {
            lines.push(Bytes::copy_from_slice(piece), &mut cut).expect("small lines");
        }
        cut.push_back(lines.take_rest());
        cut.iter().map(|line| String::from_utf8(line.to_vec()).expect("whole characters")).collect()
    }

    #[test]
    fn lines_end_at_line_feeds() {
        assert_eq!(split(&[STREAM.as_bytes()]), ["{\"a\":1}", "", "{\"b\":\"\u{1F600}\"}\r", "last"]);
    }

    #[test]
    fn a_line_is_a_slice_of_the_frame_it_arrived_in() {
        let frame = Bytes::from_static(b"one\ntwo\n");
        let mut lines = VecDeque::new();
        Lines::default().push(frame.clone(), &mut lines).expect("small lines");
        assert_eq!(lines[0].as_ptr(), frame.as_ptr());
    }

    #[test]
    fn ten_megabytes_without_a_line_end_are_refused() {
        let mut lines = Lines::default();
        let frame = Bytes::from(vec![b'x'; 1024 * 1024]);
        let mut cut = VecDeque::new();
        let pushed = (0..10).take_while(|_| lines.push(frame.clone(), &mut cut).is_ok()).count();
        assert_eq!(pushed, 8);
    }

    proptest! {
        #[test]
        fn wherever_the_bytes_are_cut_the_lines_are_the_same(cuts in prop::collection::vec(0..STREAM.len(), 0..8)) {
            let mut cuts = cuts;
            cuts.extend([0, STREAM.len()]);
            cuts.sort_unstable();
            let pieces: Vec<&[u8]> = cuts.windows(2).map(|cut| &STREAM.as_bytes()[cut[0]..cut[1]]).collect();
            prop_assert_eq!(split(&pieces), split(&[STREAM.as_bytes()]));
        }
    }
}

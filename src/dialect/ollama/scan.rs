//! Turns the server's lines into OpenAI's events, whatever pieces the bytes come in.

use std::collections::VecDeque;

use bytes::Bytes;
use jiff::Timestamp;

use crate::chat::event::Finish;
use crate::chat::{Breakage, Fault, Signs, StreamEvent};
use crate::dialect::Target;

use super::answer::{Head, finish_reason};
use super::classify;
use super::lines::{self, Lines};
use super::native::{Native, Said};

/// The state of one stream.
#[derive(Debug)]
pub struct Scanner {
    model: String,
    /// Whether the caller asked for the chunk that holds nothing but usage.
    include_usage: bool,
    lines: Lines,
    /// Complete lines as they were cut, not yet looked at.
    cut: VecDeque<Bytes>,
    ready: VecDeque<StreamEvent>,
    /// Made when the first line comes.
    head: Option<Head>,
    progress: Progress,
    /// Tool calls so far.
    called: usize,
}

/// How far the answer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    Silent,
    Speaking,
    Done,
}

impl Scanner {
    pub fn new(target: Target<'_>, include_usage: bool) -> Self {
        Self {
            model: target.model.to_owned(),
            include_usage,
            lines: Lines::default(),
            cut: VecDeque::new(),
            ready: VecDeque::new(),
            head: None,
            progress: Progress::Silent,
            called: 0,
        }
    }

    pub fn push(&mut self, frame: Bytes, now: Timestamp) -> Result<(), Fault> {
        self.lines.push(frame, &mut self.cut).map_err(|lines::TooLarge| Fault::Broken(Breakage::NotJson))?;
        while let Some(line) = self.cut.pop_front() {
            self.read(&line, now)?;
        }
        Ok(())
    }

    pub fn end(&mut self, now: Timestamp) -> Result<(), Fault> {
        let rest = self.lines.take_rest();
        // Half a line at the end means that the stream was cut.
        self.read(&rest, now).map_err(|fault| if fault == NOT_JSON { Fault::Cut } else { fault })?;
        if self.progress == Progress::Done { Ok(()) } else { Err(Fault::Cut) }
    }

    pub fn next_event(&mut self) -> Option<StreamEvent> {
        self.ready.pop_front()
    }

    fn read(&mut self, line: &[u8], now: Timestamp) -> Result<(), Fault> {
        if self.progress == Progress::Done || line.trim_ascii().is_empty() {
            return Ok(());
        }
        let native = Native::parse(line).map_err(|_| NOT_JSON)?;
        if native.error.is_some() {
            let signs = Signs { error: Some(classify::in_band(line, now)), ..Signs::default() };
            self.ready.push_back(StreamEvent { bytes: Bytes::new(), signs });
            return Ok(());
        }
        let head = self.head.take().unwrap_or_else(|| Head::new(&self.model, now));
        self.say(&head, native.message.as_ref());
        let ended = if native.done { self.finish(&head, &native) } else { Ok(()) };
        self.head = Some(head);
        ended
    }

    fn say(&mut self, head: &Head, said: Option<&Said<'_>>) {
        let Some(said) = said.filter(|said| !said.is_empty()) else { return };
        let bytes = head.piece(said, self.progress == Progress::Silent, self.called);
        self.push_event(bytes, Signs { real: true, ..Signs::default() });
        self.called += said.calls().len();
        self.progress = Progress::Speaking;
    }

    fn finish(&mut self, head: &Head, native: &Native<'_>) -> Result<(), Fault> {
        let done_reason = native.done_reason.as_deref();
        // As in a whole answer: nothing said is an answer only where the token limit forbade it.
        if self.progress == Progress::Silent && done_reason != Some("length") {
            return Err(Fault::Broken(Breakage::Empty));
        }
        let finish = finish_reason(done_reason, self.called > 0);
        self.push_event(head.end(finish), Signs { real: true, finish: Some(Finish::of(finish)), ..Signs::default() });
        if let Some(usage) = native.usage() {
            let bytes = if self.include_usage { head.usage(usage) } else { Vec::new() };
            self.push_event(bytes, Signs { usage_only: true, usage: Some(usage), ..Signs::default() });
        }
        self.push_event(b"data: [DONE]\n\n".to_vec(), Signs { done: true, ..Signs::default() });
        self.progress = Progress::Done;
        Ok(())
    }

    fn push_event(&mut self, bytes: Vec<u8>, signs: Signs) {
        self.ready.push_back(StreamEvent { bytes: bytes.into(), signs });
    }
}

const NOT_JSON: Fault = Fault::Broken(Breakage::NotJson);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dialect::Wire;

    const STREAM: &str = concat!(
        "{\"message\":{\"role\":\"assistant\",\"content\":\"\",\"thinking\":\"hm\"},\"done\":false}\n",
        "{\"message\":{\"role\":\"assistant\",\"content\":\"Hi \u{1F600}\"},\"done\":false}\r\n\n",
        "{\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"f\",\"arguments\":{\"a\":1}}}]},\"done\":false}\n",
        "{\"message\":{\"content\":\"\",\"tool_calls\":[{\"function\":{\"name\":\"g\",\"arguments\":{}}}]},\"done\":false}\n",
        "{\"message\":{\"content\":\"\"},\"done\":true,\"done_reason\":\"stop\",\"prompt_eval_count\":3,\"eval_count\":4}\n",
    );

    fn scan(pieces: &[&[u8]], include_usage: bool) -> (Vec<StreamEvent>, Result<(), Fault>) {
        let wire = Wire::default();
        let target = Target { model: "m", wire: &wire, thinks: true, context: 8192, input_tokens: 1, answer_tokens: 1 };
        let mut scanner = Scanner::new(target, include_usage);
        let mut result = Ok(());
        for piece in pieces {
            result = result.and_then(|()| scanner.push(Bytes::copy_from_slice(piece), Timestamp::UNIX_EPOCH));
        }
        result = result.and_then(|()| scanner.end(Timestamp::UNIX_EPOCH));
        (std::iter::from_fn(|| scanner.next_event()).collect(), result)
    }

    fn ended(stream: &str) -> Result<(), Fault> {
        scan(&[stream.as_bytes()], false).1
    }

    #[test]
    fn every_line_becomes_an_event_and_the_last_becomes_the_end() {
        let (events, end) = scan(&[STREAM.as_bytes()], false);
        assert_eq!(end, Ok(()));
        let text = |index: usize| String::from_utf8_lossy(&events[index].bytes).into_owned();
        assert!(text(0).contains(r#""delta":{"role":"assistant","reasoning_content":"hm"}"#), "{}", text(0));
        assert!(text(1).contains("\"delta\":{\"content\":\"Hi \u{1F600}\"}"), "{}", text(1));
        assert!(text(2).contains(r#"{"index":0,"id":"call_0_0""#) && text(3).contains(r#"{"index":1,"id":"call_0_1""#));
        assert!(text(4).contains(r#""delta":{},"finish_reason":"tool_calls""#), "{}", text(4));
        assert!(text(5).is_empty() && events[5].signs.usage.is_some_and(|usage| usage.total() == 7));
        assert!(events[6].signs.done && text(6) == "data: [DONE]\n\n");
    }

    #[test]
    fn the_usage_chunk_is_shown_when_it_was_asked_for() {
        let (events, _) = scan(&[STREAM.as_bytes()], true);
        let usage = String::from_utf8_lossy(&events[5].bytes).into_owned();
        let counts = r#""choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}"#;
        assert!(usage.contains(counts), "{usage}");
    }

    #[test]
    fn a_missing_end_is_a_cut_and_a_missing_line_feed_is_none() {
        assert_eq!(ended(STREAM.trim_end()), Ok(()));
        assert_eq!(ended(""), Err(Fault::Cut));
        assert_eq!(ended("{\"message\":{\"content\":\"x\"},\"done\":false}\n"), Err(Fault::Cut));
        assert_eq!(ended("{\"message\":{\"content\":\"x\"},\"done\":false}\n{\"mess"), Err(Fault::Cut));
        assert_eq!(ended("<html>\n"), Err(NOT_JSON));
    }

    #[test]
    fn an_end_without_an_answer_is_a_failure() {
        let end =
            |reason: &str| format!("{{\"message\":{{\"content\":\"\"}},\"done\":true,\"done_reason\":\"{reason}\"}}");
        for reason in ["stop", "load", "unload"] {
            assert_eq!(ended(&end(reason)), Err(Fault::Broken(Breakage::Empty)), "{reason}");
        }
        assert_eq!(ended(&end("length")), Ok(()));
    }

    #[test]
    fn an_error_line_is_classified_and_leaves_the_stream_cut() {
        let stream = "{\"message\":{\"content\":\"x\"},\"done\":false}\n{\"error\":\"an error was encountered while running the model\"}\n";
        let (events, end) = scan(&[stream.as_bytes()], false);
        assert_eq!((events[1].signs.error.clone(), end), (Some(Fault::Broken(Breakage::InBand)), Err(Fault::Cut)));
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
}

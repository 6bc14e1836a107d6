//! Watches an OpenAI stream go by: cuts it into events, notes usage, ends and errors, lets the bytes pass.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::{Buf as _, Bytes};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::chat::event::Finish;
use crate::chat::{Breakage, Chunk, Fault, Signs, StreamEvent};
use crate::dialect::Wire;
use crate::dialect::sse::{self, Splitter};

use super::classify;
use super::repair::Repair;

const DONE: &[u8] = b"data: [DONE]\n\n";

/// A first chunk longer than this is not kept for its id.
const LARGEST_FIRST: usize = 4 * 1024;

/// Some servers begin a stream with it; readers of events are to skip it.
pub(super) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// The state of one stream.
#[derive(Debug)]
pub struct Scanner {
    splitter: Splitter,
    /// Complete events as they were cut, not yet looked at.
    cut: VecDeque<Bytes>,
    ready: VecDeque<StreamEvent>,
    /// JSON pointers to usage and to an error where they are not the chunk's own `usage` and `error`.
    usage_at: Option<String>,
    error_at: Option<String>,
    /// Whether the caller asked for the chunk that holds nothing but usage.
    include_usage: bool,
    /// An event with data has come: it is an event stream, whatever follows.
    heard: bool,
    repair: Repair,
    /// The first chunk, as long as no end has come: should its provider tell none, it says whose the missing one is.
    first: Option<Box<[u8]>>,
    finished: bool,
    done: bool,
}

impl Scanner {
    pub fn new(wire: &Wire, include_usage: bool) -> Self {
        let pointer = |steps: &[String]| (!steps.is_empty()).then(|| format!("/{}", steps.join("/")));
        let (splitter, cut, ready) = (Splitter::default(), VecDeque::with_capacity(1), VecDeque::with_capacity(1));
        Self {
            splitter,
            cut,
            ready,
            usage_at: pointer(&wire.usage_at),
            error_at: pointer(&wire.error_at),
            include_usage,
            heard: false,
            repair: Repair::default(),
            first: None,
            finished: false,
            done: false,
        }
    }

    pub fn push(&mut self, frame: Bytes, now: Timestamp) -> Result<(), Fault> {
        self.splitter.push(frame, &mut self.cut).map_err(|sse::TooLarge| Fault::Broken(Breakage::NotJson))?;
        while let Some(event) = self.cut.pop_front() {
            self.look_at(event, now)?;
        }
        Ok(())
    }

    pub fn end(&mut self, now: Timestamp) -> Result<(), Fault> {
        if let Some(rest) = self.splitter.take_rest() {
            // The last event may lack its blank line; half a JSON in it means that the stream was cut.
            let mut event = rest.trim_ascii_end().to_vec();
            event.extend_from_slice(b"\n\n");
            let heard = self.heard;
            self.look_at(event.into(), now).map_err(|fault| if heard { Fault::Cut } else { fault })?;
        }
        match (self.finished, self.done) {
            (_, true) => Ok(()),
            // Some providers end without the marker; the caller's client waits for it.
            (true, false) => {
                self.done = true;
                self.ready.push_back(StreamEvent {
                    bytes: Bytes::from_static(DONE),
                    signs: Signs { done: true, ..Signs::default() },
                });
                Ok(())
            }
            (false, false) => Err(Fault::Cut),
        }
    }

    pub fn next_event(&mut self) -> Option<StreamEvent> {
        self.ready.pop_front()
    }

    fn look_at(&mut self, event: Bytes, now: Timestamp) -> Result<(), Fault> {
        if self.done {
            return Ok(());
        }
        let mut event = event;
        if !self.heard && event.starts_with(BYTE_ORDER_MARK) {
            event.advance(BYTE_ORDER_MARK.len());
        }
        let data = sse::data(&event);
        if data.is_none() && !self.heard && is_no_event(&event) {
            return Err(classify::in_band(&event, now).unwrap_or(Fault::Broken(Breakage::NotJson)));
        }
        self.heard |= data.is_some();
        let signs = match data {
            None => Signs::default(),
            Some(data) if data.trim_ascii() == b"[DONE]" => {
                self.done = true;
                self.make_up_for_the_end();
                Signs { done: true, ..Signs::default() }
            }
            Some(data) => {
                let (mut signs, mended) = self.read(&data, now)?;
                // Data of several lines is a copy, whose places are not the event's.
                let keeps_places = mended.is_none() && matches!(data, Cow::Borrowed(_));
                let begins = data.as_ptr().addr().checked_sub(event.as_ptr().addr()).filter(|_| keeps_places);
                signs.text = signs.text.zip(begins).map(|(text, begins)| text.start + begins..text.end + begins);
                if let Some(mended) = mended {
                    event = if mended.is_empty() { Bytes::new() } else { format!("data: {mended}\n\n").into() };
                }
                signs
            }
        };
        if signs.finish.is_some() {
            (self.finished, self.first) = (true, None);
        }
        let is_shown = !signs.usage_only || self.include_usage;
        let bytes = if is_shown { event } else { Bytes::new() };
        self.ready.push_back(StreamEvent { bytes, signs });
        Ok(())
    }

    /// The marker says that all was said, and OpenAI's clients want to be told why it ended: some throw where no chunk does.
    fn make_up_for_the_end(&mut self) {
        let Some(first) = self.first.take() else { return };
        let (chunk, finish) = self.repair.missing_end(&first);
        self.finished = true;
        let (bytes, finish) = (format!("data: {chunk}\n\n").into(), Some(finish));
        self.ready.push_back(StreamEvent { bytes, signs: Signs { finish, ..Signs::default() } });
    }

    /// What the chunk tells, and the chunk mended where a client would stumble over it: empty where it should not see it at all.
    fn read(&mut self, data: &[u8], now: Timestamp) -> Result<(Signs, Option<String>), Fault> {
        let chunk = Chunk::parse(data).map_err(|_| Fault::Broken(Breakage::NotJson))?;
        let mut signs = Signs { text: chunk.text_place(data), ..chunk.signs() };
        let silent = chunk.choices.is_none() && chunk.usage.is_none();
        if chunk.error.is_some() || silent || signs.finish == Some(Finish::Failed) {
            let failed = signs.finish == Some(Finish::Failed) || chunk.error.is_some();
            signs.error = classify::in_band(data, now).or_else(|| failed.then_some(Fault::Broken(Breakage::InBand)));
        }
        if signs.usage.is_none()
            && let Some(usage) = self.usage_at.as_deref().and_then(|path| at(data, path))
        {
            signs.usage = serde_json::from_value(usage).ok();
        }
        if signs.error.is_none()
            && let Some(error) = self.error_at.as_deref().and_then(|path| at(data, path))
        {
            let told = json!({ "error": error }).to_string();
            signs.error = Some(classify::in_band(told.as_bytes(), now).unwrap_or(Fault::Broken(Breakage::InBand)));
        }
        // Azure's verdict on a prompt, or a ping: many clients read the first choice of every chunk without usage.
        let is_bare = chunk.choices.as_deref().unwrap_or_default().is_empty();
        if !is_bare && !self.finished && self.first.is_none() {
            let first = if data.len() > LARGEST_FIRST { &b"{}"[..] } else { data };
            self.first = Some(first.into());
        }
        let is_idle = is_bare && signs.usage.is_none() && signs.error.is_none();
        let mended = if is_idle { Some(String::new()) } else { self.repair.mend(data, &chunk) };
        Ok((signs, mended))
    }
}

/// Whether this is something else than an event stream's own lines: a web page, or an error's JSON.
fn is_no_event(event: &[u8]) -> bool {
    const FIELDS: [&[u8]; 4] = [b":", b"event:", b"id:", b"retry:"];
    let mut lines =
        event.split(|byte| matches!(byte, b'\n' | b'\r')).map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    lines.any(|line| !FIELDS.iter().any(|field| line.starts_with(field)))
}

/// What stands at a place that most chunks do not have.
fn at(data: &[u8], path: &str) -> Option<Value> {
    // A look at the bytes spares most chunks the second parse.
    let key = path.trim_start_matches('/').split('/').next()?;
    memchr::memmem::find(data, key.as_bytes())?;
    let value: Value = serde_json::from_slice(data).ok()?;
    value.pointer(path).filter(|value| !value.is_null()).cloned()
}

#[cfg(test)]
mod tests {
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
    fn what_is_no_event_stream_is_told_apart() {
        let end = |body: &str| scan(&[body.as_bytes()], false).1;
        let busy = Fault::Busy { until: None, scope: None, period: None };
        assert_eq!(end(r#"{"error":{"code":429,"message":"x"}}"#), Err(busy));
        assert_eq!(end("<html>\n\n<body></body></html>"), Err(Fault::Broken(Breakage::NotJson)));
        assert_eq!(end(": only a comment\n\nevent: ping\n\n"), Err(Fault::Cut));
    }

    #[test]
    fn errors_inside_a_stream_are_classified() {
        let word = |data: &str| {
            scan(&[format!("data: {data}\n\n").as_bytes()], false).0[0].signs.error.as_ref().map(Fault::word)
        };
        assert_eq!(word(r#"{"error":{"code":429,"message":"x"}}"#).as_deref(), Some("busy"));
        assert_eq!(word(r#"{"error":{"code":502,"message":"gone"},"choices":[{"delta":{"content":""},"finish_reason":"error"}]}"#).as_deref(), Some("502"));
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
}

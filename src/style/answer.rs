//! Cleans answers in OpenAI's shape: a whole one, or the events of a stream. What needs no cleaning keeps its bytes.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ops::Range;

use bytes::Bytes;

use crate::chat::chunk::string;
use crate::chat::fields::{EditedObject, list, quoted};
use crate::chat::{Chunk, Signs, StreamEvent};
use crate::dialect::sse;

use super::Style;
use super::json::repaired;
use super::stream::{Cleaned, Cleaner, Depth, clean};

/// A whole answer cleaned; `None` where nothing is to be changed. `text` is the place of its text, where that is known already.
pub fn whole(body: &[u8], text: Option<Range<usize>>, style: Style) -> Option<Bytes> {
    let depth = style.cleans?;
    let known = text.and_then(|place| string(std::str::from_utf8(&body[place]).ok()?).ok());
    let text = known.map_or_else(|| Chunk::parse_whole(body).ok()?.text(), Some).filter(|text| !text.is_empty())?;
    let depth = depth.for_answer(style);
    // Thoughts stand between tags.
    if depth == Depth::Thoughts && !style.repairs && memchr::memchr(b'<', text.as_bytes()).is_none() {
        return None;
    }
    let mut cleaned = clean(&text, depth);
    if style.repairs
        && let Some(json) = repaired(&cleaned.text)
    {
        cleaned.text = json;
    }
    if cleaned.reasoning.is_empty() && cleaned.text == text {
        return None;
    }
    let before = Chunk::parse_whole(body).ok()?.reasoning().unwrap_or_default().into_owned();
    edited(std::str::from_utf8(body).ok()?, "message", &cleaned, &before).map(Bytes::from)
}

impl Depth {
    /// JSON has no opener, and its repair finds it in whatever stands around it.
    fn for_answer(self, style: Style) -> Self {
        if style.repairs { Self::Thoughts } else { self }
    }
}

/// The events of one stream, cleaned one after the other.
#[derive(Debug)]
pub struct Cleaning {
    cleaner: Cleaner,
    /// The whole text so far, where it has to be repaired as one.
    json: Option<String>,
    /// Events whose text cannot be judged yet, and that text.
    waiting: Vec<StreamEvent>,
    waiting_text: String,
    /// What becomes of a piece; empty between two of them.
    out: Cleaned,
    /// The last event with text: a pattern for one that nobody sent. A copy, for a slice would keep what it was read into.
    pattern: Vec<u8>,
    is_over: bool,
}

impl Cleaning {
    /// `None` where style leaves the stream alone.
    pub fn of(style: Style) -> Option<Self> {
        let depth = style.cleans?;
        Some(Self {
            cleaner: Cleaner::new(depth.for_answer(style)),
            json: style.repairs.then(String::new),
            waiting: Vec::new(),
            waiting_text: String::new(),
            out: Cleaned::default(),
            pattern: Vec::new(),
            is_over: false,
        })
    }

    /// Whether nothing of the text goes on before all of it is there.
    pub const fn needs_all(&self) -> bool {
        self.json.is_some()
    }

    /// Whether text is held back that may go on after a while.
    pub fn holds(&self) -> bool {
        self.json.is_none() && !self.waiting.is_empty()
    }

    /// Takes the next event, and hands on what may go on: the very events where nothing about them changes.
    pub fn take(&mut self, event: StreamEvent, ready: &mut VecDeque<StreamEvent>) {
        let text = if self.is_over { None } else { text_of(&event) };
        let Some(text) = text else {
            // What says nothing keeps its place among what does.
            return if self.holds() { self.waiting.push(event) } else { ready.push_back(event) };
        };
        let ends = event.signs.finish.is_some();
        self.pattern.clear();
        self.pattern.extend_from_slice(&event.bytes);
        let mut out = std::mem::take(&mut self.out);
        self.cleaner.push(&text, &mut out);
        self.waiting_text.push_str(&text);
        drop(text);
        self.waiting.push(event);
        if ends {
            self.cleaner.finish(&mut out);
            self.is_over = true;
        }
        self.gather(&mut out, ends);
        if ends || !out.is_empty() || !(self.cleaner.holds() || self.json.is_some()) {
            self.hand_on(&out, ready);
        }
        out.clear();
        self.out = out;
    }

    /// What is held back goes on: nobody waits longer for an opener's end.
    pub fn release(&mut self, ready: &mut VecDeque<StreamEvent>) {
        let mut out = Cleaned::default();
        self.cleaner.release(&mut out);
        if !out.is_empty() {
            self.hand_on(&out, ready);
        }
    }

    /// The stream has broken off: what is left goes on as it is.
    pub fn break_off(&mut self, ready: &mut VecDeque<StreamEvent>) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let mut out = Cleaned::default();
        self.cleaner.give_up(&mut out);
        if let Some(json) = &mut self.json {
            out.text = std::mem::take(json) + &out.text;
        }
        self.hand_on(&out, ready);
    }

    /// JSON goes on as a whole, at the answer's end.
    fn gather(&mut self, out: &mut Cleaned, ends: bool) {
        let Some(json) = &mut self.json else { return };
        json.push_str(&out.text);
        out.text.clear();
        if ends {
            let json = std::mem::take(json);
            out.text = repaired(&json).unwrap_or(json);
        }
    }

    /// The events that waited: as they came, or with what became of their text in the first of them.
    fn hand_on(&mut self, out: &Cleaned, ready: &mut VecDeque<StreamEvent>) {
        let is_as_it_came = out.reasoning.is_empty() && out.text == self.waiting_text;
        self.waiting_text.clear();
        if is_as_it_came {
            ready.extend(self.waiting.drain(..));
            return;
        }
        let nothing = Cleaned::default();
        let mut left = Some(out);
        for event in self.waiting.drain(..) {
            let Some(data) = data(&event.bytes).filter(|_| text_of(&event).is_some()) else {
                ready.push_back(event);
                continue;
            };
            let is_first = left.is_some();
            let out = left.take().unwrap_or(&nothing);
            if (is_first && !out.is_empty()) || carries_more(&data, &event.signs) {
                ready.extend(edited_event(&data, out, event.signs.clone()));
            }
        }
        // Text that was held since earlier events, at the end of the stream.
        if let Some(out) = left.filter(|out| !out.is_empty())
            && let Some(data) = data(&self.pattern)
        {
            ready.extend(edited_event(&data, out, Signs { real: true, ..Signs::default() }));
        }
    }
}

/// The text of an event that may be cleaned; nothing where it brings something else, and ends nothing.
fn text_of(event: &StreamEvent) -> Option<Cow<'_, str>> {
    let text = match event.text() {
        Some(text) => text,
        None => {
            let data = data(&event.bytes)?;
            let chunk = Chunk::parse(data.as_bytes()).ok()?;
            let first = chunk.choices.as_deref()?.first()?;
            chunk.text().filter(|_| first.index.unwrap_or(0) == 0).unwrap_or_default().into_owned().into()
        }
    };
    (!text.is_empty() || event.signs.finish.is_some()).then_some(text)
}

/// Whether an event has to go on though its text does not: it opens or ends the answer, or brings something else.
fn carries_more(data: &str, signs: &Signs) -> bool {
    let carries = |name: &str| memchr::memmem::find(data.as_bytes(), name.as_bytes()).is_some();
    signs.finish.is_some() || signs.usage.is_some() || carries("\"role\"") || carries("\"tool_calls\"")
}

fn edited_event(data: &str, out: &Cleaned, signs: Signs) -> Option<StreamEvent> {
    let before = Chunk::parse(data.as_bytes()).ok()?.reasoning().unwrap_or_default().into_owned();
    let json = edited(data, "delta", out, &before)?;
    Some(StreamEvent { bytes: Bytes::from(format!("data: {json}\n\n")), signs: Signs { text: None, ..signs } })
}

/// An event's data, where it has any.
fn data(event: &[u8]) -> Option<Cow<'_, str>> {
    match sse::data(event)? {
        Cow::Borrowed(data) => std::str::from_utf8(data).ok().map(Cow::Borrowed),
        Cow::Owned(data) => String::from_utf8(data).ok().map(Cow::Owned),
    }
}

/// The answer or chunk with this text and reasoning at this place of its first choice. `before` is reasoning that was there already.
fn edited(json: &str, place: &str, out: &Cleaned, before: &str) -> Option<String> {
    let mut object = EditedObject::parse(json).ok()?;
    let choices = object.get("choices")?.to_owned();
    let mut choices: Vec<String> = list(&choices).ok()?.into_iter().map(str::to_owned).collect();
    let first = choices.first()?.clone();
    let mut choice = EditedObject::parse(&first).ok()?;
    let message = choice.get(place).unwrap_or("{}").to_owned();
    let mut message = EditedObject::parse(&message).ok()?;
    message.set("content", quoted(&out.text));
    if !out.reasoning.is_empty() {
        message.set("reasoning_content", quoted(&format!("{before}{}", out.reasoning)));
    }
    choice.set(place, message.render());
    choices[0] = choice.render();
    object.set("choices", format!("[{}]", choices.join(",")));
    Some(object.render())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chat::event::Finish;

    const FULL: Style = Style { directs: true, cleans: Some(Depth::Full), repairs: false };
    const JSON: Style = Style { repairs: true, ..FULL };

    fn event(json: &str) -> StreamEvent {
        let signs = Chunk::parse(json.as_bytes()).map(|chunk| chunk.signs()).unwrap_or_default();
        StreamEvent { bytes: Bytes::from(format!("data: {json}\n\n")), signs }
    }

    fn chunk(text: &str) -> StreamEvent {
        event(&format!(r#"{{"id":1e400,"choices":[{{"index":0,"delta":{{"content":{}}}}}]}}"#, quoted(text)))
    }

    fn end() -> StreamEvent {
        event(r#"{"id":1e400,"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}"#)
    }

    fn text(event: &StreamEvent) -> (String, String) {
        let Some(data) = data(&event.bytes) else { return Default::default() };
        let chunk = Chunk::parse(data.as_bytes()).expect("a chunk");
        (chunk.text().unwrap_or_default().into_owned(), chunk.reasoning().unwrap_or_default().into_owned())
    }

    /// What goes on for each event that comes.
    fn cleaned(cleaning: &mut Cleaning, event: StreamEvent) -> Vec<StreamEvent> {
        let mut ready = VecDeque::new();
        cleaning.take(event, &mut ready);
        ready.into()
    }

    fn texts(events: &[StreamEvent]) -> (String, String) {
        let all: Vec<_> = events.iter().map(text).collect();
        (
            all.iter().map(|(text, _)| text.as_str()).collect(),
            all.iter().map(|(_, thoughts)| thoughts.as_str()).collect(),
        )
    }

    #[test]
    fn what_goes_on_as_it_came_takes_no_room() {
        let mut word = chunk("word ");
        let begins = word.bytes.windows(7).position(|bytes| bytes == b"\"word \"");
        word.signs.text = begins.map(|begins| begins..begins + 7);
        for depth in [Depth::Thoughts, Depth::Full] {
            let mut cleaning = Cleaning::of(Style { cleans: Some(depth), ..FULL }).expect("it cleans");
            let mut ready = VecDeque::new();
            let mut pass = || {
                cleaning.take(word.clone(), &mut ready);
                ready.drain(..).count()
            };
            let begun: usize = (0..100).map(|_| pass()).sum();
            assert_eq!(begun, 100, "the first words are no opener");
            let passed = allocation_counter::measure(|| (0..100).for_each(|_| assert_eq!(pass(), 1)));
            assert_eq!(passed.count_total, 0, "{depth:?}");
        }
    }

    #[test]
    fn a_stream_without_anything_to_clean_keeps_its_bytes() {
        let mut cleaning = Cleaning::of(FULL).expect("it cleans");
        let comment = StreamEvent { bytes: Bytes::from_static(b": ping\n\n"), signs: Signs::default() };
        let role = event(r#"{"choices":[{"delta":{"role":"assistant","content":""}}]}"#);
        let events = [
            role,
            chunk("He"),
            comment,
            chunk("re"),
            chunk(" we"),
            chunk("nt the answer."),
            chunk("\n\n```\nx"),
            chunk("\n```"),
            end(),
        ];
        let got: Vec<StreamEvent> = events.iter().flat_map(|event| cleaned(&mut cleaning, event.clone())).collect();
        assert_eq!(got, events);
    }

    #[test]
    fn an_opener_is_held_and_then_left_out_and_the_rest_passes() {
        let mut cleaning = Cleaning::of(FULL).expect("it cleans");
        let opening = event(r#"{"choices":[{"delta":{"role":"assistant","content":"Cert"}}]}"#);
        assert_eq!(cleaned(&mut cleaning, opening), []);
        assert_eq!((cleaned(&mut cleaning, chunk("ainly! ")), cleaning.holds()), (vec![], true));
        let first = cleaned(&mut cleaning, chunk("Paris"));
        assert_eq!((texts(&first).0.as_str(), first.len()), ("Paris", 1));
        assert!(data(&first[0].bytes).expect("data").contains(r#""role":"assistant""#));
        let next = chunk(" is big.\n```sh\nls");
        assert_eq!(cleaned(&mut cleaning, next.clone()), [next]);
        let last = cleaned(&mut cleaning, end());
        assert_eq!((texts(&last).0.as_str(), last[0].signs.finish), ("\n```", Some(Finish::Stop)));
    }

    #[test]
    fn thoughts_go_where_reasoning_goes() {
        let mut cleaning = Cleaning::of(Style { cleans: Some(Depth::Thoughts), ..FULL }).expect("it cleans");
        let parts = ["<thi", "nk>h", "m</th", "ink>\n\n", "Sure! 4"];
        let got: Vec<StreamEvent> = parts.iter().flat_map(|part| cleaned(&mut cleaning, chunk(part))).collect();
        assert_eq!(texts(&got), ("Sure! 4".to_owned(), "hm".to_owned()));
    }

    #[test]
    fn json_comes_at_the_end_and_is_valid() {
        let mut cleaning = Cleaning::of(JSON).expect("it cleans");
        assert_eq!((cleaned(&mut cleaning, chunk("Here:\n```json\n{'a': 1,")), cleaning.holds()), (vec![], false));
        assert_eq!(cleaned(&mut cleaning, chunk("}\n```")), []);
        let last = cleaned(&mut cleaning, end());
        assert_eq!(
            (texts(&last).0.as_str(), last.last().and_then(|last| last.signs.finish)),
            (r#"{"a": 1}"#, Some(Finish::Stop))
        );
        let mut valid = Cleaning::of(JSON).expect("it cleans");
        let events = [chunk(r#"{"a":"#), chunk("1}"), end()];
        let got: Vec<StreamEvent> = events.iter().flat_map(|event| cleaned(&mut valid, event.clone())).collect();
        assert_eq!(got, events, "valid JSON comes in its own events");
    }

    #[test]
    fn what_was_held_is_told_when_the_stream_breaks_off_or_takes_too_long() {
        for breaks in [true, false] {
            let (mut cleaning, mut ready) = (Cleaning::of(FULL).expect("it cleans"), VecDeque::new());
            cleaning.take(chunk("Certainly"), &mut ready);
            if breaks {
                cleaning.break_off(&mut ready);
                cleaning.break_off(&mut ready);
            } else {
                cleaning.release(&mut ready);
                cleaning.release(&mut ready);
            }
            assert_eq!(ready, [chunk("Certainly")]);
        }
    }

    #[test]
    fn a_whole_answer_changes_in_its_text_alone() {
        let body = |content: &str, more: &str| {
            format!(
                r#"{{"id":1e400,"choices":[{{"index":0,"message":{{"role":"assistant","content":{}{more}}},"finish_reason":"stop"}}],"x":-0}}"#,
                quoted(content)
            )
        };
        let cleaned = whole(body("<think>hm</think>\nCertainly! Paris.", "").as_bytes(), None, FULL).expect("changed");
        assert_eq!(cleaned, body("Paris.", r#","reasoning_content":"hm""#));
        assert_eq!(whole(body("Paris.", "").as_bytes(), None, FULL), None);
        assert_eq!(whole(body("{a: 1}", "").as_bytes(), None, JSON).expect("mended"), body(r#"{"a": 1}"#, ""));
        assert_eq!(whole(body("Certainly! Paris.", "").as_bytes(), None, Style::OFF), None);
    }
}

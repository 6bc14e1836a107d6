//! Answers as they stand on the wire: the whole completion, the chunks of a stream, the list of models.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::{Answer, Called, Content};
use super::habit::{Habits, Thoughts};
use super::spec::{ProviderSpec, UsageAt};

/// The end of every stream.
pub(super) const DONE: &str = "data: [DONE]\n\n";

/// A field no client knows, to show that unknown fields pass through whole. The numbers are the ones a careless reader spoils.
const EXTRA: &str = r#""x_sim":{"kept":true,"big":12345678901234567890,"odd":1e-7}"#;

/// What all bodies of one answer share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    pub number: u64,
    /// Unix time in seconds.
    pub created: i64,
    pub model: &'a str,
    pub prompt_tokens: u64,
}

/// A whole `chat.completion`.
pub(super) fn completion(head: &Head<'_>, answer: &Answer, habits: Habits) -> Bytes {
    let Habits { before_json, beside, at_finish, at_end, .. } = habits;
    let message = message(answer, habits);
    let opening = opening(head, "chat.completion");
    let (finish, usage) = (answer.finish, usage(head, answer, habits));
    Bytes::from(format!(
        r#"{before_json}{opening}{beside},"choices":[{{"index":0,"message":{message},"logprobs":null,"finish_reason":"{finish}"{at_finish}}}],"usage":{usage}{at_end},"service_tier":"default",{EXTRA}}}"#
    ))
}

/// A completion without an answer in it.
pub(super) fn empty_completion(head: &Head<'_>) -> Bytes {
    Bytes::from(format!(r#"{},"choices":[],{EXTRA}}}"#, opening(head, "chat.completion")))
}

/// The events of a stream, `[DONE]` last, one `Bytes` each.
pub(super) fn events(head: &Head<'_>, answer: &Answer, habits: Habits, include_usage: bool) -> Vec<Bytes> {
    let usage_at = habits.usage_at;
    let own_chunk = include_usage && usage_at != UsageAt::LastChunk;
    let chunk = Chunk {
        opening: opening(head, "chat.completion.chunk"),
        closing: if own_chunk { r#","usage":null}"# } else { "}" },
        habits,
    };
    let mut events = vec![chunk.first(head, answer)];
    events.extend(chunk.thoughts(answer));
    match &answer.content {
        Content::Text(text) => events.extend(chunk.text(text)),
        Content::Tools(calls) => events.extend(calls.iter().enumerate().flat_map(|call| chunk.call(call))),
    }
    let usage = usage(head, answer, habits);
    let finish = format!(r#""{}"{}"#, answer.finish, habits.at_finish);
    events.push(match usage_at {
        UsageAt::OwnChunk => chunk.event("{}", &finish, habits.at_end),
        UsageAt::LastChunk => Chunk { closing: "}", ..chunk.clone() }.event(
            "{}",
            &finish,
            &format!(r#","usage":{usage}{}"#, habits.at_end),
        ),
        UsageAt::XGroq => {
            chunk.event("{}", &finish, &format!(r#","x_groq":{{"id":"req_sim{:08}","usage":{usage}}}"#, head.number))
        }
    });
    if own_chunk {
        let Chunk { opening, .. } = &chunk;
        events.push(Bytes::from(format!("data: {opening}{},\"choices\":[],\"usage\":{usage}}}\n\n", habits.beside)));
    }
    events.push(Bytes::from_static(DONE.as_bytes()));
    events
}

/// One event that holds `value`.
pub(super) fn event(value: &Value) -> Bytes {
    Bytes::from(format!("data: {value}\n\n"))
}

/// The body of `GET /models`, without the models that vanished.
pub(super) fn models(spec: &ProviderSpec, created: i64) -> Bytes {
    let listed = spec.models.iter().filter(|model| !model.vanished);
    let data: Vec<Value> = listed
        .map(|model| json!({"id": model.id, "object": "model", "created": created, "owned_by": spec.id, "context_window": model.context}))
        .collect();
    Bytes::from(json!({"object": "list", "data": data}).to_string())
}

/// A text as a model would emit it: words with the space before them, and long words in pieces.
pub(super) fn words(text: &str) -> Vec<&str> {
    const LONGEST: usize = 16;
    let mut words = Vec::new();
    let mut start = 0;
    let mut spaced = true;
    for (at, letter) in text.char_indices() {
        if at > start && ((letter.is_whitespace() && !spaced) || at - start >= LONGEST) {
            words.push(&text[start..at]);
            start = at;
        }
        spaced = letter.is_whitespace();
    }
    if start < text.len() {
        words.push(&text[start..]);
    }
    words
}

/// The message of a plain answer.
fn message(answer: &Answer, habits: Habits) -> String {
    let thoughts = answer.thoughts.as_deref();
    let content = match (&answer.content, thoughts) {
        (Content::Text(text), Some(thoughts)) if habits.thoughts == Thoughts::Chunks => {
            format!(r#"[{},{{"type":"text","text":{}}}]"#, thinking_chunk(thoughts), quoted(text))
        }
        (Content::Text(text), _) => quoted(text),
        (Content::Tools(_), Some(thoughts)) if habits.thoughts == Thoughts::Chunks => {
            format!("[{}]", thinking_chunk(thoughts))
        }
        (Content::Tools(_), _) => "null".to_owned(),
    };
    let mut message = format!(r#"{{"role":"assistant","content":{content}{}"#, habits.in_message);
    if let Some(fields) = thoughts.and_then(|thoughts| thought_fields(thoughts, habits)) {
        message.push(',');
        message.push_str(&fields);
    }
    if let Content::Tools(calls) = &answer.content {
        let calls: Vec<String> = calls.iter().map(|call| whole_call(call, "", habits)).collect();
        write!(message, r#","tool_calls":[{}]"#, calls.join(",")).expect("a String takes all text");
    }
    message + "}"
}

/// A tool call with all its arguments; `index` is a field with a comma behind it, or nothing.
fn whole_call(call: &Called, index: &str, habits: Habits) -> String {
    format!(
        r#"{{{index}"id":"{}","type":"function","function":{{"name":{},"arguments":{}}}}}"#,
        habits.call_id(call.salt),
        quoted(&call.name),
        quoted(&call.arguments)
    )
}

/// Thoughts as fields of a message or delta, where they are no part of its content.
fn thought_fields(thoughts: &str, habits: Habits) -> Option<String> {
    let text = quoted(thoughts);
    match habits.thoughts {
        Thoughts::Field(name) => Some(format!(r#""{name}":{text}"#)),
        Thoughts::Details => Some(format!(
            r#""reasoning":{text},"reasoning_details":[{{"type":"reasoning.text","text":{text},"format":"unknown","index":0}}]"#
        )),
        Thoughts::Chunks => None,
    }
}

fn thinking_chunk(thoughts: &str) -> String {
    format!(r#"{{"type":"thinking","thinking":[{{"type":"text","text":{}}}]}}"#, quoted(thoughts))
}

#[derive(Clone)]
struct Chunk {
    opening: String,
    closing: &'static str,
    habits: Habits,
}

impl Chunk {
    fn event(&self, delta: &str, finish: &str, extra: &str) -> Bytes {
        let Self { opening, closing, habits: Habits { beside, .. } } = self;
        let mut event = String::with_capacity(opening.len() + delta.len() + extra.len() + 96);
        write!(event, r#"data: {opening}{beside},"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]{extra}{closing}"#)
            .expect("a String takes all text");
        event.push_str("\n\n");
        Bytes::from(event)
    }

    /// The chunk with the role, after whatever the provider writes before it.
    fn first(&self, head: &Head<'_>, answer: &Answer) -> Bytes {
        let content = if matches!(answer.content, Content::Text(_)) { r#""""# } else { "null" };
        let id = match self.habits.usage_at {
            UsageAt::XGroq => format!(r#","x_groq":{{"id":"req_sim{:08}"}}"#, head.number),
            UsageAt::OwnChunk | UsageAt::LastChunk => String::new(),
        };
        let delta = format!(r#"{{"role":"assistant","content":{content}{}}}"#, self.habits.in_message);
        let event = self.event(&delta, "null", &format!("{id},{EXTRA}"));
        [self.habits.before_stream.as_bytes(), &event].concat().into()
    }

    fn thoughts(&self, answer: &Answer) -> Vec<Bytes> {
        let pieces = answer.thoughts.as_deref().map(words).unwrap_or_default();
        let delta = |piece: &&str| match thought_fields(piece, self.habits) {
            Some(fields) => format!("{{{fields}}}"),
            None => format!(r#"{{"content":[{}]}}"#, thinking_chunk(piece)),
        };
        pieces.iter().map(|piece| self.event(&delta(piece), "null", "")).collect()
    }

    fn text(&self, text: &str) -> Vec<Bytes> {
        let delta = |word: &&str| format!(r#"{{"content":{}}}"#, quoted(word));
        words(text).iter().map(|word| self.event(&delta(word), "null", "")).collect()
    }

    /// The name first, then the arguments in at least two deltas where they have two characters; or all of it in one.
    fn call(&self, (place, call): (usize, &Called)) -> Vec<Bytes> {
        const PIECE: usize = 12;
        let index = if self.habits.indexed { format!(r#""index":{place},"#) } else { String::new() };
        let delta = |call: &str| self.event(&format!(r#"{{"tool_calls":[{call}]}}"#), "null", "");
        if self.habits.whole_calls {
            return vec![delta(&whole_call(call, &index, self.habits))];
        }
        let begun = Called { salt: call.salt, name: call.name.clone(), arguments: String::new() };
        let letters: Vec<char> = call.arguments.chars().collect();
        let piece = letters.len().div_ceil(2).clamp(1, PIECE);
        let pieces = letters.chunks(piece).map(|letters| {
            let text: String = letters.iter().collect();
            delta(&format!(r#"{{{index}"function":{{"arguments":{}}}}}"#, quoted(&text)))
        });
        [delta(&whole_call(&begun, &index, self.habits))].into_iter().chain(pieces).collect()
    }
}

/// The first fields of a body, without the closing brace.
fn opening(head: &Head<'_>, object: &str) -> String {
    let Head { number, created, model, .. } = head;
    format!(
        r#"{{"id":"chatcmpl-sim{number:08}","object":"{object}","created":{created},"model":{},"system_fingerprint":"fp_sim""#,
        quoted(model)
    )
}

fn usage(head: &Head<'_>, answer: &Answer, habits: Habits) -> String {
    let (prompt, completion) = (head.prompt_tokens, answer.tokens);
    let thoughts = match answer.thought_tokens() {
        0 => String::new(),
        tokens => format!(r#","completion_tokens_details":{{"reasoning_tokens":{tokens}}}"#),
    };
    let total = prompt + completion;
    let more = habits.in_usage;
    format!(r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{total}{thoughts}{more}}}"#)
}

pub(super) fn quoted(text: &str) -> String {
    serde_json::to_string(text).expect("every text is a JSON string")
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Head<'static> = Head { number: 7, created: 1_800_000_000, model: "sim-m", prompt_tokens: 5 };

    fn parsed(events: &[Bytes]) -> Vec<Value> {
        let data = events
            .iter()
            .filter_map(|event| std::str::from_utf8(event).ok()?.strip_prefix("data: ")?.strip_suffix("\n\n"));
        data.filter(|data| *data != "[DONE]").map(|data| serde_json::from_str(data).expect("JSON")).collect()
    }

    #[test]
    fn words_join_to_the_text() {
        for text in [
            "",
            "one",
            "Hello, world!\n\n  two",
            "日本語のとても長い文章がここにあります",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa b",
        ] {
            assert_eq!(words(text).concat(), text);
        }
        assert_eq!(words("The sky is"), ["The", " sky", " is"]);
    }

    #[test]
    fn a_completion_is_whole_and_keeps_odd_numbers() {
        let body = completion(&HEAD, &Answer::text("say \"hi\"".to_owned(), None), Habits::plain(UsageAt::OwnChunk));
        let value: Value = serde_json::from_slice(&body).expect("JSON");
        assert_eq!(value["choices"][0]["message"]["content"], "say \"hi\"");
        assert_eq!(value["usage"], json!({"prompt_tokens": 5, "completion_tokens": 2, "total_tokens": 7}));
        assert!(
            std::str::from_utf8(&body)
                .expect("UTF-8")
                .contains(r#""x_sim":{"kept":true,"big":12345678901234567890,"odd":1e-7}"#)
        );
    }

    #[test]
    fn usage_stands_where_the_provider_puts_it() {
        let answer = Answer::text("a b".to_owned(), None);
        let last =
            |place, include| parsed(&events(&HEAD, &answer, Habits::plain(place), include)).pop().expect("events");
        assert!(last(UsageAt::OwnChunk, false).get("usage").is_none());
        assert_eq!(last(UsageAt::OwnChunk, true)["choices"], json!([]));
        assert_eq!(last(UsageAt::OwnChunk, true)["usage"]["total_tokens"], 6);
        assert_eq!(last(UsageAt::LastChunk, false)["usage"]["total_tokens"], 6);
        assert_eq!(last(UsageAt::LastChunk, true)["choices"][0]["finish_reason"], "stop");
        assert_eq!(last(UsageAt::XGroq, false)["x_groq"]["usage"]["total_tokens"], 6);
    }

    #[test]
    fn a_streamed_tool_call_comes_in_pieces() {
        let answer = Answer::tools([("look".to_owned(), r#"{"query":"the weather in Paris"}"#.to_owned())], 1);
        let chunks = parsed(&events(&HEAD, &answer, Habits::plain(UsageAt::OwnChunk), false));
        let calls: Vec<&Value> = chunks
            .iter()
            .map(|chunk| &chunk["choices"][0]["delta"]["tool_calls"][0])
            .filter(|call| !call.is_null())
            .collect();
        assert!(calls.len() >= 3);
        let arguments: String = calls.iter().filter_map(|call| call["function"]["arguments"].as_str()).collect();
        assert_eq!(arguments, r#"{"query":"the weather in Paris"}"#);
        assert_eq!(chunks.last().expect("chunks")["choices"][0]["finish_reason"], "tool_calls");
    }
}

//! Answers as they stand on the wire: the whole completion, the chunks of a stream, the list of models.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::{Value, json};

use super::answer::{Answer, Content};
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
pub(super) fn completion(head: &Head<'_>, answer: &Answer) -> Bytes {
    let message = match &answer.content {
        Content::Text(text) => format!(r#"{{"role":"assistant","content":{},"refusal":null}}"#, quoted(text)),
        Content::Tool { id, name, arguments } => format!(
            r#"{{"role":"assistant","content":null,"refusal":null,"tool_calls":[{{"id":{},"type":"function","function":{{"name":{},"arguments":{}}}}}]}}"#,
            quoted(id),
            quoted(name),
            quoted(arguments)
        ),
    };
    let opening = opening(head, "chat.completion");
    let (finish, usage) = (answer.finish, usage(head, answer));
    Bytes::from(format!(
        r#"{opening},"choices":[{{"index":0,"message":{message},"logprobs":null,"finish_reason":"{finish}"}}],"usage":{usage},"service_tier":"default",{EXTRA}}}"#
    ))
}

/// A completion without an answer in it.
pub(super) fn empty_completion(head: &Head<'_>) -> Bytes {
    Bytes::from(format!(r#"{},"choices":[],{EXTRA}}}"#, opening(head, "chat.completion")))
}

/// The events of a stream, `[DONE]` last, one `Bytes` each.
pub(super) fn events(head: &Head<'_>, answer: &Answer, usage_at: UsageAt, include_usage: bool) -> Vec<Bytes> {
    let own_chunk = include_usage && usage_at != UsageAt::LastChunk;
    let chunk = Chunk {
        opening: opening(head, "chat.completion.chunk"),
        closing: if own_chunk { r#","usage":null}"# } else { "}" },
    };
    let mut events = match &answer.content {
        Content::Text(text) => text_events(&chunk, text),
        Content::Tool { id, name, arguments } => tool_events(&chunk, id, name, arguments),
    };
    let usage = usage(head, answer);
    let finish = format!(r#""{}""#, answer.finish);
    events.push(match usage_at {
        UsageAt::OwnChunk => chunk.event("{}", &finish, ""),
        UsageAt::LastChunk => {
            Chunk { closing: "}", ..chunk.clone() }.event("{}", &finish, &format!(r#","usage":{usage}"#))
        }
        UsageAt::XGroq => {
            chunk.event("{}", &finish, &format!(r#","x_groq":{{"id":"req_sim{:08}","usage":{usage}}}"#, head.number))
        }
    });
    if own_chunk {
        events.push(Bytes::from(format!("data: {},\"choices\":[],\"usage\":{usage}}}\n\n", chunk.opening)));
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

#[derive(Clone)]
struct Chunk {
    opening: String,
    closing: &'static str,
}

impl Chunk {
    fn event(&self, delta: &str, finish: &str, extra: &str) -> Bytes {
        let Self { opening, closing } = self;
        let mut event = String::with_capacity(opening.len() + delta.len() + extra.len() + 96);
        write!(event, r#"data: {opening},"choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]{extra}{closing}"#)
            .expect("a String takes all text");
        event.push_str("\n\n");
        Bytes::from(event)
    }
}

fn text_events(chunk: &Chunk, text: &str) -> Vec<Bytes> {
    let role = chunk.event(r#"{"role":"assistant","content":"","refusal":null}"#, "null", &format!(",{EXTRA}"));
    let words = words(text);
    let deltas = words.iter().map(|word| chunk.event(&format!(r#"{{"content":{}}}"#, quoted(word)), "null", ""));
    [role].into_iter().chain(deltas).collect()
}

/// The name first, then the arguments in at least two deltas where they have two characters.
fn tool_events(chunk: &Chunk, id: &str, name: &str, arguments: &str) -> Vec<Bytes> {
    const PIECE: usize = 12;
    let role = chunk.event(r#"{"role":"assistant","content":null,"refusal":null}"#, "null", &format!(",{EXTRA}"));
    let opening = format!(
        r#"{{"tool_calls":[{{"index":0,"id":{},"type":"function","function":{{"name":{},"arguments":""}}}}]}}"#,
        quoted(id),
        quoted(name)
    );
    let letters: Vec<char> = arguments.chars().collect();
    let piece = letters.len().div_ceil(2).clamp(1, PIECE);
    let deltas = letters.chunks(piece).map(|letters| {
        let text: String = letters.iter().collect();
        chunk.event(
            &format!(r#"{{"tool_calls":[{{"index":0,"function":{{"arguments":{}}}}}]}}"#, quoted(&text)),
            "null",
            "",
        )
    });
    [role, chunk.event(&opening, "null", "")].into_iter().chain(deltas).collect()
}

/// The first fields of a body, without the closing brace.
fn opening(head: &Head<'_>, object: &str) -> String {
    let Head { number, created, model, .. } = head;
    format!(
        r#"{{"id":"chatcmpl-sim{number:08}","object":"{object}","created":{created},"model":{},"system_fingerprint":"fp_sim""#,
        quoted(model)
    )
}

fn usage(head: &Head<'_>, answer: &Answer) -> String {
    let (prompt, completion) = (head.prompt_tokens, answer.tokens);
    format!(r#"{{"prompt_tokens":{prompt},"completion_tokens":{completion},"total_tokens":{}}}"#, prompt + completion)
}

fn quoted(text: &str) -> String {
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
        let body = completion(&HEAD, &Answer::text("say \"hi\"".to_owned(), None));
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
        let last = |place, include| parsed(&events(&HEAD, &answer, place, include)).pop().expect("events");
        assert!(last(UsageAt::OwnChunk, false).get("usage").is_none());
        assert_eq!(last(UsageAt::OwnChunk, true)["choices"], json!([]));
        assert_eq!(last(UsageAt::OwnChunk, true)["usage"]["total_tokens"], 6);
        assert_eq!(last(UsageAt::LastChunk, false)["usage"]["total_tokens"], 6);
        assert_eq!(last(UsageAt::LastChunk, true)["choices"][0]["finish_reason"], "stop");
        assert_eq!(last(UsageAt::XGroq, false)["x_groq"]["usage"]["total_tokens"], 6);
    }

    #[test]
    fn a_streamed_tool_call_comes_in_pieces() {
        let answer = Answer::tool("look".to_owned(), r#"{"query":"the weather in Paris"}"#.to_owned(), 1);
        let chunks = parsed(&events(&HEAD, &answer, UsageAt::OwnChunk, false));
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

//! One line of a batch, in OpenAI's shape: a request with an id going in, its answer or its error coming out.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::chat::ChatRequest;

/// The one endpoint a line may be for, with and without its version.
const URLS: [&str; 2] = ["/v1/chat/completions", "/chat/completions"];

/// What the id of every result begins with, OpenAI's own results too.
pub const RESULT: &str = "batch_req_";

/// Fields that flags set in every request of the batch.
pub type Fields = BTreeMap<String, Box<RawValue>>;

/// A line that can be sent, or at least answered.
#[derive(Debug)]
pub struct Line {
    pub number: u64,
    pub custom_id: String,
    /// The request, or what is wrong with it.
    pub request: anyhow::Result<ChatRequest>,
}

#[derive(Deserialize)]
#[serde(expecting = "an object with `custom_id` and `body`")]
struct Read<'a> {
    custom_id: String,
    #[serde(default)]
    method: Option<String>,
    #[serde(default)]
    url: Option<String>,
    #[serde(borrow)]
    body: &'a RawValue,
}

impl Line {
    /// Reads a line. One without an id cannot be answered; the error says what is wrong with it.
    pub fn read(number: u64, text: &[u8], flags: &Fields) -> anyhow::Result<Self> {
        let text = std::str::from_utf8(text).context("is not text in UTF-8")?;
        let read: Read<'_> = serde_json::from_str(text).context("is no request")?;
        let request = request(&read, flags);
        Ok(Self { number, custom_id: read.custom_id, request })
    }
}

fn request(read: &Read<'_>, flags: &Fields) -> anyhow::Result<ChatRequest> {
    if let Some(method) = read.method.as_deref().filter(|method| !method.eq_ignore_ascii_case("POST")) {
        bail!("`method` is `{method}`; it must be POST");
    }
    if let Some(url) = read.url.as_deref().filter(|url| !URLS.contains(url)) {
        bail!("`url` is `{url}`; only {} is answered", URLS[0]);
    }
    let mut body: Fields = serde_json::from_str(read.body.get()).context("`body`")?;
    body.extend(flags.iter().map(|(name, value)| (name.clone(), value.clone())));
    // An answer goes into the file whole.
    body.remove("stream");
    body.remove("stream_options");
    let body = serde_json::to_vec(&body)?;
    ChatRequest::parse(Bytes::from(body)).map_err(|bad| anyhow::Error::msg(bad.message))
}

/// What becomes of a line.
#[derive(Debug, Serialize)]
pub struct Outcome<'a> {
    pub id: String,
    pub custom_id: &'a str,
    pub response: Option<Response<'a>>,
    pub error: Option<Mistake<'a>>,
}

#[derive(Debug, Serialize)]
pub struct Response<'a> {
    pub status_code: u16,
    pub request_id: &'a str,
    pub body: &'a RawValue,
}

#[derive(Debug, Serialize)]
pub struct Mistake<'a> {
    pub code: &'a str,
    pub message: &'a str,
}

/// As much of a line that came out before as going on takes.
#[derive(Deserialize)]
pub struct Known {
    id: String,
    pub custom_id: String,
    // Both stand in every result, one of them empty: read this way, neither may be missing.
    #[serde(deserialize_with = "Option::deserialize")]
    response: Option<serde::de::IgnoredAny>,
    #[serde(deserialize_with = "Option::deserialize")]
    error: Option<serde::de::IgnoredAny>,
}

impl Known {
    /// `None` for what is no result. Only results may ever be taken out of a file.
    pub fn read(line: &[u8]) -> Option<Self> {
        serde_json::from_slice(line).ok().filter(|known: &Self| known.id.starts_with(RESULT))
    }

    pub const fn is_answered(&self) -> bool {
        self.response.is_some() && self.error.is_none()
    }
}

/// Whether a line without an end may be a result whose writing broke off. A file system may have filled it up with zeros.
pub fn broke_off(line: &[u8]) -> bool {
    let begun = format!("{{\"id\":\"{RESULT}");
    let line = line.trim_ascii_start();
    let written = line.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let common = written.min(begun.len());
    line[..common] == begun.as_bytes()[..common]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> anyhow::Result<Line> {
        Line::read(7, text.as_bytes(), &Fields::new())
    }

    #[test]
    fn a_request_is_read_and_what_flags_say_goes_before_its_own_words() {
        let text = r#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"x","stream":true,"seed":12345678901234567890,"messages":[{"role":"user","content":"hi"}]}}"#;
        let request = read(text).expect("a line").request.expect("a request");
        assert_eq!(
            (request.model.as_str(), request.stream, request.raw("seed")),
            ("x", false, Some("12345678901234567890"))
        );
        let flags = Fields::from([("model".to_owned(), serde_json::value::to_raw_value("y").expect("JSON"))]);
        let line = Line::read(7, text.as_bytes(), &flags).expect("a line");
        assert_eq!(line.request.expect("a request").model, "y");
    }

    #[test]
    fn what_is_wrong_is_said_and_an_id_is_kept_where_there_is_one() {
        for text in ["", "{", "[]", r#"{"body":{}}"#, r#"{"custom_id":7,"body":{}}"#] {
            assert!(read(text).expect_err("no line").to_string().starts_with("is no request"), "{text}");
        }
        let wrong = format!("{:#}", read("7").expect_err("no line"));
        assert!(wrong.contains("expected an object with `custom_id` and `body`"), "{wrong}");
        for (text, said) in [
            (r#"{"custom_id":"a","method":"GET","body":{}}"#, "`method` is `GET`"),
            (r#"{"custom_id":"a","url":"/v1/embeddings","body":{}}"#, "`url` is `/v1/embeddings`"),
            (r#"{"custom_id":"a","body":[]}"#, "`body`"),
            (r#"{"custom_id":"a","body":{}}"#, "`messages` is missing"),
        ] {
            let line = read(text).expect("its id is known");
            assert!(line.request.expect_err("no request").to_string().contains(said), "{text}");
        }
    }

    #[test]
    fn a_line_that_came_out_counts_as_answered_only_with_an_answer() {
        let known = |text: &str| Known::read(text.as_bytes()).map(|known| known.is_answered());
        let answer = r#"{"id":"batch_req_x","custom_id":"a","response":{"status_code":200},"error":null}"#;
        let failure = r#"{"id":"batch_req_x","custom_id":"a","response":null,"error":{"code":"timeout"}}"#;
        assert_eq!((known(answer), known(failure)), (Some(true), Some(false)));
        for other in [
            r#"{"id":"batch_req_x","custom_id":"a"}"#,
            r#"{"id":"batch_req_x","custom_id":"a","response":{}}"#,
            r#"{"id":"x","custom_id":"a","response":{},"error":null}"#,
            r#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{}}"#,
        ] {
            assert_eq!(known(other), None, "{other}");
        }
    }
}

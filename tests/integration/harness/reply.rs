//! What a client got, and sentences about it that fail the test when they are not true.

use http::HeaderMap;
use serde_json::Value;

use super::schema::{keeps_its_schema, keeps_schema};

#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
    /// The body came to its proper end.
    pub complete: bool,
}

impl Reply {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body as JSON. What is relay's own, not a provider's answer, keeps its schema.
    #[track_caller]
    pub fn json(&self) -> Value {
        let document: Value =
            serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error} in {}", self.text()));
        match () {
            () if self.status >= 400 => keeps_schema("http-error", &document),
            () if document["schema"].is_string() => keeps_its_schema(&document),
            () if document["object"] == "list" => keeps_schema("http-models", &document),
            () if document["object"] == "model" => keeps_schema("http-models#model", &document),
            () if document["in_flight"].is_number() => keeps_schema("http-health", &document),
            () => {}
        }
        document
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().expect("a header in ASCII"))
    }

    pub fn is_stream(&self) -> bool {
        self.header("content-type") == Some("text/event-stream")
    }

    /// The JSON of each event, without `[DONE]`.
    #[track_caller]
    pub fn events(&self) -> Vec<Value> {
        let text = self.text();
        let data = text.split("\n\n").filter_map(|event| event.strip_prefix("data: "));
        let data = data.filter(|data| *data != "[DONE]");
        data.map(|data| serde_json::from_str(data).unwrap_or_else(|error| panic!("{error} in {data}"))).collect()
    }

    /// The assistant's words, whole or put together from the stream.
    #[track_caller]
    pub fn answer(&self) -> String {
        if !self.is_stream() {
            let body = self.json();
            return body["choices"][0]["message"]["content"].as_str().unwrap_or_default().to_owned();
        }
        let events = self.events();
        events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str()).collect()
    }

    /// A whole answer with these words.
    #[track_caller]
    pub fn is(&self, words: &str) -> &Self {
        assert_eq!((self.status, self.answer().as_str()), (200, words), "{}", self.text());
        assert!(self.complete, "the body broke off");
        if self.is_stream() {
            let text = self.text();
            assert!(text.ends_with("data: [DONE]\n\n") && text.matches("[DONE]").count() == 1, "{text}");
        }
        self
    }

    /// The route that answered.
    #[track_caller]
    pub fn by(&self, route: &str) -> &Self {
        assert_eq!(self.header("x-relay-route"), Some(route));
        self
    }

    /// The failed attempts before, and so the number of all.
    #[track_caller]
    pub fn after(&self, trail: &str) -> &Self {
        assert_eq!(self.header("x-relay-trail").unwrap_or_default(), trail);
        let failed = trail.split(", ").filter(|one| !one.is_empty()).count();
        let attempts = failed + usize::from(self.status == 200);
        assert_eq!(self.header("x-relay-attempts"), Some(attempts.to_string().as_str()));
        self
    }

    /// An error in OpenAI's shape.
    #[track_caller]
    pub fn refused(&self, status: u16, code: &str) -> &Self {
        let body = self.text();
        assert_eq!(self.status, status, "{body}");
        assert_eq!(self.header("content-type"), Some("application/json"), "{body}");
        let error = self.json()["error"].clone();
        let texts = ["message", "type"].map(|name| error[name].as_str().is_some_and(|text| !text.is_empty()));
        assert_eq!(texts, [true, true], "{body}");
        assert!(error.get("param").is_some(), "{body}");
        assert_eq!(error["code"].as_str().unwrap_or_default(), code, "{body}");
        self
    }

    /// The error's message holds this.
    #[track_caller]
    pub fn saying(&self, part: &str) -> &Self {
        let message = self.json()["error"]["message"].as_str().unwrap_or_default().to_owned();
        assert!(message.contains(part), "`{part}` is not in: {message}");
        self
    }

    /// `Retry-After` in seconds.
    #[track_caller]
    pub fn retry_after(&self) -> u64 {
        self.header("retry-after").expect("a `retry-after`").parse().expect("seconds")
    }
}

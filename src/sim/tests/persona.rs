//! One persona on a socket, and requests and answers in its dialect.

use serde_json::{Value, json};

use super::client::{Got, send, simulator};
use crate::sim::{Act, Persona, ProviderSpec, Simulator};

/// A running persona.
pub(super) struct Fake {
    pub persona: Persona,
    pub simulator: Simulator,
    pub id: String,
}

impl Fake {
    pub(super) async fn start(persona: Persona) -> Self {
        Self::of(ProviderSpec::impersonating(persona)).await
    }

    pub(super) async fn of(spec: ProviderSpec) -> Self {
        let persona = spec.persona.expect("a persona");
        let id = spec.id.clone();
        Self { persona, simulator: simulator(spec).await, id }
    }

    pub(super) fn script(&self, act: Act) {
        self.simulator.script(&self.id, [act]);
    }

    pub(super) fn rejections(&self) -> Vec<String> {
        self.simulator.rejections(&self.id)
    }

    pub(super) fn model(&self) -> String {
        self.persona.models()[0].id.clone()
    }

    /// Where a chat goes.
    pub(super) fn path(&self, model: &str, stream: bool) -> String {
        match (self.persona, stream) {
            (Persona::Gemini, false) => format!("/models/{model}:generateContent"),
            (Persona::Gemini, true) => format!("/models/{model}:streamGenerateContent?alt=sse"),
            (Persona::Ollama, _) => "/api/chat".to_owned(),
            _ => "/chat/completions".to_owned(),
        }
    }

    /// Sends a body to the first model.
    pub(super) async fn post(&self, body: &Value, stream: bool) -> Got {
        let model = body["model"].as_str().map_or_else(|| self.model(), str::to_owned);
        let provider = &self.simulator.providers()[0];
        let path = self.path(&model, stream);
        send(provider, "POST", &path, &provider.key, body.to_string()).await.expect("a response")
    }

    pub(super) async fn get(&self, path: &str) -> Got {
        let provider = &self.simulator.providers()[0];
        send(provider, "GET", path, &provider.key, String::new()).await.expect("a response")
    }

    /// One question in the persona's dialect.
    pub(super) fn question(&self, text: &str, stream: bool) -> Value {
        match self.persona {
            Persona::Gemini => json!({"contents": [{"role": "user", "parts": [{"text": text}]}]}),
            _ => json!({"model": self.model(), "stream": stream, "messages": [{"role": "user", "content": text}]}),
        }
    }

    /// The question with one more field.
    pub(super) fn with(&self, field: &str, value: Value) -> Value {
        let mut body = self.question("hi", false);
        body[field] = value;
        body
    }

    /// These messages in the place of the question.
    pub(super) fn messages(&self, messages: Value) -> Value {
        self.with(if self.persona == Persona::Gemini { "contents" } else { "messages" }, messages)
    }

    /// The JSON pieces of a stream.
    pub(super) fn pieces(&self, got: &Got) -> Vec<Value> {
        let parse = |text: &str| serde_json::from_str(text).unwrap_or_else(|error| panic!("{error} in {text}"));
        match self.persona {
            Persona::Ollama => got.body.lines().map(parse).collect(),
            Persona::Gemini => {
                got.body.split("\r\n\r\n").filter_map(|event| event.strip_prefix("data: ")).map(parse).collect()
            }
            _ => got.events(),
        }
    }

    /// The words of an answer or of one of its pieces.
    pub(super) fn words(&self, piece: &Value) -> String {
        match self.persona {
            Persona::Gemini => {
                let parts = piece["candidates"][0]["content"]["parts"].as_array().cloned().unwrap_or_default();
                parts.iter().filter(|part| part["thought"] != true).filter_map(|part| part["text"].as_str()).collect()
            }
            Persona::Ollama => piece["message"]["content"].as_str().unwrap_or_default().to_owned(),
            _ => {
                let choice = &piece["choices"][0];
                let content = choice.get("message").unwrap_or(&choice["delta"])["content"].clone();
                let last = content.as_array().and_then(|chunks| chunks.last()?["text"].as_str());
                content.as_str().or(last).unwrap_or_default().to_owned()
            }
        }
    }

    /// All words of a stream.
    pub(super) fn streamed(&self, got: &Got) -> String {
        self.pieces(got).iter().map(|piece| self.words(piece)).collect()
    }
}

//! The places a simulated provider has.

use http::Method;

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// A chat whose body says all about it.
    Chat,
    /// A chat of Gemini's: model and streaming stand in the path.
    Generate {
        model: String,
        stream: bool,
        /// `alt=sse`; without it a stream is one JSON array.
        events: bool,
    },
    Models,
    /// Ollama's details of one model.
    Show,
    /// Ollama's version.
    Version,
}

impl Endpoint {
    pub(super) const fn method(&self) -> Method {
        match self {
            Self::Chat | Self::Generate { .. } | Self::Show => Method::POST,
            Self::Models | Self::Version => Method::GET,
        }
    }
}

//! An answer as one provider's message: JSON or a stream, in the dialect it speaks.

use bytes::Bytes;

use super::{gemini, ollama};
use crate::sim::answer::Answer;
use crate::sim::call::Outcome;
use crate::sim::habit::Habits;
use crate::sim::reply::Message;
use crate::sim::request::Asked;
use crate::sim::wire::{DONE, Head, completion, empty_completion, events};

/// The dialect a provider answers in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::sim) enum Tongue {
    OpenAi(Habits),
    Gemini,
    Ollama,
}

impl Tongue {
    pub(in crate::sim) fn answer(self, head: &Head<'_>, answer: &Answer, asked: &Asked) -> Message {
        match self {
            Self::OpenAi(habits) if asked.stream => {
                Message::events(events(head, answer, habits, asked.include_usage), Outcome::Answered)
            }
            Self::OpenAi(habits) => Message::json(200, completion(head, answer, habits), Outcome::Answered),
            Self::Gemini if asked.stream => Message::events(gemini::events(head, answer), Outcome::Answered),
            Self::Gemini => {
                let body = gemini::whole(head, answer).to_string();
                let body = if asked.in_list { format!("[{body}]") } else { body };
                Message::json(200, body, Outcome::Answered)
            }
            Self::Ollama if asked.stream => self.lines(ollama::lines(head, answer), Outcome::Answered),
            Self::Ollama => Message::json(200, ollama::whole(head, answer).to_string(), Outcome::Answered),
        }
    }

    /// A success without an answer in it.
    pub(in crate::sim) fn nothing(self, head: &Head<'_>, stream: bool) -> Message {
        let faulted = Outcome::Faulted;
        match self {
            Self::OpenAi(_) if stream => Message::events(vec![Bytes::from_static(DONE.as_bytes())], faulted),
            Self::OpenAi(_) => Message::json(200, empty_completion(head), faulted),
            Self::Gemini if stream => Message::events(vec![gemini::empty_event(head)], faulted),
            Self::Gemini => Message::json(200, gemini::empty(head).to_string(), faulted),
            Self::Ollama if stream => self.lines(vec![ollama::last_line(head, 0, "stop")], faulted),
            Self::Ollama => Message::json(200, ollama::empty(head).to_string(), faulted),
        }
    }

    /// A stream of these frames.
    pub(in crate::sim) fn lines(self, frames: Vec<Bytes>, outcome: Outcome) -> Message {
        let message = Message::events(frames, outcome);
        match self {
            Self::Ollama => Message { content_type: "application/x-ndjson".to_owned(), ..message },
            Self::OpenAi(_) | Self::Gemini => message,
        }
    }

    /// A stream that breaks inside of its first JSON.
    pub(in crate::sim) fn broken(self) -> Bytes {
        Bytes::from_static(match self {
            Self::OpenAi(_) => b"data: {\"id\":\"chatcmpl-sim\",\"choices\":[{\"ind\n\n",
            Self::Gemini => b"data: {\"candidates\":[{\"cont\r\n\r\n",
            Self::Ollama => b"{\"model\":\"sim\",\"mess\n",
        })
    }
}

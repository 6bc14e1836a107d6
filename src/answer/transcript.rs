//! What a stream has said so far: enough to let another route go on with it.

use std::borrow::Cow;
use std::collections::VecDeque;

use bytes::Bytes;
use serde::Deserialize;

use crate::chat::{Chunk, StreamEvent, Usage};
use crate::dialect::sse;

/// Events that have to be read anew are read together, once there are so many bytes of them.
const READ_AT: usize = 4 * 1024;

/// The first chunk's fields that all chunks of a stream share.
#[derive(Debug, Clone, Default)]
pub struct Head {
    pub id: Option<String>,
    pub created: Option<u64>,
    pub model: Option<String>,
}

/// A stream's events, read as far as they are one author's plain text.
#[derive(Debug, Default)]
pub struct Transcript {
    unread: Vec<u8>,
    pub text: String,
    pub head: Option<Head>,
    /// A tool call, a refusal or audio has begun: nobody else can go on with those.
    pub is_more_than_text: bool,
    /// The answer has ended, whatever happens to the connection.
    pub is_finished: bool,
    /// The end marker has been passed on.
    pub is_done: bool,
    pub usage: Option<Usage>,
}

impl Transcript {
    /// `keeps` says whether anybody may go on with the text; else it is not kept.
    pub fn note(&mut self, event: &StreamEvent, keeps: bool) {
        self.is_finished |= event.signs.finish.is_some();
        self.is_done |= event.signs.done;
        self.usage = event.signs.usage.or(self.usage);
        if !keeps {
            return;
        }
        match event.text().filter(|_| self.head.is_some()) {
            Some(text) => {
                self.read();
                self.text.push_str(&text);
            }
            None if event.signs.real || self.head.is_none() => self.unread.extend_from_slice(&event.bytes),
            None => {}
        }
        if self.head.is_none() || self.unread.len() > READ_AT {
            self.read();
        }
    }

    /// Whether there is nothing of an answer so far: thoughts and blanks are none.
    pub fn is_nothing(&mut self) -> bool {
        self.read();
        self.text.trim().is_empty() && !self.is_more_than_text
    }

    /// Reads what was noted.
    fn read(&mut self) {
        if self.unread.is_empty() {
            return;
        }
        let unread = std::mem::take(&mut self.unread);
        let mut events = VecDeque::new();
        // What was passed on was whole events of a bounded size.
        drop(sse::Splitter::default().push(Bytes::from(unread), &mut events));
        for event in events {
            let Some(data) = sse::data(&event) else { continue };
            let Ok(chunk) = Chunk::parse(&data) else { continue };
            if self.head.is_none() {
                self.head = serde_json::from_slice::<HeadFields<'_>>(&data).ok().map(HeadFields::owned);
            }
            self.text.extend(chunk.text());
            self.is_more_than_text |= chunk.has_more_than_text();
        }
    }
}

#[derive(Deserialize)]
struct HeadFields<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(default)]
    created: Option<u64>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
}

impl HeadFields<'_> {
    fn owned(self) -> Head {
        Head { id: self.id.map(Cow::into_owned), created: self.created, model: self.model.map(Cow::into_owned) }
    }
}

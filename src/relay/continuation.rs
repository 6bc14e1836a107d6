//! A stream that broke off, continued by another route: whom to ask, and in which words.

use std::sync::Arc;

use bytes::Bytes;
use serde_json::json;

use crate::answer::{self, Answer, Attempt};
use crate::catalog::Prefill;
use crate::chat::{BadRequest, ChatRequest, Edit, Fault, tokens};
use crate::routing::{RouteId, Wanted};
use crate::style::StyleMode;

use super::aside::aside;
use super::shape::{Asking, SoFar};
use super::waiting::Travelling;
use super::{Options, Relay};

/// A stream that broke off more often is better ended.
const MOST_SPLICES: usize = 2;

/// Of the text so far, the end that an author without a prefill is asked to begin with, in characters.
const LAST_WORDS: usize = 80;

/// More than the instruction takes, with the last words and the frames of two messages.
const INSTRUCTION_TOKENS: u64 = 200;

/// The least that is left of the caller's `max_tokens`, so that a sentence can be ended.
const LEAST_TOKENS: u64 = 16;

/// What is needed to go on with a stream elsewhere.
pub struct Continuation {
    relay: Arc<Relay>,
    request: ChatRequest,
    options: Options,
    /// Its text is data in a form that a seam would break: it can only be begun anew.
    is_data: bool,
    /// All so far, the one that broke off last.
    attempts: Vec<Attempt>,
    splices: usize,
}

/// Another route has begun to go on.
pub struct Continued {
    pub answer: Answer,
    /// What the text so far comes to, for all that is known.
    pub cut_tokens: u64,
    /// How to go on if this breaks off too.
    pub next: Option<Box<Continuation>>,
}

impl Relay {
    /// How to go on with the answer to this request, should its stream break off. Only plain text can be continued; JSON of which nothing
    /// was said yet can be begun anew.
    pub(super) fn continuation(
        self: &Arc<Self>,
        asking: Asking<'_>,
        attempts: &[Attempt],
    ) -> Option<Box<Continuation>> {
        let (request, options) = (asking.request, asking.options);
        // Whoever wants the answer as its author wrote it wants one author.
        let one_author = options.no_continuation || options.style == Some(StyleMode::Off);
        let is_off = one_author || !self.voice.continue_cut_streams;
        if is_off || !is_one_text(request) {
            return None;
        }
        Some(Box::new(Continuation {
            relay: Arc::clone(self),
            request: request.clone(),
            options: options.clone(),
            is_data: request.features.json || request.features.schema,
            attempts: attempts.to_vec(),
            splices: 0,
        }))
    }
}

/// Whether the answer is one text, and nothing is told of its tokens.
fn is_one_text(request: &ChatRequest) -> bool {
    let is = |name: &str, plain: &[&str]| request.raw(name).is_none_or(|value| plain.contains(&value));
    is("n", &["1", "null"])
        && is("logprobs", &["false", "null"])
        && is("audio", &["null"])
        && is("modalities", &["null", "[\"text\"]"])
}

impl Continuation {
    /// Asks another route to go on with `text`.
    pub async fn go_on(mut self: Box<Self>, text: String) -> Result<Continued, Fault> {
        if let Some(last) = self.attempts.last_mut() {
            last.fault = Some(Fault::Cut);
        }
        let made = answer::count(&self.attempts);
        let has_no_seam = self.is_data || ends_with_assistant(&self.request);
        let most = self.options.max_attempts.unwrap_or(self.relay.routing.max_attempts);
        if has_no_seam && !text.is_empty() || most > 0 && made >= most {
            return Err(Fault::Cut);
        }
        let said = text.clone();
        let cut_tokens = aside(move || tokens::exact(&said)).await.ok_or(Fault::Cut)?;
        let request = shorter(&self.request, cut_tokens).map_err(|_| Fault::Cut)?;
        let longest = with_so_far(&request, &text, Prefill::Instruction);
        let mut options = self.options.clone();
        let (mut trip, _) = self.relay.trip(&longest, &options, self.relay.clock.now())?;
        // Whoever names one model gets no other: it may go on itself.
        if !matches!(trip.need.wanted, Wanted::Model { .. }) {
            let cut = self.attempts.iter().filter(|attempt| attempt.fault == Some(Fault::Cut));
            for attempt in cut {
                options.avoid.push(attempt.route.to_string());
            }
            trip.need.avoid.clone_from(&options.avoid);
        }
        trip.asked_before = self.asked();
        if most > 0 {
            trip.patience.max_attempts = most - made;
        }
        let so_far = Some(SoFar { text: &text, tokens: cut_tokens + INSTRUCTION_TOKENS });
        let asking = Asking { request: &request, options: &self.options, conversation: None, so_far };
        let attempts = self.attempts.clone();
        let answer = self
            .relay
            .answer(asking, &mut Travelling::new(&self.relay, trip), attempts)
            .await
            .map_err(|failure| failure.fault)?;
        self.attempts.clone_from(&answer.attempts);
        self.splices += 1;
        Ok(Continued { answer, cut_tokens, next: (self.splices < MOST_SPLICES).then_some(self) })
    }

    /// The routes asked so far.
    fn asked(&self) -> Vec<RouteId> {
        let asked = self.attempts.iter().filter(|attempt| attempt.sent);
        let route = |name: &str| self.relay.fleet.routes.iter().find(|route| *route.name == *name);
        asked.filter_map(|attempt| Some(route(&attempt.route)?.id)).collect()
    }
}

fn ends_with_assistant(request: &ChatRequest) -> bool {
    request.typed_messages().ok().is_none_or(|messages| messages.last().is_none_or(|last| last.role == "assistant"))
}

/// The request with what is left of its `max_tokens`.
fn shorter(request: &ChatRequest, used: u64) -> Result<ChatRequest, BadRequest> {
    let Some(most) = request.max_tokens else { return Ok(request.clone()) };
    let left = Bytes::from(most.saturating_sub(used).max(LEAST_TOKENS.min(most)).to_string());
    let named = ["max_completion_tokens", "max_tokens"].into_iter().filter(|name| request.raw(name).is_some());
    request.with(named.map(|name| (name, left.clone())))
}

/// The request with the text so far, in the way its provider continues one.
pub(super) fn with_so_far(request: &ChatRequest, text: &str, prefill: Prefill) -> ChatRequest {
    // An answer that had not got beyond its thoughts is begun anew.
    if text.is_empty() {
        return request.clone();
    }
    let said = match prefill {
        Prefill::Prefix => json!({ "role": "assistant", "content": text, "prefix": true }),
        Prefill::Assistant | Prefill::Instruction => json!({ "role": "assistant", "content": text }),
    };
    let mut more = said.to_string();
    if prefill == Prefill::Instruction {
        let asked = json!({ "role": "user", "content": instruction(text) });
        more = format!("{more},{asked}");
    }
    let end = request.raw("messages").map_or(0, |messages| messages.len() - 1);
    request.with_edited_messages(&Edit { place: end..end, text: format!(",{more}") })
}

/// Asking for the last words once more leaves no doubt where a word or a space belongs; the repeated is taken out again.
fn instruction(text: &str) -> String {
    let from = text.char_indices().rev().nth(LAST_WORDS).map_or(0, |(at, _)| at);
    let words = &text[from..];
    let begin = words.find(char::is_whitespace).filter(|_| from > 0).map_or(words, |at| words[at..].trim_start());
    // As JSON quotes it: a model takes escapes of Rust for what it should say.
    let begin = json!(begin);
    format!(
        "Your answer above was cut off. Go on exactly where it stops, in the same language, tone and format. Begin by \
         repeating its last words, {begin}, then write what follows. Do not begin anew, do not comment on the break, \
         and do not open a code block again that is already open."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(json: &str) -> ChatRequest {
        ChatRequest::parse(Bytes::copy_from_slice(json.as_bytes())).expect("a good request")
    }

    #[test]
    fn each_kind_of_provider_is_asked_in_its_way() {
        let asked = request(r#"{"model":"m","messages":[ {"role":"user","content":"x"} ],"max_tokens":100}"#);
        let raw = |prefill| {
            let request = with_so_far(&asked, "The sky \"is", prefill);
            request.raw("messages").expect("messages").to_owned()
        };
        let head = r#"[ {"role":"user","content":"x"} ,{"content":"The sky \"is","#;
        let assistant = raw(Prefill::Assistant);
        assert!(assistant.starts_with(head) && assistant.ends_with(r#""role":"assistant"}]"#), "{assistant}");
        assert!(raw(Prefill::Prefix).contains(r#""prefix":true"#));
        let instruction = raw(Prefill::Instruction);
        assert!(instruction.starts_with(head) && instruction.contains("was cut off"), "{instruction}");
        assert_eq!(shorter(&asked, 30).expect("a good request").max_tokens, Some(70));
        assert_eq!(shorter(&asked, 300).expect("a good request").max_tokens, Some(LEAST_TOKENS));
    }

    #[test]
    fn only_one_text_is_continued() {
        let one =
            |more: &str| is_one_text(&request(&format!(r#"{{"messages":[{{"role":"user","content":"x"}}]{more}}}"#)));
        assert!(one("") && one(r#","n":1,"tools":[{}],"logprobs":false"#));
        for more in [r#","n":2"#, r#","logprobs":true"#, r#","modalities":["text","audio"]"#] {
            assert!(!one(more), "{more}");
        }
    }
}

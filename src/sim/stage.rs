//! Plays one act for one chat call: the decision about a reply, without any waiting or writing.

use bytes::Bytes;
use jiff::Timestamp;

use super::act::Act;
use super::answer::Answer;
use super::call::{Notes, Outcome};
use super::endpoint::Endpoint;
use super::hash::hash;
use super::limit::{Cost, Limit, turn_after};
use super::provider::Provider;
use super::refusal::Refusal;
use super::reply::{End, Message, Reply};
use super::request::{Asked, Format};
use super::spec::ModelSpec;
use super::wire::Head;
use crate::chat::Period;

const PAGE: &str =
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><h1>Simulated web page</h1></body></html>";

/// One call on its way to a reply.
#[derive(Debug)]
pub(super) struct Stage<'a> {
    pub provider: &'a Provider,
    pub seed: u64,
    /// Counts the calls of the simulator; makes ids unique.
    pub number: u64,
    pub now: Timestamp,
}

impl Stage<'_> {
    /// The reply to a chat call whose key is good.
    pub(super) fn chat(&self, endpoint: &Endpoint, body: &[u8]) -> Result<Reply, Refusal> {
        let read = match self.provider.spec.persona {
            None => Asked::parse(body).map(|asked| (asked, Notes::default())),
            Some(persona) => persona.read(endpoint, body),
        };
        let (asked, notes) = read.map_err(Refusal::rejecting)?;
        let (place, model) = self.provider.model(&asked.model).ok_or_else(|| Refusal::unknown(&asked.model))?;
        let (act, scripted) = self.provider.next(asked.stream);
        if !scripted {
            fits(&asked, model).map_err(Refusal::rejecting)?;
        }
        let mut reply = Scene { stage: self, asked: &asked, place, forced: scripted }.play(act)?;
        if let Reply::Send(message) = &mut reply {
            message.notes = notes;
        }
        Ok(reply)
    }

    /// The reply to a request for the model list under a scripted act; those about streams hang or break like the others.
    pub(super) fn list(&self, act: Act) -> Result<Reply, Refusal> {
        match act {
            Act::Hang | Act::Stall { .. } => Ok(Reply::Hang),
            Act::Reset | Act::Cut { .. } => Ok(Reply::Reset),
            act => self.fault(act, "", false),
        }
    }

    /// Everything but answers, whole or in part.
    fn fault(&self, act: Act, model: &str, stream: bool) -> Result<Reply, Refusal> {
        let faulted = |body: &'static str| Message::json(200, body, Outcome::Faulted);
        Ok(match act {
            Act::Status { status, body, headers } => scripted_status(status, body, headers).into(),
            Act::Busy { retry_after } => return Err(Refusal::busy(model, retry_after)),
            Act::Spent => return Err(self.spent(model)),
            Act::PaymentRequired => return Err(Refusal::payment_required()),
            Act::Denied => return Err(Refusal::denied()),
            Act::Gone => return Err(Refusal::gone(model)),
            Act::TooLarge => return Err(Refusal::too_large(model, &Limit::tokens(8_000, Period::Minute), 11_088)),
            Act::TooLong => return Err(Refusal::too_long(8_192, 9_999)),
            Act::BadRequest(message) => return Err(Refusal::bad_request(message, None)),
            Act::Html => Message { content_type: "text/html; charset=utf-8".to_owned(), ..faulted(PAGE) }.into(),
            Act::NotJson if stream => {
                let tongue = self.provider.tongue();
                tongue.lines(vec![tongue.broken()], Outcome::Faulted).into()
            }
            Act::NotJson => faulted(r#"{"id":"chatcmpl-sim","choices":[{"index":0,"mess"#).into(),
            Act::EmptyBody => faulted("").into(),
            Act::ErrorInStream if stream => {
                let frames = vec![self.error_event(model, true)];
                self.provider.tongue().lines(frames, Outcome::Faulted).into()
            }
            Act::ErrorIn200 | Act::ErrorInStream => {
                let body = self.provider.in_success(Refusal::busy(model, None));
                Message::json(200, body.to_string(), Outcome::Faulted).into()
            }
            Act::Hang => Reply::Hang,
            Act::Reset => Reply::Reset,
            Act::Raw { content_type, body, piece } => raw(content_type, body, piece).into(),
            // What is left needs an answer to cut short, and a model list has none.
            _ => Message::json(200, r#"{"object":"list","data":[]}"#, Outcome::Answered).into(),
        })
    }

    fn spent(&self, model: &str) -> Refusal {
        let limit = Limit::requests(1_000, Period::Day);
        Refusal::used_up(
            model,
            &limit,
            1_000,
            1,
            turn_after(Period::Day, self.now),
            self.now,
            self.provider.spec.rate_headers,
        )
    }

    fn error_event(&self, model: &str, first: bool) -> Bytes {
        self.provider.failure(Refusal::busy(model, None), first)
    }
}

/// An act with the request it meets.
struct Scene<'a> {
    stage: &'a Stage<'a>,
    asked: &'a Asked,
    /// Of the model.
    place: usize,
    /// Scripted acts are counted but never refused.
    forced: bool,
}

impl Scene<'_> {
    fn play(&self, act: Act) -> Result<Reply, Refusal> {
        let stage = self.stage;
        let act = match self.said(act) {
            Ok(answer) => return self.answer(&answer).map(Reply::from),
            Err(act) => act,
        };
        match act {
            Act::EmptyStream => Ok(self.empty().into()),
            Act::Cut { after } => self.part(after, End::Cut),
            Act::Stall { after } => self.part(after, End::Stall),
            Act::ErrorAfter { after } => self.part(after, End::Finish),
            act => stage.fault(act, &self.asked.model, self.asked.stream),
        }
    }

    /// The answer an act wants; the act itself when it wants none.
    fn said(&self, act: Act) -> Result<Answer, Act> {
        let salt = hash(self.stage.seed, &[&self.stage.number.to_string()]);
        match act {
            Act::Answer => Ok(self.own_answer()),
            Act::Text(text) => Ok(Answer::text(text, self.asked.max_tokens)),
            Act::Tool { name, arguments } => Ok(Answer::tools([(name, arguments)], salt)),
            Act::Tools(calls) => Ok(Answer::tools(calls, salt)),
            Act::Think { reasoning, then } => self.said(*then).map(|answer| answer.after(reasoning)),
            act => Err(act),
        }
    }

    fn own_answer(&self) -> Answer {
        Answer::to(self.asked, self.stage.seed, &self.stage.provider.spec.id)
    }

    /// A good answer, if the limits have room for it.
    fn answer(&self, answer: &Answer) -> Result<Message, Refusal> {
        let provider = self.stage.provider;
        let cost = Cost { prompt: self.asked.prompt_tokens, answer: answer.tokens };
        let admitted = provider.admit(self.place, cost, self.stage.now, self.forced);
        let headers = provider.rate_headers(self.place, admitted.is_ok().then_some(cost), self.stage.now);
        if let Err(mut refusal) = admitted {
            refusal.headers.extend(headers);
            return Err(refusal);
        }
        let (first, gap) = provider.pace();
        let message = provider.tongue().answer(&self.head(), answer, self.asked);
        let message = if !self.asked.stream {
            let tokens = u32::try_from(answer.tokens).unwrap_or(u32::MAX);
            Message { delay: first + gap.saturating_mul(tokens), ..message }
        } else if provider.is_silent_after_the_head() {
            Message { silence: first, gap, ..message }
        } else {
            Message { delay: first, gap, ..message }
        };
        Ok(message.with(headers))
    }

    fn part(&self, after: usize, end: End) -> Result<Reply, Refusal> {
        let mut message = self.answer(&self.own_answer())?;
        message.outcome = Outcome::Faulted;
        message.end = end;
        if self.asked.stream {
            message.frames.truncate(after);
        } else {
            message.whole = false;
            for frame in &mut message.frames {
                frame.truncate(frame.len() / 2);
            }
        }
        if end == End::Finish {
            message.frames.push(self.stage.error_event(&self.asked.model, after == 0));
        }
        Ok(message.into())
    }

    fn empty(&self) -> Message {
        self.stage.provider.tongue().nothing(&self.head(), self.asked.stream)
    }

    fn head(&self) -> Head<'_> {
        let Asked { model, prompt_tokens, .. } = self.asked;
        Head { number: self.stage.number, created: self.stage.now.as_second(), model, prompt_tokens: *prompt_tokens }
    }
}

/// What the model can do must cover what the request uses.
fn fits(asked: &Asked, model: &ModelSpec) -> Result<(), Refusal> {
    if asked.prompt_tokens > model.context {
        return Err(Refusal::too_long(model.context, asked.prompt_tokens));
    }
    let needs = [
        (asked.thinks, "reasoning", "think"),
        (asked.images, "vision", "messages"),
        (asked.tools, "tools", "tools"),
        (asked.format == Format::Json, "json", "response_format"),
        (matches!(asked.format, Format::Schema(_)), "schema", "response_format"),
    ];
    match needs.into_iter().find(|(needed, feature, _)| *needed && !model.has(feature)) {
        Some((_, feature, param)) => Err(Refusal::lacks(&model.id, feature, param)),
        None => Ok(()),
    }
}

fn scripted_status(status: u16, body: String, headers: Vec<(String, String)>) -> Message {
    let outcome = if status >= 400 { Outcome::Refused(status) } else { Outcome::Faulted };
    let mut message = Message { headers, ..Message::json(status, body, outcome) };
    if let Some(place) = message.headers.iter().position(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        message.content_type = message.headers.swap_remove(place).1;
    }
    message
}

fn raw(content_type: String, body: Vec<u8>, piece: usize) -> Message {
    let body = Bytes::from(body);
    let piece = piece.max(1);
    let frames =
        (0..body.len()).step_by(piece).map(|start| body.slice(start..(start + piece).min(body.len()))).collect();
    Message { content_type, apart: true, ..Message::events(frames, Outcome::Answered) }
}

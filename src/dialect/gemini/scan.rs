//! Turns Google's stream into OpenAI's: chunks as they come; reason, usage and end marker once the stream has ended.

use std::collections::VecDeque;

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::chat::event::Finish;
use crate::chat::{Breakage, Fault, Signs, StreamEvent};
use crate::dialect::Target;
use crate::dialect::sse::{self, Splitter};

use super::answer::{Call, Naming, Said, UsageJson, answer_id, finish, finish_word, usage, usage_json};
use super::classify;
use super::model::Model;
use super::response::{Candidate, Response, UsageMetadata};

const DONE: &[u8] = b"data: [DONE]\n\n";

/// The state of one stream.
#[derive(Debug)]
pub struct Scanner {
    splitter: Splitter,
    /// Complete events as they were cut, not yet looked at.
    cut: VecDeque<Bytes>,
    ready: VecDeque<StreamEvent>,
    /// The model that was asked, by which calls are named.
    asked: String,
    include_usage: bool,
    head: Option<Head>,
    choices: Vec<ChoiceState>,
    /// Why the prompt was refused as a whole.
    block: Option<String>,
    usage: Option<UsageMetadata>,
}

/// What every chunk of a stream repeats.
#[derive(Debug, Clone)]
struct Head {
    id: String,
    created: i64,
    model: String,
}

#[derive(Debug, Default)]
struct ChoiceState {
    index: u32,
    has_begun: bool,
    has_text: bool,
    /// Nothing was said yet, not even a thought.
    is_silent: bool,
    calls: usize,
    /// The reason as Google gave it, with what to tell of a refusal. Older models repeat it on every event: it counts
    /// once the stream has ended.
    end: Option<(String, String)>,
}

#[derive(Serialize)]
struct ChunkJson<'a> {
    id: &'a str,
    object: &'static str,
    created: i64,
    model: &'a str,
    choices: Vec<ChoiceJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageJson>,
}

#[derive(Serialize)]
struct ChoiceJson {
    index: u32,
    delta: Delta,
    logprobs: (),
    finish_reason: Option<&'static str>,
}

#[derive(Default, Serialize)]
struct Delta {
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    #[serde(skip_serializing_if = "String::is_empty")]
    content: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refusal: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reasoning_content: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call>,
}

impl Scanner {
    pub fn new(target: Target<'_>, include_usage: bool) -> Self {
        Self {
            splitter: Splitter::default(),
            cut: VecDeque::new(),
            ready: VecDeque::new(),
            asked: Model::of(target.model).id.to_owned(),
            include_usage,
            head: None,
            choices: Vec::new(),
            block: None,
            usage: None,
        }
    }

    pub fn push(&mut self, frame: Bytes, now: Timestamp) -> Result<(), Fault> {
        self.splitter.push(frame, &mut self.cut).map_err(|sse::TooLarge| Fault::Broken(Breakage::NotJson))?;
        while let Some(event) = self.cut.pop_front() {
            self.look_at(&event, now)?;
        }
        Ok(())
    }

    /// The end is told only now: Google has no end marker, so whatever says that the answer is complete is believed
    /// when the stream is, too.
    pub fn end(&mut self, now: Timestamp) -> Result<(), Fault> {
        if let Some(rest) = self.splitter.take_rest() {
            // The last event may lack its blank line; half a JSON in it means that the stream was cut.
            self.look_at(&rest, now).map_err(|_| Fault::Cut)?;
        }
        if self.ready.iter().any(|event| event.signs.error.is_some()) {
            return Ok(());
        }
        if self.choices.is_empty()
            && let Some(refusal) = self.block.take()
        {
            self.choices.push(ChoiceState { end: Some(("SAFETY".to_owned(), refusal)), ..ChoiceState::new(0) });
        }
        let Some(head) = self.head.clone() else { return Err(Fault::Cut) };
        if self.choices.is_empty() || self.choices.iter().any(|choice| choice.end.is_none()) {
            return Err(Fault::Cut);
        }
        let ends: Vec<(Finish, ChoiceJson)> =
            self.choices.iter_mut().map(ChoiceState::ended).collect::<Result<_, _>>()?;
        let first = ends.first().map(|(finish, _)| *finish);
        let choices = ends.into_iter().map(|(_, choice)| choice).collect();
        self.ready.push_back(StreamEvent {
            bytes: chunk(&head, choices, None),
            signs: Signs { real: true, finish: first, ..Signs::default() },
        });
        if let Some(metadata) = self.usage {
            let signs = Signs { usage_only: true, usage: Some(usage(metadata)), ..Signs::default() };
            let bytes =
                if self.include_usage { chunk(&head, Vec::new(), Some(usage_json(metadata))) } else { Bytes::new() };
            self.ready.push_back(StreamEvent { bytes, signs });
        }
        let signs = Signs { done: true, ..Signs::default() };
        self.ready.push_back(StreamEvent { bytes: Bytes::from_static(DONE), signs });
        Ok(())
    }

    pub fn next_event(&mut self) -> Option<StreamEvent> {
        self.ready.pop_front()
    }

    fn look_at(&mut self, event: &[u8], now: Timestamp) -> Result<(), Fault> {
        let Some(data) = sse::data(event) else {
            // An error that meets the stream before its first event may come as bare JSON.
            if event.trim_ascii_start().starts_with(b"{") || event.trim_ascii_start().starts_with(b"[") {
                let fault = classify::in_band(event, now).ok_or(Fault::Broken(Breakage::NotJson))?;
                self.fail(fault);
            }
            return Ok(());
        };
        if data.trim_ascii() == b"[DONE]" {
            return Ok(());
        }
        let Ok(response) = Response::parse(&data) else {
            let fault = classify::in_band(&data, now).ok_or(Fault::Broken(Breakage::NotJson))?;
            self.fail(fault);
            return Ok(());
        };
        if response.error.is_some() {
            self.fail(classify::in_band(&data, now).unwrap_or(Fault::Broken(Breakage::InBand)));
            return Ok(());
        }
        self.read(response, now);
        Ok(())
    }

    fn fail(&mut self, fault: Fault) {
        let signs = Signs { error: Some(fault), ..Signs::default() };
        self.ready.push_back(StreamEvent { bytes: Bytes::new(), signs });
    }

    fn read(&mut self, mut response: Response<'_>, now: Timestamp) {
        let model = response.model_version.take();
        let id = response.id.take();
        let head = self.head.get_or_insert_with(|| Head {
            id: answer_id(id, now),
            created: now.as_second(),
            model: model.map_or_else(|| self.asked.clone(), std::borrow::Cow::into_owned),
        });
        self.usage = response.usage_metadata.or(self.usage);
        self.block = response.block().or_else(|| self.block.take());
        let mut deltas = Vec::new();
        for candidate in response.candidates.unwrap_or_default() {
            let state = choice_state(&mut self.choices, candidate.index);
            deltas.extend(state.said(candidate, &self.asked, &head.id));
        }
        if !deltas.is_empty() {
            let bytes = chunk(head, deltas, None);
            self.ready.push_back(StreamEvent { bytes, signs: Signs { real: true, ..Signs::default() } });
        }
    }
}

fn choice_state(choices: &mut Vec<ChoiceState>, index: u32) -> &mut ChoiceState {
    let place = choices.iter().position(|choice| choice.index == index).unwrap_or(choices.len());
    if place == choices.len() {
        choices.push(ChoiceState::new(index));
    }
    &mut choices[place]
}

impl ChoiceState {
    fn new(index: u32) -> Self {
        Self { index, is_silent: true, ..Self::default() }
    }

    /// What a candidate adds; `None` where it adds nothing that a caller would see.
    fn said(&mut self, mut candidate: Candidate<'_>, model: &str, answer: &str) -> Option<ChoiceJson> {
        let naming = Naming { model, answer, choice: self.index, calls_before: self.calls, with_index: true };
        let said = Said::of(candidate.content.take(), naming);
        if let Some(reason) = &candidate.finish_reason {
            self.end = Some((reason.clone().into_owned(), candidate.refusal()));
        }
        if said.is_empty() {
            return None;
        }
        self.is_silent = false;
        self.has_text |= !said.text.is_empty();
        self.calls += said.calls.len();
        let delta = Delta {
            role: self.role(),
            content: said.text,
            refusal: None,
            reasoning_content: said.reasoning,
            tool_calls: said.calls,
        };
        Some(ChoiceJson { index: self.index, delta, logprobs: (), finish_reason: None })
    }

    /// The last chunk's part of this choice, or what is wrong with an answer that ended so.
    fn ended(&mut self) -> Result<(Finish, ChoiceJson), Fault> {
        let (reason, refusal) = self.end.take().ok_or(Fault::Cut)?;
        let finish = finish(&reason, self.calls > 0, self.is_silent)?;
        let withheld = finish == Finish::ContentFilter && !self.has_text;
        let delta = Delta { role: self.role(), refusal: withheld.then_some(refusal), ..Delta::default() };
        Ok((finish, ChoiceJson { index: self.index, delta, logprobs: (), finish_reason: Some(finish_word(finish)) }))
    }

    /// On the first chunk only.
    fn role(&mut self) -> Option<&'static str> {
        let is_first = !std::mem::replace(&mut self.has_begun, true);
        is_first.then_some("assistant")
    }
}

fn chunk(head: &Head, choices: Vec<ChoiceJson>, usage: Option<UsageJson>) -> Bytes {
    let chunk = ChunkJson {
        id: &head.id,
        object: "chat.completion.chunk",
        created: head.created,
        model: &head.model,
        choices,
        usage,
    };
    let json = serde_json::to_string(&chunk).expect("strings and numbers serialize");
    Bytes::from(format!("data: {json}\n\n"))
}

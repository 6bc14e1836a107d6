//! A whole answer in OpenAI's shape, or the failure hidden in a success.

use bytes::Bytes;
use jiff::Timestamp;
use serde::Serialize;

use crate::chat::event::Finish;
use crate::chat::{Breakage, Fault};
use crate::dialect::{Target, Whole};

use super::answer::{Call, Naming, Said, UsageJson, answer_id, finish, finish_word, usage, usage_json};
use super::classify;
use super::model::Model;
use super::response::{Candidate, Response};

#[derive(Serialize)]
struct Completion<'a> {
    id: &'a str,
    object: &'static str,
    /// Seconds since 1970.
    created: i64,
    model: &'a str,
    choices: Vec<Choice>,
    #[serde(skip_serializing_if = "Option::is_none")]
    usage: Option<UsageJson>,
}

#[derive(Serialize)]
struct Choice {
    index: u32,
    message: Message,
    logprobs: (),
    finish_reason: &'static str,
    #[serde(skip)]
    finish: Finish,
}

#[derive(Serialize)]
struct Message {
    role: &'static str,
    content: Option<String>,
    refusal: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    reasoning_content: String,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    tool_calls: Vec<Call>,
}

pub fn decode(body: Bytes, target: Target<'_>, now: Timestamp) -> Result<Whole, Fault> {
    if body.trim_ascii().is_empty() {
        return Err(Fault::Broken(Breakage::Empty));
    }
    let Ok(mut response) = Response::parse(&body) else {
        return Err(classify::in_band(&body, now).unwrap_or(Fault::Broken(Breakage::NotJson)));
    };
    if response.error.is_some() {
        return Err(classify::in_band(&body, now).unwrap_or(Fault::Broken(Breakage::InBand)));
    }
    let model = Model::of(target.model).id;
    let id = answer_id(response.id.take(), now);
    let candidates = response.candidates.take().unwrap_or_default();
    let choices = match response.block() {
        // A refusal is an answer, told as OpenAI tells one: never an empty success, and no reason to ask elsewhere.
        Some(refusal) if candidates.is_empty() => vec![blocked(refusal)],
        _ => candidates.into_iter().map(|candidate| choice(candidate, model, &id)).collect::<Result<_, _>>()?,
    };
    let Some(first) = choices.first() else { return Err(Fault::Broken(Breakage::Empty)) };
    let finish = Some(first.finish);
    let metadata = response.usage_metadata;
    let completion = Completion {
        id: &id,
        object: "chat.completion",
        created: now.as_second(),
        model: response.model_version.as_deref().unwrap_or(model),
        choices,
        usage: metadata.map(usage_json),
    };
    let body = serde_json::to_vec(&completion).map_err(|_| Fault::Broken(Breakage::NotJson))?;
    Ok(Whole { body: Bytes::from(body), text: None, usage: metadata.map(usage), finish })
}

fn choice(mut candidate: Candidate<'_>, model: &str, id: &str) -> Result<Choice, Fault> {
    let naming = Naming { model, answer: id, choice: candidate.index, calls_before: 0, with_index: false };
    let said = Said::of(candidate.content.take(), naming);
    let reason = candidate.finish_reason.as_deref().unwrap_or("STOP");
    let finish = finish(reason, !said.calls.is_empty(), said.text.trim().is_empty())?;
    let withheld = finish == Finish::ContentFilter && said.text.is_empty();
    let message = Message {
        role: "assistant",
        content: (!said.text.is_empty() || finish == Finish::Length).then_some(said.text),
        refusal: withheld.then(|| candidate.refusal()),
        reasoning_content: said.reasoning,
        tool_calls: said.calls,
    };
    Ok(Choice { index: candidate.index, message, logprobs: (), finish_reason: finish_word(finish), finish })
}

fn blocked(refusal: String) -> Choice {
    let message = Message {
        role: "assistant",
        content: None,
        refusal: Some(refusal),
        reasoning_content: String::new(),
        tool_calls: Vec::new(),
    };
    let finish = Finish::ContentFilter;
    Choice { index: 0, message, logprobs: (), finish_reason: finish_word(finish), finish }
}

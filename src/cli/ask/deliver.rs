//! Hands over an answer: on stdout or in a file, as text or as a document; and says beside it who gave it.

use std::io;
use std::path::Path;
use std::time::Duration;

use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::answer::{Attempt, trail};
use crate::chat;
use crate::chat::event::Finish;
use crate::chat::tokens::exact;
use crate::cli::args::{Ask, Reasoning};
use crate::cli::exit::{Exit, Trouble};
use crate::cli::output::{Output, dim};
use crate::cli::report;
use crate::clock::millis;
use crate::replace::{self, Readers, replace};

use super::question::Question;
use super::reading::Read;

/// An answer, and how it came about.
pub struct Answered {
    pub route: String,
    pub read: Read,
    pub attempts: Vec<Attempt>,
    pub product: Product,
}

/// What was wanted of the answer.
pub struct Product {
    pub text: String,
    /// With a schema: the JSON that satisfies it.
    pub data: Option<Box<RawValue>>,
}

pub struct Delivery<'a> {
    pub ask: &'a Ask,
    pub json: bool,
    /// The text has been printed already, but for the line feed at its end.
    pub live: bool,
    pub output: Output,
}

/// The document `relay.ask/1` of an answer.
#[derive(Serialize)]
struct Document<'a> {
    schema: &'static str,
    ok: bool,
    text: &'a str,
    finish_reason: Option<&'static str>,
    model_requested: &'a str,
    route: Route<'a>,
    attempts: Vec<Value>,
    usage: Usage,
    timing: Timing,
    reasoning: Option<&'a str>,
    data: Option<&'a RawValue>,
}

#[derive(Serialize)]
struct Route<'a> {
    provider: &'a str,
    model: &'a str,
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    estimated: bool,
}

#[derive(Serialize)]
struct Timing {
    ttft_ms: Option<u64>,
    total_ms: u64,
}

impl Delivery<'_> {
    pub fn deliver(&self, answered: &Answered, question: &Question, took: Duration) -> Result<(), Trouble> {
        let text = &answered.product.text;
        if self.json {
            let document = self.document(answered, question, took);
            self.hand_over(&format!("{}\n", serde_json::to_string(&document).expect("texts and numbers serialize")))?;
        } else if self.live {
            Output::raw(b"\n")?;
        } else {
            self.hand_over(&format!("{}\n", text.trim_end_matches('\n')))?;
        }
        self.tell(answered, took);
        Ok(())
    }

    fn hand_over(&self, text: &str) -> Result<(), Trouble> {
        match self.ask.output_file() {
            Some(path) => write_whole(path, text),
            None => Output::answer(text),
        }
    }

    /// Who answered, for a person who looks on; and what a reader of the answer would not see in it.
    fn tell(&self, answered: &Answered, took: Duration) {
        let cut_short = match answered.read.finish {
            Some(Finish::Length) => Some("the answer ends where its tokens did; --max-tokens allows more"),
            Some(Finish::ContentFilter) => Some("the provider's filter ended the answer"),
            _ => None,
        };
        if let Some(text) = cut_short.filter(|_| !self.json) {
            self.output.notice(text);
        }
        if let Some(cut) = answered.attempts.last().and_then(|last| last.cut.as_deref()) {
            self.output.notice(&format!("cut to fit {}: {cut}", answered.route));
        }
        let line = who_answered(answered, took);
        if self.ask.usage {
            self.output.error(&line);
        } else if !self.json && Output::stdout_is_terminal() {
            self.output.notice(&dim(&line));
        }
    }

    fn document<'d>(&self, answered: &'d Answered, question: &'d Question, took: Duration) -> Document<'d> {
        let Answered { route, read, attempts, product } = answered;
        let (provider, answering) = route.split_once('/').unwrap_or((route, ""));
        let estimate = || chat::Usage {
            prompt_tokens: question.prompt_tokens(),
            completion_tokens: exact(&read.reasoning) + exact(&read.text),
        };
        let usage = read.usage.unwrap_or_else(estimate);
        let shows_reasoning = self.ask.reasoning != Reasoning::Hide && !read.reasoning.is_empty();
        Document {
            schema: "relay.ask/1",
            ok: true,
            text: &product.text,
            finish_reason: read.finish.map(finish_word),
            model_requested: &question.model,
            route: Route { provider, model: answering },
            attempts: attempts.iter().map(report::attempt).collect(),
            usage: Usage {
                prompt_tokens: usage.prompt_tokens,
                completion_tokens: usage.completion_tokens,
                estimated: read.usage.is_none(),
            },
            timing: Timing { ttft_ms: read.first_token.map(millis), total_ms: millis(took) },
            reasoning: shows_reasoning.then_some(&read.reasoning),
            data: product.data.as_deref(),
        }
    }
}

fn who_answered(answered: &Answered, took: Duration) -> String {
    let Answered { route, read, attempts, .. } = answered;
    let usage = read
        .usage
        .map_or(String::new(), |usage| format!("  {} in, {} out", usage.prompt_tokens, usage.completion_tokens));
    let skipped = trail(attempts);
    let skipped = if skipped.is_empty() { skipped } else { format!("  (skipped: {skipped})") };
    format!("{route}  {:.1}s{usage}{skipped}", took.as_secs_f64())
}

/// Makes sure that an answer can be written there, before anybody is asked for one.
pub fn refuse_unwritable(path: &Path) -> Result<(), Trouble> {
    replace::check(path).map_err(|error| unwritable(path, &error))
}

fn write_whole(path: &Path, text: &str) -> Result<(), Trouble> {
    replace(path, text.as_bytes(), Readers::Of(path)).map_err(|error| unwritable(path, &error))
}

/// The reason alone: the name that the new file would have tells nobody anything.
fn unwritable(path: &Path, error: &io::Error) -> Trouble {
    let reason = if error.get_ref().is_some() { error.kind().to_string() } else { error.to_string() };
    Trouble::new(Exit::Io, format!("`{}` cannot be written: {reason}", path.display()))
}

fn finish_word(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
        Finish::Failed => "error",
    }
}

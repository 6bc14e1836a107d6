//! The work of a batch: each line sent until it has an answer, several at a time, waiting for quota in between.

use std::cell::RefCell;
use std::sync::Arc;
use std::time::Duration;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde_json::value::RawValue;

use crate::answer::{Body, with_meta};
use crate::chat::{ChatRequest, Usage};
use crate::cli::args::Ask;
use crate::cli::ask::{Answerer, options};
use crate::cli::exit::{Exit, Trouble};
use crate::cli::output::Output;
use crate::clock::Clock;
use crate::relay::request_id;

use super::line::{Fields, Line, Mistake, Outcome, RESULT, Response};
use super::progress::Tally;
use super::results::{Ids, Writer};
use super::source::{Numbered, Source};

/// While quota is waited for, what may have changed is looked at this often.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Where a refusal does not say until when.
const USUAL_WAIT: Duration = Duration::from_secs(5);

/// A provider that is down for a moment must not cost a line: pauses before it is tried again.
const PAUSES: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(4)];

/// Of lines that are no requests so many are told one by one.
const MOST_TOLD: u64 = 20;

pub struct Work<'a> {
    pub ask: &'a Ask,
    pub answerer: Answerer<'a>,
    pub fields: &'a Fields,
    pub writer: &'a Writer,
    /// Answered in earlier runs.
    pub answered: Ids,
    /// How long one request may take, waiting for quota apart.
    pub limit: Duration,
    pub output: Output,
    pub tally: Tally,
}

struct Answer {
    request_id: Arc<str>,
    body: Box<RawValue>,
}

impl Work<'_> {
    /// Returns when every line has its outcome.
    pub async fn all(&self, source: Source) -> Result<(), Trouble> {
        let seen = RefCell::new(Ids::new());
        let lines = stream::unfold(source.coming, async |mut coming| Some((coming.recv().await?, coming)));
        let lines = lines
            .map(|line| line.map_err(|error| Trouble::new(Exit::Io, format!("the batch cannot be read on: {error}"))));
        let wanted = lines.try_filter_map(|line| std::future::ready(Ok(self.wanted(line, &mut seen.borrow_mut()))));
        wanted.try_for_each_concurrent(usize::from(self.ask.jobs), |line| self.answer(line)).await
    }

    /// The line, if it is to be sent.
    fn wanted(&self, (number, text): Numbered, seen: &mut Ids) -> Option<Line> {
        let line = match Line::read(number, &text, self.fields) {
            Ok(line) => line,
            Err(wrong) => {
                self.refuse(number, &format!("{wrong:#}"));
                return None;
            }
        };
        if self.answered.contains(&line.custom_id) {
            self.tally.skip();
            return None;
        }
        if !seen.insert(&line.custom_id) {
            self.refuse(number, &format!("has the id `{}` of an earlier line", line.custom_id));
            return None;
        }
        Some(line)
    }

    fn refuse(&self, number: u64, wrong: &str) {
        if self.tally.refuse() <= MOST_TOLD {
            self.tally.above_the_bar(|| self.output.error(&format!("line {number} {wrong}")));
        }
    }

    async fn answer(&self, line: Line) -> Result<(), Trouble> {
        let outcome = match &line.request {
            Ok(request) => self.answered(request).await,
            Err(wrong) => Err(Trouble::new(Exit::BadInput, format!("line {}: {wrong:#}", line.number))),
        };
        let id = format!("{RESULT}{}", request_id(Clock::system().now()));
        let custom_id = line.custom_id.as_str();
        let written = match &outcome {
            Ok(answer) => {
                let response = Response { status_code: 200, request_id: &answer.request_id, body: &answer.body };
                self.write(&Outcome { id, custom_id, response: Some(response), error: None })
            }
            Err(trouble) => {
                let error = Mistake { code: trouble.exit.word(), message: &trouble.message };
                self.write(&Outcome { id, custom_id, response: None, error: Some(error) })
            }
        };
        match outcome {
            Ok(_) => self.tally.answer(self.relay()),
            Err(trouble) => self.tally.fail(&trouble),
        }
        // What cannot be written is told with its reason when the writer is closed.
        if written { Ok(()) } else { Err(Trouble::new(Exit::Io, "the results cannot be written".to_owned())) }
    }

    fn relay(&self) -> Option<&crate::relay::Relay> {
        if let Answerer::Routes(relay) = &self.answerer { Some(relay) } else { None }
    }

    fn write(&self, outcome: &Outcome<'_>) -> bool {
        let mut line = serde_json::to_vec(outcome).expect("texts, numbers and JSON serialize");
        line.push(b'\n');
        self.writer.push(line)
    }

    /// Sends until there is an answer: as long as it takes where quota is the matter, a few times where something broke.
    async fn answered(&self, request: &ChatRequest) -> Result<Answer, Trouble> {
        let mut patience = self.ask.wait;
        let mut pauses = PAUSES.into_iter();
        loop {
            let trouble = match self.send(request).await {
                Ok(answer) => return Ok(answer),
                Err(trouble) => trouble,
            };
            let pause = match trouble.exit {
                Exit::OutOfQuota => {
                    let wait = trouble.retry_after_s.map_or(USUAL_WAIT, Duration::from_secs);
                    match &mut patience {
                        Some(left) if wait > *left => return Err(trouble),
                        Some(left) => *left -= wait.min(LOOK_AGAIN),
                        None => {}
                    }
                    self.tally.wait(wait);
                    wait.min(LOOK_AGAIN)
                }
                Exit::Unavailable | Exit::TimedOut if !self.ask.no_failover => match pauses.next() {
                    Some(pause) => pause,
                    None => return Err(trouble),
                },
                _ => return Err(trouble),
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn send(&self, request: &ChatRequest) -> Result<Answer, Trouble> {
        let mut options = options(self.ask, None);
        options.max_wait = Some(Duration::ZERO);
        let sending = async {
            let (body, usage) = match &self.answerer {
                Answerer::Routes(relay) => {
                    let answer = relay.send(request, &options).await;
                    let answer = answer.map_err(|failure| Trouble::of_failure(*failure, relay.clock.now()))?;
                    let Body::Whole(whole) = &answer.body else {
                        return Err(Trouble::new(
                            Exit::Internal,
                            "a plain request was answered by a stream".to_owned(),
                        ));
                    };
                    (with_meta(&whole.body, &answer.meta(relay.fleet.route(answer.route))), whole.usage)
                }
                Answerer::Gateway(remote) => {
                    let answer = remote.send_whole(request, &options).await.map_err(Trouble::of_refusal)?;
                    (answer.body, None)
                }
            };
            self.note(usage);
            Ok(Answer { request_id: Arc::clone(&options.request_id), body: one_line(&body)? })
        };
        let late = || Trouble::new(Exit::TimedOut, format!("no answer within {:?}", self.limit));
        tokio::time::timeout(self.limit, sending).await.unwrap_or_else(|_| Err(late()))
    }

    fn note(&self, usage: Option<Usage>) {
        if let Some(usage) = usage {
            self.tally.note_usage(usage);
        }
    }
}

/// JSON without line feeds: in valid JSON they stand between its tokens alone.
fn one_line(json: &[u8]) -> Result<Box<RawValue>, Trouble> {
    let spaced = json.iter().map(|byte| if matches!(byte, b'\n' | b'\r') { b' ' } else { *byte });
    let text = String::from_utf8(spaced.collect()).ok();
    text.and_then(|text| RawValue::from_string(text).ok())
        .ok_or_else(|| Trouble::new(Exit::Unavailable, "the answer is not JSON".to_owned()))
}

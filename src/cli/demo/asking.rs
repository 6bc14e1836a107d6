//! One question of the demo, sent as any request is, with everything that happened to it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::{Value, json};

use crate::answer::{Attempt, Body};
use crate::chat::{ChatRequest, Chunk};
use crate::cli::exit::{Exit, Trouble};
use crate::cli::report;
use crate::cli::setup::Core;
use crate::clock::millis;
use crate::dialect::sse;
use crate::relay::Options;

use super::story::{Chapter, Question};

/// A shorter time until something is sent is no wait.
const WAIT: Duration = Duration::from_millis(150);

/// What became of one question.
pub struct Told {
    pub question: &'static str,
    pub text: String,
    /// In their order; the last one's route finished the answer.
    pub attempts: Vec<Attempt>,
    /// Until anybody was asked, because nobody had quota left.
    pub waited: Option<Duration>,
    pub took: Duration,
}

impl Told {
    pub fn route(&self) -> &str {
        self.attempts.last().map_or("", |attempt| &attempt.route)
    }

    pub fn failures(&self) -> usize {
        self.attempts.iter().filter(|attempt| attempt.fault.is_some()).count()
    }

    pub fn to_json(&self) -> Value {
        json!({
            "question": self.question,
            "answer": self.text,
            "route": self.route(),
            "attempts": self.attempts.iter().map(report::attempt).collect::<Vec<_>>(),
            "waited_ms": self.waited.map(millis),
            "total_ms": millis(self.took),
        })
    }
}

pub async fn ask(core: &Core, number: usize, chapter: &Chapter, question: &Question) -> Result<Told, Trouble> {
    let messages = json!([{ "role": "user", "content": question.text }]);
    let body = json!({ "model": question.model, "stream": true, "messages": messages });
    let request =
        ChatRequest::parse(Bytes::from(body.to_string())).map_err(|bad| Trouble::new(Exit::Internal, bad.message))?;
    let started = Instant::now();
    let first_sent: Arc<Mutex<Option<Duration>>> = Arc::default();
    let note = Arc::clone(&first_sent);
    let options = Options {
        request_id: format!("demo-{number}").into(),
        strategy: Some(chapter.strategy),
        avoid: question.avoid.iter().map(|provider| (*provider).to_owned()).collect(),
        on_attempt: Some(Arc::new(move |_: &str| {
            note.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert_with(|| started.elapsed());
        })),
        ..Options::default()
    };
    let sent = core.relay.send(&request, &options).await;
    let mut answer = sent.map_err(|failure| Trouble::of_failure(*failure, core.relay.clock.now()))?;
    let text = read(&mut answer.body, &mut answer.attempts).await?;
    let waited = *first_sent.lock().unwrap_or_else(PoisonError::into_inner);
    Ok(Told {
        question: question.text,
        text,
        attempts: answer.attempts,
        waited: waited.filter(|waited| *waited >= WAIT),
        took: started.elapsed(),
    })
}

/// The text to its end, and every attempt where more than one route wrote it.
async fn read(body: &mut Body, attempts: &mut Vec<Attempt>) -> Result<String, Trouble> {
    let mut text = String::new();
    let Body::Stream(stream) = body else { return Ok(text) };
    while let Some(event) = stream.next().await {
        let event = event.map_err(|fault| {
            Trouble::new(Exit::Unavailable, format!("the demo's story broke off: {}", fault.word()))
        })?;
        if let Some(data) = sse::data(&event.bytes)
            && let Ok(chunk) = Chunk::parse(&data)
        {
            text.push_str(&chunk.text().unwrap_or_default());
        }
    }
    if let Some(all) = stream.attempts() {
        *attempts = all.to_vec();
    }
    Ok(text)
}

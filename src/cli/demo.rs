//! `relay demo`: the real core over simulated providers, telling what it does. No key, no network, no file.

use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use comfy_table::{CellAlignment, Table, presets};
use jiff::Timestamp;
use serde_json::json;

use crate::answer::{Attempt, Body};
use crate::chat::{ChatRequest, Chunk, Fault};
use crate::clock::Clock;
use crate::config::{Environment, Flags};
use crate::dialect::sse;
use crate::relay::Options;
use crate::routing::Strategy;

use super::args::{Demo, Global};
use super::exit::{Exit, Trouble};
use super::output::{Output, bold, dim};
use super::report;
use super::setup::{self, Core, Verify};

const QUESTIONS: [&str; 8] = [
    "Why is the sky blue?",
    "What is the capital of France?",
    "What is 2+2?",
    "Write a haiku about the sea.",
    "How fast is light?",
    "What is the difference between TCP and UDP?",
    "Why are there tides?",
    "Tell me a joke.",
];

/// Between two questions, so that a person can follow.
const PAUSE: Duration = Duration::from_millis(350);

pub async fn run(demo: &Demo, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let clock = Clock::system();
    let simulator = setup::start_simulator(crate::sim::Scenario::demo(), demo.seed, clock.clone()).await?;
    let flags = Flags { no_config: true, ..Flags::default() };
    let mut core = setup::core_over(Some(simulator), flags, environment, output, Verify::Nothing, clock).await?;
    let providers = core.relay.fleet.provider_ids().join(", ");
    if !global.wants_json() {
        output.result(&format!(
            "{} simulated providers answer on this machine: {providers}\n",
            core.relay.fleet.provider_ids().len()
        ))?;
        output.result("Their limits are real, and so are their failures. Watch relay find a way around them.\n")?;
    }
    for (number, question) in (1..).zip(QUESTIONS) {
        show(&core, number, question, global.wants_json(), output).await?;
        if !demo.fast && !global.wants_json() {
            tokio::time::sleep(PAUSE).await;
        }
    }
    if !global.wants_json() {
        output.result(&usage(&core))?;
        output.result(
            "\nNext: relay serve --simulate   |   set a provider's key and relay ask \"hello\" (README.md)\n",
        )?;
    }
    match core.simulator.take() {
        Some(simulator) => simulator.stop().await,
        None => return Err(Trouble::new(Exit::Internal, "the demo ran without its simulator".to_owned())),
    }
    Ok(())
}

/// What became of one question.
struct Told {
    text: String,
    route: Arc<str>,
    attempts: Vec<Attempt>,
}

/// Asks one question and tells who answered, after what.
async fn show(core: &Core, number: usize, question: &str, as_json: bool, output: Output) -> Result<(), Trouble> {
    let started = Instant::now();
    let Told { text, route, attempts } = ask(core, number, question).await?;
    if as_json {
        let attempts: Vec<_> = attempts.iter().map(report::attempt).collect();
        let line = json!({ "question": question, "answer": text, "route": &*route, "attempts": attempts });
        return output.result(&format!("{line}\n"));
    }
    let mut story = format!("\n{}\n", bold(&format!("{number}. {question}")));
    for attempt in &attempts {
        if let Some(fault) = &attempt.fault {
            story.push_str(&dim(&format!("   {} {}, moving on", attempt.route, in_words(fault))));
            story.push('\n');
        }
    }
    story.push_str(&format!("   {}\n", text.trim().replace('\n', " / ")));
    story.push_str(&dim(&format!("   answered by {route} in {} ms\n", started.elapsed().as_millis())));
    output.result(&story)
}

/// Asks until an answer comes through to its end.
async fn ask(core: &Core, number: usize, question: &str) -> Result<Told, Trouble> {
    let body = json!({ "model": "meta-model", "stream": true, "messages": [{ "role": "user", "content": question }] });
    let request =
        ChatRequest::parse(Bytes::from(body.to_string())).map_err(|bad| Trouble::new(Exit::Internal, bad.message))?;
    // Each provider in its turn, so that each part of the story is told.
    let strategy = Some(Strategy::RoundRobin);
    // A stream that breaks off is asked for anew, so that the failover is told.
    let mut options =
        Options { request_id: format!("demo-{number}"), strategy, no_continuation: true, ..Options::default() };
    let mut attempts = Vec::new();
    loop {
        let sent = core.relay.send(&request, &options).await;
        let answer = sent.map_err(|failure| Trouble::of_failure(*failure, core.relay.clock.now()))?;
        let route = Arc::clone(&answer.route.name);
        attempts.extend(answer.attempts);
        match read(answer.body).await {
            Ok(text) => return Ok(Told { text, route, attempts }),
            Err(fault) => {
                if let Some(last) = attempts.last_mut() {
                    last.fault = Some(fault);
                }
                options.avoid.push(route.to_string());
            }
        }
    }
}

async fn read(body: Body) -> Result<String, Fault> {
    let mut text = String::new();
    let Body::Stream(mut stream) = body else { return Ok(text) };
    while let Some(event) = stream.next().await {
        let event = event?;
        if let Some(data) = sse::data(&event.bytes)
            && let Ok(chunk) = Chunk::parse(&data)
        {
            text.push_str(&chunk.text().unwrap_or_default());
        }
    }
    Ok(text)
}

fn in_words(fault: &Fault) -> String {
    match fault {
        Fault::Busy { .. } => "has had its requests for this minute (429)".to_owned(),
        Fault::Spent { .. } => "has had its requests for today (429)".to_owned(),
        Fault::Cut => "broke off in the middle of its answer".to_owned(),
        Fault::Broken(_) => "dropped the connection before its first word".to_owned(),
        other => format!("failed ({})", other.word()),
    }
}

/// What each route did, and what is left of its tightest limit.
fn usage(core: &Core) -> String {
    let relay = &core.relay;
    let snapshot = relay.snapshot();
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(["ROUTE", "OK", "429", "FAILED", "TIGHTEST LIMIT"]);
    // A store in memory always can.
    let totals = relay.store().totals(Timestamp::MIN).unwrap_or_default();
    for (route, totals) in relay.fleet.routes.iter().zip(&totals) {
        if totals.ok + totals.rate_limited + totals.errors == 0 {
            continue;
        }
        let tightest = route.meters.iter().map(|meter| (*meter, snapshot.reading(*meter))).max_by(|(_, a), (_, b)| {
            (u128::from(a.used) * u128::from(b.limit)).cmp(&(u128::from(b.used) * u128::from(a.limit)))
        });
        let tightest = tightest.map_or_else(
            || "no published limit".to_owned(),
            |(meter, reading)| {
                format!("{} of {} {}", reading.used, reading.limit, relay.fleet.meter_spec(meter).limit.label())
            },
        );
        table.add_row([
            route.name.to_string(),
            totals.ok.to_string(),
            totals.rate_limited.to_string(),
            totals.errors.to_string(),
            tightest,
        ]);
    }
    for column in 1..=3 {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let answered: u64 = totals.iter().map(|totals| totals.ok).sum();
    let failed: u64 = totals.iter().map(|totals| totals.rate_limited + totals.errors).sum();
    format!("\n{table}\n\n{answered} of {} questions answered, {failed} failures on the way.\n", QUESTIONS.len())
}

//! `relay ask --explain`: what would become of the request, and why. The document of `POST /v1/route`, or tables of it.

use jiff::Timestamp;
use serde_json::Value;

use crate::chat::ChatRequest;
use crate::clock::{seconds_up, until};
use crate::quota::Source;
use crate::relay::{Failure, Options, Relay, Remote};
use crate::routing::Explanation;
use crate::routing::explain::{CandidateStory, RejectionStory, RouteStory};
use crate::routing::gate::{Amount, Gate};

use super::args::{Global, OutputFormat};
use super::exit::{Trouble, span};
use super::output::{Output, bold};
use super::table;

const HEADER: [&str; 12] = [
    "verdict",
    "place",
    "provider",
    "model",
    "price",
    "reason",
    "until",
    "gate",
    "used",
    "needed",
    "limit",
    "resets_at",
];

/// What this process's own routes would do.
pub async fn run(
    relay: &Relay,
    request: &ChatRequest,
    options: &Options,
    global: &Global,
    output: Output,
) -> Result<(), Trouble> {
    let now = relay.clock.now();
    let explained = relay
        .explain(request, options)
        .await
        .map_err(|fault| Trouble::of_failure(Failure { fault, attempts: Vec::new(), rejections: Vec::new() }, now))?;
    tell(&explained, global, output)
}

/// What a gateway would do that runs already.
pub async fn run_via(
    remote: &Remote,
    request: &ChatRequest,
    options: &Options,
    global: &Global,
    output: Output,
) -> Result<(), Trouble> {
    tell(&remote.explain(request, options).await.map_err(Trouble::of_refusal)?, global, output)
}

fn tell(explained: &Explanation, global: &Global, output: Output) -> Result<(), Trouble> {
    let text = match table::format(global) {
        OutputFormat::Table => human(explained),
        OutputFormat::Plain | OutputFormat::Line => table::plain(&rows(explained)),
        OutputFormat::Csv => table::csv(HEADER, &rows(explained)),
        OutputFormat::Ndjson => table::ndjson(&documents(explained)),
        OutputFormat::Json => format!("{}\n", serde_json::to_string(explained).expect("texts and numbers serialize")),
    };
    output.result(&text)
}

/// One document a route: the candidates in their order, then the others.
fn documents(explained: &Explanation) -> Vec<Value> {
    let document = |verdict: &str, story: Value| {
        let mut story = story;
        story["verdict"] = verdict.into();
        story
    };
    let candidates = explained.candidates.iter().map(|story| document("try", serde_json::json!(story)));
    let rejections = explained.rejections.iter().map(|story| document(word(story), serde_json::json!(story)));
    candidates.chain(rejections).collect()
}

fn rows(explained: &Explanation) -> Vec<[String; 12]> {
    let candidates = explained.candidates.iter().map(|story| {
        let first = ["try".to_owned(), story.place.to_string()];
        row(first, &story.route, format!("{:.3}", story.price), [String::new(), String::new()], binding(story))
    });
    let rejections = explained.rejections.iter().map(|story| {
        let why = [story.code.to_string(), moment(story.until)];
        row([word(story).to_owned(), String::new()], &story.route, String::new(), why, shut(story))
    });
    candidates.chain(rejections).collect()
}

fn row(first: [String; 2], route: &RouteStory, price: String, why: [String; 2], gate: Option<&Gate>) -> [String; 12] {
    let [verdict, place] = first;
    let [reason, until] = why;
    let (provider, model) = (route.provider.clone(), route.model.clone());
    let [used, needed, limit] = gate.map(numbers).unwrap_or_default();
    let name = gate.map(|gate| gate.gate.clone()).unwrap_or_default();
    let resets = moment(gate.and_then(|gate| gate.resets_at));
    [verdict, place, provider, model, price, reason, until, name, used, needed, limit, resets]
}

/// Whether time helps.
const fn word(story: &RejectionStory) -> &'static str {
    if story.until.is_some() { "wait" } else { "never" }
}

/// The dearest limit of a candidate. Of two with one name, of the model and of the account, the one with less left.
fn binding(story: &CandidateStory) -> Option<&Gate> {
    let named = story.gates.iter().filter(|gate| story.price_parts.binding.as_ref() == Some(&gate.gate));
    named.min_by_key(|gate| gate.remaining.map(|amount| amount.amount))
}

/// The gate that keeps a route away the longest.
fn shut(story: &RejectionStory) -> Option<&Gate> {
    story.gates.iter().filter(|gate| !gate.fits).max_by_key(|gate| gate.fits_at)
}

fn numbers(gate: &Gate) -> [String; 3] {
    [gate.used, gate.needed, gate.limit].map(|amount| amount.map(|amount| number(&amount)).unwrap_or_default())
}

fn number(amount: &Amount) -> String {
    serde_json::to_string(amount).expect("a number serializes")
}

fn moment(moment: Option<Timestamp>) -> String {
    moment.map(|moment| moment.to_string()).unwrap_or_default()
}

fn human(explained: &Explanation) -> String {
    let mut text = String::new();
    if !explained.candidates.is_empty() {
        let rows = explained.candidates.iter().flat_map(|story| candidate_rows(story, explained.as_of)).collect();
        text += &table::human(["", "ROUTE", "PRICE", "USED", "NEEDS", "LIMIT", "RESETS"], rows, &[0, 2, 3, 4, 5, 6]);
        text.push('\n');
    }
    if !explained.rejections.is_empty() {
        let rows = explained.rejections.iter().map(|story| {
            let [used, needed, limit] = shut(story).map(numbers).unwrap_or_default();
            let free = story.until.map(|moment| wait(explained.as_of, moment)).unwrap_or_default();
            [story.route.route.clone(), story.text.clone(), used, needed, limit, free]
        });
        text += &table::human(["LEFT OUT", "WHY", "USED", "NEEDS", "LIMIT", "FREE IN"], rows.collect(), &[2, 3, 4, 5]);
        text.push('\n');
    }
    text + &conversation(explained) + &verdict(explained) + "\n"
}

/// What is done about the conversation, where there is something to tell.
fn conversation(explained: &Explanation) -> String {
    let mut text = String::new();
    let (context, input) = (&explained.context, explained.request.input_tokens);
    if let Some(most) = context.cut_to_tokens {
        let mode = context.acts.as_ref().unwrap_or(&context.mode);
        text.push_str(&format!("context: {mode} cuts {input} tokens to {most} at most\n"));
    }
    match &explained.session.stays_with {
        Some(route) => text.push_str(&format!("session: {route} answered it last\n")),
        None if explained.session.named => text.push_str("session: it stays with the route that answers first\n"),
        None => {}
    }
    text
}

/// The route, and below it each limit it passes; an arrow marks the one its price comes from.
fn candidate_rows(story: &CandidateStory, now: Timestamp) -> Vec<[String; 7]> {
    let none = String::new;
    let price = format!("{:.1}s", story.price);
    let mut rows = vec![[story.place.to_string(), story.route.route.clone(), price, none(), none(), none(), none()]];
    rows.push([none(), format!("  {}", story.because), none(), none(), none(), none(), none()]);
    for gate in story.gates.iter().filter(|gate| gate.limit.is_some()) {
        let [used, needed, limit] = numbers(gate);
        let arrow = if binding(story).is_some_and(|binding| std::ptr::eq(binding, gate)) { " <-" } else { "" };
        let resets = gate.resets_at.map(|moment| wait(now, moment)).unwrap_or_default();
        let told = if gate.gate == "context" && gate.source == Some(Source::Error) { ", as it told" } else { "" };
        rows.push([none(), format!("  {}{told}{arrow}", gate.gate), none(), used, needed, limit, resets]);
    }
    rows
}

/// The verdict in a line.
fn verdict(explained: &Explanation) -> String {
    let word = bold(explained.verdict.word());
    match (&explained.route, explained.until) {
        (Some(route), _) => format!("{word} {route}: {}", explained.because),
        (None, Some(moment)) => format!("{word} {}: {}", wait(explained.as_of, moment), explained.because),
        (None, None) => format!("{word}: {}", explained.because),
    }
}

/// How long it is to a moment, rounded up.
fn wait(now: Timestamp, moment: Timestamp) -> String {
    span(seconds_up(until(now, moment)))
}

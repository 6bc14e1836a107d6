//! What it costs to cut a long conversation: 2,000 messages, 200,000 tokens, into a context of 8,192. The first turn reads all of
//! it; each later one what is new.
//!
//! `cargo bench --bench context`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::ops::Range;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use relay::chat::{ChatRequest, fields, tokens};
use relay::context::{Dynamic, Limits, Memory, Mode, Room, chain, fit};
use serde_json::json;

const MESSAGES: usize = 2_000;
/// Later turns, two messages each.
const TURNS: usize = 60;
/// What a context of 8,192 leaves beside an answer of 1,024.
const BUDGET: u64 = 8_192 - 1_024;

const SUBJECTS: [&str; 12] = [
    "harbour", "ledger", "window", "engine", "market", "bridge", "station", "library", "orchard", "compass", "railway",
    "fountain",
];

fn main() {
    let bodies: Vec<ChatRequest> = (0..=TURNS).map(|turn| request(MESSAGES + 2 * turn)).collect();
    let text = bodies[0].raw("messages").unwrap_or_default();
    println!("{MESSAGES} messages, {} KB, {} tokens, into {BUDGET}", text.len() / 1_000, tokens::exact(text));
    println!("{:12} {:>12} {:>10} {:>10} {:>10}", "mode", "first turn", "p50", "p99", "sent");
    for (name, mode) in Mode::NAMES.into_iter().filter(|(_, mode)| *mode != Mode::Off) {
        let limits = Limits {
            mode,
            static_recent_keep: 10,
            dynamic: Dynamic { utilization_target: 0.8, min_utilization: 0.3, max_boost: 1.5 },
            reservoir_recent_keep: 15,
            reservoir_summary_budget: 400,
        };
        let mut memory = Memory::default();
        let (first, _) = turn(&mut memory, &bodies[0], &limits);
        let later: Vec<(Duration, u64)> = bodies[1..].iter().map(|body| turn(&mut memory, body, &limits)).collect();
        let mut times: Vec<Duration> = later.iter().map(|(time, _)| *time).collect();
        times.sort_unstable();
        println!(
            "{name:12} {first:>12.1?} {:>10.1?} {:>10.1?} {:>10}",
            times[TURNS / 2],
            times[TURNS * 99 / 100],
            later[0].1
        );
    }
}

/// Everything a turn takes from the raw list of messages to the shorter one. What it took, and the tokens that are sent.
fn turn(memory: &mut Memory, request: &ChatRequest, limits: &Limits) -> (Duration, u64) {
    let started = Instant::now();
    let raw = request.raw("messages").unwrap_or_default();
    let places: Vec<Range<usize>> = fields::places(raw).expect("a list");
    let messages: Vec<&str> = places.iter().map(|place| &raw[place.clone()]).collect();
    let digest = Arc::new(memory.take(chain(&messages)).complete(&messages));
    memory.put(Arc::clone(&digest));
    let history = memory.history(1);
    let room = Room { budget: BUDGET, limits, history: &history, begins_with_user: true };
    let fitted = fit(&digest, &messages, room).expect("it fits");
    memory.note_turn(1, fitted.tokens);
    let tokens = fitted.tokens;
    black_box(request.with_messages(&fitted.messages));
    (started.elapsed(), tokens)
}

fn request(count: usize) -> ChatRequest {
    let messages: Vec<_> = (0..count).map(message).collect();
    ChatRequest::parse(Bytes::from(json!({ "messages": messages }).to_string())).expect("a valid body")
}

/// About a hundred tokens, never twice the same.
fn message(number: usize) -> serde_json::Value {
    let subject = |place: usize| SUBJECTS[(number * 7 + place * place * 5 + number / 12) % SUBJECTS.len()];
    let sentence = |place: usize| {
        let (a, b, c) = (subject(place), subject(place + 1), subject(place + 3));
        format!(
            "Item {number}.{place}: the {a} beside the {b} was moved to the {c} of Trondheim on day {}. ",
            number % 31
        )
    };
    let role = if number.is_multiple_of(2) { "user" } else { "assistant" };
    json!({ "role": role, "content": (0..4).map(sentence).collect::<String>() })
}

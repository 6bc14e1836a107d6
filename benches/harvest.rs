//! How many answers come out of the same free tiers: simulated days over real-shaped limits, as a share of what anybody could have got.
//!
//! `cargo bench --bench harvest -- --quick` plays two hours; a word in its place picks the plays that have it in their name.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "harvest/bound.rs"]
mod bound;
#[path = "harvest/fleet.rs"]
mod fleet;
#[path = "harvest/play.rs"]
mod play;
#[path = "harvest/trace.rs"]
mod trace;

use relay::routing::Strategy;

use fleet::Truth;
use play::Outcome;
use trace::Trace;

const SEED: u64 = 7;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let hours = if words.iter().any(|word| word == "--quick") { 2 } else { 24 };
    let wanted = words.iter().find(|word| !word.starts_with("--"));
    for (name, trace, truth) in plays(hours) {
        if wanted.is_some_and(|word| !name.contains(word.as_str())) {
            continue;
        }
        let specs = fleet::fleet(truth, SEED);
        let bound = bound::bound(&specs, &trace);
        println!(
            "\n{name}: {} requests; at best {:.0} answers and {:.0} tokens",
            trace.asked(),
            bound.requests,
            bound.tokens
        );
        println!(
            "{:12} {:>8} {:>8} {:>12} {:>9} {:>9}",
            "strategy", "answers", "tokens", "refused/1000", "wait p50", "wait p95"
        );
        for (name, strategy) in Strategy::NAMES {
            let outcome = play::play(&specs, &trace, strategy);
            line(name, &outcome, &bound);
        }
    }
}

/// Name, traffic, and how far the documents are from the truth.
fn plays(hours: u32) -> Vec<(&'static str, Trace, Truth)> {
    vec![
        ("mixed sizes, documents right", Trace::open(hours, 110, SEED), Truth::AsDocumented),
        ("mixed sizes, a third of the limits wrong", Trace::open(hours, 110, SEED), Truth::AThirdWrong),
        ("calm, documents right", Trace::open(hours, 40, SEED), Truth::AsDocumented),
        ("closed loop, documents right", Trace::closed(hours.min(6), 48), Truth::AsDocumented),
        ("closed loop, a third of the limits wrong", Trace::closed(hours.min(6), 48), Truth::AThirdWrong),
    ]
}

#[expect(clippy::cast_precision_loss, reason = "shares of counts far below 2^52")]
fn line(name: &str, outcome: &Outcome, bound: &bound::Bound) {
    println!(
        "{name:12} {:>6.1} % {:>6.1} % {:>12.1} {:>7.1} s {:>7.1} s",
        100.0 * outcome.answers as f64 / bound.requests,
        100.0 * outcome.tokens as f64 / bound.tokens,
        1_000.0 * outcome.refused as f64 / outcome.calls.max(1) as f64,
        outcome.wait(0.5),
        outcome.wait(0.95),
    );
}

//! How many answers come out of the same free tiers: simulated days over real-shaped limits, as a share of what anybody could have got.
//!
//! `cargo bench --bench harvest -- --quick` plays two hours; a strategy's name plays that one alone, another word the plays
//! that have it in their name.

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

use fleet::{Keys, Truth};
use play::Outcome;
use trace::Trace;

const SEED: u64 = 7;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let hours = if words.iter().any(|word| word == "--quick") { 2 } else { 24 };
    let is_strategy = |word: &str| Strategy::NAMES.iter().any(|(name, _)| *name == word);
    let wanted = words.iter().find(|word| !word.starts_with("--") && !is_strategy(word));
    let strategy = words.iter().find(|word| is_strategy(word));
    for (name, keys, trace, truth) in plays(hours) {
        if wanted.is_some_and(|word| !name.contains(word.as_str())) {
            continue;
        }
        let specs = fleet::fleet(keys, truth, SEED);
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
        for (name, strategy) in Strategy::NAMES.into_iter().filter(|(name, _)| strategy.is_none_or(|only| only == name))
        {
            let outcome = play::play(&specs, &trace, strategy);
            line(name, &outcome, &bound);
        }
    }
}

/// Name, keys, traffic, and how far the documents are from the truth.
fn plays(hours: u32) -> Vec<(&'static str, Keys, Trace, Truth)> {
    vec![
        ("few keys", Keys::Few, Trace::open(hours, 3, SEED), Truth::AsDocumented),
        ("few keys, a third of the limits wrong", Keys::Few, Trace::open(hours, 3, SEED), Truth::AThirdWrong),
        ("few keys, a tight day", Keys::Few, Trace::open(hours, 4, SEED), Truth::AsDocumented),
        ("many keys", Keys::Many, Trace::open(hours, 75, SEED), Truth::AsDocumented),
        ("many keys, a third of the limits wrong", Keys::Many, Trace::open(hours, 65, SEED), Truth::AThirdWrong),
        ("many keys, more asked than there is", Keys::Many, Trace::open(hours, 110, SEED), Truth::AsDocumented),
        ("closed loop", Keys::Many, Trace::closed(hours.min(6), 48), Truth::AsDocumented),
        ("closed loop, a third of the limits wrong", Keys::Many, Trace::closed(hours.min(6), 48), Truth::AThirdWrong),
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

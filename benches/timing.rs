//! How long a piece of work takes, for the benches of single functions.

use std::hint::black_box;
use std::time::{Duration, Instant};

const ROUNDS: usize = 31;

/// Long enough for the clock.
const ROUND: Duration = Duration::from_millis(2);

/// The median of some rounds.
pub fn time<T>(mut work: impl FnMut() -> T) -> Duration {
    let mut times: Vec<Duration> = (0..ROUNDS)
        .map(|_| {
            let start = Instant::now();
            let mut turns = 0;
            while start.elapsed() < ROUND {
                black_box(work());
                turns += 1;
            }
            start.elapsed() / turns
        })
        .collect();
    times.sort_unstable();
    times[ROUNDS / 2]
}

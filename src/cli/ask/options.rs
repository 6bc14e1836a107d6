//! What the flags of `relay ask` want of the core.

use crate::clock::Clock;
use crate::relay::{OnAttempt, Options, request_id};

use crate::cli::args::Ask;

pub fn options(ask: &Ask, on_attempt: Option<OnAttempt>) -> Options {
    Options {
        request_id: request_id(Clock::system().now()),
        max_wait: ask.wait,
        max_attempts: most_attempts(ask),
        avoid: ask.avoid.clone(),
        strict_free: ask.strict_free,
        on_attempt,
        ..Options::default()
    }
}

/// How many attempts the flags allow; `None` where they set no bound. A stream that broke off was one of them.
pub fn most_attempts(ask: &Ask) -> Option<usize> {
    if ask.no_failover { Some(1) } else { ask.max_attempts.filter(|most| *most > 0) }
}

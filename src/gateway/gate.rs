//! How many chats are answered at a time: those past it wait in line, and past the line's end they are sent away.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Nobody stands in line for longer.
const MOST_WAIT: Duration = Duration::from_secs(10);

/// When to come back to a full gateway.
const COME_BACK: Duration = Duration::from_secs(2);

/// The right to be answered, until it is dropped.
pub type Turn = OwnedSemaphorePermit;

/// The line is full, or did not move in time; try again after this long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Busy(pub Duration);

/// The gate of a gateway. First come, first served.
#[derive(Debug)]
pub struct Gate {
    free: Arc<Semaphore>,
    waiting: AtomicUsize,
    longest_line: usize,
}

/// One in line, until it is dropped.
struct InLine<'a>(&'a AtomicUsize);

impl Gate {
    pub fn new(at_a_time: usize, longest_line: usize) -> Self {
        let free = Arc::new(Semaphore::new(at_a_time.min(Semaphore::MAX_PERMITS)));
        Self { free, waiting: AtomicUsize::new(0), longest_line }
    }

    /// Waits for its turn. Dropping the future leaves the line.
    pub async fn enter(&self) -> Result<Turn, Busy> {
        if let Ok(turn) = Arc::clone(&self.free).try_acquire_owned() {
            return Ok(turn);
        }
        let before = self.waiting.fetch_add(1, Ordering::Relaxed);
        let _in_line = InLine(&self.waiting);
        if before >= self.longest_line {
            return Err(Busy(COME_BACK));
        }
        let turn = tokio::time::timeout(MOST_WAIT, Arc::clone(&self.free).acquire_owned()).await;
        turn.ok().and_then(Result::ok).ok_or(Busy(COME_BACK))
    }
}

impl Drop for InLine<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_line_is_fair_bounded_and_impatient() {
        let gate = Gate::new(1, 1);
        let first = gate.enter().await.expect("free");
        let second = gate.enter();
        tokio::pin!(second);
        assert!(tokio::time::timeout(Duration::from_secs(1), &mut second).await.is_err(), "it waits");
        assert_eq!(gate.enter().await.err(), Some(Busy(COME_BACK)), "the line is full");
        drop(first);
        let second = second.await.expect("its turn");
        assert_eq!(gate.enter().await.err(), Some(Busy(COME_BACK)), "the line does not move");
        drop(second);
        assert!(gate.enter().await.is_ok());
    }
}

//! Timers that hardly ever go off stay set from one request to the next.
//!
//! Each request has some, for moments that lie far ahead, and is done long before. To set a timer and take it back costs more than to
//! let one go off now and then for nothing: it then moves on to the moment that it is for by that time.

use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant as StdInstant};

use hyper::rt;
use tokio::time::{self, Instant, Sleep};

/// So many timers that nobody needs are kept.
const MOST_KEPT: usize = 256;

type Timer = Pin<Box<Sleep>>;

/// Where timers are kept. Clones share them; they are for one runtime.
#[derive(Debug, Clone, Default)]
pub struct Alarms {
    kept: Arc<Mutex<Vec<Timer>>>,
}

/// Goes off at its moment.
#[derive(Debug)]
pub struct Alarm {
    moment: Instant,
    /// Set for the moment or an earlier one. `None` once it is dropped.
    timer: Option<Timer>,
    alarms: Alarms,
}

impl Alarms {
    /// Goes off after so long.
    pub fn after(&self, time: Duration) -> Alarm {
        self.at(time_from_now(time))
    }

    fn at(&self, moment: Instant) -> Alarm {
        let kept = self.kept().pop().map(|mut timer| {
            if timer.is_elapsed() || timer.deadline() > moment {
                timer.as_mut().reset(moment);
            }
            timer
        });
        let timer = kept.unwrap_or_else(|| Box::pin(time::sleep_until(moment)));
        Alarm { moment, timer: Some(timer), alarms: self.clone() }
    }

    fn kept(&self) -> MutexGuard<'_, Vec<Timer>> {
        // A panic elsewhere leaves timers that are still timers.
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// As far as the clock goes, where it is further.
fn time_from_now(time: Duration) -> Instant {
    const FAR: Duration = Duration::from_hours(24 * 365);
    let now = Instant::now();
    now.checked_add(time).unwrap_or(now + FAR)
}

impl Future for Alarm {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let moment = self.moment;
        let Some(timer) = &mut self.timer else { return Poll::Ready(()) };
        ready!(timer.as_mut().poll(context));
        while Instant::now() < moment {
            timer.as_mut().reset(moment);
            ready!(timer.as_mut().poll(context));
        }
        Poll::Ready(())
    }
}

impl Drop for Alarm {
    fn drop(&mut self) {
        let mut kept = self.alarms.kept();
        if kept.len() < MOST_KEPT {
            kept.extend(self.timer.take());
        }
    }
}

impl rt::Sleep for Alarm {}

impl rt::Timer for Alarms {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(self.after(duration))
    }

    fn sleep_until(&self, deadline: StdInstant) -> Pin<Box<dyn rt::Sleep>> {
        Box::pin(self.at(deadline.into()))
    }

    fn now(&self) -> StdInstant {
        Instant::now().into_std()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// How long it took, in whole seconds: a timer goes off up to a millisecond late.
    async fn goes_off(alarm: Alarm) -> u64 {
        let begun = Instant::now();
        alarm.await;
        begun.elapsed().as_secs()
    }

    #[tokio::test(start_paused = true)]
    async fn a_kept_timer_goes_off_at_the_moment_it_is_for_by_then() {
        let alarms = Alarms::default();
        // Each takes the timer of the one before: set for an earlier moment, a later one, one that has passed, or gone off.
        for seconds in [3, 60, 5, 5, 30] {
            assert_eq!(goes_off(alarms.after(SECOND * seconds)).await, u64::from(seconds));
            drop(alarms.after(SECOND * 20));
            time::sleep(SECOND * 7).await;
            assert_eq!(alarms.kept().len(), 1);
        }
        time::sleep(SECOND * 50).await;
        assert_eq!(goes_off(alarms.after(SECOND)).await, 1, "what it was kept with has passed");
        assert_eq!(goes_off(alarms.after(Duration::ZERO)).await, 0);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_is_done_before_leaves_a_timer_that_is_set() {
        let alarms = Alarms::default();
        for _ in 0..1_000 {
            let mut alarm = alarms.after(SECOND * 30);
            assert!(time::timeout(Duration::from_millis(1), &mut alarm).await.is_err());
        }
        let kept = alarms.kept();
        assert_eq!(
            (kept.len(), kept[0].deadline() < Instant::now() + SECOND * 30),
            (1, true),
            "set once, not each time"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_are_kept_than_may_be() {
        let alarms = Alarms::default();
        let many: Vec<Alarm> = (0..MOST_KEPT * 2).map(|_| alarms.after(SECOND)).collect();
        drop(many);
        assert_eq!(alarms.kept().len(), MOST_KEPT);
    }
}

//! The only place that knows the time. Tests move it by hand, the demo runs it fast.

mod alarm;

use std::future::pending;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use tokio::sync::watch;

pub use alarm::{Alarm, Alarms};

/// A source of `now`, and of waiting until a moment.
#[derive(Debug, Clone)]
pub struct Clock(Kind);

#[derive(Debug, Clone)]
enum Kind {
    System,
    /// Runs `factor` times as fast as the machine's clock, from `start`.
    Fast {
        start: Timestamp,
        since: Instant,
        factor: u32,
    },
    Manual(Arc<watch::Sender<Timestamp>>),
}

/// Moves a manual clock.
#[derive(Debug, Clone)]
pub struct Hand(Arc<watch::Sender<Timestamp>>, Arc<Mutex<()>>);

impl Clock {
    pub const fn system() -> Self {
        Self(Kind::System)
    }

    pub fn fast(start: Timestamp, factor: u32) -> Self {
        Self(Kind::Fast { start, since: Instant::now(), factor: factor.max(1) })
    }

    /// A clock that stands still until its hand moves it.
    pub fn manual(start: Timestamp) -> (Self, Hand) {
        let moments = Arc::new(watch::Sender::new(start));
        (Self(Kind::Manual(Arc::clone(&moments))), Hand(moments, Arc::default()))
    }

    /// The same time, from now on whoever sets the machine's clock: for how long something lasts.
    #[must_use]
    pub fn steady(&self) -> Self {
        match &self.0 {
            Kind::System => Self::fast(self.now(), 1),
            Kind::Fast { .. } | Kind::Manual(_) => self.clone(),
        }
    }

    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Kind::System => system_now(),
            Kind::Fast { start, since, factor } => later(*start, since.elapsed().saturating_mul(*factor)),
            Kind::Manual(moments) => *moments.borrow(),
        }
    }

    /// Returns once `now()` is at `moment` or past it.
    pub async fn sleep_until(&self, moment: Timestamp) {
        match &self.0 {
            Kind::System => tokio::time::sleep(until(self.now(), moment)).await,
            Kind::Fast { factor, .. } => tokio::time::sleep(until(self.now(), moment) / *factor).await,
            Kind::Manual(moments) => {
                let mut moments = moments.subscribe();
                if moments.wait_for(|now| *now >= moment).await.is_err() {
                    pending::<()>().await;
                }
            }
        }
    }

    /// The same where that is seldom waited for to the end. It is `now`.
    pub async fn rings_at(&self, moment: Timestamp, now: Timestamp, alarms: &Alarms) {
        match &self.0 {
            Kind::System => alarms.after(until(now, moment)).await,
            Kind::Fast { factor, .. } => alarms.after(until(now, moment) / *factor).await,
            Kind::Manual(_) => Box::pin(self.sleep_until(moment)).await,
        }
    }
}

/// As `Timestamp::now`, without its slower conversion: a request asks a dozen times.
#[expect(clippy::disallowed_methods, reason = "the one clock")]
fn system_now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).ok();
    let quick = since
        .and_then(|since| Timestamp::new(since.as_secs().try_into().ok()?, since.subsec_nanos().try_into().ok()?).ok());
    // Before 1970.
    quick.unwrap_or_else(Timestamp::now)
}

impl Hand {
    pub fn advance(&self, by: Duration) {
        let _turn = self.1.lock().unwrap_or_else(PoisonError::into_inner);
        self.0.send_modify(|now| *now = later(*now, by));
    }
}

/// Silence up to a length that is too long. What is heard moves its end on and sets no timer: that is done when one goes off too soon.
pub struct Silence {
    most: Duration,
    clock: Clock,
    heard_at: Timestamp,
    timer: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl Silence {
    pub fn new(most: Duration, clock: &Clock) -> Self {
        let clock = clock.steady();
        Self { most, heard_at: clock.now(), clock, timer: None }
    }

    /// Something was heard at this moment.
    pub fn heard(&mut self, at: Timestamp) {
        self.heard_at = at;
    }

    /// When something was heard last.
    pub const fn heard_at(&self) -> Timestamp {
        self.heard_at
    }

    /// By its own clock.
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Returns once it has lasted too long. May be given up and called again.
    pub async fn lasts(&mut self) {
        loop {
            let end = || later(self.heard_at, self.most);
            let timer = self.timer.get_or_insert_with(|| {
                let (clock, end) = (self.clock.clone(), end());
                Box::pin(async move { clock.sleep_until(end).await })
            });
            timer.await;
            self.timer = None;
            if self.clock.now() >= end() {
                return;
            }
        }
    }
}

impl std::fmt::Debug for Silence {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.debug_struct("Silence").field("most", &self.most).field("heard_at", &self.heard_at).finish_non_exhaustive()
    }
}

/// When the day of `now` began on this machine's calendar.
pub fn midnight(now: Timestamp) -> Timestamp {
    now.to_zoned(TimeZone::system()).start_of_day().map_or(now, |start| start.timestamp())
}

/// `moment` minus `by`; the beginning of time where that does not exist.
pub fn earlier(moment: Timestamp, by: Duration) -> Timestamp {
    moment.checked_sub(by).unwrap_or(Timestamp::MIN)
}

/// `moment` plus `by`; the end of time where that does not exist.
pub fn later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.checked_add(by).unwrap_or(Timestamp::MAX)
}

/// How long it is from `now` to `moment`; zero when that has passed.
pub fn until(now: Timestamp, moment: Timestamp) -> Duration {
    Duration::try_from(moment.duration_since(now)).unwrap_or_default()
}

/// A time in whole milliseconds, as documents tell it.
pub fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// A time in whole seconds, rounded up: whoever comes back a moment early is refused again.
pub fn seconds_up(time: Duration) -> u64 {
    time.as_secs() + u64::from(time.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    #[expect(clippy::disallowed_methods, reason = "the sleeper is awaited below")]
    async fn a_manual_clock_wakes_sleepers_only_when_moved_far_enough() {
        let (clock, hand) = Clock::manual(Timestamp::UNIX_EPOCH);
        let moment = later(clock.now(), Duration::from_mins(1));
        let sleeper = tokio::spawn({
            let clock = clock.clone();
            async move {
                clock.sleep_until(moment).await;
                clock.now()
            }
        });
        hand.advance(Duration::from_secs(59));
        tokio::time::sleep(Duration::from_millis(20)).await;
        assert!(!sleeper.is_finished());
        hand.advance(Duration::from_secs(1));
        assert_eq!(sleeper.await.expect("the sleeper ends"), moment);
    }

    #[tokio::test]
    async fn silence_is_too_long_only_where_nothing_is_heard_for_so_long() {
        let (clock, hand) = Clock::manual(Timestamp::UNIX_EPOCH);
        let mut silence = Silence::new(Duration::from_mins(1), &clock);
        let mut passes = async |seconds, is_heard| {
            hand.advance(Duration::from_secs(seconds));
            if is_heard {
                silence.heard(silence.now());
            }
            tokio::time::timeout(Duration::from_millis(20), silence.lasts()).await.is_ok()
        };
        assert!(!passes(0, false).await, "a timer runs");
        assert!(!passes(50, true).await);
        assert!(!passes(50, false).await, "the first timer went off too soon");
        assert!(!passes(9, true).await);
        assert!(!passes(59, false).await);
        assert!(passes(1, false).await);
        assert!(passes(0, false).await, "and goes on");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the library's own clock beside ours")]
    fn the_systems_time_is_what_the_library_says_it_is() {
        let (before, now, after) = (Timestamp::now(), Clock::system().now(), Timestamp::now());
        assert!(before <= now && now <= after, "{before} {now} {after}");
    }

    #[test]
    fn a_steady_clock_goes_on_from_now_and_keeps_to_its_hand() {
        let (clock, hand) = Clock::manual(Timestamp::UNIX_EPOCH);
        let steady = clock.steady();
        hand.advance(Duration::from_secs(1));
        assert_eq!(steady.now(), clock.now());
        let before = Clock::system().now();
        let steady = Clock::system().steady();
        assert!(matches!(steady.0, Kind::Fast { factor: 1, .. }), "that of the machine may be set back");
        assert!(until(before, steady.now()) < Duration::from_mins(1) && steady.now() >= before);
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "time has to pass")]
    fn a_fast_clock_runs_ahead() {
        let clock = Clock::fast(Timestamp::UNIX_EPOCH, 1_000_000);
        std::thread::sleep(Duration::from_millis(2));
        assert!(clock.now() > later(Timestamp::UNIX_EPOCH, Duration::from_secs(1_000)));
    }
}

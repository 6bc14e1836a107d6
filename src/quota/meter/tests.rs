//! Laws of meters: never early, exact about when, and right about whom to believe.

use proptest::prelude::*;

use super::*;
use crate::chat::{Period, Scope};
use crate::clock::later;

fn meter(amount: u64, window: Window, period: Period) -> Meter {
    Meter::new(Limit {
        kind: Kind::Requests,
        amount,
        period,
        window,
        scope: Scope::Model,
        source: Source::Docs,
        evidence: None,
    })
}

fn at(seconds: f64) -> Timestamp {
    later(Timestamp::UNIX_EPOCH, Duration::from_secs_f64(1e9 + seconds))
}

#[test]
fn a_calendar_window_gives_everything_back_at_its_turn() {
    let mut meter = meter(2, Window::usual(Period::Day), Period::Day);
    meter.add(2, at(0.0));
    let Fit::At(turn) = meter.fit(1, at(1.0)) else { panic!("the limit is used up") };
    assert_eq!(turn.to_string(), "2001-09-10T00:00:00Z");
    assert_eq!(meter.fit(1, turn), Fit::Now);
    assert_eq!(meter.reading(turn).used, 0);
}

#[test]
fn what_is_larger_than_the_limit_never_fits() {
    assert_eq!(meter(5, Window::rolling(Period::Minute), Period::Minute).fit(6, at(0.0)), Fit::Never);
}

#[test]
fn a_refund_is_not_taken_from_a_later_window() {
    let mut meter = meter(5, Window::usual(Period::Day), Period::Day);
    meter.add(3, at(0.0));
    meter.add(2, at(86_400.0));
    meter.take_back(3, at(0.0), at(86_401.0));
    assert_eq!(meter.reading(at(86_401.0)).used, 2);
}

proptest! {
    #[test]
    fn a_refusal_names_the_exact_moment(
        uses in prop::collection::vec((0.0..90.0_f64, 1..4_u64), 1..40),
        amount in 1..10_u64,
    ) {
        let mut meter = meter(10, Window::rolling(Period::Minute), Period::Minute);
        let mut uses = uses;
        uses.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut granted: Vec<(Timestamp, u64)> = Vec::new();
        for (seconds, amount) in &uses {
            if meter.fit(*amount, at(*seconds)) == Fit::Now {
                meter.add(*amount, at(*seconds));
                granted.push((at(*seconds), *amount));
            }
        }
        let now = at(uses.last().expect("one use at least").0);
        if let Fit::At(moment) = meter.fit(amount, now) {
            let before = Timestamp::from_microsecond(moment.as_microsecond() - 1).expect("in range");
            prop_assert_ne!(meter.fit(amount, before), Fit::Now);
            prop_assert_eq!(meter.fit(amount, moment), Fit::Now);
            // Never early: the uses of the true last minute before the moment leave room.
            let start = later(moment, Duration::ZERO).checked_sub(Duration::from_mins(1)).expect("in range");
            let used: u64 = granted.iter().filter(|(at, _)| *at > start).map(|(_, amount)| amount).sum();
            prop_assert!(used + amount <= 10);
        }
    }
}

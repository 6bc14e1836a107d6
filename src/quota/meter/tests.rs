//! Laws of meters: never early, exact about when, and right about whom to believe.

use proptest::prelude::*;

use super::*;
use crate::chat::{Period, Scope};
use crate::clock::later;
use crate::quota::{Cost, Fact};

mod kept;

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

fn told(limit: Option<u64>, remaining: Option<u64>, resets_at: Option<f64>) -> Fact {
    let (kind, period, source) = (Kind::Requests, Period::Minute, Source::Header);
    Fact { kind, period, limit, remaining, resets_at: resets_at.map(at), scope: None, source }
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
fn what_a_moment_used_comes_back_a_window_and_a_moments_transit_later() {
    let mut meter = meter(12, Window::rolling(Period::Minute), Period::Minute);
    meter.add(6, at(0.25));
    meter.add(6, at(3.75));
    let [first, second] = [60.25, 63.75].map(|second| later(at(second), super::super::rolling::TRANSIT));
    assert_eq!(meter.fit(1, at(4.0)), Fit::At(first));
    assert_eq!(meter.fit(7, at(4.0)), Fit::At(second));
    assert_eq!((meter.reading(first).used, meter.reading(second).used), (6, 0));
}

#[test]
fn history_takes_no_room() {
    let mut meter = meter(u64::MAX, Window::rolling(Period::Minute), Period::Minute);
    let mut kept = 0;
    for number in 0..100_000 {
        meter.add(1, at(f64::from(number) / 100.0));
        if number % 1_000 == 0 {
            let saved: serde_json::Value = serde_json::from_str(&meter.save()).expect("JSON");
            kept = saved["rolling"]["amounts"].as_array().expect("stretches").len().max(kept);
        }
    }
    assert_eq!(kept, 61, "sixty stretches and the one under way");
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

#[test]
fn a_header_is_believed_over_the_documents_and_the_user_over_both() {
    let rolling = || Window::rolling(Period::Minute);
    let mut docs = meter(10, rolling(), Period::Minute);
    docs.add(4, at(0.0));
    // Five of 8 are used: one more than was counted here, by somebody else.
    docs.tell(&told(Some(8), Some(3), None), 0, at(1.0), at(1.0));
    let reading = docs.reading(at(1.0));
    assert_eq!((reading.used, reading.limit, reading.remaining()), (5, 8, 3));
    assert_eq!((reading.used_source, reading.limit_source), (Source::Header, Source::Header));
    assert_eq!(reading.observed_at, Some(at(1.0)));
    // It may raise the limit too.
    docs.tell(&told(Some(20), Some(15), None), 0, at(2.0), at(2.0));
    assert_eq!((docs.reading(at(2.0)).limit, docs.fit(15, at(2.0))), (20, Fit::Now));

    let mut users = Meter::new(Limit { source: Source::User, ..meter(10, rolling(), Period::Minute).limit });
    users.tell(&told(Some(100), Some(90), None), 0, at(0.0), at(0.0));
    assert!(!users.refuse(1, at(0.0)));
    assert_eq!((users.reading(at(0.0)).limit, users.reading(at(0.0)).limit_source), (10, Source::User));
}

#[test]
fn what_was_told_a_window_ago_is_no_word_about_this_one() {
    for (window, period, next) in
        [(Window::rolling(Period::Minute), Period::Minute, 61.0), (Window::usual(Period::Day), Period::Day, 86_400.0)]
    {
        let mut meter = meter(10, window, period);
        meter.add(2, at(0.0));
        meter.tell(&told(None, Some(7), None), 0, at(1.0), at(1.0));
        assert_eq!(meter.reading(at(2.0)).used_source, Source::Header);
        meter.add(1, at(next));
        let reading = meter.reading(at(next));
        assert_eq!((reading.used_source, reading.observed_at), (Source::Counted, None));
    }
}

#[test]
fn a_remainder_larger_than_counted_gives_back_all_but_what_is_under_way() {
    let mut meter = meter(100, Window::rolling(Period::Day), Period::Day);
    meter.add(60, at(0.0));
    meter.add(20, at(3_600.0));
    // The provider counts 30; ten of those counted here it cannot know yet.
    meter.tell(&told(None, Some(70), None), 10, at(7_200.0), at(7_200.0));
    assert_eq!(meter.reading(at(7_200.0)).used, 40);
    // The oldest went first: the rest is given back a day after the second use.
    assert_eq!(meter.reading(at(86_400.0 + 1_800.0)).used, 20);
}

#[test]
fn a_late_header_gives_back_nothing_of_what_was_counted_after_its_request_was_sent() {
    for window in [Window::rolling(Period::Minute), Window::usual(Period::Day)] {
        let mut meter = meter(30, window, Period::Minute);
        meter.add(5, at(0.0));
        meter.add(1, at(10.0));
        (0..20).for_each(|_| meter.add(1, at(11.0)));
        // As the slow one came in, the provider had counted the five and it.
        meter.tell(&told(Some(30), Some(24), None), 0, at(10.0), at(13.0));
        assert_eq!(meter.reading(at(13.0)).used, 26);
        // It has given back all but one, and counts the next.
        let mut meter = meter.under(meter.limit.clone());
        meter.add(1, at(14.0));
        meter.tell(&told(Some(30), Some(28), None), 0, at(14.0), at(15.0));
        assert!(meter.reading(at(15.0)).used <= 3, "{:?}", meter.reading(at(15.0)));
    }
}

#[test]
fn what_a_clock_that_was_ahead_counted_is_over_once_it_is_put_right() {
    let windows = [Window::rolling(Period::Minute), Window::rolling(Period::Hour), Window::usual(Period::Day)];
    for window in windows {
        let mut ahead = meter(10, window, Period::Minute);
        ahead.add(10, at(2.0 * 86_400.0));
        assert_eq!((ahead.fit(1, at(0.0)), ahead.reading(at(0.0)).used), (Fit::Now, 0));
        for told_first in [false, true] {
            let mut meter = ahead.clone();
            if told_first {
                meter.tell(&told(None, Some(7), Some(20.0)), 0, at(0.0), at(0.0));
            } else {
                meter.add(3, at(0.0));
            }
            meter.take_back(1, at(2.0 * 86_400.0), at(0.5));
            assert_eq!((meter.reading(at(1.0)).used, meter.fit(8, at(1.0)) == Fit::Now), (3, false));
            assert_eq!(meter.reading(at(86_400.0)).used, 0);
        }
    }
}

#[test]
fn a_clock_that_is_set_back_a_little_gives_nothing_back_early() {
    let midnight = 80_000.0;
    for window in [Window::rolling(Period::Minute), Window::usual(Period::Day)] {
        let mut meter = meter(10, window, Period::Minute);
        meter.add(9, at(midnight + 30.0));
        meter.add(1, at(midnight - 10.0));
        assert!(matches!(meter.fit(1, at(midnight - 10.0)), Fit::At(_)));
    }
}

#[test]
fn what_others_used_comes_back_when_its_provider_says() {
    let mut minute = meter(5, Window::rolling(Period::Minute), Period::Minute);
    minute.add(1, at(0.0));
    minute.tell(&told(Some(5), Some(0), Some(4.5)), 0, at(0.5), at(0.5));
    assert_eq!((minute.fit(1, at(1.0)), minute.reading(at(4.4)).used), (Fit::At(at(4.5)), 5));
    assert_eq!((minute.reading(at(4.5)).used, minute.fit(4, at(4.5))), (1, Fit::Now));
    // A day that rolls is refilled by the clock: something comes back every sixtieth of the way.
    let mut day = meter(1_000, Window::rolling(Period::Day), Period::Day);
    day.tell(&told(Some(1_000), Some(0), Some(86_400.0)), 0, at(0.0), at(0.0));
    assert_eq!((day.fit(1, at(0.0)), day.fit(500, at(0.0))), (Fit::At(at(1_440.0)), Fit::At(at(43_200.0))));
    assert_eq!((day.reading(at(1_440.0)).used, day.reading(at(86_400.0)).used), (984, 0));
    // However much a header says.
    let mut huge = meter(1_000, Window::rolling(Period::Day), Period::Day);
    huge.tell(&told(Some(u64::MAX), Some(0), Some(86_400.0)), 0, at(0.0), at(0.0));
    assert_eq!((huge.reading(at(0.0)).used, huge.reading(at(86_400.0)).used), (u64::MAX, 0));
    // Within a sixtieth of the window it comes back at once. A moment that has passed tells nothing.
    let mut late = meter(1_000, Window::rolling(Period::Hour), Period::Hour);
    late.add(2, at(0.0));
    late.tell(&told(None, Some(0), Some(103.0)), 0, at(100.0), at(100.0));
    assert_eq!((late.reading(at(101.0)).used, late.reading(at(103.0)).used), (1_000, 2));
    late.tell(&told(None, Some(0), Some(50.0)), 0, at(104.0), at(104.0));
    assert!(matches!(late.fit(1, at(104.0)), Fit::At(moment) if moment > at(3_000.0)));
}

#[test]
fn a_refusals_limit_only_lowers() {
    let mut meter = meter(10, Window::rolling(Period::Minute), Period::Minute);
    meter.tell_lower(20, at(0.0));
    assert_eq!(meter.reading(at(0.0)).limit_source, Source::Docs);
    meter.tell_lower(6, at(0.0));
    assert_eq!((meter.reading(at(0.0)).limit, meter.reading(at(0.0)).limit_source), (6, Source::Error));
    assert_eq!(meter.fit(7, at(0.0)), Fit::Never);
    meter.tell_lower(0, at(0.0));
    assert_eq!(meter.reading(at(0.0)).limit, 6, "nothing at all is no limit but a model that is not offered");
}

#[test]
fn a_limit_that_was_named_long_ago_forbids_nothing_for_good() {
    let mut meter = meter(30, Window::rolling(Period::Minute), Period::Minute);
    meter.tell(&told(Some(10), None, None), 0, at(0.0), at(0.0));
    assert_eq!([11, 10].map(|amount| meter.fit(amount, at(3_600.0))), [Fit::Never, Fit::Now]);
    // Asked again, its provider names it again.
    assert_eq!([31, 30].map(|amount| meter.fit(amount, at(3_601.0))), [Fit::Never, Fit::Now]);
    assert_eq!(meter.reading(at(3_601.0)).limit, 10);
    meter.tell_lower(10, at(3_602.0));
    assert_eq!(meter.fit(11, at(3_603.0)), Fit::Never);
    // What was raised stays so.
    meter.tell(&told(Some(40), None, None), 0, at(3_604.0), at(3_604.0));
    assert_eq!(meter.fit(40, at(100_000.0)), Fit::Now);
}

#[test]
fn a_guess_from_a_refusal_forbids_nothing_for_good_and_grows_again() {
    let mut meter = meter(30, Window::rolling(Period::Minute), Period::Minute);
    meter.add(4, at(0.0));
    assert!(!meter.refuse(1, at(0.0)), "so early something else is the likelier cause");
    meter.add(17, at(0.0));
    assert!(meter.refuse(1, at(0.0)));
    assert_eq!((meter.reading(at(1.0)).limit, meter.reading(at(1.0)).limit_source), (20, Source::Error));
    assert!(matches!(meter.fit(1, at(1.0)), Fit::At(_)));
    assert_ne!(meter.fit(25, at(1.0)), Fit::Never, "a guess may be wrong");
    assert_eq!(meter.reading(at(601.0)).limit, 22);
    assert_eq!((meter.reading(at(6_000.0)).limit, meter.reading(at(6_000.0)).limit_source), (30, Source::Docs));
}

#[test]
fn of_a_calendars_window_a_refusal_teaches_nothing() {
    let mut meter = meter(30, Window::usual(Period::Day), Period::Day);
    meter.add(20, at(0.0));
    assert!(!meter.refuse(1, at(0.0)));
    assert_eq!(meter.reading(at(0.0)).limit, 30);
}

#[test]
fn short_requests_take_thousandths_of_a_unit() {
    let price = Some(crate::quota::UnitPrice { input: 1_542, output: 10_158 });
    let cost = Cost::request(20, 20).in_units(price);
    assert_eq!((cost.units, Kind::Units.shown(cost.units)), (234, 0));
    let cost = Cost::request(1_000_000, 1_000_000).in_units(price);
    assert_eq!(Kind::Units.shown(cost.units), 11_700);
    assert_eq!(Cost::request(5, 5).in_units(None).units, 0);
}

#[test]
fn behind_others_there_is_room_after_theirs_in_a_later_window_if_need_be() {
    let mut rolling = meter(3, Window::rolling(Period::Minute), Period::Minute);
    for second in [0.0, 10.0, 20.0] {
        rolling.add(1, at(second));
    }
    let after = |before| match rolling.fit_after(before, 1, at(30.0)) {
        Fit::At(moment) => moment.duration_since(at(0.0)).as_secs(),
        fit => panic!("{fit:?}"),
    };
    assert_eq!([0, 1, 2, 3, 4, 7].map(after), [60, 70, 80, 120, 130, 190]);
    let mut day = meter(2, Window::usual(Period::Day), Period::Day);
    day.add(1, at(0.0));
    assert_eq!(day.fit_after(0, 1, at(0.0)), Fit::Now);
    assert!(matches!(day.fit_after(3, 1, at(0.0)), Fit::At(turn) if turn.to_string() == "2001-09-11T00:00:00Z"));
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
            // At most one sixtieth late: a second before it the true last minute left no room, or what keeps it full is younger.
            let late = Duration::from_secs(1) + super::super::rolling::TRANSIT * 2;
            let start = moment.checked_sub(Duration::from_mins(1) + late).expect("in range");
            let used: u64 = granted.iter().filter(|(at, _)| *at > start).map(|(_, amount)| amount).sum();
            prop_assert!(used + amount > 10);
        }
    }
}

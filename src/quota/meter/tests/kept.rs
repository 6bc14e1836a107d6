//! What is kept of a meter: all of it, or what changed.

use super::*;
use crate::clock::earlier;
use crate::quota::merged;

#[test]
fn a_saved_meter_is_the_same_meter() {
    for window in [Window::rolling(Period::Minute), Window::usual(Period::Day)] {
        let mut kept = meter(30, window, Period::Minute);
        kept.add(9, at(0.0));
        kept.add(3, at(20.0));
        kept.tell(&told(Some(25), Some(10), None), 0, at(21.0), at(21.0));
        let back = Meter::new(kept.limit.clone()).updated(&kept.save()).expect("what was saved");
        for second in [21.0, 40.0, 70.0, 90.0, 100_000.0] {
            assert_eq!(back.reading(at(second)), kept.reading(at(second)));
            assert_eq!(back.fit(12, at(second)), kept.fit(12, at(second)));
        }
        // The documents say something else now: what was learned about the old number is forgotten, the use is not.
        let newer = kept.under(Limit { amount: 40, ..kept.limit.clone() });
        assert_eq!((newer.reading(at(21.0)).limit, newer.reading(at(21.0)).used), (40, 15));
    }
    assert!(meter(1, Window::usual(Period::Day), Period::Day).updated("nothing").is_none());
}

/// Relays of other versions read it.
#[test]
fn what_is_kept_of_a_meter_is_written_so() {
    let mut rolls = meter(30, Window::rolling(Period::Minute), Period::Minute);
    assert_eq!(rolls.save(), r#"{"rolling":{"width":1000834,"newest":0,"amounts":[]},"documented":30}"#);
    rolls.add(20, at(0.0));
    rolls.add(3, at(20.0));
    assert!(rolls.refuse(1, at(21.0)));
    let mut turns = meter(30, Window::usual(Period::Day), Period::Day);
    turns.add(9, at(0.0));
    turns.tell(&told(Some(25), Some(10), None), 0, at(21.0), at(21.0));
    let rolls_kept = r#"{"rolling":{"width":1000834,"newest":999166714,"amounts":[[20,20,977204],[0,3,960524]]},"documented":30,"learned":{"amount":22,"from_header":false,"guessed":true,"at":1000000021000000}}"#;
    let turns_kept = r#"{"calendar":[1000080000000000,15],"added_at":1000000021000000,"documented":30,"learned":{"amount":25,"from_header":true,"guessed":false,"at":1000000021000000},"told_at":1000000021000000,"named":[25,1000000021000000]}"#;
    for (meter, kept) in [(rolls, rolls_kept), (turns, turns_kept)] {
        assert_eq!(meter.save(), kept);
        assert_eq!(Meter::new(meter.limit.clone()).updated(kept).expect("what was saved").save(), kept);
    }
}

/// What changed is written so too.
#[test]
fn what_changed_of_a_meter_is_a_part_of_it() {
    let mut rolls = meter(30, Window::rolling(Period::Minute), Period::Minute);
    (0..20).for_each(|second| rolls.add(1, at(f64::from(second))));
    let mut turns = meter(30, Window::usual(Period::Day), Period::Day);
    turns.add(20, at(0.0));
    let changes = |meter: &mut Meter| {
        let before = meter.clone();
        meter.add(2, at(40.0));
        meter.tell(&told(None, Some(8), None), 0, at(40.0), at(40.0));
        let mut text = String::new();
        meter.save_since(Some(&before), &mut text);
        text
    };
    assert_eq!(changes(&mut rolls), r#"{"rolling":[1000834,999166734,[[0,2,943844]]],"told_at":1000000040000000}"#);
    assert_eq!(
        changes(&mut turns),
        r#"{"calendar":[1000080000000000,22],"added_at":1000000040000000,"told_at":1000000040000000}"#
    );
}

/// What may happen to a meter.
#[derive(Debug, Clone, Copy)]
enum Event {
    Added(u64),
    TakenBack(u64, u64),
    Told(u64, u64),
    Refused,
    Documented(u64),
    Window(bool),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        6 => (0_u64..9).prop_map(Event::Added),
        3 => (0_u64..9, 0_u64..90).prop_map(|(amount, ago)| Event::TakenBack(amount, ago)),
        2 => (0_u64..30, 0_u64..90).prop_map(|(left, reset)| Event::Told(left, reset)),
        1 => Just(Event::Refused),
        1 => (29_u64..32).prop_map(Event::Documented),
        1 => any::<bool>().prop_map(Event::Window),
    ]
}

fn happens(meter: &mut Meter, event: Event, now: Timestamp) {
    let ago = |seconds| earlier(now, Duration::from_secs(seconds));
    match event {
        Event::Added(amount) => meter.add(amount, now),
        Event::TakenBack(amount, seconds) => meter.take_back(amount, ago(seconds), now),
        Event::Told(left, reset) => {
            let fact =
                Fact { resets_at: Some(later(now, Duration::from_secs(reset))), ..told(Some(30), Some(left), None) };
            meter.tell(&fact, 0, now, now);
        }
        Event::Refused => _ = meter.refuse(1, now),
        Event::Documented(amount) => *meter = meter.under(Limit { amount, ..meter.limit.clone() }),
        Event::Window(rolls) => {
            let window = if rolls { Window::rolling(Period::Minute) } else { Window::usual(Period::Day) };
            *meter = meter.under(Limit { window, ..meter.limit.clone() });
        }
    }
}

proptest! {
    /// Whatever happens, and whenever it is written, also by a clock that goes forth and back: who reads what changed, also twice, and who only
    /// keeps it for others, has the same meter.
    #[test]
    fn who_reads_what_changed_has_the_same_meter(
        events in prop::collection::vec((event(), any::<bool>(), prop_oneof![9 => -9_i64..30, 1 => -90_000_i64..90_000]), 1..60),
        length in prop::sample::select(vec![Period::Minute, Period::Day]),
    ) {
        let mut meter = meter(30, Window::rolling(length), Period::Minute);
        let (mut known, mut other, mut stranger) = (None::<Meter>, meter.clone(), None::<String>);
        let mut now = at(0.0);
        for (event, is_written, passed) in events {
            let time = Duration::from_secs(passed.unsigned_abs());
            now = if passed < 0 { earlier(now, time) } else { later(now, time) };
            happens(&mut meter, event, now);
            if !is_written {
                continue;
            }
            let mut text = String::new();
            meter.save_since(known.as_ref(), &mut text);
            known = Some(meter.clone());
            stranger = merged(stranger.as_deref(), &text);
            other = other.under(meter.limit.clone()).updated(&text).and_then(|read| read.updated(&text)).expect("what was saved");
            prop_assert_eq!(other.save(), meter.save(), "{}", text);
            let kept = Meter::new(meter.limit.clone()).updated(stranger.as_deref().expect("kept")).expect("what was kept");
            prop_assert_eq!(kept.save(), meter.save(), "{}", text);
        }
    }
}

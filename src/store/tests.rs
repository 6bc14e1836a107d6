//! The contract of every store, told over each of them, and random operations that must end alike in all.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;

use super::*;
use crate::catalog::{Catalog, Overlay};
use crate::chat::Scope;
use crate::clock::later;
use crate::quota::{Kind, Source};
use crate::routing::{Account, Fleet, KeyId};

mod told;

/// One account with limits of its own and three models: one with limits, one without, and one whose day turns.
pub(super) fn fleet() -> Fleet {
    let text = "dialect = \"openai\"\nbase_url = \"https://a.example\"\nkey_env = [\"A_KEY\"]\nstatus = \"free\"\n\
        [[limit]]\nrequests = 20\nper = \"hour\"\n\
        [[model]]\nid = \"limited\"\nscale = \"small\"\ncontext = 1000\n\
        limits = [{ requests = 5, per = \"minute\" }, { tokens = 1000, per = \"minute\" }]\n\
        [[model]]\nid = \"daily\"\nscale = \"small\"\ncontext = 1000\nlimits = [{ requests = 7, per = \"day\" }]\n";
    let free = "dialect = \"openai\"\nbase_url = \"https://b.example\"\nkey_env = [\"B_KEY\"]\nstatus = \"free\"\n\
        [[model]]\nid = \"unlimited\"\nscale = \"small\"\ncontext = 1000\n";
    let file = |id: &str, text: &str| Overlay { id: id.to_owned(), place: id.to_owned(), text: text.to_owned() };
    let catalog = Catalog::only(&[file("a", text), file("b", free)]).expect("valid");
    let account = |(index, provider)| Account {
        provider: Arc::new(provider),
        keys: vec![KeyId { place: index, hash: index as u64 }],
        separate: false,
        priority: 0,
        max_concurrency: None,
    };
    Fleet::new(&catalog.providers.into_iter().enumerate().map(account).collect::<Vec<_>>())
}

pub(super) fn route<'f>(fleet: &'f Fleet, model: &str) -> &'f Route {
    fleet.routes.iter().find(|route| route.model.id == model).expect("a route")
}

pub(super) fn at(seconds: u64) -> Timestamp {
    later(Timestamp::UNIX_EPOCH, Duration::from_secs(1_700_000_000 + seconds))
}

pub(super) fn row(route: &Route, at: Timestamp, fault: Option<Fault>) -> LedgerRow {
    LedgerRow {
        at,
        request_id: "r".into(),
        session: None,
        route: route.id,
        attempt: 1,
        fault,
        cancelled: false,
        continues: false,
        usage: Some(Usage { prompt_tokens: 10, completion_tokens: 5 }),
        http_status: Some(200),
        first_event_ms: Some(3),
        total_ms: 9,
    }
}

/// Both stores over the same fleet; the folder holds the file of one.
pub(super) fn stores(fleet: &Fleet) -> (tempfile::TempDir, [Arc<dyn Store>; 2]) {
    let folder = tempfile::tempdir().expect("a folder");
    let sqlite = Sqlite::open(&folder.path().join("relay.db"), fleet, OnLoss::Refuse, at(0)).expect("a new file");
    (folder, [Arc::new(Memory::new(fleet)), Arc::new(sqlite)])
}

fn used(store: &dyn Store, route: &Route, now: Timestamp) -> Vec<u64> {
    let view = store.view();
    route.meters.iter().map(|meter| view.meters[meter.0].reading(now).used).collect()
}

#[tokio::test]
async fn all_meters_of_a_route_are_charged_or_none() {
    let fleet = fleet();
    let route = route(&fleet, "limited");
    for store in stores(&fleet).1 {
        for second in 0..5 {
            let lease = store.reserve(route, Cost::request(10, 10), at(second)).await.expect("room");
            store.settle(lease, Settlement::AsReserved, row(route, at(second), None), at(second));
        }
        let refused = store.reserve(route, Cost::request(10, 10), at(5)).await.expect_err("five a minute");
        let Refusal::Until(meter, until) = refused else { panic!("{refused:?}") };
        assert_eq!(store.view().meters[meter.0].limit.label(), "requests/minute");
        assert!(until >= at(60) && until <= at(61), "{until}");
        assert_eq!(used(store.as_ref(), route, at(5)), [5, 5, 100], "the refusal took nothing");
        let never = store.reserve(route, Cost::request(1_000, 1), at(70)).await.expect_err("larger than the limit");
        assert!(matches!(never, Refusal::Never(_)));
        store.reserve(route, Cost::request(10, 10), until).await.map(drop).expect("the promised moment");
    }
}

#[tokio::test]
async fn settling_puts_use_in_the_place_of_the_reservation() {
    let fleet = fleet();
    let route = route(&fleet, "limited");
    let cases = [
        (Settlement::Used(Cost::request(30, 20)), [1, 1, 50]),
        (Settlement::Used(Cost::request(300, 200)), [1, 1, 500]),
        (Settlement::AsReserved, [1, 1, 200]),
        (Settlement::Refunded, [0, 0, 0]),
    ];
    for (settlement, expected) in cases {
        for store in stores(&fleet).1 {
            let lease = store.reserve(route, Cost::request(100, 100), at(0)).await.expect("room");
            assert_eq!((store.open_leases(), used(store.as_ref(), route, at(0))), (1, vec![1, 1, 200]));
            store.settle(lease, settlement, row(route, at(0), None), at(1));
            assert_eq!(
                (store.open_leases(), used(store.as_ref(), route, at(1))),
                (0, expected.to_vec()),
                "{settlement:?}"
            );
        }
    }
}

#[tokio::test]
async fn a_route_without_limits_is_granted_at_once() {
    let fleet = fleet();
    let route = route(&fleet, "unlimited");
    for store in stores(&fleet).1 {
        let lease = store.reserve(route, Cost::request(1 << 40, 0), at(0)).await.expect("nothing forbids it");
        assert_eq!(store.open_leases(), 1);
        store.settle(lease, Settlement::AsReserved, row(route, at(0), None), at(0));
        assert_eq!(store.open_leases(), 0);
    }
}

#[tokio::test]
async fn of_two_rests_the_later_one_wins() {
    let fleet = fleet();
    let route = route(&fleet, "limited");
    for store in stores(&fleet).1 {
        store.mark(route.model_mark, at(60), &Fault::Gone);
        store.mark(route.model_mark, at(30), &Fault::Denied);
        let view = store.view();
        let mark = view.marks[route.model_mark.0].as_ref().expect("a rest");
        assert_eq!((mark.until, &mark.cause), (at(60), &Fault::Gone));
    }
}

#[tokio::test]
async fn headers_correct_counts_and_limits_and_keep_what_is_in_flight() {
    let fleet = fleet();
    let route = route(&fleet, "limited");
    let fact = |kind, limit, remaining| Fact {
        kind,
        period: Period::Minute,
        limit,
        remaining,
        resets_at: None,
        scope: None,
        source: Source::Header,
    };
    for store in stores(&fleet).1 {
        let lease = store.reserve(route, Cost::request(100, 100), at(0)).await.expect("room");
        store.tell(route, &[fact(Kind::Requests, Some(8), Some(4)), fact(Kind::Tokens, None, Some(900))], at(0), at(1));
        // Somebody else made three requests; the tokens of the open request may not be in the header's count yet.
        assert_eq!(used(store.as_ref(), route, at(1)), [1, 4, 200]);
        let reading = store.view().meters[route.meters[1].0].reading(at(1));
        assert_eq!((reading.limit, reading.limit_source, reading.used_source), (8, Source::Header, Source::Header));
        store.settle(lease, Settlement::AsReserved, row(route, at(0), None), at(2));
        store.tell(route, &[fact(Kind::Tokens, None, Some(990))], at(3), at(3));
        assert_eq!(used(store.as_ref(), route, at(3)), [1, 4, 10], "given back sooner than documented");
    }
}

#[tokio::test]
async fn a_refusal_near_the_limit_teaches_the_limit_and_one_far_from_it_teaches_nothing() {
    let fleet = fleet();
    let route = route(&fleet, "limited");
    for store in stores(&fleet).1 {
        let early = store.reserve(route, Cost::request(1, 1), at(0)).await.expect("room");
        assert!(!store.refuse(&early, Some(Period::Minute), at(0)), "one of five is no sign of a limit");
        for second in 1..4 {
            drop(store.reserve(route, Cost::request(1, 1), at(second)).await.expect("room"));
        }
        assert!(store.refuse(&early, Some(Period::Minute), at(4)));
        let meter = route.meters[1];
        let reading = store.view().meters[meter.0].reading(at(4));
        assert_eq!((reading.limit, reading.limit_source), (3, Source::Error));
        let raised = store.view().meters[meter.0].reading(at(4 + 600));
        assert_eq!(raised.limit, 4, "ten windows later the guess is tried again");
    }
}

#[tokio::test]
async fn a_failure_after_which_nothing_was_tried_is_no_failover() {
    let fleet = fleet();
    let (limited, other) = (route(&fleet, "limited"), route(&fleet, "unlimited"));
    let gone = || Some(Fault::Gone);
    let attempts = [
        ("alone", limited, 1, gone()),
        ("two", limited, 1, gone()),
        ("two", other, 2, None),
        ("three", limited, 1, gone()),
        ("three", other, 2, gone()),
        ("three", limited, 3, gone()),
    ];
    for store in stores(&fleet).1 {
        for (request_id, route, attempt, fault) in attempts.clone() {
            let lease = store.reserve(route, Cost::default(), at(0)).await.expect("room");
            let row = LedgerRow { request_id: request_id.into(), attempt, ..row(route, at(0), fault) };
            store.settle(lease, Settlement::Refunded, row, at(0));
        }
        store.flush();
        let totals = store.totals(at(0)).expect("kept");
        let [from, to] = [limited, other].map(|route| totals[route.id.0]);
        assert_eq!((from.errors, from.failover_out, to.failover_out, to.failover_in), (4, 2, 1, 1));
        let left: u64 = store.history(at(0)).expect("kept").iter().map(|quarter| quarter.totals.failover_out).sum();
        assert_eq!(left, 3);
    }
}

#[tokio::test]
async fn totals_and_history_are_of_the_time_they_are_asked_for() {
    let fleet = fleet();
    let route = route(&fleet, "unlimited");
    let hour = 3_600;
    for store in stores(&fleet).1 {
        for moment in [0, hour, 30 * hour, 30 * hour + 1] {
            let lease = store.reserve(route, Cost::default(), at(moment)).await.expect("room");
            store.settle(lease, Settlement::AsReserved, row(route, at(moment), None), at(moment));
        }
        let since = |moment| {
            let totals = store.totals(moment).expect("kept")[route.id.0];
            let quarters = store.history(moment).expect("kept");
            assert_eq!(quarters.iter().map(|quarter| quarter.totals.ok).sum::<u64>(), totals.ok, "{moment}");
            (totals.ok, totals.prompt_tokens)
        };
        let asked = [Timestamp::MIN, at(0), at(hour), at(2 * hour), at(30 * hour), at(31 * hour)];
        assert_eq!(asked.map(since), [(4, 40), (4, 40), (3, 30), (2, 20), (2, 20), (0, 0)]);
    }
}

#[tokio::test]
async fn a_session_stays_with_the_route_that_answered_it_last() {
    let fleet = fleet();
    let (limited, free) = (route(&fleet, "limited"), route(&fleet, "unlimited"));
    let session = SessionKey(7);
    for store in stores(&fleet).1 {
        let end = async |route: &Route, change: fn(&mut LedgerRow)| {
            let lease = store.reserve(route, Cost::request(1, 1), at(0)).await.expect("room");
            let mut row = LedgerRow { session: Some(session), ..row(route, at(0), None) };
            change(&mut row);
            store.settle(lease, Settlement::AsReserved, row, at(1));
            store.pinned(session, at(2))
        };
        assert_eq!(store.pinned(session, at(0)), None);
        assert_eq!(end(limited, |row| row.fault = Some(Fault::Gone)).await, None, "a failure is no answer");
        assert_eq!(end(limited, |_| {}).await, Some(limited.id));
        assert_eq!(end(free, |row| row.cancelled = true).await, Some(limited.id), "the caller left");
        assert_eq!(end(free, |_| {}).await, Some(free.id), "moved");
    }
}

/// One random step.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Reserve { route: usize, input: u64, output: u64 },
    Settle { lease: usize, how: u8, tokens: u64, session: u128 },
    Tell { route: usize, limit: Option<u64>, remaining: Option<u64> },
    Refuse { lease: usize },
    Mark { route: usize, seconds: u64 },
    Wait { seconds: u64 },
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (0..3_usize, 0..300_u64, 0..300_u64).prop_map(|(route, input, output)| Step::Reserve { route, input, output }),
        4 => (0..8_usize, 0..3_u8, 0..600_u64, 0..8_u128).prop_map(|(lease, how, tokens, session)| Step::Settle { lease, how, tokens, session }),
        1 => (0..3_usize, prop::option::of(1..12_u64), prop::option::of(0..12_u64))
            .prop_map(|(route, limit, remaining)| Step::Tell { route, limit, remaining }),
        1 => (0..8_usize).prop_map(|lease| Step::Refuse { lease }),
        1 => (0..3_usize, 0..90_u64).prop_map(|(route, seconds)| Step::Mark { route, seconds }),
        2 => (0..40_u64).prop_map(|seconds| Step::Wait { seconds }),
    ]
}

/// What a caller could see of a step.
pub(super) async fn take(
    store: &dyn Store,
    fleet: &Fleet,
    leases: &mut Vec<(usize, Lease)>,
    step: &Step,
    now: Timestamp,
) -> String {
    match step {
        Step::Reserve { route, input, output } => {
            match store.reserve(&fleet.routes[*route], Cost::request(*input, *output), now).await {
                Ok(lease) => {
                    leases.push((*route, lease));
                    "granted".to_owned()
                }
                Err(refusal) => format!("{refusal:?}"),
            }
        }
        Step::Settle { lease, how, tokens, session } if !leases.is_empty() => {
            let (route, lease) = leases.remove(lease % leases.len());
            let used = Cost::request(*tokens, 7);
            let settlement = [Settlement::AsReserved, Settlement::Refunded, Settlement::Used(used)][usize::from(*how)];
            // What was refunded was no answer; of eight sessions four are no session.
            let fault = (settlement == Settlement::Refunded).then_some(Fault::Gone);
            let session = (*session < 4).then_some(SessionKey(*session));
            store.settle(lease, settlement, LedgerRow { session, ..row(&fleet.routes[route], now, fault) }, now);
            String::new()
        }
        Step::Tell { route, limit, remaining } => {
            let fact = |kind, period| Fact {
                kind,
                period,
                limit: *limit,
                remaining: *remaining,
                resets_at: None,
                scope: None,
                source: Source::Header,
            };
            store.tell(
                &fleet.routes[*route],
                &[fact(Kind::Requests, Period::Minute), fact(Kind::Requests, Period::Day)],
                now,
                now,
            );
            String::new()
        }
        Step::Refuse { lease } if !leases.is_empty() => {
            store.refuse(&leases[lease % leases.len()].1, None, now).to_string()
        }
        Step::Mark { route, seconds } => {
            let until = later(now, Duration::from_secs(*seconds));
            store.mark(fleet.routes[*route].model_mark, until, &Fault::Gone);
            String::new()
        }
        Step::Settle { .. } | Step::Refuse { .. } | Step::Wait { .. } => String::new(),
    }
}

/// Everything a store knows.
fn state(store: &dyn Store, now: Timestamp) -> String {
    let view = store.view();
    let readings: Vec<_> = view.meters.iter().map(|meter| meter.reading(now)).collect();
    let sessions: Vec<_> = (0..4).map(|session| store.pinned(SessionKey(session), now)).collect();
    format!("{readings:?} {:?} {} {sessions:?}", view.marks, store.open_leases())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(50))]

    /// 50 runs of 200 operations each; in the middle the file is closed and opened again.
    #[test]
    fn random_operations_end_alike_in_every_store(steps in prop::collection::vec(step(), 200)) {
        let fleet = fleet();
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay.db");
        let bounds = SessionBounds { most: 3, ttl: Duration::from_mins(5) };
        let open = || {
            let store = Sqlite::open(&path, &fleet, OnLoss::Refuse, at(0)).expect("it opens");
            store.bound_sessions(bounds);
            store
        };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let (memory, mut sqlite) = (Memory::new(&fleet), open());
        memory.bound_sessions(bounds);
        let (mut now, mut ours, mut theirs) = (at(0), Vec::new(), Vec::new());
        for (index, step) in steps.iter().enumerate() {
            if let Step::Wait { seconds } = step {
                now = later(now, Duration::from_secs(*seconds));
            }
            if index == 100 {
                // A new process knows nothing of the old one's open leases, and for two minutes not that they have ended.
                now = later(now, Duration::from_mins(2));
                for (route, lease) in ours.drain(..) {
                    memory.settle(lease, Settlement::AsReserved, row(&fleet.routes[route], now, None), now);
                }
                theirs.clear();
                drop(sqlite);
                sqlite = open();
            }
            let ours = runtime.block_on(take(&memory, &fleet, &mut ours, step, now));
            let theirs = runtime.block_on(take(&sqlite, &fleet, &mut theirs, step, now));
            prop_assert_eq!(ours, theirs, "{:?}", step);
            prop_assert_eq!(state(&memory, now), state(&sqlite, now), "after {:?}", step);
        }
    }
}

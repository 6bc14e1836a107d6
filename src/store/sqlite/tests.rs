//! What only a file can do wrong: crashes, other processes, other versions, damage.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::catalog::{Catalog, Overlay};
use crate::chat::Usage;
use crate::quota::{Meter, Source};
use crate::routing::Account;
use crate::store::Refusal;
use crate::store::tests::{at, fleet, route, row};

mod lost;
mod together;

struct Place {
    folder: TempDir,
    fleet: Fleet,
}

fn place() -> Place {
    Place { folder: tempfile::tempdir().expect("a folder"), fleet: fleet() }
}

impl Place {
    fn path(&self) -> PathBuf {
        self.folder.path().join("state/relay.db")
    }

    fn open(&self) -> Sqlite {
        Sqlite::open(&self.path(), &self.fleet, OnLoss::Refuse, at(0)).expect("it opens")
    }

    fn refused(&self) -> String {
        let error = Sqlite::open(&self.path(), &self.fleet, OnLoss::Refuse, at(0)).err().expect("it does not open");
        assert!(!error.hint.is_empty() && error.message.contains("relay.db"), "{error:?}");
        error.message
    }

    fn route(&self, model: &str) -> &Route {
        route(&self.fleet, model)
    }
}

fn used(store: &Sqlite, route: &Route) -> u64 {
    store.view().meters[route.meters[1].0].reading(at(2)).used
}

#[tokio::test]
async fn what_is_used_rested_and_learned_outlives_the_process() {
    let place = place();
    let limited = place.route("limited");
    let store = place.open();
    let lease = store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("room");
    store.settle(lease, Settlement::AsReserved, row(limited, at(0), None), at(1));
    let crashed = store.reserve(limited, Cost::request(1, 1), at(1)).await.expect("room");
    let fact = Fact {
        kind: crate::quota::Kind::Requests,
        period: Period::Minute,
        limit: Some(4),
        remaining: None,
        resets_at: None,
        scope: None,
        source: Source::Header,
    };
    store.tell(limited, &[fact], at(1), at(1));
    let cause = Fault::Spent { until: Some(at(900)), scope: None, period: Some(Period::Day) };
    store.mark(limited.account_mark, at(900), &cause);
    drop((crashed, store));
    let again = place.open();
    assert_eq!(used(&again, limited), 2, "what nobody settled stays used");
    assert_eq!(again.view().meters[limited.meters[1].0].reading(at(2)).limit, 4);
    let view = again.view();
    let mark = view.marks[limited.account_mark.0].as_ref().expect("the rest is kept");
    assert_eq!((mark.until, &mark.cause), (at(900), &cause));
    assert_eq!(again.open_leases(), 0);
}

#[tokio::test]
async fn two_stores_over_one_file_share_every_limit_and_see_each_others_rests() {
    let place = place();
    let limited = place.route("limited");
    let (one, two) = (place.open(), place.open());
    for (index, store) in [&one, &two, &one, &two, &one].into_iter().enumerate() {
        let lease = store.reserve(limited, Cost::request(1, 1), at(index as u64)).await.expect("five fit");
        store.settle(lease, Settlement::AsReserved, row(limited, at(0), None), at(index as u64));
    }
    for store in [&one, &two] {
        let refused = store.reserve(limited, Cost::request(1, 1), at(6)).await;
        assert!(matches!(refused, Err(Refusal::Until(..))), "{refused:?}");
    }
    one.mark(limited.model_mark, at(90), &Fault::Gone);
    one.flush();
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while two.view().marks[limited.model_mark.0].is_none() {
        assert!(std::time::Instant::now() < deadline, "it is seen within a second or so");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(one.totals(at(0)).expect("it can be read")[limited.id.0].ok, 5, "the ledger is shared too");
    two.lift(limited.model_mark);
    two.flush();
    while one.view().marks[limited.model_mark.0].is_some() {
        assert!(std::time::Instant::now() < deadline, "a lifted rest is seen as soon");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    one.mark(limited.model_mark, at(95), &Fault::Gone);
    one.flush();
    assert_eq!(place.open().view().marks[limited.model_mark.0].as_ref().map(|mark| mark.until), Some(at(95)));
}

#[tokio::test]
async fn a_settlement_meets_what_another_process_counted_meanwhile() {
    let place = place();
    let limited = place.route("limited");
    let (one, two) = (place.open(), place.open());
    let ours = one.reserve(limited, Cost::request(300, 300), at(0)).await.expect("room");
    let theirs = two.reserve(limited, Cost::request(100, 100), at(0)).await.expect("room");
    let tokens = |store: &Sqlite| store.view().meters[limited.meters[2].0].reading(at(2)).used;
    let taken = Cost::request(5, 5);
    one.settle(ours, Settlement::Used(taken), row(limited, at(0), None), at(1));
    one.flush();
    two.settle(theirs, Settlement::Used(taken), row(limited, at(0), None), at(1));
    two.flush();
    assert_eq!(tokens(&two), 20);
    drop(one);
    drop(two);
    assert_eq!((tokens(&place.open()), used(&place.open(), limited)), (20, 2));
}

#[tokio::test]
async fn an_older_file_is_brought_up_to_date_and_a_newer_one_is_left_alone() {
    let place = place();
    std::fs::create_dir_all(place.path().parent().expect("a folder")).expect("writable");
    let old = file::open_as_of(&place.path(), 1);
    old.execute("INSERT INTO mark VALUES ('a/0/limited', ?1, 'gone//')", [at(500).as_microsecond()]).expect("a row");
    let limited = place.route("limited");
    let spec = place.fleet.meter_spec(limited.meters[1]);
    let mut meter = Meter::new(spec.limit.clone());
    meter.add(2, at(0));
    let as_it_was = "INSERT INTO meter (name, sequence, state) VALUES (?1, 7, ?2)";
    old.execute(as_it_was, [&spec.name, &meter.save()]).expect("a row");
    let store = place.open();
    assert_eq!(used(&store, limited), 2);
    old.execute(as_it_was, ["other", "{}"]).expect_err("an older relay that still runs hears of it");
    drop(old);
    assert_eq!(store.view().marks[limited.model_mark.0].as_ref().map(|mark| mark.until), Some(at(500)));
    let lease = store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("room");
    store.settle(lease, Settlement::AsReserved, row(limited, at(0), None), at(0));
    assert_eq!(store.totals(at(0)).expect("the ledger is there")[limited.id.0].ok, 1);
    drop(store);
    let future = rusqlite::Connection::open(place.path()).expect("it opens");
    future.pragma_update(None, "user_version", 99).expect("it is written");
    assert!(place.refused().contains("newer relay (version 99"));
}

#[test]
fn a_damaged_file_is_refused_and_stays_as_it_is() {
    let place = place();
    std::fs::create_dir_all(place.path().parent().expect("a folder")).expect("writable");
    std::fs::write(place.path(), b"my notes, which are no database at all").expect("writable");
    assert!(place.refused().contains("damaged"));
    assert_eq!(std::fs::read(place.path()).expect("still there"), b"my notes, which are no database at all");
}

#[test]
fn another_programs_database_is_refused_and_stays_as_it_is() {
    for version in [0, 2] {
        let place = place();
        std::fs::create_dir_all(place.path().parent().expect("a folder")).expect("writable");
        let theirs = rusqlite::Connection::open(place.path()).expect("it opens");
        theirs.execute_batch("CREATE TABLE note (text TEXT); INSERT INTO note VALUES ('mine')").expect("it is written");
        theirs.pragma_update(None, "user_version", version).expect("it is written");
        drop(theirs);
        let before = std::fs::read(place.path()).expect("it is there");
        assert!(place.refused().contains("no state of relay"), "version {version}");
        assert_eq!(std::fs::read(place.path()).expect("still there"), before, "version {version}");
    }
}

#[cfg(unix)]
#[test]
fn the_file_is_for_its_user_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = place();
    drop(place.open());
    let mode = |path: PathBuf| std::fs::metadata(path).expect("it is there").permissions().mode() & 0o777;
    assert_eq!((mode(place.path()), mode(place.folder.path().join("state"))), (0o600, 0o700));
}

#[tokio::test]
async fn a_lost_file_refuses_or_goes_on_alone_as_it_was_told() {
    for (on_loss, goes_on) in [(OnLoss::Refuse, false), (OnLoss::Local, true)] {
        let place = place();
        let limited = place.route("limited");
        let store = Sqlite::open(&place.path(), &place.fleet, on_loss, at(0)).expect("it opens");
        let breaker = rusqlite::Connection::open(place.path()).expect("it opens");
        breaker.execute_batch("DROP TABLE meter; DROP TABLE change").expect("it can be broken");
        let granted = store.reserve(limited, Cost::request(1, 1), at(0)).await;
        assert_eq!(granted.is_ok(), goes_on, "{granted:?}");
        assert!(goes_on || matches!(granted, Err(Refusal::Lost(_))));
        let counted = store.view().meters[limited.meters[1].0].reading(at(0)).used;
        assert_eq!(counted, u64::from(goes_on));
    }
}

#[tokio::test]
async fn a_caller_that_leaves_before_it_sees_its_lease_has_used_nothing() {
    let place = place();
    let limited = place.route("limited");
    let store = place.open();
    for is_granted in [true, false] {
        let asked = store.reserve(limited, Cost::request(1, 1), at(0));
        if is_granted {
            store.flush();
            assert_eq!((store.open_leases(), used(&store, limited)), (1, 1));
        }
        drop(asked);
        store.flush();
        assert_eq!((store.open_leases(), used(&store, limited)), (0, 0), "{is_granted}");
    }
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while used(&place.open(), limited) > 0 {
        assert!(std::time::Instant::now() < deadline, "others see it within a second or so");
    }
}

#[tokio::test]
async fn what_could_not_be_written_is_written_once_the_file_is_back() {
    let place = place();
    let limited = place.route("limited");
    let store = Sqlite::open(&place.path(), &place.fleet, OnLoss::Local, at(0)).expect("it opens");
    store.mark(limited.account_mark, at(900), &Fault::Gone);
    store.flush();
    let breaker = rusqlite::Connection::open(place.path()).expect("it opens");
    breaker.execute_batch("ALTER TABLE change RENAME TO away").expect("it can be broken");
    for session in 0..3 {
        let lease = store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("it goes on alone");
        let row = LedgerRow { session: Some(SessionKey(session)), ..row(limited, at(0), None) };
        store.settle(lease, Settlement::AsReserved, row, at(0));
        store.flush();
    }
    store.mark(limited.model_mark, at(900), &Fault::Gone);
    store.lift(limited.account_mark);
    store.flush();
    assert_eq!(store.totals(at(0)).expect("it can be read")[limited.id.0].ok, 0, "nothing could be written");
    breaker.execute_batch("ALTER TABLE away RENAME TO change").expect("it can be mended");
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    let reader = file::read(&place.path()).expect("it opens");
    while rows::totals(&reader, &store.shared.routes, at(0)).expect("it can be read")[limited.id.0].ok < 3 {
        assert!(std::time::Instant::now() < deadline, "nobody has to ask for it");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let again = place.open();
    let rests = [limited.model_mark, limited.account_mark].map(|mark| again.view().marks[mark.0].is_some());
    assert_eq!((rests, used(&again, limited)), ([true, false], 3));
    assert_eq!(again.pinned(SessionKey(2), at(0)), Some(limited.id));
}

#[tokio::test]
async fn a_reset_reaches_whoever_has_the_file_open() {
    let place = place();
    let limited = place.route("limited");
    let store = place.open();
    let lease = store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("room");
    store.settle(lease, Settlement::AsReserved, row(limited, at(0), None), at(0));
    store.mark(limited.model_mark, at(900), &Fault::Gone);
    store.flush();
    reset(&place.path(), at(0)).expect("it can be written");
    // Opened once more before the others have looked.
    assert!(place.open().view().marks[limited.model_mark.0].is_none());
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while store.view().marks[limited.model_mark.0].is_some() || used(&store, limited) > 0 {
        assert!(std::time::Instant::now() < deadline, "it is seen within a second or so");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    store.mark(limited.model_mark, at(30), &Fault::Gone);
    store.flush();
    assert_eq!(place.open().view().marks[limited.model_mark.0].as_ref().map(|mark| mark.until), Some(at(30)));
}

#[tokio::test]
async fn a_rest_that_was_set_by_a_clock_that_was_ahead_is_lifted_for_all() {
    let place = place();
    let (limited, daily) = (place.route("limited"), place.route("daily"));
    let store = place.open();
    let hour = Fault::Busy { until: None, scope: None, period: Some(Period::Hour) };
    store.mark(limited.model_mark, at(30 * 3_600), &hour);
    store.mark(daily.model_mark, at(3_600), &hour);
    store.mark(limited.account_mark, at(30 * 86_400), &Fault::Gone);
    store.flush();
    let rests = |store: &Sqlite| {
        [limited.model_mark, daily.model_mark, limited.account_mark].map(|mark| store.view().marks[mark.0].is_some())
    };
    assert_eq!([rests(&store), rests(&place.open())], [[true; 3], [false, true, true]]);
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while rests(&store)[0] {
        assert!(std::time::Instant::now() < deadline, "it is seen within a second or so");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_file_with_absurd_numbers_can_be_read() {
    let place = place();
    let limited = place.route("limited");
    let store = place.open();
    for _ in 0..2 {
        let lease = store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("room");
        let usage = Some(Usage { prompt_tokens: 7, completion_tokens: u64::MAX });
        store.settle(lease, Settlement::AsReserved, LedgerRow { usage, ..row(limited, at(0), None) }, at(0));
    }
    assert_eq!(store.totals(at(0)).expect("it can be read")[limited.id.0].prompt_tokens, 14);
    assert_eq!(store.history(at(0)).expect("it can be read").len(), 1);
}

/// Without limits nothing is written before the answer, with limits one transaction, and one more after it.
#[tokio::test]
async fn an_attempt_costs_one_transaction_before_it_and_one_after() {
    let place = place();
    let store = place.open();
    let reader = file::read(&place.path()).expect("it opens");
    let version = || reader.pragma_query_value(None, "data_version", |row| row.get::<_, i64>(0)).expect("a version");
    let transactions = |before: i64| version() - before;
    let start = version();
    let lease = store.reserve(place.route("unlimited"), Cost::request(1, 1), at(0)).await.expect("nothing forbids it");
    assert_eq!(transactions(start), 0);
    store.settle(lease, Settlement::AsReserved, row(place.route("unlimited"), at(0), None), at(0));
    store.flush();
    let start = version();
    let limited = place.route("limited");
    let lease = store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("room");
    assert_eq!(transactions(start), 1);
    store.tell(limited, &[], at(0), at(0));
    store.mark(limited.model_mark, at(5), &Fault::Gone);
    store.settle(lease, Settlement::AsReserved, row(limited, at(0), None), at(0));
    store.flush();
    assert_eq!(transactions(start), 2);
}

#[tokio::test]
async fn of_a_settlement_only_what_it_corrects_is_written() {
    let place = place();
    let store = place.open();
    let limited = place.route("limited");
    let corrected =
        [(Settlement::AsReserved, 0), (Settlement::Used(Cost::request(1, 2)), 1), (Settlement::Refunded, 3)];
    for (settlement, meters) in corrected {
        let lease = store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("room");
        let reader = file::read(&place.path()).expect("it opens");
        let before = rows::meters_after(&reader, -1).expect("reserved meters are kept").last;
        store.settle(lease, settlement, row(limited, at(0), None), at(0));
        store.flush();
        let written = rows::meters_after(&reader, before).expect("what came after");
        assert_eq!(written.journal.len(), meters, "{settlement:?}");
    }
}

/// A relay with other providers, over the same file.
fn open_elsewhere(place: &Place) -> (Sqlite, Route) {
    let text = "dialect = \"openai\"\nbase_url = \"https://c.example\"\nkey_env = [\"C_KEY\"]\nstatus = \"free\"\n\
        [[model]]\nid = \"theirs\"\nscale = \"small\"\ncontext = 1000\nlimits = [{ requests = 5000, per = \"minute\" }]\n";
    let file = Overlay { id: "c".to_owned(), place: "c".to_owned(), text: text.to_owned() };
    let provider = Arc::new(Catalog::only(&[file]).expect("valid").providers.remove(0));
    let fleet =
        Fleet::new(&[Account { provider, keys: Vec::new(), separate: false, priority: 0, max_concurrency: None }]);
    let store = Sqlite::open(&place.path(), &fleet, OnLoss::Refuse, at(0)).expect("it opens");
    (store, fleet.routes[0].clone())
}

#[tokio::test]
async fn a_journal_that_is_emptied_loses_nothing_for_anybody() {
    let place = place();
    let limited = place.route("limited");
    let (one, two, (other, theirs)) = (place.open(), place.open(), open_elsewhere(&place));
    for turn in 0..900_u32 {
        // Long stretches by one of them alone, and short ones in turns.
        let stretch = if turn < 600 { 100 } else { 2 };
        let (store, route) = [(&one, limited), (&two, limited), (&other, &theirs)][(turn / stretch % 3) as usize];
        let lease = store.reserve(route, Cost::request(1, 1), at(0)).await.expect("room");
        // Two of either fleet.
        let settlement = if turn % 250 == 1 { Settlement::AsReserved } else { Settlement::Refunded };
        store.settle(lease, settlement, row(route, at(0), None), at(0));
        store.flush();
    }
    let reader = file::read(&place.path()).expect("it opens");
    let count = |table: &str| reader.query_row(table, [], |row| row.get::<_, u32>(0)).expect("a count");
    assert_eq!(count("SELECT COUNT(*) FROM meter"), 4, "three of one fleet, one of the other");
    assert!(count("SELECT COUNT(*) FROM change") < 300);
    for store in [&one, &two, &place.open()] {
        let lease = store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("room");
        let found = used(store, limited);
        store.settle(lease, Settlement::Refunded, row(limited, at(0), None), at(0));
        store.flush();
        assert_eq!(found, 2 + 1);
    }
    let elsewhere = open_elsewhere(&place).0;
    assert_eq!(elsewhere.view().meters[theirs.meters[0].0].reading(at(0)).used, 2);
}

//! A file that is lost for a while, or for good.

use std::time::{Duration, Instant};

use super::*;

#[tokio::test]
async fn a_file_that_is_lost_keeps_nobody_waiting_again_and_again() {
    let place = place();
    let limited = place.route("limited");
    let store = place.open();
    let other = rusqlite::Connection::open(place.path()).expect("it opens");
    let say = |statements: &str| other.execute_batch(statements).expect("it can be done");
    let reserve = || store.reserve(limited, Cost::request(1, 1), at(0));
    say("ALTER TABLE change RENAME TO away");
    assert!(matches!(reserve().await, Err(Refusal::Lost(_))));
    say("BEGIN IMMEDIATE");
    let begun = Instant::now();
    assert!(matches!(reserve().await, Err(Refusal::Lost(_))));
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
    say("ALTER TABLE away RENAME TO change; COMMIT");
    drop(reserve().await.expect("it is back"));
    // And so is the patience.
    say("BEGIN IMMEDIATE");
    let asked = reserve();
    tokio::time::sleep(Duration::from_millis(300)).await;
    say("COMMIT");
    drop(asked.await.expect("the other one has ended"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_that_was_deleted_is_begun_anew_with_what_is_known() {
    let place = place();
    let limited = place.route("limited");
    let stores = [place.open(), place.open()];
    for store in &stores {
        drop(store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("room"));
    }
    for name in ["relay.db", "relay.db-wal", "relay.db-shm"] {
        std::fs::remove_file(place.path().with_file_name(name)).expect("it is there");
    }
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    stores.iter().for_each(Sqlite::flush);
    let third = place.open();
    assert_eq!(used(&third, limited), 2);
    for store in [&third, &stores[0], &stores[1]] {
        drop(store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("five fit"));
    }
    for store in stores.iter().chain([&third]) {
        let refused = store.reserve(limited, Cost::request(1, 1), at(0)).await;
        assert!(matches!(refused, Err(Refusal::Until(..))), "{refused:?}");
    }
}

#[cfg(unix)]
#[tokio::test]
async fn where_no_other_file_can_be_had_the_state_is_lost_until_one_can() {
    let place = place();
    let limited = place.route("limited");
    let store = place.open();
    let folder = place.path().parent().expect("a folder").to_owned();
    let away = folder.with_file_name("away");
    std::fs::rename(&folder, &away).expect("it can be moved");
    std::fs::write(&folder, "no folder").expect("it can be written");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    store.flush();
    let lost = store.reserve(limited, Cost::request(1, 1), at(0)).await;
    assert!(matches!(lost, Err(Refusal::Lost(_))), "{lost:?}");
    std::fs::remove_file(&folder).expect("it is there");
    tokio::time::sleep(Duration::from_millis(1_100)).await;
    store.flush();
    drop(store.reserve(limited, Cost::request(1, 1), at(0)).await.expect("there is a file again"));
    assert_eq!(used(&place.open(), limited), 1);
}

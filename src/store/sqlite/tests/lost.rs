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

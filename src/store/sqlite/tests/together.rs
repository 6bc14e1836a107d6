//! Several processes over one file, in any order.

use proptest::prelude::*;

use super::*;
use crate::clock::later;
use crate::store::tests::{Step, step, take};

/// What a store knows of all meters, as it would be kept.
fn known(store: &Sqlite) -> Vec<String> {
    store.view().meters.iter().map(|meter| meter.save()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whoever reserves, settles, is told and refused in whatever order, and whenever that is written: in the end all know the same, and so does
    /// who comes later.
    #[test]
    fn all_who_share_a_file_know_the_same_in_the_end(
        steps in prop::collection::vec((0..2_usize, step(), prop::bool::weighted(0.3)), 1..60),
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let place = place();
        let stores = [place.open(), place.open()];
        let mut leases = [Vec::new(), Vec::new()];
        let mut now = at(0);
        for (who, step, is_written) in &steps {
            if let Step::Wait { seconds } = step {
                now = later(now, std::time::Duration::from_secs(*seconds));
            }
            runtime.block_on(take(&stores[*who], &place.fleet, &mut leases[*who], step, now));
            if *is_written {
                stores[*who].flush();
            }
        }
        // What is pending is written, and then seen.
        for _ in 0..2 {
            stores.iter().for_each(Store::flush);
        }
        let [one, two] = stores.each_ref().map(known);
        prop_assert_eq!(&one, &two);
        prop_assert_eq!(&one, &known(&place.open()));
    }
}

/// A header's word of requests a minute and a day, as its provider counts them.
fn told(period: Period, limit: u64, remaining: u64) -> Fact {
    let (kind, limit, remaining) = (crate::quota::Kind::Requests, Some(limit), Some(remaining));
    Fact { kind, period, limit, remaining, resets_at: None, scope: None, source: Source::Header }
}

#[tokio::test]
async fn a_header_gives_back_nothing_that_another_process_has_under_way() {
    let place = place();
    let daily = place.route("daily");
    let used = |store: &Sqlite, now| store.view().meters[daily.meters[1].0].reading(now).used;
    let one = place.open();
    let mut under_way = Vec::new();
    for second in 0..3 {
        under_way.push(one.reserve(daily, Cost::request(1, 1), at(second)).await.expect("room"));
    }
    // Its provider has seen none of those yet: both who was there before them, and who comes later, keep them.
    for two in [place.open(), place.open()] {
        let lease = two.reserve(daily, Cost::request(1, 1), at(4)).await.expect("room");
        let before = used(&two, at(4));
        two.tell(daily, &[told(Period::Day, 7, 6)], at(4), at(5));
        assert_eq!(used(&two, at(5)), before);
        two.settle(lease, Settlement::AsReserved, row(daily, at(4), None), at(5));
    }
    // Alone for some time, it believes the provider. What was under way by then has ended, or died with its process.
    let two = place.open();
    drop((under_way, one));
    let lease = two.reserve(daily, Cost::request(1, 1), at(3_000)).await.expect("room");
    two.settle(lease, Settlement::AsReserved, row(daily, at(3_000), None), at(3_001));
    let lease = two.reserve(daily, Cost::request(1, 1), at(6_000)).await.expect("room");
    two.tell(daily, &[told(Period::Day, 7, 5)], at(6_000), at(6_001));
    assert_eq!(used(&two, at(6_001)), 2);
    two.settle(lease, Settlement::AsReserved, row(daily, at(6_000), None), at(6_002));
}

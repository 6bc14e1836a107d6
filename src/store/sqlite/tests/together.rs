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

//! Whom a request tries first is drawn with the odds that the long way gives.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::board::varied_world;
use super::world;
use crate::routing::{Contender, Need, Order, Ordering, Ranking, RouteId, Strategy};

const AUTO: Order = Order { providers: Strategy::Auto, models: Strategy::Auto, turn: 0 };

fn contender() -> impl proptest::strategy::Strategy<Value = (f32, bool, bool)> {
    let price = prop_oneof![4 => 1.0..4.0_f32, 2 => Just(1.5), 1 => 1.0..1e5_f32];
    (price, prop::bool::weighted(0.1), prop::bool::weighted(0.5))
}

proptest! {
    /// Whom the long way may leave to chance, and nobody else; where there is nobody, whom the long way finds.
    #[test]
    fn who_goes_first_is_comparable_to_the_cheapest(drawn in prop::collection::vec(contender(), 1..12), seed in any::<u64>()) {
        let world = varied_world();
        let mut ranking = Ranking::of_none(world.fleet.routes.len());
        for (place, (price, is_shunned, _)) in drawn.into_iter().enumerate().filter(|(_, (.., is_there))| *is_there) {
            let (route, outline) = (RouteId(place), &world.fleet.outlines[place]);
            let (provider, is_paid) = (outline.provider, outline.is_paid);
            ranking.add(Contender { route, price, provider, is_shunned, is_paid });
        }
        let need = Need { seed, ..Need::smallest() };
        let ordering = Ordering { order: AUTO, fleet: &world.fleet, need: &need, snapshot: &world.snapshot };
        let contenders: Vec<Contender> = ranking.contenders(&world.fleet).collect();
        let next = ordering.next(&contenders, |_| false, |_| 0).copied();
        let first = ordering.first(&ranking);
        match first.filter(|_| ranking.least.is_finite()) {
            Some(first) => prop_assert!(first.is_first_choice() && first.price <= ranking.least * 2.0),
            None => prop_assert_eq!(first, next),
        }
        prop_assert_eq!(first.is_some(), next.is_some());
    }
}

/// Of prices 1, 1.5 and 2 the shares are as 1 to 1/2.25 to 1/4, however many routes are out of the question, and by either way.
#[test]
fn each_is_drawn_with_the_share_that_its_price_gives_it() {
    const REQUESTS: u32 = 40_000;
    for others in [0_usize, 40, 4_000] {
        let ids: Vec<String> = (0..others + 3).map(|number| format!("m{number}")).collect();
        let models: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "small", "")).collect();
        let world = world(&[("a", "free", &models)]);
        let mut ranking = Ranking::of_none(world.fleet.routes.len());
        for (price, place) in [1.0_f32, 1.5, 2.0].into_iter().chain([2.1].repeat(others)).zip(0..) {
            ranking.add(Contender { route: RouteId(place), price, provider: 0, is_shunned: false, is_paid: false });
        }
        let mut firsts = BTreeMap::<usize, u32>::new();
        for seed in 0..if others > 1_000 { REQUESTS / 20 } else { REQUESTS } {
            let need = Need { seed: u64::from(seed), ..Need::smallest() };
            let ordering = Ordering { order: AUTO, fleet: &world.fleet, need: &need, snapshot: &world.snapshot };
            *firsts.entry(ordering.first(&ranking).expect("all can answer").route.0).or_default() += 1;
        }
        let all = f64::from(firsts.values().sum::<u32>());
        let expected = [1.0, 1.0 / 2.25, 0.25].map(|share| share / (1.0 + 1.0 / 2.25 + 0.25));
        // Four times the deviation of chance.
        let apart = 4.0 * (0.25 / all).sqrt();
        assert_eq!(firsts.len(), 3, "{firsts:?}");
        for (place, share) in expected.into_iter().enumerate() {
            assert!((f64::from(firsts[&place]) / all - share).abs() < apart, "{others}: {firsts:?}");
        }
    }
}

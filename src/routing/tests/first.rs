//! Whom a request tries first is whom the long way finds.

use proptest::prelude::*;

use super::board::varied_world;
use crate::routing::{Contender, Need, Order, Ordering, Ranking, RouteId, Strategy};

fn contender() -> impl proptest::strategy::Strategy<Value = (f64, bool, bool)> {
    let price = prop_oneof![4 => 1.0..4.0_f64, 2 => Just(1.5), 1 => 1.0..1e5_f64];
    (price, prop::bool::weighted(0.1), prop::bool::weighted(0.5))
}

proptest! {
    #[test]
    fn the_cheapest_of_all_is_the_best_of_the_best_of_each_provider(
        drawn in prop::collection::vec(contender(), 1..12),
        paid in prop::array::uniform3(prop::bool::weighted(0.2)),
        seed in any::<u64>(),
    ) {
        let world = varied_world();
        let contend = |(route, (price, is_shunned, is_there)): (usize, (f64, bool, bool))| {
            let provider = world.fleet.outlines[route].provider;
            let is_paid = paid[route / 4];
            is_there.then_some(Contender { route: RouteId(route), price, provider, is_shunned, is_paid })
        };
        let contenders: Vec<Contender> = drawn.into_iter().enumerate().filter_map(contend).collect();
        let need = Need { seed, ..Need::smallest() };
        let order = Order { providers: Strategy::Auto, models: Strategy::Auto, turn: 0 };
        let ordering = Ordering { order, fleet: &world.fleet, need: &need, snapshot: &world.snapshot };
        let prices = contenders.iter().filter(|it| it.is_first_choice()).map(|it| it.price);
        let ranking = Ranking { least: prices.fold(f64::INFINITY, f64::min), contenders, rejections: Vec::new() };
        prop_assert_eq!(ordering.first(&ranking), ordering.next(&ranking.contenders, |_| false, |_| 0));
    }
}

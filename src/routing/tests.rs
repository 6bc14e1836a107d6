//! Prices and orders over small fleets, told as tables.

mod board;
mod first;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use smallvec::SmallVec;

use super::*;
use crate::catalog::{Catalog, Overlay};
use crate::clock::later;
use crate::quota::Cost;

/// Six hours before the day turns.
const NOW: &str = "2026-10-09T18:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("a moment")
}

/// A fleet of providers, each an id, a status and its models; a model is an id, a scale and its limits in TOML.
type Providers<'a> = &'a [(&'a str, &'a str, &'a [(&'a str, &'a str, &'a str)])];

struct World {
    fleet: Fleet,
    snapshot: Snapshot,
}

/// By a board that knows nothing yet.
fn rank(fleet: &Fleet, need: &Need, snapshot: &Snapshot) -> Ranking {
    super::rank(fleet, need, snapshot, &mut Board::new(fleet))
}

fn world(providers: Providers<'_>) -> World {
    sharing_world(providers, "")
}

/// The same with limits that all models of a provider share, each for itself.
fn sharing_world(providers: Providers<'_>, shared: &str) -> World {
    let files = providers.iter().map(|(id, status, models)| {
        let mut text = format!("dialect = \"openai\"\nbase_url = \"http://127.0.0.1:1\"\nstatus = \"{status}\"\n");
        if *status != "local" {
            text.push_str("key_env = [\"A_KEY\"]\n");
        }
        for (model, scale, limits) in *models {
            text.push_str(&format!("[[model]]\nid = \"{model}\"\nscale = \"{scale}\"\ncontext = 9000\n"));
            text.push_str(&format!("limits = [{limits}]\n"));
        }
        Overlay { id: (*id).to_owned(), place: (*id).to_owned(), text: text + shared }
    });
    let catalog = Catalog::only(&files.collect::<Vec<_>>()).expect("valid files");
    let account = |provider| Account {
        provider: Arc::new(provider),
        keys: vec![KeyId { place: 0, hash: 0 }],
        separate: false,
        priority: 0,
        max_concurrency: None,
    };
    let fleet = Fleet::new(&catalog.providers.into_iter().map(account).collect::<Vec<_>>());
    let snapshot = Snapshot {
        now: now(),
        view: Arc::new(View::new(&fleet)),
        health: Arc::new(Healths::new(&fleet)),
        claims: Claims::default(),
        full: SmallVec::new(),
    };
    World { fleet, snapshot }
}

impl World {
    fn route(&self, name: &str) -> &Route {
        self.fleet.routes.iter().find(|route| *route.name == *name).expect("a route of the fleet")
    }

    /// So many requests of this size were answered at `at`.
    fn used(&mut self, name: &str, requests: u64, at: Timestamp) {
        let meters = self.route(name).meters.clone();
        let view = Arc::make_mut(&mut self.snapshot.view);
        for id in meters {
            view.meters.change(id, |meter| meter.add(requests * Cost::request(50, 50).of(meter.kind()), at));
        }
    }

    fn health(&mut self, name: &str) -> &mut Health {
        let id = self.route(name).id;
        Arc::make_mut(&mut self.snapshot.health).change(id)
    }

    fn price(&self, name: &str, need: &Need) -> Price {
        let need = Need { input_tokens: 50, max_tokens: Some(50), ..need.clone() };
        let contender = rank(&self.fleet, &need, &self.snapshot).contender(&self.fleet, self.route(name).id);
        contender.expect("it can answer").in_full(&self.fleet, &need, &self.snapshot).price
    }

    /// The names of all candidates in their order.
    fn order(&self, need: &Need, providers: Strategy, models: Strategy, turn: u64) -> Vec<&str> {
        let ranking = rank(&self.fleet, need, &self.snapshot);
        let order = Order { providers, models, turn };
        let ordering = Ordering { order, fleet: &self.fleet, need, snapshot: &self.snapshot };
        ordering.all(&ranking).iter().map(|contender| &*self.fleet.route(contender.route).name).collect()
    }

    /// How many of `count` requests would go first to each route.
    fn firsts(&self, count: u64, providers: Strategy, models: Strategy) -> BTreeMap<&str, u64> {
        let mut firsts = BTreeMap::new();
        for turn in 0..count {
            let need = Need { seed: turn, ..Need::smallest() };
            let first = self.order(&need, providers, models, turn)[0];
            *firsts.entry(first).or_default() += 1;
        }
        firsts
    }
}

#[test]
fn what_an_answer_usually_takes_forbids_nothing_for_good() {
    let mut world = world(&[("a", "free", &[("m", "small", "{ tokens = 800, per = \"minute\" }")])]);
    world.health("a/m").used(900);
    let judged = |input_tokens, max_tokens| {
        let need = Need { input_tokens, max_tokens, ..Need::smallest() };
        let ranking = rank(&world.fleet, &need, &world.snapshot);
        let found = ranking.contenders(&world.fleet).next();
        found.map(|found| found.in_full(&world.fleet, &need, &world.snapshot).cost.output_tokens)
    };
    assert_eq!(judged(5, None), Some(795), "all there ever is");
    assert_eq!(judged(5, Some(700)), Some(700));
    assert_eq!([judged(5, Some(900)), judged(800, None)], [None, None], "these are no guesses");
}

#[test]
fn a_request_costs_the_time_that_the_quota_it_takes_would_have_lasted() {
    let limits = [
        // What is left, and the seconds that one request of a hundred tokens costs.
        ("{ requests = 30, per = \"minute\" }", 0, 2.0),
        ("{ requests = 30, per = \"minute\" }", 20, 6.0),
        ("{ tokens = 6000, per = \"minute\" }", 0, 1.0),
        // Six hours for the last three of a day.
        ("{ requests = 20, per = \"day\" }", 17, 7_200.0),
        ("{ requests = 20, per = \"day\", resets = \"18:01 UTC\" }", 17, 20.0),
        ("{ requests = 1000, per = \"day\", resets = \"18:01 UTC\" }", 0, 0.06),
        // The dearest limit says it.
        ("{ requests = 30, per = \"minute\" }, { requests = 1080, per = \"day\" }", 0, 20.0),
        ("", 0, 2.0),
    ];
    for (limits, used, expected) in limits {
        let mut world = world(&[("a", "free", &[("m", "small", limits)])]);
        world.used("a/m", used, now());
        let price = world.price("a/m", &Need::smallest());
        assert!((price.quota - expected).abs() < 1e-9, "{limits} after {used}: {price:?}");
    }
}

#[test]
fn a_strong_model_is_dearer_to_those_who_would_take_any() {
    let world = world(&[("a", "free", &[("m", "large", "{ requests = 30, per = \"minute\" }")])]);
    let large = Filters { scale: Some(crate::catalog::Scale::Large), ..Filters::default() };
    let asking = Need { filters: large, ..Need::smallest() };
    assert!(world.price("a/m", &Need::smallest()).total() > world.price("a/m", &asking).total() + 1.9);
}

#[test]
fn equals_share_the_traffic_and_what_is_dearer_gets_less() {
    let minute = |requests| format!("{{ requests = {requests}, per = \"minute\" }}");
    let [thirty, twenty, ten] = [minute(30), minute(20), minute(10)];
    let [equal, less, least] = [&thirty, &twenty, &ten].map(|limits| [("m", "small", limits.as_str())]);
    let fleet = world(&[("a", "free", &equal), ("b", "trial", &equal), ("c", "free", &equal)]);
    let firsts = fleet.firsts(3_000, Strategy::Auto, Strategy::Auto);
    assert!(firsts.len() == 3 && firsts.values().all(|count| (850..1_150).contains(count)), "{firsts:?}");

    // Every route's price is its quota's plus one second: 3, 4 and 7.
    let fleet = world(&[("a", "free", &equal), ("b", "free", &less), ("c", "free", &least)]);
    let firsts = fleet.firsts(3_000, Strategy::Auto, Strategy::Auto);
    assert!((900..1_250).contains(&firsts["b/m"]) && !firsts.contains_key("c/m"), "{firsts:?}");
}

#[test]
fn latency_separates_only_large_gaps() {
    let minute = "{ requests = 30, per = \"minute\" }";
    let mut world = world(&[("a", "free", &[("m", "small", minute)]), ("b", "free", &[("m", "small", minute)])]);
    for (millis, expected) in [(200, 700..=1_300), (400, 700..=1_300), (20_000, 0..=100)] {
        *world.health("a/m") = Health::default();
        world.health("a/m").answered(Duration::from_millis(millis));
        world.health("b/m").answered(Duration::from_millis(200));
        let firsts = world.firsts(2_000, Strategy::Auto, Strategy::Auto);
        assert!(expected.contains(&firsts.get("a/m").copied().unwrap_or(0)), "{millis} ms: {firsts:?}");
    }
}

#[test]
fn the_best_of_each_provider_comes_before_the_second_of_any() {
    let world = world(&[
        ("a", "free", &[("one", "small", ""), ("two", "small", ""), ("three", "small", "")]),
        ("b", "free", &[("one", "small", ""), ("two", "small", "")]),
        ("c", "free", &[("one", "small", "{ requests = 1, per = \"day\" }")]),
    ]);
    for strategy in Strategy::NAMES.map(|(_, strategy)| strategy) {
        for turn in 0..20 {
            let order = world.order(&Need { seed: turn, ..Need::smallest() }, strategy, strategy, turn);
            let providers: Vec<&str> = order.iter().map(|name| &name[..1]).collect();
            let mut rounds = [providers[..3].to_vec(), providers[3..5].to_vec(), providers[5..].to_vec()];
            for round in &mut rounds {
                round.sort_unstable();
            }
            assert_eq!(rounds, [vec!["a", "b", "c"], vec!["a", "b"], vec!["a"]], "{strategy:?}: {order:?}");
        }
    }
}

#[test]
fn paid_routes_come_after_all_free_ones_and_open_breakers_last_under_every_strategy() {
    let mut world = world(&[
        ("paid", "paid", &[("m", "small", "")]),
        ("broken", "free", &[("m", "small", "")]),
        ("scarce", "free", &[("m", "large", "{ requests = 1, per = \"day\" }")]),
    ]);
    (0..3).for_each(|_| world.health("broken/m").broke(now(), false));
    for strategy in Strategy::NAMES.map(|(_, strategy)| strategy) {
        for turn in 0..10 {
            let order = world.order(&Need { seed: turn, ..Need::smallest() }, strategy, strategy, turn);
            assert_eq!(order, ["scarce/m", "paid/m", "broken/m"], "{strategy:?}");
        }
    }
}

#[test]
fn providers_follow_one_strategy_and_the_models_of_each_another() {
    let mut world = world(&[
        ("a", "free", &[("slow", "small", ""), ("quick", "small", "")]),
        ("b", "free", &[("slow", "small", ""), ("quick", "small", "")]),
    ]);
    for route in ["a/slow", "b/slow", "a/quick", "b/quick"] {
        let millis = if route.ends_with("slow") { 900 } else { 30 };
        world.health(route).answered(Duration::from_millis(millis));
    }
    let need = Need::smallest();
    assert_eq!(world.order(&need, Strategy::RoundRobin, Strategy::Fastest, 0)[..2], ["a/quick", "b/quick"]);
    assert_eq!(world.order(&need, Strategy::RoundRobin, Strategy::Fastest, 1)[..2], ["b/quick", "a/quick"]);
    // Each provider's turns count for themselves, so that every route gets its own.
    let firsts = world.firsts(400, Strategy::RoundRobin, Strategy::RoundRobin);
    assert_eq!(firsts.values().copied().collect::<Vec<_>>(), [100; 4], "{firsts:?}");
    let firsts = world.firsts(400, Strategy::Random, Strategy::Random);
    assert!(firsts.len() == 4 && firsts.values().all(|count| *count > 60), "{firsts:?}");
}

#[test]
fn a_route_that_failed_is_dear_for_seconds_and_then_forgiven() {
    let mut world = world(&[("a", "free", &[("m", "small", "")])]);
    world.health("a/m").broke(now(), false);
    let mut price_after = |seconds| {
        world.snapshot.now = later(now(), Duration::from_secs(seconds));
        world.price("a/m", &Need::smallest()).failures
    };
    assert!(price_after(0) > 3.5);
    assert!(price_after(10) < 2.5);
    assert!(price_after(60) < 0.1);
}

#[test]
fn a_clock_that_is_set_ends_no_trip_and_lengthens_none() {
    let mut world = world(&[("a", "free", &[("m", "small", "")])]);
    let patience = Patience { deadline: Duration::from_mins(1), max_wait: Duration::ZERO, max_attempts: 0 };
    let order = Order { providers: Strategy::Auto, models: Strategy::Auto, turn: 0 };
    let mut trip = Trip::new(Need::smallest(), patience, order, now());
    // After so many seconds, and with a clock that was set by so many more.
    let mut set = SignedDuration::ZERO;
    for (passed, more, goes_on) in
        [(58, 0, true), (59, 3_600, true), (61, 0, false), (61, -7_200, false), (59, 0, true), (59, 60, true)]
    {
        let more = SignedDuration::from_secs(more);
        trip.clock_was_set(more);
        set += more;
        world.snapshot.now = now() + SignedDuration::from_secs(passed) + set;
        let step = trip.next(&world.fleet, &world.snapshot, &mut Board::new(&world.fleet));
        assert_eq!(matches!(step, Step::Try(_)), goes_on, "{passed} s, set by {set:?}: {step:?}");
    }
}

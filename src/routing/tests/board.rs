//! What a board knows of routes is what a close look finds.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;

use super::{World, sharing_world};
use crate::catalog::Scale;
use crate::chat::{Fault, Features, Unfit};
use crate::clock::{earlier, later};
use crate::quota::{Fact, Source};
use crate::routing::rank::Judge;
use crate::routing::{Board, Contender, Filters, Need, Ranking, Trim, Wanted, rank};

/// Twelve routes with all that ranking looks at: shared and own limits, units, a strong, a paid and a local model, features, contexts.
pub(super) fn varied_world() -> World {
    let minute = "{ requests = 30, per = \"minute\" }";
    let both = "{ requests = 30, per = \"minute\" }, { tokens = 9000, per = \"day\" }, { input_tokens = 6000, per = \"hour\" }";
    let reset = "{ requests = 20, per = \"day\", resets = \"18:01 UTC\" }, { tokens = 500, per = \"minute\" }";
    let models =
        [("small", "small", minute), ("large", "large", both), ("reset", "medium", reset), ("free", "small", "")];
    let shared = "[[limit]]\nrequests = 90\nper = \"minute\"\n[[limit]]\ntokens = 40000\nper = \"day\"\n";
    sharing_world(&[("a", "free", &models), ("b", "paid", &models), ("c", "local", &models)], shared)
}

/// Anything that may happen to a route within minutes.
#[derive(Debug, Clone, Copy)]
enum Event {
    Used(u64),
    Told(u64),
    Refused,
    Marked(u8, u64),
    Answered(u64),
    Broke,
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        4 => (0_u64..12).prop_map(Event::Used),
        1 => (0_u64..40).prop_map(Event::Told),
        1 => Just(Event::Refused),
        2 => (0_u8..5, 1_u64..120).prop_map(|(mark, seconds)| Event::Marked(mark, seconds)),
        2 => (0_u64..3_000).prop_map(Event::Answered),
        1 => Just(Event::Broke),
    ]
}

impl World {
    fn happens(&mut self, route: usize, event: Event) {
        let (now, route) = (self.snapshot.now, self.fleet.routes[route].clone());
        let view = Arc::make_mut(&mut self.snapshot.view);
        let health = Arc::make_mut(&mut self.snapshot.health).change(route.id);
        match event {
            Event::Used(requests) => self.used(&route.name, requests, now),
            Event::Told(left) => {
                for id in &route.meters {
                    let (kind, period) = (view.meters[id.0].kind(), view.meters[id.0].limit.period);
                    let (remaining, source) = (Some(left), Source::Header);
                    let fact = Fact { kind, period, limit: None, remaining, resets_at: None, scope: None, source };
                    view.meters.change(*id, |meter| meter.tell(&fact, 0, now, now));
                }
            }
            Event::Refused => {
                for id in &route.meters {
                    view.meters.change(*id, |meter| meter.refuse(1, now));
                }
            }
            Event::Marked(kind, seconds) => {
                let busy = Fault::Busy { until: None, scope: None, period: None };
                let too_long = Fault::Unfit(Unfit::ContextTooLong { needed: 1, context: 700 });
                let marks =
                    [(route.model_mark, busy.clone()), (route.account_mark, busy), (route.context_mark, too_long)];
                let key = (route.key_mark.unwrap_or(route.model_mark), Fault::Denied);
                match marks.into_iter().chain([key]).nth(usize::from(kind)) {
                    Some((mark, cause)) => view.mark(mark, later(now, Duration::from_secs(seconds)), &cause),
                    None => view.lift(route.account_mark),
                }
            }
            Event::Answered(tokens) => {
                health.answered(Duration::from_millis(tokens));
                health.used(tokens);
            }
            Event::Broke => health.broke(now, route.is_local()),
        }
    }
}

fn need_of((input, answer, bits): (u64, Option<u64>, u16)) -> Need {
    // One in eight.
    let bit = |place: u16| (bits >> place).trailing_zeros() >= 3;
    Need {
        input_tokens: input,
        max_tokens: answer,
        answer_reserve: 200,
        features: Features { tools: bit(0), vision: bit(3), ..Features::default() },
        filters: Filters { scale: bit(1).then_some(Scale::Large), ..Filters::default() },
        trim: bit(2).then_some(Trim { least: 20, wanted: 90 }),
        wanted: if bit(4) { Wanted::Provider("b".to_owned()) } else { Wanted::Any },
        avoid: if bit(5) { vec!["a/small".to_owned()] } else { Vec::new() },
        strict_free: bit(6),
        despite_guesses: bit(7),
        ..Need::smallest()
    }
}

/// What is found of each route without a board.
fn judged_closely(world: &World, need: &Need) -> Ranking {
    let World { fleet, snapshot } = world;
    let judge = Judge::new(fleet, need, snapshot);
    let mut ranking = Ranking::of_none(fleet.routes.len());
    for route in fleet.routes.iter().filter(|route| need.wanted.allows(route)) {
        let (outline, health) = (&fleet.outlines[route.id.0], snapshot.health(route.id));
        match judge.closely(route) {
            Ok((_, (dearest, _))) => ranking.add(judge.contender(route.id, outline, health, dearest)),
            Err(rejection) => ranking.rejections.push((route.id, rejection)),
        }
    }
    ranking
}

proptest! {
    /// Whatever happened since a board was last read, and whenever it is read again, also by a clock that was set back.
    #[test]
    fn a_board_finds_what_a_close_look_finds(
        events in prop::collection::vec((0_usize..12, event(), -3_000_i64..20_000), 1..60),
        needs in prop::collection::vec((1_u64..900, prop::option::of(1_u64..9_000), any::<u16>()).prop_map(need_of), 1..6),
    ) {
        let mut world = varied_world();
        let mut board = Board::new(&world.fleet);
        for ((route, event, passed), need) in events.into_iter().zip(needs.iter().cycle()) {
            let time = Duration::from_millis(passed.unsigned_abs());
            let now = world.snapshot.now;
            world.snapshot.now = if passed < 0 { earlier(now, time) } else { later(now, time) };
            world.happens(route, event);
            let ranking = rank(&world.fleet, need, &world.snapshot, &mut board);
            let closely = judged_closely(&world, need);
            prop_assert_eq!(&ranking.rejections, &closely.rejections);
            let [known, exact] = [&ranking, &closely].map(|it| it.contenders(&world.fleet).collect::<Vec<_>>());
            prop_assert_eq!(known.len(), exact.len());
            for (known, exact) in known.iter().zip(&exact) {
                prop_assert_eq!(Contender { price: exact.price, ..*known }, *exact);
                let more = known.price / exact.price;
                prop_assert!((0.999_99..1.011).contains(&more), "{known:?} {exact:?}");
            }
            let least = known.iter().filter(|it| it.is_first_choice()).map(|it| it.price).fold(f32::INFINITY, f32::min);
            prop_assert_eq!(ranking.least.to_bits(), least.to_bits());
        }
    }
}

#[test]
fn after_one_request_two_bundles_are_looked_at_and_no_other() {
    const ROUTES: u64 = 500;
    let minute = "{ requests = 30, per = \"minute\" }, { requests = 900, per = \"day\" }";
    let ids: Vec<String> = (0..ROUTES / 10).map(|model| format!("m{model}")).collect();
    let models: Vec<(&str, &str, &str)> = ids.iter().map(|id| (id.as_str(), "small", minute)).collect();
    let providers = ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"].map(|id| (id, "free", models.as_slice()));
    let mut world = sharing_world(&providers, "[[limit]]\nrequests = 9000\nper = \"day\"\n");
    let mut board = Board::new(&world.fleet);
    let mut looks = |world: &World| {
        let before = board.looks;
        let ranking = rank(&world.fleet, &Need::smallest(), &world.snapshot, &mut board);
        assert_eq!(ranking.contenders(&world.fleet).count(), 500);
        board.looks - before
    };
    assert_eq!(looks(&world), ROUTES + 10, "nothing is known yet");
    world.used("c/m7", 1, world.snapshot.now);
    assert_eq!([looks(&world), looks(&world)], [2, 0], "the model's own and its account's");
    world.snapshot.now = later(world.snapshot.now, Duration::from_secs(61));
    assert_eq!(looks(&world), 1, "the minute has given one back");
    world.snapshot.now = later(world.snapshot.now, Duration::from_secs(216));
    assert_eq!(looks(&world), ROUTES + 10, "a hundredth of the day that is left has passed");
}

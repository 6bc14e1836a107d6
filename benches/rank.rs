//! How long choosing takes: up to 500 routes with three limits each of their own and one they share, ranked and the first picked, while
//! every request changes the route it takes.
//!
//! `cargo bench --bench rank`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

use std::hint::black_box;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use relay::catalog::{Catalog, Overlay};
use relay::clock::later;
use relay::quota::Cost;
use relay::routing::{
    Account, Board, Claims, Fleet, Healths, KeyId, Need, Order, Ordering, RouteId, Snapshot, Strategy, View, rank,
};
use smallvec::SmallVec;

const MODELS: usize = 20;
const ROUNDS: usize = 2_000;

/// A hundred requests a second.
const BETWEEN: Duration = Duration::from_millis(10);

fn main() {
    let start: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a moment");
    println!("looks are those of {ROUNDS} rounds");
    println!("{:>6} {:20} {:>10} {:>10} {:>8}", "routes", "history", "p50", "p99", "looks");
    for (providers, models) in [(1, 1), (5, 2), (5, MODELS), (25, MODELS)] {
        let fleet = fleet(providers, models);
        for (name, requests) in [("none", 0), ("200 a route", 200)] {
            let requests = requests * fleet.routes.len() as u64;
            let mut snapshot = snapshot(&fleet, requests, start);
            let mut board = Board::new(&fleet);
            one(&fleet, &snapshot, &mut board, 0);
            let begun = board.looks;
            let mut times: Vec<Duration> = Vec::with_capacity(ROUNDS);
            for turn in 0..ROUNDS as u64 {
                snapshot.now = later(snapshot.now, BETWEEN);
                let (time, route) = one(&fleet, &snapshot, &mut board, turn);
                times.push(time);
                answered(&fleet, &mut snapshot, route);
            }
            times.sort_unstable();
            let (p50, p99, looks) = (times[ROUNDS / 2], times[ROUNDS * 99 / 100], board.looks - begun);
            println!("{:>6} {name:20} {p50:>10.1?} {p99:>10.1?} {looks:>8}", fleet.routes.len());
        }
    }
}

fn one(fleet: &Fleet, snapshot: &Snapshot, board: &mut Board, turn: u64) -> (Duration, RouteId) {
    let need = Need { seed: turn, ..need() };
    let started = Instant::now();
    let ranking = rank(fleet, &need, snapshot, board);
    let order = Order { providers: Strategy::Auto, models: Strategy::Auto, turn };
    let ordering = Ordering { order, fleet, need: &need, snapshot };
    let first = black_box(ordering.first(&ranking)).expect("there is quota for all").route;
    (started.elapsed(), first)
}

/// What a request changes on its way: its route's meters, and how the route fares.
fn answered(fleet: &Fleet, snapshot: &mut Snapshot, route: RouteId) {
    let now = snapshot.now;
    let view = Arc::get_mut(&mut snapshot.view).expect("nobody else reads it");
    for meter in &fleet.route(route).meters {
        view.meters.change(*meter, |meter| meter.add(Cost::request(500, 100).of(meter.kind()), now));
    }
    let health = Arc::get_mut(&mut snapshot.health).expect("nobody else reads it").change(route);
    health.answered(Duration::from_millis(300));
    health.used(100);
}

fn need() -> Need {
    Need { input_tokens: 500, answer_reserve: 1_024, ..Need::smallest() }
}

fn fleet(providers: usize, models: usize) -> Fleet {
    let files = (0..providers).map(|provider| {
        let mut text = "dialect = \"openai\"\nbase_url = \"https://a.example\"\nkey_env = [\"A\"]\nstatus = \"free\"\n\
            [[limit]]\nrequests = 10000000\nper = \"day\"\n".to_owned();
        for model in 0..models {
            text.push_str(&format!(
                "[[model]]\nid = \"m{model}\"\nscale = \"medium\"\ncontext = 131072\nlimits = [{{ requests = 30000, per = \"minute\" }}, \
                 {{ tokens = 60000000, per = \"minute\" }}, {{ requests = 1000000, per = \"day\" }}]\n"
            ));
        }
        let id = format!("p{provider:02}");
        Overlay { id: id.clone(), place: id, text }
    });
    let catalog = Catalog::only(&files.collect::<Vec<_>>()).expect("valid files");
    let account = |(index, provider)| Account {
        provider: Arc::new(provider),
        keys: vec![KeyId { place: index, hash: index as u64 }],
        separate: false,
        priority: 0,
        max_concurrency: None,
    };
    Fleet::new(&catalog.providers.into_iter().enumerate().map(account).collect::<Vec<_>>())
}

/// As it is after so many requests within the last two minutes, spread over all routes.
fn snapshot(fleet: &Fleet, requests: u64, start: Timestamp) -> Snapshot {
    let mut view = View::new(fleet);
    for number in 0..requests {
        let route = &fleet.routes[usize::try_from(number).expect("a small number") % fleet.routes.len()];
        let at = later(start, Duration::from_micros(number * 120_000_000 / requests));
        for meter in &route.meters {
            view.meters.change(*meter, |meter| meter.add(Cost::request(200, 100).of(meter.kind()), at));
        }
    }
    let mut health = Healths::new(fleet);
    for route in fleet.routes.iter().filter(|_| requests > 0) {
        health.change(route.id).answered(Duration::from_millis(300));
    }
    Snapshot {
        now: later(start, Duration::from_mins(2)),
        view: Arc::new(view),
        health: Arc::new(health),
        claims: Claims::default(),
        full: SmallVec::new(),
    }
}

//! How long choosing takes: 500 routes with three limits each, ranked and the first picked, with and without history.
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
use relay::routing::{Account, Claims, Fleet, Health, KeyId, Need, Order, Ordering, Snapshot, Strategy, View, rank};
use smallvec::SmallVec;

const PROVIDERS: usize = 25;
const MODELS: usize = 20;
const ROUNDS: usize = 2_000;

fn main() {
    let fleet = fleet();
    let start: Timestamp = "2026-11-23T12:00:00Z".parse().expect("a moment");
    println!("{} routes, {} meters", fleet.routes.len(), fleet.meters.len());
    println!("{:12} {:>10} {:>10}", "history", "p50", "p99");
    for (name, requests) in [("none", 0), ("a thousand", 1_000), ("a hundred thousand", 100_000)] {
        let (snapshot, need) = (snapshot(&fleet, requests, start), need());
        let mut times: Vec<Duration> = (0..ROUNDS).map(|turn| one(&fleet, &need, &snapshot, turn as u64)).collect();
        times.sort_unstable();
        println!("{name:12} {:>10.1?} {:>10.1?}", times[ROUNDS / 2], times[ROUNDS * 99 / 100]);
    }
}

fn one(fleet: &Fleet, need: &Need, snapshot: &Snapshot, turn: u64) -> Duration {
    let started = Instant::now();
    let ranking = rank(fleet, need, snapshot);
    let order = Order { providers: Strategy::Auto, models: Strategy::Auto, turn };
    let ordering = Ordering { order, fleet, need, snapshot };
    black_box(ordering.first(&ranking.contenders, |_| false, |_| 0));
    started.elapsed()
}

fn need() -> Need {
    Need { input_tokens: 500, answer_reserve: 1_024, ..Need::smallest() }
}

fn fleet() -> Fleet {
    let files = (0..PROVIDERS).map(|provider| {
        let mut text = "dialect = \"openai\"\nbase_url = \"https://a.example\"\nkey_env = [\"A\"]\nstatus = \"free\"\n".to_owned();
        for model in 0..MODELS {
            text.push_str(&format!(
                "[[model]]\nid = \"m{model}\"\nscale = \"medium\"\ncontext = 131072\nlimits = [{{ requests = 300, per = \"minute\" }}, \
                 {{ tokens = 600000, per = \"minute\" }}, {{ requests = 100000, per = \"day\" }}]\n"
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
            let meter = &mut view.meters[meter.0];
            let amount = Cost::request(200, 100).of(meter.kind());
            meter.change(|meter| meter.add(amount, at));
        }
    }
    let mut health = vec![Health::default(); fleet.routes.len()];
    if requests > 0 {
        for health in &mut health {
            health.answered(Duration::from_millis(300));
        }
    }
    Snapshot {
        now: later(start, Duration::from_mins(2)),
        view: Arc::new(view),
        health: Arc::new(health),
        claims: Claims::default(),
        full: SmallVec::new(),
    }
}

//! The most that anybody could have answered who knew all requests and all true limits beforehand: the optimum of a linear program.
//!
//! A variable is how many requests of a class one model answers within one slot of an hour. They are bounded by what arrived (and may
//! still wait), and by every true limit over the slots its window spans. What the program leaves out (minutes within an hour, whole
//! requests) can only make it larger than what is possible.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;
use microlp::{ComparisonOp, OptimizationDirection, Problem, Variable};
use relay::clock::later;
use relay::sim::{Limit, Period, ProviderSpec, Unit};

use super::play::{START, fits};
use super::trace::{CLASSES, Class, MAX_WAIT, Trace, Traffic};

const SLOT: u64 = 3_600;

/// Coefficients of tokens are told in thousands, near those of requests.
const THOUSAND: f64 = 1_000.0;

#[derive(Debug, Clone, Copy)]
pub struct Bound {
    pub requests: f64,
    pub tokens: f64,
}

pub fn bound(specs: &[ProviderSpec], trace: &Trace) -> Bound {
    let requests = optimum(specs, trace, |_| 1.0);
    let tokens = optimum(specs, trace, |class| tokens(class) / THOUSAND) * THOUSAND;
    Bound { requests, tokens }
}

#[expect(clippy::cast_precision_loss, reason = "token counts of one request")]
fn tokens(class: &Class) -> f64 {
    (class.prompt + class.answer) as f64
}

/// One variable: a class, the slot, the provider's and the model's place, and its column.
struct Column {
    class: usize,
    slot: u64,
    provider: usize,
    model: usize,
    variable: Variable,
}

fn optimum(specs: &[ProviderSpec], trace: &Trace, value: impl Fn(&Class) -> f64) -> f64 {
    let mut problem = Problem::new(OptimizationDirection::Maximize);
    let slots = trace.length.as_secs().div_ceil(SLOT);
    let mut columns = Vec::new();
    for slot in 0..slots {
        for (class, shape) in CLASSES.iter().enumerate() {
            for (provider, spec) in specs.iter().enumerate() {
                for (model, _) in spec.models.iter().enumerate().filter(|(_, model)| fits(shape, spec, model)) {
                    let variable = problem.add_var(value(shape), (0.0, f64::INFINITY));
                    columns.push(Column { class, slot, provider, model, variable });
                }
            }
        }
    }
    bound_by_arrivals(&mut problem, &columns, trace, slots);
    for (provider, spec) in specs.iter().enumerate() {
        for limit in &spec.limits {
            let of_key: Vec<&Column> = columns.iter().filter(|column| column.provider == provider).collect();
            bound_by_limit(&mut problem, &of_key, limit, slots);
        }
        for (model, limits) in spec.models.iter().map(|model| &model.limits).enumerate() {
            let is_its = |column: &&Column| (column.provider, column.model) == (provider, model);
            let of_model: Vec<&Column> = columns.iter().filter(is_its).collect();
            for limit in limits {
                bound_by_limit(&mut problem, &of_model, limit, slots);
            }
        }
    }
    let solved = problem.solve().expect("a bounded program").into_solution().expect("without a time limit");
    solved.objective()
}

/// Within a slot no more is answered than arrived in it, and before it as late as a request may wait.
#[expect(clippy::cast_precision_loss, reason = "counts of a day's requests")]
fn bound_by_arrivals(problem: &mut Problem, columns: &[Column], trace: &Trace, slots: u64) {
    let Traffic::Open(requests) = &trace.traffic else {
        let asked = |column: &Column| match &trace.traffic {
            Traffic::Closed { class, .. } => column.class == *class,
            Traffic::Open(_) => true,
        };
        let others: Vec<_> = columns.iter().filter(|column| !asked(column)).map(|it| (it.variable, 1.0)).collect();
        problem.add_constraint(&others, ComparisonOp::Le, 0.0);
        return;
    };
    for class in 0..CLASSES.len() {
        let of_class = |slot: u64| columns.iter().filter(move |it| it.class == class && it.slot == slot);
        let arrived = |from: f64, to: f64| {
            requests.iter().filter(|(at, asked)| *asked == class && (from..to).contains(at)).count() as f64
        };
        for slot in 0..slots {
            let (start, end) = ((slot * SLOT) as f64, ((slot + 1) * SLOT) as f64);
            let sum: Vec<_> = of_class(slot).map(|column| (column.variable, 1.0)).collect();
            let before = MAX_WAIT.as_secs_f64();
            problem.add_constraint(&sum, ComparisonOp::Le, arrived(start - before, end));
        }
        let all: Vec<_> = (0..slots).flat_map(of_class).map(|column| (column.variable, 1.0)).collect();
        problem.add_constraint(&all, ComparisonOp::Le, arrived(0.0, f64::INFINITY));
    }
}

/// Every window of the limit takes its amount once. A rolling one that is longer than a slot is bounded over the whole length.
#[expect(clippy::cast_precision_loss, reason = "amounts of limits")]
fn bound_by_limit(problem: &mut Problem, columns: &[&Column], limit: &Limit, slots: u64) {
    let length = seconds(limit.period);
    let mut sums: BTreeMap<u64, Vec<(Variable, f64)>> = BTreeMap::new();
    for column in columns {
        let group = match (length <= SLOT, limit.rolling) {
            (true, _) => column.slot,
            (false, true) => 0,
            (false, false) => day_of(column.slot),
        };
        sums.entry(group).or_default().push((column.variable, cost(&CLASSES[column.class], limit.unit)));
    }
    let windows = match (length <= SLOT, limit.rolling) {
        (true, _) => SLOT.div_ceil(length),
        (false, true) => (slots * SLOT).div_ceil(length),
        (false, false) => 1,
    };
    let scale = if limit.unit == Unit::Requests { 1.0 } else { THOUSAND };
    for (_, sum) in sums {
        let sum: Vec<_> = sum.into_iter().map(|(variable, cost)| (variable, cost / scale)).collect();
        problem.add_constraint(&sum, ComparisonOp::Le, (limit.amount * windows) as f64 / scale);
    }
}

#[expect(clippy::cast_precision_loss, reason = "token counts of one request")]
fn cost(class: &Class, unit: Unit) -> f64 {
    match unit {
        Unit::Requests => 1.0,
        Unit::InputTokens => class.prompt as f64,
        Unit::Tokens => tokens(class),
    }
}

/// The day, in UTC, that a slot lies in: calendar windows of this fleet are days.
fn day_of(slot: u64) -> u64 {
    let start: Timestamp = START.parse().expect("a moment");
    let at = later(start, Duration::from_secs(slot * SLOT));
    u64::try_from(at.as_second()).expect("after 1970") / seconds(Period::Day)
}

const fn seconds(period: Period) -> u64 {
    match period {
        Period::Second => 1,
        Period::Minute => 60,
        Period::Hour => 3_600,
        Period::Day => 86_400,
        Period::Month => 30 * 86_400,
    }
}

//! Prints what was measured, as Markdown tables.
#![expect(clippy::print_stdout, reason = "printing is what a bench is for")]

use super::case::{Case, Compared, median};
use super::proc;
use super::start::Start;
use super::upstream::CHUNKS;

pub fn head() {
    println!("{}\n", proc::machine());
    println!("| case | bare/s | relay/s | ratio | p50 bare, added | p99 bare, added | CPU bare | CPU relay | ratio |");
    println!("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
}

pub fn compared(case: &Case, Compared { bare, relay }: &Compared) {
    println!(
        "| {} | {:.0} | {:.0} | {:.0} % | {:.0} {:+.0} µs | {:.0} {:+.0} µs | {:.1} µs | {:.1} µs | {:.2} |",
        case.name,
        bare.per_second,
        relay.per_second,
        relay.per_second / bare.per_second * 100.0,
        bare.p50,
        relay.p50 - bare.p50,
        bare.p99,
        relay.p99 - bare.p99,
        bare.cpu,
        relay.cpu,
        relay.cpu / bare.cpu,
    );
}

/// `before` and `after` are KiB of this process.
pub fn memory(before: Option<u64>, after: Option<u64>) {
    println!(
        "\nCPU is by request, of the proxy's own threads. Times of streams are those of the first chunk; a stream has {CHUNKS}."
    );
    println!(
        "This process (upstream, both proxies and load generator): {} before, {} after.\n",
        mebibytes(before.unwrap_or_default()),
        mebibytes(after.unwrap_or_default())
    );
}

pub fn starts(starts: &[Start]) {
    let of = |name: &str, moment: fn(&Start) -> f64| {
        let times: Vec<f64> = starts.iter().map(moment).collect();
        let most = times.iter().copied().fold(0.0, f64::max);
        println!("| start to {name}, {} times | {:.1} ms, at most {most:.1} ms |", starts.len(), median(times));
    };
    println!("| the program | |\n| --- | ---: |");
    of("ready", |start| start.ready);
    of("the first answered request", |start| start.answered);
}

pub fn program_size(bytes: u64) {
    println!("| size of the program | {:.1} MB |", mega(bytes));
}

pub fn resident(what: &str, kib: u64) {
    println!("| resident, {what} | {} |", mebibytes(kib));
}

fn mebibytes(kib: u64) -> String {
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

#[expect(clippy::cast_precision_loss, reason = "a program has few bytes")]
fn mega(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

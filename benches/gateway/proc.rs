//! What Linux tells about threads, processes and the machine. Elsewhere it is all unknown.

use std::fs;
use std::process::Command;
use std::time::Duration;

/// CPU time so far of this process's threads called `name`: the server itself and its blocking pool.
pub fn cpu_of_threads(name: &str) -> Duration {
    let threads = fs::read_dir("/proc/self/task").into_iter().flatten().flatten();
    let named = threads.filter(|thread| {
        fs::read_to_string(thread.path().join("comm")).is_ok_and(|thread_name| thread_name.trim_end() == name)
    });
    let nanos = named.filter_map(|thread| {
        let schedstat = fs::read_to_string(thread.path().join("schedstat")).ok()?;
        schedstat.split(' ').next()?.parse::<u64>().ok()
    });
    Duration::from_nanos(nanos.sum())
}

/// Memory of a process that is in RAM, in KiB. `process` is its id or `self`.
pub fn resident_kib(process: &str) -> Option<u64> {
    field(&format!("/proc/{process}/status"), "VmRSS")?.split(' ').next()?.parse().ok()
}

/// The machine and the state of the source, in a line.
pub fn machine() -> String {
    let cpu = field("/proc/cpuinfo", "model name").unwrap_or_else(|| "unknown processor".to_owned());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = kernel.trim_end().split('-').next().unwrap_or_default();
    let date = relay::clock::Clock::system().now().to_string();
    let day = date.split('T').next().unwrap_or_default();
    format!("{cpu}, {cores} cores, Linux {release}, {day}, commit {}", commit())
}

fn commit() -> String {
    let git = Command::new("git").args(["describe", "--always", "--dirty"]).output();
    let text = git.ok().filter(|output| output.status.success()).map(|output| output.stdout);
    text.map_or_else(|| "unknown".to_owned(), |text| String::from_utf8_lossy(&text).trim_end().to_owned())
}

/// The value of the first line `name: value`.
fn field(file: &str, name: &str) -> Option<String> {
    let text = fs::read_to_string(file).ok()?;
    let line = text.lines().find(|line| line.starts_with(name))?;
    Some(line.split_once(':')?.1.trim().to_owned())
}

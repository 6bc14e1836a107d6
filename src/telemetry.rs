//! Diagnostics on stderr: levels from flags or `RELAY_LOG`, as text or JSON. And lines for streams that nobody may read.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use tracing::Level;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::writer::BoxMakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

/// How diagnostics look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LogFormat {
    #[default]
    Text,
    Json,
}

/// Starts logging. `filter` is a list such as `relay=debug,hyper=warn` and wins over `verbosity`:
/// 0 shows warnings, 1 what relay decides, 2 everything it does, below 0 errors alone.
///
/// They go to `lines`, where there are such. Fails when the filter cannot be read; a second start in one process is ignored (tests).
pub fn start(
    format: LogFormat,
    verbosity: i8,
    filter: Option<&str>,
    color: bool,
    lines: Option<&Lines>,
) -> Result<(), String> {
    let own = match verbosity {
        ..0 => Level::ERROR,
        0 => Level::WARN,
        1 => Level::DEBUG,
        2.. => Level::TRACE,
    };
    let targets = match filter {
        Some(filter) => filter.parse().map_err(|error| format!("`RELAY_LOG` is `{filter}`: {error}"))?,
        None => Targets::new().with_default(Level::WARN.min(own)).with_target("relay", own),
    };
    let writer = match lines.cloned() {
        Some(lines) => BoxMakeWriter::new(move || lines.clone()),
        None => BoxMakeWriter::new(io::stderr),
    };
    let layer = match format {
        LogFormat::Text => fmt::layer().with_writer(writer).with_ansi(color).with_target(false).boxed(),
        LogFormat::Json => fmt::layer().with_writer(writer).json().flatten_event(true).boxed(),
    };
    // Only tests start twice, and the first start serves them as well.
    drop(tracing_subscriber::registry().with(layer.with_filter(targets)).try_init());
    Ok(())
}

/// So many lines wait for a reader that is slow. Those of one that reads no more are left out.
const MOST_WAITING: usize = 4_096;

/// So many are written together.
const MOST_TOGETHER: usize = 64;

/// Lines that a thread of its own writes to a stream: a pipe that nobody reads stops that thread, and nobody else.
#[derive(Debug, Clone)]
pub struct Lines {
    /// Takes any number, so that its room is made when it is needed: idle queues of so many lines would be a quarter of a megabyte.
    queue: Sender<Waiting>,
    counts: Arc<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    waiting: AtomicUsize,
    lost: AtomicU64,
}

#[derive(Debug)]
enum Waiting {
    Line(Vec<u8>),
    /// Everything before it is written.
    Flush(Sender<()>),
}

impl Lines {
    /// `told_lost` makes a line of how many were left out.
    #[expect(clippy::disallowed_methods, reason = "the thread ends with the last of those that write")]
    pub fn to(stream: impl Write + Send + 'static, told_lost: fn(u64) -> String) -> Self {
        let (queue, coming) = channel();
        let counts = Arc::<Counts>::default();
        let lines = Self { queue, counts: Arc::clone(&counts) };
        std::thread::spawn(move || write_lines(stream, &coming, &counts, told_lost));
        lines
    }

    /// Adds a line, with its end; never waits.
    pub fn line(&self, line: impl Into<Vec<u8>>) {
        let Counts { waiting, lost } = &*self.counts;
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        if before >= MOST_WAITING || self.queue.send(Waiting::Line(line.into())).is_err() {
            waiting.fetch_sub(1, Ordering::Relaxed);
            lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Waits until everything so far is written, what was left out is told, but no longer than this.
    pub fn flush(&self, most: Duration) {
        let (done, written) = channel();
        if self.queue.send(Waiting::Flush(done)).is_ok() {
            // Whoever does not read until then does not read.
            _ = written.recv_timeout(most);
        }
    }
}

impl Write for Lines {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.line(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn write_lines(mut stream: impl Write, coming: &Receiver<Waiting>, counts: &Counts, told_lost: fn(u64) -> String) {
    let mut text = Vec::new();
    while let Ok(first) = coming.recv() {
        let mut done = Vec::new();
        for waiting in std::iter::once(first).chain(coming.try_iter().take(MOST_TOGETHER)) {
            match waiting {
                Waiting::Line(line) => {
                    text.extend_from_slice(&line);
                    counts.waiting.fetch_sub(1, Ordering::Relaxed);
                }
                Waiting::Flush(sender) => done.push(sender),
            }
        }
        let mut write = |text: &[u8]| stream.write_all(text).and_then(|()| stream.flush());
        // Where the stream is gone there is nobody left to tell.
        drop(write(&text));
        text.clear();
        // While it was written the lines behind it may have become too many.
        match counts.lost.swap(0, Ordering::Relaxed) {
            0 => {}
            count => drop(write(told_lost(count).as_bytes())),
        }
        for sender in done {
            // Who waited may have given up.
            _ = sender.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};

    use super::*;

    /// A stream that takes what a reader makes room for.
    struct Pipe(SyncSender<Vec<u8>>);

    impl Write for Pipe {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.send(bytes.to_vec()).map_err(|_| io::ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn nobody_waits_for_a_reader_and_what_is_left_out_is_told() {
        let (room, pipe) = sync_channel(1);
        let lines = Lines::to(Pipe(room), |lost| format!("{lost} lost\n"));
        let all = MOST_WAITING * 2;
        (0..all).for_each(|number| lines.line(format!("line {number}\n")));
        lines.flush(Duration::from_millis(10));
        let mut text = String::new();
        let mut read_until = |part: &str| {
            while !text.contains(part) {
                let more = pipe.recv_timeout(Duration::from_secs(5)).expect("it goes on writing");
                text.push_str(&String::from_utf8(more).expect("text"));
            }
            text.clone()
        };
        assert!(read_until("line 1000\n").starts_with("line 0\nline 1\n"));
        lines.line("the last\n");
        let text = read_until("the last\n");
        let told = text.lines().filter_map(|line| line.strip_suffix(" lost")?.parse::<usize>().ok());
        let written = text.lines().filter(|line| line.starts_with("line ")).count();
        let lost: usize = told.sum();
        assert!(lost > 0 && written + lost == all, "{written} and {lost} of {all}");
    }

    #[test]
    #[expect(clippy::disallowed_methods, reason = "the reader is slow")]
    fn what_is_left_out_last_is_told_before_the_end() {
        let (room, pipe) = sync_channel(1);
        let lines = Lines::to(Pipe(room), |lost| format!("{lost} lost\n"));
        let all = MOST_WAITING * 2;
        (0..all).for_each(|number| lines.line(format!("line {number}\n")));
        let text = std::thread::scope(|scope| {
            let end = scope.spawn(|| lines.flush(Duration::from_secs(5)));
            std::thread::sleep(Duration::from_millis(50));
            let mut text = Vec::new();
            while !end.is_finished() {
                text.extend(pipe.recv_timeout(Duration::from_millis(20)).unwrap_or_default());
            }
            // What is written later is too late: the program may have ended.
            text.extend(pipe.try_iter().flatten());
            String::from_utf8(text).expect("text")
        });
        let lost: usize = text.lines().filter_map(|line| line.strip_suffix(" lost")?.parse::<usize>().ok()).sum();
        let written = text.lines().filter(|line| line.starts_with("line ")).count();
        assert!(lost > 0 && written + lost == all, "{written} and {lost} of {all}");
    }
}

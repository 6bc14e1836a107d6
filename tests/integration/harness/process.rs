//! A program that runs: its lines as they come, signals to it, and how it ended. Never waited for longer than patience lasts.

use std::io::{BufRead as _, BufReader, Read, Write as _};
use std::net::SocketAddr;
use std::process::{Child, ChildStdin, Command};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

use super::schema::{keeps_its_schema, keeps_schema};

/// Nothing a test runs takes longer.
const PATIENCE: Duration = Duration::from_secs(20);

/// A running program. Killed when dropped.
pub struct Process {
    child: Child,
    /// Held open when nothing is written into it.
    stdin: Option<ChildStdin>,
    stdout: Lines,
    stderr: Lines,
    home: Arc<TempDir>,
    started: Instant,
}

/// How a program ended.
#[derive(Debug)]
pub struct Finished {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    pub took: Duration,
    home: Arc<TempDir>,
}

/// The lines of one stream, read by a thread.
struct Lines {
    coming: Option<Receiver<String>>,
    seen: String,
}

impl Lines {
    fn of(stream: impl Read + Send + 'static) -> Self {
        let (sender, coming) = channel();
        thread::spawn(move || {
            let mut reader = BufReader::new(stream);
            let mut line = Vec::new();
            while reader.read_until(b'\n', &mut line).is_ok_and(|length| length > 0) {
                if sender.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                    return;
                }
                line.clear();
            }
        });
        Self { coming: Some(coming), seen: String::new() }
    }

    fn closed() -> Self {
        Self { coming: None, seen: String::new() }
    }

    #[track_caller]
    fn next(&mut self) -> String {
        let coming = self.coming.as_ref().expect("somebody reads");
        let line = coming.recv_timeout(PATIENCE).unwrap_or_else(|_| panic!("no further line after: {}", self.seen));
        self.seen.push_str(&line);
        line
    }

    fn all(&mut self) -> String {
        let deadline = Instant::now() + PATIENCE;
        while let Some(coming) = &self.coming
            && let Ok(line) = coming.recv_timeout(deadline.saturating_duration_since(Instant::now()))
        {
            self.seen.push_str(&line);
        }
        self.seen.clone()
    }
}

impl Process {
    pub fn watch(mut child: Child, input: Option<Vec<u8>>, read_stdout: bool, home: Arc<TempDir>) -> Self {
        let stdin = match (child.stdin.take(), input) {
            (Some(mut pipe), Some(bytes)) => {
                // A program that does not want its input may end before it has it.
                thread::spawn(move || drop(pipe.write_all(&bytes)));
                None
            }
            (pipe, _) => pipe,
        };
        let stdout = child.stdout.take().expect("stdout is piped");
        let stderr = Lines::of(child.stderr.take().expect("stderr is piped"));
        let stdout = if read_stdout { Lines::of(stdout) } else { Lines::closed() };
        Self { child, stdin, stdout, stderr, home, started: Instant::now() }
    }

    /// The next line on stdout.
    #[track_caller]
    pub fn line(&mut self) -> String {
        self.stdout.next()
    }

    /// The next line of the log of `serve --log-format json`.
    #[track_caller]
    pub fn event(&mut self) -> Value {
        let line = self.line();
        let event = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error} in {line}"));
        keeps_schema("serve-log", &event);
        event
    }

    /// Where `serve --log-format json` listens, from its first line.
    #[track_caller]
    pub fn address(&mut self) -> SocketAddr {
        let ready = self.event();
        let url = ready["url"].as_str().expect("a URL");
        url.trim_start_matches("http://").trim_end_matches("/v1").parse().expect("an address")
    }

    /// Reads stderr until a line holds this.
    #[track_caller]
    pub fn until_it_says(&mut self, part: &str) -> String {
        loop {
            let line = self.stderr.next();
            if line.contains(part) {
                return line;
            }
        }
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Sends `TERM`, `INT`, …
    pub fn signal(&self, name: &str) {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("there is a shell");
        assert!(sent.success(), "{kill}");
    }

    /// Waits for its end.
    #[track_caller]
    pub fn finish(mut self) -> Finished {
        let deadline = Instant::now() + PATIENCE;
        let status = loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                break status;
            }
            if Instant::now() > deadline {
                drop(self.child.kill());
                panic!("it hangs; stdout: {} stderr: {}", self.stdout.all(), self.stderr.all());
            }
            thread::sleep(Duration::from_millis(5));
        };
        let took = self.started.elapsed();
        Finished {
            code: status.code(),
            stdout: self.stdout.all(),
            stderr: self.stderr.all(),
            took,
            home: Arc::clone(&self.home),
        }
    }

    /// Waits for its end where that does not block the fake providers.
    pub async fn ended(self) -> Finished {
        tokio::task::spawn_blocking(|| self.finish()).await.expect("it ends in time")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.stdin.take());
        // Fails when it has ended already, which is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Finished {
    #[track_caller]
    pub fn exits(&self, code: i32) -> &Self {
        assert_eq!(self.code, Some(code), "stdout: {}\nstderr: {}", self.stdout, self.stderr);
        self
    }

    /// Stdout holds exactly this.
    #[track_caller]
    pub fn prints(&self, text: &str) -> &Self {
        assert_eq!(self.stdout, text, "stderr: {}", self.stderr);
        self
    }

    /// Stderr holds this.
    #[track_caller]
    pub fn says(&self, part: &str) -> &Self {
        assert!(self.stderr.contains(part), "`{part}` is not in: {}", self.stderr);
        self
    }

    /// Stdout is one JSON document and keeps its schema; an error's word is that of the exit code.
    #[track_caller]
    pub fn json(&self) -> Value {
        let document: Value =
            serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error} in {}", self.stdout));
        keeps_its_schema(&document);
        if let Some(word) = document["error"]["code"].as_str() {
            let code = relay::cli::Exit::ALL.iter().find(|exit| exit.word() == word).map(|exit| i32::from(exit.code()));
            assert_eq!(self.code, code, "{document}");
        }
        document
    }

    /// Stdout is a JSON document a line, and each keeps this schema: `models#model` is a part of `models.json`.
    #[track_caller]
    pub fn documents(&self, schema: &str) -> Vec<Value> {
        let parse = |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"));
        let documents: Vec<Value> = self.stdout.lines().map(parse).collect();
        for document in &documents {
            keeps_schema(schema, document);
        }
        documents
    }

    /// A file it left in its home.
    #[track_caller]
    pub fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.home.path().join(name)).expect("the file is there")
    }

    /// Names of what it left in its home, in their order.
    pub fn files(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.home.path()).expect("the home is there");
        let name = |entry: std::io::Result<std::fs::DirEntry>| entry.expect("an entry").file_name();
        let mut names: Vec<String> = entries.map(|entry| name(entry).to_string_lossy().into_owned()).collect();
        names.sort_unstable();
        names
    }
}

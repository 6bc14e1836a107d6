//! The program as it ships: how soon after its start a request is answered, how large it is, and how much memory it takes.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::client::Prepared;
use super::load::{self, Load};
use super::upstream::Upstream;
use super::{gateway, proc};

const PROGRAM: &str = env!("CARGO_BIN_EXE_relay");

/// A server that has just started may still be giving memory back.
const SETTLING: Duration = Duration::from_millis(500);

const SIMULATED: &str = "--simulate";

/// A `relay serve` that is ready. Ends when dropped.
struct Serve {
    child: Child,
    address: SocketAddr,
    ready_after: Duration,
    spawned: Instant,
    _home: TempDir,
}

/// Milliseconds from the start of the process.
#[derive(Clone, Copy)]
pub struct Start {
    pub ready: f64,
    pub answered: f64,
}

/// Starts a server and asks it one question.
pub fn cold_start() -> Start {
    let serve = Serve::start(&[SIMULATED], &[], None);
    serve.ask();
    Start { ready: millis(serve.ready_after), answered: millis(serve.spawned.elapsed()) }
}

pub fn program_bytes() -> u64 {
    fs::metadata(PROGRAM).map_or(0, |program| program.len())
}

/// KiB of an idle server with simulated providers, which run in the same process: before and after its first answer.
pub fn idle_simulated() -> [u64; 2] {
    let serve = Serve::start(&[SIMULATED], &[], None);
    let fresh = serve.resident();
    serve.ask();
    [fresh, serve.resident()]
}

/// KiB of an idle server with one provider set up.
pub fn idle_ordinary() -> u64 {
    Serve::start(&[], &[("GROQ_API_KEY", "x")], None).resident()
}

/// KiB of an ordinary server over the bench's upstream: idle, then after each of `loads`.
pub async fn under_load(upstream: &Upstream, loads: &[(Load, Arc<Prepared>)]) -> Vec<u64> {
    let catalogue = gateway::catalogue(upstream.address, 10_000_000, "");
    let serve = Serve::start(&[], &[("BENCH_API_KEY", "x")], Some(&catalogue));
    let mut resident = vec![serve.resident()];
    for (load, request) in loads {
        load::run(*load, serve.address, request).await;
        resident.push(serve.resident());
    }
    resident
}

impl Serve {
    fn start(flags: &[&str], environment: &[(&str, &str)], catalogue: Option<&str>) -> Self {
        let home = tempfile::tempdir().expect("a temporary folder can be made");
        if let Some(text) = catalogue {
            fs::create_dir(home.path().join("limits")).expect("an empty folder takes another");
            fs::write(home.path().join("limits/bench.toml"), text).expect("a file can be written");
        }
        let mut command = Command::new(PROGRAM);
        command.arg("serve").args(["--no-verify", "--port", "0", "--log-format", "json"]).args(flags);
        command.env_clear().env("RELAY_HOME", home.path()).envs(environment.iter().copied());
        command.current_dir(home.path()).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let spawned = Instant::now();
        let mut child = command.spawn().expect("the program starts");
        let mut log = BufReader::new(child.stdout.take().expect("stdout is piped"));
        let mut line = String::new();
        log.read_line(&mut line).expect("the server says that it is ready");
        let ready_after = spawned.elapsed();
        // Its log has to be read, or it would wait for a reader.
        thread::spawn(move || std::io::copy(&mut log, &mut std::io::sink()));
        Self { child, address: address_in(&line), ready_after, spawned, _home: home }
    }

    /// One plain question on a connection of its own.
    fn ask(&self) {
        const BODY: &str = r#"{"model":"auto","messages":[{"role":"user","content":"Why is the sky blue?"}]}"#;
        let mut socket = TcpStream::connect(self.address).expect("the server accepts connections");
        let length = BODY.len();
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\ncontent-type: application/json\r\n\
             content-length: {length}\r\n\r\n{BODY}"
        );
        socket.write_all(request.as_bytes()).expect("the server reads the request");
        let mut answer = String::new();
        socket.read_to_string(&mut answer).expect("the server answers");
        assert!(answer.starts_with("HTTP/1.1 200 "), "not the answer: {answer}");
    }

    fn resident(&self) -> u64 {
        thread::sleep(SETTLING);
        proc::resident_kib(&self.child.id().to_string()).unwrap_or_default()
    }
}

impl Drop for Serve {
    fn drop(&mut self) {
        // A server that is gone already needs no end.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn address_in(ready: &str) -> SocketAddr {
    let line: serde_json::Value = serde_json::from_str(ready).expect("the ready line is JSON");
    let url = line["url"].as_str().expect("the ready line has the address");
    url.trim_start_matches("http://").trim_end_matches("/v1").parse().expect("an address and a port")
}

fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

//! `relay ask` on a terminal: the answer as it comes, the route beside it, and the terminal left as it was.

#![cfg(unix)]

use std::io::Read;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtyPair, PtySize, native_pty_system};
use relay::clock::Clock;
use relay::sim::Act;

use super::harness::{Providers, eventually_within, provider, relay, says};

/// The program on a terminal of its own, and all that the terminal showed.
struct OnTerminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    pair: PtyPair,
    shown: Arc<Mutex<String>>,
    _home: super::harness::Command,
}

impl OnTerminal {
    fn run(providers: &Providers, flags: &[&str]) -> Self {
        let home = relay(["ask"]).over(providers);
        let size = PtySize { rows: 24, cols: 80, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_relay"));
        command.env_clear();
        command.args(["ask"].iter().chain(flags));
        command.cwd(home.path("."));
        for (name, value) in home.variables() {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let shown = Arc::new(Mutex::new(String::new()));
        let (mut reader, all) = (pair.master.try_clone_reader().expect("the terminal is read"), Arc::clone(&shown));
        super::harness::beside(move || {
            let mut piece = [0; 1024];
            while let Ok(length @ 1..) = reader.read(&mut piece) {
                all.lock().expect("no poison").push_str(&String::from_utf8_lossy(&piece[..length]));
            }
        });
        Self { child, pair, shown, _home: home }
    }

    fn shown(&self) -> String {
        self.shown.lock().expect("no poison").clone()
    }

    async fn shows(&self, part: &str) {
        eventually_within(10, part, || self.shown().contains(part)).await;
    }

    fn types(&self, bytes: &[u8]) {
        let mut writer = self.pair.master.take_writer().expect("a keyboard");
        std::io::Write::write_all(&mut writer, bytes).expect("a keyboard");
    }

    /// Its exit code.
    async fn ended(&mut self) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                return status.exit_code();
            }
            assert!(Instant::now() < deadline, "it hangs: {}", self.shown());
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}

#[tokio::test]
async fn an_answer_is_shown_as_it_comes_with_its_route_below() {
    let slow = provider("sim-a").answers([says("one two three four")]);
    let slow = slow.spec(|spec| spec.latency_ms(600..=600, 150..=150));
    let providers = Providers::start([slow], Clock::system()).await;
    let mut terminal = OnTerminal::run(&providers, &["count"]);
    let before = terminal.pair.master.get_termios().map(|it| format!("{it:?}"));
    // The spinner names the route while nothing has come.
    terminal.shows("sim-a/sim-m").await;
    assert!(!terminal.shown().contains("one"), "{:?}", terminal.shown());
    terminal.shows("one").await;
    assert!(!terminal.shown().contains("four"), "it streams: {:?}", terminal.shown());
    assert_eq!(terminal.ended().await, 0);
    terminal.shows("four").await;
    terminal.shows(" out").await;
    let shown = terminal.shown();
    let after_answer = shown.split("four").nth(1).expect("shown");
    assert!(after_answer.contains("sim-a/sim-m") && after_answer.contains("\u{1b}[2m"), "dim, below: {shown:?}");
    // indicatif hides the cursor at most while it draws.
    assert_eq!(shown.matches("\u{1b}[?25l").count(), shown.matches("\u{1b}[?25h").count(), "{shown:?}");
    assert_eq!(terminal.pair.master.get_termios().map(|it| format!("{it:?}")), before);
}

#[tokio::test]
async fn failover_is_shown_and_thoughts_are_dim() {
    let first = provider("sim-a").answers([Act::busy(30)]);
    let second = provider("sim-b").answers([Act::think("hm, well", says("42"))]);
    let providers = Providers::start([first, second], Clock::system()).await;
    let mut terminal = OnTerminal::run(&providers, &["ask"]);
    assert_eq!(terminal.ended().await, 0);
    terminal.shows("sim-a/sim-m=429-minute").await;
    let shown = terminal.shown();
    let (thought, answer) = (shown.find("\u{1b}[2mhm").expect("dim"), shown.find("42").expect("answered"));
    assert!(thought < answer, "{shown:?}");
}

#[tokio::test]
async fn an_interrupt_from_the_keyboard_ends_it_with_130() {
    let providers = Providers::start([provider("sim-a").answers([Act::Hang])], Clock::system()).await;
    let mut terminal = OnTerminal::run(&providers, &["hi"]);
    terminal.shows("sim-a/sim-m").await;
    terminal.types(b"\x03");
    assert_eq!(terminal.ended().await, 130);
}

#[tokio::test]
async fn colours_and_progress_can_be_switched_off() {
    let slow = || provider("sim-a").answers([says("ok")]).spec(|spec| spec.latency_ms(500..=500, 0..=0));
    let providers = Providers::start([slow()], Clock::system()).await;
    let mut terminal = OnTerminal::run(&providers, &["--color", "never", "--no-progress", "hi"]);
    assert_eq!(terminal.ended().await, 0);
    terminal.shows("sim-a/sim-m").await;
    assert!(!terminal.shown().contains('\u{1b}'), "{:?}", terminal.shown());
    let providers = Providers::start([slow()], Clock::system()).await;
    let mut terminal = OnTerminal::run(&providers, &["-q", "hi"]);
    assert_eq!(terminal.ended().await, 0);
    terminal.shows("ok").await;
    assert_eq!(terminal.shown(), "ok\r\n");
}

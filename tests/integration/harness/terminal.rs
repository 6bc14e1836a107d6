//! The program on a terminal of its own: what is typed, all that came, and what the screen shows in the end.

use std::io::{Read, Write};
use std::num::NonZero;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use portable_pty::{CommandBuilder, PtyPair, PtySize, native_pty_system};

use super::{Command, beside, eventually_within};

const ROWS: u16 = 40;

/// A running program with a terminal. Killed when dropped.
pub struct Terminal {
    child: Box<dyn portable_pty::Child + Send + Sync>,
    pair: PtyPair,
    keyboard: Box<dyn Write + Send>,
    shown: Arc<Mutex<Vec<u8>>>,
    columns: u16,
    /// How the terminal was set before the program touched it.
    before: String,
    _home: Command,
}

impl Terminal {
    /// Runs it in this home with so many columns.
    pub fn run(home: &Command, arguments: &[&str], columns: u16) -> Self {
        let home = home.beside(arguments.iter().copied());
        let size = PtySize { rows: ROWS, cols: columns, pixel_width: 0, pixel_height: 0 };
        let pair = native_pty_system().openpty(size).expect("a terminal");
        let before = settings(&pair);
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_relay"));
        command.env_clear();
        command.args(arguments);
        command.cwd(home.path("."));
        for (name, value) in home.variables() {
            command.env(name, value);
        }
        command.env("TERM", "xterm-256color");
        let child = pair.slave.spawn_command(command).expect("the program starts");
        let shown = Arc::new(Mutex::new(Vec::new()));
        let (mut reader, all) = (pair.master.try_clone_reader().expect("the terminal is read"), Arc::clone(&shown));
        beside(move || {
            let mut piece = [0; 1024];
            while let Ok(length @ 1..) = reader.read(&mut piece) {
                all.lock().expect("no poison").extend_from_slice(&piece[..length]);
            }
        });
        let keyboard = pair.master.take_writer().expect("a keyboard");
        Self { child, pair, keyboard, shown, columns, before, _home: home }
    }

    /// All that came so far, with everything that moves or paints.
    pub fn shown(&self) -> String {
        String::from_utf8_lossy(&self.shown.lock().expect("no poison")).into_owned()
    }

    /// Waits until this has come.
    #[track_caller]
    pub fn shows<'a>(&'a self, part: &'a str) -> impl Future<Output = ()> + 'a {
        self.shows_times(1, part)
    }

    /// Waits until this has come so often. A question asked again takes no answer that was typed before it.
    #[track_caller]
    pub fn shows_times<'a>(&'a self, times: usize, part: &'a str) -> impl Future<Output = ()> + 'a {
        eventually_within(15, part, move || self.shown().matches(part).count() >= times)
    }

    fn screen(&self) -> vt100::Parser {
        let mut screen = vt100::Parser::new(size(ROWS), size(self.columns), 1000);
        screen.process(&self.shown.lock().expect("no poison"));
        screen
    }

    /// What a person sees now, without the blank lines at the end.
    pub fn sees(&self) -> String {
        self.screen().screen().contents().trim_end().to_owned()
    }

    pub fn types(&mut self, text: &str) {
        self.keyboard.write_all(text.as_bytes()).and_then(|()| self.keyboard.flush()).expect("a keyboard");
    }

    /// Its exit code, once it has ended with the terminal as it was: settings, cursor, screen.
    pub async fn ended(&mut self) -> u32 {
        let deadline = Instant::now() + Duration::from_secs(15);
        let code = loop {
            if let Some(status) = self.child.try_wait().expect("the child is ours") {
                break status.exit_code();
            }
            assert!(Instant::now() < deadline, "it hangs: {}", self.shown());
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        // What it wrote last may still be on its way through the terminal.
        tokio::time::sleep(Duration::from_millis(50)).await;
        assert_eq!(settings(&self.pair), self.before, "the terminal keeps its settings");
        let screen = self.screen();
        assert!(!screen.screen().hide_cursor(), "the cursor is shown: {:?}", self.shown());
        assert!(!screen.screen().alternate_screen(), "the screen is the usual one: {:?}", self.shown());
        code
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Fails when it has ended already, which is as good.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn size(length: u16) -> NonZero<u16> {
    NonZero::new(length).expect("a terminal has a size")
}

fn settings(pair: &PtyPair) -> String {
    format!("{:?}", pair.master.get_termios())
}

//! `relay usage --watch`: the screen anew every second, until Ctrl-C.

use std::time::Duration;

use crate::clock::{Clock, later};

use super::super::args::OutputFormat;
use super::super::exit::{Exit, Trouble};
use super::super::output::Output;
use super::super::{signal, table};
use super::{Call, Teller};

const EVERY: Duration = Duration::from_secs(1);

pub async fn run(call: Call<'_>) -> Result<(), Trouble> {
    if !Output::stdout_is_terminal() || table::format(call.global) != OutputFormat::Table {
        return Err(Trouble::new(Exit::Usage, "--watch draws on a terminal".to_owned())
            .hint("in a script: while sleep 1; do relay usage --format line; done"));
    }
    let screen = Screen::open()?;
    let watched = tokio::select! {
        ended = draw_on(call) => ended,
        exit = signal::received() => Err(Trouble::silent(exit)),
    };
    drop(screen);
    watched
}

async fn draw_on(call: Call<'_>) -> Result<(), Trouble> {
    let clock = Clock::system();
    // Built once: what other processes use meanwhile, its store sees by itself within a second.
    let teller = Teller::of(call).await?;
    loop {
        let text = teller.tell(call).await?;
        // From the top, each line cleared to its end, then what is left below.
        let lines: String = text.lines().map(|line| line.to_owned() + "\x1b[K\n").collect();
        Output::raw(b"\x1b[H")?;
        call.output.result(&lines)?;
        Output::raw(b"\x1b[J")?;
        clock.sleep_until(later(clock.now(), EVERY)).await;
    }
}

/// The terminal's other screen, with the cursor hidden; dropping it brings back what was there.
struct Screen;

impl Screen {
    fn open() -> Result<Self, Trouble> {
        Output::raw(b"\x1b[?1049h\x1b[?25l\x1b[H\x1b[J").map(|()| Self)
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        // A terminal that has gone needs no restoring.
        drop(Output::raw(b"\x1b[?25h\x1b[?1049l"));
    }
}

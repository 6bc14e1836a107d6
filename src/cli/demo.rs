//! `relay demo`: the real core over simulated providers, telling what it does. No key, no network, no file.

mod asking;
mod story;
mod telling;

use std::time::{Duration, Instant};

use futures_util::future::try_join_all;
use serde_json::json;

use crate::clock::{Clock, millis};
use crate::config::{Environment, Flags};
use crate::sim::Scenario;

use super::args::{Demo, Global};
use super::exit::{Exit, Trouble};
use super::output::Output;
use super::setup::{self, Core, Verify};
use super::{signal, usage};

use asking::{Told, ask};
use story::{CHAPTERS, Chapter};

/// Before each question, so that a person can follow.
const PAUSE: Duration = Duration::from_millis(300);

pub async fn run(demo: &Demo, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    tokio::select! {
        done = run_to_end(demo, global, environment, output) => done,
        exit = signal::received() => Err(Trouble::silent(exit)),
    }
}

async fn run_to_end(demo: &Demo, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let started = Instant::now();
    let clock = Clock::system();
    let simulator = setup::start_simulator(Scenario::demo(), demo.seed, clock.clone()).await?;
    let flags = Flags { no_config: true, ..Flags::default() };
    let mut core = setup::core_over(Some(simulator), flags, environment, output, Verify::Nothing, clock).await?;
    let since = core.relay.clock.now();
    let teller = Teller { as_json: global.wants_json(), pauses: !demo.fast, output };
    let told = teller.all(&core).await?;
    // A store in memory always can.
    let report = core.relay.usage(since).map_err(|reason| Trouble::new(Exit::Internal, reason))?;
    let took = started.elapsed();
    output.result(&if teller.as_json {
        let document = json!({
            "schema": "relay.demo/1",
            "seed": demo.seed,
            "duration_ms": millis(took),
            "questions": told.iter().map(Told::to_json).collect::<Vec<_>>(),
            "usage": report,
        });
        format!("{document}\n")
    } else {
        telling::end(&usage::screen_of(&report), &told, took)
    })?;
    match core.simulator.take() {
        Some(simulator) => simulator.stop().await,
        None => return Err(Trouble::new(Exit::Internal, "the demo ran without its simulator".to_owned())),
    }
    Ok(())
}

/// How the story is told.
struct Teller {
    as_json: bool,
    pauses: bool,
    output: Output,
}

impl Teller {
    async fn all(&self, core: &Core) -> Result<Vec<Told>, Trouble> {
        self.says(&telling::beginning(&core.relay.fleet.provider_ids()))?;
        let mut all = Vec::new();
        for (number, chapter) in (1..).zip(&CHAPTERS) {
            self.says(&telling::title(number, chapter.title))?;
            self.chapter(core, chapter, &mut all).await?;
        }
        Ok(all)
    }

    async fn chapter(&self, core: &Core, chapter: &Chapter, all: &mut Vec<Told>) -> Result<(), Trouble> {
        if chapter.is_at_once {
            return self.at_once(core, chapter, all).await;
        }
        for question in chapter.questions {
            self.pause().await;
            self.says(&telling::question(question.text))?;
            let told = ask(core, all.len() + 1, chapter, question).await?;
            self.says(&telling::answer(&told, core))?;
            all.push(told);
        }
        Ok(())
    }

    async fn at_once(&self, core: &Core, chapter: &Chapter, all: &mut Vec<Told>) -> Result<(), Trouble> {
        self.pause().await;
        let numbered = chapter.questions.iter().zip(all.len() + 1..);
        let asked = numbered.map(|(question, number)| ask(core, number, chapter, question));
        for told in try_join_all(asked).await? {
            self.says(&telling::question(told.question))?;
            self.says(&telling::answer(&told, core))?;
            all.push(told);
        }
        Ok(())
    }

    async fn pause(&self) {
        if self.pauses && !self.as_json {
            tokio::time::sleep(PAUSE).await;
        }
    }

    fn says(&self, text: &str) -> Result<(), Trouble> {
        if self.as_json { Ok(()) } else { self.output.result(text) }
    }
}

//! `relay ask --batch`: a file of requests answered into a file of results, as fast as quota allows, and never twice.

mod line;
mod progress;
mod results;
mod source;
mod work;

use std::path::Path;
use std::time::Instant;

use serde_json::json;
use serde_json::value::to_raw_value;

use crate::clock::millis;
use crate::config::{Environment, Flags};

use super::args::{Ask, Global};
use super::ask::{self, Answerer};
use super::beside::beside;
use super::exit::{Exit, Trouble};
use super::output::Output;
use super::report;
use super::setup::{self, Verify};
use super::signal::Signals;

use line::Fields;
use progress::Tally;
use results::Writer;
use source::Source;
use work::Work;

pub async fn run(
    input: &Path,
    ask: &Ask,
    global: &Global,
    environment: &Environment,
    output: Output,
    signals: &mut Signals,
) -> Result<(), Trouble> {
    let fields = fields(ask)?;
    let limit = ask::timeout(ask, environment)?;
    let results = ask.output_file().ok_or_else(|| results::no_file("stdout"))?;
    refuse_same(input, results)?;
    let input = input.to_owned();
    let source = signals.interrupting(beside(move || Source::open(&input))).await??;
    let run = Run { ask, global, output, results, limit };
    if let Some(url) = ask::gateway_url(ask, global, environment)? {
        let remote = ask::remote(ask, url, global, environment)?;
        return run.over(Answerer::Gateway(&remote), source, &fields, signals).await;
    }
    let flags = Flags { strict_free: ask.strict_free, deadline: Some(limit), ..Flags::default() };
    let core = signals.interrupting(setup::core(global, flags, environment, output, Verify::Nothing)).await?;
    for problem in &core.problems {
        output.notice(&problem.to_string());
    }
    ask::refuse_unknown(&ask.avoid, &core)?;
    let done = run.over(Answerer::Routes(&core.relay), source, &fields, signals).await;
    done.map_err(|trouble| ask::with_setup(trouble, &core))
}

/// What the flags set in every request. A model that a line names stays, unless `--model` says otherwise.
fn fields(ask: &Ask) -> Result<Fields, Trouble> {
    let mut fields = ask::fields(ask)?;
    if let Some(model) = &ask.model {
        fields.insert("model".to_owned(), to_raw_value(model).expect("a text serializes"));
    }
    Ok(fields)
}

fn refuse_same(input: &Path, results: &Path) -> Result<(), Trouble> {
    let same = input.canonicalize().is_ok_and(|input| results.canonicalize().is_ok_and(|results| input == results));
    if same {
        return Err(Trouble::new(Exit::Usage, "--batch and --output name the same file".to_owned()));
    }
    Ok(())
}

/// One run over a batch.
struct Run<'a> {
    ask: &'a Ask,
    global: &'a Global,
    output: Output,
    results: &'a Path,
    limit: std::time::Duration,
}

impl Run<'_> {
    async fn over(
        &self,
        answerer: Answerer<'_>,
        source: Source,
        fields: &Fields,
        signals: &mut Signals,
    ) -> Result<(), Trouble> {
        let started = Instant::now();
        let earlier = results::open(self.results)?;
        let writer = Writer::start(earlier.file);
        let work = Work {
            ask: self.ask,
            answerer,
            fields,
            writer: &writer,
            answered: earlier.answered,
            limit: self.limit,
            output: self.output,
            tally: Tally::start(source.lines, self.output),
        };
        let done = tokio::select! {
            done = work.all(source) => done,
            exit = signals.next() => Err(Trouble::silent(exit)),
        };
        let tally = work.tally;
        tally.clear();
        // Whatever ended the work: what was answered is kept first.
        writer.close(self.results)?;
        if let Err(trouble) = done {
            if trouble.silent {
                self.output.notice(&format!("stopped: {}; the same command goes on from here", tally.told()));
            }
            return Err(trouble);
        }
        self.report(&tally, started)
    }

    fn report(&self, tally: &Tally, started: Instant) -> Result<(), Trouble> {
        let trouble = tally.trouble();
        if self.global.wants_json() {
            let document = json!({
                "schema": "relay.batch/1",
                "ok": trouble.is_none(),
                "lines": tally.lines(),
                "answered": tally.answered(),
                "answered_before": tally.skipped(),
                "failed": tally.failed(),
                "bad_lines": tally.bad(),
                "duration_ms": millis(started.elapsed()),
                "error": trouble.as_ref().map(report::error),
            });
            self.output.result(&format!("{document}\n"))?;
            return trouble.map_or(Ok(()), |trouble| Err(Trouble::silent(trouble.exit)));
        }
        self.output.notice(&format!("{} in {:.1}s", tally.told(), started.elapsed().as_secs_f64()));
        trouble.map_or(Ok(()), Err)
    }
}

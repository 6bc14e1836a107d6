//! The course of one `relay ask`: sent, read, sent again where an answer broke off unseen or is not what was wanted, delivered.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::answer::{Attempt, count};
use crate::chat::Fault;
use crate::chat::event::Finish;
use crate::cli::args::{Ask, Global, Reasoning};
use crate::cli::exit::{Exit, LONG_WAIT_S, Trouble, span};
use crate::cli::output::Output;
use crate::cli::report;
use crate::relay::OnAttempt;

use super::answerer::{Answerer, Reply};
use super::deliver::{Answered, Delivery, Product};
use super::extract::extract;
use super::limit::Limit;
use super::options::{most_attempts, options};
use super::question::Question;
use super::reading::{Printer, Read, Reader};
use super::spinner::Spinner;

/// How often an answer that broke off unseen is asked for again.
const MOST_CUTS: usize = 3;

/// The same for a gateway: it has gone on elsewhere itself as often as it may, and cannot be told whom to avoid.
const MOST_CUTS_OF_GATEWAY: usize = 1;

/// A wait for quota ends so long before the time does: that there is none is the better answer then.
const LAST_WORDS: Duration = Duration::from_millis(100);

pub struct Course<'a> {
    ask: &'a Ask,
    json: bool,
    /// Print as the answer arrives.
    live: bool,
    printer: Printer,
    output: Output,
    answerer: Answerer<'a>,
    question: &'a Question,
    limit: Limit,
    spinner: Spinner,
    /// The routes that were asked, in their order: of those whose answer is given up nothing else is known.
    asked: Arc<Mutex<Vec<String>>>,
    started: Instant,
}

/// A whole answer, and everything that was tried for it.
struct Whole {
    route: String,
    read: Read,
}

impl<'a> Course<'a> {
    pub fn new(
        ask: &'a Ask,
        global: &Global,
        output: Output,
        answerer: Answerer<'a>,
        question: &'a Question,
        limit: Limit,
    ) -> Self {
        let json = global.wants_json();
        let held_back = json || ask.output_file().is_some() || ask.extract.is_some() || question.schema.is_some();
        let live = !held_back && (ask.stream || Output::stdout_is_terminal() && !ask.no_stream);
        let spinner = Spinner::start(output.progress);
        let (printer, asked, started) = (Printer::default(), Arc::default(), Instant::now());
        Self { ask, json, live, printer, output, answerer, question, limit, spinner, asked, started }
    }

    /// Asks, and gives up when the time is over.
    pub async fn run(&self) -> Result<(), Trouble> {
        let answered = self.limit.keep(self.answered(), |late| self.out_of_time(late)).await;
        let answered = answered.inspect_err(|_| self.printer.break_off()).map_err(|trouble| self.in_time(trouble))?;
        self.spinner.clear();
        let delivery = Delivery { ask: self.ask, json: self.json, live: self.live, output: self.output };
        delivery.deliver(&answered, self.question, self.started.elapsed())
    }

    fn out_of_time(&self, late: Trouble) -> Trouble {
        let message = if self.live { format!("no whole answer within {:?}", self.limit.whole) } else { late.message };
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let lines = asked.split_last().map(|(last, before)| {
            let before = before.iter().map(|route| format!("  {route}  gave no answer"));
            before.chain([format!("  {last}  was still being asked")]).collect()
        });
        Trouble { message, lines: lines.unwrap_or_default(), ..late }
    }

    fn on_attempt(&self) -> OnAttempt {
        let (asked, spinner) = (Arc::clone(&self.asked), self.spinner.on_attempt());
        Arc::new(move |route| {
            asked.lock().unwrap_or_else(PoisonError::into_inner).push(route.to_owned());
            if let Some(spinner) = &spinner {
                spinner(route);
            }
        })
    }

    async fn answered(&self) -> Result<Answered, Trouble> {
        let mut attempts = Vec::new();
        let mut avoid = self.ask.avoid.clone();
        let Whole { route, read } = self.whole(&avoid, &mut attempts).await?;
        let short = match self.product(&read) {
            Ok(product) => return Ok(Answered { route, read, attempts, product }),
            Err(short) => short,
        };
        if self.question.schema.is_none() || self.left(&attempts) == Some(0) {
            return Err(Trouble { attempts, ..short });
        }
        // Another model may do better. Where there is none, the first one's answer is what there is to tell of.
        avoid.push(route);
        match self.whole(&avoid, &mut attempts).await {
            Ok(Whole { route, read }) => match self.product(&read) {
                Ok(product) => Ok(Answered { route, read, attempts, product }),
                Err(short) => Err(Trouble { attempts, ..short }),
            },
            Err(trouble) => Err(Trouble { attempts: trouble.attempts, ..short }),
        }
    }

    /// An answer to its end. One that breaks off before anybody saw it is asked for elsewhere.
    async fn whole(&self, avoid: &[String], attempts: &mut Vec<Attempt>) -> Result<Whole, Trouble> {
        let mut avoid = avoid.to_vec();
        loop {
            let had_cut = attempts.iter().any(is_cut);
            let mut reply = match self.send(&avoid, attempts).await {
                Ok(reply) => reply,
                // Nobody is left but those whose answers broke off.
                Err(trouble) if had_cut && trouble.exit == Exit::Usage => {
                    return Err(broke_off(false, trouble.attempts));
                }
                Err(trouble) => return Err(trouble),
            };
            let mut read = Read::default();
            let ended = self.reader().read(&mut reply, &mut read).await?;
            attempts.append(&mut reply.take_attempts());
            let Err(fault) = ended else { return Ok(Whole { route: reply.route, read }) };
            if let Some(last) = attempts.last_mut() {
                last.fault = Some(fault);
            }
            let shown = self.live && !read.text.is_empty();
            let cuts = attempts.iter().filter(|attempt| is_cut(attempt)).count();
            let most = if matches!(self.answerer, Answerer::Gateway(_)) { MOST_CUTS_OF_GATEWAY } else { MOST_CUTS };
            if shown || cuts > most || self.left(attempts) == Some(0) {
                return Err(broke_off(shown, std::mem::take(attempts)));
            }
            avoid.push(reply.route);
        }
    }

    /// The first form of the question that somebody answers. Only the last one waits for quota: it is everybody's.
    async fn send(&self, avoid: &[String], attempts: &mut Vec<Attempt>) -> Result<Reply, Trouble> {
        let (last, first) = self.question.forms.split_last().expect("a question has a form");
        for (form, is_last) in first.iter().map(|form| (form, false)).chain([(last, true)]) {
            let mut options = options(self.ask, Some(self.on_attempt()));
            options.avoid = avoid.to_vec();
            // What nobody has seen is better asked for again than sewn together.
            options.no_continuation = !self.live;
            options.max_attempts = self.left(attempts);
            options.session = self.answerer.session(self.ask.session.as_deref());
            options.max_wait = if is_last { self.most_wait() } else { Some(Duration::ZERO) };
            let mut trouble = match self.answerer.send(form, &options).await {
                Ok(reply) => return Ok(reply),
                Err(trouble) => trouble,
            };
            attempts.append(&mut trouble.attempts);
            let helps = !matches!(trouble.exit, Exit::Usage | Exit::Config | Exit::Io | Exit::Internal);
            if is_last || !helps || self.left(attempts) == Some(0) {
                return Err(Trouble { attempts: std::mem::take(attempts), ..trouble });
            }
        }
        unreachable!("the last form returns")
    }

    /// Where the time that was set is what ends a wait, a longer wait alone would not help.
    fn in_time(&self, trouble: Trouble) -> Trouble {
        let is_too_short = |wait: &u64| self.ask.timeout.is_some_and(|most| most.as_secs() <= *wait);
        match trouble.retry_after_s.filter(is_too_short) {
            Some(wait @ ..=LONG_WAIT_S) => {
                trouble.hint(format!("wait {}, or run with --wait {}s and a longer --timeout", span(wait), wait + 1))
            }
            _ => trouble,
        }
    }

    /// How long quota may be waited for: never past the end of the time.
    fn most_wait(&self) -> Option<Duration> {
        let wait = self.ask.wait.or_else(|| self.answerer.usual_wait())?;
        Some(wait.min(self.limit.left().saturating_sub(LAST_WORDS)))
    }

    /// How many attempts the flags still allow; `None` where they set no bound.
    fn left(&self, attempts: &[Attempt]) -> Option<usize> {
        Some(most_attempts(self.ask)?.saturating_sub(count(attempts)))
    }

    fn reader(&self) -> Reader<'_> {
        let thoughts = match self.ask.reasoning {
            Reasoning::Show => true,
            Reasoning::Hide => false,
            Reasoning::Auto => self.output.is_talkative() && !self.json && Output::stdout_is_terminal(),
        };
        Reader {
            live: self.live.then_some(&self.printer),
            thoughts,
            output: self.output,
            spinner: &self.spinner,
            started: self.started,
        }
    }

    /// What was wanted of the answer, or why it is not there.
    fn product(&self, read: &Read) -> Result<Product, Trouble> {
        if let Some(schema) = &self.question.schema {
            let json = schema.check(&read.text).map_err(|mistakes| {
                let message = format!("the answer does not satisfy the schema: {}", mistakes.join("; "));
                Trouble::new(Exit::BadOutput, message)
            })?;
            return Ok(Product { text: json.get().to_owned(), data: Some(json) });
        }
        let Some(which) = self.ask.extract else { return Ok(Product { text: read.text.clone(), data: None }) };
        let block = extract(uncut(read), which).ok_or_else(|| {
            let message = "the answer holds no whole code block".to_owned();
            Trouble::new(Exit::BadOutput, message).hint("--extract=lax takes the answer as it is where there is none")
        })?;
        Ok(Product { text: block, data: None })
    }
}

/// The text without the fence that closes a block whose tokens ran out: such a block is not whole.
fn uncut(read: &Read) -> &str {
    let text = read.text.trim_end();
    match text.rsplit_once('\n') {
        Some((before, fence)) if read.finish == Some(Finish::Length) && fence.trim_start().starts_with("```") => before,
        _ => &read.text,
    }
}

fn is_cut(attempt: &Attempt) -> bool {
    attempt.fault == Some(Fault::Cut)
}

fn broke_off(shown: bool, attempts: Vec<Attempt>) -> Trouble {
    let message = if shown {
        "the answer broke off; what stands above is a part of it"
    } else {
        "the answer broke off before its end"
    };
    let lines = attempts.iter().filter_map(report::attempt_line).collect();
    Trouble { lines, attempts, ..Trouble::new(Exit::Unavailable, message.to_owned()) }
}

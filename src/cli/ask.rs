//! `relay ask`: one prompt, one answer. Stdout gets the answer and nothing else.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Map, Value, json};

use crate::answer::{Answer, AnswerStream, Attempt, Body};
use crate::chat::event::Finish;
use crate::chat::request::META_MODEL;
use crate::chat::{ChatRequest, Chunk, Fault, Usage};
use crate::config::{Environment, Flags};
use crate::dialect::sse;
use crate::relay::{Failure, OnAttempt, Relay};

use super::args::{Ask, Global};
use super::ask_input;
use super::ask_options::{most_attempts, options};
use super::exit::{Exit, Trouble};
use super::explain;
use super::output::{Output, dim};
use super::report;
use super::setup::{self, Core, Verify};

/// A wait shorter than this needs no spinner.
const SPINNER_AFTER: Duration = Duration::from_millis(250);

/// How often an answer that broke off unseen is asked for again.
const MOST_CUTS: usize = 3;

pub async fn run(ask: &Ask, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let request = request(ask, environment)?;
    let limit = timeout(ask, environment)?;
    let flags = Flags { strict_free: ask.strict_free, ..Flags::default() };
    let core = setup::core(global, flags, environment, output, Verify::Nothing).await?;
    for problem in &core.problems {
        output.notice(&problem.to_string());
    }
    if ask.explain {
        let explained = explain::run(&core.relay, &request, &options(ask, None), global, output).await;
        return explained.map_err(|trouble| with_setup(trouble, &core));
    }
    let asking = Asking::new(ask, global, output, &core.relay);
    let answered = tokio::select! {
        answered = asking.ask(&request) => answered,
        () = expired(limit) => Err(Trouble::new(Exit::TimedOut, format!("no answer within {:?}", limit.unwrap_or_default()))),
        exit = signal() => Err(Trouble::silent(exit)),
    };
    asking.clear();
    answered.map_err(|trouble| with_setup(trouble, &core))
}

/// Where nothing is set up, says how to get a first answer.
fn with_setup(trouble: Trouble, core: &Core) -> Trouble {
    match trouble.exit {
        Exit::Config => Trouble { attempts: trouble.attempts, ..setup::not_set_up(&core.settings) },
        _ => trouble,
    }
}

async fn expired(limit: Option<Duration>) {
    match limit {
        Some(limit) => tokio::time::sleep(limit).await,
        None => std::future::pending().await,
    }
}

/// The signal that ends the program.
#[cfg(unix)]
async fn signal() -> Exit {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut interrupt), Ok(mut terminate)) = (signal(SignalKind::interrupt()), signal(SignalKind::terminate()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = interrupt.recv() => Exit::Interrupted,
        _ = terminate.recv() => Exit::Terminated,
    }
}

#[cfg(not(unix))]
async fn signal() -> Exit {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
    Exit::Interrupted
}

fn timeout(ask: &Ask, environment: &Environment) -> Result<Option<Duration>, Trouble> {
    if ask.timeout.is_some() {
        return Ok(ask.timeout);
    }
    let Some(text) = environment.get("RELAY_TIMEOUT") else { return Ok(None) };
    let limit = crate::catalog::reader::parse_duration(text);
    limit.map(Some).ok_or_else(|| {
        Trouble::new(Exit::Config, format!("`RELAY_TIMEOUT` is `{text}`; it must be a duration such as 120s"))
    })
}

/// The request as a gateway's client would send it. It always streams, so that silence and cuts are noticed.
fn request(ask: &Ask, environment: &Environment) -> Result<ChatRequest, Trouble> {
    let message = ask_input::message(ask, environment)?;
    let mut messages = Vec::new();
    if let Some(system) = ask_input::system(ask)? {
        messages.push(json!({ "role": "system", "content": system }));
    }
    messages.push(json!({ "role": "user", "content": message }));
    let mut body = Map::new();
    let model = ask.model.as_deref().or_else(|| environment.get("RELAY_MODEL")).unwrap_or(META_MODEL);
    body.insert("model".to_owned(), model.into());
    body.insert("messages".to_owned(), messages.into());
    body.insert("stream".to_owned(), true.into());
    let optional: [(&str, Option<Value>); 6] = [
        ("model_type", ask.model_type.as_deref().map(Value::from)),
        ("model_scale", ask.scale.as_deref().map(Value::from)),
        ("model_name", ask.name.as_deref().map(Value::from)),
        ("max_tokens", ask.max_tokens.map(Value::from)),
        ("temperature", ask.temperature.map(Value::from)),
        ("seed", ask.seed.map(Value::from)),
    ];
    body.extend(optional.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))));
    for param in &ask.param {
        let (name, value) = parameter(param)?;
        body.insert(name, value);
    }
    ChatRequest::parse(Bytes::from(Value::from(body).to_string())).map_err(|bad| Trouble::new(Exit::Usage, bad.message))
}

fn parameter(text: &str) -> Result<(String, Value), Trouble> {
    let wrong = |reason: &str| {
        Trouble::new(Exit::Usage, format!("`--param {text}` {reason}"))
            .hint("--param top_p=0.9 or --param 'stop=[\"END\"]'")
    };
    let (name, value) = text.split_once('=').ok_or_else(|| wrong("is not KEY=JSON"))?;
    if matches!(name, "messages" | "stream" | "") {
        return Err(wrong("names a field that relay sets itself"));
    }
    Ok((name.to_owned(), serde_json::from_str(value).map_err(|_| wrong("does not hold JSON after the `=`"))?))
}

/// One run of the command.
struct Asking<'a> {
    ask: &'a Ask,
    json: bool,
    /// Print as the answer arrives.
    live: bool,
    output: Output,
    relay: &'a Arc<Relay>,
    spinner: Option<ProgressBar>,
    started: Instant,
}

/// What was read of an answer.
#[derive(Default)]
struct Read {
    text: String,
    reasoning: String,
    usage: Option<Usage>,
    finish: Option<Finish>,
    first_token: Option<Duration>,
    /// All attempts, where another route went on with what one had begun.
    attempts: Option<Vec<Attempt>>,
}

impl<'a> Asking<'a> {
    fn new(ask: &'a Ask, global: &Global, output: Output, relay: &'a Arc<Relay>) -> Self {
        let live = !global.wants_json()
            && ask.output.is_none()
            && (ask.stream || Output::stdout_is_terminal() && !ask.no_stream);
        let spinner = output.progress.then(spinner);
        Self { ask, json: global.wants_json(), live, output, relay, spinner, started: Instant::now() }
    }

    async fn ask(&self, request: &ChatRequest) -> Result<(), Trouble> {
        let mut options = options(self.ask, self.on_attempt());
        // What nobody has seen is better asked for again than sewn together.
        options.no_continuation = !self.live;
        let mut earlier: Vec<Attempt> = Vec::new();
        loop {
            let answer = match self.relay.send(request, &options).await {
                Ok(answer) => answer,
                Err(failure) => return Err(self.trouble(*failure, earlier)),
            };
            let mut route = answer.route.name.to_string();
            let mut attempts = answer.attempts.clone();
            let mut read = Read::default();
            let ended = self.read(answer, &mut read).await?;
            if let Some(all) = read.attempts.take() {
                route = all.last().map_or(route, |last| last.route.to_string());
                attempts = all;
            }
            match ended {
                Ok(()) => {
                    earlier.append(&mut attempts);
                    return self.finish(&route, &read, &earlier, request);
                }
                Err(fault) => {
                    if let Some(last) = attempts.last_mut() {
                        last.fault = Some(fault.clone());
                    }
                    earlier.append(&mut attempts);
                    let shown = self.live && !read.text.is_empty();
                    if shown || self.gives_up(&earlier) {
                        return Err(broke_off(shown, earlier));
                    }
                    options.max_attempts = most_attempts(self.ask).map(|most| most.saturating_sub(earlier.len()));
                    options.avoid.push(route);
                }
            }
        }
    }

    /// Whether an answer that broke off unseen is not asked for again.
    fn gives_up(&self, attempts: &[Attempt]) -> bool {
        let cuts = attempts.iter().filter(|attempt| attempt.fault == Some(Fault::Cut)).count();
        cuts > MOST_CUTS || most_attempts(self.ask).is_some_and(|most| attempts.len() >= most)
    }

    fn on_attempt(&self) -> Option<OnAttempt> {
        let spinner = self.spinner.clone()?;
        Some(Arc::new(move |route| spinner.set_message(route.to_owned())))
    }

    /// Reads the answer to its end; the inner error is a stream that broke off.
    async fn read(&self, answer: Answer, read: &mut Read) -> Result<Result<(), Fault>, Trouble> {
        match answer.body {
            Body::Stream(stream) => self.read_stream(stream, read).await,
            Body::Whole(whole) => {
                if let Ok(chunk) = Chunk::parse(&whole.body) {
                    self.take(&chunk, read)?;
                }
                read.usage = whole.usage;
                Ok(Ok(()))
            }
        }
    }

    async fn read_stream(&self, mut stream: Box<AnswerStream>, read: &mut Read) -> Result<Result<(), Fault>, Trouble> {
        let mut ended = Ok(());
        while let Some(event) = stream.next().await {
            let event = match event {
                Ok(event) => event,
                Err(fault) => {
                    ended = Err(fault);
                    break;
                }
            };
            read.usage = event.signs.usage.or(read.usage);
            read.finish = event.signs.finish.or(read.finish);
            if let Some(data) = sse::data(&event.bytes)
                && let Ok(chunk) = Chunk::parse(&data)
            {
                self.take(&chunk, read)?;
            }
        }
        read.attempts = stream.attempts().map(<[Attempt]>::to_vec);
        Ok(ended)
    }

    fn take(&self, chunk: &Chunk<'_>, read: &mut Read) -> Result<(), Trouble> {
        if let Some(reasoning) = chunk.reasoning() {
            read.reasoning.push_str(&reasoning);
        }
        let Some(text) = chunk.text().filter(|text| !text.is_empty()) else { return Ok(()) };
        read.first_token.get_or_insert_with(|| self.started.elapsed());
        read.text.push_str(&text);
        if self.live {
            self.clear();
            Output::raw(text.as_bytes())?;
        }
        Ok(())
    }

    fn finish(&self, route: &str, read: &Read, attempts: &[Attempt], request: &ChatRequest) -> Result<(), Trouble> {
        self.clear();
        if self.json {
            let document = self.document(route, read, attempts, request);
            self.deliver(&format!("{document}\n"))?;
        } else if self.live {
            // The answer ends with exactly one line feed.
            if !read.text.ends_with('\n') {
                Output::raw(b"\n")?;
            }
        } else {
            self.deliver(&format!("{}\n", read.text.trim_end_matches('\n')))?;
        }
        let line = self.who_answered(route, read, attempts);
        if self.ask.usage {
            self.output.error(&line);
        } else if self.live && Output::stdout_is_terminal() {
            self.output.notice(&dim(&line));
        }
        Ok(())
    }

    fn deliver(&self, text: &str) -> Result<(), Trouble> {
        match &self.ask.output {
            Some(path) => write_whole(path, text),
            None => Output::raw(text.as_bytes()),
        }
    }

    fn who_answered(&self, route: &str, read: &Read, attempts: &[Attempt]) -> String {
        let seconds = self.started.elapsed().as_secs_f64();
        let usage = read
            .usage
            .map_or(String::new(), |usage| format!("  {} in, {} out", usage.prompt_tokens, usage.completion_tokens));
        let skipped = crate::answer::trail(attempts);
        let skipped = if skipped.is_empty() { skipped } else { format!("  (skipped: {skipped})") };
        format!("{route}  {seconds:.1}s{usage}{skipped}")
    }

    fn document(&self, route: &str, read: &Read, attempts: &[Attempt], request: &ChatRequest) -> Value {
        let (provider, model) = route.split_once('/').unwrap_or((route, ""));
        let usage = read.usage.unwrap_or_default();
        json!({
            "schema": "relay.ask/1",
            "ok": true,
            "text": read.text,
            "finish_reason": read.finish.map(finish_word),
            "model_requested": request.model,
            "route": { "provider": provider, "model": model },
            "attempts": attempts.iter().map(report::attempt).collect::<Vec<_>>(),
            "usage": { "prompt_tokens": usage.prompt_tokens, "completion_tokens": usage.completion_tokens, "estimated": read.usage.is_none() },
            "timing": { "ttft_ms": read.first_token.map(millis), "total_ms": millis(self.started.elapsed()) },
            "reasoning": (!read.reasoning.is_empty()).then_some(&read.reasoning),
            "data": null,
        })
    }

    fn trouble(&self, mut failure: Failure, mut earlier: Vec<Attempt>) -> Trouble {
        earlier.append(&mut failure.attempts);
        failure.attempts = earlier;
        Trouble::of_failure(failure, self.relay.clock.now())
    }

    fn clear(&self) {
        if let Some(spinner) = &self.spinner {
            spinner.finish_and_clear();
        }
    }
}

fn broke_off(shown: bool, attempts: Vec<Attempt>) -> Trouble {
    let message = if shown {
        "the answer broke off; what stands above is a part of it"
    } else {
        "the answer broke off before its end"
    };
    Trouble { attempts, ..Trouble::new(Exit::Unavailable, message.to_owned()) }
}

#[expect(clippy::disallowed_methods, reason = "a quarter of a second of waiting, gone with the runtime")]
fn spinner() -> ProgressBar {
    let spinner = ProgressBar::new_spinner().with_message("choosing a route");
    spinner.set_style(ProgressStyle::with_template("{spinner} {msg} {elapsed}").expect("a constant template"));
    let ticking = spinner.clone();
    tokio::spawn(async move {
        tokio::time::sleep(SPINNER_AFTER).await;
        if !ticking.is_finished() {
            ticking.enable_steady_tick(Duration::from_millis(100));
        }
    });
    spinner
}

/// Writes beside the file and renames, so that what was there survives a failure.
fn write_whole(path: &Path, text: &str) -> Result<(), Trouble> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let write = || {
        let mut file = tempfile::Builder::new().prefix(".relay-").tempfile_in(folder)?;
        std::io::Write::write_all(&mut file, text.as_bytes())?;
        file.persist(path).map_err(|error| error.error).map(drop)
    };
    write().map_err(|error: std::io::Error| {
        Trouble::new(Exit::Io, format!("`{}` cannot be written: {error}", path.display()))
    })
}

fn finish_word(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "stop",
        Finish::Length => "length",
        Finish::ToolCalls => "tool_calls",
        Finish::ContentFilter => "content_filter",
        Finish::Failed => "error",
        Finish::Other => "other",
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

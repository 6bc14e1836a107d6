//! `relay serve`: the gateway from the first banner line to the last open request.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::json;
use tokio::net::TcpListener;

use crate::clock::millis;
use crate::config::{Environment, Flags};
use crate::gateway::{Gateway, RequestLine, Server, Stopped};
use crate::replace::{Readers, replace};
use crate::telemetry::Lines;

use super::args::{Format, Global, Serve};
use super::banner;
use super::browser;
use super::exit::{Exit, Trouble, acts_on_terminal};
use super::numbers::elapsed;
use super::output::{Output, dim, red};
use super::reload::Watch;
use super::run::LAST_WORDS;
use super::setup::{self, Core, Verify};
use super::signal::Signals;

pub async fn run(serve: &Serve, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let started = Instant::now();
    let (flags, log_format) = (flags(serve), serve.log_format(global));
    let verify = if serve.no_verify { Verify::Nothing } else { Verify::Everything };
    let watch = Watch::begin(flags.clone().with(global), environment);
    let ready_file = serve.ready_file.as_deref().map(ReadyFile::not_yet).transpose()?;
    let mut signals = Signals::new()?;
    let mut core = signals.interrupting(setup::core(global, flags, environment, output, verify)).await?;
    refuse_open_door(&core, serve)?;
    let listener = listen(SocketAddr::new(core.settings.server.host, core.settings.server.port)).await?;
    let address =
        listener.local_addr().map_err(|error| Trouble::new(Exit::Io, format!("the address is lost: {error}")))?;
    let url = format!("http://{address}/v1");
    // Before the banner, which nobody should read of a server that then ends.
    ready_file.as_ref().map(|file| file.write(&url)).transpose()?;
    banner::print(&core, serve, log_format, &url, started.elapsed(), output)?;
    let server = &core.settings.server;
    if serve.open {
        // A browser has no key to show; how the server is anybody may ask.
        let shown = if server.api_key.is_some() { format!("http://{address}/health") } else { format!("{url}/models") };
        show_in_browser(&shown, output);
    }
    let lines = Output::result_lines(|lost| format!("{}\n", json!({ "event": "lost", "lines": lost })));
    let log = logger(log_format, output, &lines);
    let gateway = Arc::new(Gateway::new(Arc::clone(&core.relay), server.clone(), log));
    let serving = serve_until_stopped(listener, Arc::clone(&gateway), server.drain, &mut signals, output);
    let watching = watching(&core, watch, environment, output);
    let stopped = tokio::select! {
        stopped = serving => stopped,
        never = watching => match never {},
    };
    if let Some(simulator) = core.simulator.take() {
        simulator.stop().await;
    }
    lines.flush(LAST_WORDS);
    match stopped {
        (Stopped::Drained, _) => Ok(()),
        (Stopped::Cut, exit) => Err(Trouble::silent(exit)),
    }
}

fn flags(serve: &Serve) -> Flags {
    Flags {
        host: serve.host.clone(),
        port: serve.port,
        api_key_file: serve.api_key_file.clone(),
        drain: serve.drain,
        cors: serve.cors.clone(),
        keyless: serve.keyless,
        strict_free: serve.strict_free,
        ..Flags::default()
    }
}

/// Takes over limits that change while it serves. Simulated providers have no files that could.
async fn watching(core: &Core, watch: Watch, environment: &Environment, output: Output) -> std::convert::Infallible {
    if core.simulator.is_some() {
        return std::future::pending().await;
    }
    watch.run(&core.relay, environment, output).await
}

async fn serve_until_stopped(
    listener: TcpListener,
    gateway: Arc<Gateway>,
    drain: Duration,
    signals: &mut Signals,
    output: Output,
) -> (Stopped, Exit) {
    let (stop, stopping) = tokio::sync::oneshot::channel::<()>();
    let (cut, cutting) = tokio::sync::oneshot::channel::<()>();
    let relay = Arc::clone(&gateway.relay);
    let server = Server { listener, gateway }.run(async { drop(stopping.await) }, async { drop(cutting.await) });
    let mut server = std::pin::pin!(server);
    let exit = tokio::select! {
        stopped = &mut server => return (stopped, Exit::Unavailable),
        exit = signals.next() => exit,
    };
    drop(stop);
    // One turn for the server, so that it is no longer ready before anybody reads that it stops.
    tokio::select! {
        biased;
        stopped = &mut server => return (stopped, exit),
        () = tokio::task::yield_now() => {}
    }
    let open = relay.in_flight();
    if open > 0 {
        output.notice(&format!("stopping: {open} open requests, up to {}s (press again to stop now)", drain.as_secs()));
    }
    tokio::select! {
        stopped = &mut server => return (stopped, exit),
        _ = signals.next() => {}
        () = tokio::time::sleep(drain) => {}
    }
    drop(cut);
    (server.await, exit)
}

/// Listening beyond this machine without a key would lend everybody's quota to everybody.
fn refuse_open_door(core: &Core, serve: &Serve) -> Result<(), Trouble> {
    let server = &core.settings.server;
    if server.host.is_loopback() || server.api_key.is_some() || serve.insecure_no_auth {
        return Ok(());
    }
    let message =
        format!("refusing to listen on {} without a key: anyone who reaches it could spend your quota", server.host);
    Err(Trouble::new(Exit::Config, message)
        .hint("set RELAY_API_KEY or --api-key-file, or insist with --insecure-no-auth"))
}

async fn listen(address: SocketAddr) -> Result<TcpListener, Trouble> {
    TcpListener::bind(address).await.map_err(|error| {
        let hint = match error.kind() {
            ErrorKind::AddrNotAvailable => {
                "--host takes an address that this machine has: 127.0.0.1, or 0.0.0.0 for all"
            }
            _ => "choose another port with --port, or any free one with --port 0",
        };
        Trouble::new(Exit::Unavailable, format!("cannot listen on {address}: {error}")).hint(hint)
    })
}

/// The file that is there as long as the server is: what an earlier one left is removed, and so is its own at the end.
struct ReadyFile<'a>(&'a Path);

impl<'a> ReadyFile<'a> {
    fn not_yet(path: &'a Path) -> Result<Self, Trouble> {
        let file = Self(path);
        file.remove().map_err(|error| unwritable(path, &error))?;
        Ok(file)
    }

    /// A device of that name stays.
    fn remove(&self) -> std::io::Result<()> {
        let is_file = std::fs::symlink_metadata(self.0).is_ok_and(|known| known.is_file());
        if is_file { std::fs::remove_file(self.0) } else { Ok(()) }
    }

    fn write(&self, url: &str) -> Result<(), Trouble> {
        let written = replace(self.0, format!("{url}\n").as_bytes(), Readers::Of(self.0));
        written.map_err(|error| unwritable(self.0, &error))
    }
}

impl Drop for ReadyFile<'_> {
    fn drop(&mut self) {
        // The server ends all the same.
        drop(self.remove());
    }
}

fn unwritable(path: &Path, error: &std::io::Error) -> Trouble {
    Trouble::new(Exit::Io, format!("`{}` cannot be written: {error}", path.display()))
}

fn show_in_browser(url: &str, output: Output) {
    if let Err(reason) = browser::open(url) {
        output.error(&format!("nothing here opens a page ({reason}); copy the address: {url}"));
    }
}

type Logger = Arc<dyn Fn(&RequestLine) + Send + Sync>;

/// A log nobody reads must not stop the server.
fn logger(format: Format, output: Output, json: &Lines) -> Logger {
    let json = json.clone();
    match format {
        Format::Json => Arc::new(move |line| {
            let line = escaped(&json_line(line).to_string(), |c| format!("\\u{:04x}", u32::from(c)));
            json.line(format!("{line}\n"));
        }),
        Format::Text => Arc::new(move |line| output.notice(&text_line(line))),
    }
}

fn json_line(line: &RequestLine) -> serde_json::Value {
    json!({
        "event": "request",
        "at": line.at.to_string(),
        "request_id": &*line.request_id,
        "status": line.status,
        "route": line.route.as_deref(),
        "trail": line.trail,
        "ms": millis(line.elapsed),
        "tokens": line.tokens,
        "error": line.error,
    })
}

fn text_line(line: &RequestLine) -> String {
    let time = line.at.to_zoned(jiff::tz::TimeZone::system()).strftime("%H:%M:%S");
    let status =
        if line.status < 400 && line.error.is_none() { line.status.to_string() } else { red(&line.status.to_string()) };
    let mut what = String::new();
    if !line.trail.is_empty() {
        what.push_str(&line.trail.replace('=', " "));
        what.push_str(" > ");
    }
    what.push_str(line.route.as_deref().or(line.error.as_deref()).unwrap_or("the client left"));
    if line.route.is_some()
        && let Some(error) = &line.error
    {
        what.push_str(&format!(" ({error})"));
    }
    let tokens = line.tokens.map_or(String::new(), |tokens| format!("{tokens} tok"));
    let what = escaped(&what, |c| c.escape_default().to_string());
    format!("{}  {status}  {what:<44} {:>7}  {tokens}", dim(&time.to_string()), elapsed(line.elapsed))
        .trim_end()
        .to_owned()
}

/// Whatever a client sent may not act on the terminal. JSON has such characters in its texts alone.
fn escaped(text: &str, escape: impl Fn(char) -> String) -> String {
    if !text.contains(acts_on_terminal) {
        return text.to_owned();
    }
    text.chars().map(|c| if acts_on_terminal(c) { escape(c) } else { c.to_string() }).collect()
}

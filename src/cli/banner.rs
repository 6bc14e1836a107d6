//! What `relay serve` says when it is ready: where, with whom, without whom and why.

use std::time::Duration;

use serde_json::{Value, json};

use crate::catalog::Status;
use crate::config::{LeftOut, Why};

use super::args::{Format, Serve};
use super::exit::Trouble;
use super::lacking;
use super::output::{Output, bold};
use super::setup::{Core, finding_line};

/// Of many providers without a key this many are named.
const MOST_NAMED: usize = 6;

pub fn print(
    core: &Core,
    serve: &Serve,
    format: Format,
    url: &str,
    took: Duration,
    output: Output,
) -> Result<(), Trouble> {
    let news = News::of(core);
    if format == Format::Json {
        return output.result(&format!("{}\n", ready(core, url, &news)));
    }
    let server = &core.settings.server;
    let access = match (&server.api_key, server.host.is_loopback()) {
        (Some(_), _) => "with the gateway's key",
        (None, true) => "this machine only, no key needed",
        (None, false) => "anyone who reaches this address",
    };
    output.notice(&format!("relay {} ready in {}ms\n", env!("CARGO_PKG_VERSION"), took.as_millis()));
    row(output, "Base URL", &[bold(url)]);
    row(output, "Providers", &[providers(core)]);
    row(output, "Left out", &news.left_out);
    row(output, "Unverified", &news.unverified);
    row(output, "Paid", &news.paid);
    row(output, "Mistakes", &news.mistakes);
    row(output, "Access", &[access.to_owned()]);
    let state = core.settings.state.file.as_ref().map(|path| path.display().to_string());
    row(output, "State", &[state.unwrap_or_else(|| "in memory, gone when this ends".to_owned())]);
    let key = match (&server.api_key, &serve.api_key_file) {
        (Some(_), Some(path)) => format!("\"$(cat '{}')\"", path.display()),
        (Some(_), None) => "$RELAY_API_KEY".to_owned(),
        (None, _) => "relay".to_owned(),
    };
    output.notice(&format!("\n  export OPENAI_BASE_URL={url} OPENAI_API_KEY={key}\n"));
    Ok(())
}

/// The first line of a log in JSON.
fn ready(core: &Core, url: &str, news: &News) -> Value {
    json!({
        "event": "ready",
        "url": url,
        "pid": std::process::id(),
        "version": env!("CARGO_PKG_VERSION"),
        "state": core.settings.state.file.as_ref().map(|path| path.display().to_string()),
        "models": core.relay.fleet.routes.len(),
        "left_out": news.left_out,
        "unverified": news.unverified,
        "paid": news.paid,
        "mistakes": news.mistakes,
    })
}

/// What a person should know about the providers.
struct News {
    /// Left out although they are set up.
    left_out: Vec<String>,
    /// Used although they could not be asked.
    unverified: Vec<String>,
    paid: Vec<String>,
    mistakes: Vec<String>,
}

impl News {
    fn of(core: &Core) -> Self {
        let fleet = &core.relay.fleet;
        let (unverified, left_out): (Vec<_>, Vec<_>) = core.findings.iter().partition(|finding| finding.is_doubt());
        let mut left_out: Vec<String> = left_out.into_iter().map(finding_line).collect();
        left_out.extend(lacking::refused_providers(&core.settings.routing, fleet));
        left_out.extend(core.settings.incomplete().map(LeftOut::text));
        let is_paid = |id: &&str| core.settings.catalog.provider(id).is_some_and(|it| it.status == Status::Paid);
        let paid: Vec<&str> = if core.settings.routing.strict_free {
            Vec::new()
        } else {
            fleet.provider_ids().into_iter().filter(is_paid).collect()
        };
        Self {
            left_out,
            unverified: unverified.into_iter().map(finding_line).collect(),
            paid: paid.into_iter().map(|id| format!("{id}: asked after every free route; it bills")).collect(),
            mistakes: core.problems.iter().map(ToString::to_string).collect(),
        }
    }
}

/// `6 ready, 1 without key (deepseek); 21 models`.
fn providers(core: &Core) -> String {
    let fleet = &core.relay.fleet;
    let mut text = format!("{} ready", fleet.provider_ids().len());
    let lacking = core.settings.left_out.iter().filter(|one| matches!(one.why, Why::NoKey(_)));
    let without: Vec<&str> = lacking.map(|one| one.provider.as_str()).collect();
    if !without.is_empty() {
        let named = without.iter().take(MOST_NAMED).copied().collect::<Vec<_>>().join(", ");
        let more = if without.len() > MOST_NAMED { ", …" } else { "" };
        text.push_str(&format!(", {} without key ({named}{more})", without.len()));
    }
    text.push_str(&format!("; {} models", fleet.routes.len()));
    text
}

/// A label, and its lines below one another.
fn row(output: Output, label: &str, lines: &[String]) {
    for (index, line) in lines.iter().enumerate() {
        let label = if index == 0 { label } else { "" };
        output.notice(&format!("  {label:<10}  {line}"));
    }
}

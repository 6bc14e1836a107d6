//! From the flags of `relay refresh-limits` to what is printed and written.

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::catalog::{Page, Provider};
use crate::cli::args::{Global, OutputFormat, RefreshLimits};
use crate::cli::echo::Echo;
use crate::cli::exit::{Exit, Trouble};
use crate::cli::output::Output;
use crate::cli::prompt::Prompt;
use crate::cli::{signal, table};
use crate::clock::Clock;
use crate::config::Environment;
use crate::refresh::apply::{self, ApplyError, Proof};
use crate::refresh::compare::{Change, Seen, compare};
use crate::refresh::source::{self, Got, Site};

use super::desk::Desk;
use super::document::{Finding, changes, document};
use super::{page, screen};

pub async fn run(
    args: &RefreshLimits,
    global: &Global,
    environment: &Environment,
    output: Output,
) -> Result<(), Trouble> {
    tokio::select! {
        done = run_to_end(args, global, environment, output) => done,
        // Whatever is drawn is taken back as the future is dropped; files are replaced whole.
        exit = signal::received() => Err(Trouble::silent(exit)),
    }
}

async fn run_to_end(
    args: &RefreshLimits,
    global: &Global,
    environment: &Environment,
    output: Output,
) -> Result<(), Trouble> {
    if let Some(file) = &args.read {
        return page::print(file, global, output);
    }
    let desk = Desk::open(args, global, environment, output).await?;
    let mut providers = desk.providers(&args.providers)?;
    if let (Some(folder), true) = (&args.from, args.providers.is_empty()) {
        providers.retain(|provider| source::has_saved(folder, &provider.id));
    }
    if args.undo {
        return undo(&desk, &args.providers, global, output);
    }
    let is_offline = global.offline || environment.is_on("RELAY_OFFLINE");
    if is_offline && args.from.is_none() {
        let message = "pages are fetched, and --offline forbids it".to_owned();
        return Err(Trouble::new(Exit::Unavailable, message).hint("--from DIR reads saved pages"));
    }
    let findings = look(&desk, &providers, args.from.as_deref(), output, Clock::system().now()).await;
    let wanted = wanted(&findings, args.allow_large);
    show(&findings, global, output, args)?;
    if wanted.is_empty() || args.check {
        return end(&findings, args, global, output, false);
    }
    if !args.yes && !confirmed(&wanted, global, environment, output).await? {
        return end(&findings, args, global, output, false);
    }
    write(&desk, &findings, args.allow_large, output)?;
    end(&findings, args, global, output, true)
}

/// Reads all pages at once.
async fn look(
    desk: &Desk,
    providers: &[&Provider],
    from: Option<&Path>,
    output: Output,
    now: Timestamp,
) -> Vec<Finding> {
    let site = Site::new(desk.cache.clone());
    // Dropped after the bar.
    let _echo = (output.progress && from.is_none()).then(Echo::without_signs);
    let progress = progress(providers.len(), output, from.is_none());
    let looks = providers.iter().enumerate().map(|(index, provider)| {
        let (site, progress) = (&site, &progress);
        async move {
            let got = match (&provider.page, from) {
                (None, _) => Err("no page is known of it".to_owned()),
                (Some(page), Some(folder)) => source::saved(folder, &provider.id, page, now),
                (Some(page), None) => site.fetch(page, now).await,
            };
            progress.inc(1);
            finding(index + 1, provider, got, &desk.seen)
        }
    });
    let findings = join_all(looks).await;
    progress.finish_and_clear();
    findings
}

/// A bar while pages are fetched, gone when it is dropped.
fn progress(pages: usize, output: Output, is_fetching: bool) -> ProgressBar {
    if !output.progress || !is_fetching {
        return ProgressBar::hidden();
    }
    let bar = ProgressBar::new(pages as u64).with_message(format!("Reading {}", table::counted(pages, "page")));
    let style = ProgressStyle::with_template("{msg}   {bar:24}  {pos}/{len}  {elapsed}");
    bar.set_style(style.expect("a constant template").progress_chars("━╸─"));
    bar.enable_steady_tick(Duration::from_millis(100));
    bar.with_finish(ProgressFinish::AndClear)
}

fn finding(id: usize, provider: &Provider, got: Result<Got, String>, seen: &[(String, Seen)]) -> Finding {
    let seen: Vec<Seen> = seen.iter().filter(|(of, _)| *of == provider.id).map(|(_, seen)| seen.clone()).collect();
    let url = |page: &Page| page.url.clone();
    let (changes, got) = match got {
        Ok(got) => (compare(provider, &crate::refresh::read(&got.bytes), &seen), Some(got)),
        Err(reason) => (Err(reason), None),
    };
    let url = got.as_ref().map_or_else(|| provider.page.as_ref().map(url).unwrap_or_default(), |got| got.url.clone());
    Finding { id, provider: provider.id.clone(), url, got, changes }
}

/// What may be written: what is certain, and with `--allow-large` what is held back.
fn wanted(findings: &[Finding], allow_large: bool) -> Vec<&Change> {
    let changes = findings.iter().flat_map(Finding::changes);
    changes.filter(|change| change.is_writable() && (allow_large || change.held.is_none())).collect()
}

fn show(findings: &[Finding], global: &Global, output: Output, args: &RefreshLimits) -> Result<(), Trouble> {
    let format = table::format(global);
    match format {
        // Whether it was applied is known at the end only.
        OutputFormat::Json => Ok(()),
        OutputFormat::Table => output.result(&screen::text(findings)),
        _ => {
            let unread =
                findings.iter().filter_map(|finding| Some((&finding.provider, finding.changes.as_ref().err()?)));
            unread.for_each(|(provider, reason)| output.notice(&format!("{provider}: page unread: {reason}")));
            if !args.check && !args.yes {
                output.notice("nothing is written: --yes writes what differs, --check exits 1 if anything does");
            }
            let rows = screen::rows(findings);
            output.result(&match format {
                OutputFormat::Csv => table::csv(["provider", "model", "field", "now", "docs", "source"], &rows),
                OutputFormat::Ndjson => table::ndjson(&changes(findings)),
                _ => table::plain(&rows),
            })
        }
    }
}

async fn confirmed(
    wanted: &[&Change],
    global: &Global,
    environment: &Environment,
    output: Output,
) -> Result<bool, Trouble> {
    let prompt = Prompt::new(global, environment, output).filter(|_| !global.wants_json());
    let Some(prompt) = prompt else { return Ok(false) };
    prompt.confirm(&format!("Apply {}?", table::counted(wanted.len(), "change")), false).await
}

fn write(desk: &Desk, findings: &[Finding], allow_large: bool, output: Output) -> Result<(), Trouble> {
    for finding in findings {
        let wanted = wanted(std::slice::from_ref(finding), allow_large);
        let (Some(got), false) = (&finding.got, wanted.is_empty()) else { continue };
        let Some(provider) = desk.catalog.provider(&finding.provider) else { continue };
        let path = desk.file(&finding.provider);
        let old = match std::fs::read_to_string(&path) {
            Ok(old) => old,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Trouble::new(Exit::Io, format!("`{}` cannot be read: {error}", path.display()))),
        };
        let at = got.fetched_at.to_zoned(TimeZone::UTC).date();
        let proof = Proof { url: got.url.clone(), at, sha256: got.sha256.clone() };
        let text = apply::edit(&old, provider, &wanted, &proof)
            .map_err(|message| Trouble::new(Exit::Config, format!("`{}` is not TOML: {message}", path.display())))?;
        let text = if old.is_empty() {
            format!("# Limits as `relay refresh-limits` read them. Yours to edit.\n\n{}", text.trim_start())
        } else {
            text
        };
        desk.check(&finding.provider, &text)?;
        apply::write(&path, &text).map_err(io)?;
        output.notice(&format!("{} changes written to {}", wanted.len(), path.display()));
    }
    Ok(())
}

fn undo(desk: &Desk, names: &[String], global: &Global, output: Output) -> Result<(), Trouble> {
    let ids: Vec<String> = if names.is_empty() {
        desk.catalog.providers.iter().map(|provider| provider.id.clone()).collect()
    } else {
        names.to_vec()
    };
    let files: Vec<_> = ids.iter().map(|id| desk.file(id)).filter(|path| apply::before(path).is_file()).collect();
    if files.is_empty() {
        return Err(Trouble::new(Exit::NoInput, format!("nothing in `{}` can be undone", desk.folder.display())));
    }
    for file in &files {
        apply::undo(file).map_err(io)?;
        output.notice(&format!("{} is as it was before", file.display()));
    }
    if global.wants_json() {
        let restored: Vec<String> = files.iter().map(|file| file.display().to_string()).collect();
        output.result(&format!("{}\n", json!({ "schema": "relay.refresh-limits-undo/1", "restored": restored })))?;
    }
    Ok(())
}

fn io(error: ApplyError) -> Trouble {
    Trouble::new(Exit::Io, error.to_string())
}

/// The document, and the exit code: 1 where `--check` found a difference, 69 where no page at all could be read.
fn end(
    findings: &[Finding],
    args: &RefreshLimits,
    global: &Global,
    output: Output,
    is_applied: bool,
) -> Result<(), Trouble> {
    if global.wants_json() {
        output.result(&(document(findings, is_applied).to_string() + "\n"))?;
    }
    // Models that are new on a page are shown; the catalogue leaves out many on purpose.
    if args.check && findings.iter().flat_map(Finding::changes).any(Change::is_writable) {
        return Err(Trouble::silent(Exit::Negative));
    }
    if !findings.is_empty() && findings.iter().all(|finding| finding.got.is_none()) {
        return Err(Trouble::silent(Exit::Unavailable));
    }
    Ok(())
}

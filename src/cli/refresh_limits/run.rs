//! From the flags of `relay refresh-limits` to what is printed and written.

use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use indicatif::{ProgressBar, ProgressFinish, ProgressStyle};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::json;

use crate::catalog::Provider;
use crate::cli::args::{Global, OutputFormat, RefreshLimits};
use crate::cli::echo::Echo;
use crate::cli::exit::{Exit, Trouble};
use crate::cli::output::Output;
use crate::cli::prompt::Prompt;
use crate::cli::{signal, table};
use crate::clock::Clock;
use crate::config::Environment;
use crate::refresh::apply::{self, ApplyError, Proof};
use crate::refresh::compare::Change;
use crate::refresh::finding::{Finding, Origin};
use crate::refresh::look;
use crate::refresh::source::{self, Site};

use super::desk::Desk;
use super::document::{changes, document};
use super::{page, screen};

pub async fn run(
    args: &RefreshLimits,
    global: &Global,
    environment: &Environment,
    output: Output,
) -> Result<(), Trouble> {
    tokio::select! {
        // Asked first, so that Ctrl-C is heard before anything is drawn.
        biased;
        // Whatever is drawn is taken back as the future is dropped; files are replaced whole.
        exit = signal::received() => Err(Trouble::silent(exit)),
        done = run_to_end(args, global, environment, output) => done,
    }
}

async fn run_to_end(
    args: &RefreshLimits,
    global: &Global,
    environment: &Environment,
    output: Output,
) -> Result<(), Trouble> {
    if let Some(file) = &args.read {
        return page::print(file, global, output).await;
    }
    let desk = Desk::open(args, global, environment, output).await?;
    let providers = chosen(&desk, args)?;
    if args.undo {
        return undo(&desk, &args.providers, global, output);
    }
    let is_offline = global.offline || environment.is_on("RELAY_OFFLINE");
    if is_offline && args.from.is_none() {
        let message = "pages are fetched, and --offline forbids it".to_owned();
        return Err(Trouble::new(Exit::Unavailable, message).hint("--from DIR reads saved pages"));
    }
    let findings = look(&desk, &providers, args.from.as_deref(), output, Clock::system().now()).await;
    let wanted = wanted(&findings, args.allow_large).len();
    let held = findings.iter().flat_map(Finding::changes).filter(|change| change.is_writable()).count() - wanted;
    show(&findings, global, output)?;
    let is_applied = match () {
        () if wanted == 0 || args.check => false,
        () => args.yes || confirmed(wanted, held, global, environment, output).await?,
    };
    if is_applied {
        write(&desk, &findings, args.allow_large, output)?;
    }
    if let Some(remark) = unwritten(if is_applied { 0 } else { wanted }, held, is_applied) {
        output.notice(&table::complaint(&remark, 0));
    }
    end(&findings, args, global, output, is_applied)
}

/// What is not written, and which flags would do it.
fn unwritten(wanted: usize, held: usize, is_applied: bool) -> Option<String> {
    let writes = |flags: &str, count: usize, what: &str| {
        (count > 0).then(|| format!("{flags} writes {}{what}", table::counted(count, "change")))
    };
    let ways = [writes("--yes", wanted, ""), writes("--yes --allow-large", held, " held back")];
    let ways: Vec<String> = ways.into_iter().flatten().collect();
    let so_far = if is_applied { "not written" } else { "nothing is written" };
    (!ways.is_empty()).then(|| format!("{so_far}: {}", ways.join(", ")))
}

/// The providers to look at: where pages are saved, all that have one, or those that are named if any does.
fn chosen<'d>(desk: &'d Desk, args: &RefreshLimits) -> Result<Vec<&'d Provider>, Trouble> {
    let mut providers = desk.providers(&args.providers)?;
    let Some(folder) = &args.from else { return Ok(providers) };
    if !folder.is_dir() {
        return Err(Trouble::new(Exit::NoInput, format!("`{}` is no folder of saved pages", folder.display())));
    }
    let has_page = |provider: &Provider| source::has_saved(folder, &provider.id);
    if !providers.iter().any(|provider| has_page(provider)) {
        let message = format!("no saved page of a provider is in `{}`", folder.display());
        return Err(Trouble::new(Exit::NoInput, message).hint("a page is named PROVIDER.md or PROVIDER.html"));
    }
    if args.providers.is_empty() {
        providers.retain(|provider| has_page(provider));
    }
    Ok(providers)
}

/// Asks all sources at once.
async fn look(
    desk: &Desk,
    providers: &[&Provider],
    from: Option<&Path>,
    output: Output,
    now: Timestamp,
) -> Vec<Finding> {
    let site = Site::new(&desk.settings.network, desk.cache.clone());
    // Dropped after the bar.
    let _echo = (output.progress && from.is_none()).then(Echo::without_signs);
    let progress = progress(providers.len(), output, from.is_none());
    let looks = providers.iter().map(|provider| {
        let (site, progress, subject) = (&site, &progress, desk.subject(provider));
        async move {
            let findings = match (&provider.page, from) {
                (Some(page), Some(folder)) => {
                    vec![look::of_page(subject, page, source::saved(folder, &provider.id, page, now))]
                }
                (None, Some(_)) => Vec::new(),
                (_, None) => look::look(site, subject, now).await,
            };
            progress.inc(1);
            findings
        }
    });
    let findings = join_all(looks).await;
    progress.finish_and_clear();
    findings.into_iter().flatten().collect()
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

/// What may be written: what is certain, and with `--allow-large` what is held back.
fn wanted(findings: &[Finding], allow_large: bool) -> Vec<&Change> {
    let changes = findings.iter().flat_map(Finding::changes);
    changes.filter(|change| change.is_writable() && (allow_large || change.held.is_none())).collect()
}

fn show(findings: &[Finding], global: &Global, output: Output) -> Result<(), Trouble> {
    let format = table::format(global);
    match format {
        // Whether it was applied is known at the end only.
        OutputFormat::Json => Ok(()),
        OutputFormat::Table => output.result(&screen::text(findings)),
        _ => {
            let unread = findings.iter().filter_map(|finding| Some((finding, finding.changes.as_ref().err()?)));
            unread.for_each(|(finding, reason)| {
                output.notice(&format!("{}: {} unread: {reason}", finding.provider, finding.origin.word()));
            });
            let rows = screen::rows(findings);
            output.result(&match format {
                OutputFormat::Csv => table::csv(screen::COLUMNS, &rows),
                OutputFormat::Ndjson => table::ndjson(&changes(findings)),
                _ => table::plain(&rows),
            })
        }
    }
}

async fn confirmed(
    wanted: usize,
    held: usize,
    global: &Global,
    environment: &Environment,
    output: Output,
) -> Result<bool, Trouble> {
    let prompt = Prompt::new(global, environment, output).filter(|_| !global.wants_json());
    let Some(prompt) = prompt else { return Ok(false) };
    let held = match held {
        0 => "",
        1 => " (the ! one needs --allow-large)",
        _ => " (the ! ones need --allow-large)",
    };
    prompt.confirm(&format!("Apply {}{held}?", table::counted(wanted, "change")), false).await
}

/// One new text a provider, whichever of its sources the changes come from: it is undone as a whole.
fn write(desk: &Desk, findings: &[Finding], allow_large: bool, output: Output) -> Result<(), Trouble> {
    for of_provider in findings.chunk_by(|a, b| a.provider == b.provider) {
        let count = wanted(of_provider, allow_large).len();
        let Some(provider) = desk.catalog.provider(&of_provider[0].provider).filter(|_| count > 0) else { continue };
        let path = desk.file(&provider.id);
        let old = match std::fs::read_to_string(&path) {
            Ok(old) => old,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Trouble::new(Exit::Io, format!("`{}` cannot be read: {error}", path.display()))),
        };
        let mut text = old.clone();
        for finding in of_provider {
            let wanted = wanted(std::slice::from_ref(finding), allow_large);
            let Some(proof) = proof(finding).filter(|_| !wanted.is_empty()) else { continue };
            text = apply::edit(&text, provider, &wanted, &proof).map_err(|message| {
                Trouble::new(Exit::Config, format!("`{}` is not TOML: {message}", path.display()))
            })?;
        }
        if old.is_empty() {
            text = format!("# Limits as `relay refresh-limits` read them. Yours to edit.\n\n{}", text.trim_start());
        }
        desk.check(&provider.id, &text)?;
        apply::write(&path, &text).map_err(io)?;
        let changes = table::counted(count, "change");
        output.notice(&format!("{changes} written to {}", path.display()));
    }
    Ok(())
}

fn proof(finding: &Finding) -> Option<Proof> {
    let got = finding.got.as_ref()?;
    let at = got.fetched_at.to_zoned(TimeZone::UTC).date();
    let (url, sha256) = (got.url.clone(), got.sha256.clone());
    Some(Proof { url, at, sha256, extractor: finding.origin.extractor() })
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

/// The document, and the exit code: 1 where `--check` found a difference, 69 where no page at all could be had, or with `--check` read.
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
    if args.check && findings.iter().flat_map(Finding::changes).any(Change::is_difference) {
        return Err(Trouble::silent(Exit::Negative));
    }
    let (pages, answers): (Vec<&Finding>, Vec<&Finding>) =
        findings.iter().partition(|finding| finding.origin == Origin::Page);
    let asked = if pages.is_empty() { answers } else { pages };
    // Who checks wants to know that nothing was compared.
    let is_lost = |finding: &&&Finding| finding.got.is_none() || (args.check && finding.changes.is_err());
    if !asked.is_empty() && asked.iter().filter(is_lost).count() == asked.len() {
        return Err(Trouble::silent(Exit::Unavailable));
    }
    Ok(())
}

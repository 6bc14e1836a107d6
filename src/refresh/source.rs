//! Where a provider's page comes from: saved files, the cache, or its site, the markdown twin first.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::catalog::Page;
use crate::upstream::{Fetcher, Known, Network, PageAnswer};

/// A page is small, and its site answers within this time or not at all.
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// A page is asked for at most once in this time.
const GAP_S: i64 = 60;

/// A page as it was got.
#[derive(Debug, Clone)]
pub struct Got {
    pub url: String,
    pub bytes: Vec<u8>,
    pub fetched_at: Timestamp,
    pub sha256: String,
    /// The site said, or the hash shows, that it is what it was.
    pub is_unchanged: bool,
}

/// What the cache knows of a page, beside its bytes.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Memo {
    url: String,
    etag: Option<String>,
    last_modified: Option<String>,
    fetched_at: Timestamp,
    sha256: String,
}

pub fn sha256(bytes: &[u8]) -> String {
    let digest = ring::digest::digest(&ring::digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").expect("strings grow");
        text
    })
}

fn saved_file(folder: &Path, provider: &str) -> Option<PathBuf> {
    let mut paths =
        ["md", "mdx", "txt", "html", "htm"].iter().map(|ending| folder.join(format!("{provider}.{ending}")));
    paths.find(|path| path.is_file())
}

pub fn has_saved(folder: &Path, provider: &str) -> bool {
    saved_file(folder, provider).is_some()
}

/// A saved page of a provider: `DIR/ID.md`, `.mdx`, `.txt`, `.html` or `.htm`.
pub fn saved(folder: &Path, provider: &str, page: &Page, now: Timestamp) -> Result<Got, String> {
    let path = saved_file(folder, provider)
        .ok_or_else(|| format!("no `{provider}.md` or `{provider}.html` in `{}`", folder.display()))?;
    let bytes = std::fs::read(&path).map_err(|error| format!("`{}` cannot be read: {error}", path.display()))?;
    let is_markdown = path.extension().is_some_and(|ending| ending != "html" && ending != "htm");
    let url = page.markdown.as_ref().filter(|_| is_markdown).unwrap_or(&page.url).clone();
    let sha256 = sha256(&bytes);
    Ok(Got { url, bytes, fetched_at: now, sha256, is_unchanged: false })
}

/// The providers' sites, and what was got from them before.
#[derive(Debug)]
pub struct Site {
    pub(super) fetcher: Fetcher,
    cache: Option<PathBuf>,
}

impl Site {
    pub fn new(network: &Network, cache: Option<PathBuf>) -> Self {
        Self { fetcher: Fetcher::new(network), cache }
    }

    /// Gets a page, or the reason why it could not be had.
    pub async fn fetch(&self, url: &str, now: Timestamp) -> Result<Got, String> {
        fetch(&self.fetcher, url, self.cache.as_deref(), now).await
    }
}

async fn fetch(fetcher: &Fetcher, url: &str, cache: Option<&Path>, now: Timestamp) -> Result<Got, String> {
    if !is_safe(url) {
        return Err("its address is neither https nor of this machine".to_owned());
    }
    let kept = cache.and_then(|folder| kept(folder, url));
    if let Some((memo, bytes)) = &kept
        && (0..GAP_S).contains(&(now.as_second() - memo.fetched_at.as_second()))
    {
        return Ok(got(memo.clone(), bytes.clone(), true));
    }
    let known =
        kept.as_ref().map(|(memo, _)| Known { etag: memo.etag.clone(), last_modified: memo.last_modified.clone() });
    let answer = fetcher.page(url, known.unwrap_or_default(), ANSWER_TIME).await.map_err(|error| error.to_string())?;
    let PageAnswer { status, content_type, etag, last_modified, body } = answer;
    match (status, kept) {
        (304, Some((memo, bytes))) => {
            let memo = Memo { fetched_at: now, ..memo };
            keep(cache, &memo, &bytes);
            Ok(got(memo, bytes, true))
        }
        (200, kept) => {
            if !is_text(content_type.as_deref()) {
                return Err(format!("its content is `{}`", content_type.unwrap_or_default()));
            }
            let memo = Memo { url: url.to_owned(), etag, last_modified, fetched_at: now, sha256: sha256(&body) };
            let is_unchanged = kept.is_some_and(|(old, _)| old.sha256 == memo.sha256);
            keep(cache, &memo, &body);
            Ok(got(memo, body, is_unchanged))
        }
        (status, _) => Err(format!("status {status}")),
    }
}

fn got(memo: Memo, bytes: Vec<u8>, is_unchanged: bool) -> Got {
    Got { url: memo.url, bytes, fetched_at: memo.fetched_at, sha256: memo.sha256, is_unchanged }
}

/// Evidence comes over a connection that nobody between can change, or from this machine.
fn is_safe(url: &str) -> bool {
    let local = ["http://127.0.0.1", "http://localhost", "http://[::1]"];
    let is_local = local
        .iter()
        .any(|host| url.strip_prefix(host).is_some_and(|rest| rest.starts_with([':', '/']) || rest.is_empty()));
    url.starts_with("https://") || is_local
}

/// Markdown is served under many names, all of them text; a PDF or an archive is no page.
fn is_text(content_type: Option<&str>) -> bool {
    content_type.is_none_or(|kind| kind.starts_with("text/") || kind.starts_with("application/xhtml"))
}

fn places(folder: &Path, url: &str) -> (PathBuf, PathBuf) {
    let name = &sha256(url.as_bytes())[..24];
    (folder.join(format!("{name}.json")), folder.join(format!("{name}.page")))
}

/// What is kept of a page; nothing where the two files do not belong together.
fn kept(folder: &Path, url: &str) -> Option<(Memo, Vec<u8>)> {
    let (memo, page) = places(folder, url);
    let memo: Memo = serde_json::from_slice(&std::fs::read(memo).ok()?).ok()?;
    let bytes = std::fs::read(page).ok()?;
    (memo.url == url && memo.sha256 == sha256(&bytes)).then_some((memo, bytes))
}

/// Keeps a page for the next time. A cache that cannot be written costs that one its speed, and nothing else.
fn keep(cache: Option<&Path>, memo: &Memo, bytes: &[u8]) {
    let Some(folder) = cache else { return };
    let (memo_path, page) = places(folder, &memo.url);
    let written = std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(page, bytes))
        .and_then(|()| std::fs::write(memo_path, serde_json::to_vec(memo).expect("texts serialize")));
    if let Err(error) = written {
        tracing::debug!(%error, "a page is not kept");
    }
}

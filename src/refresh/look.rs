//! Looks a provider up in all its sources at once, and settles what they say differently.

use std::time::Duration;

use jiff::Timestamp;

use crate::catalog::{Page, Provider};
use crate::dialect::listing;
use crate::routing::Account;
use crate::upstream::Key;

use super::account::{self, Has};
use super::compare::{Change, Field, Op, Seen, compare};
use super::finding::{Finding, Origin};
use super::listed;
use super::read::read;
use super::source::{Got, Site, sha256};

/// Lists of models have taken eleven seconds (NVIDIA, 2026).
const ANSWER_TIME: Duration = Duration::from_secs(20);

/// A provider, and what it may be asked with.
#[derive(Debug, Clone, Copy)]
pub struct Subject<'a> {
    /// What is compared.
    pub provider: &'a Provider,
    /// Where its API is, for whom there is a key.
    pub account: Option<&'a Account>,
    pub keys: &'a [Key],
    /// The numbers are for this user alone, so that those of the user's account count.
    pub is_own: bool,
    pub seen: &'a [Seen],
}

impl Subject<'_> {
    /// Whether there is anything to ask.
    pub fn has_sources(&self) -> bool {
        self.provider.page.is_some() || self.lists_models()
    }

    fn lists_models(&self) -> bool {
        self.has_key() && !self.provider.wire.models.is_empty()
    }

    fn has_key(&self) -> bool {
        self.account.is_some_and(|account| !account.keys.is_empty())
    }
}

/// What every source of a provider says.
pub async fn look(site: &Site, subject: Subject<'_>, now: Timestamp) -> Vec<Finding> {
    let (page, models, account) =
        tokio::join!(page(site, subject, now), models(site, subject, now), account(site, subject, now));
    let (account, has) = account.map_or((None, Vec::new()), |(finding, has)| (Some(finding), has));
    settle(page.into_iter().chain(models).chain(account).collect(), &has)
}

/// The page, its markdown twin first. One that says nothing is not the last word while there is another.
async fn page(site: &Site, subject: Subject<'_>, now: Timestamp) -> Option<Finding> {
    let page = subject.provider.page.as_ref()?;
    let (mut reasons, mut first) = (Vec::new(), None);
    for url in page.markdown.iter().chain([&page.url]) {
        match site.fetch(url, now).await {
            Ok(got) => match of_page(subject, page, Ok(got)) {
                finding if finding.changes.is_ok() => return Some(finding),
                Finding { got, changes, .. } => {
                    reasons.extend(changes.err());
                    first = first.or(got);
                }
            },
            Err(reason) => reasons.push(reason),
        }
    }
    reasons.dedup();
    let url = first.as_ref().map_or_else(|| page.url.clone(), |got| got.url.clone());
    let changes = Err(reasons.join("; "));
    Some(Finding { provider: subject.provider.id.clone(), origin: Origin::Page, url, got: first, changes })
}

/// What a page says, or why it was not got.
pub fn of_page(subject: Subject<'_>, page: &Page, got: Result<Got, String>) -> Finding {
    let (changes, got) = match got {
        Ok(got) => (compare(subject.provider, &read(&got.bytes), subject.seen), Some(got)),
        Err(reason) => (Err(reason), None),
    };
    let url = got.as_ref().map_or_else(|| page.url.clone(), |got| got.url.clone());
    Finding { provider: subject.provider.id.clone(), origin: Origin::Page, url, got, changes }
}

async fn models(site: &Site, subject: Subject<'_>, now: Timestamp) -> Option<Finding> {
    let path = Some(&subject.provider.wire.models).filter(|_| subject.lists_models())?;
    let answer = ask(site, subject, path, now).await?;
    Some(of_api(subject, Origin::Models, path, answer, |body| {
        let list = listing::read(body).ok_or("it is no list of models")?;
        listed::compare(subject.provider, &list)
    }))
}

async fn account(site: &Site, subject: Subject<'_>, now: Timestamp) -> Option<(Finding, Vec<Has>)> {
    let page = subject.provider.account.as_ref().filter(|_| subject.is_own)?;
    let answer = ask(site, subject, &page.path, now).await?;
    let mut has = Vec::new();
    let finding = of_api(subject, Origin::Account, &page.path, answer, |body| {
        let said = account::compare(subject.provider, page, body)?;
        has = said.has;
        Ok(said.changes)
    });
    Some((finding, has))
}

/// Asks a provider's API with its keys in turn, until one is taken. The address is the account's, never a page's or a file's
/// that a key does not belong to.
async fn ask(site: &Site, subject: Subject<'_>, path: &str, now: Timestamp) -> Option<Result<Got, String>> {
    let account = subject.account?;
    let mut answer = None;
    for key in account.keys.iter().map(|id| &subject.keys[id.place]) {
        let fetched = site.fetcher.below(&account.provider, path, Some(key), ANSWER_TIME).await;
        let got = fetched.map_err(|error| error.to_string()).and_then(|fetched| match fetched.status {
            200 => Ok(fetched.body),
            status => Err(format!("status {status}")),
        });
        let is_last = got.is_ok();
        answer = Some(got.map(|bytes| {
            let sha256 = sha256(&bytes);
            Got { url: address(subject.provider, path), bytes, fetched_at: now, sha256, is_unchanged: false }
        }));
        if is_last {
            break;
        }
    }
    answer
}

/// As the catalogue writes it: without the number of an account.
fn address(provider: &Provider, path: &str) -> String {
    format!("{}{path}", provider.base_url)
}

fn of_api(
    subject: Subject<'_>,
    origin: Origin,
    path: &str,
    answer: Result<Got, String>,
    compare: impl FnOnce(&[u8]) -> Result<Vec<Change>, String>,
) -> Finding {
    let (changes, got) = match answer {
        Ok(got) => (compare(&got.bytes), Some(got)),
        Err(reason) => (Err(reason), None),
    };
    Finding { provider: subject.provider.id.clone(), origin, url: address(subject.provider, path), got, changes }
}

/// The provider's word on the account stands above its page. A model that the page has is not new in the list once more. A
/// context of which page and list say different things waits.
fn settle(mut findings: Vec<Finding>, has: &[Has]) -> Vec<Finding> {
    let changes = |findings: &[Finding], origin: Origin| -> Vec<Change> {
        let of = findings.iter().filter(|finding| finding.origin == origin);
        of.flat_map(Finding::changes).cloned().collect()
    };
    let (paged, listed) = (changes(&findings, Origin::Page), changes(&findings, Origin::Models));
    let account = changes(&findings, Origin::Account);
    for finding in &mut findings {
        let Ok(changes) = &mut finding.changes else { continue };
        match finding.origin {
            Origin::Page => {
                changes.retain(|change| !account.iter().any(|own| is_one(own, change)));
                for change in changes {
                    below_account(change, has);
                    against(change, &listed, "the models list says");
                }
            }
            Origin::Models => {
                let is_said = |change: &Change, paged: &Change| is_one(change, paged) && change.new == paged.new;
                let is_new =
                    |change: &Change| change.op == Op::New && paged.iter().any(|paged| paged.model == change.model);
                changes.retain(|change| !paged.iter().any(|paged| is_said(change, paged)) && !is_new(change));
                for change in changes {
                    against(change, &paged, "the page says");
                }
            }
            Origin::Account => {}
        }
    }
    findings
}

fn is_one(a: &Change, b: &Change) -> bool {
    (&a.model, a.field) == (&b.model, b.field)
}

fn below_account(change: &mut Change, has: &[Has]) {
    let own = has.iter().find(|has| change.model == "*" && has.field == change.field && Some(has.amount) != change.new);
    if let (Some(own), Op::Change) = (own, change.op) {
        change.op = Op::Conflict;
        change.held = Some(format!("your account has {}", own.amount));
    }
}

fn against(change: &mut Change, others: &[Change], who: &str) {
    let other = others.iter().find(|other| change.op == Op::Change && other.op == Op::Change && is_one(change, other));
    if let Some(new) = other.filter(|_| change.field == Field::Context).and_then(|other| other.new)
        && Some(new) != change.new
    {
        change.held = Some(format!("{who} {new}"));
    }
}

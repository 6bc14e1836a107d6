//! What the providers say before the first request: which keys they take, which models they offer, who runs at all.

use std::sync::Arc;
use std::time::Duration;

use http::HeaderMap;
use jiff::{SignedDuration, Timestamp};

use crate::catalog::{Provider, Status};
use crate::chat::Fault;
use crate::dialect::listing::{self, Listed};
use crate::routing::{Account, KeyId};

use super::fetch::{FetchError, Fetched, Fetcher};
use super::key::Key;
use super::local::{self, Survey, all, no_list};
use super::network::Network;

/// A start takes five seconds at most; some lists take eleven (NVIDIA, 2026), and their providers are used unverified.
const ANSWER_TIME: Duration = Duration::from_secs(4);

/// The accounts worth using, and everything found out that a person should know.
#[derive(Debug)]
pub struct Verified {
    pub accounts: Vec<Account>,
    pub findings: Vec<Finding>,
    /// How far this machine's clock is ahead of what the middle one of those that answered says.
    pub clock_ahead: Option<SignedDuration>,
}

/// Something found out about one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub provider: String,
    pub what: What,
}

impl Finding {
    /// Nothing is wrong for all that is known: the provider is used.
    pub const fn is_doubt(&self) -> bool {
        matches!(self.what, What::Unverified(_))
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    /// These keys, with their origins, and whether the provider has no other.
    KeysRejected { keys: Vec<KeyId>, origins: Vec<String>, is_all: bool },
    /// These models are on its list no more, and whether it has no other.
    ModelsGone { models: Vec<String>, is_all: bool },
    /// A local server does not answer at this address.
    NotRunning { base_url: String },
    /// It could not be asked, for this reason. It is used all the same.
    Unverified(String),
}

impl What {
    /// What it means, in a few words.
    pub fn text(&self) -> String {
        match self {
            Self::KeysRejected { origins, .. } => format!("key rejected ({})", origins.join(", ")),
            Self::ModelsGone { models, .. } => format!("not offered any more: {}", models.join(", ")),
            Self::NotRunning { base_url } => format!("not running at {base_url}"),
            Self::Unverified(reason) => reason.clone(),
        }
    }
}

/// Asks every provider at once: local servers whether they run and what they have, all others for their model list with
/// each of their keys. A key goes to its own provider's host, and redirects are not followed.
pub async fn verify(accounts: Vec<Account>, keys: &[Key], network: &Network, now: Timestamp) -> Verified {
    let fetcher = Fetcher::new(network);
    let checks = accounts.into_iter().map(|account| {
        let keys = account.keys.iter().map(|id| (*id, keys[id.place].clone())).collect();
        check(fetcher.clone(), account, keys, now)
    });
    let (mut accounts, mut findings, mut dates) = (Vec::new(), Vec::new(), Vec::new());
    for Checked { provider, account, found, date } in all(checks).await {
        accounts.extend(account);
        findings.extend(found.into_iter().map(|what| Finding { provider: provider.clone(), what }));
        dates.extend(date);
    }
    Verified { accounts, findings, clock_ahead: clock_ahead(dates, now) }
}

fn clock_ahead(mut dates: Vec<Timestamp>, now: Timestamp) -> Option<SignedDuration> {
    dates.sort_unstable();
    Some(now.duration_since(*dates.get(dates.len() / 2)?))
}

/// What came of asking one provider.
struct Checked {
    provider: String,
    account: Option<Account>,
    found: Vec<What>,
    /// The time it is there.
    date: Option<Timestamp>,
}

async fn check(fetcher: Fetcher, account: Account, keys: Vec<(KeyId, Key)>, now: Timestamp) -> Checked {
    let id = account.provider.id.clone();
    if account.provider.status == Status::Local {
        // It goes by the same clock, or by that of a machine which knows no better.
        let (account, found) = check_local(fetcher, account).await;
        return Checked { provider: id, account, found, date: None };
    }
    let asked = if keys.is_empty() { vec![None] } else { keys.iter().map(|(_, key)| Some(key.clone())).collect() };
    let provider = Arc::clone(&account.provider);
    let words = all(asked.into_iter().map(|key| ask(fetcher.clone(), Arc::clone(&provider), key, now))).await;
    let (words, dates): (Vec<Word>, Vec<Option<Timestamp>>) = words.into_iter().unzip();
    let (account, found) = judge(account, &keys, words);
    Checked { provider: id, account, found, date: dates.into_iter().flatten().next() }
}

async fn check_local(fetcher: Fetcher, account: Account) -> (Option<Account>, Vec<What>) {
    let base_url = account.provider.base_url.clone();
    match local::survey(fetcher, Arc::clone(&account.provider)).await {
        Survey::Silent => (None, vec![What::NotRunning { base_url }]),
        Survey::Runs => (Some(account), Vec::new()),
        Survey::Strange(reason) => (Some(account), vec![What::Unverified(reason)]),
        Survey::Has(provider) => (Some(Account { provider, ..account }), Vec::new()),
    }
}

/// What a provider said about one key.
#[derive(Debug)]
enum Word {
    /// Its model list, where it has one.
    Takes(Option<Vec<Listed>>),
    Rejects,
    Unclear(String),
}

/// Also gives the time it is for the provider.
async fn ask(fetcher: Fetcher, provider: Arc<Provider>, key: Option<Key>, now: Timestamp) -> (Word, Option<Timestamp>) {
    let wire = &provider.wire;
    let (list, test) = tokio::join!(
        get(&fetcher, &provider, key.as_ref(), Some(wire.models.as_str())),
        get(&fetcher, &provider, key.as_ref(), wire.key_check.as_deref()),
    );
    let date = list.iter().chain(&test).flatten().find_map(|answer| answer.date);
    let is_denial = |answer: &Fetched| is_denial(&provider, answer, now);
    if key.is_some() && matches!(&test, Some(Ok(answer)) if is_denial(answer)) {
        return (Word::Rejects, date);
    }
    let word = match list {
        None => Word::Takes(None),
        Some(Err(error)) => Word::Unclear(format!("{error} when asked for its models")),
        Some(Ok(answer)) if answer.status == 200 => match listing::read(&answer.body) {
            Some(models) if !models.is_empty() => Word::Takes(Some(models)),
            Some(_) => Word::Unclear("its model list is empty".to_owned()),
            None => Word::Unclear("its model list cannot be read".to_owned()),
        },
        Some(Ok(answer)) if key.is_some() && wire.key_check.is_none() && is_denial(&answer) => Word::Rejects,
        Some(Ok(answer)) => Word::Unclear(no_list(&provider, answer.status)),
    };
    (word, date)
}

/// Gets a path below the provider's base URL; `None` where there is no path.
async fn get(
    fetcher: &Fetcher,
    provider: &Provider,
    key: Option<&Key>,
    path: Option<&str>,
) -> Option<Result<Fetched, FetchError>> {
    let path = path.filter(|path| !path.is_empty())?;
    Some(fetcher.below(provider, path, key, ANSWER_TIME).await)
}

fn is_denial(provider: &Provider, answer: &Fetched, now: Timestamp) -> bool {
    answer.status >= 400
        && provider.dialect.classify(answer.status, &HeaderMap::new(), &answer.body, now) == Fault::Denied
}

/// What is left of an account after its keys were asked about.
fn judge(account: Account, keys: &[(KeyId, Key)], words: Vec<Word>) -> (Option<Account>, Vec<What>) {
    let mut found = Vec::new();
    let is_rejected = |index: usize| matches!(words.get(index), Some(Word::Rejects));
    let (rejected, kept): (Vec<_>, Vec<_>) = keys.iter().enumerate().partition(|(index, _)| is_rejected(*index));
    if !rejected.is_empty() {
        let (keys, origins) = rejected.iter().map(|(_, (id, key))| (*id, key.origin.clone())).unzip();
        found.push(What::KeysRejected { keys, origins, is_all: kept.is_empty() });
        if kept.is_empty() {
            return (None, found);
        }
    }
    let account = Account { keys: kept.iter().map(|(_, (id, _))| *id).collect(), ..account };
    let lists: Vec<&Listed> = words
        .iter()
        .filter_map(|word| if let Word::Takes(Some(list)) = word { Some(list) } else { None })
        .flatten()
        .collect();
    let unclear =
        words.iter().find_map(|word| if let Word::Unclear(reason) = word { Some(reason.clone()) } else { None });
    if lists.is_empty() {
        found.extend(unclear.map(What::Unverified));
        return (Some(account), found);
    }
    if !account.provider.wire.lists_all {
        return (Some(account), found);
    }
    let (provider, gone) = account.provider.without_unlisted(|id| lists.iter().any(|listed| listed.is(id)));
    let is_all = !provider.has_chats();
    if !gone.is_empty() {
        found.push(What::ModelsGone { models: gone, is_all });
    }
    ((!is_all).then(|| Account { provider: Arc::new(provider), ..account }), found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_wrong_clock_among_the_providers_does_not_accuse_this_machine() {
        let at = |seconds| Timestamp::from_second(seconds).expect("a moment");
        assert_eq!(clock_ahead(vec![at(1_000), at(990), at(5)], at(1_060)), Some(SignedDuration::from_secs(70)));
        assert_eq!(clock_ahead(Vec::new(), at(7)), None);
    }
}

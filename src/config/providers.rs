//! Finds out which providers are set up: their keys, their addresses, and what keeps the others from being used.

use std::path::Path;
use std::sync::Arc;

use secrecy::SecretString;

use crate::catalog::reader::{Problem, Problems, close};
use crate::catalog::{Catalog, Provider, Status, check_base_url, stays_here};
use crate::routing::{Account, KeyId};
use crate::upstream::Key;

use super::environment::Environment;
use super::file::{ConfigFile, ProviderSettings};
use super::keys::{IN_DOTENV, KeySources};
use super::load::{Flags, Simulated};
use super::settings::{LeftOut, Why};

/// Providers and keys found so far.
#[derive(Default)]
pub struct Setup {
    pub accounts: Vec<Account>,
    pub keys: Vec<Key>,
    pub left_out: Vec<LeftOut>,
    /// Why `.env` was not read, where there is one.
    unread: Option<String>,
}

impl Setup {
    pub fn simulated(catalog: &Catalog, simulated: &[Simulated]) -> Self {
        let mut setup = Self::default();
        for provider in &catalog.providers {
            let own = simulated.iter().filter(|one| one.catalogue.id == provider.id);
            let keys = own
                .map(|one| Key { secret: SecretString::from(one.key.as_str()), origin: "simulated".to_owned() })
                .collect();
            setup.add(provider.clone(), keys, &ProviderSettings::default());
        }
        setup
    }

    fn add(&mut self, provider: Provider, keys: Vec<Key>, settings: &ProviderSettings) {
        let first = self.keys.len();
        self.keys.extend(keys);
        let id = |place| KeyId { place, hash: self.keys[place].hash() };
        let keys = (first..self.keys.len()).map(id).collect();
        self.accounts.push(Account {
            provider: Arc::new(provider),
            keys,
            separate: settings.separate,
            priority: settings.priority.unwrap_or(0),
            max_concurrency: settings.max_concurrency,
        });
    }

    fn leave_out(&mut self, provider: &str, why: Why) {
        self.left_out.push(LeftOut { provider: provider.to_owned(), why, keys: Vec::new() });
    }

    /// Keys out of a file in the working directory are used, but not in silence; nor is the file left aside in silence.
    pub fn dotenv_notice(&self) -> Option<String> {
        if self.unread.is_some() {
            return self.unread.clone();
        }
        let is_from_dotenv = |account: &&Account| {
            account.keys.first().is_some_and(|key| self.keys[key.place].origin.ends_with(IN_DOTENV))
        };
        let ids: Vec<&str> =
            self.accounts.iter().filter(is_from_dotenv).map(|account| account.provider.id.as_str()).collect();
        (!ids.is_empty()).then(|| format!("using keys from .env for {}", ids.join(", ")))
    }
}

/// Where to look for what a provider needs.
pub struct Finding<'a> {
    pub flags: &'a Flags,
    pub environment: &'a Environment,
    pub file: &'a ConfigFile,
    pub problems: &'a Problems,
    /// Services that take no key are wanted.
    pub keyless: bool,
    /// Nothing may leave this machine.
    pub offline: bool,
}

impl Finding<'_> {
    pub fn set_up_all(&self, catalog: &Catalog, keys_file: Option<&Path>) -> Setup {
        let sources = KeySources::read(self.environment, keys_file, catalog, self.problems);
        let tables = self.file.providers.iter().map(|(id, _)| id.as_str());
        self.refuse_strangers(catalog, &self.file.place, "providers.", tables);
        let keys = keys_file.map_or_else(|| "keys.toml".to_owned(), |path| path.display().to_string());
        self.refuse_strangers(catalog, &keys, "", sources.filed());
        let mut setup = Setup { unread: sources.unread.clone(), ..Setup::default() };
        for provider in &catalog.providers {
            self.set_up(provider, &sources, &mut setup);
        }
        for id in &catalog.disabled {
            setup.leave_out(id, Why::SwitchedOff);
        }
        for id in &catalog.mistaken {
            setup.leave_out(id, Why::Mistaken);
        }
        setup
    }

    fn complain(&self, provider: &str, source: &str, message: String, hint: Option<String>) {
        let provider = Some(provider.to_owned());
        self.problems.add(Problem { file: source.to_owned(), line: None, message, hint, provider });
    }

    /// A name that no catalogue file has is a mistake of spelling.
    fn refuse_strangers<'n>(&self, catalog: &Catalog, source: &str, path: &str, ids: impl Iterator<Item = &'n str>) {
        for id in ids.filter(|id| !catalog.knows(id)) {
            let hint = close(id, catalog.providers.iter().map(|provider| provider.id.as_str()));
            self.complain(id, source, format!("`{path}{id}`: there is no such provider"), hint);
        }
    }

    fn set_up(&self, provider: &Provider, sources: &KeySources, setup: &mut Setup) {
        let own = self.file.providers.iter().find(|(id, _)| *id == provider.id);
        let settings = own.map(|(_, settings)| settings.clone()).unwrap_or_default();
        let base_url = self.base_url(provider, &settings);
        let is_away = self.offline && !stays_here(&base_url);
        let why = match () {
            () if self.problems.is_about(&provider.id) => Some(Why::Mistaken),
            () if settings.enabled == Some(false) => Some(Why::SwitchedOff),
            () => None,
        };
        if let Some(why) = why {
            return setup.leave_out(&provider.id, why);
        }
        let Some(keys) = self.keys(provider, &settings, sources, is_away) else {
            return setup.leave_out(&provider.id, Why::Mistaken);
        };
        let needs_key = !matches!(provider.status, Status::Local | Status::Keyless);
        let why = match () {
            () if provider.status == Status::Keyless && !self.keyless && keys.is_empty() => Some(Why::Keyless),
            () if needs_key && keys.is_empty() => Some(Why::NoKey(first(&provider.key_env))),
            () if is_away => Some(Why::Offline),
            () => None,
        };
        if let Some(why) = why {
            return setup.leave_out(&provider.id, why);
        }
        match with_account(&base_url, sources.account_of(provider)) {
            Some(base_url) => setup.add(Provider { base_url, ..provider.clone() }, keys, &settings),
            None => {
                let why = Why::NoAccount(first(&provider.account_env));
                setup.left_out.push(LeftOut { provider: provider.id.clone(), why, keys });
            }
        }
    }

    /// The provider's keys, of the first source that has any: whoever sets a variable means it to replace what is kept in a file.
    /// `None` where the command that gives one fails.
    fn keys(
        &self,
        provider: &Provider,
        settings: &ProviderSettings,
        sources: &KeySources,
        is_away: bool,
    ) -> Option<Vec<Key>> {
        if provider.status == Status::Local {
            return Some(Vec::new());
        }
        let own = sources.in_environment(provider);
        if !own.is_empty() {
            return Some(own);
        }
        let Some(command) = &settings.key_cmd else { return Some(sources.in_files(provider)) };
        // It may ask a person for a password. Where nobody is sent the key, that there is one is enough.
        let is_sent = !is_away && self.flags.asks(provider);
        let told = if is_sent { self.flags.key_commands.key(command) } else { Ok(String::new()) };
        let complain = |reason: String| {
            self.complain(&provider.id, &self.file.place, format!("the `key_cmd` of `{}` {reason}", provider.id), None);
        };
        let key = told.map_err(complain).ok()?;
        Some(vec![Key { secret: SecretString::from(key), origin: "key_cmd".to_owned() }])
    }

    /// Where the provider is reached: the environment's word, the file's, the catalogue's.
    fn base_url(&self, provider: &Provider, settings: &ProviderSettings) -> String {
        let variable = format!("{}_BASE_URL", provider.id.to_uppercase().replace('-', "_"));
        let (source, url) = match (self.environment.get(&variable), &settings.base_url) {
            (Some(url), _) => (variable.as_str(), url),
            (None, Some(url)) => (self.file.place.as_str(), url.as_str()),
            (None, None) => return provider.base_url.clone(),
        };
        let url = url.trim_end_matches('/');
        if let Err(message) = check_base_url(url, provider.status == Status::Local) {
            self.complain(&provider.id, source, format!("the base URL of `{}` {message}", provider.id), None);
        }
        url.to_owned()
    }
}

/// The base URL with the account id in its place; `None` when it needs one and there is none that could stand in a URL.
fn with_account(base_url: &str, account: Option<&str>) -> Option<String> {
    const PLACE: &str = "{account_id}";
    if !base_url.contains(PLACE) {
        return Some(base_url.to_owned());
    }
    let account = account.filter(|account| account.bytes().all(|byte| byte.is_ascii_alphanumeric()))?;
    Some(base_url.replace(PLACE, account))
}

fn first(names: &[String]) -> String {
    names.first().cloned().unwrap_or_default()
}

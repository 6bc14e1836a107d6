//! The providers' keys: from the environment, from `keys.toml`, from a `.env` beside the caller, in that order.

use std::collections::BTreeMap;
use std::path::Path;

use secrecy::{ExposeSecret as _, SecretString};

use crate::catalog::reader::{File, Problem, Problems, plain_text};
use crate::catalog::{Catalog, Provider};
use crate::upstream::Key;

use super::environment::Environment;
use super::text_file;

/// Numbered variables are looked up to here: `GROQ_API_KEY`, `GROQ_API_KEY_2`, … `GROQ_API_KEY_9`.
const MOST_KEYS: usize = 9;

/// The origin of a key that relay keeps.
pub const IN_FILE: &str = "keys.toml";

/// In the working directory.
const DOTENV: &str = ".env";

/// How an origin names it.
pub const IN_DOTENV: &str = "in .env";

/// Where keys may stand.
#[derive(Debug, Default)]
pub struct KeySources {
    environment: Environment,
    /// Of `keys.toml`: provider id to key.
    file: BTreeMap<String, String>,
    /// Of `.env`: variable to value.
    dotenv: BTreeMap<String, String>,
    /// Why `.env` was not read, where there is one.
    pub unread: Option<String>,
}

impl KeySources {
    pub fn read(environment: &Environment, keys_file: Option<&Path>, catalog: &Catalog, problems: &Problems) -> Self {
        let file = keys_file.map(|path| read_keys_file(path, problems)).unwrap_or_default();
        let mut sources = Self { environment: environment.clone(), file, ..Self::default() };
        // A pipe of that name would be waited for.
        if !environment.is_on("RELAY_NO_DOTENV") && Path::new(DOTENV).is_file() {
            match text_file::bytes(Path::new(DOTENV)) {
                Ok(bytes) => sources.dotenv = read_dotenv(&bytes, environment, catalog, problems),
                Err(error) => sources.unread = Some(format!("no key is read from {DOTENV}: {error}")),
            }
        }
        sources
    }

    /// The provider's keys in the environment.
    pub fn in_environment(&self, provider: &Provider) -> Vec<Key> {
        let names = names(provider);
        keys(names.iter().filter_map(|name| Some((name.clone(), self.environment.get(name)?))))
    }

    /// The provider's key in `keys.toml`, else its keys in `.env`.
    pub fn in_files(&self, provider: &Provider) -> Vec<Key> {
        if let Some(key) = self.file.get(&provider.id) {
            return keys(std::iter::once((IN_FILE.to_owned(), key.as_str())));
        }
        let names = names(provider);
        keys(names.iter().filter_map(|name| Some((format!("{name} {IN_DOTENV}"), self.dotenv.get(name)?.as_str()))))
    }

    /// Providers that `keys.toml` names.
    pub fn filed(&self) -> impl Iterator<Item = &str> {
        self.file.keys().map(String::as_str)
    }

    /// The account id that a base URL wants, such as Cloudflare's.
    pub fn account_of(&self, provider: &Provider) -> Option<&str> {
        let of = |name: &String| self.environment.get(name).or_else(|| self.dotenv.get(name).map(String::as_str));
        provider.account_env.iter().find_map(of)
    }
}

/// Keys with what they are called, each once.
fn keys<'k>(found: impl Iterator<Item = (String, &'k str)>) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for (origin, key) in found.map(|(origin, key)| (origin, key.trim())) {
        if !key.is_empty() && keys.iter().all(|known| known.secret.expose_secret() != key) {
            keys.push(Key { secret: SecretString::from(key), origin });
        }
    }
    keys
}

/// The variables that may hold a provider's keys.
fn names(provider: &Provider) -> Vec<String> {
    let numbered = |name: &String| {
        let more = (2..=MOST_KEYS).map(|number| format!("{name}_{number}"));
        std::iter::once(name.clone()).chain(more).collect::<Vec<_>>()
    };
    provider.key_env.iter().flat_map(numbered).collect()
}

fn read_keys_file(path: &Path, problems: &Problems) -> BTreeMap<String, String> {
    let name = path.display().to_string();
    let complain = |message: String, hint: Option<String>| {
        problems.add(Problem { file: name.clone(), line: None, message, hint, provider: None });
    };
    let text = match text_file::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return BTreeMap::new(),
        Err(error) => {
            complain(format!("cannot be read: {error}"), None);
            return BTreeMap::new();
        }
    };
    let is_open = others_may_read(path);
    if is_open {
        complain("may be read by others on this machine".to_owned(), Some(format!("chmod 600 {name}")));
    }
    let file = File { name: &name, text: &text, provider: None, problems };
    let keys = file.read(|top| top.all_pairs("texts, one key per provider", plain_text)).unwrap_or_default();
    // Read for its mistakes: what is refused is used for nothing.
    if is_open { BTreeMap::new() } else { keys.into_iter().collect() }
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    std::fs::metadata(path).is_ok_and(|metadata| metadata.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}

/// The file is the project's whose folder it is, and gives keys only: what else cannot be read in it is none of relay's business.
fn read_dotenv(
    bytes: &[u8],
    environment: &Environment,
    catalog: &Catalog,
    problems: &Problems,
) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(bytes);
    let text = text.trim_start_matches('\u{feff}');
    if let Ok(variables) = dotenvy::from_read_iter(text.as_bytes()).collect() {
        return variables;
    }
    let mut variables = BTreeMap::new();
    for (number, line) in (1..).zip(text.lines()) {
        match dotenvy::from_read_iter(line.as_bytes()).next() {
            Some(Ok((name, value))) => {
                variables.insert(name, value);
            }
            // The error quotes the line, which may hold a key.
            Some(Err(_)) => {
                let set = key_variable(line, catalog).filter(|(name, _)| environment.get(name).is_none());
                let Some((name, provider)) = set else { continue };
                let message = format!("what stands behind `{name}=` cannot be read");
                let hint = Some("put it in single quotes".to_owned());
                let file = DOTENV.to_owned();
                problems.add(Problem { file, line: Some(number), message, hint, provider: Some(provider) });
            }
            None => {}
        }
    }
    variables
}

/// The variable that a line sets, with its provider, if it is for a key or an account.
fn key_variable(line: &str, catalog: &Catalog) -> Option<(String, String)> {
    let line = line.trim_start();
    let name = line.strip_prefix("export ").unwrap_or(line).split('=').next()?.trim();
    let has = |provider: &&Provider| {
        names(provider).iter().any(|known| known == name) || provider.account_env.iter().any(|known| known == name)
    };
    catalog.providers.iter().find(has).map(|provider| (name.to_owned(), provider.id.clone()))
}

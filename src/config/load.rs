//! Puts the settings together: flag, then environment, then file, then default. Reports every mistake it finds.

use std::io::ErrorKind;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use http::HeaderValue;
use secrecy::SecretString;

use crate::catalog::reader::{File, Problem, Problems};
use crate::catalog::{Catalog, Overlay, Provider};
use crate::upstream::Network;

use super::environment::{Environment, Paths};
use super::file::{ConfigFile, StateUrl};
use super::key_command::KeyCommands;
use super::network;
use super::providers::{Finding, Setup};
use super::settings::{Routing, Server, Settings, State, Timeouts};
use super::text_file;

/// What the command line says, as far as settings go.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    pub config: Option<PathBuf>,
    pub no_config: bool,
    pub host: Option<String>,
    pub port: Option<u16>,
    pub api_key_file: Option<PathBuf>,
    pub drain: Option<std::time::Duration>,
    pub cors: Vec<String>,
    pub keyless: bool,
    pub strict_free: bool,
    pub offline: bool,
    /// How long a first event may take, whatever files say.
    pub first_event: Option<std::time::Duration>,
    /// No request may take longer, whatever files say.
    pub deadline: Option<std::time::Duration>,
    /// Providers, or models of theirs, that the command is about; all where there are none.
    pub providers: Vec<String>,
    /// The command sends nothing to any provider.
    pub asks_nobody: bool,
    pub state: StateUse,
    /// Who runs the commands that give keys.
    pub key_commands: KeyCommands,
}

/// What a command does with the state file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StateUse {
    /// It keeps what was used: the file is begun, and has to be written.
    #[default]
    Keeps,
    /// It goes on looking at what others keep: the file is begun, so that there is something to look at.
    Watches,
    /// It looks once: a file that is not there is not begun.
    Looks,
    /// It has no use for it.
    Ignores,
}

impl Flags {
    /// Whether the command may send something to this provider.
    pub fn asks(&self, provider: &Provider) -> bool {
        let is_meant = || self.providers.is_empty() || self.providers.iter().any(|name| provider.is_meant(name));
        !self.asks_nobody && is_meant()
    }
}

/// A provider to be used in place of all configured ones, with its key.
#[derive(Debug, Clone)]
pub struct Simulated {
    pub catalogue: Overlay,
    pub key: String,
}

/// Settings, and what a person should know about how they came to be.
#[derive(Debug)]
pub struct Loaded {
    /// Complete; where something could not be read, its default.
    pub settings: Settings,
    /// What `config.toml` says.
    pub file: ConfigFile,
    pub notices: Vec<String>,
    pub problems: Vec<Problem>,
}

/// Reads all sources. `simulated` providers replace the catalogue, and no real key is then looked up.
///
/// A problem that names a provider has cost that provider; any other means that relay would not do what it was told.
pub fn load(flags: &Flags, environment: &Environment, simulated: Option<&[Simulated]>) -> Loaded {
    let problems = Problems::default();
    let paths = Paths::of(environment);
    let file = read_config_file(flags, environment, paths.as_ref(), &problems);
    let loading = Loading { flags, environment, file: &file, problems: &problems };
    loading.refuse_unreadable();
    let (server, routing, timeouts) = (loading.server(), loading.routing(), loading.timeouts());
    let (context, voice, sessions) =
        (file.conversation.context(), file.conversation.voice(), file.conversation.sessions());
    let state = loading.state(paths.as_ref(), simulated.is_some());
    let catalog = loading.catalog(paths.as_ref(), simulated);
    let mut notices = catalog.warnings.clone();
    let setup = match simulated {
        Some(simulated) => Setup::simulated(&catalog, simulated),
        None => {
            let offline = flags.offline || environment.is_on("RELAY_OFFLINE");
            Finding { flags, environment, file: &file, problems: &problems, keyless: routing.keyless, offline }
                .set_up_all(&catalog, paths.as_ref().map(|paths| paths.keys.as_path()))
        }
    };
    notices.extend(setup.dotenv_notice());
    let Setup { accounts, keys, left_out, .. } = setup;
    // Simulated providers are on this machine.
    let network = if simulated.is_some() { Network::default() } else { network::read(environment, &problems) };
    let settings = Settings {
        server,
        routing,
        timeouts,
        context,
        voice,
        sessions,
        state,
        network,
        catalog,
        accounts,
        keys,
        left_out,
    };
    Loaded { settings, file, notices, problems: problems.into_list() }
}

/// The catalogue with the user's changes, mistakes left out. Looks for no key and runs no command that would give one.
pub fn catalog(environment: &Environment) -> Catalog {
    let problems = Problems::default();
    let overlays = Paths::of(environment).map(|paths| read_overlays(&paths.limits, &problems)).unwrap_or_default();
    Catalog::load(&overlays, &problems)
}

/// The sources at hand while settings are put together.
struct Loading<'a> {
    flags: &'a Flags,
    environment: &'a Environment,
    file: &'a ConfigFile,
    problems: &'a Problems,
}

impl Loading<'_> {
    fn complain(&self, source: &str, message: String, hint: Option<String>) {
        self.problems.add(Problem { file: source.to_owned(), line: None, message, hint, provider: None });
    }

    fn refuse_unreadable(&self) {
        for name in self.environment.unreadable() {
            let hint = Some("set it to another value, or unset it".to_owned());
            self.complain(name, "is not UTF-8".to_owned(), hint);
        }
    }

    fn catalog(&self, paths: Option<&Paths>, simulated: Option<&[Simulated]>) -> Catalog {
        let Some(simulated) = simulated else {
            let overlays = paths.map(|paths| read_overlays(&paths.limits, self.problems)).unwrap_or_default();
            return Catalog::load(&overlays, self.problems);
        };
        let files: Vec<Overlay> = simulated.iter().map(|provider| provider.catalogue.clone()).collect();
        Catalog::only(&files).unwrap_or_else(|mistakes| {
            for mistake in mistakes {
                self.problems.add(mistake);
            }
            Catalog::default()
        })
    }

    fn server(&self) -> Server {
        let usual = Server::default();
        let (source, host) = match (&self.flags.host, self.environment.get("RELAY_HOST"), &self.file.host) {
            (Some(host), _, _) => ("--host", Some(host.as_str())),
            (None, Some(host), _) => ("RELAY_HOST", Some(host)),
            (None, None, host) => (self.file.place.as_str(), host.as_deref()),
        };
        let host = host.map_or(Some(usual.host), parse_host);
        if host.is_none() {
            self.complain(source, "the host must be an IP address or `localhost`".to_owned(), None);
        }
        Server {
            host: host.unwrap_or(usual.host),
            port: self.port().unwrap_or(usual.port),
            api_key: self.api_key(),
            drain: self.flags.drain.or(self.file.drain).unwrap_or(usual.drain),
            max_body: self.file.max_body.unwrap_or(usual.max_body),
            max_requests: self.file.max_requests.unwrap_or(usual.max_requests),
            max_waiting: self.file.max_waiting.unwrap_or(usual.max_waiting),
            cors: self.cors(),
        }
    }

    fn cors(&self) -> Vec<HeaderValue> {
        let (source, origins) = match (&self.flags.cors[..], &self.file.cors) {
            ([], origins) => (self.file.place.as_str(), origins.as_deref().unwrap_or_default()),
            (origins, _) => ("--cors", origins),
        };
        let mut allowed = Vec::new();
        for origin in origins {
            match origin_of(origin) {
                Some(origin) => allowed.push(origin),
                None => {
                    let message = format!("`{origin}` is no origin; `cors` takes \"https://app.example\" or \"*\"");
                    self.complain(source, message, None);
                }
            }
        }
        allowed
    }

    fn port(&self) -> Option<u16> {
        if self.flags.port.is_some() {
            return self.flags.port;
        }
        let Some(text) = self.environment.get("RELAY_PORT") else { return self.file.port };
        let port = text.parse().ok();
        if port.is_none() {
            self.complain("RELAY_PORT", "the port must be a number from 0 to 65535".to_owned(), None);
        }
        port
    }

    fn api_key(&self) -> Option<SecretString> {
        let (source, found) = match &self.flags.api_key_file {
            Some(path) => ("--api-key-file", text_file::read(path).map_err(|error| format!("cannot be read: {error}"))),
            None => ("RELAY_API_KEY", Ok(self.environment.get("RELAY_API_KEY")?.to_owned())),
        };
        let key = found.and_then(|text| match text.trim() {
            "" => Err("is empty".to_owned()),
            // Nobody could send it.
            key if HeaderValue::from_str(key).is_err() => Err("holds no key, which is one line of text".to_owned()),
            key => Ok(SecretString::from(key)),
        });
        let named = self.flags.api_key_file.as_ref().map(|path| format!("`{}` ", path.display())).unwrap_or_default();
        key.map_err(|wrong| self.complain(source, format!("{named}{wrong}"), None)).ok()
    }

    fn routing(&self) -> Routing {
        let (file, usual) = (self.file, Routing::default());
        Routing {
            strategy: file.strategy.unwrap_or(usual.strategy),
            model_strategy: file.model_strategy.unwrap_or(usual.model_strategy),
            max_wait: file.max_wait.unwrap_or(usual.max_wait),
            max_attempts: file
                .max_attempts
                .map_or(usual.max_attempts, |most| usize::try_from(most).unwrap_or(usize::MAX)),
            strict_free: self.flags.strict_free || file.strict_free.unwrap_or(usual.strict_free),
            keyless: self.flags.keyless || file.keyless.unwrap_or(usual.keyless),
            no_training: file.no_training.unwrap_or(usual.no_training),
            hedge: file.hedge.unwrap_or(usual.hedge),
        }
    }

    /// Simulated providers leave nothing behind.
    fn state(&self, paths: Option<&Paths>, simulated: bool) -> State {
        let usage = self.flags.state;
        let file = match &self.file.state {
            _ if simulated || usage == StateUse::Ignores => None,
            Some(StateUrl::Memory) => None,
            Some(StateUrl::File(path)) => Some(path.clone()),
            Some(StateUrl::Usual) | None => {
                // Who only looks finds none there, and needs none.
                if paths.is_none() && usage != StateUse::Looks {
                    let hint = Some("set HOME or RELAY_HOME, or `url = \"memory\"` under [state]".to_owned());
                    self.complain("the environment", "there is no home to keep the state in".to_owned(), hint);
                }
                paths.map(|paths| paths.state.clone())
            }
        };
        let file = file.filter(|path| usage != StateUse::Looks || path.exists());
        State { file, is_only_read: usage != StateUse::Keeps, on_loss: self.file.on_loss.unwrap_or_default() }
    }

    fn timeouts(&self) -> Timeouts {
        let (file, usual) = (self.file, Timeouts::default());
        let own = self.flags.first_event.or(file.first_event);
        Timeouts {
            connect: file.connect.unwrap_or(usual.connect),
            first_event: own.unwrap_or(usual.first_event),
            first_event_is_users: own.is_some(),
            idle: file.idle.unwrap_or(usual.idle),
            deadline: file
                .deadline
                .unwrap_or(usual.deadline)
                .min(self.flags.deadline.unwrap_or(std::time::Duration::MAX)),
        }
    }
}

/// An origin as browsers send it: scheme, host and port, nothing behind.
fn origin_of(text: &str) -> Option<HeaderValue> {
    let is_origin = |text: &str| {
        text.split_once("://")
            .is_some_and(|(scheme, host)| !scheme.is_empty() && !host.is_empty() && !host.contains('/'))
    };
    let plain = text.trim_end_matches('/').to_ascii_lowercase();
    (plain == "*" || is_origin(&plain)).then(|| HeaderValue::from_str(&plain).ok()).flatten()
}

fn parse_host(text: &str) -> Option<IpAddr> {
    if text == "localhost" { Some(IpAddr::from([127, 0, 0, 1])) } else { text.trim_matches(['[', ']']).parse().ok() }
}

fn read_config_file(
    flags: &Flags,
    environment: &Environment,
    paths: Option<&Paths>,
    problems: &Problems,
) -> ConfigFile {
    if flags.no_config {
        return ConfigFile::default();
    }
    let named = flags.config.clone().or_else(|| environment.get("RELAY_CONFIG").map(PathBuf::from));
    let is_named = named.is_some();
    let Some(path) = named.or_else(|| paths.map(|paths| paths.config.clone())) else { return ConfigFile::default() };
    let name = path.display().to_string();
    match text_file::read(&path) {
        Ok(text) => {
            let file = File { name: &name, text: &text, provider: None, problems }.read(ConfigFile::read);
            ConfigFile { place: name, text, ..file.unwrap_or_default() }
        }
        // Only a file that somebody named has to be there.
        Err(error) if error.kind() == ErrorKind::NotFound && !is_named => ConfigFile::default(),
        Err(error) => {
            let message = format!("cannot be read: {error}");
            problems.add(Problem { file: name, line: None, message, hint: None, provider: None });
            ConfigFile::default()
        }
    }
}

fn read_overlays(folder: &Path, problems: &Problems) -> Vec<Overlay> {
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Vec::new(),
        Err(error) => {
            let (file, message) = (folder.display().to_string(), format!("cannot be read: {error}"));
            problems.add(Problem { file, line: None, message, hint: None, provider: None });
            return Vec::new();
        }
    };
    let mut paths: Vec<PathBuf> = entries
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "toml"))
        .collect();
    paths.sort();
    let mut overlays = Vec::new();
    for path in paths {
        let place = path.display().to_string();
        let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let complain = |message: String, hint: Option<String>| {
            let (file, provider) = (place.clone(), Some(id.clone()));
            problems.add(Problem { file, line: None, message, hint, provider });
        };
        let small = id.to_ascii_lowercase();
        if id != small {
            complain(
                "the name of a provider is in small letters".to_owned(),
                Some(format!("rename it to {small}.toml")),
            );
            continue;
        }
        match text_file::read(&path) {
            Ok(text) => overlays.push(Overlay { id, place, text }),
            Err(error) => complain(format!("cannot be read: {error}"), None),
        }
    }
    overlays
}

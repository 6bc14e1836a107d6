//! The process's environment, read once, and the places of relay's files that follow from it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;

/// Variables as they were when the process started. Nothing else reads the environment.
#[derive(Debug, Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    /// Those that say something about relay, and are not UTF-8.
    unreadable: Vec<String>,
}

impl Environment {
    #[expect(clippy::disallowed_methods, reason = "the one read of the environment")]
    pub fn of_process() -> Self {
        let mut environment = Self::default();
        for (name, value) in std::env::vars_os() {
            let Ok(name) = name.into_string() else { continue };
            match value.into_string() {
                Ok(value) => drop(environment.variables.insert(name, value)),
                Err(_) if is_own(&name) => environment.unreadable.push(name),
                Err(_) => {}
            }
        }
        environment
    }

    /// Names of variables whose words cannot be followed.
    pub fn unreadable(&self) -> impl Iterator<Item = &str> {
        self.unreadable.iter().map(String::as_str)
    }

    /// The variable's value without blanks around it, as the line feeds of another system leave one; an empty one counts as unset.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(|value| value.trim()).filter(|value| !value.is_empty())
    }

    /// The same environment with one more variable, or with another value of it.
    #[must_use]
    pub fn with(&self, name: &str, value: &str) -> Self {
        let mut environment = self.clone();
        environment.variables.insert(name.to_owned(), value.to_owned());
        environment
    }

    /// A switch: set to anything but `0`, `false`, `no` or `off`.
    pub fn is_on(&self, name: &str) -> bool {
        self.get(name).is_some_and(|value| !matches!(value, "0" | "false" | "no" | "off"))
    }
}

impl<const N: usize> From<[(&str, &str); N]> for Environment {
    fn from(variables: [(&str, &str); N]) -> Self {
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        Self { variables, unreadable: Vec::new() }
    }
}

/// Whether a variable is relay's, or says where its files are.
fn is_own(name: &str) -> bool {
    name.starts_with("RELAY_") || ["XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"].contains(&name)
}

/// How wide a text may be that goes to no terminal, where somebody says so. Asked for where text is laid out, far from any setting.
pub fn columns() -> Option<u16> {
    Environment::of_process().get("COLUMNS")?.parse().ok().filter(|columns| *columns > 0)
}

/// What was typed behind the program's name.
pub fn arguments() -> impl Iterator<Item = OsString> {
    std::env::args_os().skip(1)
}

/// The operating system and the processor this was built for.
pub fn platform() -> String {
    format!("{} {}", std::env::consts::OS, std::env::consts::ARCH)
}

/// Where relay's files are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    pub config: PathBuf,
    pub keys: PathBuf,
    pub limits: PathBuf,
    /// What outlives the process: quota counts, rests, the ledger.
    pub state: PathBuf,
    /// What can be fetched again.
    pub cache: PathBuf,
}

impl Paths {
    /// All in `$RELAY_HOME` when that is set, else below the XDG folders. `None` without any home.
    pub fn of(environment: &Environment) -> Option<Self> {
        let (folder, state, cache) = match environment.get("RELAY_HOME").map(PathBuf::from) {
            Some(home) => (home.clone(), home.clone(), home.join("cache")),
            None => (
                below(environment, "XDG_CONFIG_HOME", "APPDATA", ".config")?,
                below(environment, "XDG_STATE_HOME", "LOCALAPPDATA", ".local/state")?,
                below(environment, "XDG_CACHE_HOME", "LOCALAPPDATA", ".cache")?,
            ),
        };
        Some(Self {
            config: folder.join("config.toml"),
            keys: folder.join("keys.toml"),
            limits: folder.join("limits"),
            state: state.join("relay.db"),
            cache,
        })
    }
}

/// relay's folder below the one of an XDG variable, its counterpart on Windows, or a folder of the home.
fn below(environment: &Environment, xdg: &str, windows: &str, home: &str) -> Option<PathBuf> {
    let own = environment.get(xdg).map(PathBuf::from).filter(|path| path.is_absolute());
    let windows = environment.get(windows).filter(|_| cfg!(windows)).map(PathBuf::from);
    let home = environment.get("HOME").map(|folder| PathBuf::from(folder).join(home));
    own.or(windows).or(home).map(|folder| folder.join("relay"))
}

//! The `relay` program as a shell would run it: arguments, a clean environment, a home of its own, some kind of stdin.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::future::IntoFuture;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::{Command as System, Stdio};
use std::sync::Arc;

use tempfile::TempDir;

use super::process::{Finished, Process};
use super::providers::Providers;

/// A run to be; awaiting it runs it to its end.
#[must_use]
pub struct Command {
    home: Arc<TempDir>,
    arguments: Vec<String>,
    environment: BTreeMap<String, String>,
    stdin: Stdin,
    read_stdout: bool,
    /// What a shell does before it becomes the program.
    before: Option<String>,
}

enum Stdin {
    Null,
    /// A pipe that brings these bytes and ends.
    Piped(Vec<u8>),
    /// A pipe that stays open and silent.
    Silent,
    File(PathBuf),
}

/// `relay` with these arguments.
pub fn relay<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let home = tempfile::tempdir().expect("a folder");
    let folder = home.path().to_str().expect("a plain path").to_owned();
    let path = std::env::var("PATH").unwrap_or_default();
    let variables = [("HOME", folder.clone()), ("RELAY_HOME", folder), ("PATH", path)];
    Command {
        home: Arc::new(home),
        arguments: arguments.into_iter().map(str::to_owned).collect(),
        environment: variables.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
        stdin: Stdin::Null,
        read_stdout: true,
        before: None,
    }
}

impl Command {
    /// Runs over these fakes in the place of all shipped providers, preferring them in their order.
    pub fn over(self, providers: &Providers) -> Self {
        let mut run = self.without_shipped().config("[routing]\nstrategy = \"priority\"\n");
        let mut config = fs::read_to_string(run.path("config.toml")).expect("written just now");
        for (rank, id) in (1..).zip(providers.ids()) {
            writeln!(config, "[providers.{id}]\npriority = -{rank}").expect("a String takes all text");
        }
        run = run.config(&config);
        for one in providers.described() {
            run = run.file(&format!("limits/{}.toml", one.id), &one.catalogue);
            let name = format!("{}_API_KEY", one.id.to_uppercase().replace('-', "_"));
            run = run.variable(&name, &one.key);
        }
        run
    }

    /// Another run with the same home and environment.
    pub fn beside<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            home: Arc::clone(&self.home),
            arguments: arguments.into_iter().map(str::to_owned).collect(),
            environment: self.environment.clone(),
            stdin: Stdin::Null,
            read_stdout: true,
            before: None,
        }
    }

    /// Switches off every provider that relay ships.
    pub fn without_shipped(mut self) -> Self {
        let shipped = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("limits")).expect("the shipped files");
        for file in shipped {
            let path = file.expect("a file").path();
            if path.extension().is_none_or(|ending| ending != "toml") {
                continue;
            }
            let name = path.file_name().and_then(|name| name.to_str()).expect("a plain name");
            self = self.file(&format!("limits/{name}"), "enabled = false\n");
        }
        self
    }

    /// The text of `config.toml`.
    pub fn config(self, text: &str) -> Self {
        self.file("config.toml", text)
    }

    /// Adds to `config.toml`.
    pub fn more_config(self, text: &str) -> Self {
        let config = fs::read_to_string(self.path("config.toml")).unwrap_or_default();
        self.config(&format!("{config}{text}"))
    }

    /// A file below the home, which is also the working directory.
    pub fn file(self, name: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("below the home")).expect("the home is writable");
        fs::write(path, text).expect("the home is writable");
        self
    }

    /// The text of a file below the home.
    pub fn text(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).expect("the file is there")
    }

    pub fn more_arguments<'a>(mut self, arguments: impl IntoIterator<Item = &'a str>) -> Self {
        self.arguments.extend(arguments.into_iter().map(str::to_owned));
        self
    }

    /// Its environment, for whoever starts it otherwise.
    pub fn variables(&self) -> impl Iterator<Item = (&String, &String)> {
        self.environment.iter()
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    pub fn variable(mut self, name: &str, value: &str) -> Self {
        self.environment.insert(name.to_owned(), value.to_owned());
        self
    }

    pub fn piped(mut self, bytes: impl Into<Vec<u8>>) -> Self {
        self.stdin = Stdin::Piped(bytes.into());
        self
    }

    pub fn silent_pipe(mut self) -> Self {
        self.stdin = Stdin::Silent;
        self
    }

    /// Stdin comes from this file below the home.
    pub fn reading(mut self, name: &str) -> Self {
        self.stdin = Stdin::File(self.path(name));
        self
    }

    /// Nobody reads stdout: its pipe is closed at once.
    pub fn without_reader(mut self) -> Self {
        self.read_stdout = false;
        self
    }

    /// A shell does this first, a limit set for instance, and then becomes the program.
    pub fn under(mut self, before: &str) -> Self {
        self.before = Some(before.to_owned());
        self
    }

    fn system(&self) -> System {
        let program = env!("CARGO_BIN_EXE_relay");
        let Some(before) = &self.before else { return System::new(program) };
        let mut shell = System::new("/bin/sh");
        shell.args(["-c", &format!("{before}; exec \"$0\" \"$@\""), program]);
        shell
    }

    /// Starts it, to be watched while it runs.
    pub fn start(self) -> Process {
        let mut system = self.system();
        system.args(&self.arguments).env_clear().envs(&self.environment).current_dir(self.home.path());
        system.stdout(Stdio::piped()).stderr(Stdio::piped());
        let bytes = match &self.stdin {
            Stdin::Null => {
                system.stdin(Stdio::null());
                None
            }
            Stdin::Piped(bytes) => {
                system.stdin(Stdio::piped());
                Some(bytes.clone())
            }
            Stdin::Silent => {
                system.stdin(Stdio::piped());
                None
            }
            Stdin::File(path) => {
                system.stdin(fs::File::open(path).expect("the file is there"));
                None
            }
        };
        let child = system.spawn().expect("the program starts");
        Process::watch(child, bytes, self.read_stdout, self.home)
    }

    /// Runs it to its end.
    pub fn run(self) -> Finished {
        self.start().finish()
    }
}

impl IntoFuture for Command {
    type Output = Finished;
    type IntoFuture = Pin<Box<dyn Future<Output = Finished> + Send>>;

    /// Runs where it does not block the fake providers.
    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { self.start().ended().await })
    }
}

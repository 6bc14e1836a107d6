//! What `relay refresh-limits` works on: the catalogue, the folder it writes to, the providers it was asked about.

use std::path::PathBuf;
use std::time::Duration;

use crate::catalog::reader::close;
use crate::catalog::{Catalog, Overlay, Problems, Provider};
use crate::chat::Scope;
use crate::cli::args::{Global, RefreshLimits};
use crate::cli::exit::{Exit, Trouble};
use crate::cli::output::Output;
use crate::cli::setup;
use crate::clock::earlier;
use crate::config::{Environment, Flags, Loaded, Paths, Settings};
use crate::refresh::compare::Seen;
use crate::refresh::look::Subject;

pub struct Desk {
    pub catalog: Catalog,
    /// Where files are written.
    pub folder: PathBuf,
    pub cache: Option<PathBuf>,
    /// The folder is a catalogue of its own, not the user's changes to the shipped one.
    pub is_whole: bool,
    /// Limits that headers of real responses named, by provider.
    pub seen: Vec<(String, Vec<Seen>)>,
    /// The user's own: keys go where these say, whatever the folder's files say.
    pub settings: Settings,
}

impl Desk {
    pub async fn open(
        args: &RefreshLimits,
        global: &Global,
        environment: &Environment,
        output: Output,
    ) -> Result<Self, Trouble> {
        let paths = Paths::of(environment);
        let asks_nobody = args.undo || args.from.is_some();
        let flags = Flags { providers: args.providers.clone(), asks_nobody, ..Flags::default() };
        let cache = paths.as_ref().map(|paths| paths.cache.join("pages"));
        if let Some(folder) = &args.dir {
            let catalog = catalogue_of(folder)?;
            let Loaded { settings, problems, .. } = setup::load(&flags.with(global), environment, None).await?;
            for problem in &problems {
                output.notice(&problem.to_string());
            }
            return Ok(Self { catalog, folder: folder.clone(), cache, is_whole: true, seen: Vec::new(), settings });
        }
        let no_home =
            || Trouble::new(Exit::Config, "there is no home folder to write to".to_owned()).hint("set RELAY_HOME");
        let folder = paths.ok_or_else(no_home)?.limits;
        let core = setup::look(global, flags, environment, output).await?;
        for problem in &core.problems {
            output.notice(&problem.to_string());
        }
        let (catalog, settings) = (core.settings.catalog.clone(), core.settings.clone());
        Ok(Self { catalog, folder, cache, is_whole: false, seen: seen(&core), settings })
    }

    /// A provider with what it may be asked with.
    pub fn subject<'a>(&'a self, provider: &'a Provider) -> Subject<'a> {
        let own = self.settings.catalog.provider(&provider.id).is_some_and(|own| own.base_url == provider.base_url);
        let account = self.settings.accounts.iter().find(|account| own && account.provider.id == provider.id);
        let seen = self.seen.iter().find(|(of, _)| *of == provider.id).map_or(&[][..], |(_, seen)| seen);
        Subject { provider, account, keys: &self.settings.keys, is_own: !self.is_whole, seen }
    }

    /// The providers that were asked for, else all that have a page.
    pub fn providers(&self, names: &[String]) -> Result<Vec<&Provider>, Trouble> {
        if names.is_empty() {
            return Ok(self.catalog.providers.iter().filter(|one| self.subject(one).has_sources()).collect());
        }
        names.iter().map(|name| self.provider(name)).collect()
    }

    fn provider(&self, name: &str) -> Result<&Provider, Trouble> {
        let found = self.catalog.providers.iter().find(|provider| provider.id.eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let trouble = Trouble::new(Exit::Usage, format!("there is no provider `{name}`"));
            match close(name, self.catalog.providers.iter().map(|provider| provider.id.as_str())) {
                Some(hint) => trouble.hint(hint),
                None => trouble,
            }
        })
    }

    pub fn file(&self, provider: &str) -> PathBuf {
        self.folder.join(format!("{provider}.toml"))
    }

    /// Refuses a text that would not be read as it is meant.
    pub fn check(&self, provider: &str, text: &str) -> Result<(), Trouble> {
        let place = self.file(provider).display().to_string();
        let overlay = [Overlay { id: provider.to_owned(), place, text: text.to_owned() }];
        let problems = if self.is_whole {
            Catalog::only(&overlay).err().unwrap_or_default()
        } else {
            let problems = Problems::default();
            Catalog::load(&overlay, &problems);
            problems.into_list()
        };
        if problems.is_empty() { Ok(()) } else { Err(Trouble::of_problems(&problems)) }
    }
}

/// Headers of this long ago may be those of another plan, or of a limit that has changed since.
const YOUNG: Duration = Duration::from_hours(7 * 24);

fn seen(core: &setup::Core) -> Vec<(String, Vec<Seen>)> {
    let since = earlier(core.relay.clock.now(), YOUNG);
    let mut seen: Vec<(String, Vec<Seen>)> = Vec::new();
    for quota in core.relay.windows() {
        let (provider, model) = (quota.provider, quota.model);
        let told = quota.windows.into_iter().filter_map(|window| {
            let (limit, _) = window.named.filter(|(_, at)| *at >= since)?;
            let model = if window.scope == Scope::Model { model.clone() } else { "*".to_owned() };
            Some(Seen { model, kind: window.kind, period: window.period, limit })
        });
        match seen.iter_mut().find(|(of, _)| *of == provider) {
            Some((_, known)) => known.extend(told),
            None => seen.push((provider, told.collect())),
        }
    }
    seen
}

fn catalogue_of(folder: &std::path::Path) -> Result<Catalog, Trouble> {
    let trouble = |error: std::io::Error| {
        let exit = if error.kind() == std::io::ErrorKind::NotFound { Exit::NoInput } else { Exit::Io };
        Trouble::new(exit, format!("`{}` cannot be read: {error}", folder.display()))
    };
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(trouble)?.flatten() {
        let path = entry.path();
        if path.extension().is_some_and(|ending| ending == "toml") {
            let id = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).map_err(trouble)?;
            files.push(Overlay { id, place: path.display().to_string(), text });
        }
    }
    Catalog::only(&files).map_err(|problems| Trouble::of_problems(&problems))
}

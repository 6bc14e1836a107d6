//! Completion scripts and the man page, all from the one definition of what can be typed.

use std::path::Path;

use clap::{CommandFactory as _, ValueEnum as _};
use clap_complete::engine::CompletionCandidate;
use clap_complete::{Shell, generate};

use crate::config::{self, Environment, Flags};

use super::args::Args;
use super::exit::{Exit, Trouble};
use super::output::Output;

/// `relay completions SHELL`.
pub fn print(shell: Shell) -> Result<(), Trouble> {
    Output::raw(&script(shell))
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut Args::command(), "relay", &mut script);
    script
}

/// Writes everything that is generated into a folder: the scripts under the names that shells look for, and `relay.1`.
pub fn generate_all(folder: &Path) -> Result<(), Trouble> {
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.join(name);
        std::fs::write(&path, bytes)
            .map_err(|error| Trouble::new(Exit::Io, format!("`{}` cannot be written: {error}", path.display())))
    };
    for shell in Shell::value_variants() {
        write(file_name(*shell), &script(*shell))?;
    }
    write("relay.1", &man_page()?)
}

const fn file_name(shell: Shell) -> &'static str {
    match shell {
        Shell::Zsh => "_relay",
        Shell::Fish => "relay.fish",
        Shell::PowerShell => "_relay.ps1",
        Shell::Elvish => "relay.elv",
        _ => "relay.bash",
    }
}

/// One page: the program, then a section for each command.
fn man_page() -> Result<Vec<u8>, Trouble> {
    // The commit is not part of what is kept in a repository.
    let command = Args::command().version(env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    let rendered = clap_mangen::Man::new(command.clone()).render(&mut page).and_then(|()| {
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let name = format!("relay {}", sub.get_name());
            let man = clap_mangen::Man::new(sub.clone().display_name(name.clone()).bin_name(name.clone()));
            page.extend_from_slice(format!(".SH {}\n", name.to_uppercase()).as_bytes());
            man.render_synopsis_section(&mut page)?;
            man.render_description_section(&mut page)?;
            man.render_options_section(&mut page)?;
        }
        Ok(())
    });
    rendered.map_err(|error| Trouble::new(Exit::Internal, format!("the man page cannot be written: {error}")))?;
    Ok(page)
}

/// Providers and `provider/model` names, for a shell that asks as one types.
pub fn names() -> Vec<CompletionCandidate> {
    let loaded = config::load(&Flags::default(), &Environment::of_process(), None);
    let providers = loaded.settings.catalog.providers;
    let models = providers.iter().flat_map(|provider| {
        let of = move |model: &crate::catalog::Model| format!("{}/{}", provider.id, model.id);
        provider.models.iter().filter(|model| model.chats()).map(of)
    });
    let ids = providers.iter().map(|provider| provider.id.clone());
    ids.chain(models).map(CompletionCandidate::new).collect()
}

/// Providers that take a key.
pub fn providers() -> Vec<CompletionCandidate> {
    let loaded = config::load(&Flags::default(), &Environment::of_process(), None);
    let providers = super::offer::by_usefulness(loaded.settings.catalog.providers.iter());
    providers.into_iter().map(|provider| CompletionCandidate::new(provider.id.clone())).collect()
}

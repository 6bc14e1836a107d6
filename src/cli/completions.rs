//! Completion scripts and the man page, all from the one definition of what can be typed.

mod bash;

use std::io;
use std::path::Path;

use clap::{Command, CommandFactory as _, ValueEnum as _};
use clap_complete::engine::CompletionCandidate;
use clap_complete::env::{CompleteEnv, Elvish, Fish, Powershell, Shells, Zsh};
use clap_complete::{Shell, generate};
use clap_mangen::Man;

use crate::catalog::Provider;
use crate::chat::request::META_MODEL;
use crate::config::{self, Environment};
use crate::sim::Scenario;

use super::args::{Args, version};
use super::exit::{Exit, Trouble};
use super::help;
use super::output::Output;

/// Where a shell asks what can be typed this answers and ends.
pub fn answer() {
    let shells = Shells(&[&bash::Bash, &Elvish, &Fish, &Powershell, &Zsh]);
    CompleteEnv::with_factory(offered).shells(shells).complete();
}

/// `relay completions SHELL`.
pub fn print(shell: Shell) -> Result<(), Trouble> {
    Output::raw(&script(shell))
}

fn script(shell: Shell) -> Vec<u8> {
    let mut script = Vec::new();
    generate(shell, &mut offered(), "relay", &mut script);
    if shell == Shell::Bash { behind_equals_signs(&script) } else { script }
}

/// bash makes three words of `--format=json`: what stands before the sign is the flag.
fn behind_equals_signs(script: &[u8]) -> Vec<u8> {
    const PREVIOUS: &str = "    prev=\"$3\"\n";
    let script = String::from_utf8_lossy(script);
    assert!(script.contains(PREVIOUS), "the generated script has changed");
    let flag = "    if [[ \"${prev}\" == \"=\" ]]; then\n        prev=\"${COMP_WORDS[COMP_CWORD-2]}\"\n    fi\n";
    script.replacen(PREVIOUS, &format!("{PREVIOUS}{flag}"), 1).into_bytes()
}

/// All that can be typed but what is hidden: shells would offer that as well.
pub fn offered() -> Command {
    let all = Args::command();
    let shown = all.get_subcommands().filter(|command| !command.is_hide_set());
    let command = Command::new("relay").version(version()).disable_help_subcommand(true);
    command.args(all.get_arguments().cloned()).subcommands(shown.cloned())
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

/// One page: the program, a section for each command, and what `relay help` explains.
fn man_page() -> Result<Vec<u8>, Trouble> {
    // The commit is not part of what is kept in a repository.
    let command = Args::command().version(env!("CARGO_PKG_VERSION"));
    let mut page = Vec::new();
    let whole = Man::new(command.clone());
    let rendered = whole.render_title(&mut page).and_then(|()| {
        whole.render_name_section(&mut page)?;
        about(&whole, &mut page)?;
        for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
            let name = format!("relay {}", sub.get_name());
            page.extend_from_slice(format!(".SH {}\n", name.to_uppercase()).as_bytes());
            about(&Man::new(sub.clone().display_name(name.clone()).bin_name(name)), &mut page)?;
        }
        Ok(())
    });
    rendered.map_err(|error| Trouble::new(Exit::Internal, format!("the man page cannot be written: {error}")))?;
    for (name, text) in [("EXIT STATUS", help::EXIT_CODES), ("ENVIRONMENT", help::ENVIRONMENT), ("FILES", FILES)] {
        page.extend_from_slice(section(name, text).as_bytes());
    }
    Ok(page)
}

/// How a command is typed, what it does, and its flags.
fn about(man: &Man, page: &mut Vec<u8>) -> io::Result<()> {
    man.render_synopsis_section(page)?;
    man.render_description_section(page)?;
    man.render_options_section(page)
}

const FILES: &str = "\
~/.config/relay/config.toml    settings
~/.config/relay/keys.toml      keys that relay keeps
~/.config/relay/limits/*.toml  the user's own changes to the catalogue
~/.local/state/relay/relay.db  what was used, and what is known of limits

`relay config path` prints where they are on this machine.
";

/// A section of the man page with the lines of a text as they are.
fn section(name: &str, text: &str) -> String {
    let lines = text.lines().map(|line| match line.replace('\\', "\\e").replace('-', "\\-") {
        command if command.starts_with(['.', '\'']) => format!("\\&{command}\n"),
        line => line + "\n",
    });
    format!(".SH \"{name}\"\n.nf\n{}.fi\n", lines.collect::<String>())
}

/// What `--model` may be: any model, one provider's, or one alone.
pub fn wanted() -> Vec<CompletionCandidate> {
    let any = CompletionCandidate::new(META_MODEL).help(Some("any model; relay picks it".into()));
    std::iter::once(any).chain(names()).collect()
}

/// Providers and `provider/model` names.
pub fn names() -> Vec<CompletionCandidate> {
    let all = known();
    let models = all.iter().flat_map(|provider| {
        let chats = provider.models.iter().filter(|model| model.chats());
        chats.map(|model| {
            let about = format!("{}, {} tokens", model.scale.word(), model.context);
            CompletionCandidate::new(format!("{}/{}", provider.id, model.id)).help(Some(about.into()))
        })
    });
    all.iter().map(candidate).chain(models).collect()
}

/// Providers that take a key.
pub fn providers() -> Vec<CompletionCandidate> {
    super::offer::by_usefulness(known().iter()).into_iter().map(candidate).collect()
}

/// Providers whose limits are documented on a page.
pub fn documented() -> Vec<CompletionCandidate> {
    known().iter().filter(|provider| provider.page.is_some()).map(candidate).collect()
}

/// What `relay help` explains.
pub fn explained() -> Vec<CompletionCandidate> {
    help::names().into_iter().map(CompletionCandidate::new).collect()
}

/// What can be simulated.
pub fn scenarios() -> Vec<CompletionCandidate> {
    Scenario::NAMES.into_iter().map(CompletionCandidate::new).collect()
}

fn candidate(provider: &Provider) -> CompletionCandidate {
    CompletionCandidate::new(&provider.id).help(Some(provider.name.clone().into()))
}

/// Mistakes of a catalogue have no place between a shell's suggestions, and no `key_cmd` runs while somebody types.
fn known() -> Vec<Provider> {
    config::catalog(&Environment::of_process()).providers
}

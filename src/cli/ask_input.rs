//! What `relay ask` is asked: words, files and stdin put together into one message.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::Path;
use std::sync::mpsc;
use std::time::Duration;

use crate::config::Environment;

use super::args::Ask;
use super::exit::{Exit, Trouble};

/// The user's message: the prompt, a blank line, the files, stdin.
pub fn message(ask: &Ask, environment: &Environment) -> Result<String, Trouble> {
    let prompt = ask.prompt.join(" ");
    let has_prompt = !prompt.trim().is_empty();
    let stdin_is_file = ask.file.iter().any(|path| is_dash(path));
    let wants_stdin = stdin_is_file || !(ask.no_stdin || environment.is_on("RELAY_NO_STDIN")) && stdin_has_input();
    let stdin = if wants_stdin { Some(read_stdin(has_prompt && !stdin_is_file, ask.stdin_wait)?) } else { None };
    let mut parts: Vec<String> = Vec::new();
    if has_prompt {
        parts.push(prompt);
    }
    for path in ask.file.iter().filter(|path| !is_dash(path)) {
        parts.push(format!(
            "{}:\n{}",
            path.display(),
            text(std::fs::read(path).map_err(|error| unreadable(path, &error))?, &path.display().to_string())?
        ));
    }
    if let Some(stdin) = stdin.map(|bytes| text(bytes, "stdin")).transpose()?.filter(|stdin| !stdin.is_empty()) {
        parts.insert(if ask.stdin_first { 0 } else { parts.len() }, stdin);
    }
    let message = parts.join("\n\n");
    if message.trim().is_empty() {
        let trouble = Trouble::new(Exit::Usage, "there is nothing to ask".to_owned());
        return Err(trouble.hint("relay ask \"your question\", or pipe a prompt into relay ask"));
    }
    Ok(message)
}

/// The system message of `--system`, read from a file where it starts with `@`.
pub fn system(ask: &Ask) -> Result<Option<String>, Trouble> {
    match ask.system.as_deref() {
        Some(named) if named.starts_with('@') => {
            let path = Path::new(&named[1..]);
            let bytes = std::fs::read(path).map_err(|error| unreadable(path, &error))?;
            text(bytes, &path.display().to_string()).map(Some)
        }
        system => Ok(system.map(str::to_owned)),
    }
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn unreadable(path: &Path, error: &io::Error) -> Trouble {
    let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NoInput } else { Exit::Io };
    Trouble::new(exit, format!("`{}` cannot be read: {error}", path.display()))
}

fn text(bytes: Vec<u8>, name: &str) -> Result<String, Trouble> {
    String::from_utf8(bytes).map_err(|_| {
        Trouble::new(Exit::BadInput, format!("{name} is not text in UTF-8")).hint("only text can be asked about")
    })
}

/// Whether stdin is something that holds input: a pipe or a file. A terminal, `/dev/null` or a socket is not.
#[cfg(unix)]
pub fn stdin_has_input() -> bool {
    use std::os::fd::AsFd as _;
    use std::os::unix::fs::FileTypeExt as _;
    let metadata = io::stdin().as_fd().try_clone_to_owned().and_then(|stdin| std::fs::File::from(stdin).metadata());
    metadata.is_ok_and(|metadata| metadata.file_type().is_fifo() || metadata.is_file())
}

#[cfg(not(unix))]
pub fn stdin_has_input() -> bool {
    !io::stdin().is_terminal()
}

/// Reads stdin to its end. With a prompt at hand the first byte must come in time: the pipe may be open by accident.
fn read_stdin(has_prompt: bool, wait: Duration) -> Result<Vec<u8>, Trouble> {
    let limited = has_prompt && !wait.is_zero() && !io::stdin().is_terminal();
    if !limited {
        let mut all = Vec::new();
        return io::stdin().lock().read_to_end(&mut all).map(|_| all).map_err(|error| broken(&error));
    }
    // A thread that waits for stdin forever ends with the program.
    let (sender, pieces) = mpsc::channel();
    std::thread::spawn(move || {
        let mut stdin = io::stdin().lock();
        let mut first = vec![0; 64 * 1024];
        let read = stdin.read(&mut first).map(|length| first.truncate(length)).map(|()| first);
        let at_end = read.as_ref().is_ok_and(Vec::is_empty);
        // Nobody listens any more when the wait is over.
        drop(sender.send(read));
        if !at_end {
            let mut rest = Vec::new();
            drop(sender.send(stdin.read_to_end(&mut rest).map(|_| rest)));
        }
    });
    let mut all = match pieces.recv_timeout(wait) {
        Ok(first) => first.map_err(|error| broken(&error))?,
        Err(_) => {
            let message = format!("stdin is an open pipe but nothing arrived in {wait:?}");
            return Err(
                Trouble::new(Exit::NoInput, message).hint("use --no-stdin, </dev/null, or --stdin-wait 0 to wait")
            );
        }
    };
    if let Ok(rest) = pieces.recv() {
        all.extend(rest.map_err(|error| broken(&error))?);
    }
    Ok(all)
}

fn broken(error: &io::Error) -> Trouble {
    Trouble::new(Exit::Io, format!("stdin cannot be read: {error}"))
}

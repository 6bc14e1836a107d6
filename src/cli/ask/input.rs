//! What `relay ask` is asked: words, files, attachments and stdin put together into one message.

use std::io::{self, IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::cli::args::Ask;
use crate::cli::exit::{Exit, Trouble};
use crate::config::MOST_BODY;

use super::attach;

/// The user's message as a request has it: the prompt, a blank line, the files, stdin; then what is attached.
///
/// Reads stdin, which may take for ever.
pub fn content(ask: &Ask, no_stdin: bool) -> Result<Value, Trouble> {
    let (mut text_stdin, mut attached_stdin) = (None, None);
    let (is_file, is_attached) = (names_stdin(&ask.file) || is_stdin_the_prompt(ask), names_stdin(&ask.attach));
    match (is_file, is_attached) {
        (true, true) => return Err(Trouble::new(Exit::Usage, "stdin cannot be both a file and attached".to_owned())),
        (_, true) => attached_stdin = Some(read_stdin(None)?),
        (true, _) => text_stdin = Some(read_stdin(None)?),
        (false, false) if !no_stdin && stdin_has_input() => {
            text_stdin = Some(read_stdin(has_prompt(ask).then_some(ask.stdin_wait))?);
        }
        (false, false) => {}
    }
    let text = text(ask, text_stdin)?;
    let attachments = attachments(ask, attached_stdin.as_deref())?;
    if text.trim().is_empty() && attachments.is_empty() {
        let trouble = Trouble::new(Exit::Usage, "there is nothing to ask".to_owned());
        return Err(trouble.hint("relay ask \"your question\", or pipe a prompt into relay ask"));
    }
    if attachments.is_empty() {
        return Ok(text.into());
    }
    let words = (!text.trim().is_empty()).then(|| json!({ "type": "text", "text": text }));
    Ok(words.into_iter().chain(attachments).collect())
}

/// The system message of `--system`, read from a file where it starts with `@`.
pub fn system(ask: &Ask) -> Result<Option<String>, Trouble> {
    match ask.system.as_deref() {
        Some(named) if named.starts_with('@') => {
            let path = Path::new(&named[1..]);
            utf8(read(path)?, &path.display().to_string()).map(Some)
        }
        system => Ok(system.map(str::to_owned)),
    }
}

/// A file's bytes: a missing one is the caller's mistake, one that cannot be read the machine's.
pub fn read(path: &Path) -> Result<Vec<u8>, Trouble> {
    let name = format!("`{}`", path.display());
    let read = std::fs::File::open(path).and_then(to_end).map_err(|error| {
        let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NoInput } else { Exit::Io };
        Trouble::new(exit, format!("{name} cannot be read: {error}"))
    })?;
    refuse_more(&name, read)
}

/// Bytes up to the end, or one more than can be asked: there may be no end.
fn to_end(source: impl io::Read) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    source.take(MOST_BODY as u64 + 1).read_to_end(&mut all).map(|_| all)
}

fn refuse_more(name: &str, read: Vec<u8>) -> Result<Vec<u8>, Trouble> {
    if read.len() > MOST_BODY { Err(too_much(name)) } else { Ok(read) }
}

/// A request of more bytes than a gateway takes. Most of a text that long would be left out: it is many times what any model reads.
pub fn too_much(name: &str) -> Trouble {
    let message = format!("{name} is more than can be asked at once, which is {} MiB", MOST_BODY / 1024 / 1024);
    Trouble::new(Exit::BadInput, message).hint("ask about the part of it that matters")
}

pub fn has_prompt(ask: &Ask) -> bool {
    ask.prompt.iter().any(|word| !word.trim().is_empty()) && !is_stdin_the_prompt(ask)
}

/// `relay ask -`, as other programs take it.
fn is_stdin_the_prompt(ask: &Ask) -> bool {
    ask.prompt == ["-"]
}

fn names_stdin(paths: &[PathBuf]) -> bool {
    paths.iter().any(|path| is_dash(path))
}

fn is_dash(path: &Path) -> bool {
    path.as_os_str() == "-"
}

fn text(ask: &Ask, stdin: Option<Vec<u8>>) -> Result<String, Trouble> {
    let mut parts: Vec<String> = Vec::new();
    if has_prompt(ask) {
        parts.push(ask.prompt.join(" "));
    }
    for path in ask.file.iter().filter(|path| !is_dash(path)) {
        let name = path.display().to_string();
        parts.push(format!("{name}:\n{}", utf8(read(path)?, &name)?));
    }
    let stdin = stdin.map(|bytes| utf8(bytes, "stdin")).transpose()?.filter(|stdin| !stdin.is_empty());
    if let Some(stdin) = stdin {
        parts.insert(if ask.stdin_first { 0 } else { parts.len() }, stdin);
    }
    Ok(parts.join("\n\n"))
}

fn attachments(ask: &Ask, stdin: Option<&[u8]>) -> Result<Vec<Value>, Trouble> {
    let one = |path: &PathBuf| match (path.to_str(), stdin) {
        (Some("-"), Some(bytes)) => attach::of_bytes(bytes, Path::new("stdin")),
        (Some(url), _) if attach::is_url(url) => Ok(attach::of_url(url)),
        _ => attach::of_bytes(&read(path)?, path),
    };
    ask.attach.iter().map(one).collect()
}

fn utf8(bytes: Vec<u8>, name: &str) -> Result<String, Trouble> {
    String::from_utf8(bytes).map_err(|_| {
        let way = if name == "stdin" { "-" } else { name };
        Trouble::new(Exit::BadInput, format!("{name} is not text in UTF-8"))
            .hint(format!("an image or sound goes along with -a {way}"))
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

/// Reads stdin to its end. With a `wait` (zero is none) the first byte must come in time: the pipe may be open by accident.
#[expect(clippy::disallowed_methods, reason = "it waits for stdin and ends with the program")]
fn read_stdin(wait: Option<Duration>) -> Result<Vec<u8>, Trouble> {
    let Some(wait) = wait.filter(|wait| !wait.is_zero() && !io::stdin().is_terminal()) else {
        return refuse_more("stdin", to_end(io::stdin().lock()).map_err(|error| broken(&error))?);
    };
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
            drop(sender.send(to_end(stdin)));
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
    refuse_more("stdin", all)
}

fn broken(error: &io::Error) -> Trouble {
    Trouble::new(Exit::Io, format!("stdin cannot be read: {error}"))
}

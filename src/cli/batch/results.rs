//! The file a batch's results go to: mended and read when a run begins, appended to and synced while it goes on.

use std::collections::HashSet;
use std::fs::{File, OpenOptions, TryLockError};
use std::hash::{BuildHasher as _, RandomState};
use std::io::{self, BufRead as _, BufReader, BufWriter, Write as _};
use std::path::Path;
use std::sync::mpsc::{self, RecvTimeoutError, SyncSender};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::cli::exit::{Exit, Trouble};
use crate::replace::{Readers, Replacement};

use super::line::{Known, broke_off};

/// A crash of the machine loses at most what was answered within this time. A kill of the program loses nothing written.
const SYNC_EVERY: Duration = Duration::from_millis(250);

/// So many results may wait to be written.
const WAITING: usize = 64;

/// Ids that have been seen, by two hashes of 64 bits each: ten million ids take no more than 300 MB, and none is mistaken for another.
pub struct Ids {
    seen: HashSet<(u64, u64)>,
    hashers: [RandomState; 2],
}

impl Ids {
    pub fn new() -> Self {
        Self { seen: HashSet::new(), hashers: [RandomState::new(), RandomState::new()] }
    }

    fn key(&self, id: &str) -> (u64, u64) {
        (self.hashers[0].hash_one(id), self.hashers[1].hash_one(id))
    }

    /// Says whether it is new.
    pub fn insert(&mut self, id: &str) -> bool {
        self.seen.insert(self.key(id))
    }

    pub fn contains(&self, id: &str) -> bool {
        self.seen.contains(&self.key(id))
    }
}

/// The results of earlier runs.
pub struct Earlier {
    /// What is answered already.
    pub answered: Ids,
    /// Where to go on writing.
    pub file: File,
}

/// Opens the file for one run alone. What it holds stays, but for a last line that broke off, and lines that are to be tried again.
pub fn open(path: &Path) -> Result<Earlier, Trouble> {
    let failed = |error: io::Error| unwritable(path, &error);
    let file = OpenOptions::new().read(true).append(true).create(true).open(path).map_err(failed)?;
    if !file.metadata().map_err(failed)?.is_file() {
        return Err(no_file(&format!("`{}`", path.display())));
    }
    lock(&file, path)?;
    let (answered, is_clean) = read(&file, path)?;
    if is_clean {
        return Ok(Earlier { answered, file });
    }
    let file = rewritten(&file, path)?;
    Ok(Earlier { answered, file })
}

/// A device, or a pipe, keeps nothing that a later run could go on from.
pub fn no_file(what: &str) -> Trouble {
    Trouble::new(Exit::Usage, format!("{what} is no file, and a batch goes on from what its file holds"))
        .hint("-o names the file that results go to")
}

/// Two runs that write one file would answer everything twice.
fn lock(file: &File, path: &Path) -> Result<(), Trouble> {
    match file.try_lock() {
        // Some file systems have no locks.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
        Err(TryLockError::WouldBlock) => {
            let message = format!("`{}` is being written by another relay", path.display());
            Err(Trouble::new(Exit::Io, message).hint("wait for it, or name another file"))
        }
    }
}

/// What is answered, and whether the file can stay as it is.
fn read(file: &File, path: &Path) -> Result<(Ids, bool), Trouble> {
    let mut answered = Ids::new();
    let mut is_clean = true;
    each_line(file, |number, line, is_whole| {
        match Known::read(line) {
            Some(known) if known.is_answered() => is_clean &= answered.insert(&known.custom_id) && is_whole,
            Some(_) => is_clean = false,
            // The last line broke off when the run that wrote it did.
            None if !is_whole && broke_off(line) => is_clean = false,
            None => {
                let message = format!("`{}` is no file of results: line {number} is none", path.display());
                return Err(Trouble::new(Exit::BadInput, message).hint("-o names the file that results go to"));
            }
        }
        Ok(())
    })
    .map_err(|error| unwritable(path, &error))??;
    Ok((answered, is_clean))
}

/// Calls `with` for each line that is not blank, until it fails: its number, its bytes, and whether it has an end.
fn each_line<E>(file: &File, mut with: impl FnMut(u64, &[u8], bool) -> Result<(), E>) -> io::Result<Result<(), E>> {
    let mut reader = BufReader::new(file);
    io::Seek::seek(&mut reader, io::SeekFrom::Start(0))?;
    let mut line = Vec::new();
    for number in 1.. {
        line.clear();
        if reader.read_until(b'\n', &mut line)? == 0 {
            break;
        }
        let is_whole = line.ends_with(b"\n");
        if line.trim_ascii().is_empty() {
            continue;
        }
        if let Err(error) = with(number, &line, is_whole) {
            return Ok(Err(error));
        }
    }
    Ok(Ok(()))
}

/// The file with nothing but answers, each once, in its place. Until it is whole the old one stays.
fn rewritten(old: &File, path: &Path) -> Result<File, Trouble> {
    let write = || {
        let mut new = Replacement::begin(path, Readers::Of(path))?;
        let mut kept = Ids::new();
        let mut writer = BufWriter::new(new.file());
        each_line(old, |_, line, is_whole| {
            let is_kept = Known::read(line).is_some_and(|it| it.is_answered() && kept.insert(&it.custom_id));
            if is_kept {
                writer.write_all(line)?;
                if !is_whole {
                    writer.write_all(b"\n")?;
                }
            }
            Ok::<(), io::Error>(())
        })??;
        writer.flush()?;
        drop(writer);
        new.finish()?;
        OpenOptions::new().append(true).open(path)
    };
    let file = write().map_err(|error: io::Error| unwritable(path, &error))?;
    lock(&file, path)?;
    Ok(file)
}

fn unwritable(path: &Path, error: &io::Error) -> Trouble {
    Trouble::new(Exit::Io, format!("`{}` cannot be written: {error}", path.display()))
}

/// Appends results, by a thread of its own: what waits is written at once and synced together.
pub struct Writer {
    results: SyncSender<Vec<u8>>,
    thread: JoinHandle<io::Result<()>>,
}

impl Writer {
    #[expect(clippy::disallowed_methods, reason = "it ends when the writer is closed, which waits for it")]
    pub fn start(mut file: File) -> Self {
        let (results, coming) = mpsc::sync_channel::<Vec<u8>>(WAITING);
        let thread = std::thread::spawn(move || {
            let mut unsynced_since: Option<Instant> = None;
            loop {
                let patience = unsynced_since.map_or(SYNC_EVERY, |since| SYNC_EVERY.saturating_sub(since.elapsed()));
                match coming.recv_timeout(patience) {
                    // One call writes a line whole: only a crash in its midst leaves half of one.
                    Ok(line) => {
                        file.write_all(&line)?;
                        unsynced_since.get_or_insert_with(Instant::now);
                    }
                    Err(RecvTimeoutError::Timeout) => {}
                    Err(RecvTimeoutError::Disconnected) => return file.sync_all(),
                }
                if unsynced_since.is_some_and(|since| since.elapsed() >= SYNC_EVERY) {
                    file.sync_data()?;
                    unsynced_since = None;
                }
            }
        });
        Self { results, thread }
    }

    /// Hands over a line. False says that it cannot be written any more.
    pub fn push(&self, line: Vec<u8>) -> bool {
        self.results.send(line).is_ok()
    }

    /// Returns once everything is written and synced, or why it cannot be.
    pub fn close(self, path: &Path) -> Result<(), Trouble> {
        drop(self.results);
        let ended = self.thread.join().unwrap_or_else(|_| Err(io::Error::other("its thread panicked")));
        ended.map_err(|error| unwritable(path, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: &str = r#"{"id":"batch_req_1","custom_id":"a","response":{"status_code":200},"error":null}"#;
    const B: &str = r#"{"id":"batch_req_2","custom_id":"b","response":{"status_code":200},"error":null}"#;
    const FAILED: &str =
        r#"{"id":"batch_req_3","custom_id":"c","response":null,"error":{"code":"timeout","message":"x"}}"#;

    /// What the file holds after a run over it has begun.
    fn opened(before: &str) -> (String, Ids) {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.jsonl");
        std::fs::write(&path, before).expect("writable");
        let earlier = open(&path).expect("opened");
        (std::fs::read_to_string(&path).expect("there"), earlier.answered)
    }

    #[test]
    fn answers_stay_and_what_broke_off_or_failed_goes() {
        let cases = [
            (String::new(), String::new()),
            (format!("{A}\n{B}\n"), format!("{A}\n{B}\n")),
            (format!("{A}\n{}", &B[..30]), format!("{A}\n")),
            (format!("{A}\n{B}"), format!("{A}\n{B}\n")),
            (format!("{FAILED}\n{A}\n"), format!("{A}\n")),
            (format!("{A}\n{A}\n"), format!("{A}\n")),
            (format!("\n{A}\n\0\0\0"), format!("{A}\n")),
            (format!("{A}\n{}\0\0\0", &B[..9]), format!("{A}\n")),
            (B[..30].to_owned(), String::new()),
        ];
        for (before, after) in cases {
            let (text, answered) = opened(&before);
            assert_eq!(text, after, "{before}");
            assert_eq!(answered.contains("a"), after.contains("\"a\""));
            assert!(!answered.contains("c"));
        }
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("notes.txt");
        let request = r#"{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"messages":[]}}"#;
        for text in [
            "my notes\n",
            "GROQ_API_KEY=gsk_secret",
            r#"{"precious":[1,2,3]}"#,
            request,
            &format!("{A}\n{request}\n{B}\n"),
            &format!("{A}\n{{\"ids\":"),
        ] {
            std::fs::write(&path, text).expect("writable");
            let trouble = open(&path).err().expect(text);
            assert_eq!(trouble.exit, Exit::BadInput);
            assert_eq!(std::fs::read_to_string(&path).expect("there"), text);
        }
    }

    #[test]
    fn one_run_at_a_time_writes_a_file() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("out.jsonl");
        std::fs::write(&path, format!("{FAILED}\n")).expect("writable");
        let first = open(&path).expect("opened");
        assert_eq!(open(&path).err().expect("refused").exit, Exit::Io);
        drop(first);
        assert!(open(&path).is_ok());
    }
}

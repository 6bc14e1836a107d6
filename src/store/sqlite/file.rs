//! Opens the file: made, brought up to date, or refused with what to do about it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags, TransactionBehavior};

use crate::chat::fault::SAME_STORY;
use crate::clock::earlier;
use crate::store::LEDGER_KEPT;

use super::rows::{self, Written};

/// How long another process may hold the file before it counts as lost.
pub const PATIENCE: Duration = Duration::from_secs(5);
/// The same once it is lost: nobody waits that long again and again.
pub const IMPATIENCE: Duration = Duration::from_millis(50);

/// Each step brings the file from the version of its index to the next. A step that was released is never changed.
const STEPS: [&str; 5] = [
    "CREATE TABLE meter (name TEXT PRIMARY KEY, sequence INTEGER NOT NULL, state TEXT NOT NULL) WITHOUT ROWID;
     CREATE INDEX meter_sequence ON meter (sequence);
     CREATE TABLE mark (name TEXT PRIMARY KEY, until INTEGER NOT NULL, cause TEXT NOT NULL) WITHOUT ROWID;
     CREATE TABLE ledger (
         id INTEGER PRIMARY KEY, at INTEGER NOT NULL, request_id TEXT NOT NULL, provider TEXT NOT NULL,
         model TEXT NOT NULL, attempt INTEGER NOT NULL, class TEXT NOT NULL, outcome TEXT NOT NULL,
         http_status INTEGER, prompt_tokens INTEGER, completion_tokens INTEGER, tokens_source TEXT NOT NULL,
         first_event_ms INTEGER, total_ms INTEGER NOT NULL);
     CREATE INDEX ledger_at ON ledger (at);",
    // A hash: which attempts belong to one conversation, without a word of it.
    "ALTER TABLE ledger ADD COLUMN session TEXT;",
    // Hashes again, and the route each stays with.
    "CREATE TABLE session (key TEXT PRIMARY KEY, route TEXT NOT NULL, seen INTEGER NOT NULL) WITHOUT ROWID;
     CREATE INDEX session_seen ON session (seen);",
    // What changed of meters, by transactions. An older relay that still runs misses the column it knows, and says that the file is lost to it.
    "DROP INDEX meter_sequence;
     ALTER TABLE meter RENAME COLUMN sequence TO changed;
     CREATE TABLE change (sequence INTEGER PRIMARY KEY, meters TEXT NOT NULL);",
    // Of a meter what changed, in the place of all of it: an older relay would take a part for the whole, and misses the column in time.
    "ALTER TABLE change RENAME COLUMN meters TO changes;",
];

#[expect(clippy::cast_possible_truncation, reason = "a handful of steps")]
const VERSION: u32 = STEPS.len() as u32;

/// Why the state cannot be kept, and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct OpenError {
    pub message: String,
    pub hint: String,
    /// It is there, and this user may not write it.
    is_unwritable: bool,
}

const ELSEWHERE: &str =
    "name another file with `url = \"sqlite:PATH\"` under [state], or keep nothing with `url = \"memory\"`";

impl OpenError {
    fn new(path: &Path, what: &str, hint: impl Into<String>) -> Self {
        let message = format!("the state file `{}` {what}", path.display());
        Self { message, hint: hint.into(), is_unwritable: false }
    }

    fn unwritable(path: &Path, reason: &str) -> Self {
        let hint = format!("let your user write it and its folder, or {ELSEWHERE}");
        Self { is_unwritable: true, ..Self::new(path, &format!("cannot be written{reason}"), hint) }
    }

    /// The folder or the file cannot be made, or the one that is there cannot be written.
    fn unmade(path: &Path, error: &std::io::Error) -> Self {
        if path.exists() {
            return Self::unwritable(path, &format!(": {error}"));
        }
        Self::new(path, &format!("cannot be made: {error}"), ELSEWHERE)
    }

    pub fn unusable(path: &Path, error: &Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt) => {
                Self::new(path, "is damaged, or is no state of relay", "move it away: relay then begins a new one")
            }
            Some(ErrorCode::ReadOnly) => Self::unwritable(path, ""),
            // What it writes beside the file cannot be made.
            Some(ErrorCode::CannotOpen) => Self::unwritable(path, &format!(": {error}")),
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
                let hint = "another program holds it: wait for it, or stop it";
                Self::new(path, &format!("was locked for {} s", PATIENCE.as_secs()), hint)
            }
            _ => Self::new(path, &format!("cannot be opened: {error}"), ELSEWHERE),
        }
    }
}

/// Opens the file for reading and writing.
pub fn open(path: &Path, now: Timestamp) -> Result<Connection, OpenError> {
    // A pipe would be waited for, and no signal heard.
    if path.metadata().is_ok_and(|found| !found.is_file()) {
        return Err(OpenError::new(path, "is no file", ELSEWHERE));
    }
    make(path).map_err(|error| OpenError::unmade(path, &error))?;
    let unusable = |error: Error| OpenError::unusable(path, &error);
    let mut connection =
        Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE)).map_err(unusable)?;
    if connection.is_readonly("main").map_err(unusable)? {
        return Err(OpenError::unwritable(path, ""));
    }
    connection.busy_timeout(PATIENCE).map_err(unusable)?;
    if is_foreign(&connection).map_err(unusable)? {
        let hint = "name another file with `url = \"sqlite:PATH\"` under [state], or move this one away: relay then begins a new one";
        return Err(OpenError::new(path, "is another program's database, and no state of relay", hint));
    }
    prepare(&connection).map_err(unusable)?;
    bring_up_to_date(&mut connection, now).map_err(|error| match error {
        Migration::Newer(version) => OpenError::new(
            path,
            &format!("is of a newer relay (version {version}; this one knows {VERSION})"),
            "use that relay, or name another file with `url = \"sqlite:PATH\"` under [state]",
        ),
        Migration::Failed(error) => unusable(error),
    })?;
    Ok(connection)
}

/// Opens the file for whoever only looks: where it cannot be written, as it is.
pub fn look(path: &Path, now: Timestamp) -> Result<Connection, OpenError> {
    let refused = match open(path, now) {
        Err(refused) if refused.is_unwritable => refused,
        opened => return opened,
    };
    as_it_is(path).map_err(|_| refused)
}

/// A file of this version, for reading.
fn as_it_is(path: &Path) -> Result<Connection, Error> {
    let connection = read(path)?;
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    if version == VERSION && !is_foreign(&connection)? { Ok(connection) } else { Err(Error::InvalidQuery) }
}

/// Forgets what was counted. The file as it was is kept beside it, at the path that is returned.
pub fn reset(path: &Path, now: Timestamp) -> Result<PathBuf, OpenError> {
    let mut connection = open(path, now)?;
    let unusable = |error: Error| OpenError::unusable(path, &error);
    let kept = path.with_extension(format!("{}.db", now.strftime("%Y%m%dT%H%M%S%.3fZ")));
    let unkept = |error| OpenError::unusable(&kept, &error);
    connection.execute("VACUUM INTO ?1", [kept.to_string_lossy()]).map_err(unkept)?;
    private(&kept).map_err(|error| {
        OpenError::new(&kept, &format!("cannot be made: {error}"), "mind that it can be read by others")
    })?;
    forget(&mut connection).map_err(unusable)?;
    Ok(kept)
}

/// Makes every meter as good as new, under a later change, and lifts every rest: other processes take it over from there.
fn forget(connection: &mut Connection) -> Result<(), Error> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let Written { table, journal, last } = rows::meters_after(&transaction, -1)?;
    for (name, _) in table.into_iter().flatten().chain(journal) {
        rows::write_meter(&transaction, last + 1, &name, "{\"documented\":0}")?;
    }
    rows::lift_marks(&transaction)?;
    transaction.execute_batch("DELETE FROM change; DELETE FROM ledger")?;
    transaction.commit()
}

/// Which file stands at the path, if any: a device, and its number there.
#[cfg(unix)]
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata(path).ok().map(|found| (found.dev(), found.ino()))
}

/// Nobody can move or delete a file that is open.
#[cfg(not(unix))]
pub fn identity(_: &Path) -> Option<(u64, u64)> {
    Some((0, 0))
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn private(_: &Path) -> std::io::Result<()> {
    Ok(())
}

/// Whether the file is whole: what SQLite finds wrong with it, if anything.
pub fn check(path: &Path) -> Result<Option<String>, Error> {
    let found: String = read(path)?.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
    Ok((found != "ok").then_some(found))
}

/// Leaves a file that is at its path no more: what stands beside that path may be another file's, and is not to be cleaned up.
pub fn leave(connection: Connection) -> Result<(), Error> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    connection.close().map_err(|(_, error)| error)
}

/// Opens the file for reading, beside whoever writes it.
pub fn read(path: &Path) -> Result<Connection, Error> {
    let connection = Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_ONLY))?;
    connection.busy_timeout(PATIENCE)?;
    // SQLite shares the file by others beside it. Where it can make none, and nobody has it open, it is asked to do without.
    match connection.pragma_query(None, "user_version", |_| Ok(())) {
        Err(_) if !is_open(path) => unshared(path),
        _ => Ok(connection),
    }
}

/// Whether a process has the file open, or has left something beside it that belongs to it.
fn is_open(path: &Path) -> bool {
    let mut beside = path.as_os_str().to_owned();
    beside.push("-wal");
    Path::new(&beside).exists()
}

fn unshared(path: &Path) -> Result<Connection, Error> {
    let escaped = path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let access = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI;
    Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags(access))
}

fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

/// The folder and the file, for this user alone.
fn make(path: &Path) -> std::io::Result<()> {
    let mut folder = std::fs::DirBuilder::new();
    let mut file = std::fs::OpenOptions::new();
    file.create(true).append(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
        folder.mode(0o700);
        file.mode(0o600);
    }
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        folder.recursive(true).create(parent)?;
    }
    file.open(path).map(drop)
}

/// Whether the file holds tables, and they are not relay's: nothing may be written to it then. Both are asked in one transaction,
/// for another process may be making the tables.
fn is_foreign(connection: &Connection) -> Result<bool, Error> {
    let transaction = connection.unchecked_transaction()?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables = "SELECT COUNT(*), COUNT(*) FILTER (WHERE name = 'meter') FROM sqlite_schema WHERE type = 'table'";
    let (all, own): (u32, u32) = transaction.query_row(tables, [], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(all > 0 && (version == 0 || own == 0))
}

/// One writer beside any number of readers; what is committed survives the process, and all but the last moments the machine.
fn prepare(connection: &Connection) -> Result<(), Error> {
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

enum Migration {
    Newer(u32),
    Failed(Error),
}

impl From<Error> for Migration {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// All steps that are missing, or none of them.
fn bring_up_to_date(connection: &mut Connection, now: Timestamp) -> Result<(), Migration> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let version: u32 = transaction.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let Some(missing) = STEPS.get(version as usize..) else { return Err(Migration::Newer(version)) };
    for step in missing {
        transaction.execute_batch(step)?;
    }
    if !missing.is_empty() {
        transaction.pragma_update(None, "user_version", VERSION)?;
    }
    let oldest = earlier(now, LEDGER_KEPT);
    transaction.execute("DELETE FROM ledger WHERE at < ?1", [oldest.as_microsecond()])?;
    rows::lift_marks_ahead(&transaction, now)?;
    // That a model was gone is remembered for as long as a second sighting would retire it.
    rows::forget_marks(&transaction, now, earlier(now, SAME_STORY))?;
    transaction.execute("DELETE FROM session WHERE seen < ?1", [oldest.as_microsecond()])?;
    Ok(transaction.commit()?)
}

#[cfg(test)]
pub(super) fn open_as_of(path: &Path, version: u32) -> Connection {
    let connection = Connection::open(path).expect("the folder is writable");
    for step in STEPS.iter().take(version as usize) {
        connection.execute_batch(step).expect("a step");
    }
    connection.pragma_update(None, "user_version", version).expect("a version");
    connection
}

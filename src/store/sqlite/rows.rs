//! Rows of the file: meters, rests and the ledger, to and from SQL.

use std::collections::HashMap;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::{CachedStatement, Connection, Error, OptionalExtension as _, Row, Statement, params};
use serde_json::value::RawValue;

use crate::chat::fault::{self, Class};
use crate::chat::session::SessionKey;
use crate::chat::{Fault, Period, Scope, Unfit};
use crate::clock::later;
use crate::routing::Mark;

use crate::store::{LastAttempt, LedgerRow, PROBE_PREFIX, Quarter, Totals};

/// Writes a meter's state into the table of them.
pub fn write_meter(connection: &Connection, sequence: i64, name: &str, state: &str) -> Result<(), Error> {
    let sql = "INSERT INTO meter (name, changed, state) VALUES (?1, ?2, ?3)
               ON CONFLICT (name) DO UPDATE SET changed = ?2, state = ?3";
    connection.prepare_cached(sql)?.execute(params![name, sequence, state]).map(drop)
}

/// The kept state of a meter, as the table has it.
pub fn meter(connection: &Connection, name: &str) -> Result<Option<String>, Error> {
    let sql = "SELECT state FROM meter WHERE name = ?1";
    connection.prepare_cached(sql)?.query_row([name], |row| row.get(0)).optional()
}

/// Puts what changed of meters together at the end of the journal: an object in JSON, by their names.
pub fn write_change(connection: &Connection, sequence: i64, changes: &str) -> Result<(), Error> {
    let sql = "INSERT INTO change (sequence, changes) VALUES (?1, ?2)";
    connection.prepare_cached(sql)?.execute(params![sequence, changes]).map(drop)
}

/// Forgets the journal, whose states are in the table now.
pub fn empty_journal(connection: &Connection) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM change")?.execute([]).map(drop)
}

/// What was written of meters after a change.
pub struct Written {
    /// Names and states of the table, where the journal does not reach back so far.
    pub table: Option<Vec<(String, String)>>,
    /// Names and states, or what changed of them, in the order of the journal; later than what the table has.
    pub journal: Vec<(String, String)>,
    /// The last change there is.
    pub last: i64,
}

/// What was written of meters after the change `sequence`. Whoever asks holds a transaction, so that table and journal are of one moment.
pub fn meters_after(connection: &Connection, sequence: i64) -> Result<Written, Error> {
    let mut written = Written { table: None, journal: Vec::new(), last: sequence };
    let mut reaches_back = false;
    let mut journal =
        connection.prepare_cached("SELECT sequence, changes FROM change WHERE sequence >= ?1 ORDER BY sequence")?;
    let mut rows = journal.query([sequence])?;
    while let Some(row) = rows.next()? {
        let change: i64 = row.get(0)?;
        reaches_back |= change <= sequence + 1;
        if change > sequence {
            written.journal.extend(changes(row)?);
            written.last = change;
        }
    }
    if !reaches_back {
        let mut table = connection.prepare_cached("SELECT name, state, changed FROM meter WHERE changed > ?1")?;
        let rows = table.query_map([sequence], |row| {
            written.last = written.last.max(row.get(2)?);
            Ok((row.get(0)?, row.get(1)?))
        })?;
        written.table = Some(rows.collect::<Result<_, _>>()?);
    }
    Ok(written)
}

/// What a row of the journal says.
fn changes(row: &Row<'_>) -> Result<impl Iterator<Item = (String, String)>, Error> {
    let text = row.get_ref(1)?.as_str()?;
    let changes: HashMap<String, Box<RawValue>> = serde_json::from_str(text)
        .map_err(|error| Error::FromSqlConversionFailure(1, rusqlite::types::Type::Text, Box::new(error)))?;
    Ok(changes.into_iter().map(|(name, change)| (name, change.get().to_owned())))
}

/// Writes a rest; of two the later one stays. Faults that set none are not kept.
pub fn write_mark(connection: &Connection, name: &str, until: Timestamp, cause: &Fault) -> Result<(), Error> {
    let Some(cause) = cause_text(cause) else { return Ok(()) };
    let sql = "INSERT INTO mark (name, until, cause) VALUES (?1, ?2, ?3)
               ON CONFLICT (name) DO UPDATE SET until = ?2, cause = ?3 WHERE until < ?2";
    connection.prepare_cached(sql)?.execute(params![name, until.as_microsecond(), cause]).map(drop)
}

/// Takes a rest away. Its row stays, so that other processes hear of it.
pub fn lift_mark(connection: &Connection, name: &str) -> Result<(), Error> {
    let sql = "UPDATE mark SET until = 0, cause = ?2 WHERE name = ?1";
    connection.prepare_cached(sql)?.execute([name, LIFTED]).map(drop)
}

/// Takes every rest away, in the same way.
pub fn lift_marks(connection: &Connection) -> Result<(), Error> {
    connection.execute("UPDATE mark SET until = 0, cause = ?1", [LIFTED]).map(drop)
}

/// Takes away rests that end later than any that begins at `now`: they were set by a clock that was ahead.
pub fn lift_marks_ahead(connection: &Connection, now: Timestamp) -> Result<(), Error> {
    for (name, mark) in marks(connection)? {
        let Some(Mark { until, cause }) = mark else { continue };
        let longest = match cause {
            Fault::Busy { .. } => LONGEST_BUSY,
            Fault::Spent { .. } => LONGEST_SPENT,
            _ => continue,
        };
        let longest = fault::longest_rest(&cause, false).unwrap_or(longest);
        if until > later(now, longest + SET_LATER) {
            lift_mark(connection, &name)?;
        }
    }
    Ok(())
}

/// A wait that a provider names is believed up to a day; what is spent is back with the month at the latest.
const LONGEST_BUSY: Duration = Duration::from_hours(24);
const LONGEST_SPENT: Duration = Duration::from_hours(31 * 24);
/// Others set rests while this process opens the file.
const SET_LATER: Duration = Duration::from_mins(1);

/// What stands in the place of a cause once the rest was lifted.
const LIFTED: &str = "lifted";

/// Every rest by its name: moment and cause, or nothing where it was lifted.
pub fn marks(connection: &Connection) -> Result<Vec<(String, Option<Mark>)>, Error> {
    let mut statement = connection.prepare_cached("SELECT name, until, cause FROM mark")?;
    let rows = statement.query_map([], |row| {
        let (until, cause): (i64, String) = (row.get(1)?, row.get(2)?);
        let until = Timestamp::from_microsecond(until).unwrap_or(Timestamp::MIN);
        Ok((row.get(0)?, (cause != LIFTED).then(|| Mark { until, cause: cause_of(&cause, until) })))
    })?;
    rows.collect()
}

/// Forgets rests that are over at `now`; those of models that were gone, where that was before `story`.
pub fn forget_marks(connection: &Connection, now: Timestamp, story: Timestamp) -> Result<(), Error> {
    let past = "DELETE FROM mark WHERE until < ?1 AND (until < ?2 OR cause NOT LIKE 'gone/%') AND cause <> ?3";
    connection.execute(past, params![now.as_microsecond(), story.as_microsecond(), LIFTED]).map(drop)
}

/// `word/period/scope`, and `/guessed` where nobody named the moment; of a context, what was needed and what there is.
fn cause_text(cause: &Fault) -> Option<String> {
    let (word, period, scope) = match cause {
        Fault::Busy { period, scope, .. } => ("busy", *period, *scope),
        Fault::Spent { period, scope, .. } => ("spent", *period, *scope),
        Fault::Gone => ("gone", None, None),
        Fault::Denied => ("denied", None, None),
        Fault::Unfit(Unfit::ContextTooLong { needed, context }) => return Some(format!("too-long/{needed}/{context}")),
        _ => return None,
    };
    let guessed = if cause.until().is_none() { "/guessed" } else { "" };
    Some(format!("{word}/{}/{}{guessed}", period.map_or("", Period::word), scope.map_or("", Scope::word)))
}

fn cause_of(text: &str, until: Timestamp) -> Fault {
    let mut parts = text.split('/');
    let word = parts.next().unwrap_or_default();
    if word == "too-long" {
        let mut number = || parts.next().and_then(|digits| digits.parse().ok()).unwrap_or_default();
        return Fault::Unfit(Unfit::ContextTooLong { needed: number(), context: number() });
    }
    let period = parts.next().and_then(|word| Period::ALL.into_iter().find(|period| period.word() == word));
    let scope = parts.next().and_then(|word| Scope::ALL.into_iter().find(|scope| scope.word() == word));
    let until = (parts.next() != Some("guessed")).then_some(until);
    match word {
        "gone" => Fault::Gone,
        "denied" => Fault::Denied,
        "spent" => Fault::Spent { until, scope, period },
        _ => Fault::Busy { until, scope, period },
    }
}

/// What `write_row` takes, for any number of rows.
pub fn ledger(connection: &Connection) -> Result<CachedStatement<'_>, Error> {
    connection.prepare_cached(
        "INSERT INTO ledger (at, request_id, provider, model, attempt, class, outcome, http_status, prompt_tokens,
                             completion_tokens, tokens_source, first_event_ms, total_ms, session)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14)",
    )
}

/// Writes a row of the ledger.
pub fn write_row(ledger: &mut Statement<'_>, route: &(String, String), row: &LedgerRow) -> Result<(), Error> {
    let values = params![
        row.at.as_microsecond(),
        row.request_id,
        route.0,
        route.1,
        row.attempt,
        class(row),
        row.outcome(),
        row.http_status,
        row.usage.map(|usage| number(usage.prompt_tokens)),
        row.usage.map(|usage| number(usage.completion_tokens)),
        if row.usage.is_some() { "reported" } else { "none" },
        row.first_event_ms.map(number),
        number(row.total_ms),
        row.session.map(|session| session.to_string()),
    ];
    ledger.execute(values).map(drop)
}

/// Writes the route a session stays with, by its name; of two the later one counts.
pub fn write_pin(connection: &Connection, session: SessionKey, route: &str, seen: Timestamp) -> Result<(), Error> {
    let sql = "INSERT INTO session (key, route, seen) VALUES (?1, ?2, ?3)
               ON CONFLICT (key) DO UPDATE SET route = ?2, seen = ?3 WHERE seen <= ?3";
    connection.prepare_cached(sql)?.execute(params![session.to_string(), route, seen.as_microsecond()]).map(drop)
}

pub fn forget_session(connection: &Connection, session: SessionKey) -> Result<(), Error> {
    connection.prepare_cached("DELETE FROM session WHERE key = ?1")?.execute([session.to_string()]).map(drop)
}

/// Sessions answered since a moment, the oldest first: key, route, moment.
pub fn sessions(connection: &Connection, since: Timestamp) -> Result<Vec<(SessionKey, String, Timestamp)>, Error> {
    let sql = "SELECT key, route, seen FROM session WHERE seen >= ?1 ORDER BY seen";
    let mut statement = connection.prepare_cached(sql)?;
    let rows = statement.query_map([since.as_microsecond()], |row| {
        let (key, seen): (String, i64) = (row.get(0)?, row.get(2)?);
        Ok((SessionKey::read(&key), row.get(1)?, Timestamp::from_microsecond(seen).ok()))
    })?;
    let rows = rows.collect::<Result<Vec<_>, _>>()?;
    Ok(rows.into_iter().filter_map(|(key, route, seen)| Some((key?, route, seen?))).collect())
}

fn class(row: &LedgerRow) -> &'static str {
    match row.fault.as_ref().map(Fault::class) {
        None if row.cancelled => "cancelled",
        None => "ok",
        Some(Class::OutOfQuota) => "quota",
        Some(_) => "error",
    }
}

/// The last attempts of requests that had several, to be joined: most had one, and are not looked at.
const LATER: &str = "WITH later AS MATERIALIZED (
    SELECT request_id, MAX(attempt) AS last FROM ledger WHERE at >= ?1 AND attempt > 1 GROUP BY request_id)";

/// What is summed up of a group of attempts of one class, as `add_class` reads it. Files hold absurd numbers that earlier relays believed:
/// sums of them would overflow.
const SUMS: &str = "provider, model, class, COUNT(*), SUM(attempt > 1),
    SUM(MIN(prompt_tokens, 1000000000)), SUM(MIN(completion_tokens, 1000000000)),
    SUM(class IN ('quota', 'error') AND COALESCE(last, 0) > attempt)";

/// Counts by route since a moment. Routes that are not in this fleet are somebody else's.
pub fn totals(connection: &Connection, routes: &[(String, String)], since: Timestamp) -> Result<Vec<Totals>, Error> {
    let sql = &format!(
        "{LATER} SELECT {SUMS} FROM ledger LEFT JOIN later USING (request_id) WHERE at >= ?1
         GROUP BY provider, model, class"
    );
    let mut by_route: HashMap<(String, String), Totals> = HashMap::new();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([since.as_microsecond()])?;
    while let Some(row) = rows.next()? {
        add_class(by_route.entry((row.get(0)?, row.get(1)?)).or_default(), row)?;
    }
    Ok(routes.iter().map(|route| by_route.remove(route).unwrap_or_default()).collect())
}

/// Counts by quarter of an hour and model since a moment, in their order, of every fleet there was.
pub fn history(connection: &Connection, since: Timestamp) -> Result<Vec<Quarter>, Error> {
    let sql = &format!(
        "{LATER} SELECT {SUMS}, at / ?2 AS quarter FROM ledger LEFT JOIN later USING (request_id) WHERE at >= ?1
         GROUP BY quarter, provider, model, class ORDER BY quarter, provider, model"
    );
    let mut quarters: Vec<Quarter> = Vec::new();
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query([since.as_microsecond(), Quarter::MICROSECONDS])?;
    while let Some(row) = rows.next()? {
        let start = row.get::<_, i64>(8)? * Quarter::MICROSECONDS;
        let start = Timestamp::from_microsecond(start).unwrap_or(Timestamp::MIN);
        let (provider, model): (String, String) = (row.get(0)?, row.get(1)?);
        let is_same = |last: &Quarter| last.start == start && last.provider == provider && last.model == model;
        if !quarters.last().is_some_and(is_same) {
            quarters.push(Quarter { start, provider, model, totals: Totals::default() });
        }
        if let Some(last) = quarters.last_mut() {
            add_class(&mut last.totals, row)?;
        }
    }
    Ok(quarters)
}

/// Adds a group of attempts of one class.
fn add_class(totals: &mut Totals, row: &Row<'_>) -> Result<(), Error> {
    let (class, count, late): (String, u64, u64) = (row.get(2)?, row.get(3)?, row.get(4)?);
    match class.as_str() {
        "ok" => (totals.ok, totals.failover_in) = (count, late),
        "quota" => totals.rate_limited = count,
        "error" => totals.errors = count,
        _ => {}
    }
    totals.failover_out += row.get::<_, u64>(7)?;
    totals.prompt_tokens += row.get::<_, Option<u64>>(5)?.unwrap_or(0);
    totals.completion_tokens += row.get::<_, Option<u64>>(6)?.unwrap_or(0);
    Ok(())
}

/// The last attempt over each route since a moment, with or without probes.
pub fn last_attempts(
    connection: &Connection,
    routes: &[(String, String)],
    since: Timestamp,
    probes: bool,
) -> Result<Vec<Option<LastAttempt>>, Error> {
    // Beside MAX(at) the other columns are those of the row that has it.
    let sql = "SELECT provider, model, MAX(at), class, first_event_ms, total_ms FROM ledger
               WHERE at >= ?1 AND class <> 'cancelled' AND (?3 OR request_id NOT LIKE ?2 || '%') GROUP BY provider, model";
    let mut statement = connection.prepare_cached(sql)?;
    let found = statement.query_map(params![since.as_microsecond(), PROBE_PREFIX, probes], |row| {
        let attempt = LastAttempt {
            at: Timestamp::from_microsecond(row.get(2)?).unwrap_or(Timestamp::MIN),
            answered: row.get::<_, String>(3)? == "ok",
            first_event_ms: row.get(4)?,
            total_ms: row.get(5)?,
        };
        Ok(((row.get(0)?, row.get(1)?), attempt))
    })?;
    let found: HashMap<(String, String), LastAttempt> = found.collect::<Result<_, _>>()?;
    Ok(routes.iter().map(|route| found.get(route).copied()).collect())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

//! The journal of meters: what a transaction changes of them is one row at its end.
//!
//! Rows of hundreds of meters lie all over their table, and to change a few of them would be to write most of its pages; so they are brought
//! up to date together, when the journal has grown long. Of a meter that the file knows the journal says what changed: the window of a busy
//! one is sixty stretches, of which a transaction changes one or two. What changed is told as it is then, and not by how much, so that it may be
//! read twice.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Error};

use crate::quota::{self, Limit, Meter};
use crate::routing::MeterId;

use super::rows;

/// The journal is emptied when it holds so many changes for each meter there is, and `FEW` more.
const CHANGES_PER_METER: usize = 8;
const FEW: usize = 250;

/// What this process knows of the journal. Within a transaction that has looked, that is all there is.
pub struct Journal {
    /// The last change of a meter that was seen.
    sequence: i64,
    /// About how many changes it holds.
    changes: usize,
    /// By `MeterId`: as the file has it, table and journal together; `None` where it has nothing.
    kept: Vec<Option<Meter>>,
    /// By `MeterId`: the journal has a change that the table has not.
    is_behind: Vec<bool>,
    /// The same of meters that are not of this fleet, with their changes.
    strangers: HashMap<String, Vec<String>>,
    ids: HashMap<String, MeterId>,
    /// By `MeterId`: its name, and how that stands in JSON.
    names: Vec<(String, String)>,
}

/// The states of some meters, at one moment.
pub type States = [(usize, Arc<Meter>)];

impl Journal {
    pub fn new(names: &[String]) -> Self {
        let ids = names.iter().enumerate().map(|(index, name)| (name.clone(), MeterId(index))).collect();
        let in_json = |name: &String| (name.clone(), serde_json::Value::from(name.as_str()).to_string());
        Self {
            sequence: -1,
            changes: 0,
            kept: vec![None; names.len()],
            is_behind: vec![false; names.len()],
            strangers: HashMap::new(),
            ids,
            names: names.iter().map(in_json).collect(),
        }
    }

    /// What was written of this fleet's meters since the last look, in its order, for `take_over`.
    pub fn read(&mut self, connection: &Connection) -> Result<Vec<(MeterId, String)>, Error> {
        let written = rows::meters_after(connection, self.sequence)?;
        let mut changes = Vec::new();
        if let Some(table) = written.table {
            // The journal was emptied meanwhile.
            self.begin_anew();
            changes.extend(table.into_iter().filter_map(|(name, state)| Some((*self.ids.get(&name)?, state))));
        }
        for (name, change) in written.journal {
            self.changes += 1;
            match self.ids.get(&name) {
                Some(id) => {
                    self.is_behind[id.0] = true;
                    changes.push((*id, change));
                }
                None => self.strangers.entry(name).or_default().push(change),
            }
        }
        self.sequence = written.last;
        Ok(changes)
    }

    /// The meter of `limit` as the file has it, with one more thing that was written of it. What cannot be read begins anew: it was written by a
    /// relay that knew more.
    pub fn take_over(&mut self, id: MeterId, limit: &Limit, change: &str) {
        let kept = match self.kept[id.0].take() {
            Some(kept) if kept.limit == *limit => kept,
            Some(kept) => kept.under(limit.clone()),
            None => Meter::new(limit.clone()),
        };
        self.kept[id.0] = Some(kept.updated(change).unwrap_or_else(|| {
            tracing::warn!(limit = %limit.label(), "a kept meter cannot be read; it begins anew");
            Meter::new(limit.clone())
        }));
    }

    /// The meter as the file has it.
    pub fn kept(&self, id: MeterId) -> Option<&Meter> {
        self.kept[id.0].as_ref()
    }

    /// Another file is read from its beginning.
    pub fn forget(&mut self) {
        self.begin_anew();
        self.kept.fill(None);
        self.sequence = -1;
    }

    fn begin_anew(&mut self) {
        self.changes = 0;
        self.is_behind.fill(false);
        self.strangers.clear();
    }

    /// The meters whose rows of the table are to be brought up to date with the next change.
    pub fn due(&self) -> Vec<usize> {
        let most = CHANGES_PER_METER * (self.names.len() + self.strangers.len()) + FEW;
        let is_long = self.changes > most;
        (0..self.names.len()).filter(|id| is_long && self.is_behind[*id]).collect()
    }

    /// Writes what a transaction changes, and brings the table up to date with `due`, if there are any.
    pub fn write(&self, connection: &Connection, changed: &States, due: &States) -> Result<(), Error> {
        let sequence = self.next();
        if !due.is_empty() {
            for (id, meter) in due {
                rows::write_meter(connection, sequence, &self.names[*id].0, &meter.save())?;
            }
            for (name, changes) in &self.strangers {
                write_stranger(connection, sequence, name, changes)?;
            }
            rows::empty_journal(connection)?;
        }
        if changed.is_empty() {
            return Ok(());
        }
        let mut text = String::new();
        for (id, meter) in changed {
            text.push(if text.is_empty() { '{' } else { ',' });
            text.push_str(&self.names[*id].1);
            text.push(':');
            meter.save_since(self.kept[*id].as_ref(), &mut text);
        }
        text.push('}');
        rows::write_change(connection, sequence, &text)
    }

    /// What was written is in the file.
    pub fn wrote(&mut self, changed: &States, due: &States) {
        if !due.is_empty() {
            self.begin_anew();
        }
        if !changed.is_empty() {
            self.sequence = self.next();
        }
        self.changes += changed.len();
        for (id, meter) in changed {
            self.is_behind[*id] = true;
            // A copy of its own: whoever changes the other need not make one.
            match &mut self.kept[*id] {
                Some(kept) => kept.clone_from(meter),
                none => *none = Some(Meter::clone(meter)),
            }
        }
    }

    fn next(&self) -> i64 {
        self.sequence.max(0) + 1
    }
}

/// Brings the row of a meter up to date whose limit is known to others alone.
fn write_stranger(connection: &Connection, sequence: i64, name: &str, changes: &[String]) -> Result<(), Error> {
    let mut state = rows::meter(connection, name)?;
    for change in changes {
        state = quota::merged(state.as_deref(), change).or(state);
    }
    state.map_or(Ok(()), |state| rows::write_meter(connection, sequence, name, &state))
}

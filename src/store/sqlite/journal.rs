//! The journal of meters: what a transaction changes of them is one row at its end.
//!
//! Rows of hundreds of meters lie all over their table, and to change a few of them would be to write most of its pages; so they are brought
//! up to date together, when the journal has grown long.

use std::collections::HashMap;
use std::sync::Arc;

use rusqlite::{Connection, Error};

use crate::quota::Meter;
use crate::routing::MeterId;

use super::rows;

/// The journal is emptied when it holds so many states for each meter there is, and `FEW` more.
const STATES_PER_METER: usize = 8;
const FEW: usize = 250;

/// What this process knows of the journal. Within a transaction that has looked, that is all there is.
pub struct Journal {
    /// The last change of a meter that was seen.
    sequence: i64,
    /// About how many states it holds.
    states: usize,
    /// By `MeterId`: the journal has a state that the table has not.
    is_behind: Vec<bool>,
    /// The same of meters that are not of this fleet, with their states.
    strangers: HashMap<String, String>,
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
            states: 0,
            is_behind: vec![false; names.len()],
            strangers: HashMap::new(),
            ids,
            names: names.iter().map(in_json).collect(),
        }
    }

    /// What was written of this fleet's meters since the last look, in its order.
    pub fn read(&mut self, connection: &Connection) -> Result<Vec<(MeterId, String)>, Error> {
        let written = rows::meters_after(connection, self.sequence)?;
        let mut states = Vec::new();
        if let Some(table) = written.table {
            // The journal was emptied meanwhile.
            self.begin_anew();
            states.extend(table.into_iter().filter_map(|(name, state)| Some((*self.ids.get(&name)?, state))));
        }
        for (name, state) in written.journal {
            self.states += 1;
            match self.ids.get(&name) {
                Some(id) => {
                    self.is_behind[id.0] = true;
                    states.push((*id, state));
                }
                None => _ = self.strangers.insert(name, state),
            }
        }
        self.sequence = written.last;
        Ok(states)
    }

    /// Another file is read from its beginning.
    pub fn forget(&mut self) {
        self.begin_anew();
        self.sequence = -1;
    }

    fn begin_anew(&mut self) {
        self.states = 0;
        self.is_behind.fill(false);
        self.strangers.clear();
    }

    /// The meters whose rows of the table are to be brought up to date with the next change.
    pub fn due(&self) -> Vec<usize> {
        let most = STATES_PER_METER * (self.names.len() + self.strangers.len()) + FEW;
        let is_long = self.states > most;
        (0..self.names.len()).filter(|id| is_long && self.is_behind[*id]).collect()
    }

    /// Writes what a transaction changes, and brings the table up to date with `due`, if there are any.
    pub fn write(&self, connection: &Connection, changed: &States, due: &States) -> Result<(), Error> {
        let sequence = self.next();
        if !due.is_empty() {
            for (id, meter) in due {
                rows::write_meter(connection, sequence, &self.names[*id].0, &meter.save())?;
            }
            for (name, state) in &self.strangers {
                rows::write_meter(connection, sequence, name, state)?;
            }
            rows::empty_journal(connection)?;
        }
        if changed.is_empty() {
            return Ok(());
        }
        let mut states = String::new();
        for (id, meter) in changed {
            states.push(if states.is_empty() { '{' } else { ',' });
            states.push_str(&self.names[*id].1);
            states.push(':');
            meter.save_to(&mut states);
        }
        states.push('}');
        rows::write_change(connection, sequence, &states)
    }

    /// What was written is in the file.
    pub fn wrote(&mut self, changed: &States, due: &States) {
        if !due.is_empty() {
            self.begin_anew();
        }
        if !changed.is_empty() {
            self.sequence = self.next();
        }
        self.states += changed.len();
        for (id, _) in changed {
            self.is_behind[*id] = true;
        }
    }

    fn next(&self) -> i64 {
        self.sequence.max(0) + 1
    }
}

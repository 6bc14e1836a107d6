//! What a simulator remembers of the calls it got, and a guard that settles each exactly once.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

/// One request as it arrived, and how it ended.
#[derive(Debug, Clone)]
pub struct Call {
    /// With the provider's prefix and the query, if any.
    pub path: String,
    /// In order of arrival, names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    pub outcome: Outcome,
    pub notes: Notes,
}

/// What the provider thought of a request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Notes {
    /// What in the request broke the provider's rules, when that is why it was refused.
    pub rejected: Option<String>,
    /// The prompt was cut in silence, as Ollama does past `num_ctx`.
    pub truncated: bool,
}

/// How a call ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Not ended yet.
    Open,
    /// A whole answer was handed to the connection.
    Answered,
    /// A status of 400 or more.
    Refused(u16),
    /// A success that was broken on purpose, or a connection reset.
    Faulted,
    /// The client left before the end.
    ClientGone,
}

impl Call {
    /// The value of the first header of this name (in lower case).
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The counts over all providers of a simulator.
#[derive(Debug, Default)]
pub(super) struct Counters {
    pub calls: AtomicU64,
    pub connections: AtomicUsize,
    pub requests: AtomicUsize,
    pub client_gone: AtomicU64,
    pub forgetting: AtomicBool,
}

/// The calls of one provider, in order of arrival.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<Vec<Call>>);

impl Log {
    pub(super) fn calls(&self) -> Vec<Call> {
        self.entries().clone()
    }

    fn entries(&self) -> MutexGuard<'_, Vec<Call>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, call: Call) -> usize {
        let mut entries = self.entries();
        entries.push(call);
        entries.len() - 1
    }

    fn note(&self, index: usize, notes: Notes) {
        self.entries()[index].notes = notes;
    }

    fn settle(&self, index: usize, outcome: Outcome) {
        self.entries()[index].outcome = outcome;
    }
}

/// A call in progress. Dropped without `settle`, its client has gone.
#[derive(Debug)]
pub(super) struct OpenCall {
    counters: Arc<Counters>,
    place: Option<(Arc<Log>, usize)>,
    outcome: Outcome,
}

impl OpenCall {
    /// Counts the call, and remembers it unless the simulator is told to forget.
    pub(super) fn begin(counters: &Arc<Counters>, log: &Arc<Log>, call: impl FnOnce() -> Call) -> Self {
        counters.requests.fetch_add(1, Ordering::Relaxed);
        let keep = !counters.forgetting.load(Ordering::Relaxed);
        let place = keep.then(|| (Arc::clone(log), log.add(call())));
        Self { counters: Arc::clone(counters), place, outcome: Outcome::Open }
    }

    pub(super) fn note(&self, notes: Notes) {
        if let Some((log, index)) = &self.place {
            log.note(*index, notes);
        }
    }

    pub(super) fn settle(mut self, outcome: Outcome) {
        self.outcome = outcome;
    }
}

impl Drop for OpenCall {
    fn drop(&mut self) {
        if self.outcome == Outcome::Open {
            self.outcome = Outcome::ClientGone;
            self.counters.client_gone.fetch_add(1, Ordering::Relaxed);
        }
        if let Some((log, index)) = &self.place {
            log.settle(*index, self.outcome);
        }
        self.counters.requests.fetch_sub(1, Ordering::Relaxed);
    }
}

//! Which route each session stays with: bounded, and forgotten after a while of silence.

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use jiff::Timestamp;

use crate::chat::session::SessionKey;
use crate::clock::until;
use crate::routing::RouteId;

/// How many sessions are remembered, and for how long after their last answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionBounds {
    pub most: usize,
    pub ttl: Duration,
}

impl Default for SessionBounds {
    /// None, until the settings are known.
    fn default() -> Self {
        Self { most: usize::MAX, ttl: Duration::MAX }
    }
}

/// Sessions and their routes.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    pins: HashMap<SessionKey, (RouteId, Timestamp)>,
    by_age: BTreeSet<(Timestamp, SessionKey)>,
    pub bounds: SessionBounds,
}

impl Sessions {
    /// The session was answered by this route. Returns the sessions that are forgotten for it.
    pub fn pin(&mut self, session: SessionKey, route: RouteId, seen: Timestamp) -> Vec<SessionKey> {
        match self.pins.insert(session, (route, seen)) {
            Some(newer) if newer.1 > seen => {
                self.pins.insert(session, newer);
                return Vec::new();
            }
            Some((_, before)) => drop(self.by_age.remove(&(before, session))),
            None => {}
        }
        self.by_age.insert((seen, session));
        let mut forgotten = Vec::new();
        while let Some((age, oldest)) = self.by_age.first().copied() {
            let is_over = until(age, seen) > self.bounds.ttl;
            if !is_over && self.pins.len() <= self.bounds.most {
                break;
            }
            self.by_age.pop_first();
            self.pins.remove(&oldest);
            forgotten.push(oldest);
        }
        forgotten
    }

    /// The route a session stays with, as long as it was answered not too long ago.
    pub fn route(&self, session: SessionKey, now: Timestamp) -> Option<RouteId> {
        let (route, seen) = self.pins.get(&session)?;
        (until(*seen, now) <= self.bounds.ttl).then_some(*route)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::later;

    #[test]
    fn sessions_are_bounded_and_forgotten_after_silence() {
        let at = |seconds| later(Timestamp::UNIX_EPOCH, Duration::from_secs(seconds));
        let bounds = SessionBounds { most: 2, ttl: Duration::from_secs(100) };
        let mut sessions = Sessions { bounds, ..Sessions::default() };
        let key = SessionKey;
        assert!(sessions.pin(key(1), RouteId(1), at(0)).is_empty());
        assert!(sessions.pin(key(2), RouteId(2), at(1)).is_empty());
        assert!(sessions.pin(key(1), RouteId(3), at(2)).is_empty(), "moved");
        assert_eq!(sessions.route(key(1), at(102)), Some(RouteId(3)), "each answer begins the time anew");
        assert_eq!(sessions.route(key(1), at(103)), None);
        assert_eq!(sessions.pin(key(3), RouteId(1), at(3)), [key(2)], "the longest unused makes room");
        assert_eq!(sessions.route(key(2), at(3)), None);
        assert!(sessions.pin(key(3), RouteId(2), at(1)).is_empty(), "older news");
        assert_eq!(sessions.route(key(3), at(3)), Some(RouteId(1)));
        assert_eq!(sessions.pin(key(4), RouteId(1), at(200)).len(), 2);
        assert_eq!((sessions.pins.len(), sessions.by_age.len()), (1, 1));
    }
}

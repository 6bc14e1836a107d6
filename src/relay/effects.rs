//! What answers and faults do to their routes: the failure policy's effects, and what is learned on the way.

use std::sync::Arc;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use jiff::Timestamp;

use crate::answer::Answer;
use crate::chat::fault;
use crate::chat::{Breakage, Fault, Period, Scope, Unfit};
use crate::clock::{later, until};
use crate::quota::signal::{self, Response};
use crate::quota::{Fact, Meter, Window};
use crate::routing::{Mark, MarkId, Route, RouteId, Trip};
use crate::store::Lease;

use super::Relay;

/// No model has a smaller context.
const LEAST_CONTEXT: u64 = 512;
/// After so long the documents are believed again, and the provider may say otherwise once more.
const CONTEXT_BELIEVED: Duration = Duration::from_hours(7 * 24);

/// Called once for each attempt, by attempts in flight and by whoever plays them through without a network.
impl Relay {
    pub fn note_answer(&self, route: RouteId, first_event: Duration) {
        let mut learned = self.learned();
        learned.health(route).answered(first_event);
        learned.guessed_rests[route.0] = 0;
        drop(learned);
        // The model is there; an earlier sighting of its end was a mistake.
        let mark = self.fleet.route(route).model_mark;
        let over = |mark: &Mark| mark.cause == Fault::Gone && mark.until <= self.clock.now();
        if self.store.view().marks[mark.0].as_ref().is_some_and(over) {
            self.store.lift(mark);
        }
    }

    /// What an answer took until its first event, without providers and without waiting for quota.
    pub(super) fn note_overhead(&self, answer: &Answer, trip: &Trip, all: Duration) {
        let elsewhere: Duration = answer.attempts.iter().map(|attempt| attempt.elapsed).sum();
        self.metrics.overhead(all.saturating_sub(elsewhere).saturating_sub(trip.waited()));
    }

    pub fn note_usage(&self, route: RouteId, answer_tokens: u64) {
        self.learned().health(route).used(answer_tokens);
    }

    /// The effect of a fault on its route: the one table of ARCHITECTURE.md, in code.
    pub fn note_fault(&self, route: RouteId, lease: Option<&Lease>, fault: &Fault) {
        let now = self.clock.now();
        let route = self.fleet.route(route);
        match fault {
            // Where a meter learns from the refusal what the limit is, it knows when to go on; a guess would only waste time.
            Fault::Busy { until, scope, period } => {
                let has_learned = self.learns(lease, *period, now);
                if until.is_some() || !has_learned {
                    self.rest(route, *scope, fault, now);
                }
            }
            Fault::Spent { scope, .. } => self.rest(route, *scope, fault, now),
            Fault::Gone => self.note_gone(route, now),
            Fault::Unfit(Unfit::ContextTooLong { context, .. }) => self.note_context(route, *context, fault, now),
            Fault::Denied => {
                if let Some(mark) = route.key_mark {
                    self.store.mark(mark, later(now, fault::REJECTED), fault);
                }
            }
            // It was sent, and is too large with all that it may take: this provider counts that, and not what is usual.
            Fault::Unfit(Unfit::TooLarge) if lease.is_some() => self.learned().health(route.id).counted_in_full(),
            // Providers close what was idle for some time: that is no fault of theirs.
            Fault::Broken(Breakage::Crossed)
            | Fault::Unfit(_)
            | Fault::Invalid { .. }
            | Fault::Full { .. }
            | Fault::Unknown { .. }
            | Fault::NothingSetUp
            | Fault::StoreLost => {}
            Fault::Broken(_) | Fault::Cut => self.learned().health(route.id).broke(now, route.is_local()),
        }
    }

    /// A refusal named the model's context. It is believed for a while, over all processes, and for this model alone; the newest word
    /// counts. A number too small for any request is a misunderstanding.
    fn note_context(&self, route: &Route, context: u64, fault: &Fault, now: Timestamp) {
        if context < LEAST_CONTEXT || context >= route.model.context {
            return;
        }
        tracing::warn!(route = %route.name, context, documented = route.model.context, "the provider names a smaller context");
        self.store.mark(route.context_mark, later(now, CONTEXT_BELIEVED), fault);
    }

    /// What a refusal means. The limits it names are learned.
    pub fn note_refusal(&self, route: &Route, status: u16, headers: &HeaderMap, body: &[u8]) -> Fault {
        let (dialect, now) = (route.provider.dialect, self.clock.now());
        let facts = dialect.facts(body);
        if !facts.is_empty() {
            self.store.tell(route, &facts, now, now);
        }
        let credential = route.key.and_then(|key| self.credentials[key.place].as_ref());
        without_key(dialect.classify(status, headers, body, now), credential.map(|(_, value)| value))
    }

    fn learns(&self, lease: Option<&Lease>, period: Option<Period>, now: Timestamp) -> bool {
        lease.is_some_and(|lease| self.store.refuse(lease, period, now))
    }

    /// What the headers of a response say of quotas, whose request was reserved at `since`: the meters take it, and one that says nothing is
    /// left stops the route at once, until its reset.
    pub fn note_facts(&self, route: &Route, headers: &HeaderMap, response: Response, since: Timestamp) {
        let now = self.clock.now();
        let facts = signal::facts(headers, route.provider.wire.requests_header, response, now);
        if facts.is_empty() {
            return;
        }
        self.store.tell(route, &facts, since, now);
        for fact in facts {
            if fact.remaining != Some(0) || fact.limit == Some(0) {
                continue;
            }
            let told = fact.resets_at.map(|reset| next_unit(route, &fact, reset, now));
            let reset = told.unwrap_or_else(|| self.usual_reset(route, fact.period, now));
            let (until, scope, period) = (Some(reset), fact.scope, Some(fact.period));
            let cause = match fact.period {
                Period::Day | Period::Month => Fault::Spent { until, scope, period },
                _ => Fault::Busy { until, scope, period },
            };
            let most = fault::longest_rest(&cause, route.is_local()).map(|most| later(now, most));
            self.store.mark(route.mark_for(scope), most.map_or(reset, |most| reset.min(most)), &cause);
        }
    }

    /// When a quota of this period is whole again: as the catalogue says, else as such periods usually turn.
    fn usual_reset(&self, route: &Route, period: Period, now: Timestamp) -> Timestamp {
        let usual = || Window::usual(period).restored_after(now);
        self.documented_reset(route, period, now).unwrap_or_else(usual)
    }

    /// When the route's own limit of this period is whole again, where the catalogue knows one.
    fn documented_reset(&self, route: &Route, period: Period, now: Timestamp) -> Option<Timestamp> {
        let limits = route.meters.iter().map(|meter| &self.fleet.meter_spec(*meter).limit);
        limits.filter(|limit| limit.period == period).map(|limit| limit.window.restored_after(now)).max()
    }

    /// Credit or a quota whose window nobody names is whole again with the longest window the catalogue knows of.
    fn longest_reset(&self, route: &Route, now: Timestamp) -> Option<Timestamp> {
        [Period::Month, Period::Day].into_iter().find_map(|period| self.documented_reset(route, period, now))
    }

    fn rest(&self, route: &Route, scope: Option<Scope>, fault: &Fault, now: Timestamp) {
        let documented = || match fault {
            Fault::Busy { period: Some(Period::Hour), .. } => self.documented_reset(route, Period::Hour, now),
            Fault::Spent { period: Some(period), .. } => Some(self.usual_reset(route, *period, now)),
            Fault::Spent { period: None, .. } => self.longest_reset(route, now),
            _ => None,
        };
        let moment = fault.until().or_else(documented).or_else(|| {
            let repeats = &mut self.learned().guessed_rests[route.id.0];
            let rest = fault::rest(fault, *repeats, route.is_local())?;
            *repeats += 1;
            Some(later(now, rest))
        });
        let most = fault::longest_rest(fault, route.is_local()).map(|most| later(now, most));
        if let Some(moment) = moment {
            let scope = scope.or_else(|| self.is_hot(route, fault, now).then_some(Scope::Model));
            self.store.mark(route.mark_for(scope), most.map_or(moment, |most| moment.min(most)), fault);
        }
    }

    /// Whether a refusal that names no quota is about this model alone, which everybody wants: less than half is used of what its account counts
    /// together, and no other of its models was refused.
    fn is_hot(&self, route: &Route, fault: &Fault, now: Timestamp) -> bool {
        let Fault::Busy { period: None, .. } = fault else { return false };
        let view = self.store.view();
        let shared = || route.meters.iter().map(|id| &view.meters[id.0]).filter(|it| it.limit.scope != Scope::Model);
        let is_scarce = |meter: &Arc<Meter>| {
            let level = meter.level(now);
            meter.limit.period <= Period::Hour && level.used.saturating_mul(2) >= level.limit
        };
        let rests = |mark: &Mark| mark.until > now && matches!(mark.cause, Fault::Busy { .. });
        let is_refused = |other: &Route| {
            other.account_mark == route.account_mark
                && other.model_mark != route.model_mark
                && view.marks[other.model_mark.0].as_ref().is_some_and(rests)
        };
        shared().next().is_some() && !shared().any(is_scarce) && !self.fleet.routes.iter().any(is_refused)
    }

    /// A model seen gone rests for an hour; seen gone again after that, with no answer between, it is retired.
    fn note_gone(&self, route: &Route, now: Timestamp) {
        let is_same_story =
            |mark: &Mark| mark.cause == Fault::Gone && mark.until <= now && until(mark.until, now) <= fault::SAME_STORY;
        let again = self.store.view().marks[route.model_mark.0].as_ref().is_some_and(is_same_story);
        if again {
            tracing::warn!(route = %route.name, "the model is gone for the second time and counts as retired");
            self.store.mark(route.model_mark, later(now, fault::RETIRED), &Fault::Gone);
        } else {
            self.rest(route, Some(Scope::Model), &Fault::Gone, now);
        }
    }

    /// It answered when asked all the same: what was only guessed to keep it away holds no longer. A moment its provider named does.
    pub(super) fn lift_guesses(&self, route: &Route) {
        let is_guess = |mark: &MarkId| self.store.view().marks[mark.0].as_ref().is_some_and(Mark::is_guess);
        for mark in
            [Some(route.model_mark), Some(route.account_mark), route.key_mark].into_iter().flatten().filter(is_guess)
        {
            self.store.lift(mark);
        }
    }

    /// The provider takes the route's key, whatever an attempt was told.
    pub fn note_accepted(&self, route: RouteId) {
        let mark = self.fleet.route(route).key_mark;
        if let Some(mark) = mark.filter(|mark| self.store.view().marks[mark.0].is_some()) {
            self.store.lift(mark);
        }
    }

    /// The provider's own list has the route's model: what was only guessed to keep it away holds no longer.
    pub fn note_listed(&self, route: RouteId) {
        let mark = self.fleet.route(route).model_mark;
        if self.store.view().marks[mark.0].as_ref().is_some_and(|mark| mark.cause == Fault::Gone) {
            self.store.lift(mark);
        }
    }
}

/// A fault whose words go on to the caller, without the key: some providers repeat the header that it stands in.
fn without_key(fault: Fault, credential: Option<&HeaderValue>) -> Fault {
    let key = credential.and_then(|value| value.to_str().ok()).map(|value| value.trim_start_matches("Bearer "));
    match (fault, key.filter(|key| !key.is_empty())) {
        (Fault::Invalid { status, message, param, code }, Some(key)) if message.contains(key) => {
            Fault::Invalid { status, message: message.replace(key, "[key]"), param, code }
        }
        (fault, _) => fault,
    }
}

/// A long window that refills by the clock has its next unit long before it is full again, which is what its reset tells
/// (Groq: used / limit * a day, measured 2026-08).
fn next_unit(route: &Route, fact: &Fact, reset: Timestamp, now: Timestamp) -> Timestamp {
    let same = |limit: &&crate::quota::Limit| limit.kind == fact.kind && limit.period == fact.period;
    let rolls = route
        .model
        .limits
        .iter()
        .chain(&route.provider.limits)
        .find(same)
        .is_some_and(|limit| matches!(limit.window, Window::Rolling { .. }));
    match fact.limit.and_then(|limit| u32::try_from(limit).ok()) {
        Some(limit) if rolls && fact.period >= Period::Hour && limit > 0 => later(now, until(now, reset) / limit),
        _ => reset,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_that_a_provider_repeats_goes_nowhere() {
        let said = |message: &str| Fault::Invalid { status: 400, message: message.to_owned(), param: None, code: None };
        let told = said("header authorization 'Bearer sk-12345' is malformed");
        for credential in ["Bearer sk-12345", "sk-12345"] {
            let credential = HeaderValue::from_static(credential);
            let expected = said("header authorization 'Bearer [key]' is malformed");
            assert_eq!(without_key(told.clone(), Some(&credential)), expected);
        }
        assert_eq!(without_key(told.clone(), None), told);
        assert_eq!(without_key(Fault::Denied, Some(&HeaderValue::from_static("Bearer k"))), Fault::Denied);
    }
}

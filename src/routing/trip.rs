//! The attempts of one request, as a state machine without I/O: try this, sleep until then, or stop with that.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::chat::fault::{Class, Stage};
use crate::chat::{Breakage, Fault, Unfit};
use crate::clock::{later, until};

use super::board::Board;
use super::fleet::{Fleet, Route, RouteId};
use super::need::Need;
use super::order::{Order, Ordering};
use super::rank::{Candidate, Contender, rank, room};
use super::reject::Rejection;
use super::snapshot::Snapshot;

/// How often one route may be tried for one request: a short rest can end while the request still waits.
const TRIES_PER_ROUTE: usize = 3;

/// What to do next.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    Try(Candidate),
    /// Nothing can answer before this moment, unless something is given back, and the request may wait that long.
    Sleep(Timestamp),
    Stop(Fault),
}

/// How long and how often a request may try.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// The whole trip to the first event, waiting for quota apart.
    pub deadline: Duration,
    /// Waiting for quota, all in all.
    pub max_wait: Duration,
    /// Zero means as many as there are contenders.
    pub max_attempts: usize,
}

/// The course of one request so far.
#[derive(Debug)]
pub struct Trip {
    pub need: Need,
    pub patience: Patience,
    pub order: Order,
    /// The route that answered its session last: it goes first, where it can answer at all.
    pub stays_with: Option<RouteId>,
    ends: Timestamp,
    waited: Duration,
    tried: Vec<(RouteId, Fault)>,
    /// The routes asked by earlier trips of the same request: their providers have had their turn.
    pub asked_before: Vec<RouteId>,
    /// Its place among those that wait for quota, once it has waited.
    pub place: Option<u64>,
    /// Should the route that is tried next fail, another one may be tried that works, and bills nothing.
    pub has_others: bool,
    /// Why the routes that were not tried were not, as of the last ranking.
    pub rejections: Vec<(RouteId, Rejection)>,
}

impl Trip {
    pub fn new(need: Need, patience: Patience, order: Order, now: Timestamp) -> Self {
        let ends = later(now, patience.deadline);
        Self {
            need,
            patience,
            order,
            stays_with: None,
            ends,
            waited: Duration::ZERO,
            tried: Vec::new(),
            asked_before: Vec::new(),
            place: None,
            has_others: false,
            rejections: Vec::new(),
        }
    }

    /// How long it waited for quota.
    pub const fn waited(&self) -> Duration {
        self.waited
    }

    /// The route that has room first, of those that have none now, and when.
    pub fn waits_for(&self) -> Option<(RouteId, Timestamp)> {
        let full = self.rejections.iter().filter(|(_, rejection)| rejection.class() == Class::OutOfQuota);
        full.filter_map(|(route, rejection)| Some((*route, rejection.until()?))).min_by_key(|(_, moment)| *moment)
    }

    /// The moment by which the first event must be there.
    pub const fn ends(&self) -> Timestamp {
        self.ends
    }

    /// The machine's clock was set ahead by so much, or back. The deadline moves with it.
    pub fn clock_was_set(&mut self, by: SignedDuration) {
        self.ends = self.ends.checked_add(by).unwrap_or(self.ends);
    }

    /// Whether only an upper bound of the prompt's tokens keeps a route away.
    pub fn should_count(&self) -> bool {
        !self.need.counted && self.rejections.iter().any(|(_, rejection)| rejection.depends_on_tokens())
    }

    /// Whether the prompt's length keeps a route away.
    pub fn is_too_long(&self) -> bool {
        let is_length =
            |why: &Rejection| matches!(why, Rejection::ContextTooSmall { .. } | Rejection::NeverFits { .. });
        self.rejections.iter().any(|(_, rejection)| is_length(rejection))
    }

    pub fn next(&mut self, fleet: &Fleet, snapshot: &Snapshot, board: &mut Board) -> Step {
        let now = snapshot.now;
        if let Some(invalid) = self.agreed_invalid(fleet) {
            return Step::Stop(invalid);
        }
        let mut ranking = rank(fleet, &self.need, snapshot, board);
        self.rejections = std::mem::take(&mut ranking.rejections);
        let ordering = Ordering { order: self.order, fleet, need: &self.need, snapshot };
        let tries = |route: &Route| self.tries(fleet, route);
        let is_done = |route| self.is_done_with(fleet, route);
        let stays = self.stays_with.filter(|route| !is_done(*route));
        let next = stays.and_then(|route| ordering.stays(&ranking, route)).or_else(|| {
            if self.need.trim.is_none() && self.tried.is_empty() && self.asked_before.is_empty() {
                return ordering.first(&ranking);
            }
            let contenders: Vec<Contender> = ranking.contenders(fleet).collect();
            let keeps_less = self.keeps_less(fleet, snapshot, &contenders);
            ordering.next(&contenders, |route| is_done(route) || keeps_less(route), tries).copied()
        });
        let is_other = |contender: Contender| {
            let is_next = next.is_some_and(|next| next.route == contender.route);
            !is_next && contender.is_first_choice() && !is_done(contender.route)
        };
        let has_others = ranking.contenders(fleet).any(is_other);
        if now >= self.ends {
            return Step::Stop(self.outcome(fleet).unwrap_or(Fault::Broken(Breakage::Timeout(Stage::Deadline))));
        }
        let may_try = self.may_try(0);
        self.has_others = has_others && self.may_try(1);
        match next {
            Some(contender) if may_try => Step::Try(contender.in_full(fleet, &self.need, snapshot)),
            _ if may_try => self.wait_or_stop(fleet, now),
            _ => Step::Stop(self.outcome(fleet).unwrap_or(Fault::NothingSetUp)),
        }
    }

    /// Tells whether a route would keep clearly less of a prompt that has to be cut than another free one. One keeps the most, and where
    /// none is free none keeps less: of those that may be tried some always stay.
    fn keeps_less<'a>(
        &'a self,
        fleet: &'a Fleet,
        snapshot: &'a Snapshot,
        contenders: &[Contender],
    ) -> impl Fn(RouteId) -> bool + 'a {
        let keeps = move |route| self.need.input_within(room(fleet.route(route), &self.need, snapshot));
        let is_first_choice = |it: &&Contender| it.is_first_choice() && !self.is_done_with(fleet, it.route);
        let first_choices = || contenders.iter().filter(is_first_choice).map(|it| keeps(it.route));
        let most = self.need.trim.and_then(|_| first_choices().max());
        move |route| most.is_some_and(|most| keeps(route) < most / 4 * 3)
    }

    /// A route to be asked beside `first`, which is under way.
    pub fn beside(
        &self,
        fleet: &Fleet,
        snapshot: &Snapshot,
        board: &mut Board,
        first: &Candidate,
    ) -> Option<Candidate> {
        let may_try = self.may_try(1);
        let contenders: Vec<Contender> = rank(fleet, &self.need, snapshot, board).contenders(fleet).collect();
        let ordering = Ordering { order: self.order, fleet, need: &self.need, snapshot };
        let is_out = |route: RouteId| route == first.route || self.is_done_with(fleet, route);
        let tries = |route: &Route| self.tries(fleet, route);
        let second = ordering.next(&contenders, is_out, tries).filter(|_| may_try)?;
        Some(second.in_full(fleet, &self.need, snapshot))
    }

    /// Whether the patience is for another attempt, with so many under way.
    fn may_try(&self, under_way: usize) -> bool {
        self.patience.max_attempts == 0 || self.attempts().count() + under_way < self.patience.max_attempts
    }

    /// A refused reservation sent nothing and is no attempt.
    fn attempts(&self) -> impl Iterator<Item = RouteId> {
        self.tried.iter().filter(|(_, fault)| !matches!(fault, Fault::Full { .. })).map(|(route, _)| *route)
    }

    /// Attempts at this route's provider, for this request.
    fn tries(&self, fleet: &Fleet, route: &Route) -> usize {
        let asked = self.asked_before.iter().copied().chain(self.attempts());
        asked.filter(|tried| fleet.route(*tried).provider.id == route.provider.id).count()
    }

    /// Takes note that `route` failed. A provider that may be slow stretches the trip's deadline by its own time.
    pub fn failed(&mut self, route: RouteId, fault: Fault) {
        self.tried.push((route, fault));
    }

    /// An attempt starts whose first event may take this long.
    pub fn allow(&mut self, first_event: Duration, now: Timestamp) {
        if first_event > self.patience.deadline {
            self.ends = self.ends.max(later(now, first_event));
        }
    }

    /// Time was spent waiting for quota, which the deadline does not count.
    pub fn slept(&mut self, time: Duration) {
        self.waited += time;
        self.ends = later(self.ends, time);
    }

    fn wait_or_stop(&self, fleet: &Fleet, now: Timestamp) -> Step {
        let Some(fault) = self.outcome(fleet) else { return Step::Stop(Fault::NothingSetUp) };
        if let Fault::Full { until: Some(moment) } = fault {
            let left = self.patience.max_wait.saturating_sub(self.waited);
            if moment > now && until(now, moment) <= left {
                return Step::Sleep(moment);
            }
            let may_settle =
                |rejection: &Rejection| matches!(rejection, Rejection::OutOfQuota { may_settle: true, .. });
            if !left.is_zero() && self.rejections.iter().any(|(_, rejection)| may_settle(rejection)) {
                return Step::Sleep(later(now, left));
            }
        }
        Step::Stop(fault)
    }

    /// A route is tried again only after a rest that quota asked for, where a connection's end crossed the request, and once when it has named
    /// its real context, to which the conversation may be cut. What was not granted was not tried: others were quicker.
    #[inline]
    fn is_done_with(&self, fleet: &Fleet, route: RouteId) -> bool {
        let tries =
            || self.tried.iter().filter(|(tried, fault)| *tried == route && !matches!(fault, Fault::Full { .. }));
        if self.tried.is_empty() || tries().next().is_none() {
            return false;
        }
        // Cut to what it named, the request is another one; one that is shorter than that already would be the same.
        let most =
            fleet.route(route).model.context.min(self.need.input_tokens.saturating_add(self.need.answer_tokens()));
        let told =
            |fault: &Fault| matches!(fault, Fault::Unfit(Unfit::ContextTooLong { context, .. }) if *context < most);
        let tellings = tries().filter(|(_, fault)| told(fault)).count();
        // A second time it is the request that ends connections.
        let crossed = |fault: &Fault| *fault == Fault::Broken(Breakage::Crossed);
        let crossings = tries().filter(|(_, fault)| crossed(fault)).count();
        let is_passing = |fault: &Fault| matches!(fault, Fault::Busy { .. }) || crossed(fault);
        let may_again = tries().all(|(_, fault)| is_passing(fault) || told(fault));
        !may_again || tellings > 1 || crossings > 1 || tries().count() >= TRIES_PER_ROUTE
    }

    /// The caller's own mistake, once two providers agree on it.
    fn agreed_invalid(&self, fleet: &Fleet) -> Option<Fault> {
        let invalid = || self.tried.iter().filter(|(_, fault)| fault.is_mistake());
        let provider = |route: &RouteId| &fleet.route(*route).provider.id;
        let agree = |(first, fault): &&(RouteId, Fault)| {
            invalid().any(|(route, other)| provider(route) != provider(first) && other.is_about_the_same_as(fault))
        };
        invalid().find(agree).map(|(_, fault)| fault.clone())
    }

    /// What the request comes to if it stops here. A local server that does not run is one that is not there: what the others say counts.
    fn outcome(&self, fleet: &Fleet) -> Option<Fault> {
        let is_absent = |(route, fault): &&(RouteId, Fault)| {
            fleet.route(*route).is_local() && *fault == Fault::Broken(Breakage::Unreachable)
        };
        let present: Vec<(RouteId, Fault)> = self.tried.iter().filter(|it| !is_absent(it)).cloned().collect();
        if !present.is_empty() {
            return outcome(&present, &self.rejections);
        }
        // Those whose key was rejected earlier, or who rest, are there all the same.
        let kept_away =
            |(_, rejection): &&(RouteId, Rejection)| matches!(rejection.class(), Class::OutOfQuota | Class::Keys);
        let kept_away: Vec<(RouteId, Rejection)> = self.rejections.iter().filter(kept_away).cloned().collect();
        outcome(&[], &kept_away).or_else(|| outcome(&self.tried, &self.rejections))
    }
}

/// What a request comes to whose attempts failed with these faults, and whose other routes were left out for these reasons: of all
/// causes the most retryable, with the earliest moment.
pub fn outcome(tried: &[(RouteId, Fault)], rejections: &[(RouteId, Rejection)]) -> Option<Fault> {
    let untried = rejections.iter().filter(|(route, _)| !tried.iter().any(|(tried, _)| tried == route));
    let mut faults: Vec<Fault> = tried.iter().map(|(_, fault)| fault.clone()).collect();
    faults.extend(untried.map(|(_, rejection)| rejection.as_fault()));
    let class = faults.iter().map(Fault::class).min()?;
    if class == Class::OutOfQuota {
        let rested = rejections
            .iter()
            .filter(|(_, rejection)| rejection.class() == Class::OutOfQuota)
            .filter_map(|(_, rejection)| rejection.until());
        let told = faults.iter().filter(|fault| fault.class() == Class::OutOfQuota).filter_map(Fault::until);
        return Some(Fault::Full { until: rested.min().or_else(|| told.min()) });
    }
    // Of one class, what an attempt found out says more than a rejection; a larger context more than a smaller.
    faults.into_iter().filter(|fault| fault.class() == class).max_by_key(|fault| match fault {
        Fault::Invalid { .. } => u64::MAX,
        Fault::Unfit(Unfit::Lacks(_)) => u64::MAX - 1,
        Fault::Unfit(Unfit::ContextTooLong { context, .. }) => *context,
        _ => 0,
    })
}

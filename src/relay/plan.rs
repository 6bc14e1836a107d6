//! What a request needs of the fleet, and how long and how often it may try.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use jiff::Timestamp;

use crate::answer::Attempt;
use crate::chat::{ChatRequest, Fault, Unfit};
use crate::routing::explain::SessionStory;
use crate::routing::{Explanation, Fleet, Need, Order, Patience, Prospect, Trip, Wanted};

use super::shape::Asking;
use super::{Options, Relay};

impl Relay {
    pub(super) fn need(&self, request: &ChatRequest, options: &Options) -> Result<(Need, Option<Attempt>), Fault> {
        if self.fleet.routes.is_empty() {
            return Err(Fault::NothingSetUp);
        }
        let mut need = Need::of(request, &self.fleet)?;
        need.answer_reserve = self.context.answer_reserve;
        if self.style(request, options).directs {
            need.input_tokens += self.directive.tokens;
        }
        need.avoid.clone_from(&options.avoid);
        need.strict_free = options.strict_free || self.routing.strict_free;
        need.despite_guesses = options.despite_guesses;
        need.no_training = self.routing.no_training;
        let moved = move_to_sight(&mut need, &self.fleet);
        need.insist_within_reach(&self.fleet);
        Ok((need, moved))
    }

    /// The trip of a request, and the attempt that was not made because of what it needs.
    pub fn trip(
        &self,
        request: &ChatRequest,
        options: &Options,
        now: Timestamp,
    ) -> Result<(Trip, Option<Attempt>), Fault> {
        self.trip_in_turn(request, options, self.turn.fetch_add(1, Ordering::Relaxed), now)
    }

    /// What `send` would do with this request now. Nothing is sent, nothing reserved, nobody's turn taken.
    pub async fn explain(&self, request: &ChatRequest, options: &Options) -> Result<Explanation, Fault> {
        let turn = self.turn.load(Ordering::Relaxed);
        let (mut trip, _) = self.trip_in_turn(request, options, turn, self.clock.now())?;
        let mut conversation = None;
        let next = |trip: &mut Trip| self.next_of(trip);
        let asking = Asking { request, options, conversation: None, so_far: None };
        self.shaped_step(&mut trip, asking, &mut conversation, next).await;
        let snapshot = self.snapshot_behind(None);
        let Trip { need, patience, order, .. } = &trip;
        let prospect = Prospect {
            fleet: &self.fleet,
            need,
            snapshot: &snapshot,
            order: *order,
            patience: *patience,
            stays_with: trip.stays_with,
        };
        let context = self.context_story(need, conversation.as_ref());
        let explained = prospect.explain();
        let session = SessionStory { named: options.session.is_some(), ..explained.session };
        Ok(Explanation { context, session, ..explained })
    }

    fn trip_in_turn(
        &self,
        request: &ChatRequest,
        options: &Options,
        turn: u64,
        now: Timestamp,
    ) -> Result<(Trip, Option<Attempt>), Fault> {
        let (mut need, moved) = self.need(request, options)?;
        need.seed =
            options.request_id.bytes().fold(turn, |hash, byte| hash.wrapping_mul(31).wrapping_add(u64::from(byte)));
        let patience = Patience {
            deadline: self.timeouts.deadline,
            max_wait: options.max_wait.unwrap_or(self.routing.max_wait),
            max_attempts: options.max_attempts.unwrap_or(self.routing.max_attempts),
        };
        let order = Order {
            providers: options.strategy.unwrap_or(self.routing.strategy),
            models: options.strategy.unwrap_or(self.routing.model_strategy),
            turn,
        };
        let mut trip = Trip::new(need, patience, order, now);
        trip.stays_with = options.session.and_then(|session| self.store.pinned(session, now));
        Ok((trip, moved))
    }
}

/// A model that was asked for by name but cannot see hands an image on: to its own provider's models that can, else to any.
///
/// The attempt that was not made tells the caller so.
fn move_to_sight(need: &mut Need, fleet: &Fleet) -> Option<Attempt> {
    let Wanted::Model { provider, .. } = &need.wanted else { return None };
    let sees = |wanted: &Wanted| fleet.routes.iter().any(|route| wanted.allows(route) && route.model.features.vision);
    if !need.features.vision || sees(&need.wanted) {
        return None;
    }
    let blind = fleet.routes.iter().find(|route| need.wanted.allows(route))?;
    let near = provider.clone().map(Wanted::Provider).filter(&sees);
    need.wanted = near.or_else(|| Some(Wanted::Any).filter(&sees))?;
    let fault = Some(Fault::Unfit(Unfit::Lacks("vision")));
    Some(Attempt {
        route: Arc::clone(&blind.name),
        sent: false,
        http_status: None,
        fault,
        elapsed: Duration::ZERO,
        cut: None,
    })
}

//! Shapes a request for the route that was chosen: a conversation that does not fit is cut, and the directive joins it.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::chat::system::{self, Place};
use crate::chat::tokens::exact;
use crate::chat::{ChatRequest, Fault, Unfit, fields};
use crate::context::{Digest, Fitted, Memory, Mode, Room, chain, fit, least, uncuttable, wanted};
use crate::quota::Cost;
use crate::routing::explain::ContextStory;
use crate::routing::{Need, Route, Step, Trim, Trip};
use crate::style::Style;

use super::aside::aside;
use super::{Options, Relay};

/// What a caller asks, and what was read of it.
#[derive(Clone, Copy)]
pub struct Asking<'a> {
    pub request: &'a ChatRequest,
    pub options: &'a Options,
    /// Where its length had to be known exactly.
    pub conversation: Option<&'a Conversation>,
    /// What another route had said before it broke off.
    pub so_far: Option<SoFar<'a>>,
}

/// A text that another route is to go on with.
#[derive(Clone, Copy)]
pub struct SoFar<'a> {
    pub text: &'a str,
    /// What it adds to a prompt, with the words that ask to go on.
    pub tokens: u64,
}

/// A request's messages, read and counted.
pub struct Conversation {
    digest: Arc<Digest>,
    /// Where each message stands in the list: found once, for a list may be long.
    places: Arc<[Range<usize>]>,
    /// Tokens of tool definitions, of the directive, and of the text that is to be gone on with.
    beside: u64,
    /// What the session's last turns took.
    history: Vec<u64>,
}

impl Relay {
    /// The trip's next step, as `next` tells it. Where a prompt's length is in the way it is counted exactly; where it is too long even
    /// so for every route that has quota left, it may be cut.
    pub(super) async fn shaped_step(
        &self,
        trip: &mut Trip,
        asking: Asking<'_>,
        conversation: &mut Option<Conversation>,
        next: impl Fn(&mut Trip) -> Step,
    ) -> Step {
        let mode = self.context.limits.mode;
        if mode == Mode::Dynamic && conversation.is_none() {
            *conversation = Box::pin(self.read_conversation(trip, asking)).await;
        }
        let mut step = next(trip);
        if conversation.is_none() && !matches!(step, Step::Try(_)) && trip.should_count() {
            *conversation = Box::pin(self.read_conversation(trip, asking)).await;
            step = next(trip);
        }
        let Some(conversation) = conversation.as_ref().filter(|_| mode != Mode::Off) else { return step };
        let (uncut, cut) = least(&conversation.digest);
        for least in [uncut, cut] {
            if matches!(step, Step::Try(_)) || !trip.is_too_long() {
                break;
            }
            let wanted = wanted(&conversation.digest, &self.context.limits).max(least) + conversation.beside;
            trip.need.trim = Some(Trim { least: least + conversation.beside, wanted });
            step = next(trip);
        }
        step
    }

    /// Reads and counts a request's messages, where that blocks nobody. Messages of earlier turns are known already.
    async fn read_conversation(&self, trip: &mut Trip, asking: Asking<'_>) -> Option<Conversation> {
        let Asking { request, options, .. } = asking;
        let raw = request.raw("messages").unwrap_or("[]");
        let places: Arc<[Range<usize>]> = fields::places(raw)?.into();
        let directs = self.style(request, options).directs;
        let directive = if directs { self.voice.directive.clone() } else { String::new() };
        let (owned, known, conversations) = (request.clone(), Arc::clone(&places), Arc::clone(&self.conversations));
        let reading = aside(move || {
            let messages = messages(&owned, &known);
            let chain = chain(&messages);
            let begun = locked(&conversations).take(chain);
            let tools = ["tools", "functions"].into_iter().filter_map(|name| owned.raw(name)).map(exact);
            let beside = tools.sum::<u64>() + exact(&directive);
            (begun.complete(&messages), beside)
        });
        let (digest, beside) = reading.await?;
        let beside = beside + asking.so_far.map_or(0, |so_far| so_far.tokens);
        let digest = Arc::new(digest);
        let mut memory = locked(&self.conversations);
        memory.put(Arc::clone(&digest));
        let history = memory.history(session(options, &digest));
        trip.need.count_exactly(digest.exact_tokens() + beside);
        Some(Conversation { digest, places, beside, history })
    }

    /// The request as this route gets it, and how the conversation was cut for it, where it was.
    pub(super) async fn shaped<'a>(
        &self,
        asking: Asking<'a>,
        need: &Need,
        route: &Route,
        cost: &Cost,
    ) -> Result<(Cow<'a, ChatRequest>, Option<Arc<str>>), Fault> {
        let request = asking.request;
        let fitted = match asking.conversation.filter(|_| self.context.limits.mode != Mode::Off) {
            Some(conversation) => Box::pin(self.fitted(asking, conversation, need, route, cost)).await?,
            None => None,
        };
        let cut = fitted.as_ref().map(|fitted| cut_words(fitted, asking).into());
        let directs = self.style(request, asking.options).directs;
        if fitted.is_none() && !directs {
            return Ok((Cow::Borrowed(request), None));
        }
        let joined = |messages| system::join(messages, &self.directive.json, Place::Before);
        let shaped = match fitted {
            Some(fitted) if directs => request.with_messages(&joined(&fitted.messages).applied(&fitted.messages)),
            Some(fitted) => request.with_messages(&fitted.messages),
            None => request.with_edited_messages(&joined(request.raw("messages").unwrap_or("[]"))),
        };
        Ok((Cow::Owned(shaped), cut))
    }

    /// The conversation cut to what this route takes; `None` where it fits as it is.
    async fn fitted(
        &self,
        asking: Asking<'_>,
        conversation: &Conversation,
        need: &Need,
        route: &Route,
        cost: &Cost,
    ) -> Result<Option<Fitted>, Fault> {
        let limits = self.context.limits;
        let context = self.store.view().context(route, self.clock.now());
        let is_cut = cost.input_tokens < need.input_tokens;
        let most = if is_cut { cost.input_tokens } else { context.saturating_sub(need.answer_tokens()) };
        let budget = most.saturating_sub(conversation.beside);
        let session = session(asking.options, &conversation.digest);
        if conversation.digest.tokens() <= budget {
            self.note_turn(session, conversation.digest.tokens());
            return Ok(None);
        }
        let (digest, history) = (Arc::clone(&conversation.digest), conversation.history.clone());
        let (owned, places) = (asking.request.clone(), Arc::clone(&conversation.places));
        let begins_with_user = route.provider.wire_of(&route.model).strict_order;
        let fitting = aside(move || {
            fit(
                &digest,
                &messages(&owned, &places),
                Room { budget, limits: &limits, history: &history, begins_with_user },
            )
        });
        let too_long = |needed| Fault::Unfit(Unfit::ContextTooLong { needed, context });
        let fitted = fitting.await.ok_or_else(|| too_long(need.input_tokens))?;
        let fitted = fitted.map_err(|long| too_long(long.needed + conversation.beside + need.answer_tokens()))?;
        self.note_turn(session, fitted.tokens);
        tracing::debug!(
            request = %asking.options.request_id, route = %route.name, mode = fitted.mode.word(), budget, tokens = fitted.tokens,
            kept = fitted.kept, of = asking.request.messages.count, "the conversation was cut"
        );
        Ok(Some(fitted))
    }

    fn note_turn(&self, session: u64, tokens: u64) {
        if self.context.limits.mode == Mode::Dynamic {
            locked(&self.conversations).note_turn(session, tokens);
        }
    }

    /// What style does to a request.
    pub(super) fn style(&self, request: &ChatRequest, options: &Options) -> Style {
        let style = Style::of(request, options.style.unwrap_or(self.voice.mode), self.voice.normalize);
        Style { directs: style.directs && !options.without_directive, ..style }
    }

    /// What would be done about the length of a conversation.
    pub(super) fn context_story(&self, need: &Need, conversation: Option<&Conversation>) -> ContextStory {
        let mode = self.context.limits.mode;
        ContextStory {
            mode: mode.word().into(),
            acts: conversation.map(|conversation| mode.for_conversation(&conversation.digest).word().into()),
            cuts: need.trim.is_some(),
            cut_to_tokens: need.trim.map(|trim| trim.wanted.min(need.input_tokens)),
        }
    }
}

/// The fault of a request that is too long even when it is cut, with what cannot be cut where that is most of it.
pub(super) fn why_too_long(fault: Fault, need: &Need, conversation: Option<&Conversation>) -> Fault {
    let Fault::Unfit(Unfit::ContextTooLong { needed, context }) = fault else { return fault };
    let found = conversation.filter(|_| need.trim.is_some()).and_then(|known| uncuttable(&known.digest));
    found.map_or(fault, |(place, tokens)| Fault::Unfit(Unfit::CannotBeCut { needed, context, place, tokens }))
}

/// What was done to a conversation, for its caller: `reservoir, 16 of 600 messages, 6900 of 48210 tokens`.
fn cut_words(fitted: &Fitted, asking: Asking<'_>) -> String {
    let all = asking.conversation.map_or(fitted.tokens, |conversation| conversation.digest.tokens());
    let (mode, kept, of) = (fitted.mode.word(), fitted.kept, asking.request.messages.count);
    format!("{mode}, {kept} of {of} messages, {} of {all} tokens", fitted.tokens)
}

/// A request's raw messages, by their places.
fn messages<'a>(request: &'a ChatRequest, places: &[Range<usize>]) -> Vec<&'a str> {
    let raw = request.raw("messages").unwrap_or("[]");
    places.iter().map(|place| &raw[place.clone()]).collect()
}

/// The session, or what stands for it where the caller names none: how the conversation began.
fn session(options: &Options, digest: &Digest) -> u64 {
    #[expect(clippy::cast_possible_truncation, reason = "half of a hash is one")]
    let named = options.session.map(|session| session.0 as u64);
    let began = digest.chain.get(1).or(digest.chain.first()).copied();
    named.or(began).unwrap_or_default()
}

fn locked(conversations: &Mutex<Memory>) -> MutexGuard<'_, Memory> {
    conversations.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use serde_json::{Value, json};

    use super::*;
    use crate::catalog::Overlay;
    use crate::chat::tokens::watch;
    use crate::clock::Clock;
    use crate::config::{self, Environment, Flags, Simulated};
    use crate::routing::Fleet;
    use crate::store;

    fn relay() -> Relay {
        let text = "dialect = \"openai\"\nbase_url = \"http://127.0.0.1:1/v1\"\nkey_env = [\"SIM_KEY\"]\nstatus = \"free\"\n\
            [[model]]\nid = \"m\"\nscale = \"small\"\ncontext = 8192\n";
        let catalogue = Overlay { id: "sim-a".to_owned(), place: "a test".to_owned(), text: text.to_owned() };
        let simulated = [Simulated { catalogue, key: "k".to_owned() }];
        let environment = Environment::from([("RELAY_HOME", "/nowhere")]);
        let loaded = config::load(&Flags::default(), &environment, Some(&simulated));
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let fleet = Fleet::new(&loaded.settings.accounts);
        let store = Arc::new(store::Memory::new(&fleet));
        Relay::new(&loaded.settings, fleet, store, Clock::system())
    }

    fn request(count: usize) -> ChatRequest {
        let message = |number: usize| {
            let role = if number.is_multiple_of(2) { "user" } else { "assistant" };
            json!({"role": role, "content": format!("Sentence {number} about rivers and mountains. ").repeat(12)})
        };
        let messages: Vec<Value> = (0..count).map(message).collect();
        ChatRequest::parse(Bytes::from(json!({ "messages": messages }).to_string())).expect("valid")
    }

    /// Plans and shapes one request; says how many messages were left.
    async fn turn(relay: &Relay, count: usize) -> usize {
        let (request, options) = (request(count), Options::default());
        let (mut trip, _) = relay.trip(&request, &options, relay.clock.now()).expect("a trip");
        let mut conversation = None;
        let next = |trip: &mut Trip| relay.step(trip);
        let asking = Asking { request: &request, options: &options, conversation: None, so_far: None };
        let step = relay.shaped_step(&mut trip, asking, &mut conversation, next).await;
        let Step::Try(candidate) = step else { panic!("{step:?}") };
        let asking = Asking { conversation: conversation.as_ref(), ..asking };
        let route = relay.fleet.route(candidate.route);
        let (shaped, cut) = relay.shaped(asking, &trip.need, route, &candidate.cost).await.expect("it fits");
        assert!(cut.is_some_and(|cut| cut.starts_with("reservoir, 15 of ")), "it says so");
        fields::places(shaped.raw("messages").expect("messages")).expect("a list").len()
    }

    #[tokio::test]
    async fn nothing_is_tokenised_where_requests_are_served_and_a_turn_tokenises_what_is_new() {
        let relay = relay();
        let (here, all) = (watch::here(), watch::all());
        assert_eq!(turn(&relay, 2_001).await, 16, "a system message and fifteen");
        assert!(watch::all() - all > 900_000, "the whole conversation");
        let later = request(2_003);
        let places = fields::places(later.raw("messages").expect("messages")).expect("a list");
        let begun = locked(&relay.conversations).take(chain(&messages(&later, &places)));
        assert_eq!(begun.missing(), 2);
        let before = watch::here();
        let digest = begun.complete(&messages(&later, &places));
        assert!(watch::here() - before < 4_000, "{} bytes for two messages", watch::here() - before);
        locked(&relay.conversations).put(Arc::new(digest));
        let own = watch::here() - before;
        turn(&relay, 2_003).await;
        assert_eq!(watch::here(), here + own, "this thread serves, and others tokenise");
    }
}

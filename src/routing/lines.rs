//! What a glance reads of all routes, and the prices that it tells: of hundreds most are judged by this alone.

use std::iter::zip;
use std::ops::Range;

use super::board::Outlook;
use super::fleet::Outline;
use super::health::Health;
use super::need::Need;
use super::price::LEAST;

/// No prompt, answer or context that a glance can judge has more tokens. Two such numbers can be added.
const MOST: i32 = 1 << 29;

/// Before the first answer.
const NOT_USUAL: i32 = -1;

/// What is read of a route: of its outline, its own bundle and its health, where these say no more than stands here. What is larger than
/// the numbers can say is said to be less, so that it is looked at closely.
#[derive(Debug, Clone, Copy)]
pub(super) struct Line {
    context: i32,
    /// Fewer tokens than so many fit for certain by the route's own limits: none, where there is more to be looked at.
    below: i32,
    /// The seconds that each of them costs.
    each: f32,
    /// The seconds that a request costs, however small it is, also where nothing is limited.
    request: f32,
    /// The usual seconds to the first event.
    wait: f32,
    usual_answer: i32,
    is_large: bool,
    is_paid: bool,
}

/// The lines of all routes, by `RouteId`. Outlines, bundles and healths lie far apart, and with hundreds of routes the way to memory is what
/// takes time; these lie side by side, number by number, so that the processor works out the prices of several routes in one step.
#[derive(Debug, Default)]
pub(super) struct Lines {
    contexts: Vec<i32>,
    belows: Vec<i32>,
    eaches: Vec<f32>,
    requests: Vec<f32>,
    waits: Vec<f32>,
    usual_answers: Vec<i32>,
    /// One for a strong model, else nothing.
    strengths: Vec<f32>,
    /// All bits that a price may have where its provider bills, else none.
    bills: Vec<i32>,
}

/// What the limits allow that routes of one account share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Common {
    below: i32,
    each: f32,
    request: f32,
}

/// What is asked of all routes alike.
#[derive(Debug, Clone, Copy)]
pub(super) struct Ask {
    input: i32,
    /// Tokens of prompt and answer.
    needed: i32,
    /// Tokens of an answer where nothing is usual.
    answer: i32,
    /// No answer has more.
    most: i32,
    /// Where the caller says how many there may be, twice the usual are expected.
    doubled: u32,
    /// What a strong model's quota costs on top, by its price.
    on_top: f32,
}

impl Line {
    /// Where a glance tells nothing.
    pub const NONE: Self = Self {
        context: -1,
        below: 0,
        each: 0.0,
        request: 0.0,
        wait: 0.0,
        usual_answer: NOT_USUAL,
        is_large: false,
        is_paid: false,
    };

    pub fn of(outline: &Outline, own: &Outlook, health: &Health) -> Self {
        if own.has_others || !health.is_sound() {
            return Self::NONE;
        }
        Self {
            context: small(outline.context),
            below: small(own.tokens.below),
            each: single(own.tokens.each),
            request: single(own.request.max(outline.untold)),
            wait: single(health.wait()),
            usual_answer: health.usual_answer().map_or(NOT_USUAL, |usual| small(usual).min(MOST / 2)),
            is_large: outline.is_large,
            is_paid: outline.is_paid,
        }
    }
}

impl Lines {
    /// Of so many routes of which nothing is told.
    pub fn new(routes: usize) -> Self {
        let mut lines = Self {
            contexts: vec![0; routes],
            belows: vec![0; routes],
            eaches: vec![0.0; routes],
            requests: vec![0.0; routes],
            waits: vec![0.0; routes],
            usual_answers: vec![0; routes],
            strengths: vec![0.0; routes],
            bills: vec![0; routes],
        };
        (0..routes).for_each(|route| lines.set(route, Line::NONE));
        lines
    }

    pub const fn routes(&self) -> usize {
        self.contexts.len()
    }

    pub fn set(&mut self, route: usize, line: Line) {
        self.contexts[route] = line.context;
        self.belows[route] = line.below;
        self.eaches[route] = line.each;
        self.requests[route] = line.request;
        self.waits[route] = line.wait;
        self.usual_answers[route] = line.usual_answer;
        self.strengths[route] = if line.is_large { 1.0 } else { 0.0 };
        self.bills[route] = if line.is_paid { i32::MAX } else { 0 };
    }

    /// Adds the prices of these routes, in seconds, at most a hundredth too dear; not a number where the route has to be looked at closely.
    // No branch, and nothing else in the way, or the processor would take one route after the other.
    #[inline(never)]
    pub fn prices(&self, routes: Range<usize>, common: Common, ask: Ask, prices: &mut Vec<f32>) {
        let fits = zip(&self.contexts[routes.clone()], &self.belows[routes.clone()]);
        let costs = zip(&self.eaches[routes.clone()], &self.requests[routes.clone()]);
        let usual = zip(&self.usual_answers[routes.clone()], &self.waits[routes.clone()]);
        let columns = zip(zip(fits, costs), zip(usual, &self.strengths[routes]));
        prices.extend(columns.map(|(((context, below), (each, request)), ((usual, wait), strength))| {
            let usual_answer = (*usual << ask.doubled).min(ask.most);
            let tokens = ask.input + if *usual == NOT_USUAL { ask.answer } else { usual_answer };
            let quota = larger(as_single(tokens) * larger(*each, common.each), larger(*request, common.request));
            let price = single(LEAST) + quota * (1.0 + strength * ask.on_top) + wait;
            let is_certain = (ask.needed <= *context) & (tokens < (*below).min(common.below));
            if is_certain { price } else { f32::NAN }
        }));
    }

    /// The lowest of all routes' prices, those aside that bill; infinite where there is none. And whether each is a number.
    pub fn least(&self, prices: &[f32]) -> (f32, bool) {
        // Bits of positive numbers are as their numbers, what is not a number comes after all, and whole numbers are compared in one step.
        let infinite = f32::INFINITY.to_bits().cast_signed();
        let (mut least, mut most) = (infinite, 0);
        for (price, bill) in zip(prices, &self.bills) {
            let bits = price.to_bits().cast_signed();
            least = least.min(bits | bill);
            most = most.max(bits);
        }
        (f32::from_bits(least.cast_unsigned()), most < infinite)
    }
}

impl Common {
    /// `None` where there are limits on something else than requests and tokens.
    pub fn of(shared: &Outlook) -> Option<Self> {
        let (tokens, request) = (&shared.tokens, single(shared.request));
        (!shared.has_others).then(|| Self { below: small(tokens.below), each: single(tokens.each), request })
    }
}

impl Ask {
    /// `None` where it takes a closer look at every route to tell.
    pub fn of(need: &Need, needed: u64, strong: f64) -> Option<Self> {
        let number = |tokens: u64| i32::try_from(tokens).ok().filter(|tokens| *tokens <= MOST);
        let answer = number(need.answer_tokens())?;
        let (most, doubled) = if need.max_tokens.is_some() { (answer, 1) } else { (MOST, 0) };
        let (input, needed) = (number(need.input_tokens)?, number(needed)?);
        Some(Self { input, needed, answer, most, doubled, on_top: single(strong - 1.0) })
    }
}

fn small(count: u64) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}

#[expect(clippy::cast_possible_truncation, reason = "seven digits are enough for a price")]
pub(super) const fn single(seconds: f64) -> f32 {
    seconds as f32
}

#[expect(clippy::cast_precision_loss, reason = "seven digits are enough for a price")]
#[inline]
const fn as_single(tokens: i32) -> f32 {
    tokens as f32
}

/// In one step of the processor: there is no need to look for what is not a number.
#[inline]
fn larger(one: f32, other: f32) -> f32 {
    if one > other { one } else { other }
}

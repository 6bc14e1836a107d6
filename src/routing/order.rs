//! In what order routes that can answer are tried.

use smallvec::SmallVec;

use super::fleet::{Fleet, Route, RouteId};
use super::need::Need;
use super::rank::{Contender, Ranking};
use super::snapshot::Snapshot;

/// What comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strategy {
    /// The lowest price; of comparable ones each gets its share.
    #[default]
    Auto,
    /// One after the other, request by request.
    RoundRobin,
    Random,
    /// By the usual time to the first event; unmeasured routes first.
    Fastest,
    /// By the user's `priority`, highest first.
    Priority,
}

impl Strategy {
    pub const NAMES: [(&'static str, Self); 5] = [
        ("auto", Self::Auto),
        ("round-robin", Self::RoundRobin),
        ("random", Self::Random),
        ("fastest", Self::Fastest),
        ("priority", Self::Priority),
    ];

    pub fn word(self) -> &'static str {
        Self::NAMES.iter().find(|(_, named)| *named == self).map_or("", |(name, _)| name)
    }
}

/// How one request's contenders are ordered: providers by one strategy, the models of a provider by another.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub providers: Strategy,
    pub models: Strategy,
    /// Counts requests, for strategies that take turns.
    pub turn: u64,
}

/// A price up to so many times the least is comparable to it: such routes share the traffic.
const COMPARABLE: f32 = 2.0;

/// So many routes are drawn at most before all are looked at, which takes as long.
const DRAWS: u64 = 64;

/// Small goes first: what the strategy looks at, then the share of chance.
type Key = (f64, Share, u64);

/// Routes in the fleet's order, with what their order rests on.
pub struct Ordering<'a> {
    pub order: Order,
    pub fleet: &'a Fleet,
    pub need: &'a Need,
    pub snapshot: &'a Snapshot,
}

impl Ordering<'_> {
    /// The contender to try first, for a request that tried nothing yet.
    pub fn first(&self, ranking: &Ranking) -> Option<Contender> {
        let by_price = (self.order.providers, self.order.models) == (Strategy::Auto, Strategy::Auto);
        let drawn = if by_price { self.drawn(ranking) } else { None };
        drawn.or_else(|| {
            let contenders: Vec<Contender> = ranking.contenders(self.fleet).collect();
            self.next(&contenders, |_| false, |_| 0).copied()
        })
    }

    /// What `next` would leave to chance, decided without a look at all of hundreds: where both strategies are `auto` and anybody works and
    /// is free, a route that is drawn is taken with the odds of the least price to its own, squared, else another is drawn. So each has the
    /// share that its price gives it. Where few are comparable to the cheapest, no draw may meet one.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "32 bits of chance are enough")]
    fn drawn(&self, ranking: &Ranking) -> Option<Contender> {
        let routes = ranking.routes() as u64;
        let draw = |number: u64| {
            let chance = mix(!self.need.seed.wrapping_add(number.wrapping_mul(APART)));
            let (place, uniform) = (((chance >> 32) * routes) >> 32, (chance as u32) as f32 / u32::MAX as f32);
            let contender = ranking.contender(self.fleet, RouteId(place as usize))?;
            let share = ranking.least / contender.price;
            let is_taken = share * COMPARABLE >= 1.0 && uniform <= share * share && contender.is_first_choice();
            is_taken.then_some(contender)
        };
        (0..DRAWS).find_map(draw)
    }

    /// The contender to try next: of all providers, the one tried least; paid ones after all others, and last, because where
    /// nobody else can answer a doubtful route is better than none, those whose breaker is open.
    pub fn next<'c>(
        &self,
        contenders: &'c [Contender],
        is_done: impl Fn(RouteId) -> bool,
        tries: impl Fn(&Route) -> usize,
    ) -> Option<&'c Contender> {
        if let [only] = contenders {
            return (!is_done(only.route)).then_some(only);
        }
        let groups: SmallVec<[&[Contender]; 16]> = contenders.chunk_by(|a, b| a.provider == b.provider).collect();
        let is_first_choice = |it: &&Contender| !is_done(it.route) && it.is_first_choice();
        let prices = contenders.iter().filter(is_first_choice).map(|contender| contender.price);
        let comparable = f64::from(prices.fold(f32::INFINITY, f32::min) * COMPARABLE);
        let providers = groups.len() as u64;
        let best = groups.into_iter().zip(0..).filter_map(|(group, place)| {
            let count = self.order.turn / providers;
            let contender = self.best_model(group, count, comparable, &is_done)?;
            let turn = Turn { place, of: providers, count: self.order.turn };
            let key = self.key(contender, self.order.providers, turn, comparable);
            let tries = tries(self.fleet.route(contender.route));
            Some((contender.is_shunned, contender.is_paid, tries, key, contender))
        });
        let first = best.min_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)).then_with(|| compare(a.3, b.3)));
        first.map(|(.., contender)| contender)
    }

    /// The contender to try first of one provider's. A loop that keeps the best so far: it passes hundreds of them.
    fn best_model<'c>(
        &self,
        group: &'c [Contender],
        count: u64,
        comparable: f64,
        is_done: &impl Fn(RouteId) -> bool,
    ) -> Option<&'c Contender> {
        let of = group.len() as u64;
        let mut best: Option<(Key, &Contender)> = None;
        for (contender, place) in group.iter().zip(0..).filter(|(contender, _)| !is_done(contender.route)) {
            let key = self.key(contender, self.order.models, Turn { place, of, count }, comparable);
            let is_better = best.as_ref().is_none_or(|(least, known)| {
                let by_breaker = contender.is_shunned.cmp(&known.is_shunned);
                by_breaker.then_with(|| compare(key, *least)).is_lt()
            });
            if is_better {
                best = Some((key, contender));
            }
        }
        best.map(|(_, contender)| contender)
    }

    /// The route a session stays with, where it can answer, works, and bills no more than others would.
    pub fn stays(&self, ranking: &Ranking, route: RouteId) -> Option<Contender> {
        let contender = ranking.contender(self.fleet, route)?;
        let all_bill = || ranking.contenders(self.fleet).all(|contender| contender.is_paid);
        (!contender.is_shunned && (!contender.is_paid || all_bill())).then_some(contender)
    }

    /// All contenders in the order they would be tried, if each failed.
    pub fn all(&self, ranking: &Ranking) -> Vec<Contender> {
        let contenders: Vec<Contender> = ranking.contenders(self.fleet).collect();
        let mut ordered: Vec<Contender> = self.first(ranking).into_iter().collect();
        loop {
            let is_done = |route| ordered.iter().any(|contender| contender.route == route);
            let provider = |route: RouteId| &self.fleet.route(route).provider.id;
            let tries = |route: &Route| {
                ordered.iter().filter(|contender| *provider(contender.route) == route.provider.id).count()
            };
            match self.next(&contenders, is_done, tries) {
                Some(next) => ordered.push(*next),
                None => return ordered,
            }
        }
    }

    #[inline]
    fn chance(&self, route: RouteId) -> u64 {
        mix(self.need.seed.wrapping_add((route.0 as u64).wrapping_mul(APART)))
    }

    #[inline]
    #[expect(clippy::cast_precision_loss, reason = "priorities and places are small numbers")]
    fn key(&self, contender: &Contender, strategy: Strategy, turn: Turn, comparable: f64) -> Key {
        let chance = self.chance(contender.route);
        let price = f64::from(contender.price);
        let merit = match strategy {
            Strategy::Auto if price <= comparable => return (0.0, Share::of(price, chance), chance),
            Strategy::Auto => price,
            Strategy::Fastest => self.snapshot.health(contender.route).first_event_ms.unwrap_or(0.0),
            Strategy::Priority => -(self.fleet.route(contender.route).priority as f64),
            Strategy::RoundRobin => turn.distance() as f64,
            Strategy::Random => 0.0,
        };
        (merit, Share::NONE, chance)
    }
}

/// A place among others that take turns.
#[derive(Debug, Clone, Copy)]
struct Turn {
    place: u64,
    of: u64,
    count: u64,
}

impl Turn {
    /// How many come before it.
    const fn distance(self) -> u64 {
        (self.place + self.of - self.count % self.of) % self.of
    }
}

#[inline]
fn compare(a: Key, b: Key) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then_with(|| a.1.compare(b.1)).then(a.2.cmp(&b.2))
}

/// A price with chance in it: the smallest of several such is that of each with odds of one to its price squared. So equals
/// share the traffic, and what costs twice as much gets a fifth of it.
#[derive(Debug, Clone, Copy)]
struct Share {
    square: f64,
    /// Above 0, at most 1.
    uniform: f64,
}

impl Share {
    /// Where nothing is left to chance.
    const NONE: Self = Self { square: 0.0, uniform: 1.0 };

    #[expect(clippy::cast_precision_loss, reason = "53 bits of chance are enough")]
    fn of(price: f64, chance: u64) -> Self {
        Self { square: price * price, uniform: ((chance >> 11) + 1) as f64 / (1_u64 << 53) as f64 }
    }

    /// By the square times `-ln(uniform)`. That lies between `1 - uniform` and as much divided by `uniform`, which mostly decides:
    /// a logarithm for each of hundreds of routes would take as long as their prices.
    #[inline]
    fn compare(self, other: Self) -> std::cmp::Ordering {
        if self.square.to_bits() == other.square.to_bits() {
            return other.uniform.total_cmp(&self.uniform);
        }
        let least = |share: Self| share.square * (1.0 - share.uniform);
        let exact = |share: Self| share.square * -share.uniform.ln();
        if least(self) < least(other) * self.uniform {
            std::cmp::Ordering::Less
        } else if least(other) < least(self) * other.uniform {
            std::cmp::Ordering::Greater
        } else {
            exact(self).total_cmp(&exact(other))
        }
    }
}

/// `SplitMix64`'s step from one number of its sequence to the next.
const APART: u64 = 0x9E37_79B9_7F4A_7C15;

/// The finaliser of `SplitMix64`: spreads neighbouring numbers over the whole range.
pub fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(APART);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn shares_compare_as_their_logarithms_do(prices in prop::array::uniform2(0.1_f64..50.0), chances in any::<[u64; 2]>()) {
            let [a, b] = [Share::of(prices[0], chances[0]), Share::of(prices[1], chances[1])];
            let exact = |share: Share| share.square * -share.uniform.ln();
            prop_assert_eq!(a.compare(b), exact(a).total_cmp(&exact(b)));
            let alike = Share { square: a.square, ..b };
            prop_assert_eq!(a.compare(alike), exact(a).total_cmp(&exact(alike)));
        }
    }
}

//! What a provider gives for nothing, in a few words, as its catalogue file has it.

use crate::catalog::{Provider, Status, Trains};
use crate::chat::Period;
use crate::quota::{Kind, Limit};

use super::table;

/// Models that answer chats, and requests a day where those are limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Offer {
    pub models: usize,
    pub requests_a_day: Option<u64>,
}

impl Offer {
    pub fn of(provider: &Provider) -> Self {
        let models = provider.models.iter().filter(|model| model.chats());
        let each: Vec<Option<u64>> = models.map(|model| daily(&model.limits)).collect();
        let own: u64 = each.iter().flatten().sum();
        let requests_a_day = daily(&provider.limits).or_else(|| (own > 0).then_some(own));
        Self { models: each.len(), requests_a_day }
    }

    pub fn text(self) -> String {
        let models = table::counted(self.models, "model");
        match self.requests_a_day {
            Some(requests) => format!("{models}, {requests} requests a day"),
            None => models,
        }
    }
}

fn daily(limits: &[Limit]) -> Option<u64> {
    limits.iter().filter(|it| it.kind == Kind::Requests && it.period == Period::Day).map(|it| it.amount).min()
}

/// Providers that take a key, the most useful and the easiest to get into first.
pub fn by_usefulness<'p>(providers: impl Iterator<Item = &'p Provider>) -> Vec<&'p Provider> {
    let mut providers: Vec<&Provider> =
        providers.filter(|it| !it.key_env.is_empty() && it.status != Status::Local && it.has_chats()).collect();
    let rank = |it: &&Provider| {
        let status = match it.status {
            Status::Free => 0,
            Status::Keyless => 1,
            Status::Trial => 2,
            Status::Paid | Status::Local => 3,
        };
        // Where no day's limit is published, the minute's is the one that counts.
        (status, it.card != Some(false), std::cmp::Reverse(Offer::of(it).requests_a_day.unwrap_or(1_000)))
    };
    providers.sort_by_key(rank);
    providers
}

/// What the provider does with prompts.
pub const fn training(provider: &Provider) -> &'static str {
    match provider.trains {
        Trains::Yes => "trains on prompts",
        Trains::No => "does not train on prompts",
        Trains::Unknown => "may train on prompts",
    }
}

/// Whether signing up asks for a card.
pub const fn card(provider: &Provider) -> &'static str {
    match provider.card {
        Some(true) => "card",
        Some(false) => "no card",
        None => "card unknown",
    }
}

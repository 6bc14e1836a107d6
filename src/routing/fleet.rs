//! Every route there is, with the meters and marks each one touches.

use std::collections::HashMap;
use std::sync::Arc;

use smallvec::SmallVec;

use crate::catalog::{Model, Provider, Scale, Status, Trains};
use crate::chat::{Features, Scope};
use crate::quota::{Kind, Limit};

use super::price::Price;

/// A route's place in its fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RouteId(pub usize);

/// A meter's place in its fleet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MeterId(pub usize);

/// The place of a bundle: the meters of all limits that the same routes count against together, a model's own or those its account's
/// models share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct BundleId(pub usize);

/// The place of a mark. Of a not-before mark: one per route's model and account, one per account, one per key; of a context, one per model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct MarkId(pub usize);

/// A key's place in the list of keys, and a hash by which other processes know it. The key itself is known to the upstream side alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct KeyId {
    pub place: usize,
    pub hash: u64,
}

/// Provider + key + model: the smallest thing that can be limited, broken or chosen.
#[derive(Debug, Clone)]
pub struct Route {
    pub id: RouteId,
    /// `provider/model`, as callers name it.
    pub name: Arc<str>,
    pub provider: Arc<Provider>,
    pub model: Arc<Model>,
    /// `None` where the provider takes no key.
    pub key: Option<KeyId>,
    /// The meters a request over this route counts against: those of its account first, then those of its model.
    pub meters: Vec<MeterId>,
    pub model_mark: MarkId,
    pub account_mark: MarkId,
    /// Set while its provider rejects the key.
    pub key_mark: Option<MarkId>,
    /// Set by a refusal that names the model's real context; its cause holds it.
    pub context_mark: MarkId,
    /// Higher goes first under the `priority` strategy.
    pub priority: i64,
    /// Requests that its provider is asked at a time, all routes together; `None` where there is no bound.
    pub max_concurrency: Option<usize>,
}

impl Route {
    pub fn is_local(&self) -> bool {
        self.provider.status == Status::Local
    }

    /// Nothing proves that using it stays free.
    pub fn might_bill(&self) -> bool {
        !self.provider.hard_stop && !self.is_local()
    }

    /// Its provider says that it trains on prompts.
    pub fn trains(&self) -> bool {
        self.provider.trains == Trains::Yes
    }

    /// The mark that a fault of this scope sets: where the provider counts all models together, all of them rest.
    pub fn mark_for(&self, scope: Option<Scope>) -> MarkId {
        let counted_by_model = !self.model.limits.is_empty() || self.provider.limits.is_empty();
        let of_model = scope.map_or(counted_by_model, |scope| scope == Scope::Model);
        if of_model { self.model_mark } else { self.account_mark }
    }
}

/// What ranking reads of a route, besides its meters and its health.
#[derive(Debug, Clone)]
pub struct Outline {
    pub context: u64,
    pub features: Features,
    /// The first route of its provider.
    pub provider: u32,
    pub is_large: bool,
    pub is_paid: bool,
    /// The time that its quota is taken to cost where it has no limits.
    pub untold: f64,
    /// The bundle of its model's own meters, and that of the meters it shares with other models: all of its meters.
    pub own: BundleId,
    pub shared: BundleId,
    /// The marks of its model, account, key and context: which of these holds, a closer look tells.
    pub marks: [u32; 4],
}

/// A meter to be kept by a store: a name that means the same in every process, and its limit.
#[derive(Debug, Clone, PartialEq)]
pub struct MeterSpec {
    /// `provider/account/model or */kind/period`.
    pub name: String,
    pub limit: Limit,
}

/// A provider that is set up: with a key, or needing none.
#[derive(Debug, Clone)]
pub struct Account {
    pub provider: Arc<Provider>,
    pub keys: Vec<KeyId>,
    /// Each key is an account of its own, and their quotas add up. The user says so, or it is not assumed.
    pub separate: bool,
    pub priority: i64,
    pub max_concurrency: Option<usize>,
}

/// All routes with what they share. Fixed for the life of a process.
#[derive(Debug, Clone, Default)]
pub struct Fleet {
    pub routes: Vec<Route>,
    /// By `RouteId`.
    pub outlines: Vec<Outline>,
    pub meters: Vec<MeterSpec>,
    /// The meters of each bundle, by `BundleId`.
    pub bundles: Vec<Vec<MeterId>>,
    /// The bundles that each meter is in, by `MeterId`: more than one where accounts have limits of their own, and one they share.
    pub bundles_of: Arc<Vec<SmallVec<[BundleId; 1]>>>,
    /// Names of the marks, by `MarkId`.
    pub marks: Vec<String>,
    /// The smallest context there is, where nothing but contexts asks how many tokens a prompt has: a prompt with fewer bytes fits
    /// everywhere, uncounted. Zero where something else asks too.
    pub fits_uncounted: u64,
    by_name: HashMap<String, usize>,
}

impl Fleet {
    pub fn new(accounts: &[Account]) -> Self {
        let mut fleet = Self::default();
        for account in accounts {
            let keys: Vec<Option<KeyId>> =
                if account.keys.is_empty() { vec![None] } else { account.keys.iter().copied().map(Some).collect() };
            for (index, key) in keys.into_iter().enumerate() {
                let number = if account.separate { index } else { 0 };
                for model in account.provider.models.iter().filter(|model| model.chats()) {
                    fleet.add(account, number, key, model);
                }
            }
        }
        let mut bundles_of = vec![SmallVec::new(); fleet.meters.len()];
        for (index, bundle) in fleet.bundles.iter().enumerate() {
            for meter in bundle {
                bundles_of[meter.0].push(BundleId(index));
            }
        }
        fleet.bundles_of = Arc::new(bundles_of);
        let counts_tokens = fleet.meters.iter().any(|meter| meter.limit.kind != Kind::Requests)
            || fleet.routes.iter().any(|route| route.provider.dialect.sizes_context());
        let contexts = fleet.routes.iter().map(|route| route.model.context);
        fleet.fits_uncounted = if counts_tokens { 0 } else { contexts.min().unwrap_or(0) };
        fleet
    }

    fn add(&mut self, account: &Account, number: usize, key: Option<KeyId>, model: &Model) {
        let provider = &account.provider;
        let owner = format!("{}/{number}", provider.id);
        let shared = provider.limits.iter().map(|limit| {
            (
                if matches!(limit.scope, Scope::Ip | Scope::Everyone) { provider.id.clone() } else { owner.clone() },
                "*",
                limit,
            )
        });
        let own = model.limits.iter().map(|limit| (owner.clone(), model.id.as_str(), limit));
        let shared: Vec<MeterId> = shared.map(|(owner, of, limit)| self.meter(&owner, of, limit)).collect();
        let own: Vec<MeterId> = own.map(|(owner, of, limit)| self.meter(&owner, of, limit)).collect();
        let route = Route {
            id: RouteId(self.routes.len()),
            name: format!("{}/{}", provider.id, model.id).into(),
            provider: Arc::clone(provider),
            model: Arc::new(model.clone()),
            key,
            meters: shared.iter().chain(&own).copied().collect(),
            model_mark: self.mark(format!("{owner}/{}", model.id)),
            account_mark: self.mark(format!("{owner}/*")),
            key_mark: key.map(|key| self.mark(format!("{}/key {:016x}", provider.id, key.hash))),
            context_mark: self.mark(format!("{}/{} context", provider.id, model.id)),
            priority: account.priority,
            max_concurrency: account.max_concurrency,
        };
        let bundles = [own, shared].map(|meters| self.bundle(meters));
        self.outline(&route, bundles);
        self.routes.push(route);
    }

    fn outline(&mut self, route: &Route, [own, shared]: [BundleId; 2]) {
        let place = |index: usize| u32::try_from(index).expect("a fleet has some thousands of routes at most");
        let first = self.routes.iter().position(|known| Arc::ptr_eq(&known.provider, &route.provider));
        self.outlines.push(Outline {
            context: route.model.context,
            features: route.model.features,
            provider: place(first.unwrap_or(route.id.0)),
            is_large: route.model.scale == Scale::Large,
            is_paid: route.provider.status == Status::Paid,
            untold: Price::untold(route),
            own,
            shared,
            marks: [Some(route.model_mark), Some(route.account_mark), route.key_mark, Some(route.context_mark)]
                .map(|mark| place(mark.unwrap_or(route.model_mark).0)),
        });
    }

    fn bundle(&mut self, meters: Vec<MeterId>) -> BundleId {
        let known = self.bundles.iter().position(|known| *known == meters);
        BundleId(known.unwrap_or_else(|| {
            self.bundles.push(meters);
            self.bundles.len() - 1
        }))
    }

    fn meter(&mut self, owner: &str, of: &str, limit: &Limit) -> MeterId {
        let name = format!("{owner}/{of}/{}", limit.label());
        let next = self.meters.len();
        let id = *self.by_name.entry(format!("meter {name}")).or_insert(next);
        if id == next {
            self.meters.push(MeterSpec { name, limit: limit.clone() });
        }
        MeterId(id)
    }

    fn mark(&mut self, name: String) -> MarkId {
        let next = self.marks.len();
        let id = *self.by_name.entry(format!("mark {name}")).or_insert(next);
        if id == next {
            self.marks.push(name);
        }
        MarkId(id)
    }

    pub fn route(&self, id: RouteId) -> &Route {
        &self.routes[id.0]
    }

    pub fn meter_spec(&self, id: MeterId) -> &MeterSpec {
        &self.meters[id.0]
    }

    /// Provider ids, each once, in their order.
    pub fn provider_ids(&self) -> Vec<&str> {
        let mut ids: Vec<&str> = self.routes.iter().map(|route| route.provider.id.as_str()).collect();
        ids.dedup();
        ids
    }
}

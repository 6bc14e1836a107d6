//! Limits that change while relay runs: the same meters, other numbers.

use crate::routing::{Fleet, MeterId, MeterSpec};

use super::Relay;

/// What of a newer catalogue a running relay took over.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Adopted {
    /// Meters that have another limit now.
    pub changed: usize,
    /// Limits of things that this process does not know: they wait for a restart.
    pub waiting: usize,
    /// Meters of known providers that these have no more: they count until a restart.
    pub gone: usize,
}

impl Relay {
    /// Gives every meter the limit that a fleet of the newer catalogue has for it.
    ///
    /// Routes stay as they are for the life of a process: models and kinds of limits that are new, or gone, wait for a restart.
    pub fn adopt_limits(&self, newer: &Fleet) -> Adopted {
        let view = self.store().view();
        let mut adopted = Adopted::default();
        for spec in &newer.meters {
            match self.fleet.meters.iter().position(|known| known.name == spec.name) {
                Some(index) if view.meters[index].limit != spec.limit => {
                    self.store().set_limit(MeterId(index), spec.limit.clone());
                    adopted.changed += 1;
                }
                Some(_) => {}
                None => adopted.waiting += 1,
            }
        }
        let providers = newer.provider_ids();
        let is_gone = |spec: &&MeterSpec| {
            let provider = spec.name.split('/').next().unwrap_or_default();
            providers.contains(&provider) && newer.meters.iter().all(|known| known.name != spec.name)
        };
        adopted.gone = self.fleet.meters.iter().filter(is_gone).count();
        adopted
    }
}

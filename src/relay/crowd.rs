//! Providers that are asked no more than so many things at a time, where the user says so.

use std::sync::Arc;

use smallvec::SmallVec;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::routing::{Fleet, Outline};

/// One of the requests that a provider may be asked at a time. It is free again when this is dropped.
pub type Place = OwnedSemaphorePermit;

/// The free places of those providers, in this process.
#[derive(Debug)]
pub(super) struct Crowd(Vec<Bounded>);

#[derive(Debug)]
struct Bounded {
    /// As outlines name it.
    provider: u32,
    free: Arc<Semaphore>,
}

impl Crowd {
    pub fn new(fleet: &Fleet) -> Self {
        let mut bounded: Vec<Bounded> = Vec::new();
        for (route, outline) in fleet.routes.iter().zip(&fleet.outlines) {
            if let Some(most) = route.max_concurrency
                && bounded.last().is_none_or(|last| last.provider != outline.provider)
            {
                let free = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
                bounded.push(Bounded { provider: outline.provider, free });
            }
        }
        Self(bounded)
    }

    /// The providers that have no place free.
    pub fn full(&self) -> SmallVec<[u32; 2]> {
        let full = self.0.iter().filter(|bounded| bounded.free.available_permits() == 0);
        full.map(|bounded| bounded.provider).collect()
    }

    /// A place at the route's provider; `None` where it needs none. An error where none is free.
    pub fn enter(&self, outline: &Outline) -> Result<Option<Place>, ()> {
        let Some(bounded) = self.0.iter().find(|bounded| bounded.provider == outline.provider) else { return Ok(None) };
        Arc::clone(&bounded.free).try_acquire_owned().map(Some).map_err(|_| ())
    }
}

//! A running simulator: providers on a loopback port, their scripts, and what they saw.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::clock::Clock;

use super::act::Act;
use super::call::{Call, Counters};
use super::exchange::World;
use super::provider::{Provider, SimProvider};
use super::scenario::Scenario;
use super::server::accept;

/// Simulated providers that listen on loopback. Dropping it ends them soon, `stop` waits for that.
#[derive(Debug)]
pub struct Simulator {
    world: Arc<World>,
    providers: Vec<SimProvider>,
    tasks: TaskTracker,
    stop: CancellationToken,
}

impl Simulator {
    /// Binds a free loopback port and serves until dropped or stopped. Limits and dates follow `clock`, latencies real time.
    pub async fn start(scenario: Scenario, seed: u64, clock: Clock) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let origin = format!("http://{}", listener.local_addr()?);
        let now = clock.now();
        let providers: Vec<Provider> =
            scenario.into_providers().into_iter().map(|spec| Provider::new(spec, seed, now)).collect();
        let described = providers.iter().map(|provider| provider.described(&origin)).collect();
        let world = Arc::new(World { providers, clock, seed, counters: Arc::new(Counters::default()) });
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        tasks.spawn(accept(listener, Arc::clone(&world), tasks.clone(), stop.clone()));
        tasks.close();
        Ok(Self { world, providers: described, tasks, stop })
    }

    pub fn providers(&self) -> &[SimProvider] {
        &self.providers
    }

    /// Queues acts for the next chat calls of a provider, first in, first out. Each is for one call that has a good key and a known model.
    ///
    /// # Panics
    /// When the scenario has no such provider, as do `script_models` and `calls`.
    pub fn script(&self, provider: &str, acts: impl IntoIterator<Item = Act>) {
        self.provider(provider).script(acts);
    }

    /// Drops the acts for chat calls that nobody has made.
    pub fn unscript(&self, provider: &str) {
        self.provider(provider).unscript();
    }

    /// Queues acts for the next requests for a provider's model list.
    pub fn script_models(&self, provider: &str, acts: impl IntoIterator<Item = Act>) {
        self.provider(provider).script_list(acts);
    }

    /// All calls a provider got, model lists too, in order of arrival.
    pub fn calls(&self, provider: &str) -> Vec<Call> {
        self.provider(provider).log.calls()
    }

    /// What was wrong with the requests a provider refused as faulty, in order; empty when it took all of them.
    pub fn rejections(&self, provider: &str) -> Vec<String> {
        self.calls(provider).into_iter().filter_map(|call| call.notes.rejected).collect()
    }

    /// Requests of any kind to any provider or none.
    pub fn total_calls(&self) -> u64 {
        self.world.counters.calls.load(Ordering::Relaxed)
    }

    pub fn open_connections(&self) -> usize {
        self.world.counters.connections.load(Ordering::Relaxed)
    }

    pub fn open_requests(&self) -> usize {
        self.world.counters.requests.load(Ordering::Relaxed)
    }

    /// How many calls the client left before the end.
    pub fn client_gone(&self) -> u64 {
        self.world.counters.client_gone.load(Ordering::Relaxed)
    }

    /// Whether calls are remembered from here on (they are at first); counting goes on either way.
    pub fn set_keeping_calls(&self, keep: bool) {
        self.world.counters.forgetting.store(!keep, Ordering::Relaxed);
    }

    /// Ends all connections and waits until nothing is left of them.
    pub async fn stop(self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }

    fn provider(&self, id: &str) -> &Provider {
        let found = self.world.providers.iter().find(|provider| provider.spec.id == id);
        found.unwrap_or_else(|| panic!("no simulated provider `{id}` in this scenario"))
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

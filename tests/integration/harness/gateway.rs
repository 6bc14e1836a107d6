//! A gateway in this process, over fake providers it prefers in the order they are given.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use relay::catalog::Provider;
use relay::clock::Clock;
use relay::config::{self, Environment, Flags};
use relay::gateway::{Gateway as Served, RequestLine, Server, Stopped};
use relay::relay::Relay;
use relay::routing::{Fleet, Strategy};
use relay::store::{Memory, OnLoss, Sqlite, Store};
use tempfile::TempDir;
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::client::Asking;
use super::providers::{Fake, Providers};

/// A gateway to be.
#[must_use]
pub struct Building {
    fakes: Vec<Fake>,
    config: String,
    key: &'static str,
    clock: Clock,
    moved: Vec<(&'static str, SocketAddr)>,
    wired: Vec<(&'static str, &'static str)>,
    max_concurrency: Option<usize>,
    in_file: bool,
}

pub fn gateway() -> Building {
    Building {
        fakes: Vec::new(),
        config: String::new(),
        key: "",
        clock: Clock::system(),
        moved: Vec::new(),
        wired: Vec::new(),
        max_concurrency: None,
        in_file: false,
    }
}

impl Building {
    pub fn over(mut self, fakes: impl IntoIterator<Item = Fake>) -> Self {
        self.fakes.extend(fakes);
        self
    }

    /// Lines of `config.toml`.
    pub fn config(mut self, lines: &str) -> Self {
        self.config.push_str(lines);
        self
    }

    /// Asks its clients for this key.
    pub fn key(mut self, key: &'static str) -> Self {
        self.key = key;
        self
    }

    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = clock;
        self
    }

    /// Asks each provider so many things at a time.
    pub fn max_concurrency(mut self, most: usize) -> Self {
        self.max_concurrency = Some(most);
        self
    }

    /// Keeps its state in `Gateway::state_file`.
    pub fn in_file(mut self) -> Self {
        self.in_file = true;
        self
    }

    /// This provider's `[wire]` has one more line.
    pub fn wired(mut self, id: &'static str, line: &'static str) -> Self {
        self.wired.push((id, line));
        self
    }

    /// Looks for this provider at another address.
    pub fn elsewhere(mut self, id: &'static str, address: SocketAddr) -> Self {
        self.moved.push((id, address));
        self
    }

    pub async fn start(self) -> Gateway {
        let providers = Providers::start(self.fakes, self.clock.clone()).await;
        let home = tempfile::tempdir().expect("a folder");
        std::fs::write(home.path().join("config.toml"), &self.config).expect("the folder is writable");
        let folder = home.path().to_str().expect("a plain path");
        let environment = Environment::from([("RELAY_HOME", folder), ("RELAY_API_KEY", self.key)]);
        let mut simulated = providers.simulated();
        for (id, line) in self.wired {
            let file = &mut simulated.iter_mut().find(|it| it.catalogue.id == id).expect("a fake of this id").catalogue;
            file.text = file.text.replacen("[wire]\n", &format!("[wire]\n{line}\n"), 1);
        }
        let loaded = config::load(&Flags::default(), &environment, Some(&simulated));
        assert!(loaded.problems.is_empty(), "{:?}", loaded.problems);
        let mut settings = loaded.settings;
        settings.routing.strategy = Strategy::Priority;
        for (rank, id) in (0..).zip(providers.ids()) {
            let accounts = &mut settings.accounts;
            let account = accounts.iter_mut().find(|account| account.provider.id == id);
            let account = account.expect("every fake is set up");
            account.priority = -rank;
            account.max_concurrency = self.max_concurrency;
        }
        for (id, address) in self.moved {
            let account = settings.accounts.iter_mut().find(|account| account.provider.id == id);
            let provider = &mut account.expect("every fake is set up").provider;
            *provider = Arc::new(Provider { base_url: format!("http://{address}/v1"), ..provider.as_ref().clone() });
        }
        let fleet = Fleet::new(&settings.accounts);
        let state_file = home.path().join("relay.db");
        let store: Arc<dyn Store> = if self.in_file {
            let store = Sqlite::open(&state_file, &fleet, OnLoss::Refuse, self.clock.now());
            Arc::new(store.expect("the folder is writable"))
        } else {
            Arc::new(Memory::new(&fleet))
        };
        let relay = Arc::new(Relay::new(&settings, fleet, store, self.clock));
        let lines = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&lines);
        let gateway = Arc::new(Served::new(
            Arc::clone(&relay),
            settings.server.clone(),
            Arc::new(move |line: &RequestLine| log.lock().expect("no poison").push(line.clone())),
        ));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback can be bound");
        let address = listener.local_addr().expect("a bound socket has an address");
        let (stop, stopping) = oneshot::channel::<()>();
        let server = Server { listener, gateway: Arc::clone(&gateway) };
        let running = tokio::spawn(server.run(async { drop(stopping.await) }, std::future::pending()));
        Gateway { providers, relay, served: gateway, address, lines, state_file, stop, running, _home: home }
    }
}

/// A running gateway.
pub struct Gateway {
    pub providers: Providers,
    pub relay: Arc<Relay>,
    pub served: Arc<Served>,
    pub address: SocketAddr,
    pub state_file: PathBuf,
    lines: Arc<Mutex<Vec<RequestLine>>>,
    stop: oneshot::Sender<()>,
    running: JoinHandle<Stopped>,
    _home: TempDir,
}

impl Gateway {
    /// A chat with one user message.
    pub fn ask(&self, prompt: &str) -> Asking {
        Asking::chat(self.address, prompt)
    }

    /// A chat whose body are these bytes.
    pub fn post(&self, body: impl Into<Vec<u8>>) -> Asking {
        Asking::to(self.address, "POST", "/v1/chat/completions").body(body)
    }

    pub fn get(&self, path: &str) -> Asking {
        Asking::to(self.address, "GET", path)
    }

    pub fn request(&self, method: &str, path: &str) -> Asking {
        Asking::to(self.address, method, path)
    }

    /// The chats that have ended, as the log tells them.
    pub fn lines(&self) -> Vec<RequestLine> {
        self.lines.lock().expect("no poison").clone()
    }

    /// Nothing is being answered, and every reservation is settled.
    pub fn is_idle(&self) -> bool {
        self.relay.in_flight() == 0
            && self.relay.store().open_leases() == 0
            && self.providers.simulator.open_requests() == 0
    }

    /// Stops taking connections and waits for the open ones.
    pub async fn stop(self) -> Stopped {
        drop(self.stop);
        let stopped = tokio::time::timeout(Duration::from_secs(5), self.running).await;
        stopped.expect("the server stops").expect("the server does not panic")
    }
}

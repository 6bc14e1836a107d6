//! Fake providers: real sockets on loopback, a script each, and a failing test when a script was not played to its end.

use relay::catalog::Overlay;
use relay::clock::Clock;
use relay::config::Simulated;
use relay::sim::{Act, Call, Limit, ModelSpec, ProviderSpec, Scenario, SimProvider, Simulator};

/// What is in the paths of chats.
const CHATS: [&str; 4] = ["/chat/completions", ":generateContent", ":streamGenerateContent", "/api/chat"];

/// A provider to be: one model `sim-m` unless it is given others, and what it does call by call.
#[must_use]
pub struct Fake {
    pub spec: ProviderSpec,
    acts: Vec<Act>,
}

pub fn provider(id: &str) -> Fake {
    Fake { spec: ProviderSpec::new(id), acts: Vec::new() }
}

impl Fake {
    /// What it does with its next calls. All of it has to happen, or the test fails.
    pub fn answers(mut self, acts: impl IntoIterator<Item = Act>) -> Self {
        self.acts.extend(acts);
        self
    }

    pub fn model(mut self, model: ModelSpec) -> Self {
        self.spec = self.spec.model(model);
        self
    }

    pub fn limit(mut self, limit: Limit) -> Self {
        self.spec = self.spec.limit(limit);
        self
    }

    pub fn spec(mut self, change: impl FnOnce(ProviderSpec) -> ProviderSpec) -> Self {
        self.spec = change(self.spec);
        self
    }
}

/// Fake providers at work, in the order they are to be preferred.
pub struct Providers {
    pub simulator: Simulator,
    /// Each with the number of calls it has to get.
    scripted: Vec<(String, usize)>,
}

impl Providers {
    pub async fn start(fakes: impl IntoIterator<Item = Fake>, clock: Clock) -> Self {
        let (mut specs, mut scripts) = (Vec::new(), Vec::new());
        for Fake { mut spec, acts } in fakes {
            if spec.models.is_empty() {
                spec = spec.model(ModelSpec::new("sim-m"));
            }
            scripts.push((spec.id.clone(), acts));
            specs.push(spec);
        }
        let simulator = Simulator::start(Scenario::Custom(specs), 1, clock).await.expect("loopback can be bound");
        let scripted = scripts.iter().map(|(id, acts)| (id.clone(), acts.len())).collect();
        for (id, acts) in scripts {
            simulator.script(&id, acts);
        }
        Self { simulator, scripted }
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.scripted.iter().map(|(id, _)| id.as_str())
    }

    pub fn described(&self) -> &[SimProvider] {
        self.simulator.providers()
    }

    /// As `config::load` wants them.
    pub fn simulated(&self) -> Vec<Simulated> {
        let one = |provider: &SimProvider| Simulated {
            catalogue: Overlay {
                id: provider.id.clone(),
                place: format!("fake {}", provider.id),
                text: provider.catalogue.clone(),
            },
            key: provider.key.clone(),
        };
        self.described().iter().map(one).collect()
    }

    /// The chats a provider was asked for, in whatever dialect.
    pub fn chats(&self, id: &str) -> Vec<Call> {
        let mut calls = self.simulator.calls(id);
        calls.retain(|call| CHATS.iter().any(|path| call.path.contains(path)));
        calls
    }

    /// The one chat a provider was asked for.
    #[track_caller]
    pub fn only_chat(&self, id: &str) -> Call {
        let calls = self.chats(id);
        assert_eq!(calls.len(), 1, "calls of {id}");
        calls.into_iter().next().expect("one call")
    }
}

impl Drop for Providers {
    fn drop(&mut self) {
        if std::thread::panicking() {
            return;
        }
        for (id, scripted) in &self.scripted {
            let calls = self.chats(id).len();
            assert!(calls >= *scripted, "{id} was to play {scripted} acts, and was called {calls} times");
        }
    }
}

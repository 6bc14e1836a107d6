//! A simulated provider asked by a function call: its limits, headers and refusals, without a socket and without an answer's text.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::limit::Cost;
use super::provider::{Provider, SimProvider};
use super::refusal::Refusal;
use super::spec::ProviderSpec;

/// Counts calls against its limits as the simulator does, at any moment it is told.
#[derive(Debug)]
pub struct Offline {
    provider: Provider,
}

/// The head of a response, and of a refusal the body too.
#[derive(Debug, Clone)]
pub struct Told {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Offline {
    pub fn new(spec: ProviderSpec, seed: u64, now: Timestamp) -> Self {
        Self { provider: Provider::new(spec, seed, now) }
    }

    pub fn spec(&self) -> &ProviderSpec {
        &self.provider.spec
    }

    /// As its users know it. Its address leads nowhere.
    pub fn described(&self) -> SimProvider {
        self.provider.described("http://127.0.0.1:9")
    }

    /// Takes or refuses a call with so many tokens of prompt and answer.
    pub fn ask(&self, model: &str, prompt: u64, answer: u64, now: Timestamp) -> Told {
        let Some((place, _)) = self.provider.model(model) else { return self.refuse(Refusal::unknown(model)) };
        let cost = Cost { prompt, answer };
        let admitted = self.provider.admit(place, cost, now, false);
        let headers = self.provider.rate_headers(place, admitted.is_ok().then_some(cost), now);
        match admitted {
            Ok(()) => Told { status: 200, headers: header_map(headers), body: Bytes::new() },
            Err(mut refusal) => {
                refusal.headers.extend(headers);
                self.refuse(refusal)
            }
        }
    }

    fn refuse(&self, refusal: Refusal) -> Told {
        let told = self.provider.tell(refusal);
        Told { status: told.status, body: told.body().to_string().into(), headers: header_map(told.headers) }
    }
}

fn header_map(headers: Vec<(&'static str, String)>) -> HeaderMap {
    let pairs = headers
        .into_iter()
        .filter_map(|(name, text)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(text).ok()?)));
    pairs.collect()
}

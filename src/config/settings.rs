//! Settings as the program runs with them: complete, checked, each default in its one place.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use http::HeaderValue;
use secrecy::SecretString;

use crate::catalog::Catalog;
use crate::routing::{Account, Strategy};
use crate::store::OnLoss;
use crate::upstream::{Key, Network};

use super::conversation::{Context, Sessions, Voice};

/// Bytes that a request has at most, unless a gateway is told to take more.
pub const MOST_BODY: usize = 32 * 1024 * 1024;

/// Everything that was configured.
#[derive(Debug, Clone)]
pub struct Settings {
    pub server: Server,
    pub routing: Routing,
    pub timeouts: Timeouts,
    pub context: Context,
    pub voice: Voice,
    pub sessions: Sessions,
    pub state: State,
    pub network: Network,
    pub catalog: Catalog,
    /// Providers that are set up, in the catalogue's order.
    pub accounts: Vec<Account>,
    /// The providers' keys, by `KeyId`.
    pub keys: Vec<Key>,
    /// Providers that are not set up.
    pub left_out: Vec<LeftOut>,
}

impl Settings {
    /// Providers that have a key and lack something else.
    pub fn incomplete(&self) -> impl Iterator<Item = &LeftOut> {
        self.left_out.iter().filter(|left_out| !left_out.keys.is_empty())
    }
}

/// A provider that is not set up.
#[derive(Debug, Clone)]
pub struct LeftOut {
    pub provider: String,
    pub why: Why,
    /// Its keys, where it lacks something else alone.
    pub keys: Vec<Key>,
}

impl LeftOut {
    /// `provider: no account id, set PROVIDER_ACCOUNT_ID beside its key`.
    pub fn text(&self) -> String {
        format!("{}: {}, {}", self.provider, self.why.word(), self.why.remedy())
    }
}

/// Why a provider is not set up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// This variable would hold its key.
    NoKey(String),
    /// This variable would hold the account id that its base URL needs; a key is there.
    NoAccount(String),
    /// It takes no key, and such services are used only on request.
    Keyless,
    SwitchedOff,
    Mistaken,
    /// It is reached over the network, and nothing may leave this machine.
    Offline,
}

impl Why {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::NoKey(_) => "no key",
            Self::NoAccount(_) => "no account id",
            Self::Keyless => "keyless",
            Self::SwitchedOff => "disabled",
            Self::Mistaken => "mistaken",
            Self::Offline => "offline",
        }
    }

    /// What would have to be done to use the provider.
    pub fn remedy(&self) -> String {
        match self {
            Self::NoKey(variable) => format!("set {variable}"),
            Self::NoAccount(variable) => format!("set {variable} beside its key"),
            Self::Keyless => "use --keyless, or set it under [routing]".to_owned(),
            Self::SwitchedOff => "it says `enabled = false`".to_owned(),
            Self::Mistaken => "mend its configuration".to_owned(),
            Self::Offline => "leave out --offline".to_owned(),
        }
    }
}

#[derive(Debug, Clone)]
pub struct Server {
    pub host: IpAddr,
    /// 0 lets the system choose.
    pub port: u16,
    /// The gateway's own key.
    pub api_key: Option<SecretString>,
    /// How long open requests may take to end when the server stops.
    pub drain: Duration,
    /// Bytes a request body may have.
    pub max_body: usize,
    /// Chats that are answered at a time, streams until their end.
    pub max_requests: usize,
    /// Chats that wait until others have ended.
    pub max_waiting: usize,
    /// Origins whose pages may ask; `*` for all.
    pub cors: Vec<HeaderValue>,
}

impl Server {
    /// Whether pages of this origin may ask.
    pub fn allows_origin(&self, origin: &HeaderValue) -> bool {
        self.cors.iter().any(|allowed| allowed == origin || allowed == "*")
    }
}

#[derive(Debug, Clone)]
pub struct Routing {
    /// Among providers.
    pub strategy: Strategy,
    /// Among the models of one provider.
    pub model_strategy: Strategy,
    /// How long a request may wait for quota.
    pub max_wait: Duration,
    /// Zero means all candidates.
    pub max_attempts: usize,
    pub strict_free: bool,
    /// Also use services that take no key.
    pub keyless: bool,
    /// Leave out providers that train on prompts.
    pub no_training: bool,
    /// Ask a second route where the first is late.
    pub hedge: bool,
}

#[derive(Debug, Clone)]
pub struct Timeouts {
    pub connect: Duration,
    /// From sending to the first event.
    pub first_event: Duration,
    /// The user set `first_event`; providers' own longer times then do not count.
    pub first_event_is_users: bool,
    /// Between two events of a stream.
    pub idle: Duration,
    /// The whole trip to the first event.
    pub deadline: Duration,
}

/// Where counts, rests and the ledger are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// `None` keeps nothing.
    pub file: Option<PathBuf>,
    /// Nothing will be written to it.
    pub is_only_read: bool,
    pub on_loss: OnLoss,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            host: IpAddr::from([127, 0, 0, 1]),
            port: 8000,
            api_key: None,
            drain: Duration::from_secs(10),
            max_body: MOST_BODY,
            max_requests: 2_048,
            max_waiting: 2_048,
            cors: Vec::new(),
        }
    }
}

impl Default for Routing {
    fn default() -> Self {
        let max_wait = Duration::from_secs(10);
        Self {
            strategy: Strategy::Auto,
            model_strategy: Strategy::Auto,
            max_wait,
            max_attempts: 0,
            strict_free: false,
            keyless: false,
            no_training: false,
            hedge: false,
        }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_event: Duration::from_mins(1),
            first_event_is_users: false,
            idle: Duration::from_secs(90),
            deadline: Duration::from_mins(1),
        }
    }
}

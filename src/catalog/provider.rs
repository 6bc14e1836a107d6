//! A provider and its models, complete and checked.

use std::sync::Arc;
use std::time::Duration;

use jiff::civil::Date;

use crate::chat::{Features, Period};
use crate::dialect::{Dialect, Wire};
use crate::quota::{Kind, Limit, UnitPrice};

/// Someone who answers chats: where, in which dialect, under which limits.
#[derive(Debug, Clone, PartialEq)]
pub struct Provider {
    pub id: String,
    pub name: String,
    pub dialect: Dialect,
    /// Without a slash at its end; may hold `{account_id}`.
    pub base_url: String,
    /// Environment variables that may hold the key, in the order they are looked up.
    pub key_env: Vec<String>,
    pub account_env: Vec<String>,
    pub status: Status,
    /// How long its first event may take, where that is longer than usual.
    pub first_event: Option<Duration>,
    pub prefill: Prefill,
    pub terms: Option<String>,
    pub signup: Option<String>,
    pub card: Option<bool>,
    /// Past the quota it refuses; it never bills.
    pub hard_stop: bool,
    pub trains: Trains,
    pub checked: Option<Date>,
    pub page: Option<Page>,
    /// Where it says what the account of a key may use.
    pub account: Option<AccountPage>,
    pub wire: Wire,
    /// Limits shared by all models of one key.
    pub limits: Vec<Limit>,
    pub models: Vec<Model>,
    /// Models that the user switched off.
    pub left_out: Vec<String>,
}

impl Provider {
    /// Whether any of its models answers chats.
    pub fn has_chats(&self) -> bool {
        self.models.iter().any(Model::chats)
    }

    /// Whether a person who types this name means the provider or one of its models.
    pub fn is_meant(&self, name: &str) -> bool {
        self.id.eq_ignore_ascii_case(name) || self.models.iter().any(|model| is_meant(name, &self.id, &model.id))
    }

    /// What requests to this model of the provider have to look like.
    pub fn wire_of<'a>(&'a self, model: &'a Model) -> &'a Wire {
        model.wire.as_deref().unwrap_or(&self.wire)
    }

    /// Each model with whether it can be told that a tool has to be called.
    #[must_use]
    pub fn with_tool_choice(mut self) -> Self {
        let can: Vec<bool> =
            self.models.iter().map(|model| self.dialect.insists_on_tools(self.wire_of(model))).collect();
        for (model, can) in self.models.iter_mut().zip(can) {
            model.features.tool_choice = can && model.features.tools;
        }
        self
    }

    /// This provider without the chat models that its own list does not name, and their ids.
    pub fn without_unlisted(&self, is_listed: impl Fn(&str) -> bool) -> (Self, Vec<String>) {
        let (gone, models): (Vec<Model>, Vec<Model>) =
            self.models.iter().cloned().partition(|model| model.chats() && !is_listed(&model.id));
        (Self { models, ..self.clone() }, gone.into_iter().map(|model| model.id).collect())
    }
}

/// Whether a name is that of the provider, of the model, or `provider/model`.
pub fn is_meant(name: &str, provider: &str, model: &str) -> bool {
    let is_whole = |(before, behind): (&str, &str)| before.eq_ignore_ascii_case(provider) && behind == model;
    provider.eq_ignore_ascii_case(name) || model == name || name.split_once('/').is_some_and(is_whole)
}

/// One model of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Model {
    pub id: String,
    /// The first is the main one.
    pub types: Vec<ModelType>,
    pub scale: Scale,
    /// Tokens of prompt and answer together.
    pub context: u64,
    pub features: Features,
    /// Where its provider counts in units of its own.
    pub unit_price: Option<UnitPrice>,
    pub limits: Vec<Limit>,
    /// What it wants on the wire, where that is not what its provider's other models want.
    pub wire: Option<Arc<Wire>>,
    /// The context is the user's own word, with no source beside it.
    pub has_own_context: bool,
    /// Named in a file of the user's own, which no server's list then overrules.
    pub is_chosen: bool,
}

impl Model {
    pub fn is_a(&self, kind: ModelType) -> bool {
        self.types.contains(&kind)
    }

    /// Whether it answers chats.
    pub fn chats(&self) -> bool {
        self.types.iter().any(|kind| kind.chats())
    }
}

/// What using a provider costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    Free,
    /// On this machine or in this network; needs no key.
    Local,
    /// Free while a starting credit lasts.
    Trial,
    /// No free tier, or past the quota it bills.
    Paid,
    /// Free for anyone, without a key.
    Keyless,
}

impl Status {
    pub const NAMES: [(&'static str, Self); 5] = [
        ("free", Self::Free),
        ("local", Self::Local),
        ("trial", Self::Trial),
        ("paid", Self::Paid),
        ("keyless", Self::Keyless),
    ];

    pub fn word(self) -> &'static str {
        name_of(self, &Self::NAMES)
    }
}

/// Whether prompts are used for training.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trains {
    Yes,
    No,
    Unknown,
}

impl Trains {
    pub const NAMES: [(&'static str, Self); 3] = [("yes", Self::Yes), ("no", Self::No), ("unknown", Self::Unknown)];

    pub fn word(self) -> &'static str {
        name_of(self, &Self::NAMES)
    }
}

/// How a provider continues an answer that another one began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prefill {
    /// A last assistant message with `prefix: true`.
    Prefix,
    /// A last assistant message.
    Assistant,
    /// It has to be asked to go on.
    Instruction,
}

impl Prefill {
    pub const NAMES: [(&'static str, Self); 3] =
        [("prefix", Self::Prefix), ("assistant", Self::Assistant), ("instruction", Self::Instruction)];
}

/// What a model is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ModelType {
    Text,
    Coding,
    Vision,
    Embedding,
    Speech,
    Image,
    Ocr,
    Moderation,
}

impl ModelType {
    pub const NAMES: [(&'static str, Self); 8] = [
        ("text", Self::Text),
        ("coding", Self::Coding),
        ("vision", Self::Vision),
        ("embedding", Self::Embedding),
        ("speech", Self::Speech),
        ("image", Self::Image),
        ("ocr", Self::Ocr),
        ("moderation", Self::Moderation),
    ];

    pub fn word(self) -> &'static str {
        name_of(self, &Self::NAMES)
    }

    /// Whether models of this kind answer chats.
    pub const fn chats(self) -> bool {
        matches!(self, Self::Text | Self::Coding | Self::Vision)
    }
}

/// A model's size: large from 70 billion parameters, medium from 20, small below.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scale {
    Small,
    Medium,
    Large,
}

impl Scale {
    pub const NAMES: [(&'static str, Self); 3] =
        [("large", Self::Large), ("medium", Self::Medium), ("small", Self::Small)];

    pub fn word(self) -> &'static str {
        name_of(self, &Self::NAMES)
    }
}

/// Where a provider documents its limits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    pub url: String,
    /// The same page as markdown, where the site serves it.
    pub markdown: Option<String>,
    /// The plan whose numbers count.
    pub tier: Option<String>,
}

/// A path below the base URL whose answer, to a key, is a JSON document with limits of the key's account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPage {
    pub path: String,
    pub limits: Vec<AccountLimit>,
}

/// Where in that document a limit stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountLimit {
    /// The keys that lead there.
    pub at: Vec<String>,
    pub kind: Kind,
    pub period: Period,
}

fn name_of<T: Copy + PartialEq>(value: T, names: &[(&'static str, T)]) -> &'static str {
    names.iter().find(|(_, named)| *named == value).map_or("", |(name, _)| name)
}

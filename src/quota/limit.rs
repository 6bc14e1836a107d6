//! A provider's rule: so much of something, per window, counted together over a scope.

use std::ops::Add;
use std::sync::Arc;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use crate::chat::{Period, Scope};

use super::window::Window;

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Requests,
    /// Prompt and answer together.
    Tokens,
    InputTokens,
    /// A unit of the provider's own, such as Cloudflare's neurons. Counted in thousandths: a short request takes less than one.
    Units,
}

/// Thousandths of a unit make one.
pub const UNIT: u64 = 1_000;

impl Kind {
    /// An amount as people count it.
    pub const fn shown(self, amount: u64) -> u64 {
        match self {
            Self::Units => amount / UNIT,
            Self::Requests | Self::Tokens | Self::InputTokens => amount,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::InputTokens => "input_tokens",
            Self::Units => "units",
        }
    }
}

/// Where a number comes from, least trusted first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Docs,
    Counted,
    Error,
    Header,
    User,
}

impl Source {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Docs => "docs",
            Self::Counted => "counted",
            Self::Error => "error",
            Self::Header => "header",
            Self::User => "user",
        }
    }
}

/// One rule of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Limit {
    pub kind: Kind,
    pub amount: u64,
    pub period: Period,
    pub window: Window,
    pub scope: Scope,
    pub source: Source,
    /// Where the number was read, where that is known.
    pub evidence: Option<Arc<Evidence>>,
}

/// Where and when a documented number was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    pub url: String,
    pub at: Date,
    /// The cell or line it stood in.
    pub quote: Option<String>,
    /// Of the page as it was read.
    pub sha256: Option<String>,
    /// The plan that the page names for it.
    pub tier: Option<String>,
    /// The rules that read it.
    pub extractor: Option<String>,
    /// Since when the page has not published it any more.
    pub stale: Option<Date>,
}

impl Limit {
    /// The rule in short: `tokens/day`.
    pub fn label(&self) -> String {
        format!("{}/{}", self.kind.word(), self.period.word())
    }
}

/// What a model's tokens cost in its provider's own units: so many a million tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitPrice {
    pub input: u64,
    pub output: u64,
}

/// What a request takes from the limits it touches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    pub requests: u64,
    pub input_tokens: u64,
    pub output_tokens: u64,
    /// In thousandths.
    pub units: u64,
}

impl Cost {
    /// One request with a prompt and an answer of these sizes.
    pub const fn request(input_tokens: u64, output_tokens: u64) -> Self {
        Self { requests: 1, input_tokens, output_tokens, units: 0 }
    }

    /// The same with what its tokens cost in units, rounded up.
    #[must_use]
    pub fn in_units(self, price: Option<UnitPrice>) -> Self {
        const TOKENS: u64 = 1_000_000 / UNIT;
        let Some(price) = price else { return self };
        let input = self.input_tokens.saturating_mul(price.input);
        let units = input.saturating_add(self.output_tokens.saturating_mul(price.output)).div_ceil(TOKENS);
        Self { units, ..self }
    }

    #[inline]
    pub const fn of(&self, kind: Kind) -> u64 {
        match kind {
            Kind::Requests => self.requests,
            Kind::Tokens => self.input_tokens.saturating_add(self.output_tokens),
            Kind::InputTokens => self.input_tokens,
            Kind::Units => self.units,
        }
    }
}

impl Add for Cost {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self {
            requests: self.requests.saturating_add(other.requests),
            input_tokens: self.input_tokens.saturating_add(other.input_tokens),
            output_tokens: self.output_tokens.saturating_add(other.output_tokens),
            units: self.units.saturating_add(other.units),
        }
    }
}

//! What one source says of one provider: its page, its models list, the account of its key.

use super::compare::Change;
use super::read::EXTRACTOR;
use super::source::Got;

/// Which of a provider's words it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Page,
    /// The list of models that its API gives to a key.
    Models,
    /// What its API says of the account that a key belongs to.
    Account,
}

impl Origin {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Models => "models list",
            Self::Account => "account",
        }
    }

    /// The rules that read it.
    pub const fn extractor(self) -> &'static str {
        match self {
            Self::Page => EXTRACTOR,
            Self::Models | Self::Account => "relay-api/1",
        }
    }
}

/// A source, and what it says against the catalogue.
#[derive(Debug)]
pub struct Finding {
    pub provider: String,
    pub origin: Origin,
    /// Where it was looked for.
    pub url: String,
    pub got: Option<Got>,
    /// What differs, or why the source counts as unread.
    pub changes: Result<Vec<Change>, String>,
}

impl Finding {
    /// A site knows whether a page has changed. What an API says is compared alone.
    pub fn status(&self) -> &'static str {
        match (&self.changes, &self.got) {
            (Err(_), _) => "unread",
            (Ok(_), Some(got)) if got.is_unchanged => "unchanged",
            (Ok(changes), _) if self.origin != Origin::Page && changes.is_empty() => "unchanged",
            (Ok(_), _) => "changed",
        }
    }

    pub fn changes(&self) -> &[Change] {
        self.changes.as_deref().unwrap_or_default()
    }
}

//! What a provider's API says of the account that a key belongs to, against the catalogue.

use serde_json::Value;

use crate::catalog::{AccountPage, Provider};
use crate::quota::Source;

use super::compare::{Change, Field, Op, large};

/// A limit that the account has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Has {
    pub field: Field,
    pub amount: u64,
}

/// What an account's document says, and what of it differs.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Said {
    pub has: Vec<Has>,
    pub changes: Vec<Change>,
}

/// Reads the document, and compares it. An error says why it counts as unread.
pub fn compare(provider: &Provider, page: &AccountPage, body: &[u8]) -> Result<Said, String> {
    let document: Value = serde_json::from_slice(body).map_err(|_| "it is no JSON".to_owned())?;
    let mut said = Said::default();
    for place in &page.limits {
        let found = place.at.iter().try_fold(&document, |value, key| value.get(key));
        // Null is "none", which may mean unlimited as well as unknown.
        let Some(amount) = found.and_then(Value::as_u64) else { continue };
        let field = Field::Limit(place.kind, place.period);
        said.has.push(Has { field, amount });
        let known = provider.limits.iter().find(|limit| (limit.kind, limit.period) == (place.kind, place.period));
        let Some(limit) = known.filter(|limit| limit.amount != amount) else { continue };
        let op = if limit.source == Source::User { Op::Conflict } else { Op::Change };
        let quote = format!("{}: {amount}", place.at.join("."));
        said.changes.push(Change {
            model: "*".to_owned(),
            field,
            old: Some(limit.amount),
            new: Some(amount),
            op,
            held: large(limit.amount, amount).filter(|_| op == Op::Change),
            seen: None,
            evidence: quote.clone(),
            quote,
            tier: None,
        });
    }
    if said.has.is_empty() {
        let places: Vec<String> = page.limits.iter().map(|place| format!("`{}`", place.at.join("."))).collect();
        return Err(format!("it has no number at {}", places.join(", ")));
    }
    Ok(said)
}

//! The findings of `relay refresh-limits` as JSON: `relay.refresh-limits/1`.

use serde_json::{Value, json};

use crate::refresh::compare::Change;
use crate::refresh::source::Got;

/// One provider's page, and what it says.
#[derive(Debug)]
pub struct Finding {
    pub id: usize,
    pub provider: String,
    /// Where it was looked for.
    pub url: String,
    pub got: Option<Got>,
    /// What differs, or why the page counts as unread.
    pub changes: Result<Vec<Change>, String>,
}

impl Finding {
    pub fn status(&self) -> &'static str {
        match (&self.changes, &self.got) {
            (Err(_), _) => "unread",
            (Ok(_), Some(got)) if got.is_unchanged => "unchanged",
            (Ok(_), _) => "changed",
        }
    }

    pub fn changes(&self) -> &[Change] {
        self.changes.as_deref().unwrap_or_default()
    }
}

pub fn document(findings: &[Finding], is_applied: bool) -> Value {
    let sources = findings.iter().map(|finding| {
        json!({
            "id": finding.id,
            "provider": finding.provider,
            "url": finding.url,
            "status": finding.status(),
            "reason": finding.changes.as_ref().err(),
            "fetched_at": finding.got.as_ref().map(|got| got.fetched_at),
            "sha256": finding.got.as_ref().map(|got| &got.sha256),
        })
    });
    json!({
        "schema": "relay.refresh-limits/1",
        "sources": sources.collect::<Vec<_>>(),
        "changes": changes(findings),
        "applied": is_applied,
    })
}

pub fn changes(findings: &[Finding]) -> Vec<Value> {
    findings.iter().flat_map(|finding| finding.changes().iter().map(|change| row(finding, change))).collect()
}

fn row(finding: &Finding, change: &Change) -> Value {
    json!({
        "provider": finding.provider,
        "model": change.model,
        "field": change.field.key(),
        "old": change.old,
        "new": change.new,
        "op": change.op.word(),
        "suspicious": change.held.is_some(),
        "reason": change.held,
        "source": finding.id,
        "tier": change.tier,
        "evidence": change.evidence,
    })
}

//! The findings of `relay refresh-limits` as JSON: `relay.refresh-limits/1`.

use serde_json::{Value, json};

use crate::refresh::compare::Change;
use crate::refresh::finding::Finding;

pub fn document(findings: &[Finding], is_applied: bool) -> Value {
    let sources = findings.iter().enumerate().map(|(index, finding)| {
        json!({
            "id": index + 1,
            "provider": finding.provider,
            "origin": finding.origin.word(),
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
    let numbered = findings.iter().enumerate();
    numbered
        .flat_map(|(index, finding)| finding.changes().iter().map(move |change| row(index + 1, finding, change)))
        .collect()
}

fn row(source: usize, finding: &Finding, change: &Change) -> Value {
    json!({
        "provider": finding.provider,
        "model": change.model,
        "field": change.field.key(),
        "old": change.old,
        "new": change.new,
        "op": change.op.word(),
        "suspicious": change.held.is_some(),
        "reason": change.held,
        "headers": change.seen,
        "source": source,
        "tier": change.tier,
        "evidence": change.evidence,
    })
}

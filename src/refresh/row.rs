//! What one row of a page says: a model, a plan, its limits, and where that stands.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::chat::Period;

use super::amount::{Metric, Token, tokens};
use super::text::{SEAM, Text, shown};
use super::words;

/// Evidence is shown to people, so it is short.
pub const MOST_QUOTED: usize = 120;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Row {
    /// The page's words for the model, `*` for a task or the account, `*:free` for such a family.
    pub model: String,
    /// Ids that the markup beside the words gives: code, links.
    pub ids: Vec<String>,
    /// The plan, where the page names one.
    pub tier: Option<String>,
    /// The plans that the page offers to choose from, where it does not tell which of them is shown: nobody's numbers then.
    pub one_of: Vec<String>,
    /// The task, the endpoint or the group that the row belongs to.
    pub section: Option<String>,
    pub amounts: BTreeMap<Metric, u64>,
    pub context: Option<u64>,
    pub evidence: Quote,
}

/// Where a row was read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Quote {
    /// Counted from 1.
    pub line: usize,
    /// The row's cells, or the line.
    pub cell: String,
    /// By metric: the exact cell.
    pub cells: BTreeMap<Metric, String>,
}

impl Quote {
    pub fn new(line: usize, cell: &str) -> Self {
        let cell = shown(cell);
        Self { line, cell: cell.chars().take(MOST_QUOTED).collect(), cells: BTreeMap::new() }
    }
}

/// As much of a line as evidence shows, with the number in it.
pub fn window(line: &str, value: u64) -> String {
    const BEFORE: usize = MOST_QUOTED / 2;
    const LONGEST_NUMBER: usize = 32;
    if line.chars().count() <= MOST_QUOTED {
        return line.to_owned();
    }
    let is_value = |at: usize| {
        let near = &line[at..line.ceil_char_boundary(at + LONGEST_NUMBER)];
        tokens(near).first() == Some(&Token::Number(value))
    };
    let is_digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let begins = |at: &usize| is_digit(line[*at..].chars().next()) && !is_digit(line[..*at].chars().next_back());
    let starts = line.char_indices().map(|(at, _)| at).filter(begins);
    let number = starts.into_iter().find(|at| is_value(*at)).unwrap_or_default();
    let skipped = line[..number].chars().count().saturating_sub(BEFORE);
    line.chars().skip(skipped).take(MOST_QUOTED).collect()
}

impl Row {
    /// The limits that relay can keep.
    pub fn limits(&self) -> impl Iterator<Item = (Metric, u64)> + '_ {
        self.amounts.iter().filter(|(metric, _)| metric.is_limit()).map(|(metric, value)| (*metric, *value))
    }

    /// Whether more is allowed in a shorter time than in a longer one: then columns were mixed up.
    pub fn is_senseless(&self) -> bool {
        let mut per_kind: BTreeMap<_, Vec<(usize, u64)>> = BTreeMap::new();
        for (metric, value) in &self.amounts {
            if let Some(order) = metric.per.and_then(|per| Period::ALL.iter().position(|known| *known == per)) {
                per_kind.entry(metric.counted).or_default().push((order, *value));
            }
        }
        per_kind.values_mut().any(|values| {
            values.sort_unstable();
            values.windows(2).any(|pair| pair[0].1 > pair[1].1)
        })
    }

    /// Whether another row gives another number for one of its limits, or another context.
    pub fn contradicts(&self, other: &Self) -> bool {
        let is_other = |own: u64, value: Option<u64>| value.is_some_and(|value| value != own);
        self.limits().any(|(metric, value)| is_other(value, other.amounts.get(&metric).copied()))
            || self.context.is_some_and(|context| is_other(context, other.context))
    }

    /// Adds what another row says of the same.
    pub fn add(&mut self, other: &Self) {
        self.amounts.extend(&other.amounts);
        self.evidence.cells.extend(other.evidence.cells.clone());
        self.context = self.context.or(other.context);
    }

    /// What it says, wherever it stands.
    pub fn says(&self) -> impl std::fmt::Debug + PartialEq + '_ {
        (&self.model, &self.tier, &self.one_of, &self.section, &self.amounts, self.context)
    }

    pub fn to_json(&self) -> Value {
        let limits: Map<String, Value> = self.limits().map(|(metric, value)| (metric.key(), value.into())).collect();
        let others = self.amounts.iter().filter(|(metric, _)| !metric.is_limit());
        let others: Map<String, Value> = others.map(|(metric, value)| (metric.key(), (*value).into())).collect();
        let cells: Map<String, Value> =
            self.evidence.cells.iter().map(|(metric, cell)| (metric.key(), cell.as_str().into())).collect();
        let mut row = json!({
            "model": self.model,
            "tier": self.tier,
            "section": self.section,
            "limits": limits,
            "other": others,
            "context": self.context,
            "evidence": { "line": self.evidence.line, "cell": self.evidence.cell, "cells": cells },
        });
        if !self.one_of.is_empty() {
            row["one_of"] = json!(self.one_of);
        }
        row
    }
}

/// The model that a cell names, and ids that its markup gives. None where the cell holds an unfilled variable.
pub fn model(text: &Text) -> Option<(String, Vec<String>)> {
    let shown_text = text.shown();
    let whole = if stem(&shown_text).is_some() { shown_text } else { super::amount::without_footnotes(&shown_text) };
    if whole.is_empty() || whole.contains(['{', '}']) {
        return None;
    }
    let mut ids: Vec<String> = text.codes.iter().filter(|code| is_id(code)).cloned().collect();
    if let Some(id) = behind_link(text) {
        ids.push(id.clone());
        return Some((id, ids));
    }
    // A display name with its id on a line, or in an element, of its own.
    let pieces: Vec<String> = text.plain.split(['\n', SEAM]).map(shown).filter(|piece| !piece.is_empty()).collect();
    let named: Vec<&String> = pieces.iter().filter(|piece| is_id(piece)).collect();
    ids.extend(named.iter().map(|id| (*id).clone()));
    ids.extend(text.links.iter().filter_map(|link| link.rsplit('/').next()).filter(|id| is_id(id)).map(str::to_owned));
    ids.dedup();
    match named.as_slice() {
        [id] if pieces.len() > 1 && pieces.iter().any(|piece| is_name_of(piece, id)) => Some(((*id).clone(), ids)),
        [id] if pieces.iter().all(|piece| piece == *id || is_button(piece)) => Some(((*id).clone(), ids)),
        _ => Some((whole, ids)),
    }
}

/// What stands in an element beside a name and is no part of it.
fn is_button(piece: &str) -> bool {
    const BUTTONS: &str = "copy|copied|copied!|copy id|copy model id|copy to clipboard|new|preview|beta";
    words::is_one_of(BUTTONS, &piece.to_lowercase())
}

/// What the ids of a family begin with: `gemini-2.5-*`. A star behind a name is a note's.
pub fn stem(name: &str) -> Option<&str> {
    name.strip_suffix('*').filter(|stem| stem.len() > 1 && stem.ends_with(['-', '/', '_', ':']))
}

/// What a text says beside an id: its words in lower case, without those of the id.
pub fn beside(text: &str, id: &str) -> String {
    let words = |text: &str| text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect::<Vec<_>>();
    let own = words(id);
    words(text).into_iter().filter(|word| !own.contains(word)).collect::<Vec<_>>().join(" ")
}

/// An id glued to what stands before it, which the link beside it tells apart: `…](/docs/model/llama-3)Newllama-3`.
fn behind_link(text: &Text) -> Option<String> {
    let behind = shown(&text.behind_link);
    if behind.is_empty() {
        return None;
    }
    let path = text.links.last()?;
    let starts = path.match_indices('/').map(|(at, _)| &path[at + 1..]);
    let known = starts.filter(|id| !id.is_empty()).find(|id| behind.ends_with(id));
    match known {
        Some(id) if is_id(id) && !behind[..behind.len() - id.len()].ends_with('/') => Some(id.to_owned()),
        _ => is_id(&behind).then_some(behind),
    }
}

/// Whether a text looks like what an API calls a model: no spaces, no capitals at its beginning, a digit or a joint.
pub fn is_id(text: &str) -> bool {
    let is_plain =
        text.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '/' | ':' | '@' | '+'));
    let has_letter = text.chars().any(|c| c.is_ascii_lowercase());
    // "Text-to-Image" is a task.
    let is_word =
        text.chars().any(|c| c.is_ascii_uppercase()) && !text.contains(|c: char| c.is_ascii_digit() || c == '/');
    let is_address = text.contains("//") || text.starts_with("www.");
    is_plain
        && !is_address
        && has_letter
        && !is_word
        && text.contains(['-', '/', '_', ':'])
        && !text.starts_with(['-', '/', '.'])
}

/// Whether a display name and an id have the same words: "Llama 3.3 70B" and `meta/llama-3.3-70b`.
fn is_name_of(name: &str, id: &str) -> bool {
    let plain = |text: &str| text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let (name, id) = (plain(name), plain(id));
    !name.is_empty() && name != id && id.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::super::text::of_markdown;
    use super::*;

    #[test]
    fn models_are_named_by_their_cell() {
        for (cell, name) in [
            ("`gpt-oss-120b`", "gpt-oss-120b"),
            ("Gemini 2.5 Flash", "Gemini 2.5 Flash"),
            ("[Llama 3.1 8B](/docs/model/llama-3.1-8b-instant)Enterprisellama-3.1-8b-instant", "llama-3.1-8b-instant"),
            ("[Compound](/docs/systems/compound)groq/compound", "groq/compound"),
            ("[@cf/qwen/qwen1.5](/models/qwen1.5/)", "@cf/qwen/qwen1.5"),
            ("Llama 3.3 70B<br/>`llama-3.3-70b-versatile`", "llama-3.3-70b-versatile"),
            ("`kimi-k2` (preview)", "kimi-k2 (preview)"),
            ("Gemma 3 &amp; 3n", "Gemma 3 & 3n"),
            ("gpt-oss-20b<sup>2</sup>", "gpt-oss-20b"),
            ("gpt-oss-20b*", "gpt-oss-20b"),
            ("`gpt-oss-*`", "gpt-oss-*"),
        ] {
            assert_eq!(model(&of_markdown(cell)).map(|(name, _)| name).as_deref(), Some(name), "{cell}");
        }
        assert_eq!(model(&of_markdown("{MODEL}")), None);
    }

    #[test]
    fn evidence_has_the_number_however_far_it_stands() {
        let line =
            format!("{} you may send 1,500 requests per day. {}", "We like it. ".repeat(30), "And so on. ".repeat(30));
        let shown = window(&line, 1_500);
        assert!(shown.contains("may send 1,500 requests per day") && shown.chars().count() == MOST_QUOTED, "{shown}");
        assert!(line.contains(&shown));
    }

    #[test]
    fn less_in_a_longer_time_is_senseless() {
        use super::super::words::Counted::Requests;
        let row = |minute, day| Row {
            amounts: [(Period::Minute, minute), (Period::Day, day)]
                .map(|(per, value)| (Metric { counted: Requests, per: Some(per) }, value))
                .into(),
            ..Row::default()
        };
        assert!(row(1_000, 30).is_senseless());
        assert!(!row(30, 1_000).is_senseless());
    }
}

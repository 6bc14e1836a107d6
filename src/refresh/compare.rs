//! What a page says against what the catalogue has, field by field. Nothing that is not certain becomes a change.

mod pinned;

use std::collections::BTreeSet;

use crate::catalog::{Model, Provider};
use crate::chat::Period;
use crate::quota::{Kind, Limit, Source};

use super::amount::Metric;
use super::names::{self, Match};
use super::read::Reading;
use super::row::{self, Row};
use super::table;
use super::words::{self, Counted};

/// A change of more than this factor may be a misreading.
const LARGE: u64 = 5;

/// Percent of a provider's models: with more of them gone the rest has to be confirmed, or the page was not understood.
pub const MANY_GONE: usize = 30;
pub const MOST_GONE: usize = 50;

/// What a difference is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Op {
    Change,
    /// A limit that the catalogue has not.
    Add,
    /// A model that the catalogue has not: shown, for a page does not say what it can do.
    New,
    /// A model that the page does not name any more: its numbers stay, marked.
    Gone,
    /// A model that the provider's list has not any more: shown, for its numbers are nobody's word on that.
    Unlisted,
    /// A limit that the page does not publish any more: it stays, marked.
    Stale,
    /// The user's own value stands against it.
    Conflict,
    /// The page may mean this model.
    Unsure,
}

impl Op {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Change => "change",
            Self::Add => "add",
            Self::New => "new",
            Self::Gone | Self::Unlisted => "gone",
            Self::Stale => "stale",
            Self::Conflict => "conflict",
            Self::Unsure => "unsure",
        }
    }
}

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Limit(Kind, Period),
    Context,
    /// The model as a whole.
    Model,
}

impl Field {
    /// As documents name it: `requests_per_day`.
    pub fn key(self) -> String {
        match self {
            Self::Limit(kind, period) => format!("{}_per_{}", kind.word(), period.word()),
            Self::Context => "context".to_owned(),
            Self::Model => "model".to_owned(),
        }
    }
}

/// One difference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The catalogue's id, `*` for the account, or the page's words for what it does not have.
    pub model: String,
    pub field: Field,
    pub old: Option<u64>,
    pub new: Option<u64>,
    pub op: Op,
    /// Why it needs confirmation.
    pub held: Option<String>,
    /// What headers of real responses named lately.
    pub seen: Option<u64>,
    /// The row it was read from, and the exact cell.
    pub evidence: String,
    pub quote: String,
    pub tier: Option<String>,
}

impl Change {
    /// Whether it can be written at all.
    pub const fn is_writable(&self) -> bool {
        matches!(self.op, Op::Change | Op::Add | Op::Gone | Op::Stale)
    }

    /// Whether the catalogue says what is not so any more. New models are none: it leaves out many on purpose.
    pub const fn is_difference(&self) -> bool {
        self.is_writable() || matches!(self.op, Op::Unlisted)
    }
}

/// A limit that headers of real responses named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `*` for one that all models of the account share.
    pub model: String,
    pub kind: Kind,
    pub period: Period,
    pub limit: u64,
}

/// Compares a page with a provider of the catalogue. An error says why the page counts as unread.
pub fn compare(provider: &Provider, reading: &Reading, seen: &[Seen]) -> Result<Vec<Change>, String> {
    if reading.rows.is_empty() {
        let why = reading.refused.iter().map(|refused| format!("{}: {}", refused.part, refused.reason)).next();
        return Err(why.unwrap_or_else(|| "it states no limit".to_owned()));
    }
    let named: Vec<Row> = reading.rows.iter().map(|row| names::titled(row, &provider.models)).collect();
    let rows = pinned::rows(provider, &named)?;
    let mut comparing =
        Comparing { provider, seen, changes: Vec::new(), met: BTreeSet::new(), unsure: BTreeSet::new() };
    let found: Vec<Found<'_>> = rows.iter().map(|row| (*row, names::find(row, &provider.models))).collect();
    for (row, meant) in &found {
        comparing.row(row, meant, &found);
    }
    if rows.iter().any(|row| !row.model.starts_with('*')) && !rows.iter().any(|row| is_rest(row)) {
        comparing.gone(reading.refused.iter().any(|refused| refused.may_name_models))?;
    }
    // What was left out of a table may be what is missing.
    if reading.refused.iter().any(|refused| refused.reason.ends_with(table::LEFT_OUT)) {
        for change in comparing.changes.iter_mut().filter(|change| change.op == Op::Stale) {
            change.held.get_or_insert_with(|| "a column of the page is left out".to_owned());
        }
    }
    Ok(comparing.changes)
}

struct Comparing<'a> {
    provider: &'a Provider,
    seen: &'a [Seen],
    changes: Vec<Change>,
    /// Models that the page names.
    met: BTreeSet<String>,
    unsure: BTreeSet<String>,
}

/// A row, and the models that it means.
type Found<'a> = (&'a Row, Match<'a>);

impl<'a> Comparing<'a> {
    fn row(&mut self, row: &Row, meant: &Match<'a>, all: &[Found<'a>]) {
        if row.model == "*" || row.model.starts_with("*:") {
            return self.account(row, all);
        }
        match meant {
            Match::One(model) => {
                self.met.insert(model.id.clone());
                let is_twin = |(_, other): &&Found<'_>| matches!(other, Match::One(twin) if twin.id == model.id);
                let twins: Vec<&Row> = all.iter().filter(is_twin).map(|(row, _)| *row).collect();
                // They count together, once.
                if std::ptr::eq(twins[0], row) {
                    match together(&twins) {
                        Some(whole) => self.model(model, &whole),
                        None => self.unsure(&model.id, row, "the page gives two numbers for it"),
                    }
                }
            }
            Match::Unsure(models) => {
                self.met.extend(models.iter().map(|model| model.id.clone()));
                let reason = format!("perhaps `{}`", models[0].id);
                self.unsure(&row.model, row, &reason);
            }
            Match::None if row::stem(&row.model).is_some() => {}
            Match::None if row.limits().next().is_some() && !self.provider.left_out.contains(&row.model) => {
                let (metric, value) = row.limits().next().expect("there is one");
                let change = change(&row.model, field(metric), None, Some(value), Op::New, row, Some(metric));
                self.changes.push(change);
            }
            Match::None => {}
        }
    }

    fn unsure(&mut self, name: &str, row: &Row, reason: &str) {
        if self.unsure.insert(name.to_owned()) {
            let mut change = change(name, Field::Model, None, None, Op::Unsure, row, None);
            change.held = Some(reason.to_owned());
            self.changes.push(change);
        }
    }

    /// Limits of the account, where the catalogue has such and the page means no single task.
    fn account(&mut self, row: &Row, all: &[Found<'_>]) {
        let family = row.model.strip_prefix('*').unwrap_or_default();
        let is_all = family.is_empty() || self.provider.models.iter().all(|model| model.id.ends_with(family));
        let is_other =
            |other: &Row| (&other.model, &other.section) == (&row.model, &row.section) && row.contradicts(other);
        if row.section.is_none() && is_all && all.iter().any(|(other, _)| is_other(other)) {
            self.unsure("*", row, "the page gives two numbers for it");
        } else if row.section.is_none() && is_all {
            self.limits("*", &self.provider.limits, row, false);
            self.each_model(row);
        }
    }

    /// "Two requests a minute, per model": a limit that the catalogue keeps at each of the models.
    fn each_model(&mut self, row: &Row) {
        for (metric, value) in row.limits() {
            let quote = row.evidence.cells.get(&metric).unwrap_or(&row.evidence.cell).to_lowercase();
            let Field::Limit(kind, period) = field(metric) else { continue };
            if !["per model", "each model", "every model", "and model", "per-model"]
                .iter()
                .any(|words| quote.contains(words))
            {
                continue;
            }
            for model in &self.provider.models {
                let known = model.limits.iter().find(|limit| (limit.kind, limit.period) == (kind, period));
                if let Some(limit) = known.filter(|limit| limit.amount != value) {
                    self.differs(&model.id, limit, value, row, metric);
                }
            }
        }
    }

    fn model(&mut self, model: &'a Model, row: &Row) {
        self.limits(&model.id, &model.limits, row, true);
        if let Some(context) = row.context.filter(|context| *context != model.context) {
            let mut change =
                change(&model.id, Field::Context, Some(model.context), Some(context), Op::Change, row, None);
            change.held = large(model.context, context);
            self.changes.push(change);
        }
    }

    fn limits(&mut self, name: &str, known: &[Limit], row: &Row, may_add: bool) {
        for (metric, value) in row.limits() {
            let Field::Limit(kind, period) = field(metric) else { continue };
            let same = |limit: &&Limit| limit.period == period && (limit.kind == kind || is_input(limit.kind, kind));
            match known.iter().find(same) {
                Some(limit) if limit.amount == value => {}
                Some(limit) => self.differs(name, limit, value, row, metric),
                None if may_add => {
                    let held = (value == 0).then(|| "a limit of 0 may be a misreading".to_owned());
                    let added = change(name, field(metric), None, Some(value), Op::Add, row, Some(metric));
                    self.changes.push(Change { held, ..added });
                }
                None => {}
            }
        }
        let kept: Vec<&Limit> = known.iter().filter(|limit| may_add && is_read(self.provider, limit)).collect();
        for limit in kept {
            let is_named = row.limits().any(|(metric, _)| match field(metric) {
                Field::Limit(kind, period) => {
                    limit.period == period && (limit.kind == kind || is_input(limit.kind, kind))
                }
                _ => false,
            });
            if !is_named && limit.kind != Kind::Units {
                let field = Field::Limit(limit.kind, limit.period);
                self.changes.push(change(name, field, Some(limit.amount), None, Op::Stale, row, None));
            }
        }
    }

    fn differs(&mut self, name: &str, limit: &Limit, value: u64, row: &Row, metric: Metric) {
        let op = if limit.source == Source::User { Op::Conflict } else { Op::Change };
        let field = Field::Limit(limit.kind, limit.period);
        let mut change = change(name, field, Some(limit.amount), Some(value), op, row, Some(metric));
        let seen =
            self.seen.iter().find(|seen| seen.model == name && (seen.kind, seen.period) == (limit.kind, limit.period));
        change.seen = seen.map(|seen| seen.limit);
        change.held = match change.seen.filter(|seen| *seen != value && op == Op::Change) {
            Some(seen) => Some(format!("response headers say {seen}")),
            None => large(limit.amount, value),
        };
        self.changes.push(change);
    }

    /// Models whose numbers came from the page, and which it does not name any more.
    fn gone(&mut self, is_partial: bool) -> Result<(), String> {
        let known: Vec<&Model> = models_read(self.provider).collect();
        let gone: Vec<&Model> = known.iter().copied().filter(|model| !self.met.contains(&model.id)).collect();
        if gone.len() * 100 > known.len() * MOST_GONE {
            return Err(format!(
                "it names {} of {} models: it is not read as it is meant",
                known.len() - gone.len(),
                known.len()
            ));
        }
        let many = gone.len() * 100 > known.len() * MANY_GONE;
        for model in gone.iter().filter(|_| !is_partial || many) {
            let amount = model.limits.first().map(|limit| limit.amount);
            self.changes.push(Change {
                model: model.id.clone(),
                field: Field::Model,
                old: amount,
                new: None,
                op: Op::Gone,
                held: None,
                seen: None,
                evidence: String::new(),
                quote: String::new(),
                tier: None,
            });
        }
        if many {
            let reason = format!("{} of {} models are gone", gone.len(), known.len());
            for change in self.changes.iter_mut().filter(|change| change.held.is_none()) {
                change.held = Some(reason.clone());
            }
        }
        Ok(())
    }
}

/// What rows about one model say: its requests may stand in one table, and its tokens in another. None where they contradict.
fn together(twins: &[&Row]) -> Option<Row> {
    let (first, rest) = twins.split_first()?;
    let mut whole = Row::clone(first);
    for twin in rest {
        let is_apart = whole.section != twin.section && whole.amounts != twin.amounts;
        if is_apart || whole.contradicts(twin) {
            return None;
        }
        whole.add(twin);
    }
    Some(whole)
}

/// "All other models", "Default": models that such a row may stand for are not gone.
fn is_rest(row: &Row) -> bool {
    row.model == "*" && row.section.as_deref().is_some_and(|section| section == "*" || words::is_rest(section))
}

/// The models with a limit that was read from the provider's page.
fn models_read(provider: &Provider) -> impl Iterator<Item = &Model> {
    provider.models.iter().filter(|model| model.limits.iter().any(|limit| is_read(provider, limit)))
}

/// Whether a number was read from the provider's page, or may have been, and is not marked as published no more.
fn is_read(provider: &Provider, limit: &Limit) -> bool {
    let Some(page) = &provider.page else { return false };
    let is_page = |url: &str| url == page.url || page.markdown.as_deref() == Some(url);
    let evidence = limit.evidence.as_ref().filter(|evidence| is_page(&evidence.url) && evidence.stale.is_none());
    limit.source == Source::Docs && evidence.is_some()
}

/// Some providers count only the prompt, and their pages call it tokens.
fn is_input(known: Kind, read: Kind) -> bool {
    known == Kind::InputTokens && read == Kind::Tokens
}

fn field(metric: Metric) -> Field {
    let kind = if metric.counted == Counted::Requests { Kind::Requests } else { Kind::Tokens };
    metric.per.map_or(Field::Model, |period| Field::Limit(kind, period))
}

pub fn large(old: u64, new: u64) -> Option<String> {
    let (less, more) = (old.min(new), old.max(new));
    (more > less.saturating_mul(LARGE)).then(|| format!("differs by more than {LARGE}x"))
}

fn change(
    model: &str,
    field: Field,
    old: Option<u64>,
    new: Option<u64>,
    op: Op,
    row: &Row,
    metric: Option<Metric>,
) -> Change {
    let cell = metric.and_then(|metric| row.evidence.cells.get(&metric)).cloned().unwrap_or_default();
    Change {
        model: model.to_owned(),
        field,
        old,
        new,
        op,
        held: None,
        seen: None,
        // Of lines about one thing each has its own.
        evidence: if row.evidence.cell.contains(&cell) { row.evidence.cell.clone() } else { cell.clone() },
        quote: cell,
        tier: row.tier.clone(),
    }
}

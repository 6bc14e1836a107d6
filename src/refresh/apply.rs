//! Writes changes into a catalogue file, with proof beside each number. Comments, order and everything else stay.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use toml_edit::{Array, ArrayOfTables, DocumentMut, InlineTable, Item, Table, Value, value};

use crate::catalog::Provider;
use crate::chat::Scope;
use crate::quota::{Kind, Limit, Source, Window};
use crate::replace::{Readers, replace};

use super::compare::{Change, Field, Op};

/// Where the numbers were read, and when.
#[derive(Debug, Clone)]
pub struct Proof {
    pub url: String,
    pub at: Date,
    pub sha256: String,
    /// Which rules read it.
    pub extractor: &'static str,
}

#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    #[error("`{}` is not TOML: {message}", .path.display())]
    NotToml { path: PathBuf, message: String },
    #[error("`{}` cannot be {doing}: {source}", .path.display())]
    Io { path: PathBuf, doing: &'static str, source: std::io::Error },
    #[error("`{}` has no file to go back to", .0.display())]
    NothingBefore(PathBuf),
}

/// The text of a file with these changes in it. `provider` is what the file and the shipped catalogue come to together.
pub fn edit(text: &str, provider: &Provider, changes: &[&Change], proof: &Proof) -> Result<String, String> {
    let mut document: DocumentMut = text.parse().map_err(|error: toml_edit::TomlError| error.message().to_owned())?;
    for change in changes {
        if change.model == "*" {
            account(&mut document, provider, change, proof);
        } else {
            model(&mut document, provider, change, proof);
        }
    }
    Ok(document.to_string())
}

fn model(document: &mut DocumentMut, provider: &Provider, change: &Change, proof: &Proof) {
    let Some(known) = provider.models.iter().find(|model| model.id == change.model) else { return };
    let Some(table) = model_table(document, &change.model) else { return };
    if change.field == Field::Context {
        let context = Value::from(i64::try_from(change.new.unwrap_or_default()).unwrap_or(i64::MAX));
        match table.get_mut("context").and_then(Item::as_value_mut) {
            Some(item) => put(item, context),
            None => drop(table.insert("context", Item::Value(context))),
        }
        table.insert("evidence", value(evidence(change, proof)));
        return;
    }
    if table.get("limits").and_then(Item::as_array).is_none() {
        table.insert("limits", value(as_array(&known.limits)));
    }
    let Some(limits) = table.get_mut("limits").and_then(Item::as_array_mut) else { return };
    let mut found = false;
    for limit in limits.iter_mut().filter_map(Value::as_inline_table_mut) {
        let is_user = limit.get("source").and_then(Value::as_str) == Some("user");
        if !is_user && is_meant(|key| limit.get(key), change) {
            found = true;
            set(limit, change, proof);
        }
    }
    if let (false, Op::Add, Field::Limit(kind, period)) = (found, change.op, change.field) {
        let mut limit = InlineTable::new();
        limit.insert(kind.word(), Value::from(0));
        limit.insert("per", Value::from(period.word()));
        set(&mut limit, change, proof);
        limits.push(limit);
    }
    if limits.len() > 1 && !limits.to_string().contains('\n') {
        spread(limits);
    }
}

/// The table of a model, a new one where the file has none.
fn model_table<'d>(document: &'d mut DocumentMut, id: &str) -> Option<&'d mut Table> {
    let tables = document.entry("model").or_insert_with(|| Item::ArrayOfTables(ArrayOfTables::new()));
    let tables = tables.as_array_of_tables_mut()?;
    let is_it = |table: &Table| table.get("id").and_then(Item::as_str) == Some(id);
    if !tables.iter().any(is_it) {
        let mut table = Table::new();
        table.insert("id", value(id));
        tables.push(table);
    }
    tables.iter_mut().find(|table| is_it(table))
}

/// Another value in the place of one, with the comments and spaces around it.
fn put(place: &mut Value, new: Value) {
    let decor = place.decor().clone();
    *place = new;
    *place.decor_mut() = decor;
}

/// Limits of the account stand in tables of their own; in the user's file they replace all shipped ones, so all are written.
fn account(document: &mut DocumentMut, provider: &Provider, change: &Change, proof: &Proof) {
    if document.get("limit").is_none() {
        let mut tables = ArrayOfTables::new();
        for limit in &provider.limits {
            tables.push(as_inline(limit).into_table());
        }
        document.insert("limit", Item::ArrayOfTables(tables));
    }
    let Some(tables) = document.get_mut("limit").and_then(Item::as_array_of_tables_mut) else { return };
    for table in tables.iter_mut() {
        let is_user = table.get("source").and_then(Item::as_str) == Some("user");
        if !is_user && is_meant(|key| table.get(key).and_then(Item::as_value), change) {
            let mut limit = InlineTable::new();
            for key in ["requests", "tokens", "input_tokens", "evidence"] {
                if let Some(known) = table.get(key).and_then(Item::as_value) {
                    limit.insert(key, known.clone());
                }
            }
            set(&mut limit, change, proof);
            for (key, known) in limit {
                table.insert(&key, Item::Value(known));
            }
        }
    }
}

/// Whether a limit of a file, by its values, is the one that a change is about: of two that differ in whom they count, the one of the old
/// amount. A model that is gone means all of its limits.
fn is_meant<'v>(of: impl Fn(&str) -> Option<&'v Value>, change: &Change) -> bool {
    let Field::Limit(kind, period) = change.field else { return change.op == Op::Gone };
    let Some(amount) = of(kind.word()).filter(|_| kind != Kind::Units) else { return false };
    let amount = amount.as_integer().and_then(|amount| u64::try_from(amount).ok());
    let is_other = change.old.is_some() && amount.is_some() && amount != change.old;
    !is_other && of("per").and_then(Value::as_str) == Some(period.word())
}

/// Puts the new number and its proof into a limit; one that the page does not publish any more gets a mark instead.
fn set(limit: &mut InlineTable, change: &Change, proof: &Proof) {
    let key = match change.field {
        Field::Limit(kind, _) => kind.word(),
        _ => "",
    };
    let evidence = match change.new {
        Some(new) if !key.is_empty() => {
            let new = i64::try_from(new).unwrap_or(i64::MAX);
            match limit.get_mut(key) {
                Some(known) => put(known, Value::from(new)),
                None => drop(limit.insert(key, Value::from(new))),
            }
            evidence(change, proof)
        }
        _ => {
            let known = limit.get("evidence").and_then(Value::as_inline_table);
            let mut evidence = known.cloned().unwrap_or_else(|| place(proof));
            evidence.insert("stale", Value::from(date(proof.at)));
            evidence
        }
    };
    limit.insert("evidence", Value::InlineTable(evidence));
}

/// Where a number was read, and when.
fn place(proof: &Proof) -> InlineTable {
    let mut place = InlineTable::new();
    place.insert("url", Value::from(proof.url.as_str()));
    place.insert("at", Value::from(date(proof.at)));
    place
}

/// All that proves a new number.
fn evidence(change: &Change, proof: &Proof) -> InlineTable {
    let mut evidence = place(proof);
    evidence.insert("quote", Value::from(change.quote.as_str()));
    evidence.insert("sha256", Value::from(proof.sha256.as_str()));
    if let Some(tier) = &change.tier {
        evidence.insert("tier", Value::from(tier.as_str()));
    }
    evidence.insert("extractor", Value::from(proof.extractor));
    evidence
}

fn date(date: Date) -> toml_edit::Datetime {
    let part = |part: i8| u8::try_from(part).unwrap_or(1);
    let date = toml_edit::Date {
        year: u16::try_from(date.year()).unwrap_or(1970),
        month: part(date.month()),
        day: part(date.day()),
    };
    date.into()
}

/// Limits as a file writes them.
fn as_array(limits: &[Limit]) -> Array {
    limits.iter().map(|limit| Value::InlineTable(as_inline(limit))).collect()
}

fn as_inline(limit: &Limit) -> InlineTable {
    let mut table = InlineTable::new();
    let amount = i64::try_from(limit.kind.shown(limit.amount)).unwrap_or(i64::MAX);
    table.insert(limit.kind.word(), Value::from(amount));
    table.insert("per", Value::from(limit.period.word()));
    if limit.window != Window::usual(limit.period) {
        table.insert("resets", Value::from(resets(&limit.window)));
    }
    match limit.scope {
        Scope::Ip => drop(table.insert("scope", Value::from("ip"))),
        Scope::Everyone => drop(table.insert("scope", Value::from("everyone"))),
        Scope::Key | Scope::Model => {}
    }
    if limit.source == Source::User {
        table.insert("source", Value::from("user"));
    }
    if let Some(known) = &limit.evidence {
        let mut evidence = InlineTable::new();
        evidence.insert("url", Value::from(known.url.as_str()));
        evidence.insert("at", Value::from(date(known.at)));
        for (key, text) in
            [("quote", &known.quote), ("sha256", &known.sha256), ("tier", &known.tier), ("extractor", &known.extractor)]
        {
            if let Some(text) = text {
                evidence.insert(key, Value::from(text.as_str()));
            }
        }
        if let Some(stale) = known.stale {
            evidence.insert("stale", Value::from(date(stale)));
        }
        table.insert("evidence", Value::InlineTable(evidence));
    }
    table
}

fn resets(window: &Window) -> String {
    match window {
        Window::Rolling { .. } => "rolling".to_owned(),
        Window::Calendar { at, zone, .. } => {
            let zone = zone.iana_name().unwrap_or("UTC");
            format!("{:02}:{:02} {zone}", at.hour(), at.minute())
        }
    }
}

/// One limit a line.
fn spread(limits: &mut Array) {
    for limit in limits.iter_mut() {
        limit.decor_mut().set_prefix("\n  ");
    }
    limits.set_trailing("\n");
    limits.set_trailing_comma(true);
}

/// Where the file as it was is kept.
pub fn before(path: &Path) -> PathBuf {
    path.with_extension("toml.before")
}

/// Replaces a file as a whole or not at all. What was there is kept beside it; where nothing was, an empty file says so.
pub fn write(path: &Path, text: &str) -> Result<(), ApplyError> {
    let fail = |doing| move |source| ApplyError::Io { path: path.to_owned(), doing, source };
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(fail("created"))?;
    let old = match std::fs::read_to_string(path) {
        Ok(old) => old,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(fail("read")(error)),
    };
    // Whoever may not read the one reads what it was nowhere else.
    replace(&before(path), old.as_bytes(), Readers::Of(path))
        .and_then(|()| replace(path, text.as_bytes(), Readers::Of(path)))
        .map_err(fail("written"))
}

/// Puts the file as it was in the place of the file as it is.
pub fn undo(path: &Path) -> Result<(), ApplyError> {
    let fail = |doing| move |source| ApplyError::Io { path: path.to_owned(), doing, source };
    let kept = before(path);
    let old = std::fs::read_to_string(&kept).map_err(|_| ApplyError::NothingBefore(path.to_owned()))?;
    // A link is whose it points to: that file is emptied.
    if old.is_empty() && !path.is_symlink() {
        remove(path).map_err(fail("removed"))?;
    } else {
        replace(path, old.as_bytes(), Readers::Of(path)).map_err(fail("written"))?;
    }
    remove(&kept).map_err(fail("removed"))
}

/// Somebody may have done it already.
fn remove(path: &Path) -> std::io::Result<()> {
    std::fs::remove_file(path).or_else(|error| if error.kind() == ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

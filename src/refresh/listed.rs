//! A provider's models list against the catalogue: contexts, models that are new, models that it has no more.

use crate::catalog::{Model, Provider, types_of_name};
use crate::dialect::listing::Listed;

use super::compare::{Change, Field, MANY_GONE, MOST_GONE, Op, large};
use super::row::MOST_QUOTED;

/// Compares a list with a provider of the catalogue. An error says why the list counts as unread.
pub fn compare(provider: &Provider, list: &[Listed]) -> Result<Vec<Change>, String> {
    let find = |model: &Model| list.iter().find(|listed| listed.is(&model.id));
    let known: Vec<&Model> = provider.models.iter().filter(|model| model.chats()).collect();
    let gone: Vec<&Model> = known.iter().copied().filter(|model| find(model).is_none()).collect();
    if list.is_empty() {
        return Err("it is empty".to_owned());
    }
    if provider.wire.lists_all && gone.len() * 100 > known.len() * MOST_GONE {
        let named = known.len() - gone.len();
        return Err(format!("it names {named} of {} models: it is not the list that is meant", known.len()));
    }
    let mut changes: Vec<Change> = provider.models.iter().filter_map(|model| context(model, find(model)?)).collect();
    if provider.wire.lists_all {
        changes.extend(gone.iter().map(|model| change(&model.id, Field::Model, Op::Unlisted, "")));
    }
    changes.extend(list.iter().filter(|listed| is_new(provider, listed)).map(new));
    if gone.len() * 100 > known.len() * MANY_GONE && provider.wire.lists_all {
        let reason = format!("{} of {} models are gone", gone.len(), known.len());
        changes.iter_mut().filter(|change| change.held.is_none()).for_each(|change| change.held = Some(reason.clone()));
    }
    Ok(changes)
}

fn context(model: &Model, listed: &Listed) -> Option<Change> {
    let context = listed.context.filter(|context| *context != model.context)?;
    let op = if model.has_own_context { Op::Conflict } else { Op::Change };
    let quote = format!("{}: {context}", listed.id);
    let change =
        Change { old: Some(model.context), new: Some(context), ..change(&model.id, Field::Context, op, &quote) };
    // A list tells what a model can take; what a plan without payment gives of it may be less.
    let is_more = context > model.context && listed.is_free != Some(true);
    let held = large(model.context, context)
        .or_else(|| is_more.then(|| "a free plan may give less context than the list says".to_owned()));
    Some(Change { held: held.filter(|_| op == Op::Change), ..change })
}

/// Whether it chats, costs nothing as far as the list says, and nobody has decided about it yet.
fn is_new(provider: &Provider, listed: &Listed) -> bool {
    let names = || std::iter::once(&listed.id).chain(&listed.aliases);
    let is_known = provider.models.iter().any(|model| listed.is(&model.id))
        || provider.left_out.iter().any(|id| names().any(|name| name.eq_ignore_ascii_case(id)));
    let chats = || types_of_name(&listed.id).iter().any(|kind| kind.chats());
    !is_known && listed.is_free != Some(false) && listed.chats.unwrap_or(true) && chats()
}

fn new(listed: &Listed) -> Change {
    Change { new: listed.context, ..change(&listed.id, Field::Context, Op::New, &listed.id) }
}

fn change(model: &str, field: Field, op: Op, quote: &str) -> Change {
    let quote: String = quote.chars().take(MOST_QUOTED).collect();
    Change {
        model: model.to_owned(),
        field,
        old: None,
        new: None,
        op,
        held: None,
        seen: None,
        evidence: quote.clone(),
        quote,
        tier: None,
    }
}

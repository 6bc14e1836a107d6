//! Which rows of a page count: those of the plan that the catalogue pins.

use crate::catalog::{Provider, Status};

use super::super::row::Row;
use super::super::tier;
use super::models_read;

/// The rows of the plan whose numbers count: of the account and of models each for itself, for a sentence that names a plan says
/// nothing of a table that names none. Without rows of models nothing tells what became of numbers that models have from the page.
pub fn rows<'a>(provider: &Provider, rows: &'a [Row]) -> Result<Vec<&'a Row>, String> {
    let (account, models): (Vec<&Row>, Vec<&Row>) = rows.iter().partition(|row| row.model.starts_with('*'));
    let has_models = models_read(provider).next().is_some();
    match (of_plan(provider, &account), of_plan(provider, &models)) {
        (Ok(account), Ok(models)) => Ok([account, models].concat()),
        (Err(_), Ok(models)) if !models.is_empty() => Ok(models),
        (Ok(account), Err(_)) if !account.is_empty() && !has_models => Ok(account),
        (Err(reason), Ok(_)) | (_, Err(reason)) => Err(reason),
    }
}

fn of_plan<'a>(provider: &Provider, rows: &[&'a Row]) -> Result<Vec<&'a Row>, String> {
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let pin = provider.page.as_ref().and_then(|page| page.tier.as_deref());
    let usual = matches!(provider.status, Status::Free | Status::Keyless).then_some("free");
    let wanted = pin.or(usual).ok_or("no plan is pinned: `page.tier` says whose numbers count")?;
    let is_own = |row: &&Row| row.tier.as_deref().is_some_and(|tier| tier::is_same(tier, wanted));
    let own: Vec<&Row> = rows.iter().copied().filter(is_own).collect();
    if !own.is_empty() {
        return Ok(own);
    }
    if let Some(row) = rows.iter().find(|row| !row.one_of.is_empty()) {
        return Err(format!(
            "it offers {} to choose from, and leaves open whose its numbers are",
            row.one_of.join(" or ")
        ));
    }
    let unnamed: Vec<&Row> = rows.iter().copied().filter(|row| row.tier.is_none()).collect();
    if let Some(row) = unnamed.iter().find(|row| {
        unnamed.iter().any(|other| other.model == row.model && other.section == row.section && row.contradicts(other))
    }) {
        return Err(format!("it gives `{}` two sets of numbers, and names no plan", row.model));
    }
    match pin {
        Some(_) if !unnamed.is_empty() => Ok(unnamed),
        None if !unnamed.is_empty() => Err("the page names no plan, and none is pinned in `page.tier`".to_owned()),
        _ => {
            let mut tiers: Vec<&str> = rows.iter().filter_map(|row| row.tier.as_deref()).collect();
            tiers.dedup();
            tiers.truncate(4);
            Err(format!("it has limits of {}, none of `{wanted}`", tiers.join(", ")))
        }
    }
}

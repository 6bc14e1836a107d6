//! Which model of the catalogue a page's words mean. An unsure match is said, and never acted on.

use crate::catalog::Model;

use super::row::{self, Row};
use super::tier::{self, Tiers};
use super::words;

/// What a page's words mean.
#[derive(Debug, Clone, PartialEq)]
pub enum Match<'a> {
    One(&'a Model),
    /// It may be one of these, or all.
    Unsure(Vec<&'a Model>),
    None,
}

/// The model that a row is about.
pub fn find<'a>(row: &Row, models: &'a [Model]) -> Match<'a> {
    if let Some(stem) = row::stem(&row.model) {
        let family: Vec<&Model> = models.iter().filter(|model| is_of_family(&model.id, stem)).collect();
        return if family.is_empty() { Match::None } else { Match::Unsure(family) };
    }
    let names: Vec<&str> = row.ids.iter().map(String::as_str).chain([row.model.as_str()]).collect();
    let parts = row.model.split([',', ';', '&']).flat_map(|part| part.split(" and "));
    let parts: Vec<&str> = parts.flat_map(|part| part.split(" / ")).map(str::trim).collect();
    let mut together: Vec<&Model> = Vec::new();
    for model in parts.iter().filter(|_| parts.len() > 1).filter_map(|part| surely(&[part], models)) {
        if !together.iter().any(|known| known.id == model.id) {
            together.push(model);
        }
    }
    if together.len() > 1 {
        return Match::Unsure(together);
    }
    let beside = row.model.split_once(" (").map(|(_, beside)| beside);
    let says_more = |id: &str| match beside {
        Some(beside) => !says_nothing(beside, row.tier.as_deref()),
        None => !row.ids.is_empty() && has_more(&row.model, id, row.tier.as_deref()),
    };
    match by_name(&names, models) {
        Some(Match::One(model)) if says_more(&model.id) => return Match::Unsure(vec![model]),
        Some(found) => return found,
        None => {}
    }
    let perhaps: Vec<&Model> =
        models.iter().filter(|model| names.iter().any(|name| is_begin(&plain(name), &plain(&model.id)))).collect();
    if perhaps.is_empty() { Match::None } else { Match::Unsure(perhaps) }
}

/// The row of what its title names, where that is a model of the catalogue: the limits of an account's group are listed so as well.
pub fn titled(row: &Row, models: &[Model]) -> Row {
    let Some(title) = row.section.as_deref().filter(|_| row.model == "*") else { return row.clone() };
    let named = Row { model: title.to_owned(), ids: Vec::new(), section: None, ..row.clone() };
    let is_named = match find(&named, models) {
        Match::One(_) => true,
        // "Gemini" is nobody's name.
        Match::Unsure(_) => title.contains(|c: char| c.is_ascii_digit()),
        Match::None => false,
    };
    if is_named { named } else { row.clone() }
}

/// Whether an id begins so, its maker apart where the stem names none.
fn is_of_family(id: &str, stem: &str) -> bool {
    let (id, stem) = (id.to_lowercase(), stem.to_lowercase());
    id.starts_with(&stem) || id.rsplit('/').next().is_some_and(|name| name.starts_with(&stem))
}

/// The model or models that one of the names is, joints, maker and date apart.
fn by_name<'a>(names: &[&str], models: &'a [Model]) -> Option<Match<'a>> {
    let exact: &dyn Fn(&str, &str) -> bool = &|name, id| name.eq_ignore_ascii_case(id);
    for is_it in [exact, &|name, id| plain(name) == plain(id), &|name, id| plain(name) == plain(undated(id))] {
        let found: Vec<&Model> =
            models.iter().filter(|model| names.iter().any(|name| is_it(name, &model.id))).collect();
        match found.as_slice() {
            [] => {}
            // One maker's model, tuned by another, is another model.
            [one] if !names.iter().any(|name| is_it(name, &one.id) && is_of_maker(name, &one.id)) => {
                return Some(Match::Unsure(vec![one]));
            }
            [one] => return Some(Match::One(one)),
            _ => return Some(Match::Unsure(found)),
        }
    }
    None
}

fn surely<'a>(names: &[&str], models: &'a [Model]) -> Option<&'a Model> {
    match by_name(names, models) {
        Some(Match::One(model)) => Some(model),
        _ => None,
    }
}

/// A name without its maker, its case, its joints and what stands in brackets: "Llama 3.3 70B" and `meta/llama-3.3-70b` are one.
fn plain(name: &str) -> String {
    let name = name.split_once(" (").map_or(name, |(name, _)| name);
    let name = name.rsplit('/').next().unwrap_or(name);
    let name = name.replace('+', "plus");
    name.chars().filter(|c| c.is_alphanumeric() || *c == ':').collect::<String>().to_lowercase()
}

/// Whether two names have one maker, as far as both name theirs: `meta/` and `meta-llama/` have.
fn is_of_maker(name: &str, id: &str) -> bool {
    let maker = |name: &str| {
        let maker = name.rsplit('/').nth(1)?.to_lowercase();
        Some(maker.chars().filter(|c| c.is_alphanumeric()).collect::<String>())
    };
    match (maker(name), maker(id)) {
        (Some(a), Some(b)) => a.starts_with(&b) || b.starts_with(&a),
        _ => true,
    }
}

/// Whether what stands in brackets behind a model's name makes no other model of it: its state, its date, its size, an id, the
/// plan that the row is about. Anything else may be billed, or counted, apart.
fn says_nothing(beside: &str, tier: Option<&str>) -> bool {
    const STATES: &str =
        "preview|new|beta|alpha|instruct|chat|it|deprecated|latest|default|stable|experimental|exp|legacy";
    let beside = beside.trim_end_matches(')').trim();
    let is_plan = tier::in_title(beside).is_some_and(|plan| tier.is_some_and(|tier| tier::is_same(&plan, tier)));
    let is_number = |word: &str| word.trim_end_matches(['b', 'e']).bytes().all(|byte| byte.is_ascii_digit());
    let lower = beside.to_lowercase();
    let mut words = lower.split([' ', ',', '/', '-', '.']).filter(|word| !word.is_empty());
    is_plan
        || row::is_id(beside)
        || lower.starts_with("now ")
        || words.all(|word| words::is_one_of(STATES, word) || words::is_date(word) || is_number(word))
}

/// Whether a cell speaks of a plan, or of other numbers, beside the model whose id its markup gives: "`x-70b` Pro plan".
fn has_more(cell: &str, id: &str, tier: Option<&str>) -> bool {
    let more = row::beside(cell, id);
    let is_own_plan = |plan: &str| tier.is_some_and(|tier| tier::is_same(plan, tier));
    let names_other = match tier::in_sentence(&more) {
        Tiers::None => false,
        Tiers::One(plan) => !is_own_plan(&plan),
        Tiers::Several => true,
    };
    names_other || words::is_elsewhere(&more)
}

/// An id without the date of its version at its end: `command-a-03-2025`, `mistral-large-2512`, `x-2026-05-01`. Pages name such
/// models without it; where several versions are left, the match is unsure.
fn undated(id: &str) -> &str {
    let is_date = |date: &str| {
        let parts: Vec<&str> = date.split('-').collect();
        let is = |part: &str, digits: usize, range: std::ops::RangeInclusive<u32>| {
            part.len() == digits && part.parse().is_ok_and(|number| range.contains(&number))
        };
        match parts.as_slice() {
            [month, year] => is(month, 2, 1..=12) && is(year, 4, 2020..=2099),
            [year, month, day] => is(year, 4, 2020..=2099) && is(month, 2, 1..=12) && is(day, 2, 1..=31),
            [date] => date.is_ascii() && date.len() == 4 && is(&date[..2], 2, 20..=99) && is(&date[2..], 2, 1..=12),
            _ => false,
        }
    };
    let joints: Vec<usize> = id.match_indices('-').map(|(at, _)| at).collect();
    let last = joints.iter().rev().take(3).rev();
    last.copied().find(|at| is_date(&id[at + 1..])).map_or(id, |at| &id[..at])
}

/// Whether one is the other with something behind it, as `llama-3.3-70b-versatile` is Llama 3.3 70B.
fn is_begin(name: &str, id: &str) -> bool {
    name.len() >= 5 && id.len() >= 5 && (id.starts_with(name) || name.starts_with(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::{Catalog, Overlay};

    fn models(ids: &[&str]) -> Vec<Model> {
        let entries: Vec<String> = ids.iter().map(|id| format!("[[model]]\nid = \"{id}\"\ncontext = 1\n")).collect();
        let entries = entries.concat();
        let text = format!("dialect = \"openai\"\nbase_url = \"http://127.0.0.1:9\"\nstatus = \"local\"\n{entries}");
        let file = Overlay { id: "a".to_owned(), place: "a.toml".to_owned(), text };
        Catalog::only(&[file]).expect("valid").providers.remove(0).models
    }

    #[test]
    fn what_stands_beside_an_id_may_make_a_match_unsure() {
        let models = models(&["x-70b", "x-pro-8b"]);
        for (name, id, is_sure) in [
            ("x-70b", "x-70b", true),
            ("Acme X 70B", "x-70b", true),
            ("Acme X Pro 8B", "x-pro-8b", true),
            ("x-70b Pro plan", "x-70b", false),
            ("x-70b – paid", "x-70b", false),
            ("x-70b batch", "x-70b", false),
        ] {
            let row = Row { model: name.to_owned(), ids: vec![id.to_owned()], ..Row::default() };
            assert_eq!(matches!(find(&row, &models), Match::One(_)), is_sure, "{name}");
        }
    }

    #[test]
    fn a_title_may_be_a_models_name() {
        let models = models(&["meta/llama-3.3-70b", "x-large-8b-instant", "gemini-pro", "gemini-flash"]);
        for (title, model) in [
            ("Llama 3.3 70B", "Llama 3.3 70B"),
            ("X Large 8B", "X Large 8B"),
            ("Gemini", "*"),
            ("Chat models", "*"),
            ("Step 1", "*"),
        ] {
            let row = Row { model: "*".to_owned(), section: Some(title.to_owned()), ..Row::default() };
            assert_eq!(titled(&row, &models).model, model, "{title}");
        }
    }

    #[test]
    fn names_are_matched_where_they_are_sure() {
        let models = models(&[
            "command-a-03-2025",
            "command-a-reasoning-08-2025",
            "command-r-plus-08-2024",
            "command-r-03-2024",
            "command-r-08-2024",
            "meta/llama-3.3-70b",
            "llama-3.1-8b-instant",
            "mistral-large-2512",
        ]);
        for (name, found) in [
            ("Command A", "= command-a-03-2025"),
            ("Command A Reasoning", "= command-a-reasoning-08-2025"),
            ("Command R+", "= command-r-plus-08-2024"),
            ("Command R", "? command-r-03-2024 command-r-08-2024"),
            ("Llama 3.3 70B", "= meta/llama-3.3-70b"),
            ("Llama 3.1 8B", "? llama-3.1-8b-instant"),
            ("Mistral Large", "= mistral-large-2512"),
            ("mistral-large-2411", "none"),
            (
                "Command",
                "? command-a-03-2025 command-a-reasoning-08-2025 command-r-plus-08-2024 command-r-03-2024 command-r-08-2024",
            ),
            ("Command A Reasoning, Command R+", "? command-a-reasoning-08-2025 command-r-plus-08-2024"),
            ("meta/llama-3.3-70b and llama-3.1-8b-instant", "? meta/llama-3.3-70b llama-3.1-8b-instant"),
            ("Llama 3.3 70B (preview)", "= meta/llama-3.3-70b"),
            ("Llama 3.3 70B (Batch)", "? meta/llama-3.3-70b"),
            ("Llama 3.3 70B (Flex processing, paid)", "? meta/llama-3.3-70b"),
            ("Llama 3.3 70B (Pro plan)", "? meta/llama-3.3-70b"),
            ("Llama 3.3 70B (Live API)", "? meta/llama-3.3-70b"),
            ("Llama 3.3 70B (>200k context)", "? meta/llama-3.3-70b"),
            ("Llama 3.3 70B (70B, 2025-06)", "= meta/llama-3.3-70b"),
            ("meta-llama/llama-3.3-70b", "= meta/llama-3.3-70b"),
            ("unsloth/llama-3.3-70b", "? meta/llama-3.3-70b"),
            ("Command A / Mistral Large", "? command-a-03-2025 mistral-large-2512"),
            ("Mixtral", "none"),
            ("command-a-*", "? command-a-03-2025 command-a-reasoning-08-2025"),
            ("mistral-large-*", "? mistral-large-2512"),
            ("llama-*", "? meta/llama-3.3-70b llama-3.1-8b-instant"),
            ("qwen-*", "none"),
        ] {
            let row = Row { model: name.to_owned(), ..Row::default() };
            let found_now = match find(&row, &models) {
                Match::One(model) => format!("= {}", model.id),
                Match::Unsure(models) => {
                    let ids: Vec<&str> = models.iter().map(|model| model.id.as_str()).collect();
                    format!("? {}", ids.join(" "))
                }
                Match::None => "none".to_owned(),
            };
            assert_eq!(found_now, found, "{name}");
        }
    }
}

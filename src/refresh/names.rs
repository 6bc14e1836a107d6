//! Which model of the catalogue a page's words mean. An unsure match is said, and never acted on.

use crate::catalog::Model;

use super::row::Row;

/// What a page's words mean.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Match<'a> {
    One(&'a Model),
    /// It may be this one.
    Unsure(&'a Model),
    None,
}

/// The model that a row is about.
pub fn find<'a>(row: &Row, models: &'a [Model]) -> Match<'a> {
    let names = || row.ids.iter().map(String::as_str).chain([row.model.as_str()]);
    let by = |is_it: &dyn Fn(&str, &str) -> bool| -> Vec<&'a Model> {
        models.iter().filter(|model| names().any(|name| is_it(name, &model.id))).collect()
    };
    let exact: &dyn Fn(&str, &str) -> bool = &|name, id| name.eq_ignore_ascii_case(id);
    for is_it in [exact, &|name, id| plain(name) == plain(id)] {
        match by(is_it).as_slice() {
            [] => {}
            [one] => return Match::One(one),
            [first, ..] => return Match::Unsure(first),
        }
    }
    match by(&|name, id| is_begin(&plain(name), &plain(id))).as_slice() {
        [] => Match::None,
        [first, ..] => Match::Unsure(first),
    }
}

/// A name without its maker, its case and its joints: "Llama 3.3 70B" and `meta/llama-3.3-70b` are one.
fn plain(name: &str) -> String {
    let name = name.split(" (").next().unwrap_or(name);
    let name = name.rsplit('/').next().unwrap_or(name);
    name.chars().filter(|c| c.is_alphanumeric() || *c == '+' || *c == ':').collect::<String>().to_lowercase()
}

/// Whether one is the other with something behind it, as `llama-3.3-70b-versatile` is Llama 3.3 70B.
fn is_begin(name: &str, id: &str) -> bool {
    name.len() >= 5 && id.len() >= 5 && (id.starts_with(name) || name.starts_with(id))
}

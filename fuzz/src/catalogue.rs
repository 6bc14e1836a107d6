//! Catalogue files and `config.toml`: every mistake has its place, and a provider that is taken is safe to send a key to.

use relay::catalog::reader::File;
use relay::catalog::{Catalog, Overlay, Problem, Problems, Status, check_base_url};
use relay::config::ConfigFile;

/// A provider that `input` may change.
const KNOWN: &str = r#"
name = "Known"
dialect = "openai"
base_url = "https://example.com/v1"
key_env = ["KNOWN_API_KEY"]
status = "free"
[[model]]
id = "a-model-8b"
context = 8192
limits = [{ requests = 30, per = "minute" }, { requests = 1000, per = "day" }]
"#;

/// Reads `input` as a catalogue file of its own, laid upon another, and as `config.toml`.
pub fn catalogue(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let lines = text.lines().count().max(KNOWN.lines().count()) + 1;
    let overlay = |id: &str, text: &str| Overlay { id: id.to_owned(), place: id.to_owned(), text: text.to_owned() };
    for files in [vec![overlay("new", text)], vec![overlay("known", KNOWN), overlay("known", text)]] {
        match Catalog::only(&files) {
            Ok(catalog) => check(&catalog),
            Err(problems) => check_places(&problems, lines),
        }
    }
    let problems = Problems::default();
    let config = File { name: "config.toml", text, provider: None, problems: &problems }.read(ConfigFile::read);
    let problems = problems.into_list();
    assert!(config.is_some() || problems.len() == 1, "unreadable for {} reasons", problems.len());
    check_places(&problems, lines);
}

fn check(catalog: &Catalog) {
    for provider in &catalog.providers {
        let keyless = provider.status == Status::Local;
        let url = check_base_url(&provider.base_url, keyless);
        assert_eq!(url, Ok(()), "`{}` was taken", provider.base_url);
        let mut limits = provider.limits.iter().chain(provider.models.iter().flat_map(|model| &model.limits));
        assert!(limits.all(|limit| limit.amount > 0), "a limit of nothing was taken");
        assert!(provider.models.iter().all(|model| model.context > 0 && !model.types.is_empty()));
    }
}

fn check_places(problems: &[Problem], lines: usize) {
    for problem in problems {
        let has_place = problem.line.is_none_or(|line| (1..=lines).contains(&line));
        assert!(!problem.message.is_empty() && has_place, "{problem:?}");
    }
}

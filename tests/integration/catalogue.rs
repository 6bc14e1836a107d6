//! What every shipped file keeps to, beyond what the reader asks of any file.

use std::collections::HashMap;

use jiff::civil::{Date, date};

use relay::catalog::{Catalog, Overlay, Provider, Status};
use relay::clock::Clock;
use relay::quota::Kind;

/// Gone from the free tiers in 2026, by provider and model; `*` is the whole provider. With the month in which that was seen.
const RETIRED: &[(&str, &str)] = &[
    ("github", "*"),        // 2026-07: answers 410
    ("github-models", "*"), // the same
    ("sambanova", "*"),     // 2026-08: 402 for every model
    ("chutes", "*"),        // 2026-03: 402 for every model
    ("kluster", "*"),       // 2026-06: closed
    ("together", "*"),      // 2026-09: nothing is free
    ("groq", "llama-3.3-70b-versatile"),
    ("groq", "llama-3.1-8b-instant"),
    ("groq", "meta-llama/llama-4-scout-17b-16e-instruct"),
    ("groq", "qwen/qwen3-32b"),
    ("groq", "qwen/qwen3.6-27b"),
    ("groq", "groq/compound"),
    ("groq", "groq/compound-mini"),
    ("gemini", "gemini-2.0-flash"),
    ("gemini", "gemini-2.0-flash-lite"),
    ("gemini", "gemini-2.5-flash"),
    ("gemini", "gemini-2.5-flash-lite"),
    ("gemini", "gemini-2.5-pro"),
    ("deepseek", "deepseek-chat"),
    ("deepseek", "deepseek-reasoner"),
];

/// Hosts that answer nobody any more.
const DEAD_HOSTS: &[&str] = &[
    "models.github.ai",
    "models.inference.ai.azure.com",
    "text.pollinations.ai",
    "api.kluster.ai",
    "llm.chutes.ai",
    "api.sambanova.ai",
];

/// Everything wrong with these providers as part of what relay ships, at this date.
fn complaints(providers: &[Provider], today: Date) -> Vec<String> {
    let mut all = Vec::new();
    let mut owners: HashMap<&str, &str> = HashMap::new();
    for provider in providers {
        let mut say = |what: String| all.push(format!("{}: {what}", provider.id));
        for key in provider.key_env.iter().chain(&provider.account_env) {
            if let Some(owner) = owners.insert(key, &provider.id) {
                say(format!("{key} is {owner}'s too: one of them would get the other's key"));
            }
            if !key.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_') {
                say(format!("{key} is no name of a variable"));
            }
        }
        if !provider.id.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-') {
            say("the id is not lower case".to_owned());
        }
        if !provider.checked.is_some_and(|checked| checked >= date(2026, 6, 1) && checked <= today) {
            say("`checked` is missing, old or in the future".to_owned());
        }
        if provider.page.is_none() && provider.status != Status::Local {
            say("`page` is missing".to_owned());
        }
        complain_of_urls(provider, &mut say);
        complain_of_models(provider, today, &mut say);
    }
    all
}

fn complain_of_urls(provider: &Provider, say: &mut impl FnMut(String)) {
    let page = provider.page.iter().flat_map(|page| std::iter::once(&page.url).chain(&page.markdown));
    for url in provider.signup.iter().chain(page) {
        let parsed: Option<http::Uri> = url.parse().ok();
        if !parsed.is_some_and(|uri| uri.scheme_str() == Some("https") && uri.host().is_some()) {
            say(format!("`{url}` is no https URL"));
        }
    }
    if DEAD_HOSTS.iter().any(|host| provider.base_url.contains(host)) {
        say(format!("{} answers nobody any more", provider.base_url));
    }
    if !provider.base_url.starts_with("https://") && provider.status != Status::Local {
        say(format!("{} is not https", provider.base_url));
    }
}

fn complain_of_models(provider: &Provider, today: Date, say: &mut impl FnMut(String)) {
    if RETIRED.contains(&(provider.id.as_str(), "*")) {
        say("it is retired".to_owned());
    }
    if !provider.has_chats() {
        say("it has no model that chats".to_owned());
    }
    let numbers = provider.limits.iter().chain(provider.models.iter().flat_map(|model| &model.limits));
    for limit in numbers {
        let is_dated = limit.evidence.as_ref().is_some_and(|it| it.url.starts_with("https://") && it.at <= today);
        if !is_dated {
            say(format!("{} {} has no source and date", limit.amount, limit.label()));
        }
        if limit.amount == 0 {
            say(format!("no {} is no limit but a model that is not offered", limit.label()));
        }
    }
    let counts_units = provider.limits.iter().any(|limit| limit.kind == Kind::Units);
    for (index, model) in provider.models.iter().enumerate() {
        if counts_units && model.unit_price.is_none() {
            say(format!("{} has no price in its provider's units", model.id));
        }
        if provider.models[..index].iter().any(|other| other.id == model.id) {
            say(format!("{} is listed twice", model.id));
        }
        if RETIRED.contains(&(provider.id.as_str(), model.id.as_str())) {
            say(format!("{} is retired", model.id));
        }
        if !(1_000..=10_000_000).contains(&model.context) {
            say(format!("{} has a context of {}", model.id, model.context));
        }
    }
}

#[test]
fn what_relay_ships_is_complete_dated_and_alive() {
    let today = Clock::system().now().to_zoned(jiff::tz::TimeZone::UTC).date();
    let catalog = Catalog::shipped()
        .map_err(|problems| problems.iter().map(ToString::to_string).collect::<Vec<_>>())
        .expect("valid");
    assert_eq!(complaints(&catalog.providers, today), Vec::<String>::new());
    let first = ["gemini", "groq", "mistral", "cerebras", "nvidia", "deepseek", "cloudflare", "ollama", "openrouter"];
    for id in first {
        assert!(catalog.provider(id).is_some(), "{id}");
    }
    let living = |provider: &&Provider| !matches!(provider.status, Status::Paid | Status::Local);
    let others = catalog.providers.iter().filter(living).filter(|provider| !first.contains(&provider.id.as_str()));
    assert!(others.count() >= 12, "at least twelve more");
}

#[test]
fn each_rule_finds_its_mistake() {
    const RIGHT: &str = "dialect = \"openai\"\nbase_url = \"https://a.example/v1\"\nkey_env = [\"A_KEY\"]\nstatus = \"free\"\n\
        checked = 2026-10-01\nsignup = \"https://a.example\"\npage = { url = \"https://a.example/limits\" }\n\
        [[model]]\nid = \"m\"\nscale = \"small\"\ncontext = 8192\nlimits = [{ requests = 5, per = \"minute\" }]\n";
    let complaints_of = |id: &str, text: &str| {
        let file = Overlay { id: id.to_owned(), place: format!("{id}.toml"), text: text.to_owned() };
        complaints(&Catalog::only(&[file]).expect("valid").providers, date(2026, 11, 1)).join("\n")
    };
    assert_eq!(complaints_of("a", RIGHT), "");
    let cases = [
        ("a", "A_KEY", "a_key", "no name of a variable"),
        ("a", "\"A_KEY\"", "\"A_KEY\", \"A_KEY\"", "the other's key"),
        ("A", "", "", "not lower case"),
        ("a", "checked = 2026-10-01", "checked = 2026-12-01", "in the future"),
        ("a", "checked = 2026-10-01", "", "has no source and date"),
        ("a", "page = { url = \"https://a.example/limits\" }", "", "`page` is missing"),
        ("a", "signup = \"https", "signup = \"http", "no https URL"),
        ("a", "a.example/v1", "models.github.ai/inference", "answers nobody"),
        ("sambanova", "", "", "it is retired"),
        ("groq", "id = \"m\"", "id = \"qwen/qwen3-32b\"", "qwen/qwen3-32b is retired"),
        ("a", "context = 8192", "context = 81", "a context of 81"),
        ("a", "scale = \"small\"", "scale = \"small\"\ntypes = [\"embedding\"]", "no model that chats"),
        ("a", "requests = 5", "requests = 0", "not offered"),
        ("a", "[[model]]", "[[limit]]\nunits = 9\nper = \"day\"\n[[model]]", "no price in its provider's units"),
    ];
    for (id, from, to, complaint) in cases {
        let found = complaints_of(id, &RIGHT.replacen(from, to, 1));
        assert!(found.contains(complaint), "{complaint} in:\n{found}");
    }
}

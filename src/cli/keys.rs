//! `relay keys`: which there are, and one more or one less.

use std::path::{Path, PathBuf};

use jiff::Timestamp;
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};

use crate::catalog::{Provider, Status};
use crate::clock::{earlier, until};
use crate::config::{self, Environment, Flags, Paths, StateUse};
use crate::routing::{KeyId, Rejection, RouteId};

use super::args::{Global, Keys, KeysAction, OutputFormat};
use super::beside::beside;
use super::exit::{Exit, Trouble, span};
use super::offer::{Offer, by_usefulness, card, training};
use super::output::{Output, dim};
use super::prompt::{self, Prompt};
use super::setup::{self, Core};
use super::trial::{Trial, try_key};
use super::{lacking, report, signal, table};

/// How far back a key's last use is looked for.
const MEMORY: std::time::Duration = std::time::Duration::from_hours(30 * 24);

/// A command's surroundings.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    pub global: &'a Global,
    pub environment: &'a Environment,
    pub output: Output,
}

pub async fn run(keys: &Keys, around: Around<'_>) -> Result<(), Trouble> {
    tokio::select! {
        done = act(keys, around) => done,
        exit = signal::received() => Err(Trouble::silent(exit)),
    }
}

async fn act(keys: &Keys, around: Around<'_>) -> Result<(), Trouble> {
    match &keys.action {
        None | Some(KeysAction::List) => list(around).await,
        Some(KeysAction::Set { provider, no_test }) => set(provider, *no_test, around).await,
        Some(KeysAction::Remove { provider }) => remove(provider, around).await,
        Some(KeysAction::Test { names }) => test(names, around).await,
        Some(KeysAction::Urls { names }) => urls(names, around).await,
    }
}

async fn look(state: StateUse, around: Around<'_>) -> Result<Core, Trouble> {
    let flags = Flags { keyless: true, asks_nobody: true, ..Flags::default() };
    setup::look_with(state, around.global, flags, around.environment, around.output).await
}

async fn list(around: Around<'_>) -> Result<(), Trouble> {
    let core = look(StateUse::Looks, around).await?;
    for problem in &core.problems {
        around.output.notice(&problem.to_string());
    }
    for left_out in core.settings.incomplete() {
        around.output.notice(&left_out.text());
    }
    let now = core.relay.clock.now();
    let documents = kept(&core, now);
    let rows: Vec<[String; 4]> = documents.iter().map(|document| row(document, now)).collect();
    let text = match table::format(around.global) {
        OutputFormat::Table if rows.is_empty() => String::new(),
        OutputFormat::Table => {
            table::fitted(["PROVIDER", "SOURCE", "KEY", "LAST USE"], rows, &[], &[1]).join("\n") + "\n"
        }
        OutputFormat::Plain | OutputFormat::Line => table::plain(&rows),
        OutputFormat::Csv => table::csv(["provider", "source", "key", "last_use"], &rows),
        OutputFormat::Ndjson => table::ndjson(&documents),
        OutputFormat::Json => format!("{}\n", json!({ "schema": "relay.keys/1", "keys": documents })),
    };
    around.output.result(&text)?;
    if documents.is_empty() {
        report::remark(&lacking::not_set_up(&core.settings), around.output);
    }
    Ok(())
}

/// Every key as JSON tells of it, those too whose provider lacks something else.
fn kept(core: &Core, now: Timestamp) -> Vec<Value> {
    // What the ledger cannot tell is merely not shown.
    let last = core.relay.store().last_attempts(earlier(now, MEMORY), true).unwrap_or_default();
    let is_rejected = |(route, rejection): (RouteId, Option<Rejection>)| {
        rejection.filter(|rejection| *rejection == Rejection::KeyRejected).and(core.relay.fleet.route(route).key)
    };
    let rejected: Vec<KeyId> = core.relay.standing().into_iter().filter_map(is_rejected).collect();
    let mut keys = Vec::new();
    for account in &core.settings.accounts {
        let routes = core.relay.fleet.routes.iter().zip(&last);
        let own = routes.filter(|(route, _)| route.provider.id == account.provider.id).filter_map(|(_, last)| *last);
        let used = own.max_by_key(|last| last.at);
        let kept = |key: &KeyId| (&account.provider.id, &core.settings.keys[key.place], used, rejected.contains(key));
        keys.extend(account.keys.iter().map(kept));
    }
    for left_out in core.settings.incomplete() {
        keys.extend(left_out.keys.iter().map(|key| (&left_out.provider, key, None, false)));
    }
    keys.into_iter()
        .map(|(provider, key, used, is_rejected)| {
            json!({
                "provider": provider,
                "source": key.origin,
                "last4": last_four(key.secret.expose_secret()),
                "used_at": used.map(|used| used.at.to_string()),
                "answered": used.map(|used| used.answered),
                "rejected": is_rejected,
            })
        })
        .collect()
}

fn row(document: &Value, now: Timestamp) -> [String; 4] {
    let text = |name: &str| document[name].as_str().unwrap_or_default().to_owned();
    let used_at = document["used_at"].as_str().and_then(|moment| moment.parse().ok());
    let ago = used_at.map(|moment| span(until(moment, now).as_secs()));
    let use_ = match (document["answered"].as_bool(), ago) {
        _ if document["rejected"] == true => "rejected".to_owned(),
        (Some(true), Some(ago)) => format!("answered {ago} ago"),
        (Some(false), Some(ago)) => format!("failed {ago} ago"),
        _ => "-".to_owned(),
    };
    [text("provider"), text("source"), format!("…{}", text("last4")), use_]
}

/// Short keys show nothing: four characters would be too much of them.
fn last_four(key: &str) -> String {
    let characters: Vec<char> = key.chars().collect();
    if characters.len() < 12 { String::new() } else { characters[characters.len() - 4..].iter().collect() }
}

/// The provider of this name, if it takes keys.
pub fn keyed<'c>(core: &'c Core, name: &str) -> Result<&'c Provider, Trouble> {
    let providers = &core.settings.catalog.providers;
    let Some(provider) = providers.iter().find(|it| it.id.eq_ignore_ascii_case(name)) else {
        let trouble = Trouble::new(Exit::Usage, format!("there is no provider `{name}`"));
        let close = crate::catalog::reader::close(name, providers.iter().map(|it| it.id.as_str()));
        return Err(trouble.hint(close.unwrap_or_else(|| "relay keys urls lists them".to_owned())));
    };
    if provider.key_env.is_empty() || provider.status == Status::Local {
        return Err(Trouble::new(Exit::Usage, format!("`{}` takes no key", provider.id)));
    }
    Ok(provider)
}

fn keys_file(environment: &Environment) -> Result<PathBuf, Trouble> {
    let paths = Paths::of(environment).ok_or_else(|| {
        Trouble::new(Exit::Config, "there is no home to keep keys in".to_owned()).hint("set HOME or RELAY_HOME")
    })?;
    Ok(paths.keys)
}

async fn set(name: &str, no_test: bool, around: Around<'_>) -> Result<(), Trouble> {
    let core = look(StateUse::Ignores, around).await?;
    let provider = keyed(&core, name)?;
    let prompt = Prompt::new(around.global, around.environment, around.output);
    let key = match prompt {
        Some(prompt) => prompt.hidden(&format!("{} key (it is not shown): ", provider.name)).await?,
        None => prompt::read_line().await?,
    };
    refuse_nonsense(&key)?;
    let offline = around.global.offline || around.environment.is_on("RELAY_OFFLINE");
    let trial = if no_test || offline { None } else { Some(trial(provider, &key, around).await?) };
    if trial == Some(Trial::Rejected) {
        return Err(Trouble::new(Exit::Auth, format!("{} rejects this key; it was not kept", provider.name))
            .hint(sign_up(provider)));
    }
    let path = keep(provider, &key, around).await?;
    around.output.result(&if around.global.wants_json() {
        kept_document(provider, trial, &path)
    } else {
        told(provider, trial.as_ref(), &format!("kept in {}", path.display()))
    })?;
    if let Some(origin) = preferred(provider, around).await? {
        around.output.notice(&format!("{origin} gives a key too, which is used in its place"));
    }
    around.output.notice(&dim("a `relay serve` that runs uses it after a restart"));
    Ok(())
}

fn kept_document(provider: &Provider, trial: Option<Trial>, path: &Path) -> String {
    let (tested, detail) = match trial {
        Some(Trial::Works(what)) => ("pass", Some(what)),
        Some(Trial::Unclear(why)) => ("unclear", Some(why)),
        Some(Trial::Rejected) | None => ("no", None),
    };
    let document = json!({
        "schema": "relay.keys-set/1", "provider": provider.id, "kept_in": path.display().to_string(), "tested": tested, "detail": detail,
    });
    format!("{document}\n")
}

async fn trial(provider: &Provider, key: &str, around: Around<'_>) -> Result<Trial, Trouble> {
    try_key(provider, Some(key), around.global, around.environment, around.output).await
}

/// Keeps the key; says where it stands.
pub async fn keep(provider: &Provider, key: &str, around: Around<'_>) -> Result<PathBuf, Trouble> {
    Ok(write(provider, Some(key), around).await?.0)
}

/// Writes keys.toml; says where it is, and whether it had a key of the provider. Beside the runtime: another relay may be writing it.
async fn write(provider: &Provider, key: Option<&str>, around: Around<'_>) -> Result<(PathBuf, bool), Trouble> {
    let path = keys_file(around.environment)?;
    let (file, id, key) = (path.clone(), provider.id.clone(), key.map(str::to_owned));
    let written = beside(move || config::write_key(&file, &id, key.as_deref())).await?;
    match written {
        Ok(had_one) => Ok((path, had_one)),
        Err(error) => Err(Trouble::new(Exit::Io, format!("`{}` cannot be written: {error}", path.display()))),
    }
}

/// Where the key comes from that is used in the place of the one that is kept.
pub async fn preferred(provider: &Provider, around: Around<'_>) -> Result<Option<String>, Trouble> {
    let flags = Flags { keyless: true, asks_nobody: true, ..Flags::default() }.with(around.global);
    // What may be asked now does not matter.
    let (flags, environment) = (Flags { offline: false, ..flags }, around.environment.with("RELAY_OFFLINE", ""));
    let settings = setup::load(&flags, &environment, None).await?.settings;
    let account = settings.accounts.iter().find(|account| account.provider.id == provider.id);
    let used = account.and_then(|account| Some(&settings.keys[account.keys.first()?.place]));
    let lacks_more = settings.incomplete().find(|left_out| left_out.provider == provider.id);
    let used = used.or_else(|| lacks_more?.keys.first());
    Ok(used.map(|key| key.origin.clone()).filter(|origin| origin != config::IN_FILE))
}

/// A line about a key that was not rejected.
pub fn told(provider: &Provider, trial: Option<&Trial>, end: &str) -> String {
    match trial {
        Some(Trial::Works(what)) => format!("{}: {what}; {end}\n", provider.id),
        Some(Trial::Unclear(why)) => format!("{}: {end}; could not be tested: {why}\n", provider.id),
        Some(Trial::Rejected) | None => format!("{}: {end}\n", provider.id),
    }
}

/// What cannot be a key, so that a wrong paste is noticed here.
pub fn refuse_nonsense(key: &str) -> Result<(), Trouble> {
    let reason = match () {
        () if key.is_empty() => "nothing was entered",
        () if key.chars().any(char::is_whitespace) => "a key has no blanks in it",
        () if !key.is_ascii() || key.chars().any(char::is_control) => "a key has plain letters, digits and signs only",
        () => return Ok(()),
    };
    Err(Trouble::new(Exit::BadInput, format!("{reason}; nothing was kept")))
}

fn sign_up(provider: &Provider) -> String {
    provider
        .signup
        .as_ref()
        .map_or_else(|| "get another key from its site".to_owned(), |url| format!("keys are at {url}"))
}

async fn remove(name: &str, around: Around<'_>) -> Result<(), Trouble> {
    let core = look(StateUse::Ignores, around).await?;
    let provider = keyed(&core, name)?;
    let (path, had_one) = write(provider, None, around).await?;
    if let Some(variable) = provider.key_env.iter().find(|name| around.environment.get(name).is_some()) {
        around.output.notice(&format!("{variable} is still set, and is used"));
    }
    if !had_one {
        return Err(Trouble::new(
            Exit::Negative,
            format!("there is no key of `{}` in {}", provider.id, path.display()),
        ));
    }
    let place = path.display().to_string();
    around.output.result(&if around.global.wants_json() {
        format!("{}\n", json!({ "schema": "relay.keys-remove/1", "provider": provider.id, "removed_from": place }))
    } else {
        format!("{}: taken out of {place}\n", provider.id)
    })?;
    around.output.notice(&dim("a `relay serve` that runs goes on with it until a restart"));
    Ok(())
}

async fn test(names: &[String], around: Around<'_>) -> Result<(), Trouble> {
    let core = look(StateUse::Ignores, around).await?;
    let mut providers: Vec<&Provider> = Vec::new();
    for name in names {
        providers.push(keyed(&core, name)?);
    }
    if names.is_empty() {
        let with_keys = core.settings.accounts.iter().filter(|account| !account.keys.is_empty());
        providers = with_keys.filter_map(|account| core.settings.catalog.provider(&account.provider.id)).collect();
    }
    if providers.is_empty() {
        return Err(lacking::not_set_up(&core.settings));
    }
    let mut documents = Vec::new();
    for provider in providers {
        let left_out = core.settings.left_out.iter().find(|it| it.provider == provider.id);
        let (status, detail) = match left_out {
            Some(left_out) => ("skip", format!("{}: {}", left_out.why.word(), left_out.why.remedy())),
            None => match try_key(provider, None, around.global, around.environment, around.output).await? {
                Trial::Works(what) => ("pass", what),
                Trial::Rejected => ("auth", format!("rejected; {}", sign_up(provider))),
                Trial::Unclear(why) => ("down", why),
            },
        };
        documents.push(json!({ "provider": provider.id, "status": status, "detail": detail }));
    }
    print_tests(&documents, around)?;
    let all_work = documents.iter().all(|it| it["status"] == "pass");
    if all_work { Ok(()) } else { Err(Trouble::silent(Exit::Negative)) }
}

fn print_tests(documents: &[Value], around: Around<'_>) -> Result<(), Trouble> {
    let text = |document: &Value, name: &str| document[name].as_str().unwrap_or_default().to_owned();
    let row = |it: &Value| [text(it, "status").to_uppercase(), text(it, "provider"), text(it, "detail")];
    let rows: Vec<[String; 3]> = documents.iter().map(row).collect();
    around.output.result(&match table::format(around.global) {
        OutputFormat::Table => table::fitted(["STATUS", "PROVIDER", "DETAIL"], rows, &[], &[2]).join("\n") + "\n",
        OutputFormat::Plain | OutputFormat::Line => table::plain(&rows),
        OutputFormat::Csv => table::csv(["status", "provider", "detail"], &rows),
        OutputFormat::Ndjson => table::ndjson(documents),
        OutputFormat::Json => format!("{}\n", json!({ "schema": "relay.keys-test/1", "keys": documents })),
    })
}

async fn urls(names: &[String], around: Around<'_>) -> Result<(), Trouble> {
    let core = look(StateUse::Ignores, around).await?;
    let mut providers = by_usefulness(core.settings.catalog.providers.iter());
    if !names.is_empty() {
        providers = names.iter().map(|name| keyed(&core, name)).collect::<Result<_, _>>()?;
    }
    let row = |it: &&Provider| {
        [
            it.id.clone(),
            it.signup.clone().unwrap_or_default(),
            card(it).to_owned(),
            format!("{}: {}", it.status.word(), Offer::of(it).text()),
            it.terms.clone().unwrap_or_default(),
            it.checked.map(|date| date.to_string()).unwrap_or_default(),
            training(it).to_owned(),
        ]
    };
    let rows: Vec<[String; 7]> = providers.iter().map(row).collect();
    let header = ["provider", "url", "card", "gives", "terms", "checked", "trains"];
    let text = match table::format(around.global) {
        OutputFormat::Table => human_urls(&rows),
        OutputFormat::Plain | OutputFormat::Line => table::plain(&rows),
        OutputFormat::Csv => table::csv(header, &rows),
        OutputFormat::Ndjson => table::ndjson(&documents(&providers)),
        OutputFormat::Json => {
            format!("{}\n", json!({ "schema": "relay.keys-urls/1", "providers": documents(&providers) }))
        }
    };
    around.output.result(&text)
}

fn documents(providers: &[&Provider]) -> Vec<Value> {
    let document = |it: &&Provider| {
        json!({
            "provider": it.id,
            "url": it.signup,
            "card": it.card,
            "cost": it.status.word(),
            "gives": Offer::of(it).text(),
            "terms": it.terms,
            "trains": it.trains.word(),
            "checked": it.checked.map(|date| date.to_string()),
        })
    };
    providers.iter().map(document).collect()
}

/// An address has to be whole, to be clicked; what is told of it stands below.
fn human_urls(rows: &[[String; 7]]) -> String {
    let width = rows.iter().map(|row| row[0].len()).max().unwrap_or(0);
    let line = |row: &[String; 7]| {
        let [id, url, card, gives, terms, checked, training] = row;
        let told = [gives, card, training, terms].into_iter().filter(|part| !part.is_empty()).map(String::as_str);
        let about = format!("{} ({checked})", told.collect::<Vec<_>>().join("; "));
        format!("{id:width$}  {url}\n{:width$}  {}\n", "", dim(&table::wrapped(&about, width + 2)))
    };
    rows.iter().map(line).collect()
}

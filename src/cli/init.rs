//! `relay init`: from nothing to a first answer, with a person at the terminal.

use crate::catalog::Provider;
use crate::config::Flags;
use crate::relay::Condition;

use super::args::{CheckModels, Init};
use super::exit::{Exit, Trouble};
use super::keys::{Around, keep, keyed, preferred, refuse_nonsense, told};
use super::offer::{Offer, by_usefulness, card, training};
use super::output::{bold, dim};
use super::prompt::Prompt;
use super::setup::{self, Core};
use super::trial::{Trial, try_key};
use super::{browser, check_models, lacking, signal, table};

/// Without names, this many providers are gone through; `relay keys urls` lists the rest.
const MOST_OFFERED: usize = 8;

pub async fn run(init: &Init, around: Around<'_>) -> Result<(), Trouble> {
    tokio::select! {
        done = guide(init, around) => done,
        exit = signal::received() => Err(Trouble::silent(exit)),
    }
}

async fn guide(init: &Init, around: Around<'_>) -> Result<(), Trouble> {
    let Around { global, environment, output } = around;
    let flags = Flags { keyless: true, asks_nobody: true, ..Flags::default() };
    let core = setup::look(global, flags, environment, output).await?;
    for problem in &core.problems {
        output.notice(&problem.to_string());
    }
    let mut providers = offered(init, &core)?;
    let Some(prompt) = Prompt::new(global, environment, output) else { return Err(nobody_to_ask(&providers)) };
    output.error(&format!("{}\n", bold("relay pools free AI tiers. One key is enough; every step may be skipped.")));
    let Found { mut ready, rejected } = found(&core, around).await?;
    let is_rejected = |provider: &&Provider| rejected.contains(&provider.id);
    if init.names.is_empty() {
        // A key that has to be replaced comes first, however useful its provider is.
        providers.retain(|provider| !is_rejected(provider));
        providers.splice(0..0, core.settings.catalog.providers.iter().filter(is_rejected));
    }
    for (number, provider) in (1..).zip(&providers) {
        if has_key(&core, provider) && !is_rejected(provider) {
            continue;
        }
        output.error(&format!("\n{}", introduction(number, providers.len(), provider)));
        match step(provider, prompt, around).await? {
            Step::Added => ready += 1,
            Step::Skipped => {}
            Step::Enough => break,
        }
    }
    match (ready, &rejected[..]) {
        (0, []) => Err(lacking::not_set_up(&core.settings)),
        (0, rejected) => {
            let message = format!("the keys that are used are rejected: {}", rejected.join(", "));
            Err(Trouble::new(Exit::Auth, message).hint("relay init asks for others again"))
        }
        _ => finish(around).await,
    }
}

/// The providers to go through, those that are named or the most useful ones.
fn offered<'c>(init: &Init, core: &'c Core) -> Result<Vec<&'c Provider>, Trouble> {
    if !init.names.is_empty() {
        return init.names.iter().map(|name| keyed(core, name)).collect();
    }
    let mut providers = by_usefulness(core.settings.catalog.providers.iter());
    providers.truncate(MOST_OFFERED);
    Ok(providers)
}

fn has_key(core: &Core, provider: &Provider) -> bool {
    core.settings.accounts.iter().any(|account| account.provider.id == provider.id && !account.keys.is_empty())
        || core.settings.incomplete().any(|left_out| left_out.provider == provider.id)
}

/// Without a person, the commands that do the same.
fn nobody_to_ask(providers: &[&Provider]) -> Trouble {
    let lines = providers.iter().map(|it| {
        let url = it.signup.as_ref().map(|url| format!("\n      a key is at {url}")).unwrap_or_default();
        format!("  relay keys set {} < key-file{url}", it.id)
    });
    Trouble::new(Exit::Usage, "init asks questions, and there is no terminal to answer them".to_owned())
        .and_lines(lines)
        .hint("one of these commands does the same; `relay keys test` then checks the key")
}

/// What is there before anybody is asked.
#[derive(Default)]
struct Found {
    /// How many providers can be used.
    ready: usize,
    /// Providers whose keys are all rejected.
    rejected: Vec<String>,
}

/// Tests the keys there are already, and looks for a local server.
async fn found(core: &Core, around: Around<'_>) -> Result<Found, Trouble> {
    let Around { global, environment, output } = around;
    let mut found = Found::default();
    for account in core.settings.accounts.iter().filter(|account| !account.keys.is_empty()) {
        let origin = &core.settings.keys[account.keys[0].place].origin;
        let trial = try_key(&account.provider, None, global, environment, output).await?;
        let line = match trial {
            Trial::Rejected => {
                found.rejected.push(account.provider.id.clone());
                format!("{}: key rejected ({origin})", account.provider.id)
            }
            trial => {
                found.ready += 1;
                told(&account.provider, Some(&trial), &format!("key found in {origin}")).trim_end().to_owned()
            }
        };
        output.error(&line);
    }
    for left_out in core.settings.incomplete() {
        output.error(&left_out.text());
    }
    for id in setup::running_local_servers(core).await {
        found.ready += 1;
        output.error(&format!("{id}: runs on this machine, and is used"));
    }
    Ok(found)
}

fn introduction(number: usize, of: usize, provider: &Provider) -> String {
    let offer = Offer::of(provider).text();
    let about = format!("{offer}, {}, {}", card(provider), training(provider));
    let name = bold(&format!("[{number}/{of}] {}", provider.name));
    let mut text = table::complaint(&format!("{name} {}", dim(&about)), 2) + "\n";
    if let Some(terms) = &provider.terms {
        text.push_str(&format!("  {}\n", dim(&table::complaint(terms, 2))));
    }
    if let Some(variable) = provider.account_env.first() {
        text.push_str(&format!("  its account id is wanted too, in {variable}\n"));
    }
    let place = provider.signup.as_deref().unwrap_or("from its site");
    text + "  " + &table::complaint(&format!("get a key: {place}"), 2)
}

/// How a step ended.
enum Step {
    Added,
    Skipped,
    Enough,
}

async fn step(provider: &Provider, prompt: Prompt, around: Around<'_>) -> Result<Step, Trouble> {
    let Around { global, environment, output } = around;
    loop {
        let ways = if provider.signup.is_some() { "o to open the page, " } else { "" };
        let key = prompt.hidden(&format!("  paste it here (not shown), {ways}Enter to skip, q to finish: ")).await?;
        match (key.as_str(), &provider.signup) {
            ("", _) => return Ok(Step::Skipped),
            ("q", _) => return Ok(Step::Enough),
            ("o", Some(url)) => {
                if let Err(reason) = browser::open(url) {
                    output.error(&format!("  nothing here opens a page ({reason}); copy the address: {url}"));
                }
                continue;
            }
            _ => {}
        }
        if let Err(trouble) = refuse_nonsense(&key) {
            output.error(&format!("  {}", trouble.message));
            continue;
        }
        let trial = try_key(provider, Some(&key), global, environment, output).await?;
        if trial == Trial::Rejected {
            output.error(&format!(
                "  {} rejects this key; it was not kept. Another one, or Enter to skip.",
                provider.name
            ));
            continue;
        }
        let path = keep(provider, &key, around).await?;
        output.error(&format!("  {}", told(provider, Some(&trial), &format!("kept in {}", path.display())).trim_end()));
        let Some(origin) = preferred(provider, around).await? else { return Ok(Step::Added) };
        output.error(&format!("  the key of {origin} is used in its place until you take that away"));
        return Ok(Step::Skipped);
    }
}

/// The table of what can be used now, and three things to copy.
async fn finish(around: Around<'_>) -> Result<(), Trouble> {
    let Around { global, environment, output } = around;
    output.error("");
    let check = CheckModels::usual();
    // That some model fails is in the table; the setup is done all the same.
    let rows = check_models::look(&check, global, environment, output).await?;
    if !rows.iter().any(|row| matches!(row.condition(), Condition::Pass | Condition::Limit)) {
        return Err(Trouble::new(Exit::Negative, "no model answers yet; the table says why".to_owned())
            .hint("relay init goes on from here, relay check-models looks again"));
    }
    output.error(&format!(
        "\n{}\n  relay ask \"Why is the sky blue?\"\n  relay serve\n  export OPENAI_BASE_URL=http://127.0.0.1:8000/v1 OPENAI_API_KEY=relay",
        bold("Ready. Three lines to copy:")
    ));
    Ok(())
}

//! `relay ask`: one prompt, one answer. Stdout gets the answer and nothing else.

mod answerer;
mod attach;
mod course;
mod deliver;
mod extract;
mod input;
mod limit;
mod options;
mod question;
mod reading;
mod schema;
mod spinner;

use crate::catalog::reader::close;
use crate::chat::ChatRequest;
use crate::config::{Environment, Flags, LeftOut, StateUse};
use crate::relay::{Options, Remote};
use crate::routing::Route;

use super::args::{Ask, Global};
use super::batch;
use super::beside::beside;
use super::exit::{Exit, Trouble};
use super::explain;
use super::lacking;
use super::output::Output;
use super::setup::{self, Core, Verify};
use super::signal::Signals;
use super::via;

use course::Course;
use limit::Limit;
use question::Question;

pub use answerer::Answerer;
pub use extract::Extract;
pub use input::stdin_has_input;
pub use limit::timeout;
pub use options::options;
pub use question::fields;

pub async fn run(ask: &Ask, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let mut signals = Signals::new()?;
    if let Some(input) = &ask.batch {
        return batch::run(input, ask, global, environment, output, &mut signals).await;
    }
    let done = signals.interrupting(Box::pin(answer(ask, global, environment, output))).await;
    // Whoever reads JSON gets some in any case.
    done.map_err(|trouble| match trouble.exit {
        exit @ (Exit::Interrupted | Exit::Terminated) if global.wants_json() => {
            Trouble::new(exit, "a signal ended it".to_owned())
        }
        _ => trouble,
    })
}

async fn answer(ask: &Ask, global: &Global, environment: &Environment, output: Output) -> Result<(), Trouble> {
    let whole = timeout(ask, environment)?;
    if let Some(path) = ask.output_file() {
        deliver::refuse_unwritable(path)?;
    }
    let question = question(ask, environment).await?;
    let limit = Limit::begin(whole);
    if let Some(url) = gateway_url(ask, global, environment)? {
        let remote = remote(ask, url, global, environment)?;
        if ask.explain {
            return explain::run_via(&remote, &question.forms[0], &options::options(ask, None), global, output).await;
        }
        return Course::new(ask, global, output, Answerer::Gateway(&remote), &question, limit).run().await;
    }
    // Who is silent has to be left while there is time for somebody else.
    let flags = Flags {
        strict_free: ask.strict_free,
        deadline: Some(whole),
        providers: meant(&question.forms[0]),
        asks_nobody: ask.explain,
        state: if ask.explain { StateUse::Looks } else { StateUse::Keeps },
        ..Flags::default()
    };
    let core = setup::core(global, flags, environment, output, Verify::Nothing);
    let core = limit.keep(core, |late| late.and_lines(["  the settings were still being read".to_owned()])).await?;
    for problem in &core.problems {
        output.notice(&problem.to_string());
    }
    refuse_unknown(&ask.avoid, &core)?;
    let done = if ask.explain {
        let session = ask.session.as_deref().and_then(|name| core.relay.session_named(name));
        let options = Options { session, ..options::options(ask, None) };
        explain::run(&core.relay, &question.forms[0], &options, global, output).await
    } else {
        Course::new(ask, global, output, Answerer::Routes(&core.relay), &question, limit).run().await
    };
    done.map_err(|trouble| with_name(with_setup(trouble, &core), &question.forms[0], &core))
}

/// Names that all providers have which may be asked; none where any may. An image moves on from a model that cannot see to any that can.
fn meant(request: &ChatRequest) -> Vec<String> {
    let stays = !request.wants_any_model() && request.messages.images == 0;
    stays.then(|| request.model.clone()).into_iter().collect()
}

/// What is asked, read beside the runtime: stdin may say nothing for ever, and so may a pipe that is named as a file.
async fn question(ask: &Ask, environment: &Environment) -> Result<Question, Trouble> {
    let (ask, environment) = (ask.clone(), environment.clone());
    let no_stdin = ask.no_stdin || environment.is_on("RELAY_NO_STDIN");
    beside(move || Question::of(&ask, input::content(&ask, no_stdin)?, &environment)).await?
}

/// The gateway to ask. Simulated providers are asked for more explicitly than a variable says otherwise.
pub fn gateway_url<'a>(
    ask: &'a Ask,
    global: &Global,
    environment: &'a Environment,
) -> Result<Option<&'a str>, Trouble> {
    let simulated = global.simulate.is_some();
    let Some(url) = ask.via.as_deref().or_else(|| environment.get("RELAY_URL").filter(|_| !simulated)) else {
        return Ok(None);
    };
    let own_routes = [
        ("--simulate", simulated),
        ("--avoid", !ask.avoid.is_empty()),
        ("--no-failover", ask.no_failover),
        ("--max-attempts", ask.max_attempts.is_some()),
        ("--strict-free", ask.strict_free),
    ];
    match own_routes.into_iter().find(|(_, is_set)| *is_set) {
        Some((flag, _)) => {
            let message = format!("`{flag}` is about this process's own routes, and a gateway is to be asked");
            Err(Trouble::new(Exit::Usage, message).hint("leave out --via, and RELAY_URL in the environment"))
        }
        None => Ok(Some(url)),
    }
}

pub fn remote(ask: &Ask, url: &str, global: &Global, environment: &Environment) -> Result<Remote, Trouble> {
    let name = if ask.via.is_some() { "--via" } else { "RELAY_URL" };
    let mut remote = via::remote(name, url, global, environment)?;
    remote.session.clone_from(&ask.session);
    Ok(remote)
}

/// A name to avoid that nobody has is a slip that would go unnoticed.
pub fn refuse_unknown(avoid: &[String], core: &Core) -> Result<(), Trouble> {
    let providers = &core.settings.catalog.providers;
    let is_known = |name: &&String| {
        providers.iter().any(|provider| {
            name.strip_prefix(provider.id.as_str()).is_some_and(|rest| {
                rest.is_empty()
                    || rest.strip_prefix('/').is_some_and(|id| provider.models.iter().any(|model| model.id == id))
            })
        })
    };
    let Some(name) = avoid.iter().find(|name| !is_known(name)) else { return Ok(()) };
    let trouble = Trouble::new(Exit::Usage, format!("`--avoid {name}` names no provider and no PROVIDER/MODEL"));
    let routes = providers
        .iter()
        .flat_map(|provider| provider.models.iter().map(move |model| format!("{}/{}", provider.id, model.id)));
    let names: Vec<String> = providers.iter().map(|provider| provider.id.clone()).chain(routes).collect();
    let hint = close(name, names.iter().map(String::as_str));
    Err(Trouble { hint, ..trouble })
}

/// Where nothing is set up, says how to get a first answer.
pub fn with_setup(trouble: Trouble, core: &Core) -> Trouble {
    match trouble.exit {
        Exit::Config => Trouble { attempts: trouble.attempts, ..lacking::not_set_up(&core.settings) },
        _ => trouble,
    }
}

/// A model that nobody here has may be one of a provider that is not set up, or be spelled as one is.
fn with_name(trouble: Trouble, request: &ChatRequest, core: &Core) -> Trouble {
    let model = request.model.as_str();
    let is_known = |route: &Route| {
        route.provider.id.eq_ignore_ascii_case(model) || route.model.id == model || *route.name == *model
    };
    let is_about_the_name = trouble.exit == Exit::Usage && !request.wants_any_model();
    if !is_about_the_name || core.relay.fleet.routes.iter().any(is_known) {
        return trouble;
    }
    let id = model.split('/').next().unwrap_or(model);
    let left_out = core.settings.left_out.iter().find(|left_out| left_out.provider.eq_ignore_ascii_case(id));
    let ids = core.settings.catalog.providers.iter().map(|provider| provider.id.as_str());
    // That others have the model too is no help to whoever names the provider.
    let hint = left_out.map(LeftOut::text).or(trouble.hint).or_else(|| close(id, ids));
    Trouble { hint, ..trouble }
}

//! Every fault, plain and streamed, in every dialect, beside one healthy route: one answer, and relay's books are its providers'.

use futures_util::stream::{self, StreamExt as _};
use relay::quota::Kind;
use relay::sim::{Act, Limit, Period, Persona, ProviderSpec};

use super::harness::{Fake, Gateway, Reply, eventually, gateway, provider};

/// Silence ends soon enough for a test, and no healthy answer takes so long.
const IMPATIENT: &str = "[timeouts]\nfirst_event = \"1s\"\nidle = \"1s\"\n";

/// Gateways at a time: those of silent providers wait.
const AT_A_TIME: usize = 8;

fn faults() -> Vec<Act> {
    let early = [Act::Cut { after: 1 }, Act::Stall { after: 1 }, Act::ErrorAfter { after: 1 }];
    let of_requests = [Act::TooLarge, Act::TooLong, Act::BadRequest("no".to_owned()), Act::status(418)];
    let all = Act::passing().into_iter().chain(Act::lasting()).chain(Act::silent());
    all.chain(early).chain(of_requests).collect()
}

/// Who fails: one provider of each dialect.
fn failing() -> [(&'static str, Fake); 3] {
    let played = |persona: Persona| {
        let spec = ProviderSpec::impersonating(persona);
        provider(&spec.id.clone()).spec(|_| spec)
    };
    [("openai", provider("sim-a")), ("gemini", played(Persona::Gemini)), ("ollama", played(Persona::Ollama))]
}

/// One answer, whole, by the healthy route or begun by the failing one and ended by it.
fn check(reply: &Reply) -> Result<(), String> {
    let text = reply.text();
    let is_answer = reply.status == 200 && reply.complete && !reply.answer().is_empty();
    let is_once = !reply.is_stream() || text.matches("data: [DONE]").count() == 1;
    if is_answer && is_once && !text.contains("\"error\"") { Ok(()) } else { Err(format!("{} {text}", reply.status)) }
}

/// What relay has counted of requests, by provider, is what each has seen.
fn books(gateway: &Gateway) -> Result<(), String> {
    let (now, view) = (gateway.relay.clock.now(), gateway.relay.store().view());
    let totals = gateway.relay.store().totals(jiff::Timestamp::MIN)?;
    for id in gateway.providers.ids() {
        let seen = gateway.providers.chats(id).len() as u64;
        let routes = || gateway.relay.fleet.routes.iter().filter(|route| route.provider.id == id);
        let rows: u64 =
            routes().map(|route| totals[route.id.0]).map(|one| one.ok + one.errors + one.rate_limited).sum();
        let shared = gateway.relay.fleet.meters.iter().zip(view.meters.iter()).find(|(spec, _)| {
            spec.name.starts_with(&format!("{id}/")) && spec.limit.kind == Kind::Requests && spec.limit.amount == MANY
        });
        let counted = shared.map(|(_, meter)| meter.reading(now).used);
        if (rows, counted) != (seen, Some(seen)) {
            return Err(format!("{id} saw {seen} requests; the ledger has {rows}, the meter {counted:?}"));
        }
    }
    Ok(())
}

/// A limit that nobody reaches, and no other limit has.
const MANY: u64 = 77_777;

async fn trial(dialect: &str, failing: Fake, act: Act, streamed: bool) -> Result<(), String> {
    let limited = |fake: Fake| fake.limit(Limit::requests(MANY, Period::Day));
    let failing = limited(failing).answers([act.clone()]);
    let gateway = gateway().over([failing, limited(provider("sim-z"))]).config(IMPATIENT).start().await;
    let reply = gateway.ask("Why is the sky blue?").streamed_if(streamed).await;
    eventually("all is settled", || gateway.is_idle()).await;
    check(&reply)
        .and_then(|()| books(&gateway))
        .map_err(|what| format!("{dialect}, streamed {streamed}, {act:?}: {what}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_fault_in_every_dialect_is_made_up_for_by_the_one_healthy_route() {
    let mut trials = Vec::new();
    for act in faults() {
        for streamed in [false, true] {
            trials.extend(failing().map(|(dialect, failing)| trial(dialect, failing, act.clone(), streamed)));
        }
    }
    let count = trials.len();
    let results: Vec<Result<(), String>> = stream::iter(trials).buffer_unordered(AT_A_TIME).collect().await;
    let wrong: Vec<String> = results.into_iter().filter_map(Result::err).collect();
    assert!(wrong.is_empty(), "{} of {count}: {wrong:#?}", wrong.len());
}

//! What `relay refresh-limits` asks beside the page: the models list, the account of a key, headers of real responses.

use relay::clock::Clock;
use relay::sim::{Limit, ModelSpec, Period, ProviderSpec};
use serde_json::Value;

use super::harness::{Command, Finished, Providers, Site, json, markdown, page, provider, relay, status};

const KEY: &str = "sk-acme-secret";

const PAGE: &str = "## Free tier\n\n| Model | RPM |\n| --- | --- |\n| a-large | 30 |\n| b-large | 30 |\n| c-large | 30 |\n| d-large | 30 |\n";

const LIST: &str = r#"{"data":[
    {"id":"a-large","context_length":4096},
    {"id":"b-large","context_length":16384},
    {"id":"c-large"},
    {"id":"e-new","context_length":1000,"pricing":{"prompt":"0","completion":"0"}},
    {"id":"f-dear","pricing":{"prompt":"0.1","completion":"0.2"}},
    {"id":"g-embed"},
    {"id":"h-off"}]}"#;

/// The catalogue file of a provider that is at this site, with four models, and more of its own.
fn catalogue(site: &Site, more: &str) -> String {
    let model = |id: char| {
        format!("[[model]]\nid = \"{id}-large\"\ncontext = 8192\nlimits = [{{ requests = 30, per = \"minute\" }}]\n")
    };
    format!(
        "dialect = \"openai\"\nbase_url = \"{}\"\nkey_env = [\"ACME_API_KEY\"]\nstatus = \"free\"\nchecked = 2026-01-01\n\
         page = {{ url = \"{}\", markdown = \"{}\", tier = \"free\" }}\n{more}{}\
         [[model]]\nid = \"h-off\"\ncontext = 1\nenabled = false\n",
        site.url("/v1"),
        site.url("/limits"),
        site.url("/limits.md"),
        ['a', 'b', 'c', 'd'].map(model).concat()
    )
}

pub fn refresh(site: &Site, more: &str, arguments: &[&'static str]) -> Command {
    let all = ["refresh-limits", "acme", "--json"].into_iter().chain(arguments.iter().copied());
    relay(all).without_shipped().file("limits/acme.toml", catalogue(site, more)).variable("ACME_API_KEY", KEY)
}

/// Every change in short: `origin model field old>new op`, and ` !` where it waits.
pub fn changes(finished: &Finished) -> Vec<String> {
    let document = finished.json();
    let number = |value: &Value| value.as_u64().map_or_else(|| "-".to_owned(), |number| number.to_string());
    let short = |change: &Value| {
        let source = usize::try_from(change["source"].as_u64().expect("a number")).expect("small") - 1;
        let text = |value: &Value| value.as_str().expect("a text").to_owned();
        format!(
            "{} {} {} {}>{} {}{}",
            text(&document["sources"][source]["origin"]),
            text(&change["model"]),
            text(&change["field"]),
            number(&change["old"]),
            number(&change["new"]),
            text(&change["op"]),
            if change["suspicious"] == true { " !" } else { "" }
        )
    };
    document["changes"].as_array().expect("a list").iter().map(short).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_models_list_tells_contexts_and_models_that_are_new_or_gone() {
    let site = Site::start([("/limits.md", markdown(PAGE)), ("/v1/models", json(LIST))]).await;
    let finished = refresh(&site, "", &["--yes"]).await;
    assert_eq!(
        changes(finished.exits(0)),
        [
            "models list a-large context 8192>4096 change",
            "models list b-large context 8192>16384 change !",
            "models list d-large model ->- gone",
            "models list e-new context ->1000 new",
        ]
    );
    let source = &finished.json()["sources"][1];
    assert_eq!((&source["url"], &source["status"]), (&site.url("/v1/models").into(), &"changed".into()));
    assert!(source["fetched_at"].is_string() && source["sha256"].is_string(), "{source}");
    let text = finished.file("limits/acme.toml");
    assert!(text.contains("context = 4096\n") && text.contains("quote = \"a-large: 4096\""), "{text}");
    assert!(text.contains("id = \"d-large\"") && text.contains("relay-api/"), "nothing is removed in silence: {text}");
    let asked = site.asked("/v1/models");
    assert!(asked.len() == 1 && asked[0].contains(&format!("Bearer {KEY}")), "{asked:?}");
    assert!(!site.asked("/limits.md")[0].contains(KEY), "the page gets no key");
    refresh(&site, "", &["--check"]).await.exits(1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_that_is_gone_from_the_list_is_enough_for_a_check_to_fail_and_a_new_one_is_not() {
    let models = |ids: &[&str]| {
        let models: Vec<String> = ids.iter().map(|id| format!("{{\"id\":\"{id}\"}}")).collect();
        json(&format!("{{\"data\":[{}]}}", models.join(",")))
    };
    let four = ["a-large", "b-large", "c-large", "d-large"];
    for (list, exit, found) in [
        (models(&four), 0, None),
        (models(&[&four[..], &["e-new"]].concat()), 0, Some("models list e-new context ->- new")),
        (models(&four[..3]), 1, Some("models list d-large model ->- gone")),
    ] {
        let site = Site::start([("/limits.md", markdown(PAGE)), ("/v1/models", list)]).await;
        let finished = refresh(&site, "", &["--check"]).await;
        assert_eq!(changes(finished.exits(exit)), found.into_iter().collect::<Vec<_>>());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_key_nobody_is_asked_for_models() {
    let site = Site::start([("/limits.md", markdown(PAGE)), ("/v1/models", json(LIST))]).await;
    let finished = refresh(&site, "", &[]).variable("ACME_API_KEY", "").await;
    assert_eq!(changes(finished.exits(0)), Vec::<String>::new());
    assert_eq!(site.asked("/v1/models").len(), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_list_that_is_none_or_another_one_is_unread_and_the_page_counts_all_the_same() {
    let other = r#"{"data":[{"id":"x"},{"id":"a-large"}]}"#;
    let away = status(302).header("location", "http://127.0.0.2:9/v1/models");
    for (list, reason) in [
        (json(other), "1 of 4 models"),
        (json("{}"), "no list of models"),
        (json(r#"{"data":[]}"#), "empty"),
        (status(500), "status 500"),
        (away, "status 302"),
    ] {
        let changed = PAGE.replace("c-large | 30", "c-large | 20");
        let site = Site::start([("/limits.md", markdown(&changed)), ("/v1/models", list)]).await;
        let finished = refresh(&site, "", &[]).await;
        assert_eq!(changes(finished.exits(0)), ["page c-large requests_per_minute 30>20 change"], "{reason}");
        let source = &finished.json()["sources"][1];
        assert_eq!(source["status"], "unread");
        assert!(source["reason"].as_str().is_some_and(|said| said.contains(reason)), "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_third_of_the_models_gone_from_the_list_waits() {
    let list = r#"{"data":[{"id":"a-large","context_length":4096},{"id":"b-large"}]}"#;
    let site = Site::start([("/limits.md", markdown(PAGE)), ("/v1/models", json(list))]).await;
    let finished = refresh(&site, "", &["--yes"]).await;
    let found = changes(finished.exits(0));
    assert!(found.len() == 3 && found.iter().all(|change| change.ends_with('!')), "{found:?}");
    let more = "[wire]\nlists_all = false\n";
    assert_eq!(
        changes(refresh(&site, more, &[]).await.exits(0)),
        ["models list a-large context 8192>4096 change"],
        "a list that leaves models out says nothing of those it does not name"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_context_of_the_users_own_stays() {
    let site = Site::start([("/limits.md", markdown(PAGE)), ("/v1/models", json(LIST))]).await;
    // An id of the shipped catalogue, so that this is an overlay: the model's other fields come from there.
    let own = format!(
        "base_url = \"{}\"\npage = {{ url = \"{}\", tier = \"free\" }}\n[[model]]\nid = \"openai/gpt-oss-20b\"\ncontext = 9000\n",
        site.url("/v1"),
        site.url("/limits.md"),
    );
    site.set("/v1/models", json(r#"{"data":[{"id":"openai/gpt-oss-20b","context_window":8000},{"id":"openai/gpt-oss-120b"},{"id":"qwen/qwen3.8-27b"}]}"#));
    site.set("/limits.md", markdown("## Free tier\n\n| Model | RPM |\n| --- | --- |\n| openai/gpt-oss-20b | 30 |\n"));
    let command = relay(["refresh-limits", "groq", "--yes", "--json"]).without_shipped().file("limits/groq.toml", own);
    let finished = command.variable("GROQ_API_KEY", KEY).await;
    assert_eq!(changes(finished.exits(0)), ["models list openai/gpt-oss-20b context 9000>8000 conflict"]);
    assert!(finished.file("limits/groq.toml").contains("context = 9000"));
}

const ACCOUNT: &str = "account = { path = \"/key\", limits = [{ at = \"data.daily.limit\", counts = \"requests\", per = \"day\" }] }\n\
                       [[limit]]\nrequests = 50\nper = \"day\"\n";
const SHARED: &str = "## Free tier\n\nYou are limited to 60 requests per day.\n";

#[tokio::test(flavor = "multi_thread")]
async fn what_the_account_has_stands_above_the_page() {
    let key = |limit: &str| json(&format!(r#"{{"data":{{"label":"x","daily":{{"used":3,"limit":{limit}}}}}}}"#));
    let site = Site::start([("/limits.md", markdown(SHARED)), ("/v1/key", key("80"))]).await;
    let finished = refresh(&site, ACCOUNT, &["--yes"]).await;
    assert_eq!(changes(finished.exits(0)), ["account * requests_per_day 50>80 change"]);
    let text = finished.file("limits/acme.toml");
    assert!(text.contains("requests = 80") && text.contains("quote = \"data.daily.limit: 80\""), "{text}");
    assert!(site.asked("/v1/key")[0].contains(KEY) && !finished.stdout.contains(KEY));
    site.set("/v1/key", key("50"));
    assert_eq!(
        changes(refresh(&site, ACCOUNT, &["--check"]).await.exits(0)),
        ["page * requests_per_day 50>60 conflict !"]
    );
    site.set("/v1/key", key("1000"));
    assert_eq!(changes(refresh(&site, ACCOUNT, &[]).await.exits(0)), ["account * requests_per_day 50>1000 change !"]);
    site.set("/v1/key", key("null"));
    let unread = refresh(&site, ACCOUNT, &[]).await;
    assert_eq!(changes(unread.exits(0)), ["page * requests_per_day 50>60 change"]);
    assert_eq!(unread.json()["sources"][2]["reason"], "it has no number at `data.daily.limit`");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_goes_to_its_own_host_whatever_a_folder_of_files_says() {
    let own = Site::start([("/limits.md", markdown(PAGE)), ("/v1/models", json(LIST))]).await;
    let other = Site::start([]).await;
    let finished = refresh(&own, "", &["--dir", "files"]).file("files/acme.toml", catalogue(&other, ACCOUNT)).await;
    finished.exits(69);
    assert_eq!(
        (other.asked("/v1/models").len(), other.asked("/v1/key").len(), own.asked("/v1/models").len()),
        (0, 0, 0)
    );
    let same = refresh(&own, ACCOUNT, &["--dir", "files"]).file("files/acme.toml", catalogue(&own, ACCOUNT)).await;
    assert!(changes(same.exits(0)).contains(&"models list a-large context 8192>4096 change".to_owned()));
    assert_eq!(own.asked("/v1/key").len(), 0, "what one account has is nobody else's limit");
}

#[tokio::test(flavor = "multi_thread")]
async fn html_is_tried_where_the_markdown_says_nothing() {
    let table = "<html><body><h2>Free tier</h2><table><tr><th>Model</th><th>RPM</th></tr>\
                 <tr><td>a-large</td><td>20</td></tr><tr><td>b-large</td><td>30</td></tr>\
                 <tr><td>c-large</td><td>30</td></tr><tr><td>d-large</td><td>30</td></tr></table></body></html>";
    let html = page("text/html", table);
    let site = Site::start([("/limits.md", markdown("# Limits\n\nSee the console.\n")), ("/limits", html)]).await;
    let finished = refresh(&site, "", &[]).variable("ACME_API_KEY", "").await;
    assert_eq!(changes(finished.exits(0)), ["page a-large requests_per_minute 30>20 change"]);
    assert_eq!(finished.json()["sources"][0]["url"], site.url("/limits"));
    site.set("/limits", page("text/html", "<html><body><p>Nothing.</p></body></html>"));
    let unread = refresh(&site, "", &[]).variable("ACME_API_KEY", "").await;
    assert_eq!((&unread.exits(0).json()["sources"][0]["status"], changes(&unread).len()), (&"unread".into(), 0));
}

/// A provider whose catalogue says `known` a minute and whose headers say `real`, asked once.
async fn asked_once(site: &Site, known: u64, real: u64) -> (Providers, Command) {
    let limit = Limit::requests(real, Period::Minute).documented_as(known);
    let model = ModelSpec::new("sim-m").limit(limit);
    let fake = provider("sim-a").model(model).spec(ProviderSpec::rate_headers);
    let providers = Providers::start([fake], Clock::system()).await;
    let command = relay(["ask", "hello", "--json"]).over(&providers);
    let text = format!(
        "page = {{ url = \"{}\", tier = \"free\" }}\n{}",
        site.url("/limits.md"),
        command.text("limits/sim-a.toml")
    );
    let command = command.file("limits/sim-a.toml", text);
    let again = command.beside(["refresh-limits", "sim-a", "--json", "--yes"]);
    command.await.exits(0);
    (providers, again)
}

#[tokio::test(flavor = "multi_thread")]
async fn headers_of_real_responses_confirm_a_page_or_hold_its_change_back() {
    let page = "## Free tier\n\n| Model | RPM |\n| --- | --- |\n| sim-m | 20 |\n";
    for (known, real, shown, applied) in [
        (30, 20, "page sim-m requests_per_minute 30>20 change", true),
        (30, 30, "page sim-m requests_per_minute 30>20 change !", false),
        (30, 25, "page sim-m requests_per_minute 30>20 change !", false),
    ] {
        let site = Site::start([("/limits.md", markdown(page))]).await;
        let (_providers, command) = asked_once(&site, known, real).await;
        let finished = command.await;
        assert_eq!(changes(finished.exits(0)), [shown], "headers say {real}");
        let document = finished.json();
        assert_eq!((&document["changes"][0]["headers"], &document["applied"]), (&real.into(), &applied.into()));
    }
}

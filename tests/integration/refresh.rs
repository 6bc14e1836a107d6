//! A limit that changes in the documentation: fetched, shown, written with proof, used by a running gateway, undone.

use relay::clock::Clock;
use relay::sim::{Limit, ModelSpec, Period};

use super::harness::{Asking, Command, Providers, Site, markdown, page, provider, relay, status};

const PAGE: &str = "# Limits\n\n## Free tier\n\n| Model | RPM |\n| --- | --- |\n| sim-m | 2 |\n";

async fn site() -> Site {
    let moved = status(302).header("location", "http://127.0.0.2:9/limits.md");
    Site::start([("/limits.md", markdown(PAGE)), ("/moved", moved), ("/archive", page("application/zip", "PK"))]).await
}

/// A provider that documents five requests a minute, and whose page is at this path of the site.
async fn documented(site: &Site, path: &str) -> (Providers, Command) {
    let limit = Limit::requests(1_000_000, Period::Minute).documented_as(5);
    let providers =
        Providers::start([provider("sim-a").model(ModelSpec::new("sim-m").limit(limit))], Clock::system()).await;
    let command = relay(["serve", "--port", "0", "--log-format", "json"]).over(&providers);
    let page = format!("page = {{ url = \"{}\", tier = \"free\" }}\n", site.url(path));
    let text = format!("{page}{}", command.text("limits/sim-a.toml"));
    (providers, command.file("limits/sim-a.toml", text))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_limit_is_fetched_shown_written_used_and_undone() {
    let site = site().await;
    let (providers, command) = documented(&site, "/limits.md").await;
    let again = |arguments: &[&'static str]| command.beside(arguments.iter().copied());
    let (check, look, write, after, undo, refused) = (
        again(&["refresh-limits", "sim-a", "--check", "--json"]),
        again(&["refresh-limits", "sim-a"]),
        again(&["refresh-limits", "sim-a", "--yes", "--json"]),
        again(&["refresh-limits", "sim-a", "--check"]),
        again(&["refresh-limits", "sim-a", "--undo"]),
        again(&["refresh-limits", "sim-a", "--undo"]),
    );
    let before = command.text("limits/sim-a.toml");
    let mut process = command.start();
    let address = process.address();
    let ask = || Asking::chat(address, "hello").header("x-relay-wait", "0s");
    for _ in 0..2 {
        assert_eq!(ask().await.status, 200);
    }

    let found = check.await;
    let document = found.exits(1).json();
    let change = &document["changes"][0];
    assert_eq!(
        (&change["field"], &change["old"], &change["new"]),
        (&"requests_per_minute".into(), &5.into(), &2.into())
    );
    assert_eq!((&document["applied"], &document["sources"][0]["status"]), (&false.into(), &"changed".into()));
    look.await.exits(0).says("--yes writes");
    assert_eq!(ask().await.status, 200, "nothing was written yet");

    let written = write.await;
    assert_eq!(written.exits(0).json()["applied"], true);
    let text = written.file("limits/sim-a.toml");
    assert!(text.contains("requests = 2") && text.contains("quote = \"2\"") && text.contains("sha256"), "{text}");
    after.await.exits(0);
    process.until_it_says("limits changed");
    ask().await.refused(429, "quota_exhausted");

    assert_eq!(undo.await.exits(0).file("limits/sim-a.toml"), before);
    process.until_it_says("limits changed");
    assert_eq!(ask().await.status, 200);
    refused.await.exits(66);

    assert_eq!(providers.chats("sim-a").len(), 4);
    let asked = site.asked("/limits.md");
    assert_eq!(asked.len(), 1, "a page is asked for once a minute");
    assert!(asked[0].to_lowercase().contains("user-agent: relay/"), "{}", asked[0]);
    process.signal("TERM");
    process.ended().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_leads_away_or_is_none_is_reported_as_unread() {
    for (path, reason) in
        [("/moved", "leads to another host"), ("/archive", "application/zip"), ("/gone", "status 404")]
    {
        let site = site().await;
        let (_providers, command) = documented(&site, path).await;
        let finished = command.beside(["refresh-limits", "sim-a", "--yes", "--json"]).await;
        let source = &finished.exits(69).json()["sources"][0];
        assert_eq!(source["status"], "unread");
        assert!(source["reason"].as_str().is_some_and(|said| said.contains(reason)), "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_users_own_values_stay_and_large_changes_wait() {
    let page = "## Free tier\n\n| Model | RPM | RPD |\n| --- | --- | --- |\n| sim-m | 100 | 9,000 |\n";
    let own = "\n[[model]] # mine\nid = \"sim-m\"\nlimits = [\n  { requests = 5, per = \"minute\", source = \"user\" }, # I know\n  { requests = 1000, per = \"day\" },\n]\n";
    let site = site().await;
    let (_providers, command) = documented(&site, "/limits.md").await;
    let text = command.text("limits/sim-a.toml");
    let (top, _) = text.split_once("\n[[model]]").expect("it has a model");
    let tail = "types = [\"text\"]\nscale = \"small\"\ncontext = 8192\n";
    let command = command.file("limits/sim-a.toml", format!("{top}{own}{tail}")).file("pages/sim-a.md", page);
    let from = |more: &[&'static str]| {
        let arguments =
            ["refresh-limits", "sim-a", "--from", "pages", "--json"].into_iter().chain(more.iter().copied());
        command.beside(arguments)
    };
    let held = from(&["--yes"]).await;
    let changes = held.exits(0).json()["changes"].clone();
    assert_eq!((&changes[0]["op"], &changes[1]["suspicious"]), (&"conflict".into(), &true.into()), "{changes}");
    assert_eq!(held.json()["applied"], false);
    for more in [&["--yes"][..], &["--check"], &[]] {
        from(more).await.says("nothing is written: --yes --allow-large writes 1 change held back");
    }
    let forced = from(&["--yes", "--allow-large"]).await;
    assert!(!forced.stderr.contains("held back"), "{}", forced.stderr);
    let text = forced.exits(0).file("limits/sim-a.toml");
    assert!(text.contains("requests = 9000") && text.contains("requests = 5,") && text.contains("# I know"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_held_back_is_told_beside_what_is_written() {
    let page = "## Free tier\n\n| Model | RPM | RPD |\n| --- | --- | --- |\n| sim-m | 7 | 9,000 |\n";
    let site = site().await;
    let (_providers, command) = documented(&site, "/limits.md").await;
    let text = command.text("limits/sim-a.toml");
    let day = "limits = [ { requests = 1000, per = \"day\" }, ";
    let command = command.file("limits/sim-a.toml", text.replace("limits = [", day)).file("pages/sim-a.md", page);
    let from = |more: &[&'static str]| {
        let arguments = ["refresh-limits", "sim-a", "--from", "pages"].into_iter().chain(more.iter().copied());
        command.beside(arguments)
    };
    let ways = "nothing is written: --yes writes 1 change, --yes --allow-large writes 1 change held back";
    from(&["--format", "table"]).await.exits(0).says(ways);
    let looked = from(&[]).await;
    let large = |line: &&str| line.contains("req/day");
    let line = looked.exits(0).says(ways).stdout.lines().find(large).expect("a row").to_owned();
    assert_eq!(
        line.split('\t').skip(3).map(str::to_owned).collect::<Vec<_>>(),
        ["1000", "9000", &site.url("/limits.md"), "!"]
    );
    let written = from(&["--yes"]).await;
    written.exits(0).says("1 change written to").says("not written: --yes --allow-large writes 1 change held back");
}

#[test]
fn a_folder_without_a_saved_page_does_not_pass_a_check() {
    for names in [&[][..], &["groq"]] {
        let arguments = ["refresh-limits", "--from", "pages", "--check"].into_iter().chain(names.iter().copied());
        let ended = relay(arguments).file("pages/notes.txt", "none").run();
        ended.exits(66).prints("").says("no saved page").says("PROVIDER.md");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_fetched_offline() {
    relay(["refresh-limits", "--offline"]).await.exits(69).says("--from DIR");
    relay(["refresh-limits", "nobody"]).await.exits(2).says("no provider");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mistake_about_one_provider_keeps_no_other_limits_from_being_taken_over() {
    let limited = |id| provider(id).model(ModelSpec::new("sim-m").limit(Limit::requests(5, Period::Minute)));
    let providers = Providers::start([limited("sim-a"), limited("sim-b")], Clock::system()).await;
    let command = relay(["serve", "--port", "0", "--log-format", "json"]).over(&providers);
    let key = &providers.described()[1].key;
    let command = command.variable("SIM_B_API_KEY", "");
    let command = command.more_config(&format!("key_cmd = \"echo >> runs; echo {key}\"\n"));
    let (changed, runs) = (command.path("limits/sim-a.toml"), command.path("runs"));
    let fewer = command.text("limits/sim-a.toml").replace("requests = 5", "requests = 1");
    let none = fewer.lines().filter(|line| !line.contains("requests = 1")).collect::<Vec<_>>().join("\n");
    let broken = command.path("limits/sim-b.toml");
    let mut process = command.start();
    let address = process.address();
    std::fs::write(broken, "requests = 5\n").expect("the home is writable");
    process.until_it_says("limits of sim-b not taken over");
    std::fs::write(&changed, fewer).expect("the home is writable");
    process.until_it_says("1 limits changed");
    let ask = |model| Asking::chat(address, "hello").model(model).header("x-relay-wait", "0s");
    ask("sim-a/sim-m").await.by("sim-a/sim-m");
    ask("sim-a/sim-m").await.refused(429, "quota_exhausted");
    ask("sim-b/sim-m").await.by("sim-b/sim-m");
    assert_eq!(std::fs::read_to_string(runs).expect("it ran"), "\n", "a limit is no reason to ask for a key again");
    std::fs::write(changed, none).expect("the home is writable");
    process.until_it_says("1 limits are no more in the files: they count until a restart");
}

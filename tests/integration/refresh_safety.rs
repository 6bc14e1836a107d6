//! What keeps `relay refresh-limits` from writing nonsense: doubts wait, what cannot be read is said, what is written can be undone.

use std::fs;
use std::time::Duration;

use relay::clock::Clock;
use relay::upstream::{FetchError, Fetcher, Known, Network};
use serde_json::Value;

use super::harness::{Command, Site, markdown, page, relay, status};
use super::refresh_sources::{changes, refresh};

const HEAD: &str = "## Free tier\n\n| Model | RPM |\n| --- | --- |\n";

/// A page with these rows.
fn rows(rows: &[&str]) -> String {
    let rows: Vec<String> = rows.iter().map(|row| format!("| {row} |\n")).collect();
    format!("{HEAD}{}", rows.concat())
}

async fn with_page(text: &str) -> Site {
    Site::start([("/limits.md", markdown(text))]).await
}

#[tokio::test(flavor = "multi_thread")]
async fn many_models_gone_wait_and_most_models_gone_are_no_page() {
    let site = with_page(&rows(&["a-large | 20", "b-large | 30"])).await;
    let found = [
        "page a-large requests_per_minute 30>20 change !",
        "page c-large model 30>- gone !",
        "page d-large model 30>- gone !",
    ];
    let held = refresh(&site, "", &["--yes"]).await;
    assert_eq!(changes(held.exits(0)), found);
    assert_eq!(
        (&held.json()["applied"], &held.json()["changes"][0]["reason"]),
        (&false.into(), &"2 of 4 models are gone".into())
    );
    let forced = refresh(&site, "", &["--yes", "--allow-large"]).await;
    let text = forced.exits(0).file("limits/acme.toml");
    assert!(text.contains("requests = 20") && text.matches("stale = ").count() == 2, "{text}");
    assert!(text.contains("id = \"c-large\""), "a model is never removed");
    site.set("/limits.md", markdown(&rows(&["a-large | 20"])));
    let unread = refresh(&site, "", &["--yes", "--allow-large"]).await;
    assert_eq!(changes(unread.exits(0)), Vec::<String>::new());
    let reason = &unread.json()["sources"][0]["reason"];
    assert!(reason.as_str().is_some_and(|said| said.contains("1 of 4 models")), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_may_stand_in_a_column_that_is_left_out_is_not_marked() {
    let text = "## Free tier\n\n| Model | RPM (burst) | TPM |\n| --- | --- | --- |\n| a-large | 60 | 9K |\n| b-large | 60 | 9K |\n\
                | c-large | 60 | 9K |\n| d-large | 60 | 9K |\n";
    let site = with_page(text).await;
    let held = refresh(&site, "", &["--yes"]).await;
    let stale: Vec<String> = changes(held.exits(0)).into_iter().filter(|change| change.contains("stale")).collect();
    assert_eq!(stale.first().map(String::as_str), Some("page a-large requests_per_minute 30>- stale !"));
    assert!(stale.iter().all(|change| change.ends_with('!')), "{stale:?}");
    assert!(!held.file("limits/acme.toml").contains("stale = "), "{}", held.file("limits/acme.toml"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_limit_that_is_published_no_more_stays_and_is_marked_once() {
    let text = "## Free tier\n\n| Model | RPM | TPM |\n| --- | --- | --- |\n| a-large | - | 9K |\n| b-large | 30 | - |\n\
                | c-large | 30 | - |\n| d-large | 30 | - |\n";
    let site = with_page(text).await;
    let command = refresh(&site, "", &["--yes"]);
    let again = command.beside(["refresh-limits", "acme", "--check", "--json"]);
    let written = command.await;
    let found = ["page a-large tokens_per_minute ->9000 add", "page a-large requests_per_minute 30>- stale"];
    assert_eq!(changes(written.exits(0)), found);
    let text = written.file("limits/acme.toml");
    let today = Clock::system().now().strftime("stale = %Y-%m-%d").to_string();
    assert!(text.contains("requests = 30") && text.contains(&today) && text.contains("tokens = 9000"), "{text}");
    assert_eq!(changes(again.await.exits(0)), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_page_changes_nothing_and_is_said() {
    let error = "<html><head><title>404: Page not found</title></head><body><table><tr><th>Model</th><th>RPM</th></tr>\
                 <tr><td>a-large</td><td>1</td></tr></table></body></html>";
    for (answer, exit, reason) in [
        (status(404), 69, "status 404"),
        (status(410), 69, "status 410"),
        (status(503), 69, "status 503"),
        (page("application/pdf", "x"), 69, "application/pdf"),
        (page("text/plain", vec![b'x'; 8 * 1024 * 1024 + 1]), 69, "larger than"),
        (page("text/html", error), 0, "titled `404: Page not found`"),
        (page("text/plain", vec![0xff, 0xfe, 0]), 0, "not UTF-8"),
        (markdown("# Limits\n\nThey depend on many things.\n"), 0, "states a limit"),
        (markdown(""), 0, "states a limit"),
        (markdown(&format!("{HEAD}| a-large | 10-30 |\n")), 0, "not one certain number"),
        (markdown(&HEAD.replace("Free", "Developer")), 0, ""),
    ] {
        let site = Site::start([("/limits.md", answer)]).await;
        let finished = refresh(&site, "", &["--yes"]).variable("ACME_API_KEY", "").await;
        assert_eq!(changes(finished.exits(exit)), Vec::<String>::new(), "{reason}");
        let source = &finished.json()["sources"][0];
        assert_eq!(source["status"], "unread", "{reason}");
        assert!(source["reason"].as_str().is_some_and(|said| said.contains(reason)), "{source}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_plan_is_not_taken_for_ones_own() {
    let site = with_page(&rows(&["a-large | 900", "b-large | 900"]).replace("Free", "Developer")).await;
    let finished = refresh(&site, "", &["--yes", "--allow-large"]).await;
    assert_eq!(changes(finished.exits(0)), Vec::<String>::new());
    let reason = &finished.json()["sources"][0]["reason"];
    assert!(reason.as_str().is_some_and(|said| said.contains("none of `free`")), "{reason}");
}

/// They are read, for people to see, and are nobody's.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_below_a_choice_of_plans_are_not_taken() {
    let choice = "## Limits\n\nFree | Developer\n\n| Model | RPM |\n| --- | --- |\n";
    let rows = "| a-large | 31 |\n| b-large | 31 |\n| c-large | 31 |\n| d-large | 31 |\n";
    let site = with_page(&format!("{choice}{rows}")).await;
    let done = refresh(&site, "", &["--yes"]).await;
    assert_eq!(changes(done.exits(0)), Vec::<String>::new());
    let reason = done.json()["sources"][0]["reason"].to_string();
    assert!(reason.contains("offers Free or Developer to choose from"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_model_with_two_numbers_is_unsure() {
    let site =
        with_page(&rows(&["a-large | 20", "a-large | 40", "b-large | 30", "c-large | 30", "d-large | 30"])).await;
    let finished = refresh(&site, "", &["--yes", "--allow-large"]).await;
    assert_eq!(changes(finished.exits(0)), ["page a-large model ->- unsure !"]);
    assert_eq!(finished.json()["applied"], false);
}

#[tokio::test(flavor = "multi_thread")]
async fn limits_below_the_display_name_of_a_model_are_its_own() {
    let models = ["A Large", "B Large", "C Large", "D Large"];
    let text = models.map(|model| format!("## {model}\n\n- RPM: 31, TPM: 9K\n\n"));
    let site = with_page(&format!("# Free tier\n\n{}", text.concat())).await;
    let finished = refresh(&site, "", &["--yes"]).await;
    let found = changes(finished.exits(0));
    assert!(found.iter().any(|change| change == "page a-large requests_per_minute 30>31 change"), "{found:?}");
    assert!(!found.iter().any(|change| change.contains("gone")), "{found:?}");
}

/// Limits of the account: the same number for each address, and for a key.
const OF_ACCOUNT: &str =
    "[[limit]]\nrequests = 30\nper = \"minute\"\n[[limit]]\nrequests = 60\nper = \"minute\"\nscope = \"ip\"\n";

#[tokio::test(flavor = "multi_thread")]
async fn only_the_limit_that_was_compared_is_replaced() {
    let site = with_page("Free accounts are limited to 20 requests per minute.\n").await;
    let finished = refresh(&site, OF_ACCOUNT, &["--yes"]).await;
    assert_eq!(changes(finished.exits(0)), ["page * requests_per_minute 30>20 change"]);
    let text = finished.file("limits/acme.toml");
    assert!(text.contains("requests = 20\n") && text.contains("requests = 60\n"), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_with_two_numbers_and_a_limit_of_nothing_wait() {
    let text = "# Free tier\n\nFree accounts are limited to 20 requests per minute.\n\n# Rate limits\n\n\
                Free accounts are limited to 40 requests per minute.\n";
    let site = with_page(text).await;
    let torn = refresh(&site, OF_ACCOUNT, &["--yes", "--allow-large"]).await;
    assert_eq!(changes(torn.exits(0)), ["page * model ->- unsure !"]);
    assert_eq!(torn.json()["applied"], false);
    let head = "## Free tier\n\n| Model | RPM | TPM |\n| --- | --- | --- |\n";
    let text = "| a-large | 30 | 0 |\n| b-large | 30 | - |\n| c-large | 30 | - |\n| d-large | 30 | - |\n";
    site.set("/limits.md", markdown(&format!("{head}{text}")));
    let none = refresh(&site, "", &["--yes"]).await;
    assert_eq!(changes(none.exits(0)), ["page a-large tokens_per_minute ->0 add !"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_known_page_is_asked_for_on_condition() {
    for (name, value, asks) in
        [("etag", "\"7\"", "if-none-match"), ("last-modified", "Sun, 01 Nov 2026 00:00:00 GMT", "if-modified-since")]
    {
        let text = rows(&["a-large | 20", "b-large | 30", "c-large | 30", "d-large | 30"]);
        let site = Site::start([("/limits.md", markdown(&text).header(name, value))]).await;
        let command = refresh(&site, "", &[]);
        let again = command.beside(["refresh-limits", "acme", "--json"]);
        let folder = command.path("cache/pages");
        assert_eq!(command.await.exits(0).json()["sources"][0]["status"], "changed");
        let memos = fs::read_dir(folder).expect("a cache").flatten().map(|entry| entry.path());
        for memo in memos.filter(|path| path.extension().is_some_and(|ending| ending == "json")) {
            let mut kept: Value = serde_json::from_slice(&fs::read(&memo).expect("kept")).expect("JSON");
            kept["fetched_at"] = "2026-01-01T00:00:00Z".into();
            fs::write(&memo, kept.to_string()).expect("writable");
        }
        let finished = again.await;
        assert_eq!(
            changes(finished.exits(0)),
            ["page a-large requests_per_minute 30>20 change"],
            "the kept page counts"
        );
        assert_eq!(finished.json()["sources"][0]["status"], "unchanged");
        let asked = site.asked("/limits.md");
        let expected = format!("{asks}: {value}");
        assert!(asked.len() == 2 && asked[1].lines().any(|line| line == expected), "{asked:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_folder_is_written_to_where_one_is_named() {
    let site = with_page(&rows(&["a-large | 20", "b-large | 30", "c-large | 30", "d-large | 30"])).await;
    let command = refresh(&site, "", &["--yes", "--dir", "files"]);
    let text = format!("# kept\n{}", command.text("limits/acme.toml"));
    let command = command.file("files/acme.toml", text);
    let undo = command.beside(["refresh-limits", "acme", "--undo", "--dir", "files"]);
    let own = command.text("limits/acme.toml");
    let finished = command.await;
    let text = finished.exits(0).file("files/acme.toml");
    assert!(
        text.starts_with("# kept\n") && text.contains("requests = 20") && text.contains("quote = \"20\""),
        "{text}"
    );
    assert_eq!(finished.file("limits/acme.toml"), own);
    let undone = undo.await;
    assert!(!undone.exits(0).file("files/acme.toml").contains("requests = 20"));
    refresh(&site, "", &["--dir", "nowhere"]).await.exits(66);
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn a_written_file_keeps_its_readers() {
    use std::os::unix::fs::PermissionsExt;
    let mode = |path: &std::path::Path| std::fs::metadata(path).expect("there").permissions().mode() & 0o777;
    let site = with_page(&rows(&["a-large | 20", "b-large | 30", "c-large | 30", "d-large | 30"])).await;
    for own in [0o644, 0o664] {
        let command = refresh(&site, "", &["--yes"]);
        let path = command.path("limits/acme.toml");
        std::fs::set_permissions(&path, PermissionsExt::from_mode(own)).expect("it is ours");
        let undo = command.beside(["refresh-limits", "acme", "--undo"]);
        command.await.exits(0).says("1 change written");
        assert_eq!((mode(&path), mode(&path.with_extension("toml.before"))), (own, own));
        // The home is there as long as what ended in it.
        let undone = undo.await;
        undone.exits(0);
        assert_eq!(mode(&path), own);
    }
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn what_was_not_there_is_not_there_again() {
    let row = "| Model | RPM |\n| --- | --- |\n| openai/gpt-oss-120b | 29 |\n| openai/gpt-oss-20b | 30 |\n";
    let home = relay([]).file("pages/groq.md", format!("## Free\n\n{row}")).file("elsewhere.toml", "");
    let write = || home.beside(["refresh-limits", "groq", "--from", "pages", "--yes", "--allow-large"]);
    let undo = || home.beside(["refresh-limits", "--undo"]);
    let files = || fs::read_dir(home.path("limits")).expect("a folder").count();
    for is_deleted in [false, true] {
        write().await.exits(0).says("written to");
        assert_eq!(files(), 2);
        if is_deleted {
            fs::remove_file(home.path("limits/groq.toml")).expect("it is ours");
        }
        undo().await.exits(0).says("is as it was before");
        assert_eq!(files(), 0, "deleted by hand: {is_deleted}");
    }
    std::os::unix::fs::symlink(home.path("elsewhere.toml"), home.path("limits/groq.toml")).expect("it is ours");
    write().await.exits(0);
    assert!(home.text("elsewhere.toml").contains("requests = 29"));
    undo().await.exits(0);
    assert_eq!((files(), home.text("elsewhere.toml")), (1, String::new()));
    assert!(home.path("limits/groq.toml").is_symlink());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_site_is_not_waited_for_longer_than_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}/limits", listener.local_addr().expect("it listens"));
    let answer = Fetcher::new(&Network::default()).page(&url, Known::default(), Duration::from_millis(100)).await;
    assert!(matches!(answer, Err(FetchError::TimedOut(_))), "{answer:?}");
}

/// A file whose models have numbers from the page.
fn of_page(command: Command, site: &Site) -> Command {
    let text = command.text("limits/acme.toml");
    let evidence = format!("per = \"minute\", evidence = {{ url = \"{}\", at = 2026-01-01 }}", site.url("/limits.md"));
    command.file("limits/acme.toml", text.replace("per = \"minute\" }]", &format!("{evidence} }}]")))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_part_without_models_hides_none_that_is_gone() {
    let models = rows(&["a-large | 30", "b-large | 30", "c-large | 30"]);
    for (part, found) in [
        ("Accounts make 10 to 20 requests per minute.", &["page d-large model 30>- gone"][..]),
        ("| Name | Colour |\n| --- | --- |\n| d-large | red |", &["page d-large model 30>- gone"]),
        ("- d-large: 10-20 requests per minute", &[]),
        ("`d-large` is limited to 10-20 requests per minute.", &[]),
        ("Grand 1.5 is limited to 10-20 requests per minute.", &[]),
        ("| Model | RPM (burst) |\n| --- | --- |\n| d-large | 30 |", &[]),
        ("| Model | RPM |\n| --- | --- |\n| All other models | 10 |", &[]),
        ("| Model | RPM |\n| --- | --- |\n| Default | 10 |", &[]),
        ("| Model | RPM |\n| --- | --- |\n| d-* | 10 |", &["page d-* model ->- unsure !"]),
        ("| Model | RPM |\n| --- | --- |\n| e-* | 10 |", &["page d-large model 30>- gone"]),
        ("| Response header | Value |\n| --- | --- |\n| x-rpm | 14400 |", &["page d-large model 30>- gone"]),
    ] {
        let site = with_page(&format!("{models}\n{part}\n")).await;
        let command = of_page(refresh(&site, "", &[]).variable("ACME_API_KEY", ""), &site);
        assert_eq!(changes(command.await.exits(0)), found, "{part}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sentence_about_a_plan_hides_no_table_that_names_none() {
    let table =
        "| Model | RPM |\n| --- | --- |\n| a-large | 20 |\n| b-large | 30 |\n| c-large | 30 |\n| d-large | 30 |\n";
    let sentence = "Free accounts are limited to 60 requests per day.\n";
    let more = "[[limit]]\nrequests = 50\nper = \"day\"\n";
    let both = ["page * requests_per_day 50>60 change", "page a-large requests_per_minute 30>20 change"];
    let (site, plan) = (with_page(&format!("{sentence}\n{table}")).await, "## Developer plan\n\n");
    let finished = refresh(&site, more, &[]).variable("ACME_API_KEY", "").await;
    assert_eq!(changes(finished.exits(0)), both);
    let site = with_page(&format!("{sentence}\n{plan}{table}")).await;
    let finished = of_page(refresh(&site, more, &[]).variable("ACME_API_KEY", ""), &site).await;
    assert_eq!(finished.exits(0).json()["sources"][0]["status"], "unread");
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_a_minute_and_tokens_a_minute_in_two_tables_are_one_models() {
    let minute = rows(&["a-large | 20", "b-large | 30", "c-large | 30", "d-large | 30"]);
    let table = |rows: &str| format!("\n| Model | TPM |\n| --- | --- |\n{rows}");
    let site = with_page(&format!("{minute}{}", table("| a-large | 6K |\n"))).await;
    let finished = refresh(&site, "", &[]).await;
    let both = ["page a-large requests_per_minute 30>20 change", "page a-large tokens_per_minute ->6000 add"];
    assert_eq!(changes(finished.exits(0)), both);
    site.set("/limits.md", markdown(&format!("{minute}{}", table("| a-large | 6K |\n").replace("TPM", "RPM"))));
    let finished = refresh(&site, "", &[]).await;
    assert_eq!(changes(finished.exits(0)), ["page a-large model ->- unsure !"]);
}

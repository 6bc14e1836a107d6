//! What `relay ask` can be asked for besides text: answers about images, JSON that keeps a schema, code blocks, thoughts.

use relay::clock::Clock;
use relay::sim::{Act, ModelSpec};
use serde_json::{Value, json};

use super::harness::{Command, Fake, Finished, Providers, provider, relay, says};

const PNG: &[u8] = b"\x89PNG\r\n\x1a\nrest";
const PNG_URL: &str = "data:image/png;base64,iVBORw0KGgpyZXN0";
const POINT: &str = r#"{"type":"object","properties":{"x":{"type":"integer"}},"required":["x"]}"#;

fn ask(flags: &[&str]) -> Command {
    relay(["ask"].into_iter().chain(flags.iter().copied()))
}

async fn over(fakes: impl IntoIterator<Item = Fake>, flags: &[&str]) -> Finished {
    let providers = Providers::start(fakes, Clock::system()).await;
    ask(flags).over(&providers).await
}

fn with_features(id: &str, features: &[&str]) -> Fake {
    provider(id).model(ModelSpec::new("sim-m").features(features))
}

/// The body of the one chat that the provider got.
fn body(providers: &Providers, id: &str) -> Value {
    serde_json::from_slice(&providers.only_chat(id).body).expect("JSON")
}

/// What a run is given beside its flags.
type Prepare = fn(Command) -> Command;

#[tokio::test]
async fn an_image_is_sent_as_its_bytes_and_a_url_as_it_is() {
    let image = |url: &str| json!({ "type": "image_url", "image_url": { "url": url } });
    let words = json!({ "type": "text", "text": "What is it?" });
    let table: [(&[&str], Prepare, Value); 4] = [
        (&["-a", "x.dat", "What is it?"], |run| run.file("x.dat", PNG), json!([words, image(PNG_URL)])),
        (&["--attach", "-", "What is it?"], |run| run.piped(PNG), json!([words, image(PNG_URL)])),
        (
            &["-a", "https://host.invalid/a.png", "-a", "x.dat", "What is it?"],
            |run| run.file("x.dat", PNG),
            json!([words, image("https://host.invalid/a.png"), image(PNG_URL)]),
        ),
        (&["-a", "x.dat"], |run| run.file("x.dat", PNG), json!([image(PNG_URL)])),
    ];
    for (flags, prepare, content) in table {
        let fake = with_features("sim-a", &["vision"]).answers([says("a dot")]);
        let providers = Providers::start([fake], Clock::system()).await;
        prepare(ask(flags).over(&providers)).await.exits(0).prints("a dot\n");
        let body = body(&providers, "sim-a");
        let messages = body["messages"].as_array().expect("a list");
        assert_eq!(messages.last().expect("the user's")["content"], content, "{flags:?}");
    }
}

#[tokio::test]
async fn an_image_goes_to_a_model_that_sees() {
    let fakes = [with_features("sim-a", &[]), with_features("sim-b", &["vision"]).answers([says("seen")])];
    let providers = Providers::start(fakes, Clock::system()).await;
    ask(&["-a", "x.png", "What?"]).over(&providers).file("x.png", PNG).await.exits(0).prints("seen\n");
    assert_eq!(providers.chats("sim-a").len(), 0);
}

#[tokio::test]
async fn a_model_that_cannot_see_is_no_attempt() {
    let blind = with_features("blind", &[]);
    let breaks = with_features("breaks", &["vision"]).answers([Act::Cut { after: 3 }]);
    let sees = with_features("sees", &["vision"]).answers([says("seen")]);
    let providers = Providers::start([blind, breaks, sees], Clock::system()).await;
    let words = ["-m", "blind/sim-m", "-a", "x.png", "--max-attempts", "2", "What?"];
    ask(&words).over(&providers).file("x.png", PNG).await.exits(0).prints("seen\n");
}

#[test]
fn what_cannot_be_attached_is_65_and_what_is_missing_66() {
    let fails = |command: Command, code| {
        let ended = command.run();
        ended.exits(code).prints("").says("Error: ");
        ended
    };
    let pdf = ask(&["--simulate", "-a", "x.pdf", "hi"]).file("x.pdf", "%PDF-1.7");
    fails(pdf, 65).says("x.pdf").says("PNG");
    fails(ask(&["--simulate", "-a", "none.png", "hi"]), 66).says("none.png");
    fails(ask(&["--simulate", "-a", "-", "-f", "-", "hi"]).piped(PNG), 2).says("stdin");
    fails(ask(&["--simulate", "-f", "x.png", "hi"]).file("x.png", b"\x89PNG\xff"), 65).says("-a x.png");
    fails(ask(&["--simulate", "hi"]).piped(*b"\xff"), 65).says("-a -");
}

#[tokio::test]
async fn a_schema_goes_out_as_the_route_can_take_it() {
    let table: [(&[&str], Value); 3] =
        [(&["schema", "json"], json!("json_schema")), (&["json"], json!("json_object")), (&[], Value::Null)];
    for (features, format) in table {
        let fake = with_features("sim-a", features).answers([says("{\"x\": 7}")]);
        let providers = Providers::start([fake], Clock::system()).await;
        let ended = ask(&["--schema", POINT, "A point."]).over(&providers).await;
        ended.exits(0).prints("{\"x\": 7}\n");
        let body = body(&providers, "sim-a");
        assert_eq!(body["response_format"]["type"], format, "{features:?}");
        let told = body["messages"][0]["content"].as_str().expect("a text").contains("JSON Schema");
        assert_eq!(told, format != json!("json_schema"), "what the request cannot say is said in words");
    }
}

#[tokio::test]
async fn an_answer_in_the_shape_of_the_schema_is_data() {
    let fake = || provider("sim-a").answers([says("Sure:\n```json\n{\"x\": 12345678901234567890}\n```\nDone.")]);
    let number = "12345678901234567890";
    over([fake()], &["--schema", POINT, "hi"]).await.exits(0).prints(&format!("{{\"x\": {number}}}\n"));
    let document = over([fake()], &["--schema", POINT, "--json", "hi"]).await;
    assert!(document.exits(0).stdout.contains(&format!("\"data\":{{\"x\": {number}}}")), "{}", document.stdout);
    document.json();
}

#[tokio::test]
async fn an_answer_that_misses_the_schema_is_asked_for_once_elsewhere() {
    let wrong = || says("{\"x\": \"seven\"}");
    let fakes = [provider("sim-a").answers([wrong()]), provider("sim-b").answers([says("{\"x\": 7}")])];
    over(fakes, &["--schema", POINT, "hi"]).await.exits(0).prints("{\"x\": 7}\n");
    let fakes = [provider("sim-a").answers([wrong()]), provider("sim-b").answers([wrong()]), provider("sim-c")];
    let providers = Providers::start(fakes, Clock::system()).await;
    let ended = ask(&["--schema", POINT, "hi"]).over(&providers).await;
    ended.exits(65).prints("").says("does not satisfy the schema").says("/x");
    assert_eq!(providers.simulator.total_calls(), 2, "once more, and no more");
    let document = over([provider("sim-a").answers([wrong()])], &["--schema", POINT, "--json", "hi"]).await.json();
    assert_eq!(document["error"]["code"], "bad_output");
    let fakes = [provider("sim-a").answers([wrong()]), provider("sim-b")];
    over(fakes, &["--schema", POINT, "--no-failover", "hi"]).await.exits(65);
}

#[test]
fn a_schema_that_is_none_is_refused_before_anything_is_sent() {
    for (flags, code) in [("{\"type\":\"objekt\"}", 2), ("{", 2), ("no/such/file.json", 66)] {
        ask(&["--simulate", "--schema", flags, "hi"]).run().exits(code).prints("");
    }
    let ended = ask(&["--simulate", "--schema", "s.json", "A point"]).file("s.json", POINT).run();
    assert!(serde_json::from_str::<Value>(&ended.exits(0).stdout).expect("JSON")["x"].is_i64());
}

#[tokio::test]
async fn a_code_block_is_taken_out_of_the_answer() {
    let fake = |text: &str| [provider("sim-a").answers([says(text)])];
    let two = "First\n```sh\nls\n```\nthen\n```sh\npwd\n```\n";
    over(fake(two), &["-x", "hi"]).await.exits(0).prints("ls\n");
    over(fake(two), &["-x=last", "hi"]).await.exits(0).prints("pwd\n");
    over(fake(two), &["--extract", "hi"]).await.exits(0).prints("ls\n");
    over(fake("none at all"), &["-x=lax", "hi"]).await.exits(0).prints("none at all\n");
    over(fake("none at all"), &["-x", "hi"]).await.exits(65).prints("").says("no whole code block");
    let cut = || fake("```sh\nls -l one two three four five\n```");
    over(cut(), &["-x", "--max-tokens", "6", "hi"]).await.exits(65).prints("").says("no whole code block");
    let document = over(fake("none"), &["-x", "--json", "hi"]).await.json();
    assert_eq!(document["error"]["code"], "bad_output");
}

#[tokio::test]
async fn thoughts_are_shown_where_they_are_wanted_and_never_in_the_answer() {
    let fake = || [provider("sim-a").answers([Act::think("hm, well", says("42"))])];
    let hidden = over(fake(), &["hi"]).await;
    assert_eq!((hidden.exits(0).prints("42\n").stderr.as_str(), "42\n"), ("", hidden.stdout.as_str()));
    over(fake(), &["--reasoning", "show", "hi"]).await.exits(0).prints("42\n").says("hm, well\n");
    let document = over(fake(), &["--json", "--reasoning", "hide", "hi"]).await.json();
    assert_eq!((&document["text"], &document["reasoning"]), (&json!("42"), &Value::Null));
}

#[test]
fn a_name_to_avoid_has_to_be_somebodys() {
    let ended = ask(&["--simulate", "--avoid", "sim-alpa", "hi"]).run();
    ended.exits(2).prints("").says("sim-alpa").says("did you mean `sim-alpha`?");
    ask(&["--simulate", "--avoid", "sim-alpha", "--avoid", "sim-bravo/sim-code-32b", "hi"]).run().exits(0);
}

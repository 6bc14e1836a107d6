//! Golden files of each provider that speaks the openai dialect: what goes out, what comes in, what the caller gets.
//!
//! A folder `tests/fixtures/<provider>` with a `request.json` is tested. `NAME.out.EXT` is what comes of `NAME.EXT`; where there is
//! none, it comes through byte for byte.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use jiff::Timestamp;
use relay::catalog::{Catalog, Provider};
use relay::chat::{ChatRequest, StreamEvent};
use relay::dialect::{Dialect, Target};

/// Every provider with fixtures, and their folder.
fn providers() -> Vec<(Provider, PathBuf)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures");
    let catalog = Catalog::shipped().expect("a valid catalogue");
    let folder = |provider: &Provider| root.join(&provider.id);
    let openai = catalog.providers.into_iter().filter(|provider| provider.dialect == Dialect::OpenAi);
    openai
        .map(|provider| (folder(&provider), provider))
        .filter(|(folder, _)| folder.is_dir())
        .map(|(folder, provider)| (provider, folder))
        .collect()
}

fn target(provider: &Provider) -> Target<'_> {
    Target {
        model: "the-model",
        wire: &provider.wire,
        thinks: true,
        context: 131_072,
        input_tokens: 100,
        answer_tokens: 50,
    }
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// What should come of a file: its `.out` twin, or itself.
fn expected(path: &Path) -> String {
    let ending = path.extension().expect("an ending").to_string_lossy().into_owned();
    let twin = path.with_extension(format!("out.{ending}"));
    read(if twin.exists() { &twin } else { path })
}

/// The files of this ending that are no `.out` twin.
fn inputs(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let name = |path: &PathBuf| path.file_name().expect("a name").to_string_lossy().into_owned();
    entries
        .filter(|path| {
            name(path).ends_with(ending) && !name(path).contains(".out.") && !name(path).starts_with("request.")
        })
        .collect()
}

#[test]
fn all_seven_have_fixtures() {
    let ids: Vec<String> = providers().into_iter().map(|(provider, _)| provider.id).collect();
    assert_eq!(ids, ["cerebras", "cloudflare", "deepseek", "groq", "mistral", "nvidia", "openrouter"]);
}

#[test]
fn requests_go_out_as_each_provider_wants_them() {
    for (provider, folder) in providers() {
        let request = ChatRequest::parse(Bytes::from(read(&folder.join("request.json")))).expect("a valid request");
        let outgoing = provider.dialect.encode(&request, target(&provider)).expect("encoded");
        let sent: serde_json::Value = serde_json::from_slice(&outgoing.body.concat()).expect("JSON");
        let mut wanted: serde_json::Value =
            serde_json::from_str(&read(&folder.join("request.out.json"))).expect("JSON");
        let mut sent_bare = sent.clone();
        // Rewritten ids have to agree with each other and with the provider's form, not with a file.
        if provider.id == "mistral" {
            let id = sent["messages"][2]["tool_calls"][0]["id"].as_str().expect("an id").to_owned();
            assert!(id.len() == 9 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
            assert_eq!(sent["messages"][3]["tool_call_id"], id.as_str());
            for json in [&mut sent_bare, &mut wanted] {
                json["messages"][2]["tool_calls"][0]["id"] = "id".into();
                json["messages"][3]["tool_call_id"] = "id".into();
            }
        }
        assert_eq!(sent_bare, wanted, "{}", provider.id);
    }
}

#[test]
fn plain_answers_come_through_or_are_mended() {
    for (provider, folder) in providers() {
        for path in inputs(&folder, ".json") {
            let whole = provider.dialect.decode(Bytes::from(read(&path)), target(&provider), Timestamp::UNIX_EPOCH);
            let whole = whole.unwrap_or_else(|fault| panic!("{}: {fault:?}", path.display()));
            assert_eq!(String::from_utf8_lossy(&whole.body), expected(&path), "{}", path.display());
            assert_eq!(whole.usage.map(|usage| usage.total()), Some(13), "{}", path.display());
        }
    }
}

#[test]
fn streams_come_through_or_are_mended_wherever_their_bytes_are_cut() {
    for (provider, folder) in providers() {
        for path in inputs(&folder, ".sse") {
            let stream = read(&path).into_bytes();
            let whole = scan(&provider, &[&stream]);
            let shown: Vec<u8> = whole.iter().flat_map(|event| event.bytes.to_vec()).collect();
            assert_eq!(String::from_utf8_lossy(&shown), expected(&path), "{}", path.display());
            let usage = whole.iter().filter_map(|event| event.signs.usage).next_back();
            assert_eq!(usage.map(|usage| usage.total()), Some(13), "{}", path.display());
            for cut in 0..stream.len() {
                assert_eq!(
                    scan(&provider, &[&stream[..cut], &stream[cut..]]),
                    whole,
                    "{} cut at {cut}",
                    path.display()
                );
            }
        }
    }
}

fn scan(provider: &Provider, pieces: &[&[u8]]) -> Vec<StreamEvent> {
    let mut scanner = provider.dialect.scanner(target(provider), false);
    for piece in pieces {
        scanner.push(Bytes::copy_from_slice(piece), Timestamp::UNIX_EPOCH).expect("a stream");
    }
    scanner.end(Timestamp::UNIX_EPOCH).expect("an end");
    std::iter::from_fn(|| scanner.next_event()).collect()
}

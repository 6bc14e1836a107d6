//! The properties of `fuzz/` on random bytes, and on real input that was damaged. `RELAY_FUZZ=10000` runs that many cases of each.

use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestError, TestRunner};
use relay::config::Environment;

#[path = "../../fuzz/src/lib.rs"]
pub mod properties;

const USUAL_CASES: u32 = 128;

/// Pieces that mean something to one reader or another.
const WORDS: [&str; 20] = [
    "\"",
    "\\",
    "{",
    "[",
    "}",
    "]",
    ":",
    ",",
    "\n",
    "\r\n\r\n",
    "data: ",
    "|",
    "<td>",
    "é",
    "\u{feff}",
    "-1",
    "1e999",
    "99999999999999999999",
    "null",
    "\u{0}",
];

#[test]
fn streams() {
    hold(properties::stream, &files("tests/fixtures", &["sse"]));
}

#[test]
fn requests() {
    hold(properties::request, &files("tests/fixtures", &["request.json"]));
}

#[test]
fn refusals() {
    let table = fs::read_to_string(root().join("tests/fixtures/classify.tsv")).expect("the table is there");
    let rows = table.lines().filter(|line| !line.starts_with('#')).map(|line| line.split('\t').collect::<Vec<_>>());
    let responses = rows.filter(|row| row.len() > 3).map(|row| {
        let headers = row[2].replace("; ", "\n");
        format!("{}\n{headers}\n\n{}", row[1], row[3]).into_bytes()
    });
    hold(properties::refusal, &responses.collect::<Vec<_>>());
}

#[test]
fn headers() {
    let texts =
        ["12", "3.405", "2m52.8s", "194ms", "7h12m3s", "1d", "1795341660000", "Sun, 22 Nov 2026 10:00:30 GMT", "0"];
    hold(properties::headers, &[texts.join("\n").into_bytes()]);
}

#[test]
fn repairs() {
    let mut answers = files("tests/fixtures", &["json"]);
    let mistakes = [
        "Sure! ```json\n{\"a\": [1, 2,], 'b': \"it's\"}\n``` Done.",
        "{name: \"x\", \"list\": [1 2 3], \"cut\": \"off he",
        "{\"a\": True, // why\n\"b\": 0x1F, \"c\": .5, \"d\": “quoted”, ...}",
    ];
    answers.extend(mistakes.map(|text| text.as_bytes().to_vec()));
    hold(properties::repair, &answers);
}

#[test]
fn catalogues() {
    let mut texts = files("limits", &["toml"]);
    texts.push(CONFIG.as_bytes().to_vec());
    hold(properties::catalogue, &texts);
}

#[test]
fn pages() {
    hold(properties::page, &files("tests/fixtures/pages", &["md", "html"]));
}

const CONFIG: &str = r#"
[server]
port = 8000
cors = ["http://localhost:3000"]
max_body = "32MiB"
[routing]
strategy = "auto"
max_wait = "10s"
[timeouts]
first_event = "60s"
[state]
url = "sqlite"
[providers.mine]
key_cmd = "pass show mine"
"#;

/// Runs `property` on the seeds, on their like with damage, and on anything at all.
fn hold(property: fn(&[u8]), seeds: &[Vec<u8>]) {
    assert!(!seeds.is_empty(), "nothing to begin with");
    for seed in seeds {
        property(seed);
    }
    let wanted = Environment::of_process().get("RELAY_FUZZ").and_then(|cases| cases.parse().ok());
    let config = Config { cases: wanted.unwrap_or(USUAL_CASES), failure_persistence: None, ..Config::default() };
    let damage = vec((0..5u8, any::<u16>(), any::<u8>()), 1..6);
    let damaged = (0..seeds.len(), damage).prop_map(|(seed, damage)| damaged(&seeds[seed], &damage));
    let input = prop_oneof![3 => damaged, 1 => vec(any::<u8>(), 0..200), 1 => written()];
    let result = TestRunner::new(config).run(&input, |input| {
        let held = catch_unwind(AssertUnwindSafe(|| property(&input)));
        held.map_err(|_| TestCaseError::fail("the property does not hold"))
    });
    if let Err(TestError::Fail(_, input)) = &result {
        panic!("the property does not hold for {:?}", String::from_utf8_lossy(input));
    }
    result.expect("nothing but the property can fail");
}

/// Text of the marks that the formats are made of.
fn written() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![prop::sample::select(&WORDS[..]).prop_map(str::to_owned), "[a-z0-9 .=#|-]{1,5}"];
    vec(word, 0..40).prop_map(|words| words.concat().into_bytes())
}

/// `seed` with bytes changed, taken out, doubled, cut off or put in.
fn damaged(seed: &[u8], damage: &[(u8, u16, u8)]) -> Vec<u8> {
    let mut bytes = seed.to_vec();
    for &(kind, place, what) in damage {
        let at = usize::from(place) % (bytes.len() + 1);
        let end = (at + usize::from(what)).min(bytes.len());
        match kind {
            0 if at < bytes.len() => bytes[at] = what,
            1 => drop(bytes.drain(at..end)),
            2 => drop(bytes.splice(at..at, bytes[at..end].to_vec())),
            3 if what < 64 => bytes.truncate(at),
            _ => drop(bytes.splice(at..at, WORDS[usize::from(what) % WORDS.len()].bytes())),
        }
    }
    bytes
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The contents of all files below `folder` whose names have one of these endings.
fn files(folder: &str, endings: &[&str]) -> Vec<Vec<u8>> {
    let (mut folders, mut found): (Vec<PathBuf>, Vec<PathBuf>) = (vec![root().join(folder)], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).expect("the folder is there").map(|entry| entry.expect("an entry").path()) {
            let name = path.to_string_lossy().into_owned();
            if path.is_dir() {
                folders.push(path);
            } else if endings.iter().any(|ending| name.ends_with(ending)) {
                found.push(path);
            }
        }
    }
    found.sort();
    found.iter().map(|path| fs::read(path).expect("files can be read")).collect()
}

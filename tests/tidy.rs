//! The invariants of ARCHITECTURE.md, read off the sources as text: layers, purity, sizes, names, and what follows from the binary.

mod source;

use std::fs;
use std::path::Path;
use std::process::Command;

use source::{Source, files, read, root, sources, stem};

/// The modules, low to high. Those of one step do not import each other, `answer` and `relay` apart.
const LAYERS: [&[&str]; 14] = [
    &["clock", "telemetry", "replace", "socket", "chat"],
    &["quota"],
    &["dialect"],
    &["catalog"],
    &["context", "style"],
    &["routing"],
    &["upstream", "store"],
    &["refresh"],
    &["config"],
    &["relay", "answer"],
    &["sim"],
    &["gateway"],
    &["cli"],
    &["main"],
];

/// Functions of values and `now`.
const PURE: [&str; 6] = ["chat", "quota", "dialect", "context", "style", "routing"];

const MOST_LINES: usize = 400;
const MOST_FUNCTION_LINES: usize = 40;

#[test]
fn imports_point_down_only() {
    let step = |module: &str| LAYERS.iter().position(|step| step.contains(&module));
    let friends = |a: &str, b: &str| [a, b] == ["relay", "answer"] || [a, b] == ["answer", "relay"];
    let violations = violations(|source, complain| {
        if source.module == "lib" {
            return;
        }
        let Some(own) = step(&source.module) else {
            return complain("is in no layer; give it one in LAYERS and in ARCHITECTURE.md".to_owned());
        };
        for target in source.crate_targets() {
            let is_below = step(&target).is_some_and(|target| target < own);
            if target != source.module && !is_below && !friends(&source.module, &target) {
                complain(format!("imports `crate::{target}`"));
            }
        }
    });
    check("imports point to lower layers only: each layer can be understood without those above it", &violations);
}

#[test]
fn lib_lists_the_modules_in_layer_order() {
    let lib = Source::read(Path::new("src/lib.rs"));
    let listed: Vec<&str> = lib
        .code
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("pub ").strip_prefix("mod ")?.strip_suffix(';'))
        .collect();
    let ordered: Vec<&str> = LAYERS.concat().into_iter().filter(|module| listed.contains(module)).collect();
    assert_eq!(listed, ordered, "`src/lib.rs` is the list of layers (blank lines keep rustfmt from sorting it)");
}

#[test]
fn pure_modules_do_no_io_and_ask_no_clock() {
    let banned = [
        "tokio",
        "reqwest",
        "hyper",
        "hyper_util",
        "axum",
        "rusqlite",
        "std::fs",
        "std::env",
        "std::net",
        "std::thread",
        "std::process",
        "std::time::Instant",
        "std::time::SystemTime",
        "crate::clock::Clock",
    ];
    let violations = violations(|source, complain| {
        if !PURE.contains(&source.module.as_str()) {
            return;
        }
        banned.iter().filter(|path| source.mentions(path)).for_each(|path| complain(format!("uses `{path}`")));
        for words in ["async fn", "async move", "async {", ".await", "::now()", "static mut", "thread_local!"] {
            if source.code.contains(words) {
                complain(format!("has `{words}`"));
            }
        }
    });
    check("the middle is pure, so that a test needs nothing but values and `now`", &violations);
}

#[test]
fn the_core_knows_neither_the_command_line_nor_the_http_server() {
    let violations = violations(|source, complain| {
        if source.module == "relay" || source.module == "answer" {
            let banned = ["clap", "axum", "clap_complete"];
            banned.iter().filter(|path| source.mentions(path)).for_each(|path| complain(format!("uses `{path}`")));
        }
    });
    check("`ask` and `serve` are two surfaces of one core, which knows neither", &violations);
}

#[test]
fn surfaces_reach_providers_and_state_through_the_core() {
    let violations = violations(|source, complain| {
        // The one place where the core of a command is put together names the parts it is made of.
        let builds_the_core = source.name == "src/cli/setup.rs";
        if !["gateway", "cli"].contains(&source.module.as_str()) || builds_the_core {
            return;
        }
        for path in ["crate::store", "crate::upstream"].into_iter().filter(|path| source.mentions(path)) {
            complain(format!("imports `{path}`"));
        }
    });
    check(
        "a request has one way, `Relay::send`; only `cli/setup.rs` builds the store and asks a local server",
        &violations,
    );
}

#[test]
fn only_serve_imports_the_gateway() {
    let violations = violations(|source, complain| {
        if source.module != "gateway" && source.name != "src/cli/serve.rs" && source.mentions("crate::gateway") {
            complain("imports `crate::gateway`".to_owned());
        }
    });
    check("the gateway is one command's matter", &violations);
}

#[test]
fn only_upstream_opens_connections() {
    let banned =
        ["reqwest", "hyper_util::client", "hyper_rustls", "TcpStream::connect", "tokio::net::TcpStream::connect"];
    let violations = violations(|source, complain| {
        if source.module != "upstream" {
            banned.iter().filter(|path| source.mentions(path)).for_each(|path| complain(format!("uses `{path}`")));
        }
    });
    check("whatever leaves this machine leaves it in `src/upstream`", &violations);
}

#[test]
fn only_config_reads_the_environment() {
    let violations = violations(|source, complain| {
        if source.module != "config" && source.mentions("std::env") {
            complain("uses `std::env`".to_owned());
        }
    });
    check("settings have one way in, and tests set them without touching the process", &violations);
}

#[test]
fn only_output_and_telemetry_write_to_the_terminal() {
    let violations = violations(|source, complain| {
        if !["src/cli/output.rs", "src/telemetry.rs"].contains(&source.name.as_str()) {
            for stream in ["io::stdout", "io::stderr", "std::io::stdout", "std::io::stderr"] {
                if source.mentions(stream) {
                    complain(format!("uses `{stream}`"));
                }
            }
        }
    });
    check("stdout holds results alone, so it has one writer", &violations);
}

#[test]
fn files_stay_under_four_hundred_lines_without_their_tests() {
    let violations = violations(|source, complain| {
        let lines = source.text.lines().count() - source.test_lines;
        if lines > MOST_LINES {
            complain(format!("has {lines} lines"));
        }
    });
    check("a file is one noun; past 400 lines it holds two", &violations);
}

#[test]
fn functions_stay_within_forty_lines() {
    let violations = violations(|source, complain| {
        for (line, name, length) in source.functions() {
            if length > MOST_FUNCTION_LINES {
                complain(format!("line {line}: `{name}` has {length} lines"));
            }
        }
    });
    check("a function fits on a screen", &violations);
}

#[test]
fn every_file_begins_with_a_sentence_that_says_what_it_does() {
    let mut missing = Vec::new();
    for path in files(Path::new("src"), "rs") {
        let text = fs::read_to_string(root().join(&path)).expect("sources are UTF-8");
        let first = text.lines().next().unwrap_or_default();
        if !(first.starts_with("//! ") && first.ends_with('.') && first.len() > 20) {
            missing.push(format!("{}: `{first}`", path.display()));
        }
    }
    check("the tree can be read with `head -1`", &missing);
}

#[test]
fn no_provider_is_named_in_code() {
    let ids: Vec<String> = files(Path::new("limits"), "toml").iter().map(|path| stem(path)).collect();
    let violations = violations(|source, complain| {
        if source.module == "sim" {
            return;
        }
        for (number, line) in (1..).zip(source.without_comments.lines()) {
            for id in ids.iter().filter(|id| names(line, id)) {
                let has_a_dialect =
                    ["", ".rs"].iter().any(|end| root().join(format!("src/dialect/{id}{end}")).exists());
                if !(source.module == "dialect" && has_a_dialect) {
                    complain(format!("line {number} names `{id}`"));
                }
            }
        }
    });
    check("providers are data in `limits/`; code that knows one by name does not work for the next", &violations);
}

#[test]
fn mod_files_list_things_and_hold_no_logic() {
    let violations = violations(|source, complain| {
        if !(source.name.ends_with("/mod.rs") || source.name == "src/lib.rs") {
            return;
        }
        // These two define what their folder's files implement.
        let defines_types = ["src/dialect/mod.rs", "src/store/mod.rs"].contains(&source.name.as_str());
        for (line, item) in source.items() {
            let lists = ["mod", "use", "const", "type"].contains(&item.as_str());
            let defines = ["struct", "enum", "trait", "impl"].contains(&item.as_str());
            if !(lists || defines_types && defines) {
                complain(format!("line {line} holds a `{item}`"));
            }
        }
    });
    check("`mod.rs` is a table of contents; what it lists stands in files named after it", &violations);
}

#[test]
fn nothing_unwraps_prints_or_allows() {
    let banned =
        [".unwrap()", "println!", "print!(", "eprint!(", "dbg!(", "todo!(", "unimplemented!(", "#[allow", "#![allow"];
    let violations = violations(|source, complain| {
        for (number, line) in (1..).zip(source.code.lines()) {
            banned
                .iter()
                .filter(|word| line.contains(**word))
                .for_each(|word| complain(format!("line {number} has `{word}`")));
        }
    });
    check("`expect` names an invariant, `#[expect]` gives a reason, `cli/output.rs` prints", &violations);
}

#[test]
fn the_readme_names_every_command_every_key_and_the_rust_version() {
    let readme = read("README.md");
    let help = relay(&["--help"]);
    let help = String::from_utf8(help).expect("help is UTF-8");
    let commands = help.lines().skip_while(|line| *line != "Commands:").skip(1).take_while(|line| !line.is_empty());
    let mut missing: Vec<String> = commands
        .filter_map(|line| line.split_whitespace().next())
        .map(|command| format!("relay {command}"))
        .filter(|command| !readme.contains(command.as_str()))
        .collect();
    assert!(help.contains("\nCommands:\n"), "`relay --help` lists its commands");
    for path in files(Path::new("limits"), "toml") {
        let keys = read(&path).lines().find_map(|line| line.strip_prefix("key_env").map(str::to_owned));
        missing
            .extend(keys.and_then(|keys| Some(keys.split('"').nth(1)?.to_owned())).filter(|key| !readme.contains(key)));
    }
    let manifest = read("Cargo.toml");
    let version = manifest.split("rust-version = \"").nth(1).and_then(|rest| rest.split('"').next());
    missing.extend(version.map(|version| format!("{version} or later")).filter(|version| !readme.contains(version)));
    check("README.md names every command, every provider's first key variable and the Rust version", &missing);
}

#[test]
fn completions_and_the_man_page_are_what_the_binary_writes() {
    let folder = tempfile::tempdir().expect("a folder");
    relay(&["generate", folder.path().to_str().expect("a plain path")]);
    let mut stale = Vec::new();
    for entry in fs::read_dir(folder.path()).expect("written just now") {
        let name = entry.expect("an entry").file_name();
        if fs::read(root().join("completions").join(&name)).ok() != fs::read(folder.path().join(&name)).ok() {
            stale.push(name.to_string_lossy().into_owned());
        }
    }
    assert!(folder.path().join("relay.1").exists() && folder.path().join("_relay").exists(), "something is written");
    check("completions/ is generated; `cargo run -q -- generate completions` brings it up to date", &stale);
}

#[test]
fn architecture_is_short_and_names_every_module_and_top_level_file() {
    let architecture = read("ARCHITECTURE.md");
    let lines = architecture.lines().count();
    assert!(lines < 200, "ARCHITECTURE.md has {lines} lines: nobody reads a long map");
    let modules =
        sources().iter().map(|source| source.module.clone()).filter(|module| module != "lib" && module != "main");
    let listed = Command::new("git").args(["ls-files", "-z"]).current_dir(root()).output();
    // Without git (an unpacked archive) only the modules are looked up.
    let listed = listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default();
    let top = listed.split('\0').filter_map(|path| path.split('/').next()).filter(|name| !name.is_empty());
    let mut missing: Vec<String> =
        modules.chain(top.map(str::to_owned)).filter(|name| !architecture.contains(&format!("`{name}"))).collect();
    missing.sort();
    missing.dedup();
    check("ARCHITECTURE.md is the map: what it does not name has no place", &missing);
}

fn relay(arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_relay")).args(arguments).output().expect("the binary was built");
    assert!(output.status.success(), "`relay {}` ends with {}", arguments.join(" "), output.status);
    output.stdout
}

fn violations(rule: impl Fn(&Source, &mut dyn FnMut(String))) -> Vec<String> {
    let mut violations = Vec::new();
    for source in sources() {
        rule(source, &mut |what| violations.push(format!("{}: {what}", source.name)));
    }
    violations
}

fn check(reason: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{reason}:\n  {}", violations.join("\n  "));
}

/// Whether a line names a provider, as a word, as a part of a constant or as the head of a camel-case name.
fn names(line: &str, id: &str) -> bool {
    let lower = line.to_ascii_lowercase();
    lower.match_indices(id).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + id.len()..].chars().next();
        let begins =
            line[at..].starts_with(|c: char| c.is_ascii_uppercase()) || !before.is_some_and(char::is_alphanumeric);
        begins && !after.is_some_and(|c| c.is_ascii_lowercase())
    })
}

//! Embeds the catalogue files of `limits/` by directory, and the commit the build was made from.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "a build script is told where to work by variables")]
fn main() {
    println!("cargo:rerun-if-changed=limits");
    println!("cargo:rerun-if-changed=.git/HEAD");
    let commit = Command::new("git")
        .args(["rev-parse", "--short=9", "HEAD"])
        .output()
        .ok()
        .filter(|output| output.status.success());
    let commit = commit.and_then(|output| String::from_utf8(output.stdout).ok()).unwrap_or_default();
    println!("cargo:rustc-env=RELAY_COMMIT={}", commit.trim());

    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let mut files: Vec<_> = fs::read_dir(Path::new(&root).join("limits"))
        .expect("limits/ is part of the project")
        .flatten()
        .map(|entry| entry.path())
        .collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "toml"));
    files.sort();
    let mut list = String::from("&[\n");
    for path in files {
        let id = path.file_stem().expect("a file has a name").to_string_lossy();
        writeln!(list, "    ({id:?}, include_str!({:?})),", path.display().to_string()).expect("strings grow");
    }
    list.push_str("]\n");
    fs::write(Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("limits.rs"), list)
        .expect("OUT_DIR can be written");
}

//! Embeds the catalogue files of `limits/` by directory, and the commit the build was made from.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;
use std::{env, fs};

#[expect(clippy::disallowed_methods, reason = "a build script is told where to work by variables")]
fn main() {
    println!("cargo:rerun-if-changed=limits");
    // The log of HEAD grows with every commit and every checkout; HEAD itself names a branch, and stays. A file that is not there
    // would have this run each time.
    let mut watched = ["logs/HEAD", "HEAD"].iter().filter_map(|file| git(&["rev-parse", "--git-path", file]));
    if let Some(file) = watched.find(|file| Path::new(file).exists()) {
        println!("cargo:rerun-if-changed={file}");
    }
    println!("cargo:rustc-env=RELAY_COMMIT={}", git(&["rev-parse", "--short=9", "HEAD"]).unwrap_or_default());

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

/// What git says, where there is a repository.
fn git(arguments: &[&str]) -> Option<String> {
    let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
    Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
}

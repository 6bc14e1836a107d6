//! Writes `keys.toml`: one key per provider, for its owner's eyes alone.

use std::fs::{File, OpenOptions};
use std::io::{self, Error, ErrorKind};
use std::path::Path;

use toml_edit::{DocumentMut, value};

use crate::replace::{Readers, replace};

use super::text_file;

/// Sets a provider's key, or takes it away. Says whether there was one. What else the file holds stays as it is, and what others
/// write at the same time is kept: one waits for the other.
pub fn write_key(path: &Path, provider: &str, key: Option<&str>) -> io::Result<bool> {
    // Nothing to take away is nothing to write, and needs no folder that can be written to.
    if key.is_none() && !read(path)?.contains_key(provider) {
        return Ok(false);
    }
    path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
    let _turn = turn(path)?;
    let mut document = read(path)?;
    let had_one = match key {
        Some(key) => {
            let had_one = document.contains_key(provider);
            // In its place: the comments before it are somebody's.
            document[provider] = value(key);
            had_one
        }
        None => document.remove(provider).is_some(),
    };
    replace(path, document.to_string().as_bytes(), Readers::Owner)?;
    Ok(had_one)
}

fn read(path: &Path) -> io::Result<DocumentMut> {
    let text = match text_file::read(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    // The parser's own words would quote the line, which may hold a key.
    text.parse().map_err(|_| Error::new(ErrorKind::InvalidData, "it is not TOML; mend it first"))
}

/// Waits until nobody else changes the file, and keeps others waiting until it is dropped. The lock is on a file of its own, since the
/// one with the keys is another after each change; it ends with the process that holds it.
fn turn(path: &Path) -> io::Result<File> {
    // Of a link, beside what it points to, as others may know that by its own name.
    let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let lock = OpenOptions::new().create(true).append(true).open(target.with_extension("toml.lock"))?;
    lock.lock()?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_changes_and_the_rest_of_the_file_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay/keys.toml");
        assert!(!write_key(&path, "a", Some("one")).expect("written"));
        std::fs::write(&path, "# mine\na = \"one\"  # work\nb = \"two\"\n").expect("written");
        assert!(write_key(&path, "a", Some("three")).expect("written"));
        assert!(write_key(&path, "b", None).expect("written"));
        assert!(!write_key(&path, "c", None).expect("nothing to take away"));
        let text = std::fs::read_to_string(&path).expect("there");
        assert!(text.starts_with("# mine\na = \"three\""), "{text}");
        assert!(!text.contains("two"), "{text}");
    }

    #[test]
    fn keys_that_are_set_at_the_same_time_are_all_kept() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("relay/keys.toml");
        let names: Vec<String> = (0..20).map(|number| format!("one-{number}")).collect();
        std::thread::scope(|threads| {
            for name in &names {
                threads.spawn(|| write_key(&path, name, Some("key")).expect("written"));
            }
        });
        let document = read(&path).expect("there");
        assert!(names.iter().all(|name| document.contains_key(name)), "{document}");
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        for key in ["one", "two"] {
            write_key(&path, "a", Some(key)).expect("written");
            assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).expect("it is ours");
        }
    }

    #[test]
    fn a_broken_file_is_left_alone_and_not_quoted() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        std::fs::write(&path, "groq = gsk_secret\n").expect("written");
        let error = write_key(&path, "a", Some("one")).expect_err("not TOML").to_string();
        assert!(!error.contains("secret"), "{error}");
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "groq = gsk_secret\n");
    }
}

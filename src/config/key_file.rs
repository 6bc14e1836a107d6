//! Writes `keys.toml`: one key per provider, for its owner's eyes alone.

use std::io::{self, Error, ErrorKind, Write as _};
use std::path::Path;

use toml_edit::{DocumentMut, value};

/// Sets a provider's key, or takes it away. Says whether there was one. What else the file holds stays as it is.
pub fn write_key(path: &Path, provider: &str, key: Option<&str>) -> io::Result<bool> {
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        Err(error) => return Err(error),
    };
    // The parser's own words would quote the line, which may hold a key.
    let unreadable = |_| Error::new(ErrorKind::InvalidData, "it is not TOML; mend it first");
    let mut document: DocumentMut = text.parse().map_err(unreadable)?;
    let had_one = match key {
        Some(key) => {
            let had_one = document.contains_key(provider);
            // In its place: the comments before it are somebody's.
            document[provider] = value(key);
            had_one
        }
        None => document.remove(provider).is_some(),
    };
    if key.is_some() || had_one {
        replace(path, &document.to_string())?;
    }
    Ok(had_one)
}

/// Writes beside the file and renames. A file made this way is readable by its owner alone.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    // A link, as those have it who keep their settings elsewhere, stays one.
    let path = &path.canonicalize().unwrap_or_else(|_| path.to_owned());
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder)?;
    let mut file = tempfile::Builder::new().prefix(".keys-").tempfile_in(folder)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    file.persist(path).map_err(|error| error.error).map(drop)
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

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, linked) = (folder.path().join("own.toml"), folder.path().join("keys.toml"));
        std::fs::write(&own, "").expect("written");
        std::os::unix::fs::symlink(&own, &linked).expect("linked");
        write_key(&linked, "a", Some("one")).expect("written");
        assert!(linked.is_symlink() && std::fs::read_to_string(&own).expect("there").contains("one"));
    }

    #[cfg(unix)]
    #[test]
    fn nobody_else_may_read_it() {
        use std::os::unix::fs::PermissionsExt as _;
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("keys.toml");
        write_key(&path, "a", Some("one")).expect("written");
        assert_eq!(std::fs::metadata(&path).expect("there").permissions().mode() & 0o777, 0o600);
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

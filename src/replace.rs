//! Replaces a file as a whole or not at all: the new one is written beside it, and takes its place when it is on the disk.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use tempfile::NamedTempFile;

/// Where files stand that a process has open. Such a one is added to: whoever opened it goes on writing it.
const OPEN_FILES: [&str; 3] = ["/dev/stderr", "/dev/fd", "/proc"];

/// Who may read a file that is written.
#[derive(Debug, Clone, Copy)]
pub enum Readers<'a> {
    /// Those who may read this file; where there is none, whom the user's mask allows.
    Of(&'a Path),
    Owner,
}

/// The file that will be in another's place.
#[derive(Debug)]
pub struct Replacement {
    new: NamedTempFile,
    target: PathBuf,
}

impl Replacement {
    pub fn begin(path: &Path, readers: Readers<'_>) -> io::Result<Self> {
        // A link, as those have it who keep their settings elsewhere, stays one: what it points to is replaced.
        let target = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let folder = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        // Asked first, for an error without the name that the new file would have.
        folder.metadata()?;
        let known = match readers {
            Readers::Of(file) => file.metadata().ok(),
            Readers::Owner => None,
        };
        let mut builder = tempfile::Builder::new();
        #[cfg(unix)]
        if matches!(readers, Readers::Of(_)) {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(0o666));
        }
        let new = builder.prefix(".relay-").tempfile_in(folder)?;
        if let Some(known) = known {
            // Not by the builder: the mask would take away from them.
            new.as_file().set_permissions(known.permissions())?;
        }
        Ok(Self { new, target })
    }

    pub fn file(&mut self) -> &mut File {
        self.new.as_file_mut()
    }

    pub fn finish(self) -> io::Result<()> {
        self.new.as_file().sync_all()?;
        self.new.persist(&self.target).map(drop).map_err(|error| error.error)
    }
}

/// Writes a file whole. What is no file, a device or a pipe, is written to, and so is what is open already.
pub fn replace(path: &Path, bytes: &[u8], readers: Readers<'_>) -> io::Result<()> {
    if is_written_to(path) {
        return OpenOptions::new().append(true).open(path)?.write_all(bytes);
    }
    let mut replacement = Replacement::begin(path, readers)?;
    replacement.file().write_all(bytes)?;
    replacement.finish()
}

/// Whether a file could be written there, found out by beginning one.
pub fn check(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if is_written_to(path) { Ok(()) } else { Replacement::begin(path, Readers::Of(path)).map(drop) }
}

fn is_written_to(path: &Path) -> bool {
    let is_open = OPEN_FILES.iter().any(|place| path.starts_with(place));
    path.metadata().is_ok_and(|known| !known.is_dir() && (is_open || !known.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    fn mode(path: &Path) -> u32 {
        use std::os::unix::fs::PermissionsExt as _;
        path.metadata().expect("there").permissions().mode() & 0o777
    }

    #[cfg(unix)]
    #[test]
    fn readers_stay_who_they_were_and_new_files_get_what_all_get() {
        let folder = tempfile::tempdir().expect("a folder");
        let (usual, path) = (folder.path().join("usual"), folder.path().join("file"));
        std::fs::write(&usual, "").expect("written");
        replace(&path, b"one", Readers::Of(&path)).expect("written");
        assert_eq!(mode(&path), mode(&usual));
        for own in [0o600, 0o666, 0o640] {
            std::fs::set_permissions(&path, std::os::unix::fs::PermissionsExt::from_mode(own)).expect("it is ours");
            replace(&path, b"two", Readers::Of(&path)).expect("written");
            assert_eq!(mode(&path), own);
        }
        replace(&path, b"three", Readers::Owner).expect("written");
        assert_eq!((mode(&path), std::fs::read(&path).expect("there")), (0o600, b"three".to_vec()));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_one_and_a_device_is_written_to() {
        let folder = tempfile::tempdir().expect("a folder");
        let (own, linked) = (folder.path().join("own"), folder.path().join("linked"));
        std::fs::write(&own, "").expect("written");
        std::os::unix::fs::symlink(&own, &linked).expect("linked");
        replace(&linked, b"one", Readers::Of(&linked)).expect("written");
        assert!(linked.is_symlink() && std::fs::read(&own).expect("there") == b"one");
        let null = Path::new("/dev/null");
        replace(null, b"one", Readers::Of(null)).expect("written");
        check(null).expect("it can be written to");
        assert!(null.metadata().is_ok_and(|known| !known.is_file()));
        assert_eq!(check(folder.path()).map_err(|error| error.kind()), Err(io::ErrorKind::IsADirectory));
    }
}

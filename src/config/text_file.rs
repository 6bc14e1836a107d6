//! Reads the text of a file that tells relay something.

use std::fs::File;
use std::io::{Error, ErrorKind, Read as _, Result};
use std::path::Path;

/// What is larger is another file by mistake: to read a hundred times as much would take minutes and gigabytes.
const MOST: u64 = 4 * 1024 * 1024;

/// All of it, or why not.
pub fn read(path: &Path) -> Result<String> {
    String::from_utf8(bytes(path)?).map_err(|_| Error::new(ErrorKind::InvalidData, "it is not UTF-8"))
}

/// The same of a file that may hold other things than text.
pub fn bytes(path: &Path) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MOST + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MOST {
        return Err(Error::new(ErrorKind::FileTooLarge, format!("it has more than {} MiB", MOST / 1024 / 1024)));
    }
    Ok(bytes)
}

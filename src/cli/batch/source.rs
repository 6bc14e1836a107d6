//! The lines of a batch as they are read: a few at a time, however many there are.

use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read};
use std::path::Path;

use tokio::sync::mpsc::{Receiver, channel};

use crate::cli::exit::{Exit, Trouble};

/// So many lines are read ahead.
const AHEAD: usize = 32;

/// A longer line is no request: the largest context there is takes less.
const LONGEST: usize = 64 * 1024 * 1024;

/// What some programs begin a file with, to say that it is UTF-8.
const MARK: &[u8] = "\u{feff}".as_bytes();

/// A line as it was read, with its number; blank ones are left out.
pub type Numbered = (u64, Vec<u8>);

pub struct Source {
    /// How many lines there are, where that can be known before.
    pub lines: Option<u64>,
    pub coming: Receiver<io::Result<Numbered>>,
}

impl Source {
    pub fn open(path: &Path) -> Result<Self, Trouble> {
        let unreadable = |error: io::Error| {
            let exit = if error.kind() == io::ErrorKind::NotFound { Exit::NoInput } else { Exit::Io };
            Trouble::new(exit, format!("`{}` cannot be read: {error}", path.display()))
        };
        if path.as_os_str() == "-" {
            return Ok(Self { lines: None, coming: read(io::stdin()) });
        }
        let file = File::open(path).map_err(unreadable)?;
        let is_file = file.metadata().map_err(unreadable)?.is_file();
        let lines = is_file.then(|| File::open(path).and_then(count)).transpose().map_err(unreadable)?;
        Ok(Self { lines, coming: read(file) })
    }
}

/// Lines that are not blank.
fn count(file: File) -> io::Result<u64> {
    let mut reader = BufReader::with_capacity(256 * 1024, file);
    let (mut lines, mut is_blank) = (0, true);
    loop {
        let piece = reader.fill_buf()?;
        if piece.is_empty() {
            return Ok(lines + u64::from(!is_blank));
        }
        for byte in piece {
            match byte {
                b'\n' => {
                    lines += u64::from(!is_blank);
                    is_blank = true;
                }
                byte if !byte.is_ascii_whitespace() => is_blank = false,
                _ => {}
            }
        }
        let length = piece.len();
        reader.consume(length);
    }
}

#[expect(clippy::disallowed_methods, reason = "it ends with its input, or when nobody takes lines any more")]
fn read(input: impl Read + Send + 'static) -> Receiver<io::Result<Numbered>> {
    let (sender, coming) = channel(AHEAD);
    std::thread::spawn(move || {
        let mut reader = BufReader::new(input);
        for number in 1.. {
            let mut line = Vec::new();
            let read = (&mut reader).take(LONGEST as u64 + 1).read_until(b'\n', &mut line);
            if number == 1 && line.starts_with(MARK) {
                line.drain(..MARK.len());
            }
            let line = match read {
                Ok(0) => return,
                Ok(length) if length > LONGEST => Err(io::Error::other(format!("line {number} is too long"))),
                Ok(_) if line.trim_ascii().is_empty() => continue,
                Ok(_) => Ok((number, line)),
                Err(error) => Err(error),
            };
            let is_last = line.is_err();
            if sender.blocking_send(line).is_err() || is_last {
                return;
            }
        }
    });
    coming
}

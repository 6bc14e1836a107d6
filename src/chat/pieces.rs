//! A new object in the making: joined into one piece while it is small, else pieces of the old one between the few new ones.

use std::ops::Range;

use bytes::Bytes;
use smallvec::{SmallVec, smallvec};

use super::fields::quoted;

/// Up to so many bytes an object is joined: the copy is cheaper than a place for each piece in the connection's line, which it keeps as
/// long as it lasts.
const JOINED: usize = 4 * 1024;

/// A body in the order of its bytes. Most have a new beginning and the rest of an old one at most.
pub type Slices = SmallVec<[Bytes; 2]>;

/// What there is of the object, made from the old one.
#[derive(Debug)]
pub(super) struct Pieces<'a> {
    old: &'a Bytes,
    out: Out,
    is_empty: bool,
}

#[derive(Debug)]
enum Out {
    Joined(Vec<u8>),
    Apart(Slices),
}

impl<'a> Pieces<'a> {
    /// Of an object that will have no more than `most` bytes.
    pub(super) fn new(old: &'a Bytes, most: usize) -> Self {
        let out = if most <= JOINED { Out::Joined(Vec::with_capacity(most)) } else { Out::Apart(Slices::new()) };
        Self { old, out, is_empty: true }
    }

    /// A field, or a run of fields, begins.
    pub(super) fn begin(&mut self) -> &mut Self {
        let before: &[u8] = if std::mem::take(&mut self.is_empty) { b"{" } else { b"," };
        self.put(Bytes::from_static(before))
    }

    pub(super) fn name(&mut self, name: &str) -> &mut Self {
        self.put(Bytes::from(quoted(name))).put(Bytes::from_static(b":"))
    }

    /// Bytes that stand so in the old object.
    pub(super) fn old(&mut self, place: Range<usize>) -> &mut Self {
        match &mut self.out {
            Out::Joined(out) => out.extend_from_slice(&self.old[place]),
            Out::Apart(out) => out.push(self.old.slice(place)),
        }
        self
    }

    pub(super) fn put(&mut self, bytes: Bytes) -> &mut Self {
        match &mut self.out {
            Out::Joined(out) => out.extend_from_slice(&bytes),
            Out::Apart(out) => out.push(bytes),
        }
        self
    }

    pub(super) fn close(mut self) -> Slices {
        let end: &[u8] = if self.is_empty { b"{}" } else { b"}" };
        self.put(Bytes::from_static(end));
        match self.out {
            Out::Joined(out) => smallvec![out.into()],
            Out::Apart(out) => out,
        }
    }
}

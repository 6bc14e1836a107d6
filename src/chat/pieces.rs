//! A new object in the making: joined into one piece while it is small, else what is large of the old one behind the new.

use std::borrow::Cow;
use std::ops::Range;

use bytes::Bytes;
use smallvec::SmallVec;

use super::fields::{New, quoted_parts};

/// Up to so many bytes are copied: that is cheaper than a place for each piece in the connection's line, which it keeps as long as it lasts.
const JOINED: usize = 4 * 1024;

/// A body in the order of its bytes. Most have a new beginning and the rest of an old one at most.
pub type Slices = SmallVec<[Bytes; 2]>;

/// What there is of the object, made from the old one.
#[derive(Debug)]
pub(super) struct Pieces<'p> {
    old: &'p Bytes,
    pieces: SmallVec<[Piece<'p>; 16]>,
}

#[derive(Debug)]
struct Piece<'p> {
    bytes: Cow<'p, [u8]>,
    /// What they are a part of, where they can be shared.
    of: Option<&'p Bytes>,
}

impl<'p> Pieces<'p> {
    pub(super) fn new(old: &'p Bytes) -> Self {
        Self { old, pieces: SmallVec::new() }
    }

    /// A field, or a run of fields, begins.
    pub(super) fn begin(&mut self) -> &mut Self {
        let before: &[u8] = if self.pieces.is_empty() { b"{" } else { b"," };
        self.put(before)
    }

    pub(super) fn name(&mut self, name: &'p str) -> &mut Self {
        self.text(name).put(b":")
    }

    /// A text as JSON.
    pub(super) fn text(&mut self, text: &'p str) -> &mut Self {
        self.pieces.extend(quoted_parts(text).map(|part| Piece { bytes: as_bytes(part), of: None }));
        self
    }

    /// Bytes that stand so in the old object.
    pub(super) fn old(&mut self, place: Range<usize>) -> &mut Self {
        self.pieces.push(Piece { bytes: Cow::Borrowed(&self.old[place]), of: Some(self.old) });
        self
    }

    pub(super) fn value(&mut self, value: &'p New<'p>) -> &mut Self {
        match value {
            New::Raw(json) => self.pieces.push(Piece { bytes: Cow::Borrowed(json), of: Some(json) }),
            New::Text(text) => return self.text(text),
        }
        self
    }

    pub(super) fn put(&mut self, bytes: &'static [u8]) -> &mut Self {
        self.pieces.push(Piece { bytes: Cow::Borrowed(bytes), of: None });
        self
    }

    /// The last run of fields, with the end of the old object where nothing but its bracket is left of it.
    pub(super) fn close(&mut self, run: Option<Range<usize>>) -> Slices {
        let old = self.old;
        match run {
            Some(run) if old[run.end..] == *b"}" => self.begin().old(run.start..old.len()),
            Some(run) => self.begin().old(run).put(b"}"),
            None if self.pieces.is_empty() => self.put(b"{}"),
            None => self.put(b"}"),
        };
        self.joined()
    }

    fn joined(&self) -> Slices {
        let mut slices = Slices::new();
        let mut rest = self.pieces.as_slice();
        while let [first, behind @ ..] = rest {
            if let Some(of) = first.of.filter(|_| first.bytes.len() > JOINED) {
                slices.push(of.slice_ref(&first.bytes));
                rest = behind;
                continue;
            }
            let small = rest.iter().take_while(|piece| piece.of.is_none() || piece.bytes.len() <= JOINED).count();
            let (run, behind) = rest.split_at(small);
            let mut out = Vec::with_capacity(run.iter().map(|piece| piece.bytes.len()).sum());
            for piece in run {
                out.extend_from_slice(&piece.bytes);
            }
            slices.push(out.into());
            rest = behind;
        }
        slices
    }
}

fn as_bytes(text: Cow<'_, str>) -> Cow<'_, [u8]> {
    match text {
        Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
        Cow::Owned(text) => Cow::Owned(text.into_bytes()),
    }
}

//! A walk over JSON that checks its grammar and reads none of its texts: strings are passed in wide steps.

mod escapes;

use std::borrow::Cow;
use std::ops::Range;

use smallvec::SmallVec;

use escapes::Stop;

/// The bytes are no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// A place in a JSON text, moved on value by value.
#[derive(Debug)]
pub struct Skim<'a> {
    json: &'a str,
    text: Text<'a>,
    at: usize,
}

/// The text, and whether no control character stands anywhere in it, not even a line's end. That is so with most, and found faster in
/// one go than string by string.
#[derive(Debug, Clone, Copy)]
struct Text<'a> {
    bytes: &'a [u8],
    is_clean: bool,
}

/// The brackets that are still to be closed. Few values are nested deeper than fits without an allocation.
type Closing = SmallVec<[u8; 16]>;

/// The name of a field, and where it stands with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'n> {
    pub text: &'n [u8],
    /// Whether it is written with an escape, so that its text is another than what stands there.
    pub has_escape: bool,
    pub place: Range<usize>,
}

impl<'a> Skim<'a> {
    pub fn new(json: &'a str) -> Self {
        let bytes = json.as_bytes();
        Self { json, text: Text { bytes, is_clean: is_clean(bytes) }, at: 0 }
    }

    /// The first byte of the next value, or the closing bracket in its place.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        self.at = space(self.text.bytes, self.at);
        self.text.bytes.get(self.at).copied()
    }

    /// Passes any value, however deep it is nested, and tells where it stands.
    #[inline]
    pub fn value(&mut self) -> Result<Range<usize>, Malformed> {
        let start = space(self.text.bytes, self.at);
        self.at = value(self.text, start).ok_or(Malformed)?;
        Ok(start..self.at)
    }

    /// Passes an object. `field` is told each name and has to pass the value.
    #[inline]
    pub fn object<E: From<Malformed>>(
        &mut self,
        mut field: impl FnMut(&mut Self, Name<'_>) -> Result<(), E>,
    ) -> Result<Range<usize>, E> {
        self.nested(b'{', b'}', |skim, _| {
            let bytes = skim.text.bytes;
            let start = space(bytes, skim.at);
            let unescaped;
            let (end, text, has_escape) = match short_string(bytes, start) {
                Some(end) => (end, &bytes[start + 1..end - 1], false),
                None => {
                    let end = string(skim.text, start).ok_or(Malformed)?;
                    unescaped = text_at(skim.json, &(start..end));
                    (end, unescaped.as_bytes(), bytes[start..end].contains(&b'\\'))
                }
            };
            skim.at = colon(bytes, end).ok_or(Malformed)?;
            field(skim, Name { text, has_escape, place: start..end })
        })
    }

    /// Passes a list. `item` is told the number of each item and has to pass it.
    #[inline]
    pub fn list<E: From<Malformed>>(
        &mut self,
        item: impl FnMut(&mut Self, usize) -> Result<(), E>,
    ) -> Result<Range<usize>, E> {
        self.nested(b'[', b']', item)
    }

    /// Passes `begin`, a string and `end`, where that is what stands next.
    #[inline]
    pub fn text_behind(&mut self, begin: &[u8], end: u8) -> bool {
        let bytes = self.text.bytes;
        let start = space(bytes, self.at);
        if !bytes[start..].starts_with(begin) {
            return false;
        }
        let behind = string(self.text, start + begin.len()).filter(|behind| bytes.get(*behind) == Some(&end));
        self.at = behind.map_or(self.at, |behind| behind + 1);
        behind.is_some()
    }

    /// Nothing but white space may be left.
    pub fn end(&mut self) -> Result<(), Malformed> {
        if self.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }

    #[inline]
    fn nested<E: From<Malformed>>(
        &mut self,
        open: u8,
        close: u8,
        mut each: impl FnMut(&mut Self, usize) -> Result<(), E>,
    ) -> Result<Range<usize>, E> {
        if self.peek() != Some(open) {
            return Err(Malformed.into());
        }
        let start = self.at;
        self.at += 1;
        let mut number = 0;
        if self.peek() == Some(close) {
            self.at += 1;
            return Ok(start..self.at);
        }
        loop {
            each(self, number)?;
            number += 1;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(byte) if byte == close => break,
                _ => return Err(Malformed.into()),
            }
        }
        self.at += 1;
        Ok(start..self.at)
    }
}

/// The next place from `at` on where no white space stands.
#[inline]
fn space(bytes: &[u8], at: usize) -> usize {
    match bytes.get(at) {
        Some(..=b' ') => behind_space(bytes, at),
        _ => at,
    }
}

fn behind_space(bytes: &[u8], at: usize) -> usize {
    let rest = &bytes[at..];
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    at + rest.iter().position(|byte| !is_space(byte)).unwrap_or(rest.len())
}

/// The end of the value that begins at `at`; like those below `None` where it is no JSON.
fn value(text: Text<'_>, at: usize) -> Option<usize> {
    let bytes = text.bytes;
    match *bytes.get(at)? {
        b'"' => short_string(bytes, at).or_else(|| string(text, at)),
        b'{' | b'[' => nest(text, at),
        _ => single(bytes, at),
    }
}

/// The end of a value in brackets.
fn nest(text: Text<'_>, mut at: usize) -> Option<usize> {
    let bytes = text.bytes;
    let mut closing = Closing::new();
    loop {
        match *bytes.get(at)? {
            open @ (b'{' | b'[') => {
                let close = if open == b'{' { b'}' } else { b']' };
                closing.push(close);
                at = space(bytes, at + 1);
                if *bytes.get(at)? != close {
                    at = if close == b'}' { name(text, at)? } else { at };
                    continue;
                }
            }
            b'"' => at = short_string(bytes, at).or_else(|| string(text, at))?,
            _ => at = single(bytes, at)?,
        }
        while let Some(&close) = closing.last() {
            let next = *bytes.get(space(bytes, at))?;
            at = space(bytes, at) + 1;
            if next == b',' {
                at = space(bytes, at);
                at = if close == b'}' { name(text, at)? } else { at };
                break;
            } else if next != close {
                return None;
            }
            closing.pop();
        }
        if closing.is_empty() {
            return Some(at);
        }
    }
}

/// Passes a name, and all before its value.
#[inline]
fn name(text: Text<'_>, at: usize) -> Option<usize> {
    let bytes = text.bytes;
    let end = short_string(bytes, at).or_else(|| string(text, at))?;
    Some(space(bytes, colon(bytes, end)?))
}

/// Passes the colon behind a name.
#[inline]
fn colon(bytes: &[u8], at: usize) -> Option<usize> {
    let at = space(bytes, at);
    (*bytes.get(at)? == b':').then_some(at + 1)
}

/// A string without an escape that ends within two words, as most do, and nearly all names; `None` says nothing.
#[inline]
fn short_string(bytes: &[u8], at: usize) -> Option<usize> {
    let near: &[u8; 17] = bytes.get(at..)?.first_chunk()?;
    let ([quote, ..], Some((words, _))) = (near, near[1..].split_first_chunk::<16>()) else { return None };
    let word = u128::from_le_bytes(*words);
    #[expect(clippy::cast_possible_truncation, reason = "the words are the halves")]
    let (first, second) = (specials(word as u64), specials((word >> 64) as u64));
    let length = match first {
        0 => 8 + second.trailing_zeros() as usize / 8,
        _ => first.trailing_zeros() as usize / 8,
    };
    (*quote == b'"' && words.get(length) == Some(&b'"')).then_some(at + length + 2)
}

#[inline(never)]
fn string(text: Text<'_>, at: usize) -> Option<usize> {
    let Text { bytes, is_clean } = text;
    if *bytes.get(at)? != b'"' {
        return None;
    }
    let (mut at, mut near) = (at + 1, 0);
    loop {
        let passed = plain(&bytes[at..], is_clean);
        at += passed;
        near = if passed < NEAR { near + 1 } else { 0 };
        match *bytes.get(at)? {
            b'"' => return Some(at + 1),
            b'\\' if near >= MANY => match escapes::pass(bytes, at)? {
                Stop::Behind(end) => return Some(end),
                Stop::Within(place) => at = place,
            },
            b'\\' => at = escape(bytes, at + 1)?,
            _ => return None,
        }
    }
}

/// Passes what stands behind a backslash.
#[inline]
fn escape(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' if is_unit(bytes, at + 1) => Some(at + 5),
        _ => None,
    }
}

/// Whether the four digits of a `\u` stand there.
fn is_unit(bytes: &[u8], at: usize) -> bool {
    bytes.get(at..at + 4).is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
}

/// The end of a word or a number.
fn single(bytes: &[u8], at: usize) -> Option<usize> {
    match *bytes.get(at)? {
        b't' => word(bytes, at, b"true"),
        b'f' => word(bytes, at, b"false"),
        b'n' => word(bytes, at, b"null"),
        _ => number(bytes, at),
    }
}

#[inline]
fn word<const LENGTH: usize>(bytes: &[u8], at: usize, word: &[u8; LENGTH]) -> Option<usize> {
    (bytes.get(at..)?.first_chunk()? == word).then_some(at + LENGTH)
}

fn number(bytes: &[u8], mut at: usize) -> Option<usize> {
    at += usize::from(bytes.get(at) == Some(&b'-'));
    at = if bytes.get(at) == Some(&b'0') { at + 1 } else { digits(bytes, at)? };
    if bytes.get(at) == Some(&b'.') {
        at = digits(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        at += 1;
        at += usize::from(matches!(bytes.get(at), Some(b'+' | b'-')));
        at = digits(bytes, at)?;
    }
    Some(at)
}

/// Passes digits, of which there must be one.
#[inline]
fn digits(bytes: &[u8], at: usize) -> Option<usize> {
    let count = bytes.get(at..)?.iter().take_while(|byte| byte.is_ascii_digit()).count();
    (count > 0).then_some(at + count)
}

/// The text of a string at a place that a walk told, without its quotes and escapes. Half a surrogate pair is no text; then it stays as it
/// is written, and is nothing relay knows.
pub fn text_at<'a>(json: &'a str, place: &Range<usize>) -> Cow<'a, str> {
    let written = inner(json, place);
    if memchr::memchr(b'\\', written.as_bytes()).is_none() {
        return Cow::Borrowed(written);
    }
    serde_json::from_str(&json[place.clone()]).map_or(Cow::Borrowed(written), Cow::Owned)
}

#[inline]
fn inner<'a>(json: &'a str, place: &Range<usize>) -> &'a str {
    &json[place.start + 1..place.end - 1]
}

/// So far a text is looked at in short steps. A text that has an escape as near to the one before, so many times, is full of them.
const NEAR: usize = 32;
const MANY: u32 = 3;

/// How many bytes come before the next one that means something within a string, or may not stand there. Most strings are short and end
/// within a few words of eight bytes; a long one goes on in wide steps.
#[inline]
pub(super) fn plain(bytes: &[u8], is_clean: bool) -> usize {
    let mut passed = 0;
    while let Some(word) = bytes[passed..].first_chunk() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return passed + special.trailing_zeros() as usize / 8;
        }
        passed += 8;
        if passed == NEAR {
            return NEAR + plain_far(&bytes[NEAR..], is_clean);
        }
    }
    let rest = &bytes[passed..];
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    passed + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// The same in wide steps, twice where it is not known to be clean: for what means something, and before that for what may not stand there.
fn plain_far(bytes: &[u8], is_known_clean: bool) -> usize {
    let passed = memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
    if is_known_clean || is_clean(&bytes[..passed]) {
        return passed;
    }
    bytes.iter().position(|byte| *byte < 0x20).unwrap_or(passed)
}

/// Whether no control character is among these bytes. The least byte has no early end, and is compiled to wide instructions.
fn is_clean(bytes: &[u8]) -> bool {
    bytes.iter().fold(u8::MAX, |least, byte| least.min(*byte)) >= 0x20
}

/// The highest bit of each byte that is special; above the lowest such byte there may be others that are none. Where the quote's second bit
/// is turned, it stands right behind the control characters, which stay below it.
#[inline]
const fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xFF;
    let low = (word ^ (ONES * 2)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * b'\\' as u64)).wrapping_sub(ONES);
    (low | backslash) & !word & (ONES << 7)
}

#[cfg(test)]
mod tests;

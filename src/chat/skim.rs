//! A walk over JSON that checks its grammar and reads none of its texts: strings are passed in wide steps.

use std::borrow::Cow;
use std::ops::Range;

use smallvec::SmallVec;

/// The bytes are no JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed;

/// A place in a JSON text, moved on value by value.
#[derive(Debug)]
pub struct Skim<'a> {
    json: &'a str,
    at: usize,
}

/// The brackets that are still to be closed. Few values are nested deeper than fits without an allocation.
type Closing = SmallVec<[u8; 16]>;

/// The name of a field, owned where it was written with an escape, and where it stands with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name<'a> {
    pub text: Cow<'a, str>,
    pub place: Range<usize>,
}

impl<'a> Skim<'a> {
    pub const fn new(json: &'a str) -> Self {
        Self { json, at: 0 }
    }

    const fn bytes(&self) -> &'a [u8] {
        self.json.as_bytes()
    }

    /// The first byte of the next value, or the closing bracket in its place.
    #[inline]
    pub fn peek(&mut self) -> Option<u8> {
        loop {
            match self.bytes().get(self.at)? {
                b' ' | b'\n' | b'\r' | b'\t' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Passes any value, however deep it is nested, and tells where it stands.
    pub fn value(&mut self) -> Result<Range<usize>, Malformed> {
        let first = self.peek();
        let start = self.at;
        match first {
            Some(b'"') => drop(self.string()?),
            Some(b'{' | b'[') => self.nest()?,
            _ => self.single()?,
        }
        Ok(start..self.at)
    }

    /// Passes an object. `field` is told each name and has to pass the value.
    pub fn object<E: From<Malformed>>(
        &mut self,
        mut field: impl FnMut(&mut Self, Name<'a>) -> Result<(), E>,
    ) -> Result<Range<usize>, E> {
        self.nested(b'{', b'}', |skim, _| {
            skim.peek();
            let start = skim.at;
            let has_escape = skim.name()?;
            let place = start..skim.at;
            skim.expect(b':')?;
            let text = if has_escape { text_at(skim.json, &place) } else { Cow::Borrowed(inner(skim.json, &place)) };
            field(skim, Name { text, place })
        })
    }

    /// Passes a list. `item` is told the number of each item and has to pass it.
    pub fn list<E: From<Malformed>>(
        &mut self,
        item: impl FnMut(&mut Self, usize) -> Result<(), E>,
    ) -> Result<Range<usize>, E> {
        self.nested(b'[', b']', item)
    }

    /// Nothing but white space may be left.
    pub fn end(&mut self) -> Result<(), Malformed> {
        if self.peek().is_none() { Ok(()) } else { Err(Malformed) }
    }

    /// Passes a value in brackets, and all that is in them.
    fn nest(&mut self) -> Result<(), Malformed> {
        let mut closing = Closing::new();
        loop {
            match self.peek() {
                Some(b'{') => self.open(b'}', &mut closing)?,
                Some(b'[') => self.open(b']', &mut closing)?,
                _ => {
                    self.single()?;
                    self.close(&mut closing)?;
                }
            }
            if closing.is_empty() {
                return Ok(());
            }
        }
    }

    /// Passes an opening bracket up to its first value, or an empty pair of brackets.
    fn open(&mut self, close: u8, closing: &mut Closing) -> Result<(), Malformed> {
        self.at += 1;
        closing.push(close);
        match self.peek() {
            Some(byte) if byte == close => self.close(closing),
            _ if close == b'}' => self.name().and_then(|_| self.expect(b':')),
            _ => Ok(()),
        }
    }

    /// Behind a value: passes what closes, and goes on to the next value where there is one.
    fn close(&mut self, closing: &mut Closing) -> Result<(), Malformed> {
        while let Some(&close) = closing.last() {
            match self.peek() {
                Some(b',') => {
                    self.at += 1;
                    return if close == b'}' { self.name().and_then(|_| self.expect(b':')) } else { Ok(()) };
                }
                Some(byte) if byte == close => self.at += 1,
                _ => return Err(Malformed),
            }
            closing.pop();
        }
        Ok(())
    }

    /// A name. Tells whether it holds an escape.
    fn name(&mut self) -> Result<bool, Malformed> {
        if self.peek() == Some(b'"') { self.string() } else { Err(Malformed) }
    }

    /// A value that holds no others.
    fn single(&mut self) -> Result<(), Malformed> {
        match self.bytes().get(self.at) {
            Some(b'"') => self.string().map(drop),
            Some(b't') => self.word(b"true"),
            Some(b'f') => self.word(b"false"),
            Some(b'n') => self.word(b"null"),
            _ => self.number(),
        }
    }

    fn nested<E: From<Malformed>>(
        &mut self,
        open: u8,
        close: u8,
        mut each: impl FnMut(&mut Self, usize) -> Result<(), E>,
    ) -> Result<Range<usize>, E> {
        self.expect(open)?;
        let start = self.at - 1;
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

    /// A string, from its opening quote on. Tells whether it holds an escape.
    fn string(&mut self) -> Result<bool, Malformed> {
        let bytes = self.bytes();
        self.at += 1;
        let mut has_escape = false;
        loop {
            self.at += plain(&bytes[self.at..]);
            let special = bytes.get(self.at);
            self.at += 1;
            match special {
                Some(b'"') => return Ok(has_escape),
                Some(b'\\') => self.escape()?,
                _ => return Err(Malformed),
            }
            has_escape = true;
        }
    }

    fn escape(&mut self) -> Result<(), Malformed> {
        let length = match self.bytes().get(self.at) {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 1,
            Some(b'u')
                if self
                    .bytes()
                    .get(self.at + 1..self.at + 5)
                    .is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)) =>
            {
                5
            }
            _ => return Err(Malformed),
        };
        self.at += length;
        Ok(())
    }

    fn number(&mut self) -> Result<(), Malformed> {
        if let Some(b'-') = self.bytes().get(self.at) {
            self.at += 1;
        }
        match self.bytes().get(self.at) {
            Some(b'0') => self.at += 1,
            _ => self.digits()?,
        }
        if let Some(b'.') = self.bytes().get(self.at) {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.bytes().get(self.at) {
            self.at += 1;
            if let Some(b'+' | b'-') = self.bytes().get(self.at) {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    /// Passes digits, of which there must be one.
    fn digits(&mut self) -> Result<(), Malformed> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.bytes().get(self.at) {
            self.at += 1;
        }
        if self.at > start { Ok(()) } else { Err(Malformed) }
    }

    fn word(&mut self, word: &[u8]) -> Result<(), Malformed> {
        if !self.bytes()[self.at..].starts_with(word) {
            return Err(Malformed);
        }
        self.at += word.len();
        Ok(())
    }

    #[inline]
    fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.peek() != Some(byte) {
            return Err(Malformed);
        }
        self.at += 1;
        Ok(())
    }
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

/// How many bytes come before the next one that means something within a string, or may not stand there. Most strings are short and end
/// within a few words of eight bytes; a long one goes on in wide steps.
#[inline]
pub(super) fn plain(bytes: &[u8]) -> usize {
    const NEAR: usize = 32;
    let mut passed = 0;
    while let Some(word) = bytes[passed..].first_chunk() {
        let special = specials(u64::from_le_bytes(*word));
        if special != 0 {
            return passed + special.trailing_zeros() as usize / 8;
        }
        passed += 8;
        if passed == NEAR {
            return NEAR + plain_far(&bytes[NEAR..]);
        }
    }
    let rest = &bytes[passed..];
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | ..0x20);
    passed + rest.iter().position(is_special).unwrap_or(rest.len())
}

/// The same in wide steps, twice: for what means something, and before that for what may not stand there.
fn plain_far(bytes: &[u8]) -> usize {
    let passed = memchr::memchr2(b'"', b'\\', bytes).unwrap_or(bytes.len());
    // The least byte has no early end, and is compiled to wide instructions.
    if bytes[..passed].iter().fold(u8::MAX, |least, byte| least.min(*byte)) >= 0x20 {
        return passed;
    }
    bytes.iter().position(|byte| *byte < 0x20).unwrap_or(passed)
}

/// The highest bit of each byte that is special; above the lowest such byte there may be others that are none.
const fn specials(word: u64) -> u64 {
    const ONES: u64 = u64::MAX / 0xFF;
    const HIGHEST: u64 = ONES << 7;
    const fn below(word: u64, least: u64) -> u64 {
        word.wrapping_sub(ONES * least) & !word
    }
    let quote = below(word ^ (ONES * b'"' as u64), 1);
    let backslash = below(word ^ (ONES * b'\\' as u64), 1);
    (quote | backslash | below(word, 0x20)) & HIGHEST
}

#[cfg(test)]
mod tests;

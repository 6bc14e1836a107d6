//! The bytes of HTTP/1.1: how a request's head is written, where a response's head ends, and how its body is cut out of what comes.

use std::mem::MaybeUninit;
use std::ops::Range;

use bytes::{Buf as _, Bytes, BytesMut};
use http::header::{CONNECTION, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body::Body;
use smallvec::SmallVec;

/// Bytes of a response's head.
pub(super) const MOST_HEAD: usize = 64 * 1024;
/// Lines of one.
const MOST_HEADERS: usize = 100;

/// Bytes of a line between the chunks of a body, and of all those behind the last one.
const MOST_LINE: usize = 4 * 1024;
const MOST_TRAILERS: usize = 16 * 1024;

/// What is wrong with a response.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    #[error("no head of a response: {0}")]
    Head(#[from] httparse::Error),
    #[error("a head of more than {MOST_HEAD} bytes")]
    Long,
    #[error("a status that does not exist")]
    Status,
    #[error("a header that is none")]
    Header,
    #[error("another protocol, which nobody asked for")]
    Upgrade,
    #[error("a length that is none, or several")]
    Length,
    #[error("an encoding that HTTP/1.0 does not have")]
    Encoding,
    #[error("a chunk without its size or its end")]
    Chunk,
}

/// A request's head, in which its body's length is told, which has to be known.
pub(super) fn head_of<B: Body>(request: &Request<B>) -> Vec<u8> {
    let path = request.uri().path_and_query().map_or("/", |path| path.as_str());
    let mut head = Vec::with_capacity(512);
    for part in [request.method().as_str(), " ", path, " HTTP/1.1\r\n"] {
        head.extend_from_slice(part.as_bytes());
    }
    let mut line = |name: &HeaderName, value: &[u8]| {
        for part in [name.as_str().as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(part);
        }
    };
    for (name, value) in request.headers() {
        line(name, value.as_bytes());
    }
    line(&CONTENT_LENGTH, itoa::Buffer::new().format(request.body().size_hint().lower()).as_bytes());
    head.extend_from_slice(b"\r\n");
    head
}

/// A response's head.
#[derive(Debug)]
pub(super) struct Head {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub framing: Framing,
    /// The connection takes another request after the body.
    pub keeps: bool,
}

impl Head {
    /// Takes a head off what came; none where its end has not come. Heads that only announce another are passed over.
    pub fn take(came: &mut BytesMut) -> Result<Option<Self>, Malformed> {
        loop {
            match Self::take_any(came)? {
                Some(head) if head.status == StatusCode::SWITCHING_PROTOCOLS => return Err(Malformed::Upgrade),
                Some(head) if head.status.is_informational() => {}
                None if came.len() >= MOST_HEAD => return Err(Malformed::Long),
                head => return Ok(head),
            }
        }
    }

    fn take_any(came: &mut BytesMut) -> Result<Option<Self>, Malformed> {
        let mut places = [const { MaybeUninit::uninit() }; MOST_HEADERS];
        let mut response = httparse::Response::new(&mut []);
        let parsed = httparse::ParserConfig::default();
        let parsed = parsed.parse_response_with_uninit_headers(&mut response, came, &mut places)?;
        let httparse::Status::Complete(length) = parsed else { return Ok(None) };
        let status = response.code.and_then(|code| StatusCode::from_u16(code).ok()).ok_or(Malformed::Status)?;
        let is_old = response.version == Some(0);
        let lines: SmallVec<[(HeaderName, Range<usize>); 16]> =
            response.headers.iter().map(|line| placed(line, came)).collect::<Result<_, _>>()?;
        let bytes = came.split_to(length).freeze();
        let mut headers = HeaderMap::with_capacity(lines.len());
        for (name, place) in lines {
            let value = HeaderValue::from_maybe_shared(bytes.slice(place)).map_err(|_| Malformed::Header)?;
            headers.append(name, value);
        }
        let framing = Framing::of(status, &headers, is_old)?;
        let keeps = framing != Framing::Open && keeps(&headers, is_old);
        Ok(Some(Self { status, headers, framing, keeps }))
    }
}

/// A header's name, and where its value is among what came: there it stays, and is not copied.
fn placed(line: &httparse::Header<'_>, came: &BytesMut) -> Result<(HeaderName, Range<usize>), Malformed> {
    let name = HeaderName::from_bytes(line.name.as_bytes()).map_err(|_| Malformed::Header)?;
    let start = line.value.as_ptr().addr() - came.as_ptr().addr();
    Ok((name, start..start + line.value.len()))
}

/// Whether the connection may be used again, by the rules of the version that is spoken.
fn keeps(headers: &HeaderMap, is_old: bool) -> bool {
    let says = |word: &str| words(headers, &CONNECTION).any(|said| said.eq_ignore_ascii_case(word.as_bytes()));
    // Of two lengths one is a lie: what follows the body may not be the next response.
    let is_plain = !(headers.contains_key(TRANSFER_ENCODING) && headers.contains_key(CONTENT_LENGTH));
    is_plain && !says("close") && (!is_old || says("keep-alive"))
}

/// The members of a header that is a list.
fn words<'h>(headers: &'h HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'h [u8]> {
    let values = headers.get_all(name).into_iter();
    values.flat_map(|value| value.as_bytes().split(|byte| *byte == b',')).map(<[u8]>::trim_ascii)
}

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    /// After so many bytes more.
    Sized(u64),
    Chunked(Chunk),
    /// With the connection.
    Open,
}

/// What comes next of a body in chunks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Chunk {
    /// A line with the size of one.
    Size,
    /// So many bytes more of one, and the line end behind it.
    Data(u64),
    /// Lines behind the last one, of which so many bytes came.
    Trailers(usize),
    Nothing,
}

impl Framing {
    fn of(status: StatusCode, headers: &HeaderMap, is_old: bool) -> Result<Self, Malformed> {
        if status.is_informational() || matches!(status, StatusCode::NO_CONTENT | StatusCode::NOT_MODIFIED) {
            return Ok(Self::Sized(0));
        }
        if let Some(outermost) = words(headers, &TRANSFER_ENCODING).last() {
            return match outermost.eq_ignore_ascii_case(b"chunked") {
                _ if is_old => Err(Malformed::Encoding),
                true => Ok(Self::Chunked(Chunk::Size)),
                false => Ok(Self::Open),
            };
        }
        let mut lengths = words(headers, &CONTENT_LENGTH).map(length);
        let Some(first) = lengths.next() else { return Ok(Self::Open) };
        let is_same = lengths.all(|other| other == first);
        first.filter(|_| is_same).map(Self::Sized).ok_or(Malformed::Length)
    }

    /// The next piece of the body among what came; none where more has to come, or nothing more does.
    pub fn take(&mut self, came: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        match self {
            Self::Sized(left) => Ok(piece(left, came)),
            Self::Open => Ok((!came.is_empty()).then(|| came.split().freeze())),
            Self::Chunked(chunk) => chunk.take(came),
        }
    }

    /// Whether nothing more belongs to the body.
    pub fn is_over(&self) -> bool {
        matches!(self, Self::Sized(0) | Self::Chunked(Chunk::Nothing))
    }

    /// So many bytes more, where that is known.
    pub fn left(&self) -> Option<u64> {
        if let Self::Sized(left) = self { Some(*left) } else { None }
    }
}

impl Chunk {
    fn take(&mut self, came: &mut BytesMut) -> Result<Option<Bytes>, Malformed> {
        self.advance(came)?;
        let Self::Data(left) = self else { return Ok(None) };
        let piece = piece(left, came);
        // The last piece is known as such where the end came with it. What is wrong behind a piece stays where it is, and is met by
        // whoever asks for the next.
        let _ = self.advance(came);
        Ok(piece)
    }

    /// Goes on to the next byte of the body, or as far as there is something. On an error nothing is taken.
    fn advance(&mut self, came: &mut BytesMut) -> Result<(), Malformed> {
        while !matches!(self, Self::Data(1..) | Self::Nothing) {
            let (line, is_whole) = self.line(came)?;
            if line.is_empty() && !is_whole {
                break;
            }
            let after = self.after(line)?;
            if !is_whole {
                break;
            }
            came.advance(line.len() + 2);
            *self = after;
        }
        Ok(())
    }

    /// The line that what came begins with, without its end, and whether that is there. A feed alone ends none, and belongs to trailers only.
    fn line(self, came: &[u8]) -> Result<(&[u8], bool), Malformed> {
        let end = match self {
            Self::Trailers(_) => memchr::memchr(b'\r', came),
            _ => memchr::memchr2(b'\r', b'\n', came),
        };
        match end {
            Some(end) if came[end..].starts_with(b"\r\n") => Ok((&came[..end], true)),
            Some(end) if came[end..] == *b"\r" => Ok((&came[..end], false)),
            None if came.len() <= MOST_LINE => Ok((came, false)),
            _ => Err(Malformed::Chunk),
        }
    }

    /// What comes after this line, or is wrong about its beginning.
    fn after(self, line: &[u8]) -> Result<Self, Malformed> {
        match self {
            Self::Size => size(line).map(|size| if size == 0 { Self::Trailers(0) } else { Self::Data(size) }),
            Self::Trailers(_) if line.is_empty() => Ok(Self::Nothing),
            Self::Trailers(before) if before + line.len() <= MOST_TRAILERS => Ok(Self::Trailers(before + line.len())),
            Self::Data(_) if line.is_empty() => Ok(Self::Size),
            _ => Err(Malformed::Chunk),
        }
    }
}

/// As much of so many bytes as came.
fn piece(left: &mut u64, came: &mut BytesMut) -> Option<Bytes> {
    let length = usize::try_from(*left).map_or(came.len(), |left| left.min(came.len()));
    *left -= length as u64;
    (length > 0).then(|| came.split_to(length).freeze())
}

/// The size that a chunk's line begins with; extensions may follow, which mean nothing here.
fn size(line: &[u8]) -> Result<u64, Malformed> {
    let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
    let (digits, behind) = line.split_at(digits);
    let is_line = behind.trim_ascii_start().first().is_none_or(|byte| *byte == b';');
    let digits = std::str::from_utf8(digits).ok().filter(|_| is_line);
    digits.and_then(|digits| u64::from_str_radix(digits, 16).ok()).ok_or(Malformed::Chunk)
}

/// A body's length as a header tells it.
fn length(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok())?
}

#[cfg(test)]
mod tests;

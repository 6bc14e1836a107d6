//! Refusals: whatever a provider says with one, relay knows what to do next, and shows none of its words in trails.

use http::{HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;
use relay::chat::Fault;
use relay::dialect::{Dialect, Wire};
use relay::quota::Fact;

use super::target;

/// The moment at which refusals are read.
const NOW: Timestamp = Timestamp::constant(1_795_341_600, 0);
/// Trails and ledgers are read in columns.
const LONGEST_WORD: usize = 24;

/// Reads `input` as a response: a line with the status, lines of headers, a blank line, the body.
pub fn refusal(input: &[u8]) {
    let (status, headers, body) = response(input);
    for (name, dialect) in Dialect::NAMES {
        let fault = dialect.classify(status, &headers, body, NOW);
        assert_eq!(fault, dialect.classify(status, &headers, body, NOW), "{name} thinks twice");
        check(&fault);
        let wire = Wire::default();
        if let Err(fault) = dialect.decode(bytes::Bytes::copy_from_slice(body), target(&wire), NOW) {
            check(&fault);
        }
        let named = |fact: &Fact| fact.limit.is_none_or(|limit| limit > 0);
        assert!(dialect.facts(body).iter().all(named), "{name} takes nothing for a limit");
    }
}

fn check(fault: &Fault) {
    let word = fault.word();
    let is_plain = word.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
    assert!(is_plain && !word.is_empty() && word.len() <= LONGEST_WORD, "no word for a trail: {word:?}");
    assert!(fault.until().is_none_or(|until| until >= NOW), "over before it began: {fault:?}");
}

fn response(input: &[u8]) -> (u16, HeaderMap, &[u8]) {
    let (first, mut rest) = cut(input);
    let status = std::str::from_utf8(first).ok().and_then(|text| text.trim().parse().ok()).unwrap_or(429);
    let mut headers = HeaderMap::new();
    while let (line, behind) = cut(rest)
        && !line.is_empty()
    {
        rest = behind;
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let name = halves.next().and_then(|name| HeaderName::from_bytes(name.trim_ascii()).ok());
        let value = halves.next().and_then(|value| HeaderValue::from_bytes(value.trim_ascii()).ok());
        if let (Some(name), Some(value)) = (name, value) {
            headers.append(name, value);
        }
    }
    (status, headers, cut(rest).1)
}

/// The first line, and what is behind it.
fn cut(input: &[u8]) -> (&[u8], &[u8]) {
    match input.iter().position(|byte| *byte == b'\n') {
        Some(end) => (&input[..end], &input[end + 1..]),
        None => (input, &[]),
    }
}

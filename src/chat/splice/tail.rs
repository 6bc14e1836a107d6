//! What the end of a text is made of, by which is told whether somebody who says it again means to.

/// So many letters, or half of them in so many bytes, were said already wherever they begin, also inside a word.
pub(super) const LEAST_REPEATED: usize = 10;
const LEAST_BYTES: usize = 16;

/// So many letters in whole words were said already; fewer may be meant: "had had". Code and new lines say more again.
pub(super) const LEAST_WORDS: usize = 5;

pub(super) const FENCE: &str = "```";

pub(super) fn letters(text: &str) -> usize {
    text.chars().filter(|c| c.is_alphabetic()).count()
}

/// Whether nobody says so much twice in a row who does not mean to go on where it was said first.
pub(super) fn is_much(text: &str) -> bool {
    letters(text) >= if text.len() >= LEAST_BYTES { LEAST_REPEATED / 2 } else { LEAST_REPEATED }
}

pub(super) fn is_one_word(text: &str) -> bool {
    !text.contains(char::is_whitespace)
}

/// Of a script that puts no spaces between words: Thai and its neighbours, Chinese and Japanese.
pub(super) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{e00}'..='\u{eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}')
        || matches!(c, '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

/// How many bytes two texts have in common at the beginning.
pub(super) fn common(one: impl Iterator<Item = u8>, other: impl Iterator<Item = u8>) -> usize {
    one.zip(other).take_while(|(a, b)| a == b).count()
}

pub(super) fn begins_with_word(text: &str, word: &str) -> bool {
    text.strip_prefix(word).is_some_and(|rest| !rest.starts_with(char::is_alphanumeric))
}

pub(super) fn ends_with_word(text: &str, word: &str) -> bool {
    let is_word = word.contains(char::is_alphanumeric);
    is_word && text.strip_suffix(word).is_some_and(|head| !head.ends_with(char::is_alphanumeric))
}

/// Whether this is a shorter text said several times. Two letters are too few to tell.
pub(super) fn is_periodic(text: &str) -> bool {
    let mut starts = text.char_indices().skip(1).map(|(at, _)| at).take_while(|at| *at <= text.len() / 2);
    text.chars().nth(2).is_some() && starts.any(|at| text.starts_with(&text[at..]))
}

pub(super) fn is_ticks(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte == b'`')
}

pub(super) fn is_number(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a list's next item has this number; `1` after item 10 is the beginning of 11.
pub(super) fn is_next_number(before: &str, number: &str) -> bool {
    let item = |line: &str| line.split(['.', ')']).next()?.parse::<u64>().ok();
    before.lines().rev().take(20).find_map(item).is_none_or(|last| number.parse() == Ok(last.saturating_add(1)))
}

/// Whether this is all of a list item's or a heading's mark, or the beginning of a fence.
pub(super) fn is_marker(end: &str) -> bool {
    let mark = end.trim_end_matches(' ');
    let is_mark = matches!(mark, "-" | "*" | "+")
        || mark.bytes().all(|byte| byte == b'#')
        || is_ticks(end) && end.len() <= FENCE.len();
    let counts = mark.strip_suffix(['.', ')']).is_some_and(|number| !number.is_empty() && is_number(number));
    is_mark || counts
}

pub(super) fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric()).any(|known| known.eq_ignore_ascii_case(word))
}

//! Cuts a text into sentences, code left out.

use std::ops::Range;

use crate::chat::fence::Fences;

/// A "sentence" longer than this many bytes is cut: it is a list, a log or minified text.
const LONGEST: usize = 400;

/// The places of the sentences of `text`, white space around them left out.
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut fences = Fences::default();
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let was_code = fences.is_code();
        fences.follow(line);
        if !was_code && !fences.is_code() {
            cut_line(text, start..start + line.len(), &mut found);
        }
        start += line.len();
    }
    found
}

fn cut_line(text: &str, line: Range<usize>, found: &mut Vec<Range<usize>>) {
    let mut start = line.start;
    let mut characters = text[line.clone()].char_indices().peekable();
    while let Some((offset, c)) = characters.next() {
        let end = line.start + offset + c.len_utf8();
        let next = characters.peek().map(|(_, next)| *next);
        let is_end = match c {
            '。' | '！' | '？' | '।' | '۔' | '؟' => true,
            '!' | '?' | '…' => next.is_none_or(char::is_whitespace),
            '.' => next.is_none_or(char::is_whitespace) && !is_abbreviation(&text[start..end]),
            ' ' => end - start > LONGEST,
            _ => end - start > 2 * LONGEST,
        };
        if is_end {
            add(text, start..end, found);
            start = end;
        }
    }
    add(text, start..line.end, found);
}

/// Whether the point at the end belongs to a short form: `e.g.`, `Dr.`, an initial, a list's number, a day as in `17. Oktober`.
fn is_abbreviation(sentence: &str) -> bool {
    const SHORT: [&str; 16] =
        ["dr", "mr", "mrs", "ms", "prof", "st", "vs", "etc", "approx", "no", "nr", "bzw", "ca", "cf", "sr", "jr"];
    let word = sentence.trim_end_matches('.').rsplit(char::is_whitespace).next().unwrap_or_default();
    let is_number = word.bytes().all(|byte| byte.is_ascii_digit());
    let is_list_number = is_number && sentence.trim().len() == word.len() + 1;
    // A sentence that ends in so small a number is joined to the next: better than a date without its month.
    let is_day = is_number && word.parse().is_ok_and(|day: u8| (1..=31).contains(&day));
    word.chars().count() == 1 && word.chars().all(char::is_alphabetic)
        || word.contains('.')
        || is_list_number
        || is_day
        || SHORT.contains(&word.to_lowercase().as_str())
}

fn add(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let sentence = &text[range.clone()];
    let start = range.start + (sentence.len() - sentence.trim_start().len());
    let end = range.end - (sentence.len() - sentence.trim_end().len());
    if start < end && text[start..end].chars().any(char::is_alphanumeric) {
        found.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> Vec<&str> {
        sentences(text).into_iter().map(|range| &text[range]).collect()
    }

    #[test]
    fn sentences_end_at_their_marks_and_lines() {
        assert_eq!(
            of("Dr. Ada paid 3.50 for it, e.g. at noon. Why?\n- one\n- two\n\n1. first"),
            ["Dr. Ada paid 3.50 for it, e.g. at noon.", "Why?", "- one", "- two", "1. first"]
        );
        assert_eq!(of("Am 17. Oktober um 9. Dann 2024. Gut."), ["Am 17. Oktober um 9. Dann 2024.", "Gut."]);
        assert_eq!(of("我叫小明。你好吗？很好！"), ["我叫小明。", "你好吗？", "很好！"]);
        assert_eq!(of("मैं ठीक हूँ। तुम?"), ["मैं ठीक हूँ।", "तुम?"]);
    }

    #[test]
    fn code_is_left_out_and_what_never_ends_is_cut() {
        assert_eq!(of("Run this.\n```sh\nrm x. y\n```\nThen that."), ["Run this.", "Then that."]);
        let endless = "word ".repeat(1_000);
        assert!(of(&endless).iter().all(|sentence| sentence.len() <= LONGEST + 10));
        assert_eq!(of("…\n---\n"), Vec::<&str>::new());
    }
}

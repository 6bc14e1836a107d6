//! The corpus: answers as models give them, with what has to come out, whole and however they are cut.

use proptest::prelude::*;

use super::json::repaired;
use super::stream::{Cleaned, Cleaner, Depth, clean};
use crate::chat::fence::Fences;

struct Case {
    name: String,
    text: String,
    /// The same as `text` where nothing is to be changed.
    out: String,
    thoughts: String,
}

const OPENERS: &str = include_str!("corpus/openers.txt");
const MARKDOWN: &str = include_str!("corpus/markdown.txt");
const THOUGHTS: &str = include_str!("corpus/thoughts.txt");
const JSON: &str = include_str!("corpus/json.txt");

/// Reads a corpus file: `%%% case NAME`, the text, `%%% out` and what comes out (or `%%% same`), and perhaps `%%% thoughts`.
fn cases(file: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for section in file.split("%%% ").skip(1) {
        let (head, body) = section.split_once('\n').expect("a section has a line of its own");
        let body = body.strip_suffix('\n').unwrap_or(body).to_owned();
        match (head.split_once(' '), head) {
            (Some(("case", name)), _) => {
                cases.push(Case { name: name.to_owned(), out: body.clone(), text: body, thoughts: String::new() });
            }
            (_, "out") => cases.last_mut().expect("a case").out = body,
            (_, "thoughts") => cases.last_mut().expect("a case").thoughts = body,
            (_, "same") => {}
            _ => assert!(cases.is_empty(), "a section `{head}`"),
        }
    }
    cases
}

fn prose() -> Vec<Case> {
    [OPENERS, MARKDOWN, THOUGHTS].into_iter().flat_map(cases).collect()
}

/// The pieces cleaned one after the other.
fn streamed(pieces: &[&str], depth: Depth) -> Cleaned {
    let mut cleaner = Cleaner::new(depth);
    let mut out = Cleaned::default();
    for piece in pieces {
        cleaner.push(piece, &mut out);
    }
    cleaner.finish(&mut out);
    out
}

#[test]
fn every_answer_comes_out_as_it_should() {
    let cases = prose();
    assert!(cases.len() + self::cases(JSON).len() >= 500, "{}", cases.len());
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let got = clean(&case.text, Depth::Full);
            let expected = Cleaned { text: case.out.clone(), reasoning: case.thoughts.clone() };
            (got != expected).then(|| format!("{}: {got:?}", case.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
}

#[test]
fn a_cleaned_answer_is_clean() {
    for case in prose() {
        let once = clean(&case.text, Depth::Full).text;
        assert_eq!(clean(&once, Depth::Full).text, once, "{}", case.name);
    }
}

#[test]
fn a_stream_comes_out_as_the_whole_answer_does_however_it_is_cut() {
    for case in prose() {
        for depth in [Depth::Full, Depth::Thoughts] {
            let whole = clean(&case.text, depth);
            for (cut, _) in case.text.char_indices() {
                let pieces = [&case.text[..cut], &case.text[cut..]];
                assert_eq!(streamed(&pieces, depth), whole, "{} cut at {cut}", case.name);
            }
            let characters: Vec<&str> = case.text.split("").collect();
            assert_eq!(streamed(&characters, depth), whole, "{} in characters", case.name);
        }
    }
}

#[test]
fn no_answer_is_emptied() {
    for case in prose().iter().filter(|case| case.thoughts.is_empty() && !case.text.trim().is_empty()) {
        assert!(!clean(&case.text, Depth::Full).text.trim().is_empty(), "{}", case.name);
    }
}

/// By the corpus' own word on what has to go: an answer that is the end of what came had an opener.
#[test]
fn nearly_every_opener_is_gone() {
    let (mut openers, mut gone) = (0, 0);
    for case in cases(OPENERS) {
        let Some(opener) = case.text.strip_suffix(case.out.as_str()).filter(|opener| !opener.trim().is_empty()) else {
            continue;
        };
        openers += 1;
        gone += usize::from(!clean(&case.text, Depth::Full).text.starts_with(opener.trim()));
    }
    assert!(openers >= 200, "{openers} openers");
    assert!(gone * 100 >= openers * 98, "{gone} of {openers} openers are gone");
}

#[test]
fn code_comes_out_byte_for_byte() {
    let code = |text: &str| -> Vec<String> {
        let mut fences = Fences::default();
        let mut lines = Vec::new();
        for line in text.lines() {
            let was_code = fences.is_code();
            fences.follow(line);
            fences.end_line();
            if was_code && fences.is_code() {
                lines.push(line.to_owned());
            }
        }
        lines
    };
    let mut lines = 0;
    // Behind an opener on its line a fence is none yet.
    let hides_fence =
        |text: &str| text.lines().next().is_some_and(|line| line.contains("! ```") || line.contains("! ~~~"));
    for case in prose().iter().filter(|case| case.thoughts.is_empty() && !hides_fence(&case.text)) {
        let cleaned = clean(&case.text, Depth::Full).text;
        assert_eq!(code(&cleaned), code(&case.text), "{}", case.name);
        lines += code(&cleaned).len();
    }
    assert!(lines >= 100, "{lines} lines of code");
}

#[test]
fn no_more_than_an_opener_is_held_back() {
    for case in prose() {
        let mut cleaner = Cleaner::new(Depth::Full);
        let mut out = Cleaned::default();
        let (mut pushed, mut most) = (0, 0);
        for piece in case.text.split("") {
            cleaner.push(piece, &mut out);
            pushed += piece.chars().count();
            let passed = out.text.chars().count() + out.reasoning.chars().count();
            most = most.max(if cleaner.holds() { pushed.saturating_sub(passed) } else { 0 });
        }
        // Openers that were taken out count as held here until the answer begins.
        assert!(most <= 2 * super::opener::MOST_CHARACTERS, "{}: {most}", case.name);
    }
}

#[test]
fn what_is_held_goes_on_when_it_is_waited_for_too_long() {
    let mut cleaner = Cleaner::new(Depth::Full);
    let mut out = Cleaned::default();
    cleaner.push("Certainly", &mut out);
    assert!(cleaner.holds() && out.text.is_empty());
    cleaner.release(&mut out);
    assert!(!cleaner.holds());
    cleaner.push("! Paris.", &mut out);
    cleaner.finish(&mut out);
    assert_eq!(out.text, "Certainly! Paris.");
}

#[test]
fn broken_json_is_mended_and_what_is_none_is_left_alone() {
    let cases = cases(JSON);
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|case| {
            let answer = clean(&case.text, Depth::Thoughts).text;
            let got = repaired(&answer).unwrap_or_else(|| answer.clone());
            (got != case.out).then(|| format!("{}: {got}", case.name))
        })
        .collect();
    assert!(wrong.is_empty(), "{} of {}:\n{}", wrong.len(), cases.len(), wrong.join("\n"));
    for case in &cases {
        assert_eq!(repaired(&case.out), None, "{}: what came out is left alone", case.name);
    }
}

/// Thoughts behind an opener come before the answer, as they do at the very beginning.
#[test]
fn thoughts_behind_an_opener_are_thoughts() {
    let cleaned = clean("Of course.<think><", Depth::Full);
    assert_eq!((cleaned.text.as_str(), cleaned.reasoning.as_str()), ("", "<"));
}

/// Where more may come, nobody knows yet whether an opener's words are all there is.
#[test]
fn an_opener_that_may_be_the_whole_answer_waits_for_its_end() {
    let text = "Sure! Sure\n\n\n! SureSure";
    for (cut, _) in text.char_indices() {
        assert_eq!(streamed(&[&text[..cut], &text[cut..]], Depth::Full), clean(text, Depth::Full), "cut at {cut}");
    }
}

proptest! {
    #[test]
    fn whatever_json_is_made_of_is_valid(text in "[\\[\\]{}:,'\"a1 \\\\/*\n#.-]{0,40}") {
        if let Some(json) = repaired(&text) {
            prop_assert!(serde_json::from_str::<serde_json::Value>(&json).is_ok(), "{json}");
        }
    }

    #[test]
    fn any_text_cut_anywhere_is_cleaned_alike(
        text in "(Sure|Here's|! |: |\n|\n\n\n|```|md|x|<think>|</think>|<|<pre>|</pre>|Of course|, |As an AI|model|\\.|> |    | |~~~|I){0,14}",
        cuts in prop::collection::vec(0..60_usize, 0..6),
    ) {
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
        cuts.extend([0, text.len()]);
        cuts.sort_unstable();
        let pieces: Vec<&str> = cuts.windows(2).map(|cut| &text[cut[0]..cut[1]]).collect();
        let whole = clean(&text, Depth::Full);
        prop_assert_eq!(&streamed(&pieces, Depth::Full), &whole);
        prop_assert_eq!(&clean(&whole.text, Depth::Full).text, &whole.text);
    }
}

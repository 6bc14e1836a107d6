//! Notes below tables: what they say may be other numbers, or whose the numbers are, and which cell it is said of is not told.

use super::amount::{Token, tokens, unit, without_footnotes};
use super::grid::{Grid, Row};
use super::page::{Content, Page};
use super::text::{SEAM, Text};
use super::tier::{self, Tiers};
use super::words::{self, Word};

/// Why a table with marks of notes is not read.
const NOTED: &str = "a note on the page gives other numbers, or says whose they are";

/// Whether the notes of a page change what its numbers say.
pub struct Notes {
    change_numbers: bool,
}

impl Notes {
    pub fn of(page: &Page) -> Self {
        let is_change = |text: &Text| is_note(text) && changes_numbers(&text.shown());
        let changes = |content: &Content| match content {
            Content::Paragraph(text) | Content::Item(text) => is_change(text),
            Content::Table(grid) => grid.rows.iter().filter_map(Row::section).any(is_change),
            Content::Heading(_) => false,
        };
        Self { change_numbers: page.blocks.iter().any(|block| changes(&block.content)) }
    }

    /// Why a table cannot be read.
    pub fn defect(&self, grid: &Grid) -> Option<&'static str> {
        let mut cells = grid.rows.iter().flat_map(|row| &row.cells);
        let is_change = |caption: &str| begins_as_note(caption) && changes_numbers(caption);
        let in_caption = grid.caption.as_deref().is_some_and(is_change);
        ((self.change_numbers || in_caption) && cells.any(|cell| is_marked(&cell.text))).then_some(NOTED)
    }
}

/// "† Paid plans only", "[1] …", "1: …", and what stands behind a raised mark.
fn is_note(text: &Text) -> bool {
    let shown = text.shown();
    let is_number = |text: &str| (1..=2).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    let in_brackets = |open, shut| shown.strip_prefix(open).and_then(|rest: &str| rest.split_once(shut));
    let numbered = [in_brackets('[', ']'), in_brackets('(', ')'), shown.split_once(':')];
    text.has_note && text.plain.trim_start().starts_with(SEAM)
        || begins_as_note(&shown)
        || numbered.into_iter().flatten().any(|(mark, _)| is_number(mark))
}

fn begins_as_note(text: &str) -> bool {
    text.starts_with(['*', '†', '‡', '§', '¶', '¹', '²', '³', '⁴', '⁵', '[', '^'])
}

fn changes_numbers(note: &str) -> bool {
    const CHANGES: &str = "only|except|reduced|lower|higher|doubled|temporary|temporarily|instead|shared|combined|paying|\
        subscribers|third|half|quarter|twice|double";
    let tokens = tokens(note);
    let is_time = |token: Option<&Token>| matches!(token, Some(Token::Word(word)) if matches!(words::word(&word.to_lowercase()), Some(Word::Per(_))));
    // "20 requests per minute", "5 hours"
    let is_rate = |at: usize| {
        let rest = &tokens[at + 1..];
        matches!(tokens[at], Token::Number(_))
            && (is_time(rest.first()) || unit(rest).is_some_and(|(unit, _)| unit.per.is_some()))
    };
    let says = |token: &Token| matches!(token, Token::Word(word) if words::is_one_of(CHANGES, &word.to_lowercase()));
    tier::in_sentence(note) != Tiers::None
        || words::is_elsewhere(note)
        || tokens.iter().any(says)
        || (0..tokens.len()).any(is_rate)
}

fn is_marked(text: &Text) -> bool {
    let plain = text.plain.trim_matches(|c: char| c.is_whitespace() || c == SEAM);
    text.has_note || without_footnotes(plain) != plain
}

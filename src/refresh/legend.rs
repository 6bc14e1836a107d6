//! Legends that give an abbreviation another meaning than its usual one: what it stands beside is not read.

use std::collections::HashSet;

use super::amount::{Token, tokens, unit};
use super::grid::Grid;
use super::page::{Content, Page};
use super::words::{self, Counted, Word};

/// Why.
const REDEFINED: &str = "a legend of the page gives an abbreviation another meaning than its usual one";

/// The abbreviations, in lower case: "TPM" where it stands for tokens per month, or for thousands of tokens per minute.
#[derive(Debug, Default)]
pub struct Legend(HashSet<String>);

impl Legend {
    pub fn of(page: &Page) -> Self {
        let mut legend = Self::default();
        for block in &page.blocks {
            match &block.content {
                Content::Paragraph(text) | Content::Item(text) => legend.take(&text.shown()),
                Content::Table(grid) => legend.take_rows(grid),
                Content::Heading(_) => {}
            }
        }
        legend
    }

    /// Rows with an abbreviation and its meaning. A header has names side by side.
    fn take_rows(&mut self, grid: &Grid) {
        for row in grid.rows.iter().skip(1).filter(|row| !row.is_head) {
            if let [short, meaning, ..] = row.cells.as_slice() {
                self.take(&format!("{}: {}", short.text.shown(), meaning.text.shown()));
            }
        }
    }

    fn take(&mut self, text: &str) {
        let tokens = tokens(text);
        for (at, token) in tokens.iter().enumerate() {
            let Token::Word(word) = token else { continue };
            let word = word.to_lowercase();
            let Some(Word::Rate(counted, per)) = words::word(&word) else { continue };
            let is_other = |meaning: &[Token]| match unit(meaning) {
                Some((unit, rest)) if unit.counted.is_some() => {
                    let is_same =
                        unit.per.is_none_or(|own| own == per) && unit.counted.map(kind) == Some(kind(counted));
                    !is_same || is_per_many(rest)
                }
                _ => begins_otherwise(meaning),
            };
            if meaning(&tokens[at + 1..]).is_some_and(is_other) {
                self.0.insert(word);
            }
        }
    }

    /// Why a line cannot be read.
    pub fn defect_of(&self, content: &Content) -> Option<&'static str> {
        match content {
            Content::Paragraph(text) | Content::Item(text) => self.is_in(&text.plain).then_some(REDEFINED),
            Content::Heading(_) | Content::Table(_) => None,
        }
    }

    /// Whether a text has one of them.
    fn is_in(&self, text: &str) -> bool {
        let is_other = |token: Token| matches!(token, Token::Word(word) if self.0.contains(&word.to_lowercase()));
        !self.0.is_empty() && tokens(text).into_iter().any(is_other)
    }

    /// Why a table cannot be read.
    pub fn defect(&self, grid: &Grid) -> Option<&'static str> {
        let mut cells = grid.rows.iter().flat_map(|row| &row.cells);
        let caption = grid.caption.as_deref().is_some_and(|caption| self.is_in(caption));
        (!self.0.is_empty() && (caption || cells.any(|cell| self.is_in(&cell.text.plain)))).then_some(REDEFINED)
    }
}

/// What stands behind "TPM:", "TPM =" or "TPM stands for".
fn meaning(behind: &[Token]) -> Option<&[Token]> {
    const STANDS_FOR: &str = "is|means|stands|for|the|number|of|maximum|max|total";
    let rest = match behind {
        [Token::Sign(':' | '=' | '-' | '–' | '—' | '('), rest @ ..] => rest,
        [Token::Word(is), rest @ ..] if words::is_one_of("is|means|stands", &is.to_lowercase()) => rest,
        _ => return None,
    };
    let is_small =
        |token: &&Token| matches!(token, Token::Word(word) if words::is_one_of(STANDS_FOR, &word.to_lowercase()));
    let rest = &rest[rest.iter().take_while(is_small).count()..];
    let known = |token: &Token| if let Token::Word(word) = token { words::word(&word.to_lowercase()) } else { None };
    // "RPM: TPM" are two.
    (!rest.first().is_some_and(|first| matches!(known(first), Some(Word::Rate(..))))).then_some(rest)
}

/// "thousands of tokens", "transactions per minute": a scale, or what nobody counts so.
fn begins_otherwise(meaning: &[Token]) -> bool {
    const SCALES: &str = "thousand|thousands|million|millions";
    match meaning {
        // In parentheses and alone it says so of one table.
        [Token::Word(word), Token::Word(_), ..] if words::is_one_of(SCALES, &word.to_lowercase()) => true,
        [Token::Word(word), Token::Word(per), Token::Word(period), ..] => {
            let known = |word: &str| words::word(&word.to_lowercase());
            known(word).is_none()
                && word.ends_with('s')
                && per.eq_ignore_ascii_case("per")
                && matches!(known(period), Some(Word::Per(_)))
        }
        _ => false,
    }
}

/// "requests per 5 minutes"
fn is_per_many(rest: &[Token]) -> bool {
    matches!(rest, [Token::Word(per), Token::Number(_), ..] if per.eq_ignore_ascii_case("per"))
}

/// Some count only the tokens of a prompt, and call them tokens.
const fn kind(counted: Counted) -> Counted {
    match counted {
        Counted::InputTokens | Counted::OutputTokens => Counted::Tokens,
        counted => counted,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abbreviation_may_be_given_another_meaning() {
        for (text, is_other) in [
            ("TPM: Tokens per month", true),
            ("RPM stands for requests per 5 minutes.", true),
            ("Legend: RPM = requests per minute, TPM = thousands of tokens per minute.", true),
            ("TPM: Transactions per minute", true),
            ("RPM: requests per minute", false),
            ("TPM (tokens per minute)", false),
            ("TPM: input tokens per minute", false),
            ("RPD is the number of requests per day", false),
            ("RPM: 30 requests per minute", false),
            ("RPM is measured per project", false),
            ("RPM: shared per minute", false),
            ("RPM: TPM", false),
        ] {
            let mut legend = Legend::default();
            legend.take(text);
            assert_eq!(!legend.0.is_empty(), is_other, "{text}");
        }
    }
}

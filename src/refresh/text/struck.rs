//! What is left of text that is struck out: a mark, where it named something.

use super::super::words;
use super::SEAM;

/// Stands where a name was struck out: a seam that is remembered.
pub const STRUCK: char = '\u{1a}';

/// What is left of an element that goes with its content. "~~30 RPM~~ 60 RPM" is an amount and no name.
pub fn left_of(element: &str, content: &str) -> char {
    let is_struck = matches!(element, "s" | "del" | "strike") && words::names_something(content);
    if is_struck { STRUCK } else { SEAM }
}

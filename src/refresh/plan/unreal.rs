//! Whether a text beside numbers says that they are made up, or not those of today.

use super::super::words;

/// Whether the text right above numbers says so: "Suppose that these are your limits:", "Next month the limits will be:", "The
/// numbers below are placeholders."
pub fn is_announced(text: &str) -> bool {
    const TELLS: [&str; 4] = ["for instance", "e.g.", "consider ", "a typical "];
    let lower = text.to_lowercase();
    let is_told = TELLS.iter().any(|begin| lower.starts_with(begin)) && (text.ends_with(':') || text.len() < 8);
    let is_intro = text.ends_with(':') || is_short_sentence(text);
    is_told || is_intro && (words::says_invented(text) || words::is_of_another_time(&lower))
}

/// Whether the text right behind them does: "The numbers above are made up."
pub fn is_concluded(text: &str) -> bool {
    const BEGINS_A_TALE: &str = "suppose|imagine|assume|assuming|let|pretend";
    const NUMBERS: &str = "above|these|shown|listed|numbers|values";
    let words: Vec<String> = text.split(|c: char| !c.is_alphanumeric()).map(str::to_lowercase).collect();
    let is_tale = words.iter().find(|word| !word.is_empty()).is_some_and(|word| words::is_one_of(BEGINS_A_TALE, word));
    let is_about_them = words.iter().any(|word| words::is_one_of(NUMBERS, word)) && is_short_sentence(text);
    is_about_them && !is_tale && (words::says_invented(text) || words::is_of_another_time(&text.to_lowercase()))
}

/// One sentence, and no long one.
pub fn is_short_sentence(text: &str) -> bool {
    const MOST_WORDS: usize = 12;
    text.split_whitespace().count() <= MOST_WORDS && !text.contains(". ")
}

//! A caller's text as messages show it: whole, or without its middle where it is long.

use std::borrow::Cow;

/// A name longer than this, in bytes, is nobody's.
pub const LONGEST_NAME: usize = 128;

/// About `most` bytes of the text, an ellipsis in the place of what is left out.
pub fn brief(text: &str, most: usize) -> Cow<'_, str> {
    if text.len() <= most {
        return Cow::Borrowed(text);
    }
    let (head, tail) = (text.floor_char_boundary(most / 2), text.ceil_char_boundary(text.len() - most / 2));
    Cow::Owned([&text[..head], "…", &text[tail..]].concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_keeps_its_ends() {
        let table = [
            ("short", 8, "short"),
            ("just fits", 9, "just fits"),
            ("far too long", 4, "fa…ng"),
            ("ééééé", 5, "é…é"),
            ("far too long", 0, "…"),
        ];
        for (text, most, expected) in table {
            assert_eq!(brief(text, most), expected);
        }
    }
}

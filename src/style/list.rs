//! A list of phrases, and how their characters are compared with those of an answer.

/// Phrases, and how they begin: most lists are ruled out by the first two characters of an answer.
pub struct List {
    pub all: &'static [&'static str],
    /// A bit for each first character.
    firsts: u128,
    /// A bit for the first two together; all bits where a phrase has only one.
    pairs: u128,
}

impl List {
    pub const fn of(all: &'static [&'static str]) -> Self {
        let (mut firsts, mut pairs, mut index) = (0, 0, 0);
        while index < all.len() {
            let Some((first, after)) = compared(all[index], 0) else { panic!("a phrase has characters") };
            firsts |= bit(first as u32);
            pairs |= match compared(all[index], after) {
                Some((second, _)) => bit(pair(first, second)),
                None => u128::MAX,
            };
            index += 1;
        }
        Self { all, firsts, pairs }
    }

    /// Whether a phrase may begin with these characters. There may be no second one yet.
    #[inline]
    pub const fn may_begin_with(&self, first: char, second: Option<char>) -> bool {
        self.firsts & bit(first as u32) != 0
            && match second {
                Some(second) => self.pairs & bit(pair(first, second)) != 0,
                None => true,
            }
    }
}

/// A character as it is compared: without accents, which some leave out and others write as a character of their own.
#[inline]
pub const fn plain(c: char) -> char {
    match c {
        '`' => '\'',
        '\0'..='\x7f' => c,
        _ => unaccented(c),
    }
}

#[rustfmt::skip]
const fn unaccented(c: char) -> char {
    match c {
        '’' | 'ʼ' => '\'',
        'à'..='å' => 'a', 'ç' => 'c', 'è'..='ë' => 'e', 'ì'..='ï' => 'i', 'ñ' => 'n', 'ò'..='ö' => 'o', 'ù'..='ü' => 'u',
        'ё' => 'е',
        '\u{958}' => 'क', '\u{959}' => 'ख', '\u{95a}' => 'ग', '\u{95b}' => 'ज', '\u{95c}' => 'ड', '\u{95d}' => 'ढ', '\u{95e}' => 'फ',
        '\u{95f}' => 'य', '\u{9dc}' => 'ড', '\u{9dd}' => 'ঢ', '\u{9df}' => 'য',
        _ => c,
    }
}

/// Accents, vowel signs and dots that are written as characters of their own and may be missing, and characters without a width.
pub const fn is_silent(c: char) -> bool {
    matches!(c, '\u{300}'..='\u{36f}' | '\u{640}' | '\u{64b}'..='\u{652}' | '\u{670}' | '\u{93c}' | '\u{9bc}'
        | '\u{200b}' | '\u{2060}' | '\u{feff}')
}

const fn bit(number: u32) -> u128 {
    1 << (number % 128)
}

/// Two characters as one number.
const fn pair(first: char, second: char) -> u32 {
    (first as u32).wrapping_mul(37).wrapping_add(second as u32)
}

/// The first character from a byte of a phrase on as it is compared, and where the next one begins.
const fn compared(phrase: &str, mut at: usize) -> Option<(char, usize)> {
    while at < phrase.len() {
        let (c, length) = character(phrase.as_bytes(), at);
        at += length;
        if !is_silent(c) {
            return Some((plain(c), at));
        }
    }
    None
}

/// The character at a byte, and its length.
const fn character(bytes: &[u8], at: usize) -> (char, usize) {
    let (length, lead) = match bytes[at] {
        lead @ 0x00..=0x7f => (1, lead as u32),
        lead @ 0xc0..=0xdf => (2, (lead & 0x1f) as u32),
        lead @ 0xe0..=0xef => (3, (lead & 0x0f) as u32),
        lead => (4, (lead & 0x07) as u32),
    };
    let (mut scalar, mut index) = (lead, 1);
    while index < length {
        scalar = scalar << 6 | (bytes[at + index] & 0x3f) as u32;
        index += 1;
    }
    (char::from_u32(scalar).expect("a character"), length)
}

#[cfg(test)]
mod tests {
    use super::super::phrases::LANGUAGES;
    use super::*;

    #[test]
    fn the_first_characters_of_an_answer_rule_out_most_lists() {
        let lists = |beginning: &str| {
            let (first, after) = compared(beginning, 0).expect("a character");
            let second = compared(beginning, after).map(|(second, _)| second);
            let all = LANGUAGES.iter().flat_map(|phrases| {
                [&phrases.words, &phrases.announcements, &phrases.pointers, &phrases.offers, &phrases.clauses]
            });
            all.filter(|list| list.may_begin_with(first, second)).count()
        };
        let beginnings = [
            ("t", 6),
            ("a", 10),
            ("1", 2),
            ("的", 0),
            ("ai", 1),
            ("th", 2),
            ("to", 1),
            ("in", 3),
            ("**", 0),
            ("1.", 0),
        ];
        for (beginning, most) in beginnings {
            assert!(lists(beginning) <= most, "{beginning}: {} of 65", lists(beginning));
        }
    }

    #[test]
    fn accents_and_silent_marks_make_no_difference() {
        let compared = |text: &str| text.chars().filter(|c| !is_silent(*c)).map(plain).collect::<String>();
        assert_eq!(compared("bien sûr"), compared("bien su\u{302}r"));
        assert_eq!(compared("\u{95b}रूर"), compared("ज\u{93c}रूर"));
        assert_eq!(compared("نموذجًا"), compared("نموذجا"));
    }
}

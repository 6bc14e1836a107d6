//! A list of phrases, and how their characters are compared with those of an answer.

/// Phrases, and which first characters they have: most lists are ruled out by the first one of an answer.
pub struct List {
    pub all: &'static [&'static str],
    firsts: u128,
}

impl List {
    pub const fn of(all: &'static [&'static str]) -> Self {
        let (mut firsts, mut index) = (0, 0);
        while index < all.len() {
            firsts |= bit(plain(first(all[index])));
            index += 1;
        }
        Self { all, firsts }
    }

    /// Whether a phrase may begin with this character.
    pub const fn may_begin_with(&self, c: char) -> bool {
        self.firsts & bit(c) != 0
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

const fn bit(c: char) -> u128 {
    1 << (c as u32 % 128)
}

/// The first character of a phrase.
const fn first(phrase: &str) -> char {
    let bytes = phrase.as_bytes();
    let (length, lead) = match bytes[0] {
        lead @ 0x00..=0x7f => (1, lead as u32),
        lead @ 0xc0..=0xdf => (2, (lead & 0x1f) as u32),
        lead @ 0xe0..=0xef => (3, (lead & 0x0f) as u32),
        lead => (4, (lead & 0x07) as u32),
    };
    let (mut scalar, mut index) = (lead, 1);
    while index < length {
        scalar = scalar << 6 | (bytes[index] & 0x3f) as u32;
        index += 1;
    }
    char::from_u32(scalar).expect("a character")
}

#[cfg(test)]
mod tests {
    use super::super::phrases::LANGUAGES;
    use super::*;

    #[test]
    fn the_first_character_of_an_answer_rules_out_most_lists() {
        let lists = |c| {
            let all = LANGUAGES.iter().flat_map(|phrases| {
                [&phrases.words, &phrases.announcements, &phrases.pointers, &phrases.offers, &phrases.clauses]
            });
            all.filter(|list| list.may_begin_with(c)).count()
        };
        for (c, most) in [('t', 9), ('1', 4), ('|', 4), ('的', 4), ('a', 20)] {
            assert!(lists(c) <= most, "{c}: {} of 65", lists(c));
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

//! Finds the opener of an answer: words before the answer that say nothing yet, where an answer follows them.

use smallvec::SmallVec;

use super::list::{List, is_silent, plain};
use super::phrases::{LANGUAGES, Phrases};

/// No opener is longer than this many characters, and no more of an answer is held back to look for one.
pub const MOST_CHARACTERS: usize = 120;

/// Of most answers so many characters tell that they have none.
const FEW_CHARACTERS: usize = 24;

/// What the beginning of an answer turns out to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Opening {
    /// The answer begins at once.
    Answer,
    /// Only more text can tell.
    Undecided,
    /// An opener, up to this byte, where the answer begins.
    Opener(usize),
}

/// Looks at the beginning of `text`. `is_whole` says that nothing follows it.
///
/// What is decided on the beginning of a text holds for all of it, so that a stream comes out as a whole answer does.
pub fn opening(text: &str, is_whole: bool) -> Opening {
    match Window::of(text, is_whole, FEW_CHARACTERS).opening() {
        Opening::Undecided => Window::of(text, is_whole, MOST_CHARACTERS).opening(),
        decided => decided,
    }
}

/// Whether something was found from a place on, and where it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Found {
    No,
    /// The text that is there ends too soon to tell.
    Unsure,
    Until(usize),
}

impl Found {
    /// Doubt first: what is decided on a part of a text must be right for all of it. Then the longer one.
    fn or(self, other: Self) -> Self {
        match (self, other) {
            (Self::Unsure, _) | (_, Self::Unsure) => Self::Unsure,
            (Self::Until(a), Self::Until(b)) => Self::Until(a.max(b)),
            (Self::No, found) | (found, Self::No) => found,
        }
    }

    fn then(self, next: impl FnOnce(usize) -> Self) -> Self {
        if let Self::Until(end) = self { next(end) } else { self }
    }
}

/// How a sentence that says nothing yet began.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Announcement,
    Pointer,
    Offer,
}

/// The first characters of an answer as they are compared: in lower case, plain, without silent ones.
struct Window<'a> {
    text: &'a str,
    /// Byte, lower case, and whether the character is a small letter where it stands.
    characters: SmallVec<[(usize, char, bool); MOST_CHARACTERS]>,
    /// More characters may come.
    is_open: bool,
}

impl<'a> Window<'a> {
    /// Of no more than `most` characters.
    fn of(text: &'a str, is_whole: bool, most: usize) -> Self {
        let mut characters = SmallVec::new();
        let ascii = text.bytes().take(most).take_while(u8::is_ascii).count();
        characters.extend(
            text.bytes()
                .take(ascii)
                .enumerate()
                .map(|(at, byte)| (at, plain(char::from(byte.to_ascii_lowercase())), byte.is_ascii_lowercase())),
        );
        let mut looked_at = ascii;
        for (at, c) in text[ascii..].char_indices().take(most - ascii) {
            looked_at += 1;
            if !is_silent(c) {
                characters.push((ascii + at, plain(c.to_lowercase().next().unwrap_or(c)), c.is_lowercase()));
            }
        }
        let is_open = if looked_at < most { !is_whole } else { most < MOST_CHARACTERS };
        Self { text, characters, is_open }
    }

    fn opening(&self) -> Opening {
        match self.openers(0) {
            Found::No => Opening::Answer,
            Found::Unsure => Opening::Undecided,
            Found::Until(end) => Opening::Opener(self.byte(end)),
        }
    }

    fn get(&self, at: usize) -> Option<char> {
        self.characters.get(at).map(|(_, c, _)| *c)
    }

    fn byte(&self, at: usize) -> usize {
        self.characters.get(at).map_or(self.text.len(), |(byte, ..)| *byte)
    }

    /// What the end of the text means to whoever wants more of it.
    const fn at_end(&self) -> Found {
        if self.is_open { Found::Unsure } else { Found::No }
    }

    fn skip(&self, from: usize, skipped: impl Fn(char) -> bool) -> usize {
        let rest = self.characters.get(from..).unwrap_or_default();
        from + rest.iter().take_while(|(_, c, _)| skipped(*c)).count()
    }

    /// One opener after the other. A last one that no answer follows is itself the answer.
    fn openers(&self, from: usize) -> Found {
        let start = self.skip(from, |c| c.is_whitespace() || is_emphasis(c) || matches!(c, '¡' | '¿'));
        let Some(first) = self.get(start) else { return self.at_end() };
        let second = self.get(start + 1);
        let languages = LANGUAGES.iter().filter(|phrases| phrases.may_open_with(first, second));
        let found = languages.fold(Found::No, |found, phrases| found.or(self.opener(phrases, start, first)));
        found.then(|end| match self.openers(end) {
            Found::No if self.is_bare(end) => self.at_end(),
            Found::No => Found::Until(end),
            more => more,
        })
    }

    fn opener(&self, phrases: &Phrases, start: usize, first: char) -> Found {
        let words = self.each(&phrases.words, start, first, |end| self.exclamation(phrases, end));
        words.or(self.sentences(phrases, start, first))
    }

    fn sentences(&self, phrases: &Phrases, start: usize, first: char) -> Found {
        let sentence = |kind: Kind| move |end: usize| self.sentence(kind, end);
        let announced = self.each(&phrases.announcements, start, first, sentence(Kind::Announcement));
        let pointed = self.each(&phrases.pointers, start, first, sentence(Kind::Pointer));
        let offered = self.each(&phrases.offers, start, first, sentence(Kind::Offer));
        let told = self.each(&phrases.clauses, start, first, |end| self.clause(phrases, end));
        announced.or(pointed).or(offered).or(told)
    }

    /// What `found` makes of each phrase of a list that stands at `start`.
    fn each(&self, list: &List, start: usize, first: char, found: impl Fn(usize) -> Found) -> Found {
        if !list.may_begin_with(first, self.get(start + 1)) {
            return Found::No;
        }
        // Most phrases differ in their first character.
        let may_match = |phrase: &&&str| phrase.chars().next().map(plain) == Some(first);
        let matches = list.all.iter().filter(may_match).map(|phrase| self.phrase(phrase, start).then(&found));
        matches.fold(Found::No, Found::or)
    }

    /// Whether nothing stands from here on but an opener's words.
    fn is_bare(&self, from: usize) -> bool {
        let start = self.skip(from, |c| c.is_whitespace() || is_emphasis(c) || matches!(c, '¡' | '¿'));
        let words = LANGUAGES.iter().flat_map(|phrases| phrases.words.all);
        words.into_iter().any(|phrase| {
            let Found::Until(end) = self.phrase(phrase, start) else { return false };
            self.skip(end, |c| !c.is_alphanumeric()) == self.characters.len()
        })
    }

    /// `phrase` as whole words.
    fn phrase(&self, phrase: &str, start: usize) -> Found {
        let mut at = start;
        let mut last = ' ';
        for wanted in phrase.chars().filter(|c| !is_silent(*c)).map(plain) {
            match self.get(at) {
                None => return self.at_end(),
                Some(c) if c == wanted => at += 1,
                Some(_) => return Found::No,
            }
            last = wanted;
        }
        match self.get(at) {
            None => self.at_end(),
            Some(c) if c.is_alphanumeric() && !has_no_spaces(last) && !has_no_spaces(c) => Found::No,
            Some(_) => Found::Until(at),
        }
    }

    /// What ends an opener that is words alone, and the answer behind it.
    fn exclamation(&self, phrases: &Phrases, end: usize) -> Found {
        let mark_at = self.skip(end, |c| is_blank(c) || is_emphasis(c));
        let after = self.skip(mark_at, |c| is_sentence_end(c) || is_pause(c));
        let (Some(mark), next) = (self.get(mark_at), self.get(after)) else { return self.at_end() };
        match next {
            _ if after == mark_at => Found::No,
            None => self.at_end(),
            Some(next) if mark.is_ascii() && mark != '!' && next.is_alphanumeric() => Found::No,
            _ if self.characters[mark_at..after].iter().any(|(_, c, _)| is_sentence_end(*c)) => self.answer(after),
            _ => self.after_pause(phrases, after),
        }
    }

    /// Behind a comma the sentence goes on: to be an opener, what it goes on with must be one, or begin anew.
    fn after_pause(&self, phrases: &Phrases, after: usize) -> Found {
        let start = self.skip(after, |c| c.is_whitespace() || is_emoji(c));
        match self.characters.get(start) {
            None => self.at_end(),
            Some((_, first, is_small)) => {
                let begins_anew = if *is_small { Found::No } else { self.answer(after) };
                self.sentences(phrases, start, *first).or(begins_anew)
            }
        }
    }

    /// The rest of a sentence that began with a phrase of this kind, and the answer behind it.
    fn sentence(&self, kind: Kind, from: usize) -> Found {
        let at = self.skip(from, |c| !(matches!(c, ':' | '：' | '\n' | '|') || is_sentence_end(c)));
        let after = self.skip(at, is_sentence_end);
        let (Some(mark), next) = (self.get(at), self.get(after)) else { return self.at_end() };
        match next {
            _ if matches!(mark, '\n' | '|') => Found::No,
            _ if mark == ':' || mark == '：' => self.announced(kind, mark, at + 1),
            None => self.at_end(),
            // A point within a number or a name.
            Some(next) if mark == '.' && next.is_alphanumeric() => self.sentence(kind, after),
            _ if kind == Kind::Offer => self.answer(after),
            _ => Found::No,
        }
    }

    /// What an announcement's colon is followed by: the answer on a line of its own, or one that begins anew.
    fn announced(&self, kind: Kind, mark: char, after: usize) -> Found {
        let start = self.skip(after, |c| is_blank(c) || is_emphasis(c));
        match self.characters.get(start) {
            None => self.at_end(),
            // A time of day, an address, a ratio.
            Some((_, c, _)) if mark == ':' && start == after && *c != '\n' => self.sentence(kind, after),
            Some((_, c, _)) if kind == Kind::Pointer && *c != '\n' => Found::No,
            Some((_, _, true)) => Found::No,
            Some(_) => self.answer(after),
        }
    }

    /// A clause about being a model, up to its comma, and the answer behind it.
    fn clause(&self, phrases: &Phrases, from: usize) -> Found {
        let start = self.skip(from, |c| is_blank(c) || c == '-');
        match self.characters.get(start) {
            None => self.at_end(),
            Some((_, c, _)) if is_comma(*c) => self.answer(start + 1),
            Some((_, first, _)) => self.each(&phrases.kinds, start, *first, |end| self.rest_of_clause(end)),
        }
    }

    fn rest_of_clause(&self, from: usize) -> Found {
        let at = self.skip(from, |c| !(is_comma(c) || c == '\n' || is_sentence_end(c)));
        match self.characters.get(at) {
            None => self.at_end(),
            Some((_, mark, _)) if is_comma(*mark) => self.answer(at + 1),
            // It may be a version's point.
            Some((_, '.', _)) => match self.get(at + 1) {
                None => self.at_end(),
                Some(next) if next.is_alphanumeric() => self.rest_of_clause(at + 1),
                Some(_) => Found::No,
            },
            Some(_) => Found::No,
        }
    }

    /// The place where the answer begins, once there is a word, a number or a table of it.
    fn answer(&self, from: usize) -> Found {
        let begins_emphasised = self.get(self.skip(0, char::is_whitespace)).is_some_and(is_emphasis);
        let from = if begins_emphasised { self.skip(from, is_emphasis) } else { from };
        let line_end = self.skip(from, |c| is_blank(c) || is_emoji(c));
        let text = self.skip(line_end, char::is_whitespace);
        // The indentation of the answer's first line may be code's.
        let lines = self.characters.get(line_end..text).unwrap_or_default();
        let start = lines.iter().rposition(|(_, c, _)| *c == '\n').map_or(line_end, |last| line_end + last + 1);
        let rest = self.characters.get(start..).unwrap_or_default();
        if rest.iter().any(|(_, c, _)| c.is_alphanumeric() || matches!(c, '|' | '$')) {
            Found::Until(start)
        } else {
            self.at_end()
        }
    }
}

const fn is_emphasis(c: char) -> bool {
    matches!(c, '*' | '_')
}

const fn is_sentence_end(c: char) -> bool {
    matches!(c, '.' | '!' | '?' | '…' | '。' | '！' | '？' | '।' | '۔' | '؟')
}

const fn is_comma(c: char) -> bool {
    matches!(c, ',' | '，' | '،' | '、')
}

/// What lets a sentence go on behind an opener's words.
const fn is_pause(c: char) -> bool {
    is_comma(c) || matches!(c, ':' | '：' | '—' | '–' | '-' | ';' | '~' | '～')
}

fn is_blank(c: char) -> bool {
    c != '\n' && c.is_whitespace()
}

/// With which an opener may end.
const fn is_emoji(c: char) -> bool {
    matches!(c, '\u{200d}' | '\u{fe0f}' | '\u{263a}' | '\u{2728}' | '\u{1f000}'..='\u{1faff}')
}

/// Scripts that put no spaces between words.
const fn has_no_spaces(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}')
}

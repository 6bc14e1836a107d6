//! How many tokens a text has: a cheap bound that is never too low, and the exact count where it matters.

use std::sync::LazyLock;

use tiktoken::CoreBpe;

/// Tokens an image is counted as: what a 1024 x 1024 image costs at high detail with OpenAI's vision models.
pub const IMAGE_TOKENS: u64 = 765;

/// Tokens that frame each message (role, separators), by OpenAI's published recipe for counting chats, rounded up.
pub const MESSAGE_TOKENS: u64 = 4;

/// An upper bound of the tokens in `text`, in one pass over its bytes.
///
/// The costs bound what the o200k vocabulary makes of each kind of character run; the test beside this holds them against
/// exact counts of prose, code, JSON and scripts from five continents.
pub fn upper_bound(text: impl AsRef<[u8]>) -> u64 {
    let text = text.as_ref();
    // Each step needs the one before it. So a long text is read at four places at once. Each begins a run, which
    // adds a token or two; the odd capitals that may be missed before a word are half a token.
    let lane = if text.len() < LONG { 0 } else { text.len() / 8 * 2 };
    let (lanes, rest) = text.split_at(lane * 4);
    let [first, second, third, last] = [0, 1, 2, 3].map(|number| lanes[number * lane..][..lane].as_chunks().0);
    let mut places = [Place::START; 4];
    let mut halves = 0;
    for (((a, b), c), d) in first.iter().zip(second).zip(third).zip(last) {
        for (place, pair) in places.iter_mut().zip([a, b, c, d]) {
            halves += place.step(*pair);
        }
    }
    let [.., mut place] = places;
    let (pairs, odd) = rest.as_chunks();
    halves += pairs.iter().map(|pair| place.step(*pair)).sum::<u64>();
    halves += odd.iter().map(|byte| place.end(*byte)).sum::<u64>();
    halves.div_ceil(2)
}

/// From so many bytes on a text is long.
const LONG: usize = 512;

/// Where in what kind of run a count stands: the row of `STEPS`. As wide as an address: the compiler would gather narrow ones in a
/// wide register, and take twice as long.
#[derive(Clone, Copy)]
struct Place(usize);

impl Place {
    const START: Self = Self(row(SPACE, 0));

    /// Two bytes on: the half tokens they cost.
    fn step(&mut self, [first, second]: [u8; 2]) -> u64 {
        self.turn(KINDS[usize::from(first)], KINDS[usize::from(second)])
    }

    /// The last byte, where it has no second.
    fn end(&mut self, byte: u8) -> u64 {
        self.turn(KINDS[usize::from(byte)], NOTHING)
    }

    fn turn(&mut self, first: u8, second: u8) -> u64 {
        let step = self.0 + usize::from(first) * ALL + usize::from(second);
        let step = usize::from(STEPS[step % STEPS.len()]);
        self.0 = step / MOST_COST;
        (step % MOST_COST) as u64
    }
}

/// The exact count with the o200k vocabulary. Its tables load on first use: 0.2 s and 24 MB.
pub fn exact(text: &str) -> u64 {
    static O200K: LazyLock<CoreBpe> = LazyLock::new(tiktoken::encoding::o200k_base);
    #[cfg(test)]
    watch::note(text.len());
    pieces(text).map(|piece| O200K.count(piece) as u64).sum()
}

/// A text is counted in pieces of so many bytes: one long run of a character takes the square of its length.
const PIECE: usize = 8 * 1024;

/// Cuts a text where a token begins in any case: before a word that a space parts from another. In a run without words it is cut
/// anywhere, which adds a token or two to thousands.
fn pieces(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        let rest = text.as_bytes();
        if rest.is_empty() {
            return None;
        }
        let is_between = |at: &usize| {
            rest[*at] == b' ' && rest[at - 1].is_ascii_alphanumeric() && rest[at + 1].is_ascii_alphabetic()
        };
        let end = if rest.len() <= PIECE + 1 {
            rest.len()
        } else {
            (1..PIECE).rev().find(is_between).unwrap_or_else(|| text.floor_char_boundary(PIECE))
        };
        let (piece, after) = text.split_at(end);
        text = after;
        Some(piece)
    })
}

/// How many bytes were tokenised, and how many of them by the thread that asks.
#[cfg(test)]
pub mod watch {
    use std::cell::Cell;
    use std::sync::atomic::{AtomicUsize, Ordering};

    static ALL: AtomicUsize = AtomicUsize::new(0);

    thread_local! {
        static HERE: Cell<usize> = const { Cell::new(0) };
    }

    pub fn note(bytes: usize) {
        ALL.fetch_add(bytes, Ordering::Relaxed);
        HERE.set(HERE.get() + bytes);
    }

    pub fn all() -> usize {
        ALL.load(Ordering::Relaxed)
    }

    pub fn here() -> usize {
        HERE.get()
    }
}

const LETTER: u8 = 0;
const CAPITAL: u8 = 1;
const SPACE: u8 = 3;

/// Stands for the second of two bytes where there is none.
const NOTHING: u8 = 11;

/// The kinds of bytes, and nothing.
const ALL: usize = 12;

/// What the bytes of a run of one kind cost.
struct Run {
    /// In half tokens, by the place in the run.
    halves: &'static [u8],
    /// Behind the last place this one comes again.
    again: usize,
}

const fn run(halves: &'static [u8], again: usize) -> Run {
    Run { halves, again }
}

/// By the kind of byte.
const RUNS: [Run; NOTHING as usize] = [
    // Small letters: a word costs a token to start, and at most one more for every four further letters.
    run(&[2, 1, 0], 1),
    // Capitals: each may start a token of its own, as in camel case and base64. Their places are those of letters.
    run(&[2, 2, 2], 1),
    // Digits: three make a token at most.
    run(&[2, 0, 0], 0),
    // Spaces: the first joins what follows it.
    run(&[0, 2, 0, 0, 0], 1),
    // Line ends: a run of them is one token.
    run(&[2, 0], 1),
    // Other marks of ASCII.
    run(&[2, 1], 1),
    // Beyond ASCII the first byte of a character carries its cost. Alphabets: tokens of two letters or more.
    run(&[1], 0),
    // Syllables of Indic scripts.
    run(&[2], 0),
    // Ideographs, and whatever else takes three bytes.
    run(&[3], 0),
    // Emoji: up to three tokens.
    run(&[6], 0),
    // The further bytes of a character.
    run(&[0], 0),
];

/// More than two bytes cost.
const MOST_COST: usize = 16;

/// Where the row of a place begins in `STEPS`.
const fn row(kind: u8, place: usize) -> usize {
    let (mut row, mut before) = (place, 0);
    while before < kind as usize {
        row += RUNS[before].halves.len();
        before += 1;
    }
    row * ALL * ALL
}

/// For each place and the kinds of the next two bytes: the place behind them and their cost.
static STEPS: [u16; 1 << 12] = steps();

#[expect(clippy::cast_possible_truncation, reason = "fewer than 2^12 rows and 2^4 half tokens")]
const fn steps() -> [u16; 1 << 12] {
    let mut steps = [0; 1 << 12];
    let mut kind = 0;
    while kind < NOTHING {
        let mut place = 0;
        while place < RUNS[kind as usize].halves.len() {
            let mut pair = [0, 0];
            while pair[0] <= NOTHING {
                let (first_kind, first_place, first) = next(kind, place, pair[0]);
                let (last_kind, last_place, second) = next(first_kind, first_place, pair[1]);
                let step = row(kind, place) + pair[0] as usize * ALL + pair[1] as usize;
                steps[step] = (row(last_kind, last_place) * MOST_COST + (first + second) as usize) as u16;
                pair = if pair[1] < NOTHING { [pair[0], pair[1] + 1] } else { [pair[0] + 1, 0] };
            }
            place += 1;
        }
        kind += 1;
    }
    steps
}

/// The place in which a byte of kind `next` stands behind another, and what it costs there.
const fn next(kind: u8, place: usize, next: u8) -> (u8, usize, u8) {
    if next == NOTHING {
        return (kind, place, 0);
    }
    let run = &RUNS[next as usize];
    // A word goes on behind its capital.
    let goes_on = next == kind || (next == LETTER && kind == CAPITAL);
    let place = match goes_on {
        false => 0,
        true if place + 1 == run.halves.len() => run.again,
        true => place + 1,
    };
    (next, place, run.halves[place])
}

/// The kind of each byte.
static KINDS: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let mut kinds = [0; 256];
    let mut byte: u8 = 0;
    loop {
        kinds[byte as usize] = match byte {
            b'a'..=b'z' => LETTER,
            b'A'..=b'Z' => CAPITAL,
            b'0'..=b'9' => 2,
            b' ' | b'\t' => SPACE,
            b'\n' | b'\r' => 4,
            0x00..=0x7F => 5,
            0x80..=0xBF => 10,
            0xC0..=0xDF => 6,
            0xE0 => 7,
            0xE1..=0xEF => 8,
            0xF0..=0xFF => 9,
        };
        if byte == u8::MAX {
            return kinds;
        }
        byte += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SAMPLES: [&str; 12] = [
        "The quick brown fox jumps over the lazy dog, and then it rests for a while in the afternoon sun.",
        "Donaudampfschifffahrtsgesellschaftskapitän und Rechtsschutzversicherungsgesellschaften sind lange Wörter.",
        "人工智能是计算机科学的一个分支，它试图理解智能的本质。",
        "الذكاء الاصطناعي هو فرع من علوم الحاسوب يهتم بدراسة العمليات العقلية.",
        "Искусственный интеллект — это область информатики, которая занимается разработкой.",
        "कृत्रिम बुद्धिमत्ता कंप्यूटर विज्ञान की एक शाखा है।",
        "人工知能とは、人間の知的な振る舞いを人工的に再現したものです。",
        "def main():\n    for index in range(10):\n        print(f\"{index:>4}: {value[index]!r}\")\n\n\nif __name__ == '__main__':\n    main()\n",
        "{\"role\":\"user\",\"content\":[{\"type\":\"text\",\"text\":\"hi\"}],\"n\":[1,2,3,1234567890]}",
        "3.14159265358979323846264338327950288419716939937510",
        "😀😃😄 🎉🎊 👩‍👩‍👧‍👦",
        "xkQz9vLpR2mWbT7c/Hj+Nf4Gd8Ys==  a1b2c3d4e5f6 0xDEADBEEF !!!??? -> <- => :: && ||",
    ];

    #[test]
    fn the_bound_is_never_below_the_exact_count_and_not_far_above_it() {
        for sample in SAMPLES {
            let (bound, exact) = (upper_bound(sample), exact(sample));
            assert!(bound >= exact, "{sample}: bound {bound} < exact {exact}");
            assert!(bound <= exact * 4, "{sample}: bound {bound} is far above {exact}");
        }
    }

    #[test]
    fn a_long_text_counts_as_it_does_in_one_piece() {
        let bpe = tiktoken::encoding::o200k_base();
        for sample in SAMPLES {
            let text = format!("{sample} and on ").repeat(60_000 / sample.len());
            let (whole, count) = (bpe.count(&text) as u64, exact(&text));
            assert_eq!(count, whole, "{sample}");
        }
        let dense = "人工智能".repeat(5_000);
        let (whole, count) = (bpe.count(&dense) as u64, exact(&dense));
        assert!(count.abs_diff(whole) <= 2 * (dense.len() / PIECE) as u64, "{count} for {whole}");
    }

    #[test]
    fn one_character_many_times_is_counted_in_time() {
        const MOST: std::time::Duration = std::time::Duration::from_secs(5);
        for run in ["\n", " ", ".", "a", "中"] {
            let started = std::time::Instant::now();
            let count = exact(&run.repeat(500_000));
            assert!(count > 0 && started.elapsed() < MOST, "{run:?}: {:?}", started.elapsed());
        }
    }

    #[test]
    fn nothing_counts_nothing() {
        assert_eq!((upper_bound(""), exact("")), (0, 0));
    }

    /// The same, byte by byte.
    fn plainly(text: &str) -> u64 {
        let (mut kind, mut place, mut halves) = (SPACE, 0, 0);
        for byte in text.bytes() {
            let (next_kind, next_place, cost) = next(kind, place, KINDS[usize::from(byte)]);
            (kind, place, halves) = (next_kind, next_place, halves + u64::from(cost));
        }
        halves.div_ceil(2)
    }

    proptest! {
        #[test]
        fn pairs_and_places_change_nothing(text in "([a-z]{1,9}|[A-Z]{1,5}|[0-9]{1,8}|[ \t\n]{1,9}|[!-~]{1,4}|\\PC{1,4}){0,300}") {
            let (bound, plainly) = (upper_bound(&text), plainly(&text));
            if text.len() < LONG {
                prop_assert_eq!(bound, plainly);
            } else {
                prop_assert!((plainly - 2..=plainly + 6).contains(&bound), "{bound} for {plainly}");
            }
        }
    }
}

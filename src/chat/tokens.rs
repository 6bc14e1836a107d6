//! How many tokens a text has: a cheap bound that is never too low, and the exact count where it matters.

use std::sync::LazyLock;

use tiktoken::CoreBpe;

/// Tokens an image is counted as: what a 1024 x 1024 image costs at high detail with OpenAI's vision models.
pub const IMAGE_TOKENS: u64 = 765;

/// Tokens that frame each message (role, separators), by OpenAI's published recipe for counting chats, rounded up.
pub const MESSAGE_TOKENS: u64 = 4;

/// Texts longer than this are counted on the blocking pool, in bytes.
pub const LARGE_TEXT: usize = 32 * 1024;

/// An upper bound of the tokens in `text`, in one pass over its bytes.
///
/// The weights bound what the o200k vocabulary makes of each kind of character run; the test beside this holds them against
/// exact counts of prose, code, JSON and scripts from five continents.
pub fn upper_bound(text: &str) -> u64 {
    let mut halves: u64 = 0;
    let mut run = Kind::Space;
    let mut run_length: u32 = 0;
    for byte in text.bytes() {
        let kind = Kind::of(byte);
        let goes_on = kind == run || (kind == Kind::Letter && run == Kind::Capital);
        run_length = if goes_on { run_length + 1 } else { 1 };
        run = kind;
        halves += kind.halves(run_length);
    }
    halves.div_ceil(2)
}

/// The exact count with the o200k vocabulary. Its tables load on first use: 0.2 s and 24 MB.
pub fn exact(text: &str) -> u64 {
    static O200K: LazyLock<CoreBpe> = LazyLock::new(tiktoken::encoding::o200k_base);
    O200K.count(text) as u64
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Letter,
    Capital,
    Digit,
    Space,
    Newline,
    Mark,
    Alphabet,
    Syllable,
    Ideograph,
    Emoji,
    Follower,
}

impl Kind {
    /// Half tokens that the byte at this place of its run costs at most.
    const fn halves(self, place: u32) -> u64 {
        let first = place == 1;
        match self {
            // A word costs a token to start and at most one more for every four further letters.
            Self::Letter => {
                if first {
                    2
                } else {
                    (place % 2 == 0) as u64
                }
            }
            // Every capital may start a token of its own, as in camel case and base64; every syllable of Indic scripts is one.
            Self::Capital | Self::Syllable => 2,
            // Three digits make a token at most; white space joins what follows it.
            Self::Digit => {
                if place % 3 == 1 {
                    2
                } else {
                    0
                }
            }
            Self::Space => {
                if place % 4 == 2 {
                    2
                } else {
                    0
                }
            }
            Self::Newline => {
                if first {
                    2
                } else {
                    0
                }
            }
            Self::Mark => {
                if first {
                    2
                } else {
                    1
                }
            }
            // The first byte of a character beyond ASCII carries its cost; its followers are free. Alphabets of two bytes
            // come in tokens of two letters or more, ideographs in at most three halves, emoji in up to three tokens.
            Self::Alphabet => 1,
            Self::Ideograph => 3,
            Self::Emoji => 6,
            Self::Follower => 0,
        }
    }

    const fn of(byte: u8) -> Self {
        match byte {
            b'a'..=b'z' => Self::Letter,
            b'A'..=b'Z' => Self::Capital,
            b'0'..=b'9' => Self::Digit,
            b' ' | b'\t' => Self::Space,
            b'\n' | b'\r' => Self::Newline,
            0x80..=0xBF => Self::Follower,
            0xC0..=0xDF => Self::Alphabet,
            0xE0 => Self::Syllable,
            0xE1..=0xEF => Self::Ideograph,
            0xF0.. => Self::Emoji,
            _ => Self::Mark,
        }
    }
}

#[cfg(test)]
mod tests {
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
    fn nothing_counts_nothing() {
        assert_eq!((upper_bound(""), exact("")), (0, 0));
    }
}

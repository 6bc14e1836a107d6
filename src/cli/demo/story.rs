//! What the demo asks, and in what order, so that each thing relay does is seen once. The providers are those of `Scenario::demo`.

use crate::routing::Strategy;

/// Questions that show one thing.
pub struct Chapter {
    pub title: &'static str,
    /// Who is asked first.
    pub strategy: Strategy,
    /// All its questions are asked at the same moment.
    pub is_at_once: bool,
    pub questions: &'static [Question],
}

pub struct Question {
    pub text: &'static str,
    pub model: &'static str,
    /// Kept out of it, because their part of the story comes elsewhere.
    pub avoid: &'static [&'static str],
}

const fn question(text: &'static str) -> Question {
    Question { text, model: "meta-model", avoid: &[] }
}

pub const CHAPTERS: [Chapter; 3] = [
    Chapter {
        title: "Many free tiers behind one endpoint: each answers in its turn",
        strategy: Strategy::RoundRobin,
        is_at_once: false,
        questions: &[
            question("Why is the sky blue?"),
            question("What is the capital of France?"),
            question("What is 2+2?"),
            question("Write a haiku about rain."),
        ],
    },
    Chapter {
        title: "Limits are hit and a line drops: the next one answers, unnoticed",
        // All of them have been measured by now, and the simulated ones are quick in the order of their names.
        strategy: Strategy::Fastest,
        is_at_once: false,
        questions: &[
            Question { avoid: &["sim-carol", "sim-echo"], ..question("What is the speed of light?") },
            Question { avoid: &["sim-echo"], ..question("What is the difference between TCP and UDP?") },
        ],
    },
    Chapter {
        title: "Two questions at once to one that takes one a second: relay waits",
        strategy: Strategy::Auto,
        is_at_once: true,
        questions: &[
            Question { model: "sim-echo", ..question("Why are there tides?") },
            Question { model: "sim-echo", ..question("Tell me a joke.") },
        ],
    },
];

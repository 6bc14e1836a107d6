//! Facts said once in message 3 of long conversations and asked for at the end: how many of them are in the summary.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::*;

/// By language: facts of six kinds with their questions, and the talk they are planted in. The half that is held out has other
/// facts in other talk: nothing in the summary's making was ever fitted to it.
const LANGUAGES: [(&str, &str); 7] = [
    ("English", include_str!("planted/english.txt")),
    ("German", include_str!("planted/german.txt")),
    ("Spanish", include_str!("planted/spanish.txt")),
    ("Chinese", include_str!("planted/chinese.txt")),
    ("Japanese", include_str!("planted/japanese.txt")),
    ("Arabic", include_str!("planted/arabic.txt")),
    ("code", include_str!("planted/code.txt")),
];

/// Messages of the conversations, in turn: most are of some hundred.
const LENGTHS: [usize; 6] = [200, 300, 240, 2_000, 400, 220];

/// A fact, of which kind it is, and how it is asked for. A file also has the answer, which no question may give away.
struct Fact {
    kind: &'static str,
    said: &'static str,
    question: &'static str,
}

type Sections = BTreeMap<&'static str, Vec<&'static str>>;

/// The sections of a language's file: a headline, and the lines below it.
fn sections(language: &str) -> Sections {
    let (_, file) = LANGUAGES.into_iter().find(|(name, _)| *name == language).expect("a language with a file");
    let sections = file.split("# ").skip(1).filter_map(|section| section.split_once('\n'));
    sections.map(|(head, lines)| (head, lines.lines().collect())).collect()
}

/// Numbers as a seed has them follow one another.
pub struct Dice(pub u64);

impl Dice {
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(self.0 >> 33).expect("31 bits") % end
    }

    pub fn pick<'a>(&mut self, lines: &[&'a str]) -> &'a str {
        lines[self.below(lines.len())]
    }
}

/// Talk of one language: sentences in which names, things and numbers are put.
pub struct Talk {
    sections: Sections,
    half: &'static str,
}

impl Talk {
    pub fn in_language(language: &str, half: &'static str) -> Self {
        Self { sections: sections(language), half }
    }

    fn facts(&self) -> Vec<Fact> {
        let fact = |line: &&'static str| {
            let parts: Vec<&str> = line.split(" | ").collect();
            let [kind, said, question, answer] = parts[..] else { panic!("a fact has four parts: {line}") };
            assert!(said.contains(answer) && !question.contains(answer), "{line}");
            Fact { kind, said, question }
        };
        self.sections[format!("{}facts", self.half).as_str()].iter().map(fact).collect()
    }

    pub fn message(&self, speaker: &str, dice: &mut Dice) -> String {
        let templates = &self.sections[format!("{}{speaker}", self.half).as_str()];
        let count = if speaker == "user" { 1 + dice.below(2) } else { 2 + dice.below(4) };
        let said: Vec<String> = (0..count).map(|_| self.filled(dice.pick(templates), dice)).collect();
        said.join(if said.concat().contains("```") { "\n" } else { " " })
    }

    fn filled(&self, template: &str, dice: &mut Dice) -> String {
        let mut text = template.replace("\\n", "\n").replace("\\t", "\t");
        for (slot, list) in [("{name}", "name"), ("{thing}", "thing"), ("{town}", "town")] {
            while text.contains(slot) {
                text = text.replacen(slot, dice.pick(&self.sections[list]), 1);
            }
        }
        while text.contains("{n}") {
            text = text.replacen("{n}", &(2 + dice.below(997)).to_string(), 1);
        }
        text
    }

    /// A conversation of `count` messages with the fact in the third, and its question as the last.
    fn around(&self, fact: &Fact, count: usize, seed: u64) -> Vec<Value> {
        let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) + 1);
        let mut messages: Vec<Value> = vec![json!({"role": "system", "content": "You are a helpful assistant."})];
        for number in 1..count - 1 {
            let text = self.message(if number % 2 == 1 { "user" } else { "assistant" }, &mut dice);
            messages.push(match number {
                3 if dice.below(2) == 0 => user(format!("{} {text}", fact.said)),
                3 => user(format!("{text} {}", fact.said)),
                number if number % 2 == 1 => user(text),
                _ => assistant(text),
            });
        }
        messages.push(user(fact.question));
        messages
    }
}

/// Whether the summary holds the fact where a context of 8,192 leaves 1,024 for the answer.
fn is_found(messages: &[Value], fact: &Fact) -> bool {
    let budget = 8_192 - 1_024;
    let (sent, fitted) = fitted(messages, &LIMITS, budget).expect("it fits");
    assert!(fitted.tokens <= budget, "{} tokens", fitted.tokens);
    // Where all of a short talk fits, nothing was to be found.
    assert!(sent.len() < messages.len() && sent.last() == messages.last());
    assert!(!sent[1..].iter().any(|message| message["content"].as_str().is_some_and(|text| text.contains(fact.said))));
    sent[0]["content"].as_str().is_some_and(|text| text.contains(fact.said))
}

/// By language or kind: how many were found, and how many there were.
type Found = BTreeMap<&'static str, (usize, usize)>;

/// What was found, by language and by kind, and what was not.
fn found(half: &'static str, seeds: u64) -> (Found, Found, String) {
    let (mut languages, mut kinds, mut missed) = (Found::new(), Found::new(), String::new());
    for (language, _) in LANGUAGES {
        let talk = Talk::in_language(language, half);
        for (number, fact) in talk.facts().iter().enumerate() {
            let messages = talk.around(fact, LENGTHS[number % LENGTHS.len()], seeds + number as u64);
            let is_found = is_found(&messages, fact);
            for count in [languages.entry(language).or_default(), kinds.entry(fact.kind).or_default()] {
                *count = (count.0 + usize::from(is_found), count.1 + 1);
            }
            if !is_found {
                writeln!(missed, "{language}, {}: {} {}", fact.kind, fact.said, fact.question).expect("a string");
            }
        }
    }
    (languages, kinds, missed)
}

#[expect(clippy::print_stdout, reason = "the figures are for people")]
fn check(half: &'static str, seeds: u64) {
    let (languages, kinds, missed) = found(half, seeds);
    let all = languages.values().fold((0, 0), |all, one| (all.0 + one.0, all.1 + one.1));
    println!("found of {half}facts, {} of {}: {languages:?} {kinds:?}", all.0, all.1);
    assert!(all.1 >= 84, "{} cases", all.1);
    for (language, (found, of)) in languages {
        assert!(found * 10 >= of * 8, "{language}: {found} of {of} planted facts\n{missed}");
    }
}

#[test]
fn a_fact_that_is_asked_for_is_in_the_summary_in_any_language() {
    check("", 1_000);
}

#[test]
fn so_are_facts_in_talk_that_was_held_out() {
    check("held out ", 7_000_000);
}

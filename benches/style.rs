//! What cleaning an answer costs: answers of about 4 KB of every kind, whole and as a stream of some 250 pieces. Only the text's own
//! work: reading and writing its JSON comes to every answer alike.
//!
//! `cargo bench --bench style`

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "timing.rs"]
mod timing;

use std::hint::black_box;
use std::time::Duration;

use relay::style::json::repaired;
use relay::style::stream::clean;
use relay::style::{Cleaned, Cleaner, Depth};

use timing::time;

const SIZE: usize = 4_096;
const PIECE: usize = 16;

const OPENERS: &str = include_str!("../src/style/corpus/openers.txt");
const MARKDOWN: &str = include_str!("../src/style/corpus/markdown.txt");
const THOUGHTS: &str = include_str!("../src/style/corpus/thoughts.txt");

const KINDS: [(&str, &str, &str); 6] = [
    (
        "prose, opener",
        "Certainly! Here's what happened:\n\n",
        "The harbour was quiet, and nobody asked why the boats had come back.\n\n",
    ),
    ("prose, none", "The", " harbour was quiet, and nobody asked why the boats had come back.\n"),
    ("Chinese", "当然！", "港口很安静，没有人问那两条船为什么这么早就回来了。\n"),
    ("code", "Sure!\n\n```rust\n", "    let total: u64 = (0..10).map(|n| n * n).sum();\n"),
    ("table", "Here is the table:\n\n| a | b |\n|---|---|\n", "| harbour | 1,234.5 |\n"),
    ("thoughts", "<think>\nThe user asks. Let me see.\n</think>\n\n", "It is < 5 and a <b>bold</b> one.\n\n\n"),
];

fn main() {
    println!("{:16} {:>10} {:>10}", "4 KB of", "whole", "streamed");
    for (name, head, line) in KINDS {
        row(name, &filled(head, line));
    }
    for (name, corpus) in [("openers", OPENERS), ("markdown", MARKDOWN), ("thoughts", THOUGHTS)] {
        corpus_row(name, corpus);
    }
    let json = filled("```json\n{'items': [", "{name: 'harbour', 'size': 12,},\n") + "]}\n```";
    println!("{:16} {:>10.1?}", "JSON, repaired", time(|| repaired(black_box(&json))));
}

fn row(name: &str, text: &str) {
    let pieces = pieces(text);
    println!("{name:16} {:>10.1?} {:>10.1?}", time(|| clean(black_box(text), Depth::Full)), time(|| streamed(&pieces)));
}

/// The corpus' answers, each filled up to 4 KB with what it ends in; the mean and the slowest.
fn corpus_row(name: &str, corpus: &str) {
    let cases = corpus.split("%%% ").filter(|section| section.starts_with("case "));
    let texts: Vec<String> =
        cases.filter_map(|case| Some(filled(case.split_once('\n')?.1, "And so it goes on.\n"))).collect();
    let times: Vec<Duration> = texts.iter().map(|text| time(|| clean(black_box(text), Depth::Full))).collect();
    let streams: Vec<Duration> = texts
        .iter()
        .map(|text| {
            let pieces = pieces(text);
            time(|| streamed(&pieces))
        })
        .collect();
    let mean = |times: &[Duration]| times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap_or(1);
    println!("{:16} {:>10.1?} {:>10.1?}", format!("corpus {name}"), mean(&times), mean(&streams));
    println!(
        "{:16} {:>10.1?} {:>10.1?}",
        "  the slowest",
        times.iter().max().unwrap_or(&Duration::ZERO),
        streams.iter().max().unwrap_or(&Duration::ZERO)
    );
}

fn filled(head: &str, line: &str) -> String {
    let mut text = head.to_owned();
    while text.len() < SIZE {
        text.push_str(line);
    }
    text
}

fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    while from < text.len() {
        let to = text.ceil_char_boundary((from + PIECE).min(text.len()));
        pieces.push(&text[from..to]);
        from = to;
    }
    pieces
}

fn streamed(pieces: &[&str]) -> Cleaned {
    let mut cleaner = Cleaner::new(Depth::Full);
    let mut out = Cleaned::default();
    for piece in pieces {
        cleaner.push(black_box(piece), &mut out);
    }
    cleaner.finish(&mut out);
    out
}

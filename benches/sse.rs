//! What watching a stream costs, by chunk: cut into events, read for usage, ends and errors, and handed on.
//!
//! `cargo bench --bench sse`; "cut" is the same bytes searched for line ends alone.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "timing.rs"]
mod timing;

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use relay::dialect::{Dialect, Target, Wire};

use timing::time;

const CHUNKS: u32 = 1_000;

fn main() {
    println!("{:24} {:>10} {:>10}", "nanoseconds a chunk", "cut", "watched");
    let text = |length: usize| "word ".repeat(length / 5 + 1)[..length].to_owned();
    for (name, length) in [("5 bytes of text", 5), ("100 bytes of text", 100), ("2,000 bytes of text", 2_000)] {
        let chunk = Bytes::from(format!(
            "data: {{\"id\":\"chatcmpl-9vXkQ2mZrT7bH4cN\",\"object\":\"chat.completion.chunk\",\"created\":1760000000,\"model\":\"a-model\",\
             \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{}\"}},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n",
            text(length)
        ));
        let cut = time(|| (0..CHUNKS).map(|_| memchr::memchr_iter(b'\n', black_box(&chunk)).count()).sum::<usize>());
        let watched = time(|| watch(&chunk));
        println!("{name:24} {:>10.0} {:>10.0}", per_chunk(cut), per_chunk(watched));
    }
}

fn watch(chunk: &Bytes) -> usize {
    let wire = Wire::default();
    let target =
        Target { model: "a-model", wire: &wire, thinks: true, context: 8_192, input_tokens: 1, answer_tokens: 1 };
    let mut scanner = Dialect::OpenAi.scanner(target, false);
    let mut seen = 0;
    for _ in 0..CHUNKS {
        scanner.push(black_box(chunk).clone(), Timestamp::UNIX_EPOCH).expect("a chunk");
        while let Some(event) = scanner.next_event() {
            seen += event.bytes.len();
        }
    }
    seen
}

fn per_chunk(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9 / f64::from(CHUNKS)
}

//! What a request's body costs before it goes on: split into fields, its tokens bounded, its model replaced.
//!
//! `cargo bench --bench splice`; the copy of the body is there for scale.

#![expect(clippy::print_stdout, reason = "a benchmark prints its figures")]

#[path = "timing.rs"]
mod timing;

use std::hint::black_box;

use bytes::Bytes;
use relay::chat::{ChatRequest, tokens};

use timing::time;

fn main() {
    println!("{:18} {:>10} {:>10} {:>10} {:>10} {:>10}", "body", "copy", "parse", "bound", "rewrite", "exact");
    for (name, text) in [("prose", PROSE), ("code", CODE), ("Chinese", CHINESE)] {
        for size in [1_000, 30_000, 300_000] {
            let body = body(text, size);
            let request = ChatRequest::parse(body.clone()).expect("a valid body");
            let model = Bytes::from_static(b"\"another-model\"");
            let figures = [
                time(|| black_box(&body).to_vec()),
                time(|| ChatRequest::parse(black_box(&body).clone())),
                time(|| black_box(&request).prompt_parts().map(tokens::upper_bound).sum::<u64>()),
                time(|| {
                    let mut rewrite = black_box(&request).rewrite();
                    rewrite.set("model", model.clone());
                    rewrite.finish()
                }),
                time(|| tokens::exact(black_box(&request).raw("messages").unwrap_or_default())),
            ];
            let columns: Vec<String> = figures.map(|figure| format!("{:>8.1}µs", figure.as_secs_f64() * 1e6)).into();
            println!("{:18} {}", format!("{name}, {} KB", size / 1_000), columns.join(" "));
        }
    }
}

fn body(text: &str, size: usize) -> Bytes {
    let mut messages = Vec::new();
    let mut length = 0;
    while length < size {
        let role = if messages.len() % 2 == 0 { "user" } else { "assistant" };
        let message = serde_json::json!({ "role": role, "content": text });
        length += message.to_string().len() + 1;
        messages.push(message);
    }
    serde_json::json!({ "model": "meta-model", "temperature": 0.7, "messages": messages }).to_string().into()
}

const PROSE: &str = "The harbour was quiet when they arrived, and nobody asked why the two boats had come back early. It took an hour \
                     to carry everything up the hill; by then the rain (3 mm, said the radio) was over.";
const CODE: &str = "fn main() {\n    let total: u64 = (0..10).map(|n| n * n).sum();\n    println!(\"{total:>6}\");\n\n    for name in \
                    [\"a\", \"b\"] {\n        eprintln!(\"\\t{name}\");\n    }\n}\n";
const CHINESE: &str = "港口很安静，没有人问那两条船为什么这么早就回来了。他们花了一个小时把所有东西搬上山。";

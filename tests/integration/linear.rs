//! Nobody's bytes cost more than their length: ten times the size takes about ten times as long, whatever shape is meant to hurt.
//!
//! A megabyte is compared with ten; built without optimisation, sizes that take moments.

use std::time::{Duration, Instant};

use super::fuzzed::properties;

/// Bytes of the smaller input.
const USUAL: usize = if cfg!(debug_assertions) { 30_000 } else { 1_000_000 };
/// For readers that try a text from several places, or make much of each line.
const LESS: usize = if cfg!(debug_assertions) { 6_000 } else { 800_000 };

/// A quadratic reader needs a hundred times as long for ten times the bytes.
const MOST_TIMES: u32 = 25;
/// What a busy machine may add.
const NOISE: Duration = Duration::from_millis(100);
const MOST: Duration = Duration::from_secs(20);
/// A machine that is busy at one moment is not at each.
const TRIES: usize = 3;

type Property = fn(&[u8]);

/// A head, what is repeated behind it, and its end.
type Shape = (&'static str, &'static str, &'static str);

const JSON: [Shape; 14] = [
    ("", "[", ""),
    ("", "{\"a\":", ""),
    ("{\"a\":", "[{\"a\":", ""),
    ("{\"a\":\"", "x", ""),
    ("{\"a\":\"", "\\", ""),
    ("{\"a\":\"", "\\\"", ""),
    ("{\"a\":\"", "\"", ""),
    ("{\"a\":\"", "\", ", ""),
    ("{\"a\":\"", "\"\n", ""),
    ("{'", "a'", ""),
    ("{\"a\":0", ",\"a\":0", "}"),
    ("{", "/*", ""),
    ("{", "#\n", ""),
    ("[", "1 ", ""),
];

const STREAMS: [Shape; 7] = [
    ("", "x", ""),
    ("", "data:\n", ""),
    ("", ": waiting\n\n", ""),
    ("data: {\"choices\":", "[", ""),
    ("data: ", "\r", ""),
    ("", "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"x\"}}]}\n\n", "data: [DONE]\n\n"),
    ("", "{\"message\":{\"role\":\"assistant\",\"content\":\"x\"},\"done\":false}\n", ""),
];

const REQUESTS: [Shape; 8] = [
    ("{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}", ",{\"role\":\"user\",\"content\":\"x\"}", "]}"),
    ("{\"messages\":[{\"role\":\"developer\",\"content\":\"", "\\u00e9", "\"}]}"),
    (
        "{\"messages\":[{\"role\":\"user\",\"content\":[{\"type\":\"text\"}",
        ",{\"type\":\"text\",\"text\":\"\"}",
        "]}]}",
    ),
    ("{\"messages\":[{\"role\":\"user\",\"content\":\"x\",\"y\":", "[", ""),
    (
        "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"y\",\"function\":{\"name\":\"f\"}}",
        ",{\"id\":\"x\",\"function\":{\"name\":\"f\"}}",
        "]},{\"role\":\"tool\",\"tool_call_id\":\"x\",\"content\":\"\"}]}",
    ),
    (
        "{\"messages\":[{\"role\":\"assistant\",\"tool_calls\":[{\"id\":\"x\",\"function\":{\"name\":\"f\"}}]}",
        ",{\"role\":\"tool\",\"tool_call_id\":\"y\",\"content\":\"\"}",
        "]}",
    ),
    ("{\"messages\":[{\"role\":\"system\",\"content\":\"x\"}", ",{\"role\":\"system\",\"content\":\"x\"}", "]}"),
    (
        "{\"messages\":[{\"role\":\"user\",\"content\":\"x\"}],\"tools\":[{}",
        ",{\"type\":\"function\",\"function\":{\"name\":\"f\"}}",
        "]}",
    ),
];

const REFUSALS: [Shape; 4] = [
    ("429\n\n\n{\"error\":{\"message\":\"", "try again in ", "\"}}"),
    ("429\n\n\n{\"error\":{\"details\":[", "{\"@type\":\"x\"},", "{}]}}"),
    ("400\n\n\n", "<p>", ""),
    ("429\n\n\n", "{\"error\":", ""),
];

const HEADERS: [Shape; 4] = [("", "9", ""), ("", "1d", ""), ("", "1ms", "x"), ("", "Sun, ", "")];

const CATALOGUES: [Shape; 6] = [
    ("a = ", "[", ""),
    ("a = \"", "x", ""),
    ("", "[[model]]\n", ""),
    ("a", ".a", " = 1"),
    ("# ", "\t", ""),
    ("name = \"\"\"", "\n", ""),
];

const PAGES: [Shape; 62] = [
    ("", "| a ", ""),
    ("| Model | RPM |\n|---|---|\n", "| a-1 | 30 |\n", ""),
    ("| Model | RPM |\n|---|---|\n", "| `", ""),
    ("", "a | b\n", ""),
    ("", "|-", "\n"),
    ("", "*", ""),
    ("", "_a", ""),
    ("", "~~", ""),
    ("", "[", ""),
    ("", "[a](", ""),
    ("", "![[", ""),
    ("", "[^", ""),
    ("", "` `` ", ""),
    ("", "`", ""),
    ("", "\\", ""),
    ("", "&amp;", ""),
    ("", "&", ""),
    ("", "# a\n", ""),
    ("", "- a\n", ""),
    ("", "- 30 requests per minute\n", ""),
    ("", "Limited to 30 requests per minute. ", ""),
    ("", "> ", "\n"),
    ("", "<Tab title=\"a\">\n", ""),
    ("", "<Tab\n", ""),
    ("", ":::details a\n", ""),
    ("", "export const A = {\n", ""),
    ("export const A = 1;\n", "{A}", "\n"),
    ("", "```\n", ""),
    ("", "<table>\n", ""),
    ("<html>", "<div>", ""),
    ("<html>", "<p>", ""),
    ("<html>", "<b>", ""),
    ("<html>", "<details><summary>a", ""),
    ("<html><table>", "<tr><td>", ""),
    ("<html><table><tr>", "<td>1", ""),
    ("<html><table><tr>", "<td rowspan=999 colspan=999>1</td>", "</tr></table>"),
    ("<html><table>", "<tr><td rowspan=0>1", "</table>"),
    ("<html>", "<!--", ""),
    ("<html><div ", "a=\"", ">"),
    ("<html>", "</p></td><a href=x>", ""),
    ("", "a <!-- b\n", ""),
    ("", "a <!-- b --> ", ""),
    ("", "{/* a\n", ""),
    ("", "- a\n  - b\n", ""),
    ("", "- a: 30/min\n", ""),
    ("", "- a. 30 RPM\n", ""),
    ("", "- a ( ", ""),
    ("| Model | ", "RPM / ", "|\n|---|---|\n| a-1 | 30 |\n"),
    ("| Model | RPM |\n|---|---|\n| a-1 | ", "30 / ", "|\n"),
    ("| Model | RPM |\n|---|---|\n| a-1 | ", "1 000 ", "|\n"),
    ("| Model | RPM |\n|---|---|\n| a-1 | ", "30 RPM (", "|\n"),
    ("| Model | RPM | X |\n|---|---|---|\n| a-1 | 30 | x |\n", "| a-1 | 40 | y |\n", ""),
    ("<html><dl>", "<dt>a", ""),
    ("<html><dl><dt>a", "<dd>30 RPM", ""),
    ("<html>", "<ul><li>a", ""),
    ("<html><div role=table>", "<div role=row><div role=cell>30</div></div>", "</div>"),
    ("<html>", "<div role=row>", ""),
    ("<html><select>", "<option>Free<option>Pro", ""),
    ("::: tabs\n", "@tab Free\n", ""),
    ("† Paid only\n\n| Model | RPM |\n|---|---|\n", "| a-1* | 30† |\n", ""),
    ("", "These limits apply to the Pro plan.\n\n- a-1: 30 RPM\n\n", ""),
    ("# ", "from 1 ", "\n\n- 30 RPM\n"),
];

#[test]
fn json_is_mended_in_linear_time() {
    hold(properties::repair, &JSON, LESS);
}

#[test]
fn streams_are_read_in_linear_time() {
    hold(properties::stream, &STREAMS, USUAL);
}

#[test]
fn requests_are_read_in_linear_time() {
    hold(properties::request, &JSON, USUAL);
    hold(properties::request, &REQUESTS, USUAL);
}

#[test]
fn refusals_are_read_in_linear_time() {
    hold(properties::refusal, &REFUSALS, USUAL);
    hold(properties::headers, &HEADERS, LESS);
}

#[test]
fn catalogues_are_read_in_linear_time() {
    hold(properties::catalogue, &CATALOGUES, USUAL);
}

#[test]
fn pages_are_read_in_linear_time() {
    hold(properties::page, &PAGES, LESS);
}

fn hold(property: Property, shapes: &[Shape], size: usize) {
    let is_linear = |shape: &Shape| {
        let (small, large) = (time(property, shape, size), time(property, shape, 10 * size));
        (large <= small * MOST_TIMES + NOISE && large <= MOST).then_some(()).ok_or((small, large))
    };
    let mut wrong = Vec::new();
    for shape in shapes {
        let mut tries = (0..TRIES).map(|_| is_linear(shape));
        let mut slow = tries.next().expect("one try").err();
        while slow.is_some()
            && let Some(next) = tries.next()
        {
            slow = next.err();
        }
        wrong.extend(slow.map(|times| format!("{shape:?}: {times:?}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

fn time(property: Property, (head, middle, end): &Shape, size: usize) -> Duration {
    let input = [head, middle.repeat(size / middle.len()).as_str(), end].concat();
    let started = Instant::now();
    property(input.as_bytes());
    started.elapsed()
}

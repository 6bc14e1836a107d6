//! Takes out of a text what differs from run to run, without moving what stands beside it.

use super::Command;

/// The text with paths, versions, times, digests, ports and keys replaced; as wide as it was where it stands in a column.
pub fn redacted(text: &str, home: &Command) -> String {
    let folder = home.path("").display().to_string();
    let text = text.replace(folder.trim_end_matches('/'), "~").replace(env!("CARGO_PKG_VERSION"), "VERSION");
    let text = without_commit(&text.replace(&relay::config::platform(), "PLATFORM"));
    // The shipped providers, which the harness switches off, are more with each release.
    let lines =
        text.lines().filter(|line| !line.contains("it says `enabled = false`") || line.starts_with('{')).map(|line| {
            let line = if line.starts_with(['{', '[']) { json(line) } else { times_of_a_check(line) };
            spans(&words(&line)) + "\n"
        });
    lines.collect()
}

/// The version alone: without git there is no commit to name, and one may be all digits.
fn without_commit(text: &str) -> String {
    let mut parts = text.split("VERSION (");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.push_str("VERSION");
        match part.split_once(')') {
            Some((commit, rest)) if commit.trim_end_matches("-dirty").chars().all(|c| c.is_ascii_hexdigit()) => {
                whole.push_str(rest);
            }
            _ => whole.push_str(&format!(" ({part}")),
        }
    }
    whole
}

/// A document in lines, so that a difference can be read, without its moments and measured times.
fn json(line: &str) -> String {
    let Ok(mut document) = serde_json::from_str(line) else { return line.to_owned() };
    measured(&mut document);
    serde_json::to_string_pretty(&document).expect("it was JSON")
}

fn measured(value: &mut serde_json::Value) {
    match value {
        serde_json::Value::Object(fields) => {
            for (name, field) in fields.iter_mut() {
                if field.is_number() && (name.ends_with("_ms") || name == "price" || name == "wait" || name == "quota")
                {
                    *field = "NUMBER".into();
                } else {
                    measured(field);
                }
            }
        }
        serde_json::Value::Array(items) => {
            items.retain(|item| item["state"] != "disabled");
            items.iter_mut().for_each(measured);
        }
        _ => {}
    }
}

/// Measured milliseconds of a row of `check-models`, which has no header to tell them by.
fn times_of_a_check(line: &str) -> String {
    let cells: Vec<&str> = line.split('\t').collect();
    let is_time = |index: usize| (3..=4).contains(&index) && cells.len() == 11 && cells[index].parse::<u64>().is_ok();
    let cells = cells.iter().enumerate().map(|(index, cell)| if is_time(index) { "MS" } else { cell });
    cells.collect::<Vec<_>>().join("\t")
}

/// Moments, dates, digests, commits and ports, each a word or a part of one.
fn words(line: &str) -> String {
    let mut text = String::new();
    for piece in line.split_inclusive(|c: char| c.is_whitespace() || "\"(),".contains(c)) {
        let word = piece.trim_end_matches(|c: char| c.is_whitespace() || "\"(),".contains(c));
        text.push_str(&word_without(word));
        text.push_str(&piece[word.len()..]);
    }
    text
}

fn word_without(word: &str) -> String {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let is_hex = word.chars().all(|c| c.is_ascii_hexdigit()) && word.chars().any(|c| c.is_ascii_digit());
    match () {
        () if shape.starts_with("0000-00-00T00:00:00") => "MOMENT".to_owned(),
        () if shape == "0000-00-00" && word > "2026-11-01" => "YYYY-MM-DD".to_owned(),
        () if ["00:00:00", "00:00", "00:00:", "~00:00."].contains(&shape.as_str()) => shape,
        () if is_hex && word.len() >= 7 && word.chars().any(|c| c.is_ascii_lowercase()) => "HEX".to_owned(),
        () if word.len() > 8
            && word.ends_with('…')
            && word.trim_end_matches('…').chars().all(|c| c.is_ascii_hexdigit()) =>
        {
            "HEX…".to_owned()
        }
        () if word.starts_with('…') && word.chars().count() == 5 => "…LAST".to_owned(),
        () if word.contains("127.0.0.1:") && !word.ends_with(":8000") => {
            let (before, port) = word.split_once("127.0.0.1:").expect("it is there");
            format!("{before}127.0.0.1:PORT{}", port.trim_start_matches(|c: char| c.is_ascii_digit()))
        }
        () => word.to_owned(),
    }
}

/// Spans of time: `3h12m`, `41s`, `212ms`, `1.1s`. In a column the blanks beside one make up for its length.
fn spans(line: &str) -> String {
    let mut text = String::new();
    let mut rest = line;
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit()) {
        let length =
            rest[start..].find(|c: char| !(c.is_ascii_alphanumeric() || c == '.')).unwrap_or(rest.len() - start);
        let (before, word, after) = (&rest[..start], &rest[start..start + length], &rest[start + length..]);
        let own = word.trim_end_matches('.');
        let is_part = before.ends_with(|c: char| c.is_alphanumeric() || "-_/\"".contains(c));
        // A default is always the same.
        if is_span(own) && !is_part && !before.ends_with("default: ") {
            let (blanks_before, blanks_after) = (trailing(before), leading(after));
            let kept = &before[..before.len() - blanks_before];
            let column = blanks_before >= 2 || kept.is_empty();
            let width = |blanks: usize| (blanks + own.len()).saturating_sub("TIME".len());
            text.push_str(kept);
            text.push_str(&" ".repeat(if column { width(blanks_before) } else { blanks_before }));
            text.push_str("TIME");
            text.push_str(&word[own.len()..]);
            if !column && blanks_after >= 2 {
                text.push_str(&" ".repeat(width(blanks_after)));
                rest = &after[blanks_after..];
            } else {
                rest = after;
            }
        } else {
            text.push_str(before);
            text.push_str(word);
            rest = after;
        }
    }
    text + rest
}

fn trailing(text: &str) -> usize {
    text.len() - text.trim_end_matches(' ').len()
}

fn leading(text: &str) -> usize {
    text.len() - text.trim_start_matches(' ').len()
}

fn is_span(word: &str) -> bool {
    let shape: String = word.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect();
    let shape = shape.replace("000", "0").replace("00", "0");
    ["0s", "0ms", "0.0s", "0m0s", "0h0m", "0d"].contains(&shape.as_str())
}

//! The words, numbers and quotes of what should be JSON, as models write them.

pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// The word that JSON has for this one. One that broke off with the text is told by its beginning.
pub fn literal(word: &str, broke_off: bool) -> Option<&'static str> {
    match word {
        "true" | "True" | "TRUE" => Some("true"),
        "false" | "False" | "FALSE" => Some("false"),
        "null" | "None" | "nil" | "NULL" | "undefined" | "NaN" | "Infinity" | "-Infinity" => Some("null"),
        part if broke_off && part.len() > 1 => {
            ["true", "false", "null"].into_iter().find(|whole| whole.starts_with(part))
        }
        _ => None,
    }
}

/// Whether this can follow a comma: another value, a name, an end. Words alone are the rest of a sentence.
pub fn follows_comma(rest: &str) -> bool {
    let Some(c) = rest.chars().next() else { return true };
    let is_value = closing_quotes(c).is_some()
        || c.is_ascii_digit()
        || matches!(c, '{' | '[' | '}' | ']' | '-' | ',' | '/' | '.' | '…' | '#');
    let is_word = ["true", "false", "null", "True", "False", "None", "undefined", "NaN"]
        .iter()
        .any(|word| rest.starts_with(word));
    is_value || is_word || begins_member(rest)
}

/// Whether a name and its colon stand here.
pub fn begins_member(rest: &str) -> bool {
    let quote = rest.chars().next().filter(|c| closing_quotes(*c).is_some());
    // One quote and no more: of a run of them each would read the rest again.
    let name = quote.and_then(|quote| rest.strip_prefix(quote)).unwrap_or(rest);
    let end =
        name.find(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '$' | '.' | ' '))).unwrap_or(name.len());
    let is_name = end > 0 && (quote.is_some() || !name[..end].contains(' '));
    let closing = quote.and_then(closing_quotes).unwrap_or_default();
    let behind = name[end..].strip_prefix(closing).unwrap_or(&name[end..]).trim_start();
    is_name && behind.starts_with(':')
}

/// The quotes that end what this one begins.
pub const fn closing_quotes(quote: char) -> Option<&'static [char]> {
    match quote {
        '"' => Some(&['"']),
        '\'' => Some(&['\'']),
        '`' => Some(&['`']),
        '“' | '”' | '„' => Some(&['“', '”', '"']),
        '‘' | '’' => Some(&['‘', '’', '\'']),
        '«' => Some(&['»']),
        _ => None,
    }
}

pub fn push_escaped(c: char, out: &mut String) {
    match c {
        '"' => out.push_str("\\\""),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if c < ' ' => out.push_str(&format!("\\u{:04x}", u32::from(c))),
        c => out.push(c),
    }
}

pub fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A number as JSON writes it, digit by digit the same; `None` where it is none.
pub fn number_of(text: &str) -> Option<String> {
    let is_number = |text: &str| is_json(text) && !text.starts_with('"');
    if is_number(text) {
        return Some(text.to_owned());
    }
    if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        return u64::from_str_radix(hex, 16).ok().map(|number| number.to_string());
    }
    let (sign, digits) = text.strip_prefix('-').map_or(("", text.trim_start_matches('+')), |digits| ("-", digits));
    let digits = &digits.replace('_', "");
    let whole = if digits.starts_with('.') { format!("{sign}0{digits}") } else { format!("{sign}{digits}") };
    let mended = whole.strip_suffix('.').unwrap_or(&whole).to_owned();
    is_number(&mended).then_some(mended)
}

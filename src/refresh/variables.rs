//! Values that an MDX page exports, put in where its text names them.

use std::collections::HashMap;

/// By name, `NAME` or `OBJECT.key`; none where a name has two values or one that is no literal.
#[derive(Debug, Default)]
pub struct Variables(HashMap<String, Option<String>>);

/// Where a page's lines stand in an export.
#[derive(Debug, Default)]
pub struct Export {
    object: Option<String>,
    depth: usize,
}

impl Variables {
    /// Takes a line that is part of an export; whether it was.
    pub fn take(&mut self, line: &str, export: &mut Option<Export>) -> bool {
        let trimmed = line.trim();
        if let Some(open) = export {
            if open.depth == 1 {
                self.take_key(trimmed, open.object.as_deref());
            }
            open.depth = depth_after(open.depth, line);
            if open.depth == 0 || line.starts_with('}') {
                *export = None;
            }
            return true;
        }
        let Some(rest) = trimmed.strip_prefix("export ") else { return false };
        let named = ["const ", "let ", "var "]
            .iter()
            .find_map(|word| rest.strip_prefix(word))
            .and_then(|rest| rest.split_once('='));
        let depth = depth_after(0, line);
        match named {
            Some((name, value)) if depth == 0 => {
                if let Some(inner) =
                    value.trim().trim_end_matches(';').strip_prefix('{').and_then(|v| v.strip_suffix('}'))
                {
                    inner.split(',').for_each(|pair| self.take_key(pair, Some(name.trim())));
                } else {
                    self.set(name.trim().to_owned(), literal(value));
                }
            }
            Some((name, _)) => *export = Some(Export { object: Some(name.trim().to_owned()), depth }),
            None if depth > 0 => *export = Some(Export { object: None, depth }),
            None => {}
        }
        true
    }

    fn take_key(&mut self, line: &str, object: Option<&str>) {
        if let (Some(object), Some((key, value))) = (object, line.split_once(':')) {
            let key = key.trim().trim_matches(['"', '\'']);
            if is_name(key) {
                self.set(format!("{object}.{key}"), literal(value));
            }
        }
    }

    fn set(&mut self, name: String, value: Option<String>) {
        let name = name.split(':').next().unwrap_or_default().trim().to_owned();
        self.0
            .entry(name)
            .and_modify(|known| *known = known.take().filter(|known| Some(known) == value.as_ref()))
            .or_insert(value);
    }

    /// The line with every `{NAME}` that has a value replaced by it; the others stay as they are.
    pub fn fill(&self, line: &str) -> String {
        let mut filled = String::with_capacity(line.len());
        let mut rest = line;
        while let Some(open) = rest.find('{') {
            let inside = &rest[open + 1..];
            let end = inside.find(['{', '}']).filter(|end| inside[*end..].starts_with('}') && *end <= 100);
            let value = end.and_then(|end| self.value(inside[..end].trim()));
            filled.push_str(&rest[..open]);
            match (value, end) {
                (Some(value), Some(end)) => {
                    filled.push_str(&value);
                    rest = &inside[end + 1..];
                }
                _ => {
                    filled.push('{');
                    rest = inside;
                }
            }
        }
        filled + rest
    }

    fn value(&self, expression: &str) -> Option<String> {
        let name = expression.strip_suffix(".toLocaleString()").unwrap_or(expression);
        match self.0.get(name) {
            Some(value) => value.clone(),
            None => literal(expression),
        }
    }
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
}

/// A number or a quoted text.
fn literal(value: &str) -> Option<String> {
    let value = value.split(" //").next().unwrap_or_default().trim().trim_end_matches([';', ',']).trim();
    let number = value.replace('_', "");
    if !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit()) {
        return Some(number);
    }
    ['"', '\'', '`'].into_iter().find_map(|quote| {
        let inside = value.strip_prefix(quote)?.strip_suffix(quote)?;
        (!inside.contains([quote, '$', '\\'])).then(|| inside.to_owned())
    })
}

/// How many brackets are open after a line.
fn depth_after(depth: usize, line: &str) -> usize {
    line.bytes().fold(depth, |depth, byte| match byte {
        b'{' | b'(' | b'[' => depth + 1,
        b'}' | b')' | b']' => depth.saturating_sub(1),
        _ => depth,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exported_values_are_put_in_and_unknown_ones_stay() {
        let mut variables = Variables::default();
        let mut export = None;
        let page = "export const RPM = 20; // a minute\nexport const Plan = {\n  Free: 'free',\n  Other: f(),\n};\nexport const RPM2 = 7;\n\
                    export const RPM2 = 8;\nexport const T = ({a}) => {\n  return 5;\n};\ntext";
        let taken: Vec<bool> = page.lines().map(|line| variables.take(line, &mut export)).collect();
        assert_eq!(taken.iter().filter(|taken| **taken).count(), 10);
        assert_eq!(
            variables.fill("{RPM} and :{Plan.Free}, {Plan.Other} {RPM2} {NONE} {30}"),
            "20 and :free, {Plan.Other} {RPM2} {NONE} 30"
        );
    }
}

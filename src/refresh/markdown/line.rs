//! What a single line of markdown is: a heading, an item, a fence, a row of a table.

/// Whether the line belongs to a fenced block of code, its fences among them.
pub fn is_fenced(line: &str, fence: &mut Option<String>) -> bool {
    let trimmed = line.trim_start();
    let mark: String = trimmed.chars().take_while(|c| *c == '`' || *c == '~').collect();
    match fence {
        Some(open) => {
            let closes = mark.starts_with(open.as_str()) && trimmed[mark.len()..].trim().is_empty();
            if closes {
                *fence = None;
            }
            true
        }
        None if mark.len() >= 3 && !trimmed[mark.len()..].contains('`') => {
            *fence = Some(mark);
            true
        }
        None => false,
    }
}

pub fn heading(line: &str) -> Option<(u8, &str)> {
    let level = line.len() - line.trim_start_matches('#').len();
    if (1..=6).contains(&level) && line[level..].starts_with([' ', '\t']) {
        let title = line[level..].trim().trim_end_matches('#').trim_end();
        let title = title.rsplit_once("{#").map_or(title, |(title, _)| title);
        return Some((u8::try_from(level).ok()?, title));
    }
    // A component that says it is a heading: `<SectionTab as="h2" …>Title</SectionTab>`, `<h2>Title</h2>`.
    let tag = line.strip_prefix('<')?;
    let (inside, rest) = tag.split_once('>')?;
    let named = inside.split_once("as=\"h").map_or_else(|| inside.strip_prefix('h'), |(_, rest)| Some(rest))?;
    let level = named.chars().next()?.to_digit(10).filter(|level| (1..=6).contains(level))?;
    let title = rest.rsplit_once("</").map_or(rest, |(title, _)| title);
    Some((u8::try_from(level).ok()?, title))
}

pub fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 3 && ['=', '-', '*', '_'].iter().any(|mark| line.chars().all(|c| c == *mark || c == ' '))
}

/// The text of a list's item.
pub fn item(line: &str) -> Option<&str> {
    let trimmed = line.trim_start();
    let rest = match trimmed.strip_prefix(['-', '*', '+', '•']) {
        Some(rest) => rest,
        None => {
            let digits = trimmed.bytes().take_while(u8::is_ascii_digit).count();
            trimmed[digits..].strip_prefix(['.', ')']).filter(|_| (1..=3).contains(&digits))?
        }
    };
    rest.starts_with([' ', '\t']).then(|| rest.trim())
}

/// Whether a line is what stands between the head of a table and its body.
pub fn is_delimiter(line: &str) -> bool {
    let line = line.trim_start().trim_start_matches('>').trim();
    line.contains('-') && line.contains('|') && line.chars().all(|c| matches!(c, '|' | '-' | ':' | ' ' | '\t'))
}

/// The cells between the pipes of a row. A pipe in code, or behind a backslash, is text.
pub fn cells(line: &str) -> Vec<String> {
    let line = line.trim();
    let line = line.strip_prefix('|').unwrap_or(line);
    let mut cells = vec![String::new()];
    let mut is_code = false;
    let mut chars = line.chars().peekable();
    while let Some(next) = chars.next() {
        let cell = cells.last_mut().expect("there is always a cell");
        match next {
            '\\' if chars.peek() == Some(&'|') => cell.extend(chars.next()),
            '|' if !is_code || !chars.clone().take(512).any(|c| c == '`') => {
                is_code = false;
                cells.push(String::new());
            }
            _ => {
                is_code ^= next == '`';
                cell.push(next);
            }
        }
    }
    if line.ends_with('|') {
        cells.pop();
    }
    cells.into_iter().map(|cell| cell.trim().to_owned()).collect()
}

/// How far a line is indented.
pub fn indent(line: &str) -> usize {
    line.chars().take_while(|c| c.is_whitespace()).map(|c| if c == '\t' { 4 } else { 1 }).sum()
}

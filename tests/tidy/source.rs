//! The sources as the tidy rules see them: files of `src/` with comments, strings and tests blanked out.

use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

/// A file of `src/`, its tests apart.
pub struct Source {
    /// As in `src/chat/fault.rs`.
    pub name: String,
    /// The module below the crate it belongs to, as in `chat`.
    pub module: String,
    pub text: String,
    /// Comments and tests blanked out; every byte stays at its place.
    pub without_comments: String,
    /// The contents of strings blanked out as well.
    pub code: String,
    pub test_lines: usize,
    /// Every path the code names: imports spelled out, and paths as they stand.
    paths: Vec<String>,
}

impl Source {
    pub fn read(path: &Path) -> Self {
        let text = read(path);
        let (mut without_comments, mut code) = (blank(&text, false), blank(&text, true));
        let mut test_lines = 0;
        for region in test_regions(&code) {
            test_lines += text[region.clone()].lines().count();
            let blanked: String =
                text[region.clone()].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect();
            without_comments.replace_range(region.clone(), &blanked);
            code.replace_range(region, &blanked);
        }
        let name = path.to_string_lossy().replace('\\', "/");
        let module = name.trim_start_matches("src/").split('/').next().unwrap_or_default();
        let module = module.trim_end_matches(".rs").to_owned();
        let paths = paths(&code);
        Self { name, module, text, without_comments, code, test_lines, paths }
    }

    pub fn mentions(&self, banned: &str) -> bool {
        let below = format!("{banned}::");
        self.paths.iter().any(|path| path == banned || path.starts_with(&below))
    }

    /// The crate's modules this file names, by `crate::` or by as many `super::` as lead there.
    pub fn crate_targets(&self) -> Vec<String> {
        let below_src = self.name.trim_start_matches("src/").trim_end_matches("/mod.rs");
        let to_crate = "super::".repeat(below_src.split('/').count());
        let mut targets: Vec<String> = self
            .paths
            .iter()
            .filter_map(|path| path.strip_prefix("crate::").or_else(|| path.strip_prefix(&to_crate)))
            .filter_map(|path| path.split("::").next().map(str::to_owned))
            .collect();
        targets.sort();
        targets.dedup();
        targets
    }

    /// Line, name and length of every function with a body.
    pub fn functions(&self) -> Vec<(usize, String, usize)> {
        let mut functions = Vec::new();
        let mut from = 0;
        while let Some(start) = find_word(&self.code[from..], "fn").map(|start| from + start) {
            from = start + 2;
            let name: String =
                self.code[from..].trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
            let Some(body) = body_after(&self.code, from).filter(|_| !name.is_empty()) else { continue };
            let length = self.code[start..body.end].matches('\n').count() + 1;
            functions.push((line_of(&self.code, start), name, length));
        }
        functions
    }

    /// Line and kind of every item at the top of the file.
    pub fn items(&self) -> Vec<(usize, String)> {
        let mut depth = 0_usize;
        let mut items = Vec::new();
        let mut begins = true;
        for (number, line) in (1..).zip(self.code.lines()) {
            let is_item = depth == 0 && begins && !line.trim().is_empty() && !line.starts_with('#');
            if is_item {
                let words = line.split(|c: char| !(c.is_alphanumeric() || c == '_')).filter(|word| !word.is_empty());
                let qualifiers = ["pub", "crate", "super", "async", "unsafe", "extern"];
                let mut words = words.skip_while(|word| qualifiers.contains(word));
                let kind = match (words.next(), words.next()) {
                    (Some("const"), Some("fn")) => "fn",
                    (kind, _) => kind.unwrap_or_default(),
                };
                items.push((number, kind.to_owned()));
            }
            for byte in line.bytes() {
                match byte {
                    b'{' | b'(' | b'[' => depth += 1,
                    b'}' | b')' | b']' => depth = depth.saturating_sub(1),
                    _ => {}
                }
            }
            begins = line.trim().is_empty() || line.trim_end().ends_with([';', '}', ']']);
        }
        items
    }
}

pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

pub fn read(path: impl AsRef<Path>) -> String {
    let path = path.as_ref();
    fs::read_to_string(root().join(path)).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

pub fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Files below `folder`, relative to the project, in order.
pub fn files(folder: &Path, ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(root().join(folder)).expect("the folder exists").flatten() {
        let path = folder.join(entry.file_name());
        if entry.path().is_dir() {
            found.extend(files(&path, ending));
        } else if path.extension().is_some_and(|extension| extension == ending) {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The files of `src/` that are no tests, read once.
pub fn sources() -> &'static [Source] {
    static SOURCES: OnceLock<Vec<Source>> = OnceLock::new();
    let is_test = |path: &Path| path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
    SOURCES.get_or_init(|| {
        files(Path::new("src"), "rs").iter().filter(|path| !is_test(path)).map(|path| Source::read(path)).collect()
    })
}

/// Every path the code names: imports spelled out, and paths as they stand.
fn paths(code: &str) -> Vec<String> {
    let mut paths = Vec::new();
    let mut rest = code;
    while let Some(start) = find_word(rest, "use") {
        collect_words(&rest[..start], &mut paths);
        let end = rest[start..].find(';').map_or(rest.len(), |end| start + end);
        let tree: String = rest[start + 3..end].split_whitespace().collect::<Vec<_>>().join(" ");
        spell_out("", &tree, &mut paths);
        rest = &rest[end..];
    }
    collect_words(rest, &mut paths);
    paths
}

/// Where `word` stands alone.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || c == '_';
    text.match_indices(word)
        .map(|(at, _)| at)
        .find(|at| !text[..*at].ends_with(is_part) && !text[at + word.len()..].starts_with(is_part))
}

fn collect_words(code: &str, into: &mut Vec<String>) {
    let words = code.split(|c: char| !(c.is_alphanumeric() || c == '_' || c == ':')).map(|word| word.trim_matches(':'));
    into.extend(words.filter(|word| !word.is_empty()).map(str::to_owned));
}

/// `a::{b, c::{d}}` as `a::b` and `a::c::d`.
fn spell_out(prefix: &str, tree: &str, into: &mut Vec<String>) {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let path = tree.split(" as ").next().unwrap_or_default();
        return into.push(format!("{prefix}{path}").trim_end_matches("::self").to_owned());
    };
    let prefix = format!("{prefix}{}", &tree[..open]);
    let (mut depth, mut start) = (0_usize, open + 1);
    for (at, c) in tree.char_indices().skip_while(|(at, _)| *at <= open) {
        match c {
            '{' => depth += 1,
            '}' | ',' if depth == 0 => {
                if !tree[start..at].trim().is_empty() {
                    spell_out(&prefix, &tree[start..at], into);
                }
                start = at + 1;
            }
            '}' => depth -= 1,
            _ => {}
        }
    }
}

/// The braces that follow, unless the item ends before any.
fn body_after(code: &str, from: usize) -> Option<Range<usize>> {
    let (mut round, mut curly, mut start) = (0_usize, 0_usize, None);
    for (at, c) in code[from..].char_indices() {
        match c {
            '(' | '[' => round += 1,
            ')' | ']' => round = round.saturating_sub(1),
            ';' if round == 0 && start.is_none() => return None,
            '{' if round == 0 || start.is_some() => {
                start.get_or_insert(from + at);
                curly += 1;
            }
            '}' if start.is_some() => {
                curly -= 1;
                if curly == 0 {
                    return start.map(|start| start..from + at + 1);
                }
            }
            _ => {}
        }
    }
    None
}

/// Everything under `#[cfg(test)]`, to the end of its item.
fn test_regions(code: &str) -> Vec<Range<usize>> {
    let mut regions: Vec<Range<usize>> = Vec::new();
    for (start, marker) in code.match_indices("#[cfg(test)]") {
        let from = start + marker.len();
        let end = body_after(code, from).map(|body| body.end).or_else(|| Some(from + code[from..].find(';')? + 1));
        if regions.last().is_none_or(|last| last.end <= start) {
            regions.push(start..end.unwrap_or(code.len()));
        }
    }
    regions
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The text with its comments (and strings) as spaces, byte for byte at its place.
fn blank(text: &str, strings: bool) -> String {
    let mut blanked = text.as_bytes().to_vec();
    let mut at = 0;
    while at < text.len() {
        let (end, is_comment) = match token(&text[at..], text[..at].chars().next_back()) {
            Token::Comment(length) => (at + length, true),
            Token::Literal(length) => (at + length, false),
            Token::Other(length) => {
                at += length;
                continue;
            }
        };
        if is_comment || strings {
            blanked[at..end].iter_mut().filter(|byte| **byte != b'\n').for_each(|byte| *byte = b' ');
        }
        at = end;
    }
    String::from_utf8(blanked).expect("whole characters were blanked")
}

/// What stands at the beginning of a text, with its length in bytes.
enum Token {
    Comment(usize),
    Literal(usize),
    Other(usize),
}

fn token(text: &str, before: Option<char>) -> Token {
    let first = text.chars().next().map_or(1, char::len_utf8);
    let to = |end: &str, from: usize| text[from..].find(end).map_or(text.len(), |found| from + found + end.len());
    if text.starts_with("//") {
        return Token::Comment(text.find('\n').unwrap_or(text.len()));
    }
    if text.starts_with("/*") {
        return Token::Comment(to("*/", 2));
    }
    let starts_a_word = !before.is_some_and(|c| c.is_alphanumeric() || c == '_');
    let raw = text.trim_start_matches(['b', 'c']).strip_prefix('r').filter(|_| starts_a_word);
    if let Some(rest) = raw {
        let hashes = rest.len() - rest.trim_start_matches('#').len();
        if rest[hashes..].starts_with('"') {
            let opening = text.len() - rest.len() + hashes + 1;
            return Token::Literal(to(&format!("\"{}", "#".repeat(hashes)), opening));
        }
    }
    if text.starts_with('"') {
        let mut escaped = false;
        let end = text.char_indices().skip(1).find(|(_, c)| {
            let ends = *c == '"' && !escaped;
            escaped = *c == '\\' && !escaped;
            ends
        });
        return Token::Literal(end.map_or(text.len(), |(at, _)| at + 1));
    }
    if let Some(rest) = text.strip_prefix('\'') {
        let mut inner = rest.chars();
        let content = inner.next().unwrap_or(' ');
        if content == '\\' {
            return Token::Literal(to("'", 3));
        }
        if inner.next() == Some('\'') {
            return Token::Literal(content.len_utf8() + 2);
        }
    }
    Token::Other(first)
}

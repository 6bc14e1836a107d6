//! Reads a TOML table key by key and remembers every mistake with its file and line, unknown keys among them.

use std::cell::RefCell;
use std::fmt;
use std::time::Duration;

use toml_edit::{Document, Item, TableLike, Value};

use crate::quota::signal;

/// One mistake in a file the user or the project wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub file: String,
    /// Counted from 1.
    pub line: Option<usize>,
    pub message: String,
    pub hint: Option<String>,
    /// The only provider it concerns: the others can do without this one.
    pub provider: Option<String>,
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(out, ":{line}")?;
        }
        write!(out, ": {}", self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(out, " ({hint})"))
    }
}

/// All mistakes found so far.
#[derive(Debug, Default)]
pub struct Problems(RefCell<Vec<Problem>>);

impl Problems {
    pub fn add(&self, problem: Problem) {
        self.0.borrow_mut().push(problem);
    }

    /// Whether a mistake concerns this provider alone.
    pub fn is_about(&self, provider: &str) -> bool {
        self.0.borrow().iter().any(|problem| problem.provider.as_deref() == Some(provider))
    }

    pub fn into_list(self) -> Vec<Problem> {
        self.0.into_inner()
    }
}

/// A file being read: its name, its text, and where mistakes go.
#[derive(Clone, Copy)]
pub struct File<'a> {
    pub name: &'a str,
    pub text: &'a str,
    /// The provider that all of the file is about.
    pub provider: Option<&'a str>,
    pub problems: &'a Problems,
}

impl File<'_> {
    /// Hands the file's top table to `read`. A syntax error is the file's only problem.
    pub fn read<T>(self, read: impl FnOnce(&mut Reader<'_>) -> T) -> Option<T> {
        match Document::parse(self.text) {
            Ok(document) => {
                let mut reader = Reader {
                    file: self,
                    table: document.as_table(),
                    path: String::new(),
                    provider: self.provider.map(str::to_owned),
                    known: Vec::new(),
                    free_keys: false,
                };
                let value = read(&mut reader);
                reader.refuse_unknown();
                Some(value)
            }
            Err(error) => {
                let message = error.message().trim_end().replace('\n', ", ");
                self.problem(error.span().map(|span| span.start), message, None, self.provider);
                None
            }
        }
    }

    fn problem(&self, at: Option<usize>, message: String, hint: Option<String>, provider: Option<&str>) {
        let line =
            at.map(|at| memchr::memchr_iter(b'\n', &self.text.as_bytes()[..at.min(self.text.len())]).count() + 1);
        let provider = provider.map(str::to_owned);
        self.problems.add(Problem { file: self.name.to_owned(), line, message, hint, provider });
    }
}

/// One table of a file. Keys that were never asked for are mistakes.
pub struct Reader<'a> {
    file: File<'a>,
    table: &'a dyn TableLike,
    path: String,
    /// The provider that this table is about.
    provider: Option<String>,
    known: Vec<&'static str>,
    /// Keys are names of the user's own choosing; none is unknown.
    free_keys: bool,
}

impl<'a> Reader<'a> {
    fn item(&mut self, key: &'static str) -> Option<&'a Item> {
        self.known.push(key);
        self.table.get(key)
    }

    fn at(&self, key: &str) -> Option<usize> {
        let (key, item) = self.table.get_key_value(key)?;
        key.span().or_else(|| item.span()).map(|span| span.start)
    }

    pub fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Records a mistake at `key`.
    pub fn problem(&self, key: &str, message: impl fmt::Display, hint: Option<String>) {
        self.file.problem(self.at(key), format!("`{}{key}` {message}", self.path), hint, self.provider.as_deref());
    }

    fn value<T>(
        &mut self,
        key: &'static str,
        expected: &str,
        convert: impl FnOnce(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let item = self.item(key)?;
        let value = item.as_value().and_then(convert);
        if value.is_none() {
            self.problem(key, format_args!("must be {expected}"), None);
        }
        value
    }

    pub fn text(&mut self, key: &'static str) -> Option<String> {
        self.value(key, "a text in quotes", |value| value.as_str().map(str::to_owned))
    }

    pub fn flag(&mut self, key: &'static str) -> Option<bool> {
        self.value(key, "true or false", Value::as_bool)
    }

    pub fn count(&mut self, key: &'static str) -> Option<u64> {
        self.value(key, "a whole number, zero or more", |value| u64::try_from(value.as_integer()?).ok())
    }

    pub fn integer(&mut self, key: &'static str) -> Option<i64> {
        self.value(key, "a whole number", Value::as_integer)
    }

    /// A number between two others.
    pub fn number(&mut self, key: &'static str, least: f64, most: f64) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "who writes a whole number writes a small one")]
        let read = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
        self.value(key, &format!("a number from {least} to {most}"), |value| {
            read(value).filter(|number| (least..=most).contains(number))
        })
    }

    pub fn duration(&mut self, key: &'static str) -> Option<Duration> {
        self.value(key, "a duration such as \"90s\", \"500ms\" or \"2h\"", |value| parse_duration(value.as_str()?))
    }

    /// A duration within which something has to happen: none at all would let nothing happen.
    pub fn time_out(&mut self, key: &'static str) -> Option<Duration> {
        self.value(key, "a duration longer than zero, such as \"90s\", \"500ms\" or \"2h\"", |value| {
            parse_duration(value.as_str()?).filter(|duration| !duration.is_zero())
        })
    }

    pub fn texts(&mut self, key: &'static str) -> Option<Vec<String>> {
        self.value(key, "a list of texts", |value| {
            value.as_array()?.iter().map(|value| value.as_str().map(str::to_owned)).collect()
        })
    }

    pub fn date(&mut self, key: &'static str) -> Option<jiff::civil::Date> {
        self.value(key, "a date such as 2026-10-09", |value| value.as_datetime()?.date?.to_string().parse().ok())
    }

    /// One of `choices`, by name.
    pub fn choice<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<T> {
        let text = self.text(key)?;
        self.pick(key, &text, choices)
    }

    pub fn choices<T: Copy>(&mut self, key: &'static str, choices: &[(&str, T)]) -> Option<Vec<T>> {
        let texts = self.texts(key)?;
        texts.iter().map(|text| self.pick(key, text, choices)).collect()
    }

    fn pick<T: Copy>(&self, key: &str, text: &str, choices: &[(&str, T)]) -> Option<T> {
        let found = choices.iter().find(|(name, _)| *name == text).map(|(_, value)| *value);
        if found.is_none() {
            let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
            self.problem(
                key,
                format_args!("is `{text}`; it must be one of: {}", names.join(", ")),
                close(text, names.iter().copied()),
            );
        }
        found
    }

    /// Values by free keys, such as `rename = { from = "to" }`, each made by `convert`.
    pub fn pairs(
        &mut self,
        key: &'static str,
        expected: &str,
        convert: impl Fn(&Value) -> Option<String>,
    ) -> Option<Vec<(String, String)>> {
        let table = self.table_of(key)?;
        Some(self.nested(table, format!("{}{key}.", self.path), |reader| reader.all_pairs(expected, convert)))
    }

    /// Every key of this table with its value made by `convert`.
    pub fn all_pairs(&mut self, expected: &str, convert: impl Fn(&Value) -> Option<String>) -> Vec<(String, String)> {
        self.free_keys = true;
        let mut pairs = Vec::new();
        for (name, item) in self.table.iter() {
            match item.as_value().and_then(&convert) {
                Some(value) => pairs.push((name.to_owned(), value)),
                None => self.problem(name, format_args!("is not as expected: this table holds {expected}"), None),
            }
        }
        pairs
    }

    fn table_of(&mut self, key: &'static str) -> Option<&'a dyn TableLike> {
        let item = self.item(key)?;
        let table = item.as_table_like();
        if table.is_none() {
            self.problem(key, "must be a table", None);
        }
        table
    }

    /// Reads the table at `key`.
    pub fn table<T>(&mut self, key: &'static str, read: impl FnOnce(&mut Reader<'a>) -> T) -> Option<T> {
        let table = self.table_of(key)?;
        Some(self.nested(table, format!("{}{key}.", self.path), read))
    }

    /// Reads every table of the list at `key`: `[[key]]` or `key = [{…}]`.
    pub fn tables<T>(&mut self, key: &'static str, mut read: impl FnMut(&mut Reader<'a>) -> T) -> Option<Vec<T>> {
        let item = self.item(key)?;
        let tables: Option<Vec<&'a dyn TableLike>> = match item {
            Item::ArrayOfTables(tables) => Some(tables.iter().map(|table| table as &dyn TableLike).collect()),
            Item::Value(Value::Array(values)) => {
                values.iter().map(|value| value.as_inline_table().map(|table| table as &dyn TableLike)).collect()
            }
            _ => None,
        };
        let Some(tables) = tables else {
            self.problem(key, "must be a list of tables", None);
            return None;
        };
        let path = format!("{}{key}.", self.path);
        Some(tables.into_iter().map(|table| self.nested(table, path.clone(), &mut read)).collect())
    }

    /// Reads every table below this one by its name, a provider's id, such as `[providers.groq]`.
    pub fn provider_tables<T>(
        &mut self,
        key: &'static str,
        mut read: impl FnMut(&str, &mut Reader<'a>) -> T,
    ) -> Vec<T> {
        let Some(table) = self.table_of(key) else { return Vec::new() };
        let mut values = Vec::new();
        for (name, item) in table.iter() {
            match item.as_table_like() {
                Some(inner) => {
                    let path = format!("{}{key}.{name}.", self.path);
                    values.push(self.nested(inner, path, |reader| {
                        reader.provider = Some(name.to_owned());
                        read(name, reader)
                    }));
                }
                None => self.problem(key, format_args!("must hold tables; `{name}` is none"), None),
            }
        }
        values
    }

    fn nested<T>(&self, table: &'a dyn TableLike, path: String, read: impl FnOnce(&mut Reader<'a>) -> T) -> T {
        let provider = self.provider.clone();
        let mut reader = Reader { file: self.file, table, path, provider, known: Vec::new(), free_keys: false };
        let value = read(&mut reader);
        reader.refuse_unknown();
        value
    }

    fn refuse_unknown(&self) {
        for (key, _) in self.table.iter() {
            if !self.free_keys && !self.known.contains(&key) {
                self.problem(key, "is not known here", close(key, self.known.iter().copied()));
            }
        }
    }
}

/// A text.
pub fn plain_text(value: &Value) -> Option<String> {
    value.as_str().map(str::to_owned)
}

/// A number as JSON.
pub fn number(value: &Value) -> Option<String> {
    (value.is_integer() || value.is_float()).then(|| json(value)).flatten()
}

/// A value as JSON; a date is none.
pub fn json(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(serde_json::Value::from(text.value().as_str()).to_string()),
        Value::Integer(number) => Some(number.value().to_string()),
        Value::Float(number) => Some(number.value().to_string()),
        Value::Boolean(flag) => Some(flag.value().to_string()),
        Value::Datetime(_) => None,
        Value::Array(values) => {
            let values: Option<Vec<String>> = values.iter().map(json).collect();
            Some(format!("[{}]", values?.join(",")))
        }
        Value::InlineTable(table) => {
            let field = |(name, value)| Some(format!("{}:{}", serde_json::Value::from(name), json(value)?));
            let fields: Option<Vec<String>> = table.iter().map(field).collect();
            Some(format!("{{{}}}", fields?.join(",")))
        }
    }
}

/// A duration with a unit; a bare number only when it is zero.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let duration = signal::duration(text)?;
    let has_unit = text.ends_with(|last: char| last.is_ascii_alphabetic());
    (has_unit || duration.is_zero()).then_some(duration)
}

/// "did you mean …" for the nearest of `names`, when one is near.
pub fn close<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    nearest(word, names).map(|name| format!("did you mean `{name}`?"))
}

fn nearest<'n>(word: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    // 0.8 is where Jaro-Winkler stops finding words that merely share letters.
    names
        .map(|name| (strsim::jaro_winkler(word, name), name))
        .filter(|(near, _)| *near > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_mistakes_are_reported_with_their_lines() {
        let problems = Problems::default();
        let text = "name = 7\n\n[server]\nport = \"x\"\nhots = \"a\"\nwait = \"90\"\nmode = \"onn\"\n";
        let file = File { name: "config.toml", text, provider: None, problems: &problems };
        file.read(|top| {
            top.text("name");
            top.table("server", |server| {
                server.count("port");
                server.text("host");
                server.duration("wait");
                server.choice("mode", &[("on", 1), ("off", 2)]);
            });
        });
        let lines: Vec<String> = problems.into_list().iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "config.toml:1: `name` must be a text in quotes",
                "config.toml:4: `server.port` must be a whole number, zero or more",
                "config.toml:6: `server.wait` must be a duration such as \"90s\", \"500ms\" or \"2h\"",
                "config.toml:7: `server.mode` is `onn`; it must be one of: on, off (did you mean `on`?)",
                "config.toml:5: `server.hots` is not known here (did you mean `host`?)",
            ]
        );
    }

    #[test]
    fn a_syntax_error_names_its_line() {
        let problems = Problems::default();
        File { name: "x.toml", text: "a = 1\nb = [\n", provider: None, problems: &problems }.read(|_| ());
        assert!(problems.into_list()[0].line.is_some_and(|line| line >= 2));
    }
}

//! Markdown and MDX pages, read leniently: what sites serve is seldom what a parser expects.

use std::collections::VecDeque;

mod comment;
mod component;
mod line;

use comment::{is_gone, without_comments};
use component::Component;
use line::{cells, heading, indent, is_delimiter, is_fenced, is_rule, item};

use super::grid::{Layout, Spanning};
use super::html;
use super::page::{Builder, Page, Unreadable};
use super::text::of_markdown;
use super::variables::{Export, Variables};

/// A longer line is data, not text.
const MOST_LINE: usize = 32 * 1024;

pub fn read(text: &str) -> Result<Page, Unreadable> {
    let text = without_comments(text);
    let lines: Vec<&str> = text.lines().map(|line| line.trim_end_matches('\r')).collect();
    let mut reader = Reader { ends_within_line: !text.ends_with('\n'), ..Reader::new(&lines) };
    let start = reader.front_matter();
    reader.collect_variables(start);
    let mut at = start;
    while at < lines.len() {
        at = reader.block(at)?;
    }
    reader.flush();
    Ok(reader.builder.finish())
}

struct Reader<'a> {
    lines: &'a [&'a str],
    builder: Builder,
    variables: Variables,
    export: Option<Export>,
    /// Open components that are tabs: their names, and to which depth to return.
    tabs: Vec<(String, Option<usize>)>,
    /// Titles that a group of tabs gives to those in it, in their order.
    titles: VecDeque<String>,
    /// The indent of an open tab that ends where the text is indented less.
    indented_tab: Option<(usize, usize)>,
    pending: Option<Pending>,
    ends_within_line: bool,
}

/// Text that may go on in the next line.
struct Pending {
    line: usize,
    indent: usize,
    is_item: bool,
    text: String,
}

impl<'a> Reader<'a> {
    fn new(lines: &'a [&'a str]) -> Self {
        Self {
            lines,
            builder: Builder::default(),
            variables: Variables::default(),
            export: None,
            tabs: Vec::new(),
            titles: VecDeque::new(),
            indented_tab: None,
            pending: None,
            ends_within_line: false,
        }
    }

    /// Skips the lines between `---` at the beginning, and takes the title from them.
    fn front_matter(&mut self) -> usize {
        if self.lines.first().is_none_or(|line| line.trim() != "---") {
            return 0;
        }
        let Some(end) = self.lines.iter().skip(1).position(|line| line.trim() == "---") else { return 0 };
        for line in &self.lines[1..=end] {
            if let Some(title) = line.strip_prefix("title:") {
                self.builder.title(title.trim().trim_matches(['"', '\'']));
            }
        }
        end + 2
    }

    fn collect_variables(&mut self, start: usize) {
        let mut export = None;
        let mut fence = None;
        for line in &self.lines[start..] {
            if !is_fenced(line, &mut fence) {
                self.variables.take(line, &mut export);
            }
        }
    }

    /// Reads the block that begins at a line; where the next one begins.
    fn block(&mut self, at: usize) -> Result<usize, Unreadable> {
        let line = self.lines[at];
        let trimmed = line.trim_start();
        let mut ignored = Variables::default();
        if ignored.take(line, &mut self.export) || trimmed.starts_with("import ") && trimmed.contains(['"', '\'']) {
            self.flush();
            return Ok(at + 1);
        }
        if let Some(end) = self.past_fence(at) {
            return Ok(end);
        }
        if is_gone(line) {
            return Ok(at + 1);
        }
        if trimmed.get(..6).is_some_and(|tag| tag.eq_ignore_ascii_case("<table")) {
            return self.html_table(at);
        }
        if trimmed.is_empty() || line.len() > MOST_LINE {
            self.flush();
            return Ok(at + 1);
        }
        let quoted = trimmed.trim_start_matches(['>', ' ']);
        let rows = self.table_rows(at);
        if rows > 0 {
            self.flush();
            self.table(at, rows);
            return Ok(at + rows);
        }
        self.end_indented_tab(line);
        if let Some(end) = self.spread_component(at) {
            return Ok(end);
        }
        if !self.component(quoted, at) {
            let filled = self.variables.fill(quoted);
            self.line(line, &filled, at);
            self.end_tab_within(line);
        }
        Ok(at + 1)
    }

    /// Behind a component whose tag takes several lines, if one begins here.
    fn spread_component(&mut self, at: usize) -> Option<usize> {
        let end = self.spread_tag(at).filter(|end| *end > at + 1)?;
        let joined = self.lines[at..end].iter().map(|line| line.trim()).collect::<Vec<_>>().join(" ");
        self.component(&joined, at).then_some(end)
    }

    /// Behind the line on which the tag ends that a line begins and does not end.
    fn spread_tag(&self, at: usize) -> Option<usize> {
        const MOST: usize = 16;
        let is_open = |line: &str| {
            line.strip_prefix('<').is_some_and(|tag| tag.starts_with(|c: char| c.is_ascii_alphabetic()))
                && !line.contains('>')
        };
        let near = &self.lines[at..self.lines.len().min(at + MOST)];
        is_open(self.lines[at].trim())
            .then(|| near.iter().position(|line| line.contains('>')))
            .flatten()
            .map(|end| at + end + 1)
    }

    /// The line behind the fenced block that begins here.
    fn past_fence(&mut self, at: usize) -> Option<usize> {
        let mut fence = None;
        if !is_fenced(self.lines[at], &mut fence) {
            return None;
        }
        self.flush();
        let inside = |line: &&&str| is_fenced(line, &mut fence) && fence.is_some();
        Some(at + self.lines[at + 1..].iter().take_while(inside).count() + 2)
    }

    fn html_table(&mut self, at: usize) -> Result<usize, Unreadable> {
        self.flush();
        let mut depth = 0_usize;
        let mut end = at;
        for line in &self.lines[at..] {
            let lower = line.to_ascii_lowercase();
            end += 1;
            depth = (depth + lower.matches("<table").count()).saturating_sub(lower.matches("</table").count());
            if depth == 0 {
                break;
            }
        }
        let text: Vec<String> = self.lines[at..end].iter().map(|line| self.variables.fill(line)).collect();
        html::read_into(&text.join("\n"), at + 1, indent(self.lines[at]), &mut self.builder)?;
        Ok(end)
    }

    /// How many lines from here on make a table: two or more with pipes, or none.
    fn table_rows(&self, at: usize) -> usize {
        let is_row = |line: &&&str| {
            let line = line.trim_start().trim_start_matches('>').trim();
            line.starts_with('|')
                || is_delimiter(line)
                || (line.contains('|') && !line.starts_with(['<', '#', '-', '*', '{']))
        };
        let is_piped = self.lines[at].trim_start().starts_with('|');
        // Looked for near by only: many lines with a pipe in them must not each look through all that follow.
        let has_delimiter = self.lines[at..].iter().take(4).take_while(is_row).any(|line| is_delimiter(line));
        if !is_piped && !has_delimiter {
            return 0;
        }
        let is_row = |line: &&&str| is_row(line) || is_gone(line);
        let rows = self.lines[at..].iter().take_while(is_row).count();
        let rows = self.lines[at..at + rows].iter().rposition(|line| !is_gone(line)).map_or(0, |last| last + 1);
        if rows >= 2 { rows } else { 0 }
    }

    fn table(&mut self, at: usize, rows: usize) {
        let lines = &self.lines[at..at + rows];
        let head = lines.iter().position(|line| is_delimiter(line)).unwrap_or_default();
        let mut layout = Layout::new(at + 1);
        let mut widths = Vec::new();
        for (index, line) in lines.iter().enumerate() {
            if is_delimiter(line) || is_gone(line) {
                continue;
            }
            let cells = cells(&self.variables.fill(line.trim_start().trim_start_matches('>')));
            widths.push(cells.len());
            let cells = cells.iter().map(|cell| Spanning { text: of_markdown(cell), columns: 1, rows: 1 }).collect();
            layout.row(at + index + 1, index < head, cells);
        }
        let is_closed = |line: &str| line.trim_end().ends_with('|');
        let is_last = at + rows == self.lines.len() && self.ends_within_line;
        let (last, usual) = (lines[rows - 1], lines[0]);
        let is_short = widths.last() < widths.first();
        if is_last && (is_short || (is_closed(usual) && !is_closed(last))) {
            layout.defect("the page ends inside the table");
        }
        self.builder.table(layout.finish(), indent(self.lines[at]));
    }

    /// A line that is nothing but a component's tag opens or closes a tab, or changes nothing; whether it was one.
    fn component(&mut self, line: &str, at: usize) -> bool {
        if let Some(title) = indented_tab(line) {
            self.flush();
            let indent = self.lines[at].len() - self.lines[at].trim_start().len();
            let depth = self.builder.open_tab(title);
            self.indented_tab = Some((indent, depth));
            return true;
        }
        if line.starts_with("<summary>") && line.trim_end().ends_with("</summary>") {
            self.flush();
            self.summary(line);
            return true;
        }
        let Some(tag) = Component::read(line) else { return false };
        if !tag.rest.trim().is_empty() && !tag.is_tab() {
            return false;
        }
        self.flush();
        if tag.ends_one_before() {
            self.close_tab(&tag.name);
        }
        if tag.is_end {
            self.close_tab(&tag.name);
        } else if tag.is_tab() && !tag.is_empty {
            // One without a title is one of several all the same; a fold has its title in its summary.
            let title = tag.title.clone().or_else(|| self.titles.pop_front());
            let title = title.or_else(|| tag.is_one_of_several().then(String::new));
            let depth = title.map(|title| self.builder.open_tab(&self.variables.fill(&title)));
            self.tabs.push((tag.name.clone(), depth));
            self.summary(tag.rest);
            self.content(tag.rest, at);
        } else if let Some(titles) = tag.titles {
            self.titles = titles.into();
        } else if tag.is_container() {
            self.tabs.push((tag.name.clone(), None));
        }
        true
    }

    /// What stands on the line of a tab's tag: `<Card title="Free">10 requests a minute</Card>`.
    fn content(&mut self, rest: &str, at: usize) {
        let text = rest.rsplit_once("</summary>").map_or(rest, |(_, text)| text).trim();
        if !text.is_empty() && !text.starts_with("</") {
            let filled = self.variables.fill(text);
            self.line(&filled, &filled, at);
        }
        self.end_tab_within(rest);
    }

    /// The end of a tab may stand behind the last line of its text.
    fn end_tab_within(&mut self, line: &str) {
        if self.tabs.is_empty() || !line.contains("</") {
            return;
        }
        let line = line.to_ascii_lowercase();
        let ended = self.tabs.iter().rev().find(|(name, _)| line.contains(&format!("</{name}>")));
        if let Some(name) = ended.map(|(name, _)| name.clone()) {
            self.flush();
            self.close_tab(&name);
        }
    }

    fn close_tab(&mut self, name: &str) {
        if let Some(found) = self.tabs.iter().rposition(|(open, _)| open == name) {
            let depth = self.tabs.drain(found..).find_map(|(_, depth)| depth);
            if let Some(depth) = depth {
                self.builder.close_tab(depth);
            }
        }
    }

    /// `<summary>Free</summary>` names the details around it.
    fn summary(&mut self, line: &str) {
        let title = line.trim().strip_prefix("<summary>").and_then(|rest| rest.split_once("</summary>"));
        if let (Some((title, _)), Some((_, depth @ None))) = (title, self.tabs.last_mut()) {
            *depth = Some(self.builder.open_tab(&of_markdown(title).plain));
        }
    }

    fn end_indented_tab(&mut self, line: &str) {
        let indent = line.len() - line.trim_start().len();
        if let Some((_, depth)) = self.indented_tab.take_if(|(own, _)| indent <= *own) {
            self.flush();
            self.builder.close_tab(depth);
        }
    }

    /// A heading, an item, or text that goes on.
    fn line(&mut self, raw: &str, line: &str, at: usize) {
        if let Some((level, title)) = heading(line) {
            self.flush();
            self.builder.heading(level, of_markdown(title), at + 1);
        } else if is_rule(line) {
            self.underline(line);
        } else if let Some(item) = item(line) {
            self.flush();
            self.pending = Some(Pending { line: at + 1, indent: indent(raw), is_item: true, text: item.to_owned() });
        } else {
            let goes_on = |pending: &&mut Pending| !pending.is_item || raw.starts_with(char::is_whitespace);
            match self.pending.as_mut().filter(goes_on) {
                // More than a line may have is no text, and is not kept.
                Some(pending) if pending.text.len() > MOST_LINE => {}
                Some(pending) => {
                    pending.text.push(' ');
                    pending.text.push_str(line.trim());
                }
                None => {
                    self.flush();
                    let (indent, text) = (indent(raw), line.trim().to_owned());
                    self.pending = Some(Pending { line: at + 1, indent, is_item: false, text });
                }
            }
        }
    }

    /// A line below a text makes a heading of it.
    fn underline(&mut self, rule: &str) {
        match self.pending.take() {
            Some(Pending { line, is_item: false, text, .. }) if text.len() < 120 => {
                self.builder.heading(if rule.starts_with('=') { 1 } else { 2 }, of_markdown(&text), line);
            }
            pending => {
                self.pending = pending;
                self.flush();
            }
        }
    }

    fn flush(&mut self) {
        let Some(Pending { line, indent, is_item, text }) = self.pending.take() else { return };
        if is_item {
            self.builder.item(of_markdown(&text), indent, line);
        } else {
            self.builder.paragraph(of_markdown(&text), indent, line);
        }
    }
}

/// The title of a tab or a fold whose text is indented below it: `=== "Free"`, `??? note "Free"`.
fn indented_tab(line: &str) -> Option<&str> {
    let rest = ["=== ", "===! ", "===+ ", "???+ ", "??? "].iter().find_map(|mark| line.strip_prefix(mark))?;
    let (_, quoted) = rest.split_once(['"', '\''])?;
    Some(quoted.trim_end().trim_end_matches(['"', '\'']))
}

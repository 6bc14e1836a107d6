//! Reads a parsed page in document order into blocks.

use ego_tree::NodeRef;
use ego_tree::iter::Edge;
use scraper::node::Element;
use scraper::{Html, Node};

use super::super::grid::{Layout, Spanning};
use super::super::page::{Builder, Page, Unreadable};
use super::super::text::Text;
use super::super::tier;
use super::clean::{Cleaned, clean};
use super::tabs::{Tab, Tabs};

/// Reads a page.
pub fn read(text: &str) -> Result<Page, Unreadable> {
    let mut builder = Builder::default();
    read_into(text, 1, 0, &mut builder)?;
    Ok(builder.finish())
}

/// Reads HTML that begins at a line and an indent of a page of another kind, such as a table in markdown.
pub fn read_into(text: &str, first_line: usize, indent: usize, builder: &mut Builder) -> Result<(), Unreadable> {
    let Cleaned { html, cut_tables } = clean(text, first_line)?;
    let document = Html::parse_document(&html);
    let count = |name: &str| html.matches(name).count();
    let tabs = Tabs::new(count("<x-panel ") >= count("<x-tab "));
    let mut walker = Walker { lists: indent, ..Walker::new(builder, cut_tables, tabs, first_line) };
    let mut hidden = None;
    for edge in document.tree.root().traverse() {
        match edge {
            Edge::Open(node) if hidden.is_none() => match node.value() {
                Node::Text(text) => walker.text(text),
                Node::Element(element) if element.attr("data-hidden").is_some() => hidden = Some(node.id()),
                Node::Element(element) => walker.open(element),
                _ => {}
            },
            Edge::Close(node) if hidden == Some(node.id()) => hidden = None,
            Edge::Close(node) if hidden.is_none() => close(&mut walker, node),
            _ => {}
        }
    }
    walker.flush();
    Ok(())
}

fn close(walker: &mut Walker<'_>, node: NodeRef<'_, Node>) {
    if let Node::Element(element) = node.value() {
        walker.close(element);
    }
}

/// What the text being read belongs to.
#[derive(Debug)]
enum Purpose {
    Cell {
        columns: usize,
        rows: usize,
    },
    Heading(u8),
    Item,
    /// What the item behind it describes.
    Term,
    Paragraph,
    Code,
    Summary,
    Caption,
    /// Before or behind what is captioned.
    FigureCaption,
    Tab(Tab),
    /// One of those that a menu offers.
    Choice,
    Title,
}

#[derive(Debug)]
struct Sink {
    purpose: Purpose,
    text: Text,
    line: usize,
}

/// A table that is open.
#[derive(Debug)]
struct OpenTable {
    layout: Layout,
    is_in_head: bool,
    row: Vec<Spanning>,
    row_line: usize,
    has_data_cell: bool,
    has_table: bool,
    /// The page ends before it does.
    is_cut: bool,
}

#[derive(Debug)]
struct Walker<'a> {
    builder: &'a mut Builder,
    cut_tables: Vec<usize>,
    sinks: Vec<Sink>,
    tables: Vec<OpenTable>,
    /// Open panels: to which depth to return, once their title is known.
    panels: Vec<Option<usize>>,
    tabs: Tabs,
    /// Text that stands in no element of its own.
    loose: Text,
    /// The tabs that stand side by side: a paragraph before what follows them.
    choice: Text,
    /// How many lists are open, or how far what is read is indented.
    lists: usize,
    /// The term that descriptions belong to.
    term: Text,
    line: usize,
}

impl<'a> Walker<'a> {
    fn new(builder: &'a mut Builder, cut_tables: Vec<usize>, tabs: Tabs, line: usize) -> Self {
        let (sinks, tables, panels) = (Vec::new(), Vec::new(), Vec::new());
        let (loose, choice, term) = (Text::default(), Text::default(), Text::default());
        Self { builder, cut_tables, sinks, tables, panels, tabs, loose, choice, lists: 0, term, line }
    }

    fn text(&mut self, text: &str) {
        let text = text.replace(['\n', '\r', '\t'], " ");
        match self.sinks.last_mut() {
            Some(sink) => sink.text.push(&text),
            None if self.tables.is_empty() => self.loose.push(&text),
            None => {}
        }
    }

    fn open(&mut self, element: &Element) {
        if let Some(line) = number(element, "data-line") {
            self.line = line;
        }
        let in_cell = self.is_in_cell();
        match element.name() {
            "table" => self.open_table(number(element, "data-table")),
            "thead" => self.each_table(|table| table.is_in_head = true),
            "tbody" | "tfoot" => self.each_table(|table| table.is_in_head = false),
            "tr" => {
                let line = self.line;
                self.each_table(|table| (table.row_line, table.has_data_cell) = (line, false));
            }
            "td" | "th" => {
                let is_data = element.name() == "td";
                self.each_table(|table| table.has_data_cell |= is_data);
                let span = |name| number(element, name).unwrap_or(1);
                self.sink(Purpose::Cell { columns: span("colspan"), rows: span("rowspan") });
            }
            "details" => self.panels.push(None),
            "x-panel" => self.open_panel(element),
            "x-behind" => self.builder.title_behind(),
            "aside" | "nav" if !in_cell => self.open_beside(),
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" if !in_cell => {
                self.begin(Purpose::Heading(element.name().as_bytes()[1] - b'0'));
            }
            "li" if !in_cell => self.begin(Purpose::Item),
            "ul" | "ol" if !in_cell => self.open_list(),
            "dt" | "dd" if !in_cell => self.open_described(element.name() == "dt"),
            "figcaption" if !in_cell => self.begin(Purpose::FigureCaption),
            "p" if self.sinks.is_empty() => self.begin(Purpose::Paragraph),
            "p" | "br" | "li" | "dt" | "dd" | "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => self.line_break(),
            _ => self.open_text(element),
        }
    }

    /// A text that ends the one before it.
    fn begin(&mut self, purpose: Purpose) {
        self.flush();
        self.sink(purpose);
    }

    /// Elements whose text is for one purpose.
    fn open_text(&mut self, element: &Element) {
        let purpose = match element.name() {
            // "30<a>1</a>" is a number and its note, not 301.
            "x-link" => return self.seam(),
            "x-code" => Purpose::Code,
            "caption" => Purpose::Caption,
            "title" => Purpose::Title,
            "summary" => Purpose::Summary,
            "option" => Purpose::Choice,
            "x-tab" => {
                let attribute = |name| element.attr(name).map(str::to_owned);
                let is_selected = element.attr("aria-selected") == Some("true");
                let target = ["data-bs-target", "data-target", "href"].iter().find_map(|name| element.attr(name));
                let target = target.and_then(|target| target.strip_prefix('#')).map(str::to_owned);
                let (id, controls) = (attribute("id"), attribute("aria-controls").or(target));
                Purpose::Tab(Tab { id, controls, is_selected, title: String::new() })
            }
            _ => return,
        };
        self.sink(purpose);
    }

    fn seam(&mut self) {
        match self.sinks.last_mut() {
            Some(sink) => sink.text.seam(),
            None => self.loose.seam(),
        }
    }

    fn close(&mut self, element: &Element) {
        match element.name() {
            "table" => self.close_table(),
            "tr" => self.close_row(),
            "ul" | "ol" if !self.is_in_cell() => self.lists = self.lists.saturating_sub(1),
            "x-link" => {
                self.seam();
                if let (Some(sink), Some(target)) = (self.sinks.last_mut(), element.attr("href")) {
                    sink.text.leads_to(target);
                }
            }
            "aside" | "nav" if self.is_in_cell() => {}
            "details" | "x-panel" | "aside" | "nav" => {
                self.flush();
                if let Some(Some(depth)) = self.panels.pop() {
                    self.builder.close_tab(depth);
                }
            }
            "td" | "th" | "x-code" | "caption" | "title" | "x-tab" | "summary" | "option" => self.end_sink(),
            name => {
                let is_own = self.sinks.last().is_some_and(|sink| match sink.purpose {
                    Purpose::Heading(_) => name.starts_with('h'),
                    Purpose::Item => name == "li" || name == "dd",
                    Purpose::Term => name == "dt",
                    Purpose::Paragraph => name == "p",
                    Purpose::FigureCaption => name == "figcaption",
                    _ => false,
                });
                if is_own {
                    self.end_sink();
                }
            }
        }
    }

    fn is_in_cell(&self) -> bool {
        self.sinks.iter().any(|sink| matches!(sink.purpose, Purpose::Cell { .. }))
    }

    fn sink(&mut self, purpose: Purpose) {
        self.sinks.push(Sink { purpose, text: Text::default(), line: self.line });
    }

    fn end_sink(&mut self) {
        let Some(Sink { purpose, text, line }) = self.sinks.pop() else { return };
        // An item may hold a tab and nothing else.
        if matches!(purpose, Purpose::Heading(_) | Purpose::Item | Purpose::Paragraph) && !text.is_blank() {
            self.offer();
        }
        match purpose {
            Purpose::Cell { columns, rows } => {
                self.each_table(|table| table.row.push(Spanning { text, columns, rows }));
            }
            Purpose::Heading(level) => self.builder.heading(level, text, line),
            Purpose::Item => self.builder.item(text, self.lists, line),
            Purpose::Term => self.term = text,
            Purpose::Paragraph => self.builder.paragraph(text, 0, line),
            Purpose::Code => match self.sinks.last_mut() {
                Some(sink) => sink.text.code(&text.plain),
                None => self.loose.code(&text.plain),
            },
            Purpose::Summary => {
                if let Some(panel @ None) = self.panels.last_mut() {
                    *panel = Some(self.builder.open_tab(&text.plain));
                }
            }
            Purpose::Caption => self.each_table(|table| table.layout.caption(text.shown())),
            Purpose::FigureCaption => self.builder.caption(text, line),
            Purpose::Tab(tab) => {
                self.choice.push(&text.shown());
                self.choice.seam();
                self.tabs.add(Tab { title: text.shown(), ..tab });
            }
            // Languages and versions are no plans.
            Purpose::Choice if tier::side_by_side(&text.plain).is_empty() => {}
            Purpose::Choice => {
                self.choice.push(&text.shown());
                self.choice.seam();
            }
            Purpose::Title => self.builder.title(&text.shown()),
        }
    }

    /// An item's own text ends where the list within it begins.
    fn end_item_text(&mut self) {
        if let Some(Sink { purpose: Purpose::Item, text, line }) = self.sinks.last_mut() {
            self.builder.item(std::mem::take(text), self.lists, *line);
        }
    }

    fn open_described(&mut self, is_term: bool) {
        self.flush();
        self.sink(if is_term { Purpose::Term } else { Purpose::Item });
        if let (Some(sink), false) = (self.sinks.last_mut(), is_term || self.term.is_blank()) {
            sink.text = self.term.clone();
            // The answer to a question is a sentence of its own.
            let is_question = sink.text.shown().ends_with('?');
            sink.text.push(if is_question { " " } else { ": " });
        }
    }

    fn open_list(&mut self) {
        self.end_item_text();
        self.lists += 1;
    }

    fn line_break(&mut self) {
        match self.sinks.last_mut() {
            Some(sink) => sink.text.line_break(),
            None => self.flush(),
        }
    }

    /// Ends the paragraph that loose text makes.
    fn flush(&mut self) {
        let text = std::mem::take(&mut self.loose);
        if !text.is_blank() {
            self.offer();
            self.builder.paragraph(text, 0, self.line);
        }
    }

    fn offer(&mut self) {
        let choice = std::mem::take(&mut self.choice);
        self.builder.paragraph(choice, 0, self.line);
    }

    /// What stands beside the text has titles of its own, which are none of what follows.
    fn open_beside(&mut self) {
        self.flush();
        self.panels.push(Some(self.builder.depth()));
    }

    fn open_panel(&mut self, element: &Element) {
        self.flush();
        self.offer();
        let title = self.tabs.title(element.attr("id"), element.attr("aria-labelledby"));
        let title = element.attr("aria-label").map(str::to_owned).or(title).unwrap_or_default();
        let depth = self.builder.open_tab(&title);
        self.panels.push(Some(depth));
    }

    fn each_table(&mut self, change: impl FnOnce(&mut OpenTable)) {
        if let Some(table) = self.tables.last_mut() {
            change(table);
        }
    }

    fn open_table(&mut self, number: Option<usize>) {
        self.flush();
        if self.tables.is_empty() {
            self.offer();
        }
        self.end_item_text();
        self.each_table(|table| table.has_table = true);
        let is_cut = number.is_some_and(|number| self.cut_tables.contains(&number));
        let layout = Layout::new(self.line);
        self.tables.push(OpenTable {
            layout,
            is_in_head: false,
            row: Vec::new(),
            row_line: self.line,
            has_data_cell: false,
            has_table: false,
            is_cut,
        });
    }

    fn close_row(&mut self) {
        self.each_table(|table| {
            let is_head = table.is_in_head || !table.has_data_cell;
            table.layout.row(table.row_line, is_head, std::mem::take(&mut table.row));
        });
    }

    fn close_table(&mut self) {
        let Some(mut table) = self.tables.pop() else { return };
        if table.has_table {
            table.layout.defect("it holds other tables");
        }
        if table.is_cut {
            table.layout.defect("the page ends inside the table");
        }
        let is_in_item = self.sinks.iter().any(|sink| matches!(sink.purpose, Purpose::Item));
        self.builder.table(table.layout.finish(), self.lists + usize::from(is_in_item));
    }
}

fn number(element: &Element, attribute: &str) -> Option<usize> {
    element.attr(attribute)?.trim().parse().ok()
}
